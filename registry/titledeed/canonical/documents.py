"""Canonical JSON (RFC 8785) and a strict reader of untrusted documents.

What we write holds objects, arrays, strings, integers within 2^53, booleans and null: no floats.
Binary values are lower-case hex with ``0x`` in front where Ethereum tools expect it (addresses,
signatures, chain hashes, salts) and without for SHA-256; large blobs are base64.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TypeVar

import orjson
import rfc8785

from titledeed.canonical.hashing import sha256
from titledeed.errors import InvariantViolation, MalformedDocumentError
from titledeed.models.primitives import Sha256

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]
T = TypeVar("T")

TEXT_LENGTH_MAX = 4_096
ITEMS_MAX = 100_000
NESTING_MAX = 40
"""Of YAML; JSON is bounded by the recursion limit."""
RECURSION_LIMIT_MAX = 20_000
"""Above it Python's JSON reader overflows the C stack before it notices deep nesting."""
INTEGER_MAX = 2**53 - 1
TIMESTAMP_MAX = 253_402_300_799
"""The last second of the year 9999, the last that ISO 8601 writes in four digits."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def encode_document(document: Mapping[str, Json]) -> bytes:
    """Canonical bytes of a document (RFC 8785).

    In ASCII text and integers, of which nearly all that we write consists, orjson gives the bytes
    of rfc8785 in a small part of the time: ten thousand works may share one anchor.
    """
    if _is_plain(document.values()):
        # Half a character is left to rfc8785, which refuses it as any other fault.
        with suppress(orjson.JSONEncodeError):
            data = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
            if data.isascii():
                return data
    return rfc8785.dumps(dict(document))


def _is_plain(values: Iterable[object]) -> bool:
    """No number that JSON writers disagree on, at any depth."""
    for value in values:
        if value is None or isinstance(value, (str, bool)):
            continue
        if isinstance(value, dict):
            if not _is_plain(value.values()):
                return False
        elif isinstance(value, list):
            if not _is_plain(value):
                return False
        elif not isinstance(value, int) or not -INTEGER_MAX <= value <= INTEGER_MAX:
            return False
    return True


def digest_document(document: Mapping[str, Json]) -> Sha256:
    """SHA-256 of a document's canonical bytes."""
    return sha256(encode_document(document))


def parse_document(data: bytes, *, what: str) -> Fields:
    """Parse untrusted JSON.

    Args:
        data: UTF-8 text of one JSON object; a duplicate key is refused, and so is half a
            character, which no canonical form can hold.
        what: how errors name the document, for example ``the bundle``.

    Raises:
        MalformedDocumentError: not JSON, nested too deep, or no object.
    """
    if sys.getrecursionlimit() > RECURSION_LIMIT_MAX:
        raise InvariantViolation("a library raised the recursion limit: JSON could kill us")
    try:
        text = data.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise MalformedDocumentError(f"{what} is not valid JSON: {error}", place=what) from error
    if not isinstance(value, dict):
        raise MalformedDocumentError(f"{what} must be a JSON object", place=what)
    return Fields(value, path=what)


