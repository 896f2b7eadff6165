"""What an audit found: facts for the rules, findings, the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from titledeed.models.interval import Interval, ShareBounds

Fact = bool | str | Fraction | ShareBounds | tuple[str, ...] | tuple[Interval, ...]
Facts = Mapping[str, Fact]
"""What rules ask about, by name. A fact that is absent is unknown, which is never "no"."""


class Severity(StrEnum):
    """How much a finding asks of the reader, mildest first; the human decides."""

    INFO = "info"
    QUESTION = "question"
    CONCERN = "concern"
    RULE_CONFLICT = "rule_conflict"

    @property
    def gravity(self) -> int:
        """Greater is graver."""
        return list(Severity).index(self)


class FindingCode(StrEnum):
    """What our own checks find; rule packs bring words of their own beside these."""

    USE_UNDECLARED = "USE_UNDECLARED"
    DECLARATION_CONFLICT = "DECLARATION_CONFLICT"
    PROV_CONFLICT = "PROV_CONFLICT"
    SHARE_BELOW = "SHARE_BELOW"
    SHARE_ABOVE = "SHARE_ABOVE"
    NOT_COMPARABLE = "NOT_COMPARABLE"
    MISSING_ANSWER = "MISSING_ANSWER"
    UNSURE_ANSWER = "UNSURE_ANSWER"
    NOT_ASSESSED = "NOT_ASSESSED"
    RUNTIME_MISMATCH = "RUNTIME_MISMATCH"
    VERSION_MISMATCH = "VERSION_MISMATCH"
    USE_OUT_OF_RANGE = "USE_OUT_OF_RANGE"
    SOURCE_TYPE_UNCLEAR = "SOURCE_TYPE_UNCLEAR"
    REG_SOURCE_CONFLICT = "REG_SOURCE_CONFLICT"
    CONTENT_SHARED = "CONTENT_SHARED"
    REGISTERED_WORK_USED = "REGISTERED_WORK_USED"
    USE_NOT_FOUND = "USE_NOT_FOUND"
    SHARE_CONSISTENT = "SHARE_CONSISTENT"
    FIELD_NOT_READ = "FIELD_NOT_READ"


class Outcome(StrEnum):
    """What an audit as a whole came to. Never "passed"."""

    COMPLETE = "complete"
    QUESTIONS_OPEN = "questions_open"
    INCONSISTENT = "inconsistent"
    RULE_CONFLICT = "rule_conflict"
    CANNOT_ASSESS = "cannot_assess"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the audit noticed.

    Attributes:
        code: stable word: a ``FindingCode``, or what a rule calls it.
        message: one sentence for a person; may hold text from the submission, so escape it.
        film_time: where in the film, if anywhere.
        rule_id: ``pack/rule`` when a rule raised it.
        registration_id: the registration it speaks of, if any.
    """

    code: str
    severity: Severity
    message: str
    film_time: Interval | None = None
    rule_id: str | None = None
    registration_id: str | None = None
