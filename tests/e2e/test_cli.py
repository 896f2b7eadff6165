"""`init`, `register`, `receipt` and `verify`: real homes, real media, the real chain."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from command_line import HOSTILE, Home, Studio
from media_factory import cut_clip, render_picture

pytestmark = pytest.mark.chain


def test_init_tells_what_it_made(studio: Studio) -> None:
    made = studio.initialized
    assert made["schema_version"] == 1
    assert made["created"] is True
    assert made["home"] == str(studio.home.path)
    assert made["claimant"] != made["sender"]
    assert made["token"].startswith("td_")
    assert made["chain"]["kind"] == "development"
    assert stat.S_IMODE(Path(made["passphrase_file"]).stat().st_mode) == 0o600


def test_a_second_init_changes_nothing_and_shows_no_token(studio: Studio) -> None:
    again = studio.home.run("init", "--json")
    assert again.code == 0
    assert again.document["created"] is False
    assert again.document["token"] is None
    assert again.document["claimant"] == studio.initialized["claimant"]


def test_init_warns_about_the_generated_passphrase(tmp_path: Path) -> None:
    done = Home(tmp_path / "home").run("init")
    assert done.code == 0
    assert "Back up the home folder" in done.err
    assert "mode 0600" in done.err
    assert "API token   td_" in done.out


def test_a_terminal_is_asked_for_the_passphrase_and_shows_bars(tmp_path: Path) -> None:
    given = Home(tmp_path / "home", {"TITLEDEED_PASSPHRASE": "correct horse"})
    assert given.run("init", "--json").document["passphrase_file"] is None
    picture = render_picture(tmp_path / "p.jpg", seed=70)
    home = Home(given.path)
    done = home.run_on_terminal("correct horse", "register", picture, "--json")
    assert done.code == 0
    assert done.document["status"] == "final"
    assert "Passphrase" in done.err
    assert "correct horse" not in done.err
    assert "100%" in done.err
    other = render_picture(tmp_path / "q.jpg", seed=71)
    done = home.run("register", other, "--json")  # no terminal
    assert done.code == 1
    assert done.document["error"]["code"] == "passphrase"


def test_init_on_a_chain_that_is_down_ends_with_20(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", {"TITLEDEED_CHAIN__RPC_URL": "http://127.0.0.1:1"})
    done = home.run("init", "--json")
    assert done.code == 20
    assert done.document["error"]["code"] == "ledger_unavailable"


def test_a_folder_is_registered_in_one_batch(studio: Studio) -> None:
    registered = studio.registered
    assert len(registered) == 3
    assert len({one["chain"]["tx"] for one in registered.values()}) == 1
    clip = registered["a"]
    assert clip["schema_version"] == 1
    assert clip["status"] == "final"
    assert clip["digital_source_type"] == "trainedAlgorithmicMedia"
    assert Path(clip["signed_path"]).is_file()
    assert Path(clip["bundle_path"]).is_file()
    assert clip["chain"]["block"] > 0
    assert len(clip["content_sha256"]) == len(clip["signed_sha256"]) == 64
    assert clip["similar"] == []


def test_a_refused_file_does_not_stop_the_others_but_ends_with_1(studio: Studio) -> None:
    assert studio.first.code == 1
    (refused,) = [document for document in studio.first.documents if "error" in document]
    assert refused["source"].endswith("broken.mp4")
    assert refused["error"]["code"] == "malformed_media"
    assert "broken.mp4" in studio.first.err


def test_what_is_declared_is_said(studio: Studio) -> None:
    assert "trainedAlgorithmicMedia, which counts as" in studio.first.err.splitlines()[0]
    clip = studio.folder / "clips" / "b.webm"
    for term, counts in (("composite", "may or may not count"), ("humanEdits", "does not count")):
        done = studio.home.run("register", clip, "--source-type", term)
        assert f"{term}, which {counts} as generative AI" in " ".join(done.err.split())


def test_a_type_without_credentials_is_registered_only(studio: Studio) -> None:
    assert studio.registered["b"]["signed_path"] is None
    again = studio.home.run("register", studio.folder / "clips" / "b.webm")
    assert again.code == 0
    assert "registry only: this type carries no credentials" in again.out
    assert "known already" in again.out


def test_a_hostile_name_is_harmless_on_the_terminal(studio: Studio) -> None:
    picture = studio.folder / "clips" / f"{HOSTILE}.jpg"
    for done in (studio.home.run("register", picture), studio.home.run("verify", picture)):
        assert done.code == 0
        assert "[red]deedgpj" in done.out
        assert not set(done.out + done.err) & {"\x1b", "\u202e"}


def test_a_similar_earlier_work_is_named(studio: Studio, tmp_path: Path) -> None:
    copy = cut_clip(studio.folder / "clips" / "a.mp4", tmp_path / "again.mp4", start_s=0, end_s=7)
    done = studio.home.run("register", copy, "--no-wait")
    assert done.code == 0
    assert "similar" in done.out
    assert "(mine)" in done.out
    assert "titledeed receipt td1" in done.out


def test_what_did_not_wait_is_completed_by_receipt(studio: Studio, tmp_path: Path) -> None:
    picture = render_picture(tmp_path / "late.jpg", seed=50)
    waiting = studio.home.run("register", picture, "--no-wait", "--json").document
    assert waiting["status"] == "pending"
    assert waiting["bundle_path"] is None
    done = studio.home.run("receipt", waiting["registration_id"], "--json")
    assert done.code == 0
    assert done.document["status"] == "final"
    assert Path(done.document["bundle_path"]).is_file()


def test_a_receipt_of_an_unknown_id_ends_with_1(studio: Studio) -> None:
    done = studio.home.run("receipt", "td1" + "a" * 32, "--json")
    assert done.code == 1
    assert done.document["error"]["code"] == "not_found"


def test_one_title_for_several_files_ends_with_2(studio: Studio) -> None:
    done = studio.home.run("register", studio.folder / "clips", "--title", "One")
    assert done.code == 2
    assert done.err.count("error: ") == 1


def test_a_folder_without_media_ends_with_1(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no media")
    done = studio.home.run("register", tmp_path, "--json")
    assert done.code == 1
    assert done.document["error"]["code"] == "not_found"


def test_a_missing_path_ends_with_1(studio: Studio) -> None:
    for command in ("register", "verify", "audit"):
        done = studio.home.run(command, studio.folder / "nowhere.mp4", "--json")
        assert done.code == 1
        assert done.document["error"]["code"] == "unreadable_input"
        assert done.err.startswith("error: ") or "\nerror: " in done.err


def test_the_signed_copy_verifies_exactly(studio: Studio) -> None:
    done = studio.home.run("verify", studio.registered["a"]["signed_path"], "--json")
    assert done.code == 0
    assert set(done.document) == {
        "schema_version",
        "verdict",
        "sentence",
        "answers",
        "matches",
        "claims",
        "recovered",
    }
    assert done.document["verdict"] == "registered_exact"
    assert done.document["claims"][0]["mine"] is True


def test_a_cut_is_found_with_its_seconds(studio: Studio, tmp_path: Path) -> None:
    source = studio.folder / "clips" / "a.mp4"
    cut = cut_clip(source, tmp_path / "cut.mp4", start_s=2, end_s=6, scale=0.5, crf=30)
    done = studio.home.run("verify", cut, "--json")
    assert done.code == 0
    assert done.document["verdict"] == "registered_match"
    (match,) = [m for m in done.document["matches"] if m["title"] == "a"]
    assert match["segments"][0]["work_start_s"] == pytest.approx(2.0, abs=0.5)
    assert match["segments"][0]["work_end_s"] == pytest.approx(6.0, abs=0.5)
    for_people = studio.home.run("verify", cut)
    assert for_people.out.splitlines()[0] == done.document["sentence"]
    assert "claims and their order in time" in for_people.out.splitlines()[1]


def test_an_unknown_picture_ends_with_10(studio: Studio, tmp_path: Path) -> None:
    done = studio.home.run("verify", render_picture(tmp_path / "other.jpg", seed=77))
    assert done.code == 10
    assert "no evidence either way" in done.out.splitlines()[0]


def test_credentials_that_do_not_fit_end_with_12(studio: Studio, tmp_path: Path) -> None:
    data = bytearray(Path(studio.registered[HOSTILE]["signed_path"]).read_bytes())
    data[-1_000] ^= 1
    altered = tmp_path / "altered.jpg"
    altered.write_bytes(data)
    done = studio.home.run("verify", altered, "--json")
    assert (done.document["verdict"], done.code) == ("invalid", 12)


def test_a_claimant_who_was_not_the_first_ends_with_14(studio: Studio, tmp_path: Path) -> None:
    later = Home(tmp_path / "later")
    assert later.run("init").code == 0
    claimed = later.run("register", studio.folder / "clips" / "a.mp4", "--json").document
    done = studio.home.run("verify", claimed["signed_path"], "--json")
    assert (done.document["verdict"], done.code) == ("conflict", 14)


def test_a_stranger_finds_signed_media_unregistered_and_ends_with_10(
    studio: Studio, stranger: Home
) -> None:
    done = stranger.run("verify", studio.registered["a"]["signed_path"], "--json")
    assert (done.document["verdict"], done.code) == ("signed_not_registered", 10)
