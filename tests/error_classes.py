"""The classes of our errors, for tables that must name each of them."""

from __future__ import annotations

from collections.abc import Iterator

from titledeed.errors import TitledeedError


def list_errors(error: type[TitledeedError] = TitledeedError) -> Iterator[type[TitledeedError]]:
    """An error of the core and all below it; not those that a test declares."""
    yield error
    for child in error.__subclasses__():
        if child.__module__ == TitledeedError.__module__:
            yield from list_errors(child)
