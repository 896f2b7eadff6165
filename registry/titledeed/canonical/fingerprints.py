"""Fingerprint codes, and the digest of all codes of an asset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from titledeed.canonical.documents import (
    Fields,
    Json,
    base64_text,
    digest_document,
)
from titledeed.canonical.hashing import sha256
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.primitives import Sha256

FINGERPRINTS_SCHEMA: Final = "titledeed.fingerprints/1"
ALGORITHMS_MAX: Final = 32
ALGORITHM_VERSION_MAX: Final = 65_535


def digest_fingerprints(codes: Sequence[FingerprintCode]) -> Sha256:
    """Digest over algorithm, version and SHA-256 of the code of each, in the order given."""
    return digest_document(
        {
            "schema": FINGERPRINTS_SCHEMA,
            "fingerprints": [
                {
                    "algorithm": code.algorithm,
                    "version": code.version,
                    "code_sha256": sha256(code.code).hex(),
                }
                for code in codes
            ],
        }
    )


def encode_fingerprint(code: FingerprintCode) -> dict[str, Json]:
    """JSON form, with the whole code."""
    return {
        "algorithm": code.algorithm,
        "version": code.version,
        "code": base64_text(code.code),
    }


def parse_fingerprint(fields: Fields) -> FingerprintCode:
    """Inverse of ``encode_fingerprint``.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    code = FingerprintCode(
        algorithm=fields.term("algorithm"),
        version=fields.integer("version", minimum=1, maximum=ALGORITHM_VERSION_MAX),
        code=fields.blob("code"),
    )
    fields.done()
    return code
