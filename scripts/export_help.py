"""Writes docs/reference/cli.md and docs/reference/exit-codes.md from the code.

    python scripts/export_help.py

A test fails when the pages are not what this writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from typer.main import get_command

from titledeed_cli.exit_codes import ERROR_CODES, HEADLINE_CODES, OUTCOME_CODES, ExitCode
from titledeed_cli.main import app

REFERENCE: Final = Path(__file__).resolve().parents[1] / "docs" / "reference"
WIDTH: Final = 88

CLI_HEAD: Final = """\
# The command line

<!-- Written by scripts/export_help.py. Change the docstrings in cli/titledeed_cli/commands. -->

- Results go to standard output; progress, notes and errors go to standard error.
- `--json` prints one object on one line, with `schema_version`; `register` prints one object for
  each file. Keys may be added; a key that is there keeps its meaning within a schema version.
- An error is one line `error: …` and mostly one line `next: …`. With `--json` standard output
  also gets `{"schema_version": 1, "error": {"code", "message", "next_step"}}`; the codes are in
  [errors.md](errors.md).
- What the exit codes mean is in [exit-codes.md](exit-codes.md), settings in
  [settings.md](settings.md).
- Global options stand before the command: `titledeed --home DIR verify FILE`.
- A passphrase is never an argument: it comes from `TITLEDEED_PASSPHRASE`, from the file that
  `TITLEDEED_PASSPHRASE_FILE` names, from the file that `init` wrote, or from a question on the
  terminal.
"""

EXITS_HEAD: Final = """\
# Exit codes

<!-- Written by scripts/export_help.py from cli/titledeed_cli/exit_codes.py. -->

These are stable. New ones may be added: a script must take a code that it does not know for "not
verified". No code says that a claim is true.

| code | meaning |
|---:|---|
"""


def main() -> None:
    """Write both pages."""
    for name, text in pages().items():
        (REFERENCE / name).write_text(text)


def pages() -> dict[str, str]:
    """File name and content of each generated page."""
    return {"cli.md": cli_page(), "exit-codes.md": exits_page()}


def cli_page() -> str:
    """Every command's help."""
    sections = [
        f"## `{path}`\n\n```text\n{text}\n```\n" for path, text in iter_help(get_command(app))
    ]
    return "\n".join([CLI_HEAD, *sections])


def iter_help(
    command: Any, parent: Any = None, name: str = "titledeed"
) -> Iterator[tuple[str, str]]:
    """Path and help text of a command and of all below it, in the order of the help."""
    context = command.make_context(
        name, [], parent=parent, resilient_parsing=True, terminal_width=WIDTH
    )
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    yield context.command_path, text
    for child in getattr(command, "commands", {}).values():
        yield from iter_help(child, context, child.name)


def exits_page() -> str:
    """The tables of exit codes."""
    meanings = "".join(f"| {code.value} | {code.meaning} |\n" for code in ExitCode)
    return (
        EXITS_HEAD
        + meanings
        + "\n## `titledeed verify`\n\n"
        + _table("verdict", {key.value: code for key, code in HEADLINE_CODES.items()})
        + "\n## `titledeed audit`\n\n"
        + _table("outcome", {key.value: code for key, code in OUTCOME_CODES.items()})
        + "\n## Errors\n\n"
        + "Every other error of [errors.md](errors.md) ends with 1.\n\n"
        + _table(
            "error",
            {key.code: code for key, code in ERROR_CODES.items() if code is not ExitCode.ERROR},
        )
    )


def _table(heading: str, codes: dict[str, ExitCode]) -> str:
    rows = "".join(f"| `{key}` | {code.value} |\n" for key, code in codes.items())
    return f"| {heading} | code |\n|---|---:|\n{rows}"


if __name__ == "__main__":
    main()
