"""What a digital source type, as somebody wrote it, says about AI (IPTC NewsCodes)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from titledeed.models.disclosure import GENERATIVE_SOURCE_TYPES, IPTC_BASE, DigitalSourceType


class SourceClass(StrEnum):
    """Three answers; most unknown terms are neither."""

    GENERATIVE = "generative"
    NOT_GENERATIVE = "not_generative"
    UNKNOWN = "unknown"


# "May or may not be" AI by their own definitions.
_UNDECIDED: Final = frozenset(
    {
        DigitalSourceType.COMPOSITE,
        DigitalSourceType.VIRTUAL_RECORDING,
        DigitalSourceType.SCREEN_CAPTURE,
    }
)
# Retired by IPTC: read, never written.
_RETIRED: Final = frozenset({"softwareImage", "minorHumanEdits", "digitalArt"})


def classify(text: str) -> SourceClass:
    """Class of a NewsCodes URI (http or https) or of a bare term.

    A URI of another vocabulary is unknown, even when it ends in a term of this one.
    """
    term = text.strip()
    for base in (IPTC_BASE, IPTC_BASE.replace("http:", "https:")):
        term = term.removeprefix(base)
    if term in GENERATIVE_SOURCE_TYPES:
        return SourceClass.GENERATIVE
    if term in _RETIRED or (term in set(DigitalSourceType) and term not in _UNDECIDED):
        return SourceClass.NOT_GENERATIVE
    return SourceClass.UNKNOWN
