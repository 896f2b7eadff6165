"""A home of the first contract's days: opened today it says, and does, what it did then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from homes import Home, opened

from titledeed.bootstrap.homes import rebuild_index, restore
from titledeed.canonical.evidence.records import digest_record
from titledeed.canonical.leaves import commit_record
from titledeed.chain.log_head import read_log_head
from titledeed.chain.pin import read_pin
from titledeed.chain.relays import hash_act
from titledeed.chain.state_proofs import read_head_proof
from titledeed.errors import ConflictError
from titledeed.models.bundle import Bundle
from titledeed.models.claim import Claim, SignedClaim, SigningDomain
from titledeed.models.ledger import ContractName, Issued, IssueDeed, RelayedAct, WorkEvent
from titledeed.models.primitives import Address, Keccak256, RegistrationId, Signature
from titledeed.models.registration import Registration
from titledeed.proofs.bundles import read_bundle_file
from titledeed.proofs.contracts import core_domain
from titledeed.proofs.state_proofs import check_head_proof, check_state_proof
from titledeed.proofs.versions import list_versions
from titledeed.services.acts import ActService
from titledeed.services.evidence import check_bundle
from titledeed.services.visibility import VisibleRegistrations
from titledeed.settings import Settings
from titledeed_api.documents import entries_document, verification_document

pytestmark = pytest.mark.chain

FIXTURES: Final = Path(__file__).parents[1] / "conformance" / "version_1"
TOLD: Final[dict[str, Any]] = json.loads((FIXTURES / "told.json").read_text(encoding="utf-8"))
VERSION: Final = list_versions(ContractName.TITLE_DEED)[0]
EVENTS: Final = 6
"""What the contract had logged when the home was backed up."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The home as it was; no test writes to its chain."""
    with _restored(tmp_path_factory.mktemp("kept") / "home") as home:
        yield home


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Home]:
    """The same, for one test alone."""
    with _restored(tmp_path / "home") as home:
        yield home


def _restored(folder: Path) -> AbstractContextManager[Home]:
    return opened(_restore(folder))


def _restore(folder: Path) -> Settings:
    restore(FIXTURES / "home.tar.gz", folder)
    (folder / "passphrase").write_text(TOLD["passphrase"], encoding="utf-8")
    return Settings(home=folder)


def _find(home: Home, name: str) -> Registration:
    return home.registry.registration.get(RegistrationId(TOLD[name]), home.owner)


def _bundle(home: Home, registration: Registration) -> Bundle:
    return home.adapters.vault.bundles.read(registration.registration_id)


def test_the_home_still_pins_the_first_version(kept: Home) -> None:
    pin = read_pin(kept.registry.layout.chain)
    assert (pin.code_hash, pin.identity.contract) == (VERSION.code_hash, VERSION.usual_address)
    assert kept.registry.chain_identity == pin.identity


@pytest.mark.parametrize("registration_id", TOLD["histories"])
def test_the_history_says_the_same(kept: Home, registration_id: str) -> None:
    kept.registry.history.follow()
    registration = kept.registry.registration.get(RegistrationId(registration_id), kept.owner)
    entries = kept.registry.history.list_entries(registration, kept.owner, others_max=None)
    told = TOLD["histories"][registration_id]
    assert registration.title == told["title"]
    assert entries_document(entries) == told["entries"]


def test_verification_says_the_same(kept: Home) -> None:
    signed = kept.registry.layout.root / "signed" / TOLD["harbour"] / "harbour.png"
    assert verification_document(kept.verify(signed)) == TOLD["verify"]


def test_the_exported_bundle_still_holds_with_its_state_proof() -> None:
    bundle = read_bundle_file((FIXTURES / "harbour.titledeed.json").read_bytes())
    report = check_bundle(bundle)
    assert report.holds
    assert report.proven_block is not None
    assert "not the usual one" not in report.by_hand


def test_a_home_of_today_takes_its_snapshot(home: Home) -> None:
    """Whose chain has the second version."""
    assert home.registry.chain_identity.contract != VERSION.usual_address
    coverage, added, _ = home.registry.snapshots.import_(FIXTURES / "published.titledeed-snapshot")
    assert added == coverage.registrations == 3
    for name in ("harbour", "meadow", "nightfall"):
        bundle = _bundle(home, _find(home, name))
        assert bundle.own.chain.contract == VERSION.usual_address
        assert check_bundle(bundle).proven_block is not None


def test_anchors_and_head_are_proven_of_its_chain(kept: Home) -> None:
    harbour, ledger = _find(kept, "harbour"), kept.adapters.ledger
    anchor, contract = harbour.anchor, kept.registry.chain_identity.contract
    assert anchor is not None
    proof = ledger.prove_anchor(anchor.root, anchor.caller)
    assert proof is not None
    assert check_state_proof(proof, contract=contract, anchor=anchor) == ledger.find_head()
    of_head = read_head_proof(kept.adapters.node, contract=contract)
    assert of_head is not None
    head = check_head_proof(of_head, contract=contract)
    assert (head.version, head.sequence) == (VERSION, EVENTS)
    told = read_log_head(kept.adapters.node, contract, head.block)
    assert (head.sequence, head.running_hash) == told


