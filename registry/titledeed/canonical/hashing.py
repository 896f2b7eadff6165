"""The two hash functions, and the tags that keep their uses apart."""

from __future__ import annotations

import hashlib
from typing import Final

import sha3

from titledeed.models.primitives import Keccak256, Sha256


def keccak256(*parts: bytes) -> Keccak256:
    """Keccak-256 (the Ethereum variant) over the concatenated parts."""
    return Keccak256(sha3.keccak_256(b"".join(parts)).digest())


def sha256(data: bytes) -> Sha256:
    """SHA-256."""
    return Sha256(hashlib.sha256(data).digest())


def word(number: int) -> bytes:
    """A uint256 in its 32-byte big-endian ABI form."""
    return number.to_bytes(32, "big")


CONTENT_TAG: Final = keccak256(b"titledeed.content.v1")
RECORD_TAG: Final = keccak256(b"titledeed.record.v1")
LEAF_TAG: Final = keccak256(b"titledeed.leaf.v1")
ROOT_TAG: Final = keccak256(b"titledeed.root.v1")
DEED_TAG: Final = keccak256(b"titledeed.deed.v1")
CONSENT_TAG: Final = keccak256(b"titledeed.consent.v1")
CONSENT_LEAF_TAG: Final = keccak256(b"titledeed.consent-leaf.v1")
PROMPT_TAG: Final = keccak256(b"titledeed.prompt.v1")
REGISTRATION_REFERENCE_TAG: Final = keccak256(b"titledeed.registration-reference.v1")
CONTENT_REFERENCE_TAG: Final = keccak256(b"titledeed.content-reference.v1")
REGISTRATION_TAG: Final = keccak256(b"titledeed.registration.v1")
