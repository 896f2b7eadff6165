from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titledeed.errors import MalformedDocumentError
from titledeed.timeline.otio import read_timeline

rates = st.sampled_from([24.0, 25.0, 30.0, 24000 / 1001, 30000 / 1001])
lengths = st.integers(1, 500)


@st.composite
def tracks(draw: st.DrawFn) -> otio.schema.Timeline:
    """A track of clips, gaps and nested edits at one rate."""
    rate = draw(rates)
    timeline = otio.schema.Timeline("edit")
    track = otio.schema.Track("V1", kind="Video")
    timeline.tracks.append(track)
    for number, length in enumerate(draw(st.lists(lengths, min_size=1, max_size=12))):
        span = otio.opentime.TimeRange(
            otio.opentime.RationalTime(draw(st.integers(0, 90_000)), rate),
            otio.opentime.RationalTime(length, rate),
        )
        clip = otio.schema.Clip(str(number), source_range=span)
        kind = draw(st.sampled_from(["clip", "gap", "stack", "track"]))
        if kind == "gap":
            track.append(otio.schema.Gap(source_range=span))
        elif kind == "clip":
            track.append(clip)
        else:
            nest = otio.schema.Stack if kind == "stack" else otio.schema.Track
            track.append(nest(str(number), children=[clip, clip.deepcopy()]))
    return timeline


@given(tracks())
def test_shots_lie_where_the_library_puts_them(timeline: otio.schema.Timeline) -> None:
    read = read_timeline(timeline.to_json_string().encode())
    [track] = timeline.video_tracks()
    expected = [
        (item.name, item.range_in_parent().start_time.to_seconds(), item.duration().to_seconds())
        for item in track
        if not isinstance(item, otio.schema.Gap)
    ]
    found = [(shot.name, shot.time.start_s, shot.time.duration_s) for shot in read.shots]
    assert [name for name, *_ in found] == [name for name, *_ in expected]
    for (_, start, length), (_, expected_start, expected_length) in zip(
        found, expected, strict=True
    ):
        assert start == pytest.approx(expected_start)
        assert length == pytest.approx(expected_length)
    assert read.duration_s == pytest.approx(track.duration().to_seconds())


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(tracks(), st.data())
def test_damage_anywhere_is_read_or_refused_and_nothing_else(
    timeline: otio.schema.Timeline, data: st.DataObject
) -> None:
    document = json.loads(timeline.to_json_string())
    container, key = data.draw(st.sampled_from(list(places(document))))
    container[key] = data.draw(json_values)
    try:
        read = read_timeline(json.dumps(document).encode())
    except MalformedDocumentError:
        return
    assert all(0 <= shot.time.start_s < shot.time.end_s for shot in read.shots)


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a JSON value with each of its keys."""
    entries = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(entries):
        yield node, key
        if isinstance(value, dict | list):
            yield from places(value)
