"""Keys, transactions and processes for tests of chains."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from titledeed.canonical.documents import Json, hex_word
from titledeed.canonical.hashing import keccak256, sha256
from titledeed.canonical.identifiers import address_from_bytes
from titledeed.chain.development.anvil import Anvil, find_anvil
from titledeed.chain.pin import Genesis
from titledeed.chain.relays import hash_act
from titledeed.chain.rpc import Node
from titledeed.models.claim import SigningDomain
from titledeed.models.evidence import ChainIdentity, SignedTransaction
from titledeed.models.ledger import (
    Act,
    DeclareKey,
    IssueDeed,
    LedgerEvent,
    PublishBinding,
    Receipt,
    RecordEvent,
    RelayedAct,
    Supersede,
    WithdrawDeed,
    WithdrawLeaf,
)
from titledeed.models.primitives import (
    Address,
    DeedId,
    Keccak256,
    LeafHash,
    MerkleRoot,
    Sha256,
    Signature,
    Subject,
)
from titledeed.ports import Ledger
from titledeed.proofs.contract import encode_anchor
from titledeed.proofs.events import encode_log
from titledeed.proofs.signatures import address_of_key, sign_digest
from titledeed.proofs.transactions import Transaction, encode_signed, signing_digest

GWEI: Final = 10**9
GENESIS_TIMESTAMP: Final = 1_790_000_000
PLAIN_CHAIN_ID: Final = 31_337
DEADLINE: Final = 2**40
"""Of relayed acts, where a test is not about it."""


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


@dataclass(frozen=True)
class TamperedNode:
    """A node some of whose answers come from a test.

    Args:
        node: answers everything else.
        answers: by method; each gets the parameters and a way to ask the node.
    """

    node: Node
    answers: Mapping[str, Callable[[tuple[Json, ...], Callable[[], Json]], Json]]

    def call(self, method: str, *params: Json) -> Json:
        def ask() -> Json:
            return self.node.call(method, *params)

        answer = self.answers.get(method)
        return answer(params, ask) if answer else ask()

    def close(self) -> None:
        """The node belongs to whoever started it."""


def relayed(
    act: Act, *, actor: PlainSender, chain: ChainIdentity, deadline: int = DEADLINE
) -> RelayedAct:
    """An act with its actor's signature, for whoever pays."""
    domain = SigningDomain(chain.chain_id, chain.contract)
    digest = hash_act(act, actor=actor.address, deadline=deadline, domain=domain)
    return RelayedAct(act, actor.address, deadline, actor.sign_digest(digest))


def addresses_of(ledger: Ledger) -> list[Address]:
    """Of all contracts that a ledger follows."""
    return [contract.address for contract in ledger.contracts]


def await_receipt(ledger: Ledger, transaction: SignedTransaction) -> Receipt:
    """A node behind a URL mines in its own time."""
    deadline = time.monotonic() + 20
    while (receipt := ledger.find_receipt(transaction.hash)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return receipt


def act_of_vector(case: dict[str, Any]) -> Act:
    """The act in a case of ``typed_data.json``."""
    said = case["arguments"]

    def words(*names: str) -> Iterator[Keccak256]:
        return (Keccak256(bytes.fromhex(said[name][2:])) for name in names)

    match case["type"]:
        case "Issue":
            return _issue_of_vector(said)
        case "Withdraw":
            return WithdrawLeaf(LeafHash(*words("leaf")))
        case "WithdrawDeed":
            return WithdrawDeed(DeedId(int(said["deed"])))
        case "Supersede":
            return Supersede(*map(Subject, words("subject", "successor")))
        case "RecordEvent":
            subject, kind, digest = words("subject", "kind", "digest")
            return RecordEvent(Subject(subject), kind, Sha256(digest))
        case "DeclareKey":
            return DeclareKey(said["key"], said["successor"], int(said["since"]))
        case _:
            (binding_hash,) = words("bindingHash")
            return PublishBinding(binding_hash, said["endpoint"], said["manifestId"])


def _issue_of_vector(said: dict[str, Any]) -> IssueDeed:
    """The vectors name what is signed; the leaf that they mean opens to these parts."""
    return IssueDeed(
        content_digest=sha256(b"source"),
        content_salt=sha256(b"content salt"),
        record_part=keccak256(b"record part"),
        leaf=LeafHash(Keccak256(bytes.fromhex(said["leaf"][2:]))),
        root=MerkleRoot(Keccak256(bytes.fromhex(said["root"][2:]))),
        anchored_by=said["anchoredBy"],
        index=0,
        size=1,
        path=(),
        royalty=int(said["royalty"]),
        parents=tuple(DeedId(int(parent)) for parent in said["parents"]),
    )


def log_of(event: LedgerEvent, *, contract: Address) -> dict[str, Json]:
    """An event as a node shows it."""
    topics, data = encode_log(event.body, sequence=event.sequence, head=event.head)
    return {
        "address": contract.lower(),
        "topics": [hex_word(topic) for topic in topics],
        "data": hex_word(data),
        "blockNumber": hex(event.block_number),
        "blockHash": hex_word(event.block_hash),
        "transactionHash": hex_word(event.transaction),
        "transactionIndex": "0x0",
        "logIndex": "0x0",
        "removed": False,
    }


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
