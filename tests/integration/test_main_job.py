"""The main job on real parts: register a batch, verify what becomes of its files elsewhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
from homes import Home, accepted, new_home, opened, statement
from render_media import cut_clip, render_clip, render_picture, render_sound

import titledeed
from titledeed.canonical.identifiers import parse_registration_id
from titledeed.chain.pin import PIN_NAME, read_pin, write_pin
from titledeed.errors import (
    ChainMismatchError,
    HomeNotInitializedError,
    LedgerUnavailableError,
    NotFoundError,
)
from titledeed.models.evidence import (
    ClaimStatus,
    DisclosureCode,
    Headline,
    HistoryCode,
    IntegrityCode,
    RegistryCode,
    TimeCode,
    TrustCode,
    VerificationReport,
)
from titledeed.models.primitives import BlockHash, RegistrationId
from titledeed.models.registration import Registration, Viewer, Visibility
from titledeed.services.documents import verification_document
from titledeed.services.evidence import check_bundle, read_bundle_file
from titledeed.services.intake import digest_file
from titledeed.services.registration import RegisteredFile
from titledeed.settings import ChainSettings

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("main job")]

TOLERANCE_S: Final = 0.5


@dataclass(frozen=True)
class Studio:
    """A home that registered a clip, a WebM and a picture in one batch."""

    home: Home
    sources: Path
    clip: RegisteredFile
    webm: RegisteredFile
    picture: RegisteredFile

    @property
    def batch(self) -> tuple[RegisteredFile, ...]:
        return (self.clip, self.webm, self.picture)

    @property
    def signed_clip(self) -> Path:
        return signed_copy(self.clip)


def signed_copy(outcome: RegisteredFile) -> Path:
    assert outcome.registration.signed_path is not None
    return Path(outcome.registration.signed_path)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    render_clip(folder / "clip.mp4", seconds=6, seed=1)
    render_clip(folder / "plain.webm", seconds=3, seed=2)
    render_picture(folder / "still.png", seed=3)
    return folder


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, sources: Path) -> Iterator[Studio]:
    with new_home(tmp_path_factory.mktemp("studio") / "home") as home:
        clip, webm, picture = map(accepted, home.register(sources))
        yield Studio(home, sources, clip, webm, picture)


@pytest.fixture(scope="module")
def rival(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Another claimant with a home of its own."""
    with new_home(tmp_path_factory.mktemp("rival") / "home", organization="Rival") as home:
        yield home


@pytest.fixture
def chainless(studio: Studio) -> Iterator[Home]:
    """The studio's home while no chain answers."""
    nowhere = ChainSettings(rpc_url="http://127.0.0.1:1", rpc_timeout_s=1)
    with opened(studio.home.settings.model_copy(update={"chain": nowhere})) as home:
        yield home


def codes_of(report: VerificationReport) -> dict[str, str]:
    names = ("integrity", "trust", "history", "time", "registry", "disclosure")
    return {name: getattr(report.answers, name).code for name in names}


