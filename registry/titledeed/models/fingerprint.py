"""Fingerprints: what an algorithm computed from decoded media."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FingerprintCode:
    """One algorithm's output for one asset, as stored and anchored.

    Attributes:
        algorithm: stable id, for example ``titledeed.dct256``.
        version: a changed algorithm is a new version beside the old.
        code: the algorithm's own encoding; opaque outside its plug-in.
    """

    algorithm: str
    version: int
    code: bytes


@dataclass(frozen=True, slots=True)
class FingerprintView:
    """A code of the query under a transform that costs nothing at query time.

    Only ever searched with, never stored.

    Attributes:
        code: encoded like the stored code.
        mirrored: whether the view is the horizontally flipped picture.
    """

    code: FingerprintCode
    mirrored: bool
