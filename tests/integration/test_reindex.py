"""`index reindex`: works that were registered by a release that knew fewer algorithms."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from command_line import Home
from homes import statement
from media_factory import cut_clip, render_clip, render_picture

from titledeed.bootstrap import Adapters, Registry, make_examiner, open_registry
from titledeed.bootstrap.homes import initialize_home
from titledeed.examining import SandboxedExaminer
from titledeed.fingerprinting.pictures.video_dct import VideoDct
from titledeed.matching.pictures.visual_tables import DCT_ORDER
from titledeed.matching.shelves import keep_tables
from titledeed.media.decoding import MediaLimits
from titledeed.models.examination import Examination
from titledeed.ports import Progress, no_progress
from titledeed.services.registration import RegisteredFile, RegisterRequest
from titledeed.settings import Settings

pytestmark = pytest.mark.chain

OURS = "titledeed."
Code = tuple[str, str, bytes]


class OlderExaminer(SandboxedExaminer):
    """Knows interoperable algorithms only."""

    def examine(self, path: Path, progress: Progress = no_progress) -> Examination:
        found = super().examine(path, progress)
        known = [code for code in found.fingerprints if not code.algorithm.startswith(OURS)]
        return replace(found, fingerprints=tuple(known))


class OlderRelease(Adapters):
    """Register with the codes that there were then."""

    @cached_property
    def examiner(self) -> SandboxedExaminer:
        limits = MediaLimits(**self._settings.media.model_dump())
        return OlderExaminer(sandbox=self._sandbox, limits=limits)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    render_clip(folder / "clip.mp4", seconds=5, seed=1, audio=True)
    render_clip(folder / "unsigned.webm", seconds=3, seed=2)
    render_picture(folder / "still.jpg", seed=3)
    return folder


@pytest.fixture(scope="module")
def older(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a clip, a picture, and a WebM of which there is no signed copy."""
    settings = Settings(home=tmp_path_factory.mktemp("older") / "home")
    initialize_home(settings)
    with Registry(settings, OlderRelease(settings)) as registry:
        request = RegisterRequest((sources,), statement(), True)
        outcomes = registry.registration.register(request, registry.owner)
    assert all(isinstance(outcome, RegisteredFile) for outcome in outcomes)
    return settings.home_path


@pytest.fixture
def home(older: Path, tmp_path: Path) -> Home:
    shutil.copytree(older, tmp_path / "home")
    return Home(tmp_path / "home")


def read_codes(home: Home) -> set[Code]:
    with closing(sqlite3.connect(home.path / "titledeed.sqlite3")) as database:
        rows = database.execute("SELECT registration_id, algorithm, code FROM fingerprint")
        return set(rows.fetchall())


def read_tables(home: Home) -> bytes:
    files = (path for path in (home.path / "index").rglob("*") if path.is_file())
    return b"".join(path.read_bytes() for path in files)


def write_tables(home: Home) -> None:
    """Put even the few codes there are into the tables; they would wait for more."""
    with closing(Adapters(Settings(home=home.path))) as adapters:
        source, folder = adapters.repositories.fingerprints, adapters.layout.index
        keep_tables(source=source, folder=folder, commit_bytes=0)


def ours(home: Home) -> set[Code]:
    return {code for code in read_codes(home) if code[1].startswith(OURS)}


def test_older_works_get_the_codes_of_today_and_keep_theirs(
    home: Home, sources: Path, tmp_path: Path
) -> None:
    cut = cut_clip(sources / "clip.mp4", tmp_path / "cut.mp4", start_s=1, end_s=4, scale=0.5)
    before = read_codes(home)
    assert not ours(home)
    assert home.run("search", cut, "--json").code == 10
    done = home.run("index", "reindex", "--media", sources, "--json")
    assert done.code == 0
    assert (done.document["fingerprinted"], done.document["left_out"]) == (3, [])
    assert before < read_codes(home)
    fresh = make_examiner(Settings(home=home.path)).examine(sources / "unsigned.webm")
    with closing(Adapters(Settings(home=home.path))) as adapters:
        (work,) = adapters.registrations.find_by_digest(fresh.asset.content_digest)
    assert {
        (work.registration_id, code.algorithm, code.code) for code in fresh.fingerprints
    } <= read_codes(home)
    (match,) = home.run("search", cut, "--json").document["matches"]
    assert match["title"] == "clip"


