"""Whatever is written comes back the same, and no other bytes pass for it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from chain_builders import sender_of
from hypothesis import given, settings
from hypothesis import strategies as st

from titledeed.canonical.identifiers import address_from_bytes
from titledeed.chain.journal import JOURNAL_NAME, Journal, JournalEntry
from titledeed.chain.signatures import recover_signer
from titledeed.chain.transactions import (
    Transaction,
    decode_signed,
    encode_signed,
    rlp_decode,
    rlp_encode,
    signing_digest,
)
from titledeed.errors import ProofError
from titledeed.models.primitives import BlockHash, Keccak256

SENDER = sender_of("property")

words = st.integers(0, 2**256 - 1)
transactions = st.builds(
    Transaction,
    chain_id=st.integers(1, 2**53),
    nonce=st.integers(0, 2**64 - 1),
    tip=words,
    fee_max=words,
    gas=st.integers(0, 2**64 - 1),
    to=st.none() | st.binary(min_size=20, max_size=20).map(address_from_bytes),
    value=words,
    data=st.binary(max_size=300),
)
items = st.recursive(
    st.binary(max_size=70), lambda inner: st.lists(inner, max_size=4), max_leaves=9
)
blocks = st.lists(
    st.tuples(
        st.integers(1, 10**6),
        st.binary(min_size=32, max_size=32),
        st.lists(st.binary(min_size=1, max_size=200), max_size=4),
    ),
    max_size=6,
)


@given(transactions)
def test_signed_transaction_comes_back_whole(transaction: Transaction) -> None:
    raw = encode_signed(transaction, SENDER.sign_digest(signing_digest(transaction)))
    decoded, signature = decode_signed(raw)
    assert decoded == transaction
    assert recover_signer(signing_digest(decoded), signature) == SENDER.address


@given(transactions, st.data())
def test_changed_transaction_is_refused_or_of_another_signer(
    transaction: Transaction, data: st.DataObject
) -> None:
    raw = bytearray(encode_signed(transaction, SENDER.sign_digest(signing_digest(transaction))))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        decoded, signature = decode_signed(bytes(raw))
    except ProofError:
        return
    assert recover_signer(signing_digest(decoded), signature) != SENDER.address


@given(items)
def test_rlp_comes_back_whole(item: bytes) -> None:
    assert rlp_decode(rlp_encode(item)) == item


@given(st.binary(max_size=80))
def test_any_bytes_are_canonical_rlp_or_refused(data: bytes) -> None:
    try:
        item = rlp_decode(data)
    except ProofError:
        return
    assert rlp_encode(item) == data


@settings(deadline=None, max_examples=40)
@given(blocks, st.data())
def test_journal_cut_anywhere_keeps_its_whole_lines(
    blocks: list[tuple[int, bytes, list[bytes]]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / JOURNAL_NAME
        writer = Journal(path, genesis_timestamp=0)
        written = []
        for pause, parent, raws in blocks:
            written.append(
                JournalEntry(
                    number=writer.number + 1,
                    timestamp=writer.timestamp + pause,
                    parent_hash=BlockHash(Keccak256(parent)),
                    transactions=tuple(raws),
                )
            )
            writer.append(written[-1])
        assert Journal(path, genesis_timestamp=0).read_new() == written
        if not written:
            return
        whole = path.read_bytes()
        kept = whole[: data.draw(st.integers(0, len(whole)))]
        path.write_bytes(kept)
        assert Journal(path, genesis_timestamp=0).read_new() == written[: kept.count(b"\n")]


def test_random_bytes_are_no_transaction() -> None:
    with pytest.raises(ProofError):
        decode_signed(bytes(200))
