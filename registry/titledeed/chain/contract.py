"""The contract ``TitleDeed`` as the client sees it: artifact, calls, events.

The handful of calls is encoded by hand: every argument is one word. A test holds the words here
against the compiled interface.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from titledeed.canonical.documents import Json
from titledeed.canonical.hashing import keccak256, word
from titledeed.canonical.identifiers import address_bytes, address_from_bytes, address_word
from titledeed.errors import LedgerError
from titledeed.models.primitives import Address, Keccak256, MerkleRoot

CREATE2_FACTORY: Final = Address("0x4e59b44847b379578588920cA78FbF26c0B4956C")
"""The deterministic deployment proxy (Arachnid), present on most chains and on anvil."""

DEPLOYMENT_SALT: Final = bytes(32)

ANCHOR_SIGNATURE: Final = "anchor(bytes32,uint256)"
ANCHOR_OF_SIGNATURE: Final = "anchorOf(bytes32,address)"
ANCHORED_SIGNATURE: Final = "Anchored(bytes32,address,uint64,uint64,bytes20)"
ANCHORED_TOPIC: Final = keccak256(ANCHORED_SIGNATURE.encode("ascii"))


@dataclass(frozen=True, slots=True)
class Artifact:
    """What the compiler made of the contract."""

    creation_code: bytes
    runtime_code: bytes

    @property
    def runtime_hash(self) -> Keccak256:
        """What a chain must hold at the contract's address."""
        return keccak256(self.runtime_code)

    @property
    def address(self) -> Address:
        """Where the deterministic factory puts it, the same on every chain (EIP-1014)."""
        digest = keccak256(
            b"\xff",
            address_bytes(CREATE2_FACTORY),
            DEPLOYMENT_SALT,
            keccak256(self.creation_code),
        )
        return address_from_bytes(digest[12:])


@dataclass(frozen=True, slots=True)
class AnchoredEvent:
    """The contract's own words about one anchor; ``head`` is the running hash, 20 bytes."""

    root: MerkleRoot
    caller: Address
    sequence: int
    size: int
    head: bytes


@cache
def load_artifact() -> Artifact:
    """The artifact that ships with the package."""
    path = resources.files("titledeed.chain") / "artifacts" / "TitleDeed.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    return Artifact(
        creation_code=bytes.fromhex(document["bytecode"][2:]),
        runtime_code=bytes.fromhex(document["deployedBytecode"][2:]),
    )


def encode_anchor(root: MerkleRoot, size: int) -> bytes:
    """Call data of ``anchor``."""
    return _selector(ANCHOR_SIGNATURE) + root + word(size)


def encode_anchor_of(root: MerkleRoot, caller: Address) -> bytes:
    """Call data of ``anchorOf``."""
    return _selector(ANCHOR_OF_SIGNATURE) + root + address_word(caller)


def decode_anchor_of(data: bytes) -> tuple[int, int] | None:
    """Block time and sequence that ``anchorOf`` returned, or None where there is no anchor.

    Raises:
        LedgerError: the contract there answers in another form.
    """
    if len(data) != 64:
        raise LedgerError("the contract at the pinned address is not TitleDeed")
    timestamp, sequence = _words(data)
    return (timestamp, sequence) if sequence else None


def decode_anchored(topics: list[bytes], data: bytes) -> AnchoredEvent | None:
    """The event, or None for an event of another kind.

    Raises:
        LedgerError: its topic is right and its form is not.
    """
    if not topics or topics[0] != ANCHORED_TOPIC:
        return None
    if len(topics) != 3 or len(data) != 96 or any(len(topic) != 32 for topic in topics):
        raise LedgerError("an Anchored event has not its three topics and three words")
    sequence, size, _ = _words(data)
    return AnchoredEvent(
        root=MerkleRoot(Keccak256(topics[1])),
        caller=address_from_bytes(topics[2][12:]),
        sequence=sequence,
        size=size,
        head=data[64:84],
    )


def next_head(head: bytes, event: AnchoredEvent, block_timestamp: int) -> bytes:
    """The running hash after an event, from the one before it (``ITitleDeed.head``)."""
    event_hash = keccak256(ANCHORED_TOPIC, event.root, address_word(event.caller), word(event.size))
    return keccak256(
        head.ljust(32, b"\0"), word(event.sequence), word(block_timestamp), event_hash
    )[:20]


def load_interface() -> list[Json]:
    """The contract's ABI, for tools and tests."""
    path = resources.files("titledeed.chain") / "artifacts" / "TitleDeed.json"
    interface: list[Json] = json.loads(path.read_text(encoding="utf-8"))["abi"]
    return interface


def _selector(signature: str) -> bytes:
    return keccak256(signature.encode("ascii"))[:4]


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32)]
