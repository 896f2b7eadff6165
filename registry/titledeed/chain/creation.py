"""How the contract came to stand on a chain, read from the chain itself.

So it does not matter who put it there, or when: with the deterministic factory anybody can, and the
address is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from titledeed.canonical.documents import Json, encode_document, hex_word
from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import address_from_bytes
from titledeed.chain.rpc import Node, RpcError, ask, fetch_chain_id
from titledeed.durability import write_durably
from titledeed.errors import NotFoundError
from titledeed.models.ledger import ContractName
from titledeed.models.primitives import Address, Keccak256, TransactionHash
from titledeed.proofs.contract import (
    CREATE2_FACTORY,
    DEPLOYMENT_SALT,
    Artifact,
    encode_constructor,
    load_artifact,
    load_interface,
    load_verification,
)
from titledeed.proofs.rpc_values import parse_array, parse_bytes, parse_object, parse_quantity
from titledeed.proofs.transactions import minimal_bytes, rlp_encode
from titledeed.proofs.versions import current_version

DEPLOYMENT_SCHEMA: Final = "titledeed.deployment/1"
DEPLOYMENT_NAME: Final = "deployment.json"


@dataclass(frozen=True, slots=True)
class Deployment:
    """How the contract came to stand on a chain.

    Attributes:
        is_standard: the deterministic factory put it where it stands on every chain.
        block_number: None where the node keeps no history.
        transaction: None where the node keeps no history, or another contract did it.
        constructor_arguments: ABI-encoded; None where the transaction is not known and the
            address does not tell.
    """

    chain_id: int
    contract: Address
    is_standard: bool
    block_number: int | None
    transaction: TransactionHash | None
    deployer: Address | None
    constructor_arguments: bytes | None


def describe_deployment(node: Node, contract: Address) -> Deployment:
    """Find out how the contract came to an address, whoever put it there.

    Raises:
        NotFoundError: there is nothing at the address.
        LedgerError: the node's answers do not fit together.
        LedgerUnavailableError: the node does not answer.
    """
    if not parse_bytes(ask(node, "eth_getCode", contract, "latest")):
        raise NotFoundError(
            f"the chain holds no contract at {contract}", what="contract", name=contract
        )
    is_standard = contract == current_version(ContractName.TITLE_DEED).usual_address
    number = find_creation_block(node, contract)
    creation = None if number is None else _find_creating(node, number, contract)
    arguments = creation.constructor_arguments if creation else None
    if is_standard:
        arguments = encode_constructor("")  # the address binds them
    return Deployment(
        chain_id=fetch_chain_id(node),
        contract=contract,
        is_standard=is_standard,
        block_number=number,
        transaction=creation.transaction if creation else None,
        deployer=creation.deployer if creation else None,
        constructor_arguments=arguments,
    )


def write_deployment(path: Path, deployment: Deployment) -> None:
    """Write a deployment file, whole or not at all.

    ``verification`` is the body of Sourcify's ``POST /v2/verify/{chainId}/{address}``; Blockscout
    takes the same standard JSON input, compiler version and constructor arguments.

    Raises:
        StorageError: the folder cannot be written.
    """
    write_durably(path, encode_document(encode_deployment(deployment)) + b"\n")


def encode_deployment(deployment: Deployment) -> dict[str, Json]:
    """JSON form of a deployment."""
    transaction = hex_word(deployment.transaction) if deployment.transaction else None
    arguments = deployment.constructor_arguments
    verification = load_verification()
    if transaction:
        verification["creationTransactionHash"] = transaction
    return {
        "schema": DEPLOYMENT_SCHEMA,
        "chain_id": deployment.chain_id,
        "contract": deployment.contract,
        "is_standard": deployment.is_standard,
        "factory": CREATE2_FACTORY,
        "salt": hex_word(DEPLOYMENT_SALT),
        "block_number": deployment.block_number,
        "transaction": transaction,
        "deployer": deployment.deployer,
        "constructor_arguments": None if arguments is None else hex_word(arguments),
        "runtime_code_hash": hex_word(current_version(ContractName.TITLE_DEED).code_hash),
        "abi": load_interface(),
        "verification": verification,
    }


@dataclass(frozen=True, slots=True)
class _Creation:
    """A transaction that creates a contract, itself or through the deterministic factory."""

    transaction: TransactionHash
    deployer: Address
    contract: Address
    constructor_arguments: bytes | None


def _find_creating(node: Node, number: int, contract: Address) -> _Creation | None:
    with_bodies = True
    block = parse_object(ask(node, "eth_getBlockByNumber", hex(number), with_bodies))
    for item in parse_array(block.get("transactions")):
        creation = _read_creation(parse_object(item))
        if creation is not None and creation.contract == contract:
            return creation
    return None


def _read_creation(fields: dict[str, Json]) -> _Creation | None:
    to, code = fields.get("to"), parse_bytes(fields.get("input"))
    sender = parse_bytes(fields.get("from"), length=20)
    if to is None:
        nonce = parse_quantity(fields.get("nonce"))
        digest = keccak256(rlp_encode([sender, minimal_bytes(nonce)]))  # Yellow Paper, section 7
        contract = address_from_bytes(digest[12:])
    elif address_from_bytes(parse_bytes(to, length=20)) == CREATE2_FACTORY:
        salt, code = code[:32], code[32:]
        if salt != DEPLOYMENT_SALT:
            return None
        contract = Artifact(creation_code=code, runtime_code=b"").address
    else:
        return None
    plain = load_artifact().creation_code.removesuffix(encode_constructor(""))
    return _Creation(
        transaction=TransactionHash(Keccak256(parse_bytes(fields.get("hash"), length=32))),
        deployer=address_from_bytes(sender),
        contract=contract,
        constructor_arguments=code.removeprefix(plain) if code.startswith(plain) else None,
    )


def find_creation_block(node: Node, contract: Address) -> int | None:
    """The block that made a contract which the newest block has.

    Returns:
        None where the node refuses to tell of old states, as nodes do that prune.

    Raises:
        LedgerError: the node's answers are in no form of JSON-RPC.
        LedgerUnavailableError: it does not answer.
    """
    low, high = 0, parse_quantity(ask(node, "eth_blockNumber"))
    try:
        while low < high:
            middle = (low + high) // 2
            if parse_bytes(node.call("eth_getCode", contract, hex(middle))):
                high = middle
            else:
                low = middle + 1
    except RpcError:
        return None
    return low
