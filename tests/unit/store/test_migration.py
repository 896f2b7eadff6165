"""Migrations lead to the tables of the code, once, and refuse what they do not know."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from chain_builders import root_of, sender_of
from chain_desk import Desk
from simulation.ledger_simulator import LedgerSimulator
from sqlalchemy import create_engine
from sqlmodel import text

from titledeed.canonical.identifiers import ZERO_ADDRESS
from titledeed.errors import (
    ConfigurationError,
    DependencyError,
    InvariantViolation,
    StorageError,
)
from titledeed.models.evidence import ClaimStatus, SignedTransaction
from titledeed.models.job import Job, JobProblem, JobStatus
from titledeed.models.ledger import (
    Anchored,
    AnchorRoot,
    Block,
    Confirmations,
    LedgerEvent,
    SubmissionState,
    Withdrawn,
)
from titledeed.models.primitives import (
    Address,
    BlockHash,
    Keccak256,
    MerkleRoot,
    RegistrationId,
    Sha256,
    TransactionHash,
)
from titledeed.models.principal import (
    ALL_SCOPES,
    ANONYMOUS,
    Principal,
    PrincipalKind,
    TokenGrant,
)
from titledeed.models.registration import Visibility
from titledeed.proofs.event_kinds import anchor_mention
from titledeed.proofs.signatures import sign_digest
from titledeed.proofs.transactions import Transaction, encode_signed, signing_digest
from titledeed.store import tables
from titledeed.store.database import Database, sqlite_url
from titledeed.store.locking import hold_lock
from titledeed.store.migration import HEAD, alembic_config, read_revision, upgrade
from titledeed.store.repositories import SqlRepositories

OPEN_AGAIN = """
import sys
from pathlib import Path
from titledeed.store.database import sqlite_url
from titledeed.store.repositories import SqlRepositories
SqlRepositories(url=sqlite_url(Path(sys.argv[1])), lock_path=Path("x")).check()
print("alembic" in sys.modules)
"""


HASH_1 = Keccak256(b"t" * 32)
OLD_ROWS = """
INSERT INTO anchor VALUES (1, zeroblob(32), 2, '{zero}', 4, zeroblob(32), 76, zeroblob(32), 1000),
                          (2, zeroblob(32), 9, '{zero}', 5, zeroblob(32), 77, zeroblob(32), 1001);
INSERT INTO batch VALUES
    (CAST('{r}' AS BLOB), '{zero}', 3, CAST('{t}' AS BLOB), CAST('raw1' AS BLOB), 1),
    (CAST('{s}' AS BLOB), '{zero}', 4, CAST('{u}' AS BLOB), CAST('raw2' AS BLOB), NULL);
WITH old (name, status, visibility, snapshot, batch, place, anchor) AS (VALUES
    ('a', 'included', 'published', NULL, '{r}', 0, 1),
    ('b', 'included', 'private', NULL, '{r}', 1, 1),
    ('c', 'pending', 'private', NULL, '{s}', 0, NULL),
    ('d', 'final', 'published', 'snap', NULL, 5, 2),
    ('e', 'pending', 'private', NULL, NULL, NULL, NULL))
INSERT INTO registration (registration_id, chain_id, contract, claimant, content_digest, title,
                          source_type, status, visibility, snapshot_id, leaf, batch_root,
                          leaf_index, anchor_id, duration_ms, claimed_at, accepted_at)
SELECT 'td1' || name, 7, '{zero}', '{zero}', randomblob(32), name,
       'trainedAlgorithmicMedia', status, visibility, snapshot,
       CAST(replace(hex(zeroblob(16)), '0', upper(name)) AS BLOB), CAST(batch AS BLOB), place,
       anchor, 0, 1, 2 FROM old;
INSERT INTO fingerprint (registration_id, algorithm, version, code)
VALUES ('td1a', 'x', 1, CAST('1' AS BLOB)), ('td1d', 'x', 1, CAST('2' AS BLOB));
""".format(zero=ZERO_ADDRESS, **{letter: 32 * letter for letter in "rstu"})

# The event of batch "r" and the withdrawal of a leaf, in two of three followed blocks.
ROWS_OF_ONE_CONTRACT = """
INSERT INTO block VALUES
    (10, CAST('{k}' AS BLOB), zeroblob(32), 1000, 8, 6),
    (11, CAST('{l}' AS BLOB), CAST('{k}' AS BLOB), 1012, 9, 7),
    (12, CAST('{m}' AS BLOB), CAST('{l}' AS BLOB), 1024, 10, 8);
