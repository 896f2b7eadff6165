"""Finding a registration by what a person types, and the newest of many."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import OWNER, build_bundle, build_registration
from repository_adapters import open_sqlite

from titledeed.errors import InvalidRequestError, NotFoundError
from titledeed.models.evidence import ClaimStatus
from titledeed.models.registration import Registration
from titledeed.services.catalogue import Catalogue
from titledeed.services.visibility import VisibleRegistrations
from titledeed.store.repositories import SqlRepositories

COUNT = 25


@pytest.fixture
def repositories(tmp_path: Path) -> Iterator[SqlRepositories]:
    repositories = open_sqlite(tmp_path)
    yield repositories
    repositories.close()


@pytest.fixture
def listed(repositories: SqlRepositories) -> list[Registration]:
    """Own registrations in the order of acceptance."""
    rows = [build_registration(seed) for seed in range(COUNT)]
    return repositories.registrations.accept_many([(row, ()) for row in rows])


@pytest.fixture
def found(repositories: SqlRepositories) -> Catalogue:
    return Catalogue(visible=VisibleRegistrations(repositories.registrations))


@pytest.mark.parametrize("page", [1, 7, 1_000])
def test_the_newest_come_first(
    repositories: SqlRepositories, listed: list[Registration], page: int
) -> None:
    found = Catalogue(visible=VisibleRegistrations(repositories.registrations, page=page))
    assert found.list_newest(OWNER, limit=4) == listed[:-5:-1]
    assert found.list_newest(OWNER, limit=1_000) == listed[::-1]


def test_a_status_narrows_the_list(found: Catalogue, listed: list[Registration]) -> None:
    assert found.list_newest(OWNER, limit=3, status=ClaimStatus.PENDING) == listed[:-4:-1]
    assert found.list_newest(OWNER, limit=3, status=ClaimStatus.FINAL) == []


@pytest.mark.parametrize("length", [12, 20, 35])
def test_the_beginning_of_an_id_is_enough(
    found: Catalogue, listed: list[Registration], length: int
) -> None:
    wanted = listed[3]
    assert found.find(wanted.registration_id[:length], OWNER) == wanted


@pytest.mark.usefixtures("listed")
def test_several_that_begin_alike_are_named(repositories: SqlRepositories) -> None:
    found = Catalogue(visible=VisibleRegistrations(repositories.registrations), prefix_length_min=3)
    with pytest.raises(InvalidRequestError, match=f"{COUNT} registrations begin with td1"):
        found.find("td1", OWNER)


@pytest.mark.parametrize("text", ["", "td1", "td1ab", "abcdefgh", "TD1ABCDEF"])
def test_too_little_or_something_else_is_refused(found: Catalogue, text: str) -> None:
    with pytest.raises(InvalidRequestError, match="neither a registration id"):
        found.find(text, OWNER)


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("text", ["td1" + "a" * 32, "td1zzzzzz", "td1%%%%%%"])
def test_what_is_not_here_is_not_found(found: Catalogue, text: str) -> None:
    with pytest.raises(NotFoundError):
        found.find(text, OWNER)


def test_imported_ones_are_found_by_their_whole_id_alone(
    found: Catalogue, repositories: SqlRepositories
) -> None:
    bundle = build_bundle(90)
    imported = build_registration(bundle.dossier, bundle=bundle, snapshot_id="abc")
    repositories.registrations.add_imported(imported, ())
    assert found.find(imported.registration_id, OWNER) == imported
    with pytest.raises(NotFoundError):
        found.find(imported.registration_id[:20], OWNER)
    assert found.list_newest(OWNER, limit=5) == []
