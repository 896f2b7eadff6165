from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from full_disks import full_disk
from starlette.requests import ClientDisconnect, Request

from titledeed.errors import (
    DependencyError,
    InvalidRequestError,
    MediaTooLargeError,
    StorageError,
    TitledeedError,
    UnsupportedMediaTypeError,
)
from titledeed_api.uploads import UPLOADS_MAX, Upload, UploadArea, clean_name

FORM = "multipart/form-data; boundary=x"
LIMIT = 100_000


def part(name: str, data: bytes, filename: str | None = None) -> bytes:
    disposition = f'form-data; name="{name}"'
    if filename is not None:
        disposition += f'; filename="{filename}"'
    return f"--x\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--x--\r\n"


def make_request(
    chunks: Iterable[bytes],
    *,
    content_type: str = FORM,
    length: int | None = None,
    query: bytes = b"",
    cut: bool = False,
) -> Request:
    """A request whose body comes in these chunks; ``cut`` hangs up instead of ending."""
    waiting = list(chunks)
    headers = [(b"content-type", content_type.encode())]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))

    async def receive() -> MutableMapping[str, Any]:
        if not waiting and cut:
            return {"type": "http.disconnect"}
        body = waiting.pop(0) if waiting else b""
        return {"type": "http.request", "body": body, "more_body": bool(waiting) or cut}

    scope = {"type": "http", "method": "POST", "headers": headers, "query_string": query}
    return Request(scope, receive)


def take(
    area: UploadArea,
    request: Request,
    look: Callable[[Upload], None] = lambda upload: None,
    *,
    raw: bool = True,
) -> Upload:
    async def run() -> Upload:
        async with area.receive(request, raw=raw) as upload:
            look(upload)
            return upload

    return asyncio.run(run())


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def area(tmp_path: Path) -> UploadArea:
    return UploadArea(folder=tmp_path / "uploads", size_bytes_max=LIMIT)


@pytest.mark.parametrize("step", [1, 7, 64, 100_000])
def test_a_form_arrives_whole_however_it_is_cut(area: UploadArea, step: int) -> None:
    data = bytes(range(256)) * 20 + b"\r\n--x\r--x-" * 3
    body = form(part("title", "Ünï".encode()), part("file", data, "a.mp4"), part("publish", b""))
    chunks = [body[i : i + step] for i in range(0, len(body), step)]
    upload = take(area, make_request(chunks))
    assert upload.require("file").path.read_bytes() == data
    assert upload.require("file").name == "a.mp4"
    assert upload.fields == {"title": "Ünï", "publish": ""}


def test_a_body_that_is_no_form_is_the_file(area: UploadArea) -> None:
    request = make_request(
        [b"abc", b"def"], content_type="video/mp4", query=b"title=A+film&publish=true"
    )
    upload = take(area, request)
    assert upload.require("file").path.read_bytes() == b"abcdef"
    assert upload.fields == {"title": "A film", "publish": "true"}


def test_repeated_files_are_all_kept(area: UploadArea) -> None:
    body = form(part("bundles", b"1", "a"), part("bundles", b"2", "a"))
    upload = take(area, make_request([body]))
    assert [one.path.read_bytes() for one in upload.files["bundles"]] == [b"1", b"2"]
    with pytest.raises(InvalidRequestError):
        upload.require("bundles")


def test_an_input_that_was_left_empty_is_no_file(area: UploadArea) -> None:
    upload = take(area, make_request([form(part("timeline", b"", ""))]))
    assert upload.files == {}


