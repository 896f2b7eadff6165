"""Registrations, own and imported, and their fingerprints."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from operator import itemgetter
from pathlib import Path
from typing import Final

from sqlalchemy import ColumnElement, delete, func, insert, or_, update
from sqlmodel import Session, SQLModel, col, select

from titledeed.errors import InvariantViolation, NotFoundError
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.ledger import Tombstone
from titledeed.models.primitives import Keccak256, LeafHash, RegistrationId, Sha256
from titledeed.models.registration import Registration, SigningIntent, Visibility
from titledeed.store import tables
from titledeed.store.database import Database
from titledeed.store.locking import hold_lock
from titledeed.store.rows import (
    OWN,
    decode_path,
    encode_path,
    is_among,
    keep_anchor,
    registration_columns,
    select_registrations,
)

HOLD_TIMEOUT_S: Final = 600.0
"""Signing a feature film takes minutes."""


class SqlRegistrations:
    """Implements ``ports.RegistrationRepository``.

    An own registration takes the place of an imported one with the same id: whoever accepts it
    here keeps it here. An import never replaces anything.
    """

    def __init__(self, database: Database, *, lock_folder: Path) -> None:
        self._database = database
        self._lock_folder = lock_folder

    def hold(
        self, registration_id: RegistrationId, *, wait: bool = True
    ) -> AbstractContextManager[None]:
        """See the port. Ids share a thousand lock files, so that their folder stays small."""
        return hold_lock(
            self._lock_folder / f"accept-{registration_id[3:5]}",
            timeout_s=HOLD_TIMEOUT_S if wait else 0,
            purpose="that registers the same file",
        )

    def save_intent(self, intent: SigningIntent) -> None:
        """See the port."""
        row = tables.IntentRow(
            registration_id=intent.registration_id,
            source_path=os.fsencode(intent.source_path),
            signed_path=encode_path(intent.signed_path),
        )
        with self._database.write() as session:
            session.merge(row)

    def find_intent(self, registration_id: RegistrationId) -> SigningIntent | None:
        """See the port."""
        with self._database.read() as session:
            row = session.get(tables.IntentRow, registration_id)
        return None if row is None else _intent_value(row)

    def list_intents(self) -> list[SigningIntent]:
        """See the port."""
        with self._database.read() as session:
            return [_intent_value(row) for row in session.exec(select(tables.IntentRow))]

    def forget_intent(self, registration_id: RegistrationId) -> None:
        """See the port."""
        same_id = col(tables.IntentRow.registration_id) == registration_id
        with self._database.write() as session:
            session.execute(delete(tables.IntentRow).where(same_id))

    def accept(
        self, registration: Registration, fingerprints: Sequence[FingerprintCode]
    ) -> Registration:
        """See the port."""
        (accepted,) = self.accept_many([(registration, fingerprints)])
        return accepted

    def accept_many(
        self, entries: Sequence[tuple[Registration, Sequence[FingerprintCode]]]
    ) -> list[Registration]:
        """See the port."""
        for registration, _ in entries:
            _require_fresh(registration)
        ids = [registration.registration_id for registration, _ in entries]
        with self._database.write() as session:
            accepted = {
                registration.registration_id: registration
                for _, registration in select_registrations(
                    session, is_among(tables.RegistrationRow.registration_id, ids)
                )
                if registration.is_own
            }
            session.execute(
                delete(tables.IntentRow).where(is_among(tables.IntentRow.registration_id, ids))
            )
            session.execute(
                delete(tables.RegistrationRow).where(
                    is_among(tables.RegistrationRow.registration_id, ids), ~OWN
                )
            )
            fresh: dict[RegistrationId, tuple[Registration, Sequence[FingerprintCode]]] = {}
            for entry in entries:
                if entry[0].registration_id not in accepted:
                    fresh.setdefault(entry[0].registration_id, entry)
            _insert(session, list(fresh.values()))
        return [accepted.get(one) or fresh[one][0] for one in ids]

    def add_imported(
        self, registration: Registration, fingerprints: Sequence[FingerprintCode]
    ) -> bool:
        """See the port."""
        if registration.is_own:
            raise InvariantViolation(f"{registration.registration_id} names no snapshot")
        same_id = col(tables.RegistrationRow.registration_id) == registration.registration_id
        with self._database.write() as session:
            if session.exec(select(tables.RegistrationRow.position).where(same_id)).first():
                return False
            _insert(session, [(registration, fingerprints)])
        return True

    def find(self, registration_id: RegistrationId) -> Registration | None:
        """See the port."""
        found = self._list(col(tables.RegistrationRow.registration_id) == registration_id)
        return found[0] if found else None

    def find_by_digest(self, digest: Sha256) -> list[Registration]:
        """See the port."""
        return self._list(
            or_(
                col(tables.RegistrationRow.content_digest) == digest,
                col(tables.RegistrationRow.signed_digest) == digest,
            )
        )

    def find_by_manifest(self, manifest_id: str) -> list[Registration]:
        """See the port."""
        return self._list(col(tables.RegistrationRow.manifest_id) == manifest_id)

    def list_published(self) -> list[Registration]:
        """See the port."""
        return self._list(
            OWN,
            col(tables.RegistrationRow.visibility) == Visibility.PUBLISHED.value,
            col(tables.SubmissionRow.sequence).is_not(None),
        )

    def list_own(self, *, after: int, limit: int) -> list[tuple[int, Registration]]:
        """See the port."""
        later = col(tables.RegistrationRow.position) > after
        with self._database.read() as session:
            return select_registrations(session, OWN, later, limit=limit)

    def count_own(self) -> int:
        """See the port."""
        with self._database.read() as session:
            return session.exec(
                select(func.count()).select_from(tables.RegistrationRow).where(OWN)
            ).one()

    def erase(self, tombstone: Tombstone) -> None:
        """See the port. The bytes of the row are overwritten too."""
        same_id = col(tables.RegistrationRow.registration_id) == tombstone.registration_id
        with self._database.write() as session:
            row = session.exec(select(tables.RegistrationRow).where(same_id, OWN)).first()
            if row is None:
                if _newest_tombstone(session, tombstone.registration_id) is None:
                    raise _not_own(tombstone.registration_id)
            else:
                if row.leaf != tombstone.leaf:
                    raise InvariantViolation(f"{row.registration_id} has another leaf")
                _bury(session, tombstone, row.submission_id, row.leaf_index)
                session.delete(row)
            session.execute(
                delete(tables.IntentRow).where(
                    col(tables.IntentRow.registration_id) == tombstone.registration_id
                )
            )
        self._database.forget_old_pages()

    def add_tombstone(self, tombstone: Tombstone) -> None:
        """Remember an erased registration that a rebuild finds named by its batch alone.

        Its leaf has no place until ``outbox.add_batch`` names its id.
        """
        with self._database.write() as session:
            _bury(session, tombstone, None, None)

    def find_tombstone(self, registration_id: RegistrationId) -> Tombstone | None:
        """See the port. The newest, where the id was registered and erased again."""
        with self._database.read() as session:
            row = _newest_tombstone(session, registration_id)
        if row is None:
            return None
        return Tombstone(
            registration_id=RegistrationId(row.registration_id),
            leaf=LeafHash(Keccak256(row.leaf)),
            erased_at=row.erased_at,
        )

    def set_visibility(self, registration_id: RegistrationId, visibility: Visibility) -> None:
        """See the port."""
        change = (
            update(tables.RegistrationRow)
            .where(col(tables.RegistrationRow.registration_id) == registration_id, OWN)
            .values(visibility=visibility.value)
        )
        with self._database.write() as session:
            if session.connection().execute(change).rowcount == 0:
                raise _not_own(registration_id)

    def _list(self, *conditions: ColumnElement[bool]) -> list[Registration]:
        with self._database.read() as session:
            found = select_registrations(session, *conditions)
        return sorted((registration for _, registration in found), key=_chronology)


def _intent_value(row: tables.IntentRow) -> SigningIntent:
    return SigningIntent(
        registration_id=RegistrationId(row.registration_id),
        source_path=os.fsdecode(row.source_path),
        signed_path=decode_path(row.signed_path),
    )


def _require_fresh(registration: Registration) -> None:
    if not registration.is_own:
        raise InvariantViolation(f"{registration.registration_id} is imported, not accepted")
    if registration.anchor is not None or registration.leaf_index is not None:
        raise InvariantViolation(
            f"{registration.registration_id} names an anchor: only the followed chain gives one"
        )


def _chronology(registration: Registration) -> tuple[int, int, int, int]:
    """Anchored ones by the chain's order, then the others by acceptance."""
    anchor = registration.anchor
    if anchor is None:
        return (1, registration.accepted_at, 0, 0)
    return (0, anchor.block_timestamp, anchor.sequence, registration.leaf_index or 0)


