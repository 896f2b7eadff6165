"""How every command shows which seconds are which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from titledeed.models.interval import Interval
    from titledeed.models.match import Segment, WorkMatch

SEGMENT_HEADINGS: Final = ("this file", "the work", "what", "speed")


def iter_segment_rows(match: WorkMatch) -> Iterator[tuple[str, ...]]:
    """Cells of one match, a row a segment, under ``SEGMENT_HEADINGS``."""
    for segment in match.segments:
        yield (
            format_seconds(segment.query),
            format_seconds(segment.work),
            _describe(segment),
            f"{segment.speed:.2f}",
        )


def format_seconds(interval: Interval) -> str:
    """An interval, or that it has none."""
    if not interval.duration_s:
        return "whole picture" if not interval.start_s else f"{interval.start_s:.2f} s"
    return f"{interval.start_s:.2f} - {interval.end_s:.2f} s"


def _describe(segment: Segment) -> str:
    words = [segment.channel.value]
    if segment.mirrored:
        words.append("mirrored")
    if not segment.is_same_recording:
        words.append("in part")
    return ", ".join(words)
