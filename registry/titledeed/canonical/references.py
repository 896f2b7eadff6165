"""How documents name other works, and commit to what they do not tell."""

from __future__ import annotations

from titledeed.canonical.documents import Fields, Json, hex_word, leave_out
from titledeed.canonical.field_values import read_registration_id
from titledeed.canonical.hashing import (
    CONTENT_REFERENCE_TAG,
    PROMPT_TAG,
    REGISTRATION_REFERENCE_TAG,
    keccak256,
    sha256,
)
from titledeed.errors import InvariantViolation
from titledeed.models.lineage import WorkReference
from titledeed.models.primitives import Keccak256


def commit_reference(work: WorkReference, salt: bytes) -> Keccak256:
    """Commit to another work without naming it.

    Keccak-256(tag ‖ value ‖ salt), where the value is the content digest, or the SHA-256 of the
    registration id in ASCII; each has its tag, so that no commitment opens to both.

    Args:
        work: named by registration or digest.
        salt: 32 random bytes; whoever gets them can check the commitment.
    """
    if work.content_digest is not None and work.registration_id is None:
        return keccak256(CONTENT_REFERENCE_TAG, work.content_digest, salt)
    if work.registration_id is not None and work.content_digest is None:
        value = sha256(work.registration_id.encode("ascii"))
        return keccak256(REGISTRATION_REFERENCE_TAG, value, salt)
    raise InvariantViolation("a commitment is to one name of a work")


def commit_prompt(text: str, salt: bytes) -> Keccak256:
    """Commit to a prompt: Keccak-256(tag ‖ SHA-256 of its UTF-8 ‖ salt)."""
    return keccak256(PROMPT_TAG, sha256(text.encode("utf-8")), salt)


def encode_reference(work: WorkReference) -> dict[str, Json]:
    """JSON form."""
    return leave_out(
        {
            "registration_id": work.registration_id,
            "content_sha256": work.content_digest.hex() if work.content_digest else None,
            "commitment": hex_word(work.commitment) if work.commitment else None,
        }
    )


def parse_reference(fields: Fields) -> WorkReference:
    """Inverse of ``encode_reference``; what it says beside that, or instead, is kept unread.

    Raises:
        MalformedDocumentError: it names none, or names what its commitment hides.
    """
    commitment = fields.stated("commitment", fields.word)
    work = WorkReference(
        registration_id=fields.stated(
            "registration_id", lambda name: read_registration_id(fields, name)
        ),
        content_digest=fields.stated("content_sha256", fields.sha256),
        commitment=None if commitment is None else Keccak256(commitment),
    )
    named = encode_reference(work)
    if not named and not fields.has_more:
        raise fields.fail("registration_id", "or content_sha256 or commitment must be there")
    if work.commitment is not None and len(named) > 1:
        raise fields.fail("commitment", "must stand alone: the work beside it is what it hides")
    fields.done()
    return work
