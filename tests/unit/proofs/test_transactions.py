from __future__ import annotations

from dataclasses import replace

import pytest
from chain_builders import sender_of
from ethereum_oracle import Account

from titledeed.errors import ProofError
from titledeed.proofs.signatures import recover_signer
from titledeed.proofs.transactions import (
    RlpItem,
    Transaction,
    decode_signed,
    encode_signed,
    hash_transaction,
    rlp_decode,
    rlp_encode,
    signing_digest,
)

SENDER = sender_of("sender")
CALL = Transaction(
    chain_id=31_337,
    nonce=0,
    tip=10**9,
    fee_max=3 * 10**9,
    gas=66_000,
    to=sender_of("contract").address,
    value=0,
    data=bytes(range(68)),
)
CASES = [
    CALL,
    replace(CALL, to=None, data=b"\xfe" * 3_000),
    replace(CALL, nonce=127, value=128, data=b""),
    replace(CALL, nonce=2**40, chain_id=2**50, data=b"\x7f"),
]


def _sign(transaction: Transaction) -> bytes:
    return encode_signed(transaction, SENDER.sign_digest(signing_digest(transaction)))


@pytest.mark.parametrize("transaction", CASES)
def test_bytes_are_those_of_eth_account(transaction: Transaction) -> None:
    fields: dict[str, object] = {
        "type": 2,
        "chainId": transaction.chain_id,
        "nonce": transaction.nonce,
        "maxPriorityFeePerGas": transaction.tip,
        "maxFeePerGas": transaction.fee_max,
        "gas": transaction.gas,
        "value": transaction.value,
        "data": transaction.data,
    }
    if transaction.to is not None:
        fields["to"] = transaction.to
    signed = Account.sign_transaction(fields, SENDER.key)
    assert _sign(transaction) == bytes(signed.raw_transaction)
    assert hash_transaction(_sign(transaction)) == bytes(signed.hash)


@pytest.mark.parametrize("transaction", CASES)
def test_decoding_gives_back_what_was_signed(transaction: Transaction) -> None:
    decoded, signature = decode_signed(_sign(transaction))
    assert decoded == transaction
    assert recover_signer(signing_digest(decoded), signature) == SENDER.address


def _fields(*, first: bytes = b"\x01", to: bytes = bytes(20), tail: bytes = b"\x02") -> bytes:
    """A transaction field by field, each small and the access list empty."""
    fields: list[RlpItem] = [first, *[b"\x01"] * 4, to, b"\x01", b"\x01", [], *[tail] * 3]
    return b"\x02" + rlp_encode(fields)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x02",
        b"\x02\xc0",
        b"\x02" + rlp_encode([*[b"\x01"] * 12]),
        _fields(first=b"\x00"),
        _fields(first=bytes([1]) * 33),
        _fields(to=b"\x01"),
        _fields(tail=b"\x02"),
        b"\x01" + _sign(CALL)[1:],
        _sign(CALL) + b"\0",
        _sign(CALL)[:-1],
        b"\x02" + bytes(131_072),
        b"\x02" + b"\xc1" * 100_000,
    ],
)
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(ProofError):
        decode_signed(raw)


@pytest.mark.parametrize(
    "data",
    [b"\x81\x01", b"\xb8\x01a", b"\xb9\x00\x38" + bytes(56), b"\xf8\x00", b"\x82a", b"\xbf" * 9],
)
def test_wasteful_or_broken_rlp_is_refused(data: bytes) -> None:
    with pytest.raises(ProofError):
        rlp_decode(data)
