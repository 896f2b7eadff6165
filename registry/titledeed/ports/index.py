"""Finding works by their codes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.match import Query, WorkMatch
from titledeed.models.primitives import (
    RegistrationId,
)


@dataclass(frozen=True, slots=True)
class IndexedWork:
    """A work that an index knows, with all of its codes.

    Attributes:
        duration_s: 0 for a still picture.
    """

    registration_id: RegistrationId
    duration_s: float
    codes: tuple[FingerprintCode, ...]


class FingerprintIndex(Protocol):
    """Finds registered works by their codes. Thread-safe."""

    def search(self, query: Query) -> list[WorkMatch]:
        """Works of which the query holds at least one segment, best score first.

        Sees every registration accepted before the call, by whichever process, and none that was
        erased before it. Writes nothing.
        """
        ...

    def keep(self) -> None:
        """Put what was registered or erased where the next process need not read it again.

        Call it after registering, importing or reindexing. It writes only what is worth it, and
        leaves it to another process that is writing just then. Nothing is lost where it cannot: an
        index is made of what the source holds, so that is logged and nothing is raised.
        """
        ...


class IndexWorks(Protocol):
    """Makes an index of works at hand, which is gone with the object."""

    def __call__(self, works: Iterable[IndexedWork]) -> FingerprintIndex:
        """An index that holds these works and no others."""
        ...


class FingerprintSource(Protocol):
    """Where an index reads the codes from."""

    def iter_fingerprints(
        self, after: int
    ) -> Iterator[tuple[int, RegistrationId, FingerprintCode]]:
        """Codes accepted after cursor position ``after``, oldest first, with their position."""
        ...

    def find_works(self, positions: Collection[int]) -> dict[int, IndexedWork]:
        """The works that hold the codes at these positions, by position.

        Left out are positions that were erased.
        """
        ...

    def find_present(self, positions: Collection[int]) -> set[int]:
        """Those of the positions that hold a code still."""
        ...

    def count_erased(self) -> int:
        """How many registrations were ever erased.

        Whoever keeps codes drops those that are gone when it has changed.
        """
        ...
