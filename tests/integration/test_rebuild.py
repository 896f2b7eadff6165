"""The database of a real home, lost and rebuilt."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import homes
import pytest
from homes import Home, Studio
from index_rows import dump_rows
from render_media import render_picture

from titledeed.bootstrap.homes import erase, rebuild_index
from titledeed.errors import DependencyError, HomeNotInitializedError, LedgerUnavailableError
from titledeed.homes.salvage import SalvageProblem
from titledeed.models.evidence import Headline
from titledeed.models.principal import ANONYMOUS
from titledeed.models.registration import Visibility
from titledeed.proofs.bundles import read_bundle_file
from titledeed.services.evidence import check_bundle
from titledeed.settings import ChainSettings, Settings

pytestmark = pytest.mark.chain


@dataclasses.dataclass(frozen=True)
class Closed:
    """A home that nobody has open, and the files that it registered."""

    settings: Settings
    studio: Studio
    erased: str

    @property
    def database(self) -> Path:
        return self.settings.home_path / "titledeed.sqlite3"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Closed:
    """Three works in one batch, one of them published, one withdrawn; then one more, erased; then
    one that waits; and an import."""
    folder = tmp_path_factory.mktemp("rebuild")
    neighbour_folder = folder / "neighbour"
    with homes.new_studio(folder) as studio:
        home, registry = studio.home, studio.home.registry
        registry.registration.set_visibility(
            studio.clip.registration.registration_id, Visibility.PUBLISHED, registry.owner
        )
        registry.acts.withdraw(studio.webm.registration.registration_id, principal=registry.owner)
        gone = home.register_one(render_picture(folder / "gone.png", seed=71)).registration
        with homes.home_beside(home, neighbour_folder, organization="Neighbour") as neighbour:
            theirs = render_picture(folder / "theirs.png", seed=72)
            neighbour.register_one(theirs, said=homes.statement(publish=True))
            homes.share(neighbour, home, folder)
        home.register_one(render_picture(folder / "waits.png", seed=73), wait=False)
        registry.following.follow()
    erase(home.settings, gone.registration_id)
    return Closed(home.settings, studio, gone.registration_id)


@pytest.fixture
def closed(made: Closed, tmp_path: Path) -> Closed:
    """A copy, to be spoilt."""
    shutil.copytree(made.settings.home_path, tmp_path / "home")
    settings = made.settings.model_copy(update={"home": tmp_path / "home"})
    return dataclasses.replace(made, settings=settings)


@pytest.fixture
def reopened(closed: Closed) -> Iterator[Home]:
    rebuild_index(closed.settings)
    with homes.opened(closed.settings) as home:
        yield home


def test_the_rebuilt_rows_are_the_same(closed: Closed) -> None:
    before = dump_rows(closed.database)
    rebuilt = rebuild_index(closed.settings)
    after = dump_rows(closed.database)
    assert list(closed.settings.home_path.glob("*.rebuild*")) == []
    # The neighbour shares the account that pays, as no real home does: its batch is not ours.
    assert [one.problem for one in rebuilt.findings] == [SalvageProblem.MISSING]
    assert (rebuilt.registrations, rebuilt.imported, rebuilt.erased) == (4, 1, 1)
    acts = [row for row in before["submission"] if row[3] is None]
    assert [row[2] for row in acts] == ["withdraw"]
    before["submission"] = [row for row in before["submission"] if row[3] is not None]
    before["attempt"] = [row for row in before["attempt"] if row[1] not in {act[1] for act in acts}]
    signed = str(closed.studio.home.settings.home_path).encode()
    moved = str(closed.settings.home_path).encode()
    before["registration"] = [
        tuple(v.replace(signed, moved) if isinstance(v, bytes) else v for v in row)
        for row in before["registration"]
    ]
    for table, rows in before.items():
        assert after[table] == rows, table


def test_a_lost_database_comes_back_and_the_home_goes_on(closed: Closed, tmp_path: Path) -> None:
    closed.database.unlink()
    rebuild_index(closed.settings)
    studio = closed.studio
    with homes.opened(closed.settings) as home:
        report = home.verify(Path(studio.signed_clip))
        assert report.headline is Headline.REGISTERED_EXACT
        clip = home.registry.registration.get(studio.clip.registration.registration_id, ANONYMOUS)
        assert check_bundle(read_bundle_file(home.registry.registration.read_bundle(clip))).holds
        again = home.register_one(studio.sources / "clip.mp4")
        assert not again.created
        new = home.register_one(render_picture(tmp_path / "new.png", seed=80))
        assert new.registration.anchor is not None
        waited = home.adapters.outbox.count_waiting()
        assert waited == (0, None)
        home.registry.chain_report.verify()


def test_what_was_withdrawn_is_still_withdrawn(reopened: Home, closed: Closed) -> None:
    found = reopened.registry.catalogue.find(
        closed.studio.webm.registration.registration_id, reopened.owner
    )
    entries = reopened.registry.history.list_entries(found, reopened.owner)
    assert [entry.kind for entry in entries] == ["withdrawn"]


def test_a_database_full_of_garbage_is_replaced(closed: Closed) -> None:
    closed.database.write_bytes(b"garbage" * 10_000)
    closed.database.with_name("titledeed.sqlite3-wal").write_bytes(b"garbage" * 10_000)
    assert rebuild_index(closed.settings).registrations == 4
    with homes.opened(closed.settings) as home:
        home.registry.check()


def test_an_interrupted_rebuild_leaves_the_old_database(closed: Closed) -> None:
    def interrupt(label: str, fraction: float) -> None:
        if label == "Listing registrations":
            raise KeyboardInterrupt

    before = dump_rows(closed.database)
    with pytest.raises(KeyboardInterrupt):
        rebuild_index(closed.settings, interrupt)
    assert dump_rows(closed.database) == before
    with homes.opened(closed.settings) as home:
        home.registry.check()
    assert rebuild_index(closed.settings).registrations == 4


def test_a_home_in_use_is_not_rebuilt_under_its_user(closed: Closed) -> None:
    with homes.opened(closed.settings) as home:
        home.registry.check()
        with pytest.raises(DependencyError, match="another process uses this home"):
            rebuild_index(closed.settings)
        home.registry.check()


def test_without_a_chain_nothing_is_replaced(closed: Closed) -> None:
    before = dump_rows(closed.database)
    nowhere = ChainSettings(rpc_url="http://127.0.0.1:1", rpc_timeout_s=1)
    with pytest.raises(LedgerUnavailableError):
        rebuild_index(closed.settings.model_copy(update={"chain": nowhere}))
    assert dump_rows(closed.database) == before


def test_a_folder_that_is_no_home_stays_empty(tmp_path: Path) -> None:
    with pytest.raises(HomeNotInitializedError):
        rebuild_index(Settings(home=tmp_path / "none"))
    assert not (tmp_path / "none").exists()
