"""The tables of what is seen: two of each family, since codes and descriptors differ in width.

The bits of a code are cut into the substrings of a table in an order of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.algorithms import SearchFamily
from titledeed.fingerprinting.base import CodeKind, FrameCodes
from titledeed.fingerprinting.pictures.frame_codes import CODE_BYTES
from titledeed.fingerprinting.pictures.keypoints import DESCRIPTOR_BYTES
from titledeed.fingerprinting.pictures.local_features import LocalFeatures
from titledeed.fingerprinting.pictures.regions import RegionCodes
from titledeed.fingerprinting.pictures.spectrum import FREQUENCIES
from titledeed.matching.pictures.alignment import WHOLE
from titledeed.matching.pictures.codes import SIGN_KINDS
from titledeed.matching.tables.code_table import CodeTable, CodeView
from titledeed.models.fingerprint import FingerprintCode


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


class CodeShelf(CodeTable):
    """Codes of frames and of regions; the tag of a row is its region of the picture.

    Args:
        folder: of this table alone; it may be missing. None keeps all in memory.
        family: whose codes.
    """

    def __init__(self, folder: Path | None, family: SearchFamily) -> None:
        super().__init__(
            folder,
            code_bytes=CODE_BYTES,
            bit_order=DCT_ORDER,
            fed_by=family.list_names(SIGN_KINDS),
        )
        self._family = family

    def add(self, position: int, code: FingerprintCode) -> bool:
        """See ``shelves.Shelf``."""
        match self._family.decode(code, SIGN_KINDS):
            case FrameCodes() as frames:
                tags = np.full(len(frames.times_s), WHOLE)
                self.append(position, count_milliseconds(frames.times_s), tags, frames.codes)
            case RegionCodes() as regions:
                tags = regions.regions.astype(np.int64)
                self.append(position, count_milliseconds(regions.times_s), tags, regions.codes)
            case _:
                return False
        return True


class DescriptorShelf(CodeTable):
    """Local descriptors.

    Args:
        folder: of this table alone; it may be missing. None keeps all in memory.
        family: whose codes.
    """

    def __init__(self, folder: Path | None, family: SearchFamily) -> None:
        super().__init__(
            folder,
            code_bytes=DESCRIPTOR_BYTES,
            bit_order=DESCRIPTOR_ORDER,
            fed_by=family.list_names([CodeKind.FEATURES]),
        )
        self._family = family

    def add(self, position: int, code: FingerprintCode) -> bool:
        """See ``shelves.Shelf``."""
        local = self._family.decode(code, [CodeKind.FEATURES])
        if not isinstance(local, LocalFeatures):
            return False
        times_ms = count_milliseconds(local.times_s[local.frame])
        self.append(position, times_ms, np.zeros(len(times_ms), np.int64), local.descriptors)
        return True


@dataclass(frozen=True, slots=True)
class VisualTables:
    """Both tables of one family as they were at one moment."""

    family: SearchFamily
    codes: CodeView
    descriptors: CodeView


def count_milliseconds(times_s: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Times as tables hold them."""
    return np.rint(times_s * 1000).astype(np.int64)
