"""Keys, transactions and processes for tests of chains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from titledeed.canonical.documents import hex_word
from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import address_from_bytes
from titledeed.chain.anvil import Anvil, find_anvil
from titledeed.chain.contract import encode_anchor
from titledeed.chain.pin import Genesis
from titledeed.chain.signatures import address_of_key, sign_digest
from titledeed.chain.transactions import Transaction, encode_signed, signing_digest
from titledeed.models.primitives import Address, Keccak256, MerkleRoot, Signature

GWEI: Final = 10**9
GENESIS_TIMESTAMP: Final = 1_790_000_000
PLAIN_CHAIN_ID: Final = 31_337


@dataclass(frozen=True)
class PlainSender:
    """A sender whose key lies open."""

    key: bytes

    @property
    def address(self) -> Address:
        return address_of_key(self.key)

    def sign_digest(self, digest: Keccak256) -> Signature:
        return sign_digest(self.key, digest)


def sender_of(label: str) -> PlainSender:
    return PlainSender(keccak256(b"titledeed test key: " + label.encode()))


def root_of(label: object) -> MerkleRoot:
    return MerkleRoot(keccak256(f"root {label}".encode()))


def raw_anchor(
    sender: PlainSender,
    *,
    chain_id: int,
    contract: Address,
    nonce: int,
    root: MerkleRoot,
    size: int = 1,
) -> bytes:
    transaction = Transaction(
        chain_id=chain_id,
        nonce=nonce,
        tip=GWEI,
        fee_max=3 * GWEI,
        gas=150_000,
        to=contract,
        value=0,
        data=encode_anchor(root, size),
    )
    return encode_signed(transaction, sender.sign_digest(signing_digest(transaction)))


def start_plain_anvil(*funded: Address) -> Anvil:
    """An anvil that mines each transaction at once, as somebody else's node would."""
    genesis = Genesis(
        timestamp=GENESIS_TIMESTAMP,
        coinbase=address_from_bytes(bytes(20)),
        funded=funded,
        deployment=b"",
    )
    anvil = Anvil(binary=find_anvil(), chain_id=PLAIN_CHAIN_ID, genesis=genesis)
    is_automatic = True
    anvil.node.call("evm_setAutomine", is_automatic)
    return anvil


def hex_of(raw: bytes) -> str:
    return hex_word(raw)
