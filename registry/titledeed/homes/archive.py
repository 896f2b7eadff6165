"""A strict, streaming subset of tar: regular files with relative names, and nothing else.

Any tar program unpacks what is written here. What is read may be hostile: a link, a device, a name
that leads out of the folder, a sparse file or an overlong header is refused, never skipped.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from titledeed.durability import PRIVATE_MODE
from titledeed.errors import MalformedDocumentError

PIECE: Final = 1024 * 1024
MEMBER_NAME_LENGTH_MAX: Final = 4_096
_END: Final = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive.

    Attributes:
        name: relative, segments joined by ``/``; bytes that are no UTF-8 are surrogates.
        size: in bytes.
    """

    name: str
    size: int


class ArchiveWriter:
    """Writes members one after the other."""

    def __init__(self, file: BinaryIO, *, timestamp: int) -> None:
        self._file = file
        self._timestamp = timestamp

    def start(self, member: Member) -> None:
        """Write a member's header; exactly its bytes must follow."""
        info = tarfile.TarInfo(member.name)
        info.size, info.mode, info.mtime = member.size, PRIVATE_MODE, self._timestamp
        self._file.write(info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape"))

    def write(self, piece: bytes) -> None:
        """Write some of a member's bytes."""
        self._file.write(piece)

    def finish(self, member: Member) -> None:
        """Write what fills a member's last block."""
        self._file.write(bytes(-member.size % tarfile.BLOCKSIZE))

    def close(self) -> None:
        """Write the end mark; the file stays open."""
        self._file.write(_END)


class ArchiveReader:
    """Reads members in their order; each must be read before the next.

    Raises:
        MalformedDocumentError: from any method, when it is no such archive.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __iter__(self) -> Iterator[Member]:
        while (info := self._read_header()) is not None:
            name = info.name
            if info.type == tarfile.GNUTYPE_LONGNAME:
                name = self._read_long_name(info.size)
                info = self._read_header()
            if info is None or info.type != tarfile.REGTYPE or info.issparse() or info.size < 0:
                raise MalformedDocumentError(f"the archive holds {name[:200]!r}, which is no file")
            yield Member(_check_name(name), info.size)

    def pieces(self, member: Member) -> Iterator[bytes]:
        """The bytes of the member that was named last."""
        left = member.size
        while left:
            piece = self._read(min(left, PIECE))
            left -= len(piece)
            yield piece
        self._read(-member.size % tarfile.BLOCKSIZE)

    def _read_header(self) -> tarfile.TarInfo | None:
        block = self._read(tarfile.BLOCKSIZE)
        if not any(block):
            return None
        try:
            return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise MalformedDocumentError(f"the archive is damaged: {error}") from error

    def _read_long_name(self, size: int) -> str:
        if not 0 < size <= MEMBER_NAME_LENGTH_MAX:
            raise MalformedDocumentError("a name in the archive is too long")
        padded = self._read(size + -size % tarfile.BLOCKSIZE)
        return padded[:size].rstrip(b"\0").decode("utf-8", "surrogateescape")

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            piece = self._file.read(length - len(data))
            if not piece:
                raise MalformedDocumentError(
                    "the archive ends too early", next_step="Copy the file again: it is cut."
                )
            data += piece
        return data


def _check_name(name: str) -> str:
    segments = name.split("/")
    is_plain = (
        len(name) <= MEMBER_NAME_LENGTH_MAX
        and "\0" not in name
        and all(segment not in {"", ".", ".."} for segment in segments)
        and not PurePosixPath(name).is_absolute()
    )
    if not is_plain:
        raise MalformedDocumentError(f"the archive holds the name {name[:200]!r}")
    return name
