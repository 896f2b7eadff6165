"""Acts on claims on a real chain: what is recorded, what counts, and how verification tells it."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from homes import (
    Home,
    new_home,
    opened,
    share,
    signed_copy,
    without_chain,
)
from PIL import Image
from works import Works, count_sent, find_claim, list_entries, relay_withdrawal

from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import deed_word, derive_deed_id
from titledeed.errors import (
    ConflictError,
    InvalidRequestError,
    LedgerUnavailableError,
    NotAuthorizedError,
    NotFoundError,
)
from titledeed.media.digests import digest_file
from titledeed.models.evidence import Headline
from titledeed.models.ledger import (
    BindingPublished,
    EventRecorded,
    Issued,
    Withdrawn,
    WorkEvent,
)
from titledeed.models.primitives import DeedId, RegistrationId, Subject
from titledeed.models.principal import ANONYMOUS
from titledeed.proofs.entries import kind_word
from titledeed.services.acceptance import bind_softly
from titledeed_api import create_app
from titledeed_api.schemas import resources

pytestmark = pytest.mark.chain

UNKNOWN = RegistrationId("td1" + "a" * 32)


@pytest.fixture(scope="module")
def works(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Works:
    return Works(home, tmp_path_factory.mktemp("works"), seed=300)


@pytest.fixture(scope="module")
def untouched(works: Works) -> RegistrationId:
    """An anchored registration that no test changes."""
    return works.register_id()


class TestWithdrawing:
    def test_verification_says_that_and_when(self, home: Home, works: Works) -> None:
        outcome = works.register()
        before = home.verify(signed_copy(outcome))
        done = home.registry.acts.withdraw(
            outcome.registration.registration_id, principal=home.owner
        )
        assert done.is_new
        assert done.event.body == Withdrawn(
            Subject(outcome.registration.leaf), home.claimant, by_holder=False
        )
        after = home.verify(signed_copy(outcome))
        assert after.headline is before.headline is Headline.REGISTERED_EXACT
        assert after.sentence.startswith(before.sentence.removesuffix("."))
        assert ", withdrawn on 20" in after.sentence
        (entry,) = find_claim(home, outcome).entries
        assert (entry.kind, entry.counts, entry.sequence) == (
            "withdrawn",
            True,
            done.event.sequence,
        )
        assert entry.at == done.event.block_timestamp

    def test_a_copy_is_still_matched_and_says_it_too(
        self, home: Home, works: Works, tmp_path: Path
    ) -> None:
        outcome = works.register()
        home.registry.acts.withdraw(outcome.registration.registration_id, principal=home.owner)
        with Image.open(outcome.source) as picture:
            picture.convert("RGB").save(tmp_path / "copy.jpg", quality=85)
        report = home.verify(tmp_path / "copy.jpg")
        assert report.headline is Headline.REGISTERED_MATCH
        assert ", withdrawn on 20" in report.sentence

    def test_twice_is_once(self, home: Home, works: Works) -> None:
        registration_id = works.register_id()
        first = home.registry.acts.withdraw(registration_id, principal=home.owner)
        sent = count_sent(home)
        second = home.registry.acts.withdraw(registration_id, principal=home.owner)
        assert (second.event, second.is_new) == (first.event, False)
        assert count_sent(home) == sent

    def test_the_public_sees_it_too(self, home: Home, works: Works) -> None:
        outcome = works.register()
        home.registry.acts.withdraw(outcome.registration.registration_id, principal=home.owner)
        report = home.verify(signed_copy(outcome), ANONYMOUS)
        assert ", withdrawn on 20" in report.sentence

    def test_who_imported_it_on_the_same_chain_sees_it(
        self, home: Home, neighbour: Home, works: Works, tmp_path: Path
    ) -> None:
        outcome = works.register()
        share(home, neighbour, tmp_path)
        home.registry.acts.withdraw(outcome.registration.registration_id, principal=home.owner)
        claim = find_claim(neighbour, outcome)
        assert [(entry.kind, entry.counts) for entry in claim.entries] == [("withdrawn", True)]
        assert not claim.mine

    def test_a_withdrawn_claim_gets_no_deed(self, home: Home, works: Works) -> None:
        registration_id = works.register_id()
        home.registry.acts.withdraw(registration_id, principal=home.owner)
        with pytest.raises(ConflictError, match="was withdrawn"):
            home.registry.acts.issue(registration_id, principal=home.owner)

    def test_a_rebuilt_service_still_knows(self, home: Home, works: Works) -> None:
        outcome = works.register()
        home.registry.acts.withdraw(outcome.registration.registration_id, principal=home.owner)
        with opened(home.settings) as again:
            assert ", withdrawn on 20" in again.verify(signed_copy(outcome)).sentence


class TestStrangers:
    def test_they_are_refused_before_anything_is_sent(
        self, home: Home, neighbour: Home, works: Works, tmp_path: Path
    ) -> None:
        outcome = works.register()
        share(home, neighbour, tmp_path)
        sent = count_sent(home)
        with pytest.raises(NotAuthorizedError, match="not by this home"):
            neighbour.registry.acts.withdraw(
                outcome.registration.registration_id, principal=neighbour.owner
            )
        assert count_sent(home) == sent

    def test_what_they_write_is_shown_and_does_not_count(
        self, home: Home, neighbour: Home, works: Works
    ) -> None:
        outcome = works.register()
        before = home.verify(signed_copy(outcome))
        relay_withdrawal(neighbour, outcome.registration)
        after = home.verify(signed_copy(outcome))
        assert (after.sentence, after.headline) == (before.sentence, before.headline)
        (entry,) = find_claim(home, outcome).entries
        assert (entry.counts, entry.actor) == (False, neighbour.claimant)
        assert "somebody else than the claimant" in entry.detail

    def test_a_withdrawal_in_front_of_the_claimants_own_changes_nothing(
        self, home: Home, neighbour: Home, works: Works
    ) -> None:
        registration = works.register().registration
        relay_withdrawal(neighbour, registration)
        assert home.registry.acts.withdraw(
            registration.registration_id, principal=home.owner
        ).is_new
        counted = [entry.counts for entry in list_entries(home, registration)]
        assert counted == [False, True]


class TestDeeds:
    def test_it_is_issued_to_the_claimant_and_told(self, home: Home, works: Works) -> None:
        outcome = works.register()
        registration = outcome.registration
        done = home.registry.acts.issue(
            registration.registration_id, principal=home.owner, royalty=750
        )
        body = done.event.body
        assert isinstance(body, Issued)
        assert body.deed == derive_deed_id(home.claimant, registration.content_digest)
        assert (body.leaf, body.royalty, body.parents) == (registration.leaf, 750, ())
        assert home.adapters.ledger.find_holder(body.deed) == home.claimant
        assert ", given a deed on 20" in home.verify(signed_copy(outcome)).sentence

    def test_one_leaf_of_a_batch_can_be_issued(self, home: Home, works: Works) -> None:
        works.register(wait=False)
        second = works.register(wait=False)
        third = works.register()
        registration = home.registry.registration.get(
            second.registration.registration_id, home.owner
        )
        assert registration.anchor is not None
        assert registration.anchor.size == 3
        assert third.registration.anchor == registration.anchor
        assert home.registry.acts.issue(registration.registration_id, principal=home.owner).is_new

    def test_twice_is_once_and_other_terms_are_refused(self, home: Home, works: Works) -> None:
        registration_id = works.register_id()
        first = home.registry.acts.issue(registration_id, principal=home.owner, royalty=100)
        second = home.registry.acts.issue(registration_id, principal=home.owner, royalty=100)
        assert (second.event, second.is_new) == (first.event, False)
        with pytest.raises(ConflictError, match="has a deed already, with a royalty of 1 %"):
            home.registry.acts.issue(registration_id, principal=home.owner, royalty=200)

    def test_afterwards_the_deed_is_withdrawn_and_not_the_leaf(
        self, home: Home, works: Works
    ) -> None:
        outcome = works.register()
        registration = outcome.registration
        issued = home.registry.acts.issue(
            registration.registration_id, principal=home.owner
        ).event.body
        assert isinstance(issued, Issued)
        done = home.registry.acts.withdraw(registration.registration_id, principal=home.owner)
        assert done.event.body == Withdrawn(deed_word(issued.deed), home.claimant, by_holder=True)
        entries = list_entries(home, registration)
        assert [(entry.kind, entry.counts) for entry in entries] == [
            ("issued", True),
            ("withdrawn", True),
        ]
        assert not home.registry.acts.withdraw(
            registration.registration_id, principal=home.owner
        ).is_new

    def test_a_parent_is_claimed_only_until_its_holder_confirms(
        self, home: Home, neighbour: Home, works: Works
    ) -> None:
        parent = works.register_id()
        parent_deed = home.registry.acts.issue(parent, principal=home.owner).event.body
        assert isinstance(parent_deed, Issued)
        child = works.register(home=neighbour).registration
        issued = neighbour.registry.acts.issue(
            child.registration_id, principal=neighbour.owner, parents=[parent_deed.deed]
        )
        assert isinstance(issued.event.body, Issued)
        assert "(claimed only)" in list_entries(neighbour, child)[0].detail
        done = home.registry.acts.confirm_derivative(
            parent, issued.event.body.deed, principal=home.owner
        )
        assert done.is_new
        assert not home.registry.acts.confirm_derivative(
            parent, issued.event.body.deed, principal=home.owner
        ).is_new
        assert "(confirmed)" in list_entries(neighbour, child)[0].detail

    def test_a_parent_without_a_deed_cannot_be_named(
        self, home: Home, works: Works, untouched: RegistrationId
    ) -> None:
        child = works.register_id()
        with pytest.raises(ConflictError, match="is not issued"):
            home.registry.acts.issue(child, principal=home.owner, parents=[untouched])
        with pytest.raises(ConflictError, match="has no deed yet"):
            home.registry.acts.confirm_derivative(untouched, child, principal=home.owner)

    def test_a_work_is_not_its_own_parent(self, home: Home, untouched: RegistrationId) -> None:
        with pytest.raises(InvalidRequestError, match="derive from itself"):
            home.registry.acts.issue(untouched, principal=home.owner, parents=[untouched])

    @pytest.mark.parametrize("royalty", [-1, 10_001])
    def test_a_royalty_is_a_share(
        self, home: Home, untouched: RegistrationId, royalty: int
    ) -> None:
        with pytest.raises(InvalidRequestError, match="basis points"):
            home.registry.acts.issue(untouched, principal=home.owner, royalty=royalty)

    def test_seventeen_parents_are_too_many(self, home: Home, untouched: RegistrationId) -> None:
        parents = [DeedId(number) for number in range(1, 18)]
        with pytest.raises(InvalidRequestError, match="at most 16"):
            home.registry.acts.issue(untouched, principal=home.owner, parents=parents)


class TestSuperseding:
    def test_the_successor_is_named(self, home: Home, works: Works) -> None:
        first, second = works.register(), works.register().registration
        registration_id = first.registration.registration_id
        done = home.registry.acts.supersede(
            registration_id, second.registration_id, principal=home.owner
        )
        assert done.is_new
        assert not home.registry.acts.supersede(
            registration_id, second.registration_id, principal=home.owner
        ).is_new
        assert ", superseded on 20" in home.verify(signed_copy(first)).sentence
        (entry,) = find_claim(home, first).entries
        assert second.leaf.hex() in entry.detail
        assert list_entries(home, second) == ()

    def test_a_deed_is_superseded_by_a_deed(self, home: Home, works: Works) -> None:
        first, second = works.register().registration, works.register().registration
        for registration in (first, second):
            home.registry.acts.issue(registration.registration_id, principal=home.owner)
        home.registry.acts.supersede(
            first.registration_id, second.registration_id, principal=home.owner
        )
        entry = list_entries(home, first)[-1]
        deed = derive_deed_id(home.claimant, second.content_digest)
        assert entry.counts
        assert deed_word(deed).hex() in entry.detail

    def test_a_withdrawn_successor_is_refused(self, home: Home, works: Works) -> None:
        first, second = works.register_id(), works.register_id()
        home.registry.acts.withdraw(second, principal=home.owner)
        with pytest.raises(ConflictError, match="withdrawn itself"):
            home.registry.acts.supersede(first, second, principal=home.owner)

    def test_nothing_supersedes_itself(self, home: Home) -> None:
        with pytest.raises(InvalidRequestError, match="supersede itself"):
            home.registry.acts.supersede(UNKNOWN, UNKNOWN, principal=home.owner)


class TestEvents:
    def test_a_document_makes_another_event(self, home: Home, works: Works, tmp_path: Path) -> None:
        registration = works.register().registration
        document = tmp_path / "programme.pdf"
        document.write_bytes(b"programme")
        acts, registration_id = home.registry.acts, registration.registration_id
        bare = acts.record_event(registration_id, WorkEvent.SCREENED, principal=home.owner)
        told = acts.record_event(
            registration_id, WorkEvent.SCREENED, document, principal=home.owner
        )
        again = acts.record_event(
            registration_id, WorkEvent.SCREENED, document, principal=home.owner
        )
        assert (bare.is_new, told.is_new, again.is_new) == (True, True, False)
        assert isinstance(told.event.body, EventRecorded)
        assert told.event.body.digest == digest_file(document)
        assert [entry.kind for entry in list_entries(home, registration)] == ["screened"] * 2

    def test_a_word_of_ones_own_is_kept_as_its_hash(self, home: Home, works: Works) -> None:
        registration = works.register().registration
        home.registry.acts.record_event(
            registration.registration_id, "sold at auction", principal=home.owner
        )
        (entry,) = list_entries(home, registration)
        assert entry.kind == f"0x{kind_word('sold at auction').hex()}"

    @pytest.mark.parametrize("kind", ["", "  ", "x" * 65, WorkEvent.DERIVATIVE_CONFIRMED])
    def test_some_words_are_refused(self, home: Home, kind: str) -> None:
        with pytest.raises(InvalidRequestError):
            home.registry.acts.record_event(UNKNOWN, kind, principal=home.owner)

    def test_only_what_changes_the_worth_is_in_the_sentence(self, home: Home, works: Works) -> None:
        outcome = works.register()
        before = home.verify(signed_copy(outcome)).sentence
        home.registry.acts.record_event(
            outcome.registration.registration_id, WorkEvent.PUBLISHED, principal=home.owner
        )
        assert home.verify(signed_copy(outcome)).sentence == before


class TestBindings:
    ENDPOINT = "https://registry.example/v1"

    def test_each_soft_binding_leads_to_the_manifest(self, home: Home, works: Works) -> None:
        registration = works.register().registration
        dossier = home.adapters.vault.dossiers.read(registration.registration_id)
        done = home.registry.acts.publish_binding(
            registration.registration_id, self.ENDPOINT, principal=home.owner
        )
        expected = [
            BindingPublished(
                keccak256(b64decode(binding.value)),
                home.claimant,
                self.ENDPOINT,
                registration.manifest_id or "",
            )
            for binding in bind_softly(dossier.fingerprints)
        ]
        assert [act.event.body for act in done] == expected
        assert expected
        again = home.registry.acts.publish_binding(
            registration.registration_id, self.ENDPOINT, principal=home.owner
        )
        assert [act.is_new for act in again] == [False] * len(done)

    def test_a_private_registration_stays_private(self, home: Home, works: Works) -> None:
        private = works.register(publish=False).registration
        with pytest.raises(ConflictError, match="is private"):
            home.registry.acts.publish_binding(
                private.registration_id, self.ENDPOINT, principal=home.owner
            )

    @pytest.mark.parametrize(
        "endpoint",
        ["", "http://plain.example/", "https://", "https://a.example/\n", "https://[", "x" * 600],
    )
    def test_only_a_plain_https_url_is_published(self, home: Home, endpoint: str) -> None:
        with pytest.raises(InvalidRequestError, match="https URL"):
            home.registry.acts.publish_binding(UNKNOWN, endpoint, principal=home.owner)


class TestRefusals:
    def test_an_unknown_registration(self, home: Home) -> None:
        with pytest.raises(NotFoundError, match="no registration"):
            home.registry.acts.withdraw(UNKNOWN, principal=home.owner)

    def test_one_that_waits_for_its_block(self, home: Home, works: Works) -> None:
        waiting = works.register(wait=False).registration.registration_id
        with pytest.raises(ConflictError, match="in no block yet") as caught:
            home.registry.acts.withdraw(waiting, principal=home.owner)
        assert f"titledeed receipt {waiting}" in caught.value.next_step
        home.registry.registration.complete(waiting, home.owner)

    def test_one_of_another_chain(
        self, home: Home, works: Works, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        with new_home(tmp_path_factory.mktemp("rival") / "home") as rival:
            theirs = works.register(home=rival).registration
            share(rival, home, tmp_path)
        with pytest.raises(InvalidRequestError, match="another chain"):
            home.registry.acts.withdraw(theirs.registration_id, principal=home.owner)
        imported = home.registry.registration.get(theirs.registration_id, home.owner)
        assert home.registry.history.list_entries(imported, home.owner) == ()

    def test_a_chain_that_does_not_answer(self, home: Home, untouched: RegistrationId) -> None:
        with without_chain(home) as chainless, pytest.raises(LedgerUnavailableError):
            chainless.registry.acts.withdraw(untouched, principal=chainless.owner)


class TestPages:
    def test_data_and_pages_show_the_entries(self, home: Home, works: Works) -> None:
        outcome = works.register()
        registration_id = outcome.registration.registration_id
        done = home.registry.acts.withdraw(registration_id, principal=home.owner)
        file = signed_copy(outcome)
        with TestClient(create_app(home.settings)) as client:
            data = client.get(f"/v1/registrations/{registration_id}").json()
            page = client.get(
                f"/registrations/{registration_id}", headers={"Accept": "text/html"}
            ).text
            found = client.post(
                "/v1/verifications",
                files={"file": (file.name, file.read_bytes())},
                headers={"Prefer": "wait"},
            ).json()
            result = client.get(
                f"/verifications/{found['id']}", headers={"Accept": "text/html"}
            ).text
        assert resources.RegistrationResource.model_validate(data).entries[0].kind == "withdrawn"
        verification = resources.Verification.model_validate(found)
        assert (
            verification.claims[0].entries
            == resources.RegistrationResource.model_validate(data).entries
        )
        for shown in (page, result):
            assert f"Counts · entry {done.event.sequence}, withdrawn" in shown
