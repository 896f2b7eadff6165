"""A strict reader of untrusted YAML: disclosures and rule packs are written by hand.

Only what the core schema of YAML 1.2 gives is read: mappings with text keys, sequences, text,
``true`` and ``false``, ``null``, numbers. ``yes``, ``no`` and dates therefore stay text, and a
decimal number stays exact. Anchors, aliases, tags, merge keys, duplicate keys and a second
document are refused, so that no small file becomes a large value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import yaml

from titledeed.canonical.documents import NESTING_MAX, Fields
from titledeed.errors import MalformedDocumentError

Plain = None | bool | int | Fraction | str | list["Plain"] | dict[str, "Plain"]

YAML_BYTES_MAX: Final = 1024 * 1024
NODES_MAX: Final = 100_000

# YAML 1.2.2 section 10.3.2; the lengths keep a number from costing more than it can mean.
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]{1,18}|[0-9]{1,18}(?:\.[0-9]{0,18})?)")
_WORDS: Final[dict[str, Plain]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def parse_yaml(data: bytes, *, what: str) -> Fields:
    """Parse untrusted YAML whose root is a mapping.

    Args:
        data: UTF-8, at most ``YAML_BYTES_MAX`` bytes.
        what: how errors name the document, for example ``the disclosure``.

    Raises:
        MalformedDocumentError: not YAML, too large, too deep, or outside the subset above.
    """
    if len(data) > YAML_BYTES_MAX:
        raise MalformedDocumentError(f"{what} is larger than {YAML_BYTES_MAX} bytes", place=what)
    try:
        text = data.decode("utf-8-sig")
        value = _Builder(what).build(yaml.parse(text, Loader=yaml.CSafeLoader))
    except UnicodeDecodeError as error:
        raise MalformedDocumentError(f"{what} is not UTF-8 text", place=what) from error
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())[:300]
        raise MalformedDocumentError(f"{what} is not valid YAML: {problem}", place=what) from error
    if not isinstance(value, dict):
        raise MalformedDocumentError(f"{what} must be a YAML mapping of fields", place=what)
    return Fields(value, path=what)


class _Builder:
    """Turns parser events into plain values; the nesting limit bounds its recursion."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._nodes = 0

    def build(self, events: Iterator[yaml.Event]) -> Plain:
        """The value of the only document."""
        roots: list[Plain] = []
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                if roots:
                    raise MalformedDocumentError(
                        f"{self._what} holds more than one document", place=self._what
                    )
                roots.append(self._node(event, events, depth=0))
        if not roots:
            raise MalformedDocumentError(f"{self._what} is empty", place=self._what)
        return roots[0]

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], *, depth: int) -> Plain:
        self._nodes += 1
        if self._nodes > NODES_MAX or depth > NESTING_MAX:
            raise self._fail(event, "holds or nests too many values")
        if getattr(event, "anchor", None) is not None:
            raise self._fail(event, "uses an anchor or alias; write the value out")
        if getattr(event, "tag", None) is not None:
            raise self._fail(event, "uses a tag; remove it")
        if isinstance(event, yaml.ScalarEvent):
            # A quoted scalar is text whatever it looks like.
            return _resolve(event.value) if event.implicit[0] else str(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            items = _until(yaml.SequenceEndEvent, events)
            return [self._node(item, events, depth=depth + 1) for item in items]
        return self._mapping(events, depth=depth)

    def _mapping(self, events: Iterator[yaml.Event], *, depth: int) -> dict[str, Plain]:
        result: dict[str, Plain] = {}
        for event in _until(yaml.MappingEndEvent, events):
            if not isinstance(event, yaml.ScalarEvent) or event.anchor or event.tag:
                raise self._fail(event, "has a key that is not plain text")
            key = str(event.value)
            if key in result or key == "<<":
                raise self._fail(event, f"must not hold the key {key[:60]!r} here (again)")
            result[key] = self._node(next(events), events, depth=depth + 1)
        return result

    def _fail(self, event: yaml.Event, problem: str) -> MalformedDocumentError:
        mark = event.start_mark
        where = f", line {mark.line + 1}" if mark else ""
        return MalformedDocumentError(
            f"{self._what}{where}: {problem}", place=f"{self._what}{where}"
        )


def _until(end: type[yaml.Event], events: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
    for event in events:
        if isinstance(event, end):
            return
        yield event


def _resolve(text: str) -> Plain:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Fraction(text) if _DECIMAL.fullmatch(text) else text
