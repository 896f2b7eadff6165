"""Puts the contract on a chain, and pins a chain from a live node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from titledeed.canonical.documents import hex_word
from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import address_bytes, address_from_bytes
from titledeed.chain.creation import find_creation_block
from titledeed.chain.evm import open_web3
from titledeed.chain.known_accounts import refuse_known_account
from titledeed.chain.pin import ChainPin, PinnedContract
from titledeed.chain.rpc import Node, ask, fetch_block, fetch_chain_id
from titledeed.chain.sending import Sender, sign_call
from titledeed.errors import (
    ChainMismatchError,
    ConfigurationError,
    LedgerError,
    LedgerUnavailableError,
    NotFoundError,
    TransactionRevertedError,
)
from titledeed.models.evidence import ChainIdentity, ChainKind
from titledeed.models.ledger import ContractName, DeployedContract
from titledeed.models.primitives import Address, BlockHash, Keccak256, TransactionHash
from titledeed.proofs.contract import CREATE2_FACTORY, DEPLOYMENT_SALT, load_artifact
from titledeed.proofs.rpc_values import parse_bytes, parse_object, parse_quantity
from titledeed.proofs.versions import current_version, find_version

if TYPE_CHECKING:
    from web3.types import TxReceipt

LOCAL_CHAIN_IDS: Final = frozenset({1337, 31337})
LOCAL_CLIENTS: Final = ("anvil", "hardhat", "ganache", "ethereumjs", "eth-tester")
_POLL_S: Final = 0.2


def pin_chain(
    node: Node, *, contract: Address | None = None, first_block: int | None = None
) -> ChainPin:
    """Learn a chain's identity from a node that is trusted this once.

    A chain made by a development tool is never called public, because somebody sets its clock.

    Args:
        node: see ``HttpNode``.
        contract: where ``TitleDeed`` is, in any version; by default where the deterministic
            factory puts today's.
        first_block: where following begins; by default the block that made the contract.

    Raises:
        NotFoundError: there is no contract at the address.
        ChainMismatchError: there is another contract.
        ConfigurationError: ``first_block`` is needed, because the node keeps no history.
        LedgerUnavailableError: the node does not answer.
    """
    core = pin_contract(
        node,
        ContractName.TITLE_DEED,
        address=contract or current_version(ContractName.TITLE_DEED).usual_address,
        first_block=first_block,
    )
    address = core.deployed.address
    identity = ChainIdentity(_kind(node), fetch_chain_id(node), _genesis_hash(node), address)
    return ChainPin(identity, core.code_hash, first_block=core.deployed.first_block)


def pin_contract(
    node: Node, name: ContractName, *, address: Address, first_block: int | None = None
) -> PinnedContract:
    """Learn version and beginning of a contract of ours, from a node that is trusted this once.

    Raises:
        NotFoundError: as for ``pin_chain``.
        ChainMismatchError: as for ``pin_chain``.
        ConfigurationError: as for ``pin_chain``.
        LedgerUnavailableError: as for ``pin_chain``.
    """
    code_hash = _code_hash(node, address)
    if code_hash is None:
        raise NotFoundError(
            f"the chain holds no contract at {address}",
            next_step="Set TITLEDEED_CHAIN__CONTRACT, or deploy the contract first.",
            what="contract",
            name=address,
        )
    version = find_version(code_hash)
    if version is None or version.name is not name:
        raise ChainMismatchError(
            f"the contract at {address} is no version of {name}",
            what="contract",
            expected=hex_word(current_version(name).code_hash),
            found=hex_word(code_hash),
        )
    if first_block is None:
        first_block = find_creation_block(node, address)
    if first_block is None:
        raise ConfigurationError(
            f"the node cannot tell which block made the contract at {address}",
            next_step="Set TITLEDEED_CHAIN__FIRST_BLOCK to its number, as an explorer shows it.",
            setting="TITLEDEED_CHAIN__FIRST_BLOCK",
        )
    return PinnedContract(DeployedContract(name, address, first_block), code_hash)


def check_pin(node: Node, pin: ChainPin) -> None:
    """Compare a node with what was pinned.

    Raises:
        ChainMismatchError: chain id, genesis or a contract differ.
        LedgerUnavailableError: the node does not answer.
    """
    identity = pin.identity
    chain_id = fetch_chain_id(node)
    if chain_id != identity.chain_id:
        raise _mismatch(identity, "chain id", chain_id, identity.chain_id)
    genesis_hash = _genesis_hash(node)
    if genesis_hash != identity.genesis_hash:
        pinned_hash = hex_word(identity.genesis_hash)
        raise _mismatch(identity, "genesis hash", hex_word(genesis_hash), pinned_hash)
    for pinned in pin.contracts:
        address = pinned.deployed.address
        if _code_hash(node, address) != pinned.code_hash:
            raise ChainMismatchError(
                f"the contract at {address} is not the pinned one",
                chain_id=identity.chain_id,
                what="contract",
                expected=hex_word(pinned.code_hash),
            )


def deploy_contract(
    node: Node, *, sender: Sender, base_uri: str = "", timeout_s: float = 300
) -> Address:
    """Put ``TitleDeed`` on a chain, unless it is there, and wait until a block holds it.

    The deterministic factory is used where the chain has it. Where it has none the contract gets
    an address of its own, as ``Deployment.is_standard`` tells.

    Args:
        node: of the chain.
        sender: pays.
        base_uri: stands before each token's id in its URI; for ever.
        timeout_s: for the block.

    Raises:
        ConfigurationError: everybody has the sender's key, and the chain is public.
        TransactionRevertedError: the chain refused the deployment.
        LedgerError: the sender cannot pay.
        LedgerUnavailableError: no answer, or no block in time.
    """
    refuse_known_account(sender.address, _kind(node))
    artifact = load_artifact(base_uri)
    if _code_hash(node, artifact.address) is not None:
        return artifact.address
    has_factory = _code_hash(node, CREATE2_FACTORY) is not None
    transaction = sign_call(
        node,
        sender=sender,
        chain_id=fetch_chain_id(node),
        nonce=parse_quantity(ask(node, "eth_getTransactionCount", sender.address, "pending")),
        to=CREATE2_FACTORY if has_factory else None,
        data=(DEPLOYMENT_SALT if has_factory else b"") + artifact.creation_code,
    )
    ask(node, "eth_sendRawTransaction", hex_word(transaction.raw))
    receipt = _await_receipt(node, transaction.hash, timeout_s)
    if has_factory:
        return artifact.address
    created = receipt["contractAddress"]
    if created is None:
        raise LedgerError("the node's receipt names no contract")
    return address_from_bytes(address_bytes(Address(created)))


def _await_receipt(node: Node, transaction: TransactionHash, timeout_s: float) -> TxReceipt:
    web3 = open_web3(node)
    from hexbytes import HexBytes
    from web3.exceptions import TimeExhausted

    try:
        receipt = web3.eth.wait_for_transaction_receipt(HexBytes(transaction), timeout_s, _POLL_S)
    except TimeExhausted as error:
        raise LedgerUnavailableError(
            f"no block holds {hex_word(transaction)} yet",
            next_step="Run the command again later: what is deployed by then is found.",
            transaction=hex_word(transaction),
        ) from error
    if receipt["status"] != 1:
        raise TransactionRevertedError(
            "the chain refused to deploy the contract", transaction=hex_word(transaction)
        )
    return receipt


def _kind(node: Node) -> ChainKind:
    client = str(ask(node, "web3_clientVersion")).lower()
    is_local = fetch_chain_id(node) in LOCAL_CHAIN_IDS or client.startswith(LOCAL_CLIENTS)
    return ChainKind.DEVELOPMENT if is_local else ChainKind.PUBLIC


def _genesis_hash(node: Node) -> BlockHash:
    block = parse_object(fetch_block(node, 0))
    return BlockHash(Keccak256(parse_bytes(block.get("hash"), length=32)))


def _code_hash(node: Node, address: Address) -> Keccak256 | None:
    code = parse_bytes(ask(node, "eth_getCode", address, "latest"))
    return keccak256(code) if code else None


def _mismatch(
    identity: ChainIdentity, what: str, found: str | int, pinned: str | int
) -> ChainMismatchError:
    return ChainMismatchError(
        f"the chain's {what} is {found}, but this home pins {pinned}",
        next_step="Check TITLEDEED_CHAIN__RPC_URL, or use the home folder of that chain.",
        chain_id=identity.chain_id,
        what=what,
        expected=pinned,
        found=found,
    )
