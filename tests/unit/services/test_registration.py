"""Registering files and folders: what becomes of each file and of the batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from builders import OWNER
from homes import accepted, refused, signed_copy, statement
from service_desk import PUBLIC, ServiceDesk, development_chain, public_chain
from simulation.ledger_simulator import LedgerSimulator
from simulation.simulated_media import write_media

from titledeed.errors import (
    DependencyError,
    InvalidRequestError,
    LedgerUnavailableError,
    MalformedMediaError,
    NotFoundError,
    SigningError,
    StorageError,
    UnreadableInputError,
    UnsupportedMediaTypeError,
)
from titledeed.media.digests import digest_file
from titledeed.models.asset import MediaType
from titledeed.models.evidence import ClaimStatus, TimeCode
from titledeed.models.ledger import Tombstone
from titledeed.models.primitives import RegistrationId
from titledeed.models.registration import Visibility
from titledeed.services.evidence import require_bundle
from titledeed.services.registration import SIMILAR_MAX, RegisteredFile

UNKNOWN = RegistrationId("td1" + "a" * 32)


class TestOneFile:
    def test_it_is_signed_anchored_and_proven(self, desk: ServiceDesk) -> None:
        source = desk.write("a.png", 1)
        outcome = desk.register_one(source, said=statement(title="A work"))
        registration = outcome.registration
        assert outcome.created
        assert (registration.title, registration.claimant) == ("A work", desk.keys.address)
        assert registration.content_digest == digest_file(source)
        assert registration.signed_digest == digest_file(signed_copy(outcome))
        assert registration.status is ClaimStatus.INCLUDED
        bundle = desk.vault.bundles.read(registration.registration_id)
        require_bundle(bundle)
        assert outcome.bundle_path == desk.vault.bundles.locate(registration.registration_id)

    def test_without_a_title_the_file_names_it(self, desk: ServiceDesk) -> None:
        assert desk.register_one(desk.write("My film.mp4", 1)).registration.title == "My film"

    def test_a_type_without_credentials_is_registered_and_says_so(self, desk: ServiceDesk) -> None:
        outcome = desk.register_one(desk.write("a.mkv", 1, MediaType.MKV))
        assert outcome.notes == ("registry only: this type carries no credentials",)
        assert outcome.registration.signed_path is None
        assert desk.signer.signed == []
        assert desk.reader.read_files == []

    def test_notes_of_the_examination_are_told_once(self, desk: ServiceDesk) -> None:
        path = write_media(desk.media / "a.png", 1, notes=("all black", "all black"))
        assert desk.register_one(path).notes == ("all black",)

    @pytest.mark.parametrize(
        ("chain", "code"),
        [(development_chain, TimeCode.SELF_KEPT), (public_chain, TimeCode.PUBLIC_CHAIN)],
    )
    def test_its_time_is_worth_what_the_chain_is_worth(
        self, tmp_path: Path, chain: Callable[[], LedgerSimulator], code: TimeCode
    ) -> None:
        desk = ServiceDesk(tmp_path / "home", chain())
        assert desk.register_one(desk.write("a.png", 1)).time_code is code
        desk.close()

    def test_progress_goes_up_and_ends_with_the_file(self, desk: ServiceDesk) -> None:
        told: list[tuple[str, float]] = []
        desk.register(
            desk.write("a.png", 1),
            wait=False,
            progress=lambda label, fraction: told.append((label, fraction)),
        )
        assert told == [("a.png", 0.0), ("a.png", 0.8), ("a.png", 1.0)]

    def test_its_thumbnail_and_copy_can_be_read_and_its_index_is_kept(
        self, desk: ServiceDesk
    ) -> None:
        outcome = desk.register_one(desk.write("a.png", 7))
        assert desk.registration.thumbnail(outcome.registration) == b"thumbnail 7"
        with desk.registration.open_signed_copy(outcome.registration, desk.owner) as file:
            assert file.read() == signed_copy(outcome).read_bytes()
        assert desk.index.kept == 1

    def test_sound_has_no_thumbnail(self, desk: ServiceDesk) -> None:
        outcome = desk.register_one(desk.write("a.wav", 7, MediaType.WAV))
        assert desk.registration.thumbnail(outcome.registration) == b""


class TestFolders:
    def test_they_are_walked_and_their_media_registered_in_a_stable_order(
        self, desk: ServiceDesk
    ) -> None:
        for seed, name in enumerate(["b.png", "a/z.png", "a/b/c.png"]):
            desk.write(name, seed)
        found = [accepted(one) for one in desk.register(desk.media)]
        assert [Path(one.source).name for one in found] == ["c.png", "z.png", "b.png"]
        assert len({one.registration.anchor for one in found}) == 1

    def test_links_are_passed_over(self, desk: ServiceDesk, tmp_path: Path) -> None:
        desk.write("a.png", 1)
        secret = write_media(tmp_path / "private" / "secret.png", 2)
        (desk.media / "link.png").symlink_to(secret)
        (desk.media / "folder").symlink_to(secret.parent)
        (outcome,) = desk.register(desk.media)
        assert Path(accepted(outcome).source).name == "a.png"
        assert secret not in desk.examiner.examined

    def test_a_link_that_is_named_itself_is_followed(
        self, desk: ServiceDesk, tmp_path: Path
    ) -> None:
        link = tmp_path / "link.png"
        link.symlink_to(desk.write("a.png", 1))
        assert desk.register_one(link).created

    def test_what_is_no_medium_is_passed_over_in_silence(self, desk: ServiceDesk) -> None:
        desk.write("a.png", 1)
        (desk.media / "notes.txt").write_text("no medium")
        os.mkfifo(desk.media / "pipe.png")
        assert len(desk.register(desk.media)) == 1

    def test_what_is_no_medium_and_is_named_itself_is_refused(self, desk: ServiceDesk) -> None:
        good, text = desk.write("a.png", 1), desk.media / "notes.txt"
        text.write_text("no medium")
        one, other = desk.register(good, text)
        assert accepted(one).created
        assert isinstance(refused(other), UnsupportedMediaTypeError)
        assert other.source == str(text)

    def test_a_file_named_twice_is_registered_once(self, desk: ServiceDesk) -> None:
        path = desk.write("a.png", 1)
        assert len(desk.register(path, path, desk.media)) == 1

    def test_an_empty_folder_is_an_empty_batch(self, desk: ServiceDesk) -> None:
        desk.media.mkdir()
        assert desk.register(desk.media) == []
        assert desk.ledger.events == []


class TestRefusedFiles:
    def test_a_broken_file_does_not_stop_the_others(self, desk: ServiceDesk) -> None:
        first, last = desk.write("a.png", 1), desk.write("c.png", 2)
        (desk.media / "b.png").write_bytes(first.read_bytes()[:90])
        one, broken, other = desk.register(desk.media)
        assert isinstance(refused(broken), MalformedMediaError)
        sources = [accepted(outcome).source for outcome in (one, other)]
        assert sources == [str(first), str(last)]
        assert accepted(one).registration.anchor == accepted(other).registration.anchor

    def test_one_that_cannot_be_signed_does_not_either(self, desk: ServiceDesk) -> None:
        desk.signer.failures = [SigningError("the library refused")]
        bad, good = desk.register(desk.write("a.png", 1), desk.write("b.png", 2))
        assert isinstance(refused(bad), SigningError)
        assert accepted(good).bundle_path is not None

    def test_one_that_vanished_meanwhile_does_not_either(self, desk: ServiceDesk) -> None:
        gone, good = desk.write("a.png", 1), desk.write("b.png", 2)
        desk.examiner.meanwhile = lambda: gone.unlink(missing_ok=True)
        bad, other = desk.register(gone, good)
        assert isinstance(refused(bad), UnreadableInputError)
        assert accepted(other).created

    def test_a_full_disk_stops_the_batch_and_keeps_what_was_accepted(
        self, desk: ServiceDesk
    ) -> None:
        first, second = desk.write("a.png", 1), desk.write("b.png", 2)
        desk.register_one(first, wait=False)
        desk.signer.failures = [OSError(28, "No space left on device")]
        with pytest.raises(StorageError, match="No space left"):
            desk.register(first, second)
        assert desk.registrations.count_own() == 1
        assert desk.register_one(second).created

    def test_all_refused_anchor_nothing(self, desk: ServiceDesk) -> None:
        (desk.media).mkdir()
        (desk.media / "a.png").write_bytes(b"")
        (outcome,) = desk.register(desk.media / "a.png")
        assert isinstance(refused(outcome), MalformedMediaError)
        assert desk.ledger.events == []


class TestRequestsThatContradictThemselves:
    @pytest.fixture(autouse=True)
    def _nothing_is_done(self, desk: ServiceDesk) -> Iterator[None]:
        desk.write("a.png", 1)
        desk.write("b.png", 2)
        yield
        assert desk.examiner.examined == []
        assert desk.registrations.count_own() == 0

    def test_one_title_for_several_files(self, desk: ServiceDesk) -> None:
        with pytest.raises(InvalidRequestError, match="one title"):
            desk.register(desk.media, said=statement(title="Both"))

    def test_a_title_that_no_document_can_hold(self, desk: ServiceDesk) -> None:
        with pytest.raises(InvalidRequestError, match="1 to 300 characters"):
            desk.register(desk.media / "a.png", said=statement(title="x" * 10_000))

    @pytest.mark.parametrize("output", ["media", "media/signed", "media/../media", "media/b/c"])
    def test_copies_that_would_land_among_the_inputs(
        self, desk: ServiceDesk, tmp_path: Path, output: str
    ) -> None:
        with pytest.raises(InvalidRequestError, match="input folder"):
            desk.register(desk.media, said=statement(output=tmp_path / output))

    def test_a_copy_that_would_land_beside_its_source(self, desk: ServiceDesk) -> None:
        with pytest.raises(InvalidRequestError, match="input folder"):
            desk.register(desk.media / "a.png", said=statement(output=desk.media))

    def test_a_link_to_the_input_folder_is_seen_through(
        self, desk: ServiceDesk, tmp_path: Path
    ) -> None:
        (tmp_path / "elsewhere").symlink_to(desk.media)
        with pytest.raises(InvalidRequestError, match="input folder"):
            desk.register(desk.media, said=statement(output=tmp_path / "elsewhere"))

    def test_the_homes_own_copies_are_no_input(self, desk: ServiceDesk) -> None:
        signed = Path(desk.vault.signed_copies.folder)
        signed.mkdir(parents=True)
        with pytest.raises(InvalidRequestError, match="input folder"):
            desk.register(signed)

    def test_a_source_that_is_not_there(self, desk: ServiceDesk) -> None:
        with pytest.raises(UnreadableInputError, match=r"gone\.png does not exist"):
            desk.register(desk.media / "a.png", desk.media / "gone.png")

    def test_a_chain_that_is_down(self, desk: ServiceDesk) -> None:
        desk.ledger.go_down()
        with pytest.raises(LedgerUnavailableError):
            desk.register(desk.media)

    def test_more_than_may_wait_for_an_anchor(self, tmp_path: Path, desk: ServiceDesk) -> None:
        narrow = ServiceDesk(tmp_path / "narrow", waiting_max=1)
        with pytest.raises(DependencyError, match="wait for an anchor"):
            narrow.register(desk.media, wait=False)
        assert narrow.examiner.examined == []
        narrow.close()


class TestOutputFolders:
    def test_a_name_too_long_for_the_copys_ending_stops_no_other(
        self, desk: ServiceDesk, tmp_path: Path
    ) -> None:
        """A file may have a name of 255 bytes, and none after which .png could stand."""
        desk.write("a" * 255, 1)
        desk.write("b.png", 2)
        outcomes = desk.register(desk.media, said=statement(output=tmp_path / "out"))
        assert accepted(outcomes[-1]).created

    def test_a_copy_goes_where_it_was_wanted(self, desk: ServiceDesk, tmp_path: Path) -> None:
        outcome = desk.register_one(
            desk.write("a.jpeg", 1, MediaType.JPEG), said=statement(output=tmp_path / "out")
        )
        assert signed_copy(outcome) == tmp_path / "out" / "a.jpg"

    def test_a_folder_inside_that_of_a_single_file_will_do(self, desk: ServiceDesk) -> None:
        inside = desk.media / "signed"
        outcome = desk.register_one(desk.write("a.png", 1), said=statement(output=inside))
        assert signed_copy(outcome).parent == inside

    def test_a_strangers_file_is_never_overwritten(self, desk: ServiceDesk, tmp_path: Path) -> None:
        theirs = tmp_path / "out" / "a.png"
        theirs.parent.mkdir()
        theirs.write_bytes(b"theirs")
        outcome = desk.register_one(desk.write("a.png", 1), said=statement(output=theirs.parent))
        assert theirs.read_bytes() == b"theirs"
        assert signed_copy(outcome).parent == theirs.parent


class TestWithoutWaiting:
    def test_it_is_accepted_and_has_no_bundle_yet(self, desk: ServiceDesk) -> None:
        desk.ledger.go_down()
        outcome = desk.register_one(desk.write("a.png", 1), wait=False)
        assert outcome.created
        assert outcome.registration.status is ClaimStatus.PENDING
        assert (outcome.bundle_path, outcome.time_code) == (None, TimeCode.CLAIMED_ONLY)

    def test_one_that_was_anchored_before_shows_its_bundle(self, desk: ServiceDesk) -> None:
        path = desk.write("a.png", 1)
        first = desk.register_one(path)
        desk.ledger.go_down()
        fresh, again = desk.register(desk.write("0.png", 2), path, wait=False)
        assert accepted(fresh).bundle_path is None
        assert accepted(again).bundle_path == first.bundle_path
        assert accepted(again).time_code is TimeCode.SELF_KEPT

    def test_the_receipt_completes_it(self, desk: ServiceDesk) -> None:
        waiting = desk.register_one(desk.write("a.png", 1), wait=False).registration
        completed = desk.registration.complete(waiting.registration_id, desk.owner)
        assert completed.registration.anchor is not None
        assert completed.bundle_path is not None
        assert (completed.created, completed.time_code) == (False, TimeCode.SELF_KEPT)
        desk.ledger.go_down()
        assert desk.registration.complete(waiting.registration_id, desk.owner) == completed

    def test_the_receipt_waits_for_a_chain_that_is_down(self, desk: ServiceDesk) -> None:
        waiting = desk.register_one(desk.write("a.png", 1), wait=False).registration
        desk.ledger.go_down()
        with pytest.raises(LedgerUnavailableError):
            desk.registration.complete(waiting.registration_id, desk.owner)


class TestAChainThatStopsAfterAcceptance:
    def test_everything_is_accepted_and_what_to_do_is_named(self, desk: ServiceDesk) -> None:
        paths = [desk.write(f"{seed}.png", seed) for seed in range(SIMILAR_MAX + 2)]
        desk.ledger.stop_mining()
        with pytest.raises(LedgerUnavailableError) as raised:
            desk.register(*paths)
        owned = [one for _, one in desk.registrations.list_own(after=0, limit=100)]
        assert len(owned) == len(paths)
        assert raised.value.next_step.startswith("Nothing is lost. Run `titledeed receipt ID`")
        for registration in owned[:SIMILAR_MAX]:
            assert registration.registration_id in raised.value.next_step
        assert raised.value.next_step.endswith(" and 2 more.")
        assert raised.value.transaction is not None

    def test_the_same_call_goes_on(self, desk: ServiceDesk) -> None:
        path = desk.write("a.png", 1)
        desk.ledger.stop_mining()
        with pytest.raises(LedgerUnavailableError):
            desk.register(path)
        desk.ledger.resume_mining()
        desk.ledger.mine()
        outcome = desk.register_one(path)
        assert not outcome.created
        assert outcome.registration.anchor is not None
        assert len(desk.ledger.events) == 1


def test_one_that_is_erased_while_the_batch_waits_does_not_hide_the_others(
    desk: ServiceDesk,
) -> None:
    desk.write("a.png", 1)
    desk.write("b.png", 2)

    def erase_first(label: str, fraction: float) -> None:
        if label == "Anchoring" and fraction == 1.0:
            ((_, first),) = desk.registrations.list_own(after=0, limit=1)
            tombstone = Tombstone(first.registration_id, first.leaf, desk.clock())
            desk.registrations.erase(tombstone)

    outcomes = desk.register(desk.media, progress=erase_first)
    assert accepted(outcomes[-1]).bundle_path is not None


@pytest.fixture
def private(desk: ServiceDesk) -> RegisteredFile:
    return desk.register_one(desk.write("a.png", 1))


class TestAnswersAboutRegistrations:
    def test_the_owner_sees_a_private_one_and_others_cannot_tell_it_from_none(
        self, desk: ServiceDesk, private: RegisteredFile
    ) -> None:
        hidden = private.registration.registration_id
        assert desk.registration.get(hidden, OWNER) == private.registration
        messages = []
        for registration_id in (hidden, UNKNOWN):
            with pytest.raises(NotFoundError) as raised:
                desk.registration.get(registration_id, PUBLIC)
            messages.append(raised.value.message.replace(registration_id, "ID"))
        assert messages[0] == messages[1]

    def test_publishing_shows_it_and_outlives_a_rebuild(
        self, desk: ServiceDesk, private: RegisteredFile
    ) -> None:
        registration_id = private.registration.registration_id
        shown = desk.registration.set_visibility(registration_id, Visibility.PUBLISHED, desk.owner)
        assert desk.registration.get(registration_id, PUBLIC) == shown
        kept = desk.vault.dossiers.read_kept(registration_id)
        assert kept.visibility is Visibility.PUBLISHED
        desk.registration.set_visibility(registration_id, Visibility.PRIVATE, desk.owner)
        with pytest.raises(NotFoundError):
            desk.registration.get(registration_id, PUBLIC)

    def test_the_owner_is_not_told_of_what_nobody_registered(self, desk: ServiceDesk) -> None:
        with pytest.raises(NotFoundError):
            desk.registration.get(UNKNOWN, OWNER)

    def test_only_own_ones_are_published_or_completed(
        self, desk: ServiceDesk, rival: ServiceDesk
    ) -> None:
        theirs = rival.share_with(desk, rival.register_one(rival.write("a.png", 9)))
        for registration_id in (theirs.registration_id, UNKNOWN):
            with pytest.raises(NotFoundError, match="registered nothing"):
                desk.registration.set_visibility(registration_id, Visibility.PRIVATE, desk.owner)
            with pytest.raises(NotFoundError, match="registered nothing"):
                desk.registration.complete(registration_id, desk.owner)
        assert desk.registrations.find(theirs.registration_id) == theirs

    def test_the_bundle_is_read_once_there_is_one(self, desk: ServiceDesk) -> None:
        waiting = desk.register_one(desk.write("a.png", 1), wait=False).registration
        assert desk.registration.bundle_path(waiting) is None
        with pytest.raises(NotFoundError, match="no evidence bundle yet"):
            desk.registration.read_bundle(waiting)
        completed = desk.registration.complete(waiting.registration_id, desk.owner)
        assert completed.bundle_path is not None
        data = desk.registration.read_bundle(completed.registration)
        assert data == Path(completed.bundle_path).read_bytes()

    def test_a_copy_that_is_not_there_is_told(
        self, desk: ServiceDesk, private: RegisteredFile
    ) -> None:
        signed_copy(private).unlink()
        with pytest.raises(NotFoundError, match="not kept any more"):
            desk.registration.open_signed_copy(private.registration, desk.owner)
        without = desk.register_one(desk.write("a.mkv", 2, MediaType.MKV)).registration
        with pytest.raises(NotFoundError, match="no signed copy here"):
            desk.registration.open_signed_copy(without, desk.owner)
