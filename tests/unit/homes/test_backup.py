from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import builders
import pytest
from repository_adapters import empty_database

from titledeed.canonical.documents import Json, base64_text, encode_document
from titledeed.errors import (
    ConflictError,
    InvalidRequestError,
    MalformedDocumentError,
    StorageError,
    TitledeedError,
    UnreadableInputError,
)
from titledeed.homes.backup import BACKUP_MANIFEST as MANIFEST
from titledeed.homes.backup import BackupService, BackupSummary
from titledeed.homes.layout import HomeLayout
from titledeed.homes.restoring import SPARE_BYTES, restore_backup
from titledeed.store.copying import check_database, copy_database, move_signed_copies
from titledeed.store.database import sqlite_url
from titledeed.store.repositories import SqlRepositories


@pytest.fixture
def layout(tmp_path: Path) -> HomeLayout:
    """A home with something in every part of it."""
    layout = HomeLayout(tmp_path / "home")
    signed = layout.signed / "td1a" / "fil\udcffm.mp4"
    for path, data in {
        layout.claimant_key: b"{}",
        layout.signing_identity / "signer.pem": b"certificate",
        layout.passphrase_file: b"secret",
        layout.chain / "chain.json": b"{}",
        layout.chain / "journal.jsonl": b"one\ntwo\nthr",
        layout.chain / "journal.lock": b"",
        layout.chain / "checkpoint": b"x" * 99,
        layout.objects / "dossiers" / "td1a.json": b"{}",
        layout.objects / ".staging" / "half": b"half",
        layout.trust / "list.pem": b"list",
        layout.reports / "film" / "report.html": b"<p>",
        layout.uploads / "half": b"half",
        signed: b"signed" * 500_000,
        signed.with_name(".titledeed-00.part"): b"half",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    layout.database.write_bytes(empty_database())
    with closing(open_store(layout)) as store:
        store.registrations.accept(builders.build_registration(1, signed_path=str(signed)), [])
    return layout


def open_store(layout: HomeLayout) -> SqlRepositories:
    return SqlRepositories(url=sqlite_url(layout.database), lock_path=layout.locks / "sender")


def service(
    layout: HomeLayout, copy: Callable[[Path, Path], None] = copy_database
) -> BackupService:
    return BackupService(
        layout=layout, version="1.2.3", copy_database=copy, clock=lambda: builders.EPOCH
    )


def restore(source: Path, home: Path, *, spare_bytes: int = SPARE_BYTES) -> BackupSummary:
    return restore_backup(
        source,
        home,
        check_database=check_database,
        move_signed_copies=lambda path, old, new: move_signed_copies(path, old=old, new=new),
        spare_bytes=spare_bytes,
    )


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("ending", [".tar", ".tar.gz", ".tgz"])
def test_a_restored_home_holds_what_counts_and_nothing_half(
    layout: HomeLayout, tmp_path: Path, ending: str
) -> None:
    backup = tmp_path / f"backup{ending}"
    summary = service(layout).back_up(backup)
    new = tmp_path / "new"
    assert restore(backup, new) == summary
    assert (summary.created_at, summary.version) == (builders.EPOCH, "1.2.3")
    found = files(new)
    found.pop("titledeed.sqlite3")
    assert found == {
        "chain/chain.json": b"{}",
        "chain/journal.jsonl": b"one\ntwo\n",
        "keys/c2pa/signer.pem": b"certificate",
        "keys/claimant.json": b"{}",
        "objects/dossiers/td1a.json": b"{}",
        "reports/film/report.html": b"<p>",
        "signed/td1a/fil\udcffm.mp4": b"signed" * 500_000,
        "trust/list.pem": b"list",
    }
    assert summary.members == len(found) + 1
    with closing(open_store(HomeLayout(new))) as store:
        ((_, registration),) = store.registrations.list_own(after=0, limit=9)
    assert registration.signed_path == str(new / "signed" / "td1a" / "fil\udcffm.mp4")


def test_backup_and_home_are_for_their_owner_alone(layout: HomeLayout, tmp_path: Path) -> None:
    backup = tmp_path / "backup.tar"
    service(layout).back_up(backup)
    assert backup.stat().st_mode & 0o777 == 0o600
    restore(backup, tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    modes = {p.stat().st_mode & 0o777 for p in (tmp_path / "new").rglob("*") if p.is_file()}
    assert modes == {0o600}


def test_keys_can_be_left_out_and_the_passphrase_always_is(
    layout: HomeLayout, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.tar"
    assert service(layout).back_up(backup, with_keys=False).with_keys is False
    assert b"secret" not in backup.read_bytes()
    restore(backup, tmp_path / "new")
    assert not (tmp_path / "new" / "keys").exists()


def test_a_journal_without_a_whole_line_is_empty(layout: HomeLayout, tmp_path: Path) -> None:
    (layout.chain / "journal.jsonl").write_bytes(b"x" * 200_000)
    service(layout).back_up(tmp_path / "backup.tar")
    restore(tmp_path / "backup.tar", tmp_path / "new")
    assert (tmp_path / "new" / "chain" / "journal.jsonl").read_bytes() == b""


def test_what_is_written_after_the_database_was_copied_is_there(
    layout: HomeLayout, tmp_path: Path
) -> None:
    """Rows name objects, so objects are copied after rows."""

    def copy_then_accept(source: Path, destination: Path) -> None:
        copy_database(source, destination)
        (layout.objects / "dossiers" / "later.json").write_bytes(b"later")

    service(layout, copy_then_accept).back_up(tmp_path / "backup.tar")
    restore(tmp_path / "backup.tar", tmp_path / "new")
    assert (tmp_path / "new" / "objects" / "dossiers" / "later.json").exists()


def test_erasing_waits_until_a_backup_is_whole(layout: HomeLayout, tmp_path: Path) -> None:
    lock, held = threading.Lock(), []

    @contextmanager
    def turn() -> Iterator[None]:
        with lock:
            yield

    def watch(source: Path, destination: Path) -> None:
        held.append(lock.locked())
        copy_database(source, destination)

    BackupService(
        layout=layout, version="1", copy_database=watch, clock=lambda: 1, turn=turn
    ).back_up(tmp_path / "backup.tar")
    assert (held, lock.locked()) == ([True], False)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("home/backup.tar", InvalidRequestError),
        ("home/objects/backup.tar", InvalidRequestError),
        ("link/backup.tar", InvalidRequestError),
        ("backup.zip", InvalidRequestError),
        ("there.tar", ConflictError),
    ],
)
def test_a_destination_that_cannot_be_is_refused(
    layout: HomeLayout, tmp_path: Path, name: str, error: type[TitledeedError]
) -> None:
    (tmp_path / "link").symlink_to(layout.root)
    (tmp_path / "there.tar").write_bytes(b"mine")
    with pytest.raises(error):
        service(layout).back_up(tmp_path / name)
    assert (tmp_path / "there.tar").read_bytes() == b"mine"
    assert not (tmp_path / "link" / "backup.tar").exists()


def test_an_interrupted_backup_leaves_nothing(layout: HomeLayout, tmp_path: Path) -> None:
    def interrupt(label: str, fraction: float) -> None:
        if label == "Copying files" and fraction > 0.5:
            raise KeyboardInterrupt

    folder = tmp_path / "backups"
    with pytest.raises(KeyboardInterrupt):
        service(layout).back_up(folder / "backup.tar.gz", progress=interrupt)
    assert list(folder.iterdir()) == []


def test_a_folder_with_something_in_it_is_never_restored_to(
    layout: HomeLayout, tmp_path: Path
) -> None:
    service(layout).back_up(tmp_path / "backup.tar")
    (tmp_path / "empty").mkdir()
    restore(tmp_path / "backup.tar", tmp_path / "empty")
    before = files(tmp_path / "empty")
    with pytest.raises(ConflictError):
        restore(tmp_path / "backup.tar", tmp_path / "empty")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConflictError):
        restore(tmp_path / "backup.tar", tmp_path / "file")
    assert files(tmp_path / "empty") == before


