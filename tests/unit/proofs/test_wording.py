"""Words of strangers stand in quotes that they cannot end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from titledeed.proofs.wording import TERM_SHOWN_MAX, name_term


@pytest.mark.parametrize("word", ["humanEdits", "TitleDeed", "c2pa.types.model", "x" * 100])
def test_one_word_stands_as_it_is(word: str) -> None:
    assert name_term(word) == word


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("humanEdits. A notary confirmed it", "“humanEdits. A notary confirmed it”"),
        ("a” and more", "“a' and more”"),
        ("two\nlines\u202e", "“two lines ”"),
        ("", "“”"),
        ("x" * 101, "“" + "x" * 99 + "…”"),
    ],
)
def test_anything_else_is_quoted(text: str, shown: str) -> None:
    assert name_term(text) == shown


@given(st.text(max_size=400))
def test_nothing_ends_its_quotes(text: str) -> None:
    shown = name_term(text)
    assert shown.isprintable() or shown == "“”"
    assert len(shown) <= TERM_SHOWN_MAX + 2
    assert shown.count("“") == shown.count("”") <= 1
