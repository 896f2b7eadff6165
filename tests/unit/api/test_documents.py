from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import titledeed_api
from titledeed.settings import Settings


def test_documents_come_without_a_web_framework() -> None:
    # A process of its own: this one has loaded everything already.
    program = (
        "import sys; from titledeed_api.documents import verification_document; "
        "print(sorted({'fastapi', 'starlette', 'uvicorn'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_application_is_there_when_it_is_asked_for() -> None:
    from titledeed_api.app import create_app

    assert titledeed_api.create_app is create_app


def test_openapi_knows_resources_by_their_bare_nouns(tmp_path: Path) -> None:
    schemas = titledeed_api.create_app(Settings(home=tmp_path)).openapi()["components"]["schemas"]
    assert {"Answer", "Answers", "Claim", "Registration", "Segment"} <= set(schemas)
    assert [name for name in schemas if name.endswith("Resource")] == []
    assert all(schema["title"] == name for name, schema in schemas.items())


def test_nothing_else_is() -> None:
    with pytest.raises(AttributeError, match="no attribute 'no_such_thing'"):
        getattr(titledeed_api, "no_such_thing")  # noqa: B009 - a name that mypy would refuse
