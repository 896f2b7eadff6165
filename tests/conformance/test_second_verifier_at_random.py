"""Both verifiers say the same of bundles that were changed at random."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any, Final

import pytest
from json_places import at
from second_verifier import FIRST_VERSIONS, Document, Place, encode, ours, require_agreement, theirs

NOT_LOOKED_AT: Final = frozenset(
    {
        "schema",
        "kind",
        "words",
        "base",
        "keys",
        "offset",
        "genesis_hash",
        "transaction",
        "raw_transaction",
        "timestamp_token",
    }
    | {"state_proof", "version", "media_type", "fingerprints", "manifest_store", "logs", "anchors"}
)
"""Closed fields whose form the second verifier does not need, or that it takes as left out."""


def place_of(document: Document, generator: random.Random) -> Place:
    """A value somewhere."""
    path: list[str | int] = []
    value: Any = document
    while isinstance(value, (dict, list)) and value:
        keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = generator.choice(keys)
        path.append(key)
        value = value[key]
        if generator.random() < 0.1:
            break
    return tuple(path)


def mutate(document: Document, generator: random.Random) -> Document:
    """The document with something else in one place, of its form or of another."""
    path = place_of(document, generator)
    forged = copy.deepcopy(document)
    parent: Any = at(forged, path[:-1])
    name: Any = path[-1]
    value = parent[name]
    choice = generator.randrange(6)
    if choice == 0:
        del parent[name]
    elif choice == 1:
        parent[name] = generator.choice([0, -1, 2**53 - 1, 2**53, "", "0x", [], {}, None, "a"])
    elif choice == 2 and isinstance(parent, list):
        parent.insert(0, copy.deepcopy(generator.choice(parent)))
    elif choice == 3 and isinstance(parent, list):
        generator.shuffle(parent)
    elif isinstance(value, int):
        parent[name] = value + generator.choice([-1, 1, 2**32])
    elif isinstance(value, str) and value:
        spot = generator.randrange(len(value))
        other = generator.choice(["", "0", "1", "f", "F", " ", "é", value[spot].swapcase()])
        parent[name] = value[:spot] + other + value[spot + 1 :]
    return forged


def differences(before: Any, after: Any) -> Iterator[str]:
    """The names under which two documents differ, at any depth."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before.keys() | after.keys():
            if (name in before) != (name in after) or before[name] != after[name]:
                yield name
                yield from differences(before.get(name), after.get(name))
    elif isinstance(before, list) and isinstance(after, list):
        for pair in zip(before, after, strict=False):
            yield from differences(*pair)


def require_agreement_but_for_form(before: Document, data: bytes) -> None:
    """Both agree, or ours alone refuses something whose form the other does not need."""
    if ours(data) is None and (other := theirs(data)) is not None and other.holds:
        assert NOT_LOOKED_AT & set(differences(before, json.loads(data)))
    else:
        require_agreement(data)


@pytest.mark.chain
@pytest.mark.parametrize("seed", range(8))
def test_both_verifiers_agree_on_bundles_that_were_changed_at_random(
    intact: list[Document], seed: int
) -> None:
    generator = random.Random(seed)
    documents = [document for document in intact if "logs" in document]
    documents += FIRST_VERSIONS.values()
    for _ in range(60):
        sound = generator.choice(documents)
        require_agreement_but_for_form(sound, encode(mutate(sound, generator)))


@pytest.mark.chain
@pytest.mark.parametrize("seed", range(4))
def test_both_verifiers_agree_on_bundles_of_which_a_byte_was_changed(
    intact: list[Document], seed: int
) -> None:
    generator = random.Random(seed)
    documents = [*intact[4:], *FIRST_VERSIONS.values()]
    for _ in range(60):
        sound = generator.choice(documents)
        data = bytearray(encode(sound))
        data[generator.randrange(len(data))] = generator.choice(b' "0aF}{,:\\\x00\xff')
        require_agreement_but_for_form(sound, bytes(data))
