from __future__ import annotations

import pytest

from titledeed.errors import MalformedDocumentError, NotFoundError
from titledeed.models.finding import Fact, Severity
from titledeed.policy.evaluation import evaluate
from titledeed.policy.packs import list_packs, load_pack, parse_pack
from titledeed.policy.rules import RulePack

PACK = """
pack:
  id: cannes-79-competition
  edition: 79
  status: binding
  addressee: producer
  valid_from: 2026-04-09
  valid_to: null
  checked_on: 2026-11-20
  confidence: secondary_source
  sources: [{url: "https://example.org", title: a report, note: text not read}]
  scope: {section: competition}
  notice: text not read; confirm
terms: {}
rules:
  - id: script
    when: {fact: dept.screenplay.mode, in: [generated]}
    then: {severity: rule_conflict, code: NOT_ELIGIBLE_AS_DECLARED, message: cannes.script}
    unknown: {severity: question, code: MISSING_ANSWER, message: cannes.script}
    evidence_min: declared
    human_review: true
examples:
  - {facts: {dept.screenplay.mode: [generated]}, expect: {script: true}}
  - {facts: {}, expect: {script: unknown}}
"""


def test_a_pack_in_the_documented_form_is_read() -> None:
    pack = parse_pack(PACK.encode())
    assert pack.info.edition == "79" and pack.info.valid_from == "2026-04-09"
    assert pack.info.sources[0].note == "text not read"
    assert len(pack.rules) == 1 and len(pack.examples) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("id: cannes-79-competition", "id: Cannes 79"),
        ("status: binding", "status: law"),
        ("addressee: producer", "addressee: everybody"),
        ("confidence: secondary_source", "confidence: high"),
        ("checked_on: 2026-11-20", "checked_on: yesterday"),
        ("checked_on: 2026-11-20", "checked_on: 2026-13-20"),
        ("edition: 79", "edition: [79]"),
        ("  notice: text not read; confirm\n", ""),
        ("  scope: {section: competition}", "  scopes: {}"),
        ('sources: [{url: "https://example.org", title: a report', "sources: [] # ["),
        ("terms: {}", "terms: {principal: {people.kind: performer}}"),
        ("terms: {}", "code: {}"),
        ("in: [generated]", "matches: gen.*"),
        ("in: [generated]", "in: []"),
        ("in: [generated]", "in: generated"),
        ("in: [generated]", "in: [[generated]]"),
        ("in: [generated]", "in: [generated], eq: generated"),
        ("in: [generated]", "eq: null"),
        ("in: [generated]", "gt: much"),
        ("in: [generated]", "in: [generated], bound: lower"),
        ("in: [generated]", "gt: 1, bound: middle"),
        ("in: [generated]", "count: {matches: 1}"),
        ("in: [generated]", "count: {eq: 1, gt: 0}"),
        ("in: [generated]", "exists: maybe"),
        ("in: [generated]", "overlaps: Not A Name"),
        ("fact: dept.screenplay.mode", "fact: __class__"),
        ("when: {fact: dept.screenplay.mode, in: [generated]}", "when: {}"),
        ("when: {fact: dept.screenplay.mode, in: [generated]}", "when: {all: []}"),
        (
            "when: {fact: dept.screenplay.mode, in: [generated]}",
            "when: {fact: x, all: [{fact: x}]}",
        ),
        (
            "when: {fact: dept.screenplay.mode, in: [generated]}",
            "when: " + "{not: " * 12 + "{fact: x, eq: 1}" + "}" * 12,
        ),
        ("severity: rule_conflict", "severity: fatal"),
        ("code: NOT_ELIGIBLE_AS_DECLARED", "code: not eligible"),
        ("message: cannes.script}\n    unknown", "message: [x]}\n    unknown"),
        ("evidence_min: declared", "evidence_min: verified"),
        ("human_review: true", "human_review: perhaps"),
        ("    human_review: true", "    collect: [uses]"),
        ("    human_review: true", "    weight: 3"),
        ("expect: {script: unknown}", "expect: {script: false}"),
        ("expect: {script: unknown}", "expect: {script: 1}"),
        ("expect: {script: unknown}", "expect: {other: true}"),
        ("{facts: {}, expect", "{facts: {x: [[1]]}, expect"),
        ("{facts: {}, expect", "{facts: {x: {lower: 1}}, expect"),
        ("{facts: {}, expect", "{facts: {x: null}, expect"),
        ("{facts: {}, expect", "{facts: {}, name: x, expect"),
    ],
)
def test_a_pack_that_is_not_wholly_understood_is_refused(old: str, new: str) -> None:
    assert old in PACK
    with pytest.raises(MalformedDocumentError):
        parse_pack(PACK.replace(old, new).encode())


