"""Lineage: from which other works a work was made, as its claimant states."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from titledeed.models.primitives import Keccak256, RegistrationId, Sha256
from titledeed.models.unread import Unread


class Relation(StrEnum):
    """How a source relates to the work: the ingredient relationships of C2PA 2.4."""

    PARENT_OF = "parentOf"
    COMPONENT_OF = "componentOf"
    INPUT_TO = "inputTo"


class VariantKind(StrEnum):
    """What kind of variant of its parent a work is; other words are read as well."""

    CUT = "cut"
    TRAILER = "trailer"
    DUB = "dub"
    SUBTITLED = "subtitled"
    ASPECT_RATIO = "aspect_ratio"
    STORY_VARIANT = "story_variant"
    PERSONALISED = "personalised"
    LOCALISED = "localised"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class WorkReference:
    """Another work, by its registration, its bytes or both, or by a commitment alone.

    None of them is stated where a later release names works otherwise.

    Attributes:
        registration_id: of its registration, on whatever chain.
        content_digest: of its bytes.
        commitment: a salted commitment to one of both, which hides the work until the salt is told
            (``canonical.references``).
    """

    registration_id: RegistrationId | None = None
    content_digest: Sha256 | None = None
    commitment: Keccak256 | None = None


@dataclass(frozen=True, slots=True)
class SourceSegment:
    """Which time of a source is which time of the work, in milliseconds; ends are exclusive."""

    start_ms: int
    end_ms: int
    source_start_ms: int
    source_end_ms: int


@dataclass(frozen=True, slots=True)
class Source:
    """One work from which another was made.

    Attributes:
        relation: a word of ``Relation``, or one that a later release writes.
        kind: a word of ``VariantKind`` or another, where the work is a variant of this parent.
        language: of the variant (BCP 47).
        segments: empty where no times are stated.
    """

    work: WorkReference
    relation: str
    kind: str | None = None
    language: str | None = None
    segments: tuple[SourceSegment, ...] = ()


@dataclass(frozen=True, slots=True)
class Lineage:
    """The document behind a Claim's lineage digest. Nothing stated is not "made from nothing"."""

    sources: tuple[Source, ...] = ()
    unread: tuple[Unread, ...] = ()