@pytest.fixture
def backup(layout: HomeLayout, tmp_path: Path) -> Path:
    shutil.rmtree(layout.signed)
    path = tmp_path / "backups" / "backup.tar"
    service(layout).back_up(path)
    return path


def refused(
    backup: Path,
    error: type[TitledeedError] = MalformedDocumentError,
    *,
    spare_bytes: int = SPARE_BYTES,
) -> str:
    """Restoring fails, and nothing of it stays."""
    target = backup.parent.parent / "target"
    with pytest.raises(error) as caught:
        restore(backup, target / "new", spare_bytes=spare_bytes)
    assert list(target.iterdir()) == []
    return caught.value.message


@pytest.mark.parametrize("compress", [False, True])
def test_a_backup_that_was_cut_is_refused(backup: Path, *, compress: bool) -> None:
    data = backup.read_bytes()
    data = gzip.compress(data) if compress else data
    for share in (0.0, 0.1, 0.5, 0.9, 0.97):
        backup.write_bytes(data[: int(len(data) * share)])
        refused(backup)


def rewrite(backup: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Write the backup's members anew, its manifest included as it was."""
    with tarfile.open(backup) as archive:
        members = {}
        for member in archive:
            file = archive.extractfile(member)
            assert file is not None
            members[member.name] = file.read()
    change(members)
    with tarfile.open(backup, "w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: m.update({"chain/chain.json": b"[]"}), "'chain/chain.json' is missing or"),
        (lambda m: m.pop("chain/chain.json"), "'chain/chain.json' is missing or"),
        (
            lambda m: m.update({MANIFEST: m.pop(MANIFEST)[:-1] + b"\n{}\n"}),
            "manifest",
        ),
        (lambda m: m.pop(MANIFEST), "no manifest"),
        (lambda m: m.update({MANIFEST: b""}), "manifest"),
    ],
    ids=["changed", "removed", "manifest changed", "no manifest", "empty manifest"],
)
def test_a_member_that_is_not_what_the_manifest_says_is_told(
    backup: Path, change: Callable[[dict[str, bytes]], None], told: str
) -> None:
    rewrite(backup, change)
    assert told in refused(backup)