INSERT INTO event VALUES
    (1, 'anchored', '{{"caller":"{zero}","root":{{"hex":"{root}"}},"size":2}}', zeroblob(20),
     CAST('{t}' AS BLOB), 10, CAST('{k}' AS BLOB), 1000),
    (2, 'withdrawn', '{{"actor":"{zero}","by_holder":false,"subject":{{"hex":"{root}"}}}}',
     CAST('hhhhhhhhhhhhhhhhhhhh' AS BLOB), CAST('{u}' AS BLOB), 11, CAST('{l}' AS BLOB), 1012);
INSERT INTO mention VALUES
    ('anchor', CAST('{r}' || CAST(zeroblob(20) AS TEXT) AS BLOB), 1),
    ('about', CAST('{r}' AS BLOB), 2);
INSERT INTO submission VALUES
    (1, '{zero}', 3, 'anchor', CAST('{r}' AS BLOB), 2, NULL, 'included', '', 5, 1),
    (2, '{zero}', 4, 'withdraw', NULL, NULL, 'td1a', 'included', '', 6, 2),
    (3, '{zero}', 5, 'anchor', CAST('{s}' AS BLOB), 1, NULL, 'pending', '', 7, NULL);
""".format(zero=ZERO_ADDRESS, root=b"r".hex() * 32, **{n: 32 * n for n in "klmrstu"})
OWN_AND_IMPORTED = f"""
INSERT INTO registration (registration_id, chain_id, contract, claimant, content_digest, title,
                          source_type, status, visibility, snapshot_id, leaf, submission_id,
                          leaf_index, duration_ms, claimed_at, accepted_at)
VALUES ('td1x', 7, '{ZERO_ADDRESS}', '{ZERO_ADDRESS}', randomblob(32), 'theirs',
        'trainedAlgorithmicMedia', 'final', 'published', 'snap', zeroblob(32), NULL, 0, 0, 1, 2),
       ('td1a', 7, '{{contract}}', '{ZERO_ADDRESS}', randomblob(32), 'ours',
        'trainedAlgorithmicMedia', 'pending', 'private', NULL, zeroblob(32), 1, 0, 0, 1, 2);
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = Database(url=sqlite_url(path))
    yield opened
    opened.close()


def read_schema(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name != 'alembic_version'"
    ).fetchall()
    connection.close()
    # SQLite quotes the name of a table that was renamed.
    return {" ".join(sorted(re.findall(r"[^\s,\"]+", sql))) for (sql,) in rows}


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [HEAD]


def test_migrations_lead_to_the_tables_of_the_code(database: Database, tmp_path: Path) -> None:
    upgrade(database, lock_path=tmp_path / "lock")
    with database.read() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, tables.METADATA) == []


def test_migrations_carry_every_constraint_of_the_code(
    database: Database, path: Path, tmp_path: Path
) -> None:
    """Alembic compares no CHECK constraints; the stored statements do."""
    upgrade(database, lock_path=tmp_path / "lock")
    made = tmp_path / "made.sqlite3"
    engine = create_engine(sqlite_url(made))
    tables.METADATA.create_all(engine)
    engine.dispose()
    assert read_schema(path) == read_schema(made)


def test_empty_database_has_no_revision(database: Database) -> None:
    assert read_revision(database) is None


def test_second_upgrade_changes_nothing(database: Database, path: Path, tmp_path: Path) -> None:
    upgrade(database, lock_path=tmp_path / "lock")
    database.close()
    before = path.read_bytes()
    upgrade(database, lock_path=tmp_path / "lock")
    assert read_revision(database) == HEAD
    database.close()
    assert path.read_bytes() == before


