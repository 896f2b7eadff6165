"""Matches: which seconds of a query are which seconds of a registered work."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.interval import Interval
from titledeed.models.primitives import RegistrationId


class MatchClass(StrEnum):
    """How a query relates to one registered work."""

    SAME_FILE = "same file"
    COPY = "copy"
    CLIP_OF = "clip of"
    CONTAINS = "contains"
    SHARES_CONTENT = "shares content"
    NONE = "none"


class Channel(StrEnum):
    """What of a file matched."""

    PICTURE = "picture"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched with: the codes that would be registered, and nothing else of the file.

    Attributes:
        duration_s: 0 for a still picture.
    """

    codes: tuple[FingerprintCode, ...]
    duration_s: float


@dataclass(frozen=True, slots=True)
class Segment:
    """One aligned run. For still pictures both intervals are empty (0 to 0).

    Attributes:
        query: seconds of the query.
        work: seconds of the registered work.
        speed: work seconds per query second; above 1 the query was sped up.
        mirrored: whether the query is flipped horizontally.
        channel: whether pictures or sound matched.
        is_same_recording: whether it follows the work in time, or shows all of its picture; False
            where only a part is common, such as one stem, or the room behind two takes.
    """

    query: Interval
    work: Interval
    speed: float
    mirrored: bool
    channel: Channel = Channel.PICTURE
    is_same_recording: bool = True


@dataclass(frozen=True, slots=True)
class WorkMatch:
    """All segments of one registered work found in a query.

    Attributes:
        score: in (0, 1); at 0.5 the evidence is what the calibration asks for, and more evidence
            comes nearer to 1.
        relation: never ``SAME_FILE``, which only digests tell, nor ``NONE``.
    """

    registration_id: RegistrationId
    score: float
    relation: MatchClass
    segments: tuple[Segment, ...]

    @property
    def shown(self) -> tuple[Segment, ...]:
        """Where the query shows or plays the work."""
        return tuple(segment for segment in self.segments if segment.is_same_recording)

    @property
    def shared(self) -> tuple[Segment, ...]:
        """Where the two only have something in common."""
        return tuple(segment for segment in self.segments if not segment.is_same_recording)
