"""Reads rule packs, which are data from anybody: bounded, strict, no code, no patterns.

Whatever this version does not know (a field, an operator, a grade of evidence) is refused, since
a rule that is only half understood gives wrong findings. A pack brings its own examples, which
are checked whenever it is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from fractions import Fraction
from importlib.resources import files
from typing import Final, TypeVar

from titledeed.canonical.documents import Fields
from titledeed.canonical.yaml_documents import parse_yaml
from titledeed.errors import MalformedDocumentError, NotFoundError
from titledeed.models.audit import PackInfo, RuleSource
from titledeed.models.finding import Fact, Severity
from titledeed.models.interval import Interval, ShareBounds
from titledeed.policy.evaluation import decide
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
    RuleExample,
    RulePack,
    Scalar,
    Truth,
)

PACK_STATUSES: Final = ("binding", "guidance", "research", "draft", "hypothetical")
ADDRESSEES: Final = ("provider", "deployer", "platform", "producer", "festival")
CONFIDENCES: Final = ("primary_source", "secondary_source")

RULES_MAX: Final = 200
CONDITION_PARTS_MAX: Final = 50
DEPTH_MAX: Final = 8
RULE_TEXT_LENGTH_MAX: Final = 1_000

_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,79}")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,59}")
_FACT = re.compile(r"[a-z][a-z0-9_.]{0,99}")
_COMPARING = (Operator.EQ, Operator.NE, Operator.LT, Operator.LE, Operator.GT, Operator.GE)
_Word = TypeVar("_Word", bound=StrEnum)


def list_packs() -> list[str]:
    """Names of the packs that are shipped, sorted."""
    names = (item.name for item in files("titledeed.policy").joinpath("packs").iterdir())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def load_pack(name: str) -> RulePack:
    """A pack that is shipped.

    Raises:
        NotFoundError: no such pack.
    """
    known = list_packs()
    if name not in known:
        raise NotFoundError(
            f"there is no rule pack {name[:60]!r}",
            next_step=f"Choose one of: {', '.join(known)}.",
            what="rule_pack",
            name=name[:60],
        )
    return parse_pack(files("titledeed.policy").joinpath("packs", f"{name}.yaml").read_bytes())


def parse_pack(data: bytes) -> RulePack:
    """Read a pack and check it against its own examples.

    Raises:
        MalformedDocumentError: not a pack that this version understands wholly, or its rules
            answer an example otherwise than the pack says.
    """
    fields = parse_yaml(data, what="the rule pack")
    info = _info(fields.child("pack"))
    if fields.optional("terms", lambda name: fields.child(name).rest()):
        raise fields.fail("terms", "is not supported yet")
    rules = tuple(_rule(item) for item in fields.children("rules", items_max=RULES_MAX))
    examples = fields.optional("examples", lambda name: fields.children(name, items_max=RULES_MAX))
    pack = RulePack(info, rules, tuple(_example(item) for item in examples or []))
    fields.done()
    ids = [rule.id for rule in rules]
    if not ids or len(set(ids)) != len(ids):
        raise fields.fail("rules", "must hold rules with different ids")
    for number, example in enumerate(pack.examples):
        _check_example(pack, number, example)
    return pack


def _check_example(pack: RulePack, number: int, example: RuleExample) -> None:
    answers = {rule.id: decide(rule.when, example.facts) for rule in pack.rules}
    for rule_id, expected in example.expect.items():
        if rule_id not in answers:
            raise MalformedDocumentError(
                f"the rule pack: examples[{number}] names no rule of it",
                place=f"the rule pack: examples[{number}]",
            )
        if answers[rule_id] is not expected:
            raise MalformedDocumentError(
                f"the rule pack contradicts its examples[{number}]: rule {rule_id!r} gives "
                f"{_truth_text(answers[rule_id])}, not {_truth_text(expected)}",
                place=f"the rule pack: examples[{number}]",
            )


def _info(fields: Fields) -> PackInfo:
    pack_id = _matching(fields, "id", _ID)
    info = PackInfo(
        id=pack_id,
        title=fields.optional("title", lambda name: _text(fields, name)) or pack_id,
        edition=fields.optional("edition", lambda name: _edition(fields, name)),
        status=_one_of(fields, "status", PACK_STATUSES),
        addressee=_one_of(fields, "addressee", ADDRESSEES),
        confidence=_one_of(fields, "confidence", CONFIDENCES),
        notice=_text(fields, "notice"),
        checked_on=_date(fields, "checked_on"),
        valid_from=fields.optional("valid_from", lambda name: _date(fields, name)),
        valid_to=fields.optional("valid_to", lambda name: _date(fields, name)),
        sources=tuple(_source(item) for item in fields.children("sources", items_max=50)),
    )
    # What the pack applies to is chosen by a person; it is read and not evaluated.
    fields.optional("scope", lambda name: fields.child(name).rest())
    fields.done()
    if not info.sources:
        raise fields.fail("sources", "must name where the rules come from")
    return info


def _source(fields: Fields) -> RuleSource:
    source = RuleSource(
        url=fields.optional("url", lambda name: _text(fields, name)),
        title=_text(fields, "title"),
        published=fields.optional("published", lambda name: _text(fields, name)),
        note=fields.optional("note", lambda name: _text(fields, name)),
    )
    fields.done()
    return source


def _rule(fields: Fields) -> Rule:
    rule = Rule(
        id=_matching(fields, "id", _ID),
        when=_condition(fields.child("when"), depth=0),
        then=_effect(fields.child("then")),
        unknown=fields.optional("unknown", lambda name: _effect(fields.child(name))),
        human_review=fields.optional("human_review", fields.boolean) or False,
        collect=fields.optional(
            "collect", lambda name: fields.texts(name, items_max=CONDITION_PARTS_MAX)
        )
        or (),
    )
    # Every fact is at least declared; higher grades of evidence are not told apart yet.
    fields.optional("evidence_min", lambda name: fields.literal(name, "declared"))
    fields.done()
    if rule.collect and not rule.human_review:
        raise fields.fail("collect", "goes with human_review only")
    return rule


def _effect(fields: Fields) -> Effect:
    effect = Effect(
        severity=_word(fields, "severity", Severity),
        code=_matching(fields, "code", _CODE),
        message=_text(fields, "message"),
    )
    fields.done()
    return effect


def _condition(fields: Fields, *, depth: int) -> Condition:
    if depth > DEPTH_MAX:
        raise fields.fail("when", f"must not nest deeper than {DEPTH_MAX}")
    if fields.has("fact"):
        return _question(fields)

    def parts(name: str) -> tuple[Condition, ...]:
        items = fields.children(name, items_max=CONDITION_PARTS_MAX)
        if not items:  # An empty "all" would always hold.
            raise fields.fail(name, "must not be empty")
        return tuple(_condition(item, depth=depth + 1) for item in items)

    readers: dict[str, Callable[[str], Condition]] = {
        "all": lambda name: AllOf(parts(name)),
        "any": lambda name: AnyOf(parts(name)),
        "not": lambda name: Negation(_condition(fields.child(name), depth=depth + 1)),
    }
    name = next((name for name in readers if fields.has(name)), "fact")
    condition = readers[name](name) if name in readers else _question(fields)
    fields.done()
    return condition


def _question(fields: Fields) -> Question:
    fact = _matching(fields, "fact", _FACT)
    bound = fields.optional("bound", lambda name: _word(fields, name, Bound))
    operator = next((item for item in Operator if fields.has(item.value)), None)
    if operator is None:
        raise fields.fail("fact", f"needs one operator of {', '.join(Operator)}")
    operand = _operand(fields, operator)
    fields.done()
    if bound and not isinstance(operand, Fraction):
        raise MalformedDocumentError(
            f"the rule pack: 'bound' of {fact!r} needs a number to meet",
            place="the rule pack: bound",
        )
    return Question(fact, operator, operand, bound)


def _operand(fields: Fields, operator: Operator) -> Scalar | tuple[Scalar, ...] | Measure:
    name = operator.value
    match operator:
        case Operator.EXISTS:
            return fields.boolean(name)
        case Operator.OVERLAPS:
            return _matching(fields, name, _FACT)
        case Operator.COUNT:
            return _measure(fields.child(name))
        case Operator.IN:
            values = fields.value(name)
            if not isinstance(values, list) or not 0 < len(values) <= CONDITION_PARTS_MAX:
                raise fields.fail(name, f"must be a list of 1 to {CONDITION_PARTS_MAX} values")
            return tuple(_scalar(fields, name, value) for value in values)
        case Operator.EQ | Operator.NE:
            return _scalar(fields, name, fields.value(name))
        case _:
            return _number(fields, name, fields.value(name))


def _measure(fields: Fields) -> Measure:
    operator = next((item for item in _COMPARING if fields.has(item.value)), Operator.EQ)
    measure = Measure(operator, _number(fields, operator.value, fields.value(operator.value)))
    fields.done()
    return measure


def _example(fields: Fields) -> RuleExample:
    facts = fields.child("facts").rest()
    expect = fields.child("expect").rest()
    fields.done()
    return RuleExample(
        facts={name: _fact(fields, name, value) for name, value in facts.items()},
        expect={name: _truth(fields, name, value) for name, value in expect.items()},
    )


def _fact(fields: Fields, name: str, value: object) -> Fact:
    if isinstance(value, dict):
        bounds = Fields(value, path=f"the rule pack, example fact {name!r}")
        lower, upper = (_number(bounds, end, bounds.value(end)) for end in ("lower", "upper"))
        bounds.done()
        return ShareBounds(lower, upper)
    if not isinstance(value, list):
        return _scalar(fields, name, value)
    if all(isinstance(item, str) for item in value):
        return tuple(str(item) for item in value)
    return tuple(_interval(fields, name, item) for item in value)


def _interval(fields: Fields, name: str, value: object) -> Interval:
    if not isinstance(value, list) or len(value) != 2:
        raise fields.fail(name, "must hold texts, or runs of seconds such as [0, 4]")
    start, end = (_number(fields, name, item) for item in value)
    return Interval(float(start), float(end))


def _truth(fields: Fields, name: str, value: object) -> Truth:
    if isinstance(value, bool):
        return value
    if value == "unknown":
        return None
    raise fields.fail(name, "must be expected as true, false or unknown")


def _truth_text(value: Truth) -> str:
    return "unknown" if value is None else str(value).lower()


def _scalar(fields: Fields, name: str, value: object) -> Scalar:
    return value if isinstance(value, bool | str) else _number(fields, name, value)


def _number(fields: Fields, name: str, value: object) -> Fraction:
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        return Fraction(value)
    raise fields.fail(name, "must be a number")


def _edition(fields: Fields, name: str) -> str:
    value = fields.value(name)
    if isinstance(value, int | str) and len(str(value)) <= 80:
        return str(value)
    raise fields.fail(name, "must be a number or short text")


def _date(fields: Fields, name: str) -> str:
    text = fields.text(name, length_max=10)
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise fields.fail(name, "must be a date such as 2026-11-20") from error


def _text(fields: Fields, name: str) -> str:
    return fields.text(name, length_max=RULE_TEXT_LENGTH_MAX)


def _matching(fields: Fields, name: str, pattern: re.Pattern[str]) -> str:
    text = fields.text(name)
    if not pattern.fullmatch(text):
        raise fields.fail(name, f"must have the form {pattern.pattern}")
    return text


def _one_of(fields: Fields, name: str, words: tuple[str, ...]) -> str:
    text = fields.text(name)
    if text not in words:
        raise fields.fail(name, f"must be one of {', '.join(words)}")
    return text


def _word(fields: Fields, name: str, words: type[_Word]) -> _Word:
    return words(_one_of(fields, name, tuple(words)))
