"""Two deployments on one real node, followed in one home."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from chain_builders import await_receipt, raw_anchor, root_of, sender_of, start_plain_anvil
from chain_desk import Desk

from titledeed.canonical.documents import hex_word
from titledeed.chain.deployment import deploy_contract, pin_chain, pin_contract
from titledeed.chain.development.anvil import Anvil
from titledeed.chain.ledger import EvmLedger
from titledeed.chain.pin import ChainPin, read_pin, write_pin
from titledeed.errors import ChainMismatchError
from titledeed.models.ledger import Anchored, AnchorRoot, ContractName, DeployedContract
from titledeed.models.primitives import Address
from titledeed.proofs.transactions import decode_signed
from titledeed.services.chain_report import ChainReportService

pytestmark = pytest.mark.chain

SENDER = sender_of("sender")
STRANGER = sender_of("stranger")


@pytest.fixture
def anvil() -> Iterator[Anvil]:
    anvil = start_plain_anvil(SENDER.address, STRANGER.address)
    deploy_contract(anvil.node, sender=SENDER)
    yield anvil
    anvil.close()


def with_other(anvil: Anvil, pin: ChainPin) -> ChainPin:
    """The same pin, and a second deployment as if it were a module."""
    address = deploy_contract(anvil.node, sender=SENDER, base_uri="https://other.example/")
    other = pin_contract(anvil.node, ContractName.TITLE_DEED, address=address)
    return replace(pin, modules=(other,))


def anchor(ledger: EvmLedger, label: str) -> None:
    transaction = ledger.sign_call(AnchorRoot(root_of(label), 1), ledger.count_transactions())
    ledger.broadcast(transaction)
    await_receipt(ledger, transaction)


def anchor_in(anvil: Anvil, contract: Address, label: str) -> None:
    nonce = int(str(anvil.node.call("eth_getTransactionCount", STRANGER.address, "latest")), 16)
    chain_id = int(str(anvil.node.call("eth_chainId")), 16)
    raw = raw_anchor(
        STRANGER, chain_id=chain_id, contract=contract, nonce=nonce, root=root_of(label)
    )
    assert decode_signed(raw)[0].to == contract
    anvil.node.call("eth_sendRawTransaction", hex_word(raw))


def roots_in(desk: Desk, contract: DeployedContract) -> list[bytes]:
    events = desk.list_events(contract.address)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    return [event.body.root for event in events if isinstance(event.body, Anchored)]


def test_a_second_contract_catches_up_and_is_followed_with_the_first(
    anvil: Anvil, tmp_path: Path
) -> None:
    pin = pin_chain(anvil.node)
    alone = EvmLedger(node=anvil.node, pin=pin, sender=SENDER)
    anchor(alone, "before")
    both_pin = with_other(anvil, pin)
    core, other = (one.deployed for one in both_pin.contracts)
    assert core.first_block < other.first_block
    anchor_in(anvil, other.address, "theirs")
    desk = Desk(tmp_path / "home", alone)
    desk.following.follow()
    desk.close()

    both = EvmLedger(node=anvil.node, pin=both_pin, sender=SENDER)
    desk = Desk(tmp_path / "home", both)
    desk.following.follow()
    assert roots_in(desk, core) == [root_of("before")]
    assert roots_in(desk, other) == [root_of("theirs")]
    anchor(both, "same")
    anchor_in(anvil, other.address, "same")
    cursor = desk.following.follow()
    assert roots_in(desk, core) == [root_of("before"), root_of("same")]
    assert roots_in(desk, other) == [root_of("theirs"), root_of("same")]
    for one in (core, other):
        found = desk.cursor(one.address)
        assert found is not None
        assert found.block == cursor.block == both.find_head()
        assert both.log_head(one.address, cursor.block) == (found.sequence, found.head)

    anvil.node.call("anvil_reorg", 2, [])
    desk.following.follow()
    assert roots_in(desk, core) == [root_of("before")]
    assert roots_in(desk, other) == [root_of("theirs")]
    report = ChainReportService(
        ledger=both, chain=desk.chain, outbox=desk.outbox, confirmations=desk.confirmations
    )
    assert report.verify().sequence == 1
    desk.close()


def test_another_code_at_the_address_of_a_module_is_refused(anvil: Anvil) -> None:
    pin = with_other(anvil, pin_chain(anvil.node))
    address = pin.modules[0].deployed.address
    anvil.node.call("anvil_setCode", address, "0x00")
    ledger = EvmLedger(node=anvil.node, pin=pin, sender=SENDER)
    with pytest.raises(ChainMismatchError, match=f"contract at {address}"):
        ledger.find_head()
    with pytest.raises(ChainMismatchError, match="is no version of TitleDeed"):
        pin_contract(anvil.node, ContractName.TITLE_DEED, address=address)


def test_pin_with_a_module_comes_back_whole(anvil: Anvil, tmp_path: Path) -> None:
    pin = with_other(anvil, pin_chain(anvil.node))
    write_pin(tmp_path, pin)
    assert read_pin(tmp_path) == pin
