"""What one look at a file found."""

from __future__ import annotations

from dataclasses import dataclass

from titledeed.models.asset import Asset, MediaKind, MediaType
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.match import Query


@dataclass(frozen=True, slots=True)
class Examination:
    """What one look at a file found.

    Attributes:
        fingerprints: to be stored; empty where the media carry no evidence (one colour, black).
        thumbnail: JPEG; empty for sound.
        notes: why an algorithm found no evidence, one line each.
    """

    asset: Asset
    fingerprints: tuple[FingerprintCode, ...]
    thumbnail: bytes
    notes: tuple[str, ...]

    @property
    def media_type(self) -> MediaType:
        """The type that the bytes show."""
        return MediaType(self.asset.facts.media_type)

    @property
    def query(self) -> Query:
        """What a search needs to know of the file."""
        is_still = self.media_type.kind is MediaKind.IMAGE
        return Query(self.fingerprints, 0.0 if is_still else self.asset.facts.duration_ms / 1000)
