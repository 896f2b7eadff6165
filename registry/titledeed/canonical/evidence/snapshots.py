"""The first and the last line of a snapshot, and what its exporter signs.

A snapshot is UTF-8 text, one canonical JSON object a line: a header, lines that each say by their
schema what they are (evidence bundles, segments of logs, words of storage), and a trailer with the
exporter's signature over the SHA-256 of all bytes before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from titledeed.canonical.documents import Fields, Json, hex_word, leave_out, put_back
from titledeed.canonical.field_values import read_address
from titledeed.canonical.hashing import keccak256
from titledeed.models.primitives import Address, Keccak256, Signature
from titledeed.models.unread import Unread

SNAPSHOT: Final = "titledeed.snapshot"
SNAPSHOT_LINES_MAX: Final = 10_000_000
SNAPSHOT_SIGNATURE_LENGTH: Final = 65


@dataclass(frozen=True, slots=True)
class SnapshotHeader:
    """What the exporter says of the snapshot.

    Attributes:
        exported_at: seconds since 1970, by the exporter's clock.
        exporter: the account that signs it.
        chain_id: of the exporter's chain.
        lines: between header and trailer; each is one object.
        registrations: how many of them are evidence bundles; in version 1 all are.
        since: id of an earlier snapshot of the exporter, of which this one holds what changed.
    """

    exported_at: int
    exporter: Address
    chain_id: int
    lines: int
    registrations: int
    since: str | None = None
    version: int = 2
    unread: tuple[Unread, ...] = ()


def encode_header(header: SnapshotHeader) -> dict[str, Json]:
    """JSON form, in the version in which it was made."""
    document = leave_out(
        {
            "schema": f"{SNAPSHOT}/{header.version}",
            "exported_at": header.exported_at,
            "exporter": header.exporter,
            "chain_id": header.chain_id,
            "lines": None if header.version == 1 else header.lines,
            "registrations": header.registrations,
            "since": header.since,
        }
    )
    return put_back(document, header.unread)


def parse_header(fields: Fields) -> SnapshotHeader:
    """Inverse of ``encode_header``; keeps what it does not know, since it is signed.

    Raises:
        MalformedDocumentError: a field is missing or of the wrong form.
    """
    unread = fields.keep_unread()
    version = fields.version(SNAPSHOT, (1, 2))
    registrations = fields.integer("registrations", maximum=SNAPSHOT_LINES_MAX)
    since = fields.stated("since", fields.sha256)
    header = SnapshotHeader(
        exported_at=fields.timestamp("exported_at"),
        exporter=read_address(fields, "exporter"),
        chain_id=fields.integer("chain_id", minimum=1),
        lines=registrations
        if version == 1
        else fields.integer("lines", maximum=SNAPSHOT_LINES_MAX),
        registrations=registrations,
        since=since.hex() if since else None,
        version=version,
    )
    if header.registrations > header.lines:
        raise fields.fail("registrations", "cannot be more than lines")
    fields.done()
    return replace(header, unread=tuple(unread))


def encode_trailer(signature: Signature) -> dict[str, Json]:
    """JSON form of the last line."""
    return {"signature": hex_word(signature)}


def parse_trailer(fields: Fields) -> Signature:
    """Inverse of ``encode_trailer``.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    signature = fields.hexadecimal_of("signature", length=SNAPSHOT_SIGNATURE_LENGTH)
    fields.done()
    return Signature(signature)


def hash_snapshot(content_digest: bytes, version: int) -> Keccak256:
    """What the exporter signs: Keccak-256(``titledeed.snapshot.vN`` ‖ SHA-256 of the bytes).

    The words before the digest keep this signature from ever being a Claim's or a transaction's.
    """
    return keccak256(f"{SNAPSHOT}.v{version}".encode("ascii"), content_digest)
