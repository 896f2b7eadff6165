"""What nothing offline can show of a bundle, and where to look it up. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from titledeed.errors import ProofError
from titledeed.models.bundle import AnchorEvidence, Bundle, LogSegment, StoredWord
from titledeed.models.evidence import ChainKind
from titledeed.models.ledger import Block
from titledeed.models.primitives import Address
from titledeed.proofs.logs import check_log
from titledeed.proofs.stored_words import check_stored_word, locate
from titledeed.proofs.times import format_time
from titledeed.proofs.versions import is_usual_address


def compare_by_hand(bundle: Bundle, proven: Sequence[Block | None]) -> str:
    """What the reader must look up elsewhere, in sentences.

    Args:
        bundle: whose checks have run.
        proven: for each anchor the block whose state was proven to hold it, if any.
    """
    parts = [_compare(*pair) for pair in zip(bundle.anchors, proven, strict=True)]
    parts += [_compare_log(log) for log in bundle.logs]
    parts += [_compare_word(state) for state in bundle.states]
    return " ".join(filter(None, parts))


def _compare_word(state: StoredWord) -> str:
    try:
        block = check_stored_word(state)
    except ProofError:
        return ""  # the report says why
    where = f"chain {state.chain.chain_id} (genesis 0x{state.chain.genesis_hash.hex()})"
    if block is None:
        return f"Look at {name_word(state)} of {state.chain.contract} on {where}."
    return (
        f"For {name_word(state)} compare that block {block.number} of {where} has hash "
        f"0x{block.hash.hex()}."
    )


def _compare_log(log: LogSegment) -> str:
    try:
        checked = check_log(log)
    except ProofError:
        return ""  # the report says why
    where = f"chain {log.chain.chain_id} (genesis 0x{log.chain.genesis_hash.hex()})"
    if checked.block is not None:
        return (
            f"For the log of {log.contract} compare that block {checked.block.number} of {where} "
            f"has hash 0x{checked.block.hash.hex()}.{_foreign_contract(log.chain.contract)}"
        )
    return (
        f"For the log of {log.contract} compare that {log.chain.contract} on {where} had running "
        f"hash 0x{checked.head.hex()} after its event {checked.sequence}."
    )


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


def name_word(state: StoredWord) -> str:
    """A word by its slot, for a sentence."""
    return f"slot 0x{locate(state).hex()} of {state.contract} version {state.version}"
