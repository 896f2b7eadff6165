"""Every version of every contract of ours: one entry each, in one table. Pure.

What was deployed never changes, so neither does its entry: evidence of years ago is judged by it,
and no file is read for that. A contract that changes is another entry with the next number, and the
artifact of the one before is kept under a name of its own. Tests hold each entry against its
artifact, and the newest artifact against the sources. A module beside the core is another name with
an entry of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from titledeed.models.ledger import ContractName
from titledeed.models.primitives import Address, Keccak256


@dataclass(frozen=True, slots=True)
class ContractVersion:
    """What is the same wherever this version of a contract is deployed.

    Attributes:
        name: in Solidity.
        number: from 1; the last of a name is the one that is deployed today.
        code_hash: Keccak-256 of the runtime code, whatever the constructor was told.
        usual_address: where the deterministic factory puts it with salt zero and no base URI, on
            every chain (EIP-1014).
        artifact: the file with its ABI and its code, in the folder ``artifacts``.
        head_slot: of its storage; holds block time and sequence number of its last event (48 bits
            each) and the running hash after it (160).
        anchors_slot: of ``mapping(root => mapping(caller => word))``, whose words have the same
            form; None where the contract keeps no anchors.
    """

    name: ContractName
    number: int
    code_hash: Keccak256
    usual_address: Address
    artifact: str
    head_slot: int
    anchors_slot: int | None


_VERSIONS: Final[Mapping[ContractName, tuple[ContractVersion, ...]]] = {
    ContractName.TITLE_DEED: (
        ContractVersion(
            name=ContractName.TITLE_DEED,
            number=1,
            code_hash=Keccak256(
                bytes.fromhex("d7cb8c085c27fd58f965039dbd601f2b5c3611d0f5661b9f229a36924b36039b")
            ),
            usual_address=Address("0x3AF01DC7a4130aBC80e84020Fc52315622Ec528F"),
            artifact="TitleDeed.1.json",
            head_slot=0,
            anchors_slot=1,
        ),
        ContractVersion(
            name=ContractName.TITLE_DEED,
            number=2,
            code_hash=Keccak256(
                bytes.fromhex("ad8b990d03cbdd17b20161e60f79dc73053a4eaa67326be32191868b6ca62b90")
            ),
            usual_address=Address("0x62a96cE5b755324296222F0B8eF17F14d8f664D0"),
            artifact="TitleDeed.json",
            head_slot=0,
            anchors_slot=1,
        ),
    ),
}


def list_versions(name: ContractName) -> tuple[ContractVersion, ...]:
    """All versions of a contract, oldest first."""
    return _VERSIONS[name]


def current_version(name: ContractName) -> ContractVersion:
    """The version that is deployed today."""
    return _VERSIONS[name][-1]


def find_version(code_hash: bytes) -> ContractVersion | None:
    """The version whose runtime code has this Keccak-256; None where it is none of ours."""
    versions = (version for name in ContractName for version in list_versions(name))
    return next((version for version in versions if version.code_hash == code_hash), None)


def is_known(contract: str, number: int) -> bool:
    """Whether this release knows a version of a contract, by the names that evidence gives."""
    names = {(version.name.value, version.number) for one in _VERSIONS.values() for version in one}
    return (contract, number) in names


def is_usual_address(address: Address, name: ContractName = ContractName.TITLE_DEED) -> bool:
    """Whether the deterministic factory puts a version of the contract there.

    Then the address alone shows that it was created from its sources.
    """
    return any(version.usual_address == address for version in list_versions(name))
