"""Changing one value deep in a document."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any


def at(document: Any, path: Sequence[str | int]) -> Any:
    """The value in a place."""
    for key in path:
        document = document[key]
    return document


def put(document: dict[str, Any], path: Sequence[str | int], value: object) -> dict[str, Any]:
    """A copy of the document with another value in one place."""
    changed = copy.deepcopy(document)
    at(changed, path[:-1])[path[-1]] = value
    return changed