class TestBatch:
    def test_all_files_share_one_anchor(self, studio: Studio) -> None:
        anchors = [one.registration.anchor for one in studio.batch]
        assert anchors[0] is not None
        assert anchors[0].size == 3
        assert anchors == [anchors[0]] * 3
        assert sorted(one.registration.leaf_index or 0 for one in studio.batch) == [0, 1, 2]
        assert {one.registration.status for one in studio.batch} == {ClaimStatus.INCLUDED}
        assert all(one.created for one in studio.batch)

    def test_titles_default_to_file_names_and_ids_have_their_form(self, studio: Studio) -> None:
        assert [one.registration.title for one in studio.batch] == ["clip", "plain", "still"]
        for one in studio.batch:
            parse_registration_id(one.registration.registration_id)
            assert one.registration.visibility is Visibility.PRIVATE

    def test_what_carries_credentials_gets_a_signed_copy(self, studio: Studio) -> None:
        for one, suffix in ((studio.clip, ".mp4"), (studio.picture, ".png")):
            copy = signed_copy(one)
            assert copy.suffix == suffix
            assert digest_file(copy) == one.registration.signed_digest
            assert studio.home.registry.layout.signed in copy.parents
        assert studio.webm.registration.signed_path is None
        assert studio.webm.registration.signed_digest is None

    def test_sources_stay_as_they_were(self, studio: Studio) -> None:
        assert [p.name for p in sorted(studio.sources.iterdir())] == [
            "clip.mp4",
            "plain.webm",
            "still.png",
        ]
        for one in studio.batch:
            assert digest_file(Path(one.source)) == one.registration.content_digest

    def test_every_bundle_holds_offline(self, studio: Studio) -> None:
        for one in studio.batch:
            assert one.bundle_path is not None
            bundle = read_bundle_file(Path(one.bundle_path).read_bytes())
            for digest in (one.registration.content_digest, one.registration.signed_digest):
                assert check_bundle(bundle, digest).holds
            other = next(each for each in studio.batch if each is not one)
            assert not check_bundle(bundle, other.registration.content_digest).holds

    def test_the_same_files_again_are_the_same_registrations(self, studio: Studio) -> None:
        before = studio.home.signed_files()
        again = [accepted(outcome) for outcome in studio.home.register(studio.sources)]
        assert [one.registration for one in again] == [one.registration for one in studio.batch]
        assert [one.bundle_path for one in again] == [one.bundle_path for one in studio.batch]
        assert not any(one.created for one in again)
        assert studio.home.registry.registrations.count_own() >= 3
        assert studio.home.signed_files() == before

    def test_a_copy_under_another_name_and_title_is_the_same_registration(
        self, studio: Studio, tmp_path: Path
    ) -> None:
        copy = tmp_path / "renamed.png"
        shutil.copy(studio.clip.source, copy)
        again = studio.home.register_one(copy, said=statement(title="Another"))
        assert again.registration == studio.clip.registration

    @pytest.mark.parametrize("name", ["clip", "picture"])
    def test_our_own_signed_copy_is_its_registration(
        self, studio: Studio, tmp_path: Path, name: str
    ) -> None:
        original: RegisteredFile = getattr(studio, name)
        copy = tmp_path / signed_copy(original).name
        shutil.copy(signed_copy(original), copy)
        again = studio.home.register_one(copy)
        assert again.registration == original.registration
        assert not again.created


