"""The development chain: the journal is the chain, and every process runs its own replica of it.

No process depends on another's life and no port is shared; block hashes are the same everywhere.
Its time is made by ourselves and proves order inside this home only.

Order of writing, under a lock that all processes share: catch up with the journal, let the replica
check the transaction, append the block to the journal (fsync), mine it, compare. So a block that
anybody has seen is in the journal, and a block in the journal is mined sooner or later. A block
holds one transaction, and that one is all that anvil's pool ever holds.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import filelock

from titledeed.canonical.documents import Json, hex_word
from titledeed.canonical.identifiers import address_from_bytes
from titledeed.chain.development.anvil import Anvil, find_anvil
from titledeed.chain.development.replica import (
    CHECKPOINT_INTERVAL,
    Replica,
    block_hash,
    open_replica,
)
from titledeed.chain.pin import PIN_NAME, ChainPin, Genesis, read_pin, write_pin
from titledeed.errors import (
    ChainMismatchError,
    ConflictError,
    LedgerUnavailableError,
    StorageError,
)
from titledeed.models.evidence import ChainIdentity, ChainKind
from titledeed.models.ledger import ContractName
from titledeed.models.primitives import Address
from titledeed.ports import Clock
from titledeed.proofs.contract import CREATE2_FACTORY, DEPLOYMENT_SALT, load_artifact
from titledeed.proofs.rpc_values import parse_bytes
from titledeed.proofs.signatures import address_of_key, sign_digest
from titledeed.proofs.transactions import (
    Transaction,
    encode_signed,
    hash_transaction,
    signing_digest,
)
from titledeed.proofs.versions import current_version

LOCK_NAME: Final = "journal.lock"
_JOURNAL_TIMEOUT_S: Final = 60
_CHAIN_ID_MIN: Final = 2**32
_CHAIN_ID_MAX: Final = 2**51
"""Wallets refuse ids near 2^53."""
_DEPLOYMENT_GAS: Final = 8_000_000
_GWEI: Final = 10**9


def wall_clock() -> int:
    """Seconds since 1970, by this machine."""
    return int(time.time())


class DevelopmentChain:
    """A ``Node`` whose ``eth_sendRawTransaction`` journals and mines before it returns.

    Args:
        folder: holds ``chain.json``, the journal and its lock.
        anvil: the program, if not to be searched for.
        clock: gives new blocks their time.
        checkpoint_interval: blocks from one checkpoint to the next.

    Raises:
        HomeNotInitializedError: the folder holds no chain.
    """

    def __init__(
        self,
        *,
        folder: Path,
        anvil: Path | None = None,
        clock: Clock = wall_clock,
        checkpoint_interval: int = CHECKPOINT_INTERVAL,
    ) -> None:
        self.pin = read_pin(folder)
        self.folder = folder
        self._binary = anvil
        self._clock = clock
        self._checkpoint_interval = checkpoint_interval
        self._replica: Replica | None = None
        self._thread_lock = threading.RLock()
        self._file_lock = _file_lock(folder)

    @classmethod
    def create(
        cls,
        *,
        folder: Path,
        funded: tuple[Address, ...],
        anvil: Path | None = None,
        clock: Clock = wall_clock,
    ) -> DevelopmentChain:
        """Make a new chain that holds the contract and whose ``funded`` accounts can pay.

        Raises:
            ConflictError: the folder holds a chain already.
            ToolMissingError: anvil is not installed.
            StorageError: the folder cannot be written.
        """
        chain_id = _CHAIN_ID_MIN + secrets.randbelow(_CHAIN_ID_MAX - _CHAIN_ID_MIN)
        deployer = secrets.token_bytes(32)  # signs one transaction and is forgotten
        genesis = Genesis(
            timestamp=clock(),
            coinbase=address_from_bytes(secrets.token_bytes(20)),
            funded=(*funded, address_of_key(deployer)),
            deployment=_sign_deployment(chain_id, deployer),
        )
        with _locked(_file_lock(folder)):
            if (folder / PIN_NAME).exists():
                raise ConflictError(f"{folder} holds a chain already", path=folder)
            write_pin(folder, _pin(chain_id, genesis, binary=find_anvil(anvil)))
        chain = cls(folder=folder, anvil=anvil, clock=clock)
        chain.call("eth_blockNumber")  # writes block 1
        return chain

    @property
    def genesis(self) -> Genesis:
        """From what the chain starts.

        Raises:
            ChainMismatchError: the folder pins a chain that this home does not run itself.
        """
        if self.pin.genesis is None:
            raise ChainMismatchError(
                f"{self.folder} pins a chain that this home does not run itself",
                chain_id=self.pin.identity.chain_id,
            )
        return self.pin.genesis

    def call(self, method: str, *params: Json) -> Json:
        """See ``Node.call``; reads see every block that any process has written."""
        with self._thread_lock:
            if method == "eth_sendRawTransaction":
                return self._send(parse_bytes(params[0] if params else None))
            return self._current().anvil.node.call(method, *params)

    def close(self) -> None:
        """End the replica; idempotent. The next call starts another."""
        with self._thread_lock:
            if self._replica is not None:
                self._replica.anvil.close()
                self._replica = None

    def _current(self) -> Replica:
        replica = self._replica
        if replica and replica.anvil.is_alive and not replica.journal.has_news():
            return replica
        with _locked(self._file_lock):
            return self._caught_up()

    @contextmanager
    def _discarded_on_failure(self) -> Iterator[None]:
        """A replica that may differ from the journal is worth nothing: replay makes a new one."""
        done = False
        try:
            yield
            done = True
        finally:
            if not done:
                self.close()

    def _caught_up(self) -> Replica:
        if self._replica is not None and not self._replica.anvil.is_alive:
            self.close()
        with self._discarded_on_failure():
            if self._replica is None:
                self._replica = open_replica(
                    folder=self.folder,
                    pin=self.pin,
                    genesis=self.genesis,
                    binary=find_anvil(self._binary),
                    checkpoint_interval=self._checkpoint_interval,
                )
            replica = self._replica
            replica.catch_up()
            if replica.journal.number == 0:
                replica.admit(self.genesis.deployment)
                replica.write_block(self.genesis.deployment, timestamp=self._clock())
            return replica

    def _send(self, raw: bytes) -> Json:
        known = hex_word(hash_transaction(raw))
        with _locked(self._file_lock):
            replica = self._caught_up()
            if replica.anvil.node.call("eth_getTransactionReceipt", known) is not None:
                return known
            replica.admit(raw)
            with self._discarded_on_failure():
                replica.write_block(raw, timestamp=self._clock())
        return known


def _file_lock(folder: Path) -> filelock.FileLock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make {folder}: {error.strerror}", path=folder) from error
    return filelock.FileLock(folder / LOCK_NAME, timeout=_JOURNAL_TIMEOUT_S)


@contextmanager
def _locked(lock: filelock.FileLock) -> Iterator[None]:
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise LedgerUnavailableError(
            f"another process has held {lock.lock_file} for {_JOURNAL_TIMEOUT_S} s",
            next_step="Wait for it, or end it.",
        ) from error
    except OSError as error:
        raise StorageError(
            f"cannot lock {lock.lock_file}: {error.strerror}", path=Path(lock.lock_file)
        ) from error
    try:
        yield
    finally:
        lock.release()


def _pin(chain_id: int, genesis: Genesis, *, binary: Path) -> ChainPin:
    version = current_version(ContractName.TITLE_DEED)
    anvil = Anvil(binary=binary, chain_id=chain_id, genesis=genesis)
    try:
        genesis_hash = block_hash(anvil.node, 0)
    finally:
        anvil.close()
    return ChainPin(
        identity=ChainIdentity(
            ChainKind.DEVELOPMENT, chain_id, genesis_hash, version.usual_address
        ),
        code_hash=version.code_hash,
        genesis=genesis,
        anvil=anvil.version,
    )


def _sign_deployment(chain_id: int, key: bytes) -> bytes:
    transaction = Transaction(
        chain_id=chain_id,
        nonce=0,
        tip=0,
        fee_max=10 * _GWEI,
        gas=_DEPLOYMENT_GAS,
        to=CREATE2_FACTORY,
        value=0,
        data=DEPLOYMENT_SALT + load_artifact().creation_code,
    )
    return encode_signed(transaction, sign_digest(key, signing_digest(transaction)))
