from __future__ import annotations

import hashlib
from fractions import Fraction

import pytest
from film_builders import registration_id

from titledeed.disclosure.film import parse_film_disclosure
from titledeed.errors import MalformedDocumentError
from titledeed.models.disclosure import DeclaredUse, Qualifier, ShareMetric, ShareUnit, Used
from titledeed.models.interval import Interval

FULL = f"""
schema: aidisc/1
profile: mini
as_of: 2026-11-20
film:
  title: {{fr: Nuit, en: Night}}
  versions: [{{label: master, rate: "30000/1001", frames: 600, sha256: {"ab" * 32}}}]
declared_use: generative
departments:
  - {{dept: vfx, used: yes, mode: generated}}
  - {{dept: music, used: no}}
  - {{dept: editing, used: unsure}}
tools:
  - {{id: t1, name: Some Model, model_version: 2.1, provider: Somebody}}
uses:
  - id: opening
    start_frame: 0
    end_frame: 300
    version_label: master
    source_files: [{"CD" * 32}]
    registrations: [{registration_id("clip")}]
    tool: t1
    iptc_type: trainedAlgorithmicMedia
    coverage: 0.5
claims:
  - {{metric: shots_any, value: 0.4, unit: ratio, qualifier: at_most, tolerance: 0.01}}
people: [{{id: p1}}]
"""


def parse(body: str) -> object:
    return parse_film_disclosure(f"schema: aidisc/1\n{body}".encode())


def test_every_answer_of_the_profile_is_read() -> None:
    disclosure = parse_film_disclosure(FULL.encode())
    assert disclosure.title == "Night"
    assert disclosure.declared_use is DeclaredUse.GENERATIVE
    assert disclosure.departments is not None and disclosure.departments[0].mode == "generated"
    assert [answer.used for answer in disclosure.departments] == [Used.YES, Used.NO, Used.UNSURE]
    assert disclosure.tools is not None and disclosure.tools[0].model_version == "2.1"
    assert disclosure.uses is not None
    use = disclosure.uses[0]
    assert use.time == Interval(0.0, 10.01) and use.source_files == (b"\xcd" * 32,)
    assert use.registrations == (registration_id("clip"),) and use.tool == "t1"
    assert disclosure.claims is not None
    claim = disclosure.claims[0]
    assert (claim.metric, claim.value, claim.unit) == (
        ShareMetric.SHOTS_ANY,
        Fraction(2, 5),
        ShareUnit.RATIO,
    )
    assert claim.qualifier is Qualifier.AT_MOST and claim.tolerance == Fraction(1, 100)
    assert disclosure.versions[0].rate == Fraction(30000, 1001)
    assert disclosure.versions[0].duration_s == pytest.approx(20.02)


def test_the_digest_is_that_of_the_file_and_unknown_fields_are_kept_and_named() -> None:
    disclosure = parse_film_disclosure(FULL.encode())
    assert disclosure.digest == hashlib.sha256(FULL.encode()).digest()
    assert set(disclosure.unread) == {"as_of", "people", "tools[].provider", "uses[].coverage"}


def test_what_is_absent_is_not_answered_and_what_is_empty_is() -> None:
    absent = parse_film_disclosure(b"schema: aidisc/1")
    answers = (absent.declared_use, absent.uses, absent.departments, absent.tools, absent.claims)
    assert answers == (None,) * 5
    empty = parse_film_disclosure(b"schema: aidisc/1\nuses: []\nclaims: []\ndeclared_use:")
    assert (empty.uses, empty.claims, empty.declared_use) == ((), (), None)


def test_an_answer_no_is_the_word_no() -> None:
    disclosure = parse_film_disclosure(b"schema: aidisc/1\ndeclared_use: none")
    assert disclosure.declared_use is DeclaredUse.NONE


def test_a_claim_has_defaults_and_no_default_tolerance() -> None:
    disclosure = parse_film_disclosure(b"schema: aidisc/1\nclaims: [{value: 0.4}]")
    assert disclosure.claims is not None
    claim = disclosure.claims[0]
    assert claim.metric is None and claim.qualifier is Qualifier.ABOUT and claim.tolerance is None


@pytest.mark.parametrize("film", ["{rate: 24}", "{rate: 24/1}", "{versions: [{rate: 24/1}]}"])
def test_frames_become_seconds_by_the_rate(film: str) -> None:
    disclosure = parse_film_disclosure(
        f"schema: aidisc/1\nfilm: {film}\nuses: [{{start_frame: 96, end_frame: 192}}]".encode()
    )
    assert disclosure.uses is not None
    assert disclosure.uses[0].time == Interval(4.0, 8.0)
    assert disclosure.uses[0].id == "use 1"


