"""Finding works by their codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from titledeed.models.fingerprint import FingerprintCode, FingerprintView
from titledeed.models.match import WorkMatch
from titledeed.models.primitives import (
    RegistrationId,
)


class FingerprintIndex(Protocol):
    """Finds registered works by their codes. Thread-safe."""

    def search(self, views: Sequence[FingerprintView]) -> list[WorkMatch]:
        """Works of which the query holds at least one segment, best score first.

        Sees every registration accepted before the call, by whichever process.
        """
        ...

    def size(self) -> int:
        """How many works are indexed."""
        ...


class FingerprintSource(Protocol):
    """Where an index reads the codes from."""

    def iter_fingerprints(
        self, after: int
    ) -> Iterator[tuple[int, RegistrationId, FingerprintCode]]:
        """Codes accepted after cursor position ``after``, oldest first, with their position."""
        ...

    def count_erased(self) -> int:
        """How many registrations were ever erased.

        Whoever keeps codes in memory drops them all when it has changed, and reads from the first.
        """
        ...
