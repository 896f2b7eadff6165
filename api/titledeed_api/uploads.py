"""Receiving files: streamed to disk in blocks, never whole in memory, gone when their work is.

A body is either ``multipart/form-data`` or the bytes of one file (its fields are then in the
query). Names that a client gives to files never become paths: they end as titles at most.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Protocol

from pydantic import BaseModel, Field
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from titledeed.canonical.documents import Json
from titledeed.errors import (
    DependencyError,
    InvalidRequestError,
    MediaTooLargeError,
    StorageError,
    UnsupportedMediaTypeError,
)

BLOCK_BYTES: Final = 1024 * 1024
"""A hop into a thread per block; smaller ones cost more time than they save memory."""
PARTS_MAX: Final = 512
FIELD_BYTES_MAX: Final = 16 * 1024
NAME_LENGTH_MAX: Final = 200
UPLOADS_MAX: Final = 32
"""Uploads on disk at one time: anonymous callers must not fill the disk with waiting work."""

DiskName = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
"""What folders and files are called here: never a path."""

FILE_FIELD: Final = "file"
_MULTIPART: Final = "multipart/form-data"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """One file on disk, and the name that its sender gave it: one line of text, may be empty."""

    path: Path
    name: str

    @property
    def stem(self) -> str:
        """The sender's name without its ending."""
        return Path(self.name).stem

    @property
    def suffix(self) -> str:
        """The sender's ending if it is plain, such as ``.mp4``; else empty."""
        suffix = Path(self.name).suffix.lower()
        return suffix if re.fullmatch(r"\.[a-z0-9]{1,5}", suffix) else ""


@dataclass(slots=True)
class Upload:
    """All that one request brought; whoever holds it last must discard it."""

    folder: Path
    files: dict[str, list[ReceivedFile]] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)

    def require(self, name: str) -> ReceivedFile:
        """The one file of this name.

        Raises:
            InvalidRequestError: there is none, or several.
        """
        found = self.files.get(name, [])
        if len(found) != 1:
            raise InvalidRequestError(
                f"the form field {name!r} must hold one file, not {len(found)}",
                next_step=f"Send multipart/form-data with one file named {name!r}.",
            )
        return found[0]

    def refuse_others(self, *names: str) -> None:
        """Refuse files that nobody would look at.

        Raises:
            InvalidRequestError: there is one.
        """
        for name in self.files.keys() - set(names):
            raise InvalidRequestError(
                f"no file is expected in the form field {name[:60]!r}",
                next_step=f"Files may be named {', '.join(names)}.",
            )

    def describe(self) -> dict[str, Json]:
        """What ``UploadArea.reopen`` finds it by, for the arguments of a job."""
        files: dict[str, Json] = {
            name: [{"id": one.path.name, "name": one.name} for one in files]
            for name, files in self.files.items()
        }
        return {"folder": self.folder.name, "files": files}

    def hide_paths(self, message: str) -> str:
        """Name files in a message as their sender did; where they lie is nobody's business."""
        for received in (one for files in self.files.values() for one in files):
            name = received.name or "the file"
            message = message.replace(str(received.path), name).replace(received.path.name, name)
        return message.replace(str(self.folder), "the upload")

    def discard(self) -> None:
        """Delete everything; idempotent."""
        shutil.rmtree(self.folder, ignore_errors=True)


class _DescribedFile(BaseModel):
    id: DiskName
    name: str


class _DescribedUpload(BaseModel):
    folder: DiskName
    files: dict[str, list[_DescribedFile]]


class UploadArea:
    """The folder of a home in which uploads lie while they are worked on.

    Servers share it, and it outlives them: what a stopped server did not finish is done later.
    """

    def __init__(self, *, folder: Path, size_bytes_max: int) -> None:
        self.folder = folder
        self._size_bytes_max = size_bytes_max

    @asynccontextmanager
    async def receive(self, request: Request, *, raw: bool = True) -> AsyncIterator[Upload]:
        """Take the body in; leaving by an exception discards it.

        Args:
            request: its body has not been read.
            raw: whether a body that is no form counts as the file.

        Raises:
            MediaTooLargeError: the body is longer than allowed, by its header or in fact.
            InvalidRequestError: the form is broken.
            UnsupportedMediaTypeError: a form is needed and this is none.
            DependencyError: too many uploads wait already.
            StorageError: the disk is full.
        """
        with _storing():
            upload = self._open()
        try:
            with _storing():
                await self._fill(upload, request, raw=raw)
            yield upload
        except BaseException:
            upload.discard()
            raise

    def reopen(self, described: Json) -> Upload:
        """An upload that ``Upload.describe`` described, wherever the home lies now."""
        found = _DescribedUpload.model_validate(described)
        folder = self.folder / found.folder
        files = {
            name: [ReceivedFile(folder / one.id, one.name) for one in files]
            for name, files in found.files.items()
        }
        return Upload(folder, files)

    def keep_only(self, uploads: Iterable[Upload]) -> None:
        """Delete what a stopped server left that nobody will work on."""
        kept = {upload.folder for upload in uploads}
        with suppress(FileNotFoundError):
            for child in self.folder.iterdir():
                if child not in kept:
                    shutil.rmtree(child, ignore_errors=True)

    def _open(self) -> Upload:
        self.folder.mkdir(parents=True, exist_ok=True)
        if sum(1 for _ in self.folder.iterdir()) >= UPLOADS_MAX:
            raise DependencyError(
                f"{UPLOADS_MAX} files wait already", next_step="Send the file again later."
            )
        folder = self.folder / secrets.token_hex(8)
        folder.mkdir(mode=0o700)
        return Upload(folder)

    async def _fill(self, upload: Upload, request: Request, *, raw: bool) -> None:
        sink = _open_sink(request, upload, raw=raw)
        try:
            async for block in self._blocks(request):
                await run_in_threadpool(sink.feed, block)
            sink.finish()
        finally:
            sink.close()

    async def _blocks(self, request: Request) -> AsyncIterator[bytes]:
        declared = request.headers.get("content-length", "")
        if declared.isdigit():
            self._check_length(int(declared))
        received = 0
        block = bytearray()
        async for chunk in request.stream():
            received += len(chunk)
            self._check_length(received)
            block += chunk
            if len(block) >= BLOCK_BYTES:
                yield bytes(block)
                block.clear()
        yield bytes(block)

    def _check_length(self, length: int) -> None:
        if length > self._size_bytes_max:
            raise MediaTooLargeError(
                f"the body is longer than the {self._size_bytes_max} bytes allowed here",
                next_step="Use the command line, or ask the operator for a larger limit.",
                limit=self._size_bytes_max,
                setting="api.upload_bytes_max",
            )