REFUSED: dict[str, tuple[Callable[[], Request], type[TitledeedError]]] = {
    "declared too long": (
        lambda: make_request([b"x"], content_type="video/mp4", length=LIMIT + 1),
        MediaTooLargeError,
    ),
    "too long in fact": (
        lambda: make_request([b"x" * LIMIT, b"x"], content_type="video/mp4"),
        MediaTooLargeError,
    ),
    "too long as a form": (
        lambda: make_request([part("file", b"x" * LIMIT, "a") + b"--x--\r\n"]),
        MediaTooLargeError,
    ),
    "no boundary": (
        lambda: make_request([b""], content_type="multipart/form-data"),
        InvalidRequestError,
    ),
    "boundary too long": (
        lambda: make_request([b""], content_type=f"multipart/form-data; boundary={'x' * 400}"),
        InvalidRequestError,
    ),
    "not the boundary": (lambda: make_request([b"hello"]), InvalidRequestError),
    "truncated": (lambda: make_request([part("file", b"data", "a")]), InvalidRequestError),
    "long field": (lambda: make_request([form(part("t", b"x" * 20_000))]), InvalidRequestError),
    "many parts": (lambda: make_request([form(*[part("t", b"x")] * 600)]), InvalidRequestError),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_body_leaves_no_file(area: UploadArea, case: str) -> None:
    make, error = REFUSED[case]
    with pytest.raises(error):
        take(area, make())
    assert list(area.folder.iterdir()) == []


def test_a_client_that_hangs_up_leaves_no_file(area: UploadArea) -> None:
    request = make_request([part("file", b"data", "a")], cut=True)
    with pytest.raises(ClientDisconnect):
        take(area, request)
    assert list(area.folder.iterdir()) == []


def test_an_error_of_the_route_leaves_no_file(area: UploadArea) -> None:
    def refuse(upload: Upload) -> None:
        assert len(files_in(upload.folder)) == 1
        raise InvalidRequestError("no")

    with pytest.raises(InvalidRequestError):
        take(area, make_request([form(part("file", b"data", "a"))]), refuse)
    assert list(area.folder.iterdir()) == []


def test_a_form_is_demanded_where_several_files_are_needed(area: UploadArea) -> None:
    with pytest.raises(UnsupportedMediaTypeError):
        take(area, make_request([b"x"], content_type="video/mp4"), raw=False)


@pytest.mark.parametrize("size", [1, 50_000])
def test_a_full_disk_is_told_and_leaves_no_file(area: UploadArea, size: int) -> None:
    for request in (
        make_request([b"x" * size], content_type="video/mp4"),
        make_request([form(part("file", b"x" * size, "a"))]),
    ):
        with full_disk(0), pytest.raises(StorageError, match="File too large"):
            take(area, request)
        assert list(area.folder.iterdir()) == []


def test_waiting_uploads_are_bounded(area: UploadArea) -> None:
    def request() -> Request:
        return make_request([b"x"], content_type="video/mp4")

    kept = [take(area, request()) for _ in range(UPLOADS_MAX)]
    with pytest.raises(DependencyError):
        take(area, request())
    kept[0].discard()
    take(area, request())


def test_files_nobody_expects_are_refused(area: UploadArea) -> None:
    upload = take(area, make_request([form(part("flie", b"x", "a"))]))
    with pytest.raises(InvalidRequestError, match="flie"):
        upload.refuse_others("file")


def test_messages_name_files_as_their_sender_did(area: UploadArea) -> None:
    upload = take(area, make_request([form(part("file", b"x", "/etc/../clip.mp4"))]))
    path = upload.require("file").path
    assert upload.hide_paths(f"{path} is broken") == "clip.mp4 is broken"
    assert upload.hide_paths(f"{path.name}: broken") == "clip.mp4: broken"
    assert str(area.folder) not in upload.hide_paths(f"{path.parent}/other is broken")


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("clip.mp4", "clip.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\films\\clip.mp4", "clip.mp4"),
        ("a\x00\x1b[31mb\n c", "a[31mb c"),
        ("exe\u202egpj.mp4", "exegpj.mp4"),
        ("<img src=x onerror=alert(1)>.png", "<img src=x onerror=alert(1)>.png"),
        ("x" * 500, "x" * 200),
        ("", ""),
    ],
)
def test_names_become_one_line_without_controls(given: str, cleaned: str) -> None:
    assert clean_name(given) == cleaned


@pytest.mark.parametrize(
    ("name", "suffix"), [("a.MP4", ".mp4"), ("a", ""), ("a.b c", ""), ("a.toolong", "")]
)
def test_only_plain_endings_are_kept(area: UploadArea, name: str, suffix: str) -> None:
    upload = take(area, make_request([form(part("file", b"x", name))]))
    assert upload.require("file").suffix == suffix
