"""Checkpoints of the development chain: what they save, and that they are never believed."""

from __future__ import annotations

import gzip
import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from chain_builders import GWEI, hex_of, raw_anchor, root_of, sender_of

from titledeed.canonical.documents import Json
from titledeed.canonical.hashing import keccak256
from titledeed.chain.development.chain import DevelopmentChain
from titledeed.chain.development.checkpoint import CHECKPOINT_NAME, Checkpoint, read_checkpoint
from titledeed.chain.development.checkpoint import write_checkpoint as write
from titledeed.chain.development.journal import JOURNAL_NAME
from titledeed.chain.rpc import Node, RpcError, fetch_block
from titledeed.errors import MalformedDocumentError, StorageError
from titledeed.models.primitives import BlockHash
from titledeed.proofs.rpc_values import parse_array, parse_quantity
from titledeed.proofs.transactions import Transaction, encode_signed, signing_digest

pytestmark = pytest.mark.chain

ALICE = sender_of("alice")
INTERVAL = 4
LAST = 11
"""Block 1 is the deployment; so the checkpoint is of block 8, and three blocks follow."""


def _open(folder: Path) -> DevelopmentChain:
    return DevelopmentChain(folder=folder, checkpoint_interval=INTERVAL)


def _send(chain: DevelopmentChain, nonce: int) -> Json:
    """Every third is an anchor of nothing, which the contract refuses."""
    identity = chain.pin.identity
    raw = raw_anchor(
        ALICE,
        chain_id=identity.chain_id,
        contract=identity.contract,
        nonce=nonce,
        root=root_of(nonce),
        size=0 if nonce % 3 == 2 else 1,
    )
    return chain.call("eth_sendRawTransaction", hex_of(raw))


def _fill(folder: Path) -> Path:
    DevelopmentChain.create(folder=folder, funded=(ALICE.address,)).close()
    chain = _open(folder)
    for nonce in range(LAST - 1):
        _send(chain, nonce)
    chain.close()
    return folder


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _fill(tmp_path_factory.mktemp("filled") / "chain")


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled, tmp_path / "chain"))


@pytest.fixture
def replayed(filled: Path, tmp_path: Path) -> Iterator[DevelopmentChain]:
    """The same chain from its journal alone."""
    shutil.copytree(filled, tmp_path / "replayed")
    (tmp_path / "replayed" / CHECKPOINT_NAME).unlink()
    chain = DevelopmentChain(folder=tmp_path / "replayed")
    yield chain
    chain.close()


def _answers(node: Node, contract: str) -> list[Json]:
    """All that we ask of a node about its blocks and its newest state."""
    found: list[Json] = []
    for number in range(parse_quantity(node.call("eth_blockNumber")) + 1):
        block = fetch_block(node, number)
        assert block is not None
        found += [block, node.call("eth_getBlockByHash", block["hash"], False)]
        found.append(node.call("eth_getLogs", {"blockHash": block["hash"]}))
        for transaction in parse_array(block["transactions"]):
            found.append(node.call("eth_getTransactionByHash", transaction))
            found.append(node.call("eth_getTransactionReceipt", transaction))
    slots: list[Json] = ["0x" + "00" * 32]
    found.append(node.call("eth_getProof", contract, slots, "latest"))
    found.append(node.call("eth_getCode", contract, "latest"))
    found.append(node.call("eth_getTransactionCount", ALICE.address, "latest"))
    found.append(node.call("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"}))
    return found


def _is_resumed(chain: DevelopmentChain) -> bool:
    """Whether a checkpoint was loaded: no state from before it is there."""
    try:
        chain.call("eth_getBalance", ALICE.address, hex(2))
    except RpcError:
        return True
    return False


def _checkpoint(folder: Path) -> Checkpoint:
    found = read_checkpoint(folder)
    assert found is not None
    return found


def test_checkpoint_is_written_at_every_interval(folder: Path) -> None:
    assert _checkpoint(folder).number == 8
    assert (folder / CHECKPOINT_NAME).stat().st_mode & 0o777 == 0o600
    chain = _open(folder)
    _send(chain, LAST - 1)
    assert _checkpoint(folder).number == 12
    chain.close()


def test_resumed_chain_answers_like_a_replayed_one(
    folder: Path, replayed: DevelopmentChain
) -> None:
    resumed, contract = _open(folder), replayed.pin.identity.contract
    assert _answers(resumed, contract) == _answers(replayed, contract)
    assert _is_resumed(resumed)
    assert not _is_resumed(replayed)
    resumed.close()


