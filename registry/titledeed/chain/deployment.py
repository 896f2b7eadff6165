"""Puts the contract on a chain, and pins a chain from a live node."""

from __future__ import annotations

import time
from typing import Final

from titledeed.canonical.documents import hex_word
from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import address_from_bytes
from titledeed.chain.contract import CREATE2_FACTORY, DEPLOYMENT_SALT, load_artifact
from titledeed.chain.evm import open_web3
from titledeed.chain.pin import ChainPin
from titledeed.chain.rpc import Node, ask, fetch_block, parse_bytes, parse_object, parse_quantity
from titledeed.chain.sending import Sender, sign_call
from titledeed.errors import (
    ChainMismatchError,
    LedgerUnavailableError,
    NotFoundError,
    TransactionRevertedError,
)
from titledeed.models.evidence import ChainIdentity, ChainKind
from titledeed.models.primitives import Address, BlockHash, Keccak256, TransactionHash

LOCAL_CHAIN_IDS: Final = frozenset({1337, 31337})
LOCAL_CLIENTS: Final = ("anvil", "hardhat", "ganache", "ethereumjs", "eth-tester")
_POLL_S: Final = 0.2


def pin_chain(node: Node, *, contract: Address | None = None) -> ChainPin:
    """Learn a chain's identity from a node that is trusted this once.

    A chain made by a development tool is never called public, because somebody sets its clock.

    Args:
        node: see ``HttpNode``.
        contract: where ``TitleDeed`` is; by default where the deterministic factory puts it.

    Raises:
        NotFoundError: there is no contract at the address.
        ChainMismatchError: there is another contract.
        LedgerUnavailableError: the node does not answer.
    """
    artifact = load_artifact()
    address = contract or artifact.address
    code_hash = _code_hash(node, address)
    if code_hash is None:
        raise NotFoundError(
            f"the chain holds no contract at {address}",
            next_step="Set TITLEDEED_CHAIN__CONTRACT, or deploy the contract first.",
        )
    if code_hash != artifact.runtime_hash:
        raise ChainMismatchError(f"the contract at {address} is not TitleDeed")
    chain_id = parse_quantity(ask(node, "eth_chainId"))
    client = ask(node, "web3_clientVersion")
    is_local = chain_id in LOCAL_CHAIN_IDS or str(client).lower().startswith(LOCAL_CLIENTS)
    kind = ChainKind.DEVELOPMENT if is_local else ChainKind.PUBLIC
    return ChainPin(ChainIdentity(kind, chain_id, _genesis_hash(node), address), code_hash)


def check_pin(node: Node, pin: ChainPin) -> None:
    """Compare a node with what was pinned.

    Raises:
        ChainMismatchError: chain id, genesis or contract differ.
        LedgerUnavailableError: the node does not answer.
    """
    identity = pin.identity
    chain_id = parse_quantity(ask(node, "eth_chainId"))
    if chain_id != identity.chain_id:
        raise _mismatch("chain id", str(chain_id), str(identity.chain_id))
    genesis_hash = _genesis_hash(node)
    if genesis_hash != identity.genesis_hash:
        raise _mismatch("genesis hash", hex_word(genesis_hash), hex_word(identity.genesis_hash))
    if _code_hash(node, identity.contract) != pin.code_hash:
        raise ChainMismatchError(f"the contract at {identity.contract} is not the pinned one")


def deploy_contract(node: Node, *, sender: Sender, timeout_s: float = 300) -> Address:
    """Put ``TitleDeed`` on a chain, unless it is there, and wait until a block holds it.

    The deterministic factory is used where the chain has it.

    Raises:
        TransactionRevertedError: the chain refused the deployment.
        LedgerError: the sender cannot pay.
        LedgerUnavailableError: no answer, or no block in time.
    """
    artifact = load_artifact()
    if _code_hash(node, artifact.address) is not None:
        return artifact.address
    has_factory = _code_hash(node, CREATE2_FACTORY) is not None
    transaction = sign_call(
        open_web3(node),
        sender=sender,
        chain_id=parse_quantity(ask(node, "eth_chainId")),
        nonce=parse_quantity(ask(node, "eth_getTransactionCount", sender.address, "pending")),
        to=CREATE2_FACTORY if has_factory else None,
        data=(DEPLOYMENT_SALT if has_factory else b"") + artifact.creation_code,
    )
    ask(node, "eth_sendRawTransaction", hex_word(transaction.raw))
    created = _await_deployment(node, transaction.hash, timeout_s)
    return artifact.address if has_factory else created


def _await_deployment(node: Node, transaction: TransactionHash, timeout_s: float) -> Address:
    deadline = time.monotonic() + timeout_s
    while (answer := ask(node, "eth_getTransactionReceipt", hex_word(transaction))) is None:
        if time.monotonic() > deadline:
            raise LedgerUnavailableError(f"no block holds {hex_word(transaction)} yet")
        time.sleep(_POLL_S)
    receipt = parse_object(answer)
    if parse_quantity(receipt.get("status")) != 1:
        raise TransactionRevertedError("the chain refused to deploy the contract")
    created = receipt.get("contractAddress")
    return address_from_bytes(parse_bytes(created, length=20)) if created else CREATE2_FACTORY


def _genesis_hash(node: Node) -> BlockHash:
    block = parse_object(fetch_block(node, 0))
    return BlockHash(Keccak256(parse_bytes(block.get("hash"), length=32)))


def _code_hash(node: Node, address: Address) -> Keccak256 | None:
    code = parse_bytes(ask(node, "eth_getCode", address, "latest"))
    return keccak256(code) if code else None


def _mismatch(what: str, found: str, pinned: str) -> ChainMismatchError:
    return ChainMismatchError(
        f"the chain's {what} is {found}, but this home pins {pinned}",
        next_step="Check TITLEDEED_CHAIN__RPC_URL, or use the home folder of that chain.",
    )
