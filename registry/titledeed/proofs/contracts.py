"""The contracts of ours that a home may follow: one entry each. Pure.

A module beside the core is another entry: its name in ``models.ledger.ContractName``, its signing
domain, its events in ``event_kinds``, and what was deployed of it in ``versions``. Each logs as
``Log.sol`` has it: every event ends with the contract's own sequence number and running hash, and
``head()`` tells both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, assert_never

from titledeed.models.claim import SigningDomain
from titledeed.models.evidence import ChainIdentity
from titledeed.models.ledger import ContractName
from titledeed.models.primitives import Address
from titledeed.proofs.event_kinds import TITLE_DEED_EVENTS, EventKind


@dataclass(frozen=True)
class ContractKind:
    """What all versions of a contract of ours have in common.

    Attributes:
        name: in Solidity.
        domain_name: of its EIP-712 domain.
        domain_version: of its EIP-712 domain.
        events: its own; not those of a standard, such as ERC-721.
    """

    name: ContractName
    domain_name: str
    domain_version: str
    events: tuple[EventKind[Any], ...]

    @cached_property
    def by_topic(self) -> dict[bytes, EventKind[Any]]:
        """Its events by topic 0."""
        return {bytes(kind.topic): kind for kind in self.events}

    def domain(self, chain_id: int, address: Address) -> SigningDomain:
        """What signatures for one deployment of it are bound to."""
        return SigningDomain(chain_id, address, self.domain_name, self.domain_version)


_TITLE_DEED: Final = ContractKind(
    name=ContractName.TITLE_DEED,
    domain_name="Titledeed",
    domain_version="1",
    events=TITLE_DEED_EVENTS,
)


def core_domain(chain: ChainIdentity) -> SigningDomain:
    """What claims, and acts of the core contract, are bound to on a chain."""
    return _TITLE_DEED.domain(chain.chain_id, chain.contract)


def contract_kind(name: ContractName) -> ContractKind:
    """The entry of a contract."""
    match name:
        case ContractName.TITLE_DEED:
            return _TITLE_DEED
        case _:
            assert_never(name)
