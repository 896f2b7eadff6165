"""The documents behind a Claim's digests: fingerprints, disclosure, rights."""

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
from titledeed.canonical.identifiers import parse_address
from titledeed.models.disclosure import AssetDisclosure, DigitalSourceType, HumanOversight
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.primitives import Sha256
from titledeed.models.rights import SHARES_TOTAL, RightsHolder, RightsStatement

FINGERPRINTS_SCHEMA: Final = "titledeed.fingerprints/1"
DISCLOSURE_SCHEMA: Final = "titledeed.disclosure/1"
RIGHTS_SCHEMA: Final = "titledeed.rights/1"
TITLE_LENGTH_MAX: Final = 300
ALGORITHMS_MAX: Final = 32
HOLDERS_MAX: Final = 100


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
        algorithm=fields.text("algorithm", length_max=100),
        version=fields.integer("version", minimum=1, maximum=65_535),
        code=fields.blob("code"),
    )
    fields.done()
    return code


def encode_disclosure(disclosure: AssetDisclosure) -> dict[str, Json]:
    """The disclosure document of one asset."""
    return {
        "schema": DISCLOSURE_SCHEMA,
        "digital_source_type": disclosure.source_type.value,
        "model_name": disclosure.model_name,
        "model_identifier": disclosure.model_identifier,
        "human_oversight": disclosure.oversight.value if disclosure.oversight else None,
    }


def parse_disclosure(fields: Fields) -> AssetDisclosure:
    """Inverse of ``encode_disclosure``.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    fields.literal("schema", DISCLOSURE_SCHEMA)
    source_type = fields.text("digital_source_type")
    oversight = fields.optional("human_oversight", fields.text)
    if source_type not in set(DigitalSourceType):
        raise fields.fail("digital_source_type", "is not an IPTC digital source type")
    if oversight is not None and oversight not in set(HumanOversight):
        raise fields.fail("human_oversight", "is not a C2PA oversight level")
    disclosure = AssetDisclosure(
        source_type=DigitalSourceType(source_type),
        model_name=fields.optional("model_name", fields.text),
        model_identifier=fields.optional("model_identifier", fields.text),
        oversight=HumanOversight(oversight) if oversight else None,
    )
    fields.done()
    return disclosure


def encode_rights(rights: RightsStatement) -> dict[str, Json]:
    """The rights statement."""
    return {
        "schema": RIGHTS_SCHEMA,
        "title": rights.title,
        "holders": [
            {"account": holder.account, "share_ppm": holder.share_ppm, "role": holder.role}
            for holder in rights.holders
        ],
        "credits": list(rights.credits),
    }


def parse_rights(fields: Fields) -> RightsStatement:
    """Inverse of ``encode_rights``.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form, or the shares
            do not add up.
    """
    fields.literal("schema", RIGHTS_SCHEMA)
    title = fields.text("title", length_max=TITLE_LENGTH_MAX)
    holders = []
    for item in fields.children("holders", items_max=HOLDERS_MAX):
        holders.append(
            RightsHolder(
                account=parse_address(item.text("account")),
                share_ppm=item.integer("share_ppm", minimum=1, maximum=SHARES_TOTAL),
                role=item.text("role", length_max=100),
            )
        )
        item.done()
    if sum(holder.share_ppm for holder in holders) != SHARES_TOTAL:
        raise fields.fail("holders", f"must have shares that add up to {SHARES_TOTAL}")
    statement = RightsStatement(title, tuple(holders), fields.texts("credits", items_max=1_000))
    fields.done()
    return statement
