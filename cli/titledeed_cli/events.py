"""How events of the contract look, for programs and for people."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from titledeed.models.ledger import LedgerEvent

_DEEDS: Final = frozenset({"deed", "parents"})


def event_document(event: LedgerEvent) -> dict[str, object]:
    """JSON form: where it stands, its kind, and the arguments under their names."""
    return {
        "sequence": event.sequence,
        "kind": _kind(event),
        "block_number": event.block_number,
        "block_hash": "0x" + event.block_hash.hex(),
        "block_timestamp": event.block_timestamp,
        "transaction": "0x" + event.transaction.hex(),
        "running_hash": "0x" + event.head.hex(),
        **_arguments(event),
    }


def describe_event(event: LedgerEvent) -> tuple[str, str, str, str, str]:
    """One row of a table: number, block, time, kind, arguments."""
    from titledeed.proofs.times import format_time

    return (
        str(event.sequence),
        str(event.block_number),
        format_time(event.block_timestamp),
        _kind(event),
        ", ".join(f"{name} {value}" for name, value in _arguments(event).items()),
    )


def _kind(event: LedgerEvent) -> str:
    from titledeed.proofs.event_kinds import kind_of

    return kind_of(event.body).name


def _arguments(event: LedgerEvent) -> dict[str, object]:
    found = {field.name: getattr(event.body, field.name) for field in fields(event.body)}
    # "kind" is the kind of the event itself.
    return {
        "event_kind" if name == "kind" else name: _show(name, value)
        for name, value in found.items()
    }


def _show(name: str, value: object) -> object:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return [_show(name, item) for item in value]
    if name in _DEEDS and isinstance(value, int):
        return f"0x{value:064x}"  # no JSON reader keeps 256 bits of a number
    return value
