from __future__ import annotations

from dataclasses import fields
from enum import StrEnum

import pytest

from titledeed.models import evidence as models
from titledeed.models.evidence import (
    ChainKind,
    DisclosureCode,
    Headline,
    HistoryCode,
    IntegrityCode,
    RegistryCode,
    TimeCode,
    TrustCode,
)
from titledeed.models.primitives import RegistrationId
from titledeed_api.presentation import (
    ANSWERS,
    CHAIN_TIMES,
    HEADLINES,
    Bars,
    draw_bars,
)
from titledeed_api.schemas.resources import (
    AnswersResource,
    Match,
    RecoveredAnswers,
    SegmentResource,
)

VOCABULARIES: dict[str, type[StrEnum]] = {
    "integrity": IntegrityCode,
    "trust": TrustCode,
    "history": HistoryCode,
    "time": TimeCode,
    "registry": RegistryCode,
    "disclosure": DisclosureCode,
}


def test_every_verdict_has_words() -> None:
    assert set(HEADLINES) == set(Headline)
    assert set(CHAIN_TIMES) == set(ChainKind)
    assert len({badge.words for badge in HEADLINES.values()}) == len(Headline)


def test_the_six_answers_have_one_order_everywhere() -> None:
    names = [field.name for field in fields(models.Answers)]
    assert names == list(VOCABULARIES) == list(ANSWERS) == list(AnswersResource.model_fields)


def test_what_a_manifest_gives_by_itself_keeps_that_order() -> None:
    given = {name: models.Answer("none", "") for name in RecoveredAnswers.model_fields}
    recovered = models.RecoveredManifest(
        registration_id=RegistrationId("td1"), manifest_id="urn:c2pa:1", **given
    )
    assert [name for name, _ in recovered.items()] == list(RecoveredAnswers.model_fields)
    assert list(given) == [name for name in VOCABULARIES if name in given]


def test_every_answer_has_a_question_of_its_own() -> None:
    questions = {words.question for words in ANSWERS.values()}
    assert len(questions) == len(ANSWERS)
    assert all(question.endswith("?") for question in questions)


@pytest.mark.parametrize("name", VOCABULARIES)
def test_every_code_has_words_of_its_own(name: str) -> None:
    badges = ANSWERS[name].badges
    assert set(badges) == set(VOCABULARIES[name])
    assert len({badge.words for badge in badges.values()}) == len(badges)


def make_match(*spans: tuple[float, float, float, float]) -> Match:
    return Match(
        title="A work",
        registration_id="td1",
        score=1.0,
        relation="clip of",
        segments=[
            SegmentResource(
                query_start_s=span[0],
                query_end_s=span[1],
                work_start_s=span[2],
                work_end_s=span[3],
                speed=1.0,
                mirrored=False,
                channel="picture",
                same_recording=True,
            )
            for span in spans
        ],
    )


def draw(match: Match, work_duration_s: float) -> Bars:
    bars = draw_bars(match, work_duration_s)
    assert bars is not None
    return bars


def test_both_bars_share_one_scale_of_seconds() -> None:
    bars = draw(make_match((0, 4, 3, 7)), 10.0)
    assert (bars.query_width, bars.work_width) == (400, 1000)
    (band,) = bars.bands
    assert (band.query_x, band.query_width) == (0, 400)
    assert (band.work_x, band.work_width) == (300, 400)
    assert band.polygon == "0.0,30 400.0,30 700.0,90 300.0,90"


def test_a_longer_file_sets_the_scale() -> None:
    bars = draw(make_match((90, 100, 0, 10)), 10.0)
    assert (bars.query_width, bars.work_width) == (1000, 100)


def test_an_unknown_length_ends_with_the_last_matched_second() -> None:
    assert draw(make_match((0, 2, 5, 7), (3, 4, 1, 2)), 0.0).work_end_s == 7


def test_the_picture_is_told_in_words() -> None:
    description = draw(make_match((0, 4, 3, 7)), 10.0).description
    assert "seconds 0.0 to 4.0 of this file are seconds 3.0 to 7.0 of the work" in description


def test_still_pictures_share_no_seconds() -> None:
    assert draw_bars(make_match((0, 0, 0, 0)), 0.0) is None
