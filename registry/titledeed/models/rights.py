"""Rights: who holds a work, who contributed, what it is called."""

from __future__ import annotations

from dataclasses import dataclass

from titledeed.models.primitives import Address

SHARES_TOTAL = 1_000_000
"""Shares are parts per million, so that they add up exactly."""


@dataclass(frozen=True, slots=True)
class RightsHolder:
    """One holder and the share claimed for it, in parts per million."""

    account: Address
    share_ppm: int
    role: str


@dataclass(frozen=True, slots=True)
class RightsStatement:
    """The document behind a Claim's rights digest. Off chain; published only by its holder.

    Attributes:
        title: what the claimant calls the work.
        holders: shares add up to ``SHARES_TOTAL``.
        credits: free lines, for example ``Prompts: A. Name``.
    """

    title: str
    holders: tuple[RightsHolder, ...]
    credits: tuple[str, ...] = ()
