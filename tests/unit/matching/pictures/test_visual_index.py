from __future__ import annotations

import numpy as np
import pytest
from code_rows import guaranteed_radius
from scenes import CodeSource, degrade, draw_scene, fingerprint

from titledeed.fingerprinting.algorithms import list_families
from titledeed.fingerprinting.pictures.frame_codes import CODE_BYTES
from titledeed.matching.pictures import visual_index
from titledeed.matching.pictures.alignment import WHOLE
from titledeed.matching.pictures.codes import PICTURE_KINDS, PictureCodes, read_picture_codes
from titledeed.matching.pictures.views import View, look_up, view_query
from titledeed.matching.pictures.visual import match_work
from titledeed.matching.pictures.visual_tables import CodeShelf, DescriptorShelf, VisualTables
from titledeed.matching.shelves import Shelves
from titledeed.models.fingerprint import FingerprintCode

WORKS = {name: fingerprint(draw_scene(seed, seconds=6)) for name, seed in (("a", 61), ("b", 62))}
FILM = [
    *draw_scene(63, seconds=20),
    *degrade(draw_scene(62, seconds=6)),
    *draw_scene(64, seconds=9),
]


@pytest.fixture
def tables() -> VisualTables:
    source = CodeSource()
    for name, query in WORKS.items():
        source.add(name, query)
    shelves = Shelves(source=source, folder=None)
    shelves.catch_up()
    (tables,) = shelves.view().pictures
    return tables


def of_scene(seed: int, start_s: float) -> PictureCodes:
    scene = degrade(draw_scene(seed, seconds=3, start_s=start_s))
    return read_picture_codes(fingerprint(scene).codes)


def owners_of(name: str) -> set[int]:
    first = 1 if name == "a" else 1 + len(WORKS["a"].codes)
    return set(range(first, first + len(WORKS[name].codes)))


def test_index_finds_what_the_exhaustive_scan_finds_near(tables: VisualTables) -> None:
    views = view_query(of_scene(61, 1.5), 3.0)
    work = View(read_picture_codes(WORKS["a"].codes), duration_s=6.0)
    hits = visual_index.look_up(tables, views)
    found, expected = hits.of_work(owners_of("a"), views, work), look_up(views, work)
    assert match_work(views, work, found) == match_work(views, work, expected)
    radius = guaranteed_radius(CODE_BYTES, visual_index.CLIP_FLIPS)
    near = expected.hits.timed.weight >= 1 - radius / 256
    seconds = {
        (round(q, 3), round(w, 3))
        for q, w in zip(found.hits.timed.query_s, found.hits.timed.work_s, strict=True)
    }
    timed = expected.hits.timed.take(near)
    assert len(timed.query_s) >= 3
    for query_s, work_s in zip(timed.query_s, timed.work_s, strict=True):
        assert (round(query_s, 3), round(work_s, 3)) in seconds


def test_hits_know_their_region_and_view(tables: VisualTables) -> None:
    views = view_query(read_picture_codes(WORKS["b"].codes), 6.0)
    work = View(read_picture_codes(WORKS["b"].codes), duration_s=6.0)
    hits = visual_index.look_up(tables, views)
    found = hits.of_work(owners_of("b"), views, work).hits
    same = found.timed.weight == 1
    channels = [found.channels[row] for row in found.channel[same]]
    assert {channel.orientation for channel in channels} == {0}
    assert any(channel.query == WHOLE for channel in channels)
    assert any(channel.query != WHOLE for channel in channels)


def test_long_film_is_looked_up_in_windows(tables: VisualTables) -> None:
    views = view_query(read_picture_codes(fingerprint(FILM).codes), 35.0)
    whole = visual_index.look_up(tables, views)
    parts = visual_index.look_up(tables, views, rows_at_once=60)
    assert {o for batch in parts.batches for o in batch} == {
        o for batch in whole.batches for o in batch
    }
    work = View(read_picture_codes(WORKS["b"].codes), duration_s=6.0)
    for hits in (whole, parts):
        (segment,) = match_work(views, work, hits.of_work(owners_of("b"), views, work))
        assert segment.query.start_s == pytest.approx(20, abs=0.3)
        assert segment.query.end_s == pytest.approx(26, abs=0.3)


def test_codes_of_other_algorithms_are_not_held() -> None:
    code = FingerprintCode("phash", 1, b"\0" * 8)
    (family,) = list_families(PICTURE_KINDS)
    assert not CodeShelf(None, family).add(1, code)
    assert not DescriptorShelf(None, family).add(1, code)


def test_query_without_codes_finds_nothing(tables: VisualTables) -> None:
    hits = visual_index.look_up(tables, view_query(PictureCodes(None, None, None), 5.0))
    assert hits.batches == []
    assert np.size(hits.codes.owner) == 0
