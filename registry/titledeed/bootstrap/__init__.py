"""The only place that picks adapters: ``open_registry(settings)`` gives the services of a home."""

from titledeed.bootstrap.adapters import (
    Adapters,
    index_works,
    make_examiner,
    make_sandbox,
    now,
    read_passphrase,
)
from titledeed.bootstrap.registry import Registry, open_registry

__all__ = [
    "Adapters",
    "Registry",
    "index_works",
    "make_examiner",
    "make_sandbox",
    "now",
    "open_registry",
    "read_passphrase",
]