class TestVerify:
    @pytest.mark.parametrize("name", ["clip", "webm", "picture"])
    def test_the_source_is_exact(self, studio: Studio, name: str) -> None:
        one: RegisteredFile = getattr(studio, name)
        report = studio.home.verify(Path(one.source))
        assert report.headline is Headline.REGISTERED_EXACT
        assert codes_of(report) == {
            "integrity": IntegrityCode.NO_CREDENTIALS,
            "trust": TrustCode.NOT_CHECKED,
            "history": HistoryCode.NONE,
            "time": TimeCode.SELF_KEPT,
            "registry": RegistryCode.EXACT,
            "disclosure": DisclosureCode.DECLARED,
        }
        assert report.matches == ()
        (claim,) = report.claims
        assert claim.registration_id == one.registration.registration_id
        assert claim.mine
        assert one.registration.anchor is not None
        assert claim.at == one.registration.anchor.block_timestamp

    @pytest.mark.parametrize("name", ["clip", "picture"])
    def test_the_signed_copy_is_exact_and_intact(self, studio: Studio, name: str) -> None:
        report = studio.home.verify(signed_copy(getattr(studio, name)))
        assert report.headline is Headline.REGISTERED_EXACT
        assert codes_of(report) == {
            "integrity": IntegrityCode.INTACT,
            "trust": TrustCode.TRUSTED,
            "history": HistoryCode.COMPLETE,
            "time": TimeCode.SELF_KEPT,
            "registry": RegistryCode.EXACT,
            "disclosure": DisclosureCode.DECLARED,
        }
        assert report.recovered is None

    def test_time_of_a_development_chain_is_told_as_self_kept(self, studio: Studio) -> None:
        answer = studio.home.verify(Path(studio.clip.source)).answers.time
        assert answer.code == TimeCode.SELF_KEPT
        assert "order inside this home only" in answer.reason

    @pytest.mark.parametrize("mirror", [False, True], ids=["as it is", "mirrored"])
    def test_a_stripped_cut_names_the_work_and_the_seconds(
        self, studio: Studio, tmp_path: Path, mirror: bool
    ) -> None:
        cut = cut_clip(
            studio.signed_clip,
            tmp_path / "cut.mp4",
            start_s=1.5,
            end_s=5.5,
            scale=0.75,
            crf=30,
            mirror=mirror,
        )
        report = studio.home.verify(cut)
        assert report.headline is Headline.REGISTERED_MATCH
        (match,) = report.matches
        assert match.registration_id == studio.clip.registration.registration_id
        (segment,) = match.segments
        assert segment.mirrored is mirror
        assert segment.speed == pytest.approx(1, abs=0.02)
        assert segment.query.start_s == pytest.approx(0, abs=TOLERANCE_S)
        assert segment.query.end_s == pytest.approx(4, abs=TOLERANCE_S)
        assert segment.work.start_s == pytest.approx(1.5, abs=TOLERANCE_S)
        assert segment.work.end_s == pytest.approx(5.5, abs=TOLERANCE_S)
        assert ("mirrored" in report.sentence) is mirror
        assert report.answers.integrity.code == IntegrityCode.NO_CREDENTIALS

    def test_the_manifest_of_a_stripped_cut_is_recovered_apart(
        self, studio: Studio, tmp_path: Path
    ) -> None:
        cut = cut_clip(studio.signed_clip, tmp_path / "cut.mp4", start_s=1, end_s=5)
        report = studio.home.verify(cut)
        recovered = report.recovered
        assert recovered is not None
        registration = studio.clip.registration
        assert recovered.registration_id == registration.registration_id
        assert recovered.manifest_id == registration.manifest_id
        assert recovered.integrity.code == IntegrityCode.INTACT
        assert "not bound to these bytes is expected" in recovered.integrity.reason
        assert recovered.trust.code == TrustCode.TRUSTED
        assert recovered.disclosure.code == DisclosureCode.DECLARED
        # Its answers are its own: the file's credentials are still absent.
        assert report.answers.trust.code == TrustCode.NOT_CHECKED

    def test_a_re_encoded_webm_matches_and_has_no_manifest_to_recover(
        self, studio: Studio, tmp_path: Path
    ) -> None:
        copy = cut_clip(
            Path(studio.webm.source), tmp_path / "copy.mp4", start_s=0, end_s=3, crf=28
        )
        report = studio.home.verify(copy)
        assert [m.registration_id for m in report.matches] == [
            studio.webm.registration.registration_id
        ]
        assert report.recovered is None

    def test_a_picture_saved_anew_matches(self, studio: Studio, tmp_path: Path) -> None:
        from PIL import Image

        with Image.open(studio.picture.source) as picture:
            picture.convert("RGB").resize((280, 210)).save(tmp_path / "copy.jpg", quality=70)
        report = studio.home.verify(tmp_path / "copy.jpg")
        assert report.headline is Headline.REGISTERED_MATCH
        assert {m.registration_id for m in report.matches} == {
            studio.picture.registration.registration_id
        }

    @pytest.mark.parametrize("suffix", ["mp4", "png", "wav"])
    def test_an_unrelated_file_has_no_record(
        self, studio: Studio, tmp_path: Path, suffix: str
    ) -> None:
        path = tmp_path / f"unrelated.{suffix}"
        match suffix:
            case "mp4":
                render_clip(path, seconds=3, seed=77)
            case "png":
                render_picture(path, seed=78)
            case _:
                render_sound(path, seconds=1, seed=79)
        report = studio.home.verify(path)
        assert report.headline is Headline.NO_RECORD
        assert report.answers.registry.code == RegistryCode.NONE
        assert report.answers.time.code == TimeCode.NONE
        assert report.claims == ()
        assert "no evidence either way" in report.sentence

    def test_a_signed_file_whose_bytes_were_changed_is_invalid(
        self, studio: Studio, tmp_path: Path
    ) -> None:
        altered = tmp_path / "altered.mp4"
        shutil.copy(studio.signed_clip, altered)
        data = bytearray(altered.read_bytes())
        data[data.rindex(b"mdat") + 2_000] ^= 1
        altered.write_bytes(data)
        report = studio.home.verify(altered)
        assert report.answers.integrity.code == IntegrityCode.ALTERED
        assert report.headline is Headline.INVALID
        # What the pictures still show is told all the same, from the registry's own manifest.
        assert report.answers.registry.code == RegistryCode.MATCH
        assert report.recovered is not None

    def test_a_signed_file_of_a_stranger_is_not_registered(
        self, studio: Studio, rival: Home, tmp_path: Path
    ) -> None:
        path = render_picture(tmp_path / "stranger.png", seed=90)
        report = studio.home.verify(signed_copy(rival.register_one(path)))
        assert report.headline is Headline.SIGNED_NOT_REGISTERED
        assert report.answers.trust.code == TrustCode.UNTRUSTED
        assert report.answers.time.code == TimeCode.CLAIMED_ONLY
        assert "Rival" in report.sentence

    def test_a_second_look_finds_the_same(self, studio: Studio, tmp_path: Path) -> None:
        cut = cut_clip(studio.signed_clip, tmp_path / "cut.mp4", start_s=0, end_s=3)
        first = verification_document(studio.home.verify(cut))
        with opened(studio.home.settings) as again:
            assert verification_document(again.verify(cut)) == first


