"""From evidence to a report, and from a report and rules to its outcome."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from titledeed.audit.checks import Draft, check, fits, not_assessed
from titledeed.audit.severities import GRADES
from titledeed.audit.shares import shot_share, time_share
from titledeed.audit.wording import printable
from titledeed.audit.works import detect_works
from titledeed.models.audit import AuditReport, FilmEvidence, PackInfo
from titledeed.models.finding import Finding, Outcome
from titledeed.models.interval import Interval, union

MESSAGE_LENGTH_MAX = 1_000


def assess(evidence: FilmEvidence) -> AuditReport:
    """Compare what a film shows with what its disclosure declares.

    The same evidence always gives the same report. ``evidence.works`` must hold the registration
    behind every match.
    """
    works, declared_time = detect_works(evidence)
    generative_time = union(i for work in works if work.is_generative for i in work.film_time)
    resolved = union(i for work in works for i in work.film_time)
    timeline = evidence.timeline
    shots = timeline.shots if timeline and fits(evidence, timeline.duration_s) else ()
    time = time_share(evidence.duration_s, generative_time, declared_time, resolved)
    draft = Draft(
        evidence=evidence,
        disclosure=evidence.disclosure,
        works=works,
        generative_time=generative_time,
        declared_time=declared_time,
        time=time,
        shots=shot_share(shots, generative_time, declared_time, resolved),
    )
    findings = _sorted(check(draft) if evidence.duration_s > 0 else _unreadable(evidence))
    return AuditReport(
        evidence=evidence,
        works=works,
        generative_time=generative_time,
        declared_time=declared_time,
        time_share=time,
        shot_share=draft.shots,
        findings=findings,
        outcome=_outcome(evidence, findings),
    )


def apply_rules(
    report: AuditReport, pack: PackInfo, rule_findings: Iterable[Finding]
) -> AuditReport:
    """Add what a rule pack raised over ``facts_of(report)``; rules may be anybody's text."""
    cleaned = (
        replace(finding, message=printable(finding.message, length_max=MESSAGE_LENGTH_MAX))
        for finding in rule_findings
    )
    findings = _sorted([*report.findings, *cleaned])
    outcome = _outcome(report.evidence, findings)
    return replace(report, pack=pack, findings=findings, outcome=outcome)


def _unreadable(evidence: FilmEvidence) -> list[Finding]:
    reasons = evidence.unassessed or ("the film could not be read",)
    return [not_assessed(reason) for reason in reasons]


def _outcome(evidence: FilmEvidence, findings: tuple[Finding, ...]) -> Outcome:
    """The gravest finding decides; a film that nobody could read has no other outcome."""
    if evidence.duration_s <= 0:
        return Outcome.CANNOT_ASSESS
    return GRADES[findings[0].severity].outcome if findings else Outcome.COMPLETE


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    def key(finding: Finding) -> tuple[int, str, Interval, str, str, str]:
        return (
            -finding.severity.gravity,
            finding.code,
            finding.film_time or Interval(0.0, 0.0),
            finding.registration_id or "",
            finding.rule_id or "",
            finding.message,
        )

    return tuple(sorted(findings, key=key))
