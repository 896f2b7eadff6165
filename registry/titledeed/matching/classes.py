"""What a match is called: pure rules from segments and durations.

``shares content`` is said wherever two works hold the same material and neither is a part of the
other: a common stem, seed or source. It is never called a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from titledeed.fingerprinting.algorithms import is_of_sound
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.interval import Interval, covered_s
from titledeed.models.match import Channel, MatchClass, Segment

WHOLE_SHARE_MIN: Final = 0.75
"""Of a duration, to be called the whole of it: titles, fades and trimmed ends are left over."""

WHOLE_SLACK_S: Final = 0.5
"""Two samples; a clip of 2 s may not lose its class to the grid."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one of the two files holds.

    Attributes:
        duration_s: 0 for a still picture.
        has_picture: whether anything of it can be seen.
    """

    duration_s: float
    has_picture: bool

    @classmethod
    def of(cls, codes: Iterable[FingerprintCode], duration_s: float) -> Side:
        """Read off its codes."""
        return cls(duration_s, not all(map(is_of_sound, codes)))


def classify(segments: Sequence[Segment], *, query: Side, work: Side) -> MatchClass:
    """Name the relation of a query to a work; only digests tell the same file.

    Args:
        segments: accepted ones only.
        query: the file that is asked about.
        work: the registered one.
    """
    if not segments:
        return MatchClass.NONE
    recordings = [segment for segment in segments if segment.is_same_recording]
    query_is_whole = _is_whole([segment.query for segment in recordings], query.duration_s)
    work_is_whole = _is_whole([segment.work for segment in recordings], work.duration_s)
    if all(segment.channel is Channel.SOUND for segment in segments):
        # The sound of a film is a part of it, and so is a song in it.
        query_is_whole &= not query.has_picture
        work_is_whole &= not work.has_picture
    if query_is_whole and work_is_whole:
        return _of_pictures(query, work)
    if not recordings or not (query_is_whole or work_is_whole):
        return MatchClass.SHARES_CONTENT
    return MatchClass.CLIP_OF if query_is_whole else MatchClass.CONTAINS


def _of_pictures(query: Side, work: Side) -> MatchClass:
    """Both are covered; a picture and a film cover each other and are still not copies."""
    if (query.duration_s == 0) == (work.duration_s == 0):
        return MatchClass.COPY
    return MatchClass.CLIP_OF if query.duration_s == 0 else MatchClass.CONTAINS


def _is_whole(spans: Sequence[Interval], duration_s: float) -> bool:
    if not spans:
        return False
    needed_s = min(WHOLE_SHARE_MIN * duration_s, duration_s - WHOLE_SLACK_S)
    return covered_s(spans) >= needed_s
