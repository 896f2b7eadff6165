"""Canonical JSON (RFC 8785) and a strict reader of untrusted documents.

What we write holds objects, arrays, strings, integers within 2^53, booleans and null: no floats.
Binary values are lower-case hex with ``0x`` in front where Ethereum tools expect it (addresses,
signatures, chain hashes, salts) and without for SHA-256; large blobs are base64.

From version 2 of a format on, what is not stated is left out: no null and no empty array, so that
one value has one form. A signed document may hold fields that its reader does not know: they are
kept (``Unread``), since the signature covers them; containers that nobody signs may not.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import TypeVar, cast

import orjson
import rfc8785

from titledeed.canonical.hashing import sha256
from titledeed.errors import InvariantViolation, MalformedDocumentError
from titledeed.models.primitives import Sha256
from titledeed.models.unread import Unread

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]
T = TypeVar("T")

TEXT_LENGTH_MAX = 4_096
TERM_LENGTH_MAX = 100
ITEMS_MAX = 100_000
NESTING_MAX = 40
"""Of YAML; JSON is bounded by the recursion limit."""
RECURSION_LIMIT_MAX = 20_000
"""Above it Python's JSON reader overflows the C stack before it notices deep nesting."""
INTEGER_MAX = 2**53 - 1
UNREAD_MAX = 100
UNREAD_LENGTH_MAX = 16_384
"""Characters of canonical JSON, for each field that is kept unread."""
UNREAD_NESTING_MAX = 16
UNREAD_NAME_LENGTH_MAX = 100
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


def leave_out(document: Mapping[str, Json]) -> dict[str, Json]:
    """The document without what is not stated: None and empty arrays."""
    return {name: value for name, value in document.items() if value is not None and value != []}


def put_back(document: dict[str, Json], unread: Iterable[Unread]) -> dict[str, Json]:
    """The document with the fields that its reader kept unread where they stood."""
    for one in unread:
        *parents, name = one.place
        target = cast("dict[str | int, Json]", document)
        for part in parents:
            target = cast("dict[str | int, Json]", target[part])
        target[name] = json.loads(one.value)
    return document


