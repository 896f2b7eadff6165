"""Titledeed as a contestant: files are fingerprinted and searched as the product does it."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from fingerprint_bench.results import Answer

from titledeed.canonical.documents import Fields
from titledeed.canonical.evidence.records import parse_facts
from titledeed.canonical.fingerprints import parse_fingerprint
from titledeed.examining import examine_job
from titledeed.matching.embedded import EmbeddedIndex
from titledeed.matching.held_codes import HeldCodes
from titledeed.media.limits import MediaLimits
from titledeed.models.asset import MediaKind, MediaType
from titledeed.models.match import Query
from titledeed.models.primitives import RegistrationId
from titledeed.ports import IndexedWork

NAME: Final = "Titledeed"
LIMITS: Final = MediaLimits(size_bytes_max=2**33, pixels_max=2**26, duration_s_max=4 * 3600)


class Titledeed:
    """Implements ``Contestant`` in every medium."""

    name = NAME

    def __init__(self) -> None:
        self._works: list[IndexedWork] = []
        self._folder = TemporaryDirectory()

    def register(self, work: Path) -> None:
        """Fingerprint a file and keep its codes; all works come before the first search."""
        found = fingerprint_file(work)
        self._works.append(IndexedWork(RegistrationId(work.name), found.duration_s, found.codes))

    def search(self, query: Path) -> Answer:
        """The best match, with its longest segment."""
        matches = self._index.search(fingerprint_file(query))
        if not matches:
            return Answer()
        best = matches[0]
        longest = max(best.segments, key=lambda segment: segment.query.duration_s, default=None)
        return Answer(best.registration_id, best.score, longest)

    @cached_property
    def _index(self) -> EmbeddedIndex:
        index = EmbeddedIndex(source=HeldCodes(self._works), folder=Path(self._folder.name))
        index.keep()
        return index


def fingerprint_file(path: Path) -> Query:
    """What a search needs to know of one file, by the job that the product runs in a child."""
    with path.open("rb") as file:
        found = Fields(examine_job(file, asdict(LIMITS), lambda _: None), path=path.name)
    facts = parse_facts(found.child("media"))
    codes = tuple(parse_fingerprint(item) for item in found.children("fingerprints"))
    is_still = MediaType(facts.media_type).kind is MediaKind.IMAGE
    return Query(codes, 0.0 if is_still else facts.duration_ms / 1000)
