"""The report as one HTML file that needs nothing else: no script, no remote part, no font.

A strict content security policy stands in the page itself, so that it holds when the file is
opened from a disk. Every text of a submission was made printable and is escaped.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Final

import jinja2
from markupsafe import Markup

from titledeed.audit.document import audit_document
from titledeed.audit.severities import GRADES
from titledeed.audit.wording import runs, timecode
from titledeed.models.audit import AuditReport, DetectedWork
from titledeed.models.finding import Severity
from titledeed.models.interval import Interval, subtract, union

AXIS_WIDTH: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Mark:
    """One coloured run of a timeline bar; the pattern says the same as the colour."""

    x: str
    width: str
    pattern: str


def audit_page(report: AuditReport) -> str:
    """The HTML report; the same evidence gives the same bytes."""
    document = audit_document(report)
    css = _environment().get_template("report.css").render()
    undeclared = union(i for w in report.works if w.is_generative for i in w.undeclared_time)
    lanes = {
        "detected": _split(report.generative_time, undeclared, report),
        "declared": _marks(report.declared_time, report, "declared"),
    }
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=document,
            css=Markup(css),  # noqa: S704 - our own file, and the policy pins its hash
            policy=_policy(css),
            severities=_severities(report),
            lanes=lanes,
            bars=[_bar(work, report) for work in report.works],
            duration=timecode(report.evidence.duration_s),
        )
    )


def _policy(css: str) -> str:
    digest = base64.b64encode(hashlib.sha256(css.encode("utf-8")).digest()).decode("ascii")
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _severities(report: AuditReport) -> list[tuple[Severity, str]]:
    present = {finding.severity for finding in report.findings}
    return [(severity, grade.title) for severity, grade in GRADES.items() if severity in present]


def _bar(work: DetectedWork, report: AuditReport) -> dict[str, object]:
    if work.is_generative:
        marks = _split(work.film_time, work.undeclared_time, report)
    else:
        marks = _marks(work.film_time, report, "other")
    return {"marks": marks, "times": runs(work.film_time, most=20)}


def _split(
    shown: tuple[Interval, ...], undeclared: tuple[Interval, ...], report: AuditReport
) -> list[Mark]:
    declared = subtract(shown, undeclared)
    return [
        *_marks(declared, report, "declared"),
        *_marks(undeclared, report, "undeclared"),
    ]


def _marks(intervals: tuple[Interval, ...], report: AuditReport, pattern: str) -> list[Mark]:
    scale = AXIS_WIDTH / max(report.evidence.duration_s, 0.001)
    return [
        # A hair-thin run must still be seen.
        Mark(f"{i.start_s * scale:.1f}", f"{max(i.duration_s * scale, 2.0):.1f}", pattern)
        for i in intervals
    ]


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("titledeed.audit"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["timecode"] = timecode
    return environment
