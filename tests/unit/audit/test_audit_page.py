from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from film_builders import CAPTURE, film, match, registration, registration_id, shown

from titledeed.audit.document import audit_document
from titledeed.audit.facts import facts_of
from titledeed.audit.page import audit_page
from titledeed.audit.report import apply_rules, assess
from titledeed.audit.wording import DISCLAIMER, printable, runs, timecode
from titledeed.models.audit import AuditReport, PackInfo, RuleSource
from titledeed.models.finding import Finding, Outcome, Severity
from titledeed.models.interval import Interval
from titledeed.policy.evaluation import evaluate
from titledeed.policy.packs import load_pack

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202egnp.exe\u2066'\"&{{7*7}}\n"
WORDS_NEVER_WRITTEN = re.compile(r"authentic|fake|fraud|human made|passed|genuine|owner", re.I)

PACK = PackInfo(
    id="some-pack",
    title="Some festival",
    edition="7",
    status="guidance",
    addressee="producer",
    confidence="secondary_source",
    notice="Not read <b>in full</b>.",
    checked_on="2026-11-20",
    valid_from=None,
    valid_to=None,
    sources=(RuleSource("javascript:alert(1)", "Rules", None, None),),
)


class Reader(HTMLParser):
    """Collects tags, attributes and text; void elements need no end."""

    VOID = frozenset({"meta", "rect", "path", "circle"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def full_report() -> AuditReport:
    body = (
        "declared_use: generative\nfilm: {title: Night, rate: 24}\n"
        "uses:\n- {id: opening, start_frame: 0, end_frame: 48, "
        f"registrations: [{registration_id('b')}]}}"
    )
    works = [
        shown("a", (4, 8), (12, 13)),
        shown("b", (15, 16)),
        shown("c", (17, 18), source_type=CAPTURE),
    ]
    report = assess(film(disclosure=body, works=works, shots=[(0, 10), (10, 20)]))
    pack = load_pack("cambridge-significant")
    return apply_rules(report, pack.info, evaluate(pack, facts_of(report)))


def hostile_report() -> AuditReport:
    named = (registration("x", title=HOSTILE), match("x", (1, 3)))
    evidence = replace(film(works=[named]), film_name=HOSTILE, unassessed=(HOSTILE,))
    rules = [Finding("X", Severity.QUESTION, HOSTILE, rule_id="some-pack/x")]
    return apply_rules(assess(evidence), PACK, rules)


def test_the_page_is_well_formed_and_needs_nothing_else() -> None:
    reader = Reader(audit_page(full_report()))
    assert reader.open == []
    assert not {"script", "link", "img", "iframe", "object", "form", "a"} & set(reader.tags)
    names = {name for name, _ in reader.attributes}
    assert not {name for name in names if name.startswith("on")} | (
        {"src", "href", "style"} & names
    )


def test_the_policy_allows_exactly_the_style_of_the_page() -> None:
    page = audit_page(full_report())
    [style] = re.findall(r"<style>(.*?)</style>", page, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    [policy] = [value for _, value in Reader(page).attributes if value and "default-src" in value]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert "color-scheme" in style and "@import" not in style and "url(" not in style


def test_the_verdict_stands_first_and_the_limits_stand_in_full() -> None:
    report = full_report()
    page = audit_page(report)
    text = "".join(Reader(page).text)
    heading = re.search(r"<h1>(.*?)</h1>", page)
    assert heading and heading[1].startswith("Inconsistent: the film shows 1 registered AI work")
    assert DISCLAIMER in text
    assert "Written from secondary sources" in text and "secondary_source" in text
    assert "3 registrations" in text and "2026-" in text


def test_marks_lie_where_the_film_shows_the_work_and_differ_by_more_than_colour() -> None:
    page = audit_page(full_report())
    assert 'fill="url(#undeclared)" x="200.0" y="4" width="200.0"' in page
    assert 'fill="url(#declared)" x="750.0" y="4" width="50.0"' in page
    assert 'fill="url(#other)" x="850.0" y="4" width="50.0"' in page
    assert "shown at 0:04.0-0:08.0, 0:12.0-0:13.0" in page


def test_hostile_texts_are_escaped_on_the_page() -> None:
    page = audit_page(hostile_report())
    reader = Reader(page)
    assert reader.open == [] and "script" not in reader.tags
    assert "&lt;script&gt;" in page and "{{7*7}}" in page
    assert not set(page) & set("\x1b\u202e\u2066")
    assert "javascript:" not in str([value for _, value in reader.attributes])


def test_hostile_texts_are_printable_in_the_document() -> None:
    text = json.dumps(audit_document(hostile_report()), ensure_ascii=False)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert r"\u001b" not in text and "<U+202E>" in text


@pytest.mark.parametrize("report", [full_report(), assess(film()), assess(film(disclosure=None))])
def test_no_word_claims_more_than_was_found(report: AuditReport) -> None:
    text = "".join(Reader(audit_page(report)).text)
    assert not WORDS_NEVER_WRITTEN.search(text)
    assert not WORDS_NEVER_WRITTEN.search(json.dumps(audit_document(report)))


@pytest.mark.parametrize("duration_s", [0.0, 0.04, 40_000.0])
def test_films_of_any_length_render(duration_s: float) -> None:
    evidence = film(duration_s=duration_s, works=[shown("a", (0, 8))])
    assert Reader(audit_page(assess(evidence))).open == []


def test_the_same_evidence_gives_the_same_bytes() -> None:
    assert audit_page(full_report()) == audit_page(full_report())
    first, second = (json.dumps(audit_document(full_report())) for _ in range(2))
    assert first == second


def test_the_document_tells_verdict_segments_shares_and_coverage() -> None:
    document = json.loads(json.dumps(audit_document(full_report())))
    assert document["schema_version"] == 1 and document["verdict"] == "inconsistent"
    assert document["as_of"] == "2026-11-18T11:06:40Z"
    assert document["works"][0]["segments"][0] == {
        "film_start_s": 4,
        "film_end_s": 8,
        "work_start_s": 0,
        "work_end_s": 4,
        "speed": 1.0,
        "mirrored": False,
    }
    lower = document["shares"]["time"]["detected"]["lower"]
    assert lower == {"numerator": 6000, "denominator": 20000, "percent": "30.0 %"}
    assert document["shares"]["shots"]["detected"]["lower"]["denominator"] == 2
    assert document["coverage"]["snapshots"][0]["registrations"] == 3
    assert document["rules"]["id"] == "cambridge-significant"
    assert {f["code"] for f in document["findings"]} >= {"USE_UNDECLARED", "REGISTERED_WORK_USED"}


def test_rules_decide_only_by_their_gravest_finding() -> None:
    report = assess(film())
    for severity, outcome in [
        (Severity.INFO, Outcome.COMPLETE),
        (Severity.QUESTION, Outcome.QUESTIONS_OPEN),
        (Severity.CONCERN, Outcome.INCONSISTENT),
        (Severity.RULE_CONFLICT, Outcome.RULE_CONFLICT),
    ]:
        ruled = apply_rules(report, PACK, [Finding("X", severity, "Some rule speaks.")])
        assert ruled.outcome is outcome
    undeclared = assess(film(works=[shown("a", (1, 3))]))
    conflict = [Finding("X", Severity.RULE_CONFLICT, "No.")]
    assert apply_rules(undeclared, PACK, conflict).outcome is Outcome.RULE_CONFLICT
    unreadable = assess(film(duration_s=0.0))
    assert apply_rules(unreadable, PACK, conflict).outcome is Outcome.CANNOT_ASSESS


def test_facts_hold_what_is_known_and_nothing_else() -> None:
    facts = facts_of(assess(film(disclosure=None)))
    assert (
        "declared_use" not in facts and "uses" not in facts and "detected.shot_share" not in facts
    )
    body = (
        "declared_use: generative\ndepartments:\n- {dept: vfx, used: no}\n"
        "- {dept: music, used: yes, mode: generated}\n- {dept: music, used: yes, mode: altered}"
    )
    declared = facts_of(assess(film(disclosure=body)))
    assert declared["departments"] == ("music",)
    assert declared["dept.music.mode"] == ("generated", "altered")
    assert declared["dept.vfx.used"] == "no" and "dept.vfx.mode" not in declared
    assert "uses" not in declared and "declared.time" not in declared
    assert not any(name.startswith("detected") for name in facts_of(assess(film(duration_s=0.0))))


def test_scripts_of_other_languages_stay_readable() -> None:
    assert printable("夜 می‌خواهم 👩‍🚀 é") == "夜 می‌خواهم 👩‍🚀 é"
    assert printable("a" * 400).endswith("…") and len(printable("a" * 400)) == 300


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.0"), (59.96, "1:00.0"), (3599.96, "1:00:00.0"), (3723.4, "1:02:03.4")],
)
def test_time_codes_carry(seconds: float, text: str) -> None:
    assert timecode(seconds) == text


def test_long_lists_of_runs_are_cut() -> None:
    assert runs([Interval(n, n + 1) for n in range(7)]).endswith("and 2 more")