def test_a_second_run_does_nothing(home: Home, sources: Path) -> None:
    home.run("index", "reindex", "--media", sources)
    codes = read_codes(home)
    done = home.run("index", "reindex", "--json")
    assert done.code == 0
    assert (done.document["fingerprinted"], done.document["current"]) == (0, 3)
    assert read_codes(home) == codes


def test_a_work_without_a_file_is_listed_and_the_rest_is_done(home: Home, sources: Path) -> None:
    done = home.run("index", "reindex", "--json")
    assert done.code == 1
    assert done.documents[0]["fingerprinted"] == 2
    (left,) = done.documents[0]["left_out"]
    assert left["title"] == "unsigned"
    assert "--media" in done.err
    table = home.run("index", "reindex")
    assert (table.code, "unsigned" in table.out) == (1, True)
    found = home.run("index", "reindex", "--media", sources, "--json")
    assert (found.code, found.document["fingerprinted"], found.document["current"]) == (0, 1, 2)


def test_an_interrupted_run_loses_one_work_at_most(home: Home, sources: Path) -> None:
    def interrupt(label: str, fraction: float) -> None:
        if label and fraction > 0.5:
            raise KeyboardInterrupt

    with open_registry(Settings(home=home.path)) as registry, pytest.raises(KeyboardInterrupt):
        registry.reindexing.reindex(sources, interrupt)
    assert len({owner for owner, _, _ in ours(home)}) == 2
    done = home.run("index", "reindex", "--media", sources, "--json")
    assert (done.document["fingerprinted"], done.document["current"]) == (1, 2)


def test_a_rebuild_brings_later_codes_back_and_numbers_them_anew(
    home: Home, sources: Path, tmp_path: Path
) -> None:
    cut = cut_clip(sources / "clip.mp4", tmp_path / "cut.mp4", start_s=1, end_s=4)
    home.run("index", "reindex", "--media", sources)
    before, found = read_codes(home), home.run("search", cut, "--json").document
    assert home.run("index", "rebuild").code == 0
    assert read_codes(home) == before
    assert home.run("search", cut, "--json").document == found
    assert found["matches"]


def test_damaged_later_codes_are_told_by_a_rebuild(home: Home) -> None:
    home.run("index", "reindex")
    kept = sorted((home.path / "objects" / "fingerprints").rglob("*.json"))
    assert len(kept) == 2
    kept[0].write_bytes(b"{}")
    done = home.run("index", "rebuild", "--json")
    assert done.code == 1
    assert "fingerprints/" in done.out
    assert len({owner for owner, _, _ in ours(home)}) == 1


def test_erasing_deletes_later_codes_everywhere(home: Home, sources: Path, tmp_path: Path) -> None:
    home.run("index", "reindex", "--media", sources)
    write_tables(home)
    cut = cut_clip(sources / "clip.mp4", tmp_path / "cut.mp4", start_s=1, end_s=4)
    (match,) = home.run("search", cut, "--json").document["matches"]
    name = match["registration_id"]
    (code,) = [c for owner, kind, c in ours(home) if (owner, kind) == (name, VideoDct.id)]
    bits = np.unpackbits(VideoDct().decode(code).codes[4])
    row = np.packbits(bits[list(DCT_ORDER)]).tobytes()
    assert row in read_tables(home)
    assert home.run("erase", name, "--yes", "--keep-signed-copy").code == 0
    assert name not in {owner for owner, _, _ in read_codes(home)}
    assert not list((home.path / "objects" / "fingerprints").rglob(f"{name}*"))
    assert row not in read_tables(home)
    assert home.run("search", cut, "--json").code == 10
