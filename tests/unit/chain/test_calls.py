"""Call data, held against the interface that the compiler wrote."""

from __future__ import annotations

from typing import Any

import pytest
from chain_builders import root_of, sender_of
from web3 import Web3

from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import address_word
from titledeed.chain.calls import encode_call, name_refusal
from titledeed.models.ledger import AnchorRoot, IssueDeed, RelayedAct
from titledeed.models.primitives import DeedId, LeafHash, Sha256, Signature
from titledeed.proofs.abi import selector
from titledeed.proofs.contract import load_interface

INTERFACE: Any = load_interface()
CONTRACT = Web3().eth.contract(abi=INTERFACE)
ACTOR = sender_of("actor").address


def test_anchor_is_called_directly() -> None:
    call = encode_call(AnchorRoot(root_of(1), 2**32))
    assert call.hex() == CONTRACT.encode_abi("anchor", [root_of(1), 2**32])[2:]


@pytest.mark.parametrize("nodes", [0, 1, 32])
@pytest.mark.parametrize("parents", [0, 16])
@pytest.mark.parametrize("length", [0, 65, 8_192])
def test_issue_opens_the_leaf_and_shows_its_path(nodes: int, parents: int, length: int) -> None:
    path = tuple(keccak256(bytes([node])) for node in range(nodes))
    deeds = tuple(DeedId(2**255 + parent) for parent in range(parents))
    act = IssueDeed(
        content_digest=Sha256(keccak256(b"content")),
        content_salt=keccak256(b"salt"),
        record_part=keccak256(b"record"),
        leaf=LeafHash(keccak256(b"leaf")),
        root=root_of(1),
        anchored_by=sender_of("sender").address,
        index=2**31,
        size=2**32,
        path=path,
        royalty=10_000,
        parents=deeds,
    )
    call = RelayedAct(act, ACTOR, 2**256 - 1, Signature(bytes(range(256))[:length]))
    opening = (ACTOR, act.content_digest, act.content_salt, act.record_part)
    inclusion = (act.root, act.anchored_by, act.index, act.size, list(path))
    expected = CONTRACT.encode_abi(
        "issueFor", [opening, inclusion, 10_000, list(deeds), 2**256 - 1, call.signature]
    )
    assert encode_call(call).hex() == expected[2:]


def test_every_refusal_of_the_contract_has_its_name() -> None:
    names = {item["name"] for item in INTERFACE if item["type"] == "error"}
    assert {"NotHolder", "DeedExists", "SignatureInvalid", "DeadlinePassed"} <= names
    refusal = selector("NotHolder(uint256,address)") + bytes(32) + address_word(ACTOR)
    assert name_refusal(refusal) == "NotHolder"
    assert name_refusal(selector("SizeOutOfRange(uint256)")) == "SizeOutOfRange"


@pytest.mark.parametrize("data", [b"", b"\x08\xc3\x79\xa0", b"abc", bytes(100)])
def test_other_refusals_have_no_name(data: bytes) -> None:
    assert name_refusal(data) == ""
