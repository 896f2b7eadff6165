"""The Record as canonical JSON."""

from __future__ import annotations

from typing import Final

from titledeed.canonical.claims import encode_signed_claim, parse_signed_claim
from titledeed.canonical.documents import Fields, Json, digest_document
from titledeed.models.asset import MediaFacts, MediaType
from titledeed.models.primitives import Sha256
from titledeed.models.record import Credential, Record

RECORD_SCHEMA: Final = "titledeed.record/1"


def digest_record(record: Record) -> Sha256:
    """SHA-256 of the Record's RFC 8785 form."""
    return digest_document(encode_record(record))


def encode_record(record: Record) -> dict[str, Json]:
    """JSON form."""
    return {
        "schema": RECORD_SCHEMA,
        "claim": encode_signed_claim(record.signed_claim),
        "credential": _encode_credential(record.credential) if record.credential else None,
        "media": encode_facts(record.facts),
    }


def parse_record(fields: Fields) -> Record:
    """Inverse of ``encode_record``; checks form, not the signature.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    fields.literal("schema", RECORD_SCHEMA)
    record = Record(
        signed_claim=parse_signed_claim(fields.child("claim")),
        credential=fields.optional(
            "credential", lambda name: _parse_credential(fields.child(name))
        ),
        facts=parse_facts(fields.child("media")),
    )
    fields.done()
    return record


def _encode_credential(credential: Credential) -> dict[str, Json]:
    return {
        "signed_sha256": credential.signed_digest.hex(),
        "manifest_id": credential.manifest_id,
        "manifest_sha256": credential.manifest_digest.hex(),
    }


def _parse_credential(fields: Fields) -> Credential:
    credential = Credential(
        signed_digest=fields.sha256("signed_sha256"),
        manifest_id=fields.text("manifest_id", length_max=300),
        manifest_digest=fields.sha256("manifest_sha256"),
    )
    fields.done()
    return credential


def encode_facts(facts: MediaFacts) -> dict[str, Json]:
    """JSON form of the technical facts."""
    return {
        "media_type": facts.media_type.value,
        "size_bytes": facts.size_bytes,
        "width": facts.width,
        "height": facts.height,
        "duration_ms": facts.duration_ms,
        "frame_count": facts.frame_count,
        "codec": facts.codec,
        "audio_codec": facts.audio_codec,
    }


def parse_facts(fields: Fields) -> MediaFacts:
    """Inverse of ``encode_facts``.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    media_type = fields.text("media_type")
    if media_type not in set(MediaType):
        raise fields.fail("media_type", "is not a known media type")
    facts = MediaFacts(
        media_type=MediaType(media_type),
        size_bytes=fields.integer("size_bytes", minimum=1),
        width=fields.integer("width"),
        height=fields.integer("height"),
        duration_ms=fields.integer("duration_ms"),
        frame_count=fields.integer("frame_count"),
        codec=fields.text("codec", length_max=100),
        audio_codec=fields.text("audio_codec", length_max=100),
    )
    fields.done()
    return facts
