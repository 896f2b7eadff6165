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
    """How much a finding asks of the reader; the human decides."""

    INFO = "info"
    QUESTION = "question"
    CONCERN = "concern"
    RULE_CONFLICT = "rule_conflict"


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
        code: stable word, for example ``USE_UNDECLARED``.
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
