"""What a rule pack holds, once read. Plain values; no rule can run code."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from titledeed.models.audit import PackInfo
from titledeed.models.finding import Facts, Severity

Truth = bool | None
"""Three-valued: None is unknown."""


class Operator(StrEnum):
    """How one fact is asked about."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    EXISTS = "exists"
    COUNT = "count"
    OVERLAPS = "overlaps"


class Bound(StrEnum):
    """Which end of a share known only as a range is asked about."""

    LOWER = "lower"
    UPPER = "upper"


Scalar = bool | str | Fraction


@dataclass(frozen=True, slots=True)
class Measure:
    """A comparison with a number, as ``count`` takes it."""

    operator: Operator
    number: Fraction


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one fact.

    Attributes:
        operand: a scalar; for ``in`` several; for ``count`` a measure; for ``exists`` a boolean;
            for ``overlaps`` the name of another fact.
    """

    fact: str
    operator: Operator
    operand: Scalar | tuple[Scalar, ...] | Measure
    bound: Bound | None = None


@dataclass(frozen=True, slots=True)
class AllOf:
    """True when every part is."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when at least one part is."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """True when the part is false."""

    part: Condition


Condition = Question | AllOf | AnyOf | Negation


@dataclass(frozen=True, slots=True)
class Effect:
    """The finding that a rule raises."""

    severity: Severity
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        unknown: raised when the condition is unknown; None raises nothing.
        human_review: the rule rests on a vague word ("significant"): it collects facts and asks
            a person, and never gives a verdict.
        collect: facts that such a rule lays before the person.
    """

    id: str
    when: Condition
    then: Effect
    unknown: Effect | None
    human_review: bool
    collect: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleExample:
    """A test that the pack brings along: what each rule must answer to these facts."""

    facts: Facts
    expect: dict[str, Truth]


@dataclass(frozen=True, slots=True)
class RulePack:
    """A rule pack."""

    info: PackInfo
    rules: tuple[Rule, ...]
    examples: tuple[RuleExample, ...]
