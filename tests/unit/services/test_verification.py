"""Verifying: what is gathered for whom, which headline it makes, and what is never told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from builders import OWNER, build_claimant, build_fingerprints
from homes import copy_of, signed_copy, statement
from service_desk import PUBLIC, ServiceDesk
from simulation.index_simulator import match_of
from simulation.ledger_simulator import LedgerSimulator
from simulation.manifest_simulator import add_update_manifest, append_store, strip_manifests
from simulation.simulated_media import write_media

from titledeed.canonical.claims import encode_signed_claim
from titledeed.errors import MalformedMediaError, UnreadableInputError, UnsupportedMediaTypeError
from titledeed.models.asset import MediaType
from titledeed.models.evidence import (
    READER_STOPPED,
    DisclosureCode,
    Headline,
    HistoryCode,
    IntegrityCode,
    RegistryCode,
    TimeCode,
    TrustCode,
    VerificationReport,
)
from titledeed.models.match import MatchClass
from titledeed.models.primitives import RegistrationId
from titledeed.models.registration import Registration, Visibility
from titledeed.services.registration import RegisteredFile

UNKNOWN = RegistrationId("td1" + "a" * 32)
PUBLISHED = statement(publish=True)


def codes_of(report: VerificationReport) -> dict[str, str]:
    return {name: answer.code for name, answer in report.answers.items()}


def ids_of(report: VerificationReport) -> list[str]:
    return [claim.registration_id for claim in report.claims]


@pytest.fixture
def work(desk: ServiceDesk) -> RegisteredFile:
    """A private registration of ``a.png``, whose content is that of seed 1."""
    return desk.register_one(desk.write("a.png", 1), said=statement(title="A work"))


@pytest.fixture
def matching(desk: ServiceDesk, work: RegisteredFile) -> Path:
    """A file in which the index finds the work."""
    desk.index.tell(build_fingerprints(9), match_of(work.registration.registration_id))
    return desk.write("matching.png", 9)


class TestHeadlines:
    def test_nothing_is_known(self, desk: ServiceDesk) -> None:
        report = desk.verify(desk.write("a.png", 1))
        assert report.headline is Headline.NO_RECORD
        assert codes_of(report) == {
            "integrity": IntegrityCode.NO_CREDENTIALS,
            "trust": TrustCode.NOT_CHECKED,
            "history": HistoryCode.NONE,
            "time": TimeCode.NONE,
            "registry": RegistryCode.NONE,
            "disclosure": DisclosureCode.NONE,
        }
        assert (report.matches, report.claims, report.titles) == ((), (), {})
        assert report.recovered is None
        assert "no evidence either way" in report.sentence

    def test_the_registered_source_is_exact(self, desk: ServiceDesk, work: RegisteredFile) -> None:
        report = desk.verify(Path(work.source))
        assert report.headline is Headline.REGISTERED_EXACT
        assert codes_of(report) == {
            "integrity": IntegrityCode.NO_CREDENTIALS,
            "trust": TrustCode.NOT_CHECKED,
            "history": HistoryCode.NONE,
            "time": TimeCode.SELF_KEPT,
            "registry": RegistryCode.EXACT,
            "disclosure": DisclosureCode.DECLARED,
        }
        assert report.titles == {work.registration.registration_id: "A work"}
        assert report.sentence.startswith(
            f"This file is “A work”, claimed by {desk.keys.address} on "
        )

    def test_the_signed_copy_is_exact_and_intact(
        self, desk: ServiceDesk, work: RegisteredFile
    ) -> None:
        report = desk.verify(signed_copy(work))
        assert report.headline is Headline.REGISTERED_EXACT
        assert codes_of(report) == {
            "integrity": IntegrityCode.INTACT,
            "trust": TrustCode.TRUSTED,
            "history": HistoryCode.COMPLETE,
            "time": TimeCode.SELF_KEPT,
            "registry": RegistryCode.EXACT,
            "disclosure": DisclosureCode.DECLARED,
        }

    def test_a_copy_that_got_a_receipt_is_exact(
        self, desk: ServiceDesk, work: RegisteredFile, tmp_path: Path
    ) -> None:
        copy = copy_of(work, tmp_path / "copy.png")
        add_update_manifest(copy)
        report = desk.verify(copy)
        assert report.headline is Headline.REGISTERED_EXACT
        assert ids_of(report) == [work.registration.registration_id]

    def test_a_work_found_in_the_content_matches(
        self, desk: ServiceDesk, work: RegisteredFile, matching: Path
    ) -> None:
        report = desk.verify(matching)
        assert report.headline is Headline.REGISTERED_MATCH
        assert report.answers.registry.code == RegistryCode.MATCH
        assert [m.registration_id for m in report.matches] == [work.registration.registration_id]
        assert report.sentence.startswith("This picture matches “A work”")
        assert report.titles == {work.registration.registration_id: "A work"}

    def test_one_that_only_shares_something_says_so(
        self, desk: ServiceDesk, work: RegisteredFile
    ) -> None:
        shared = match_of(work.registration.registration_id, is_same_recording=False)
        desk.index.tell(build_fingerprints(9), shared)
        report = desk.verify(desk.write("b.png", 9))
        assert "shares content with" in report.sentence
        assert report.answers.time.code == TimeCode.NONE
        assert report.recovered is None

    def test_a_strangers_signed_file_is_signed_and_not_registered(
        self, desk: ServiceDesk, rival: ServiceDesk
    ) -> None:
        theirs = rival.register_one(rival.write("b.png", 2))
        report = desk.verify(signed_copy(theirs))
        assert report.headline is Headline.SIGNED_NOT_REGISTERED
        assert report.answers.time.code == TimeCode.CLAIMED_ONLY
        assert report.answers.disclosure.code == DisclosureCode.DECLARED

    def test_an_altered_file_is_invalid(
        self, desk: ServiceDesk, work: RegisteredFile, tmp_path: Path
    ) -> None:
        copy = copy_of(work, tmp_path / "copy.png")
        copy.write_bytes(copy.read_bytes().replace(b'"seed":1', b'"seed":8', 1))
        report = desk.verify(copy)
        assert report.headline is Headline.INVALID
        assert report.answers.integrity.code == IntegrityCode.ALTERED
        assert report.answers.disclosure.code == DisclosureCode.NONE

    def test_credentials_that_cannot_be_read_are_invalid(
        self, desk: ServiceDesk, tmp_path: Path
    ) -> None:
        path = desk.write("a.png", 1)
        append_store(path, b"nonsense")
        report = desk.verify(path)
        assert report.headline is Headline.INVALID
        assert "cannot be read" in report.sentence

    def test_a_file_that_stops_the_reader_is_not_called_invalid(
        self, desk: ServiceDesk, work: RegisteredFile
    ) -> None:
        desk.reader.is_stopped = True
        assert desk.verify(Path(work.source)).headline is Headline.REGISTERED_EXACT
        report = desk.verify(desk.write("b.png", 2))
        assert report.headline is Headline.NO_RECORD
        assert READER_STOPPED in report.answers.integrity.reason


class TestSeveralClaimsOnOneContent:
    @pytest.fixture
    def theirs(self, desk: ServiceDesk, rival: ServiceDesk, work: RegisteredFile) -> RegisteredFile:
        """The rival claims, later and in public, what the desk had registered."""
        return rival.register_one(Path(work.source), said=PUBLISHED)

    def test_a_file_that_names_a_later_claimant_is_in_conflict(
        self, desk: ServiceDesk, work: RegisteredFile, theirs: RegisteredFile
    ) -> None:
        report = desk.verify(signed_copy(theirs))
        assert report.headline is Headline.CONFLICT
        assert report.answers.registry.code == RegistryCode.CONFLICT
        assert theirs.registration.claimant in report.sentence
        assert desk.keys.address in report.sentence
        assert ids_of(report) == [work.registration.registration_id]

    def test_both_are_told_in_order_once_both_are_known(
        self,
        desk: ServiceDesk,
        rival: ServiceDesk,
        work: RegisteredFile,
        theirs: RegisteredFile,
    ) -> None:
        rival.share_with(desk, theirs)
        for path in (Path(work.source), signed_copy(work), signed_copy(theirs)):
            report = desk.verify(path)
            assert [claim.claimant for claim in report.claims] == [
                desk.keys.address,
                rival.keys.address,
            ]
            assert [claim.mine for claim in report.claims] == [True, False]
            is_theirs = path == signed_copy(theirs)
            expected = Headline.CONFLICT if is_theirs else Headline.REGISTERED_EXACT
            assert report.headline is expected

    def test_the_later_claimants_own_home_sees_it_as_well(
        self,
        desk: ServiceDesk,
        rival: ServiceDesk,
        work: RegisteredFile,
        theirs: RegisteredFile,
    ) -> None:
        assert rival.verify(signed_copy(theirs)).headline is Headline.REGISTERED_EXACT
        desk.share_with(rival, work)
        assert rival.verify(signed_copy(theirs)).headline is Headline.CONFLICT

    def test_a_private_earlier_claim_makes_no_conflict_for_others(
        self, desk: ServiceDesk, work: RegisteredFile, theirs: RegisteredFile
    ) -> None:
        report = desk.verify(signed_copy(theirs), PUBLIC)
        assert report.headline is Headline.SIGNED_NOT_REGISTERED
        assert desk.keys.address not in report.sentence
        assert report.claims == ()

    def test_claims_of_chains_that_cannot_be_compared_are_in_no_conflict(
        self, desk: ServiceDesk, tmp_path: Path, work: RegisteredFile
    ) -> None:
        """Whoever keeps a chain of their own may write any time into it."""
        ledger = LedgerSimulator(mines_at_once=True, chain_id=4)
        other = ServiceDesk(tmp_path / "other", ledger, holder=build_claimant(2))
        theirs = other.share_with(desk, other.register_one(Path(work.source), said=PUBLISHED))
        other.close()
        report = desk.verify(signed_copy(work))
        assert report.headline is Headline.REGISTERED_EXACT
        assert ids_of(report) == [work.registration.registration_id, theirs.registration_id]
        assert [claim.asked for claim in report.claims] == [True, False]

    def test_a_claim_on_a_copy_with_a_receipt_hides_no_claim_that_the_copy_carries(
        self, desk: ServiceDesk, rival: ServiceDesk, work: RegisteredFile, tmp_path: Path
    ) -> None:
        copy = copy_of(work, tmp_path / "copy.png")
        add_update_manifest(copy)
        rival.share_with(desk, rival.register_one(copy, said=PUBLISHED))
        report = desk.verify(copy)
        assert work.registration.registration_id in ids_of(report)
        assert desk.keys.address in report.sentence


class TestWhatAManifestNames:
    def test_a_claim_that_its_claimant_did_not_sign_names_nobody(
        self, desk: ServiceDesk, rival: ServiceDesk, work: RegisteredFile, tmp_path: Path
    ) -> None:
        theirs = rival.register_one(Path(work.source))
        signed = rival.vault.dossiers.read(theirs.registration.registration_id).record.signed_claim
        ours = desk.vault.dossiers.read(work.registration.registration_id).record.signed_claim
        forged = replace(signed, signature=ours.signature)
        copy = copy_of(theirs, tmp_path / "copy.png")
        add_update_manifest(copy, claim=encode_signed_claim(forged), content_manifest_id="urn:x")
        report = desk.verify(copy)
        assert report.headline is Headline.SIGNED_NOT_REGISTERED
        assert report.answers.time.code == TimeCode.NONE

    def test_an_altered_manifest_names_nobody(
        self, desk: ServiceDesk, rival: ServiceDesk, work: RegisteredFile, tmp_path: Path
    ) -> None:
        theirs = rival.register_one(Path(work.source))
        copy = copy_of(theirs, tmp_path / "copy.png")
        copy.write_bytes(copy.read_bytes().replace(b'"seed":1', b'"seed":8', 1))
        assert desk.verify(copy).headline is Headline.INVALID

    @pytest.mark.parametrize("how", ["untrusted", "without a claim", "another manifest"])
    def test_a_label_alone_leads_to_no_registration(
        self, desk: ServiceDesk, work: RegisteredFile, tmp_path: Path, how: str
    ) -> None:
        copy = copy_of(work, tmp_path / "copy.png")
        if how == "untrusted":
            add_update_manifest(copy, signer="A Stranger")
        elif how == "without a claim":
            add_update_manifest(copy, claim=None)
        else:
            add_update_manifest(copy, content_manifest_id="urn:c2pa:another")
        assert desk.verify(copy).headline is Headline.SIGNED_NOT_REGISTERED


class TestPrivacy:
    def test_a_private_registration_adds_nothing_for_others(
        self, desk: ServiceDesk, work: RegisteredFile, matching: Path
    ) -> None:
        for path in (Path(work.source), matching):
            report = desk.verify(path, PUBLIC)
            assert report.headline is Headline.NO_RECORD
            assert (report.matches, report.claims, report.titles) == ((), (), {})
            assert report.recovered is None
        report = desk.verify(signed_copy(work), PUBLIC)
        assert report.headline is Headline.SIGNED_NOT_REGISTERED

    def test_the_answer_is_that_of_a_home_that_holds_nothing(
        self, desk: ServiceDesk, work: RegisteredFile, matching: Path, tmp_path: Path
    ) -> None:
        empty = ServiceDesk(tmp_path / "empty", desk.ledger, holder=build_claimant(3))
        for path in (Path(work.source), matching, signed_copy(work)):
            assert desk.verify(path, PUBLIC) == empty.verify(path, PUBLIC)
        empty.close()

    def test_a_published_one_is_told_and_is_nobodys_own(
        self, desk: ServiceDesk, work: RegisteredFile, matching: Path
    ) -> None:
        desk.registration.set_visibility(
            work.registration.registration_id, Visibility.PUBLISHED, desk.owner
        )
        for path in (Path(work.source), matching, signed_copy(work)):
            (claim,) = desk.verify(path, PUBLIC).claims
            assert not claim.mine
            (claim,) = desk.verify(path, OWNER).claims
            assert claim.mine

    def test_a_private_claim_hides_no_published_one(
        self, desk: ServiceDesk, rival: ServiceDesk, work: RegisteredFile
    ) -> None:
        theirs = rival.register_one(Path(work.source), said=PUBLISHED)
        shared = rival.share_with(desk, theirs)
        report = desk.verify(Path(work.source), PUBLIC)
        assert report.headline is Headline.REGISTERED_EXACT
        assert ids_of(report) == [shared.registration_id]


class TestRecoveredManifests:
    def test_it_appears_apart_with_answers_of_its_own(
        self, desk: ServiceDesk, work: RegisteredFile, matching: Path
    ) -> None:
        report = desk.verify(matching)
        recovered = report.recovered
        assert recovered is not None
        assert recovered.registration_id == work.registration.registration_id
        assert recovered.manifest_id == work.registration.manifest_id
        assert recovered.integrity.code == IntegrityCode.INTACT
        assert "not bound to these bytes is expected" in recovered.integrity.reason
        assert recovered.trust.code == TrustCode.TRUSTED
        assert recovered.disclosure.code == DisclosureCode.DECLARED
        assert report.answers.trust.code == TrustCode.NOT_CHECKED

    def test_the_source_gets_it_and_the_signed_copy_needs_none(
        self, desk: ServiceDesk, work: RegisteredFile
    ) -> None:
        assert desk.verify(Path(work.source)).recovered is not None
        assert desk.verify(signed_copy(work)).recovered is None

    def test_an_imported_bundle_brings_it_too(
        self, desk: ServiceDesk, rival: ServiceDesk, tmp_path: Path
    ) -> None:
        theirs = rival.register_one(rival.write("b.png", 2), said=PUBLISHED)
        rival.share_with(desk, theirs)
        copy = copy_of(theirs, tmp_path / "copy.png")
        strip_manifests(copy)
        recovered = desk.verify(copy).recovered
        assert recovered is not None
        assert recovered.manifest_id == theirs.registration.manifest_id

    def test_a_type_that_carries_none_has_none_to_recover(self, desk: ServiceDesk) -> None:
        outcome = desk.register_one(desk.write("a.mkv", 1, MediaType.MKV))
        report = desk.verify(Path(outcome.source))
        assert (report.headline, report.recovered) == (Headline.REGISTERED_EXACT, None)

    def test_a_home_that_does_not_trust_the_signer_says_so(
        self, desk: ServiceDesk, work: RegisteredFile, matching: Path
    ) -> None:
        desk.reader.trusted = ()
        recovered = desk.verify(matching).recovered
        assert recovered is not None
        assert recovered.trust.code == TrustCode.UNTRUSTED


class TestSearching:
    def works(self, desk: ServiceDesk, count: int) -> list[Registration]:
        sources = [desk.write(f"{seed}.png", seed) for seed in range(count)]
        return [desk.register_one(one, wait=False).registration for one in sources]

    def test_what_is_shown_comes_before_what_is_only_shared(self, desk: ServiceDesk) -> None:
        first, second, third = self.works(desk, 3)
        desk.index.tell(
            build_fingerprints(9),
            match_of(first.registration_id, score=0.9, is_same_recording=False),
            match_of(second.registration_id, score=0.8),
            match_of(third.registration_id, score=0.7),
            match_of(UNKNOWN, score=0.95),
        )
        examination, found = desk.search.search(desk.write("query.png", 9), OWNER)
        assert [work for _, work in found] == [second, third, first]
        assert desk.index.queries[3:] == [examination.query]

    def test_only_digests_tell_the_same_file_from_a_copy(self, desk: ServiceDesk) -> None:
        (work,) = self.works(desk, 1)
        desk.index.tell(build_fingerprints(0), match_of(work.registration_id))
        assert work.signed_path is not None
        copy = write_media(desk.media / "copy.png", 0, encoding=1)
        relations = []
        for path in (desk.media / "0.png", Path(work.signed_path), copy):
            _, ((match, _),) = desk.search.search(path, OWNER)
            relations.append(match.relation)
        assert relations == [MatchClass.SAME_FILE, MatchClass.SAME_FILE, MatchClass.COPY]

    def test_others_find_what_is_published(self, desk: ServiceDesk) -> None:
        hidden, shown = self.works(desk, 2)
        shown = desk.registration.set_visibility(
            shown.registration_id, Visibility.PUBLISHED, desk.owner
        )
        matches = [match_of(one.registration_id) for one in (hidden, shown)]
        desk.index.tell(build_fingerprints(9), *matches)
        _, found = desk.search.search(desk.write("query.png", 9), PUBLIC)
        assert [work for _, work in found] == [shown]

    def test_progress_begins_and_ends(self, desk: ServiceDesk) -> None:
        told: list[float] = []
        path = desk.write("query.png", 9)
        desk.search.search(path, OWNER, lambda label, fraction: told.append(fraction))
        desk.verify(path, progress=lambda label, fraction: told.append(fraction))
        assert told == [0.0, 1.0, 1.0] * 2


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (None, UnreadableInputError),
        (b"", MalformedMediaError),
        (b"no medium", UnsupportedMediaTypeError),
    ],
)
def test_what_cannot_be_examined_is_an_error_of_both(
    desk: ServiceDesk, tmp_path: Path, content: bytes | None, error: type[Exception]
) -> None:
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error):
        desk.verify(path)
    with pytest.raises(error):
        desk.search.search(path, OWNER)
    assert desk.reader.read_files == []
