"""Tables of one home's database.

Digests are BLOBs, times are integers (seconds since 1970, UTC), paths are the file system's own
bytes, enumerations are text under a CHECK. Rules that a constraint can carry are constraints: a
leaf has at most one place in one batch, a sender uses a nonce once.

There is no outbox table: the outbox is every own registration that has neither a batch nor an
anchor, so that it cannot disagree with the registrations. An anchor row is a value and is never
changed; who learns of another block points at another row, and nothing that a snapshot brings can
touch an anchor of this home's own.

A class is named for its table, and used as ``tables.Batch``; the values that services see are those
of ``titledeed.models``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from titledeed.models.evidence import ClaimStatus
from titledeed.models.registration import JobStatus, Viewer, Visibility

"""What a row may say; what was never accepted has no row."""

METADATA: Final = SQLModel.metadata


def _one_of(column: str, values: type[StrEnum] | tuple[StrEnum, ...]) -> CheckConstraint:
    allowed = ", ".join(f"'{value.value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=f"{column}_known")


def _digests(*columns: str) -> tuple[CheckConstraint, ...]:
    return tuple(
        CheckConstraint(f"length({column}) = 32", name=f"{column}_length") for column in columns
    )


class Anchor(SQLModel, table=True):
    """One root in one block."""

    __table_args__ = (
        *_digests("root", "transaction_hash", "block_hash"),
        UniqueConstraint(
            "root",
            "size",
            "caller",
            "sequence",
            "transaction_hash",
            "block_number",
            "block_hash",
            "block_timestamp",
            name="anchor_value",
        ),
    )

    anchor_id: int | None = Field(default=None, primary_key=True)
    root: bytes = Field(sa_type=LargeBinary)
    size: int = Field(sa_type=BigInteger)
    caller: str = Field(sa_type=Text)
    sequence: int = Field(sa_type=BigInteger)
    transaction_hash: bytes = Field(sa_type=LargeBinary)
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes = Field(sa_type=LargeBinary)
    block_timestamp: int = Field(sa_type=BigInteger)


class Batch(SQLModel, table=True):
    """Leaves that share one anchor transaction, signed before it is first sent."""

    __table_args__ = (
        *_digests("root", "transaction_hash"),
        UniqueConstraint("sender", "nonce", name="batch_nonce"),
    )

    root: bytes = Field(sa_type=LargeBinary, primary_key=True)
    sender: str = Field(sa_type=Text)
    nonce: int = Field(sa_type=BigInteger)
    transaction_hash: bytes = Field(sa_type=LargeBinary)
    transaction_raw: bytes = Field(sa_type=LargeBinary)
    anchor_id: int | None = Field(default=None, foreign_key="anchor.anchor_id", index=True)


class Registration(SQLModel, table=True):
    """One registration, own or imported. ``position`` is the order of acceptance."""

    __table_args__ = (
        *_digests("content_digest", "signed_digest", "leaf"),
        _one_of("status", ClaimStatus),
        _one_of("visibility", Visibility),
        UniqueConstraint("batch_root", "leaf_index", name="registration_place"),
        CheckConstraint(
            "batch_root IS NULL OR (leaf_index IS NOT NULL AND snapshot_id IS NULL)",
            name="batched_is_own",
        ),
        {"sqlite_autoincrement": True},
    )

    position: int | None = Field(default=None, primary_key=True)
    registration_id: str = Field(sa_type=Text, unique=True)
    chain_id: int = Field(sa_type=BigInteger)
    contract: str = Field(sa_type=Text)
    claimant: str = Field(sa_type=Text)
    content_digest: bytes = Field(sa_type=LargeBinary, index=True)
    signed_digest: bytes | None = Field(default=None, sa_type=LargeBinary, index=True)
    manifest_id: str | None = Field(default=None, sa_type=Text, index=True)
    title: str = Field(sa_type=Text)
    source_type: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    visibility: str = Field(sa_type=Text)
    # No foreign key: an import names its snapshot last, when all of it is in.
    snapshot_id: str | None = Field(default=None, sa_type=Text, index=True)
    signed_path: bytes | None = Field(default=None, sa_type=LargeBinary)
    leaf: bytes = Field(sa_type=LargeBinary)
    batch_root: bytes | None = Field(default=None, sa_type=LargeBinary, foreign_key="batch.root")
    leaf_index: int | None = Field(default=None, sa_type=BigInteger)
    anchor_id: int | None = Field(default=None, foreign_key="anchor.anchor_id", index=True)
    duration_ms: int = Field(sa_type=BigInteger)
    claimed_at: int = Field(sa_type=BigInteger)
    accepted_at: int = Field(sa_type=BigInteger)


class Fingerprint(SQLModel, table=True):
    """One code. ``cursor`` only grows and is never used twice.

    SQLite gives it at insert, inside a write transaction of which there is one at a time; so the
    order of cursors is the order of commits, and a reader that saw n never later meets a smaller
    one. (A database with concurrent writers needs another source for it.)
    """

    __table_args__ = ({"sqlite_autoincrement": True},)

    cursor: int | None = Field(default=None, primary_key=True)
    registration_id: str = Field(
        sa_type=Text,
        foreign_key="registration.registration_id",
        ondelete="CASCADE",
        index=True,
    )
    algorithm: str = Field(sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    code: bytes = Field(sa_type=LargeBinary)


class Intent(SQLModel, table=True):
    """What is being signed and was not accepted yet."""

    registration_id: str = Field(sa_type=Text, primary_key=True)
    source_path: bytes = Field(sa_type=LargeBinary)
    signed_path: bytes | None = Field(default=None, sa_type=LargeBinary)


class Snapshot(SQLModel, table=True):
    """One imported snapshot."""

    snapshot_id: str = Field(sa_type=Text, primary_key=True)
    exported_at: int = Field(sa_type=BigInteger)
    exporter: str = Field(sa_type=Text)
    registrations: int = Field(sa_type=BigInteger)
    chain_id: int = Field(sa_type=BigInteger)


class Job(SQLModel, table=True):
    """Long work behind the HTTP API."""

    __table_args__ = (
        _one_of("viewer", Viewer),
        _one_of("status", JobStatus),
    )

    job_id: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text)
    viewer: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    result: str | None = Field(default=None, sa_type=Text)
    problem: str | None = Field(default=None, sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)


class Token(SQLModel, table=True):
    """A bearer token, known by its SHA-256 only."""

    __table_args__ = _digests("digest")

    digest: bytes = Field(sa_type=LargeBinary, primary_key=True)
