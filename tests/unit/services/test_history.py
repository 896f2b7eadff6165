"""What is gathered about one claim from a real index: parents, keys, other chains, spam."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from builders import (
    EPOCH,
    OWNER,
    build_address,
    build_bundle,
    build_chain,
    build_claimant,
    build_dossier,
    build_registration,
)
from repository_adapters import event_in, open_sqlite
from simulation.ledger_simulator import silent_ledger
from vaults import open_vault

from titledeed.anchoring.following import FollowingService
from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import ZERO_ADDRESS, deed_word, derive_deed_id
from titledeed.models.evidence import ChainIdentity
from titledeed.models.ledger import (
    Block,
    Confirmations,
    EventBody,
    EventRecorded,
    Issued,
    KeyDeclared,
    Superseded,
    Withdrawn,
    WorkEvent,
)
from titledeed.models.primitives import (
    Address,
    BlockHash,
    DeedId,
    LeafHash,
    MerkleRoot,
    Sha256,
    Subject,
)
from titledeed.models.record import Dossier
from titledeed.models.registration import Registration, Visibility
from titledeed.proofs.entries import NO_DOCUMENT, kind_word
from titledeed.services.history import OTHERS_MAX, HistoryService
from titledeed.vault.dossiers import KeptDossier

CLAIMANT: Final = build_claimant(0).address
RECOVERY: Final = build_address(2)
HOLDER: Final = build_address(3)
PARENT: Final = DeedId(5)


class Index:
    """A real database and object store, into which a test writes what a chain said."""

    def __init__(self, folder: Path) -> None:
        self.repositories = open_sqlite(folder)
        self.vault = open_vault(folder)
        self.objects = self.vault.objects

    def history(self, identity: ChainIdentity) -> HistoryService:
        chain, confirmations = self.repositories.followed, Confirmations(0, 0)
        return HistoryService(
            following=FollowingService(
                ledger=silent_ledger(), chain=chain, confirmations=confirmations
            ),
            chain=chain,
            vault=self.vault,
            identity=identity,
        )

    def keep(self, dossier: Dossier) -> Registration:
        """An own registration with this dossier."""
        kept = KeptDossier(dossier, Visibility.PRIVATE, EPOCH, None)
        self.vault.dossiers.keep(kept)
        return build_registration(dossier)

    def say(self, *bodies: EventBody) -> None:
        """One block that holds these events, the first with sequence 1."""
        block = Block(9, BlockHash(keccak256(b"9")), BlockHash(keccak256(b"8")), EPOCH)
        events = [event_in(block, sequence, body) for sequence, body in enumerate(bodies, 1)]
        self.repositories.followed.advance(
            contracts=[build_chain().contract],
            fork=None,
            blocks=[block],
            events=events,
            confirmations=Confirmations(0, 0),
        )


def with_recovery_key(dossier: Dossier) -> Dossier:
    signed = dossier.record.signed_claim
    claim = replace(signed.claim, recovery_key=RECOVERY)
    return replace(
        dossier, record=replace(dossier.record, signed_claim=replace(signed, claim=claim))
    )


def issued(registration: Registration, *, parents: tuple[DeedId, ...] = ()) -> Issued:
    return Issued(
        deed=derive_deed_id(CLAIMANT, registration.content_digest),
        leaf=registration.leaf,
        claimant=CLAIMANT,
        content_digest=registration.content_digest,
        root=MerkleRoot(keccak256(b"root")),
        anchored_by=build_address(9),
        royalty=0,
        parents=parents,
    )


def withdrawn(leaf: LeafHash, actor: Address = CLAIMANT) -> Withdrawn:
    return Withdrawn(Subject(leaf), actor, by_holder=False)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = Index(tmp_path)
    yield index
    index.repositories.close()


@pytest.fixture
def history(index: Index) -> HistoryService:
    return index.history(build_chain())


@pytest.fixture
def own(index: Index) -> Registration:
    return index.keep(with_recovery_key(build_dossier(1)))


def test_before_the_chain_was_followed_nothing_is_known(
    history: HistoryService, own: Registration
) -> None:
    assert history.list_entries(own, OWNER) == ()
    assert history.cursor() is None


def test_entries_of_other_claims_are_left_out(
    index: Index, history: HistoryService, own: Registration
) -> None:
    other = build_registration(2)
    index.say(withdrawn(other.leaf), withdrawn(own.leaf))
    assert [entry.sequence for entry in history.list_entries(own, OWNER)] == [2]


def test_the_recovery_key_that_the_claim_names_is_heard(
    index: Index, history: HistoryService, own: Registration
) -> None:
    index.say(KeyDeclared(CLAIMANT, RECOVERY, ZERO_ADDRESS, EPOCH), withdrawn(own.leaf))
    entries = history.list_entries(own, OWNER)
    assert [(entry.kind, entry.counts) for entry in entries] == [
        ("key_lost", True),
        ("withdrawn", False),
    ]


def test_parents_are_looked_up_with_the_keys_of_their_holders(
    index: Index, history: HistoryService, own: Registration
) -> None:
    deed = derive_deed_id(CLAIMANT, own.content_digest)
    confirmation = EventRecorded(
        deed_word(PARENT),
        HOLDER,
        kind_word(WorkEvent.DERIVATIVE_CONFIRMED),
        Sha256(deed_word(deed)),
        by_holder=True,
    )
    lost = KeyDeclared(HOLDER, HOLDER, ZERO_ADDRESS, EPOCH)
    for bodies, state in (
        ((issued(own, parents=(PARENT,)), confirmation), "confirmed"),
        ((lost, issued(own, parents=(PARENT,)), confirmation), "claimed only"),
    ):
        index.say(*bodies)
        (entry,) = history.list_entries(own, OWNER)
        assert f"({state})" in entry.detail


def test_an_entry_that_stands_in_two_lists_is_shown_once(
    index: Index, history: HistoryService, own: Registration
) -> None:
    deed = derive_deed_id(CLAIMANT, own.content_digest)
    both = Superseded(deed_word(deed), HOLDER, deed_word(PARENT), by_holder=True)
    index.say(issued(own, parents=(PARENT,)), both)
    assert [entry.kind for entry in history.list_entries(own, OWNER)] == ["issued", "superseded"]


def test_spam_does_not_bury_what_counts(
    index: Index, history: HistoryService, own: Registration
) -> None:
    strangers = [withdrawn(own.leaf, build_address(seed)) for seed in range(100, 160)]
    index.say(*strangers, withdrawn(own.leaf))
    entries = history.list_entries(own, OWNER)
    assert len(entries) == OTHERS_MAX + 1
    assert entries[-1].counts
    assert len(history.list_entries(own, OWNER, others_max=None)) == len(strangers) + 1


@pytest.mark.parametrize(
    ("other", "is_heard"),
    [
        (lambda chain: chain, True),
        (lambda chain: replace(chain, genesis_hash=BlockHash(keccak256(b"another"))), False),
        (lambda chain: replace(chain, chain_id=chain.chain_id + 1), False),
    ],
    ids=["same", "another genesis", "another id"],
)
def test_an_imported_claim_is_judged_if_its_bundle_is_of_this_chain(
    index: Index, other: Callable[[ChainIdentity], ChainIdentity], is_heard: bool
) -> None:
    bundle = build_bundle(4)
    imported = build_registration(bundle.dossier, bundle=bundle, snapshot_id="abc")
    index.vault.bundles.keep(bundle)
    index.say(withdrawn(imported.leaf))
    history = index.history(other(bundle.own.chain))
    assert bool(history.list_entries(imported, OWNER)) is is_heard
    assert (history.find_claim(imported) is not None) is is_heard


def test_an_event_is_found_by_what_it_says(
    index: Index, history: HistoryService, own: Registration
) -> None:
    recorded = EventRecorded(
        Subject(own.leaf), CLAIMANT, kind_word(WorkEvent.SCREENED), NO_DOCUMENT, by_holder=False
    )
    declared = KeyDeclared(CLAIMANT, CLAIMANT, ZERO_ADDRESS, EPOCH)
    bodies: list[EventBody] = [withdrawn(own.leaf), recorded, issued(own), declared]
    index.say(*bodies, *bodies[:2])
    for sequence, body in enumerate(bodies, 1):
        found = history.find_event(body)
        assert found is not None
        assert (found.body, found.sequence) == (body, sequence)
        assert history.read_event(sequence) == found
    assert history.find_event(replace(recorded, actor=HOLDER)) is None