VERSIONS = "film: {versions: [{label: a, rate: 24}, {label: b, rate: 25, frames: 100}]}\n"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("declared_use: maybe", "declared_use"),
        ("declared_use: [none]", "declared_use"),
        ("profile: tiny", "profile"),
        ("film: Night", "film"),
        ("film: {title: 5}", "disclosure.film: 'title'"),
        ("film: {title: {en: 5}}", "title"),
        ("film: {rate: 0}", "rate"),
        ("film: {rate: 1/0}", "rate"),
        ("film: {rate: 29.97}", "rate"),
        ("film: {rate: 5000/1}", "rate"),
        ("film: {rate: true}", "rate"),
        ("film: {versions: [{frames: 0}]}", "versions[0]: 'frames'"),
        ("film: {versions: [{sha256: abc}]}", "versions[0]: 'sha256'"),
        ("departments: {dept: vfx}", "departments"),
        ("departments: [vfx]", "departments"),
        ("departments: [{dept: catering, used: yes}]", "departments[0]: 'dept'"),
        ("departments: [{dept: vfx, used: maybe}]", "departments[0]: 'used'"),
        ("departments: [{dept: vfx}]", "departments[0]: 'used' is missing"),
        ("departments: [{dept: vfx, used: yes, mode: magic}]", "mode"),
        ("tools: [{id: a}]", "tools[0]: 'name' is missing"),
        ("tools: [{name: ''}]", "tools[0]: 'name'"),
        ("tools: [{name: a, model_version: []}]", "model_version"),
        ("uses: [{start_frame: 0}]", "uses[0]: 'end_frame'"),
        ("uses: [{start_frame: 0, end_frame: 5}]", "uses[0]: 'start_frame' needs the frame rate"),
        ("film: {rate: 24}\nuses: [{start_frame: 5, end_frame: 5}]", "end_frame"),
        ("film: {rate: 24}\nuses: [{start_frame: -1, end_frame: 5}]", "start_frame"),
        ("film: {rate: 24}\nuses: [{start_frame: 1.5, end_frame: 5}]", "start_frame"),
        (VERSIONS + "uses: [{start_frame: 1, end_frame: 5}]", "of one version"),
        (VERSIONS + "uses: [{start_frame: 1, end_frame: 5, version_label: c}]", "start_frame"),
        (VERSIONS + "uses: [{start_frame: 1, end_frame: 101, version_label: b}]", "100 frames"),
        ("uses: [{source_files: [abc]}]", "uses[0]: 'source_files'"),
        ("uses: [{source_files: abc}]", "source_files"),
        ("uses: [{registrations: [td1x]}]", "uses[0]: 'registrations'"),
        ("uses: [{id: a}, {id: a}]", "'a' twice"),
        ("claims: [{metric: shots_any}]", "claims[0]: 'value' is missing"),
        ("claims: [{value: 40}]", "claims[0]: 'value'"),
        ("claims: [{value: 40 %}]", "value"),
        ("claims: [{value: -0.1}]", "value"),
        ("claims: [{value: true}]", "value"),
        ("claims: [{value: 0.4, metric: films}]", "metric"),
        ("claims: [{value: 0.4, unit: percent}]", "unit"),
        ("claims: [{value: 0.4, qualifier: maybe}]", "qualifier"),
        ("claims: [{value: 0.4, tolerance: -1}]", "tolerance"),
        ("declared_use: none\ndeclared_use: generative", "declared_use"),
        ("film: &f {}\ntools: *f", "anchor"),
    ],
)
def test_a_wrong_value_is_refused_by_its_path(body: str, path: str) -> None:
    with pytest.raises(MalformedDocumentError) as caught:
        parse(body)
    assert path in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "data", [b"", b"schema: aidisc/2", b"film: {}", b"- a", b"\xff\xfe", b"a: ["]
)
def test_other_documents_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedDocumentError):
        parse_film_disclosure(data)


def test_the_same_frames_in_a_named_version_are_read() -> None:
    body = VERSIONS + "uses: [{start_frame: 0, end_frame: 100, version_label: b}]"
    disclosure = parse_film_disclosure(f"schema: aidisc/1\n{body}".encode())
    assert disclosure.uses is not None and disclosure.uses[0].time == Interval(0.0, 4.0)


def test_hostile_sizes_are_refused_quickly() -> None:
    for data in (
        b"schema: aidisc/1\n#" + b"x" * 2**20,
        b"schema: aidisc/1\nx: " + b"[" * 100_000,
        b"schema: aidisc/1\nuses: [" + b"{}," * 20_000 + b"]",
    ):
        with pytest.raises(MalformedDocumentError):
            parse_film_disclosure(data)
