"""Accepting: the order of steps, and what is left where one of them fails."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from builders import build_claimant, build_dossier
from homes import refused, signed_copy, statement
from repository_adapters import without_table
from service_desk import ServiceDesk
from simulation.simulated_media import write_media

from titledeed.canonical.claims import hash_domain
from titledeed.canonical.identifiers import derive_registration_id
from titledeed.errors import (
    DependencyError,
    InvalidRequestError,
    InvariantViolation,
    PassphraseError,
    SigningError,
    StorageError,
    UnreadableInputError,
)
from titledeed.media.digests import digest_file
from titledeed.models.asset import MediaType
from titledeed.models.disclosure import DigitalSourceType, disclose_model
from titledeed.models.primitives import RegistrationId
from titledeed.models.registration import SigningIntent, Visibility
from titledeed.models.rights import Contributor
from titledeed.proofs.signatures import check_claim
from titledeed.services.acceptance import NO_LINEAGE, SignedWork, Statement, check_statement
from titledeed.vault.listing import list_dossier

SAID: Final = statement(title="A work")


def id_of(desk: ServiceDesk, source: Path) -> RegistrationId:
    """What the registration of a file is called, before anything is done."""
    return derive_registration_id(hash_domain(desk.domain), desk.keys.address, digest_file(source))


def work_of(desk: ServiceDesk, seed: int, *, holder: int = 0) -> SignedWork:
    """A work whose Claim is signed for the desk's chain, elsewhere."""
    dossier = build_dossier(seed, claimant=holder, media_type=MediaType.MKV)
    claim = dossier.record.signed_claim.claim
    return SignedWork(
        claim=desk.keys.sign_claim(claim, desk.domain),
        credential=None,
        manifest_store=b"",
        facts=dossier.record.facts,
        fingerprints=dossier.fingerprints,
        disclosure=dossier.disclosure,
        rights=dossier.rights,
        lineage=dossier.lineage or NO_LINEAGE,
        thumbnail=b"thumbnail",
        visibility=Visibility.PRIVATE,
        signed_path=None,
    )


class TestWhatIsKept:
    def test_the_dossier_lists_the_row_again(self, desk: ServiceDesk, source: Path) -> None:
        registration, is_new = desk.acceptance.accept(
            source,
            desk.examiner.examine(source),
            replace(SAID, credits=("Prompts: Ann",)),
            desk.keys.address,
        )
        assert is_new
        kept = desk.vault.dossiers.read_kept(registration.registration_id)
        listed = list_dossier(
            kept.dossier,
            visibility=kept.visibility,
            accepted_at=kept.accepted_at,
            signed_path=kept.signed_path,
        )
        assert listed == registration == desk.registrations.find(registration.registration_id)
        assert registration.accepted_at == desk.clock()
        assert kept.dossier.rights.contributors == (Contributor("Ann", "Prompts"),)

    def test_the_claim_is_signed_and_stands_in_the_copy(
        self, desk: ServiceDesk, source: Path
    ) -> None:
        examination = desk.examiner.examine(source)
        registration, _ = desk.acceptance.accept(source, examination, SAID, desk.keys.address)
        signed = desk.vault.dossiers.read(registration.registration_id).record.signed_claim
        check_claim(signed)
        assert signed.claim.claimed_at == desk.clock()
        assert signed.domain == desk.domain
        assert registration.signed_path is not None
        report = desk.reader.read(Path(registration.signed_path), MediaType.PNG)
        assert (report.signed_claim, report.title) == (signed, "A work")

    def test_two_dossiers_of_one_content_have_other_salts(
        self, desk: ServiceDesk, tmp_path: Path
    ) -> None:
        other = ServiceDesk(tmp_path / "other", desk.ledger)
        path = desk.write("a.png", 1)
        leaves = {one.register_one(path, wait=False).registration.leaf for one in (desk, other)}
        other.close()
        assert len(leaves) == 2

    def test_an_unfit_file_name_is_no_obstacle(self, desk: ServiceDesk) -> None:
        path = write_media(desk.media / "caf\udce9.png", 1)
        registration = desk.register_one(path, wait=False).registration
        assert registration.title == "caf?"
        with desk.registration.open_signed_copy(registration, desk.owner) as copy:
            assert copy.read().startswith(path.read_bytes())

    def test_a_long_file_name_gives_a_title_that_can_be_stated(self, desk: ServiceDesk) -> None:
        outcome = desk.register_one(desk.write("x" * 250 + ".png", 1), wait=False)
        assert outcome.registration.title == "x" * 250


