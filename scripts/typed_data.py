"""What actors sign for ``TitleDeed`` (EIP-712), by eth-account alone.

A second opinion: the vectors that hold the contract and our own encoder come from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

ACTS: Final[Mapping[str, str]] = {
    "Anchor": "address actor,bytes32 root,uint256 size,uint256 deadline",
    "Issue": "address actor,bytes32 leaf,bytes32 root,address anchoredBy,uint16 royalty,"
    "uint256[] parents,uint256 deadline",
    "Withdraw": "address actor,bytes32 leaf,uint256 deadline",
    "WithdrawDeed": "address actor,uint256 deed,uint256 deadline",
    "Supersede": "address actor,bytes32 subject,bytes32 successor,uint256 deadline",
    "RecordEvent": "address actor,bytes32 subject,bytes32 kind,bytes32 digest,uint256 deadline",
    "DeclareKey": "address actor,address key,address successor,uint64 since,uint256 deadline",
    "PublishBinding": "address actor,bytes32 bindingHash,string endpoint,string manifestId,"
    "uint256 deadline",
}


def digest_act(act: str, message: Mapping[str, Any], *, chain_id: int, contract: str) -> bytes:
    """The 32 bytes that the actor signs.

    Args:
        act: a name of ``ACTS``.
        message: its members; words as bytes, numbers as int.
        chain_id: of the chain.
        contract: where ``TitleDeed`` is.
    """
    members = [member.split(" ") for member in ACTS[act].split(",")]
    signable = encode_typed_data(
        domain_data={
            "name": "Titledeed",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": contract,
        },
        message_types={act: [{"name": name, "type": kind} for kind, name in members]},
        message_data=dict(message),
    )
    return keccak(b"\x19" + signable.version + signable.header + signable.body)
