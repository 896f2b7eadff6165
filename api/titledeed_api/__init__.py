"""The HTTP API and the web pages: parse, call one service method, render.

The JSON documents of every face are here, too. The application is imported only when it is asked
for, so that who takes a document from here, as the command line does, loads no web framework.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from titledeed_api.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> object:
    """``create_app``, at its first use (PEP 562)."""
    if name != "create_app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from titledeed_api.app import create_app

    return create_app
