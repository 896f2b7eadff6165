from __future__ import annotations

import pytest

from titledeed.matching.classes import Side, classify
from titledeed.models.interval import Interval
from titledeed.models.match import Channel, MatchClass, Segment

FILM, CLIP, STILL = Side(100.0, True), Side(10.0, True), Side(0.0, True)
SONG = Side(10.0, False)


def segment(
    query: tuple[float, float],
    work: tuple[float, float],
    channel: Channel = Channel.PICTURE,
    *,
    is_same_recording: bool = True,
) -> Segment:
    return Segment(
        Interval(*query),
        Interval(*work),
        speed=1.0,
        mirrored=False,
        channel=channel,
        is_same_recording=is_same_recording,
    )


@pytest.mark.parametrize(
    ("segments", "query", "work", "expected"),
    [
        ([], CLIP, CLIP, MatchClass.NONE),
        ([segment((0, 10), (0, 10))], CLIP, CLIP, MatchClass.COPY),
        ([segment((0, 8), (1, 9))], CLIP, CLIP, MatchClass.COPY),
        ([segment((0, 10), (40, 50))], CLIP, FILM, MatchClass.CLIP_OF),
        ([segment((40, 50), (0, 10))], FILM, CLIP, MatchClass.CONTAINS),
        ([segment((0, 4), (40, 44))], CLIP, FILM, MatchClass.SHARES_CONTENT),
        ([segment((0, 4), (40, 44)), segment((4, 10), (70, 76))], CLIP, FILM, MatchClass.CLIP_OF),
        ([segment((0, 0), (0, 0))], STILL, STILL, MatchClass.COPY),
        ([segment((0, 0), (7, 7))], STILL, FILM, MatchClass.CLIP_OF),
        ([segment((7, 7), (0, 0))], FILM, STILL, MatchClass.CONTAINS),
    ],
)
def test_relation_follows_from_what_is_covered(
    segments: list[Segment], query: Side, work: Side, expected: MatchClass
) -> None:
    assert classify(segments, query=query, work=work) is expected


@pytest.mark.parametrize("sides", [(CLIP, CLIP), (CLIP, FILM), (STILL, STILL)])
def test_what_is_common_only_in_part_is_never_a_copy(sides: tuple[Side, Side]) -> None:
    whole = segment((0, sides[0].duration_s), (0, sides[1].duration_s), is_same_recording=False)
    assert classify([whole], query=sides[0], work=sides[1]) is MatchClass.SHARES_CONTENT


@pytest.mark.parametrize(
    ("query", "work", "expected"),
    [
        (SONG, SONG, MatchClass.COPY),
        (SONG, CLIP, MatchClass.CLIP_OF),
        (CLIP, SONG, MatchClass.CONTAINS),
        (CLIP, CLIP, MatchClass.SHARES_CONTENT),
    ],
)
def test_sound_alone_is_a_part_of_what_also_has_a_picture(
    query: Side, work: Side, expected: MatchClass
) -> None:
    heard = segment((0, 10), (0, 10), Channel.SOUND)
    assert classify([heard], query=query, work=work) is expected
