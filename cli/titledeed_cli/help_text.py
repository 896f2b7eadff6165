"""How commands get their help: the function's docstring, and the exit codes it may end with."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final, TypeVar

import typer

from titledeed_cli.exit_codes import ExitCode, describe_exits

KEEP: Final = "\b\n"
"""Tells the help formatter to leave the paragraph that follows as it is."""

Command = TypeVar("Command", bound=Callable[..., Any])


def add_command(
    app: typer.Typer, name: str | None = None, *, exits: tuple[ExitCode, ...]
) -> Callable[[Command], Command]:
    """Add a command whose help is its docstring.

    Args:
        app: the group that gets the command.
        name: where the function's own name cannot be used.
        exits: codes that it may end with beside those of every command.
    """

    def decorate(function: Command) -> Command:
        text = keep_examples(inspect.getdoc(function) or "")
        return app.command(name, help=text, epilog=list_exits(*exits))(function)

    return decorate


def keep_examples(text: str) -> str:
    """Mark the paragraphs with indented lines, which must not be wrapped."""
    return "\n\n".join(
        f"{KEEP}{paragraph}" if "\n " in paragraph else paragraph
        for paragraph in text.split("\n\n")
    )


def list_exits(*codes: ExitCode) -> str:
    """The exit codes of one command, as the last part of its help."""
    return KEEP + describe_exits(*codes)
