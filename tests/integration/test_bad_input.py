"""Bad input gets one clear error, and nothing is half-done afterwards."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
from full_disks import full_disk
from homes import Home, accepted, new_home, opened, refused, statement
from media_factory import render_clip, render_huge_png, render_picture, truncate

from titledeed.bootstrap.homes import initialize_home
from titledeed.errors import (
    InputError,
    InvalidRequestError,
    MalformedMediaError,
    MediaTooLargeError,
    StorageError,
    TitledeedError,
    UnreadableInputError,
    UnsupportedMediaTypeError,
)
from titledeed.models.disclosure import disclose_model
from titledeed.models.evidence import Headline
from titledeed.ports import Progress
from titledeed.proofs.bundles import read_bundle_file
from titledeed.services.acceptance import Statement
from titledeed.services.evidence import check_bundle
from titledeed.services.registration import RefusedFile, RegisteredFile
from titledeed.settings import Settings
from titledeed_api.documents import refused_document, registered_document

pytestmark = pytest.mark.chain

Contents = tuple[int, list[Path], list[str], int]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with new_home(tmp_path_factory.mktemp("bad input") / "home") as home:
        yield home


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=2, seed=1)


def contents(home: Home) -> Contents:
    """All that a registration leaves: rows, signed files, dossiers, leaves that wait."""
    adapters = home.adapters
    return (
        adapters.registrations.count_own(),
        home.signed_files(),
        adapters.objects.keys("dossiers/"),
        len(adapters.outbox.list_waiting(100)),
    )


def make_empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def make_truncated(path: Path) -> Path:
    return truncate(render_clip(path, seconds=2, seed=2), share=0.6)


def make_text(path: Path) -> Path:
    path.write_text("A text, whatever its name says.\n" * 40)
    return path


def make_pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def make_failing(path: Path) -> Path:
    """A file that opens and whose first byte cannot be read, as on a failing disk."""
    path.symlink_to("/proc/self/mem")
    return path


@dataclass(frozen=True)
class Bad:
    """A kind of bad file, the error that it deserves, and words that the error must hold."""

    make: Callable[[Path], Path]
    error: type[TitledeedError]
    name: str = "bad.mp4"


BAD: Final = {
    "empty": Bad(make_empty, MalformedMediaError),
    "truncated": Bad(make_truncated, MalformedMediaError),
    "huge": Bad(render_huge_png, MediaTooLargeError, "bad.png"),
    "text": Bad(make_text, UnsupportedMediaTypeError),
    "pipe": Bad(make_pipe, UnreadableInputError),
    "failing disk": Bad(make_failing, UnreadableInputError),
}


class TestBadFiles:
    @pytest.mark.parametrize("kind", BAD)
    def test_it_is_refused_by_name_and_leaves_nothing(
        self, home: Home, tmp_path: Path, kind: str
    ) -> None:
        bad = BAD[kind]
        path = bad.make(tmp_path / bad.name)
        before = contents(home)
        (outcome,) = home.register(path)
        error = refused(outcome)
        assert type(error) is bad.error
        assert_clear(error)
        assert "bad." in error.message
        assert contents(home) == before
        with pytest.raises(bad.error):
            home.verify(path)

    def test_one_bad_file_does_not_stop_a_folder(self, home: Home, tmp_path: Path) -> None:
        for kind, bad in BAD.items():
            folder = tmp_path / "in" / kind
            folder.mkdir(parents=True)
            bad.make(folder / bad.name)
        for seed, name in enumerate(("a.png", "z.png")):
            render_picture(tmp_path / "in" / name, seed=100 + seed)
        outcomes = home.register(tmp_path / "in")
        good = [one for one in outcomes if isinstance(one, RegisteredFile)]
        assert [Path(one.source).name for one in good] == ["a.png", "z.png"]
        assert all(one.bundle_path for one in good)
        # Files that are no media are no news in a walked folder; pipes and links are passed over.
        bad_kinds = {Path(one.source).parent.name for one in outcomes if one not in good}
        assert bad_kinds == {"empty", "truncated", "huge"}

    def test_several_named_files_are_told_each(self, home: Home, tmp_path: Path) -> None:
        text = make_text(tmp_path / "notes.mp4")
        picture = render_picture(tmp_path / "a.png", seed=103)
        first, second = home.register(text, picture)
        assert isinstance(refused(first), UnsupportedMediaTypeError)
        assert accepted(second).created
        assert isinstance(first, RefusedFile)
        document = json.loads(json.dumps(refused_document(first)))
        assert document["source"] == str(text)
        assert document["error"]["code"] == "unsupported_media_type"

    @pytest.mark.parametrize("name", ["missing.mp4", "missing/inside.mp4", "a\0b.mp4"])
    def test_a_path_that_leads_nowhere_stops_the_request(
        self, home: Home, tmp_path: Path, name: str
    ) -> None:
        picture = render_picture(tmp_path / "fine.png", seed=104)
        before = contents(home)
        with pytest.raises(UnreadableInputError) as raised:
            home.register(picture, tmp_path / name)
        assert_clear(raised.value)
        assert contents(home) == before
        with pytest.raises(UnreadableInputError):
            home.verify(tmp_path / name)

    def test_a_folder_is_not_verified(self, home: Home, tmp_path: Path) -> None:
        with pytest.raises(UnreadableInputError):
            home.verify(tmp_path)

    def test_an_empty_folder_holds_nothing_to_register(self, home: Home, tmp_path: Path) -> None:
        before = contents(home)
        assert home.register(tmp_path) == []
        assert contents(home) == before

    def test_a_file_named_twice_is_registered_once(self, home: Home, tmp_path: Path) -> None:
        picture = render_picture(tmp_path / "a.png", seed=105)
        outcomes = home.register(picture, tmp_path)
        assert [accepted(one).created for one in outcomes] == [True]


def assert_clear(error: TitledeedError) -> None:
    """One line that says what failed, one that says what to do."""
    assert error.message
    assert "\n" not in error.message
    assert "Traceback" not in error.message
    assert "\n" not in error.next_step


class TestFilesThatChange:
    @staticmethod
    def meddle(act: Callable[[], object]) -> Progress:
        """Act once, while the file is being read."""
        done: list[bool] = []

        def progress(label: str, fraction: float) -> None:
            if fraction and not done and label != "Anchoring":
                done.append(True)
                act()

        return progress

    def assert_refused(self, home: Home, path: Path, act: Callable[[], object], word: str) -> None:
        before = contents(home)
        (outcome,) = home.register(path, progress=self.meddle(act))
        error = refused(outcome)
        assert isinstance(error, UnreadableInputError)
        assert word in error.message
        assert_clear(error)
        assert contents(home) == before

    @pytest.fixture
    def source(self, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
        """Another clip for each test: what was registered once is known."""
        seed = 200 + len(request.node.name)
        return render_clip(tmp_path / "moving.mp4", seconds=4, seed=seed)

    def test_a_file_that_vanishes_while_it_is_read(self, home: Home, source: Path) -> None:
        kept = source.read_bytes()
        self.assert_refused(home, source, source.unlink, "vanished")
        source.write_bytes(kept)
        assert home.register_one(source).created

    def test_a_file_that_grows_while_it_is_read(self, home: Home, source: Path) -> None:
        def grow() -> None:
            with source.open("ab") as file:
                file.write(b"\0" * 100)

        self.assert_refused(home, source, grow, "changed")

    def test_a_file_that_is_rewritten_while_it_is_read(self, home: Home, source: Path) -> None:
        data = source.read_bytes()
        self.assert_refused(home, source, lambda: source.write_bytes(data[::-1]), "changed")

    def test_a_file_that_is_swapped_between_reading_and_signing(
        self, home: Home, source: Path
    ) -> None:
        """What is signed must be what was claimed: the other file's bytes are not."""
        other = render_clip(source.with_name("other.mp4"), seconds=2, seed=199)

        def swap() -> None:
            source.rename(source.with_name("kept.mp4"))
            other.rename(source)

        self.assert_refused(home, source, swap, "changed")
        again = home.register_one(source.with_name("kept.mp4"))
        assert again.created

    def test_verifying_a_file_that_changes_is_refused_as_well(
        self, home: Home, source: Path
    ) -> None:
        with pytest.raises(UnreadableInputError, match="vanished"):
            home.registry.verification.verify(
                source, home.owner, progress=self.meddle(source.unlink)
            )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed home, to be copied."""
    folder = tmp_path_factory.mktemp("template") / "home"
    initialize_home(Settings(home=folder))
    return folder


class TestFullDisk:
    # From the first write to the last: intent, signed copy, dossier, row, journal, bundle.
    @pytest.mark.parametrize(
        ("kind", "kibibytes"),
        [
            *(("picture", size) for size in (0, 4, 16, 32, 48, 96, 4_096)),
            *(("webm", size) for size in (8, 24, 64)),
        ],
    )
    def test_nothing_is_half_registered_wherever_the_disk_ends(
        self, template: Path, tmp_path: Path, kind: str, kibibytes: int
    ) -> None:
        source = (
            render_picture(tmp_path / "a.png", seed=300, size=(96, 64))
            if kind == "picture"
            else render_clip(tmp_path / "a.webm", seconds=1, seed=301, size=(96, 64))
        )
        shutil.copytree(template, tmp_path / "home")
        with opened(Settings(home=tmp_path / "home")) as home:
            home.registry.check()
            assert home.verify(source).headline is Headline.NO_RECORD
            error: TitledeedError | None = None
            with full_disk(kibibytes * 1024):
                try:
                    accepted(*home.register(source))
                except TitledeedError as raised:
                    error = raised
            if kibibytes == 4_096:
                assert error is None
            elif error is not None:
                assert isinstance(error, StorageError)
                assert_clear(error)
                assert error.next_step
            # Whole or not there: a signed copy and a row, or neither.
            owned = home.adapters.registrations.count_own()
            assert owned == 1 or error is not None
            assert len(home.signed_files()) == (owned if kind == "picture" else 0)
            expected = Headline.REGISTERED_EXACT if owned else Headline.NO_RECORD
            assert home.verify(source).headline is expected
            # There is space again.
            again = home.register_one(source)
            assert again.created is (owned == 0)
            assert again.bundle_path is not None
            assert check_bundle(read_bundle_file(Path(again.bundle_path).read_bytes())).holds
            assert len(home.signed_files()) == (1 if kind == "picture" else 0)

    def test_a_snapshot_that_does_not_fit_leaves_no_file(self, home: Home, tmp_path: Path) -> None:
        source = render_picture(tmp_path / "a.png", seed=310)
        home.register_one(source, said=statement(publish=True))
        (tmp_path / "out").mkdir()
        with full_disk(512), pytest.raises(StorageError):
            home.registry.snapshots.export(tmp_path / "out" / "a.snapshot", home.owner)
        assert list((tmp_path / "out").iterdir()) == []

    def test_a_home_that_does_not_fit_is_finished_later(self, tmp_path: Path) -> None:
        settings = Settings(home=tmp_path / "home")
        with full_disk(2_000), pytest.raises(StorageError):
            initialize_home(settings)
        assert initialize_home(settings).created
        with opened(settings) as home:
            home.registry.check()


class TestRequests:
    def test_signed_copies_never_land_among_the_inputs(self, home: Home, tmp_path: Path) -> None:
        folder = tmp_path / "in"
        folder.mkdir()
        picture = render_picture(folder / "a.png", seed=400)
        (tmp_path / "link").symlink_to(folder)
        before = contents(home)
        for output in (folder, folder / "signed", tmp_path / "link", folder / "x" / ".."):
            for sources in ((folder,), (picture,)):
                if sources == (picture,) and output == folder / "signed":
                    continue  # beside a single file a folder of its own may be made
                with pytest.raises(InvalidRequestError) as raised:
                    home.register(*sources, said=statement(output=output))
                assert_clear(raised.value)
        assert contents(home) == before
        assert list(folder.iterdir()) == [picture]

    def test_the_homes_own_signed_copies_are_no_input(self, home: Home, tmp_path: Path) -> None:
        home.register_one(render_picture(tmp_path / "a.png", seed=401))
        with pytest.raises(InvalidRequestError):
            home.register(home.registry.layout.signed)
        with pytest.raises(InvalidRequestError):
            home.register(home.registry.layout.root)

    def test_an_output_folder_is_made_and_nothing_in_it_is_overwritten(
        self, home: Home, tmp_path: Path
    ) -> None:
        output = tmp_path / "out" / "deep"
        outcomes = []
        for seed, name in enumerate(("one", "two")):
            (tmp_path / name).mkdir()
            picture = render_picture(tmp_path / name / "a.png", seed=402 + seed)
            outcomes.append(home.register_one(picture, said=statement(output=output)))
        paths = [Path(one.registration.signed_path or "") for one in outcomes]
        assert paths[0] == output / "a.png"
        assert paths[1].parent == output and paths[1] != paths[0]
        for one, path in zip(outcomes, paths, strict=True):
            assert home.verify(path).claims[0].registration_id == one.registration.registration_id

    def test_an_output_that_cannot_be_written_is_told(self, home: Home, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        picture = render_picture(tmp_path / "in" / "a.png", seed=404)
        (tmp_path / "file").write_text("in the way")
        before = contents(home)
        with pytest.raises(StorageError):
            home.register(picture, said=statement(output=tmp_path / "file" / "folder"))
        assert contents(home) == before
        again = home.register_one(picture)
        assert home.registry.layout.signed in Path(again.registration.signed_path or "").parents

    def test_one_title_cannot_name_several_files(self, home: Home, tmp_path: Path) -> None:
        for seed, name in enumerate(("a.png", "b.png")):
            render_picture(tmp_path / name, seed=405 + seed)
        before = contents(home)
        with pytest.raises(InvalidRequestError):
            home.register(tmp_path, said=statement(title="Both"))
        assert contents(home) == before

    @pytest.mark.parametrize(
        "said",
        [
            statement(title="x" * 301),
            statement(title=" "),
            statement(title="\ud800"),
            replace(statement(), credits=("x" * 5_000,)),
            replace(statement(), credits=("x",) * 1_001),
            replace(statement(), credits=("\udfff",)),
            replace(statement(), disclosure=disclose_model("humanEdits", model="x" * 5_000)),
            replace(statement(), disclosure=disclose_model("humanEdits", identifier="\ud83c")),
        ],
        ids=[
            "long title",
            "blank title",
            "half a character",
            "long credit",
            "many credits",
            "half a character in a credit",
            "long model",
            "half a character in a model",
        ],
    )
    def test_what_no_reader_would_accept_is_never_stated(
        self, home: Home, clip: Path, said: Statement
    ) -> None:
        before = contents(home)
        with pytest.raises(InputError) as raised:
            home.register(clip, said=said)
        assert isinstance(raised.value, InvalidRequestError)
        assert_clear(raised.value)
        assert contents(home) == before


HOSTILE: Final = (
    "\x1b[2J\x1b]0;owned\x07 escape",
    "line\nbreak\r\ttab\0nul",
    "<script>alert(1)</script>",
    "\u202egnp.exe",
    "=HYPERLINK(1)",
    "' OR 1=1; --",
    "%s%n{0}${jndi}",
    "\U0001f3ac" * 100,
    "x" * 300,
)


class TestHostileTexts:
    @pytest.mark.parametrize("number", range(len(HOSTILE)))
    def test_a_hostile_title_survives_as_data(
        self, home: Home, tmp_path: Path, number: int
    ) -> None:
        title = HOSTILE[number]
        source = render_picture(tmp_path / "a.png", seed=500 + number, size=(160, 120))
        outcome = home.register_one(source, said=statement(title=title))
        assert outcome.registration.title == title
        assert json.loads(json.dumps(registered_document(outcome)))["title"] == title
        assert outcome.bundle_path is not None
        bundle = read_bundle_file(Path(outcome.bundle_path).read_bytes())
        assert bundle.dossier.rights.title == title
        assert check_bundle(bundle).holds
        report = home.verify(Path(outcome.registration.signed_path or ""))
        assert report.headline is Headline.REGISTERED_EXACT
        assert report.claims[0].title == title

    @pytest.mark.parametrize(
        "name", [b"\xff\xfe.png", b"a\nb\x1b[31m.png", b"--help.png", b"-.png", b"%2e%2e.png"]
    )
    def test_a_hostile_file_name_becomes_a_title(
        self, home: Home, tmp_path: Path, name: bytes
    ) -> None:
        source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        made = render_picture(tmp_path / "a.png", seed=520 + len(name), size=(160, 120))
        made.rename(source)
        outcome = home.register_one(source)
        outcome.registration.title.encode("utf-8")
        json.dumps(registered_document(outcome)).encode("utf-8")
        assert Path(outcome.registration.signed_path or "").is_file()
        assert home.verify(source).headline is Headline.REGISTERED_EXACT
