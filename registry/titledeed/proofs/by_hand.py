"""What nothing offline can show of a bundle, and where to look it up. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from titledeed.errors import ProofError
from titledeed.models.bundle import AnchorEvidence, Bundle, LogSegment, StoredWord
from titledeed.models.evidence import ChainIdentity, ChainKind
from titledeed.models.ledger import Block
from titledeed.models.primitives import Address
from titledeed.proofs.logs import check_log
from titledeed.proofs.stored_words import check_stored_word, locate
from titledeed.proofs.times import format_time
from titledeed.proofs.versions import is_usual_address
from titledeed.proofs.wording import name_term


def compare_by_hand(bundle: Bundle, proven: Sequence[Block | None]) -> str:
    """What the reader must look up elsewhere, in sentences.

    Args:
        bundle: whose checks have run.
        proven: for each anchor the block whose state was proven to hold it, if any.
    """
    parts = [_compare(*pair) for pair in zip(bundle.anchors, proven, strict=True)]
    parts += [_compare_log(log, bundle.own.chain.contract) for log in bundle.logs]
    parts += [_compare_word(stored, bundle.own.chain.contract) for stored in bundle.words]
    return " ".join(filter(None, parts))


def name_contract(one: LogSegment | StoredWord) -> str:
    """A contract by name, version and address, for a sentence."""
    return f"{name_term(one.contract)} version {one.version} at {one.chain.contract}"


def name_word(stored: StoredWord) -> str:
    """A word by its slot, for a sentence."""
    return f"slot 0x{locate(stored).hex()} of {name_contract(stored)}"


def _compare_word(stored: StoredWord, own: Address) -> str:
    try:
        block = check_stored_word(stored)
    except ProofError:
        return ""  # the report says why
    remark = _remark_contract(stored.chain.contract, own)
    if block is None:
        return f"Look at {name_word(stored)} on {_name_chain(stored.chain)}.{remark}"
    return f"For {name_word(stored)} compare {_name_block(block, stored.chain)}.{remark}"


def _compare_log(log: LogSegment, own: Address) -> str:
    try:
        checked = check_log(log)
    except ProofError:
        return ""  # the report says why
    remark = _remark_contract(log.chain.contract, own)
    if checked.block is not None:
        block = _name_block(checked.block, log.chain)
        return f"For the log of {name_contract(log)} compare {block}.{remark}"
    return (
        f"For the log compare that {name_contract(log)} on {_name_chain(log.chain)} had running "
        f"hash 0x{checked.head.hex()} after its event {checked.sequence}.{remark}"
    )


def _name_chain(chain: ChainIdentity) -> str:
    return f"chain {chain.chain_id} (genesis 0x{chain.genesis_hash.hex()})"


def _name_block(block: Block, chain: ChainIdentity) -> str:
    return f"that block {block.number} of {_name_chain(chain)} has hash 0x{block.hash.hex()}"


def _remark_contract(contract: Address, own: Address) -> str:
    other = "" if contract == own else " That is not the contract of the claim."
    return other + _foreign_contract(contract)


def _compare(one: AnchorEvidence, proven: Block | None) -> str:
    anchor, chain = one.anchor, one.chain
    kept_by = (
        "This is a development chain kept by the registrant's own home: its time proves order "
        "inside that home only."
        if chain.kind is ChainKind.DEVELOPMENT
        else "Any block explorer of the chain shows what is needed."
    )
    own = (
        f"block {anchor.block_number} has hash 0x{anchor.block_hash.hex()}, was made on "
        f"{format_time(anchor.block_timestamp)} and holds transaction "
        f"0x{anchor.transaction.hex()} as event {anchor.sequence} of the contract"
    )
    compare = f"On chain {chain.chain_id} (genesis 0x{chain.genesis_hash.hex()}) check that "
    if proven is None:
        return f"{kept_by} {compare}{own}.{_foreign_contract(chain.contract)}"
    return (
        f"{kept_by} {compare}block {proven.number} has hash 0x{proven.hash.hex()}: that proves "
        "the anchor and its time. Where it stands nothing here proves, but an explorer shows "
        f"that {own}.{_foreign_contract(chain.contract)}"
    )


def _foreign_contract(contract: Address) -> str:
    """What else to compare where the address does not show how the contract was created."""
    if is_usual_address(contract):
        return ""
    return (
        f" The address {contract} is not the usual one of TitleDeed: check that the contract was "
        "created from its sources, for whoever creates another can write any time into it."
    )
