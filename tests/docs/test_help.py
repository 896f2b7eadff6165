from __future__ import annotations

from pathlib import Path

import export_help
import pytest
from typer.main import get_command

from titledeed_cli.main import app

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
HELP = dict(export_help.iter_help(get_command(app)))
GROUPS = {
    f"titledeed {name}"
    for name in ("bundle", "snapshot", "chain", "config", "index", "keys", "registration")
}


@pytest.mark.parametrize("name", sorted(export_help.pages()))
def test_generated_pages_are_current(name: str) -> None:
    assert (REFERENCE / name).read_text() == export_help.pages()[name], "run `make docs`"


def test_every_promised_command_exists() -> None:
    commands = set(HELP) - GROUPS - {"titledeed"}
    assert commands == {
        f"titledeed {name}"
        for name in (
            "init",
            "register",
            "receipt",
            "verify",
            "fingerprint",
            "search",
            "compare",
            "audit",
            "bundle verify",
            "bundle export",
            "snapshot export",
            "snapshot import",
            "snapshot list",
            "publish",
            "unpublish",
            "erase",
            "anchor",
            "registration list",
            "registration show",
            "registration history",
            "registration issue",
            "registration withdraw",
            "registration supersede",
            "registration event",
            "registration confirm",
            "registration publish-binding",
            "chain status",
            "chain deploy",
            "chain verify",
            "chain events",
            "chain serve",
            "keys new",
            "keys import",
            "keys list",
            "keys declare",
            "index rebuild",
            "index reindex",
            "backup",
            "restore",
            "serve",
            "doctor",
            "config show",
        )
    }


@pytest.mark.parametrize("path", sorted(set(HELP) - GROUPS))
def test_every_command_shows_examples_and_its_exit_codes(path: str) -> None:
    text = HELP[path]
    assert "Exit codes:\n" in text
    assert f"{path} " in text.partition("Examples:")[2] or path in text.partition("Examples:")[2]


def test_no_summary_is_cut_off() -> None:
    assert [path for path, text in HELP.items() if "..." in text.partition("Commands:")[2]] == []
