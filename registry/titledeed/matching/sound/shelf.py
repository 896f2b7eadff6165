"""Sound landmarks of all works, found by their keys."""

from __future__ import annotations

from collections.abc import Iterable

from titledeed.fingerprinting.sound.landmarks import SoundLandmarks
from titledeed.fingerprinting.sound.peaks import SoundPeaks
from titledeed.matching.sound.search import index_entries
from titledeed.matching.tables.sound_index import SoundIndex
from titledeed.models.fingerprint import FingerprintCode

LANDMARKS = SoundLandmarks()


class SoundShelf(SoundIndex):
    """Implements ``shelves.Shelf``."""

    def add(self, position: int, code: FingerprintCode) -> bool:
        """See ``shelves.Shelf``."""
        peaks = read_peaks([code])
        if peaks is None:
            return False
        self.append(position, *index_entries(peaks))
        return True


def read_peaks(codes: Iterable[FingerprintCode]) -> SoundPeaks | None:
    """The landmarks among the codes of a file; None where it has none.

    Raises:
        MalformedDocumentError: they do not decode.
    """
    for code in codes:
        if (code.algorithm, code.version) == (LANDMARKS.id, LANDMARKS.version):
            return LANDMARKS.decode(code.code)
    return None
