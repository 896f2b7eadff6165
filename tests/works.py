"""Registered works of a test, and what others may do to them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from homes import Home, signed_copy, statement
from render_media import render_picture

from titledeed.chain.relays import hash_act
from titledeed.models.claim import SigningDomain
from titledeed.models.evidence import ClaimEntry, VisibleClaim
from titledeed.models.ledger import RelayedAct, WithdrawLeaf
from titledeed.models.primitives import RegistrationId
from titledeed.models.registration import Registration
from titledeed.services.registration import RegisteredFile


@dataclass
class Works:
    """Registers one new picture after the other."""

    home: Home
    folder: Path
    seed: int

    def register(
        self, *, publish: bool = True, wait: bool = True, home: Home | None = None
    ) -> RegisteredFile:
        self.seed += 1
        source = render_picture(self.folder / f"work-{self.seed}.png", seed=self.seed)
        said = statement(publish=publish)
        return (home or self.home).register_one(source, said=said, wait=wait)

    def register_id(self) -> RegistrationId:
        return self.register().registration.registration_id


def count_sent(home: Home) -> int:
    return home.adapters.ledger.count_transactions()


def find_claim(home: Home, outcome: RegisteredFile, path: Path | None = None) -> VisibleClaim:
    report = home.verify(path or signed_copy(outcome))
    (claim,) = [
        claim
        for claim in report.claims
        if claim.registration_id == outcome.registration.registration_id
    ]
    return claim


def list_entries(home: Home, registration: Registration) -> tuple[ClaimEntry, ...]:
    home.registry.history.follow()
    return home.registry.history.list_entries(registration, home.registry.owner)


def relay_withdrawal(actor: Home, registration: Registration) -> None:
    """Withdraw a leaf in the actor's name, whoever's leaf it is."""
    keys, identity = actor.adapters.keys, actor.registry.chain_identity
    act, deadline = WithdrawLeaf(registration.leaf), 2**40
    domain = SigningDomain(identity.chain_id, identity.contract)
    digest = hash_act(act, actor=keys.address, deadline=deadline, domain=domain)
    call = RelayedAct(act, keys.address, deadline, keys.sign_digest(digest, keys.address))
    sending = actor.registry.sending
    sending.wait(sending.submit_act(call, label="withdraw", registration_id=None))
