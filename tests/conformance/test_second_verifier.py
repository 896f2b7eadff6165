"""Two verifiers that share no code agree on forty bundles of real development chains.

Both cover the way from documents and record to a block's header, logs, and words of storage; there
they must say the same of each bundle, whether it is sound or corrupted in one place.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from json_places import at, put
from second_verifier import (
    LOG,
    OWN,
    RECORD,
    SECOND,
    Document,
    Place,
    corrupt,
    encode,
    is_full,
    ours,
    require_agreement,
    run_script,
)
from second_verifier_bundles import PLACES

from titledeed.proofs.bundles import read_bundle_file
from titledeed.services.evidence import check_bundle

CORRUPTIONS: Final[tuple[Place, ...]] = (
    (*RECORD, "claim", "statement"),
    (*RECORD, "claim", "claimant"),
    (*RECORD, "claim", "content_sha256"),
    (*RECORD, "claim", "lineage_sha256"),
    (*RECORD, "claim", "claimed_at"),
    (*RECORD, "claim", "chain_id"),
    (*RECORD, "credential", "manifest_sha256"),
    (*RECORD, "media", "duration_ms"),
    ("dossier", "registration_id"),
    ("dossier", "salts", "content"),
    ("dossier", "fingerprints", 1, "version"),
    ("dossier", "disclosure", "tools", 0, "model"),
    ("dossier", "rights", "titles", 0, "text"),
    (*OWN, "proof", "index"),
    (*OWN, "proof", "path", -1),
    (*OWN, "anchor", "size"),
    (*OWN, "anchor", "sequence"),
    (*OWN, "chain", "contract"),
    (*OWN, "state_proof", "header"),
    (*OWN, "state_proof", "account_proof", 0),
    (*OWN, "state_proof", "storage_proof", -1),
    (*SECOND, "anchor", "root"),
    (*SECOND, "anchor", "sequence"),
    (*SECOND, "anchor", "block_timestamp"),
    (*LOG, "head"),
    (*LOG, "sequence"),
    (*LOG, "events", 1, "data"),
    (*LOG, "events", 1, "block_timestamp"),
    (*LOG, "state_proof", "storage_proof", 0),
)


def changed(document: Document) -> Iterator[tuple[str, Document]]:
    """What is no other value in one place; each must fail."""

    def with_events(events: list[Document]) -> Document:
        return put(document, (*LOG, "events"), events)

    events = at(document, (*LOG, "events"))
    closed = next(
        n for n, event in enumerate(at(document, ("logs", 1, "events"))) if "hash" in event
    )
    yield "hash of an event", corrupt(document, ("logs", 1, "events", closed, "hash"))
    yield "kind of an event", put(document, (*LOG, "events", -1, "kind"), "Superseded")
    yield "first event left out", with_events(events[1:])
    yield "last event left out", with_events(events[:-1])
    yield "event twice", with_events([*events, events[-1]])
    yield "order of events", with_events([events[1], events[0], *events[2:]])
    yield "version of the contract", put(document, (*LOG, "version"), 1)
    yield "proofs swapped", swap_proofs(document)
    yield (
        "proof of the log for the anchor",
        put(document, (*OWN, "state_proof"), at(document, (*LOG, "state_proof"))),
    )
    yield (
        "proof of the anchor for the log",
        put(document, (*LOG, "state_proof"), at(document, (*OWN, "state_proof"))),
    )
    yield "another's leaf", put(document, (*RECORD, "unknown"), {"of": ["a", 1, True, None]})
    for name in ("disclosure", "rights", "lineage"):
        yield f"unknown in {name}", put(document, ("dossier", name, "unknown"), "kept")
    yield (
        "lineage",
        put(
            document,
            ("dossier", "lineage", "sources"),
            [{"relation": "inputTo", "work": {"content_sha256": "0" * 64}}],
        ),
    )
    yield "the same anchor twice", put(document, ("anchors",), document["anchors"][:1] * 2)
    yield "anchors in another order", put(document, ("anchors",), document["anchors"][::-1])


def swap_proofs(document: Document) -> Document:
    proof = at(document, (*OWN, "state_proof"))
    swapped = {
        "header": proof["header"],
        "account_proof": proof["storage_proof"],
        "storage_proof": proof["account_proof"],
    }
    return put(document, (*OWN, "state_proof"), swapped)


def test_forty_bundles_are_ten_intact_and_thirty_corrupted() -> None:
    assert (len(PLACES), len(CORRUPTIONS) + 1) == (10, 30)
    assert len(set(CORRUPTIONS)) == len(CORRUPTIONS)


@pytest.mark.chain
def test_both_verifiers_hold_what_is_intact(
    intact: list[Document], tmp_path: Path, subtests: pytest.Subtests
) -> None:
    assert sum("logs" in document for document in intact) == 8
    assert sum(len(document["anchors"]) == 2 for document in intact) == 7
    for document in intact:
        with subtests.test(size=document["anchors"][0]["proof"]["size"]):
            assert check_bundle(read_bundle_file(encode(document))).holds
            answer = require_agreement(encode(document))
            assert answer is not None and set(answer.results.values()) == {"holds"}
            parts = ("anchors", "logs", "words")
            assert len(answer.to_compare) == sum(len(document.get(name, [])) for name in parts)
            assert run_script(document, tmp_path) == (answer, 0)


@pytest.mark.chain
def test_both_verifiers_say_the_same_of_what_is_corrupted(
    intact: list[Document], tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """Either a check fails or, for what no chain was asked about, another block is to compare."""
    full = [document for document in intact if is_full(document)]
    caught = 0
    for number, path in enumerate(CORRUPTIONS):
        sound = full[number % len(full)]
        forged = corrupt(sound, path)
        with subtests.test(str(path)):
            answer = require_agreement(encode(forged))
            _, code = run_script(forged, tmp_path)
            if answer is not None and answer.holds:
                before = ours(encode(sound))
                assert code == 0
                assert before is not None and answer.to_compare != before.to_compare
            else:
                caught += 1
                assert code in {1, 12}
    assert caught >= len(CORRUPTIONS) - 1


@pytest.mark.chain
def test_both_verifiers_refuse_what_was_moved_left_out_or_added(
    intact: list[Document], subtests: pytest.Subtests
) -> None:
    for document in (document for document in intact if is_full(document)):
        for name, forged in changed(document):
            with subtests.test(name):
                answer = require_agreement(encode(forged))
                assert answer is not None and not answer.holds


@pytest.mark.chain
def test_a_bundle_without_proofs_holds_as_far_as_it_goes(intact: list[Document]) -> None:
    bare = copy.deepcopy(next(document for document in intact if is_full(document)))
    del bare["words"]
    for one in (*bare["anchors"], *bare["logs"]):
        del one["state_proof"]
    answer = require_agreement(encode(bare))
    assert answer is not None and answer.holds
    assert {answer.results["state"], answer.results["state[1]"]} == {"not given"}
    assert answer.to_compare[0][1] == at(bare, (*OWN, "anchor", "block_hash"))


@pytest.mark.chain
def test_the_log_of_an_unknown_contract_holds_as_far_as_it_goes(intact: list[Document]) -> None:
    full = next(document for document in intact if is_full(document))
    strange = put(full, (*LOG, "contract"), "Sales")
    answer = require_agreement(encode(strange))
    assert answer is not None and answer.holds