def test_blocks_after_a_checkpoint_are_those_of_a_full_replay(
    folder: Path, replayed: DevelopmentChain
) -> None:
    resumed = _open(folder)
    for nonce in range(LAST - 1, LAST + 5):
        _send(resumed, nonce)
    shutil.copy(folder / JOURNAL_NAME, replayed.folder)
    assert _is_resumed(resumed)
    contract = replayed.pin.identity.contract
    assert _answers(resumed, contract) == _answers(replayed, contract)
    resumed.close()


def _burn(chain: DevelopmentChain, nonce: int) -> None:
    """Use up more than half of a block's gas, so that the base fee rises."""
    transaction = Transaction(
        chain_id=chain.pin.identity.chain_id,
        nonce=nonce,
        tip=0,
        fee_max=3 * GWEI,
        gas=16_000_000,
        to=None,
        value=0,
        data=b"\xfe",
    )
    signature = ALICE.sign_digest(signing_digest(transaction))
    chain.call("eth_sendRawTransaction", hex_of(encode_signed(transaction, signature)))


def test_base_fee_that_rises_or_falls_is_carried_on(tmp_path: Path) -> None:
    """Each block is mined by a chain that was resumed at the block before it."""
    DevelopmentChain.create(folder=tmp_path, funded=(ALICE.address,)).close()
    fees = []
    for nonce in range(6):
        chain = DevelopmentChain(folder=tmp_path, checkpoint_interval=1)
        (_burn if nonce % 2 else _send)(chain, nonce)
        block = fetch_block(chain, "latest")
        assert block is not None
        fees.append(parse_quantity(block["baseFeePerGas"]))
        chain.close()
    assert {later > earlier for earlier, later in pairwise(fees)} == {True, False}
    (tmp_path / CHECKPOINT_NAME).unlink()
    chain = DevelopmentChain(folder=tmp_path)
    assert chain.call("eth_blockNumber") == hex(7)  # the replay compared the hashes
    chain.close()


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def _truncate(folder: Path) -> None:
    path = folder / CHECKPOINT_NAME
    path.write_bytes(path.read_bytes()[:-100])


def _empty(folder: Path) -> None:
    (folder / CHECKPOINT_NAME).write_bytes(b"")


def _flip_in_state(folder: Path) -> None:
    _flip(folder / CHECKPOINT_NAME, -100)


def _flip_in_head(folder: Path) -> None:
    _flip(folder / CHECKPOINT_NAME, 60)


def _name_another_anvil(folder: Path) -> None:
    write(folder, replace(_checkpoint(folder), anvil="anvil/v1.6.0"))


def _name_another_block(folder: Path) -> None:
    write(folder, replace(_checkpoint(folder), block_hash=BlockHash(keccak256(b"other"))))


def _name_an_earlier_block(folder: Path) -> None:
    write(folder, replace(_checkpoint(folder), number=5))


def _name_a_block_to_come(folder: Path) -> None:
    write(folder, replace(_checkpoint(folder), number=LAST + 1))


def _put_no_dump(folder: Path) -> None:
    write(folder, replace(_checkpoint(folder), state=b"no dump"))


def _put_poorer_account(folder: Path) -> None:
    """Blocks are as they were, and so is the checksum; the state is not."""
    whole = _checkpoint(folder)
    document = json.loads(gzip.decompress(whole.state))
    [account] = [name for name in document["accounts"] if name == ALICE.address.lower()]
    document["accounts"][account]["balance"] = "0x1"
    write(folder, replace(whole, state=gzip.compress(json.dumps(document).encode())))


def _put_another_home(folder: Path) -> None:
    other = _fill(folder.parent / "other")
    shutil.copy(other / CHECKPOINT_NAME, folder)


SPOILERS = (
    _truncate,
    _empty,
    _flip_in_state,
    _flip_in_head,
    _name_another_anvil,
    _name_another_block,
    _name_an_earlier_block,
    _name_a_block_to_come,
    _put_no_dump,
    _put_poorer_account,
    _put_another_home,
)


