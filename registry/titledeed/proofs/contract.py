"""The contract ``TitleDeed``: the artifacts that ship, and the call that evidence names.

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
from titledeed.proofs.abi import selector
from titledeed.proofs.versions import ContractVersion, current_version

CREATE2_FACTORY: Final = Address("0x4e59b44847b379578588920cA78FbF26c0B4956C")
"""The deterministic deployment proxy (Arachnid), present on most chains and on anvil."""

DEPLOYMENT_SALT: Final = bytes(32)

ANCHOR_SIGNATURE: Final = "anchor(bytes32,uint256)"

_CURRENT: Final = current_version(ContractName.TITLE_DEED)
_VERIFICATION: Final = "TitleDeed.verification.json"


@dataclass(frozen=True, slots=True)
class Artifact:
    """What the compiler made of a contract."""

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
def load_artifact(base_uri: str = "", *, version: ContractVersion = _CURRENT) -> Artifact:
    """An artifact that ships with the package.

    Args:
        base_uri: the argument of the constructor. The standard deployment has none; another gives
            another address, and the same runtime code.
        version: of the contract; by default the one that is deployed today.
    """
    document = _read(version.artifact)
    return Artifact(
        creation_code=bytes.fromhex(document["bytecode"][2:]) + encode_constructor(base_uri),
        runtime_code=bytes.fromhex(document["deployedBytecode"][2:]),
    )


def load_interface(version: ContractVersion = _CURRENT) -> list[Json]:
    """The ABI of a version of a contract."""
    interface: list[Json] = _read(version.artifact)["abi"]
    return interface


def load_verification() -> dict[str, Json]:
    """What Sourcify and Blockscout need to compile today's version to the same bytes again.

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
    return selector(ANCHOR_SIGNATURE) + root + word(size)


def _read(name: str) -> Any:
    path = resources.files("titledeed.proofs") / "artifacts" / name
    return json.loads(path.read_text(encoding="utf-8"))
