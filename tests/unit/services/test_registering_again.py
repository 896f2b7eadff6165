"""Registering what is known: the same again, what resembles it, and what only seems the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import build_claimant, build_fingerprints
from homes import accepted, copy_of, signed_copy, statement
from service_desk import ServiceDesk
from simulation.index_simulator import match_of
from simulation.manifest_simulator import SignerSimulator, add_update_manifest, strip_manifests
from simulation.simulated_media import write_media

from titledeed.media.digests import digest_file
from titledeed.models.ledger import Tombstone
from titledeed.models.primitives import RegistrationId
from titledeed.models.registration import Visibility
from titledeed.services.registration import SIMILAR_MAX

UNKNOWN = RegistrationId("td1" + "a" * 32)


class TestAgain:
    def test_the_same_bytes_are_the_same_registration(self, desk: ServiceDesk) -> None:
        first = desk.register_one(desk.write("a.png", 1), said=statement(title="First"))
        again = desk.register_one(desk.write("renamed.png", 1), said=statement(title="Second"))
        assert again.registration == first.registration
        assert (again.created, again.similar) == (False, ())
        assert again.notes == ("registered before: the title and disclosure of then stand",)
        assert again.bundle_path == first.bundle_path
        assert len(desk.ledger.events) == 1
        assert len(desk.signer.signed) == 1

    def test_twice_in_one_batch_is_once(self, desk: ServiceDesk) -> None:
        one, other = desk.register(desk.write("a.png", 1), desk.write("b.png", 1))
        assert [accepted(one).created, accepted(other).created] == [True, False]
        assert accepted(one).registration == accepted(other).registration

    def test_a_signed_copy_is_its_registration(self, desk: ServiceDesk, tmp_path: Path) -> None:
        first = desk.register_one(desk.write("a.png", 1))
        copy = copy_of(first, tmp_path / "copy.png")
        assert desk.register_one(copy).registration == first.registration

    def test_a_copy_that_got_a_receipt_is_its_registration(
        self, desk: ServiceDesk, tmp_path: Path
    ) -> None:
        first = desk.register_one(desk.write("a.png", 1))
        copy = copy_of(first, tmp_path / "copy.png")
        add_update_manifest(copy)
        again = desk.register_one(copy)
        assert digest_file(copy) != first.registration.signed_digest
        assert (again.registration, again.created) == (first.registration, False)

    @pytest.mark.parametrize("how", ["altered", "stripped", "untrusted", "label", "claim"])
    def test_a_file_that_only_seems_to_carry_our_manifest_is_a_work_of_its_own(
        self, desk: ServiceDesk, tmp_path: Path, how: str
    ) -> None:
        first = desk.register_one(desk.write("a.png", 1))
        other = desk.register_one(desk.write("b.png", 2))
        copy = copy_of(first, tmp_path / "copy.png")
        if how == "altered":
            copy.write_bytes(copy.read_bytes().replace(b"image/png", b"image/gif", 1))
        elif how == "stripped":
            write_media(copy, 1, encoding=2)
        elif how == "untrusted":
            add_update_manifest(copy, signer="A Stranger")
        elif how == "label":
            add_update_manifest(copy, content_manifest_id=other.registration.manifest_id)
        else:
            add_update_manifest(copy, claim=None)
        again = desk.register_one(copy)
        assert again.created
        assert again.registration not in (first.registration, other.registration)

    def test_the_stripped_copy_of_a_signed_file_is_the_source(
        self, desk: ServiceDesk, tmp_path: Path
    ) -> None:
        first = desk.register_one(desk.write("a.png", 1))
        copy = copy_of(first, tmp_path / "copy.png")
        strip_manifests(copy)
        assert desk.register_one(copy).registration == first.registration

    def test_a_copy_that_got_a_receipt_is_its_registration_whoever_else_claims_it(
        self, desk: ServiceDesk, rival: ServiceDesk, tmp_path: Path
    ) -> None:
        first = desk.register_one(desk.write("a.png", 1))
        copy = copy_of(first, tmp_path / "copy.png")
        add_update_manifest(copy)
        rival.share_with(desk, rival.register_one(copy))
        again = desk.register_one(copy)
        assert (again.registration, again.created) == (first.registration, False)

    def test_publishing_again_publishes_and_silence_takes_nothing_back(
        self, desk: ServiceDesk
    ) -> None:
        path = desk.write("a.png", 1)
        assert desk.register_one(path).registration.visibility is Visibility.PRIVATE
        published = desk.register_one(path, said=statement(publish=True))
        assert (published.created, published.registration.visibility) == (
            False,
            Visibility.PUBLISHED,
        )
        assert desk.register_one(path).registration.visibility is Visibility.PUBLISHED

    def test_after_an_erasure_it_is_new(self, desk: ServiceDesk) -> None:
        path = desk.write("a.png", 1)
        first = desk.register_one(path).registration
        desk.registrations.erase(Tombstone(first.registration_id, first.leaf, desk.clock()))
        assert desk.register_one(path).created


class TestSimilarWorks:
    def test_an_earlier_work_of_ones_own_is_shown(self, desk: ServiceDesk) -> None:
        first = desk.register_one(desk.write("a.png", 1)).registration
        match = match_of(first.registration_id)
        desk.index.tell(build_fingerprints(2), match)
        outcome = desk.register_one(desk.write("b.png", 2))
        (similar,) = outcome.similar
        assert (similar.registration, similar.match, similar.mine) == (first, match, True)

    def test_one_of_another_claimant_is_shown_as_theirs(
        self, desk: ServiceDesk, rival: ServiceDesk
    ) -> None:
        theirs = rival.share_with(desk, rival.register_one(rival.write("a.png", 1)))
        desk.index.tell(build_fingerprints(2), match_of(theirs.registration_id))
        (similar,) = desk.register_one(desk.write("b.png", 2)).similar
        assert (similar.registration, similar.mine) == (theirs, False)

    def test_the_same_bytes_of_another_claimant_come_first_and_once(
        self, desk: ServiceDesk, rival: ServiceDesk
    ) -> None:
        theirs = rival.share_with(desk, rival.register_one(rival.write("a.png", 1)))
        mine = desk.register_one(desk.write("b.png", 2)).registration
        match = match_of(theirs.registration_id, score=0.8)
        desk.index.tell(build_fingerprints(1), match_of(mine.registration_id), match)
        outcome = desk.register_one(desk.write("a.png", 1))
        assert outcome.created
        assert [(one.registration, one.match) for one in outcome.similar] == [
            (theirs, match),
            (mine, match_of(mine.registration_id)),
        ]

    def test_no_more_than_a_few_are_shown(self, desk: ServiceDesk) -> None:
        paths = [desk.write(f"{seed}.png", seed) for seed in range(SIMILAR_MAX + 2)]
        works = [accepted(one).registration for one in desk.register(*paths)]
        matches = [
            match_of(work.registration_id, score=0.9 - place / 100)
            for place, work in enumerate(works)
        ]
        desk.index.tell(build_fingerprints(100), *matches)
        outcome = desk.register_one(desk.write("new.png", 100))
        assert [one.registration for one in outcome.similar] == works[:SIMILAR_MAX]

    def test_what_the_index_names_and_the_database_does_not_is_left_out(
        self, desk: ServiceDesk
    ) -> None:
        desk.index.tell(build_fingerprints(2), match_of(UNKNOWN))
        assert desk.register_one(desk.write("b.png", 2)).similar == ()


def test_a_signer_that_others_trust_is_not_ours(desk: ServiceDesk, tmp_path: Path) -> None:
    """A rival's intact file names the rival's claim, not a registration of this home."""
    rival = ServiceDesk(tmp_path / "rival", holder=build_claimant(1))
    rival.signer = SignerSimulator("A Rival")
    theirs = rival.register_one(rival.write("a.png", 1))
    rival.close()
    outcome = desk.register_one(signed_copy(theirs), said=statement(title="Mine"))
    assert (outcome.created, outcome.registration.claimant) == (True, desk.keys.address)
