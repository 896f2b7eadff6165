"""What the parent and its children say to each other: limits, and frames of JSON."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass

from titledeed.errors import MalformedDocumentError, MediaTooLargeError

START_TIMEOUT_S = 120
"""For the first import of a decoder on a busy machine; the job's own time counts from then on."""
PROGRESS_STEPS = 100
TRACEBACK_LENGTH_MAX = 100_000

STATUS = struct.Struct(">i")
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What one job may use.

    Attributes:
        timeout_s: wall time, and processor time of all its threads together.
        memory_bytes_max: address space on top of the program and its libraries.
        result_bytes_max: length of the answer as JSON.
    """

    timeout_s: int
    memory_bytes_max: int
    result_bytes_max: int = 64 * 1024 * 1024


def explain_timeout(limits: SandboxLimits) -> MediaTooLargeError:
    """The error of a job that ran too long."""
    return MediaTooLargeError(
        f"it takes longer than {limits.timeout_s} s to read",
        next_step="Split the file, or raise sandbox.timeout_s in the settings.",
        limit=limits.timeout_s,
        setting="sandbox.timeout_s",
    )


def explain_memory(limits: SandboxLimits) -> MediaTooLargeError:
    """The error of a job that needed too much memory."""
    return MediaTooLargeError(
        f"it takes more than {limits.memory_bytes_max >> 20} MiB of memory to read",
        next_step="Make the file smaller, or raise sandbox.memory_bytes_max in the settings.",
        limit=limits.memory_bytes_max,
        setting="sandbox.memory_bytes_max",
    )


def send_frame(channel: socket.socket, document: Mapping[str, object]) -> None:
    """Send one JSON object behind its length."""
    data = json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
    channel.sendall(_LENGTH.pack(len(data)) + data)


def receive_frame(channel: socket.socket, length_max: int, deadline: float) -> bytes:
    """Receive what ``send_frame`` sent.

    Args:
        channel: a stream socket.
        length_max: more is refused before it is read.
        deadline: on the monotonic clock.

    Raises:
        TimeoutError: the deadline passed.
        ConnectionError: the other side hung up.
        MalformedDocumentError: the frame is too long.
    """
    (length,) = _LENGTH.unpack(_receive(channel, _LENGTH.size, deadline))
    if length > length_max:
        raise MalformedDocumentError(f"an answer of {length} bytes")
    return _receive(channel, length, deadline)


def _receive(channel: socket.socket, length: int, deadline: float) -> bytes:
    data = bytearray()
    while len(data) < length:
        remaining_s = deadline - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError
        channel.settimeout(remaining_s)
        piece = channel.recv(min(length - len(data), 1 << 20))
        if not piece:
            raise ConnectionResetError
        data += piece
    return bytes(data)
