"""The Record as canonical JSON."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from titledeed.canonical.claims import encode_signed_claim, parse_signed_claim
from titledeed.canonical.documents import (
    TERM_LENGTH_MAX,
    Fields,
    Json,
    digest_document,
    leave_out,
    put_back,
)
from titledeed.models.asset import MediaFacts
from titledeed.models.evidence import Credential
from titledeed.models.primitives import Sha256
from titledeed.models.record import Record

RECORD: Final = "titledeed.record"
MANIFEST_ID_LENGTH_MAX: Final = 300


def digest_record(record: Record) -> Sha256:
    """SHA-256 of the Record's RFC 8785 form."""
    return digest_document(encode_record(record))


def encode_record(record: Record) -> dict[str, Json]:
    """JSON form, in the version in which it was made."""
    document: dict[str, Json] = {
        "schema": f"{RECORD}/{record.version}",
        "claim": encode_signed_claim(record.signed_claim),
        "credential": _encode_credential(record.credential) if record.credential else None,
        "media": encode_facts(record.facts),
    }
    if record.version == 1:
        document["media"] = {**encode_facts(record.facts), **_name_codecs(record.facts)}
    return put_back(document if record.version == 1 else leave_out(document), record.unread)


def parse_record(fields: Fields) -> Record:
    """Inverse of ``encode_record``; keeps what it does not know, and checks no signature.

    Raises:
        MalformedDocumentError: a field is missing or of the wrong form, or the claim is of another
            version.
    """
    unread = fields.keep_unread()
    version = fields.version(RECORD, (1, 2))
    unstated = fields.nullable if version == 1 else fields.stated
    record = Record(
        signed_claim=parse_signed_claim(fields.child("claim")),
        credential=unstated("credential", lambda name: _parse_credential(fields.child(name))),
        facts=parse_facts(fields.child("media"), is_first=version == 1),
        version=version,
    )
    if (record.signed_claim.claim.statement is None) is not (version == 1):
        raise fields.fail("claim", "is of another version than its record")
    fields.done()
    return replace(record, unread=tuple(unread))


def _encode_credential(credential: Credential) -> dict[str, Json]:
    return {
        "signed_sha256": credential.signed_digest.hex(),
        "manifest_id": credential.manifest_id,
        "manifest_sha256": credential.manifest_digest.hex(),
    }


def _parse_credential(fields: Fields) -> Credential:
    credential = Credential(
        signed_digest=fields.sha256("signed_sha256"),
        manifest_id=fields.phrase("manifest_id", length_max=MANIFEST_ID_LENGTH_MAX),
        manifest_digest=fields.sha256("manifest_sha256"),
    )
    fields.done()
    return credential


def encode_facts(facts: MediaFacts) -> dict[str, Json]:
    """JSON form of the technical facts."""
    codecs = {name: codec for name, codec in _name_codecs(facts).items() if codec}
    return {
        "media_type": str(facts.media_type),
        "size_bytes": facts.size_bytes,
        "width": facts.width,
        "height": facts.height,
        "duration_ms": facts.duration_ms,
        "frame_count": facts.frame_count,
        **codecs,
    }


def parse_facts(fields: Fields, *, is_first: bool = False) -> MediaFacts:
    """Inverse of ``encode_facts``.

    Args:
        fields: the object.
        is_first: whether it is of a record of version 1, which names codecs that there are not.

    Raises:
        MalformedDocumentError: a field is missing or of the wrong form.
    """
    read_codec = partial(fields.text, length_max=TERM_LENGTH_MAX)
    facts = MediaFacts(
        media_type=fields.term("media_type"),
        size_bytes=fields.integer("size_bytes", minimum=1),
        width=fields.integer("width"),
        height=fields.integer("height"),
        duration_ms=fields.integer("duration_ms"),
        frame_count=fields.integer("frame_count"),
        codec=read_codec("codec") if is_first else fields.stated("codec", fields.term) or "",
        audio_codec=(
            read_codec("audio_codec")
            if is_first
            else fields.stated("audio_codec", fields.term) or ""
        ),
    )
    fields.done()
    return facts


def _name_codecs(facts: MediaFacts) -> dict[str, Json]:
    return {"codec": facts.codec, "audio_codec": facts.audio_codec}
