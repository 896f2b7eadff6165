"""An inverted index in files: 32-bit keys of works, each with a 64-bit value.

A folder of segments, immutable and memory-mapped: ``keys``, ``owners`` and ``values``, sorted by
key, and a manifest that names the live ones. What was appended lies in memory, is found at once and
is written by ``commit``; segments of like size are merged then, so that there are few. One process
writes; others read, and ``refresh`` shows them what it committed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.durability import replacing, write_durably
from titledeed.errors import ConflictError, StorageError

MANIFEST: Final = "manifest.json"
OPENINGS_MAX: Final = 3
MERGE_RATIO: Final = 4
"""A segment smaller than four times those after it together is merged with them: a posting is
rewritten a handful of times in all, and there are as many segments as digits of the size in base
four at most."""

Keys = npt.NDArray[np.uint32]
Owners = npt.NDArray[np.int32]
Values = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Postings:
    """What a lookup found.

    Attributes:
        rows: row of the looked-up keys, shape (n,).
        owners: the work.
        values: as appended.
    """

    rows: npt.NDArray[np.int64]
    owners: npt.NDArray[np.int64]
    values: Values


@dataclass(frozen=True, slots=True)
class PostingRun:
    """Postings sorted by key; ``name`` is empty until they are written."""

    name: str
    keys: Keys
    owners: Owners
    values: Values


@dataclass(frozen=True, slots=True)
class _Manifest:
    """What counts: names of segments, the next free name, and the caller's mark."""

    segments: tuple[str, ...] = ()
    following: int = 0
    mark: int = 0


