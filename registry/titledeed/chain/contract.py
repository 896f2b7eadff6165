"""The contract ``TitleDeed``: the artifact that ships, and the call that evidence names.

``anchor`` is encoded by hand, because a bundle is checked without web3; a test holds the words
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
from titledeed.canonical.identifiers import address_bytes, address_from_bytes
from titledeed.models.primitives import Address, Keccak256, MerkleRoot

CREATE2_FACTORY: Final = Address("0x4e59b44847b379578588920cA78FbF26c0B4956C")
"""The deterministic deployment proxy (Arachnid), present on most chains and on anvil."""

DEPLOYMENT_SALT: Final = bytes(32)

ANCHOR_SIGNATURE: Final = "anchor(bytes32,uint256)"


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


def load_interface() -> list[Json]:
    """The contract's ABI, for tools and tests."""
    path = resources.files("titledeed.chain") / "artifacts" / "TitleDeed.json"
    interface: list[Json] = json.loads(path.read_text(encoding="utf-8"))["abi"]
    return interface


def _selector(signature: str) -> bytes:
    return keccak256(signature.encode("ascii"))[:4]
