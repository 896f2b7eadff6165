"""`fingerprint`, `search` and `compare`: real clips and pictures, as a person would ask."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from command_line import HOSTILE, Home
from media_factory import cut_clip, render_clip, render_picture, render_sound
from render_media import write_clip

from titledeed.fingerprinting.algorithms import find_algorithm

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    render_clip(folder / "film.mp4", seconds=10, seed=1, audio=True)
    render_clip(folder / "other.mp4", seconds=5, seed=2)
    return folder


@pytest.fixture
def nowhere(tmp_path: Path) -> Home:
    """There is no home, and none is needed."""
    return Home(tmp_path / "nowhere")


@pytest.fixture(scope="module")
def home(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("matching") / "home")
    assert home.run("init").code == 0
    assert home.run("register", media / "film.mp4", "--json").code == 0
    return home


def test_fingerprints_are_printed_and_nothing_is_kept(nowhere: Home, media: Path) -> None:
    done = nowhere.run("fingerprint", media / "film.mp4", "--json")
    assert done.code == 0
    assert done.document["notes"] == []
    names = [code["algorithm"] for code in done.document["fingerprints"]]
    assert {"titledeed.dct256", "titledeed.local", "titledeed.landmarks"} <= set(names)
    for code in done.document["fingerprints"]:
        algorithm = find_algorithm(code["algorithm"], code["version"])
        assert algorithm is not None
        algorithm.decode(b64decode(code["code"]))
    table = nowhere.run("fingerprint", media / "film.mp4")
    assert all(name in table.out for name in names)
    assert not nowhere.path.exists()


def test_black_has_no_code_and_the_reason_is_shown(nowhere: Home, tmp_path: Path) -> None:
    black = write_clip(tmp_path / "black.mp4", [np.zeros((240, 320, 3), np.uint8)] * 48, fps=24)
    done = nowhere.run("fingerprint", black, "--json")
    assert (done.code, done.document["fingerprints"]) == (0, [])
    assert done.document["notes"]
    shown = nowhere.run("fingerprint", black)
    assert all(f"black.mp4: {note}" in shown.err for note in done.document["notes"])
    assert nowhere.run("compare", black, black, "--json").document["relation"] == "same file"


@pytest.mark.chain
def test_a_cut_is_found_with_its_seconds(home: Home, media: Path, tmp_path: Path) -> None:
    cut = cut_clip(media / "film.mp4", tmp_path / "cut.mp4", start_s=3, end_s=8, scale=0.75)
    done = home.run("search", cut, "--json")
    assert done.code == 0
    (match,) = done.document["matches"]
    assert (match["title"], match["relation"]) == ("film", "clip of")
    (segment,) = [one for one in match["segments"] if one["channel"] == "picture"]
    assert segment["work_start_s"] - segment["query_start_s"] == pytest.approx(3, abs=0.3)
    assert segment["query_end_s"] == pytest.approx(5, abs=0.6)
    table = home.run("search", cut)
    assert "clip of" in table.out and "film" in table.out
    (exact,) = home.run("search", media / "film.mp4", "--json").document["matches"]
    assert exact["relation"] == "same file"


@pytest.mark.chain
def test_what_is_not_registered_is_not_found(home: Home, media: Path) -> None:
    done = home.run("search", media / "other.mp4")
    assert done.code == 10
    assert "no evidence either way" in done.out


def test_a_mirrored_clip_is_compared_and_drawn(nowhere: Home, media: Path, tmp_path: Path) -> None:
    film, plot = media / "film.mp4", tmp_path / "plot.svg"
    cut = cut_clip(film, tmp_path / "cut.mp4", start_s=2, end_s=7, mirror=True)
    done = nowhere.run("compare", cut, film, "--plot", plot, "--json")
    assert (done.code, done.document["relation"]) == (0, "clip of")
    (segment,) = done.document["segments"]
    assert segment["mirrored"] is True
    assert segment["work_start_s"] - segment["query_start_s"] == pytest.approx(2, abs=0.3)
    (line,) = ElementTree.parse(plot).findall(f"{SVG}line")
    assert float(line.attrib["x1"]) < float(line.attrib["x2"])
    assert float(line.attrib["y1"]) > float(line.attrib["y2"])
    other_way = nowhere.run("compare", film, cut)
    assert "film.mp4 to cut.mp4: contains" in other_way.out
    assert "mirrored" in other_way.out


def test_unrelated_files_share_nothing(nowhere: Home, media: Path) -> None:
    done = nowhere.run("compare", media / "film.mp4", media / "other.mp4", "--json")
    assert (done.code, done.document["relation"]) == (10, "none")
    assert done.document["segments"] == []


def test_only_the_same_bytes_are_the_same_file(nowhere: Home, media: Path, tmp_path: Path) -> None:
    film = media / "film.mp4"
    assert nowhere.run("compare", film, film, "--json").document["relation"] == "same file"
    again = cut_clip(film, tmp_path / "again.mp4", start_s=0, end_s=10)
    assert nowhere.run("compare", film, again, "--json").document["relation"] == "copy"


def test_sound_alone_is_compared(nowhere: Home, tmp_path: Path) -> None:
    sound = render_sound(tmp_path / "a.wav", seconds=12, seed=3)
    again = render_sound(tmp_path / "b.flac", seconds=12, seed=3)
    done = nowhere.run("compare", again, sound, "--json")
    assert (done.code, done.document["relation"]) == (0, "copy")
    assert {segment["channel"] for segment in done.document["segments"]} == {"sound"}


def test_hostile_file_names_stay_text(nowhere: Home, tmp_path: Path) -> None:
    name = f"<script>{HOSTILE}.jpg"
    picture = render_picture(tmp_path / name, seed=9, image_format="JPEG")
    plot = tmp_path / "plot.svg"
    done = nowhere.run("compare", picture, picture, "--plot", plot)
    assert done.code == 0
    drawn = plot.read_text()
    assert not {"\x1b", "\u202e"} & set(done.out + done.err + drawn)
    assert not [node for node in ElementTree.fromstring(drawn).iter() if "script" in node.tag]
    shown = nowhere.run("fingerprint", picture)
    assert not {"\x1b", "\u202e"} & set(shown.out + shown.err)


def test_a_file_that_cannot_be_read_ends_with_1(nowhere: Home, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no media")
    for command in (["fingerprint"], ["compare", tmp_path / "missing.mp4"]):
        done = nowhere.run(*command, tmp_path / "notes.txt", "--json")
        assert done.code == 1
        assert done.document["error"]["next_step"]


@pytest.mark.chain
def test_registering_keeps_the_tables_and_searching_leaves_them_as_they_are(
    home: Home, media: Path
) -> None:
    index = home.path / "index"
    assert (index / "visual-codes" / "manifest.json").is_file()
    before = {path: path.stat().st_mtime_ns for path in (index, *index.rglob("*"))}
    for command in ("search", "verify"):
        assert home.run(command, media / "film.mp4", "--json").code == 0
    assert {path: path.stat().st_mtime_ns for path in (index, *index.rglob("*"))} == before
