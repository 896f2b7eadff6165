"""What reaches the terminal: results on standard output, everything else on standard error.

Strings that come from files, the database or the chain are hostile. Nothing is ever parsed as
Rich markup, and control characters, escape sequences and marks that reorder text are removed.
JSON is written in ASCII, so the same holds for it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from titledeed.errors import TitledeedError

SCHEMA_VERSION: Final = 1
PLAIN_WIDTH: Final = 160
"""Columns when nobody says how wide the terminal is."""

_ESCAPE_SEQUENCE: Final = re.compile(
    r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|\x1b[ -/]*[0-~]?"
)
_JOINERS: Final = frozenset("\u200c\u200d")
"""Format characters that scripts and emoji need; they neither hide nor reorder text."""

_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def sanitize(text: str) -> str:
    """One line that cannot move the cursor, change colours or reorder what stands around it."""
    return "".join(map(_printable, _ESCAPE_SEQUENCE.sub("", text))).strip()


def _printable(character: str) -> str:
    if character.isspace():
        return " "
    if character in _JOINERS:
        return character
    category = unicodedata.category(character)
    if category == "Cs":
        return "\N{REPLACEMENT CHARACTER}"
    return "" if category in _UNPRINTABLE else character


class Output:
    """Both streams of one invocation."""

    def __init__(self, *, as_json: bool, quiet: bool, no_color: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self._results = _console(sys.stdout, no_color=no_color)
        self.notes = _console(sys.stderr, no_color=no_color)

    def write_json(self, document: Mapping[str, object]) -> None:
        """One object on one line of standard output."""
        self._results.file.write(json.dumps(document) + "\n")
        # A full disk is an error of this line, not of the interpreter's end.
        self._results.file.flush()

    def write(self, text: str = "", *, style: str = "") -> None:
        """One line of the result; never broken, so that paths can be copied."""
        self._results.print(Text(sanitize(text), style), soft_wrap=True)

    def write_indented(self, name: str, value: str) -> None:
        """One named value of the result."""
        self._results.print(Text(f"  {name:<11} {sanitize(value)}"), soft_wrap=True)

    def write_table(
        self, headings: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = ""
    ) -> None:
        """A table of the result, or nothing where there are no rows."""
        table = Table(box=box.SIMPLE, pad_edge=False)
        for heading in headings:
            table.add_column(Text(sanitize(heading)), overflow="fold")
        for row in rows:
            table.add_row(*(Text(sanitize(cell)) for cell in row))
        if not table.row_count:
            return
        if title:
            self.write(title, style="bold")
        self._results.print(table)

    def note(self, text: str) -> None:
        """Something worth knowing that is no result."""
        if not self.quiet:
            self.notes.print(Text(sanitize(text)), soft_wrap=True)

    def report(self, error: TitledeedError) -> None:
        """An error: two lines for people and, where JSON was asked for, an object for programs."""
        self.report_problem(error.message, error.next_step)
        if self.as_json:
            problem = {
                "code": error.code,
                "message": error.message,
                "next_step": error.next_step,
            }
            self.write_json({"schema_version": SCHEMA_VERSION, "error": problem})

    def report_problem(self, message: str, next_step: str = "") -> None:
        """What failed and what to do about it, on standard error even when quiet."""
        line = Text.assemble(("error: ", "bold red"), sanitize(message))
        self.notes.print(line, soft_wrap=True)
        if next_step:
            self.notes.print(Text(f"next: {sanitize(next_step)}"), soft_wrap=True)


def _console(stream: TextIO, *, no_color: bool) -> Console:
    # Without a terminal Rich would fold at 80 columns, in the middle of addresses.
    is_bare = not stream.isatty() and "COLUMNS" not in os.environ
    return Console(
        file=stream,
        width=PLAIN_WIDTH if is_bare else None,
        no_color=no_color or None,
        markup=False,
        highlight=False,
        emoji=False,
    )
