"""Two accounts claim in one home: each acts for its own, and sees what the other published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from builders import build_claimant
from homes import accepted, statement
from render_media import render_picture

from titledeed.bootstrap import Adapters, Registry
from titledeed.bootstrap.homes import initialize_home
from titledeed.canonical.claims import hash_claim
from titledeed.chain.keys import FileKeyStore, KeyFile
from titledeed.errors import NotAuthorizedError, NotFoundError
from titledeed.models.claim import Claim, SignedClaim, SigningDomain
from titledeed.models.primitives import Address, Keccak256, Signature
from titledeed.models.principal import ALL_SCOPES, Principal, PrincipalKind, Scope
from titledeed.models.registration import Registration, Visibility
from titledeed.services.registration import RegisteredFile, RegisterRequest
from titledeed.settings import Settings

pytestmark = pytest.mark.chain

GUEST_KEY = build_claimant(77)
GUEST = Principal(PrincipalKind.TOKEN, GUEST_KEY.address, ALL_SCOPES)


class SharedKeys(FileKeyStore):
    """The home's key, and a guest's in memory."""

    def holds(self, account: Address) -> bool:
        return account == GUEST_KEY.address or super().holds(account)

    def sign_claim(self, claim: Claim, domain: SigningDomain) -> SignedClaim:
        signature = self.sign_digest(hash_claim(claim, domain), claim.claimant)
        return SignedClaim(claim, domain, signature)

    def sign_digest(self, digest: Keccak256, account: Address) -> Signature:
        if account == GUEST_KEY.address:
            return GUEST_KEY.sign(digest)
        return super().sign_digest(digest, account)


class SharedHome(Adapters):
    """A home that keeps the keys of two accounts."""

    @cached_property
    def keys(self) -> FileKeyStore:
        return SharedKeys(KeyFile(path=self.layout.claimant_key, passphrase=self._passphrase))


@dataclass
class Shared:
    registry: Registry
    folder: Path
    seed: int = 500

    @property
    def owner(self) -> Principal:
        return self.registry.owner

    def picture(self) -> Path:
        self.seed += 1
        return render_picture(self.folder / f"{self.seed}.png", seed=self.seed)

    def register(
        self, principal: Principal, picture: Path | None = None, *, publish: bool = False
    ) -> RegisteredFile:
        request = RegisterRequest((picture or self.picture(),), statement(publish=publish))
        (outcome,) = self.registry.registration.register(request, principal)
        return accepted(outcome)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("shared")
    settings = Settings(home=folder / "home")
    initialize_home(settings)
    with Registry(settings, SharedHome(settings)) as registry:
        yield Shared(registry, folder)


def ids(found: list[Registration]) -> set[str]:
    return {one.registration_id for one in found}


def test_the_same_picture_is_claimed_by_each_and_known_to_whom_it_may_be(shared: Shared) -> None:
    picture = shared.picture()
    first = shared.register(shared.owner, picture)
    second = shared.register(GUEST, picture)
    assert (first.created, second.created) == (True, True)
    assert second.registration.claimant == GUEST_KEY.address
    assert second.similar == ()  # the owner's is private, and nobody tells the guest
    assert not shared.register(GUEST, picture).created
    verify = shared.registry.verification.verify
    (theirs,) = verify(picture, GUEST).claims
    assert (theirs.registration_id, theirs.mine) == (second.registration.registration_id, True)
    seen = {claim.claimant: claim.mine for claim in verify(picture, shared.owner).claims}
    assert seen == {first.registration.claimant: True, GUEST_KEY.address: False}


def test_lists_hold_what_each_may_see(shared: Shared) -> None:
    hidden = shared.register(shared.owner).registration
    shown = shared.register(shared.owner, publish=True).registration
    own = shared.register(GUEST).registration
    catalogue, history = shared.registry.catalogue, shared.registry.history
    listed = ids(catalogue.list_newest(GUEST, limit=99))
    assert listed >= ids([shown, own])
    assert not listed & ids([hidden])
    assert ids(catalogue.list_newest(shared.owner, limit=99)) >= ids([hidden, shown, own])
    with pytest.raises(NotFoundError):
        catalogue.find(hidden.registration_id, GUEST)
    with pytest.raises(NotFoundError):
        history.list_entries(hidden, GUEST)
    assert history.list_entries(own, GUEST) == ()


def test_nobody_acts_for_another_account(shared: Shared) -> None:
    hidden = shared.register(shared.owner).registration.registration_id
    shown = shared.register(shared.owner, publish=True).registration.registration_id
    own = shared.register(GUEST, publish=True).registration.registration_id
    acts, registration = shared.registry.acts, shared.registry.registration
    for act in (acts.withdraw, acts.issue):
        with pytest.raises(NotFoundError):
            act(hidden, principal=GUEST)
        with pytest.raises(NotAuthorizedError, match=f"not by {GUEST_KEY.address}"):
            act(shown, principal=GUEST)
        with pytest.raises(NotAuthorizedError, match="not by this home"):
            act(own, principal=shared.owner)
    with pytest.raises(NotFoundError):
        registration.set_visibility(hidden, Visibility.PUBLISHED, GUEST)
    with pytest.raises(NotAuthorizedError, match=f"not by {GUEST_KEY.address}"):
        registration.set_visibility(shown, Visibility.PRIVATE, GUEST)
    with pytest.raises(NotAuthorizedError, match=f"not by {GUEST_KEY.address}"):
        registration.complete(shown, GUEST)


def test_an_account_acts_for_its_own(shared: Shared) -> None:
    own = shared.register(GUEST).registration.registration_id
    registration = shared.registry.registration
    published = registration.set_visibility(own, Visibility.PUBLISHED, GUEST)
    assert published.visibility is Visibility.PUBLISHED
    assert registration.complete(own, GUEST).bundle_path is not None
    done = shared.registry.acts.withdraw(own, principal=GUEST)
    assert done.is_new
    found = registration.get(own, GUEST)
    (entry,) = shared.registry.history.list_entries(found, GUEST)
    assert (entry.actor, entry.counts) == (GUEST_KEY.address, True)


def test_a_snapshot_is_signed_by_whoever_exports_it(shared: Shared, tmp_path: Path) -> None:
    exported = shared.registry.snapshots.export(tmp_path / "a.snapshot", GUEST)
    assert exported.exporter == GUEST_KEY.address
    again = shared.registry.snapshots.export(tmp_path / "b.snapshot", shared.owner)
    assert again.exporter == shared.owner.claimant


@pytest.mark.parametrize("scope", list(Scope))
def test_every_use_asks_for_its_scope(shared: Shared, tmp_path: Path, scope: Scope) -> None:
    limited = Principal(PrincipalKind.TOKEN, GUEST_KEY.address, frozenset({scope}))
    own = shared.register(GUEST).registration.registration_id
    picture = shared.picture()
    registry = shared.registry
    uses: dict[Scope, list[Callable[[], object]]] = {
        Scope.READ: [
            lambda: registry.verification.verify(picture, limited),
            lambda: registry.search.search(picture, limited),
        ],
        Scope.REGISTER: [
            lambda: registry.registration.register(
                RegisterRequest((picture,), statement()), limited
            ),
            lambda: registry.registration.set_visibility(own, Visibility.PUBLISHED, limited),
            lambda: registry.registration.complete(own, limited),
            lambda: registry.acts.withdraw(own, principal=limited),
            lambda: registry.acts.declare_key(principal=limited, since=2**40),
            lambda: registry.snapshots.export(tmp_path / "x.snapshot", limited),
        ],
        Scope.AUDIT: [lambda: registry.audit.audit(tmp_path, limited)],
    }
    for needed, calls in uses.items():
        if needed is scope:
            continue
        for call in calls:
            with pytest.raises(NotAuthorizedError, match=f"the scope '{needed.value}'"):
                call()
