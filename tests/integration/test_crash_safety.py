"""What was accepted survives SIGKILL at every step of registering; what was not, starts again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import render_media

from titledeed.bootstrap.homes import initialize_home
from titledeed.settings import Settings

DRIVER = Path(__file__).with_name("crash_driver.py")
STEPS_MIN = 20
"""Intent, signed copy, dossier, row, anchor signed, batch kept and stored, anchor sent, chain
followed, bundle: before and after."""


@pytest.mark.chain
@pytest.mark.timeout(600)
def test_a_killed_registration_is_lost_or_whole_at_every_step(tmp_path: Path) -> None:
    home, clip = tmp_path / "home", tmp_path / "clip.mp4"
    initialize_home(Settings(home=home))
    render_media.render_clip(clip, seconds=2, seed=1)
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(home), str(clip)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert done.returncode == 0, done.stderr
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(steps) > STEPS_MIN
    assert [step["killed"] for step in steps] == [True] * (len(steps) - 1) + [False]
    # Killed before the commit: nothing is there. Killed after it: exactly one is.
    accepted = [step["before"]["accepted"] for step in steps]
    assert accepted == sorted(accepted)
    assert set(accepted) == {0, 1}
    for step in steps:
        assert step["after"] == {"accepted": 1, "copies": 1, "partial": []}, step
        assert step["again"] == step["id"], step
        assert step["status"] == "final", step
        assert step["holds"], step
        assert step["on_chain"], step
        assert step["waiting"] == 0, step
