"""The ``Ledger`` of a real node: reorganisations, replacements, limits, and nodes that lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from chain_builders import (
    GWEI,
    PlainSender,
    TamperedNode,
    addresses_of,
    await_receipt,
    raw_anchor,
    root_of,
    sender_of,
    start_plain_anvil,
)

from titledeed.canonical.documents import Json, hex_word
from titledeed.canonical.hashing import keccak256
from titledeed.chain.deployment import deploy_contract, pin_chain
from titledeed.chain.development.anvil import Anvil
from titledeed.chain.ledger import EvmLedger
from titledeed.chain.pin import ChainPin
from titledeed.chain.rpc import Node, RpcError
from titledeed.errors import (
    ChainMismatchError,
    ConfigurationError,
    LedgerError,
    LedgerUnavailableError,
)
from titledeed.models.evidence import ChainKind, SignedTransaction
from titledeed.models.ledger import Anchored, AnchorRoot, Block
from titledeed.models.primitives import BlockHash
from titledeed.proofs.rpc_values import parse_array, parse_object
from titledeed.proofs.transactions import decode_signed, hash_transaction

pytestmark = pytest.mark.chain

SENDER = sender_of("sender")
Tamper = Callable[[tuple[Json, ...], Callable[[], Json]], Json]


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    anvil = start_plain_anvil(SENDER.address)
    deploy_contract(anvil.node, sender=SENDER)
    yield anvil
    anvil.close()


@pytest.fixture(scope="module")
def pin(anvil: Anvil) -> ChainPin:
    return pin_chain(anvil.node)


@pytest.fixture
def ledger(anvil: Anvil, pin: ChainPin) -> EvmLedger:
    return EvmLedger(node=anvil.node, pin=pin, sender=SENDER)


@pytest.fixture
def by_hand(anvil: Anvil) -> Iterator[Callable[[], None]]:
    """Mines when it is called, and nothing else does."""
    is_automatic = True
    anvil.node.call("evm_setAutomine", not is_automatic)
    yield lambda: _mine(anvil.node)
    _mine(anvil.node)
    anvil.node.call("evm_setAutomine", is_automatic)


def _mine(node: Node) -> None:
    node.call("evm_mine")


def _sent(ledger: EvmLedger, label: str) -> SignedTransaction:
    transaction = ledger.sign_call(AnchorRoot(root_of(label), 1), ledger.count_transactions())
    ledger.broadcast(transaction)
    return transaction


def _mined(ledger: EvmLedger, label: str) -> SignedTransaction:
    """Where the node mines by itself."""
    transaction = _sent(ledger, label)
    await_receipt(ledger, transaction)
    return transaction


def _block_of(ledger: EvmLedger, transaction: SignedTransaction) -> Block:
    receipt = ledger.find_receipt(transaction.hash)
    assert receipt is not None
    block = ledger.find_block(receipt.block_number)
    assert block is not None
    return block


def _tampered(anvil: Anvil, pin: ChainPin, **answers: Tamper) -> EvmLedger:
    return EvmLedger(node=TamperedNode(anvil.node, answers), pin=pin, sender=SENDER)


def _changed(name: str, value: Json) -> Tamper:
    """The true answer, an object or a list of them, with one field changed."""

    def answer(params: tuple[Json, ...], ask: Callable[[], Json]) -> Json:
        del params
        true = ask()
        if isinstance(true, list):
            return [{**parse_object(item), name: value} for item in true]
        return {**parse_object(true), name: value}

    return answer


def test_reorganisation_takes_receipt_block_and_events_away(
    anvil: Anvil, ledger: EvmLedger, by_hand: Callable[[], None]
) -> None:
    transaction = _sent(ledger, "taken away")
    by_hand()
    before = _block_of(ledger, transaction)
    assert len(ledger.list_events(before, addresses_of(ledger))) == 1
    anvil.node.call("anvil_reorg", 1, [])
    after = ledger.find_block(before.number)
    assert after is not None
    assert after.hash != before.hash
    assert after.parent_hash == before.parent_hash
    assert ledger.find_receipt(transaction.hash) is None
    assert ledger.find_anchor_time(root_of("taken away"), SENDER.address) is None
    assert ledger.list_events(after, addresses_of(ledger)) == []
    with pytest.raises(LedgerError):
        ledger.list_events(before, addresses_of(ledger))
    ledger.broadcast(transaction)
    by_hand()
    assert _block_of(ledger, transaction).number == before.number + 1


def test_transaction_moves_to_another_block_with_a_reorganisation(
    anvil: Anvil, ledger: EvmLedger, by_hand: Callable[[], None]
) -> None:
    transaction = _sent(ledger, "moved")
    by_hand()
    before = _block_of(ledger, transaction)
    by_hand()
    anvil.node.call("anvil_reorg", 2, [[hex_word(transaction.raw), 1]])
    after = _block_of(ledger, transaction)
    assert after.number == before.number + 1
    assert ledger.list_events_between(before.number, before.number, addresses_of(ledger)) == []
    (event,) = ledger.list_events(after, addresses_of(ledger))
    assert isinstance(event.body, Anchored)
    assert event.body.root == root_of("moved")


def test_replacement_is_mined_instead(ledger: EvmLedger, by_hand: Callable[[], None]) -> None:
    transaction = _sent(ledger, "underpaid")
    replacement = ledger.sign_replacement(transaction)
    ledger.broadcast(replacement)
    by_hand()
    assert ledger.find_receipt(replacement.hash) is not None
    assert ledger.find_receipt(transaction.hash) is None
    with pytest.raises(LedgerError, match="refuses transaction"):
        ledger.broadcast(transaction)


def test_replacement_pays_what_the_market_asks(
    anvil: Anvil, ledger: EvmLedger, by_hand: Callable[[], None]
) -> None:
    transaction = _sent(ledger, "cheap")
    before, _ = decode_signed(transaction.raw)
    anvil.node.call("anvil_setNextBlockBaseFeePerGas", hex(before.fee_max + GWEI))
    by_hand()
    assert ledger.find_receipt(transaction.hash) is None  # too cheap for the block
    replacement = ledger.sign_replacement(transaction)
    assert decode_signed(replacement.raw)[0].fee_max > 2 * before.fee_max
    ledger.broadcast(replacement)
    by_hand()
    assert ledger.find_receipt(replacement.hash) is not None
    anvil.node.call("anvil_setNextBlockBaseFeePerGas", hex(GWEI))


def test_transaction_of_another_account_is_not_replaced(ledger: EvmLedger, pin: ChainPin) -> None:
    raw = raw_anchor(
        sender_of("other"),
        chain_id=pin.identity.chain_id,
        contract=pin.identity.contract,
        nonce=0,
        root=root_of("foreign"),
    )
    with pytest.raises(LedgerError, match="is not of"):
        ledger.sign_replacement(SignedTransaction(raw, hash_transaction(raw), 0))


def test_sender_that_cannot_pay_is_told(anvil: Anvil, pin: ChainPin) -> None:
    poor = EvmLedger(node=anvil.node, pin=pin, sender=sender_of("poor"))
    raw = raw_anchor(
        PlainSender(sender_of("poor").key),
        chain_id=pin.identity.chain_id,
        contract=pin.identity.contract,
        nonce=0,
        root=root_of("poor"),
    )
    with pytest.raises(LedgerError, match="refuses"):
        poor.broadcast(SignedTransaction(raw, hash_transaction(raw), 0))


@pytest.mark.parametrize("method", ["eth_maxPriorityFeePerGas", "eth_estimateGas"])
def test_fees_that_would_empty_the_account_are_not_signed(
    anvil: Anvil, pin: ChainPin, method: str
) -> None:
    lying = _tampered(anvil, pin, **{method: lambda params, ask: hex(10**16)})
    with pytest.raises(LedgerError, match="could cost"):
        lying.sign_call(AnchorRoot(root_of("dear"), 1), 0)


@pytest.mark.parametrize("field", ["chain_id", "genesis_hash", "contract", "code_hash"])
def test_another_chain_than_the_pinned_one_is_refused(
    anvil: Anvil, pin: ChainPin, field: str
) -> None:
    other = {
        "chain_id": replace(pin.identity, chain_id=pin.identity.chain_id + 1),
        "genesis_hash": replace(pin.identity, genesis_hash=BlockHash(keccak256(b"other"))),
        "contract": replace(pin.identity, contract=SENDER.address),
        "code_hash": pin.identity,
    }[field]
    code_hash = keccak256(b"other") if field == "code_hash" else pin.code_hash
    ledger = EvmLedger(node=anvil.node, pin=ChainPin(other, code_hash), sender=SENDER)
    with pytest.raises(ChainMismatchError):
        ledger.count_transactions()


def test_keys_that_everybody_has_are_refused_on_a_public_chain(anvil: Anvil, pin: ChainPin) -> None:
    key = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
    public = replace(pin, identity=replace(pin.identity, kind=ChainKind.PUBLIC))
    known = PlainSender(key)
    EvmLedger(node=anvil.node, pin=pin, sender=known, claimant=known.address).find_head()
    EvmLedger(node=anvil.node, pin=public, sender=SENDER).find_head()
    for ledger in (
        EvmLedger(node=anvil.node, pin=public, sender=known),
        EvmLedger(node=anvil.node, pin=public, sender=SENDER, claimant=known.address),
    ):
        with pytest.raises(ConfigurationError, match="public knowledge"):
            ledger.find_head()


def test_a_stretch_that_is_too_long_for_the_node_is_asked_for_in_parts(
    anvil: Anvil, pin: ChainPin, ledger: EvmLedger
) -> None:
    for label in range(9):
        _mined(ledger, f"stretch {label}")
    asked: list[int] = []

    def limited(params: tuple[Json, ...], ask: Callable[[], Json]) -> Json:
        span = parse_object(params[0])
        length = int(str(span["toBlock"]), 16) - int(str(span["fromBlock"]), 16) + 1
        asked.append(length)
        if length > 4:
            raise RpcError(-32005, "query returned more than 10000 results")
        return ask()

    head = ledger.find_head().number
    found = _tampered(anvil, pin, eth_getLogs=limited).list_events_between(
        0, head, addresses_of(ledger)
    )
    assert found == ledger.list_events_between(0, head, addresses_of(ledger))
    assert len(found) >= 9
    assert asked[0] == head + 1
    assert sum(length for length in asked if length <= 4) == head + 1


def test_a_block_whose_events_are_refused_is_told(anvil: Anvil, pin: ChainPin) -> None:
    def refuse(params: tuple[Json, ...], ask: Callable[[], Json]) -> Json:
        del params, ask
        raise RpcError(-32005, "too many results")

    with pytest.raises(LedgerError, match=r"events of block 0: too many"):
        _tampered(anvil, pin, eth_getLogs=refuse).list_events_between(0, 8, [pin.identity.contract])


def test_events_come_in_the_order_of_the_chain(
    anvil: Anvil, pin: ChainPin, ledger: EvmLedger, by_hand: Callable[[], None]
) -> None:
    nonce = ledger.count_transactions()
    for offset in range(4):
        call = AnchorRoot(root_of(f"in order {offset}"), 1)
        ledger.broadcast(ledger.sign_call(call, nonce + offset))
    by_hand()
    shuffled = _tampered(
        anvil, pin, eth_getLogs=lambda params, ask: list(reversed(parse_array(ask())))
    )
    head = ledger.find_head()
    events = shuffled.list_events(head, addresses_of(shuffled))
    assert [event.sequence for event in events] == sorted(event.sequence for event in events)
    assert len(events) == 4
    assert shuffled.list_events_between(head.number, head.number, addresses_of(shuffled)) == events


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("blockHash", hex_word(keccak256(b"other"))),
        ("blockNumber", "0x1"),
        ("blockNumber", None),
        ("address", SENDER.address),
        ("removed", True),
        ("data", "0x"),
        ("topics", []),
        ("transactionHash", "0x12"),
        ("logIndex", "first"),
    ],
)
def test_log_that_was_not_asked_for_is_refused(
    anvil: Anvil, pin: ChainPin, ledger: EvmLedger, name: str, value: Json
) -> None:
    block = _block_of(ledger, _mined(ledger, f"log {name} {value}"))
    lying = _tampered(anvil, pin, eth_getLogs=_changed(name, value))
    with pytest.raises(LedgerError):
        lying.list_events(block, addresses_of(lying))
    with pytest.raises(LedgerError):
        lying.list_events_between(block.number, block.number, addresses_of(lying))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("transactionHash", hex_word(keccak256(b"other"))),
        ("transactionHash", None),
        ("blockNumber", "later"),
        ("blockNumber", hex(2**64)),
        ("blockHash", "0x12"),
        ("status", None),
    ],
)
def test_receipt_that_was_not_asked_for_is_refused(
    anvil: Anvil, pin: ChainPin, ledger: EvmLedger, name: str, value: Json
) -> None:
    transaction = _mined(ledger, f"receipt {name} {value}")
    lying = _tampered(anvil, pin, eth_getTransactionReceipt=_changed(name, value))
    with pytest.raises(LedgerError):
        lying.find_receipt(transaction.hash)


def test_receipt_of_a_block_that_was_replaced_counts_for_nothing(
    anvil: Anvil, pin: ChainPin, ledger: EvmLedger
) -> None:
    transaction = _mined(ledger, "uncle")
    other = hex_word(keccak256(b"uncle"))
    stale = _tampered(anvil, pin, eth_getTransactionReceipt=_changed("blockHash", other))
    assert ledger.find_receipt(transaction.hash) is not None
    assert stale.find_receipt(transaction.hash) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", "0x0"),
        ("number", hex(2**70)),
        ("hash", "0x"),
        ("parentHash", None),
        ("timestamp", hex(2**64)),
    ],
)
def test_block_that_was_not_asked_for_is_refused(
    anvil: Anvil, pin: ChainPin, name: str, value: Json
) -> None:
    def answer(params: tuple[Json, ...], ask: Callable[[], Json]) -> Json:
        return ask() if params[0] == "0x0" else _changed(name, value)(params, ask)

    with pytest.raises(LedgerError):
        _tampered(anvil, pin, eth_getBlockByNumber=answer).find_block(1)


def test_node_whose_head_is_behind_is_refused(
    anvil: Anvil, pin: ChainPin, ledger: EvmLedger
) -> None:
    """It would answer that a block which it does not have yet holds no event."""
    head = ledger.find_head().number

    def behind(params: tuple[Json, ...], ask: Callable[[], Json]) -> Json:
        tag = hex(head - 1) if params[0] == "latest" else params[0]
        return anvil.node.call("eth_getBlockByNumber", tag, params[1]) if params else ask()

    lagging = _tampered(anvil, pin, eth_getBlockByNumber=behind, eth_getLogs=lambda params, ask: [])
    with pytest.raises(LedgerError, match="ends at block"):
        lagging.list_events_between(0, head, addresses_of(lagging))


def test_node_that_does_not_answer_is_unavailable(anvil: Anvil, pin: ChainPin) -> None:
    def silent(params: tuple[Json, ...], ask: Callable[[], Json]) -> Json:
        del params, ask
        raise LedgerUnavailableError("no answer")

    with pytest.raises(LedgerUnavailableError):
        _tampered(anvil, pin, eth_getTransactionCount=silent).count_transactions()
