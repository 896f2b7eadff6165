"""Which entries on chain count: who made them, when, and about what."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

import pytest
from builders import EPOCH, build_address
from hypothesis import given
from hypothesis import strategies as st
from repository_adapters import block_at, event_in

from titledeed.canonical.hashing import keccak256, sha256
from titledeed.canonical.identifiers import ZERO_ADDRESS, deed_word
from titledeed.models.evidence import ClaimEntry
from titledeed.models.ledger import (
    Anchored,
    BindingPublished,
    EventBody,
    EventRecorded,
    Issued,
    KeyDeclared,
    LedgerEvent,
    Superseded,
    Withdrawn,
    WorkEvent,
)
from titledeed.models.primitives import (
    Address,
    DeedId,
    Keccak256,
    LeafHash,
    MerkleRoot,
    Sha256,
    Subject,
)
from titledeed.proofs.entries import (
    NO_DOCUMENT,
    ClaimOnChain,
    kind_word,
)
from titledeed.proofs.judging import judge_entries

CLAIMANT: Final = build_address(1)
RECOVERY: Final = build_address(2)
BUYER: Final = build_address(3)
STRANGER: Final = build_address(4)
NEW_KEY: Final = build_address(5)
SENDER: Final = build_address(6)

LEAF: Final = LeafHash(keccak256(b"leaf"))
DEED: Final = DeedId(7)
PARENT: Final = DeedId(5)
CLAIM: Final = ClaimOnChain(LEAF, DEED, CLAIMANT, RECOVERY)
ON_LEAF, ON_DEED = CLAIM.subjects
ELSEWHERE: Final = Subject(keccak256(b"another leaf"))
CONTRACT_DIGEST: Final = sha256(b"a contract")


def issued(
    *,
    leaf: LeafHash = LEAF,
    deed: DeedId = DEED,
    parents: tuple[DeedId, ...] = (),
    royalty: int = 0,
    claimant: Address = CLAIMANT,
) -> Issued:
    return Issued(
        deed=deed,
        leaf=leaf,
        claimant=claimant,
        content_digest=sha256(b"content"),
        root=MerkleRoot(keccak256(b"root")),
        anchored_by=SENDER,
        royalty=royalty,
        parents=parents,
    )


def withdrawn(actor: Address = CLAIMANT, subject: Subject = ON_LEAF) -> Withdrawn:
    return Withdrawn(subject, actor, by_holder=False)


def withdrawn_by_holder(actor: Address) -> Withdrawn:
    return Withdrawn(ON_DEED, actor, by_holder=True)


def recorded(
    actor: Address = CLAIMANT,
    *,
    subject: Subject = ON_LEAF,
    kind: WorkEvent | str = WorkEvent.SCREENED,
    digest: Sha256 = NO_DOCUMENT,
    by_holder: bool = False,
) -> EventRecorded:
    return EventRecorded(subject, actor, kind_word(kind), digest, by_holder)


def confirmed(
    actor: Address, *, parent: DeedId = PARENT, child: DeedId = DEED, by_holder: bool = True
) -> EventRecorded:
    return recorded(
        actor,
        subject=deed_word(parent),
        kind=WorkEvent.DERIVATIVE_CONFIRMED,
        digest=Sha256(deed_word(child)),
        by_holder=by_holder,
    )


def lost(actor: Address = CLAIMANT, *, key: Address = CLAIMANT, since: int = EPOCH) -> KeyDeclared:
    return KeyDeclared(key, actor, ZERO_ADDRESS, since)


def replaced(
    actor: Address = CLAIMANT, *, key: Address = CLAIMANT, successor: Address = NEW_KEY
) -> KeyDeclared:
    return KeyDeclared(key, actor, successor, EPOCH)


def logged(*bodies: EventBody) -> list[LedgerEvent]:
    """Events one after the other, the first with sequence 1."""
    return [
        event_in(block_at(100 + sequence, timestamp=EPOCH + sequence), sequence, body)
        for sequence, body in enumerate(bodies, 1)
    ]


def judge(*bodies: EventBody, claim: ClaimOnChain = CLAIM) -> tuple[ClaimEntry, ...]:
    return judge_entries(claim, logged(*bodies))


def counting(entries: Sequence[ClaimEntry]) -> list[tuple[str, int]]:
    return [(entry.kind, entry.sequence) for entry in entries if entry.counts]


def only(entries: Sequence[ClaimEntry]) -> ClaimEntry:
    (entry,) = entries
    return entry


class TestBeforeTheDeed:
    def test_the_claimant_withdraws_the_leaf(self) -> None:
        entry = only(judge(withdrawn()))
        assert (entry.kind, entry.at, entry.sequence, entry.actor, entry.counts) == (
            "withdrawn",
            EPOCH + 1,
            1,
            CLAIMANT,
            True,
        )
        assert entry.detail == "Withdrawn by the claimant; this cannot be undone."

    def test_a_stranger_withdraws_nothing(self) -> None:
        entry = only(judge(withdrawn(STRANGER)))
        assert not entry.counts
        assert "somebody else than the claimant made it" in entry.detail

    def test_who_repeats_a_withdrawal_first_under_their_own_name_changes_nothing(self) -> None:
        # A watcher sends what the claimant is about to send, and is mined first.
        assert counting(judge(withdrawn(STRANGER), withdrawn())) == [("withdrawn", 2)]

    def test_the_sender_that_pays_says_nothing(self) -> None:
        assert counting(judge(withdrawn(SENDER), recorded(SENDER))) == []

    def test_nothing_about_the_deed_counts_before_it_is_issued(self) -> None:
        early = recorded(CLAIMANT, subject=ON_DEED)
        entries = judge(early, issued())
        assert counting(entries) == [("issued", 2)]
        assert "the deed was not issued then" in entries[0].detail

    def test_even_a_contract_that_says_holder_too_early_is_not_believed(self) -> None:
        early = recorded(BUYER, subject=ON_DEED, by_holder=True)
        assert counting(judge(early, issued())) == [("issued", 2)]

    def test_the_successor_is_named(self) -> None:
        entry = only(judge(Superseded(ON_LEAF, CLAIMANT, ELSEWHERE, by_holder=False)))
        assert entry.counts
        assert entry.kind == "superseded"
        assert ELSEWHERE.hex() in entry.detail

    def test_whoever_names_this_claim_as_successor_says_nothing_about_it(self) -> None:
        for actor in (CLAIMANT, STRANGER):
            assert judge(Superseded(ELSEWHERE, actor, ON_LEAF, by_holder=False)) == ()


class TestAfterTheDeed:
    def test_the_holder_speaks_about_the_deed(self) -> None:
        sold = recorded(BUYER, subject=ON_DEED, by_holder=True)
        entries = judge(issued(), sold, withdrawn_by_holder(BUYER))
        assert counting(entries) == [("issued", 1), ("screened", 2), ("withdrawn", 3)]
        assert "the holder of the deed" in entries[2].detail

    def test_the_claimant_speaks_about_the_leaf_no_more(self) -> None:
        entries = judge(issued(), withdrawn(), recorded())
        assert counting(entries) == [("issued", 1)]
        assert "only the holder of the deed" in entries[1].detail

    def test_who_does_not_hold_the_deed_says_nothing_about_it(self) -> None:
        entries = judge(issued(), recorded(CLAIMANT, subject=ON_DEED))
        assert counting(entries) == [("issued", 1)]
        assert "did not hold the deed" in entries[1].detail

    def test_what_was_said_before_stands(self) -> None:
        entries = judge(recorded(), issued(), withdrawn_by_holder(BUYER))
        assert counting(entries) == [("screened", 1), ("issued", 2), ("withdrawn", 3)]

    def test_a_withdrawn_claim_stays_withdrawn(self) -> None:
        entries = judge(withdrawn(), issued())
        assert counting(entries) == [("withdrawn", 1), ("issued", 2)]
        assert "although the claim had been withdrawn, which it stays" in entries[1].detail

    def test_a_deed_of_another_claim_is_not_its_own(self) -> None:
        assert judge(issued(deed=DeedId(8))) == ()

    def test_another_claimant_cannot_issue_this_deed(self) -> None:
        assert not only(judge(issued(claimant=STRANGER))).counts

    def test_the_deed_may_come_from_another_leaf_of_the_same_claimant(self) -> None:
        other = LeafHash(keccak256(b"registered elsewhere"))
        entries = judge(issued(leaf=other), withdrawn())
        assert counting(entries) == [("issued", 1)]
        assert "from another leaf" in entries[0].detail

    def test_the_royalty_is_shown_in_percent(self) -> None:
        assert "with a royalty of 7.5 %" in only(judge(issued(royalty=750))).detail


class TestKeys:
    @pytest.mark.parametrize("actor", [CLAIMANT, RECOVERY])
    @pytest.mark.parametrize("kind", ["key_lost", "key_replaced"])
    def test_the_key_or_its_recovery_key_ends_its_say(self, actor: Address, kind: str) -> None:
        declaration = lost(actor) if kind == "key_lost" else replaced(actor)
        entries = judge(recorded(), declaration, withdrawn())
        assert counting(entries) == [("screened", 1), (kind, 2)]
        assert "declared lost or replaced" in entries[2].detail

    def test_a_stranger_declares_nothing(self) -> None:
        entries = judge(lost(STRANGER), withdrawn())
        assert counting(entries) == [("withdrawn", 2)]
        assert "neither the key itself nor the recovery key" in entries[0].detail

    def test_without_a_recovery_key_the_key_alone_declares(self) -> None:
        claim = ClaimOnChain(LEAF, DEED, CLAIMANT, ZERO_ADDRESS)
        entries = judge(lost(RECOVERY), lost(ZERO_ADDRESS), withdrawn(), claim=claim)
        assert counting(entries) == [("withdrawn", 3)]

    def test_a_recovery_key_declares_no_other_key(self) -> None:
        bought = recorded(BUYER, subject=ON_DEED, by_holder=True)
        entries = judge(issued(), lost(RECOVERY, key=BUYER), bought)
        assert counting(entries) == [("issued", 1), ("screened", 3)]

    def test_the_recovery_key_overrules_a_thief_with_the_key(self) -> None:
        theft, rescue = replaced(successor=STRANGER), lost(RECOVERY)
        assert counting(judge(theft, rescue)) == [("key_replaced", 1), ("key_lost", 2)]
        assert counting(judge(rescue, theft)) == [("key_lost", 1)]

    def test_a_lost_recovery_key_declares_nothing(self) -> None:
        entries = judge(lost(RECOVERY, key=RECOVERY), lost(RECOVERY), withdrawn())
        assert counting(entries) == [("withdrawn", 3)]

    def test_a_thief_cannot_issue_the_deed(self) -> None:
        stolen = recorded(STRANGER, subject=ON_DEED, by_holder=True)
        entries = judge(lost(RECOVERY), issued(), stolen)
        assert counting(entries) == [("key_lost", 1)]

    def test_a_successor_does_not_inherit_what_the_key_claimed(self) -> None:
        assert counting(judge(replaced(), withdrawn(NEW_KEY))) == [("key_replaced", 1)]

    def test_a_holder_that_declared_its_key_lost_says_nothing(self) -> None:
        bought = recorded(BUYER, subject=ON_DEED, by_holder=True)
        entries = judge(issued(), lost(BUYER, key=BUYER), bought)
        assert counting(entries) == [("issued", 1)]
        assert len(entries) == 2  # a declaration about another key is not about this claim

    def test_the_declaration_says_what_it_changes(self) -> None:
        assert only(judge(replaced(RECOVERY))).detail == (
            f"The claimant's key is replaced by {NEW_KEY} since 2026-09-21 14:13:20 UTC, as the "
            "recovery key says; what it did before this entry stands."
        )

    def test_a_time_that_no_calendar_knows_is_shown_as_it_is(self) -> None:
        assert f"since second {2**64 - 1}" in only(judge(lost(since=2**64 - 1))).detail


class TestEvents:
    def test_words_of_our_own_are_named(self) -> None:
        kinds = [entry.kind for entry in judge(*(recorded(kind=kind) for kind in WorkEvent))]
        assert kinds == [kind.value for kind in WorkEvent]

    def test_other_words_are_shown_as_their_hash(self) -> None:
        entry = only(judge(recorded(kind="sold at auction")))
        assert entry.counts
        assert entry.kind == f"0x{keccak256(b'sold at auction').hex()}"

    def test_a_document_is_named_by_its_digest(self) -> None:
        with_document = only(judge(recorded(digest=CONTRACT_DIGEST)))
        assert CONTRACT_DIGEST.hex() in with_document.detail
        assert "without a document" in only(judge(recorded())).detail

    def test_what_is_relayed_again_counts_once(self) -> None:
        entries = judge(recorded(), recorded(), recorded(digest=CONTRACT_DIGEST))
        assert counting(entries) == [("screened", 1), ("screened", 3)]
        assert "it repeats an earlier entry" in entries[1].detail

    def test_what_is_about_no_claim_is_passed_over(self) -> None:
        anchored = Anchored(MerkleRoot(keccak256(b"root")), SENDER, 1)
        binding = BindingPublished(Keccak256(ON_LEAF), CLAIMANT, "https://a.example", "urn:c2pa:1")
        assert judge(anchored, binding, recorded(subject=ELSEWHERE)) == ()


class TestParents:
    CHILD: Final = issued(parents=(PARENT, DeedId(6)))

    @pytest.mark.parametrize("is_first", [True, False])
    def test_a_parent_is_claimed_until_its_holder_confirms(self, is_first: bool) -> None:
        bodies: list[EventBody] = [self.CHILD]
        bodies.insert(0 if is_first else 1, confirmed(BUYER))
        detail = only(judge(*bodies)).detail
        assert "00000005 (confirmed)" in detail
        assert "00000006 (claimed only)" in detail

    @pytest.mark.parametrize(
        "confirmation",
        [
            pytest.param(confirmed(STRANGER, by_holder=False), id="by who does not hold it"),
            pytest.param(confirmed(BUYER, child=DeedId(9)), id="of another child"),
            pytest.param(confirmed(BUYER, parent=DeedId(9)), id="by another parent"),
            pytest.param(
                recorded(
                    BUYER,
                    subject=deed_word(PARENT),
                    digest=Sha256(deed_word(DEED)),
                    by_holder=True,
                ),
                id="of another kind",
            ),
        ],
    )
    def test_nothing_else_confirms_a_parent(self, confirmation: EventRecorded) -> None:
        assert "00000005 (claimed only)" in only(judge(self.CHILD, confirmation)).detail

    def test_a_lost_key_confirms_nothing(self) -> None:
        entries = judge(self.CHILD, lost(BUYER, key=BUYER), confirmed(BUYER))
        assert "00000005 (claimed only)" in only(entries).detail

    def test_the_parent_shows_what_it_confirmed(self) -> None:
        parent = ClaimOnChain(LEAF, PARENT, CLAIMANT, RECOVERY)
        entries = judge(issued(deed=PARENT), confirmed(CLAIMANT), claim=parent)
        assert counting(entries) == [("issued", 1), ("derivative-confirmed", 2)]
        assert "00000007 is confirmed as derived from this work" in entries[1].detail


ACTORS: Final = st.sampled_from([CLAIMANT, RECOVERY, BUYER, STRANGER, NEW_KEY])
OURS: Final = st.sampled_from([ON_LEAF, ON_DEED])
BODIES: Final = st.one_of(
    st.builds(Withdrawn, OURS, ACTORS, st.booleans()),
    st.builds(Superseded, OURS, ACTORS, st.just(ELSEWHERE), st.booleans()),
    st.builds(
        EventRecorded,
        OURS,
        ACTORS,
        st.sampled_from([kind_word(kind) for kind in WorkEvent]),
        st.just(NO_DOCUMENT),
        st.booleans(),
    ),
    st.builds(
        KeyDeclared, ACTORS, ACTORS, st.sampled_from([ZERO_ADDRESS, NEW_KEY]), st.just(EPOCH)
    ),
    st.just(issued()),
)
HISTORIES: Final = st.lists(BODIES, max_size=12)


class TestLaws:
    @given(HISTORIES, st.randoms(use_true_random=False))
    def test_only_the_chain_orders_entries(self, bodies: list[EventBody], dice: Random) -> None:
        events = logged(*bodies)
        shuffled = dice.sample(events, len(events))
        assert judge_entries(CLAIM, shuffled) == judge_entries(CLAIM, events)

    @given(HISTORIES)
    def test_what_comes_later_changes_nothing_that_counted(self, bodies: list[EventBody]) -> None:
        whole = counting(judge(*bodies))
        for length in range(len(bodies)):
            counted = counting(judge(*bodies[:length]))
            assert counted == whole[: len(counted)]

    @given(HISTORIES)
    def test_entries_of_strangers_never_count(self, bodies: list[EventBody]) -> None:
        for entry, body in zip(judge(*bodies), _about(bodies), strict=True):
            if entry.actor in {STRANGER, NEW_KEY, BUYER} and entry.counts:
                assert getattr(body, "by_holder", False)  # the contract saw the deed in its hands

    @given(HISTORIES)
    def test_strangers_change_nothing_about_other_entries(self, bodies: list[EventBody]) -> None:
        events = logged(*bodies)
        without = [
            event
            for event in events
            if isinstance(event.body, Issued) or getattr(event.body, "actor", None) != STRANGER
        ]
        assert [e for e in judge_entries(CLAIM, events) if e.actor != STRANGER] == list(
            judge_entries(CLAIM, without)
        )

    @given(HISTORIES)
    def test_nothing_counts_twice(self, bodies: list[EventBody]) -> None:
        counted = [
            body for entry, body in zip(judge(*bodies), _about(bodies), strict=True) if entry.counts
        ]
        assert len(counted) == len(set(counted))

    @given(HISTORIES)
    def test_after_a_declaration_the_key_says_nothing(self, bodies: list[EventBody]) -> None:
        entries = judge(*bodies)
        declared = [e.sequence for e in entries if e.counts and e.kind.startswith("key_")]
        for entry in entries:
            if declared and entry.sequence > declared[0] and entry.actor == CLAIMANT:
                assert not entry.counts


def _about(bodies: Sequence[EventBody]) -> list[EventBody]:
    """The bodies that are entries of the claim."""
    return [b for b in bodies if not isinstance(b, KeyDeclared) or b.key == CLAIMANT]
