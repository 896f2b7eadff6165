"""What opens commitments: kept by whoever made them, and never in a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from titledeed.canonical.documents import Fields, Json, hex_word, leave_out
from titledeed.canonical.field_values import read_registration_id
from titledeed.canonical.identifiers import parse_registration_id
from titledeed.canonical.leaves import commit_consent
from titledeed.canonical.references import commit_prompt, commit_reference
from titledeed.errors import InvalidRequestError, ProofError
from titledeed.models.lineage import WorkReference
from titledeed.models.primitives import Keccak256, RegistrationId, Salt, Sha256
from titledeed.models.record import CommitmentKind, Opening

OPENINGS: Final = "titledeed.openings"
OPENINGS_MAX: Final = 10_000
VALUE_LENGTH_MAX: Final = 1_000_000
"""Characters: a prompt may be a whole screenplay."""


def encode_openings(
    registration_id: RegistrationId, openings: Sequence[Opening]
) -> dict[str, Json]:
    """JSON form of what opens the commitments of one registration."""
    return leave_out(
        {
            "schema": f"{OPENINGS}/1",
            "registration_id": registration_id,
            "openings": [
                {
                    "kind": opening.kind.value,
                    "commitment": hex_word(opening.commitment),
                    "salt": hex_word(opening.salt),
                    "value": opening.value,
                }
                for opening in openings
            ],
        }
    )


def parse_openings(fields: Fields) -> tuple[RegistrationId, tuple[Opening, ...]]:
    """Inverse of ``encode_openings``; checks form, not the commitments.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    fields.version(OPENINGS, (1,))
    registration_id = read_registration_id(fields, "registration_id")
    openings = tuple(map(_parse_opening, fields.listed("openings", items_max=OPENINGS_MAX)))
    fields.done()
    return registration_id, openings


def require_opening(opening: Opening) -> None:
    """Check that a commitment stands for what its opening says.

    Raises:
        ProofError: it stands for something else, or the value has not the form of its kind.
    """
    try:
        opened = _commit(opening)
    except (ValueError, InvalidRequestError) as error:
        raise ProofError(f"the opening holds no {opening.kind.value}") from error
    if opened != opening.commitment:
        raise ProofError("the opening does not give the commitment")


def _commit(opening: Opening) -> Keccak256:
    match opening.kind:
        case CommitmentKind.PROMPT:
            return commit_prompt(opening.value, opening.salt)
        case CommitmentKind.REGISTRATION:
            work = WorkReference(parse_registration_id(opening.value))
            return commit_reference(work, opening.salt)
        case CommitmentKind.CONTENT:
            work = WorkReference(content_digest=_digest(opening.value))
            return commit_reference(work, opening.salt)
        case CommitmentKind.CONSENT:
            return commit_consent(_digest(opening.value), opening.salt)


def _digest(text: str) -> Sha256:
    digest = Sha256(bytes.fromhex(text))
    if len(digest) != 32 or digest.hex() != text:
        raise ValueError("not 64 lower-case hex digits")
    return digest


def _parse_opening(fields: Fields) -> Opening:
    kind = fields.text("kind")
    if kind not in set(CommitmentKind):
        raise fields.fail("kind", f"must be {', '.join(CommitmentKind)}")
    opening = Opening(
        kind=CommitmentKind(kind),
        commitment=Keccak256(fields.word("commitment")),
        salt=Salt(fields.word("salt")),
        value=fields.text("value", length_max=VALUE_LENGTH_MAX),
    )
    fields.done()
    return opening
