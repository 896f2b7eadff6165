"""What an actor signs when somebody else pays (EIP-712). Pure, and quick to import.

Frozen; held together with the contract by golden vectors. Every struct names its actor, so that an
owner of two ERC-1271 wallets cannot have an act of one replayed for the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple
from typing import Any, Final

from titledeed.canonical.claims import hash_domain
from titledeed.canonical.hashing import keccak256, word
from titledeed.canonical.identifiers import address_word
from titledeed.canonical.typed_data import hash_typed
from titledeed.models.claim import SigningDomain
from titledeed.models.ledger import (
    Act,
    DeclareKey,
    IssueDeed,
    PublishBinding,
    RecordEvent,
    Supersede,
    WithdrawDeed,
    WithdrawLeaf,
)
from titledeed.models.primitives import Address, Keccak256
from titledeed.proofs.abi import encode_value, text_bytes

ACT_TYPES: Final[Mapping[type[Act], str]] = {
    IssueDeed: (
        "Issue(address actor,bytes32 leaf,bytes32 root,address anchoredBy,uint16 royalty,"
        "uint256[] parents,uint256 deadline)"
    ),
    WithdrawLeaf: "Withdraw(address actor,bytes32 leaf,uint256 deadline)",
    WithdrawDeed: "WithdrawDeed(address actor,uint256 deed,uint256 deadline)",
    Supersede: "Supersede(address actor,bytes32 subject,bytes32 successor,uint256 deadline)",
    RecordEvent: (
        "RecordEvent(address actor,bytes32 subject,bytes32 kind,bytes32 digest,uint256 deadline)"
    ),
    DeclareKey: (
        "DeclareKey(address actor,address key,address successor,uint64 since,uint256 deadline)"
    ),
    PublishBinding: (
        "PublishBinding(address actor,bytes32 bindingHash,string endpoint,string manifestId,"
        "uint256 deadline)"
    ),
}


def hash_act(act: Act, *, actor: Address, deadline: int, domain: SigningDomain) -> Keccak256:
    """The digest that the actor signs: ``0x19 0x01 ‖ separator ‖ struct hash``.

    Args:
        act: what is done.
        actor: who does it; for ``IssueDeed`` the claimant.
        deadline: seconds since 1970; the contract refuses the act in a later block.
        domain: chain and contract.
    """
    struct = keccak256(
        keccak256(ACT_TYPES[type(act)].encode("ascii")),
        address_word(actor),
        *(_hash_member(kind, value) for kind, value in act_members(act)),
        word(deadline),
    )
    return hash_typed(hash_domain(domain), struct)


def act_members(act: Act) -> Iterator[tuple[str, Any]]:
    """Solidity type and value of each member between actor and deadline.

    The fields of an act stand in the order of its members; only ``IssueDeed`` has more.
    """
    members = ACT_TYPES[type(act)].partition("(")[2].split(",")[1:-1]
    if isinstance(act, IssueDeed):
        values: tuple[Any, ...] = act.leaf, act.root, act.anchored_by, act.royalty, act.parents
    else:
        values = astuple(act)
    for member, value in zip(members, values, strict=True):
        yield member.split()[0], value


def _hash_member(kind: str, value: Any) -> bytes:
    """``encodeData`` of EIP-712: of a text or a list the hash."""
    if kind == "string":
        return keccak256(text_bytes(value))
    if kind == "uint256[]":
        return keccak256(*map(word, value))
    return encode_value(kind, value)
