"""Fingerprints: what an algorithm computed from decoded media."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FingerprintCode:
    """One algorithm's output for one asset, as stored and anchored.

    It is also all that a search needs: mirrored, turned or sped-up views follow from the code.

    Attributes:
        algorithm: stable id, for example ``titledeed.dct256``.
        version: a changed algorithm is a new version beside the old.
        code: the algorithm's own encoding; opaque outside its plug-in.
    """

    algorithm: str
    version: int
    code: bytes
