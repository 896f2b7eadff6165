from __future__ import annotations

import io

import pytest
from rich.console import Console

from titledeed_cli.output import Output
from titledeed_cli.progress import BARS_MAX, show_progress


def make_output(*, quiet: bool = False) -> Output:
    return Output(as_json=False, quiet=quiet, no_color=True)


def test_without_a_terminal_each_step_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress(make_output()) as progress:
        for fraction in (0.0, 0.5, 1.0, 1.0):
            progress("clip.mp4", fraction)
        progress("Anchoring", 1.0)
    printed = capsys.readouterr()
    assert printed.err == "done: clip.mp4\ndone: Anchoring\n"
    assert printed.out == ""


def test_files_of_one_name_are_steps_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress(make_output()) as progress:
        for fraction in (0.0, 1.0, 0.0, 1.0):
            progress("clip.mp4", fraction)
    assert capsys.readouterr().err == "done: clip.mp4\n" * 2


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress(make_output(quiet=True)) as progress:
        progress("clip.mp4", 1.0)
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_bars_with_harmless_labels() -> None:
    screen = io.StringIO()
    output = make_output()
    output.notes = Console(file=screen, force_terminal=True, width=100)
    with show_progress(output) as progress:
        progress("[red]a\x1b]0;x\x07b.mp4", 0.25)
    assert "[red]ab.mp4" in screen.getvalue()
    assert "25%" in screen.getvalue()
    assert "\x1b]0;" not in screen.getvalue()


def test_many_files_do_not_fill_the_screen() -> None:
    screen = io.StringIO()
    output = make_output()
    output.notes = Console(file=screen, force_terminal=True, width=100)
    with show_progress(output) as progress:
        for number in range(3 * BARS_MAX):
            progress(f"clip-{number}.mp4", 1.0)
    last = screen.getvalue().rpartition("\r")[0].splitlines()[-2 * BARS_MAX :]
    shown = {line.split("clip-")[1].split(".")[0] for line in last if "clip-" in line}
    assert str(3 * BARS_MAX - 1) in shown
    assert len(shown) <= BARS_MAX
