"""Call data of everything that the sender pays for, and the names of the contracts' refusals.

Pure, and quick to import; a test holds every function against the compiled interface.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from titledeed.canonical.hashing import word
from titledeed.canonical.identifiers import address_word
from titledeed.chain.relays import ACT_TYPES, act_members
from titledeed.models.ledger import AnchorRoot, Call, ContractName, IssueDeed, RelayedAct
from titledeed.models.primitives import Address
from titledeed.proofs.abi import (
    Tail,
    encode_arguments,
    encode_bytes,
    encode_value,
    encode_words,
    selector,
)
from titledeed.proofs.contract import encode_anchor, load_interface
from titledeed.proofs.versions import list_versions

ISSUE_SIGNATURE: Final = (
    "issueFor((address,bytes32,bytes32,bytes32),(bytes32,address,uint256,uint256,bytes32[]),"
    "uint16,uint256[],uint256,bytes)"
)


def encode_call(call: Call) -> bytes:
    """Call data of ``anchor``, or of the function that takes a relayed act."""
    if isinstance(call, AnchorRoot):
        return encode_anchor(call.root, call.size)
    if isinstance(call.act, IssueDeed):
        signature, arguments = ISSUE_SIGNATURE, _issue_arguments(call.act, call.actor)
    else:
        signature, arguments = _act_function(call)
    return selector(signature) + encode_arguments(
        *arguments, word(call.deadline), encode_bytes(call.signature)
    )


def name_refusal(data: bytes) -> str:
    """The name of a contract's error in the data of a revert; empty where it is none of ours."""
    return _refusals().get(data[:4], "")


def _act_function(call: RelayedAct) -> tuple[str, list[bytes]]:
    """``withdrawFor`` takes the members of ``Withdraw``, then the actor; so do all others."""
    name = ACT_TYPES[type(call.act)].partition("(")[0]
    members = list(act_members(call.act))
    kinds = ",".join(kind for kind, _ in members)
    arguments = [encode_value(kind, value) for kind, value in members]
    function = f"{name[0].lower()}{name[1:]}For({kinds},address,uint256,bytes)"
    return function, [*arguments, address_word(call.actor)]


def _issue_arguments(act: IssueDeed, claimant: Address) -> list[bytes]:
    """The claimant of the opening is the actor, and is not named twice."""
    opening = encode_arguments(
        address_word(claimant), act.content_digest, act.content_salt, act.record_part
    )
    inclusion = encode_arguments(
        act.root,
        address_word(act.anchored_by),
        word(act.index),
        word(act.size),
        encode_words(act.path),
    )
    parents = encode_value("uint256[]", act.parents)
    return [opening, Tail(inclusion), word(act.royalty), parents]


@cache
def _refusals() -> dict[bytes, str]:
    """Of every version: an error that two of them have has one selector."""
    interfaces: list[list[Any]] = [
        load_interface(version) for name in ContractName for version in list_versions(name)
    ]
    return {
        selector(f"{item['name']}({','.join(one['type'] for one in item['inputs'])})"): item["name"]
        for interface in interfaces
        for item in interface
        if item["type"] == "error"
    }
