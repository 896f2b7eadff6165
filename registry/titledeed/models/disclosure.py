"""AI disclosure: of one asset, and of a whole film (the ``mini`` profile of ``aidisc/1``)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from titledeed.models.interval import Interval
from titledeed.models.primitives import RegistrationId, Sha256

IPTC_BASE = "http://cv.iptc.org/newscodes/digitalsourcetype/"


class DigitalSourceType(StrEnum):
    """IPTC NewsCodes digital source types that Titledeed writes; retired ones are read only."""

    DIGITAL_CAPTURE = "digitalCapture"
    COMPUTATIONAL_CAPTURE = "computationalCapture"
    NEGATIVE_FILM = "negativeFilm"
    POSITIVE_FILM = "positiveFilm"
    PRINT = "print"
    HUMAN_EDITS = "humanEdits"
    COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA = "compositeWithTrainedAlgorithmicMedia"
    ALGORITHMICALLY_ENHANCED = "algorithmicallyEnhanced"
    DIGITAL_CREATION = "digitalCreation"
    DATA_DRIVEN_MEDIA = "dataDrivenMedia"
    TRAINED_ALGORITHMIC_MEDIA = "trainedAlgorithmicMedia"
    ALGORITHMIC_MEDIA = "algorithmicMedia"
    SCREEN_CAPTURE = "screenCapture"
    VIRTUAL_RECORDING = "virtualRecording"
    COMPOSITE = "composite"
    COMPOSITE_CAPTURE = "compositeCapture"
    COMPOSITE_SYNTHETIC = "compositeSynthetic"

    @property
    def uri(self) -> str:
        """The term's NewsCodes URI."""
        return IPTC_BASE + self.value

    @property
    def is_generative(self) -> bool:
        """Whether the C2PA signal rules count the term as generative AI."""
        return self in GENERATIVE_SOURCE_TYPES


GENERATIVE_SOURCE_TYPES = frozenset(
    {
        DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA,
        DigitalSourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA,
        DigitalSourceType.COMPOSITE_SYNTHETIC,
    }
)
"""From c2pa-org/conformance-public, globals-signals.yml."""


class HumanOversight(StrEnum):
    """``humanOversightLevel`` of the C2PA 2.4 ``c2pa.ai-disclosure`` assertion."""

    FULLY_AUTONOMOUS = "fully_autonomous"
    PROMPT_GUIDED = "prompt_guided"
    HUMAN_VALIDATED = "human_validated"


@dataclass(frozen=True, slots=True)
class AssetDisclosure:
    """What the claimant discloses about one asset; the document behind the disclosure digest.

    ``model_name``, ``model_identifier`` and ``oversight`` may be unstated; absent is not "none".
    """

    source_type: DigitalSourceType
    model_name: str | None = None
    model_identifier: str | None = None
    oversight: HumanOversight | None = None


class DeclaredUse(StrEnum):
    """A film-maker's answer to "was AI used?"."""

    NONE = "none"
    ASSISTIVE = "assistive"
    GENERATIVE = "generative"
    UNSURE = "unsure"


class ShareMetric(StrEnum):
    """What a claimed share counts; a share without a metric is not comparable.

    "Any" counts a shot, second or frame as soon as it shows any AI. The first three are measured;
    the others are part of ``aidisc/1`` and are read, never compared.
    """

    SHOTS_ANY = "shots_any"
    SECONDS_ANY = "seconds_any"
    FRAMES_ANY = "frames_any"
    SHOTS_FULL = "shots_full"
    FRAMES_FULL = "frames_full"
    COVERAGE_WEIGHTED = "coverage_weighted"
    MUSIC_SECONDS = "music_seconds"
    VOICE_SECONDS = "voice_seconds"
    BUDGET_SHARE = "budget_share"


class ShareUnit(StrEnum):
    """What the value of a claimed share is given in."""

    RATIO = "ratio"
    SECONDS = "s"
    FRAMES = "frames"
    COUNT = "count"
    CURRENCY = "currency"


class Qualifier(StrEnum):
    """How a claimed share is meant."""

    EXACT = "exact"
    ABOUT = "about"
    AT_MOST = "at_most"
    AT_LEAST = "at_least"


class Used(StrEnum):
    """A department's answer to "was AI used?"."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class DepartmentAnswer:
    """One department's answer."""

    department: str
    used: Used
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """One AI tool that the film-maker names."""

    id: str
    name: str
    model_version: str | None = None


@dataclass(frozen=True, slots=True)
class ShareClaim:
    """A share that the film-maker states, for example about 0.4 of the shots.

    ``tolerance`` is absolute, in the unit of ``value``; None where the film-maker states none.
    """

    metric: ShareMetric | None
    value: Fraction
    unit: ShareUnit
    qualifier: Qualifier
    tolerance: Fraction | None = None


@dataclass(frozen=True, slots=True)
class DeclaredUseOfAI:
    """One declared use: by range of the film, by source file, by registration, or several.

    Attributes:
        time: seconds of the film, from ``start_frame`` and ``end_frame`` (exclusive).
        source_type: as written, a NewsCodes URI or term; hostile text.
    """

    id: str
    time: Interval | None
    source_files: tuple[Sha256, ...]
    registrations: tuple[RegistrationId, ...]
    tool: str | None = None
    source_type: str | None = None


@dataclass(frozen=True, slots=True)
class FilmVersion:
    """One master of the film, as far as the disclosure tells."""

    label: str | None
    digest: Sha256 | None
    frames: int | None
    rate: Fraction | None

    @property
    def duration_s(self) -> float | None:
        """Seconds, where both frames and rate are given."""
        return float(self.frames / self.rate) if self.frames and self.rate else None


@dataclass(frozen=True, slots=True)
class FilmDisclosure:
    """A film's disclosure, profile ``mini``: five answers, each of which may be missing.

    ``None`` means "not answered", which is never the same as "no" or an empty list.

    Attributes:
        digest: SHA-256 of the file as it was handed in; it covers the unread fields as well.
        unread: fields that this version does not read, for example ``uses[].coverage``.
    """

    title: str
    versions: tuple[FilmVersion, ...]
    declared_use: DeclaredUse | None
    departments: tuple[DepartmentAnswer, ...] | None
    tools: tuple[ToolAnswer, ...] | None
    uses: tuple[DeclaredUseOfAI, ...] | None
    claims: tuple[ShareClaim, ...] | None
    digest: Sha256
    unread: tuple[str, ...] = ()