def test_a_member_that_the_manifest_does_not_name_is_refused(backup: Path) -> None:
    def add(members: dict[str, bytes]) -> None:
        manifest = members.pop(MANIFEST)
        members["trust/mine.pem"] = b"an authority of mine"
        members[MANIFEST] = manifest

    rewrite(backup, add)
    assert "does not name" in refused(backup)


@pytest.mark.parametrize("name", ["passphrase", "locks/home", "uploads/x", ".ssh/authorized_keys"])
def test_what_is_no_part_of_a_home_is_refused(backup: Path, name: str) -> None:
    def add(members: dict[str, bytes]) -> None:
        manifest = members.pop(MANIFEST)
        line: dict[str, Json] = {
            "name": base64_text(name.encode()),
            "sha256": hashlib.sha256(b"x").hexdigest(),
            "size": 1,
        }
        header, _, rest = manifest.partition(b"\n")
        fields = json.loads(header)
        fields["members"] += 1
        members[name] = b"x"
        members[MANIFEST] = encode_document(fields) + b"\n" + rest + encode_document(line) + b"\n"

    rewrite(backup, add)
    assert "which no home has" in refused(backup)


def test_a_backup_with_a_damaged_database_is_refused(layout: HomeLayout, tmp_path: Path) -> None:
    def damage(source: Path, destination: Path) -> None:
        data = bytearray(source.read_bytes())
        data[8192:12_288] = b"\xff" * 4096
        destination.write_bytes(data)

    backup = tmp_path / "backups" / "backup.tar"
    service(layout, damage).back_up(backup)
    refused(backup, StorageError)


def test_a_disk_that_is_too_small_is_told(backup: Path) -> None:
    assert "no room" in refused(backup, StorageError, spare_bytes=2**60)


def test_a_backup_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    refused(tmp_path / "backups" / "none.tar", UnreadableInputError)
    refused(tmp_path / "backups", UnreadableInputError)
