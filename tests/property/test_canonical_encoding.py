"""What we encode ourselves, for speed, is what the RFC 8785 library encodes, byte for byte."""

from __future__ import annotations

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from titledeed.canonical.documents import INTEGER_MAX, Json, encode_document

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-INTEGER_MAX, INTEGER_MAX)
    | st.text()
    | st.text(st.characters(codec="ascii"))
)
DOCUMENTS = st.dictionaries(
    st.text(),
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    ),
)


@given(DOCUMENTS)
def test_encoding_is_that_of_the_library(document: dict[str, Json]) -> None:
    assert encode_document(document) == rfc8785.dumps(document)


@pytest.mark.parametrize("number", [INTEGER_MAX + 1, -INTEGER_MAX - 1, 2**256])
def test_integers_that_readers_disagree_on_are_refused(number: int) -> None:
    with pytest.raises(rfc8785.IntegerDomainError):
        encode_document({"number": number})


def test_half_a_character_is_refused() -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        encode_document({"text": "\ud800"})
