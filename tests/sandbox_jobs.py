"""Jobs for the sandbox's tests: one that behaves, and many that do not."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from media_factory import LIMITS, Frames, Samples

from titledeed.canonical.documents import Json
from titledeed.errors import ConflictError, MediaTooLargeError, UnsupportedMediaTypeError
from titledeed.media.decoding import decode

Report = Callable[[float], None]
Arguments = Mapping[str, Json]


def echo(file: BinaryIO, arguments: Arguments, report: Report) -> dict[str, Json]:
    report(0.5)
    return {"text": file.read().decode(), "arguments": dict(arguments), "pid": os.getpid()}


def refuse(file: BinaryIO, arguments: Arguments, report: Report) -> dict[str, Json]:
    raise UnsupportedMediaTypeError("no media", next_step="Convert it.")


def measure(file: BinaryIO, arguments: Arguments, report: Report) -> dict[str, Json]:
    raise MediaTooLargeError("too large", limit=7, size=1 << 62, setting="media.pixels_max")


def misname(file: BinaryIO, arguments: Arguments, report: Report) -> dict[str, Json]:
    """Name a path, which only the parent knows, and a text where a number belongs."""
    raise MediaTooLargeError("too large", path=Path("/etc/passwd"), limit=arguments["limit"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def conflict(file: BinaryIO, arguments: Arguments, report: Report) -> dict[str, Json]:
    raise ConflictError("not an error of the input")


def divide(file: BinaryIO, arguments: Arguments, report: Report) -> dict[str, Json]:
    return {"quotient": 1 // len(file.read(0))}


def sleep(file: BinaryIO, arguments: Arguments, report: Report) -> dict[str, Json]:
    report(0.1)
    time.sleep(60)
    return {}


def spin(file: BinaryIO, arguments: Arguments, report: Report) -> dict[str, Json]:
    while True:
        pass


def devour(file: BinaryIO, arguments: Arguments, report: Report) -> dict[str, Json]:
    return {"length": len(bytes(4 << 30))}


def babble(file: BinaryIO, arguments: Arguments, report: Report) -> dict[str, Json]:
    return {"text": "x" * 10_000}


def crash(file: BinaryIO, arguments: Arguments, report: Report) -> dict[str, Json]:
    ctypes.string_at(0)
    return {}


def leave(file: BinaryIO, arguments: Arguments, report: Report) -> dict[str, Json]:
    os._exit(3)


def forge(file: BinaryIO, arguments: Arguments, report: Report) -> dict[str, Json]:
    """Write what is no frame into every socket that is open."""
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"\x00\x00\x00\x05[1,2]")
        except OSError:
            continue
    return {}


def look(file: BinaryIO, arguments: Arguments, report: Report) -> dict[str, Json]:
    """What a decoder that was taken over could see."""
    return {
        "environment": [*os.environ],
        "main": getattr(sys.modules["__main__"], "__file__", None) or "none",
        "descriptors": sum(_is_open(number) for number in range(3, 1024)),
        "confined_to_programs": not _succeeds(Path("/etc/passwd").read_bytes),
        "reads_secret": _succeeds(lambda: Path(str(arguments["secret"])).read_bytes()),
        "writes": _succeeds(lambda: Path(str(arguments["target"])).write_bytes(b"x")),
        "connects": _succeeds(lambda: socket.create_connection(("127.0.0.1", _port(arguments)), 2)),
    }


def _port(arguments: Arguments) -> int:
    return int(str(arguments["port"]))


def _is_open(number: int) -> bool:
    return _succeeds(lambda: os.fstat(number))


def _succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def decode_media(file: BinaryIO, arguments: Arguments, report: Report) -> dict[str, Json]:
    """Decode without keeping anything but the facts."""
    frames, samples = Frames(), Samples()
    media = decode(file, limits=LIMITS, frame_sinks=[frames], sample_sinks=[samples], report=report)
    facts = media.asset.facts
    return {
        "digest": media.asset.content_digest.hex(),
        "media_type": str(facts.media_type),
        "width": facts.width,
        "height": facts.height,
        "duration_ms": facts.duration_ms,
        "frame_count": facts.frame_count,
        "frames": len(frames.times_s),
        "samples": samples.count,
        "thumbnail_bytes": len(media.thumbnail),
    }
