"""What damage does to a signed file, and what it must not be called."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from credential_builders import Authority, build_draft, render_media
from PIL import Image

from titledeed.models.asset import MediaType
from titledeed.models.evidence import HistoryCode, IntegrityCode, ManifestReport, TrustCode

Damage = Callable[[bytes], bytes]


def _flip(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def _flip_beside(marker: bytes, offset: int = 0) -> Damage:
    return lambda data: _flip(data, data.index(marker) + offset)


def _box(kind: bytes) -> bytes:
    return struct.pack(">I4s8s", 16, kind, b"\0" * 8)


def _read(path: Path, authority: Authority, media_type: MediaType) -> ManifestReport:
    return authority.reader().read(path, media_type)


@pytest.mark.parametrize(
    ("damage", "failure"),
    [
        (lambda data: _flip(data, len(data) - 20), "assertion.dataHash.mismatch"),
        (lambda data: data[: -len(data) // 20], "assertion.dataHash.mismatch"),
        (lambda data: data + b"tail", "assertion.dataHash.mismatch"),
        (_flip_beside(b"Test Model"), "assertion.hashedURI.mismatch"),
        (_flip_beside(b"A work"), "claimSignature.mismatch"),
    ],
    ids=["pixel", "truncated", "appended", "assertion", "claim"],
)
def test_changed_picture_is_altered(
    signed_picture: Path, authority: Authority, damage: Damage, failure: str
) -> None:
    signed_picture.write_bytes(damage(signed_picture.read_bytes()))
    report = _read(signed_picture, authority, MediaType.JPEG)
    assert report.integrity is IntegrityCode.ALTERED
    assert failure in report.failures


def test_changed_certificate_is_altered_and_vouches_for_nothing(
    signed_picture: Path, authority: Authority
) -> None:
    signed_picture.write_bytes(_flip_beside(b"Test Studio")(signed_picture.read_bytes()))
    report = _read(signed_picture, authority, MediaType.JPEG)
    assert report.integrity is IntegrityCode.ALTERED
    assert report.trust is TrustCode.NOT_CHECKED


@pytest.mark.parametrize(
    "damage",
    [
        _flip_beside(b"mdat", 200),
        _flip_beside(b"mvhd", 20),
        lambda data: data[: -len(data) // 4],
        lambda data: data + _box(b"junk"),
    ],
    ids=["mdat", "moov", "truncated", "unknown box"],
)
def test_changed_clip_is_altered(signed_clip: Path, authority: Authority, damage: Damage) -> None:
    signed_clip.write_bytes(damage(signed_clip.read_bytes()))
    report = _read(signed_clip, authority, MediaType.MP4)
    assert report.integrity in {IntegrityCode.ALTERED, IntegrityCode.UNREADABLE}
    assert report.failures


def test_standard_leaves_free_boxes_of_a_clip_unprotected(
    signed_clip: Path, authority: Authority
) -> None:
    signed_clip.write_bytes(signed_clip.read_bytes() + _box(b"free"))
    assert _read(signed_clip, authority, MediaType.MP4).integrity is IntegrityCode.INTACT


@pytest.mark.parametrize(
    "damage",
    [
        _flip_beside(b"instanceID", -1),
        lambda data: data[: data.index(b"c2pa.assertions")],
    ],
    ids=["claim is no CBOR", "cut inside the store"],
)
def test_broken_store_is_unreadable(
    signed_picture: Path, authority: Authority, damage: Damage
) -> None:
    signed_picture.write_bytes(damage(signed_picture.read_bytes()))
    report = _read(signed_picture, authority, MediaType.JPEG)
    assert report.integrity is IntegrityCode.UNREADABLE
    assert report.failures == ("manifest_unreadable",)
    assert report.history is HistoryCode.NONE


@pytest.mark.parametrize("content", [b"", b"A text.", b"\0" * 4_096, b"\xff\xd8\xff"])
def test_what_is_no_picture_has_no_credentials(
    tmp_path: Path, authority: Authority, content: bytes
) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(content)
    report = _read(path, authority, MediaType.JPEG)
    assert report.integrity in {IntegrityCode.NO_CREDENTIALS, IntegrityCode.UNREADABLE}
    assert report.manifest_id is None and report.signed_claim is None


def test_encoding_again_strips_the_credentials(signed_picture: Path, authority: Authority) -> None:
    with Image.open(signed_picture) as picture:
        picture.load()
    picture.save(signed_picture)
    report = _read(signed_picture, authority, MediaType.JPEG)
    assert report.integrity is IntegrityCode.NO_CREDENTIALS
    assert report.failures == ()


def test_stranger_who_signs_again_is_intact_and_untrusted(
    signed_picture: Path, tmp_path: Path, authority: Authority
) -> None:
    stranger = Authority(tmp_path / "stranger", organization="Test Studio")
    with Image.open(signed_picture) as picture:
        picture.load()
    picture.save(signed_picture)
    stolen = tmp_path / "stolen.jpg"
    stranger.signer().sign(signed_picture, stolen, build_draft(MediaType.JPEG))
    report = _read(stolen, authority, MediaType.JPEG)
    assert (report.integrity, report.trust) == (IntegrityCode.INTACT, TrustCode.UNTRUSTED)
    assert report.signer == "Test Studio"


@pytest.mark.parametrize("media_type", [MediaType.JPEG, MediaType.MP4])
def test_a_kept_store_that_was_changed_is_not_intact(
    tmp_path: Path, authority: Authority, media_type: MediaType
) -> None:
    source = render_media(tmp_path, media_type)
    copy = authority.signer().sign(source, tmp_path / "signed", build_draft(media_type))
    store = copy.manifest_store.replace(b"A work", b"a work", 1)
    assert store != copy.manifest_store
    assert authority.reader().read_kept(store).integrity is not IntegrityCode.INTACT


@pytest.mark.parametrize("store", [b"", b"\0" * 64, b"no manifest store"])
def test_what_is_no_manifest_store_tells_nothing(authority: Authority, store: bytes) -> None:
    report = authority.reader().read_kept(store)
    assert report.integrity in {IntegrityCode.UNREADABLE, IntegrityCode.NO_CREDENTIALS}
    assert report.manifest_id is None


def test_wrong_media_type_is_only_a_hint(signed_picture: Path, authority: Authority) -> None:
    assert _read(signed_picture, authority, MediaType.MP4).integrity is IntegrityCode.INTACT
