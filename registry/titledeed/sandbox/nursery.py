"""The parent's handle on its zygote: started on first use, shared by all threads."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from titledeed.errors import InvariantViolation
from titledeed.sandbox.wire import START_TIMEOUT_S

_BOOT = (
    "import sys; sys.path[:] = sys.argv[2:]; from titledeed.sandbox.zygote import serve; serve()"
)
_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    # Threads of BLAS would be there before the fork and missing after it.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Every arena reserves 64 MiB of address space, which is what is limited.
    "MALLOC_ARENA_MAX": "2",
}
_ENVIRONMENT_KEPT = ("PATH", "LD_LIBRARY_PATH", "TZ")


class Zygote:
    """The parent's handle on its zygote."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.owner = os.getpid()
        kept = {name: os.environ[name] for name in _ENVIRONMENT_KEPT if name in os.environ}
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-I", "-c", _BOOT, str(theirs.fileno()), *_import_paths()],
                env=_ENVIRONMENT | kept,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # Ctrl-C in the terminal is the parent's to handle.
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._control.settimeout(START_TIMEOUT_S)
        hello = self._control.recv(1)
        if not hello:
            self.close()
            raise InvariantViolation("the sandbox did not start; see its error output")
        self.network_isolated = hello == b"1"

    def submit(self, module: str, descriptors: Sequence[int]) -> None:
        """Ask for a child that gets ``descriptors`` and needs ``module``.

        Raises:
            ConnectionError: the zygote is dead.
        """
        message = json.dumps({"module": module, "paths": _import_paths()}).encode()
        socket.send_fds(self._control, [message], descriptors)

    def close(self) -> None:
        """End the zygote and whatever it runs."""
        self._control.close()
        if self.owner == os.getpid():
            self._process.wait()


def _import_paths() -> list[str]:
    return [str(Path(entry).absolute()) for entry in sys.path]


class Nursery:
    """Holds this process's zygote; starts it on first use and again if it was killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._zygote: Zygote | None = None
        atexit.register(self.close)
        # A fork may happen while another thread holds the lock.
        os.register_at_fork(after_in_child=self._forget)

    def zygote(self) -> Zygote:
        """The running zygote."""
        with self._lock:
            if self._zygote is None:
                self._zygote = Zygote()
            return self._zygote

    def submit(self, module: str, descriptors: Sequence[int]) -> None:
        """As ``Zygote.submit``, with a new zygote where the old one is dead."""
        zygote = self.zygote()
        try:
            zygote.submit(module, descriptors)
        except ConnectionError:
            with self._lock:
                if self._zygote is zygote:
                    zygote.close()
                    self._zygote = None
            self.zygote().submit(module, descriptors)

    def close(self) -> None:
        """End the zygote; the next use starts another."""
        with self._lock:
            if self._zygote is not None:
                self._zygote.close()
                self._zygote = None

    def _forget(self) -> None:
        self._lock = threading.Lock()
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None


nursery = Nursery()
