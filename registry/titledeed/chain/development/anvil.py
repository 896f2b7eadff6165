"""One anvil process: found, started on loopback, ended with the process that started it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from titledeed.canonical.documents import Json
from titledeed.canonical.hashing import word
from titledeed.chain.pin import Genesis
from titledeed.chain.rpc import HttpNode
from titledeed.errors import LedgerUnavailableError, ToolMissingError

HARDFORK: Final = "osaka"
BALANCE: Final = 10**24
"""Wei of every funded account: a million ether that is worth nothing."""

_START_TIMEOUT_S: Final = 30
_CALL_TIMEOUT_S: Final = 60
_STOP_TIMEOUT_S: Final = 10
_GAS_LIMIT: Final = 30_000_000
_STATES_KEPT: Final = 16
"""So that a reader may still ask about a block that others have built upon meanwhile. Without this
limit anvil writes older states to a folder that nobody empties: 3 GB for 5,000 blocks."""
_LINES_KEPT: Final = 20
_LISTENING: Final = re.compile(r"Listening on 127\.0\.0\.1:(\d+)")

# Asks the kernel to kill anvil when its starter dies, then becomes anvil. A program of its own,
# because code between fork and exec is not safe in a process with threads.
_LAUNCHER: Final = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        os._exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


def find_anvil(explicit: Path | None = None) -> Path:
    """The anvil program itself.

    Looks at the explicit path alone if there is one; else at PATH, then for ``node_modules`` in the
    working directory, in this checkout and in their parents.

    Raises:
        ToolMissingError: it is nowhere there.
    """
    for candidate in [explicit] if explicit else _candidates():
        binary = _behind_npm(candidate)
        if binary.is_file() and os.access(binary, os.X_OK):
            return binary
    raise ToolMissingError(
        f"{explicit} is not anvil"
        if explicit
        else "anvil, the development chain, is not installed",
        next_step="Run npm ci --ignore-scripts in the checkout, or set TITLEDEED_CHAIN__RPC_URL.",
        tool="anvil",
    )


def _candidates() -> Iterator[Path]:
    if on_path := shutil.which("anvil"):
        yield Path(on_path)
    for start in (Path.cwd(), Path(__file__).resolve().parent):
        for folder in (start, *start.parents):
            yield folder / "node_modules" / ".bin" / "anvil"


def _behind_npm(candidate: Path) -> Path:
    """Npm's ``anvil`` is a script that starts the program; killing it would leave the program."""
    script = candidate.resolve()
    if script.name == "bin.mjs":
        for binary in sorted(script.parent.parent.glob("anvil-*/bin/anvil")):
            return binary
    return script


class Anvil:
    """A running anvil that mines only when told.

    Args:
        binary: see ``find_anvil``.
        chain_id: of the chain.
        genesis: block 0.

    Attributes:
        version: for example ``anvil/v1.7.1``.
    """

    def __init__(self, *, binary: Path, chain_id: int, genesis: Genesis) -> None:
        self._command = [
            *(sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid())),
            *(str(binary), "--host", "127.0.0.1", "--port", "0", "--accounts", "0"),
            *("--init", "/dev/stdin", "--no-mining", "--hardfork", HARDFORK),
            *("--chain-id", str(chain_id), "--timestamp", str(genesis.timestamp)),
            *("--gas-limit", str(_GAS_LIMIT), "--enable-tx-gas-limit", "--color", "never"),
            *("--prune-history", str(_STATES_KEPT), "--no-request-size-limit"),
        ]
        self._genesis = json.dumps(_genesis_file(chain_id, genesis))
        self._process: subprocess.Popen[str] | None = None
        self._port: int | None = None
        self._answered = threading.Event()
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        # The kernel watches the thread that starts a process, not the whole process: so this one
        # lives as long as anvil does.
        self._thread = threading.Thread(target=self._run, name="anvil", daemon=True)
        self._thread.start()
        self.node = HttpNode(
            url=f"http://127.0.0.1:{self._await_port()}", timeout_s=_CALL_TIMEOUT_S
        )
        is_logged = False
        self.node.call("anvil_setLoggingEnabled", is_logged)
        self.version = str(self.node.call("web3_clientVersion"))

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """End the process; idempotent."""
        self.node.close()
        self._kill()

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
        self._thread.join(_STOP_TIMEOUT_S)

    def _await_port(self) -> int:
        self._answered.wait(_START_TIMEOUT_S)
        if self._port is None:
            self._kill()
            raise LedgerUnavailableError(
                f"anvil does not start: {' '.join(self._lines)[-500:] or 'no answer'}",
                next_step="Run titledeed doctor.",
            )
        return self._port

    def _run(self) -> None:
        try:
            process = subprocess.Popen(  # noqa: S603 - arguments are our own
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,  # a terminal's Ctrl-C is for us, not for anvil
            )
        except OSError as error:
            self._lines.append(str(error))
            self._answered.set()
            return
        with process:
            self._process = process
            self._feed(process)
            self._listen(process)
        self._answered.set()

    def _feed(self, process: subprocess.Popen[str]) -> None:
        if process.stdin is None:
            return
        try:
            process.stdin.write(self._genesis)
            process.stdin.close()
        except OSError as error:
            self._lines.append(str(error))

    def _listen(self, process: subprocess.Popen[str]) -> None:
        # To the end: lines that nobody reads would fill the pipe and stop anvil.
        for line in process.stdout or ():
            self._lines.append(line.strip())
            if self._port is None and (found := _LISTENING.search(line)):
                self._port = int(found[1])
                self._answered.set()


def _genesis_file(chain_id: int, genesis: Genesis) -> dict[str, Json]:
    """Block 0 in the form that geth and anvil read."""
    balance = hex(BALANCE)
    alloc: dict[str, Json] = {account: {"balance": balance} for account in genesis.funded}
    return {
        "config": {"chainId": chain_id},
        "nonce": "0x0",
        "timestamp": hex(genesis.timestamp),
        "extraData": "0x",
        "gasLimit": hex(_GAS_LIMIT),
        "difficulty": "0x0",
        "mixHash": "0x" + word(0).hex(),
        "coinbase": genesis.coinbase,
        "alloc": alloc,
    }
