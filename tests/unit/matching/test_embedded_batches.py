"""How many candidates are read and compared: few, but for those that show something."""

from __future__ import annotations

from collections.abc import Collection

from scenes import CodeSource, degrade, draw_scene, fingerprint

from titledeed.matching.embedded import EmbeddedIndex
from titledeed.matching.pictures.candidates import FIRST_COMPARED
from titledeed.models.match import Query
from titledeed.ports import IndexedWork


class WatchedSource(CodeSource):
    """Counts the codes whose works were read."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    def find_works(self, positions: Collection[int]) -> dict[int, IndexedWork]:
        self.read += len(positions)
        return super().find_works(positions)


def draw_still(seed: int) -> Query:
    return fingerprint(draw_scene(seed, seconds=0.25))


def test_every_version_of_a_picture_is_found_however_many_are_registered() -> None:
    source = WatchedSource()
    for number in range(15):
        source.add(f"version {number}", draw_still(5))
    for seed in range(100, 110):
        source.add(f"other {seed}", draw_still(seed))
    query = fingerprint(degrade(draw_scene(5, seconds=0.25)))
    found = {match.registration_id for match in EmbeddedIndex(source=source).search(query)}
    assert found == {f"version {number}" for number in range(15)}


def test_of_a_stranger_only_the_likeliest_works_are_read() -> None:
    source = WatchedSource()
    for seed in range(100, 140):
        source.add(f"other {seed}", draw_still(seed))
    index = EmbeddedIndex(source=source)
    index.search(Query((), 0.0))
    for seed in range(200, 205):
        source.read = 0
        assert index.search(draw_still(seed)) == []
        assert source.read <= 4 * FIRST_COMPARED
