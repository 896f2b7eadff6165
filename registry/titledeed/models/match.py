"""Matches: which seconds of a query are which seconds of a registered work."""

from __future__ import annotations

from dataclasses import dataclass

from titledeed.models.interval import Interval
from titledeed.models.primitives import RegistrationId


@dataclass(frozen=True, slots=True)
class Segment:
    """One aligned run. For still pictures both intervals are empty (0 to 0).

    Attributes:
        query: seconds of the query.
        work: seconds of the registered work.
        speed: work seconds per query second; above 1 the query was sped up.
        mirrored: whether the query is flipped horizontally.
    """

    query: Interval
    work: Interval
    speed: float
    mirrored: bool


@dataclass(frozen=True, slots=True)
class WorkMatch:
    """All segments of one registered work found in a query, with a score in (0, 1]."""

    registration_id: RegistrationId
    score: float
    segments: tuple[Segment, ...]