class _Sink(Protocol):
    def feed(self, block: bytes) -> None: ...
    def finish(self) -> None: ...
    def close(self) -> None: ...


class _RawSink:
    """The body is one file."""

    def __init__(self, upload: Upload, query: Mapping[str, str]) -> None:
        upload.fields.update(query)
        self._file = _create_file(upload, FILE_FIELD, "")

    def feed(self, block: bytes) -> None:
        self._file.write(block)

    def finish(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class _FormSink:
    """The body is a form; each of its files goes to disk as it comes."""

    def __init__(self, upload: Upload, boundary: bytes) -> None:
        self._upload = upload
        self._header_name = b""
        self._header_value = b""
        self._disposition = b""
        self._field = ""
        self._text = bytearray()
        self._file: BinaryIO | None = None
        self._parts = 0
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_header_name,
                "on_header_value": self._add_header_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._open_part,
                "on_part_data": self._add_data,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
        )

    def feed(self, block: bytes) -> None:
        self._parser.write(block)

    def finish(self) -> None:
        if not self._ended:
            raise InvalidRequestError("the form ends before its last boundary")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > PARTS_MAX:
            raise InvalidRequestError(f"the form has more than {PARTS_MAX} parts")
        self._disposition = b""

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header_name = self._header_value = b""

    def _open_part(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._field = options.get(b"name", b"").decode("utf-8", "replace")
        self._text.clear()
        if b"filename" in options:
            name = options[b"filename"].decode("utf-8", "replace")
            self._file = _create_file(self._upload, self._field, name)

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > FIELD_BYTES_MAX:
            raise InvalidRequestError(
                f"the form field {self._field[:60]!r} is longer than {FIELD_BYTES_MAX} bytes"
            )

    def _end_part(self) -> None:
        if self._file is not None:
            self.close()
            _drop_unchosen(self._upload, self._field)
        else:
            self._upload.fields[self._field] = self._text.decode("utf-8", "replace")

    def _end(self) -> None:
        self._ended = True


def _open_sink(request: Request, upload: Upload, *, raw: bool) -> _Sink:
    content_type, options = parse_options_header(request.headers.get("content-type"))
    if content_type.decode("latin-1") == _MULTIPART:
        if not (boundary := options.get(b"boundary")):
            raise InvalidRequestError("the form names no boundary")
        return _FormSink(upload, boundary)
    if not raw:
        raise UnsupportedMediaTypeError(
            "this needs a form of several files", next_step=f"Send {_MULTIPART}."
        )
    return _RawSink(upload, request.query_params)


@contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except FormParserError as error:
        raise InvalidRequestError(f"the form is broken: {error}") from error
    except OSError as error:
        raise StorageError(
            f"the upload cannot be stored: {error.strerror}",
            next_step="Tell the operator: the disk may be full.",
        ) from error


def _create_file(upload: Upload, field_name: str, client_name: str) -> BinaryIO:
    path = upload.folder / secrets.token_hex(8)
    file = path.open("xb")
    upload.files.setdefault(field_name, []).append(ReceivedFile(path, clean_name(client_name)))
    return file


def _drop_unchosen(upload: Upload, field_name: str) -> None:
    """Browsers send a nameless, empty file for an input that was left empty."""
    last = upload.files[field_name][-1]
    if not last.name and not last.path.stat().st_size:
        upload.files[field_name].pop()
    if not upload.files[field_name]:
        del upload.files[field_name]


def clean_name(text: str) -> str:
    """The last part of a name that a client gave, as one line of text without controls.

    Direction overrides go too: they make ``gpj.exe`` look like ``exe.jpg``.
    """
    last = text.replace("\\", "/").rpartition("/")[2]
    return " ".join(_CONTROL.sub("", last).split())[:NAME_LENGTH_MAX]
