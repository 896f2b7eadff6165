"""What leaves a home: bundles, snapshots, audits, servers."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request
from pathlib import Path

import pytest
import yaml
from command_line import Home, Studio
from media_factory import Plain, concat_film, cut_clip, render_picture

pytestmark = pytest.mark.chain


def test_a_bundle_holds_without_home_or_database(studio: Studio, tmp_path: Path) -> None:
    exported = tmp_path / "evidence.json"
    registration_id = studio.registered["a"]["registration_id"]
    done = studio.home.run("bundle", "export", registration_id, exported, "--json")
    assert done.document == {
        "schema_version": 1,
        "registration_id": registration_id,
        "path": str(exported),
    }
    nobody = Home(tmp_path / "no-home", {"PATH": ""})
    asset = studio.folder / "clips" / "a.mp4"
    checked = nobody.run("bundle", "verify", exported, "--asset", asset, "--json")
    assert checked.code == 0
    assert checked.document["holds"] is True
    assert {check["name"] for check in checked.document["checks"]} >= {"inclusion", "asset"}
    assert not nobody.path.exists()


def test_a_bundle_of_another_file_ends_with_12(studio: Studio) -> None:
    bundle = studio.registered["a"]["bundle_path"]
    other = studio.folder / "clips" / "b.webm"
    done = studio.home.run("bundle", "verify", bundle, "--asset", other)
    assert done.code == 12
    assert "does not hold" in done.out.splitlines()[0]


def test_an_altered_bundle_ends_with_12(studio: Studio, tmp_path: Path) -> None:
    bundle = json.loads(Path(studio.registered["a"]["bundle_path"]).read_text())
    rights = bundle["dossier"]["rights"]
    rights["titles"][0]["text"] = "Another title"
    altered = tmp_path / "altered.json"
    altered.write_text(json.dumps(bundle, sort_keys=True, separators=(",", ":")))
    done = studio.home.run("bundle", "verify", altered, "--json")
    assert done.code == 12
    assert done.document["holds"] is False


def test_what_was_signed_is_shown_also_where_it_is_not_known(
    studio: Studio, tmp_path: Path
) -> None:
    bundle = json.loads(Path(studio.registered["a"]["bundle_path"]).read_text())
    sentence = bundle["dossier"]["record"]["claim"]["statement"]
    done = studio.home.run("bundle", "verify", studio.registered["a"]["bundle_path"])
    assert sentence in " ".join(done.out.split())
    bundle["dossier"]["rights"]["holders"][0]["later"] = {"x": "\x1b[31mred " + "long " * 100}
    path = tmp_path / "later.json"
    path.write_text(json.dumps(bundle))
    shown = " ".join(studio.home.run("bundle", "verify", path).out.split())
    assert "not read by this release: rights.holders[0].later" in shown
    assert "\x1b" not in shown and "long " * 50 not in shown
    (unread,) = studio.home.run("bundle", "verify", path, "--json").document["unread"]
    assert (unread["document"], unread["field"]) == ("rights", "holders[0].later")


def test_a_file_that_is_no_bundle_ends_with_1(studio: Studio) -> None:
    done = studio.home.run("bundle", "verify", studio.folder / "clips" / "notes.txt", "--json")
    assert done.code == 1
    assert done.document["error"]["code"] == "malformed_document"


def test_a_bundle_into_a_missing_folder_ends_with_1(studio: Studio, tmp_path: Path) -> None:
    registration_id = studio.registered["a"]["registration_id"]
    done = studio.home.run("bundle", "export", registration_id, tmp_path / "no" / "x", "--json")
    assert done.code == 1
    assert done.document["error"]["code"] == "storage"


def test_unpublish_and_publish_change_the_visibility(studio: Studio) -> None:
    registration_id = studio.registered["b"]["registration_id"]
    hidden = studio.home.run("unpublish", registration_id, "--json")
    assert (hidden.code, hidden.document["visibility"]) == (0, "private")
    shown = studio.home.run("publish", registration_id, "--json")
    assert (shown.code, shown.document["visibility"]) == (0, "published")


def test_an_auditor_audits_with_an_imported_snapshot(studio: Studio, tmp_path: Path) -> None:
    snapshot = tmp_path / "published.snapshot"
    exported = studio.home.run("snapshot", "export", snapshot, "--json")
    assert exported.code == 0
    assert exported.document["registrations"] == 3
    auditor = Home(tmp_path / "auditor")
    assert auditor.run("init").code == 0
    imported = auditor.run("snapshot", "import", snapshot, "--json")
    assert (imported.code, imported.document["added"]) == (0, 3)
    listed = auditor.run("snapshot", "list", "--json").document["snapshots"]
    assert [one["snapshot_id"] for one in listed] == [exported.document["snapshot_id"]]

    undeclared = auditor.run("audit", make_submission(studio, tmp_path, used="none"), "--json")
    assert undeclared.code == 16
    assert "USE_UNDECLARED" in {finding["code"] for finding in undeclared.document["findings"]}
    assert Path(undeclared.document["json_path"]).is_file()
    assert "<html" in Path(undeclared.document["html_path"]).read_text()
    for_people = auditor.run("audit", tmp_path / "submission", "--output", tmp_path / "report")
    assert for_people.code == 16
    assert for_people.out.splitlines()[0] == undeclared.document["sentence"]
    assert (tmp_path / "report" / "report.html").is_file()


def make_submission(studio: Studio, folder: Path, *, used: str) -> Path:
    """A film of 4 plain seconds and 4 seconds of a registered clip, that declares ``used``."""
    submission = folder / "submission"
    submission.mkdir()
    clip = studio.folder / "clips" / "a.mp4"
    part = cut_clip(clip, folder / "part.mp4", start_s=1, end_s=5)
    concat_film(submission / "film.mp4", [Plain(4.0, seed=9), part], size=(320, 240))
    disclosure = {
        "schema": "aidisc/1",
        "profile": "mini",
        "film": {
            "title": {"en": "A film"},
            "versions": [{"label": "festival", "rate": "24/1", "frames": 192}],
        },
        "declared_use": used,
        "departments": [],
        "tools": [],
        "uses": [],
    }
    (submission / "disclosure.yaml").write_text(yaml.safe_dump(disclosure, sort_keys=False))
    return submission


def test_a_film_that_cannot_be_read_ends_with_17(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_text("no film")
    done = studio.home.run("audit", tmp_path, "--json")
    assert (done.document["verdict"], done.code) == ("cannot_assess", 17)


def test_a_film_without_a_disclosure_leaves_questions_and_ends_with_15(
    studio: Studio, tmp_path: Path
) -> None:
    concat_film(tmp_path / "film.mp4", [Plain(4.0, seed=9)], size=(320, 240))
    done = studio.home.run("audit", tmp_path, "--json")
    assert (done.document["verdict"], done.code) == ("questions_open", 15)


def test_a_snapshot_that_was_changed_is_refused(
    studio: Studio, stranger: Home, tmp_path: Path
) -> None:
    snapshot = tmp_path / "published.snapshot"
    assert studio.home.run("snapshot", "export", snapshot).code == 0
    lines = snapshot.read_bytes().splitlines(keepends=True)
    snapshot.write_bytes(b"".join([lines[0], *lines[1:-2], lines[-2].replace(b"b", b"c", 1)]))
    done = stranger.run("snapshot", "import", snapshot, "--json")
    assert done.code == 1
    assert stranger.run("snapshot", "list", "--json").document["snapshots"] == []


def test_a_snapshot_with_another_signature_ends_with_12(
    studio: Studio, stranger: Home, tmp_path: Path
) -> None:
    snapshot = tmp_path / "published.snapshot"
    assert studio.home.run("snapshot", "export", snapshot).code == 0
    *content, trailer = snapshot.read_bytes().splitlines(keepends=True)
    signature = json.loads(trailer)["signature"]
    other = signature[:10] + ("1" if signature[10] == "0" else "0") + signature[11:]
    snapshot.write_bytes(b"".join(content) + json.dumps({"signature": other}).encode() + b"\n")
    done = stranger.run("snapshot", "import", snapshot, "--json")
    assert (done.code, done.document["error"]["code"]) == (12, "proof")
    assert stranger.run("snapshot", "list", "--json").document["snapshots"] == []


def test_the_chain_tells_who_keeps_its_time(studio: Studio) -> None:
    done = studio.home.run("chain", "status", "--json")
    assert done.code == 0
    assert done.document["time"] == "self_kept"
    assert done.document["chain_id"] == studio.initialized["chain"]["chain_id"]
    assert "inside this home only" in studio.home.run("chain", "status").out


def test_the_chain_is_served_until_it_is_interrupted(studio: Studio) -> None:
    with studio.home.serving("chain", "serve", "--port", "0") as (url, process):
        question = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
        request = urllib.request.Request(url, question, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            chain_id = int(json.load(answer)["result"], 16)
        assert chain_id == studio.initialized["chain"]["chain_id"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 130


def test_pages_are_served_until_they_are_interrupted(studio: Studio) -> None:
    with studio.home.serving("serve", "--port", "0") as (url, process):
        with urllib.request.urlopen(f"{url}/livez", timeout=20) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_a_taken_port_ends_with_1(studio: Studio) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = studio.home.run("serve", "--port", str(taken.getsockname()[1]))
    assert done.code == 1
    assert "error: cannot listen on 127.0.0.1:" in done.err


def test_a_folder_that_is_no_home_ends_with_1(tmp_path: Path) -> None:
    home = Home(tmp_path / "nowhere")
    picture = render_picture(tmp_path / "p.jpg", seed=1)
    for arguments in (["verify", picture], ["register", picture], ["chain", "status"]):
        done = home.run(*arguments, "--json")
        assert done.code == 1
        assert done.document["error"]["code"] == "home_not_initialized"
    assert not home.path.exists()


def test_a_wrong_passphrase_ends_with_1(studio: Studio, tmp_path: Path) -> None:
    picture = render_picture(tmp_path / "p.jpg", seed=60)
    wrong = Home(studio.home.path, {"TITLEDEED_PASSPHRASE": "wrong"})
    done = wrong.run("register", picture, "--json")
    assert done.code == 1
    assert done.document["error"]["code"] == "passphrase"


def test_the_doctor_finds_what_a_home_needs(studio: Studio) -> None:
    done = studio.home.run("doctor", "--json")
    assert (done.code, done.document["usable"]) == (0, True)
    assert "ok" in studio.home.run("doctor").out


def test_the_doctor_tells_what_is_missing_and_how_to_get_it(tmp_path: Path) -> None:
    done = Home(tmp_path / "nowhere", {"PATH": str(tmp_path)}).run("doctor", "--json")
    assert (done.code, done.document["usable"]) == (1, False)
    missing = {check["name"]: check for check in done.document["checks"] if not check["ok"]}
    assert "titledeed init" in missing["home"]["next_step"]
    assert "apt-get install chromium" in missing["chromium"]["next_step"]


def test_what_only_developers_need_may_be_missing(studio: Studio, tmp_path: Path) -> None:
    done = Home(studio.home.path, {"PATH": str(tmp_path)}).run("doctor", "--json")
    assert done.code == 0
    assert [c["ok"] for c in done.document["checks"] if c["name"] == "chromium"] == [False]


def test_the_home_option_counts_before_the_environment(studio: Studio, tmp_path: Path) -> None:
    elsewhere = Home(tmp_path / "elsewhere")
    done = elsewhere.run("--home", studio.home.path, "snapshot", "list", "--json")
    assert done.code == 0


def test_the_installed_command_needs_nothing_but_its_arguments(studio: Studio) -> None:
    done = studio.home.run_installed("verify", studio.registered["a"]["signed_path"], "--json")
    assert (done.code, done.document["verdict"]) == (0, "registered_exact")
    assert done.err == "done: a.mp4\n"
