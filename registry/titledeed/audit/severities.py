"""How grave each finding is, and what the gravest of them makes of an audit: one table each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from titledeed.models.finding import Finding, FindingCode, Outcome, Severity


@dataclass(frozen=True, slots=True)
class Grade:
    """What a severity means for the whole report.

    Attributes:
        title: stands above the findings of this severity.
        outcome: of an audit whose gravest finding has this severity.
    """

    title: str
    outcome: Outcome


GRADES: Final[Mapping[Severity, Grade]] = {
    Severity.RULE_CONFLICT: Grade("Conflicts with a rule", Outcome.RULE_CONFLICT),
    Severity.CONCERN: Grade("Concerns", Outcome.INCONSISTENT),
    Severity.QUESTION: Grade("Questions", Outcome.QUESTIONS_OPEN),
    Severity.INFO: Grade("For information", Outcome.COMPLETE),
}
"""Gravest first, as a report lists them."""

SEVERITIES: Final[Mapping[FindingCode, Severity]] = {
    FindingCode.USE_UNDECLARED: Severity.CONCERN,
    FindingCode.DECLARATION_CONFLICT: Severity.CONCERN,
    FindingCode.PROV_CONFLICT: Severity.CONCERN,
    FindingCode.SHARE_BELOW: Severity.CONCERN,
    # The upper bound rests on what others registered as not generative: a weak ground.
    FindingCode.SHARE_ABOVE: Severity.QUESTION,
    FindingCode.NOT_COMPARABLE: Severity.QUESTION,
    FindingCode.MISSING_ANSWER: Severity.QUESTION,
    FindingCode.UNSURE_ANSWER: Severity.QUESTION,
    FindingCode.NOT_ASSESSED: Severity.QUESTION,
    FindingCode.RUNTIME_MISMATCH: Severity.QUESTION,
    FindingCode.VERSION_MISMATCH: Severity.QUESTION,
    FindingCode.USE_OUT_OF_RANGE: Severity.QUESTION,
    FindingCode.SOURCE_TYPE_UNCLEAR: Severity.QUESTION,
    FindingCode.REG_SOURCE_CONFLICT: Severity.QUESTION,
    FindingCode.CONTENT_SHARED: Severity.QUESTION,
    FindingCode.REGISTERED_WORK_USED: Severity.INFO,
    FindingCode.USE_NOT_FOUND: Severity.INFO,
    FindingCode.SHARE_CONSISTENT: Severity.INFO,
    FindingCode.FIELD_NOT_READ: Severity.INFO,
}
"""How grave a finding can be; some checks ease it where less is at stake."""


def raise_finding(code: FindingCode, message: str, *, eased: Severity | None = None) -> Finding:
    """A finding as grave as its code, or as ``eased`` says."""
    return Finding(code, eased or SEVERITIES[code], message)
