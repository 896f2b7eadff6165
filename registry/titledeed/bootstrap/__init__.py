"""The only place that picks adapters: ``open_registry(settings)`` gives the services of a home.

``adapters`` builds them, ``registry`` gives them to services, ``homes`` to what works on whole
homes. May import every room; only faces and ``library`` import it.
"""

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
