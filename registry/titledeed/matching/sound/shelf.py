"""Sound peaks of all works, found by their keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from titledeed.fingerprinting.algorithms import SearchFamily
from titledeed.fingerprinting.base import CodeKind
from titledeed.fingerprinting.sound.peaks import SoundPeaks
from titledeed.matching.sound.search import index_entries
from titledeed.matching.tables.posting_table import PostingTable, PostingView
from titledeed.models.fingerprint import FingerprintCode

SOUND_KINDS: Final = (CodeKind.PEAKS,)


class SoundShelf(PostingTable):
    """Keys of the peaks of one family.

    Args:
        folder: of this table alone; it may be missing. None keeps all in memory.
        family: whose codes.
    """

    def __init__(self, folder: Path | None, family: SearchFamily) -> None:
        super().__init__(folder, fed_by=family.list_names(SOUND_KINDS))
        self._family = family

    def add(self, position: int, code: FingerprintCode) -> bool:
        """See ``shelves.Shelf``."""
        peaks = read_peaks([code], self._family)
        if peaks is None:
            return False
        self.append(position, *index_entries(peaks))
        return True


@dataclass(frozen=True, slots=True)
class SoundTable:
    """The table of one family as it was at one moment."""

    family: SearchFamily
    postings: PostingView


def read_peaks(codes: Iterable[FingerprintCode], family: SearchFamily) -> SoundPeaks | None:
    """The peaks among the codes of a file; None where it has none.

    Raises:
        MalformedDocumentError: they do not decode.
    """
    for code in codes:
        peaks = family.decode(code, SOUND_KINDS)
        if isinstance(peaks, SoundPeaks):
            return peaks
    return None
