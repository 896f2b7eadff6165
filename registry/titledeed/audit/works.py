"""Which registered works the film shows, and which of them the disclosure names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from titledeed.models.audit import DetectedWork, FilmEvidence
from titledeed.models.disclosure import (
    DeclaredUse,
    DeclaredUseOfAI,
    FilmDisclosure,
    SourceClass,
    classify_source_type,
    is_generative,
)
from titledeed.models.interval import Interval, clip, shared_s, shared_with_union_s, union
from titledeed.models.match import WorkMatch
from titledeed.models.registration import Registration

COVERED_MIN: Final = 0.8
"""Part of each matched segment that a declared range must cover. Frames are sampled four times a
second and edits are cut to the frame, so both ends of a segment may lie a little off."""


def detect_works(
    evidence: FilmEvidence,
) -> tuple[tuple[DetectedWork, ...], tuple[Interval, ...]]:
    """Registered works that the film shows, in its order, and the seconds declared as AI.

    What a work and the film merely share does not show the work: ``find_shared`` tells it.
    A work is declared when a use names its registration, a registration of the same bytes or one
    of its files, or when declared seconds cover most of each of its segments. Seconds are
    declared by a range, or by naming a work that shows there.
    """
    film = Interval(0.0, evidence.duration_s)
    uses = tuple(use for use in _uses(evidence.disclosure) if is_ai_use(use))
    named = [
        segment.query
        for match in evidence.matches
        if any(names(use, evidence.works[match.registration_id], evidence) for use in uses)
        for segment in match.segments
    ]
    declared_time = clip([*named, *(use.time for use in uses if use.time)], film)
    works = (_detect(match, evidence, film, declared_time) for match in evidence.matches)
    shown = (work for work in works if work.film_time)
    ordered = sorted(shown, key=lambda work: (work.film_time, work.registration_id))
    return tuple(ordered), declared_time


def find_shared(evidence: FilmEvidence) -> Iterator[tuple[Registration, tuple[Interval, ...]]]:
    """Works that have something in common with the film where it does not show them, and where."""
    film = Interval(0.0, evidence.duration_s)
    for match in evidence.matches:
        shown = [segment.query for segment in match.shown]
        shared = clip([segment.query for segment in match.shared], film)
        apart = tuple(part for part in shared if not shared_s([part], shown))
        if apart:
            yield evidence.works[match.registration_id], apart


def is_ai_use(use: DeclaredUseOfAI) -> bool:
    """Whether a declared use can stand for generative AI: unless its source type denies it."""
    return (
        use.source_type is None
        or classify_source_type(use.source_type) is not SourceClass.NOT_GENERATIVE
    )


def names(use: DeclaredUseOfAI, registration: Registration, evidence: FilmEvidence) -> bool:
    """Whether a use names a registration, by id or by the bytes it registers."""
    known = (evidence.works[i] for i in use.registrations if i in evidence.works)
    digests = {*use.source_files, *(work.content_digest for work in known)}
    return (
        registration.registration_id in use.registrations
        or registration.content_digest in digests
        or registration.signed_digest in digests
    )


def _uses(disclosure: FilmDisclosure | None) -> Iterable[DeclaredUseOfAI]:
    return (disclosure.uses or ()) if disclosure else ()


def _detect(
    match: WorkMatch, evidence: FilmEvidence, film: Interval, declared_time: tuple[Interval, ...]
) -> DetectedWork:
    registration = evidence.works[match.registration_id]
    segments = clip_each((segment.query for segment in match.shown), film)
    undeclared = union(
        segment
        for segment in segments
        if shared_with_union_s(segment, declared_time) < COVERED_MIN * segment.duration_s
    )
    return DetectedWork(
        registration_id=match.registration_id,
        title=registration.title,
        source_type=registration.source_type,
        is_generative=is_generative(registration.source_type),
        declared=_is_declared(evidence.disclosure, undeclared),
        film_time=union(segments),
        undeclared_time=undeclared,
        match=match,
    )


def clip_each(intervals: Iterable[Interval], window: Interval) -> list[Interval]:
    """Each interval inside the window by itself, empty ones dropped."""
    return [part for interval in intervals for part in clip([interval], window)]


def _is_declared(
    disclosure: FilmDisclosure | None, undeclared: tuple[Interval, ...]
) -> bool | None:
    """None where the disclosure leaves it open: absent is never "no", and unsure is no denial."""
    if not undeclared:
        return True
    if disclosure is None:
        return None
    if disclosure.uses is None:
        denied = disclosure.declared_use in (DeclaredUse.NONE, DeclaredUse.ASSISTIVE)
        return False if denied else None
    if not disclosure.uses and disclosure.declared_use is DeclaredUse.UNSURE:
        return None
    return False
