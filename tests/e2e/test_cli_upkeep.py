"""What an operator does with a home."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from command_line import COMMAND, Home, Studio
from media_factory import render_picture

pytestmark = pytest.mark.chain


@pytest.fixture
def home(studio: Studio, tmp_path: Path) -> Home:
    """A copy of the studio's home, to be spoilt."""
    shutil.copytree(studio.home.path, tmp_path / "home")
    return Home(tmp_path / "home")


def registered(studio: Studio, title: str) -> str:
    return str(studio.registered[title]["registration_id"])


def test_a_lost_database_is_rebuilt(home: Home, studio: Studio) -> None:
    (home.path / "titledeed.sqlite3").unlink()
    done = home.run("index", "rebuild", "--json")
    assert (done.code, done.document["findings"]) == (0, [])
    assert done.document["registrations"] == len(studio.registered)
    verified = home.run("verify", studio.folder / "clips" / "a.mp4", "--json")
    assert verified.document["verdict"] == "registered_exact"
    shown = home.run("registration", "show", registered(studio, "a"), "--json")
    assert shown.document["visibility"] == "published"


def test_what_a_rebuild_misses_is_listed_and_ends_with_1(home: Home, studio: Studio) -> None:
    key = f"dossiers/{registered(studio, 'b')}.json"
    (home.path / "objects" / key).write_text("{")
    done = home.run("index", "rebuild", "--json")
    assert done.code == 1
    (finding,) = done.document["findings"]
    assert (finding["key"], finding["problem"]) == (key, "damaged")
    shown = home.run("index", "rebuild")
    assert (shown.code, key in shown.out) == (1, True)
    assert "next: Restore them from a backup" in shown.err


def test_a_served_home_is_not_rebuilt(home: Home) -> None:
    with home.serving("serve", "--port", "0"):
        done = home.run_installed("index", "rebuild", "--json")
    assert done.code == 1
    assert "another process uses this home" in done.document["error"]["message"]


def test_erasing_asks_first(home: Home, studio: Studio) -> None:
    erased = registered(studio, "a")
    refused = home.run("erase", erased, "--json")
    assert (refused.code, refused.document["error"]["code"]) == (2, "invalid_request")
    unwilling = home.run_on_terminal("n", "erase", erased)
    assert (unwilling.code, "nothing was done" in unwilling.err) == (1, True)
    assert home.run("registration", "show", erased).code == 0
    willing = home.run_on_terminal("y", "erase", erased)
    assert (willing.code, willing.out.splitlines()[0]) == (0, f"erased: {erased}")
    verified = home.run("verify", studio.folder / "clips" / "a.mp4", "--json")
    assert (verified.code, verified.document["verdict"]) == (10, "no_record")


def test_an_erasure_may_be_repeated_and_leave_the_signed_copy(home: Home, studio: Studio) -> None:
    erased = registered(studio, "b")
    done = home.run("erase", erased, "--keep-signed-copy", "--yes", "--json").document
    assert done["registration_id"] == erased
    again = home.run("erase", erased, "--yes", "--json")
    assert (again.code, again.document["erased_at"]) == (0, done["erased_at"])
    unknown = home.run("erase", "td1unknown", "--yes", "--json")
    assert (unknown.code, unknown.document["error"]["code"]) == (1, "not_found")


def test_a_backup_is_restored_elsewhere(studio: Studio, tmp_path: Path) -> None:
    backup = tmp_path / "backups" / "studio.tar.gz"
    done = studio.home.run("backup", backup, "--json")
    assert (done.code, done.document["with_keys"]) == (0, True)
    assert "passphrase is not in it" in done.err
    restored = studio.home.run("restore", backup, "--home", tmp_path / "new", "--json")
    assert restored.code == 0, restored.err
    assert restored.document["members"] == done.document["members"]
    new = Home(tmp_path / "new")
    verified = new.run("verify", studio.folder / "clips" / "a.mp4", "--json")
    assert verified.document["verdict"] == "registered_exact"
    picture = render_picture(tmp_path / "p.jpg", seed=77)
    locked = new.run("register", picture, "--json")
    assert (locked.code, locked.document["error"]["code"]) == (1, "passphrase")
    shutil.copy(studio.home.path / "passphrase", new.path / "passphrase")
    assert new.run("register", picture).code == 0


def test_a_backup_without_keys_asks_for_them(studio: Studio, tmp_path: Path) -> None:
    backup = tmp_path / "backups" / "studio.tar"
    assert studio.home.run("backup", backup, "--without-keys").code == 0
    restored = studio.home.run("restore", backup, "--home", tmp_path / "new")
    assert restored.code == 0
    assert "Put the keys back" in restored.err
    shutil.copytree(studio.home.path / "keys", tmp_path / "new" / "keys")
    assert Home(tmp_path / "new").run("chain", "status").code == 0


def test_a_damaged_backup_restores_nothing(studio: Studio, tmp_path: Path) -> None:
    backup = tmp_path / "studio.tar"
    assert studio.home.run("backup", backup).code == 0
    backup.write_bytes(backup.read_bytes()[:-50_000])
    done = studio.home.run("restore", backup, "--home", tmp_path / "new", "--json")
    assert (done.code, done.document["error"]["code"]) == (1, "malformed_document")
    assert not (tmp_path / "new").exists()
    refused = studio.home.run("backup", studio.home.path / "b.tar", "--json")
    assert (refused.code, refused.document["error"]["code"]) == (2, "invalid_request")


