"""Reading other programs' manifests: updates, remote ones, files that exhaust the reader."""

from __future__ import annotations

import io
import socket
import threading
import wave
from pathlib import Path

import c2pa
import numpy as np
import pytest
from credential_builders import (
    Authority,
    build_draft,
    build_reader,
    issue_for_purpose,
    render_media,
)
from cryptography import x509

from titledeed.canonical.documents import Json
from titledeed.credentials.authority import CLAIM_SIGNING
from titledeed.credentials.library import build_settings
from titledeed.credentials.reading import read_store
from titledeed.credentials.trust import load_trust_anchors
from titledeed.errors import ConfigurationError, UnreadableInputError
from titledeed.models.asset import MediaType
from titledeed.models.evidence import HistoryCode, IntegrityCode, TrustCode

RECEIPT: dict[str, Json] = {
    "@context": "https://c2pa.org/schemas/manifest-receipt",
    "@type": "org.c2pa.repository-receipt",
    "repository": {"uri": "https://example.org", "manifestId": "m"},
    "anchor": {"uri": "https://example.org", "proof": {}},
}
DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
UNKNOWN_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.311.76.59.1.9")
UPDATE: dict[str, Json] = {
    "claim_generator_info": [{"name": "Receipts", "version": "1"}],
    "assertions": [
        {"label": "c2pa.repository-receipt", "kind": "Json", "data": RECEIPT, "created": True}
    ],
}


def _update(path: Path, authority: Authority, media_type: MediaType) -> None:
    updated = authority.sign_definition(
        path.read_bytes(), media_type, UPDATE, intent=c2pa.C2paBuilderIntent.UPDATE
    )
    path.write_bytes(updated)


def test_update_manifests_keep_the_identity(signed_clip: Path, authority: Authority) -> None:
    before = authority.reader().read(signed_clip, MediaType.MP4)
    for _ in range(2):
        _update(signed_clip, authority, MediaType.MP4)
    after = authority.reader().read(signed_clip, MediaType.MP4)
    assert after.integrity is IntegrityCode.INTACT
    assert after.history is HistoryCode.COMPLETE
    assert after.manifest_id != before.manifest_id
    assert after.content_manifest_id == before.manifest_id
    assert after.signed_claim == before.signed_claim
    assert (after.title, after.source_types) == (before.title, before.source_types)


def test_update_over_altered_bytes_is_altered(signed_picture: Path, authority: Authority) -> None:
    data = bytearray(signed_picture.read_bytes())
    data[-20] ^= 1
    signed_picture.write_bytes(data)
    _update(signed_picture, authority, MediaType.JPEG)
    report = authority.reader().read(signed_picture, MediaType.JPEG)
    assert report.integrity is IntegrityCode.ALTERED
    assert report.content_manifest_id == report.manifest_id


def test_new_manifest_beside_the_old_claim_is_another_identity(
    signed_picture: Path, authority: Authority
) -> None:
    definition: dict[str, Json] = {"title": "Edited", "assertions": []}
    edited = authority.sign_definition(
        signed_picture.read_bytes(),
        MediaType.JPEG,
        definition,
        intent=c2pa.C2paBuilderIntent.EDIT,
    )
    signed_picture.write_bytes(edited)
    report = authority.reader().read(signed_picture, MediaType.JPEG)
    assert report.integrity is IntegrityCode.INTACT
    assert report.content_manifest_id == report.manifest_id
    assert report.signed_claim is None


@pytest.mark.parametrize(
    ("purpose", "trust"),
    [
        (CLAIM_SIGNING, TrustCode.TRUSTED),
        (DOCUMENT_SIGNING, TrustCode.TRUSTED),
        (UNKNOWN_SIGNING, TrustCode.UNTRUSTED),
    ],
)
def test_certificate_for_an_unlisted_purpose_is_untrusted_and_not_altered(
    tmp_path: Path, authority: Authority, purpose: x509.ObjectIdentifier, trust: TrustCode
) -> None:
    source, signed = render_media(tmp_path, MediaType.JPEG), tmp_path / "signed.jpg"
    identity = issue_for_purpose(authority, purpose)
    authority.signer(identity).sign(source, signed, build_draft(MediaType.JPEG))
    report = authority.reader().read(signed, MediaType.JPEG)
    assert (report.integrity, report.trust) == (IntegrityCode.INTACT, trust)


