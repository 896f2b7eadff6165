"""The table of events: whole, without a clash, and as databases and readers know it."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args

import pytest
from chain_builders import root_of, sender_of

from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import ZERO_ADDRESS, address_bytes, deed_word
from titledeed.models.ledger import (
    Anchored,
    BindingPublished,
    EventBody,
    EventRecorded,
    Issued,
    KeyDeclared,
    Mention,
    MentionRole,
    Superseded,
    Withdrawn,
)
from titledeed.models.primitives import DeedId, LeafHash, Sha256, Subject
from titledeed.proofs.entries import NO_DOCUMENT, kind_word
from titledeed.proofs.event_kinds import (
    EVENT_KINDS,
    actor_of,
    anchor_mention,
    kind_of,
    name_kind,
)

ACTOR = sender_of("actor").address
OTHER = sender_of("other").address
LEAF = LeafHash(keccak256(b"leaf"))
NEXT = Subject(keccak256(b"next"))
SAMPLES: dict[str, EventBody] = {
    "anchored": Anchored(root_of(1), ACTOR, 3),
    "issued": Issued(DeedId(7), LEAF, ACTOR, Sha256(LEAF), root_of(1), OTHER, 0, ()),
    "withdrawn": Withdrawn(Subject(LEAF), ACTOR, by_holder=False),
    "superseded": Superseded(Subject(LEAF), ACTOR, NEXT, by_holder=False),
    "event_recorded": EventRecorded(
        Subject(LEAF), ACTOR, kind_word("screened"), NO_DOCUMENT, by_holder=False
    ),
    "key_declared": KeyDeclared(OTHER, ACTOR, ZERO_ADDRESS, 1),
    "binding_published": BindingPublished(keccak256(b"binding"), ACTOR, "", ""),
}
"""Under the names that databases and readers know: they never change."""


def test_every_event_has_one_entry() -> None:
    classes = [kind.body for kind in EVENT_KINDS]
    assert sorted(classes, key=repr) == sorted(get_args(EventBody), key=repr)
    assert [kind.name for kind in EVENT_KINDS] == list(SAMPLES)
    assert len({kind.topic for kind in EVENT_KINDS}) == len(EVENT_KINDS)


@pytest.mark.parametrize("name", SAMPLES)
def test_entry_fits_its_class(name: str) -> None:
    kind = kind_of(SAMPLES[name])
    assert (kind.name, kind.body) == (name, type(SAMPLES[name]))
    assert len(kind.argument_types) == len(fields(kind.body))
    assert kind.indexed <= 3
    assert actor_of(SAMPLES[name]) == ACTOR


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("issued", [LEAF, deed_word(DeedId(7))]),
        ("withdrawn", [LEAF]),
        ("superseded", [LEAF, NEXT]),
        ("event_recorded", [LEAF]),
        ("binding_published", [keccak256(b"binding")]),
    ],
)
def test_event_is_found_by_what_it_is_about(name: str, words: list[bytes]) -> None:
    found = kind_of(SAMPLES[name]).mentions(SAMPLES[name])
    assert found == tuple(Mention(MentionRole.ABOUT, word) for word in words)


def test_declaration_is_found_by_its_key() -> None:
    mention = Mention(MentionRole.KEY, address_bytes(OTHER))
    assert kind_of(SAMPLES["key_declared"]).mentions(SAMPLES["key_declared"]) == (mention,)


def test_anchor_is_found_by_root_and_caller_together() -> None:
    anchored = SAMPLES["anchored"]
    (mention,) = kind_of(anchored).mentions(anchored)
    assert mention == anchor_mention(root_of(1), ACTOR)
    assert mention.role is MentionRole.ANCHOR
    others = {anchor_mention(root_of(1), OTHER), anchor_mention(root_of(2), ACTOR)}
    assert mention not in others


def test_entry_is_named_for_what_it_came_to() -> None:
    named = {name: name_kind(body) for name, body in SAMPLES.items()}
    assert named.pop("event_recorded") == "screened"
    assert named.pop("key_declared") == "key_lost"
    assert all(name == kind for name, kind in named.items())
    assert name_kind(KeyDeclared(OTHER, ACTOR, ACTOR, 1)) == "key_replaced"
    own_word = EventRecorded(Subject(LEAF), ACTOR, keccak256(b"x"), NO_DOCUMENT, by_holder=False)
    assert name_kind(own_word) == f"0x{keccak256(b'x').hex()}"
