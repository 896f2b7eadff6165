"""Audit scenarios, each beside the near twin that must not raise the finding."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from fractions import Fraction

import pytest
from film_builders import (
    CAPTURE,
    GENERATIVE,
    digest,
    disclosed,
    film,
    match,
    ms_11,
    registration,
    registration_id,
    shared,
    shown,
    with_claim,
)

from titledeed.audit.document import audit_document
from titledeed.audit.report import assess
from titledeed.audit.wording import sentence_of
from titledeed.models.audit import AuditReport, FilmEvidence
from titledeed.models.disclosure import DigitalSourceType
from titledeed.models.finding import Finding, Outcome, Severity
from titledeed.models.interval import Interval, ShareBounds


def codes(report: AuditReport) -> set[str]:
    return {finding.code for finding in report.findings}


def only(report: AuditReport, code: str) -> Finding:
    [finding] = [finding for finding in report.findings if finding.code == code]
    return finding


def declares(name: str, use: str = "generative") -> str:
    return f"declared_use: {use}\nuses: [{{registrations: [{registration_id(name)}]}}]"


def test_1_forty_percent_of_shots_is_consistent_and_time_is_told_too() -> None:
    report = assess(with_claim(ms_11(), "{metric: shots_any, value: 0.4, qualifier: about}"))
    message = only(report, "SHARE_CONSISTENT").message
    assert report.outcome is Outcome.COMPLETE
    assert "48 of 120" in message and "192.0 s" in message and "29.1 %" in message
    assert report.time_share.detected.lower == Fraction(192, 660)


def test_2_a_share_without_metric_is_not_comparable_and_shows_both_figures() -> None:
    report = assess(with_claim(ms_11(), "{value: 0.4}"))
    finding = only(report, "NOT_COMPARABLE")
    assert finding.severity is Severity.QUESTION and report.outcome is Outcome.QUESTIONS_OPEN
    assert "29.1 %" in finding.message and "40.0 %" in finding.message


def test_2_twin_naming_the_metric_makes_it_comparable() -> None:
    report = assess(with_claim(ms_11(), "{metric: shots_any, value: 0.4}"))
    assert "NOT_COMPARABLE" not in codes(report)


def test_3_a_claim_below_the_evidence_is_a_concern() -> None:
    report = assess(with_claim(ms_11(), "{metric: shots_any, value: 0.29, qualifier: about}"))
    assert only(report, "SHARE_BELOW").severity is Severity.CONCERN
    assert report.outcome is Outcome.INCONSISTENT


def test_3_twin_the_same_number_of_seconds_is_consistent() -> None:
    report = assess(with_claim(ms_11(), "{metric: seconds_any, value: 0.29, qualifier: about}"))
    assert "SHARE_CONSISTENT" in codes(report) and "SHARE_BELOW" not in codes(report)


def test_4_unresolved_shots_give_an_interval_and_never_its_upper_end_alone() -> None:
    evidence = with_claim(ms_11(resolved=60), "{metric: shots_any, value: 0.4, qualifier: about}")
    report = assess(evidence)
    assert report.shot_share is not None
    assert report.shot_share.known == ShareBounds(Fraction(48, 120), Fraction(60, 120))
    message = only(report, "SHARE_CONSISTENT").message
    assert "40.0 % to 50.0 %" in message and "12 shots unresolved" in message


def test_4_twin_with_all_shots_resolved_both_bounds_meet() -> None:
    report = assess(with_claim(ms_11(resolved=72), "{metric: shots_any, value: 0.4}"))
    assert report.shot_share is not None
    assert report.shot_share.known.upper == Fraction(2, 5)
    assert "unresolved" not in only(report, "SHARE_CONSISTENT").message


def test_4_twin_a_claim_above_all_that_is_possible_is_told() -> None:
    report = assess(with_claim(ms_11(resolved=60), "{metric: shots_any, value: 0.6}"))
    assert only(report, "SHARE_ABOVE").severity is Severity.QUESTION


def test_5_seventeen_minutes_of_a_long_film() -> None:
    ai = [(30.0 * n, 30.0 * n + 5) for n in range(204)]
    rest = [(30.0 * n + 5, 30.0 * n + 30) for n in range(204)]
    long_shots = [(6120 + 1680 / 1592 * n, 6120 + 1680 / 1592 * (n + 1)) for n in range(1592)]
    evidence = film(
        disclosure=declares("quantum"),
        works=[shown("quantum", *ai)],
        duration_s=7800.0,
        shots=sorted([*ai, *rest, *long_shots]),
    )
    report = assess(with_claim(evidence, "{metric: seconds_any, unit: s, value: 1020}"))
    assert report.shot_share is not None
    assert report.time_share.detected.lower == Fraction(1020, 7800)
    assert report.shot_share.detected.lower == Fraction(204, 2000)
    assert "1020.0 s" in only(report, "SHARE_CONSISTENT").message


def test_13_a_credential_that_says_generated_contradicts_no_use() -> None:
    stated = ("http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",)
    report = assess(replace(film(), manifest_source_types=stated))
    assert only(report, "PROV_CONFLICT").severity is Severity.CONCERN


@pytest.mark.parametrize(
    ("declared", "term"),
    [
        ("none", "algorithmicMedia"),
        ("none", "algorithmicallyEnhanced"),
        ("none", "digitalCapture"),
        ("generative\nuses: []", "trainedAlgorithmicMedia"),
    ],
)
def test_13_17_twin_other_sources_and_answers_do_not_conflict(declared: str, term: str) -> None:
    uri = "https://cv.iptc.org/newscodes/digitalsourcetype/" + term
    evidence = replace(film(disclosure=f"declared_use: {declared}"), manifest_source_types=(uri,))
    assert "PROV_CONFLICT" not in codes(assess(evidence))


def test_27_another_export_of_the_same_length_is_a_version_mismatch() -> None:
    body = (
        f"declared_use: none\nfilm: {{versions: [{{sha256: {'ab' * 32}, frames: 480, rate: 24}}]}}"
    )
    report = assess(film(disclosure=body))
    assert codes(report) == {"VERSION_MISMATCH"}


def test_27_twin_the_named_export_is_no_mismatch() -> None:
    body = f"declared_use: none\nfilm: {{versions: [{{sha256: {digest('film').hex()}}}]}}"
    assert not codes(assess(film(disclosure=body)))


def test_35_all_answers_unsure_leave_questions_open() -> None:
    departments = "[{dept: vfx, used: unsure}, {dept: music, used: unsure}]"
    body = f"declared_use: unsure\ndepartments: {departments}"
    report = assess(film(disclosure=body, works=[shown("clip", (4, 8))]))
    assert report.outcome is Outcome.QUESTIONS_OPEN
    assert "USE_UNDECLARED" not in codes(report)
    assert sum(finding.code == "UNSURE_ANSWER" for finding in report.findings) == 3


def test_35_twin_sure_answers_ask_nothing() -> None:
    body = "declared_use: none\ndepartments: [{dept: vfx, used: no}]"
    assert assess(film(disclosure=body)).outcome is Outcome.COMPLETE


def test_41_the_network_plays_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = ms_11(resolved=3)
    before = json.dumps(audit_document(assess(evidence)))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the audit opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    assert json.dumps(audit_document(assess(evidence))) == before


def test_43_without_a_record_nothing_is_written_in_its_name() -> None:
    text = json.dumps(audit_document(assess(film())))
    assert "hpf" not in text.lower() and "no_ai" not in text


# What the disclosure names.

UNDECLARED = [shown("clip", (4, 8))]


def test_an_undeclared_registered_work_is_inconsistent_and_said_in_one_sentence() -> None:
    report = assess(film(works=UNDECLARED))
    finding = only(report, "USE_UNDECLARED")
    assert finding.registration_id == registration_id("clip")
    assert finding.film_time is not None and finding.film_time.start_s == 4
    assert sentence_of(report) == (
        "Inconsistent: the film shows 1 registered AI work for 4.0 s (20.0 % of its time) that "
        "the disclosure does not name."
    )


@pytest.mark.parametrize(
    "use",
    [
        f"{{registrations: [{registration_id('clip')}]}}",
        f"{{source_files: [{digest('content clip').hex()}]}}",
        f"{{source_files: [{digest('signed clip').hex().upper()}]}}",
        "{start_frame: 96, end_frame: 192}",
        "{start_frame: 105, end_frame: 185}",  # 80 of 96 frames
    ],
)
def test_a_use_that_names_the_work_declares_it(use: str) -> None:
    body = f"declared_use: generative\nfilm: {{rate: 24/1}}\nuses: [{use}]"
    report = assess(film(disclosure=body, works=UNDECLARED))
    assert report.outcome is Outcome.COMPLETE
    assert report.works[0].declared is True
    assert sentence_of(report).endswith(
        "the film shows 1 registered AI work for 4.0 s (20.0 % of its time)."
    )


@pytest.mark.parametrize(
    "use",
    [
        f"{{registrations: [{registration_id('other')}]}}",
        f"{{source_files: [{digest('content other').hex()}]}}",
        "{start_frame: 240, end_frame: 336}",
        "{start_frame: 96, end_frame: 172}",  # 76 of 96 frames
        f"{{registrations: [{registration_id('clip')}], iptc_type: digitalCapture}}",
    ],
)
def test_a_use_that_names_something_else_does_not(use: str) -> None:
    body = f"declared_use: generative\nfilm: {{rate: 24/1}}\nuses: [{use}]"
    report = assess(film(disclosure=body, works=UNDECLARED))
    assert "USE_UNDECLARED" in codes(report)
    assert report.works[0].declared is False


def test_a_work_that_only_shares_something_is_asked_about_and_never_counted() -> None:
    report = assess(film(works=[shared("second take", (4, 8))]))
    finding = only(report, "CONTENT_SHARED")
    assert finding.severity is Severity.QUESTION
    assert finding.film_time == Interval(4, 8)
    assert finding.registration_id == registration_id("second take")
    assert report.works == () and report.generative_time == ()
    assert report.outcome is Outcome.QUESTIONS_OPEN
    assert sentence_of(report).endswith(
        "no registered AI work was found in it, which is no evidence either way."
    )


@pytest.mark.parametrize(
    ("body", "source_type"),
    [(declares("stem"), GENERATIVE), ("declared_use: none", CAPTURE)],
    ids=["declared", "not generative"],
)
def test_what_is_declared_or_not_ai_is_told_and_not_asked(
    body: str, source_type: DigitalSourceType
) -> None:
    works = [shared("stem", (4, 8), source_type=source_type)]
    report = assess(film(disclosure=body, works=works))
    assert only(report, "CONTENT_SHARED").severity is Severity.INFO
    assert report.outcome is Outcome.COMPLETE


def test_seconds_that_show_the_work_are_not_told_as_shared_too() -> None:
    work, found = shown("clip", (4, 8))
    _, sound = shared("clip", (5, 9))
    both = replace(found, segments=(*found.segments, *sound.segments))
    report = assess(film(disclosure=declares("clip"), works=[(work, both)]))
    assert "CONTENT_SHARED" not in codes(report)
    assert report.works[0].film_time == (Interval(4, 8),)


def test_every_segment_must_be_covered_by_a_range() -> None:
    body = "declared_use: generative\nfilm: {rate: 24}\nuses: [{start_frame: 96, end_frame: 192}]"
    report = assess(film(disclosure=body, works=[shown("clip", (4, 8), (12, 14))]))
    assert [interval.start_s for interval in report.works[0].undeclared_time] == [12]
    assert "2.0 s" in only(report, "USE_UNDECLARED").message


def test_a_second_registration_of_declared_seconds_is_declared_as_well() -> None:
    body = declares("mine")
    works = [shown("mine", (4, 8)), shown("theirs", (4, 8))]
    assert "USE_UNDECLARED" not in codes(assess(film(disclosure=body, works=works)))


def test_a_registration_of_the_same_bytes_is_declared_as_well() -> None:
    twin = replace(registration("theirs"), content_digest=digest("content mine"))
    body = declares("mine")
    works = [shown("mine", (4, 8)), (twin, match("theirs", (12, 16)))]
    assert "USE_UNDECLARED" not in codes(assess(film(disclosure=body, works=works)))


def test_generative_use_without_a_list_is_a_question_not_an_accusation() -> None:
    report = assess(film(disclosure="declared_use: generative", works=UNDECLARED))
    assert codes(report) == {"MISSING_ANSWER"}
    assert report.outcome is Outcome.QUESTIONS_OPEN
    assert report.works[0].declared is None


def test_generative_use_with_an_empty_list_is_an_answer() -> None:
    report = assess(film(disclosure="declared_use: generative\nuses: []", works=UNDECLARED))
    assert "USE_UNDECLARED" in codes(report)


def test_assistive_use_alone_does_not_cover_a_generated_work() -> None:
    report = assess(film(disclosure="declared_use: assistive", works=UNDECLARED))
    assert "USE_UNDECLARED" in codes(report)


def test_a_missing_disclosure_is_a_question() -> None:
    report = assess(film(disclosure=None, works=UNDECLARED))
    assert codes(report) == {"MISSING_ANSWER"}
    assert report.outcome is Outcome.QUESTIONS_OPEN


def test_a_work_of_another_source_is_a_question_of_rights_only() -> None:
    report = assess(film(works=[shown("clip", (4, 8), source_type=CAPTURE)]))
    assert only(report, "REGISTERED_WORK_USED").severity is Severity.INFO
    assert report.outcome is Outcome.COMPLETE
    assert report.time_share.detected == ShareBounds(Fraction(0), Fraction(4, 5))


def test_registrations_that_disagree_about_the_source_are_asked_about() -> None:
    works = [shown("one", (4, 8)), shown("two", (4, 8), source_type=CAPTURE)]
    body = declares("one")
    report = assess(film(disclosure=body, works=works))
    assert "REG_SOURCE_CONFLICT" in codes(report)
    assert report.time_share.detected.lower == Fraction(1, 5)
    apart = [works[0], shown("two", (10, 14), source_type=CAPTURE)]
    assert "REG_SOURCE_CONFLICT" not in codes(assess(film(disclosure=body, works=apart)))


def test_no_use_that_lists_uses_contradicts_itself() -> None:
    body = declares("clip", "none")
    report = assess(film(disclosure=body, works=UNDECLARED))
    assert "DECLARATION_CONFLICT" in codes(report) and "USE_UNDECLARED" not in codes(report)
    assert report.outcome is Outcome.INCONSISTENT
    assert sentence_of(report) == (
        "Inconsistent: the disclosure declares no use of AI and lists 1 use."
    )


def test_assistive_use_that_lists_a_generated_work_contradicts_itself() -> None:
    body = declares("clip", "assistive")
    assert "DECLARATION_CONFLICT" in codes(assess(film(disclosure=body, works=UNDECLARED)))


def test_a_declared_work_that_is_not_found_is_no_evidence_either_way() -> None:
    body = declares("gone")
    report = assess(film(disclosure=body))
    assert only(report, "USE_NOT_FOUND").severity is Severity.INFO
    assert report.outcome is Outcome.COMPLETE


def test_a_use_that_denies_the_registered_source_is_a_conflict() -> None:
    body = (
        "declared_use: generative\nfilm: {rate: 24}\n"
        "uses: [{start_frame: 90, end_frame: 200, iptc_type: digitalCapture}]"
    )
    assert "PROV_CONFLICT" in codes(assess(film(disclosure=body, works=UNDECLARED)))


@pytest.mark.parametrize(
    ("term", "asked"),
    [
        ("http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia", False),
        ("https://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia", False),
        ("digitalArt", False),
        ("http://c2pa.org/digitalsourcetype/compositeWithTrainedAlgorithmicMedia", True),
        ("composite", True),
    ],
)
def test_19_source_types_are_read_by_their_vocabulary(term: str, asked: bool) -> None:
    body = f"declared_use: generative\nuses: [{{id: a, iptc_type: '{term}'}}]"
    assert ("SOURCE_TYPE_UNCLEAR" in codes(assess(film(disclosure=body)))) is asked


def test_a_use_after_the_end_of_the_film_is_asked_about() -> None:
    body = "declared_use: generative\nfilm: {rate: 24}\nuses: [{start_frame: 0, end_frame: %d}]"
    assert "USE_OUT_OF_RANGE" in codes(assess(film(disclosure=body % 600)))
    assert "USE_OUT_OF_RANGE" not in codes(assess(film(disclosure=body % 490)))


def test_a_timeline_of_another_length_is_told_and_its_shots_are_not_counted() -> None:
    wrong = assess(film(shots=[(0, 10), (10, 22)]))
    assert codes(wrong) == {"RUNTIME_MISMATCH"} and wrong.shot_share is None
    right = assess(film(shots=[(0, 10), (10, 20.9)]))
    assert not codes(right) and right.shot_share is not None


def test_a_disclosed_length_of_another_film_is_told() -> None:
    body = "declared_use: none\nfilm: {versions: [{rate: 24/1, frames: %d}]}"
    assert codes(assess(film(disclosure=body % 600))) == {"RUNTIME_MISMATCH"}
    assert not codes(assess(film(disclosure=body % 490)))


def test_a_film_that_cannot_be_read_cannot_be_assessed() -> None:
    report = assess(replace(film(duration_s=0.0), unassessed=("the film is truncated",)))
    assert report.outcome is Outcome.CANNOT_ASSESS
    assert sentence_of(report) == "Cannot assess: the film could not be read."
    assert report.time_share.known == ShareBounds(Fraction(0), Fraction(1))


def test_a_part_that_could_not_be_read_is_a_question() -> None:
    report = assess(replace(film(), unassessed=("bundles/a.zip does not parse",)))
    assert report.outcome is Outcome.QUESTIONS_OPEN
    assert "bundles/a.zip" in only(report, "NOT_ASSESSED").message


def test_an_empty_finding_is_no_evidence_either_way() -> None:
    assert "no registered AI work was found" in sentence_of(assess(film()))
    nothing = replace(film(), coverages=())
    assert "no registrations were at hand" in sentence_of(assess(nothing))
    assert all("no evidence either way" in sentence_of(assess(e)) for e in (film(), nothing))


def test_unread_fields_are_named() -> None:
    report = assess(film(disclosure="declared_use: none\ndeclare_use: generative"))
    assert "declare_use" in only(report, "FIELD_NOT_READ").message
    assert report.outcome is Outcome.COMPLETE


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        ("{metric: shots_any, unit: count, value: 48, qualifier: exact}", "SHARE_CONSISTENT"),
        ("{metric: shots_any, unit: count, value: 47, qualifier: exact}", "SHARE_BELOW"),
        (
            "{metric: shots_any, unit: count, value: 47, qualifier: exact, tolerance: 1}",
            "SHARE_CONSISTENT",
        ),
        ("{metric: shots_any, value: 0.3, qualifier: at_least}", "SHARE_CONSISTENT"),
        ("{metric: shots_any, value: 0.5, qualifier: at_most}", "SHARE_CONSISTENT"),
        ("{metric: shots_any, value: 0.39, qualifier: at_most}", "SHARE_BELOW"),
        ("{metric: seconds_any, unit: s, value: 192, qualifier: exact}", "SHARE_CONSISTENT"),
        ("{metric: seconds_any, unit: s, value: 180, qualifier: exact}", "SHARE_BELOW"),
        ("{metric: frames_any, unit: frames, value: 4608}", "NOT_COMPARABLE"),
        ("{metric: seconds_any, unit: count, value: 3}", "NOT_COMPARABLE"),
        ("{metric: budget_share, value: 0.1}", "NOT_COMPARABLE"),
    ],
)
def test_claims_are_compared_in_their_own_unit(claim: str, code: str) -> None:
    assert code in codes(assess(with_claim(ms_11(), claim)))


def test_a_claim_in_frames_needs_the_rate() -> None:
    claim = "{metric: frames_any, unit: frames, value: 4608, qualifier: exact}"
    evidence = with_claim(ms_11(), claim)
    assert evidence.disclosure is not None
    versions = disclosed("film: {rate: 24}").versions
    rated = replace(evidence, disclosure=replace(evidence.disclosure, versions=versions))
    assert "SHARE_CONSISTENT" in codes(assess(rated))


def test_a_shot_claim_without_a_timeline_is_not_comparable() -> None:
    evidence = with_claim(film(), "{metric: shots_any, value: 0.1}")
    assert "NOT_COMPARABLE" in codes(assess(evidence))


def test_declared_ranges_count_in_what_is_known_and_not_in_what_is_detected() -> None:
    body = "declared_use: generative\nfilm: {rate: 24}\nuses: [{start_frame: 0, end_frame: 240}]"
    report = assess(film(disclosure=body))
    assert report.time_share.detected.lower == 0
    assert report.time_share.known.lower == Fraction(1, 2)


def test_findings_and_works_do_not_depend_on_the_order_of_the_evidence() -> None:
    evidence: FilmEvidence = film(works=[shown("a", (4, 8)), shown("b", (10, 12))])
    turned = replace(
        evidence,
        matches=evidence.matches[::-1],
        works=dict(reversed(evidence.works.items())),
    )
    assert audit_document(assess(evidence)) == audit_document(assess(turned))


def test_seconds_outside_the_film_do_not_count() -> None:
    report = assess(film(works=[shown("a", (18, 24)), shown("b", (21, 25))]))
    assert [work.title for work in report.works] == ["a"]
    assert report.time_share.detected.lower == Fraction(1, 10)