def test_what_waits_is_anchored_together(home: Home, tmp_path: Path) -> None:
    pictures = [render_picture(tmp_path / f"{n}.jpg", seed=200 + n) for n in range(3)]
    assert home.run("register", *pictures, "--no-wait").code == 0
    waiting = home.run("chain", "status", "--json").document
    assert waiting["waiting"] == 3
    done = home.run("anchor", "--json")
    assert done.code == 0
    assert [batch["size"] for batch in done.document["batches"]] == [3]
    assert (done.document["registrations"], done.document["waiting"]) == (3, 0)
    nothing = home.run("anchor")
    assert (nothing.code, nothing.out, "Nothing waited" in nothing.err) == (0, "", True)


def test_the_chain_is_checked_from_its_first_event(home: Home) -> None:
    status = home.run("chain", "status", "--json").document
    assert (status["lag"], status["pending"]) == (0, [])
    checked = home.run("chain", "verify", "--json").document
    assert (checked["holds"], checked["events"]) == (True, status["events"])
    events = home.run("chain", "events", "--json").documents
    assert [event["sequence"] for event in events] == list(range(1, status["events"] + 1))
    assert events[-1]["running_hash"] == checked["running_hash"]
    assert events[0]["kind"] == "anchored"
    assert home.run("chain", "events", "--after", "1", "--limit", "1").code == 0
    assert "fit" in home.run("chain", "verify").out


def test_a_node_that_shows_another_chain_is_refused(home: Home, stranger: Home) -> None:
    with stranger.serving("chain", "serve", "--port", "0") as (url, _):
        wrong = Home(home.path, {"TITLEDEED_CHAIN__RPC_URL": url})
        done = wrong.run("chain", "verify", "--json")
    assert (done.code, done.document["error"]["code"]) == (1, "chain_mismatch")


def test_deploying_asks_first_and_needs_a_chain(home: Home, stranger: Home) -> None:
    assert home.run("chain", "deploy", "--json").code == 2
    assert home.run("chain", "deploy", "--yes", "--json").code == 2
    with stranger.serving("chain", "serve", "--port", "0") as (url, _):
        there = Home(home.path, {"TITLEDEED_CHAIN__RPC_URL": url})
        done = there.run("chain", "deploy", "--yes", "--json")
    assert (done.code, done.document["is_standard"]) == (0, True)
    assert json.loads(Path(done.document["path"]).read_text())["contract"]


def test_keys_are_made_taken_in_and_listed(tmp_path: Path, studio: Studio) -> None:
    home = Home(tmp_path / "new")
    empty = home.run("keys", "list", "--json")
    assert (empty.document["keys"], home.path.exists()) == ([], False)
    sender = home.run("keys", "new", "--name", "sender", "--json").document
    (tmp_path / "key.txt").write_text("11" * 32)
    claimant = home.run("keys", "import", tmp_path / "key.txt", "--json").document
    assert claimant["address"] == "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
    theirs = studio.home.path / "keys" / "recovery.json"
    passphrase = studio.home.path / "passphrase"
    taken = home.run(
        "keys", "import", theirs, "--name", "spare", "--file-passphrase", passphrase, "--json"
    )
    assert taken.document["address"] == studio.initialized["recovery"]
    initialized = home.run("init", "--json").document
    assert initialized["claimant"] == claimant["address"]
    assert initialized["sender"] == sender["address"]
    listed = home.run("keys", "list", "--json").document["keys"]
    assert [key["name"] for key in listed] == ["claimant", "recovery", "sender", "spare"]
    assert claimant["address"] in home.run("keys", "list").out
    again = home.run("keys", "new", "--json")
    assert (again.code, again.document["error"]["code"]) == (1, "conflict")


def test_a_key_is_read_from_standard_input_or_a_terminal(tmp_path: Path) -> None:
    home = Home(tmp_path / "new")
    done = subprocess.run(
        [COMMAND, "keys", "import", "-", "--json"],
        env=home.environment,
        input="0x" + "11" * 32,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout)["name"] == "claimant"
    asked = home.run_on_terminal("22" * 32, "keys", "import", "--name", "sender", "--json")
    assert asked.code == 0
    assert "2222" not in asked.err
    nobody = home.run("keys", "import", "--json")
    assert (nobody.code, nobody.document["error"]["code"]) == (2, "invalid_request")


def test_a_key_is_declared_lost_by_the_recovery_key(home: Home, studio: Studio) -> None:
    both = home.run("keys", "declare", "--yes", "--json")
    assert (both.code, both.document["error"]["code"]) == (2, "invalid_request")
    unasked = home.run("keys", "declare", "--compromised", "--json")
    assert unasked.code == 2
    late = home.run("keys", "declare", "--compromised", "--since", "tomorrow", "--yes", "--json")
    assert late.code == 2
    since = ("--since", "2026-01-02T03:04:05")
    declare = ("keys", "declare", "--compromised", "--with", "recovery", "--yes", "--json")
    done = home.run(*declare, *since)
    assert (done.code, done.document["kind"], done.document["is_new"]) == (0, "key_lost", True)
    history = home.run("registration", "history", registered(studio, "a"))
    assert "2026-01-02 03:04:05" in history.out
    declared = home.run("chain", "events", "--json").documents[-1]
    assert (declared["kind"], declared["actor"]) == (
        "key_declared",
        studio.initialized["recovery"],
    )
