"""Asking before what cannot be undone."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.text import Text

from titledeed.errors import InvalidRequestError
from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.output import Output, sanitize

YesFlag = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]


def confirm(output: Output, question: str, *, yes: bool) -> None:
    """Go on if a person says yes, now or by an option.

    Raises:
        InvalidRequestError: there is no terminal to ask on.
        typer.Exit: the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidRequestError(
            "this cannot be undone, and there is no terminal to ask on",
            next_step="Say --yes to do it.",
        )
    # Typer's own question writes to standard output, which belongs to the result.
    output.notes.print(Text(f"{sanitize(question)} [y/N]: "), end="", soft_wrap=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        output.report_problem("nothing was done")
        raise typer.Exit(ExitCode.ERROR)
