"""Values in the form of Ethereum's JSON-RPC, read strictly: nodes are untrusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from titledeed.canonical.documents import Json
from titledeed.errors import LedgerError

OTHER_NODE: Final = "Ask another node: this one's answers do not fit together."
"""The next step where a node contradicts itself."""

_QUANTITY_LENGTH_MAX: Final = 66


def parse_quantity(value: Json) -> int:
    """Read an Ethereum quantity, ``0x`` and at most 64 hex digits.

    Raises:
        LedgerError: it is something else.
    """
    try:
        if isinstance(value, str) and value.startswith("0x") and len(value) <= _QUANTITY_LENGTH_MAX:
            return int(value, 16)
    except ValueError:
        pass
    raise LedgerError(f"the node answered {str(value)[:80]!r} where a number belongs")


def parse_bytes(value: Json, *, length: int | None = None) -> bytes:
    """Read Ethereum data, ``0x`` and an even number of hex digits.

    Raises:
        LedgerError: it is something else, or not ``length`` bytes.
    """
    try:
        if isinstance(value, str) and value.startswith("0x"):
            raw = bytes.fromhex(value[2:])
            if length is None or len(raw) == length:
                return raw
    except ValueError:
        pass
    raise LedgerError(
        f"the node answered {str(value)[:80]!r} where {length or 'some'} bytes belong"
    )


def parse_object(value: Json) -> dict[str, Json]:
    """Read an object.

    Raises:
        LedgerError: it is something else.
    """
    if isinstance(value, dict):
        return value
    raise LedgerError(f"the node answered {str(value)[:80]!r} where an object belongs")


def parse_array(value: Json) -> Sequence[Json]:
    """Read an array.

    Raises:
        LedgerError: it is something else.
    """
    if isinstance(value, list):
        return value
    raise LedgerError(f"the node answered {str(value)[:80]!r} where an array belongs")
