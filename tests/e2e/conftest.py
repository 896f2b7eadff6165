"""Homes that the tests of the command share: a file of tests never sees what another did."""

from __future__ import annotations

import pytest
from command_line import HOSTILE, Home, Studio
from media_factory import render_clip, render_picture, truncate


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    folder = tmp_path_factory.mktemp("studio")
    home = Home(folder / "home")
    clips = folder / "clips"
    clips.mkdir()
    render_clip(clips / "a.mp4", seconds=8, seed=1)
    render_clip(clips / "b.webm", seconds=3, seed=2)
    render_picture(clips / f"{HOSTILE}.jpg", seed=3)
    truncate(render_clip(clips / "broken.mp4", seconds=2, seed=4), share=0.5)
    (clips / "notes.txt").write_text("no media")
    initialized = home.run("init", "--organization", "Example Studio", "--json")
    assert initialized.code == 0, initialized.err
    first = home.run("register", clips, "--publish", "--json")
    return Studio(
        home=home,
        folder=folder,
        initialized=initialized.document,
        registered={d["title"]: d for d in first.documents if "error" not in d},
        first=first,
    )


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Another home, in which no test changes anything."""
    home = Home(tmp_path_factory.mktemp("stranger") / "home")
    assert home.run("init").code == 0
    return home
