"""What a search of the code index costs at growing sizes, and what it finds.

A registered clip is a real one whose codes all differ from the real codes by one constant. So it
moves, stands still and repeats itself as real footage does, and shows something else. All times
are CPU times of one thread; opening is told in wall time.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from fingerprint_bench.background import draw_strangers
from fingerprint_bench.results import Latency, Medium, split_media

from titledeed.fingerprinting.base import Codes
from titledeed.fingerprinting.local import Local
from titledeed.fingerprinting.orientation import MIRRORED, orient_codes
from titledeed.fingerprinting.regions import Regions
from titledeed.fingerprinting.shots import ShotReader
from titledeed.fingerprinting.video_dct import VideoDct
from titledeed.matching.bit_orders import DCT_ORDER, DESCRIPTOR_ORDER
from titledeed.matching.code_index import CodeIndex

SEED_CLIPS: Final = 160
DESCRIPTOR_FLIPS: Final = 0.2
"""Of the bits of all descriptors of a clip, the same bits: more would make them unlike real ones,
which crowd; so two clips made of one are 41 of 128 bits apart, closer than strangers."""

EDIT_FLIPS: Final = 0.17
"""Of the bits that an edit changes: a crop to 95 %, a turn by 2 degrees."""

CLIPS_PER_COMMIT: Final = 400
QUERIES: Final = 40
RADII: Final = (9, 16, 19, 24, 29, 31, 40, 48, 56, 63)


@dataclass(frozen=True, slots=True)
class Rows:
    """Codes of one kind of one clip."""

    times_ms: npt.NDArray[np.int64]
    tags: npt.NDArray[np.int64]
    codes: Codes


@dataclass(frozen=True, slots=True)
class Table:
    """How one kind of codes is kept and searched."""

    name: str
    code_bytes: int
    bit_order: Sequence[int]
    radius: int
    flips: int
    limit: int


TABLES: Final = (
    Table("frames", 32, DCT_ORDER, radius=84, flips=1, limit=64),
    Table("regions", 32, DCT_ORDER, radius=70, flips=1, limit=32),
    Table("local", 16, DESCRIPTOR_ORDER, radius=26, flips=0, limit=16),
)

Clip = tuple[Rows, ...]
"""Rows for each of the tables, of 15 seconds."""


def read_seeds(media: Path, *, count: int = SEED_CLIPS) -> list[Clip]:
    """Codes of cropped real clips and rendered ones; only the latter without ``media/video``."""
    files, _ = split_media(sorted((media / "video").iterdir()) if media.is_dir() else [])
    clips: list[Clip] = []
    for stranger in draw_strangers(Medium.VIDEO, files[:20], count=count):
        frames_of, regions_of, local_of = VideoDct(), Regions(), Local()
        reader = ShotReader([one.start_coder() for one in (frames_of, regions_of, local_of)])
        for time_s, luma in stranger.frames:
            reader.add_frame(time_s, luma)
        codes = [extraction.code for extraction in reader.finish()]
        if codes[0] is None or codes[1] is None or codes[2] is None:
            continue
        frames = frames_of.decode(codes[0].code)
        regions = regions_of.decode(codes[1].code)
        local = local_of.decode(codes[2].code)
        clips.append(
            (
                _rows(frames.times_s, np.zeros(len(frames.codes), np.int64), frames.codes),
                _rows(regions.times_s, regions.regions.astype(np.int64), regions.codes),
                _rows(local.times_s[local.frame], np.arange(len(local.frame)), local.descriptors),
            )
        )
    return clips


def _rows(times_s: npt.NDArray[np.float64], tags: npt.NDArray[np.int64], codes: Codes) -> Rows:
    return Rows(np.rint(times_s * 1000).astype(np.int64), tags, codes)


def draw_clip_codes(seeds: Sequence[Clip], number: int) -> Clip:
    """The codes of registered clip ``number``; the same for the same number."""
    generator = np.random.default_rng(number)
    clip = seeds[int(generator.integers(len(seeds)))]
    return tuple(
        Rows(rows.times_ms, rows.tags, rows.codes ^ _draw_change(seeds, table, rows, generator))
        for table, rows in enumerate(clip)
    )


def _draw_change(
    seeds: Sequence[Clip], table: int, rows: Rows, generator: np.random.Generator
) -> Codes:
    """One constant: few bits for descriptors; else what turns the first row into three others."""
    bits = generator.random(8 * rows.codes.shape[1])
    if TABLES[table].bit_order is DESCRIPTOR_ORDER:
        return np.packbits(bits < DESCRIPTOR_FLIPS)
    change: Codes = rows.codes[0].copy()
    for third in range(3):
        lender = seeds[int(generator.integers(len(seeds)))][table].codes
        mask = np.packbits((bits >= third / 3) & (bits < (third + 1) / 3))
        change ^= mask & lender[int(generator.integers(len(lender)))]
    return change


def edit_codes(codes: Codes, generator: np.random.Generator) -> Codes:
    """Codes with some bits flipped."""
    flips = generator.random((len(codes), 8 * codes.shape[1])) < EDIT_FLIPS
    edited: Codes = codes ^ np.packbits(flips, axis=1)
    return edited


class Bench:
    """Three indexes that grow from size to size."""

    def __init__(self, folder: Path, seeds: Sequence[Clip], tables: Sequence[Table]) -> None:
        self._folder = folder
        self._seeds = seeds
        self._tables = tables
        self._indexes = {table.name: self._open(table) for table in tables}
        self._clips = 0

    def _open(self, table: Table) -> CodeIndex:
        return CodeIndex(
            self._folder / table.name, code_bytes=table.code_bytes, bit_order=table.bit_order
        )

    def grow(self, frame_codes: int) -> float:
        """Register clips until there are so many frame codes; milliseconds per video minute."""
        spent_s = 0.0
        started_at = self._clips
        while len(self._indexes["frames"]) < frame_codes:
            clip = draw_clip_codes(self._seeds, self._clips)
            started = time.process_time()
            for table, rows in zip(TABLES, clip, strict=True):
                if table.name in self._indexes:
                    self._indexes[table.name].append(
                        self._clips, rows.times_ms, rows.tags, rows.codes
                    )
            self._clips += 1
            if self._clips % CLIPS_PER_COMMIT == 0:
                self._commit(compact=False)
            spent_s += time.process_time() - started
        started = time.process_time()
        self._commit(compact=False)
        spent_s += time.process_time() - started
        return 1000 * spent_s / max(1, self._clips - started_at) * 4

    def compact(self) -> float:
        """Merge all; seconds."""
        started = time.process_time()
        self._commit(compact=True)
        return time.process_time() - started

    def _commit(self, *, compact: bool) -> None:
        for index in self._indexes.values():
            index.commit(self._clips, compact=compact)

    def reopen(self) -> float:
        """Seconds of wall time to open all three."""
        started = time.perf_counter()
        self._indexes = {table.name: self._open(table) for table in self._tables}
        return time.perf_counter() - started

    def describe(self) -> str:
        """Rows, segments and bytes of each table."""
        parts = []
        for name, index in self._indexes.items():
            files = list((self._folder / name).glob("*.codes"))
            size = sum(file.stat().st_size for file in files)
            parts.append(f"{name} {len(index):,} rows, {len(files)} segments, {size / 1e6:,.0f} MB")
        return "; ".join(parts)

    def search(self) -> Iterator[dict[str, float]]:
        """Milliseconds by table for each query, and the share of the queries that were found."""
        for number in range(-4, QUERIES):
            generator = np.random.default_rng([7, number + 4])
            work = int(generator.integers(self._clips))
            clip = draw_clip_codes(self._seeds, work)
            spent: dict[str, float] = {}
            for table, rows in zip(TABLES, clip, strict=True):
                if table.name not in self._indexes:
                    continue
                codes = edit_codes(rows.codes, generator)
                if table.name == "frames":
                    codes = np.concatenate([codes, orient_codes(codes, MIRRORED)])
                started = time.process_time()
                hits = self._indexes[table.name].search(
                    codes, radius=table.radius, limit=table.limit, flips=table.flips
                )
                spent[table.name] = 1000 * (time.process_time() - started)
                spent[table.name + " hits"] = float(np.sum(hits.owner == work))
                spent[table.name + " rows"] = float(len(codes))
            if number >= 0:
                yield spent


def measure_latency(
    cache: Path, sizes: Sequence[int], seeds: Sequence[Clip], *, with_local: bool = True
) -> list[Latency]:
    """Grow an index through the sizes, printing what each costs.

    Args:
        cache: holds the index while it is measured.
        sizes: numbers of frame codes, rising.
        seeds: what the registered clips are made of.
        with_local: local features too; ten times the rows.
    """
    folder = cache / "code_index"
    shutil.rmtree(folder, ignore_errors=True)
    tables = [table for table in TABLES if with_local or table.name != "local"]
    bench = Bench(folder, seeds, tables)
    measured = []
    for size in sizes:
        add_ms = bench.grow(size)
        for state in ("as it grew", "compacted"):
            compact_s = bench.compact() if state == "compacted" else 0.0
            open_s = bench.reopen()
            print(f"\n{size:,} frame codes, {state}: {bench.describe()}")
            print(
                f"  add {add_ms:.1f} ms per minute, compact {compact_s:.1f} s, open {open_s:.3f} s"
            )
            spent = list(bench.search())
            for table in tables:
                rows = np.median([one[table.name + " rows"] for one in spent])
                found = np.mean([one[table.name + " hits"] > 0 for one in spent])
                hits = np.median([one[table.name + " hits"] for one in spent])
                one = np.percentile([one[table.name] for one in spent], [50, 99])
                print(
                    f"  {table.name:8s} {rows:5.0f} query rows: p50 {one[0]:6.1f} ms, "
                    f"p99 {one[1]:6.1f} ms, {hits:.0f} right hits, found {found:.2f}"
                )
            totals = [sum(one[table.name] for table in tables) for one in spent]
            p50_ms, p99_ms = np.percentile(totals, [50, 99])
            print(f"  all lookups: p50 {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms")
        measured.append(Latency(size, float(p50_ms), float(p99_ms), add_ms, open_s))
    shutil.rmtree(folder, ignore_errors=True)
    return measured


def measure_radii(cache: Path, seeds: Sequence[Clip], *, clips: int) -> None:
    """Print the share of planted neighbours found, by distance and flips."""
    folder = cache / "code_index_radii"
    shutil.rmtree(folder, ignore_errors=True)
    index = CodeIndex(folder, code_bytes=32, bit_order=DCT_ORDER)
    planted = []
    for number in range(clips):
        rows = draw_clip_codes(seeds, number)[0]
        index.append(number, rows.times_ms, rows.tags, rows.codes)
        planted.append(rows.codes[0])
    index.commit(0, compact=True)
    generator = np.random.default_rng(1)
    chosen = generator.choice(clips, min(clips, 400), replace=False)
    print(f"\nplanted neighbours among {len(index):,} rows, flips of random bits: share found")
    for radius in RADII:
        masks = np.zeros((len(chosen), 256), np.uint8)
        for mask in masks:
            mask[generator.choice(256, radius, replace=False)] = 1
        query = np.stack([planted[number] for number in chosen]) ^ np.packbits(masks, axis=1)
        shares = []
        for flips in range(3):
            hits = index.search(query, radius=radius, limit=1000, flips=flips)
            right = hits.query[hits.owner == chosen[hits.query]]
            shares.append(len(np.unique(right)) / len(chosen))
        print(f"  {radius:3d} bits: " + "  ".join(f"{share:.3f}" for share in shares))
    shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measure at the sizes given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--media", type=Path, default=Path("../shared/media"))
    parser.add_argument("--without-local", action="store_true")
    options = parser.parse_args()
    seeds = read_seeds(options.media)
    measure_radii(options.cache, seeds, clips=4000)
    measure_latency(options.cache, options.sizes, seeds, with_local=not options.without_local)


if __name__ == "__main__":
    main()