def _unique_keys(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key appears twice in one object")
    return result


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is not a JSON number")


class Fields:
    """Strict access to one object of an untrusted document.

    Every accessor removes its field; ``done`` refuses what is left, so that nothing is signed or
    shown that was never looked at.
    """

    def __init__(self, values: Mapping[str, object], *, path: str) -> None:
        self._values = dict(values)
        self._path = path

    def fail(self, name: str, problem: str) -> MalformedDocumentError:
        """An error that names the field."""
        return MalformedDocumentError(
            f"{self._path}: {name!r} {problem}"[:TEXT_LENGTH_MAX],
            place=f"{self._path}: {name}"[:TEXT_LENGTH_MAX],
        )

    def _take(self, name: str) -> object:
        if name not in self._values:
            raise self.fail(name, "is missing")
        return self._values.pop(name)

    def has(self, name: str) -> bool:
        """Whether the field is present and not null."""
        return self._values.get(name) is not None

    def optional(self, name: str, read: Callable[[str], T]) -> T | None:
        """The field through ``read``, or None where it is absent or null."""
        if self.has(name):
            return read(name)
        self._values.pop(name, None)
        return None

    def value(self, name: str) -> object:
        """The field as it stands; the caller checks it."""
        return self._take(name)

    def text(self, name: str, *, length_max: int = TEXT_LENGTH_MAX) -> str:
        """A string of at most ``length_max`` characters."""
        value = self._take(name)
        if not isinstance(value, str) or len(value) > length_max:
            raise self.fail(name, f"must be text of at most {length_max} characters")
        return value

    def literal(self, name: str, expected: str) -> None:
        """A string that must be exactly ``expected``, for example a schema id."""
        if self.text(name) != expected:
            raise self.fail(name, f"must be {expected!r}")

    def integer(self, name: str, *, minimum: int = 0, maximum: int = INTEGER_MAX) -> int:
        """An integer within bounds; booleans are none."""
        value = self._take(name)
        if type(value) is not int or not minimum <= value <= maximum:
            raise self.fail(name, f"must be an integer from {minimum} to {maximum}")
        return value

    def timestamp(self, name: str) -> int:
        """Seconds since 1970, within the years that can be written."""
        return self.integer(name, maximum=TIMESTAMP_MAX)

    def boolean(self, name: str) -> bool:
        """True or false."""
        value = self._take(name)
        if not isinstance(value, bool):
            raise self.fail(name, "must be true or false")
        return value

    def sha256(self, name: str) -> Sha256:
        """64 lower-case hex digits."""
        return Sha256(self._hex(name, self._take(name), prefix="", length=32))

    def word(self, name: str) -> bytes:
        """``0x`` and 64 lower-case hex digits."""
        return self._hex(name, self._take(name), prefix="0x", length=32)

    def hexadecimal(self, name: str, *, length_max: int) -> bytes:
        """``0x`` and lower-case hex digits, at most ``length_max`` bytes."""
        return self._hex_of_any_length(name, self._take(name), length_max)

    def hexadecimals(self, name: str, *, items_max: int, length_max: int) -> tuple[bytes, ...]:
        """An array of ``hexadecimal`` values."""
        return tuple(
            self._hex_of_any_length(name, item, length_max) for item in self._array(name, items_max)
        )

    def blob(self, name: str, *, length_max: int | None = None) -> bytes:
        """Standard base64 with padding, in its only form: unused bits are zero."""
        value = self._take(name)
        try:
            raw = base64.b64decode(value if isinstance(value, str) else b"!", validate=True)
        except ValueError as error:
            raise self.fail(name, "must be base64") from error
        if base64_text(raw) != value:
            raise self.fail(name, "must be base64 in its canonical form")
        if length_max is not None and len(raw) > length_max:
            raise self.fail(name, f"must hold at most {length_max} bytes")
        return raw

    def child(self, name: str) -> Fields:
        """A nested object."""
        value = self._take(name)
        if not isinstance(value, dict):
            raise self.fail(name, "must be an object")
        return Fields(value, path=f"{self._path}.{name}")

    def children(self, name: str, *, items_max: int = ITEMS_MAX) -> list[Fields]:
        """An array of objects."""
        return [
            Fields(item, path=f"{self._path}.{name}[{index}]")
            if isinstance(item, dict)
            else self._refuse(name, "must hold objects")
            for index, item in enumerate(self._array(name, items_max))
        ]

    def texts(self, name: str, *, items_max: int = ITEMS_MAX) -> tuple[str, ...]:
        """An array of strings."""
        items = self._array(name, items_max)
        if not all(isinstance(item, str) and len(item) <= TEXT_LENGTH_MAX for item in items):
            raise self.fail(name, "must hold texts")
        return tuple(str(item) for item in items)

    def words(self, name: str, *, items_max: int) -> tuple[bytes, ...]:
        """An array of ``0x`` 32-byte words."""
        return tuple(
            self._hex(name, item, prefix="0x", length=32) for item in self._array(name, items_max)
        )

    def rest(self) -> dict[str, object]:
        """Take every field that is left: for formats that keep what they do not know."""
        rest, self._values = self._values, {}
        return rest

    def done(self) -> None:
        """Refuse fields that nobody read.

        Raises:
            MalformedDocumentError: a field is left.
        """
        for name in self._values:
            raise self.fail(name, "is not known")

    def _array(self, name: str, items_max: int) -> list[object]:
        value = self._take(name)
        if not isinstance(value, list) or len(value) > items_max:
            raise self.fail(name, f"must be an array of at most {items_max} items")
        return value

    def _refuse(self, name: str, problem: str) -> Fields:
        raise self.fail(name, problem)

    def _hex_of_any_length(self, name: str, value: object, length_max: int) -> bytes:
        raw = self._hex(name, value, prefix="0x", length=None)
        if len(raw) > length_max:
            raise self.fail(name, f"must hold at most {length_max} bytes")
        return raw

    def _hex(self, name: str, value: object, *, prefix: str, length: int | None) -> bytes:
        text = value if isinstance(value, str) else ""
        digits = text.removeprefix(prefix)
        wrong = not text.startswith(prefix) or digits != digits.lower()
        try:
            raw = bytes.fromhex(digits) if not wrong and digits.isalnum() else b""
        except ValueError:
            raw = b""
        if not raw or (length is not None and len(raw) != length):
            size = f"{length} bytes" if length else "some bytes"
            raise self.fail(name, f"must be {size} of lower-case hex starting {prefix!r}")
        return raw


def hex_word(value: bytes) -> str:
    """``0x`` and lower-case hex."""
    return "0x" + value.hex()


def base64_text(value: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(value).decode("ascii")
