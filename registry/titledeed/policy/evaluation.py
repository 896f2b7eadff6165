"""Evaluates rules over facts, in Kleene's three-valued logic.

An absent fact is unknown; a share known only as a range answers a comparison only when all of the
range agrees. More evidence can therefore turn "unknown" into an answer and never one answer into
the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from titledeed.errors import InvariantViolation, MalformedDocumentError
from titledeed.models.finding import Fact, Facts, Finding, Severity
from titledeed.models.interval import Interval, ShareBounds, shared_s
from titledeed.policy.rules import (
    AllOf,
    AnyOf,
    Bound,
    Condition,
    Effect,
    Measure,
    Negation,
    Operator,
    Question,
    Rule,
    RulePack,
    Scalar,
    Truth,
)


def evaluate(pack: RulePack, facts: Facts) -> tuple[Finding, ...]:
    """The findings that a pack's rules raise over the facts, in the pack's order.

    Raises:
        MalformedDocumentError: a rule compares a fact with something of another kind.
    """
    raised = ((rule, _effect(rule, decide(rule.when, facts))) for rule in pack.rules)
    return tuple(
        _finding(pack, rule, effect, facts) for rule, effect in raised if effect is not None
    )


def decide(condition: Condition, facts: Facts) -> Truth:
    """Whether a condition holds; None where the facts do not tell.

    Raises:
        MalformedDocumentError: it compares a fact with something of another kind.
    """
    match condition:
        case AllOf(parts):
            return conjunction(decide(part, facts) for part in parts)
        case AnyOf(parts):
            return negation(conjunction(negation(decide(part, facts)) for part in parts))
        case Negation(part):
            return negation(decide(part, facts))
        case Question(fact, Operator.EXISTS, operand):
            return (fact in facts) is operand
        case Question(fact):
            return _ask(condition, facts[fact], facts) if fact in facts else None


def conjunction(values: Iterable[Truth]) -> Truth:
    """Kleene's "and": false if any is, else unknown if any is, else true."""
    found = set(values)
    return False if False in found else None if None in found else True


def negation(value: Truth) -> Truth:
    """Kleene's "not": unknown stays unknown."""
    return None if value is None else not value


def _ask(question: Question, fact: Fact, facts: Facts) -> Truth:
    match question.operator, question.operand:
        case Operator.COUNT, Measure(operator, number):
            if not isinstance(fact, tuple):
                raise _mismatch(question, fact)
            length = Fraction(len(fact))
            return _compare(operator, ShareBounds(length, length), number)
        case Operator.OVERLAPS, str(other):
            return _overlaps(question, fact, facts[other]) if other in facts else None
        case Operator.IN, tuple(words):
            return _is_one_of(question, fact, words)
        case Operator.EQ | Operator.NE, bool() | str() as word:
            if type(fact) is not type(word):
                raise _mismatch(question, fact)
            return (fact == word) is (question.operator is Operator.EQ)
        case operator, Fraction() as number:
            return _compare(operator, _range(question, fact), number)
        case _:
            raise InvariantViolation(f"the loader let {question} pass")


def _compare(operator: Operator, bounds: ShareBounds, number: Fraction) -> Truth:
    if operator in (Operator.LT, Operator.LE, Operator.NE):
        opposite = {
            Operator.LT: Operator.GE,
            Operator.LE: Operator.GT,
            Operator.NE: Operator.EQ,
        }[operator]
        return negation(_compare(opposite, bounds, number))
    lower, upper = bounds.lower, bounds.upper
    if operator is Operator.GT:
        return True if lower > number else False if upper <= number else None
    if operator is Operator.GE:
        return True if lower >= number else False if upper < number else None
    return True if lower == upper == number else None if lower <= number <= upper else False


def _range(question: Question, fact: Fact) -> ShareBounds:
    if isinstance(fact, Fraction):
        return ShareBounds(fact, fact)
    if not isinstance(fact, ShareBounds):
        raise _mismatch(question, fact)
    match question.bound:
        case Bound.LOWER:
            return ShareBounds(fact.lower, fact.lower)
        case Bound.UPPER:
            return ShareBounds(fact.upper, fact.upper)
        case None:
            return fact


def _is_one_of(question: Question, fact: Fact, words: tuple[Scalar, ...]) -> Truth:
    if isinstance(fact, tuple):
        return any(item in words for item in fact)
    equalities = (
        _ask(Question(question.fact, Operator.EQ, word, question.bound), fact, {}) for word in words
    )
    return negation(conjunction(negation(value) for value in equalities))


def _overlaps(question: Question, fact: Fact, other: Fact) -> bool:
    return shared_s(_intervals(question, fact), _intervals(question, other)) > 0


def _intervals(question: Question, fact: Fact) -> tuple[Interval, ...]:
    items = fact if isinstance(fact, tuple) else None
    if items is None or not all(isinstance(item, Interval) for item in items):
        raise _mismatch(question, fact)
    return tuple(item for item in items if isinstance(item, Interval))


def _mismatch(question: Question, fact: Fact) -> MalformedDocumentError:
    asked, kind = question.operator.value, type(fact).__name__
    return MalformedDocumentError(
        f"the rule pack asks {asked!r} of {question.fact!r}, a fact of kind {kind}",
        next_step="Correct the rule; the kinds of facts are listed in the reference.",
        place=f"the rule pack: {question.fact}",
    )


def _effect(rule: Rule, truth: Truth) -> Effect | None:
    if truth is None:
        return rule.unknown
    return rule.then if truth else None


def _finding(pack: RulePack, rule: Rule, effect: Effect, facts: Facts) -> Finding:
    severity, message = effect.severity, effect.message
    if rule.human_review:
        # A person decides: a rule that says so asks, and never accuses.
        severity = min(severity, Severity.QUESTION, key=lambda one: one.gravity)
        known = [f"{name} = {_text(facts[name])}" for name in rule.collect if name in facts]
        message = " ".join([message, *([f"Facts: {'; '.join(known)}."] if known else [])])
    return Finding(effect.code, severity, message, rule_id=f"{pack.info.id}/{rule.id}")


def _text(fact: Fact) -> str:
    match fact:
        case bool():
            return "yes" if fact else "no"
        case Fraction():
            return f"{float(fact):g}"
        case ShareBounds(lower, upper):
            return f"{float(lower):.1%} to {float(upper):.1%}"
        case tuple():
            return ", ".join(_item(item) for item in fact) or "none"
        case str():
            return fact


def _item(item: str | Interval) -> str:
    return item if isinstance(item, str) else f"{item.start_s:.1f}-{item.end_s:.1f} s"
