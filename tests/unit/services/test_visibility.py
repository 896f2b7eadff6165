"""Who may know of a registration: published, or one's own, or in one's home."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from builders import OWNER, build_bundle, build_claimant, build_principal, build_registration
from repository_adapters import open_sqlite

from titledeed.errors import NotFoundError
from titledeed.models.principal import ALL_SCOPES, ANONYMOUS, Principal, PrincipalKind
from titledeed.models.registration import Registration, Visibility
from titledeed.services.visibility import VisibleRegistrations, require_visible
from titledeed.store.repositories import SqlRepositories

CLAIMANT = build_principal(0)
STRANGER = build_principal(1)
NAMELESS_OWNER = Principal(PrincipalKind.OWNER, None, ALL_SCOPES)
NAMELESS_TOKEN = Principal(PrincipalKind.TOKEN, None, ALL_SCOPES)
EVERYBODY = (ANONYMOUS, CLAIMANT, STRANGER, OWNER, NAMELESS_OWNER, NAMELESS_TOKEN)

PRIVATE = replace(build_registration(1), visibility=Visibility.PRIVATE)
PUBLISHED = replace(build_registration(2), visibility=Visibility.PUBLISHED)
BUNDLE = build_bundle(3)
IMPORTED = build_registration(
    BUNDLE.dossier, bundle=BUNDLE, snapshot_id="s", visibility=Visibility.PUBLISHED
)


@pytest.fixture
def repositories(tmp_path: Path) -> Iterator[SqlRepositories]:
    repositories = open_sqlite(tmp_path)
    repositories.registrations.accept_many([(PRIVATE, ()), (PUBLISHED, ())])
    repositories.registrations.add_imported(IMPORTED, ())
    yield repositories
    repositories.close()


@pytest.fixture
def visible(repositories: SqlRepositories) -> VisibleRegistrations:
    return VisibleRegistrations(repositories.registrations)


@pytest.mark.parametrize("principal", EVERYBODY)
def test_a_published_one_is_seen_by_everybody(principal: Principal) -> None:
    assert PUBLISHED.is_visible_to(principal)
    assert IMPORTED.is_visible_to(principal)


@pytest.mark.parametrize("principal", EVERYBODY)
def test_a_private_one_is_seen_by_its_claimant_and_the_home(principal: Principal) -> None:
    seen = principal in {CLAIMANT, OWNER, NAMELESS_OWNER}
    assert PRIVATE.is_visible_to(principal) is seen
    assert PRIVATE.belongs_to(principal) is seen


def test_the_same_account_elsewhere_gives_no_say_over_an_import() -> None:
    assert IMPORTED.claimant == build_claimant(0).address
    for principal in EVERYBODY:
        assert not IMPORTED.belongs_to(principal)


@pytest.mark.parametrize("principal", EVERYBODY)
@pytest.mark.parametrize("work", [PRIVATE, PUBLISHED, IMPORTED])
def test_every_way_of_asking_gives_the_same_answer(
    visible: VisibleRegistrations, work: Registration, principal: Principal
) -> None:
    asked_for = visible.find(work.registration_id, principal)
    assert (asked_for is not None) is work.is_visible_to(principal)
    expected = [asked_for] if asked_for else []
    assert visible.find_by_digest(work.content_digest, principal) == expected
    assert work.manifest_id is not None
    assert visible.find_by_manifest(work.manifest_id, principal) == expected
    if asked_for is not None:
        assert visible.get(work.registration_id, principal) == asked_for
        require_visible(asked_for, principal)
        return
    with pytest.raises(NotFoundError, match="to be seen here") as hidden:
        visible.get(work.registration_id, principal)
    with pytest.raises(NotFoundError) as shown:
        require_visible(work, principal)
    assert hidden.value.message == shown.value.message


@pytest.mark.parametrize("page", [1, 1_000])
@pytest.mark.parametrize("principal", EVERYBODY)
def test_what_a_home_registered_is_listed_and_counted_alike(
    repositories: SqlRepositories, principal: Principal, page: int
) -> None:
    visible = VisibleRegistrations(repositories.registrations, page=page)
    listed = [one.registration_id for one in visible.iter_own(principal)]
    wanted = [one for one in (PRIVATE, PUBLISHED) if one.is_visible_to(principal)]
    assert listed == [one.registration_id for one in wanted]
    assert visible.count_own(principal) == len(wanted)