class TestNetwork:
    """A file that names a remote manifest learns nothing about who reads it."""

    @pytest.fixture
    def server(self) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.3)
        return listener

    @pytest.fixture
    def remote_picture(self, server: socket.socket, tmp_path: Path, authority: Authority) -> Path:
        source = render_media(tmp_path, MediaType.JPEG)
        target = io.BytesIO()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/manifest.c2pa"
        with (
            c2pa.Context.from_dict(build_settings("")) as context,
            c2pa.Signer.from_callback(
                authority.identity.sign,
                c2pa.C2paSigningAlg.ES256,
                authority.identity.chain_pem,
            ) as signer,
            c2pa.Builder({"title": "remote", "assertions": []}, context) as builder,
        ):
            builder.set_intent(
                c2pa.C2paBuilderIntent.CREATE, c2pa.C2paDigitalSourceType.DIGITAL_CAPTURE
            )
            builder.set_no_embed()
            builder.set_remote_url(url)
            builder.sign(signer, MediaType.JPEG.value, io.BytesIO(source.read_bytes()), target)
        source.write_bytes(target.getvalue())
        return source

    def test_library_left_to_itself_asks_the_server(
        self, server: socket.socket, remote_picture: Path
    ) -> None:
        def answer_nothing() -> None:
            server.accept()[0].close()

        thread = threading.Thread(target=answer_nothing)
        server.settimeout(30)
        thread.start()
        with pytest.raises(c2pa.C2paError), remote_picture.open("rb") as file:
            c2pa.Reader(MediaType.JPEG.value, file)
        thread.join(timeout=30)
        assert not thread.is_alive()
        server.close()

    def test_remote_manifest_is_not_fetched(
        self, server: socket.socket, remote_picture: Path, authority: Authority
    ) -> None:
        with remote_picture.open("rb") as file:
            here = read_store(file, MediaType.JPEG, trust_anchors=authority.root)
        assert here == authority.reader().read(remote_picture, MediaType.JPEG)
        assert here.integrity is IntegrityCode.NO_CREDENTIALS
        assert here.failures == ("remote_manifest_not_fetched",)
        with server, pytest.raises(TimeoutError):
            server.accept()

    def test_signing_keeps_the_pointer_and_fetches_nothing(
        self, server: socket.socket, remote_picture: Path, tmp_path: Path, authority: Authority
    ) -> None:
        signed = tmp_path / "signed.jpg"
        authority.signer().sign(remote_picture, signed, build_draft(MediaType.JPEG))
        with server, pytest.raises(TimeoutError):
            server.accept()
        report = authority.reader().read(signed, MediaType.JPEG)
        assert (report.integrity, report.history) == (IntegrityCode.INTACT, HistoryCode.GAPS)


def test_file_that_exhausts_the_reader_is_unreadable(tmp_path: Path, authority: Authority) -> None:
    source, signed = tmp_path / "long.wav", tmp_path / "signed.wav"
    with wave.open(str(source), "wb") as sound:
        sound.setparams((1, 2, 48_000, 0, "NONE", "not compressed"))
        sound.writeframes(np.zeros(24_000_000, np.int16).tobytes())
    authority.signer().sign(source, signed, build_draft(MediaType.WAV))
    report = authority.reader(memory_bytes_max=24 << 20).read(signed, MediaType.WAV)
    assert report.integrity is IntegrityCode.UNREADABLE
    assert report.failures == ("reader_stopped",)


@pytest.mark.parametrize("media_type", [kind for kind in MediaType if not kind.carries_credentials])
def test_types_that_we_do_not_sign_have_no_credentials(
    tmp_path: Path, authority: Authority, media_type: MediaType
) -> None:
    path = render_media(tmp_path, media_type)
    report = authority.reader().read(path, media_type)
    assert report.integrity is IntegrityCode.NO_CREDENTIALS
    assert report.trust is TrustCode.NOT_CHECKED
    assert report.history is HistoryCode.NONE
    assert report.failures == ()


def test_missing_file_is_an_error(tmp_path: Path, authority: Authority) -> None:
    with pytest.raises(UnreadableInputError):
        authority.reader().read(tmp_path / "gone.jpg", MediaType.JPEG)


def test_damaged_trust_list_is_an_error_and_no_verdict(
    signed_picture: Path, authority: Authority
) -> None:
    trust = signed_picture.parent / "trust"
    trust.mkdir()
    (trust / "bad.pem").write_text("garbage")
    reader = build_reader(lambda: load_trust_anchors(trust))
    with pytest.raises(ConfigurationError):
        reader.read(signed_picture, MediaType.JPEG)
