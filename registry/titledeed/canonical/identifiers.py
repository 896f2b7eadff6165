"""Addresses (EIP-55), registration ids and deed ids."""

from __future__ import annotations

import base64
import re

from titledeed.canonical.hashing import DEED_TAG, REGISTRATION_TAG, keccak256, word
from titledeed.errors import InvalidRequestError, MalformedDocumentError
from titledeed.models.primitives import (
    Address,
    DeedId,
    Keccak256,
    RegistrationId,
    Sha256,
    Subject,
)

ZERO_ADDRESS = Address("0x" + "00" * 20)

_REGISTRATION_ID = re.compile(r"td1[a-z2-7]{32}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def address_from_bytes(raw: bytes) -> Address:
    """EIP-55 mixed-case form of 20 bytes."""
    digits = raw.hex()
    checks = keccak256(digits.encode("ascii")).hex()
    mixed = (d.upper() if int(c, 16) >= 8 else d for d, c in zip(digits, checks, strict=False))
    return Address("0x" + "".join(mixed))


def address_bytes(address: Address) -> bytes:
    """The 20 bytes of an address."""
    return bytes.fromhex(address[2:])


def address_word(address: Address) -> bytes:
    """An address left-padded to 32 bytes, as the ABI encodes it."""
    return address_bytes(address).rjust(32, b"\0")


def parse_address(text: str) -> Address:
    """Parse an address in EIP-55 form.

    Raises:
        MalformedDocumentError: not 20 bytes of hex, or the mixed case does not fit (EIP-55).
    """
    if _ADDRESS.fullmatch(text):
        address = address_from_bytes(bytes.fromhex(text[2:]))
        if text == address:
            return address
    raise MalformedDocumentError(f"{text[:60]!r} is not an address in EIP-55 form")


def derive_registration_id(
    domain_separator: Keccak256, claimant: Address, content_digest: Sha256
) -> RegistrationId:
    """The id of the one registration of these bytes by this claimant on this chain.

    ``td1`` and the lower-case base32 (RFC 4648) of the first 20 bytes of
    Keccak-256(tag ‖ domain separator ‖ claimant ‖ content digest).
    """
    raw = keccak256(REGISTRATION_TAG, domain_separator, address_word(claimant), content_digest)
    return RegistrationId("td1" + base64.b32encode(raw[:20]).decode("ascii").lower())


def derive_deed_id(claimant: Address, content_digest: Sha256) -> DeedId:
    """Token id of the one deed of a claimant on a content, issued or not.

    Keccak-256(tag ‖ claimant ‖ content digest) as a number, as ``TitleDeed.deedIdOf`` computes it.
    """
    digest = keccak256(DEED_TAG, address_word(claimant), content_digest)
    return DeedId(int.from_bytes(digest, "big"))


def deed_word(deed: DeedId) -> Subject:
    """A deed id as the subject of an entry on chain, 32 bytes."""
    return Subject(word(deed))


def parse_registration_id(text: str) -> RegistrationId:
    """Check the form of an id that somebody typed.

    Raises:
        InvalidRequestError: it is no registration id.
    """
    if not _REGISTRATION_ID.fullmatch(text):
        raise InvalidRequestError(
            f"{text[:60]!r} is not a registration id",
            next_step="A registration id is td1 followed by 32 letters and digits.",
        )
    return RegistrationId(text)
