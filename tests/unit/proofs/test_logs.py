"""Segments of a log: no event can be left out, put in, moved or told otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from builders import build_address
from canonical_samples import ANCHORED_AT, CHAIN, CONTRACT, sample_bundle
from state_proof_sample import build_slot_proof

from titledeed.canonical.hashing import keccak256
from titledeed.errors import ProofError
from titledeed.models.bundle import Bundle, LoggedEvent, LogSegment
from titledeed.models.ledger import ContractName, Withdrawn
from titledeed.models.primitives import Keccak256, Subject
from titledeed.proofs.bundles import CheckResult
from titledeed.proofs.events import encode_event
from titledeed.proofs.logs import check_log
from titledeed.proofs.state_proofs import head_slot
from titledeed.proofs.versions import list_versions
from titledeed.services.evidence import check_bundle

BUNDLE: Final = sample_bundle()
LOG: Final = BUNDLE.logs[0]
CLOSED, OPENED = LOG.events


def test_a_segment_tells_its_end_its_opened_events_and_the_proven_block() -> None:
    checked = check_log(LOG)
    assert (checked.sequence, len(checked.head)) == (5, 20)
    (event,) = checked.opened
    assert (event.sequence, event.kind) == (5, "Withdrawn")
    assert isinstance(event.body, Withdrawn)
    assert checked.block is not None
    assert checked.block.timestamp >= event.block_timestamp


def test_a_segment_without_a_proof_proves_its_order_alone() -> None:
    checked = check_log(replace(LOG, state_proof=None))
    assert checked.block is None
    assert checked.head == check_log(LOG).head


FORGERIES: Final[dict[str, Callable[[LogSegment], LogSegment]]] = {
    "an event left out": lambda log: replace(log, events=log.events[1:]),
    "the last left out": lambda log: replace(log, events=log.events[:1]),
    "in another order": lambda log: replace(
        log,
        events=(
            replace(OPENED, block_timestamp=CLOSED.block_timestamp),
            replace(CLOSED, block_timestamp=OPENED.block_timestamp),
        ),
    ),
    "one put in": lambda log: replace(log, events=(CLOSED, *log.events)),
    "another hash": lambda log: replace(
        log, events=(replace(CLOSED, hash=Keccak256(keccak256(b"x"))), OPENED)
    ),
    "another time": lambda log: replace(
        log, events=(replace(CLOSED, block_timestamp=ANCHORED_AT + 61), OPENED)
    ),
    "time that runs backwards": lambda log: replace(
        log, events=(CLOSED, replace(OPENED, block_timestamp=ANCHORED_AT))
    ),
    "another sequence": lambda log: replace(log, sequence=log.sequence + 1),
    "another head": lambda log: replace(log, head=bytes(20)),
    "another kind": lambda log: replace(log, events=(CLOSED, replace(OPENED, kind="Superseded"))),
    "another subject": lambda log: replace(
        log, events=(CLOSED, replace(OPENED, data=_with_word(OPENED, 1, bytes(32))))
    ),
    "an argument too many": lambda log: replace(
        log, events=(CLOSED, replace(OPENED, data=(OPENED.data or b"") + bytes(32)))
    ),
    "no whole word": lambda log: replace(
        log, events=(CLOSED, replace(OPENED, data=(OPENED.data or b"")[:40]))
    ),
    "another contract": lambda log: replace(
        log, chain=replace(log.chain, contract=build_address(7))
    ),
    "another version": lambda log: replace(log, version=1),
}


def _with_word(event: LoggedEvent, at: int, word: bytes) -> bytes:
    data = event.data or b""
    return data[: 32 * at] + word + data[32 * (at + 1) :]


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_segment_fails(name: str) -> None:
    forged = FORGERIES[name](LOG)
    with pytest.raises(ProofError):
        check_log(forged)
    report = check_bundle(replace(BUNDLE, logs=(forged,)))
    assert {c.name for c in report.checks if c.result is CheckResult.FAILS} >= {"log"}


@pytest.mark.parametrize(
    ("sequence", "elapsed_s"), [(6, 180), (4, 180), (5, 10)], ids=["later", "earlier", "old block"]
)
def test_a_proof_of_another_end_fails(sequence: int, elapsed_s: int) -> None:
    head = int.from_bytes(check_log(LOG).head, "big")
    entry = (ANCHORED_AT + min(elapsed_s, 120)) << 208 | sequence << 160 | head
    proof = build_slot_proof(
        BUNDLE.own.anchor,
        CONTRACT,
        head_slot(),
        entry,
        code_hash=list_versions(ContractName.TITLE_DEED)[-1].code_hash,
        elapsed_s=elapsed_s,
    )
    with pytest.raises(ProofError):
        check_log(replace(LOG, state_proof=proof))


def test_the_log_of_a_contract_that_is_not_known_is_shown_and_not_believed() -> None:
    foreign = replace(LOG, contract="Licensing", events=(CLOSED, replace(OPENED, kind="Licensed")))
    checked = check_log(foreign)
    assert checked.block is None
    assert [(event.kind, event.body) for event in checked.opened] == [("Licensed", None)]
    report = check_bundle(replace(BUNDLE, logs=(foreign,)))
    (found,) = [check for check in report.checks if check.name == "log"]
    assert found.result is CheckResult.NOT_CHECKED
    assert "does not know this version of the contract" in found.detail


def test_a_log_of_another_chain_than_the_anchors_fails() -> None:
    foreign = replace(LOG, chain=replace(CHAIN, chain_id=1), state_proof=None)
    report = check_bundle(replace(BUNDLE, logs=(foreign,)))
    assert {c.name for c in report.checks if c.result is CheckResult.FAILS} >= {"log"}


def test_what_is_left_to_compare_is_told_for_every_log() -> None:
    bare = replace(LOG, state_proof=None)
    by_hand = check_bundle(replace(BUNDLE, logs=(LOG, bare))).by_hand
    proven = check_log(LOG)
    assert proven.block is not None
    assert by_hand.count("For the log ") == 2
    assert proven.block.hash.hex() in by_hand
    assert f"running hash 0x{proven.head.hex()}" in by_hand


class TestSeveralAnchors:
    def test_each_is_checked_and_told(self) -> None:
        report = check_bundle(BUNDLE)
        names = [check.name for check in report.checks]
        assert {"inclusion", "state", "inclusion[1]", "state[1]"} <= set(names)
        for one in BUNDLE.anchors:
            assert f"chain {one.chain.chain_id} " in report.by_hand

    def test_the_first_is_that_of_the_claim(self) -> None:
        swapped = replace(BUNDLE, anchors=BUNDLE.anchors[::-1])
        assert "chain" in failing_names(swapped)

    def test_one_chain_dates_a_leaf_once(self) -> None:
        twice = replace(BUNDLE, anchors=(BUNDLE.own, BUNDLE.own))
        assert "chain" in failing_names(twice)

    def test_a_second_that_does_not_hold_spoils_the_bundle(self) -> None:
        own, other = BUNDLE.anchors
        late = replace(other.anchor, block_timestamp=other.anchor.block_timestamp - 1)
        forged = replace(BUNDLE, anchors=(own, replace(other, anchor=late)))
        assert failing_names(forged) == {"state[1]", "timestamp"}


def failing_names(bundle: Bundle) -> set[str]:
    """The time-stamp of the sample is none."""
    return {c.name for c in check_bundle(bundle).checks if c.result is CheckResult.FAILS}


def test_an_opened_event_says_whether_it_is_of_this_claim() -> None:
    """Whoever passes a bundle on can put a log into it that speaks of somebody else."""
    (own,) = [check for check in check_bundle(BUNDLE).checks if check.name == "log"]
    assert "Withdrawn (of this claim, event 5" in own.detail
    assert "is not judged here" in own.detail
    stranger = encode_event(Withdrawn(Subject(bytes(32)), build_address(5), by_holder=False))
    forged = replace(LOG, events=(CLOSED, replace(OPENED, data=stranger)), state_proof=None)
    (other,) = [
        check
        for check in check_bundle(replace(BUNDLE, logs=(forged,))).checks
        if check.name == "log"
    ]
    assert other.result is CheckResult.HOLDS
    assert "Withdrawn (of something else, event 5" in other.detail


def test_of_many_opened_events_some_are_named() -> None:
    many = replace(LOG, events=(OPENED,) * 50, state_proof=None)
    report = check_bundle(replace(BUNDLE, logs=(many,)))
    (found,) = [check for check in report.checks if check.name == "log"]
    assert found.detail.count("Withdrawn") == 20
    assert "30 more" in found.detail


@pytest.mark.parametrize("kind", ["log", "word"])
def test_evidence_of_another_contract_than_the_claims_is_told(kind: str) -> None:
    """Anybody can deploy the same code, and write into its storage when it is created."""
    address = build_address(7)
    chain = replace(CHAIN, contract=address)
    changed = (
        replace(BUNDLE, logs=(replace(LOG, chain=chain, state_proof=None),), words=())
        if kind == "log"
        else replace(BUNDLE, logs=(), words=(replace(BUNDLE.words[0], chain=chain, version=9),))
    )
    by_hand = check_bundle(changed).by_hand
    assert f"at {address}" in by_hand
    assert "That is not the contract of the claim." in by_hand
    assert f"The address {address} is not the usual one" in by_hand
    assert "not the contract of the claim" not in check_bundle(BUNDLE).by_hand


def test_a_word_is_told_with_its_place_and_without_a_meaning() -> None:
    (found,) = [check for check in check_bundle(BUNDLE).checks if check.name == "word"]
    assert found.result is CheckResult.HOLDS
    assert f"TitleDeed version 2 at {CONTRACT}" in found.detail
    assert "what it means this release does not say" in found.detail
    unknown = replace(BUNDLE.words[0], contract="TitleDeed ")
    report = check_bundle(replace(BUNDLE, words=(unknown,)))
    (found,) = [check for check in report.checks if check.name == "word"]
    assert found.result is CheckResult.NOT_CHECKED
    assert "“TitleDeed ”" in found.detail
