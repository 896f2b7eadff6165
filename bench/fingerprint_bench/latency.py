"""What a search costs in a registry of growing size, all stages, and what it finds.

Registered clips lie in the product's own database and are found by its own index. Each is a real
or rendered clip whose codes all differ from those of that clip by one constant: so it moves, stands
still and repeats itself as footage does, and shows something else. The edited clip differs by the
same constant, and is as far from it as edits are. Strangers are edited clips of other files.

Times of searches and additions are CPU times of one thread, so that a shared machine does not show
in them; opening is told in wall time.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import statistics
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import cv2
import numpy as np
from fingerprint_bench.background import draw_strangers
from fingerprint_bench.results import Latency, Medium, split_media

from titledeed.canonical.identifiers import ZERO_ADDRESS
from titledeed.fingerprinting.base import Codes, FrameCodes, Luma
from titledeed.fingerprinting.pictures.frame_codes import encode_frame_codes
from titledeed.fingerprinting.pictures.keypoints import DESCRIPTOR_BYTES
from titledeed.fingerprinting.pictures.local import Local
from titledeed.fingerprinting.pictures.local_features import LocalFeatures, encode_local_features
from titledeed.fingerprinting.pictures.regions import RegionCodes, Regions, encode_region_codes
from titledeed.fingerprinting.pictures.shots import ShotReader
from titledeed.fingerprinting.pictures.video_dct import VideoDct
from titledeed.matching.embedded import EmbeddedIndex
from titledeed.matching.pictures.codes import read_picture_codes
from titledeed.matching.pictures.views import view_query
from titledeed.matching.pictures.visual_index import look_up
from titledeed.matching.pictures.visual_tables import DCT_ORDER
from titledeed.matching.shelves import Shelves
from titledeed.matching.tables.code_table import CodeTable
from titledeed.models.claim import SigningDomain
from titledeed.models.disclosure import DigitalSourceType
from titledeed.models.evidence import ClaimStatus
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.match import Query
from titledeed.models.primitives import Keccak256, LeafHash, RegistrationId, Sha256
from titledeed.models.registration import Registration, Visibility
from titledeed.ports import FingerprintSource, IndexedWork
from titledeed.store.database import sqlite_url
from titledeed.store.repositories import SqlRepositories

T = TypeVar("T")

SEED_CLIPS: Final = 160
FILES_MAX: Final = 20
CLIP_S: Final = 15.0

DESCRIPTOR_FLIPS: Final = 0.2
"""Of the bits of all descriptors of a clip, the same bits: more would make them unlike real ones,
which crowd; so two clips made of one are 41 of 128 bits apart, closer than strangers."""

RADII: Final = (9, 16, 19, 24, 29, 31, 40, 48, 56, 63)

DOMAIN: Final = SigningDomain(31_337, ZERO_ADDRESS)


@dataclass(frozen=True, slots=True)
class Clip:
    """Codes of 15 seconds."""

    frames: FrameCodes
    regions: RegionCodes
    local: LocalFeatures

    def change(self, picture: Codes, descriptor: Codes) -> Clip:
        """All codes with those bits flipped that one code and one descriptor have set."""
        return Clip(
            replace(self.frames, codes=self.frames.codes ^ picture),
            replace(self.regions, codes=self.regions.codes ^ picture),
            replace(self.local, descriptors=self.local.descriptors ^ descriptor),
        )

    def encode(self) -> tuple[FingerprintCode, ...]:
        """As they are stored."""
        return (
            VideoDct().wrap(encode_frame_codes(self.frames)),
            Regions().wrap(encode_region_codes(self.regions)),
            Local().wrap(encode_local_features(self.local)),
        )


@dataclass(frozen=True, slots=True)
class Seed:
    """A clip before and after an edit."""

    clip: Clip
    edited: Clip


@dataclass(frozen=True, slots=True)
class Footage:
    """What the registered clips are made of, and edited clips of other files."""

    seeds: Sequence[Seed]
    strangers: Sequence[Clip]


def read_seeds(media: Path, *, count: int = SEED_CLIPS) -> Footage:
    """Cropped real clips and rendered ones; only the latter without ``media/video``."""
    files, others = split_media(sorted((media / "video").iterdir()) if media.is_dir() else [])
    seeds = []
    for stranger in draw_strangers(Medium.VIDEO, files[:FILES_MAX], count=count):
        clip, edited = _code(stranger.frames), _code(_edit(stranger.frames))
        if clip is not None and edited is not None:
            seeds.append(Seed(clip, edited))
    strangers = draw_strangers(Medium.VIDEO, others[:FILES_MAX], count=count, seed=1)
    coded = (_code(_edit(stranger.frames)) for stranger in strangers)
    return Footage(seeds, [clip for clip in coded if clip is not None])


def _code(frames: Iterable[tuple[float, Luma]]) -> Clip | None:
    """None where the picture is too plain for one kind of codes."""
    reader = ShotReader([one.start_coder() for one in (VideoDct(), Regions(), Local())])
    for time_s, luma in frames:
        reader.add_frame(time_s, luma)
    codes = read_picture_codes([found.code for found in reader.finish() if found.code])
    if not (codes.frames and codes.regions and codes.local):
        return None
    return Clip(codes.frames, codes.regions, codes.local)


def _edit(frames: Iterable[tuple[float, Luma]]) -> Iterator[tuple[float, Luma]]:
    """Cropped to 90 % of the width and height, darker and blurred."""
    for time_s, luma in frames:
        height, width = luma.shape
        top, left = height // 20, width // 20
        part = luma[top : height - top, left : width - left] / np.float32(255)
        yield time_s, np.asarray(cv2.GaussianBlur(255 * part**1.4, (0, 0), 1.5), np.uint8)


def draw_clip(footage: Footage, number: int, *, is_edited: bool = False) -> Clip:
    """The codes of registered clip ``number``; the same for the same number."""
    generator = np.random.default_rng(number)
    seeds = footage.seeds
    seed = seeds[int(generator.integers(len(seeds)))]
    picture = seed.clip.frames.codes[0].copy()
    # What turns the first picture into thirds of three others: the same for frames and regions, as
    # these are near each other in a copy.
    third = generator.integers(3, size=8 * len(picture))
    for number_of_third, row in enumerate(generator.integers(len(seeds), size=3)):
        lender = seeds[int(row)].clip.frames.codes
        mask = np.packbits(third == number_of_third)
        picture ^= mask & lender[int(generator.integers(len(lender)))]
    descriptor = generator.random(8 * DESCRIPTOR_BYTES) < DESCRIPTOR_FLIPS
    return (seed.edited if is_edited else seed.clip).change(picture, np.packbits(descriptor))


def name_work(number: int) -> RegistrationId:
    """The id under which clip ``number`` is registered."""
    return RegistrationId(f"td1{number:032d}")


def _register(number: int) -> Registration:
    """A registration of the home's own that waits for a batch."""
    digest = hashlib.sha256(str(number).encode()).digest()
    return Registration(
        registration_id=name_work(number),
        domain=DOMAIN,
        claimant=ZERO_ADDRESS,
        content_digest=Sha256(digest),
        signed_digest=None,
        manifest_id=None,
        title=f"Clip {number}",
        source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA,
        status=ClaimStatus.PENDING,
        visibility=Visibility.PRIVATE,
        snapshot_id=None,
        signed_path=None,
        leaf=LeafHash(Keccak256(digest)),
        leaf_index=None,
        anchor=None,
        duration_ms=round(1000 * CLIP_S),
        claimed_at=number,
        accepted_at=number,
    )