class TestOrderOfSteps:
    def test_an_intent_stands_before_anything_is_signed(
        self, desk: ServiceDesk, source: Path
    ) -> None:
        desk.signer.failures = [SigningError("the library refused")]
        (outcome,) = desk.register(source)
        assert isinstance(refused(outcome), SigningError)
        registration_id = id_of(desk, source)
        intent = desk.registrations.find_intent(registration_id)
        assert isinstance(intent, SigningIntent)
        assert intent.source_path == str(source)
        assert intent.signed_path is not None
        assert intent.signed_path.startswith(desk.vault.signed_copies.folder)

    def test_the_copy_is_whole_before_the_dossier_is_written(
        self, desk: ServiceDesk, source: Path
    ) -> None:
        desk.objects.fail("dossiers/", KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            desk.register(source)
        (copy,) = Path(desk.vault.signed_copies.folder).rglob("*.png")
        report = desk.reader.read(copy, MediaType.PNG)
        assert report.signed_claim is not None
        assert desk.registrations.find_intent(id_of(desk, source)) is not None

    def test_the_dossier_is_durable_before_the_row(self, desk: ServiceDesk, source: Path) -> None:
        with without_table(desk.folder, "fingerprint"), pytest.raises(StorageError):
            desk.register(source)
        registration_id = id_of(desk, source)
        assert desk.vault.dossiers.read(registration_id).registration_id == registration_id
        assert desk.registrations.find(registration_id) is None

    def test_the_row_and_its_place_in_the_outbox_come_together(
        self, desk: ServiceDesk, source: Path
    ) -> None:
        with without_table(desk.folder, "fingerprint"), pytest.raises(StorageError):
            desk.register(source, wait=False)
        assert desk.outbox.count_waiting() == (0, None)
        desk.register(source, wait=False)
        assert desk.outbox.count_waiting() == (1, desk.clock())
        assert desk.registrations.find_intent(id_of(desk, source)) is None


Failing = Callable[[ServiceDesk], None]

STEPS: Final[dict[str, Failing]] = {
    "the library refuses": lambda desk: desk.signer.failures.append(SigningError("refused")),
    "the disk is full when signing": lambda desk: desk.signer.failures.append(OSError(28, "full")),
    "the disk is full when keeping": lambda desk: desk.objects.fail("dossiers/"),
    "killed while signing": lambda desk: desk.signer.failures.append(Killed()),
    "killed when keeping": lambda desk: desk.objects.fail("dossiers/", Killed()),
}


class Killed(Exception):  # noqa: N818 - no error of ours, as a signal is none
    """Whatever ends a process."""


class TestAStepThatFails:
    @pytest.mark.parametrize("step", STEPS)
    def test_nothing_counts_and_the_same_call_goes_on(
        self, desk: ServiceDesk, source: Path, step: str
    ) -> None:
        before = source.read_bytes()
        STEPS[step](desk)
        try:
            (outcome,) = desk.register(source)
        except (StorageError, Killed):
            pass
        else:
            assert isinstance(refused(outcome), SigningError)
        assert desk.registrations.count_own() == 0
        assert desk.outbox.count_waiting() == (0, None)
        assert desk.ledger.events == []
        assert source.read_bytes() == before
        again = desk.register_one(source)
        assert again.created
        assert digest_file(signed_copy(again)) == again.registration.signed_digest
        folder = signed_copy(again).parent
        assert list(folder.iterdir()) == [signed_copy(again)]

    @pytest.mark.parametrize("step", [step for step in STEPS if not step.startswith("killed")])
    def test_no_half_of_a_copy_is_left_where_it_was_wanted(
        self, desk: ServiceDesk, source: Path, tmp_path: Path, step: str
    ) -> None:
        STEPS[step](desk)
        with suppress(StorageError):
            desk.register(source, said=statement(output=tmp_path / "out"))
        assert list((tmp_path / "out").iterdir()) == []

    def test_a_copy_is_deleted_when_the_row_is_refused(
        self, desk: ServiceDesk, source: Path, tmp_path: Path
    ) -> None:
        with without_table(desk.folder, "fingerprint"), pytest.raises(StorageError):
            desk.register(source, said=statement(output=tmp_path / "out"))
        assert list((tmp_path / "out").iterdir()) == []

    def test_more_than_may_wait_deletes_the_copy_again(self, tmp_path: Path, source: Path) -> None:
        """Another process took the last place between the question and the acceptance."""
        desk = ServiceDesk(tmp_path / "narrow", waiting_max=1)
        other = ServiceDesk(tmp_path / "narrow")
        rival = other.write("b.png", 2)
        desk.signer.meanwhile = lambda _source: other.register(rival, wait=False)
        with pytest.raises(DependencyError, match="wait for an anchor"):
            desk.register(source, wait=False)
        assert desk.registrations.find(id_of(desk, source)) is None
        copies = [p for p in Path(desk.vault.signed_copies.folder).rglob("*") if p.is_file()]
        assert len(copies) == 1
        assert desk.reader.read(copies[0], MediaType.PNG).title == "b"
        desk.close()
        other.close()

    def test_a_locked_key_is_told_before_anything_is_written(
        self, desk: ServiceDesk, source: Path
    ) -> None:
        desk.keys.is_locked = True
        with pytest.raises(PassphraseError):
            desk.register(source)
        assert desk.list_everything() == {}
        assert desk.registrations.find_intent(id_of(desk, source)) is None

    def test_a_source_that_changes_meanwhile_is_refused_with_its_copy(
        self, desk: ServiceDesk, source: Path
    ) -> None:
        desk.signer.meanwhile = lambda path: write_media(path, 2)
        (outcome,) = desk.register(source)
        error = refused(outcome)
        assert isinstance(error, UnreadableInputError)
        assert "changed while it was registered" in error.message
        assert desk.list_everything() == {}
        desk.signer.meanwhile = lambda _path: None
        assert desk.register_one(source).registration.content_digest == digest_file(source)

    def test_what_a_killed_process_left_is_cleared(self, desk: ServiceDesk, source: Path) -> None:
        registration_id = id_of(desk, source)
        leftover = Path(desk.vault.signed_copies.folder) / registration_id / "old name.png"
        leftover.parent.mkdir(parents=True)
        leftover.write_bytes(b"half")
        outcome = desk.register_one(source)
        assert list(leftover.parent.iterdir()) == [signed_copy(outcome)]

    def test_what_a_killed_process_left_where_it_was_wanted_is_cleared_too(
        self, desk: ServiceDesk, source: Path, tmp_path: Path
    ) -> None:
        said = statement(output=tmp_path / "out")
        desk.objects.fail("dossiers/", Killed())
        with pytest.raises(Killed):
            desk.register(source, said=said)
        outcome = desk.register_one(source, said=said)
        assert list((tmp_path / "out").iterdir()) == [signed_copy(outcome)]


class TestOthersMeanwhile:
    def test_another_process_that_was_faster_is_answered_with(
        self, desk: ServiceDesk, source: Path, tmp_path: Path
    ) -> None:
        other = ServiceDesk(tmp_path / "home", desk.ledger)
        theirs = other.register_one(source, said=statement(title="Theirs"), wait=False)
        other.close()
        examination = desk.examiner.examine(source)
        found, is_new = desk.acceptance.accept(source, examination, SAID, desk.keys.address)
        assert (found, is_new) == (theirs.registration, False)
        assert desk.signer.signed == []

    def test_one_that_comes_between_the_look_and_the_acceptance_is_told_as_known(
        self, desk: ServiceDesk, source: Path, tmp_path: Path
    ) -> None:
        other = ServiceDesk(tmp_path / "home", desk.ledger)
        before: list[RegistrationId] = []

        def register_there() -> None:
            if not before:
                before.append(id_of(other, source))
                desk.clock.now += 5
                other.register(source, wait=False)

        desk.examiner.meanwhile = register_there
        outcome = desk.register_one(source, said=SAID)
        other.close()
        assert not outcome.created
        assert outcome.registration.title == "a"

    def test_an_imported_one_of_the_same_id_gives_way_to_the_own(
        self, desk: ServiceDesk, source: Path, tmp_path: Path
    ) -> None:
        """A claimant's second home knew the work by a snapshot of the first."""
        first = ServiceDesk(tmp_path / "first", desk.ledger)
        imported = first.share_with(desk, first.register_one(source))
        first.close()
        outcome = desk.register_one(source, said=SAID)
        assert outcome.registration.registration_id == imported.registration_id
        assert (outcome.created, outcome.registration.snapshot_id) == (True, None)
        assert outcome.registration.leaf != imported.leaf


class TestManySignedWorks:
    def test_all_are_accepted_in_order(self, desk: ServiceDesk) -> None:
        accepted = desk.acceptance.accept_many([work_of(desk, seed) for seed in (3, 1, 2)])
        assert [one.title for one in accepted] == ["Work 3", "Work 1", "Work 2"]
        assert [one for _, one in desk.registrations.list_own(after=0, limit=9)] == accepted
        assert [desk.vault.thumbnails.read(one.registration_id) for one in accepted] == [
            b"thumbnail"
        ] * 3

    def test_a_full_disk_accepts_none(self, desk: ServiceDesk) -> None:
        desk.objects.fail("thumbnails/")
        with pytest.raises(StorageError):
            desk.acceptance.accept_many([work_of(desk, seed) for seed in (1, 2)])
        assert desk.registrations.count_own() == 0

    def test_more_than_may_wait_are_refused_before_anything_is_written(
        self, tmp_path: Path
    ) -> None:
        desk = ServiceDesk(tmp_path / "narrow", waiting_max=1)
        with pytest.raises(DependencyError):
            desk.acceptance.accept_many([work_of(desk, seed) for seed in (1, 2)])
        assert desk.list_everything() == {}
        desk.close()

    def test_one_that_was_accepted_and_not_held_is_a_bug(self, desk: ServiceDesk) -> None:
        """Its second dossier would open another leaf than the one that is anchored."""
        desk.acceptance.accept_many([work_of(desk, 1)])
        with pytest.raises(InvariantViolation, match="without being held"):
            desk.acceptance.accept_many([work_of(desk, 1)])

    def test_none_is_no_error(self, desk: ServiceDesk) -> None:
        assert desk.acceptance.accept_many([]) == []


class TestStatements:
    @pytest.mark.parametrize(
        "said",
        [
            statement(title="x" * 301),
            statement(title="half a character \ud800"),
            replace(SAID, credits=("x" * 10_000,)),
            replace(SAID, credits=("a name",) * 10_000),
            replace(
                SAID,
                disclosure=disclose_model(
                    DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA, model="x" * 10_000
                ),
            ),
        ],
        ids=["long title", "half a character", "long credit", "many credits", "long model"],
    )
    def test_what_no_reader_would_accept_is_refused(self, said: Statement) -> None:
        with pytest.raises(InvalidRequestError):
            check_statement(said, build_claimant(0).address)

    def test_the_longest_title_is_accepted(self) -> None:
        check_statement(statement(title="x" * 300), build_claimant(0).address)
