"""AI disclosure: of one asset, and of a whole film (the ``mini`` profile of ``aidisc/1``)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from titledeed.models.interval import Interval
from titledeed.models.primitives import Address, Keccak256, RegistrationId, Sha256, Signature
from titledeed.models.unread import Unread

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


GENERATIVE_SOURCE_TYPES = frozenset(
    {
        DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA,
        DigitalSourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA,
        DigitalSourceType.COMPOSITE_SYNTHETIC,
        "http://c2pa.org/digitalsourcetype/trainedAlgorithmicData",
    }
)
"""From c2pa-org/conformance-public, globals-signals.yml."""


def source_type_uri(term: str) -> str:
    """The URI of a digital source type: a NewsCodes term, or a URI as it is."""
    return term if ":" in term else IPTC_BASE + term


class SourceClass(StrEnum):
    """What a digital source type says about AI; a term that nobody here knows says neither."""

    GENERATIVE = "generative"
    NOT_GENERATIVE = "not_generative"
    UNKNOWN = "unknown"


# "May or may not be" AI by their own definitions.
_UNDECIDED = frozenset(
    {
        DigitalSourceType.COMPOSITE,
        DigitalSourceType.VIRTUAL_RECORDING,
        DigitalSourceType.SCREEN_CAPTURE,
    }
)
# Retired by IPTC: read, never written.
_RETIRED = frozenset({"softwareImage", "minorHumanEdits", "digitalArt"})


def classify_source_type(text: str) -> SourceClass:
    """Class of a NewsCodes URI (http or https) or of a bare term.

    A URI of another vocabulary is unknown, even when it ends in a term of this one.
    """
    term = text.strip().replace("https://", "http://", 1).removeprefix(IPTC_BASE)
    if term in GENERATIVE_SOURCE_TYPES:
        return SourceClass.GENERATIVE
    if term in _RETIRED or (term in set(DigitalSourceType) and term not in _UNDECIDED):
        return SourceClass.NOT_GENERATIVE
    return SourceClass.UNKNOWN


def is_generative(text: str) -> bool:
    """Whether the C2PA signal rules count a digital source type as generative AI.

    That they do not is no statement that it is not: see ``classify_source_type``.
    """
    return classify_source_type(text) is SourceClass.GENERATIVE


class HumanOversight(StrEnum):
    """``humanOversightLevel`` of the C2PA 2.4 ``c2pa.ai-disclosure`` assertion."""

    FULLY_AUTONOMOUS = "fully_autonomous"
    PROMPT_GUIDED = "prompt_guided"
    HUMAN_VALIDATED = "human_validated"


@dataclass(frozen=True, slots=True)
class AITool:
    """One AI tool that was used; at least one of the fields is stated.

    Attributes:
        provider: who offers it.
        model: its name.
        version: of the model.
        identifier: a URI or package URL of the model.
        model_type: a C2PA data type, for example ``c2pa.types.model``.
    """

    provider: str | None = None
    model: str | None = None
    version: str | None = None
    identifier: str | None = None
    model_type: str | None = None

    @property
    def name(self) -> str:
        """Model and version; else whatever is stated."""
        named = [part for part in (self.model, self.version) if part]
        return " ".join(named) or self.provider or self.identifier or self.model_type or ""


@dataclass(frozen=True, slots=True)
class PromptCommitment:
    """That a prompt was used, without its words: a salted commitment (``canonical.references``).

    Attributes:
        role: for example ``prompt`` or ``negative``.
    """

    role: str
    commitment: Keccak256


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that the file says of itself, signed by nobody; hostile text.

    Attributes:
        origin: its place in the file, for example ``png:tEXt:parameters``.
        name: what it speaks of, for example ``model`` or ``digital_source_type``.
    """

    origin: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class AssetDisclosure:
    """What the claimant discloses about one asset; the document behind the disclosure digest.

    Attributes:
        source_type: a term of ``DigitalSourceType``, or a URI; others are read as well.
        tools: empty where none is stated, which is not "none was used".
        oversight: a word of ``HumanOversight`` or another; None where it is not stated.
        scientific_domain: as ``c2pa.ai-disclosure`` has it.
        hints: what the claimant found in the file and lets stand beside the statement.
        version: of the document's schema; 1 holds one tool, with model and identifier.
    """

    source_type: str
    tools: tuple[AITool, ...] = ()
    oversight: str | None = None
    scientific_domain: str | None = None
    prompts: tuple[PromptCommitment, ...] = ()
    hints: tuple[Hint, ...] = ()
    version: int = 2
    unread: tuple[Unread, ...] = ()


def disclose_model(
    source_type: str,
    *,
    model: str | None = None,
    identifier: str | None = None,
    oversight: HumanOversight | None = None,
) -> AssetDisclosure:
    """The disclosure of somebody who names one model, or none."""
    tool = AITool(model=model or None, identifier=identifier or None)
    return AssetDisclosure(source_type, () if tool == AITool() else (tool,), oversight)


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


@dataclass(frozen=True, slots=True)
class DisclosureStatement:
    """That a signer stands by a disclosure document, or by parts of it.

    Attributes:
        statement: what the document says, in a sentence that a wallet shows.
        role: for example ``producer``, ``director`` or ``vendor``.
        covers: departments for which the signer answers; empty for the whole document.
        document_digest: SHA-256 of the document, in the canonical form of its schema.
        signed_at: the signer's own clock, seconds since 1970.
    """

    statement: str
    signer: Address
    role: str
    covers: tuple[str, ...]
    document_digest: Sha256
    signed_at: int


@dataclass(frozen=True, slots=True)
class SignedDisclosure:
    """The statement and its EIP-712 signature."""

    statement: DisclosureStatement
    signature: Signature
