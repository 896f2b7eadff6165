"""The zygote, which forks a child for each job, and the life of such a child.

The zygote has one thread and never touches a job's file: it imports trusted modules, forks, waits.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NoReturn

from titledeed.canonical.documents import INTEGER_MAX, Json
from titledeed.errors import InputError, MediaTooLargeError
from titledeed.sandbox.confinement import confine, leave_network
from titledeed.sandbox.wire import (
    PROGRESS_STEPS,
    START_TIMEOUT_S,
    STATUS,
    TRACEBACK_LENGTH_MAX,
    SandboxLimits,
    explain_memory,
    receive_frame,
    send_frame,
)

REQUEST_BYTES_MAX = 256 * 1024 * 1024
ERROR_LENGTH_MAX = 1_000
CLOSED_BELOW = 1 << 20

Report = Callable[[float], None]
"""Told which share of a job is done, 0 to 1."""


def serve() -> None:
    """The zygote's life: fork for each request until the control socket closes."""
    control = socket.socket(fileno=int(sys.argv[1]))
    isolated = leave_network()
    control.send(b"1" if isolated else b"0")
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            # One at a time: an event may undo the next one's registration.
            key = selector.select()[0][0]
            if key.fileobj is not control:
                key.data(selector)
            elif not _accept(control, selector):
                return  # PR_SET_PDEATHSIG takes the children along


def _accept(control: socket.socket, selector: selectors.BaseSelector) -> bool:
    data, descriptors, _, _ = socket.recv_fds(control, 1 << 20, 3)
    if not data:
        return False
    request = json.loads(data)
    sys.path += [path for path in request["paths"] if path not in sys.path]
    if request["module"] not in sys.modules:
        # Where this fails, the child tries again and tells why.
        with contextlib.suppress(ImportError):
            importlib.import_module(request["module"])
        gc.freeze()
    file, channel, watch = descriptors
    zygote = os.getpid()
    child = os.fork()
    if child == 0:
        _live(zygote, file, channel)
    os.close(file)
    os.close(channel)
    _Supervision(child, watch, selector)
    return True


class _Supervision:
    """One running child: reports its end to the parent, or ends it when the parent hangs up."""

    def __init__(self, child: int, watch: int, selector: selectors.BaseSelector) -> None:
        self._child, self._pidfd = child, os.pidfd_open(child)
        self._watch = socket.socket(fileno=watch)
        selector.register(self._pidfd, selectors.EVENT_READ, self._bury)
        selector.register(self._watch, selectors.EVENT_READ, self._kill)

    def _kill(self, selector: selectors.BaseSelector) -> None:
        selector.unregister(self._watch)
        signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _bury(self, selector: selectors.BaseSelector) -> None:
        selector.unregister(self._pidfd)
        if self._watch in selector.get_map():
            selector.unregister(self._watch)
        status = os.waitpid(self._child, 0)[1]
        with contextlib.suppress(ConnectionError):
            self._watch.send(STATUS.pack(status))
        self._watch.close()
        os.close(self._pidfd)


def _live(zygote: int, file: int, channel: int) -> NoReturn:
    """The child's life; it never returns into the zygote's loop."""
    code = 1
    try:
        _keep_only(file, channel)
        answers = socket.socket(fileno=channel)
        deadline = time.monotonic() + START_TIMEOUT_S
        request = json.loads(receive_frame(answers, REQUEST_BYTES_MAX, deadline))
        answers.settimeout(None)
        send_frame(answers, _perform(request, zygote, os.fdopen(file, "rb"), answers))
        code = 0
    finally:
        os._exit(code)


def _perform(
    request: dict[str, Any], zygote: int, file: BinaryIO, answers: socket.socket
) -> dict[str, object]:
    limits = SandboxLimits(**request["limits"])
    try:
        confine(limits, zygote)
        report = _Reporter(answers)
        report(0.0)
        result = _resolve(request["job"])(file, request["arguments"], report)
        _refuse_long(result, limits)
    except InputError as error:
        return {"error": _describe(error)}
    except MemoryError:
        return {"error": _describe(explain_memory(limits))}
    except BaseException:
        send_frame(answers, {"bug": traceback.format_exc()[-TRACEBACK_LENGTH_MAX:]})
        raise
    return {"result": result}


def _refuse_long(result: dict[str, Json], limits: SandboxLimits) -> None:
    if len(json.dumps(result)) > limits.result_bytes_max:
        raise MediaTooLargeError(
            "it yields more data than can be kept", limit=limits.result_bytes_max
        )


def _describe(error: InputError) -> dict[str, Json]:
    texts = {"code": error.code, "message": error.message, "next_step": error.next_step}
    return {
        **{name: _one_line(text) for name, text in texts.items()},
        "data": {
            name: min(value, INTEGER_MAX) if isinstance(value, int) else _one_line(value)
            for name, value in error.data.items()
        },
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())[:ERROR_LENGTH_MAX]


def _resolve(job: str) -> Callable[[BinaryIO, Mapping[str, Json], Report], dict[str, Json]]:
    module, _, name = job.partition(":")
    function: Callable[[BinaryIO, Mapping[str, Json], Report], dict[str, Json]] = getattr(
        importlib.import_module(module), name
    )
    return function


class _Reporter:
    """Sends progress, each step once."""

    def __init__(self, answers: socket.socket) -> None:
        self._answers, self._sent = answers, -1

    def __call__(self, fraction: float) -> None:
        step = round(min(max(fraction, 0.0), 1.0) * PROGRESS_STEPS)
        if step > self._sent:
            self._sent = step
            send_frame(self._answers, {"progress": step})


def _keep_only(*descriptors: int) -> None:
    """Close everything else; what a decoder prints is hostile text and goes nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    start = 3
    for descriptor in sorted(descriptors):
        os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, CLOSED_BELOW)