class TestTwoClaimants:
    """The rival knows what the studio published, and claims the same content later."""

    @pytest.fixture(scope="class")
    def published(self, studio: Studio, rival: Home) -> Registration:
        source = render_picture(studio.sources.parent / "contested.png", seed=40)
        first = studio.home.register_one(source, said=statement(title="First", publish=True))
        snapshot = studio.sources.parent / "published.snapshot"
        studio.home.registry.snapshots.export(snapshot)
        rival.registry.snapshots.import_(snapshot)
        return first.registration

    @pytest.fixture(scope="class")
    def contested(self, studio: Studio, rival: Home, published: Registration) -> RegisteredFile:
        source = studio.sources.parent / "contested.png"
        return rival.register_one(source, said=statement(title="Second"))

    def test_an_earlier_claim_is_shown_to_who_claims_again(
        self, contested: RegisteredFile, published: Registration
    ) -> None:
        assert contested.created
        assert contested.registration.registration_id != published.registration_id
        earlier = contested.similar[0]
        assert earlier.registration.registration_id == published.registration_id
        assert not earlier.mine

    def test_a_file_signed_by_the_later_claimant_is_a_conflict_in_both_homes(
        self, studio: Studio, rival: Home, contested: RegisteredFile, published: Registration
    ) -> None:
        for home in (rival, studio.home):
            report = home.verify(signed_copy(contested))
            assert report.headline is Headline.CONFLICT
            assert report.answers.registry.code == RegistryCode.CONFLICT
            assert report.claims[0].claimant == published.claimant
            assert contested.registration.claimant in report.sentence

    def test_the_later_claim_changes_nothing_for_the_first(
        self, studio: Studio, rival: Home, contested: RegisteredFile, published: Registration
    ) -> None:
        assert contested.created
        assert published.signed_path is not None
        source = studio.sources.parent / "contested.png"
        for home in (studio.home, rival):
            for path in (source, Path(published.signed_path)):
                report = home.verify(path)
                assert report.headline is Headline.REGISTERED_EXACT
                assert report.claims[0].claimant == published.claimant

    def test_claims_of_both_stand_in_order(
        self, rival: Home, contested: RegisteredFile, published: Registration
    ) -> None:
        report = rival.verify(Path(contested.source))
        assert [claim.registration_id for claim in report.claims] == [
            published.registration_id,
            contested.registration.registration_id,
        ]
        assert [claim.mine for claim in report.claims] == [False, True]
        assert "another home keeps itself" in report.claims[0].time.reason


