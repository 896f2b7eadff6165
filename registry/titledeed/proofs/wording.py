"""How words of strangers stand in our sentences. Pure."""

from __future__ import annotations

import re
from typing import Final

TERM_SHOWN_MAX: Final = 100

_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_QUOTES: Final = str.maketrans(dict.fromkeys('“”„‟"«»', "'"))


def name_term(text: str) -> str:
    """A term for a sentence: one word as it is, anything else in quotes that it cannot end."""
    if _WORD.fullmatch(text):
        return text
    plain = "".join(character if character.isprintable() else " " for character in text)
    cut = plain if len(plain) <= TERM_SHOWN_MAX else f"{plain[: TERM_SHOWN_MAX - 1]}…"
    return f"“{cut.translate(_QUOTES)}”"
