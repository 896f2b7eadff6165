"""Intervals of time and bounds of a share."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, takewhile


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A half-open run of seconds, ``start_s <= t < end_s``."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Length in seconds; never negative."""
        return max(0.0, self.end_s - self.start_s)

    def overlap_s(self, other: Interval) -> float:
        """Seconds that both cover."""
        return max(0.0, min(self.end_s, other.end_s) - max(self.start_s, other.start_s))


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Merge overlapping and touching intervals; sorted, empty ones dropped."""
    merged: list[Interval] = []
    for interval in sorted(i for i in intervals if i.duration_s > 0):
        if merged and interval.start_s <= merged[-1].end_s:
            merged[-1] = Interval(merged[-1].start_s, max(merged[-1].end_s, interval.end_s))
        else:
            merged.append(interval)
    return tuple(merged)


def covered_s(intervals: Iterable[Interval]) -> float:
    """Seconds covered by at least one of the intervals."""
    return sum(interval.duration_s for interval in union(intervals))


def shared_s(left: Iterable[Interval], right: Iterable[Interval]) -> float:
    """Seconds covered by both sides."""
    one, other = tuple(left), tuple(right)
    return max(0.0, covered_s(one) + covered_s(other) - covered_s(one + other))


def shared_with_union_s(interval: Interval, merged: Sequence[Interval]) -> float:
    """Seconds of one interval that a union covers; a long union costs no full scan."""
    # A union is sorted by both ends.
    first = bisect_right(merged, interval.start_s, key=lambda item: item.end_s)
    near = takewhile(lambda item: item.start_s < interval.end_s, islice(merged, first, None))
    return sum(item.overlap_s(interval) for item in near)


def clip(intervals: Iterable[Interval], window: Interval) -> tuple[Interval, ...]:
    """The union of the intervals inside a window."""
    return union(
        Interval(max(i.start_s, window.start_s), min(i.end_s, window.end_s)) for i in intervals
    )


def subtract(intervals: Iterable[Interval], holes: Iterable[Interval]) -> tuple[Interval, ...]:
    """The union of the intervals without the holes."""
    left = union(intervals)
    for hole in union(holes):
        sides = (
            (
                Interval(i.start_s, min(i.end_s, hole.start_s)),
                Interval(max(i.start_s, hole.end_s), i.end_s),
            )
            for i in left
        )
        left = tuple(part for pair in sides for part in pair if part.duration_s > 0)
    return left


@dataclass(frozen=True, slots=True)
class ShareBounds:
    """A share known only as a range: ``lower`` is shown, ``upper`` adds what is unresolved."""

    lower: Fraction
    upper: Fraction
