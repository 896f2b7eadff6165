"""The contract is put on a chain, pinned there, and described for explorers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chain_builders import PlainSender, TamperedNode, sender_of, start_plain_anvil

from titledeed.canonical.documents import Json, hex_word
from titledeed.canonical.identifiers import address_from_bytes
from titledeed.chain.creation import (
    DEPLOYMENT_NAME,
    Deployment,
    describe_deployment,
    write_deployment,
)
from titledeed.chain.deployment import check_pin, deploy_contract, pin_chain
from titledeed.chain.development.anvil import Anvil
from titledeed.chain.pin import read_pin, write_pin
from titledeed.chain.rpc import Node, RpcError
from titledeed.errors import (
    ChainMismatchError,
    ConfigurationError,
    LedgerError,
    LedgerUnavailableError,
    NotFoundError,
)
from titledeed.models.evidence import ChainKind
from titledeed.models.ledger import ContractName
from titledeed.proofs.contract import (
    CREATE2_FACTORY,
    encode_constructor,
    load_artifact,
    load_interface,
    load_verification,
)
from titledeed.proofs.rpc_values import parse_object
from titledeed.proofs.versions import ContractVersion, list_versions

pytestmark = pytest.mark.chain

SENDER = sender_of("deployer")
EMPTY_BASE = encode_constructor("")


@pytest.fixture
def anvil() -> Iterator[Anvil]:
    anvil = start_plain_anvil(SENDER.address)
    for _ in range(5):
        anvil.node.call("evm_mine")
    yield anvil
    anvil.close()


def _public(node: Node) -> TamperedNode:
    """The same chain, as if it were no development chain."""
    return TamperedNode(
        node,
        {
            "eth_chainId": lambda params, ask: "0x1",
            "web3_clientVersion": lambda params, ask: "Geth/v1.16.0",
        },
    )


def _pruning(node: Node) -> TamperedNode:
    def code(params: tuple[Json, ...], ask: Callable[[], Json]) -> Json:
        if params[1] != "latest":
            raise RpcError(-32000, "missing trie node")
        return ask()

    return TamperedNode(node, {"eth_getCode": code})


def test_factory_puts_the_contract_at_its_standard_address(anvil: Anvil) -> None:
    assert deploy_contract(anvil.node, sender=SENDER) == load_artifact().address
    block = int(str(anvil.node.call("eth_blockNumber")), 16)
    deployment = describe_deployment(anvil.node, load_artifact().address)
    assert deployment.is_standard
    assert deployment.block_number == block == 6
    assert deployment.deployer == SENDER.address
    assert deployment.constructor_arguments == EMPTY_BASE
    assert deployment.transaction is not None
    receipt = anvil.node.call("eth_getTransactionReceipt", hex_word(deployment.transaction))
    assert parse_object(receipt)["blockNumber"] == hex(block)


def test_contract_that_is_there_is_not_deployed_again(anvil: Anvil) -> None:
    address = deploy_contract(anvil.node, sender=SENDER)
    assert deploy_contract(anvil.node, sender=sender_of("poor")) == address
    assert anvil.node.call("eth_blockNumber") == "0x6"


def test_chain_without_factory_gets_the_contract_at_another_address(anvil: Anvil) -> None:
    anvil.node.call("anvil_setCode", CREATE2_FACTORY, "0x")
    address = deploy_contract(anvil.node, sender=SENDER)
    assert address != load_artifact().address
    assert pin_chain(anvil.node, contract=address).identity.contract == address
    deployment = describe_deployment(anvil.node, address)
    assert not deployment.is_standard
    assert (deployment.deployer, deployment.block_number) == (SENDER.address, 6)
    assert deployment.constructor_arguments == EMPTY_BASE


def test_base_uri_leads_to_another_address_and_the_same_code(anvil: Anvil) -> None:
    base = "https://registry.example/deeds/"
    address = deploy_contract(anvil.node, sender=SENDER, base_uri=base)
    assert address == load_artifact(base).address != load_artifact().address
    check_pin(anvil.node, pin_chain(anvil.node, contract=address))
    deployment = describe_deployment(anvil.node, address)
    assert not deployment.is_standard
    assert deployment.constructor_arguments == encode_constructor(base)


def test_contract_of_somebody_else_is_described_as_well(anvil: Anvil) -> None:
    stranger = sender_of("stranger")
    anvil.node.call("anvil_setBalance", stranger.address, hex(10**18))
    address = deploy_contract(anvil.node, sender=stranger)
    assert deploy_contract(anvil.node, sender=SENDER) == address
    assert describe_deployment(anvil.node, address).deployer == stranger.address


def test_pin_names_the_block_that_made_the_contract(anvil: Anvil, tmp_path: Path) -> None:
    deploy_contract(anvil.node, sender=SENDER)
    for _ in range(5):
        anvil.node.call("evm_mine")
    pin = pin_chain(anvil.node)
    assert pin.first_block == 6
    assert pin.identity.kind is ChainKind.DEVELOPMENT
    assert pin_chain(_public(anvil.node)).identity.kind is ChainKind.PUBLIC
    write_pin(tmp_path, pin)
    assert read_pin(tmp_path) == pin


def test_node_without_history_needs_to_be_told_the_first_block(anvil: Anvil) -> None:
    deploy_contract(anvil.node, sender=SENDER)
    with pytest.raises(ConfigurationError) as raised:
        pin_chain(_pruning(anvil.node))
    assert "TITLEDEED_CHAIN__FIRST_BLOCK" in raised.value.next_step
    assert pin_chain(_pruning(anvil.node), first_block=4).first_block == 4


def test_without_history_a_deployment_is_described_as_far_as_it_is_known(anvil: Anvil) -> None:
    address = deploy_contract(anvil.node, sender=SENDER)
    assert describe_deployment(_pruning(anvil.node), address) == Deployment(
        chain_id=31_337,
        contract=address,
        is_standard=True,
        block_number=None,
        transaction=None,
        deployer=None,
        constructor_arguments=EMPTY_BASE,
    )


def test_chain_without_the_contract_is_neither_pinned_nor_described(anvil: Anvil) -> None:
    with pytest.raises(NotFoundError, match="holds no contract"):
        pin_chain(anvil.node)
    with pytest.raises(NotFoundError, match="holds no contract"):
        describe_deployment(anvil.node, load_artifact().address)


@pytest.mark.parametrize("version", list_versions(ContractName.TITLE_DEED))
def test_every_version_is_pinned_where_it_stands(anvil: Anvil, version: ContractVersion) -> None:
    address = version.usual_address
    code = load_artifact(version=version).runtime_code
    anvil.node.call("anvil_setCode", address, hex_word(code))
    pin = pin_chain(anvil.node, contract=address)
    assert (pin.code_hash, pin.identity.contract) == (version.code_hash, address)
    check_pin(anvil.node, pin)


def test_one_version_does_not_pass_for_another(anvil: Anvil) -> None:
    older, newer = list_versions(ContractName.TITLE_DEED)[-2:]
    address = deploy_contract(anvil.node, sender=SENDER)
    pin = pin_chain(anvil.node)
    assert pin.code_hash == newer.code_hash
    code = load_artifact(version=older).runtime_code
    anvil.node.call("anvil_setCode", address, hex_word(code))
    with pytest.raises(ChainMismatchError, match="is not the pinned one"):
        check_pin(anvil.node, pin)


def test_another_contract_is_not_pinned(anvil: Anvil) -> None:
    with pytest.raises(ChainMismatchError, match="is no version of TitleDeed"):
        pin_chain(anvil.node, contract=CREATE2_FACTORY)


def test_key_that_everybody_has_deploys_on_no_public_chain(anvil: Anvil) -> None:
    key = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
    with pytest.raises(ConfigurationError, match="public knowledge"):
        deploy_contract(_public(anvil.node), sender=PlainSender(key))


def test_sender_that_cannot_pay_deploys_nothing(anvil: Anvil) -> None:
    with pytest.raises(LedgerError):
        deploy_contract(anvil.node, sender=sender_of("poor"))


def test_deployment_that_no_block_takes_is_told(anvil: Anvil) -> None:
    silent = TamperedNode(anvil.node, {"eth_getTransactionReceipt": lambda params, ask: None})
    with pytest.raises(LedgerUnavailableError, match="no block holds"):
        deploy_contract(silent, sender=SENDER, timeout_s=0.3)


def test_deployment_file_holds_what_an_explorer_asks_for(anvil: Anvil, tmp_path: Path) -> None:
    address = deploy_contract(anvil.node, sender=SENDER)
    deployment = describe_deployment(anvil.node, address)
    assert deployment.transaction is not None
    write_deployment(tmp_path / DEPLOYMENT_NAME, deployment)
    written = json.loads((tmp_path / DEPLOYMENT_NAME).read_text(encoding="utf-8"))
    transaction = hex_word(deployment.transaction)
    assert written["verification"] == {
        **load_verification(),
        "creationTransactionHash": transaction,
    }
    assert written["abi"] == load_interface()
    assert {name: written[name] for name in written.keys() - {"verification", "abi"}} == {
        "schema": "titledeed.deployment/1",
        "chain_id": 31_337,
        "contract": address,
        "is_standard": True,
        "factory": CREATE2_FACTORY,
        "salt": "0x" + "00" * 32,
        "block_number": 6,
        "transaction": transaction,
        "deployer": SENDER.address,
        "constructor_arguments": hex_word(EMPTY_BASE),
        "runtime_code_hash": hex_word(load_artifact().runtime_hash),
    }


def test_deployment_without_a_transaction_names_none(tmp_path: Path) -> None:
    contract = address_from_bytes(bytes(20))
    write_deployment(tmp_path / "any.json", Deployment(1, contract, False, None, None, None, None))
    written = json.loads((tmp_path / "any.json").read_text(encoding="utf-8"))
    assert written["verification"] == load_verification()
    assert written["transaction"] is written["constructor_arguments"] is None
