"""What every ``ManifestSigner`` and ``ManifestReader`` promises."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from credential_builders import SIGNED_TYPES, Authority, build_draft, render_media
from simulation.manifest_simulator import ReaderSimulator, SignerSimulator

from titledeed.canonical.hashing import sha256
from titledeed.errors import SigningError, UnreadableInputError
from titledeed.media.digests import digest_file
from titledeed.models.asset import MediaType
from titledeed.models.disclosure import source_type_uri
from titledeed.models.evidence import HistoryCode, IntegrityCode, ManifestReport, TrustCode
from titledeed.ports import ManifestReader, ManifestSigner

Ports = tuple[ManifestSigner, ManifestReader]


def _c2pa(folder: Path) -> Ports:
    authority = Authority(folder)
    return authority.signer(), authority.reader()


def _simulated(_folder: Path) -> Ports:
    return SignerSimulator(), ReaderSimulator()


@pytest.fixture(scope="session", params=[_c2pa, _simulated])
def ports(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ports:
    """A signer, and a reader that trusts it."""
    build: Callable[[Path], Ports] = request.param
    return build(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize("media_type", SIGNED_TYPES)
def test_what_was_signed_is_read(tmp_path: Path, ports: Ports, media_type: MediaType) -> None:
    signer, reader = ports
    source, signed = render_media(tmp_path, media_type), tmp_path / "signed"
    before = source.read_bytes()
    copy = signer.sign(source, signed, build_draft(media_type))
    assert source.read_bytes() == before
    report = reader.read(signed, media_type)
    assert report.integrity is IntegrityCode.INTACT
    assert report.manifest_id == copy.credential.manifest_id


@pytest.mark.parametrize("media_type", list(MediaType))
def test_absence_is_an_answer(tmp_path: Path, ports: Ports, media_type: MediaType) -> None:
    report = ports[1].read(render_media(tmp_path, media_type), media_type)
    assert report.integrity is IntegrityCode.NO_CREDENTIALS


@pytest.mark.parametrize("media_type", SIGNED_TYPES)
def test_a_kept_store_tells_what_the_signed_copy_tells(
    tmp_path: Path, ports: Ports, media_type: MediaType
) -> None:
    signer, reader = ports
    signed = tmp_path / "signed"
    copy = signer.sign(render_media(tmp_path, media_type), signed, build_draft(media_type))
    assert reader.read_kept(copy.manifest_store) == reader.read(signed, media_type)


def test_destination_is_never_seen_in_part(tmp_path: Path, ports: Ports) -> None:
    source, signed = render_media(tmp_path, MediaType.MP4), tmp_path / "signed.mp4"
    seen: set[int] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            if signed.exists():
                seen.add(signed.stat().st_size)

    watcher = threading.Thread(target=watch)
    watcher.start()
    ports[0].sign(source, signed, build_draft(MediaType.MP4))
    done.set()
    watcher.join()
    assert seen <= {signed.stat().st_size}
    assert sorted(tmp_path.iterdir()) == [signed, source]


def test_source_is_never_its_own_destination(tmp_path: Path, ports: Ports) -> None:
    source = render_media(tmp_path, MediaType.JPEG)
    before = source.read_bytes()
    with pytest.raises(SigningError):
        ports[0].sign(source, source, build_draft(MediaType.JPEG))
    assert source.read_bytes() == before


def test_threads_share_one_signer_and_one_reader(tmp_path: Path, ports: Ports) -> None:
    signer, reader = ports
    source = render_media(tmp_path, MediaType.JPEG)

    def sign_and_read(number: int) -> ManifestReport:
        signed = tmp_path / f"signed-{number}.jpg"
        draft = build_draft(MediaType.JPEG, title=f"Work {number}", seed=number)
        signer.sign(source, signed, draft)
        return reader.read(signed, MediaType.JPEG)

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(sign_and_read, range(12)))
    assert [report.title for report in reports] == [f"Work {number}" for number in range(12)]
    assert {report.integrity for report in reports} == {IntegrityCode.INTACT}


def test_a_changed_file_does_not_fit_its_manifest(tmp_path: Path, ports: Ports) -> None:
    signer, reader = ports
    signed = tmp_path / "signed.wav"
    signer.sign(render_media(tmp_path, MediaType.WAV), signed, build_draft(MediaType.WAV))
    data = bytearray(signed.read_bytes())
    data[len(data) // 2] ^= 1  # in the sound, which is most of the file
    signed.write_bytes(data)
    assert reader.read(signed, MediaType.WAV).integrity is IntegrityCode.ALTERED


def test_the_claim_and_the_declared_source_are_read_as_they_were_drafted(
    tmp_path: Path, ports: Ports
) -> None:
    signer, reader = ports
    draft, signed = build_draft(MediaType.PNG, seed=5), tmp_path / "signed.png"
    copy = signer.sign(render_media(tmp_path, MediaType.PNG), signed, draft)
    assert copy.credential.manifest_digest == sha256(copy.manifest_store)
    assert copy.credential.signed_digest == digest_file(signed)
    report = reader.read(signed, MediaType.PNG)
    assert report.signed_claim == draft.signed_claim
    assert report.source_types == (source_type_uri(draft.disclosure.source_type),)
    assert report.content_manifest_id == report.manifest_id
    assert (report.trust, report.history) == (TrustCode.TRUSTED, HistoryCode.COMPLETE)


def test_a_type_that_carries_none_is_refused_and_nothing_appears(
    tmp_path: Path, ports: Ports
) -> None:
    source = render_media(tmp_path, MediaType.WEBM)
    with pytest.raises(SigningError):
        ports[0].sign(source, tmp_path / "signed.webm", build_draft(MediaType.WEBM))
    assert list(tmp_path.iterdir()) == [source]


def test_what_cannot_be_opened_is_told(tmp_path: Path, ports: Ports) -> None:
    signer, reader = ports
    gone = tmp_path / "gone.png"
    with pytest.raises(UnreadableInputError):
        signer.sign(gone, tmp_path / "signed.png", build_draft(MediaType.PNG))
    with pytest.raises(UnreadableInputError):
        reader.read(gone, MediaType.PNG)
    assert list(tmp_path.iterdir()) == []
