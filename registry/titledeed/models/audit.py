"""An audit's facts and its report."""

from __future__ import annotations

from dataclasses import dataclass

from titledeed.models.disclosure import FilmDisclosure
from titledeed.models.finding import Finding, Outcome
from titledeed.models.interval import Interval, ShareBounds
from titledeed.models.match import WorkMatch
from titledeed.models.primitives import RegistrationId, Sha256
from titledeed.models.registration import Coverage, Registration


@dataclass(frozen=True, slots=True)
class TimelineShot:
    """One shot that a timeline names, in seconds of the film."""

    name: str
    time: Interval


@dataclass(frozen=True, slots=True)
class Timeline:
    """The base track of an edit.

    Attributes:
        shots: in the order of the film; gaps are no shots.
        duration_s: length of the track, gaps included.
    """

    shots: tuple[TimelineShot, ...]
    rate: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class FilmEvidence:
    """Everything gathered about one submission; the audit itself only reads this.

    Attributes:
        film_name: file name; hostile text.
        duration_s: 0 when the film could not be read; nothing can be assessed then.
        timeline: None when the submission holds none; shots are then never counted.
        matches: registered works found in the film.
        works: the registration behind each match.
        coverages: imported snapshots that were searched.
        own_registrations: how many of this home's own were searched.
        submitted_bundles: how many evidence bundles of the submission were searched.
        manifest_source_types: from the film's own credentials, only where they are intact.
        unassessed: why parts could not be assessed, one line each; hostile text.
        as_of: seconds since 1970; the only time that enters a report.
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
    """A registered work inside the film.

    Attributes:
        declared: whether the disclosure names it; None where the disclosure does not say.
        film_time: the union of the matched seconds, inside the film.
        undeclared_time: the part of it in segments that no declared use covers.
    """

    registration_id: RegistrationId
    title: str
    source_type: str
    is_generative: bool
    declared: bool | None
    film_time: tuple[Interval, ...]
    undeclared_time: tuple[Interval, ...]
    match: WorkMatch


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the film, in milliseconds or in shots, so that bounds are exact.

    Attributes:
        total: milliseconds of the film, or shots of the timeline.
        detected: lower is what shows a registered generative work; upper adds all that is
            unresolved.
        known: the same with what the disclosure itself declares added to the lower bound; share
            claims are compared with this one.
    """

    total: int
    detected: ShareBounds
    known: ShareBounds


@dataclass(frozen=True, slots=True)
class RuleSource:
    """Where a rule pack's text comes from."""

    url: str | None
    title: str
    published: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class PackInfo:
    """What a rule pack says about itself. Dates are ISO 8601 text, as written.

    Attributes:
        status: ``binding``, ``guidance``, ``research``, ``draft`` or ``hypothetical``.
        addressee: whose duty the rules are, for example ``producer``.
        confidence: ``primary_source`` or ``secondary_source``.
    """

    id: str
    title: str
    edition: str | None
    status: str
    addressee: str
    confidence: str
    notice: str
    checked_on: str
    valid_from: str | None
    valid_to: str | None
    sources: tuple[RuleSource, ...]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What one audit tells; JSON and HTML are rendered from it.

    Attributes:
        generative_time: seconds of the film that show registered generative works.
        declared_time: seconds that the disclosure declares as AI, by range or by naming a work
            that was found.
        shot_share: None unless a timeline that fits the film names the shots.
        pack: the rule pack applied; None when none was.
    """

    evidence: FilmEvidence
    works: tuple[DetectedWork, ...]
    generative_time: tuple[Interval, ...]
    declared_time: tuple[Interval, ...]
    time_share: Share
    shot_share: Share | None
    findings: tuple[Finding, ...]
    outcome: Outcome
    pack: PackInfo | None = None
