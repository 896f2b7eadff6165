from __future__ import annotations

import json
from collections.abc import Callable

import opentimelineio as otio
import pytest

from titledeed.errors import MalformedDocumentError
from titledeed.timeline.otio import read_timeline

RATE = 24


def frames(value: float, rate: float = RATE) -> otio.opentime.RationalTime:
    return otio.opentime.RationalTime(value, rate)


def span(start: float, length: float) -> otio.opentime.TimeRange:
    return otio.opentime.TimeRange(frames(start), frames(length))


def clip(name: str, length: float, start: float = 0) -> otio.schema.Clip:
    return otio.schema.Clip(name, source_range=span(start, length))


def gap(length: float) -> otio.schema.Gap:
    return otio.schema.Gap(source_range=span(0, length))


def dissolve(before: float, after: float) -> otio.schema.Transition:
    return otio.schema.Transition("d", "SMPTE_Dissolve", frames(before), frames(after))


def edit(*items: otio.core.Composable, **kwargs: object) -> otio.schema.Timeline:
    timeline = otio.schema.Timeline("edit", **kwargs)
    timeline.tracks.append(otio.schema.Track("V1", kind="Video", children=list(items)))
    return timeline


def encoded(timeline: otio.core.SerializableObject) -> bytes:
    return str(timeline.to_json_string()).encode()


def shots(timeline: otio.schema.Timeline) -> list[tuple[str, float, float]]:
    read = read_timeline(encoded(timeline))
    return [(s.name, round(s.time.start_s, 3), round(s.time.end_s, 3)) for s in read.shots]


def test_clips_are_shots_in_seconds_of_the_film() -> None:
    timeline = read_timeline(encoded(edit(clip("a", 48, 900), clip("b", 24))))
    assert [(s.name, s.time.start_s, s.time.end_s) for s in timeline.shots] == [
        ("a", 0.0, 2.0),
        ("b", 2.0, 3.0),
    ]
    assert timeline.rate == 24 and timeline.duration_s == 3.0


def test_gaps_take_time_and_are_no_shots() -> None:
    timeline = edit(gap(24), clip("a", 24), gap(48))
    assert shots(timeline) == [("a", 1.0, 2.0)]
    assert read_timeline(encoded(timeline)).duration_s == 4.0


def test_a_disabled_clip_is_no_shot() -> None:
    hidden = clip("hidden", 24)
    hidden.enabled = False
    assert shots(edit(hidden, clip("a", 24))) == [("a", 1.0, 2.0)]


def test_only_the_first_video_track_counts() -> None:
    timeline = otio.schema.Timeline("edit")
    for name, kind in (("A1", "Audio"), ("V1", "Video"), ("V2", "Video")):
        timeline.tracks.append(otio.schema.Track(name, kind=kind, children=[clip(name, 24)]))
    assert shots(timeline) == [("V1", 0.0, 1.0)]


def test_a_nested_edit_is_one_shot() -> None:
    inner = otio.schema.Stack("nested", children=[clip("x", 48)])
    assert shots(edit(inner, clip("a", 24))) == [("nested", 0.0, 2.0), ("a", 2.0, 3.0)]


@pytest.mark.parametrize(
    ("before", "after", "cut"), [(0, 24, 2.5), (12, 12, 2.0), (24, 0, 1.5), (6, 18, 2.25)]
)
def test_a_transition_moves_its_edit_to_its_middle(before: int, after: int, cut: float) -> None:
    timeline = edit(clip("a", 48), dissolve(before, after), clip("b", 48), clip("c", 24))
    assert shots(timeline) == [("a", 0.0, cut), ("b", cut, 4.0), ("c", 4.0, 5.0)]


def test_fades_at_the_ends_move_nothing() -> None:
    timeline = edit(dissolve(0, 12), clip("a", 48), dissolve(12, 0))
    assert shots(timeline) == [("a", 0.0, 2.0)]


def test_a_start_time_code_does_not_count() -> None:
    timeline = edit(clip("a", 24), global_start_time=frames(86_400))
    assert shots(timeline) == [("a", 0.0, 1.0)]


def test_the_negative_range_that_an_edl_leaves_is_a_time_code_and_not_a_trim() -> None:
    timeline = edit(clip("a", 24, 86_400), clip("b", 24))
    timeline.tracks[0].source_range = span(-86_400, 48)
    assert shots(timeline) == [("a", 0.0, 1.0), ("b", 1.0, 2.0)]


