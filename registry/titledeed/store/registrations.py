"""Registrations, own and imported, and their fingerprints."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from sqlalchemy import ColumnElement, delete, func, or_, update
from sqlmodel import Session, col, select

from titledeed.errors import InvariantViolation, NotFoundError
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.primitives import RegistrationId, Sha256
from titledeed.models.registration import Registration, SigningIntent, Visibility
from titledeed.store import tables
from titledeed.store.database import Database
from titledeed.store.locking import hold_lock
from titledeed.store.rows import (
    decode_path,
    encode_path,
    keep_anchor,
    registration_row,
    registration_value,
)

HOLD_TIMEOUT_S: Final = 600.0
"""Signing a feature film takes minutes."""

PAGE_SIZE: Final = 256
"""Codes read at once; that of a feature film is about a megabyte."""

_OWN: Final = col(tables.Registration.snapshot_id).is_(None)


class SqlRegistrations:
    """Implements ``ports.RegistrationRepository``.

    An own registration takes the place of an imported one with the same id: whoever accepts it
    here keeps it here. An import never replaces anything.
    """

    def __init__(self, database: Database, *, lock_folder: Path) -> None:
        self._database = database
        self._lock_folder = lock_folder

    def hold(self, registration_id: RegistrationId) -> AbstractContextManager[None]:
        """See the port. Ids share a thousand lock files, so that their folder stays small."""
        return hold_lock(
            self._lock_folder / f"accept-{registration_id[3:5]}",
            timeout_s=HOLD_TIMEOUT_S,
            purpose="that registers the same file",
        )

    def save_intent(self, intent: SigningIntent) -> None:
        """See the port."""
        row = tables.Intent(
            registration_id=intent.registration_id,
            source_path=os.fsencode(intent.source_path),
            signed_path=encode_path(intent.signed_path),
        )
        with self._database.write() as session:
            session.merge(row)

    def find_intent(self, registration_id: RegistrationId) -> SigningIntent | None:
        """See the port."""
        with self._database.read() as session:
            row = session.get(tables.Intent, registration_id)
        if row is None:
            return None
        return SigningIntent(
            registration_id=RegistrationId(row.registration_id),
            source_path=os.fsdecode(row.source_path),
            signed_path=decode_path(row.signed_path),
        )

    def accept(
        self, registration: Registration, fingerprints: Sequence[FingerprintCode]
    ) -> Registration:
        """See the port."""
        if registration.snapshot_id is not None:
            raise InvariantViolation(f"{registration.registration_id} is imported, not accepted")
        same_id = col(tables.Registration.registration_id) == registration.registration_id
        with self._database.write() as session:
            session.execute(
                delete(tables.Intent).where(
                    col(tables.Intent.registration_id) == registration.registration_id
                )
            )
            known = _select(session, same_id, _OWN)
            if known:
                return known[0]
            session.execute(delete(tables.Registration).where(same_id))
            _insert(session, registration, fingerprints)
        return registration

    def add_imported(
        self, registration: Registration, fingerprints: Sequence[FingerprintCode]
    ) -> bool:
        """See the port."""
        if registration.snapshot_id is None:
            raise InvariantViolation(f"{registration.registration_id} names no snapshot")
        same_id = col(tables.Registration.registration_id) == registration.registration_id
        with self._database.write() as session:
            if session.exec(select(tables.Registration.position).where(same_id)).first():
                return False
            _insert(session, registration, fingerprints)
        return True

    def find(self, registration_id: RegistrationId) -> Registration | None:
        """See the port."""
        with self._database.read() as session:
            found = _select(session, col(tables.Registration.registration_id) == registration_id)
        return found[0] if found else None

    def find_by_digest(self, digest: Sha256) -> list[Registration]:
        """See the port."""
        with self._database.read() as session:
            return _select(
                session,
                or_(
                    col(tables.Registration.content_digest) == digest,
                    col(tables.Registration.signed_digest) == digest,
                ),
            )

    def find_by_manifest(self, manifest_id: str) -> list[Registration]:
        """See the port."""
        with self._database.read() as session:
            return _select(session, col(tables.Registration.manifest_id) == manifest_id)

    def list_published(self) -> list[Registration]:
        """See the port."""
        with self._database.read() as session:
            return _select(
                session,
                _OWN,
                col(tables.Registration.visibility) == Visibility.PUBLISHED.value,
                col(tables.Registration.anchor_id).is_not(None),
            )

    def count_own(self) -> int:
        """See the port."""
        with self._database.read() as session:
            return session.exec(
                select(func.count()).select_from(tables.Registration).where(_OWN)
            ).one()

    def set_visibility(self, registration_id: RegistrationId, visibility: Visibility) -> None:
        """See the port."""
        change = (
            update(tables.Registration)
            .where(col(tables.Registration.registration_id) == registration_id, _OWN)
            .values(visibility=visibility.value)
        )
        with self._database.write() as session:
            if session.connection().execute(change).rowcount == 0:
                raise NotFoundError(
                    f"this home has no registration {registration_id} of its own",
                    next_step="Publish it in the home that registered it.",
                )

    def iter_fingerprints(
        self, after: int
    ) -> Iterator[tuple[int, RegistrationId, FingerprintCode]]:
        """See the port. Holds no transaction open between two items."""
        while page := self._read_page(after):
            for row in page:
                after = row.cursor or after
                yield (
                    after,
                    RegistrationId(row.registration_id),
                    FingerprintCode(row.algorithm, row.version, row.code),
                )

    def _read_page(self, after: int) -> Sequence[tables.Fingerprint]:
        cursor = col(tables.Fingerprint.cursor)
        with self._database.read() as session:
            return session.exec(
                select(tables.Fingerprint).where(cursor > after).order_by(cursor).limit(PAGE_SIZE)
            ).all()


def _select(session: Session, *conditions: ColumnElement[bool]) -> list[Registration]:
    rows = session.exec(
        select(tables.Registration, tables.Anchor)
        .join(
            tables.Anchor,
            col(tables.Registration.anchor_id) == col(tables.Anchor.anchor_id),
            isouter=True,
        )
        .where(*conditions)
        .order_by(col(tables.Registration.position))
    )
    return sorted((registration_value(row, anchor) for row, anchor in rows), key=_chronology)


def _chronology(registration: Registration) -> tuple[int, int, int, int]:
    """Anchored ones by the chain's order, then the others by acceptance."""
    anchor = registration.anchor
    if anchor is None:
        return (1, registration.accepted_at, 0, 0)
    return (0, anchor.block_timestamp, anchor.sequence, registration.leaf_index or 0)


def _insert(
    session: Session, registration: Registration, fingerprints: Sequence[FingerprintCode]
) -> None:
    anchor = registration.anchor
    session.add(
        registration_row(
            registration, anchor_id=keep_anchor(session, anchor) if anchor is not None else None
        )
    )
    session.flush()
    session.add_all(
        tables.Fingerprint(
            registration_id=registration.registration_id,
            algorithm=fingerprint.algorithm,
            version=fingerprint.version,
            code=fingerprint.code,
        )
        for fingerprint in fingerprints
    )
