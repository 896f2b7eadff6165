"""Tables of one home's database.

Digests are BLOBs, times are integers (seconds since 1970, UTC), paths are the file system's own
bytes, enumerations are text under a CHECK. Rules that a constraint can carry are constraints: a
leaf has at most one place in one batch, a sender uses a nonce once.

What follows from other rows is not stored. The outbox is every own registration without a
submission; an own registration's anchor is the event that its submission points at, and its status
is that event's depth; so following the chain never touches a registration. Anchor rows are values
that snapshots bring, and nothing that a snapshot brings can touch an anchor of this home's own.

The values that services see are those of ``titledeed.models``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

from titledeed.models.evidence import ClaimStatus
from titledeed.models.job import JobStatus
from titledeed.models.ledger import MentionRole, SubmissionState
from titledeed.models.principal import PrincipalKind
from titledeed.models.registration import Visibility

METADATA: Final = SQLModel.metadata


def _one_of(column: str, values: type[StrEnum] | tuple[StrEnum, ...]) -> CheckConstraint:
    allowed = ", ".join(f"'{value.value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=f"{column}_known")


def _digests(*columns: str) -> tuple[CheckConstraint, ...]:
    return tuple(
        CheckConstraint(f"length({column}) = 32", name=f"{column}_length") for column in columns
    )


class Row(SQLModel):
    """A row of the table that its class is named for: ``BlockRow`` of ``block``."""

    @declared_attr  # type: ignore[arg-type]  # as SQLModel itself declares it
    def __tablename__(cls) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # noqa: N805
        return str(cls.__name__).removesuffix("Row").lower()


class AnchorRow(Row, table=True):
    """One root in one block, as an import names it."""

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


class BlockRow(Row, table=True):
    """One of the last blocks that were followed; the highest is the cursor.

    ``safe_number`` and ``final_number`` are the heights up to which everything was safe, and final,
    when this was the newest block; below zero while the chain is short.
    """

    __table_args__ = _digests("hash", "parent_hash")

    number: int | None = Field(default=None, primary_key=True)
    hash: bytes = Field(sa_type=LargeBinary)
    parent_hash: bytes = Field(sa_type=LargeBinary)
    timestamp: int = Field(sa_type=BigInteger)
    safe_number: int = Field(sa_type=BigInteger)
    final_number: int = Field(sa_type=BigInteger)


class CursorRow(Row, table=True):
    """The last block in which the events of a contract were read.

    Of the contracts that are followed to the end it is the newest in ``block``; one that was added
    to a home stands lower until it has caught up.
    """

    __table_args__ = _digests("hash", "parent_hash")

    contract: str = Field(sa_type=Text, primary_key=True)
    number: int = Field(sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)
    parent_hash: bytes = Field(sa_type=LargeBinary)
    timestamp: int = Field(sa_type=BigInteger)


class EventRow(Row, table=True):
    """One event of a contract; see ``event_rows`` for ``kind`` and ``body``."""

    __table_args__ = (
        *_digests("transaction_hash", "block_hash"),
        CheckConstraint("length(head) = 20", name="head_length"),
    )

    contract: str = Field(sa_type=Text, primary_key=True)
    sequence: int = Field(sa_type=BigInteger, primary_key=True)
    kind: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    head: bytes = Field(sa_type=LargeBinary)
    transaction_hash: bytes = Field(sa_type=LargeBinary, index=True)
    block_number: int = Field(sa_type=BigInteger)
    block_hash: bytes = Field(sa_type=LargeBinary)
    block_timestamp: int = Field(sa_type=BigInteger)


class MentionRow(Row, table=True):
    """A word by which an event is found."""

    __table_args__ = (
        _one_of("role", MentionRole),
        ForeignKeyConstraint(
            ["contract", "sequence"], ["event.contract", "event.sequence"], ondelete="CASCADE"
        ),
        Index("mention_event", "contract", "sequence"),
        {"sqlite_with_rowid": False},
    )

    role: str = Field(sa_type=Text, primary_key=True)
    word: bytes = Field(sa_type=LargeBinary, primary_key=True)
    contract: str = Field(sa_type=Text, primary_key=True)
    sequence: int = Field(sa_type=BigInteger, primary_key=True)


class SubmissionRow(Row, table=True):
    """One call under one nonce. ``root`` and ``size`` are those of the batch that it anchors.

    ``contract`` is the one that is called. ``sequence`` is that of its event that tells of the
    effect: it goes when the event does.
    """

    __table_args__ = (
        *_digests("root"),
        _one_of("state", SubmissionState),
        CheckConstraint("(root IS NULL) = (size IS NULL)", name="batch_has_size"),
        CheckConstraint("sequence IS NULL OR state = 'included'", name="event_means_included"),
        UniqueConstraint("sender", "nonce", name="submission_nonce"),
        ForeignKeyConstraint(["contract", "sequence"], ["event.contract", "event.sequence"]),
        Index("submission_event", "contract", "sequence"),
        Index("submission_root", "root", unique=True, sqlite_where=text("state <> 'reverted'")),
    )

    submission_id: int | None = Field(default=None, primary_key=True)
    contract: str = Field(sa_type=Text)
    sender: str = Field(sa_type=Text)
    nonce: int = Field(sa_type=BigInteger)
    label: str = Field(sa_type=Text)
    root: bytes | None = Field(default=None, sa_type=LargeBinary)
    size: int | None = Field(default=None, sa_type=BigInteger)
    # No foreign key: it outlives an erased registration, as the act itself does.
    registration_id: str | None = Field(default=None, sa_type=Text)
    state: str = Field(default=SubmissionState.PENDING.value, sa_type=Text, index=True)
    problem: str = Field(default="", sa_type=Text)
    sent_at: int = Field(sa_type=BigInteger)
    sequence: int | None = Field(default=None, sa_type=BigInteger)


class AttemptRow(Row, table=True):
    """One signed transaction of a submission; ``position`` is their order."""

    __table_args__ = _digests("hash")

    position: int | None = Field(default=None, primary_key=True)
    submission_id: int = Field(foreign_key="submission.submission_id", index=True)
    hash: bytes = Field(sa_type=LargeBinary, unique=True)
    raw: bytes = Field(sa_type=LargeBinary)


class RegistrationRow(Row, table=True):
    """One registration, own or imported. ``position`` is the order of acceptance.

    ``status`` and ``anchor_id`` are an import's; see the module for an own registration's.
    """

    __table_args__ = (
        *_digests("content_digest", "signed_digest", "leaf"),
        _one_of("status", ClaimStatus),
        _one_of("visibility", Visibility),
        UniqueConstraint("submission_id", "leaf_index", name="registration_place"),
        CheckConstraint(
            "submission_id IS NULL OR (leaf_index IS NOT NULL AND snapshot_id IS NULL)",
            name="batched_is_own",
        ),
        CheckConstraint(
            "snapshot_id IS NOT NULL OR (anchor_id IS NULL AND status = 'pending')",
            name="own_is_followed",
        ),
        Index(
            "registration_own",
            "submission_id",
            "position",
            "accepted_at",
            sqlite_where=text("snapshot_id IS NULL"),
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
    snapshot_id: str | None = Field(default=None, sa_type=Text)
    signed_path: bytes | None = Field(default=None, sa_type=LargeBinary)
    leaf: bytes = Field(sa_type=LargeBinary)
    submission_id: int | None = Field(default=None, foreign_key="submission.submission_id")
    leaf_index: int | None = Field(default=None, sa_type=BigInteger)
    anchor_id: int | None = Field(default=None, foreign_key="anchor.anchor_id")
    duration_ms: int = Field(sa_type=BigInteger)
    claimed_at: int = Field(sa_type=BigInteger)
    accepted_at: int = Field(sa_type=BigInteger)


class TombstoneRow(Row, table=True):
    """An erased registration, and its leaf's place if it was batched.

    One id may have several: what was erased may be registered again, with other salts.
    """

    __table_args__ = (
        *_digests("leaf"),
        UniqueConstraint("submission_id", "leaf_index", name="tombstone_place"),
        CheckConstraint("(submission_id IS NULL) = (leaf_index IS NULL)", name="place_is_whole"),
        {"sqlite_autoincrement": True},
    )

    tombstone_id: int | None = Field(default=None, primary_key=True)
    registration_id: str = Field(sa_type=Text, index=True)
    leaf: bytes = Field(sa_type=LargeBinary)
    erased_at: int = Field(sa_type=BigInteger)
    submission_id: int | None = Field(default=None, foreign_key="submission.submission_id")
    leaf_index: int | None = Field(default=None, sa_type=BigInteger)


class FingerprintRow(Row, table=True):
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


class IntentRow(Row, table=True):
    """What is being signed and was not accepted yet."""

    registration_id: str = Field(sa_type=Text, primary_key=True)
    source_path: bytes = Field(sa_type=LargeBinary)
    signed_path: bytes | None = Field(default=None, sa_type=LargeBinary)


class CompletionRow(Row, table=True):
    """A batch whose registrations have their evidence bundles, made for this block.

    Where a reorganisation puts the anchor into another block, or the block became final since, the
    bundles are made anew.
    """

    __table_args__ = _digests("block_hash")

    submission_id: int = Field(
        primary_key=True, foreign_key="submission.submission_id", ondelete="CASCADE"
    )
    block_hash: bytes = Field(sa_type=LargeBinary)
    is_final: bool


class SnapshotRow(Row, table=True):
    """One imported snapshot."""

    snapshot_id: str = Field(sa_type=Text, primary_key=True)
    exported_at: int = Field(sa_type=BigInteger)
    exporter: str = Field(sa_type=Text)
    registrations: int = Field(sa_type=BigInteger)
    chain_id: int = Field(sa_type=BigInteger)


class JobRow(Row, table=True):
    """Long work behind the HTTP API.

    ``principal``, ``account`` and ``scopes`` are on whose behalf it runs; ``arguments`` is NULL for
    work that an older release began.
    """

    __table_args__ = (
        _one_of("principal", PrincipalKind),
        _one_of("status", JobStatus),
    )

    job_id: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text)
    principal: str = Field(sa_type=Text)
    account: str | None = Field(default=None, sa_type=Text)
    scopes: str = Field(sa_type=Text)
    arguments: str | None = Field(default=None, sa_type=Text)
    status: str = Field(sa_type=Text)
    starts: int = Field(sa_type=BigInteger)
    result: str | None = Field(default=None, sa_type=Text)
    problem: str | None = Field(default=None, sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)


class TokenRow(Row, table=True):
    """A bearer token, known by its SHA-256 only; without an owner it is the home's own."""

    __table_args__ = _digests("digest")

    digest: bytes = Field(sa_type=LargeBinary, primary_key=True)
    owner: str | None = Field(default=None, sa_type=Text)
    scopes: str = Field(sa_type=Text)
