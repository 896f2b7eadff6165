from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from titledeed.errors import MalformedDocumentError
from titledeed.homes.archive import ArchiveReader, ArchiveWriter, Member


def write(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    writer = ArchiveWriter(stream, timestamp=1_790_000_000)
    for name, data in files.items():
        member = Member(name, len(data))
        writer.start(member)
        writer.write(data)
        writer.finish(member)
    writer.close()
    return stream.getvalue()


def read(data: bytes) -> dict[str, bytes]:
    reader = ArchiveReader(io.BytesIO(data))
    return {member.name: b"".join(reader.pieces(member)) for member in reader}


def entry(**changes: object) -> bytes:
    """An archive of one entry as another program might write it."""
    info = tarfile.TarInfo("a")
    for name, value in changes.items():
        setattr(info, name, value)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    return stream.getvalue()


FILES = {
    "empty": b"",
    "objects/one block": bytes(512),
    "signed/" + "long/" * 60 + "name.mp4": b"x" * 513,
    "signed/no\udcff unicode": b"y",
}


def test_what_was_written_is_read() -> None:
    assert read(write(FILES)) == FILES


def test_other_programs_unpack_it(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(write(FILES))
    with tarfile.open(path, errorlevel=2) as archive:
        archive.extractall(tmp_path / "out", filter="data")
    found = {
        file.relative_to(tmp_path / "out").as_posix(): file.read_bytes()
        for file in (tmp_path / "out").rglob("*")
        if file.is_file()
    }
    assert found == FILES


def test_sizes_beyond_eight_gibibytes_survive() -> None:
    stream = io.BytesIO()
    ArchiveWriter(stream, timestamp=0).start(Member("film", 2**35))
    stream.seek(0)
    assert next(iter(ArchiveReader(stream))) == Member("film", 2**35)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
        {"type": tarfile.LNKTYPE, "linkname": "../x"},
        {"type": tarfile.DIRTYPE},
        {"type": tarfile.CHRTYPE},
        {"type": tarfile.FIFOTYPE},
        {"type": tarfile.GNUTYPE_SPARSE},
        {"name": "/etc/passwd"},
        {"name": "../x"},
        {"name": "a/../../x"},
        {"name": "./a"},
        {"name": "a//b"},
        {"name": ""},
        {"name": "x" * 5_000},
    ],
    ids=str,
)
def test_what_is_no_plain_file_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(MalformedDocumentError):
        read(entry(**changes))


def test_headers_of_other_kinds_are_not_read() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("x" * 300))
    with pytest.raises(MalformedDocumentError):
        read(stream.getvalue())


def test_every_cut_is_noticed() -> None:
    whole = write({"a": b"abc", "b" * 200: b"d" * 600})
    for length in range(0, len(whole) - 1024, 256):
        with pytest.raises(MalformedDocumentError):
            read(whole[:length])


def test_random_blocks_are_refused() -> None:
    with pytest.raises(MalformedDocumentError):
        read(b"\x80" * 4096)
