"""The development chain across processes, crashes and damage, on a real anvil."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from anvil_processes import anvils_of, await_end
from chain_builders import (
    GWEI,
    PlainSender,
    hex_of,
    raw_anchor,
    root_of,
    sender_of,
    start_plain_anvil,
)
from full_disks import full_disk

from titledeed.canonical.documents import Json
from titledeed.canonical.evidence.bundles import TRANSACTION_LENGTH_MAX
from titledeed.canonical.hashing import keccak256
from titledeed.chain.development.chain import DevelopmentChain
from titledeed.chain.development.journal import JOURNAL_NAME, Journal
from titledeed.chain.pin import read_pin, write_pin
from titledeed.chain.rpc import RpcError, fetch_block
from titledeed.errors import (
    ChainMismatchError,
    ConflictError,
    HomeNotInitializedError,
    StorageError,
    ToolMissingError,
)
from titledeed.models.primitives import BlockHash
from titledeed.proofs.rpc_values import parse_object
from titledeed.proofs.transactions import Transaction, encode_signed, signing_digest

pytestmark = pytest.mark.chain

ALICE, BOB = sender_of("alice"), sender_of("bob")
TESTS = Path(__file__).resolve().parent.parent
WORKER = TESTS / "chain_worker.py"


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[DevelopmentChain]:
    funded = (ALICE.address, BOB.address)
    made = DevelopmentChain.create(folder=tmp_path / "chain", funded=funded)
    yield made
    made.close()


@pytest.fixture
def folder(chain: DevelopmentChain, tmp_path: Path) -> Path:
    chain.close()
    return tmp_path / "chain"


def _raw(chain: DevelopmentChain, nonce: int) -> str:
    identity = chain.pin.identity
    return hex_of(
        raw_anchor(
            ALICE,
            chain_id=identity.chain_id,
            contract=identity.contract,
            nonce=nonce,
            root=root_of(nonce),
        )
    )


def _send(chain: DevelopmentChain, nonce: int) -> Json:
    return chain.call("eth_sendRawTransaction", _raw(chain, nonce))


def _start_worker(folder: Path, label: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WORKER), str(folder), label, str(count)],
        stdout=subprocess.PIPE,
        text=True,
    )


def _block_of(chain: DevelopmentChain, transaction: Json) -> Json:
    return parse_object(chain.call("eth_getTransactionReceipt", transaction))["blockHash"]


def test_reopened_chain_has_the_same_blocks(chain: DevelopmentChain, tmp_path: Path) -> None:
    for nonce in range(5):
        _send(chain, nonce)
    before = [fetch_block(chain, number) for number in range(7)]
    chain.close()
    again = DevelopmentChain(folder=tmp_path / "chain")
    assert [fetch_block(again, number) for number in range(7)] == before
    again.close()


def test_block_time_follows_the_clock_and_never_stands(tmp_path: Path) -> None:
    now = [1_790_000_000]
    chain = DevelopmentChain.create(folder=tmp_path, funded=(ALICE.address,), clock=lambda: now[0])
    _send(chain, 0)
    now[0] += 500
    _send(chain, 1)
    now[0] -= 1_000
    _send(chain, 2)
    entries = Journal(tmp_path / JOURNAL_NAME, genesis_timestamp=0).read_new()
    assert [e.timestamp - 1_790_000_000 for e in entries] == [1, 2, 500, 501]
    chain.close()


def test_open_replica_sees_blocks_of_another(chain: DevelopmentChain, tmp_path: Path) -> None:
    other = DevelopmentChain(folder=tmp_path / "chain")
    for nonce in range(4):
        writer, reader = (chain, other) if nonce % 2 else (other, chain)
        transaction = _send(writer, nonce)
        assert _block_of(reader, transaction) == _block_of(writer, transaction)
    other.close()


def test_two_processes_write_one_chain(chain: DevelopmentChain, folder: Path) -> None:
    workers = [_start_worker(folder, label, 8) for label in ("alice", "bob")]
    outputs = [worker.communicate(timeout=100)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    accepted = [line.split() for output in outputs for line in output.splitlines()]
    assert len(accepted) == 16
    for transaction, block_hash in accepted:
        assert _block_of(chain, transaction) == block_hash
    entries = Journal(folder / JOURNAL_NAME, genesis_timestamp=0).read_new()
    assert [entry.number for entry in entries] == list(range(1, 18))


def test_killed_writer_loses_nothing_accepted(chain: DevelopmentChain, folder: Path) -> None:
    pauses = random.Random(20261121)
    accepted: list[list[str]] = []
    for _ in range(5):
        worker = _start_worker(folder, "alice", 1_000)
        assert worker.stdout is not None
        accepted.append(worker.stdout.readline().split())
        time.sleep(pauses.uniform(0.0, 0.15))
        worker.send_signal(signal.SIGKILL)
        accepted += [line.split() for line in worker.stdout if line.endswith("\n")]
        worker.wait()
        worker.stdout.close()
    assert len(accepted) >= 5
    for transaction, block_hash in accepted:
        assert _block_of(chain, transaction) == block_hash


def test_anvil_dies_with_a_killed_process(folder: Path) -> None:
    worker = _start_worker(folder, "alice", 1_000)
    assert worker.stdout is not None
    worker.stdout.readline()
    children = anvils_of(worker.pid)
    assert children
    worker.send_signal(signal.SIGKILL)
    worker.stdout.read()
    worker.wait()
    worker.stdout.close()
    for child in children:
        await_end(child)


def test_anvil_outlives_the_thread_that_opened_it(folder: Path) -> None:
    chain = DevelopmentChain(folder=folder)
    opener = threading.Thread(target=chain.call, args=("eth_blockNumber",))
    opener.start()
    opener.join()
    mine = anvils_of(os.getpid())
    time.sleep(0.3)
    assert chain.call("eth_blockNumber") == "0x1"
    assert anvils_of(os.getpid()) == mine
    chain.close()


def test_killed_anvil_is_replaced(chain: DevelopmentChain) -> None:
    transaction = _send(chain, 0)
    block = _block_of(chain, transaction)
    [child] = anvils_of(os.getpid())
    os.kill(child, signal.SIGKILL)
    await_end(child)
    assert _block_of(chain, transaction) == block
    _send(chain, 1)


def test_entry_without_a_mined_block_is_mined_on_opening(
    chain: DevelopmentChain, tmp_path: Path
) -> None:
    transaction = _send(chain, 0)
    block = _block_of(chain, transaction)
    chain.close()
    journal = tmp_path / "chain" / JOURNAL_NAME
    whole = journal.read_bytes()
    journal.write_bytes(whole[: whole.index(b"\n") + 1])
    early = DevelopmentChain(folder=tmp_path / "chain")
    assert early.call("eth_blockNumber") == "0x1"
    journal.write_bytes(whole)
    assert _block_of(early, transaction) == block
    early.close()


def test_interrupted_creation_is_completed(folder: Path) -> None:
    (folder / JOURNAL_NAME).unlink()
    chain = DevelopmentChain(folder=folder)
    assert chain.call("eth_getCode", chain.pin.identity.contract, "latest") != "0x"
    _send(chain, 0)
    chain.close()


def test_torn_last_line_is_cut_off(chain: DevelopmentChain, tmp_path: Path) -> None:
    first = _send(chain, 0)
    chain.close()
    journal = tmp_path / "chain" / JOURNAL_NAME
    with journal.open("ab") as file:
        file.write(b'{"checksum":"00')
    again = DevelopmentChain(folder=tmp_path / "chain")
    assert _block_of(again, first)
    second = _send(again, 1)
    again.close()
    third = DevelopmentChain(folder=tmp_path / "chain")
    assert _block_of(third, second)
    third.close()


def test_damaged_line_is_refused(chain: DevelopmentChain, tmp_path: Path) -> None:
    _send(chain, 0)
    chain.close()
    journal = tmp_path / "chain" / JOURNAL_NAME
    journal.write_bytes(journal.read_bytes().replace(b'"number":1', b'"number":2', 1))
    with pytest.raises(StorageError, match="damaged"):
        DevelopmentChain(folder=tmp_path / "chain").call("eth_blockNumber")


def test_journal_of_another_chain_is_refused(folder: Path, tmp_path: Path) -> None:
    other = DevelopmentChain.create(folder=tmp_path / "other", funded=(ALICE.address,))
    other.close()
    (tmp_path / "other" / JOURNAL_NAME).replace(folder / JOURNAL_NAME)
    with pytest.raises(ChainMismatchError):
        DevelopmentChain(folder=folder).call("eth_blockNumber")


def test_replay_that_gives_other_hashes_is_refused(tmp_path: Path) -> None:
    """As another anvil might: the lines are whole, and the blocks are not those that were seen."""
    now = iter(range(1_790_000_000, 1_790_001_000, 100))
    chain = DevelopmentChain.create(
        folder=tmp_path, funded=(ALICE.address,), clock=lambda: next(now)
    )
    for nonce in range(3):
        _send(chain, nonce)
    chain.close()
    journal = tmp_path / JOURNAL_NAME
    entries = Journal(journal, genesis_timestamp=0).read_new()
    entries[1] = replace(entries[1], timestamp=entries[1].timestamp + 1)
    journal.unlink()
    altered = Journal(journal, genesis_timestamp=0)
    for entry in entries:
        altered.append(entry)
    with pytest.raises(ChainMismatchError, match="not what the journal says"):
        DevelopmentChain(folder=tmp_path).call("eth_blockNumber")


def test_another_genesis_hash_is_refused(folder: Path) -> None:
    pin = read_pin(folder)
    other = replace(pin.identity, genesis_hash=BlockHash(keccak256(b"other")))
    write_pin(folder, replace(pin, identity=other))
    with pytest.raises(ChainMismatchError, match="genesis hash"):
        DevelopmentChain(folder=folder).call("eth_blockNumber")


def test_two_homes_have_different_genesis_hashes(tmp_path: Path) -> None:
    pins = []
    for name in ("one", "two"):
        chain = DevelopmentChain.create(
            folder=tmp_path / name, funded=(ALICE.address,), clock=lambda: 1_790_000_000
        )
        pins.append(chain.pin.identity)
        chain.close()
    assert pins[0].genesis_hash != pins[1].genesis_hash
    assert pins[0].chain_id != pins[1].chain_id


def test_nonce_gap_is_refused_and_leaves_nothing(chain: DevelopmentChain) -> None:
    with pytest.raises(RpcError, match="nonce"):
        _send(chain, 1)
    assert chain.call("eth_blockNumber") == "0x1"
    _send(chain, 0)
    _send(chain, 1)
    assert chain.call("eth_blockNumber") == "0x3"


def test_bytes_after_a_transaction_are_refused_and_leave_nothing(chain: DevelopmentChain) -> None:
    """anvil passes over them, but knows the transaction by another hash than the journal."""
    with pytest.raises(RpcError, match="more than a transaction"):
        chain.call("eth_sendRawTransaction", _raw(chain, 0) + "00")
    assert chain.call("eth_blockNumber") == "0x1"
    _send(chain, 0)


def test_transaction_longer_than_a_journal_line_holds_is_refused(
    chain: DevelopmentChain, tmp_path: Path
) -> None:
    """anvil would mine it, and the journal could never be read again."""
    for length in (TRANSACTION_LENGTH_MAX, TRANSACTION_LENGTH_MAX - 200):
        transaction = Transaction(
            chain_id=chain.pin.identity.chain_id,
            nonce=0,
            tip=0,
            fee_max=2 * GWEI,
            gas=16_000_000,
            to=BOB.address,
            value=0,
            data=bytes(length),
        )
        raw = encode_signed(transaction, ALICE.sign_digest(signing_digest(transaction)))
        if len(raw) > TRANSACTION_LENGTH_MAX:
            with pytest.raises(RpcError, match="oversized"):
                chain.call("eth_sendRawTransaction", hex_of(raw))
        else:
            chain.call("eth_sendRawTransaction", hex_of(raw))
    chain.close()
    again = DevelopmentChain(folder=tmp_path / "chain")
    assert again.call("eth_blockNumber") == "0x2"
    again.close()


def test_reverting_transaction_is_mined_and_kept(chain: DevelopmentChain, tmp_path: Path) -> None:
    identity = chain.pin.identity
    raw = raw_anchor(
        ALICE,
        chain_id=identity.chain_id,
        contract=identity.contract,
        nonce=0,
        root=root_of("nothing"),
        size=0,
    )
    transaction = chain.call("eth_sendRawTransaction", hex_of(raw))
    chain.close()
    again = DevelopmentChain(folder=tmp_path / "chain")
    receipt = parse_object(again.call("eth_getTransactionReceipt", transaction))
    assert (receipt["status"], receipt["blockNumber"]) == ("0x0", "0x2")
    again.close()


@pytest.mark.parametrize(
    ("sender", "nonce", "chain_id", "problem"),
    [
        (ALICE, 1, None, "nonce too high"),
        (sender_of("penniless"), 0, None, "Insufficient funds"),
        (ALICE, 0, 1, "chain id"),
    ],
)
def test_rejected_transaction_is_not_journalled(
    chain: DevelopmentChain, sender: PlainSender, nonce: int, chain_id: int | None, problem: str
) -> None:
    journal = chain.folder / JOURNAL_NAME
    before = journal.read_bytes()
    identity = chain.pin.identity
    raw = raw_anchor(
        sender,
        chain_id=chain_id or identity.chain_id,
        contract=identity.contract,
        nonce=nonce,
        root=root_of("rejected"),
    )
    with pytest.raises(RpcError, match=problem):
        chain.call("eth_sendRawTransaction", hex_of(raw))
    assert journal.read_bytes() == before
    assert chain.call("txpool_status") == {"pending": "0x0", "queued": "0x0"}


def test_burst_from_many_threads_leaves_nothing_unmined(chain: DevelopmentChain) -> None:
    """Threads come in any order, so each tries until its nonce is next."""

    def is_sent(nonce: int) -> bool:
        with suppress(RpcError):
            _send(chain, nonce)
            return True
        return False

    def send(nonce: int) -> None:
        while not is_sent(nonce):
            pass

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(send, range(40)))
    assert chain.call("txpool_status") == {"pending": "0x0", "queued": "0x0"}
    entries = Journal(chain.folder / JOURNAL_NAME, genesis_timestamp=0).read_new()
    assert [len(entry.transactions) for entry in entries] == [1] * 41


def test_another_anvil_is_refused_before_anything_is_mined(folder: Path) -> None:
    pin = read_pin(folder)
    write_pin(folder, replace(pin, anvil="anvil/v1.6.0"))
    (folder / JOURNAL_NAME).unlink()
    with pytest.raises(ChainMismatchError, match=r"anvil/v1\.6\.0") as caught:
        DevelopmentChain(folder=folder).call("eth_blockNumber")
    assert str(pin.anvil) in caught.value.message
    assert "Install anvil/v1.6.0" in caught.value.next_step
    assert not (folder / JOURNAL_NAME).exists()


def test_replica_writes_no_states_to_a_folder_of_anvil(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself anvil begins to after some 400 blocks, and leaves them there when killed."""
    monkeypatch.setenv("HOME", str(tmp_path))
    anvil = start_plain_anvil(ALICE.address)
    anvil.node.call("anvil_mine", hex(600))
    assert anvil.node.call("eth_blockNumber") == hex(600)
    anvil.close()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_full_disk_refuses_the_block_and_keeps_the_chain(
    chain: DevelopmentChain, tmp_path: Path
) -> None:
    accepted = _send(chain, 0)
    size = (tmp_path / "chain" / JOURNAL_NAME).stat().st_size
    with full_disk(size + 50), pytest.raises(StorageError, match="cannot write"):
        _send(chain, 1)
    assert chain.call("eth_blockNumber") == "0x2"
    assert _block_of(chain, accepted)
    _send(chain, 1)
    assert chain.call("eth_blockNumber") == "0x3"


def test_missing_anvil_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError) as caught:
        DevelopmentChain(folder=folder, anvil=tmp_path / "no-anvil").call("eth_blockNumber")
    assert "npm ci" in caught.value.next_step


def test_folder_without_a_chain_is_told(tmp_path: Path) -> None:
    with pytest.raises(HomeNotInitializedError):
        DevelopmentChain(folder=tmp_path)


def test_second_creation_is_refused(folder: Path) -> None:
    pinned = (folder / "chain.json").read_bytes()
    with pytest.raises(ConflictError):
        DevelopmentChain.create(folder=folder, funded=(BOB.address,))
    assert (folder / "chain.json").read_bytes() == pinned


def test_pin_file_is_json_with_everything_that_block_zero_needs(folder: Path) -> None:
    pin = json.loads((folder / "chain.json").read_text())
    assert pin["kind"] == "development"
    assert ALICE.address in pin["genesis"]["funded"]
