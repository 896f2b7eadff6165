"""The examples in the how-to run as they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import homes
import pytest
from media_factory import cut_clip
from render_media import render_clip

import titledeed

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "use-from-python.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)


def run(code: str, folder: Path, home: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "TITLEDEED_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    clip = render_clip(folder / "clip.mp4", seconds=6, seed=7)
    cut_clip(clip, folder / "downloaded.mp4", start_s=1, end_s=5, scale=0.75)
    shutil.copy(clip, folder / "film.mp4")
    shutil.copy(folder / "downloaded.mp4", folder / "trailer.mp4")
    with homes.new_home(folder / "home") as home:
        registered = home.register_one(clip)
    shutil.copy(registered.bundle_path or "", folder / "evidence.json")
    return folder


@pytest.mark.chain
def test_the_examples_print_what_they_promise(folder: Path) -> None:
    verified, compared, checked, failed = (run(code, folder, folder / "home") for code in EXAMPLES)
    assert "registered_match" in verified
    assert "Interval(start_s=" in compared
    assert "claim_signature" in checked
    assert "missing.mp4" in failed


def test_importing_costs_nothing_and_names_what_is_public() -> None:
    code = (
        "import sys, titledeed; print(sorted(n for n in sys.modules if n.startswith('titledeed')))"
    )
    assert run(code, PAGE.parent, PAGE.parent).strip() == "['titledeed']"
    assert set(titledeed.__all__) <= set(dir(titledeed))
    assert all(getattr(titledeed, name) for name in titledeed.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        titledeed.nothing  # noqa: B018 - asking is the test