def test_two_rules_of_one_id_are_refused_and_so_is_a_pack_without_rules() -> None:
    rule = PACK[PACK.index("  - id: script") : PACK.index("examples:")]
    for damaged in (
        PACK.replace(rule, rule + rule),
        PACK.replace("rules:\n" + rule, "rules: []\n"),
    ):
        assert damaged != PACK
        with pytest.raises(MalformedDocumentError, match="rules"):
            parse_pack(damaged.encode())


def test_too_many_rules_are_refused() -> None:
    rule = PACK[PACK.index("  - id: script") : PACK.index("examples:")]
    many = "".join(rule.replace("id: script", f"id: r{n}") for n in range(201))
    with pytest.raises(MalformedDocumentError, match="200"):
        parse_pack(PACK.replace(rule, many).encode())


def test_examples_may_hold_every_kind_of_fact() -> None:
    facts = "{a: text, b: true, c: 0.5, d: {lower: 0, upper: 0.5}, e: [x], f: [[0, 4.5]], g: []}"
    pack = parse_pack(PACK.replace("{facts: {}", "{facts: " + facts).encode())
    assert len(pack.examples[1].facts) == 7


@pytest.mark.parametrize("name", list_packs())
def test_every_shipped_pack_tests_each_of_its_rules_both_ways(name: str) -> None:
    pack = load_pack(name)
    assert pack.info.id == name and pack.info.notice
    for rule in pack.rules:
        answers = {example.expect.get(rule.id) for example in pack.examples}
        assert {True, False} <= answers, rule.id


def test_an_unknown_pack_is_named_with_the_known_ones() -> None:
    for name in ("nowhere", "../packs/cambridge-significant", ""):
        with pytest.raises(NotFoundError) as caught:
            load_pack(name)
        assert "cambridge-significant" in caught.value.next_step


@pytest.fixture(scope="module")
def cambridge() -> RulePack:
    return load_pack("cambridge-significant")


def codes(pack: RulePack, facts: dict[str, Fact]) -> dict[str, Severity]:
    return {finding.code: finding.severity for finding in evaluate(pack, facts)}


def test_cambridge_is_honest_about_its_sources(cambridge: RulePack) -> None:
    assert cambridge.info.confidence == "secondary_source"
    assert cambridge.info.checked_on == "2026-11-20"
    assert "Confirm with the festival" in cambridge.info.notice


def test_cambridge_leaves_significance_to_a_person(cambridge: RulePack) -> None:
    found = codes(cambridge, {"declared_use": "generative", "departments": ("vfx",)})
    assert found["JUDGEMENT_NEEDED"] is Severity.INFO
    assert set(found.values()) == {Severity.INFO}


def test_cambridge_asks_for_the_departments_of_a_declared_use(cambridge: RulePack) -> None:
    assert codes(cambridge, {"declared_use": "assistive"})["MISSING_ANSWER"] is Severity.QUESTION
    assert "MISSING_ANSWER" not in codes(cambridge, {"declared_use": "none"})


def test_cambridge_asks_for_consent_to_a_replica(cambridge: RulePack) -> None:
    facts: dict[str, Fact] = {"declared_use": "generative", "departments": ("performance",)}
    assert "CONSENT_QUESTION" not in codes(cambridge, facts)
    assert "CONSENT_QUESTION" in codes(cambridge, {**facts, "dept.performance.mode": ("replica",)})
