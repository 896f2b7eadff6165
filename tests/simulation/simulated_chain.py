"""A chain in memory: blocks, a pool, fees, reorganisations. It never lies; see its subclass.

Transactions are signed and hashed as on a real chain, the fees of a call and of its replacement are
those of ``chain.sending``, and the running hash is that of ``chain.events``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from chain_builders import PlainSender
from simulation.contract_model import ContractModel, RefusedError

from titledeed.canonical.documents import Json, hex_word
from titledeed.canonical.hashing import keccak256, word
from titledeed.canonical.identifiers import address_from_bytes
from titledeed.chain.calls import encode_call
from titledeed.chain.rpc import RpcError
from titledeed.chain.sending import sign_call
from titledeed.errors import LedgerError
from titledeed.models.evidence import ChainIdentity, ChainKind, SignedTransaction
from titledeed.models.ledger import (
    AnchorRoot,
    Block,
    Call,
    ContractName,
    DeployedContract,
    LedgerEvent,
    Receipt,
)
from titledeed.models.primitives import (
    Address,
    BlockHash,
    Keccak256,
    MerkleRoot,
    TransactionHash,
)
from titledeed.proofs.events import EMPTY_HEAD, next_head
from titledeed.proofs.signatures import recover_signer
from titledeed.proofs.transactions import (
    Transaction,
    decode_signed,
    hash_transaction,
    signing_digest,
)

GENESIS_TIMESTAMP: Final = 1_790_000_000
BLOCK_TIME_S: Final = 12
CHAIN_ID: Final = 31_338
GWEI: Final = 10**9
GAS: Final = 60_000
_REPLACEMENT_PERCENT: Final = 110
_REVERTED: Final = 3


class Fate(Enum):
    """What becomes of the transactions of blocks that a reorganisation takes away."""

    VANISH = auto()
    POOL = auto()
    INCLUDE = auto()


@dataclass(frozen=True)
class Pooled:
    """A transaction as the chain knows it."""

    raw: bytes
    hash: TransactionHash
    sender: Address
    fields: Transaction


@dataclass(frozen=True)
class MinedBlock:
    """A block, what it did, and the state after it."""

    block: Block
    base_fee: int
    transactions: tuple[Pooled, ...]
    receipts: Mapping[TransactionHash, Receipt]
    events: tuple[LedgerEvent, ...]
    heads: Mapping[Address, bytes]
    contracts: Mapping[Address, ContractModel]
    nonces: Mapping[Address, int]


class SimulatedChain:
    """What is so, whatever a node says of it.

    Args:
        mines_at_once: every transaction makes a block, as on a development chain.
        kind: who makes its time, as its identity says.
        chain_id: as its identity says.
    """

    def __init__(
        self,
        *,
        mines_at_once: bool,
        kind: ChainKind = ChainKind.DEVELOPMENT,
        chain_id: int = CHAIN_ID,
    ) -> None:
        self._mines_at_once = mines_at_once
        self._calls: dict[bytes, Call] = {}
        self._forks = 0
        self.base_fee = GWEI
        self.tip = GWEI
        self.capacity = 1_000
        self.pool: dict[tuple[Address, int], Pooled] = {}
        core = DeployedContract(ContractName.TITLE_DEED, _address("simulated contract"), 0)
        self.deployed: list[DeployedContract] = [core]
        self.chain: list[MinedBlock] = [_genesis()]
        self._identity = ChainIdentity(
            kind=kind,
            chain_id=chain_id,
            genesis_hash=self.chain[0].block.hash,
            contract=core.address,
        )

    @property
    def identity(self) -> ChainIdentity:
        return self._identity

    @property
    def events(self) -> list[LedgerEvent]:
        """All events of the core contract on the canonical chain."""
        return self.events_of(self.identity.contract)

    def events_of(self, contract: Address) -> list[LedgerEvent]:
        """All events of a contract on the canonical chain."""
        logged = (event for mined in self.chain for event in mined.events)
        return [event for event in logged if event.contract == contract]

    @property
    def blocks(self) -> list[Block]:
        """The canonical chain."""
        return [mined.block for mined in self.chain]

    def deploy(self, label: str) -> DeployedContract:
        """Another contract of the same kind, from the next block on; nobody follows it yet."""
        contract = DeployedContract(ContractName.TITLE_DEED, _address(label), len(self.chain))
        self.deployed.append(contract)
        return contract

    def mine(self, count: int = 1) -> None:
        """Make blocks of what is in the pool."""
        for _ in range(count):
            self._append(self._take_from_pool())

    def reorganise(self, depth: int, *, fate: Fate = Fate.POOL, length: int | None = None) -> None:
        """Replace the newest blocks.

        Args:
            depth: how many go; the genesis block stays.
            fate: of their transactions.
            length: how many come instead; as many by default.
        """
        depth = min(depth, len(self.chain) - 1)
        gone = self.chain[len(self.chain) - depth :]
        del self.chain[len(self.chain) - depth :]
        self._forks += 1
        lost = [pooled for mined in gone for pooled in mined.transactions]
        if fate is not Fate.VANISH:
            self.pool = {(one.sender, one.fields.nonce): one for one in lost} | self.pool
        for _ in range(depth if length is None else length):
            self._append(self._take_from_pool() if fate is Fate.INCLUDE else [])

    def submit_as(
        self, sender: PlainSender, call: Call, contract: Address | None = None
    ) -> SignedTransaction:
        """Somebody's transaction, into the pool; with our sender's key, a theft of its nonce."""
        waiting = sum(1 for account, _ in self.pool if account == sender.address)
        nonce = self.chain[-1].nonces.get(sender.address, 0) + waiting
        transaction = self.sign_as(sender, call, nonce, contract)
        self.receive(transaction.raw)
        return transaction

    def sign_as(
        self, sender: PlainSender, call: Call, nonce: int, contract: Address | None = None
    ) -> SignedTransaction:
        data = encode_call(call)
        self._calls[data] = call
        return sign_call(
            Market(self),
            sender=sender,
            chain_id=self.identity.chain_id,
            nonce=nonce,
            to=contract or self.identity.contract,
            data=data,
        )

    def spike_base_fee(self, factor: int = 20) -> None:
        """Make what is in the pool too cheap to be mined."""
        self.base_fee *= factor

    def empty_pool(self) -> None:
        """A node that restarts forgets what no block holds."""
        self.pool.clear()

    def receive(self, raw: bytes) -> None:
        """Take a transaction into the pool.

        Raises:
            LedgerError: its nonce is used, or it pays too little to replace another.
        """
        fields, signature = decode_signed(raw)
        sender = recover_signer(signing_digest(fields), signature)
        known_as = hash_transaction(raw)
        if sender is None or any(known_as in mined.receipts for mined in self.chain):
            return
        if fields.nonce < self.chain[-1].nonces.get(sender, 0):
            raise LedgerError(f"the chain refuses transaction {hex_word(known_as)}: nonce too low")
        rival = self.pool.get((sender, fields.nonce))
        if rival is not None and rival.hash != known_as and not _outbids(fields, rival.fields):
            raise LedgerError(
                f"the chain refuses transaction {hex_word(known_as)}: replacement underpriced"
            )
        self.pool[sender, fields.nonce] = Pooled(raw, known_as, sender, fields)
        if self._mines_at_once:
            self.mine()

    def _take_from_pool(self) -> list[Pooled]:
        """What the next block holds: by sender and nonce, without a gap, and not too cheap."""
        nonces = dict(self.chain[-1].nonces)
        taken: list[Pooled] = []
        for (sender, nonce), pooled in sorted(self.pool.items()):
            if nonce < nonces.get(sender, 0):
                del self.pool[sender, nonce]
            elif (
                nonce == nonces.get(sender, 0)
                and pooled.fields.fee_max >= self.base_fee
                and len(taken) < self.capacity
            ):
                taken.append(pooled)
                nonces[sender] = nonce + 1
                del self.pool[sender, nonce]
        return taken

    def _append(self, transactions: list[Pooled]) -> None:
        parent = self.chain[-1]
        number = parent.block.number + 1
        timestamp = parent.block.timestamp + BLOCK_TIME_S + self._forks  # other forks, other times
        content = b"".join(one.hash for one in transactions)
        digest = keccak256(parent.block.hash, word(number), word(self._forks), content)
        block = Block(number, BlockHash(digest), parent.block.hash, timestamp)
        contracts = {
            one.address: parent.contracts.get(one.address, ContractModel()).copy()
            for one in self.deployed
            if one.first_block <= number
        }
        heads = dict(parent.heads)
        receipts: dict[TransactionHash, Receipt] = {}
        events: list[LedgerEvent] = []
        for one in transactions:
            succeeded, event = self._execute(one, block, contracts, heads)
            receipts[one.hash] = Receipt(one.hash, number, block.hash, succeeded)
            if event is not None:
                events.append(event)
                heads[event.contract] = event.head
        nonces = dict(parent.nonces) | {one.sender: one.fields.nonce + 1 for one in transactions}
        self.chain.append(
            MinedBlock(
                block=block,
                base_fee=self.base_fee,
                transactions=tuple(transactions),
                receipts=receipts,
                events=tuple(events),
                heads=heads,
                contracts=contracts,
                nonces=nonces,
            )
        )

    def _execute(
        self,
        pooled: Pooled,
        block: Block,
        contracts: Mapping[Address, ContractModel],
        heads: Mapping[Address, bytes],
    ) -> tuple[bool, LedgerEvent | None]:
        """Whether the contract took it, and what it logged."""
        call, address = self._call(pooled.fields.data), pooled.fields.to
        assert address is not None
        contract = contracts[address]
        try:
            body = contract.apply(call, sender=pooled.sender, timestamp=block.timestamp)
        except RefusedError:
            return False, None
        if body is None:
            return True, None
        event = LedgerEvent(
            body=body,
            contract=address,
            sequence=contract.sequence,
            head=EMPTY_HEAD,
            transaction=pooled.hash,
            block_number=block.number,
            block_hash=block.hash,
            block_timestamp=block.timestamp,
        )
        return True, replace(event, head=next_head(heads.get(address, EMPTY_HEAD), event))

    def _call(self, data: bytes) -> Call:
        """The call that was signed here, or an anchor that was signed elsewhere."""
        if data in self._calls:
            return self._calls[data]
        return AnchorRoot(MerkleRoot(Keccak256(data[4:36])), int.from_bytes(data[36:], "big"))

    def name_refusal(self, data: bytes, sender: Address, contract: Address) -> str | None:
        """Why the contract would refuse a call in the next block, if it would."""
        newest = self.chain[-1]
        try:
            newest.contracts.get(contract, ContractModel()).copy().apply(
                self._call(data), sender=sender, timestamp=newest.block.timestamp + BLOCK_TIME_S
            )
        except RefusedError as refusal:
            return str(refusal)
        return None


@dataclass(frozen=True)
class Market:
    """The node of ``chain.sending``: what gas costs, and whether the contract refuses."""

    chain: SimulatedChain

    def call(self, method: str, *params: Json) -> Json:
        if method == "eth_maxPriorityFeePerGas":
            return hex(self.chain.tip)
        if method == "eth_getBlockByNumber":
            return {"baseFeePerGas": hex(self.chain.base_fee)}
        request = params[0]
        assert method == "eth_estimateGas"
        assert isinstance(request, dict)
        data = bytes.fromhex(str(request["data"])[2:])
        refusal = self.chain.name_refusal(
            data, Address(str(request["from"])), Address(str(request["to"]))
        )
        if refusal is not None:
            raise RpcError(_REVERTED, f"execution reverted: {refusal}")
        return hex(GAS)

    def close(self) -> None:
        """Nothing to release."""


def _outbids(bid: Transaction, rival: Transaction) -> bool:
    return all(
        100 * new >= _REPLACEMENT_PERCENT * old
        for new, old in ((bid.tip, rival.tip), (bid.fee_max, rival.fee_max))
    )


def _genesis() -> MinedBlock:
    block = Block(
        0, BlockHash(keccak256(b"simulated genesis")), BlockHash(keccak256(b"")), GENESIS_TIMESTAMP
    )
    return MinedBlock(block, GWEI, (), {}, (), {}, {}, {})


def _address(label: str) -> Address:
    return address_from_bytes(keccak256(label.encode())[12:])
