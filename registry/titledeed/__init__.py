"""Titledeed: a registry for generated media.

``__all__`` is what programs may rely on, beside ``titledeed.errors`` and ``titledeed.models``; all
else may change with any release. Names are loaded when they are first used, so that
``import titledeed`` costs nothing.
"""

from __future__ import annotations

# ``typing`` would be most of what importing this package costs; checkers know the name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from titledeed.bootstrap import Registry
    from titledeed.library import check_bundle, compare, verify

__all__ = ["Registry", "check_bundle", "compare", "verify"]

_MODULES = {
    "Registry": "titledeed.bootstrap",
    "check_bundle": "titledeed.library",
    "compare": "titledeed.library",
    "verify": "titledeed.library",
}


def __getattr__(name: str) -> object:
    """Load a public name (PEP 562)."""
    from importlib import import_module

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """Public names, for completion."""
    return sorted([*globals(), *__all__])
