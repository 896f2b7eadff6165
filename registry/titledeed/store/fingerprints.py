"""Fingerprints of registrations, as an index reads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from titledeed.errors import NotFoundError
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.primitives import RegistrationId
from titledeed.ports import IndexedWork
from titledeed.store import tables
from titledeed.store.database import Database
from titledeed.store.rows import is_among

PAGE_SIZE: Final = 256
"""Codes read at once; that of a feature film is about a megabyte."""


class SqlFingerprints:
    """Implements ``ports.FingerprintRepository``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def iter_fingerprints(
        self, after: int
    ) -> Iterator[tuple[int, RegistrationId, FingerprintCode]]:
        """See the port. Holds no transaction open between two items."""
        while page := self._read_page(after):
            for row in page:
                after = row.cursor or after
                yield after, RegistrationId(row.registration_id), _code(row)

    def find_works(self, positions: Collection[int]) -> dict[int, IndexedWork]:
        """See the port."""
        with self._database.read() as session:
            owners = dict(
                session.exec(
                    select(
                        tables.FingerprintRow.cursor, tables.FingerprintRow.registration_id
                    ).where(is_among(tables.FingerprintRow.cursor, list(positions)))
                ).all()
            )
            works = _read_works(session, sorted(set(owners.values())))
        return {cursor: works[owner] for cursor, owner in owners.items() if cursor is not None}

    def find_present(self, positions: Collection[int]) -> set[int]:
        """See the port."""
        cursor = tables.FingerprintRow.cursor
        with self._database.read() as session:
            found = session.exec(select(cursor).where(is_among(cursor, list(positions))))
            return {position for position in found if position is not None}

    def count_erased(self) -> int:
        """See the port."""
        with self._database.read() as session:
            return session.exec(select(func.count()).select_from(tables.TombstoneRow)).one()

    def add(self, registration_id: RegistrationId, codes: Sequence[FingerprintCode]) -> None:
        """See the port."""
        with self._database.write() as session:
            known = tables.RegistrationRow.registration_id == registration_id
            if (
                session.exec(select(tables.RegistrationRow.registration_id).where(known)).first()
                is None
            ):
                raise NotFoundError(
                    f"there is no registration {registration_id}",
                    what="registration",
                    registration_id=registration_id,
                )
            owner = col(tables.FingerprintRow.registration_id) == registration_id
            present = {
                (row.algorithm, row.version)
                for row in session.exec(select(tables.FingerprintRow).where(owner))
            }
            session.add_all(
                tables.FingerprintRow(
                    registration_id=registration_id,
                    algorithm=code.algorithm,
                    version=code.version,
                    code=code.code,
                )
                for code in codes
                if (code.algorithm, code.version) not in present
            )

    def _read_page(self, after: int) -> Sequence[tables.FingerprintRow]:
        cursor = col(tables.FingerprintRow.cursor)
        with self._database.read() as session:
            return session.exec(
                select(tables.FingerprintRow)
                .where(cursor > after)
                .order_by(cursor)
                .limit(PAGE_SIZE)
            ).all()


def _read_works(session: Session, owners: Sequence[str]) -> dict[str, IndexedWork]:
    codes: dict[str, list[FingerprintCode]] = defaultdict(list)
    for row in session.exec(
        select(tables.FingerprintRow)
        .where(is_among(tables.FingerprintRow.registration_id, owners))
        .order_by(col(tables.FingerprintRow.cursor))
    ):
        codes[row.registration_id].append(_code(row))
    durations = session.exec(
        select(tables.RegistrationRow.registration_id, tables.RegistrationRow.duration_ms).where(
            is_among(tables.RegistrationRow.registration_id, owners)
        )
    )
    return {
        owner: IndexedWork(RegistrationId(owner), duration_ms / 1000, tuple(codes[owner]))
        for owner, duration_ms in durations
    }


def _code(row: tables.FingerprintRow) -> FingerprintCode:
    return FingerprintCode(row.algorithm, row.version, row.code)
