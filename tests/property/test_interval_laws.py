from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from titledeed.audit.shares import shot_share, time_share
from titledeed.models.audit import TimelineShot
from titledeed.models.interval import (
    Interval,
    clip,
    covered_s,
    shared_s,
    shared_with_union_s,
    subtract,
    union,
)

# Multiples of 1/8 are exact in binary, so that equalities can be tested as such.
instants = st.integers(0, 800).map(lambda n: n / 8)
intervals = st.builds(Interval, instants, instants)
lists = st.lists(intervals, max_size=8)


def instants_in(items: list[Interval] | tuple[Interval, ...]) -> set[int]:
    """The slow, obvious model: every eighth of a second that is covered."""
    return {
        n for item in items for n in range(math.ceil(item.start_s * 8), math.ceil(item.end_s * 8))
    }


@given(lists)
def test_a_union_is_sorted_disjoint_and_covers_the_same(items: list[Interval]) -> None:
    merged = union(items)
    assert all(a.end_s < b.start_s for a, b in itertools.pairwise(merged))
    assert all(item.duration_s > 0 for item in merged)
    assert instants_in(merged) == instants_in(items)
    assert covered_s(items) == len(instants_in(items)) / 8


@given(lists)
def test_union_is_idempotent_and_ignores_order(items: list[Interval]) -> None:
    assert union(union(items)) == union(items) == union(reversed(items))


@given(lists, lists)
def test_shared_and_subtracted_seconds_follow_sets(a: list[Interval], b: list[Interval]) -> None:
    assert shared_s(a, b) == shared_s(b, a) == len(instants_in(a) & instants_in(b)) / 8
    assert instants_in(subtract(a, b)) == instants_in(a) - instants_in(b)
    assert covered_s(subtract(a, b)) == covered_s(a) - shared_s(a, b)


@given(intervals, lists)
def test_the_search_in_a_union_gives_what_the_scan_gives(
    interval: Interval, items: list[Interval]
) -> None:
    assert shared_with_union_s(interval, union(items)) == shared_s([interval], items)


@given(lists, intervals)
def test_a_clip_is_what_lies_in_the_window(items: list[Interval], window: Interval) -> None:
    assert instants_in(clip(items, window)) == instants_in(items) & instants_in([window])


@given(lists, lists, lists)
def test_bounds_of_time_are_ordered_and_more_evidence_only_narrows_them(
    generative: list[Interval], declared: list[Interval], others: list[Interval]
) -> None:
    resolved = [*generative, *others]
    share = time_share(100.0, generative, declared, resolved)
    for bounds in (share.detected, share.known):
        assert 0 <= bounds.lower <= bounds.upper <= 1
    assert share.known.lower >= share.detected.lower
    without = time_share(100.0, generative, declared, generative)
    assert without.detected.upper == 1 and without.detected.lower == share.detected.lower
    assert share.detected.upper <= 1


@given(lists, lists, lists, st.integers(1, 20))
def test_bounds_of_shots_are_ordered_and_count_every_shot_once(
    generative: list[Interval], declared: list[Interval], others: list[Interval], number: int
) -> None:
    shots = [TimelineShot(str(n), Interval(n * 5.0, n * 5.0 + 5)) for n in range(number)]
    share = shot_share(shots, generative, declared, [*generative, *others])
    assert share is not None and share.total == number
    for bounds in (share.detected, share.known):
        assert 0 <= bounds.lower <= bounds.upper <= 1
        assert (bounds.lower * number).denominator == 1
    model = sum(
        len(instants_in(generative) & instants_in([shot.time])) / 8 > 0.25 for shot in shots
    )
    assert share.detected.lower * number == model
