"""In which order the bits of a code are cut into the substrings of the index."""

from __future__ import annotations

from typing import Final

import numpy as np

from titledeed.fingerprinting.pictures.spectrum import FREQUENCIES


def _order_by_frequency() -> tuple[int, ...]:
    frequency = np.arange(1, FREQUENCIES + 1)
    squared = frequency[:, np.newaxis] ** 2 + frequency**2
    return tuple(np.argsort(squared, axis=None, kind="stable").tolist())


DCT_ORDER: Final = _order_by_frequency()
"""Low frequencies first: edits change them least, and bits that hold together belong together.

Of 600 real frames cropped to 90 % of their sides, 43 % met the original this way and 9 % when bits
of all frequencies were mixed in each substring, at the same cost (twelve of 20 bits, one flip).
"""

DESCRIPTOR_ORDER: Final = tuple(37 * bit % 128 for bit in range(128))
"""Bits of all cells and directions in each substring: neighbours within a cell tell the same.

Among 322,588 real descriptors a query met 486 this way and 1,730 with the bits as they come; the
share of true pairs found was 0.87 and 0.91 (five of 21 bits, one flip).
"""
