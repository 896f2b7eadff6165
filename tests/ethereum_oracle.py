"""``eth_account`` as the independent implementation that ours is compared with; tests alone use it.

Importing it raises the recursion limit to 100,000 (py_ecc does), at which nested JSON overflows the
C stack instead of raising; so the limit is put back.
"""

from __future__ import annotations

import sys

_limit = sys.getrecursionlimit()

from eth_account import Account  # noqa: E402 - between reading the limit and putting it back
from eth_account.messages import (  # noqa: E402 - as above
    SignableMessage,
    _hash_eip191_message,
    encode_typed_data,
)

sys.setrecursionlimit(_limit)

__all__ = ["Account", "encode_typed_data", "hash_message"]


def hash_message(message: SignableMessage) -> bytes:
    """The digest that is signed."""
    return bytes(_hash_eip191_message(message))