class TimedSource:
    """A source that adds up what reading the works of candidates takes, in milliseconds."""

    def __init__(self, source: FingerprintSource) -> None:
        self._source = source
        self.iter_fingerprints = source.iter_fingerprints
        self.find_present = source.find_present
        self.count_erased = source.count_erased
        self.spent_ms = 0.0

    def find_works(self, positions: Collection[int]) -> dict[int, IndexedWork]:
        """See the port."""
        works, spent_ms = clock(lambda: self._source.find_works(positions))
        self.spent_ms += spent_ms
        return works


def clock(work: Callable[[], T]) -> tuple[T, float]:
    """What the work gives, and its milliseconds of CPU."""
    started = time.process_time()
    result = work()
    return result, 1000 * (time.process_time() - started)


@dataclass(frozen=True, slots=True)
class Spent:
    """Milliseconds of one query.

    Attributes:
        search: all of it.
        read: of reading its candidates from the database.
        look_up: of the look-ups among all works, done once more.
        is_right: whether the work came first, or nothing was found of a stranger.
    """

    search: float
    read: float
    look_up: float
    is_right: bool


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured at each size.

    Attributes:
        clips_per_commit: registered at once while it grows.
        minutes_alone: registered one by one.
        queries: of each kind.
        warm_up: queries before those that count.
    """

    clips_per_commit: int = 400
    minutes_alone: int = 40
    queries: int = 100
    warm_up: int = 4


class Bench:
    """A database and its index that grow from size to size.

    Args:
        folder: of both; made.
        footage: what the registered clips and the queries are made of.
        effort: at each size.
    """

    def __init__(self, folder: Path, footage: Footage, effort: Effort) -> None:
        folder.mkdir(parents=True)
        self._footage = footage
        self._effort = effort
        self._index_folder = folder / "index"
        self._repositories = SqlRepositories(
            url=sqlite_url(folder / "registry.sqlite3"), lock_path=folder / "sender"
        )
        self._source = TimedSource(self._repositories.fingerprints)
        self._index = self._open()
        self._clips = self._frames = 0

    def _open(self) -> EmbeddedIndex:
        return EmbeddedIndex(source=self._source, folder=self._index_folder)

    def close(self) -> None:
        """Close the database."""
        self._repositories.close()

    def grow(self, frame_codes: int) -> float:
        """Register clips until there are so many frame codes; milliseconds per video minute."""
        spent_ms, first = 0.0, self._clips
        while self._frames < frame_codes:
            spent_ms += self._add(self._effort.clips_per_commit)
        return spent_ms / (self._clips - first) * 60 / CLIP_S

    def add_minutes(self) -> float:
        """Register a minute at a time, each before a search; milliseconds per video minute.

        The mean, since one addition in twenty also writes the others to disk.
        """
        clips = round(60 / CLIP_S)
        return statistics.mean(self._add(clips) for _ in range(self._effort.minutes_alone))

    def _add(self, count: int) -> float:
        """Register so many clips; milliseconds of keeping them, and of the search after it."""
        entries = []
        for number in range(self._clips, self._clips + count):
            clip = draw_clip(self._footage, number)
            self._frames += len(clip.frames.codes)
            entries.append((_register(number), clip.encode()))
        self._clips += count
        self._repositories.registrations.accept_many(entries)
        query = Query(self._footage.strangers[0].encode(), CLIP_S)
        _, kept_ms = clock(self._index.keep)
        first_ms, again_ms = (clock(partial(self._index.search, query))[1] for _ in range(2))
        return kept_ms + first_ms - again_ms

    def compact(self) -> float:
        """Merge all into one segment per table; seconds."""
        shelves = Shelves(source=self._source, folder=self._index_folder)
        _, spent_ms = clock(lambda: shelves.write(compact=True))
        return spent_ms / 1000

    def reopen(self) -> float:
        """Seconds of wall time until the index answers."""
        started = time.perf_counter()
        self._index = self._open()
        self._index.search(Query((), CLIP_S))
        return time.perf_counter() - started

    def describe(self) -> str:
        """Segments and bytes of each table."""
        parts = []
        for folder in sorted(path for path in self._index_folder.iterdir() if path.is_dir()):
            files = list(folder.glob("*.segment"))
            size = sum(file.stat().st_size for file in files)
            parts.append(f"{folder.name} {len(files)} segments, {size / 1e6:,.0f} MB")
        return "; ".join(parts)

    def search(self, *, registered: bool) -> Iterator[Spent]:
        """Search with edited clips, of registered ones or of strangers."""
        shelves = Shelves(source=self._source, folder=self._index_folder)
        (tables,) = shelves.view().pictures
        generator = np.random.default_rng(7)
        for row in range(-self._effort.warm_up, self._effort.queries):
            work = int(generator.integers(self._clips))
            strangers = self._footage.strangers
            stranger = strangers[row % len(strangers)]
            clip = draw_clip(self._footage, work, is_edited=True) if registered else stranger
            query = Query(clip.encode(), CLIP_S)
            self._source.spent_ms = 0.0
            matches, search_ms = clock(partial(self._index.search, query))
            read_ms = self._source.spent_ms
            views = view_query(read_picture_codes(query.codes), CLIP_S)
            _, look_up_ms = clock(partial(look_up, tables, views))
            found = [match.registration_id for match in matches[:1]]
            if row >= 0:
                is_right = found == ([name_work(work)] if registered else [])
                yield Spent(search_ms, read_ms, look_up_ms, is_right)


def measure_latency(
    cache: Path, sizes: Sequence[int], footage: Footage, effort: Effort | None = None
) -> list[Latency]:
    """Grow a registry through the sizes, printing what each costs.

    Args:
        cache: holds the registry while it is measured: 26 kB of codes and 230 kB of index a minute.
        sizes: numbers of frame codes, rising.
        footage: what the registered clips and the queries are made of.
        effort: at each size.
    """
    folder = cache / "latency"
    shutil.rmtree(folder, ignore_errors=True)
    bench = Bench(folder, footage, effort or Effort())
    measured = [measure_size(bench, size) for size in sizes]
    bench.close()
    shutil.rmtree(folder)
    return measured


def measure_size(bench: Bench, size: int) -> Latency:
    """Grow to one size and measure it as it grew, then print what one segment would cost."""
    many_ms = bench.grow(size)
    add_ms = bench.add_minutes()
    open_s = bench.reopen()
    print(f"\n{size:,} frame codes: {bench.describe()}")
    print(f"  add a minute: {add_ms:.1f} ms one by one, {many_ms:.1f} ms in imports")
    print(f"  open: {open_s:.3f} s")
    p50_ms, p99_ms = measure_queries(bench, "as it grew")
    compact_s = bench.compact()
    bench.reopen()
    measure_queries(bench, f"compacted in {compact_s:.0f} s")
    return Latency(size, p50_ms, p99_ms, add_ms, open_s)


def measure_queries(bench: Bench, state: str) -> tuple[float, float]:
    """Print what searches cost by stage; the median and the 99th percentile of all."""
    by_kind = {
        kind: list(bench.search(registered=kind == "edited clips"))
        for kind in ("edited clips", "strangers")
    }
    spent = [one for found in by_kind.values() for one in found]
    print(f"  {state}:")
    for kind, found in {"all": spent, **by_kind}.items():
        p50_ms, p99_ms = np.percentile([one.search for one in found], [50, 99])
        look_up_ms = statistics.median(one.look_up for one in found)
        read_ms = statistics.median(one.read for one in found)
        rest_ms = statistics.median(one.search - one.read - one.look_up for one in found)
        right = statistics.mean(one.is_right for one in found)
        print(
            f"    {kind:12s} p50 {p50_ms:6.1f} ms, p99 {p99_ms:6.1f} ms: look-ups {look_up_ms:.1f},"
            f" reading candidates {read_ms:.1f}, decoding and comparing {rest_ms:.1f};"
            f" {right:.2f} right"
        )
    p50_ms, p99_ms = np.percentile([one.search for one in spent], [50, 99])
    return float(p50_ms), float(p99_ms)


def measure_radii(cache: Path, footage: Footage, *, clips: int) -> None:
    """Print the share of planted neighbours found, by distance and flips."""
    folder = cache / "radii"
    shutil.rmtree(folder, ignore_errors=True)
    index = CodeTable(folder, code_bytes=32, bit_order=DCT_ORDER)
    planted = []
    for number in range(clips):
        frames = draw_clip(footage, number).frames
        times_ms = np.rint(frames.times_s * 1000).astype(np.int64)
        index.append(number, times_ms, np.zeros(len(times_ms), np.int64), frames.codes)
        planted.append(frames.codes[0])
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
            hits = index.view().search(query, radius=radius, limit=1000, flips=flips)
            right = hits.query[hits.owner == chosen[hits.query]]
            shares.append(len(np.unique(right)) / len(chosen))
        print(f"  {radius:3d} bits: " + "  ".join(f"{share:.3f}" for share in shares))
    shutil.rmtree(folder)


def main() -> None:
    """Measure at the sizes given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--media", type=Path, default=Path("../shared/media"))
    options = parser.parse_args()
    footage = read_seeds(options.media)
    measure_radii(options.cache, footage, clips=4000)
    measure_latency(options.cache, options.sizes, footage)


if __name__ == "__main__":
    main()