class Fields:
    """Strict access to one object of an untrusted document.

    Every accessor removes its field; ``done`` refuses what is left, so that nothing is signed or
    shown that was never looked at. After ``keep_unread`` it keeps it instead, for whoever shows it.
    """

    def __init__(
        self,
        values: Mapping[str, object],
        *,
        path: str,
        place: tuple[str | int, ...] = (),
        unread: list[Unread] | None = None,
    ) -> None:
        self._values = dict(values)
        self._path = path
        self._place = place
        self._unread = unread

    def keep_unread(self) -> list[Unread]:
        """Let ``done`` keep what nobody read, here and in nested objects.

        Returns:
            A list that is whole, and sorted, once ``done`` was called here.
        """
        self._place, self._unread = (), []
        return self._unread

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

    @property
    def has_more(self) -> bool:
        """Whether a field is left that nobody read."""
        return bool(self._values)

    def optional(self, name: str, read: Callable[[str], T]) -> T | None:
        """The field through ``read``, or None where it is absent or null."""
        if self.has(name):
            return read(name)
        self._values.pop(name, None)
        return None

    def nullable(self, name: str, read: Callable[[str], T]) -> T | None:
        """The field through ``read``, or None where it is null; it must be there."""
        if self._values.get(name, ...) is None:
            self._values.pop(name)
            return None
        return read(name)

    def stated(self, name: str, read: Callable[[str], T]) -> T | None:
        """The field through ``read``, or None where it is left out; null is refused."""
        if name not in self._values:
            return None
        if self._values[name] is None:
            raise self.fail(name, "must be left out rather than null")
        return read(name)

    def listed(self, name: str, *, items_max: int) -> list[Fields]:
        """An array of objects, or none where it is left out; an empty one is refused."""
        return self.children(name, items_max=items_max) if self._is_listed(name) else []

    def listed_words(self, name: str, *, items_max: int) -> tuple[bytes, ...]:
        """An array of ``0x`` 32-byte words, or none where it is left out."""
        return self.words(name, items_max=items_max) if self._is_listed(name) else ()

    def listed_terms(self, name: str, *, items_max: int) -> tuple[str, ...]:
        """An array of texts as ``term`` takes them, or none where it is left out."""
        texts = self.texts(name, items_max=items_max) if self._is_listed(name) else ()
        if not all(0 < len(text) <= TERM_LENGTH_MAX for text in texts):
            raise self.fail(name, f"must hold texts of 1 to {TERM_LENGTH_MAX} characters")
        return texts

    def _is_listed(self, name: str) -> bool:
        if self._values.get(name) == []:
            raise self.fail(name, "must be left out rather than empty")
        return name in self._values

    @property
    def schema_id(self) -> str:
        """What the object says it is, for example ``titledeed.log/1``; empty where it does not."""
        schema = self._values.get("schema")
        return schema if isinstance(schema, str) else ""

    @property
    def schema(self) -> str:
        """What stands before the slash of the schema id."""
        return self.schema_id.rpartition("/")[0]

    def version(self, name: str, known: Collection[int]) -> int:
        """The version of a schema id such as ``titledeed.rights/2``.

        Args:
            name: what stands before the slash.
            known: versions that the caller reads.
        """
        schema = self.text("schema", length_max=100)
        for version in known:
            if schema == f"{name}/{version}":
                return version
        versions = " or ".join(f"{name}/{version}" for version in sorted(known))
        raise self.fail("schema", f"must be {versions}; a later release may read others")

    def value(self, name: str) -> object:
        """The field as it stands; the caller checks it."""
        return self._take(name)

    def text(self, name: str, *, length_max: int = TEXT_LENGTH_MAX) -> str:
        """A string of at most ``length_max`` characters."""
        value = self._take(name)
        if not isinstance(value, str) or len(value) > length_max:
            raise self.fail(name, f"must be text of at most {length_max} characters")
        return value

    def phrase(self, name: str, *, length_max: int = TEXT_LENGTH_MAX) -> str:
        """Text of 1 to ``length_max`` characters."""
        if text := self.text(name, length_max=length_max):
            return text
        raise self.fail(name, "must not be empty; leave it out where nothing is stated")

    def term(self, name: str) -> str:
        """Text of 1 to ``TERM_LENGTH_MAX`` characters, for vocabularies that others may extend."""
        return self.phrase(name, length_max=TERM_LENGTH_MAX)

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
        return self.hexadecimal_of(name, length=32)

    def hexadecimal_of(self, name: str, *, length: int) -> bytes:
        """``0x`` and the lower-case hex digits of exactly ``length`` bytes."""
        return self._hex(name, self._take(name), prefix="0x", length=length)

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

    def filled_blob(self, name: str, *, length_max: int | None = None) -> bytes:
        """``blob``, of at least one byte."""
        if raw := self.blob(name, length_max=length_max):
            return raw
        raise self.fail(name, "must be left out rather than empty")

    def child(self, name: str) -> Fields:
        """A nested object."""
        value = self._take(name)
        if not isinstance(value, dict):
            raise self.fail(name, "must be an object")
        return self._nested(value, f"{self._path}.{name}", name)

    def children(self, name: str, *, items_max: int = ITEMS_MAX) -> list[Fields]:
        """An array of objects."""
        return [
            self._nested(item, f"{self._path}.{name}[{index}]", name, index)
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

    def done(self, *, strict: bool = False) -> None:
        """Refuse fields that nobody read, or keep them after ``keep_unread``.

        Args:
            strict: refuse them in any case.

        Raises:
            MalformedDocumentError: a field is left, or cannot be kept.
        """
        for name, value in self._values.items():
            if strict or self._unread is None:
                raise self.fail(name, "is not known")
            self._keep(self._unread, name, value)
        if self._unread and not self._place:
            self._unread.sort(key=lambda one: list(map(str, one.place)))

    def _keep(self, unread: list[Unread], name: str, value: object) -> None:
        """Keep a field within the subset of JSON that has one canonical form everywhere."""
        if not _is_name(name) or not _is_portable(value, UNREAD_NESTING_MAX):
            raise self.fail(
                name,
                "is not known, and holds what no canonical form keeps: a number that is no "
                f"integer below 2^53, a key that is not ASCII, or over {UNREAD_NESTING_MAX} levels",
            )
        text = encode_document({"": cast("Json", value)}).decode("utf-8")[4:-1]
        if len(text) > UNREAD_LENGTH_MAX or len(unread) == UNREAD_MAX:
            raise self.fail(
                name,
                f"is not known, and only {UNREAD_MAX} such fields of {UNREAD_LENGTH_MAX} "
                "characters are kept",
            )
        unread.append(Unread((*self._place, name), text))

    def _nested(self, value: dict[str, object], path: str, *place: str | int) -> Fields:
        return Fields(value, path=path, place=(*self._place, *place), unread=self._unread)

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


def _is_name(name: str) -> bool:
    return name.isascii() and len(name) <= UNREAD_NAME_LENGTH_MAX


def _is_portable(value: object, depth: int) -> bool:
    """Whether every JSON library writes and sorts it alike."""
    if isinstance(value, dict):
        return depth > 0 and all(
            _is_name(name) and _is_portable(item, depth - 1) for name, item in value.items()
        )
    if isinstance(value, list):
        return depth > 0 and all(_is_portable(item, depth - 1) for item in value)
    return _is_plain([value])


def hex_word(value: bytes) -> str:
    """``0x`` and lower-case hex."""
    return "0x" + value.hex()


def base64_text(value: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(value).decode("ascii")
