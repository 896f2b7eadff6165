"""What every database promises of fingerprints: one order, each code once, gone when erased."""

from __future__ import annotations

import builders
import pytest
from repository_adapters import imported

from titledeed.errors import NotFoundError
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.ledger import Tombstone
from titledeed.models.primitives import RegistrationId
from titledeed.models.registration import Registration
from titledeed.ports import Repositories
from titledeed.store.fingerprints import PAGE_SIZE

CODES = builders.build_fingerprints(1)


@pytest.fixture
def registration(repositories: Repositories) -> Registration:
    return repositories.registrations.accept(builders.build_registration(1), CODES)


def list_positions(repositories: Repositories) -> list[int]:
    return [position for position, _, _ in repositories.fingerprints.iter_fingerprints(0)]


def erase(repositories: Repositories, registration: Registration) -> None:
    stone = Tombstone(registration.registration_id, registration.leaf, builders.EPOCH)
    repositories.registrations.erase(stone)


def test_cursor_continues_where_the_reader_stopped(repositories: Repositories) -> None:
    first, second = builders.build_registration(1), builders.build_registration(2)
    codes = builders.build_fingerprints(1)
    repositories.registrations.accept(first, codes)
    seen = list(repositories.fingerprints.iter_fingerprints(0))
    assert [(found, code) for _, found, code in seen] == [
        (first.registration_id, code) for code in codes
    ]
    last = seen[-1][0]
    assert list(repositories.fingerprints.iter_fingerprints(last)) == []
    repositories.registrations.accept(second, codes[:1])
    (new,) = repositories.fingerprints.iter_fingerprints(last)
    assert new == (new[0], second.registration_id, codes[0])
    assert new[0] > last


def test_more_codes_than_a_page_come_once_each_and_in_order(repositories: Repositories) -> None:
    codes = [
        FingerprintCode("test.short", 1, builders.seeded_bytes("short", seed, 8))
        for seed in range(2 * PAGE_SIZE + 1)
    ]
    repositories.registrations.accept(builders.build_registration(1), codes)
    found = list(repositories.fingerprints.iter_fingerprints(0))
    assert [code for _, _, code in found] == codes
    cursors = [cursor for cursor, _, _ in found]
    assert cursors == sorted(set(cursors))


def test_writing_goes_on_while_codes_are_read(repositories: Repositories) -> None:
    repositories.registrations.accept(
        builders.build_registration(1), builders.build_fingerprints(1)
    )
    reading = repositories.fingerprints.iter_fingerprints(0)
    next(reading)
    repositories.registrations.accept(
        builders.build_registration(2), builders.build_fingerprints(2)
    )
    assert len(list(reading)) == 3


def test_a_position_leads_to_the_whole_work(
    repositories: Repositories, registration: Registration
) -> None:
    bundle = builders.build_bundle(2)
    theirs = imported(bundle)
    repositories.registrations.add_imported(theirs, CODES[:1])
    first, *_, last = list_positions(repositories)
    works = repositories.fingerprints.find_works([last, first, last + 1])
    assert works.keys() == {first, last}
    assert works[first].registration_id == registration.registration_id
    assert works[first].duration_s == registration.duration_ms / 1000
    assert works[first].codes == tuple(CODES)
    assert works[last].registration_id == theirs.registration_id
    assert works[last].codes == tuple(CODES[:1])


def test_nothing_is_found_at_no_position(repositories: Repositories) -> None:
    assert repositories.fingerprints.find_works([]) == {}
    assert repositories.fingerprints.find_present([]) == set()


def test_any_number_of_positions_may_be_asked_for(
    repositories: Repositories, registration: Registration
) -> None:
    positions = list_positions(repositories)
    assert repositories.fingerprints.find_present(range(70_000)) == set(positions)
    assert len(repositories.fingerprints.find_works(range(70_000))) == len(positions)


def test_what_was_erased_is_at_no_position(
    repositories: Repositories, registration: Registration
) -> None:
    positions = list_positions(repositories)
    erase(repositories, registration)
    assert repositories.fingerprints.find_works(positions) == {}
    assert repositories.fingerprints.find_present(positions) == set()


def test_later_codes_stand_beside_the_first_and_behind_the_cursor(
    repositories: Repositories, registration: Registration
) -> None:
    later = FingerprintCode("later", 1, b"code")
    before = list_positions(repositories)
    repositories.fingerprints.add(registration.registration_id, [later])
    ((position, owner, code),) = repositories.fingerprints.iter_fingerprints(before[-1])
    assert (owner, code) == (registration.registration_id, later)
    assert repositories.fingerprints.find_works([position])[position].codes == (*CODES, later)


def test_an_algorithm_and_version_is_kept_once(
    repositories: Repositories, registration: Registration
) -> None:
    name, version = CODES[0].algorithm, CODES[0].version
    newer = FingerprintCode(name, version + 1, b"newer")
    for _ in range(2):
        codes = [FingerprintCode(name, version, b"other"), newer]
        repositories.fingerprints.add(registration.registration_id, codes)
    found = [code for _, _, code in repositories.fingerprints.iter_fingerprints(0)]
    assert found == [*CODES, newer]


def test_codes_of_no_registration_are_refused(
    repositories: Repositories, registration: Registration
) -> None:
    erase(repositories, registration)
    for owner in (registration.registration_id, RegistrationId("td1unknown")):
        with pytest.raises(NotFoundError):
            repositories.fingerprints.add(owner, CODES)
    assert list_positions(repositories) == []
