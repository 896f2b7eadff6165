"""EIP-712 typed data: struct hashes, and what a wallet is handed. No nested structs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from titledeed.canonical.documents import Json, hex_word
from titledeed.canonical.hashing import keccak256, word
from titledeed.canonical.identifiers import address_word
from titledeed.errors import InvariantViolation
from titledeed.models.primitives import Address, Keccak256

Member = str | bytes | int | Sequence[str]

DOMAIN: Final = "EIP712Domain"
SIGNATURE_LENGTH_MAX: Final = 8_192
"""An ERC-1271 signature may be long; ours are 65 bytes."""


def hash_struct(struct: str, values: Mapping[str, Member]) -> Keccak256:
    """``hashStruct``: Keccak-256 over the type's hash and each member.

    Args:
        struct: ``encodeType``, for example ``Person(address wallet,string name)``.
        values: each member under its name.
    """
    members = (_hash_member(kind, values[name]) for name, kind in _members(struct))
    return keccak256(_hash_type(struct), *members)


def hash_typed(separator: Keccak256, struct: Keccak256) -> Keccak256:
    """What is signed: ``0x19 0x01 ‖ domain separator ‖ struct hash``."""
    return keccak256(b"\x19\x01", separator, struct)


def describe_typed(
    struct: str, values: Mapping[str, Member], domain_struct: str, domain: Mapping[str, Member]
) -> dict[str, Json]:
    """The argument of ``eth_signTypedData_v4``.

    Members stand in the order of their type: wallets show a message as it comes, and some show
    what no type names, so nothing else is in it.
    """
    name = struct.partition("(")[0]
    return {
        "types": {DOMAIN: _describe_type(domain_struct), name: _describe_type(struct)},
        "primaryType": name,
        "domain": _describe_values(domain_struct, domain),
        "message": _describe_values(struct, values),
    }


@cache
def _hash_type(struct: str) -> Keccak256:
    """``typeHash``; types are few, and each is hashed for every claim of a batch."""
    return keccak256(struct.encode("ascii"))


@cache
def _members(struct: str) -> tuple[tuple[str, str], ...]:
    """Name and Solidity type of each member."""
    listed = struct.partition("(")[2].removesuffix(")").split(",")
    return tuple((name, kind) for kind, _, name in (member.partition(" ") for member in listed))


def _describe_type(struct: str) -> list[Json]:
    return [{"name": name, "type": kind} for name, kind in _members(struct)]


def _describe_values(struct: str, values: Mapping[str, Member]) -> dict[str, Json]:
    return {name: _describe_value(values[name]) for name, _ in _members(struct)}


def _describe_value(value: Member) -> Json:
    if isinstance(value, bytes):
        return hex_word(value)
    return value if isinstance(value, (str, int)) else list(value)


def _hash_member(kind: str, value: Member) -> bytes:
    """``encodeData``: of a text or a list the hash."""
    match kind, value:
        case "string", str():
            return keccak256(value.encode("utf-8"))
        case "address", str():
            return address_word(Address(value))
        case "bytes32", bytes():
            return value
        case (("uint64" | "uint256"), int()):
            return word(value)
        case "string[]", list() | tuple():
            return keccak256(*(keccak256(text.encode("utf-8")) for text in value))
    raise InvariantViolation(f"{value!r} is no {kind}")
