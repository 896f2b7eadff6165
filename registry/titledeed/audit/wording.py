"""How an audit speaks. Texts of a submission are made harmless here, before any face sees them.

No word here says that a film is genuine or forged, or that it passed: the report tells what was
found and what was declared, and a person decides.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final

from titledeed.models.audit import AuditReport
from titledeed.models.finding import Outcome, Severity
from titledeed.models.interval import Interval, ShareBounds, covered_s

PRINTED_LENGTH_MAX: Final = 300

DISCLAIMER: Final = (
    "A record proves that a key was bound to these bytes before a time; it is no proof of "
    "authorship. No match is no evidence either way."
)

# Marks that reorder a line (Unicode Standard Annex 9), or that end or hide it.
_REORDERING: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cs", "Cn", "Co", "Zl", "Zp"})


def printable(text: str, *, length_max: int = PRINTED_LENGTH_MAX) -> str:
    """Text of a submission with control, line and reordering characters spelt out, and cut.

    Letters of every script stay, with the joiners that some need.
    """
    cut = text if len(text) <= length_max else text[: length_max - 1] + "…"
    return "".join(f"<U+{ord(c):04X}>" if _is_unprintable(c) else c for c in cut)


def _is_unprintable(character: str) -> bool:
    return (
        character in _REORDERING
        or character == "\ufeff"
        or "\U000e0000" <= character <= "\U000e007f"
        or unicodedata.category(character) in _HIDDEN_CATEGORIES
    )


def counted(number: int, noun: str) -> str:
    """``1 work``, ``2 works``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def percent(share: Fraction) -> str:
    """``20.0 %``."""
    return f"{float(share * 100):.1f} %"


def percent_range(bounds: ShareBounds) -> str:
    """``20.0 %`` or ``20.0 % to 100.0 %``."""
    if bounds.lower == bounds.upper:
        return percent(bounds.lower)
    return f"{percent(bounds.lower)} to {percent(bounds.upper)}"


def timecode(seconds: float) -> str:
    """``1:02:03.4``, or ``2:03.4`` within the first hour."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    clock = f"{minutes}:{rest / 10:04.1f}"
    return f"{hours}:{clock:0>7}" if hours else clock


def runs(intervals: Iterable[Interval], *, most: int = 5) -> str:
    """``0:04.0-0:08.0, 0:12.0-0:16.0``, the first few."""
    texts = [f"{timecode(i.start_s)}-{timecode(i.end_s)}" for i in intervals]
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def moment(seconds: int) -> str:
    """``2026-11-20T12:00:00Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def sentence_of(report: AuditReport) -> str:
    """The verdict in one sentence."""
    match report.outcome:
        case Outcome.CANNOT_ASSESS:
            return "Cannot assess: the film could not be read."
        case Outcome.RULE_CONFLICT:
            conflicts = _count(report, Severity.RULE_CONFLICT)
            pack = report.pack.id if report.pack else "the rules"
            points = counted(conflicts, "point")
            return f"Rule conflict: as declared, the film conflicts with {pack} in {points}."
        case Outcome.INCONSISTENT:
            return f"Inconsistent: {_inconsistency(report)}"
        case Outcome.QUESTIONS_OPEN:
            questions = _count(report, Severity.QUESTION)
            verb = "needs" if questions == 1 else "need"
            asked = f"{counted(questions, 'question')} {verb} an answer"
            return f"Questions open: {asked}; {_found(report)}"
        case Outcome.COMPLETE:
            return f"Complete: nothing contradicts the disclosure; {_found(report)}"


def _count(report: AuditReport, severity: Severity) -> int:
    return sum(finding.severity is severity for finding in report.findings)


def _inconsistency(report: AuditReport) -> str:
    missing = [work for work in report.works if work.is_generative and work.declared is False]
    if missing:
        seconds = covered_s(i for work in missing for i in work.undeclared_time)
        return f"{_shows(report, len(missing), seconds)} that the disclosure does not name."
    concerns = [f.message for f in report.findings if f.severity is Severity.CONCERN]
    more = f" (and {len(concerns) - 1} more)" if len(concerns) > 1 else ""
    return f"{concerns[0][0].lower()}{concerns[0][1:].removesuffix('.')}{more}."


def _found(report: AuditReport) -> str:
    works = [work for work in report.works if work.is_generative]
    if works:
        return f"{_shows(report, len(works), covered_s(report.generative_time))}."
    if not searched(report):
        return "no registrations were at hand to search for, which is no evidence either way."
    return "no registered AI work was found in it, which is no evidence either way."


def _shows(report: AuditReport, works: int, seconds: float) -> str:
    share = percent(Fraction(round(seconds * 1000), max(report.time_share.total, 1)))
    shown = f"the film shows {counted(works, 'registered AI work')} for {seconds:.1f} s"
    return f"{shown} ({share} of its time)"


def searched(report: AuditReport) -> int:
    """How many registrations the film was compared with."""
    evidence = report.evidence
    imported = sum(coverage.registrations for coverage in evidence.coverages)
    return evidence.own_registrations + imported + evidence.submitted_bundles
