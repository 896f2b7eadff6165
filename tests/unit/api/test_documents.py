from __future__ import annotations

import subprocess
import sys

import pytest

import titledeed_api


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


def test_nothing_else_is() -> None:
    with pytest.raises(AttributeError, match="no attribute 'no_such_thing'"):
        getattr(titledeed_api, "no_such_thing")  # noqa: B009 - a name that mypy would refuse
