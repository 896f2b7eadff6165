"""Every body has one text and comes back from it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from titledeed.canonical.identifiers import address_from_bytes
from titledeed.models.ledger import (
    Anchored,
    BindingPublished,
    EventBody,
    EventRecorded,
    Issued,
    KeyDeclared,
    Superseded,
    Withdrawn,
)
from titledeed.store.event_rows import decode_body, encode_body

WORDS = st.binary(min_size=32, max_size=32)
ADDRESSES = st.binary(min_size=20, max_size=20).map(address_from_bytes)
DEEDS = st.integers(0, 2**256 - 1)
TEXTS = st.text(st.characters(exclude_categories=()), max_size=40)
BODIES: st.SearchStrategy[EventBody] = st.one_of(
    st.builds(Anchored, WORDS, ADDRESSES, st.integers(1, 2**64 - 1)),
    st.builds(
        Issued,
        deed=DEEDS,
        leaf=WORDS,
        claimant=ADDRESSES,
        content_digest=WORDS,
        root=WORDS,
        anchored_by=ADDRESSES,
        royalty=st.integers(0, 10_000),
        parents=st.lists(DEEDS, max_size=16).map(tuple),
    ),
    st.builds(Withdrawn, WORDS, ADDRESSES, st.booleans()),
    st.builds(Superseded, WORDS, ADDRESSES, WORDS, st.booleans()),
    st.builds(EventRecorded, WORDS, ADDRESSES, WORDS, WORDS, st.booleans()),
    st.builds(KeyDeclared, ADDRESSES, ADDRESSES, ADDRESSES, st.integers(0, 2**64 - 1)),
    st.builds(BindingPublished, WORDS, ADDRESSES, TEXTS, TEXTS),
)


@given(BODIES)
def test_body_comes_back_unchanged(body: EventBody) -> None:
    kind, text = encode_body(body)
    assert text.isascii()
    assert decode_body(kind, text) == body
    assert encode_body(decode_body(kind, text)) == (kind, text)


@given(BODIES)
def test_text_is_json_with_sorted_names(body: EventBody) -> None:
    _, text = encode_body(body)
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")) == text