def test_database_that_is_up_to_date_opens_without_alembic(
    database: Database, path: Path, tmp_path: Path
) -> None:
    upgrade(database, lock_path=tmp_path / "lock")
    child = subprocess.run(
        [sys.executable, "-c", OPEN_AGAIN, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert child.stdout.strip() == "False"
    assert not (tmp_path / "x.upgrade").exists()


def test_database_of_a_newer_release_is_refused_and_left_alone(
    database: Database, path: Path, tmp_path: Path
) -> None:
    upgrade(database, lock_path=tmp_path / "lock")
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(ConfigurationError) as caught:
        upgrade(database, lock_path=tmp_path / "lock")
    assert "9999" in caught.value.message and caught.value.next_step
    assert read_revision(database) == "9999"


def test_migration_that_fails_half_way_leaves_nothing(
    database: Database, path: Path, tmp_path: Path
) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE token (digest TEXT)")  # in the way of the last steps
    connection.close()
    before = read_schema(path)
    with pytest.raises(StorageError, match="token already exists"):
        upgrade(database, lock_path=tmp_path / "lock")
    assert read_schema(path) == before
    assert read_revision(database) is None


def test_upgrade_keeps_registrations_batches_codes_and_imports(
    database: Database, path: Path, tmp_path: Path
) -> None:
    """A database of revision 0001: two settled leaves, one in a batch under way, one that waits."""
    with database.migrate() as session:
        config = alembic_config()
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "0001")
    connection = sqlite3.connect(path)
    connection.executescript(OLD_ROWS)
    connection.close()
    upgrade(database, lock_path=tmp_path / "lock")
    store = SqlRepositories(url=sqlite_url(path), lock_path=tmp_path / "lock")
    own = [found for _, found in store.registrations.list_own(after=0, limit=9)]
    assert [(one.title, one.leaf_index, one.status, one.visibility) for one in own] == [
        ("a", 0, ClaimStatus.PENDING, Visibility.PUBLISHED),
        ("b", 1, ClaimStatus.PENDING, Visibility.PRIVATE),
        ("c", 0, ClaimStatus.PENDING, Visibility.PRIVATE),
        ("e", None, ClaimStatus.PENDING, Visibility.PRIVATE),
    ]
    settled, under_way = store.outbox.list_pending()
    assert (settled.nonce, settled.root, settled.label) == (3, b"r" * 32, "anchor")
    assert settled.attempts == (SignedTransaction(b"raw1", TransactionHash(HASH_1), 3),)
    assert (under_way.nonce, under_way.root) == (4, b"s" * 32)
    assert store.outbox.list_leaves(MerkleRoot(Keccak256(b"r" * 32))) == [b"A" * 32, b"B" * 32]
    assert [found for found, _ in store.outbox.list_waiting(9)] == ["td1e"]
    theirs = store.registrations.find(RegistrationId("td1d"))
    assert theirs is not None and theirs.anchor is not None
    assert (theirs.status, theirs.anchor.block_number) == (ClaimStatus.FINAL, 77)
    assert (theirs.leaf_index, theirs.snapshot_id) == (5, "snap")
    codes = list(store.fingerprints.iter_fingerprints(0))
    assert [(found, code.code) for _, found, code in codes] == [("td1a", b"1"), ("td1d", b"2")]
    event = LedgerEvent(
        body=Anchored(settled.root or MerkleRoot(Keccak256(b"")), settled.sender, 2),
        contract=ZERO_ADDRESS,
        sequence=1,
        head=bytes(20),
        transaction=settled.attempts[0].hash,
        block_number=5,
        block_hash=BlockHash(Keccak256(b"k" * 32)),
        block_timestamp=9,
    )
    store.followed.advance(
        contracts=[ZERO_ADDRESS],
        fork=None,
        blocks=[Block(5, event.block_hash, BlockHash(Keccak256(b"j" * 32)), 9)],
        events=[event],
        confirmations=Confirmations(0, 0),
    )
    found = store.registrations.find(RegistrationId("td1b"))
    assert found is not None and found.anchor is not None
    assert (found.status, found.anchor.sequence) == (ClaimStatus.FINAL, 1)
    store.close()


def make_old_home(database: Database, path: Path, *scripts: str) -> None:
    """A database of revision 0002 with these rows."""
    with database.migrate() as session:
        config = alembic_config()
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "0002")
    connection = sqlite3.connect(path)
    for script in scripts:
        connection.executescript(script)
    connection.close()


def attempts(contract: Address) -> str:
    """One signed transaction for each submission, as ``chain.sending`` makes them."""
    rows = []
    for number, digest in ((1, "t"), (2, "u"), (3, "v")):
        fields = Transaction(7, number + 2, 1, 1, 21_000, contract, 0, b"")
        raw = encode_signed(fields, sign_digest(b"k" * 32, signing_digest(fields)))
        rows.append(f"({number}, CAST('{digest * 32}' AS BLOB), x'{raw.hex()}')")
    return f"INSERT INTO attempt (submission_id, hash, raw) VALUES {', '.join(rows)};"


def require_followed(store: SqlRepositories, contract: Address) -> None:
    """What was followed belongs to the contract, and what it settled stays settled."""
    cursor = store.followed.cursor(contract)
    assert cursor is not None
    assert (cursor.block.number, cursor.block.hash) == (12, b"m" * 32)
    assert (cursor.sequence, cursor.head) == (2, b"h" * 20)
    events = store.followed.list_events(contract, after=0, limit=9)
    assert [(type(event.body), event.contract) for event in events] == [
        (Anchored, contract),
        (Withdrawn, contract),
    ]
    assert store.followed.list_about([b"r" * 32]) == events[1:]
    root = MerkleRoot(Keccak256(b"r" * 32))
    assert store.followed.list_mentioning([anchor_mention(root, ZERO_ADDRESS)]) == events[:1]
    assert [(one.submission_id, one.contract) for one in store.outbox.list_pending()] == [
        (3, contract)
    ]
    for number in (1, 2):
        settled = store.outbox.find_submission(number)
        assert settled is not None
        assert (settled.state, settled.contract) == (SubmissionState.INCLUDED, contract)


