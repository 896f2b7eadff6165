"""EIP-1559 transactions as bytes: build, hash, decode. Pure, and quick to import.

RLP is that of the Yellow Paper, appendix B; a transaction that is not encoded canonically is
refused, so that one meaning has one hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from titledeed.canonical.evidence.bundles import TRANSACTION_LENGTH_MAX
from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import address_bytes, address_from_bytes
from titledeed.errors import ProofError
from titledeed.models.primitives import Address, Keccak256, Signature, TransactionHash

RlpItem = bytes | Sequence["RlpItem"]

DYNAMIC_FEE_TYPE: Final = b"\x02"

_NESTING_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Transaction:
    """An unsigned EIP-1559 transaction without an access list; fees in wei per gas.

    ``to`` is None where the transaction creates a contract.
    """

    chain_id: int
    nonce: int
    tip: int
    fee_max: int
    gas: int
    to: Address | None
    value: int
    data: bytes


def signing_digest(transaction: Transaction) -> Keccak256:
    """The digest that the sender signs."""
    return keccak256(DYNAMIC_FEE_TYPE, rlp_encode(_fields(transaction)))


def encode_signed(transaction: Transaction, signature: Signature) -> bytes:
    """Raw bytes to broadcast, from a 65-byte signature r ‖ s ‖ v with v 27 or 28."""
    r, s, v = signature[:32], signature[32:64], signature[64] - 27
    signed = [*_fields(transaction), minimal_bytes(v), r.lstrip(b"\0"), s.lstrip(b"\0")]
    return DYNAMIC_FEE_TYPE + rlp_encode(signed)


def hash_transaction(raw: bytes) -> TransactionHash:
    """The hash by which a chain knows the raw bytes."""
    return TransactionHash(keccak256(raw))


def decode_signed(raw: bytes) -> tuple[Transaction, Signature]:
    """Decode untrusted raw bytes.

    Raises:
        ProofError: not a canonically encoded EIP-1559 transaction without an access list.
    """
    if raw[:1] != DYNAMIC_FEE_TYPE or len(raw) > TRANSACTION_LENGTH_MAX:
        raise ProofError("the raw transaction is not of the EIP-1559 kind")
    fields = rlp_decode(raw[1:])
    if isinstance(fields, bytes) or len(fields) != 12 or fields[8] != []:
        raise ProofError("the raw transaction has not the fields of EIP-1559")
    words = [field for field in fields if isinstance(field, bytes)]
    if len(words) != 11 or len(words[5]) not in {0, 20}:
        raise ProofError("the raw transaction has not the fields of EIP-1559")
    numbers = [_number(word) for word in (*words[:5], words[6], *words[8:])]
    chain_id, nonce, tip, fee_max, gas, value, parity, r, s = numbers
    transaction = Transaction(
        chain_id=chain_id,
        nonce=nonce,
        tip=tip,
        fee_max=fee_max,
        gas=gas,
        to=address_from_bytes(words[5]) if words[5] else None,
        value=value,
        data=words[7],
    )
    if parity > 1:
        raise ProofError("the raw transaction's signature has no valid parity")
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + parity])
    return transaction, Signature(signature)


def _fields(transaction: Transaction) -> list[RlpItem]:
    return [
        minimal_bytes(transaction.chain_id),
        minimal_bytes(transaction.nonce),
        minimal_bytes(transaction.tip),
        minimal_bytes(transaction.fee_max),
        minimal_bytes(transaction.gas),
        address_bytes(transaction.to) if transaction.to else b"",
        minimal_bytes(transaction.value),
        transaction.data,
        [],
    ]


def minimal_bytes(number: int) -> bytes:
    """A number as RLP holds it: big-endian without leading zeros."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _number(word: bytes) -> int:
    if len(word) > 32 or word[:1] == b"\0":
        raise ProofError("the raw transaction holds a number in no canonical form")
    return int.from_bytes(word, "big")


def rlp_encode(item: RlpItem) -> bytes:
    """Encode bytes, or a list of items."""
    if not isinstance(item, bytes):
        payload = b"".join(map(rlp_encode, item))
        return _rlp_head(0xC0, len(payload)) + payload
    if len(item) == 1 and item[0] < 0x80:
        return item
    return _rlp_head(0x80, len(item)) + item


def rlp_decode(data: bytes) -> RlpItem:
    """Decode one item that fills ``data``.

    Raises:
        ProofError: not canonical RLP, or nested deeper than a transaction can be.
    """
    item, end = _rlp_item(data, 0, _NESTING_MAX)
    # One check for every way of writing a length wastefully.
    if end != len(data) or rlp_encode(item) != data:
        raise ProofError("the raw transaction is not canonical RLP")
    return item


def _rlp_head(base: int, length: int) -> bytes:
    if length < 56:
        return bytes([base + length])
    size = minimal_bytes(length)
    return bytes([base + 55 + len(size)]) + size


def _rlp_item(data: bytes, at: int, depth: int) -> tuple[RlpItem, int]:
    head = data[at] if at < len(data) else -1
    if head < 0 or depth == 0:
        raise ProofError("the raw transaction is not canonical RLP")
    if head < 0x80:
        return data[at : at + 1], at + 1
    base = 0xC0 if head >= 0xC0 else 0x80
    start, length = at + 1, head - base
    if length > 55:
        start += length - 55
        length = int.from_bytes(data[at + 1 : start], "big")
    end = start + length
    if end > len(data):
        raise ProofError("the raw transaction ends too early")
    if base == 0x80:
        return data[start:end], end
    items: list[RlpItem] = []
    while start < end:
        item, start = _rlp_item(data[:end], start, depth - 1)
        items.append(item)
    return items, end