class TestVisibility:
    @pytest.fixture(scope="class")
    def private(self, studio: Studio) -> RegisteredFile:
        source = render_clip(studio.sources.parent / "private.mp4", seconds=3, seed=60)
        return studio.home.register_one(source)

    def test_a_private_registration_adds_nothing_for_the_public(
        self, studio: Studio, private: RegisteredFile, tmp_path: Path
    ) -> None:
        cut = cut_clip(Path(private.source), tmp_path / "cut.mp4", start_s=0, end_s=3)
        for path in (Path(private.source), cut):
            report = studio.home.verify(path, Viewer.PUBLIC)
            assert report.headline is Headline.NO_RECORD
            assert (report.matches, report.claims, report.titles) == ((), (), {})
            assert report.recovered is None
        signed = studio.home.verify(signed_copy(private), Viewer.PUBLIC)
        assert signed.headline is Headline.SIGNED_NOT_REGISTERED

    def test_a_private_registration_cannot_be_told_from_none(
        self, studio: Studio, private: RegisteredFile
    ) -> None:
        service = studio.home.registry.registration
        hidden = private.registration.registration_id
        absent = RegistrationId("td1" + "a" * 32)
        messages = []
        for registration_id in (hidden, absent):
            with pytest.raises(NotFoundError) as raised:
                service.get(registration_id, Viewer.PUBLIC)
            messages.append(raised.value.message.replace(registration_id, "ID"))
        assert messages[0] == messages[1]
        assert service.get(hidden, Viewer.OWNER) == private.registration

    def test_publishing_shows_it_and_unpublishing_hides_it(
        self, studio: Studio, private: RegisteredFile
    ) -> None:
        service = studio.home.registry.registration
        registration_id = private.registration.registration_id
        service.set_visibility(registration_id, Visibility.PUBLISHED)
        report = studio.home.verify(Path(private.source), Viewer.PUBLIC)
        assert report.headline is Headline.REGISTERED_EXACT
        assert not report.claims[0].mine
        # Registering again without a word about it takes nothing back.
        again = studio.home.register_one(Path(private.source))
        assert again.registration.visibility is Visibility.PUBLISHED
        service.set_visibility(registration_id, Visibility.PRIVATE)
        report = studio.home.verify(Path(private.source), Viewer.PUBLIC)
        assert report.headline is Headline.NO_RECORD

    def test_a_private_registration_hides_no_published_one(
        self, studio: Studio, rival: Home
    ) -> None:
        """The studio claims, in private, bytes that a published registration knows as well."""
        folder = studio.sources.parent
        source = render_picture(folder / "theirs.png", seed=61)
        theirs = rival.register_one(source, said=statement(publish=True))
        rival.registry.snapshots.export(folder / "rival.snapshot")
        studio.home.registry.snapshots.import_(folder / "rival.snapshot")
        before = {
            path: verification_document(studio.home.verify(path, Viewer.PUBLIC))
            for path in (source, signed_copy(theirs))
        }
        for path in before:
            studio.home.register_one(path)
        for path, document in before.items():
            assert document["verdict"] == Headline.REGISTERED_EXACT
            after = verification_document(studio.home.verify(path, Viewer.PUBLIC))
            assert after == document

    def test_nobody_publishes_what_is_not_theirs(self, studio: Studio) -> None:
        service = studio.home.registry.registration
        with pytest.raises(NotFoundError):
            service.set_visibility(RegistrationId("td1" + "b" * 32), Visibility.PUBLISHED)


class TestWithoutWaiting:
    def test_what_did_not_wait_is_accepted_and_completed_later(
        self, studio: Studio, tmp_path: Path
    ) -> None:
        source = render_picture(tmp_path / "later.png", seed=70)
        pending = studio.home.register_one(source, wait=False)
        assert pending.registration.status is ClaimStatus.PENDING
        assert pending.bundle_path is None
        assert pending.registration.anchor is None
        report = studio.home.verify(source)
        assert report.headline is Headline.REGISTERED_EXACT
        assert report.answers.time.code == TimeCode.CLAIMED_ONLY
        assert "not anchored yet" in report.sentence
        service = studio.home.registry.registration
        completed = service.complete(pending.registration.registration_id)
        assert completed.registration.status is ClaimStatus.INCLUDED
        assert completed.bundle_path is not None
        bundle = read_bundle_file(Path(completed.bundle_path).read_bytes())
        assert check_bundle(bundle, digest_file(source)).holds
        assert service.complete(pending.registration.registration_id) == completed
        assert studio.home.verify(source).answers.time.code == TimeCode.SELF_KEPT

    def test_only_own_registrations_are_completed(self, studio: Studio) -> None:
        with pytest.raises(NotFoundError):
            studio.home.registry.registration.complete(RegistrationId("td1" + "c" * 32))