class SoundIndex:
    """Postings of many works.

    Args:
        folder: made by the first commit.

    Raises:
        StorageError: what lies in the folder is no index.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tail: list[PostingRun] = []
        self._removed: set[int] = set()
        self._manifest = _Manifest()
        self._segments: list[PostingRun] = []
        self.refresh()

    @property
    def mark(self) -> int:
        """The position of the source given with the last commit that was seen; 0 without one."""
        return self._manifest.mark

    def append(self, owner: int, keys: Keys, values: Values) -> None:
        """Add postings of a work, visible to the next lookup of this object.

        Args:
            owner: number of the work, 0 to 2**31 - 1.
            keys: shape (n,).
            values: shape (n,).
        """
        self._tail.append(sort_postings(owner, keys, values))
        self._tail = _merge_tail(self._tail)

    def list_owners(self) -> set[int]:
        """Whose postings it holds."""
        owners = {int(o) for part in self._segments for o in np.unique(part.owners)}
        private = {int(o) for part in self._tail for o in np.unique(part.owners)}
        return (owners - self._removed) | private

    def remove(self, owners: Collection[int]) -> None:
        """Forget works at once; what is appended later under the same number is kept."""
        gone = set(owners)
        self._removed |= gone
        self._tail = [_without(segment, gone) for segment in self._tail]

    def lookup(self, keys: Keys, postings_max: int) -> Postings:
        """All postings of the keys; the rarest keys first when there are too many.

        A key that very many works share tells least, and looking at all its postings would cost
        most: what a lookup costs is bounded whatever was registered.

        Args:
            keys: shape (n,).
            postings_max: keys whose postings would pass it are left out, the most frequent first.
        """
        return look_up([*self._segments, *self._tail], keys, postings_max, self._removed)

    def commit(self, mark: int, *, compact: bool = False) -> None:
        """Write what changed, durably; afterwards other processes can see it.

        Args:
            mark: kept for the next who opens the index.
            compact: merge all into one segment.

        Raises:
            ConflictError: another process committed since this one opened or refreshed.
            StorageError: the folder or disk refused.
        """
        if self._read_manifest() != self._manifest:
            raise ConflictError(
                "another process has written to the index",
                next_step="Refresh, append what is missing, then commit again.",
            )
        committed = [_without(segment, self._removed) for segment in self._segments]
        segments = [segment for segment in [*committed, *self._tail] if len(segment.keys)]
        segments = [_concatenate(segments)] if compact and segments else _merge_tail(segments)
        following = self._manifest.following
        names = []
        for segment in segments:
            names.append(segment.name or self._write(segment, str(following)))
            following += not segment.name
        manifest = _Manifest(tuple(names), following, mark)
        write_durably(self._folder / MANIFEST, json.dumps(asdict(manifest)).encode())
        self.refresh()
        for file in self._folder.glob("*.npy"):
            if file.name.split(".")[0] not in names:
                file.unlink(missing_ok=True)

    def refresh(self) -> bool:
        """See what was committed since; then all that is private is dropped.

        A writer may replace a segment between reading the manifest and opening it.

        Returns:
            Whether there was a commit. Then append again what the source holds from ``mark`` on.

        Raises:
            StorageError: what lies in the folder is no index.
        """
        for _ in range(OPENINGS_MAX):
            manifest = self._read_manifest()
            if manifest == self._manifest:
                return False
            try:
                segments = [self._open(name) for name in manifest.segments]
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                raise self._unreadable(error) from error
            self._manifest, self._segments = manifest, segments
            self._tail, self._removed = [], set()
            return True
        raise self._unreadable("its segments vanish")

    @property
    def postings(self) -> int:
        """How many postings there are, removed ones of before the next commit included."""
        return sum(len(segment.keys) for segment in [*self._segments, *self._tail])

    def _read_manifest(self) -> _Manifest:
        try:
            found = json.loads((self._folder / MANIFEST).read_bytes())
            names = tuple(str(name) for name in found["segments"])
            return _Manifest(names, int(found["following"]), int(found["mark"]))
        except FileNotFoundError:
            return _Manifest()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, reason: object) -> StorageError:
        return StorageError(
            f"the sound index in {self._folder} cannot be read: {reason}",
            next_step="Delete the folder; the index is built again from the registry.",
        )

    def _open(self, name: str) -> PostingRun:
        keys, owners, values = (
            np.load(self._folder / f"{name}.{part}.npy", mmap_mode="r").view(np.ndarray)
            for part in ("keys", "owners", "values")
        )
        if not len(keys) == len(owners) == len(values):
            raise ValueError(f"the parts of segment {name} differ in length")
        return PostingRun(name, keys, owners, values)

    def _write(self, segment: PostingRun, name: str) -> str:
        for part in ("keys", "owners", "values"):
            with replacing(self._folder / f"{name}.{part}.npy") as file:
                np.save(file, getattr(segment, part))
        return name


def sort_postings(owner: int, keys: Keys, values: Values) -> PostingRun:
    """Postings of one work, in memory."""
    return _sort(PostingRun("", keys, np.full(len(keys), owner, np.int32), values))


def look_up(
    runs: Sequence[PostingRun],
    keys: Keys,
    postings_max: int,
    removed: Collection[int] = (),
) -> Postings:
    """What ``SoundIndex.lookup`` does, on any runs.

    Args:
        runs: those of a name are committed; ``removed`` works of theirs are left out.
        keys: shape (n,).
        postings_max: as there.
        removed: numbers of works.
    """
    order = np.argsort(keys)
    ordered = keys[order]
    starts = [np.searchsorted(run.keys, ordered, "left") for run in runs]
    counts = [
        _count_runs(run.keys, ordered, first) for run, first in zip(runs, starts, strict=True)
    ]
    kept = _keep_rarest(sum(counts, np.zeros(len(keys), np.int64)), postings_max)
    parts = []
    for run, first, size in zip(runs, starts, counts, strict=True):
        found = _gather(run, order[kept], first[kept], size[kept])
        if run.name and removed:
            live = ~np.isin(found.owners, list(removed))
            found = Postings(found.rows[live], found.owners[live], found.values[live])
        parts.append(found)
    return _join(parts)


def _sort(run: PostingRun) -> PostingRun:
    order = np.argsort(run.keys, kind="stable")
    return PostingRun(run.name, run.keys[order], run.owners[order], run.values[order])


def _merge_tail(segments: list[PostingRun]) -> list[PostingRun]:
    """Merge the last segments as far as ``MERGE_RATIO`` asks."""
    if not segments:
        return []
    first = len(segments) - 1
    merged = len(segments[first].keys)
    while first and len(segments[first - 1].keys) < MERGE_RATIO * merged:
        first -= 1
        merged += len(segments[first].keys)
    last = segments[first:]
    return [*segments[:first], _concatenate(last) if len(last) > 1 else last[0]]


def _concatenate(segments: list[PostingRun]) -> PostingRun:
    return _sort(
        PostingRun(
            "",
            np.concatenate([segment.keys for segment in segments]),
            np.concatenate([segment.owners for segment in segments]),
            np.concatenate([segment.values for segment in segments]),
        )
    )


def _without(segment: PostingRun, removed: set[int]) -> PostingRun:
    live = ~np.isin(segment.owners, list(removed))
    if live.all():
        return segment
    return PostingRun("", segment.keys[live], segment.owners[live], segment.values[live])


def _count_runs(keys: Keys, wanted: Keys, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many times each wanted key stands in sorted keys, from its first place on."""
    counts = np.zeros(len(wanted), np.int64)
    inside = np.flatnonzero(starts < len(keys))
    present = inside[keys[starts[inside]] == wanted[inside]]
    counts[present] = np.searchsorted(keys, wanted[present], "right") - starts[present]
    return counts


def _keep_rarest(counts: npt.NDArray[np.int64], postings_max: int) -> npt.NDArray[np.int64]:
    rarest = np.argsort(counts, kind="stable")
    rarest = rarest[np.searchsorted(counts[rarest], 1) :]
    return rarest[: int(np.searchsorted(np.cumsum(counts[rarest]), postings_max, "right"))]


def _gather(
    segment: PostingRun,
    rows: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
) -> Postings:
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    places = np.arange(total) + np.repeat(starts - ends + counts, counts)
    return Postings(
        np.repeat(rows, counts),
        segment.owners[places].astype(np.int64),
        np.asarray(segment.values[places]),
    )


def _join(parts: list[Postings]) -> Postings:
    none = np.zeros(0, np.int64)
    return Postings(
        np.concatenate([none, *(part.rows for part in parts)]),
        np.concatenate([none, *(part.owners for part in parts)]),
        np.concatenate([np.zeros(0, np.uint64), *(part.values for part in parts)]),
    )
