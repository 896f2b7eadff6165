"""The codes of one file that show what is seen, decoded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from titledeed.fingerprinting.algorithms import SearchFamily, list_families
from titledeed.fingerprinting.base import CodeKind, FrameCodes
from titledeed.fingerprinting.pictures.local_features import LocalFeatures
from titledeed.fingerprinting.pictures.regions import RegionCodes
from titledeed.models.fingerprint import FingerprintCode

SIGN_KINDS: Final = (CodeKind.FRAMES, CodeKind.REGIONS)
"""Codes that are near each other whichever of the two they are."""

PICTURE_KINDS: Final = (*SIGN_KINDS, CodeKind.FEATURES)


@dataclass(frozen=True, slots=True)
class PictureCodes:
    """Decoded codes of one family; None where an algorithm found no evidence."""

    frames: FrameCodes | None = None
    regions: RegionCodes | None = None
    local: LocalFeatures | None = None


def read_picture_codes(
    codes: Iterable[FingerprintCode], family: SearchFamily | None = None
) -> PictureCodes:
    """Decode those codes of a file that are compared here; others are passed over.

    Args:
        codes: all of the file.
        family: which to read; our own, the first of the table, where none is named.

    Raises:
        MalformedDocumentError: one of them does not decode.
    """
    read = PictureCodes()
    family = family or list_families(PICTURE_KINDS)[0]
    for code in codes:
        match family.decode(code, PICTURE_KINDS):
            case FrameCodes() as frames:
                read = replace(read, frames=frames)
            case RegionCodes() as regions:
                read = replace(read, regions=regions)
            case LocalFeatures() as local:
                read = replace(read, local=local)
            case _:
                pass
    return read