def test_upgrade_gives_what_was_followed_to_the_contract_of_the_registrations(
    database: Database, path: Path, tmp_path: Path
) -> None:
    contract = sender_of("contract").address
    registrations = OWN_AND_IMPORTED.format(contract=contract)
    foreign = sender_of("transactions call another").address
    make_old_home(database, path, ROWS_OF_ONE_CONTRACT, registrations, attempts(foreign))
    upgrade(database, lock_path=tmp_path / "lock")
    with closing(SqlRepositories(url=sqlite_url(path), lock_path=tmp_path / "lock")) as store:
        require_followed(store, contract)
        found = store.registrations.find(RegistrationId("td1a"))
        assert found is not None and found.anchor is not None
        assert (found.anchor.sequence, found.anchor.block_number) == (1, 10)
        # A reorganisation takes it back, as in a new home.
        store.followed.advance(
            contracts=[contract], fork=9, blocks=[], events=[], confirmations=Confirmations(0, 0)
        )
        assert [one.submission_id for one in store.outbox.list_pending()] == [1, 2, 3]


def test_upgrade_of_a_home_without_registrations_asks_its_transactions(
    database: Database, path: Path, tmp_path: Path
) -> None:
    contract = sender_of("contract").address
    make_old_home(database, path, ROWS_OF_ONE_CONTRACT, attempts(contract))
    upgrade(database, lock_path=tmp_path / "lock")
    with closing(SqlRepositories(url=sqlite_url(path), lock_path=tmp_path / "lock")) as store:
        require_followed(store, contract)


def test_upgrade_of_a_home_that_only_looked_on_follows_again(
    database: Database, path: Path, tmp_path: Path
) -> None:
    make_old_home(database, path, ROWS_OF_ONE_CONTRACT, "DELETE FROM submission;")
    upgrade(database, lock_path=tmp_path / "lock")
    simulator = LedgerSimulator()
    simulator.submit_as(sender_of("stranger"), AnchorRoot(root_of("a"), 1))
    simulator.mine()
    with closing(Desk(tmp_path, simulator)) as desk:
        assert desk.chain.list_blocks() == []
        desk.following.follow()
        assert desk.list_events() == simulator.events != []


def test_upgrade_keeps_jobs_and_tokens_of_the_home(
    database: Database, path: Path, tmp_path: Path
) -> None:
    """A database of revision 0002, where a token was the owner's and a job had no arguments."""
    with database.migrate() as session:
        config = alembic_config()
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "0002")
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        INSERT INTO token VALUES (CAST('dddddddddddddddddddddddddddddddd' AS BLOB));
        INSERT INTO job VALUES
            ('a', 'audit', 'owner', 'succeeded', '{"x": 1}', NULL, 5),
            ('b', 'verification', 'public', 'failed', NULL,
             '{"code": "input", "message": "m", "next_step": "n"}', 6),
            ('c', 'registration', 'owner', 'running', NULL, NULL, 7);
        """
    )
    connection.close()
    upgrade(database, lock_path=tmp_path / "lock")
    store = SqlRepositories(url=sqlite_url(path), lock_path=tmp_path / "lock")
    assert store.tokens.find(Sha256(b"d" * 32)) == TokenGrant(None, ALL_SCOPES)
    owner = Principal(PrincipalKind.OWNER, None, ALL_SCOPES)
    done, failed = store.jobs.find("a"), store.jobs.find("b")
    assert done == Job("a", "audit", owner, None, JobStatus.SUCCEEDED, 1, '{"x": 1}', None, 5)
    assert failed is not None
    assert (failed.principal, failed.problem) == (ANONYMOUS, JobProblem("input", "m", "n"))
    (left,) = store.jobs.list_running()
    assert (left.job_id, left.principal, left.arguments) == ("c", owner, None)
    store.close()


def test_migration_that_would_leave_a_dangling_row_is_taken_back(
    database: Database, tmp_path: Path
) -> None:
    upgrade(database, lock_path=tmp_path / "lock")
    orphan = text("INSERT INTO attempt (submission_id, hash, raw) VALUES (9, randomblob(32), 'r')")
    with pytest.raises(InvariantViolation, match="attempt"), database.migrate() as session:
        session.connection().execute(orphan)
    with database.read() as session:
        assert session.connection().execute(text("SELECT count(*) FROM attempt")).scalar() == 0
    with pytest.raises(InvariantViolation), database.write() as session:
        session.connection().execute(orphan)


def test_upgrade_waits_for_the_process_that_upgrades(database: Database, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with hold_lock(lock, timeout_s=1, purpose="in the test"), pytest.raises(DependencyError):
        upgrade(database, lock_path=lock, lock_timeout_s=0.1)
    assert read_revision(database) is None
