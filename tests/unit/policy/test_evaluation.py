from __future__ import annotations

from fractions import Fraction

import pytest

from titledeed.errors import MalformedDocumentError
from titledeed.models.finding import Fact, Severity
from titledeed.models.interval import Interval, ShareBounds
from titledeed.policy.evaluation import decide, evaluate
from titledeed.policy.packs import parse_pack
from titledeed.policy.rules import RulePack, Truth

HEAD = """
pack:
  id: test-pack
  status: binding
  addressee: producer
  confidence: primary_source
  notice: Made up for a test.
  checked_on: 2026-11-20
  sources: [{title: a test}]
rules:
"""


def pack_of(when: str, *, more: str = "") -> RulePack:
    rule = (
        f"- {{id: r, when: {when}, then: {{severity: rule_conflict, code: HIT, message: Hit.}}, "
        f"unknown: {{severity: question, code: OPEN, message: Open.}}{more}}}\n"
    )
    return parse_pack((HEAD + rule).encode())


def truth(when: str, facts: dict[str, Fact]) -> Truth:
    return decide(pack_of(when).rules[0].when, facts)


def bounds(lower: str, upper: str) -> ShareBounds:
    return ShareBounds(Fraction(lower), Fraction(upper))


FACTS: dict[str, Fact] = {
    "use": "none",
    "flag": True,
    "n": Fraction(3),
    "share": bounds("0.2", "0.6"),
    "point": bounds("0.5", "0.5"),
    "list": ("a", "b"),
    "empty": (),
    "runs": (Interval(0.0, 4.0),),
    "other_runs": (Interval(4.0, 8.0), Interval(10.0, 12.0)),
    "late_runs": (Interval(11.0, 13.0),),
}


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("{fact: use, eq: none}", True),
        ("{fact: use, eq: generative}", False),
        ("{fact: use, ne: none}", False),
        ("{fact: absent, eq: none}", None),
        ("{fact: absent, ne: none}", None),
        ("{fact: use, in: [none, assistive]}", True),
        ("{fact: use, in: [assistive]}", False),
        ("{fact: absent, in: [assistive]}", None),
        ("{fact: flag, eq: true}", True),
        ("{fact: flag, eq: false}", False),
        ("{fact: n, in: [1, 3]}", True),
        ("{fact: n, gt: 2}", True),
        ("{fact: n, gt: 3}", False),
        ("{fact: n, ge: 3}", True),
        ("{fact: n, lt: 3}", False),
        ("{fact: n, le: 3}", True),
        ("{fact: n, eq: 3}", True),
        ("{fact: n, ne: 3}", False),
        ("{fact: share, gt: 0.1}", True),
        ("{fact: share, gt: 0.2}", None),
        ("{fact: share, gt: 0.5}", None),
        ("{fact: share, gt: 0.6}", False),
        ("{fact: share, ge: 0.2}", True),
        ("{fact: share, ge: 0.6}", None),
        ("{fact: share, lt: 0.2}", False),
        ("{fact: share, lt: 0.7}", True),
        ("{fact: share, le: 0.6}", True),
        ("{fact: share, eq: 0.4}", None),
        ("{fact: share, eq: 0.7}", False),
        ("{fact: share, ne: 0.7}", True),
        ("{fact: share, in: [0.7, 0.8]}", False),
        ("{fact: share, in: [0.4, 0.8]}", None),
        ("{fact: point, eq: 0.5}", True),
        ("{fact: share, gt: 0.1, bound: lower}", True),
        ("{fact: share, gt: 0.5, bound: lower}", False),
        ("{fact: share, gt: 0.5, bound: upper}", True),
        ("{fact: n, gt: 2, bound: upper}", True),
        ("{fact: absent, gt: 0.5, bound: upper}", None),
        ("{fact: use, exists: true}", True),
        ("{fact: absent, exists: true}", False),
        ("{fact: absent, exists: false}", True),
        ("{fact: list, count: {eq: 2}}", True),
        ("{fact: list, count: {gt: 2}}", False),
        ("{fact: empty, count: {eq: 0}}", True),
        ("{fact: absent, count: {eq: 0}}", None),
        ("{fact: list, in: [b, c]}", True),
        ("{fact: list, in: [c]}", False),
        ("{fact: empty, in: [c]}", False),
        ("{fact: runs, overlaps: other_runs}", False),
        ("{fact: late_runs, overlaps: other_runs}", True),
        ("{fact: empty, overlaps: runs}", False),
        ("{fact: runs, overlaps: absent}", None),
        ("{all: [{fact: flag, eq: true}, {fact: absent, eq: 1}]}", None),
        ("{all: [{fact: flag, eq: false}, {fact: absent, eq: 1}]}", False),
        ("{any: [{fact: flag, eq: true}, {fact: absent, eq: 1}]}", True),
        ("{any: [{fact: flag, eq: false}, {fact: absent, eq: 1}]}", None),
        ("{not: {fact: flag, eq: false}}", True),
        ("{not: {fact: absent, eq: 1}}", None),
    ],
)
def test_truth(when: str, expected: Truth) -> None:
    assert truth(when, FACTS) is expected


@pytest.mark.parametrize(
    "when",
    [
        "{fact: use, gt: 1}",
        "{fact: use, eq: true}",
        "{fact: flag, eq: 1}",
        "{fact: n, eq: three}",
        "{fact: list, eq: a}",
        "{fact: use, count: {eq: 1}}",
        "{fact: list, overlaps: runs}",
        "{fact: runs, overlaps: use}",
        "{fact: use, in: [1]}",
    ],
)
def test_a_question_of_another_kind_than_the_fact_is_an_error_of_the_pack(when: str) -> None:
    with pytest.raises(MalformedDocumentError):
        truth(when, FACTS)


def test_true_unknown_and_false_raise_then_unknown_and_nothing() -> None:
    pack = pack_of("{fact: use, eq: none}")
    [hit] = evaluate(pack, {"use": "none"})
    assert (hit.code, hit.severity, hit.rule_id) == ("HIT", Severity.RULE_CONFLICT, "test-pack/r")
    [question] = evaluate(pack, {})
    assert (question.code, question.severity) == ("OPEN", Severity.QUESTION)
    assert evaluate(pack, {"use": "generative"}) == ()


def test_a_rule_for_human_review_gives_no_verdict_and_lays_out_the_facts() -> None:
    collected = "[use, flag, n, share, point, list, runs, absent]"
    pack = pack_of("{fact: use, eq: none}", more=f", human_review: true, collect: {collected}")
    [finding] = evaluate(pack, FACTS)
    assert finding.severity is Severity.QUESTION
    assert finding.message == (
        "Hit. Facts: use = none; flag = yes; n = 3; share = 20.0% to 60.0%; "
        "point = 50.0% to 50.0%; list = a, b; runs = 0.0-4.0 s."
    )
