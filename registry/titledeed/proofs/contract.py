"""The contract ``TitleDeed``: the artifact that ships, and the call that evidence names.

``anchor`` is encoded by hand, because a bundle is checked without web3; a test holds the words
against the compiled interface.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from titledeed.canonical.documents import Json
from titledeed.canonical.hashing import keccak256, word
from titledeed.canonical.identifiers import address_bytes, address_from_bytes
from titledeed.models.ledger import ContractName
from titledeed.models.primitives import Address, Keccak256, MerkleRoot

CREATE2_FACTORY: Final = Address("0x4e59b44847b379578588920cA78FbF26c0B4956C")
"""The deterministic deployment proxy (Arachnid), present on most chains and on anvil."""

DEPLOYMENT_SALT: Final = bytes(32)

ANCHOR_SIGNATURE: Final = "anchor(bytes32,uint256)"

_VERIFICATION: Final = "TitleDeed.verification.json"


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
def load_artifact(base_uri: str = "") -> Artifact:
    """The artifact that ships with the package.

    Args:
        base_uri: the argument of the constructor. The standard deployment has none; another gives
            another address, and the same runtime code.
    """
    document = _read(_artifact(ContractName.TITLE_DEED))
    return Artifact(
        creation_code=bytes.fromhex(document["bytecode"][2:]) + encode_constructor(base_uri),
        runtime_code=bytes.fromhex(document["deployedBytecode"][2:]),
    )


@cache
def load_runtime_hash(name: ContractName) -> Keccak256:
    """Keccak-256 of the code that a chain must hold at the address of a contract of ours."""
    return keccak256(bytes.fromhex(_read(_artifact(name))["deployedBytecode"][2:]))


def load_interface() -> list[Json]:
    """The contract's ABI, for tools and tests."""
    interface: list[Json] = _read(_artifact(ContractName.TITLE_DEED))["abi"]
    return interface


def load_verification() -> dict[str, Json]:
    """What Sourcify and Blockscout need to compile the same bytes again.

    ``compilerVersion``, ``contractIdentifier`` and ``stdJsonInput``, which is the body of
    Sourcify's ``POST /v2/verify/{chainId}/{address}``; Blockscout takes the same input.
    """
    document: dict[str, Json] = _read(_VERIFICATION)
    return document


def encode_constructor(base_uri: str) -> bytes:
    """The constructor's argument in its ABI form; explorers ask for it."""
    data = base_uri.encode("utf-8")
    return word(32) + word(len(data)) + data + bytes(-len(data) % 32)


def encode_anchor(root: MerkleRoot, size: int) -> bytes:
    """Call data of ``anchor``."""
    return _selector(ANCHOR_SIGNATURE) + root + word(size)


def _selector(signature: str) -> bytes:
    return keccak256(signature.encode("ascii"))[:4]


def _artifact(name: ContractName) -> str:
    return f"{name}.json"


def _read(name: str) -> Any:
    path = resources.files("titledeed.proofs") / "artifacts" / name
    return json.loads(path.read_text(encoding="utf-8"))
