"""The table of versions says what the artifacts are, and what was deployed stays in it."""

from __future__ import annotations

from importlib import resources
from itertools import chain
from typing import Any, Final

import pytest
from builders import build_address

from titledeed.canonical.documents import hex_word
from titledeed.canonical.hashing import keccak256, sha256
from titledeed.models.ledger import ContractName
from titledeed.proofs.contract import load_artifact, load_interface
from titledeed.proofs.versions import (
    ContractVersion,
    current_version,
    find_version,
    is_usual_address,
    list_versions,
)

VERSIONS: Final = tuple(chain.from_iterable(map(list_versions, ContractName)))

RELEASED: Final = {
    (ContractName.TITLE_DEED, 1): (
        "0xd7cb8c085c27fd58f965039dbd601f2b5c3611d0f5661b9f229a36924b36039b",
        "0x3AF01DC7a4130aBC80e84020Fc52315622Ec528F",
        "f231ab08f284aa0837c3dd4883b773ed6a9322f81df0c16dc0116e05e9411821",
    ),
}
"""Code hash, usual address and SHA-256 of the artifact of what homes already follow."""


def _label(version: ContractVersion) -> str:
    return f"{version.name} {version.number}"


@pytest.mark.parametrize("version", VERSIONS, ids=_label)
def test_an_entry_says_what_its_artifact_is(version: ContractVersion) -> None:
    artifact = load_artifact(version=version)
    assert version.code_hash == artifact.runtime_hash, "current code hash: " + hex_word(
        artifact.runtime_hash
    )
    assert version.usual_address == artifact.address


def test_what_was_released_stays() -> None:
    for (name, number), (code_hash, address, digest) in RELEASED.items():
        version = list_versions(name)[number - 1]
        assert (hex_word(version.code_hash), version.usual_address) == (code_hash, address)
        assert (version.head_slot, version.anchors_slot) == (0, 1)
        path = resources.files("titledeed.proofs") / "artifacts" / version.artifact
        assert sha256(path.read_bytes()).hex() == digest


@pytest.mark.parametrize("name", ContractName)
def test_versions_are_numbered_from_one_and_the_last_is_current(name: ContractName) -> None:
    versions = list_versions(name)
    assert [version.number for version in versions] == list(range(1, len(versions) + 1))
    assert {version.name for version in versions} == {name}
    assert current_version(name) == versions[-1]


def test_no_two_versions_have_code_address_or_artifact_in_common() -> None:
    for field in ("code_hash", "usual_address", "artifact"):
        assert len({getattr(version, field) for version in VERSIONS}) == len(VERSIONS)


def test_a_code_hash_finds_its_version_and_no_other() -> None:
    for version in VERSIONS:
        assert find_version(version.code_hash) == version
    assert find_version(keccak256(b"another contract")) is None
    assert find_version(b"") is None


def test_the_usual_address_of_any_version_is_usual() -> None:
    for version in VERSIONS:
        assert is_usual_address(version.usual_address, version.name)
    assert not is_usual_address(build_address(1))


def test_the_versions_of_the_core_differ_in_what_a_deed_tells_alone() -> None:
    """So the calls, events and signatures of one are those of the other."""
    first, second = (_by_name(version) for version in list_versions(ContractName.TITLE_DEED))
    assert first.keys() == second.keys()
    (changed,) = (name for name in first if first[name] != second[name])
    assert changed == ("deedOf", 1)
    *outputs, transfers = second[changed]["outputs"]
    assert (outputs, transfers["name"]) == (first[changed]["outputs"], "transfers")


def _by_name(version: ContractVersion) -> dict[tuple[str, int], Any]:
    """Everything with a name; functions that share one take different numbers of arguments."""
    interface: Any = load_interface(version)
    return {(item["name"], len(item["inputs"])): item for item in interface if "name" in item}
