"""What a home pins about its chain, in ``chain.json``: written once, compared ever after."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from titledeed.canonical.documents import Fields, Json, encode_document, hex_word, parse_document
from titledeed.canonical.evidence.bundles import TRANSACTION_LENGTH_MAX
from titledeed.canonical.identifiers import parse_address
from titledeed.durability import write_durably
from titledeed.errors import HomeNotInitializedError, StorageError
from titledeed.models.evidence import ChainIdentity, ChainKind
from titledeed.models.ledger import ContractName, DeployedContract
from titledeed.models.primitives import Address, BlockHash, Keccak256

PIN_SCHEMA: Final = "titledeed.chain/1"
PIN_NAME: Final = "chain.json"
_FUNDED_MAX: Final = 100
_MODULES_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Genesis:
    """From what a development chain starts.

    Attributes:
        timestamp: of block 0, seconds since 1970.
        coinbase: random; makes the genesis hash differ from home to home.
        funded: accounts that pay; each starts with a million ether.
        deployment: the raw transaction of block 1, which puts the contract in place.
    """

    timestamp: int
    coinbase: Address
    funded: tuple[Address, ...]
    deployment: bytes


@dataclass(frozen=True, slots=True)
class PinnedContract:
    """A contract of ours on the chain, and the hash of its code there."""

    deployed: DeployedContract
    code_hash: Keccak256


@dataclass(frozen=True, slots=True)
class ChainPin:
    """A chain's identity and the hash of the contract's code on it.

    Following begins at ``first_block``, before which the contract was not there. ``modules`` are
    the contracts beside the core that this home follows, too. ``genesis``, and
    in ``anvil`` the program that mines it (what ``web3_clientVersion`` answers), are there for a
    development chain that this home runs itself.
    """

    identity: ChainIdentity
    code_hash: Keccak256
    first_block: int = 1
    genesis: Genesis | None = None
    anvil: str | None = None
    modules: tuple[PinnedContract, ...] = ()

    @property
    def contracts(self) -> tuple[PinnedContract, ...]:
        """All that are followed, the core first."""
        core = DeployedContract(
            ContractName.TITLE_DEED, self.identity.contract, first_block=self.first_block
        )
        return PinnedContract(core, self.code_hash), *self.modules


def write_pin(folder: Path, pin: ChainPin) -> None:
    """Write ``chain.json``, whole or not at all (fsync, rename).

    Raises:
        StorageError: the folder cannot be written.
    """
    write_durably(folder / PIN_NAME, encode_document(_encode(pin)) + b"\n")


def read_pin(folder: Path) -> ChainPin:
    """Read ``chain.json``.

    Raises:
        HomeNotInitializedError: there is none.
        MalformedDocumentError: it is damaged.
        StorageError: it cannot be read.
    """
    path = folder / PIN_NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise HomeNotInitializedError(
            f"no chain is pinned in {folder}", next_step="Run titledeed init.", path=folder
        ) from error
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}", path=path) from error
    return _parse(parse_document(data, what=PIN_NAME))


def _encode(pin: ChainPin) -> dict[str, Json]:
    # Absent where there are none, so that an earlier release reads what it can follow.
    modules: list[Json] = [_encode_module(module) for module in pin.modules]
    return {
        **({"modules": modules} if modules else {}),
        "schema": PIN_SCHEMA,
        "kind": pin.identity.kind.value,
        "chain_id": pin.identity.chain_id,
        "genesis_hash": hex_word(pin.identity.genesis_hash),
        "contract": pin.identity.contract,
        "code_hash": hex_word(pin.code_hash),
        "first_block": pin.first_block,
        "genesis": _encode_genesis(pin.genesis) if pin.genesis else None,
        "anvil": pin.anvil,
    }


def _encode_module(module: PinnedContract) -> dict[str, Json]:
    return {
        "name": module.deployed.name.value,
        "contract": module.deployed.address,
        "first_block": module.deployed.first_block,
        "code_hash": hex_word(module.code_hash),
    }


def _encode_genesis(genesis: Genesis) -> dict[str, Json]:
    return {
        "timestamp": genesis.timestamp,
        "coinbase": genesis.coinbase,
        "funded": list(genesis.funded),
        "deployment": hex_word(genesis.deployment),
    }


def _parse(fields: Fields) -> ChainPin:
    fields.literal("schema", PIN_SCHEMA)
    kind = fields.text("kind")
    if kind not in set(ChainKind):
        raise fields.fail("kind", "must be development or public")
    pin = ChainPin(
        identity=ChainIdentity(
            kind=ChainKind(kind),
            chain_id=fields.integer("chain_id", minimum=1),
            genesis_hash=BlockHash(Keccak256(fields.word("genesis_hash"))),
            contract=parse_address(fields.text("contract")),
        ),
        code_hash=Keccak256(fields.word("code_hash")),
        first_block=fields.integer("first_block"),
        genesis=fields.optional("genesis", lambda name: _parse_genesis(fields.child(name))),
        anvil=fields.optional("anvil", fields.text),
        modules=fields.optional("modules", lambda name: _parse_modules(fields, name)) or (),
    )
    fields.done()
    return pin


def _parse_modules(fields: Fields, name: str) -> tuple[PinnedContract, ...]:
    return tuple(map(_parse_module, fields.children(name, items_max=_MODULES_MAX)))


def _parse_module(fields: Fields) -> PinnedContract:
    name = fields.text("name")
    if name not in set(ContractName):
        raise fields.fail("name", "names no contract that this release knows")
    module = PinnedContract(
        deployed=DeployedContract(
            name=ContractName(name),
            address=parse_address(fields.text("contract")),
            first_block=fields.integer("first_block"),
        ),
        code_hash=Keccak256(fields.word("code_hash")),
    )
    fields.done()
    return module


def _parse_genesis(fields: Fields) -> Genesis:
    genesis = Genesis(
        timestamp=fields.integer("timestamp"),
        coinbase=parse_address(fields.text("coinbase")),
        funded=tuple(map(parse_address, fields.texts("funded", items_max=_FUNDED_MAX))),
        deployment=fields.hexadecimal("deployment", length_max=TRANSACTION_LENGTH_MAX),
    )
    fields.done()
    return genesis