def test_its_database_is_rebuilt_from_what_is_kept(tmp_path: Path) -> None:
    settings = _restore(tmp_path / "home")
    rebuilt = rebuild_index(settings)
    assert (rebuilt.registrations, rebuilt.events, list(rebuilt.findings)) == (4, EVENTS, [])
    with opened(settings) as home:
        for name in ("harbour", "meadow", "nightfall"):
            assert check_bundle(_bundle(home, _find(home, name))).holds
        assert _find(home, "dusk").anchor is None


def test_what_was_pending_is_anchored_and_its_bundle_holds(own: Home) -> None:
    assert _find(own, "dusk").anchor is None
    own.registry.anchoring.anchor_waiting()
    dusk = _find(own, "dusk")
    assert dusk.anchor is not None
    assert dusk.anchor.sequence == EVENTS + 1
    bundle = _bundle(own, dusk)
    assert bundle.own.chain.contract == VERSION.usual_address
    assert bundle.own.state_proof is not None
    assert check_bundle(bundle).holds


def test_acts_go_on(own: Home) -> None:
    acts, owner = own.registry.acts, own.owner
    own.registry.anchoring.anchor_waiting()
    dusk, harbour = _find(own, "dusk"), _find(own, "harbour")
    issued = acts.issue(
        dusk.registration_id, principal=owner, royalty=250, parents=[harbour.registration_id]
    )
    assert issued.is_new
    again = acts.issue(
        dusk.registration_id, principal=owner, royalty=250, parents=[harbour.registration_id]
    )
    assert (again.event, again.is_new) == (issued.event, False)
    acts.confirm_derivative(harbour.registration_id, dusk.registration_id, principal=owner)
    acts.record_event(dusk.registration_id, WorkEvent.PUBLISHED, principal=owner)
    acts.withdraw(dusk.registration_id, principal=owner)
    entries = own.registry.history.list_entries(_find(own, "dusk"), owner)
    assert [entry.kind for entry in entries if entry.counts] == ["issued", "published", "withdrawn"]
    assert "(confirmed)" in entries[0].detail


def test_other_terms_than_those_that_stand_are_told(kept: Home) -> None:
    harbour = _find(kept, "harbour")
    with pytest.raises(ConflictError, match=r"a royalty of 5 % and no parents, since 2026-11-29"):
        kept.registry.acts.issue(harbour.registration_id, principal=kept.owner, royalty=100)


@dataclass
class SlowKeys:
    """The claimant's keys; before the first signature somebody sends an older one."""

    home: Home
    older: RelayedAct | None

    def holds(self, account: Address) -> bool:
        return self.home.adapters.keys.holds(account)

    def sign_claim(self, claim: Claim, domain: SigningDomain) -> SignedClaim:
        return self.home.adapters.keys.sign_claim(claim, domain)

    def sign_digest(self, digest: Keccak256, account: Address) -> Signature:
        older, self.older = self.older, None
        if older is not None:
            sending = self.home.registry.sending
            sending.wait(sending.submit_act(older, label="issue", registration_id=None))
        return self.home.adapters.keys.sign_digest(digest, account)


def test_an_older_signature_that_won_is_told_where_the_contract_is_silent(own: Home) -> None:
    """The first version takes a second issue from the same anchor, and does nothing."""
    nightfall = _find(own, "nightfall")
    keys = SlowKeys(own, older=_sign_issue(own, nightfall, royalty=1_000))
    acts = ActService(
        keys=keys,
        sending=own.registry.sending,
        history=own.registry.history,
        visible=VisibleRegistrations(own.adapters.registrations),
        vault=own.adapters.vault,
        ledger=own.adapters.ledger,
        identity=own.registry.chain_identity,
        clock=lambda: 0,
    )
    with pytest.raises(ConflictError, match="a royalty of 10 % and no parents, since "):
        acts.issue(nightfall.registration_id, principal=own.owner, royalty=500)
    own.registry.history.follow()
    (entry,) = (
        entry
        for entry in own.registry.history.list_entries(nightfall, own.owner)
        if entry.kind == "issued"
    )
    issued = own.registry.history.read_event(entry.sequence).body
    assert isinstance(issued, Issued)
    assert issued.royalty == 1_000


def _sign_issue(home: Home, registration: Registration, *, royalty: int) -> RelayedAct:
    dossier = home.adapters.vault.dossiers.read(registration.registration_id)
    anchor, index = registration.anchor, registration.leaf_index
    assert anchor is not None
    assert index is not None
    proof = home.adapters.vault.batches.read_paths(anchor.root).prove(index)
    act = IssueDeed(
        content_digest=registration.content_digest,
        content_salt=dossier.salts.content,
        record_part=commit_record(digest_record(dossier.record), dossier.salts.record),
        leaf=registration.leaf,
        root=anchor.root,
        anchored_by=anchor.caller,
        index=proof.index,
        size=proof.size,
        path=proof.path,
        royalty=royalty,
        parents=(),
    )
    call = RelayedAct(act, home.claimant, 2**40, Signature(b""))
    digest = hash_act(
        act,
        actor=call.actor,
        deadline=call.deadline,
        domain=core_domain(home.registry.chain_identity),
    )
    return replace(call, signature=home.adapters.keys.sign_digest(digest, home.claimant))
