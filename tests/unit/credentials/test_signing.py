"""Signed copies: what they say, and what happens when signing fails."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from credential_builders import (
    BINDINGS,
    GENERATED,
    SIGNED_TYPES,
    Authority,
    build_draft,
    build_reader,
    read_details,
    render_media,
)
from full_disks import full_disk

from titledeed.canonical.hashing import sha256
from titledeed.credentials.authority import SigningIdentity
from titledeed.errors import PassphraseError, SigningError, StorageError, UnreadableInputError
from titledeed.models.asset import MediaType
from titledeed.models.disclosure import AssetDisclosure, DigitalSourceType, source_type_uri
from titledeed.models.evidence import HistoryCode, IntegrityCode, TrustCode
from titledeed.ports import SoftBinding

UNSIGNED_TYPES = [kind for kind in MediaType if not kind.carries_credentials]


@pytest.mark.parametrize("media_type", SIGNED_TYPES)
def test_signed_copy_reads_back(
    tmp_path: Path, authority: Authority, media_type: MediaType
) -> None:
    source = render_media(tmp_path, media_type)
    before = source.read_bytes()
    signed = tmp_path / f"signed.{media_type.extension}"
    draft = build_draft(media_type)
    copy = authority.signer().sign(source, signed, draft)
    report = authority.reader().read(signed, media_type)
    assert report.integrity is IntegrityCode.INTACT
    assert report.trust is TrustCode.TRUSTED
    assert report.history is HistoryCode.COMPLETE
    assert report.failures == () and report.broken_ingredients == ()
    assert report.signed_claim == draft.signed_claim
    assert report.source_types == (source_type_uri(GENERATED.source_type),)
    assert report.actions_complete and report.ai_disclosure
    assert (report.title, report.signer) == ("A work", "Test Studio")
    assert report.generator == "Titledeed 0.1.0"
    assert report.signed_at is None
    assert report.manifest_id == report.content_manifest_id == copy.credential.manifest_id
    assert copy.credential.signed_digest == hashlib.sha256(signed.read_bytes()).digest()
    assert copy.credential.manifest_digest == sha256(copy.manifest_store)
    assert source.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [signed, source]


def test_every_assertion_is_attributed_to_the_signer(
    signed_picture: Path, authority: Authority
) -> None:
    claim = read_details(signed_picture, authority)["claim"]
    labels = [entry["url"].rpartition("/")[2] for entry in claim["created_assertions"]]
    assert labels == [
        "c2pa.actions.v2",
        "c2pa.ai-disclosure",
        "c2pa.soft-binding",
        "c2pa.soft-binding__1",
        "org.titledeed.claim",
        "c2pa.hash.data",
    ]
    assert "gathered_assertions" not in claim


def test_soft_bindings_arrive_as_they_were_given(
    signed_picture: Path, authority: Authority
) -> None:
    store = read_details(signed_picture, authority)["assertion_store"]
    for label, binding in zip(("c2pa.soft-binding", "c2pa.soft-binding__1"), BINDINGS, strict=True):
        assert store[label]["alg"] == binding.algorithm
        assert store[label]["blocks"] == [{"scope": {}, "value": binding.value}]
        base64.b64decode(binding.value, validate=True)


def test_captured_work_has_no_ai_disclosure(tmp_path: Path, authority: Authority) -> None:
    source, signed = render_media(tmp_path, MediaType.JPEG), tmp_path / "signed.jpg"
    disclosure = AssetDisclosure(DigitalSourceType.DIGITAL_CAPTURE)
    authority.signer().sign(source, signed, build_draft(MediaType.JPEG, disclosure=disclosure))
    report = authority.reader().read(signed, MediaType.JPEG)
    assert not report.ai_disclosure
    assert report.source_types == (source_type_uri(DigitalSourceType.DIGITAL_CAPTURE),)


def test_signer_is_untrusted_without_its_root(signed_picture: Path, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger")
    for anchors in ("", stranger.root):
        report = build_reader(anchors.strip).read(signed_picture, MediaType.JPEG)
        assert report.trust is TrustCode.UNTRUSTED
        assert report.integrity is IntegrityCode.INTACT
        assert report.failures == ("signingCredential.untrusted",)


@pytest.mark.parametrize(
    "title",
    [
        "<script>alert(1)</script>",
        "'; DROP TABLE works; --",
        "\x1b[31mred\x1b[0m \u202egnp.exe",
        '{"title": "nested"}',
        "日本語 " + "x" * 290,
    ],
)
def test_hostile_title_comes_back_as_it_is(
    tmp_path: Path, authority: Authority, title: str
) -> None:
    source, signed = render_media(tmp_path, MediaType.PNG), tmp_path / "signed.png"
    authority.signer().sign(source, signed, build_draft(MediaType.PNG, title=title))
    assert authority.reader().read(signed, MediaType.PNG).title == title


def test_endless_title_is_cut(tmp_path: Path, authority: Authority) -> None:
    source, signed = render_media(tmp_path, MediaType.PNG), tmp_path / "signed.png"
    authority.signer().sign(source, signed, build_draft(MediaType.PNG, title="x" * 10_000))
    assert authority.reader().read(signed, MediaType.PNG).title == "x" * 300


def test_large_video_is_hashed_in_pieces(tmp_path: Path, authority: Authority) -> None:
    source, signed = render_media(tmp_path, MediaType.MP4), tmp_path / "signed.mp4"
    copy = authority.signer(large_file_bytes=0).sign(source, signed, build_draft(MediaType.MP4))
    assert "merkle" in read_details(signed, authority)["assertion_store"]["c2pa.hash.bmff.v3"]
    assert authority.reader().read(signed, MediaType.MP4).integrity is IntegrityCode.INTACT
    assert copy.credential.manifest_digest == sha256(copy.manifest_store)


class TestSourceWithCredentials:
    """The provenance that is there already is kept."""

    def test_its_manifest_becomes_the_parent(
        self, signed_picture: Path, tmp_path: Path, authority: Authority
    ) -> None:
        first = authority.reader().read(signed_picture, MediaType.JPEG)
        again = tmp_path / "again.jpg"
        draft = build_draft(MediaType.JPEG, title="Second", seed=2)
        authority.signer().sign(signed_picture, again, draft)
        report = authority.reader().read(again, MediaType.JPEG)
        assert (report.integrity, report.history) == (IntegrityCode.INTACT, HistoryCode.COMPLETE)
        assert report.content_manifest_id == report.manifest_id != first.manifest_id
        assert (report.title, report.signed_claim) == ("Second", draft.signed_claim)
        assert report.source_types == (source_type_uri(GENERATED.source_type),)
        assert report.actions_complete
        details = read_details(again, authority)
        assert "gathered_assertions" not in details["claim"]
        parent = details["assertion_store"]["c2pa.ingredient.v3"]
        assert parent["relationship"] == "parentOf"
        assert first.manifest_id in parent["activeManifest"]["url"]

    def test_alteration_before_signing_is_named(
        self, signed_picture: Path, tmp_path: Path, authority: Authority
    ) -> None:
        data = bytearray(signed_picture.read_bytes())
        data[-20] ^= 1
        signed_picture.write_bytes(data)
        again = tmp_path / "again.jpg"
        authority.signer().sign(signed_picture, again, build_draft(MediaType.JPEG, title="Clean"))
        report = authority.reader().read(again, MediaType.JPEG)
        assert (report.integrity, report.trust) == (IntegrityCode.INTACT, TrustCode.TRUSTED)
        assert report.history is HistoryCode.BROKEN_INGREDIENT
        assert report.broken_ingredients == ("Clean: assertion.dataHash.mismatch",)

    def test_unreadable_credentials_are_not_dropped_in_silence(
        self, signed_picture: Path, tmp_path: Path, authority: Authority
    ) -> None:
        data = bytearray(signed_picture.read_bytes())
        data[data.index(b"instanceID") - 1] ^= 0xFF
        signed_picture.write_bytes(data)
        with pytest.raises(SigningError, match="own Content Credentials"):
            authority.signer().sign(
                signed_picture, tmp_path / "again.jpg", build_draft(MediaType.JPEG)
            )
        assert list(tmp_path.iterdir()) == [signed_picture]


class TestRefusal:
    """A failed signing leaves nothing behind and the source untouched."""

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        return render_media(tmp_path, MediaType.JPEG)

    def test_source_is_never_its_own_destination(self, source: Path, authority: Authority) -> None:
        hard, soft = source.with_name("hard.jpg"), source.with_name("soft.jpg")
        hard.hardlink_to(source)
        soft.symlink_to(source)
        round_about = source.parent / ".." / source.parent.name / source.name
        before = source.read_bytes()
        for destination in (source, hard, soft, round_about):
            with pytest.raises(SigningError, match="the source itself"):
                authority.signer().sign(source, destination, build_draft(MediaType.JPEG))
        assert source.read_bytes() == before
        assert soft.is_symlink() and hard.samefile(source)
        assert sorted(source.parent.iterdir()) == sorted([source, hard, soft])

    @pytest.mark.parametrize("media_type", UNSIGNED_TYPES)
    def test_type_that_carries_no_credentials(
        self, source: Path, authority: Authority, media_type: MediaType
    ) -> None:
        with pytest.raises(SigningError, match=media_type.value):
            authority.signer().sign(source, source.with_name("out"), build_draft(media_type))
        assert list(source.parent.iterdir()) == [source]

    def test_definition_that_the_library_refuses(self, source: Path, authority: Authority) -> None:
        endless = (SoftBinding("org.example.endless", "A" * 2_000_000),)
        draft = build_draft(MediaType.JPEG, soft_bindings=endless)
        with pytest.raises(SigningError, match="could not be made"):
            authority.signer().sign(source, source.with_name("out.jpg"), draft)
        assert list(source.parent.iterdir()) == [source]

    @pytest.mark.parametrize("media_type", SIGNED_TYPES)
    def test_bytes_that_are_no_media(
        self, tmp_path: Path, authority: Authority, media_type: MediaType
    ) -> None:
        source = tmp_path / "source"
        source.write_bytes(b"This is a text. " * 100)
        with pytest.raises(SigningError):
            authority.signer().sign(source, tmp_path / "out", build_draft(media_type))
        assert list(tmp_path.iterdir()) == [source]

    def test_key_that_does_not_fit_its_certificate(
        self, source: Path, authority: Authority, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        other = Authority(tmp_path_factory.mktemp("other"))
        mixed = SigningIdentity(authority.identity.chain_pem, other.identity.private_key)
        with pytest.raises(SigningError):
            authority.signer(mixed).sign(
                source, source.with_name("out.jpg"), build_draft(MediaType.JPEG)
            )
        assert list(source.parent.iterdir()) == [source]

    def test_key_that_fails_while_signing_is_told_as_it_is(
        self, source: Path, authority: Authority
    ) -> None:
        class LockedIdentity(SigningIdentity):
            def sign(self, data: bytes) -> NoReturn:
                raise PassphraseError("the token was removed")

        locked = LockedIdentity(authority.identity.chain_pem, authority.identity.private_key)
        with pytest.raises(PassphraseError, match="the token was removed"):
            authority.signer(locked).sign(
                source, source.with_name("out.jpg"), build_draft(MediaType.JPEG)
            )
        assert list(source.parent.iterdir()) == [source]

    def test_full_disk(self, source: Path, authority: Authority) -> None:
        with full_disk(2_000), pytest.raises(StorageError, match="cannot be written"):
            authority.signer().sign(
                source, source.with_name("out.jpg"), build_draft(MediaType.JPEG)
            )
        assert list(source.parent.iterdir()) == [source]

    def test_file_in_place_of_the_folder(self, source: Path, authority: Authority) -> None:
        (source.parent / "no").touch()
        with pytest.raises(StorageError):
            authority.signer().sign(
                source, source.parent / "no" / "out.jpg", build_draft(MediaType.JPEG)
            )

    def test_vanished_source(self, source: Path, authority: Authority) -> None:
        source.unlink()
        with pytest.raises(UnreadableInputError, match="cannot be read"):
            authority.signer().sign(
                source, source.with_name("out.jpg"), build_draft(MediaType.JPEG)
            )
        assert not list(source.parent.iterdir())

    def test_destination_that_is_there_stays_when_signing_fails(
        self, source: Path, authority: Authority
    ) -> None:
        destination = source.with_name("out.jpg")
        destination.write_bytes(b"earlier")
        draft = build_draft(MediaType.JPEG)
        broken = replace(draft, soft_bindings=(SoftBinding("x", "A" * 2_000_000),))
        with pytest.raises(SigningError):
            authority.signer().sign(source, destination, broken)
        assert destination.read_bytes() == b"earlier"
