"""The main job on real parts: register a batch, verify what becomes of its files elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest
from homes import (
    Home,
    Studio,
    accepted,
    opened,
    share,
    signed_copy,
    statement,
)
from render_media import cut_clip, render_clip, render_picture, render_sound

from titledeed.canonical.identifiers import parse_registration_id
from titledeed.errors import (
    NotFoundError,
)
from titledeed.media.digests import digest_file
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
from titledeed.models.primitives import RegistrationId
from titledeed.models.principal import ANONYMOUS
from titledeed.models.registration import Visibility
from titledeed.proofs.bundles import read_bundle_file
from titledeed.services.evidence import check_bundle
from titledeed.services.registration import RegisteredFile
from titledeed_api.documents import verification_document

pytestmark = pytest.mark.chain

TOLERANCE_S: Final = 0.5


@pytest.fixture(scope="module")
def private(studio: Studio) -> RegisteredFile:
    source = render_clip(studio.sources.parent / "private.mp4", seconds=3, seed=60)
    return studio.home.register_one(source)


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
        assert {one.registration.status for one in studio.batch} == {ClaimStatus.FINAL}
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
        assert studio.home.adapters.registrations.count_own() >= 3
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
        copy = cut_clip(Path(studio.webm.source), tmp_path / "copy.mp4", start_s=0, end_s=3, crf=28)
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


class TestVisibility:
    def test_a_private_registration_adds_nothing_for_the_public(
        self, studio: Studio, private: RegisteredFile, tmp_path: Path
    ) -> None:
        cut = cut_clip(Path(private.source), tmp_path / "cut.mp4", start_s=0, end_s=3)
        for path in (Path(private.source), cut):
            report = studio.home.verify(path, ANONYMOUS)
            assert report.headline is Headline.NO_RECORD
            assert (report.matches, report.claims, report.titles) == ((), (), {})
            assert report.recovered is None
        signed = studio.home.verify(signed_copy(private), ANONYMOUS)
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
                service.get(registration_id, ANONYMOUS)
            messages.append(raised.value.message.replace(registration_id, "ID"))
        assert messages[0] == messages[1]
        assert service.get(hidden, studio.home.owner) == private.registration

    def test_publishing_shows_it_and_unpublishing_hides_it(
        self, studio: Studio, private: RegisteredFile
    ) -> None:
        service = studio.home.registry.registration
        registration_id = private.registration.registration_id
        service.set_visibility(registration_id, Visibility.PUBLISHED, studio.home.owner)
        report = studio.home.verify(Path(private.source), ANONYMOUS)
        assert report.headline is Headline.REGISTERED_EXACT
        assert not report.claims[0].mine
        # Registering again without a word about it takes nothing back.
        again = studio.home.register_one(Path(private.source))
        assert again.registration.visibility is Visibility.PUBLISHED
        service.set_visibility(registration_id, Visibility.PRIVATE, studio.home.owner)
        report = studio.home.verify(Path(private.source), ANONYMOUS)
        assert report.headline is Headline.NO_RECORD

    def test_a_private_registration_hides_no_published_one(
        self, studio: Studio, rival: Home
    ) -> None:
        """The studio claims, in private, bytes that a published registration knows as well."""
        folder = studio.sources.parent
        source = render_picture(folder / "theirs.png", seed=61)
        theirs = rival.register_one(source, said=statement(publish=True))
        share(rival, studio.home, folder)
        before = {
            path: verification_document(studio.home.verify(path, ANONYMOUS))
            for path in (source, signed_copy(theirs))
        }
        for path in before:
            studio.home.register_one(path)
        for path, document in before.items():
            assert document["verdict"] == Headline.REGISTERED_EXACT
            after = verification_document(studio.home.verify(path, ANONYMOUS))
            assert after == document

    def test_nobody_publishes_what_is_not_theirs(self, studio: Studio) -> None:
        service = studio.home.registry.registration
        with pytest.raises(NotFoundError):
            service.set_visibility(
                RegistrationId("td1" + "b" * 32), Visibility.PUBLISHED, studio.home.owner
            )


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
        completed = service.complete(pending.registration.registration_id, studio.home.owner)
        assert completed.registration.status is ClaimStatus.FINAL
        assert completed.bundle_path is not None
        bundle = read_bundle_file(Path(completed.bundle_path).read_bytes())
        assert check_bundle(bundle, digest_file(source)).holds
        assert (
            service.complete(pending.registration.registration_id, studio.home.owner) == completed
        )
        assert studio.home.verify(source).answers.time.code == TimeCode.SELF_KEPT

    def test_only_own_registrations_are_completed(self, studio: Studio) -> None:
        with pytest.raises(NotFoundError):
            studio.home.registry.registration.complete(
                RegistrationId("td1" + "c" * 32), studio.home.owner
            )