def _insert(
    session: Session, entries: Sequence[tuple[Registration, Sequence[FingerprintCode]]]
) -> None:
    """Insert many rows at once."""
    rows = [
        registration_columns(
            registration,
            anchor_id=keep_anchor(session, registration.anchor) if registration.anchor else None,
        )
        for registration, _ in entries
    ]
    codes = [
        {
            "registration_id": registration.registration_id,
            "algorithm": code.algorithm,
            "version": code.version,
            "code": code.code,
        }
        for registration, fingerprints in entries
        for code in fingerprints
    ]
    _insert_rows(session, tables.RegistrationRow, rows)
    _insert_rows(session, tables.FingerprintRow, codes)


def _insert_rows(
    session: Session, table: type[SQLModel], rows: Sequence[Mapping[str, object]]
) -> None:
    """Hand rows of the same columns to SQLite as they are.

    The ORM takes a tenth of a millisecond for each, and SQLAlchemy's own way of many rows still as
    long as SQLite itself.
    """
    if not rows:
        return
    connection = session.connection()
    statement = insert(table).compile(dialect=connection.dialect, column_keys=list(rows[0]))
    columns = itemgetter(*(statement.positiontup or ()))
    connection.exec_driver_sql(statement.string, [columns(row) for row in rows])


def _bury(
    session: Session, tombstone: Tombstone, submission_id: int | None, leaf_index: int | None
) -> None:
    session.add(
        tables.TombstoneRow(
            registration_id=tombstone.registration_id,
            leaf=tombstone.leaf,
            erased_at=tombstone.erased_at,
            submission_id=submission_id,
            leaf_index=leaf_index,
        )
    )


def _newest_tombstone(
    session: Session, registration_id: RegistrationId
) -> tables.TombstoneRow | None:
    return session.exec(
        select(tables.TombstoneRow)
        .where(col(tables.TombstoneRow.registration_id) == registration_id)
        .order_by(col(tables.TombstoneRow.tombstone_id).desc())
        .limit(1)
    ).first()


def _not_own(registration_id: RegistrationId) -> NotFoundError:
    return NotFoundError(
        f"this home has no registration {registration_id} of its own",
        next_step="Ask the home that registered it.",
        what="registration",
        registration_id=registration_id,
    )