@pytest.mark.parametrize("where", ["track", "stack"])
def test_another_range_trims(where: str) -> None:
    timeline = edit(clip("a", 48), clip("b", 48), clip("c", 48))
    target = timeline.tracks[0] if where == "track" else timeline.tracks
    target.source_range = span(24, 60)
    assert shots(timeline) == [("a", 0.0, 1.0), ("b", 1.0, 2.5)]


def test_fractional_rates_stay_exact_enough() -> None:
    source = otio.opentime.TimeRange(frames(0, 30000 / 1001), frames(30, 30000 / 1001))
    timeline = edit(*(otio.schema.Clip(str(n), source_range=source) for n in range(1000)))
    assert read_timeline(encoded(timeline)).duration_s == pytest.approx(1001.0)


def test_a_clip_takes_its_length_from_its_media() -> None:
    media = otio.schema.ExternalReference("a.mov", available_range=span(0, 36))
    timeline = edit(otio.schema.Clip("a", media_reference=media))
    assert shots(timeline) == [("a", 0.0, 1.5)]


def test_an_empty_video_track_has_no_shots() -> None:
    timeline = read_timeline(encoded(edit()))
    assert timeline.shots == () and timeline.duration_s == 0


def replaced(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


@pytest.mark.parametrize(
    "damage",
    [
        replaced('"rate": 24.0', '"rate": 0.0'),
        replaced('"rate": 24.0', '"rate": -24.0'),
        replaced('"rate": 24.0', '"rate": NaN'),
        replaced('"value": 48.0', '"value": -48.0'),
        replaced('"value": 48.0', '"value": 1e300'),
        replaced('"value": 48.0', '"value": "48"'),
        replaced('"OTIO_SCHEMA": "Clip.2"', '"OTIO_SCHEMA": "Clop.1"'),
        replaced('"OTIO_SCHEMA": "Timeline.1"', '"OTIO_SCHEMA": "Clip.2"'),
        replaced('"OTIO_SCHEMA": "Track.1"', '"OTIO_SCHEMA": "SerializableObjectRef.1"'),
        replaced('"children": [', '"children": [null,'),
        replaced('"children": [', '"children": null, "was": ['),
        replaced('"duration": {', '"was": {'),
        replaced('"value": 48.0', '"value": true'),
        replaced('"value": 48.0', '"value": 1e999'),
        replaced('"kind": "Video"', '"kind": "Audio"'),
        replaced('"tracks": {', '"tracks": null, "was": {'),
        replaced('"source_range": {', '"was": {'),
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"metadata": {}', '"metadata": ' + "[" * 9999 + "]" * 9999, 1),
        lambda _: "",
        lambda _: "[]",
        lambda _: "{}",
        lambda _: '{"OTIO_SCHEMA": "Timeline.1", "OTIO_SCHEMA": "Timeline.1"}',
        lambda _: "[" * 200_000,
    ],
)
def test_a_damaged_timeline_is_refused_in_one_line(damage: Callable[[str], str]) -> None:
    text = edit(clip("a", 48), clip("b", 24)).to_json_string()
    assert damage(text) != text
    with pytest.raises(MalformedDocumentError) as caught:
        read_timeline(damage(text).encode())
    assert "\n" not in caught.value.message and "timeline" in caught.value.message


def test_a_transition_longer_than_its_clips_is_refused() -> None:
    with pytest.raises(MalformedDocumentError, match="transition"):
        read_timeline(encoded(edit(clip("a", 24), dissolve(96, 0), clip("b", 24))))


def test_a_film_of_weeks_is_refused() -> None:
    with pytest.raises(MalformedDocumentError, match="longer than any film"):
        read_timeline(encoded(edit(clip("a", 24 * 3600 * 24 * 8))))


def test_bytes_that_are_no_text_are_refused() -> None:
    for data in (b"\xff\xfe{", json.dumps({"OTIO_SCHEMA": "Timeline.1"}).encode("utf-16")):
        with pytest.raises(MalformedDocumentError):
            read_timeline(data)


def test_edits_nested_too_deep_are_refused() -> None:
    inner: otio.core.Composable = clip("x", 24)
    for _ in range(30):
        inner = otio.schema.Stack("nest", children=[inner])
    with pytest.raises(MalformedDocumentError, match="nests"):
        read_timeline(encoded(edit(inner)))


def test_the_clips_of_the_first_schema_and_the_old_names_are_read() -> None:
    text = otio.core.serialize_json_to_string(edit(gap(24), clip("a", 24)), {"Clip": 1})
    assert "Clip.1" in text
    old = text.replace("Track.1", "Sequence.1").replace("Gap.1", "Filler.1")
    [shot] = read_timeline(old.encode()).shots
    assert (shot.name, shot.time.start_s) == ("a", 1.0)
