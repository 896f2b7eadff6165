from __future__ import annotations

import json

import pytest

from titledeed.errors import LedgerUnavailableError
from titledeed_cli.output import Output, sanitize


def make_output(*, as_json: bool = False, quiet: bool = False) -> Output:
    return Output(as_json=as_json, quiet=quiet, no_color=True)


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[Hcleared", "cleared"),
        ("\x1b]0;new title\x07after", "after"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPdevice\x1b\\after", "after"),
        ("\x9b31mred", "red"),
        ("\x9d0;title\x9cafter", "after"),
        ("a\x1b", "a"),
        ("over\rwritten\bhere", "over writtenhere"),
        ("two\nlines\tand\u2028more", "two lines and more"),
        ("gpj.\u202egnp\u202c", "gpj.gnp"),
        ("\u2066isolated\u2069\u200e\u200f\u061c", "isolated"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("tag\U000e0041ged", "tagged"),
        ("nul\x00 del\x7f", "nul del"),
        ("bad\udc80name", "bad\ufffdname"),
    ],
)
def test_hostile_text_is_harmless(hostile: str, harmless: str) -> None:
    assert sanitize(hostile) == harmless


@pytest.mark.parametrize(
    "text", ["港の夕暮れ", "مرفأ", "नमस्ते", "👩\u200d🎨", "می\u200cش", "[red]x[/red]"]
)
def test_text_of_any_script_stays(text: str) -> None:
    assert sanitize(text) == text


def test_markup_is_never_interpreted(capsys: pytest.CaptureFixture[str]) -> None:
    output = make_output()
    output.write("[bold red]line[/bold red] :smile: [/nothing]")
    output.write_indented("title", "[red]value")
    output.write_table(("[b]heading",), [("[blink]cell[/]",)], title="[i]title")
    output.note("[green]note")
    printed = capsys.readouterr()
    assert "[bold red]line[/bold red] :smile: [/nothing]" in printed.out
    assert "[red]value" in printed.out
    assert "[b]heading" in printed.out
    assert "[blink]cell[/]" in printed.out
    assert "[i]title" in printed.out
    assert "[green]note" in printed.err


def test_json_is_one_ascii_line(capsys: pytest.CaptureFixture[str]) -> None:
    make_output(as_json=True).write_json({"title": "\x1b[31m\u202e港\x9b"})
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert "\x1b" not in printed
    assert json.loads(printed) == {"title": "\x1b[31m\u202e港\x9b"}


def test_long_lines_are_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/".join(["folder"] * 80)
    make_output().write(path)
    assert capsys.readouterr().out == f"{path}\n"


def test_long_cells_are_folded_and_lose_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    cell = "".join(f"{number:04}" for number in range(100))
    make_output().write_table(("what",), [(cell,)])
    assert "".join(capsys.readouterr().out.split()).endswith(cell)


def test_a_table_without_rows_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    make_output().write_table(("what",), [], title="Nothing")
    assert capsys.readouterr().out == ""


def test_an_error_is_two_lines_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    make_output().report(LedgerUnavailableError("no\nanswer", next_step="Wait."))
    printed = capsys.readouterr()
    assert printed.err == "error: no answer\nnext: Wait.\n"
    assert printed.out == ""


def test_an_error_is_also_an_object_where_json_was_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_output(as_json=True, quiet=True).report(LedgerUnavailableError("no answer"))
    printed = capsys.readouterr()
    assert printed.err == "error: no answer\n"
    assert json.loads(printed.out) == {
        "schema_version": 1,
        "error": {"code": "ledger_unavailable", "message": "no answer", "next_step": ""},
    }


def test_quiet_leaves_out_notes_only(capsys: pytest.CaptureFixture[str]) -> None:
    output = make_output(quiet=True)
    output.note("a note")
    output.write("a result")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("a result\n", "")
