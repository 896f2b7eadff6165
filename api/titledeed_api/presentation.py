"""From a verification to what its page shows: words and tones for each code, bars for matches.

Colour never speaks alone: each tone has an icon and each code its own words. No tone means that
a file is right or wrong; ``found`` says that the registry or the file speaks, ``problem`` that
something in it does not fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from titledeed.models.evidence import (
    ChainKind,
    DisclosureCode,
    Headline,
    HistoryCode,
    IntegrityCode,
    RegistryCode,
    TimeCode,
    TrustCode,
)
from titledeed_api.schemas.resources import AnswerResource, Match, SegmentResource

PRINCIPLE: Final = (
    "A registration proves that a key was bound to these bytes before a time. "
    "It is no proof of authorship."
)


class Tone(StrEnum):
    """How a badge looks."""

    FOUND = "found"
    PLAIN = "plain"
    CAUTION = "caution"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Badge:
    """A tone and the words beside it."""

    tone: Tone
    words: str


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """What a page asks for one of the six answers, and a badge for each of its codes."""

    question: str
    badges: Mapping[str, Badge]


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One of the six answers as a row."""

    name: str
    question: str
    badge: Badge
    reason: str


HEADLINES: Final = {
    Headline.REGISTERED_EXACT: Badge(Tone.FOUND, "Registered"),
    Headline.REGISTERED_MATCH: Badge(Tone.FOUND, "Matches a registered work"),
    Headline.SIGNED_NOT_REGISTERED: Badge(Tone.PLAIN, "Signed, not registered here"),
    Headline.NO_RECORD: Badge(Tone.PLAIN, "No record"),
    Headline.INVALID: Badge(Tone.PROBLEM, "Credentials do not fit"),
    Headline.CONFLICT: Badge(Tone.CAUTION, "Conflicting claims"),
}

_PLAIN_NONE: Final = Badge(Tone.PLAIN, "None")

ANSWERS: Final[Mapping[str, AnswerWords]] = {
    "integrity": AnswerWords(
        "Do the file's own credentials fit its bytes?",
        {
            IntegrityCode.INTACT: Badge(Tone.FOUND, "Intact"),
            IntegrityCode.ALTERED: Badge(Tone.PROBLEM, "Altered"),
            IntegrityCode.NO_CREDENTIALS: Badge(Tone.PLAIN, "No credentials"),
            IntegrityCode.UNREADABLE: Badge(Tone.PROBLEM, "Unreadable"),
        },
    ),
    "trust": AnswerWords(
        "Is the signer on a trust list of this server?",
        {
            TrustCode.TRUSTED: Badge(Tone.FOUND, "On a list"),
            TrustCode.UNTRUSTED: Badge(Tone.CAUTION, "On no list"),
            TrustCode.EXPIRED: Badge(Tone.CAUTION, "Expired"),
            TrustCode.REVOKED: Badge(Tone.PROBLEM, "Revoked"),
            TrustCode.NOT_CHECKED: Badge(Tone.PLAIN, "Not checked"),
        },
    ),
    "history": AnswerWords(
        "Is the chain of ingredients whole?",
        {
            HistoryCode.COMPLETE: Badge(Tone.FOUND, "Complete"),
            HistoryCode.GAPS: Badge(Tone.CAUTION, "Gaps"),
            HistoryCode.BROKEN_INGREDIENT: Badge(Tone.PROBLEM, "Broken ingredient"),
            HistoryCode.NONE: _PLAIN_NONE,
        },
    ),
    "time": AnswerWords(
        "What shows when it existed?",
        {
            TimeCode.PUBLIC_CHAIN: Badge(Tone.FOUND, "Public chain"),
            TimeCode.RFC3161_TRUSTED: Badge(Tone.FOUND, "Trusted time-stamp"),
            TimeCode.SELF_KEPT: Badge(Tone.CAUTION, "Kept by the registry itself"),
            TimeCode.CLAIMED_ONLY: Badge(Tone.CAUTION, "Claimed only"),
            TimeCode.NONE: _PLAIN_NONE,
        },
    ),
    "registry": AnswerWords(
        "Does the registry hold this content?",
        {
            RegistryCode.EXACT: Badge(Tone.FOUND, "These very bytes"),
            RegistryCode.MATCH: Badge(Tone.FOUND, "Match"),
            RegistryCode.CONFLICT: Badge(Tone.CAUTION, "Conflict"),
            RegistryCode.NONE: _PLAIN_NONE,
        },
    ),
    "disclosure": AnswerWords(
        "What is declared about AI?",
        {
            DisclosureCode.DECLARED: Badge(Tone.FOUND, "Declared"),
            DisclosureCode.AMBIGUOUS: Badge(Tone.CAUTION, "Ambiguous"),
            DisclosureCode.CONTRADICTED: Badge(Tone.PROBLEM, "Contradicted"),
            DisclosureCode.NONE: _PLAIN_NONE,
        },
    ),
}

