"""Runs a parser or decoder of untrusted files in a limited child process.

A job is a function ``job(file, arguments, report) -> dict`` named ``package.module:function``. It
gets an open file and never a path, has no network, no file-system access beyond reading programs
(where the kernel knows Landlock), no secret in its environment, and limits on memory, processor
and wall time. Its answer travels as JSON and is parsed like any untrusted document: nothing that a
child sends is ever unpickled.

A fresh interpreter with a decoder loaded costs a second per file, so one *zygote* per process
imports a job's module once and forks for each file. It is our own rather than multiprocessing's
fork server, which re-runs the caller's ``__main__`` in its children, hands them the caller's
environment and pickles. The zygote starts on first use, serves all threads, ends with its parent
(its control socket closes) and takes its children along.

For each job the parent makes two socket pairs and sends their far ends with the file's descriptor:

* *channel*, to the child: one request, then frames (4-byte length, JSON) of progress and answer;
* *watch*, to the zygote: the child's wait status in the end. When the parent closes its end, by
  timeout, interrupt or death, the zygote kills the child.

Linux only: descriptors over sockets, pidfd, ``prctl``, namespaces. May import ``canonical``, whose
documents the answers are, and ports.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_type_hints

from titledeed.canonical.documents import Fields, Json, parse_document
from titledeed.errors import (
    Datum,
    DependencyError,
    InputError,
    InvariantViolation,
    MalformedDocumentError,
    MalformedMediaError,
    UnreadableInputError,
)
from titledeed.ports import Progress, no_progress
from titledeed.sandbox.nursery import nursery
from titledeed.sandbox.wire import (
    PROGRESS_STEPS,
    START_TIMEOUT_S,
    STATUS,
    TRACEBACK_LENGTH_MAX,
    SandboxLimits,
    explain_memory,
    explain_timeout,
    receive_frame,
    send_frame,
)

__all__ = ["Sandbox", "SandboxLimits", "network_isolated"]


class Sandbox:
    """Runs jobs one file at a time; any number of threads may run jobs at once."""

    def __init__(self, *, limits: SandboxLimits) -> None:
        self._limits = limits

    def run(
        self,
        job: str,
        file: Path,
        arguments: Mapping[str, Json],
        *,
        label: str = "",
        progress: Progress = no_progress,
    ) -> Fields:
        """Run a job on a file and return what it answered.

        Args:
            job: ``package.module:function``, resolved in the child.
            file: a regular file; it must not change until the job is done.
            arguments: handed to the job as they are.
            label: how progress names the step.
            progress: called from this thread.

        Raises:
            UnreadableInputError: the file cannot be opened, is no regular file, or changed or
                vanished while it was read.
            MediaTooLargeError: the job reached a limit on time, memory or length of its answer.
            MalformedMediaError: the file crashed its decoder.
            InputError: whatever subclass the job itself raised.
            DependencyError: the zygote was killed; retryable.
            InvariantViolation: the job failed otherwise; the text is its traceback.
        """
        with _opened(file) as descriptor:
            before = os.fstat(descriptor)
            outcome = self._converse(job, descriptor, arguments, lambda done: progress(label, done))
            _refuse_changed(file, before, os.fstat(descriptor))
        if isinstance(outcome, InputError):
            name = file.name.encode("unicode_escape").decode("ascii")
            raise replace(outcome, message=f"{name}: {outcome.message}", path=file)
        return outcome

    def _converse(
        self, job: str, file: int, arguments: Mapping[str, Json], tell: Callable[[float], None]
    ) -> Fields | InputError:
        (channel, theirs), (watch, watched) = socket.socketpair(), socket.socketpair()
        with channel, watch:
            with theirs, watched:
                module = job.partition(":")[0]
                nursery.submit(module, [file, theirs.fileno(), watched.fileno()])
            return _Conversation(job, self._limits, channel, watch).hold(arguments, tell)


def network_isolated() -> bool:
    """Whether jobs run in a network namespace of their own, where nothing can be reached."""
    return nursery.zygote().network_isolated


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[int]:
    try:
        # A FIFO must not block the open.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) else str(error)
        raise UnreadableInputError(
            f"{str(file)!r} cannot be read: {problem}",
            next_step="Check the path and that you may read the file.",
            path=file,
        ) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UnreadableInputError(
                f"{str(file)!r} is no regular file",
                next_step="Name a file, not a folder or pipe.",
                path=file,
            )
        yield descriptor
    finally:
        os.close(descriptor)


def _refuse_changed(file: Path, before: os.stat_result, after: os.stat_result) -> None:
    if after.st_nlink == 0:
        problem = "vanished"
    elif (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        problem = "changed"
    else:
        return
    raise UnreadableInputError(
        f"{str(file)!r} {problem} while it was read",
        next_step="Wait until it is written completely, then try again.",
        path=file,
    )


class _Conversation:
    """The parent's side of one job. Closing its sockets before the end kills the child."""

    def __init__(
        self, job: str, limits: SandboxLimits, channel: socket.socket, watch: socket.socket
    ) -> None:
        self._job, self._limits = job, limits
        self._channel, self._watch = channel, watch
        self._deadline = time.monotonic() + START_TIMEOUT_S

    def hold(
        self, arguments: Mapping[str, Json], tell: Callable[[float], None]
    ) -> Fields | InputError:
        """Send the request, then listen until the answer or the child's end."""
        request = {"job": self._job, "arguments": dict(arguments), "limits": asdict(self._limits)}
        try:
            try:
                self._channel.settimeout(START_TIMEOUT_S)
                send_frame(self._channel, request)
                return self._listen(tell)
            except ConnectionError:
                return self._explain_silence()
        except TimeoutError:
            return explain_timeout(self._limits)
        except MalformedDocumentError as error:
            return MalformedMediaError(f"its decoder misbehaved: {error.message}")

    def _listen(self, tell: Callable[[float], None]) -> Fields | InputError:
        length_max = self._limits.result_bytes_max + TRACEBACK_LENGTH_MAX
        started = False
        while True:
            data = receive_frame(self._channel, length_max, self._deadline)
            frame = parse_document(data, what="the sandbox's answer")
            if frame.has("result"):
                return frame.child("result")
            if frame.has("error"):
                return _parse_error(frame.child("error"))
            if frame.has("bug"):
                text = frame.text("bug", length_max=TRACEBACK_LENGTH_MAX)
                raise InvariantViolation(f"{self._job} failed in the sandbox\n{text}")
            if not started:
                started, self._deadline = True, time.monotonic() + self._limits.timeout_s
            tell(frame.integer("progress", maximum=PROGRESS_STEPS) / PROGRESS_STEPS)

    def _explain_silence(self) -> InputError:
        """Why the child ended without an answer, by its wait status."""
        data = self._read_status()
        if not data:
            raise DependencyError("the sandbox was killed", next_step="Try again.")
        code = os.waitstatus_to_exitcode(STATUS.unpack(data)[0])
        if code == -signal.SIGXCPU:
            return explain_timeout(self._limits)
        if code == -signal.SIGKILL:
            return explain_memory(self._limits)
        if code < 0:
            return MalformedMediaError(
                f"it crashed its decoder ({signal.Signals(-code).name})",
                next_step="The file is damaged or hostile; export it again from its source.",
            )
        raise InvariantViolation(f"{self._job} ended with code {code} and without an answer")

    def _read_status(self) -> bytes:
        self._watch.settimeout(max(0.1, self._deadline - time.monotonic()))
        with contextlib.suppress(ConnectionError):
            return self._watch.recv(STATUS.size)
        return b""


def _parse_error(fields: Fields) -> InputError:
    code = fields.text("code")
    pending: list[type[InputError]] = [InputError]
    while pending:
        kind = pending.pop()
        if kind.code == code:
            message, next_step = fields.text("message"), fields.text("next_step")
            return kind(message, next_step=next_step, **_parse_data(kind, fields.child("data")))
        pending += kind.__subclasses__()
    raise fields.fail("code", "names no error of the input")


def _parse_data(kind: type[InputError], fields: Fields) -> dict[str, Any]:
    """What the error's class declares, and no path: a child knows none that would be true."""
    readers: dict[object, Callable[[str], Datum]] = {
        int | None: fields.integer,
        str | None: fields.text,
    }
    wanted = {name: readers.get(hint) for name, hint in get_type_hints(kind).items()}
    return {
        name: read(name)
        for name in kind.data_names()
        if (read := wanted[name]) is not None and fields.has(name)
    }
