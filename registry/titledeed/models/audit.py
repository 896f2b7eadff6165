"""An audit's facts and its report."""

from __future__ import annotations

from dataclasses import dataclass

from titledeed.models.disclosure import DigitalSourceType, FilmDisclosure
from titledeed.models.finding import Finding, Outcome
from titledeed.models.interval import Interval, ShareBounds
from titledeed.models.match import WorkMatch
from titledeed.models.primitives import RegistrationId, Sha256
from titledeed.models.registration import Coverage, Registration


@dataclass(frozen=True, slots=True)
class Shot:
    """One shot that a timeline names, in seconds of the film."""

    name: str
    time: Interval


@dataclass(frozen=True, slots=True)
class Timeline:
    """The base track of an edit."""

    shots: tuple[Shot, ...]
    rate: float


@dataclass(frozen=True, slots=True)
class FilmEvidence:
    """Everything gathered about one submission; the audit itself only reads this.

    Attributes:
        film_name: file name; hostile text.
        timeline: None when the submission holds none; shots are then never counted.
        matches: registered works found in the film.
        works: the registration behind each match.
        coverages: imported snapshots that were searched.
        own_registrations: how many of this home's own were searched.
        unassessed: why parts could not be assessed, one line each.
    """

    film_name: str
    film_digest: Sha256
    duration_s: float
    disclosure: FilmDisclosure | None
    timeline: Timeline | None
    matches: tuple[WorkMatch, ...]
    works: dict[RegistrationId, Registration]
    coverages: tuple[Coverage, ...]
    own_registrations: int
    submitted_bundles: int
    manifest_source_types: tuple[str, ...]
    unassessed: tuple[str, ...]
    as_of: int


@dataclass(frozen=True, slots=True)
class DetectedWork:
    """A registered work inside the film."""

    registration_id: RegistrationId
    title: str
    source_type: DigitalSourceType
    is_generative: bool
    declared: bool | None
    """Whether a declared use covers it; None where the disclosure lists no uses."""
    match: WorkMatch


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What one audit tells; JSON and HTML are rendered from it.

    Attributes:
        time_share: share of the film's time that shows registered generative works; the upper
            bound adds all that is unresolved.
        shot_share: the same in shots; None unless a timeline names them.
        pack_id: the rule pack applied.
    """

    evidence: FilmEvidence
    works: tuple[DetectedWork, ...]
    generative_time: tuple[Interval, ...]
    time_share: ShareBounds
    shot_share: ShareBounds | None
    findings: tuple[Finding, ...]
    outcome: Outcome
    pack_id: str
    pack_status: str
    pack_notice: str