TIMES: Final = ANSWERS["time"].badges

CHAIN_TIMES: Final = {kind: TIMES[kind.time_code] for kind in ChainKind}


def list_answers(answers: dict[str, AnswerResource]) -> list[AnswerRow]:
    """Answers as rows, in the order given."""
    return [
        AnswerRow(name.capitalize(), words.question, words.badges[answer.code], answer.reason)
        for name, answer in answers.items()
        for words in [ANSWERS[name]]
    ]


BAR_WIDTH: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Band:
    """One segment as a shape between two bars: x positions of its ends on each."""

    query_x: float
    query_width: float
    work_x: float
    work_width: float
    polygon: str


@dataclass(frozen=True, slots=True)
class Bars:
    """A file and a work above each other on one scale of seconds, and what they share."""

    query_width: float
    work_width: float
    work_end_s: float
    bands: tuple[Band, ...]
    description: str


QUERY_BAR: Final = (0, 30)
WORK_BAR: Final = (90, 120)
"""Top and bottom of each bar in the picture."""


def draw_bars(match: Match, work_duration_s: float) -> Bars | None:
    """The picture of a match; None for still pictures, which share no seconds.

    The file's bar ends with the last matched second: a verification does not keep its length.
    """
    segments = match.segments
    query_end = max((segment.query_end_s for segment in segments), default=0.0)
    work_end = max([work_duration_s, *(segment.work_end_s for segment in segments)])
    if query_end <= 0:
        return None
    scale = BAR_WIDTH / max(query_end, work_end)
    return Bars(
        query_width=round(query_end * scale, 1),
        work_width=round(work_end * scale, 1),
        work_end_s=work_end,
        bands=tuple(_draw_band(segment, scale) for segment in segments),
        description="; ".join(_describe(segment) for segment in segments),
    )


def _draw_band(segment: SegmentResource, scale: float) -> Band:
    query = (round(segment.query_start_s * scale, 1), round(segment.query_end_s * scale, 1))
    work = (round(segment.work_start_s * scale, 1), round(segment.work_end_s * scale, 1))
    corners = (
        (query[0], QUERY_BAR[1]),
        (query[1], QUERY_BAR[1]),
        (work[1], WORK_BAR[0]),
        (work[0], WORK_BAR[0]),
    )
    return Band(
        query_x=query[0],
        query_width=round(query[1] - query[0], 1),
        work_x=work[0],
        work_width=round(work[1] - work[0], 1),
        polygon=" ".join(f"{x},{y}" for x, y in corners),
    )


def _describe(segment: SegmentResource) -> str:
    mirrored = ", mirrored" if segment.mirrored else ""
    verb = "are" if segment.same_recording else "share content with"
    return (
        f"seconds {segment.query_start_s:.1f} to {segment.query_end_s:.1f} of this file {verb} "
        f"seconds {segment.work_start_s:.1f} to {segment.work_end_s:.1f} of the work{mirrored}"
    )


SOURCE_TYPES: Final = {
    "trainedAlgorithmicMedia": "Made with generative AI",
    "compositeWithTrainedAlgorithmicMedia": "Edited with generative AI",
    "compositeSynthetic": "Composite that holds generated parts",
    "algorithmicMedia": "Made by an algorithm that was not trained on sampled content",
    "algorithmicallyEnhanced": "Enhanced by an algorithm",
}
"""Words for the IPTC terms that speak of algorithms; the others speak for themselves."""
