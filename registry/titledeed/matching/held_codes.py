"""Codes that an index reads from memory: of files at hand, not of registrations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.primitives import RegistrationId
from titledeed.ports import IndexedWork


class HeldCodes:
    """Implements ``ports.FingerprintSource`` for works that do not change."""

    def __init__(self, works: Iterable[IndexedWork]) -> None:
        self._codes = [(work, code) for work in works for code in work.codes]

    def iter_fingerprints(
        self, after: int
    ) -> Iterator[tuple[int, RegistrationId, FingerprintCode]]:
        """See the port."""
        for position, (work, code) in enumerate(self._codes[after:], after + 1):
            yield position, work.registration_id, code

    def find_works(self, positions: Collection[int]) -> dict[int, IndexedWork]:
        """See the port."""
        return {position: self._codes[position - 1][0] for position in positions}

    def find_present(self, positions: Collection[int]) -> set[int]:
        """See the port."""
        return set(positions)

    def count_erased(self) -> int:
        """See the port: none ever is."""
        return 0
