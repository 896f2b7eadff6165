"""What every ``Ledger`` promises, on the development chain and on a node behind a URL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from chain_builders import PlainSender, raw_anchor, root_of, sender_of, start_plain_anvil

from titledeed.canonical.documents import hex_word
from titledeed.canonical.hashing import keccak256
from titledeed.chain.deployment import deploy_contract, pin_chain
from titledeed.chain.development import DevelopmentChain
from titledeed.chain.ledger import EvmLedger
from titledeed.chain.pin import ChainPin
from titledeed.chain.rpc import Node, parse_object, parse_quantity
from titledeed.chain.signatures import check_transaction
from titledeed.chain.transactions import hash_transaction
from titledeed.errors import ChainMismatchError, LedgerError, TransactionRevertedError
from titledeed.models.evidence import Anchor, SignedTransaction
from titledeed.models.primitives import BlockHash, TransactionHash
from titledeed.ports import Ledger

pytestmark = pytest.mark.chain

ANCHOR_GAS_MAX = 53_000
SENDER = sender_of("sender")


@pytest.fixture(scope="module", params=["development", "rpc"])
def chain(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Node, ChainPin]]:
    if request.param == "development":
        folder = tmp_path_factory.mktemp("chain")
        node = DevelopmentChain.create(folder=folder, funded=(SENDER.address,))
        yield node, node.pin
        node.close()
    else:
        anvil = start_plain_anvil(SENDER.address)
        contract = deploy_contract(anvil.node, sender=SENDER)
        yield anvil.node, pin_chain(anvil.node, contract=contract)
        anvil.close()


@pytest.fixture
def ledger(chain: tuple[Node, ChainPin]) -> Ledger:
    node, pin = chain
    return EvmLedger(node=node, pin=pin, sender=SENDER)


def _anchored(ledger: Ledger, label: str, size: int = 3) -> SignedTransaction:
    transaction = ledger.sign_anchor(root_of(label), size, ledger.count_transactions())
    ledger.broadcast(transaction)
    _await_anchor(ledger, transaction)
    return transaction


def _await_anchor(ledger: Ledger, transaction: SignedTransaction) -> Anchor:
    """A node behind a URL mines in its own time."""
    deadline = time.monotonic() + 20
    while (anchor := ledger.find_receipt(transaction.hash)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return anchor


def test_identity_is_the_pinned_one(ledger: Ledger, chain: tuple[Node, ChainPin]) -> None:
    assert ledger.identity == chain[1].identity
    assert ledger.sender == SENDER.address


def test_anchor_is_found_by_its_transaction(ledger: Ledger) -> None:
    transaction = _anchored(ledger, "found", size=7)
    anchor = ledger.find_receipt(transaction.hash)
    assert anchor is not None
    assert (anchor.root, anchor.size, anchor.caller) == (root_of("found"), 7, SENDER.address)
    assert anchor.transaction == transaction.hash
    assert ledger.is_canonical(anchor)


def test_sequence_numbers_follow_each_other(ledger: Ledger) -> None:
    anchors = [ledger.find_receipt(_anchored(ledger, f"sequence {i}").hash) for i in range(3)]
    first = anchors[0]
    assert first is not None
    assert [a.sequence for a in anchors if a] == [first.sequence + i for i in range(3)]


def test_signing_sends_nothing(ledger: Ledger) -> None:
    nonce = ledger.count_transactions()
    transaction = ledger.sign_anchor(root_of("unsent"), 1, nonce)
    assert ledger.count_transactions() == nonce
    assert ledger.find_receipt(transaction.hash) is None
    assert ledger.find_anchor_time(root_of("unsent"), ledger.sender) is None


def test_mined_transaction_counts(ledger: Ledger) -> None:
    nonce = ledger.count_transactions()
    _anchored(ledger, "counted")
    assert ledger.count_transactions() == nonce + 1


def test_broadcasting_again_changes_nothing(ledger: Ledger) -> None:
    transaction = _anchored(ledger, "twice")
    anchor, nonce = ledger.find_receipt(transaction.hash), ledger.count_transactions()
    ledger.broadcast(transaction)
    assert ledger.find_receipt(transaction.hash) == anchor
    assert ledger.count_transactions() == nonce


def test_another_transaction_with_a_used_nonce_is_refused(ledger: Ledger) -> None:
    nonce = ledger.count_transactions()
    _anchored(ledger, "first with the nonce")
    late = ledger.sign_anchor(root_of("second with the nonce"), 1, nonce)
    with pytest.raises(LedgerError, match="refuses transaction"):
        ledger.broadcast(late)
    assert ledger.find_receipt(late.hash) is None


def test_unknown_transaction_has_no_receipt(ledger: Ledger) -> None:
    assert ledger.find_receipt(TransactionHash(keccak256(b"nothing"))) is None


def test_anchor_time_is_kept_per_root_and_caller(ledger: Ledger) -> None:
    anchor = ledger.find_receipt(_anchored(ledger, "timed").hash)
    assert anchor is not None
    assert ledger.find_anchor_time(anchor.root, anchor.caller) == anchor.block_timestamp
    assert ledger.find_anchor_time(anchor.root, sender_of("other").address) is None
    assert ledger.find_anchor_time(root_of("never"), anchor.caller) is None


def test_other_block_hash_or_height_is_not_canonical(ledger: Ledger) -> None:
    anchor = ledger.find_receipt(_anchored(ledger, "canonical").hash)
    assert anchor is not None
    assert not ledger.is_canonical(replace(anchor, block_hash=BlockHash(keccak256(b"fork"))))
    assert not ledger.is_canonical(replace(anchor, block_number=anchor.block_number + 10**6))


def test_raw_transaction_proves_its_anchor_offline(ledger: Ledger) -> None:
    transaction = _anchored(ledger, "offline")
    anchor = ledger.find_receipt(transaction.hash)
    assert anchor is not None
    check_transaction(transaction.raw, chain=ledger.identity, anchor=anchor)


def test_refused_anchor_is_not_signed(ledger: Ledger) -> None:
    with pytest.raises(TransactionRevertedError):
        ledger.sign_anchor(root_of("empty"), 0, ledger.count_transactions())


def test_reverted_transaction_is_told(ledger: Ledger) -> None:
    nonce = ledger.count_transactions()
    raw = raw_anchor(
        SENDER,
        chain_id=ledger.identity.chain_id,
        contract=ledger.identity.contract,
        nonce=nonce,
        root=root_of("reverted"),
        size=0,
    )
    transaction = SignedTransaction(raw, hash_transaction(raw), nonce)
    ledger.broadcast(transaction)
    with pytest.raises(TransactionRevertedError):
        _await_anchor(ledger, transaction)


def test_transaction_that_anchored_nothing_new_is_told(ledger: Ledger) -> None:
    _anchored(ledger, "same root")
    with pytest.raises(LedgerError, match="nothing new"):
        ledger.find_receipt(_anchored(ledger, "same root").hash)


def test_sender_that_cannot_pay_is_told(chain: tuple[Node, ChainPin]) -> None:
    node, pin = chain
    poor = EvmLedger(node=node, pin=pin, sender=sender_of("poor"))
    raw = raw_anchor(
        PlainSender(sender_of("poor").key),
        chain_id=pin.identity.chain_id,
        contract=pin.identity.contract,
        nonce=0,
        root=root_of("poor"),
    )
    with pytest.raises(LedgerError, match="refuses"):
        poor.broadcast(SignedTransaction(raw, hash_transaction(raw), 0))


def test_anchor_stays_within_its_gas(ledger: Ledger, chain: tuple[Node, ChainPin]) -> None:
    _anchored(ledger, "warm-up")
    transaction = _anchored(ledger, "steady", size=2**32 - 1)
    receipt = parse_object(chain[0].call("eth_getTransactionReceipt", hex_word(transaction.hash)))
    assert parse_quantity(receipt["gasUsed"]) <= ANCHOR_GAS_MAX


@pytest.mark.parametrize("field", ["chain_id", "genesis_hash", "contract", "code_hash"])
def test_another_chain_than_the_pinned_one_is_refused(
    chain: tuple[Node, ChainPin], field: str
) -> None:
    node, pin = chain
    other = {
        "chain_id": replace(pin.identity, chain_id=pin.identity.chain_id + 1),
        "genesis_hash": replace(pin.identity, genesis_hash=BlockHash(keccak256(b"other"))),
        "contract": replace(pin.identity, contract=SENDER.address),
        "code_hash": pin.identity,
    }[field]
    code_hash = keccak256(b"other") if field == "code_hash" else pin.code_hash
    ledger = EvmLedger(node=node, pin=ChainPin(other, code_hash), sender=SENDER)
    with pytest.raises(ChainMismatchError):
        ledger.count_transactions()
