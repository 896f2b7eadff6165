"""A key that was declared lost says nothing later, and what it said before stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from builders import EPOCH, build_dossier, build_registration
from homes import Home, copied_home, signed_copy
from works import Works, find_claim, list_entries, relay_withdrawal

from titledeed.canonical.claims import identify_claim
from titledeed.errors import ConflictError, InvalidRequestError
from titledeed.models.claim import SigningDomain
from titledeed.models.primitives import Address
from titledeed.models.registration import Registration, Visibility
from titledeed.vault.dossiers import KeptDossier

pytestmark = pytest.mark.chain

NEW_KEY = Address("0x" + "11" * 20)


@pytest.fixture(scope="module")
def works(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Works:
    return Works(home, tmp_path_factory.mktemp("works"), seed=600)


@pytest.fixture
def copy(home: Home, tmp_path: Path) -> Iterator[Home]:
    """A home whose claimant's key may be declared lost."""
    with copied_home(home, tmp_path / "copy") as copy:
        yield copy


def register_naming(home: Home, recovery: Address) -> Registration:
    """An anchored registration whose Claim names a recovery key."""
    registry, identity = home.registry, home.registry.chain_identity
    plain = build_dossier(1)
    claim = replace(plain.record.signed_claim.claim, claimant=home.claimant, recovery_key=recovery)
    domain = SigningDomain(identity.chain_id, identity.contract)
    record = replace(plain.record, signed_claim=home.adapters.keys.sign_claim(claim, domain))
    registration_id = identify_claim(claim, domain)
    dossier = replace(plain, registration_id=registration_id, record=record)
    kept = KeptDossier(dossier, Visibility.PRIVATE, EPOCH, None)
    home.adapters.vault.dossiers.keep(kept)
    home.adapters.registrations.accept_many([(build_registration(dossier), ())])
    registry.anchoring.anchor_waiting()
    return registry.registration.get(registration_id, home.owner)


@pytest.mark.parametrize("successor", [None, NEW_KEY])
def test_the_key_says_nothing_after_it_was_declared(
    copy: Home, works: Works, successor: Address | None
) -> None:
    outcome, other = works.register(home=copy), works.register(home=copy)
    acts = copy.registry.acts
    acts.withdraw(other.registration.registration_id, principal=copy.owner)
    assert acts.declare_key(principal=copy.owner, successor=successor).is_new
    assert not acts.declare_key(principal=copy.owner, successor=successor).is_new
    with pytest.raises(ConflictError, match="was declared lost or replaced"):
        acts.withdraw(outcome.registration.registration_id, principal=copy.owner)
    relay_withdrawal(copy, outcome.registration)
    report = copy.verify(signed_copy(outcome))
    words = "lost" if successor is None else "replaced"
    assert f", its key declared {words} on 20" in report.sentence
    assert "withdrawn" not in report.sentence
    counted = [entry.counts for entry in find_claim(copy, outcome).entries]
    assert counted == [True, False]
    # What the key said before stands.
    assert ", withdrawn on 20" in copy.verify(signed_copy(other)).sentence


def test_it_declares_itself_once(copy: Home) -> None:
    copy.registry.acts.declare_key(principal=copy.owner)
    with pytest.raises(ConflictError, match="declared itself lost or replaced before"):
        copy.registry.acts.declare_key(principal=copy.owner, successor=NEW_KEY)


def test_a_time_to_come_is_refused(home: Home) -> None:
    with pytest.raises(InvalidRequestError, match="to come"):
        home.registry.acts.declare_key(principal=home.owner, since=2**40)


def test_no_key_replaces_itself(home: Home) -> None:
    with pytest.raises(InvalidRequestError, match="does not replace itself"):
        home.registry.acts.declare_key(principal=home.owner, successor=home.claimant)


def test_the_recovery_key_is_heard_by_the_claims_that_name_it(
    copy: Home, neighbour: Home, works: Works
) -> None:
    recovery = neighbour.adapters.keys
    named, other = register_naming(copy, recovery.address), works.register(home=copy)
    acts = copy.registry.acts
    assert acts.declare_key(principal=copy.owner, by=recovery).is_new
    assert not acts.declare_key(principal=copy.owner, by=recovery).is_new
    (entry,) = list_entries(copy, named)
    assert (entry.kind, entry.counts, entry.actor) == ("key_lost", True, recovery.address)
    with pytest.raises(ConflictError, match="was declared lost or replaced"):
        acts.withdraw(named.registration_id, principal=copy.owner)
    (stranger,) = list_entries(copy, other.registration)
    assert not stranger.counts
    assert acts.withdraw(other.registration.registration_id, principal=copy.owner).is_new


def test_a_key_that_no_claim_names_recovers_nothing(
    home: Home, neighbour: Home, works: Works
) -> None:
    works.register()
    with pytest.raises(InvalidRequestError, match="as its recovery key"):
        home.registry.acts.declare_key(principal=home.owner, by=neighbour.adapters.keys)
