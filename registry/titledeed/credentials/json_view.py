"""Looking into JSON that a stranger wrote: what is not of the expected form is simply not there."""

from __future__ import annotations

from typing import Final

SHOWN_LENGTH_MAX: Final = 300


def member(value: object, *path: str) -> object:
    """The value at the end of a path of object keys, or None."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def objects(value: object, *path: str) -> list[dict[str, object]]:
    """The objects in the array at the end of a path; empty where there is none."""
    found = member(value, *path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text(value: object, *path: str) -> str | None:
    """The text at the end of a path, cut to 300 characters; None where there is none."""
    found = member(value, *path)
    return found[:SHOWN_LENGTH_MAX] if isinstance(found, str) and found else None


def codes(value: object, *path: str) -> tuple[str, ...]:
    """The ``code`` of each status in the array at the end of a path."""
    return tuple(code for item in objects(value, *path) if (code := text(item, "code")))