class TestChainTrouble:
    def test_a_chain_that_is_down_stops_a_waiting_batch_before_it_begins(
        self, studio: Studio, chainless: Home, tmp_path: Path
    ) -> None:
        source = render_picture(tmp_path / "a.png", seed=80)
        owned, signed = studio.home.registry.registrations.count_own(), studio.home.signed_files()
        with pytest.raises(LedgerUnavailableError) as raised:
            chainless.register(source)
        assert raised.value.retryable
        assert studio.home.registry.registrations.count_own() == owned
        assert studio.home.signed_files() == signed

    def test_without_waiting_a_batch_is_accepted_and_anchored_when_the_chain_is_back(
        self, studio: Studio, chainless: Home, tmp_path: Path
    ) -> None:
        source = render_picture(tmp_path / "b.png", seed=81)
        pending = chainless.register_one(source, wait=False)
        registration_id = pending.registration.registration_id
        with pytest.raises(LedgerUnavailableError):
            chainless.registry.registration.complete(registration_id)
        assert chainless.verify(source).answers.time.code == TimeCode.CLAIMED_ONLY
        completed = studio.home.registry.registration.complete(registration_id)
        assert completed.registration.anchor is not None

    def test_a_claim_is_not_judged_without_its_chain(self, studio: Studio, chainless: Home) -> None:
        """That the chain cannot be asked is neither a yes nor a no."""
        with pytest.raises(LedgerUnavailableError):
            chainless.verify(Path(studio.clip.source))

    def test_what_matches_nothing_needs_no_chain(self, chainless: Home, tmp_path: Path) -> None:
        path = render_picture(tmp_path / "unrelated.png", seed=82)
        assert chainless.verify(path).headline is Headline.NO_RECORD

    def test_another_genesis_hash_is_refused(self, studio: Studio, tmp_path: Path) -> None:
        copy = tmp_path / "home"
        shutil.copytree(studio.home.registry.layout.root, copy)
        pin = read_pin(copy / "chain")
        other = replace(pin.identity, genesis_hash=BlockHash(type(pin.code_hash)(bytes(32))))
        write_pin(copy / "chain", replace(pin, identity=other))
        source = render_picture(tmp_path / "c.png", seed=83)
        with opened(studio.home.settings.model_copy(update={"home": copy})) as home:
            owned, signed = home.registry.registrations.count_own(), home.signed_files()
            with pytest.raises(ChainMismatchError, match="genesis"):
                home.register(source)
            with pytest.raises(ChainMismatchError):
                home.registry.check()
            assert home.registry.registrations.count_own() == owned
            assert home.signed_files() == signed

    def test_a_home_without_its_chain_folder_is_told(self, studio: Studio, tmp_path: Path) -> None:
        copy = tmp_path / "home"
        shutil.copytree(studio.home.registry.layout.root, copy)
        shutil.rmtree(copy / "chain")
        with opened(studio.home.settings.model_copy(update={"home": copy})) as home:
            with pytest.raises(HomeNotInitializedError):
                home.verify(Path(studio.clip.source))
            with pytest.raises(HomeNotInitializedError):
                home.register(Path(studio.clip.source))

    def test_a_journal_that_was_cut_is_no_proof(self, studio: Studio, tmp_path: Path) -> None:
        """The chain was rolled back under an accepted registration: its time is gone, and told."""
        copy = tmp_path / "home"
        shutil.copytree(studio.home.registry.layout.root, copy)
        journal = copy / "chain" / "journal.jsonl"
        lines = journal.read_bytes().splitlines(keepends=True)
        anchor = studio.clip.registration.anchor
        assert anchor is not None
        journal.write_bytes(b"".join(lines[: anchor.block_number - 1]))
        with opened(studio.home.settings.model_copy(update={"home": copy})) as home:
            report = home.verify(Path(studio.clip.source))
            assert report.answers.time.code == TimeCode.NONE
            assert "does not hold" in report.answers.time.reason

    def test_without_anvil_nothing_is_half_registered(self, studio: Studio, tmp_path: Path) -> None:
        """The library copied to where no anvil is near, as on a machine without it."""
        shutil.copytree(Path(titledeed.__path__[0]), tmp_path / "library" / "titledeed")
        source = render_picture(tmp_path / "d.png", seed=84)
        owned, signed = studio.home.registry.registrations.count_own(), studio.home.signed_files()
        done = subprocess.run(
            [sys.executable, "-c", REGISTER, str(studio.home.settings.home_path), str(source)],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path / "library")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "ToolMissingError npm ci"), done.stderr
        assert studio.home.registry.registrations.count_own() == owned
        assert studio.home.signed_files() == signed


REGISTER: Final = """
import sys
from pathlib import Path
import titledeed
from titledeed.bootstrap import open_registry
from titledeed.errors import TitledeedError
from titledeed.models.disclosure import AssetDisclosure, DigitalSourceType
from titledeed.models.registration import Visibility
from titledeed.services.acceptance import Statement
from titledeed.services.registration import RegisterRequest
from titledeed.settings import Settings

disclosure = AssetDisclosure(DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA)
said = Statement(disclosure, None, (), Visibility.PRIVATE, None)
assert titledeed.__path__[0].startswith(sys.path[1])
with open_registry(Settings(home=Path(sys.argv[1]))) as registry:
    try:
        registry.registration.register(RegisterRequest((Path(sys.argv[2]),), said))
    except TitledeedError as error:
        known = "npm ci" if "npm ci" in error.next_step else error.next_step
        print(type(error).__name__, known, end="")
"""
