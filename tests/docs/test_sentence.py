"""The page about evidence says to the byte how the sentence of a Claim shows a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from titledeed.canonical import statements
from titledeed.canonical.statements import STATEMENT_BYTES_MAX, state_disclosure

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/reference/evidence-bundle.md"
SECTION: Final = " ".join(
    PAGE.read_text(encoding="utf-8")
    .partition("`statement` is the")[2]
    .partition("\n### ")[0]
    .split()
)
LIST: Final = re.compile(r"U\+[0-9A-F]+(?: to [0-9A-F]+|, [0-9A-F]+)*")


def list_characters(before: str) -> set[str]:
    """The characters that the page lists first after these words."""
    found = LIST.search(SECTION, SECTION.index(before) + len(before))
    assert found
    listed = set()
    for item in found[0].removeprefix("U+").split(", "):
        first, _, last = item.partition(" to ")
        listed |= set(map(chr, range(int(first, 16), int(last or first, 16) + 1)))
    return listed


HIDING: Final = list_characters("1. Each run of what could")
SPACES: Final = list_characters("becomes one space, U+20:")
DOUBLE: Final = list_characters("3. Each double quote")
SINGLE: Final = list_characters("of single marks:")


def show_one(character: str) -> str:
    """What the page says of a character between two letters."""
    if character in HIDING or character in SPACES:
        return " "
    return "'" if character in DOUBLE else character


def show_two(character: str) -> str:
    """What it says of a character that stands there twice."""
    if character in SINGLE:
        return "'"
    shown = show_one(character)
    return character * 2 if shown == character and character != " " else shown


@pytest.mark.parametrize(("times", "show"), [(1, show_one), (2, show_two)])
def test_every_character_is_shown_as_the_page_says(times: int, show: Callable[[str], str]) -> None:
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
    size = 69 // (4 * times + 1)
    for start in range(0, len(characters), size):
        chunk = characters[start : start + size]
        title = "".join(f"x{one * times}" for one in chunk) + "x"
        shown = "".join(f"x{show(one)}" for one in chunk) + "x"
        assert f'of "{shown}". Use' in state_disclosure(title, None), chunk


def test_the_page_has_the_lengths_of_the_code() -> None:
    told = re.findall(r"cut to ([0-9]+) bytes", SECTION)
    assert list(map(int, told)) == [
        statements._TITLE_BYTES,
        statements._QUOTED_TERM_BYTES,
        statements._TOOL_BYTES,
    ]
    assert f"1 to {statements._TERM_BYTES} ASCII letters and digits" in SECTION
    assert f"longer than {STATEMENT_BYTES_MAX} bytes" in SECTION


def test_the_page_has_the_generative_types_of_the_code() -> None:
    told = SECTION.partition("type, so read, is ")[2].partition("; these four")[0]
    assert set(re.findall(r"`(.*?)`", told)) == statements._GENERATIVE
