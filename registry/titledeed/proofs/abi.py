"""The contract's binary interface: values to bytes and back. Pure, and quick to import.

Only the types that ``TitleDeed`` uses (Solidity ABI specification, "Formal Specification of the
Encoding"). ``Words`` reads loosely: whoever reads with it encodes again and compares, so that one
meaning has one form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from titledeed.canonical.hashing import keccak256, word
from titledeed.canonical.identifiers import address_from_bytes, address_word


class Tail(bytes):
    """An argument whose length varies: it stands behind the others, and they hold its offset."""

    __slots__ = ()


def encode_arguments(*arguments: bytes) -> bytes:
    """Static arguments, words each, in place; every ``Tail`` behind them."""
    offset = sum(32 if isinstance(item, Tail) else len(item) for item in arguments)
    heads: list[bytes] = []
    tails: list[bytes] = []
    for item in arguments:
        if isinstance(item, Tail):
            heads.append(word(offset))
            tails.append(item)
            offset += len(item)
        else:
            heads.append(item)
    return b"".join(heads + tails)


def encode_bytes(data: bytes) -> Tail:
    """``bytes``."""
    return Tail(word(len(data)) + data + bytes(-len(data) % 32))


def encode_words(words: Sequence[bytes]) -> Tail:
    """``bytes32[]``."""
    return Tail(word(len(words)) + b"".join(words))


def text_bytes(text: str) -> bytes:
    """A Solidity string's bytes. It need not be UTF-8: anybody can log any bytes.

    What is not UTF-8 is held as lone surrogates (PEP 383), so that nothing is lost.
    """
    return text.encode("utf-8", "surrogateescape")


def selector(signature: str) -> bytes:
    """The four bytes that name a function or an error."""
    return keccak256(signature.encode("ascii"))[:4]


_ENCODERS: Final[Mapping[str, Callable[[Any], bytes]]] = {
    "bytes32": bytes,
    "address": address_word,
    "bool": word,
    "uint16": word,
    "uint64": word,
    "uint256": word,
    "uint256[]": lambda numbers: encode_words([word(number) for number in numbers]),
    "string": lambda text: encode_bytes(text_bytes(text)),
}


def encode_value(kind: str, value: Any) -> bytes:
    """A value of a Solidity type: a word, or a ``Tail``."""
    return _ENCODERS[kind](value)


class Words:
    """Untrusted data, read value by value.

    Args:
        topics: read before the data.
        data: what the offsets of varying values count in.
    """

    def __init__(self, topics: Sequence[bytes], data: bytes) -> None:
        heads = [data[at : at + 32] for at in range(0, len(data), 32)]
        self._words = iter([*topics, *heads])
        self._data = data

    def read_word(self) -> bytes:
        """The next word.

        Raises:
            ValueError: there is none.
        """
        value = next(self._words, None)
        if value is None:
            raise ValueError("the data end too early")
        return value

    def read(self, kind: str) -> object:
        """The next value of a Solidity type.

        Raises:
            ValueError: the data end too early, or a number is too large for its type.
        """
        value = self.read_word()
        number = int.from_bytes(value, "big")
        match kind:
            case "bytes32":
                return value
            case "address":
                return address_from_bytes(value[-20:])
            case "bool":
                return bool(number)
            case "uint256[]":
                array = self._behind(number, unit=32)
                starts = range(0, len(array), 32)
                return tuple(int.from_bytes(array[at : at + 32], "big") for at in starts)
            case "string":
                return self._behind(number, unit=1).decode("utf-8", "surrogateescape")
            case _:
                if number.bit_length() > int(kind.removeprefix("uint")):
                    raise ValueError(f"a number is too large for {kind}")
                return number

    def _behind(self, at: int, *, unit: int) -> bytes:
        """The value at an offset, whose length in units stands before it; ends with the data."""
        length = int.from_bytes(self._data[at : at + 32], "big")
        return self._data[at + 32 : at + 32 + length * unit]
