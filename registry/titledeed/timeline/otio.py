"""Reads OpenTimelineIO files (``.otio``): the shots of the base picture track.

Rules (``Timeline`` is the result; times are seconds of the film, which starts at 0):

* The base is the first video track. Upper tracks are layers over it, never shots.
* A shot is an item between two edits: a clip, or a nested edit as a whole. Gaps and disabled
  items are no shots; they do take time.
* A transition moves its edit to its own middle, so that all shots add up to the running time.
* Time codes do not count: neither the global start nor the negative ``source_range`` that the EDL
  adapter leaves on a track. Any other ``source_range`` trims.

The file is untrusted, and the reader of the OpenTimelineIO library (0.18.1) ends the process on
some damaged files, ``"tracks": null`` among them. The format is plain JSON, so it is read here;
the tests write it with the library and compare with what the library computes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from titledeed.canonical.documents import parse_document
from titledeed.errors import MalformedDocumentError
from titledeed.models.audit import Timeline, TimelineShot
from titledeed.models.interval import Interval

TIMELINE_BYTES_MAX: Final = 16 * 1024 * 1024
EDIT_NESTING_MAX: Final = 20
CHILDREN_MAX: Final = 50_000
DURATION_S_MAX: Final = 7 * 24 * 3_600.0
SHOT_NAME_LENGTH_MAX: Final = 300
NUMBER_MAX: Final = 1e12

_WHAT = "the timeline"
_EXPORT = "Export the edit again as OpenTimelineIO (.otio), with one video track for the picture."

# Schema names without their version; Sequence and Filler are what early files call two of them.
_TRACKS = ("Track", "Sequence")
_GAPS = ("Gap", "Filler")
_NESTS = ("Stack", *_TRACKS)

OtioObject = Mapping[str, object]
Item = tuple[str | None, Interval]
"""A name, or None where nothing is shown, and its seconds."""


@dataclass(frozen=True, slots=True)
class _Time:
    value: float
    rate: float

    @property
    def seconds(self) -> float:
        return self.value / self.rate


def read_timeline(data: bytes) -> Timeline:
    """Read the bytes of an ``.otio`` file.

    Raises:
        MalformedDocumentError: not OTIO within the limits, no video track, or impossible times.
    """
    if len(data) > TIMELINE_BYTES_MAX:
        raise _malformed(f"is larger than {TIMELINE_BYTES_MAX} bytes")
    root = parse_document(data, what=_WHAT).rest()
    if _schema(root) != "Timeline":
        raise _malformed("is no single OpenTimelineIO timeline")
    stack = _object(root, "tracks")
    track = next(filter(_is_video, _children(stack)), None)
    if track is None:
        raise _malformed("has no video track")
    items = _trim(_trim(list(_items(track)), track), stack)
    end_s = max((time.end_s for _, time in items), default=0.0)
    if end_s > DURATION_S_MAX:
        raise _malformed("is longer than any film")
    shots = tuple(TimelineShot(name, time) for name, time in items if name is not None)
    return Timeline(shots=shots, rate=_rate(track), duration_s=end_s)


def _is_video(track: OtioObject) -> bool:
    return _schema(track) in _TRACKS and track.get("kind", "Video") == "Video"


def _items(track: OtioObject) -> Iterator[Item]:
    """Every item of a track in order; items without a length are dropped."""
    edges, shift_s = [0.0], 0.0
    names: list[str | None] = []
    for item in _children(track):
        if _schema(item) == "Transition":
            # A fade from nothing, before the first item, moves no edit.
            if names:
                before, after = (_time(item, end).seconds for end in ("in_offset", "out_offset"))
                shift_s += (after - before) / 2
                edges[-1] += (after - before) / 2
            continue
        # The edit before this item may have moved; the next one is counted from its old place.
        edges.append(edges[-1] - shift_s + _duration(item, depth=0).seconds)
        shift_s = 0.0
        names.append(_name(item) if _is_shown(item) else None)
    edges[-1] -= shift_s  # Nor does a fade to nothing, after the last.
    for name, start_s, end_s in zip(names, edges, edges[1:], strict=False):
        if not 0 <= start_s <= end_s:
            raise _malformed("holds a transition longer than its clips")
        if end_s > start_s:
            yield name, Interval(start_s, end_s)


def _is_shown(item: OtioObject) -> bool:
    return _schema(item) not in _GAPS and item.get("enabled", True) is not False


def _duration(item: OtioObject, *, depth: int) -> _Time:
    """Length of an item: its own range, else that of its media, else of what it nests."""
    if depth > EDIT_NESTING_MAX:
        raise _malformed("nests too many edits")
    schema = _schema(item)
    if schema not in ("Clip", *_GAPS, *_NESTS):
        raise _malformed(f"holds an item of the unknown kind {schema[:40]!r}")
    if item.get("source_range") is not None:
        return _time(_object(item, "source_range"), "duration")
    if schema == "Clip":
        return _time(_object(_media(item), "available_range"), "duration")
    if schema in _NESTS:
        parts = [
            _duration(child, depth=depth + 1)
            for child in _children(item)
            if _schema(child) != "Transition"
        ]
        if parts:
            seconds = [part.seconds for part in parts]
            rate = parts[0].rate
            return _Time((max if schema == "Stack" else sum)(seconds) * rate, rate)
    raise _malformed(f"holds an item of kind {schema} without a length")


def _media(clip: OtioObject) -> OtioObject:
    """The active media reference; the first version of the clip schema had only one."""
    if clip.get("media_reference") is not None:
        return _object(clip, "media_reference")
    key = clip.get("active_media_reference_key", "DEFAULT_MEDIA")
    return _object(_object(clip, "media_references"), str(key))


def _trim(items: list[Item], composition: OtioObject) -> list[Item]:
    """Keep what a ``source_range`` shows; a negative start is a time code, not a trim."""
    if composition.get("source_range") is None:
        return items
    window = _object(composition, "source_range")
    start = _time(window, "start_time", signed=True)
    if start.value < 0:
        return items
    start_s, end_s = start.seconds, start.seconds + _time(window, "duration").seconds
    inside = (
        (name, Interval(max(time.start_s, start_s) - start_s, min(time.end_s, end_s) - start_s))
        for name, time in items
    )
    return [(name, time) for name, time in inside if time.duration_s > 0]


def _rate(track: OtioObject) -> float:
    """Frames per second of the first item, as an edit has one rate; 0 for an empty track."""
    items = (item for item in _children(track) if _schema(item) != "Transition")
    return next((_duration(item, depth=0).rate for item in items), 0.0)


def _time(owner: OtioObject, name: str, *, signed: bool = False) -> _Time:
    fields = _object(owner, name)
    value, rate = _number(fields, "value"), _number(fields, "rate")
    if rate <= 0 or (value < 0 and not signed):
        raise _malformed(f"holds the impossible time {value:g} at rate {rate:g}")
    return _Time(value, rate)


def _number(owner: OtioObject, name: str) -> float:
    value = owner.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > NUMBER_MAX:
        raise _malformed(f"holds no usable number as {name!r}")
    return float(value)


def _name(item: OtioObject) -> str:
    return str(item.get("name") or "")[:SHOT_NAME_LENGTH_MAX]


def _schema(value: OtioObject) -> str:
    return str(value.get("OTIO_SCHEMA", "")).partition(".")[0]


def _object(owner: OtioObject, name: str) -> OtioObject:
    value = owner.get(name)
    if not isinstance(value, dict):
        raise _malformed(f"holds no {name[:40]!r} where one must be")
    return value


def _children(owner: OtioObject) -> list[OtioObject]:
    children = owner.get("children")
    if not isinstance(children, list) or len(children) > CHILDREN_MAX:
        raise _malformed(f"must list at most {CHILDREN_MAX} children")
    if not all(isinstance(child, dict) for child in children):
        raise _malformed("holds a child that is no object")
    return children


def _malformed(problem: str) -> MalformedDocumentError:
    return MalformedDocumentError(f"{_WHAT} {problem}", next_step=_EXPORT)
