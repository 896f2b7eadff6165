"""The proof that nothing accepted is lost: a writer and its anvil are killed at random points."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from anvil_processes import anvils_of, await_end
from killed_worker import SENDER, Kind, Step, plan

from titledeed.canonical.documents import Json, hex_word
from titledeed.chain.development.chain import DevelopmentChain
from titledeed.chain.development.checkpoint import CHECKPOINT_NAME
from titledeed.chain.development.journal import JOURNAL_NAME, Journal
from titledeed.chain.rpc import RpcError, fetch_block
from titledeed.proofs.rpc_values import parse_object, parse_quantity
from titledeed.proofs.transactions import hash_transaction

pytestmark = pytest.mark.chain

WORKER = Path(__file__).resolve().parent.parent / "killed_worker.py"
SEED = 20261121
REGISTRATIONS = 500
KILLS = 50
CHECKPOINT_INTERVAL = 8
"""Often, so that many kills fall into the writing of one."""

_PATIENCE_S = 120


@dataclass
class Killer:
    """Kills a worker or its anvil, starts it again, and keeps all that the workers said."""

    folder: Path
    chance: random.Random
    steps: int
    parents: int = 0
    children: int = 0
    torn_found: int = 0
    torn_made: int = 0
    worker: subprocess.Popen[bytes] | None = None

    @property
    def said(self) -> list[list[str]]:
        """Whole lines only: what a process was about to say when it died was told to nobody."""
        lines = self._output.read_bytes().split(b"\n")[:-1]
        return [line.decode().split() for line in lines if line]

    @property
    def kills(self) -> int:
        return self.parents + self.children

    @property
    def _output(self) -> Path:
        return self.folder.parent / "said"

    def kill_once(self) -> None:
        worker = self.worker or self._start()
        if self.chance.random() < 0.7:  # at work; else soon after anvil has started
            pace = max(1, (self.steps - len(self.said)) // (KILLS - self.kills))
            goal = len(self.said) + self.chance.randint(1, pace)
            self._await(lambda: len(self.said) >= goal)
        self._await(lambda: bool(anvils_of(worker.pid)))
        time.sleep(self.chance.uniform(0, 0.05))
        children = anvils_of(worker.pid)
        if children and self.chance.random() < 0.5:
            os.kill(children[0], signal.SIGKILL)
            self.children += 1
        else:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            self.parents += 1
            self.worker = None
            self._tear()
        for child in children:
            await_end(child)

    def finish(self) -> None:
        worker = self.worker or self._start()
        assert worker.wait(_PATIENCE_S) == 0
        assert self.said[-1] == ["done"]

    def _start(self) -> subprocess.Popen[bytes]:
        arguments = (self.folder, SEED, REGISTRATIONS, CHECKPOINT_INTERVAL)
        with self._output.open("ab") as output:
            output.write(b"\n")  # ends what a killed worker was about to say
            output.flush()
            command = [sys.executable, str(WORKER), *map(str, arguments)]
            self.worker = subprocess.Popen(command, stdout=output)
        return self.worker

    def _await(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not is_so():
            assert time.monotonic() < deadline
            assert self.worker is not None
            assert self.worker.poll() is None
            time.sleep(0.002)

    def _tear(self) -> None:
        """Sometimes leave what a power failure would: half of a line."""
        journal = self.folder / JOURNAL_NAME
        data = journal.read_bytes()
        if not data.endswith(b"\n"):
            self.torn_found += 1
        elif self.chance.random() < 0.3:
            last = data.splitlines()[-1]
            with journal.open("ab") as file:
                file.write(last[: self.chance.randrange(1, len(last))])
            self.torn_made += 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    chain = DevelopmentChain.create(folder=tmp_path / "chain", funded=(SENDER.address,))
    chain.close()
    return chain.folder


@pytest.mark.timeout(300)
def test_fifty_kills_lose_nothing_accepted(folder: Path, tmp_path: Path) -> None:
    steps = plan(SEED, REGISTRATIONS)
    killer = Killer(folder, random.Random(SEED), len(steps))
    while killer.kills < KILLS:
        killer.kill_once()
    killer.finish()

    shutil.copytree(folder, tmp_path / "replayed", ignore=shutil.ignore_patterns(CHECKPOINT_NAME))
    resumed = DevelopmentChain(folder=folder)
    replayed = DevelopmentChain(folder=tmp_path / "replayed")
    hashes = _block_hashes(resumed)
    assert _block_hashes(replayed) == hashes
    with pytest.raises(RpcError, match="BlockOutOfRange"):  # a checkpoint was loaded
        resumed.call("eth_getBalance", SENDER.address, hex(len(hashes) - 12))

    counts = Counter(words[0] for words in killer.said)
    for chain in (resumed, replayed):
        _check_what_was_said(chain, killer.said)
    mined = [step for step in steps if step.is_mined]
    _check_journal(resumed, mined)
    resumed.close()
    replayed.close()
    sys.stdout.write(
        f"seed {SEED}: {killer.parents} parents and {killer.children} children killed; "
        f"{counts['anchored']} anchors and {counts['reverted']} reverting transactions "
        f"acknowledged, {counts['rejected']} rejected, {counts['interrupted']} calls interrupted; "
        f"{len(mined)} transactions in {len(hashes)} blocks, none lost or doubled, all hashes "
        f"those of a full replay; torn tails: {killer.torn_found} found, {killer.torn_made} made\n"
    )


def _block_hashes(chain: DevelopmentChain) -> list[Json]:
    head = parse_quantity(chain.call("eth_blockNumber"))
    return [parse_object(fetch_block(chain, number))["hash"] for number in range(head + 1)]


def _check_what_was_said(chain: DevelopmentChain, said: list[list[str]]) -> None:
    """Everything acknowledged is there as it was told, and nothing that was rejected."""
    for outcome, *words in said:
        if outcome in {"interrupted", "done"}:
            continue
        receipt = chain.call("eth_getTransactionReceipt", words[0])
        if outcome == "rejected":
            assert receipt is None
            continue
        found = parse_object(receipt)
        assert found["blockHash"] == words[1]
        assert found["status"] == ("0x1" if outcome == "anchored" else "0x0")


def _check_journal(chain: DevelopmentChain, mined: list[Step]) -> None:
    """The journal holds what was to be mined, each once and in order, one to a block."""
    entries = Journal(chain.folder / JOURNAL_NAME, genesis_timestamp=0).read_new()
    assert [entry.transactions for entry in entries[1:]] == [
        (step.raw(chain.pin.identity),) for step in mined
    ]
    statuses = {Kind.ANCHOR: "0x1", Kind.EMPTY_ANCHOR: "0x0"}
    for step in mined:
        transaction = hex_word(hash_transaction(step.raw(chain.pin.identity)))
        receipt = parse_object(chain.call("eth_getTransactionReceipt", transaction))
        assert receipt["status"] == statuses[step.kind]
