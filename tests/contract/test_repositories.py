"""What every database behind ``ports.Repositories`` promises; its outbox apart."""

from __future__ import annotations

import dataclasses
import os
import threading
from pathlib import Path

import builders
import pytest
from repository_adapters import (
    ADAPTERS,
    accept,
    add_batch,
    anchor,
    anchored_in,
    batch_of,
    block_at,
    follow,
    imported,
)

from titledeed.errors import (
    InvalidRequestError,
    InvariantViolation,
    NotFoundError,
)
from titledeed.models.asset import MediaType
from titledeed.models.evidence import ClaimStatus
from titledeed.models.job import Job, JobProblem, JobStatus
from titledeed.models.primitives import RegistrationId, Sha256
from titledeed.models.principal import (
    ALL_SCOPES,
    ANONYMOUS,
    Principal,
    PrincipalKind,
    Scope,
    TokenGrant,
)
from titledeed.models.registration import (
    Coverage,
    Registration,
    SigningIntent,
    Visibility,
)
from titledeed.ports import Repositories


def ids(registrations: list[Registration]) -> list[RegistrationId]:
    return [registration.registration_id for registration in registrations]


class TestAcceptance:
    @pytest.mark.parametrize("media_type", [MediaType.MP4, MediaType.MKV])
    def test_accepted_registration_is_found_whole(
        self, repositories: Repositories, media_type: MediaType
    ) -> None:
        registration = builders.build_registration(
            builders.build_dossier(1, media_type=media_type), signed_path="/signed/a.mp4"
        )
        assert repositories.registrations.accept(registration, []) == registration
        assert repositories.registrations.find(registration.registration_id) == registration

    def test_unknown_registration_is_none(self, repositories: Repositories) -> None:
        unknown = builders.build_registration(1)
        assert repositories.registrations.find(unknown.registration_id) is None
        assert repositories.registrations.find_by_digest(unknown.content_digest) == []
        assert repositories.registrations.find_by_manifest(unknown.manifest_id or "") == []

    def test_second_acceptance_returns_the_first_and_adds_nothing(
        self, repositories: Repositories
    ) -> None:
        first = builders.build_registration(1)
        again = dataclasses.replace(first, title="Another", accepted_at=first.accepted_at + 9)
        codes = builders.build_fingerprints(1)
        repositories.registrations.accept(first, codes)
        assert repositories.registrations.accept(again, codes) == first
        assert repositories.registrations.find(first.registration_id) == first
        assert len(list(repositories.fingerprints.iter_fingerprints(0))) == len(codes)
        assert len(repositories.outbox.list_waiting(10)) == 1
        assert repositories.registrations.count_own() == 1

    def test_second_acceptance_returns_the_present_state(self, repositories: Repositories) -> None:
        registration = builders.build_registration(1)
        accept(repositories, registration)
        anchor(repositories, registration)
        repositories.registrations.set_visibility(
            registration.registration_id, Visibility.PUBLISHED
        )
        known = repositories.registrations.accept(registration, [])
        assert known.status is ClaimStatus.INCLUDED
        assert known.visibility is Visibility.PUBLISHED
        assert known == repositories.registrations.find(registration.registration_id)

    def test_hostile_title_survives(self, repositories: Repositories) -> None:
        title = "'; DROP TABLE registration; --\0\x1b[31m\u202e\U0001f3ac%s{}"
        registration = builders.build_registration(builders.build_dossier(1, title=title))
        accept(repositories, registration)
        found = repositories.registrations.find(registration.registration_id)
        assert found is not None
        assert found.title == title

    def test_title_that_is_not_unicode_is_refused_whole(self, repositories: Repositories) -> None:
        registration = dataclasses.replace(builders.build_registration(1), title="\udcff")
        with pytest.raises(InvalidRequestError):
            repositories.registrations.accept(registration, builders.build_fingerprints(1))
        assert repositories.registrations.count_own() == 0
        assert list(repositories.fingerprints.iter_fingerprints(0)) == []

    def test_number_beyond_64_bits_is_refused(self, repositories: Repositories) -> None:
        registration = dataclasses.replace(builders.build_registration(1), claimed_at=2**63)
        with pytest.raises(InvalidRequestError):
            repositories.registrations.accept(registration, [])

    def test_path_that_is_not_unicode_survives(self, repositories: Repositories) -> None:
        path = os.fsdecode(b"/signed/\xff\xfe.mp4")
        registration = builders.build_registration(1, signed_path=path)
        accept(repositories, registration)
        assert repositories.registrations.find(registration.registration_id) == registration

    def test_row_of_another_home_cannot_be_accepted(self, repositories: Repositories) -> None:
        with pytest.raises(InvariantViolation):
            accept(repositories, imported(builders.build_bundle(1)))

    def test_own_registration_cannot_bring_an_anchor(self, repositories: Repositories) -> None:
        bundle = builders.build_bundle(1)
        with pytest.raises(InvariantViolation):
            accept(repositories, builders.build_registration(bundle.dossier, bundle=bundle))
        assert repositories.registrations.count_own() == 0

    def test_threads_lose_nothing(self, repositories: Repositories) -> None:
        registrations = [builders.build_registration(seed) for seed in range(40)]
        threads = [
            threading.Thread(target=accept, args=(repositories, *registrations[start::4]))
            for start in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert repositories.registrations.count_own() == 40
        assert {found for found, _ in repositories.outbox.list_waiting(100)} == set(
            ids(registrations)
        )


class TestAcceptanceOfMany:
    def test_many_are_accepted_as_each_alone_would_be(self, repositories: Repositories) -> None:
        bundle = builders.build_bundle(5)
        repositories.registrations.add_imported(imported(bundle), builders.build_fingerprints(9))
        known = builders.build_registration(1)
        accept(repositories, known)
        entries = [
            (builders.build_registration(seed), builders.build_fingerprints(seed))
            for seed in (3, 1, 5, 2)
        ]
        twice = (dataclasses.replace(entries[0][0], title="Another"), ())
        for registration, _ in entries:
            repositories.registrations.save_intent(
                SigningIntent(registration.registration_id, "/in/a.mp4", None)
            )
        again = dataclasses.replace(entries[1][0], title="Another")
        asked = [entries[0], (again, entries[1][1]), *entries[2:], twice]
        expected = [entries[0][0], known, entries[2][0], entries[3][0], entries[0][0]]
        assert repositories.registrations.accept_many(asked) == expected
        assert repositories.registrations.accept_many(asked) == expected
        listed = repositories.registrations.list_own(after=0, limit=10)
        assert [item for _, item in listed] == [known, *(entries[i][0] for i in (0, 2, 3))]
        assert [code for _, _, code in repositories.fingerprints.iter_fingerprints(0)] == [
            code for i in (0, 2, 3) for code in entries[i][1]
        ]
        for registration in expected:
            assert repositories.registrations.find_intent(registration.registration_id) is None

    def test_one_that_cannot_be_stored_keeps_all_out(self, repositories: Repositories) -> None:
        fine, broken = builders.build_registration(1), builders.build_registration(2)
        with pytest.raises(InvalidRequestError):
            repositories.registrations.accept_many(
                [
                    (fine, builders.build_fingerprints(1)),
                    (dataclasses.replace(broken, title="\udcff"), ()),
                ]
            )
        assert repositories.registrations.count_own() == 0
        assert list(repositories.fingerprints.iter_fingerprints(0)) == []

    def test_none_is_nothing(self, repositories: Repositories) -> None:
        assert repositories.registrations.accept_many([]) == []

    def test_own_ones_come_page_by_page_in_the_order_of_acceptance(
        self, repositories: Repositories
    ) -> None:
        registrations = [builders.build_registration(seed) for seed in (4, 2, 9, 1)]
        repositories.registrations.add_imported(imported(builders.build_bundle(50)), [])
        accept(repositories, *registrations)
        anchor(repositories, registrations[2])
        first = repositories.registrations.list_own(after=0, limit=3)
        second = repositories.registrations.list_own(after=first[-1][0], limit=3)
        assert ids([item for _, item in first + second]) == ids(registrations)
        assert first[2][1].status is ClaimStatus.INCLUDED
        assert repositories.registrations.list_own(after=second[-1][0], limit=3) == []


class TestLookup:
    def test_source_and_signed_file_both_lead_to_the_registration(
        self, repositories: Repositories
    ) -> None:
        registration, other = builders.build_registration(1), builders.build_registration(2)
        accept(repositories, registration, other)
        assert registration.signed_digest is not None
        for digest in (registration.content_digest, registration.signed_digest):
            assert repositories.registrations.find_by_digest(digest) == [registration]

    def test_claims_on_one_content_come_in_the_order_of_their_time(
        self, repositories: Repositories
    ) -> None:
        content = builders.build_registration(1).content_digest
        by_claimant = [
            builders.build_registration(
                builders.build_dossier(seed, claimant=seed, content_digest=content),
                accepted_at=builders.EPOCH + 100 - seed,
            )
            for seed in range(6)
        ]
        accept(repositories, *by_claimant)
        # 3 has the earlier block; 4 and 1 share a time; 2 comes second in the same anchor as 4.
        same_time = builders.EPOCH + 50
        batches = [
            batch_of([by_claimant[m] for m in members], nonce=nonce)
            for nonce, members in enumerate([[1], [4, 2], [3]])
        ]
        for batch in batches:
            add_batch(repositories, batch, builders.EPOCH)
        for sequence, timestamp in [(1, 9), (2, same_time), (3, same_time)]:
            block = block_at(sequence, timestamp=timestamp)
            follow(repositories, block, anchored_in(block, sequence, batches[3 - sequence]))
        # 0 and 5 are pending; 5 is in a batch, which must not bring it forward or back.
        other = builders.build_registration(90)
        accept(repositories, other)
        batch = batch_of([other, by_claimant[5]], nonce=9)
        add_batch(repositories, batch, builders.EPOCH)
        found = ids(repositories.registrations.find_by_digest(content))
        assert found == ids([by_claimant[i] for i in (3, 4, 2, 1, 5, 0)])

    def test_manifest_leads_to_its_registration(self, repositories: Repositories) -> None:
        registration, other = builders.build_registration(1), builders.build_registration(2)
        accept(repositories, registration, other)
        assert registration.manifest_id is not None
        found = repositories.registrations.find_by_manifest(registration.manifest_id)
        assert found == [registration]


class TestImports:
    def test_imported_registration_is_found_and_never_waits(
        self, repositories: Repositories
    ) -> None:
        registration = imported(builders.build_bundle(1))
        assert repositories.registrations.add_imported(registration, []) is True
        assert repositories.registrations.find(registration.registration_id) == registration
        assert repositories.outbox.list_waiting(10) == []
        assert repositories.registrations.count_own() == 0
        assert repositories.registrations.list_published() == []

    def test_known_registration_is_not_imported_again(self, repositories: Repositories) -> None:
        first = imported(builders.build_bundle(1))
        later = dataclasses.replace(first, snapshot_id="later", title="Changed")
        repositories.registrations.add_imported(first, builders.build_fingerprints(1))
        assert (
            repositories.registrations.add_imported(later, builders.build_fingerprints(1)) is False
        )
        assert repositories.registrations.find(first.registration_id) == first
        assert len(list(repositories.fingerprints.iter_fingerprints(0))) == 2

    def test_import_never_replaces_an_own_registration(self, repositories: Repositories) -> None:
        bundle = builders.build_bundle(1)
        own = builders.build_registration(bundle.dossier)
        accept(repositories, own)
        assert repositories.registrations.add_imported(imported(bundle), []) is False
        assert repositories.registrations.find(own.registration_id) == own

    def test_acceptance_takes_the_place_of_an_import(self, repositories: Repositories) -> None:
        bundle = builders.build_bundle(1)
        own = builders.build_registration(bundle.dossier)
        repositories.registrations.add_imported(imported(bundle), builders.build_fingerprints(7))
        before = [cursor for cursor, _, _ in repositories.fingerprints.iter_fingerprints(0)]
        codes = builders.build_fingerprints(1)
        assert repositories.registrations.accept(own, codes) == own
        assert repositories.registrations.find(own.registration_id) == own
        assert repositories.outbox.list_waiting(10) == [(own.registration_id, own.leaf)]
        found = list(repositories.fingerprints.iter_fingerprints(0))
        assert [code for _, _, code in found] == list(codes)
        assert min(cursor for cursor, _, _ in found) > max(before)

    def test_imported_anchor_cannot_touch_an_own_one(self, repositories: Repositories) -> None:
        own = builders.build_registration(1)
        accept(repositories, own)
        anchor(repositories, own)
        kept = repositories.registrations.find(own.registration_id)
        assert kept is not None and kept.anchor is not None
        forged = dataclasses.replace(kept.anchor, block_timestamp=1)
        theirs = dataclasses.replace(
            imported(builders.build_bundle(2)), anchor=forged, leaf_index=0
        )
        repositories.registrations.add_imported(theirs, [])
        assert repositories.registrations.find(own.registration_id) == kept
        assert repositories.registrations.find(theirs.registration_id) == theirs

    def test_import_without_a_snapshot_is_refused(self, repositories: Repositories) -> None:
        with pytest.raises(InvariantViolation):
            repositories.registrations.add_imported(builders.build_registration(1), [])


class TestVisibility:
    def test_only_own_anchored_published_ones_are_listed_oldest_first(
        self, repositories: Repositories
    ) -> None:
        older, newer, private, pending = (
            builders.build_registration(
                seed,
                visibility=Visibility.PRIVATE if seed == 3 else Visibility.PUBLISHED,
            )
            for seed in (1, 2, 3, 4)
        )
        accept(repositories, newer, older, private, pending)
        anchor(repositories, private, older, sequence=1)
        anchor(repositories, newer, sequence=2)
        repositories.registrations.add_imported(imported(builders.build_bundle(9)), [])
        listed = repositories.registrations.list_published()
        assert ids(listed) == ids([older, newer])

    def test_visibility_goes_both_ways(self, repositories: Repositories) -> None:
        registration = builders.build_registration(1)
        accept(repositories, registration)
        for visibility in (Visibility.PUBLISHED, Visibility.PRIVATE):
            repositories.registrations.set_visibility(registration.registration_id, visibility)
            found = repositories.registrations.find(registration.registration_id)
            assert found == dataclasses.replace(registration, visibility=visibility)

    def test_only_own_registrations_can_be_published(self, repositories: Repositories) -> None:
        theirs = imported(builders.build_bundle(1))
        repositories.registrations.add_imported(theirs, [])
        unknown = builders.build_registration(5).registration_id
        for registration_id in (theirs.registration_id, unknown):
            with pytest.raises(NotFoundError):
                repositories.registrations.set_visibility(registration_id, Visibility.PRIVATE)
        assert repositories.registrations.find(theirs.registration_id) == theirs


def build_job(job_id: str, principal: Principal, created_at: int = 1_000) -> Job:
    return Job(
        job_id=job_id,
        kind="audit",
        principal=principal,
        arguments='{"upload": "u"}',
        status=JobStatus.RUNNING,
        starts=1,
        result=None,
        problem=None,
        created_at=created_at,
    )


class TestSmallTables:
    def test_snapshots_are_replaced_and_listed_oldest_export_first(
        self, repositories: Repositories
    ) -> None:
        new = Coverage("b", 2_000, builders.build_address(1), 3, 713)
        old = Coverage("a", 1_000, builders.build_address(2), 4, 713)
        assert repositories.snapshots.list_all() == []
        repositories.snapshots.add(dataclasses.replace(new, registrations=1))
        repositories.snapshots.add(old)
        repositories.snapshots.add(new)
        assert repositories.snapshots.list_all() == [old, new]

    def test_job_is_replaced_and_found(self, repositories: Repositories) -> None:
        running = build_job("j1", builders.build_principal(1, Scope.READ))
        done = dataclasses.replace(running, status=JobStatus.SUCCEEDED, result="{}")
        assert repositories.jobs.find("j1") is None
        repositories.jobs.save(running)
        assert repositories.jobs.find("j1") == running
        repositories.jobs.save(done)
        assert repositories.jobs.find("j1") == done

    @pytest.mark.parametrize(
        "principal",
        [ANONYMOUS, builders.OWNER, Principal(PrincipalKind.OWNER, None, frozenset())],
    )
    def test_job_keeps_whose_it_is_and_why_it_failed(
        self, repositories: Repositories, principal: Principal
    ) -> None:
        problem = JobProblem("input", "it is “broken”", "Mend it.")
        failed = dataclasses.replace(
            build_job("j1", principal), status=JobStatus.FAILED, starts=3, problem=problem
        )
        repositories.jobs.save(failed)
        assert repositories.jobs.find("j1") == failed

    def test_running_jobs_are_listed_oldest_first(self, repositories: Repositories) -> None:
        young, old = build_job("a", ANONYMOUS, 2_000), build_job("b", ANONYMOUS, 1_000)
        done = dataclasses.replace(build_job("c", ANONYMOUS), status=JobStatus.SUCCEEDED)
        assert repositories.jobs.list_running() == []
        for job in (young, done, old):
            repositories.jobs.save(job)
        assert repositories.jobs.list_running() == [old, young]

    def test_token_stands_for_what_it_was_added_for(self, repositories: Repositories) -> None:
        digest, other = Sha256(b"\1" * 32), Sha256(b"\2" * 32)
        home = TokenGrant(None, ALL_SCOPES)
        account = TokenGrant(builders.build_address(1), frozenset({Scope.READ}))
        assert repositories.tokens.find(digest) is None
        repositories.tokens.add(digest, home)
        repositories.tokens.add(digest, account)
        assert repositories.tokens.find(digest) == account
        assert repositories.tokens.find(other) is None
        repositories.tokens.add(other, home)
        assert repositories.tokens.find(other) == home

    def test_digest_of_another_length_is_refused(self, repositories: Repositories) -> None:
        with pytest.raises(InvariantViolation):
            repositories.tokens.add(Sha256(b"short"), TokenGrant(None, ALL_SCOPES))


def test_fresh_database_can_be_used(repositories: Repositories) -> None:
    repositories.check()


@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
def test_everything_is_there_when_opened_again(adapter: str, tmp_path: Path) -> None:
    registration = builders.build_registration(1)
    with ADAPTERS[adapter](tmp_path) as first:
        first.registrations.accept(registration, builders.build_fingerprints(1))
        batch = anchor(first, registration)
        before = first.registrations.find(registration.registration_id)
    with ADAPTERS[adapter](tmp_path) as second:
        assert second.registrations.find(registration.registration_id) == before
        assert len(list(second.fingerprints.iter_fingerprints(0))) == 2
        assert second.outbox.next_nonce(batch.sender, 0) == 1