@pytest.mark.parametrize("spoil", SPOILERS)
def test_checkpoint_that_does_not_fit_is_ignored_and_replaced(
    folder: Path,
    replayed: DevelopmentChain,
    spoil: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    spoil(folder)
    chain, contract = _open(folder), replayed.pin.identity.contract
    with caplog.at_level(logging.WARNING):
        assert _answers(chain, contract) == _answers(replayed, contract)
    assert "the checkpoint is not used" in caplog.text
    assert _checkpoint(folder).number == LAST
    _send(chain, LAST - 1)
    chain.close()
    again = _open(folder)
    assert again.call("eth_blockNumber") == hex(LAST + 1)
    assert _is_resumed(again)
    again.close()


def test_state_is_held_to_its_block_even_at_the_head(
    folder: Path, replayed: DevelopmentChain
) -> None:
    """No later block would show the difference, so the state root must."""
    lines = (folder / JOURNAL_NAME).read_bytes().splitlines(keepends=True)
    (folder / JOURNAL_NAME).write_bytes(b"".join(lines[: _checkpoint(folder).number]))
    _put_poorer_account(folder)
    chain = _open(folder)
    balance = chain.call("eth_getBalance", ALICE.address, "latest")
    assert balance == replayed.call("eth_getBalance", ALICE.address, hex(8))
    chain.close()


@pytest.mark.parametrize("following", [0, 1])
def test_checkpoint_of_a_journal_that_went_another_way_is_ignored(
    folder: Path, tmp_path: Path, following: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The journal came from a backup of block 5 and grew again, past the checkpoint or just to it.

    With nothing after it, only the journal's line for the same block shows the difference.
    """
    checkpoint = _checkpoint(folder)
    lines = (folder / JOURNAL_NAME).read_bytes().splitlines(keepends=True)
    (folder / JOURNAL_NAME).write_bytes(b"".join(lines[:5]))
    (folder / CHECKPOINT_NAME).unlink()
    chain = DevelopmentChain(folder=folder)
    for nonce in range(4, 7 + following):
        _burn(chain, nonce)
    expected = _answers(chain, chain.pin.identity.contract)
    chain.close()
    write(folder, checkpoint)
    again = _open(folder)
    assert again.call("eth_blockNumber") == hex(checkpoint.number + following)
    assert _answers(again, again.pin.identity.contract) == expected
    assert "the checkpoint is not used" in caplog.text
    again.close()


def test_checkpoint_ahead_of_a_restored_journal_is_ignored(folder: Path) -> None:
    lines = (folder / JOURNAL_NAME).read_bytes().splitlines(keepends=True)
    (folder / JOURNAL_NAME).write_bytes(b"".join(lines[:3]))
    chain = _open(folder)
    assert chain.call("eth_blockNumber") == "0x3"
    _send(chain, 2)
    assert _checkpoint(folder).number == 4
    chain.close()


def test_journal_is_read_whole_even_with_a_checkpoint(folder: Path) -> None:
    _flip(folder / JOURNAL_NAME, 100)
    with pytest.raises(StorageError, match="damaged"):
        _open(folder).call("eth_blockNumber")


def test_checkpoint_that_cannot_be_written_costs_no_registration(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / CHECKPOINT_NAME).unlink()
    (folder / CHECKPOINT_NAME / "full").mkdir(parents=True)
    chain = _open(folder)
    transaction = _send(chain, LAST - 1)
    assert "no checkpoint of block 12" in caplog.text
    assert chain.call("eth_getTransactionReceipt", transaction) is not None
    chain.close()


def test_what_a_killed_writer_left_is_removed(folder: Path) -> None:
    abandoned = folder / ".titledeed-0123456789abcdef.part"
    abandoned.write_bytes(b"half a checkpoint")
    chain = _open(folder)
    _send(chain, LAST - 1)
    assert not abandoned.exists()
    chain.close()


def test_folder_in_its_place_is_no_checkpoint(folder: Path) -> None:
    (folder / CHECKPOINT_NAME).unlink()
    assert read_checkpoint(folder) is None
    (folder / CHECKPOINT_NAME).mkdir()
    with pytest.raises(StorageError, match="cannot read"):
        read_checkpoint(folder)


def test_each_flipped_bit_of_the_state_is_noticed(folder: Path) -> None:
    path = folder / CHECKPOINT_NAME
    length = path.stat().st_size
    for at in range(path.read_bytes().index(b"\n") + 1, length, length // 40):
        _flip(path, at)
        with pytest.raises(MalformedDocumentError, match="damaged"):
            read_checkpoint(folder)
        _flip(path, at)


@pytest.mark.timeout(300)
def test_first_registration_after_a_thousand_is_quick(tmp_path: Path) -> None:
    """The budget is 1.5 s; the best of three, because the machine has other work."""
    chain = DevelopmentChain.create(folder=tmp_path, funded=(ALICE.address,))
    for nonce in range(1_000):
        _send(chain, nonce)
    chain.close()
    durations = []
    for nonce in range(1_000, 1_003):
        start = time.perf_counter()
        again = DevelopmentChain(folder=tmp_path)
        transaction = _send(again, nonce)
        assert again.call("eth_getTransactionReceipt", transaction) is not None
        durations.append(time.perf_counter() - start)
        again.close()
    assert min(durations) < 1.5, durations
