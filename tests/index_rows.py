"""What a database says, without the numbers that SQLite gave its rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

QUERIES: Final = {
    "registration": (
        "SELECT r.registration_id, r.chain_id, r.contract, claimant, content_digest, "
        "signed_digest, manifest_id, title, source_type, status, visibility, snapshot_id, "
        "signed_path, leaf, s.nonce, leaf_index, a.root, duration_ms, claimed_at, accepted_at "
        "FROM registration r LEFT JOIN submission s USING (submission_id) "
        "LEFT JOIN anchor a USING (anchor_id) ORDER BY snapshot_id IS NOT NULL, position"
    ),
    "fingerprint": (
        "SELECT registration_id, algorithm, version, code FROM fingerprint ORDER BY 1, cursor"
    ),
    "submission": (
        "SELECT sender, nonce, label, root, size, registration_id, state, problem, sequence, "
        "contract FROM submission ORDER BY sender, nonce"
    ),
    "attempt": (
        "SELECT sender, nonce, hash, raw FROM attempt JOIN submission USING (submission_id) "
        "ORDER BY sender, nonce, position"
    ),
    "tombstone": (
        "SELECT t.registration_id, leaf, erased_at, nonce, leaf_index FROM tombstone t "
        "LEFT JOIN submission s USING (submission_id) ORDER BY leaf"
    ),
    "anchor": (
        "SELECT root, size, caller, sequence, transaction_hash, block_number, block_hash, "
        "block_timestamp FROM anchor ORDER BY 1, 2, 3, 4"
    ),
    "cursor": "SELECT * FROM cursor ORDER BY contract",
    "event": "SELECT * FROM event ORDER BY contract, sequence",
    "mention": "SELECT * FROM mention ORDER BY 1, 2, 3, 4",
    "block": "SELECT * FROM block ORDER BY number",
    "snapshot": "SELECT * FROM snapshot ORDER BY snapshot_id",
}

NOT_REBUILT: Final = {"token", "job", "intent", "alembic_version", "sqlite_sequence"}


def dump_rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table that a rebuild brings back."""
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        assert {name for (name,) in tables} == QUERIES.keys() | NOT_REBUILT
        return {name: connection.execute(query).fetchall() for name, query in QUERIES.items()}
