"""The report as JSON. Every other rendering is made from this, so that none says more."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from titledeed.audit.shares import EDGE_S
from titledeed.audit.wording import (
    DISCLAIMER,
    moment,
    percent,
    percent_range,
    printable,
    searched,
    sentence_of,
)
from titledeed.models.audit import AuditReport, DetectedWork, PackInfo, Share
from titledeed.models.disclosure import FilmDisclosure
from titledeed.models.finding import Finding
from titledeed.models.interval import Interval, ShareBounds, covered_s

SCHEMA_VERSION: Final = 1

Document = dict[str, object]

_DETECTED = "Lower bound: time that shows registered generative works."
_KNOWN = "Lower bound: as detected, or declared in the disclosure."
_UPPER = "Upper bound: everything except what is matched to works of another source."
TIME_DEFINITION: Final = "Share of the film's running time, credits included, in milliseconds."
SHOT_DEFINITION: Final = (
    "Share of the shots of the timeline's base video track; a shot counts as soon as it shows any "
    f"AI for more than {EDGE_S} s, or for more than half of a shorter shot."
)


def audit_document(report: AuditReport) -> Document:
    """The report as plain JSON values; the same evidence gives the same document.

    All times are seconds of the film, rounded to milliseconds; all texts are printable.
    """
    evidence = report.evidence
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": report.outcome.value,
        "sentence": sentence_of(report),
        "film": {
            "name": printable(evidence.film_name),
            "sha256": evidence.film_digest.hex(),
            "duration_s": _seconds(evidence.duration_s),
        },
        "as_of": moment(evidence.as_of),
        "coverage": _coverage(report),
        "disclosure": _disclosure(evidence.disclosure) if evidence.disclosure else None,
        "declared_time": _intervals(report.declared_time),
        "detected_time": _intervals(report.generative_time),
        "works": [_work(work) for work in report.works],
        "shares": {
            "time": _share(report.time_share, "ms", TIME_DEFINITION),
            "shots": (
                _share(report.shot_share, "shots", SHOT_DEFINITION) if report.shot_share else None
            ),
        },
        "findings": [_finding(finding) for finding in report.findings],
        "rules": _pack(report.pack) if report.pack else None,
        "disclaimer": DISCLAIMER,
    }


def _coverage(report: AuditReport) -> Document:
    evidence = report.evidence
    coverages = sorted(evidence.coverages, key=lambda c: (c.exported_at, c.snapshot_id))
    return {
        "registrations_searched": searched(report),
        "own_registrations": evidence.own_registrations,
        "submitted_bundles": evidence.submitted_bundles,
        "snapshots": [
            {
                "snapshot_id": coverage.snapshot_id,
                "exported_at": moment(coverage.exported_at),
                "exporter": coverage.exporter,
                "registrations": coverage.registrations,
                "chain_id": coverage.chain_id,
            }
            for coverage in coverages
        ],
        "timeline": evidence.timeline is not None,
        "shots_counted": report.shot_share is not None,
    }


def _disclosure(disclosure: FilmDisclosure) -> Document:
    departments, tools, uses = disclosure.departments, disclosure.tools, disclosure.uses
    return {
        "sha256": disclosure.digest.hex(),
        "title": printable(disclosure.title),
        "declared_use": disclosure.declared_use.value if disclosure.declared_use else None,
        "departments": None
        if departments is None
        else [{"dept": a.department, "used": a.used.value, "mode": a.mode} for a in departments],
        "tools": None if tools is None else [printable(tool.name) for tool in tools],
        "uses": None
        if uses is None
        else [
            {
                "id": printable(use.id),
                "time": _interval(use.time) if use.time else None,
                "registrations": list(use.registrations),
                "source_files": [digest.hex() for digest in use.source_files],
            }
            for use in uses
        ],
    }


def _work(work: DetectedWork) -> Document:
    return {
        "registration_id": work.registration_id,
        "title": printable(work.title),
        "source_type": printable(work.source_type),
        "is_generative": work.is_generative,
        "declared": work.declared,
        "score": round(work.match.score, 4),
        "film_s": round(covered_s(work.film_time), 3),
        "film_time": _intervals(work.film_time),
        "undeclared_time": _intervals(work.undeclared_time),
        "segments": [
            {
                "film_start_s": _seconds(segment.query.start_s),
                "film_end_s": _seconds(segment.query.end_s),
                "work_start_s": _seconds(segment.work.start_s),
                "work_end_s": _seconds(segment.work.end_s),
                "speed": round(segment.speed, 4),
                "mirrored": segment.mirrored,
            }
            for segment in sorted(work.match.shown, key=lambda s: (s.query, s.work))
        ],
    }


def _share(share: Share, unit: str, definition: str) -> Document:
    return {
        "unit": unit,
        "definition": definition,
        "detected": {**_bounds(share.detected, share.total), "definition": f"{_DETECTED} {_UPPER}"},
        "known": {**_bounds(share.known, share.total), "definition": f"{_KNOWN} {_UPPER}"},
    }


def _bounds(bounds: ShareBounds, total: int) -> Document:
    return {
        "lower": _fraction(bounds.lower, total),
        "upper": _fraction(bounds.upper, total),
        "text": percent_range(bounds),
    }


def _fraction(share: Fraction, total: int) -> Document:
    """Not reduced: 48 of 120 tells more than 2 of 5."""
    numerator = share * total
    return {"numerator": int(numerator), "denominator": total, "percent": percent(share)}


def _finding(finding: Finding) -> Document:
    return {
        "code": str(finding.code),
        "severity": finding.severity.value,
        "message": finding.message,
        "film_time": _interval(finding.film_time) if finding.film_time else None,
        "rule_id": finding.rule_id,
        "registration_id": finding.registration_id,
    }


def _pack(pack: PackInfo) -> Document:
    return {
        "id": pack.id,
        "title": printable(pack.title),
        "edition": printable(pack.edition) if pack.edition else None,
        "status": pack.status,
        "addressee": pack.addressee,
        "confidence": pack.confidence,
        "checked_on": pack.checked_on,
        "valid_from": pack.valid_from,
        "valid_to": pack.valid_to,
        "notice": printable(pack.notice, length_max=1_000),
        "sources": [
            {
                "title": printable(source.title),
                "url": printable(source.url) if source.url else None,
                "published": printable(source.published) if source.published else None,
                "note": printable(source.note) if source.note else None,
            }
            for source in pack.sources
        ],
    }


def _intervals(intervals: tuple[Interval, ...]) -> list[Document]:
    return [_interval(interval) for interval in intervals]


def _interval(interval: Interval) -> Document:
    return {"start_s": _seconds(interval.start_s), "end_s": _seconds(interval.end_s)}


def _seconds(value: float) -> float:
    return round(value, 3)
