"""Rights: who holds a work, who contributed, what went into it, what it is called."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from titledeed.models.lineage import WorkReference
from titledeed.models.primitives import Address, Keccak256, Sha256
from titledeed.models.unread import Unread

SHARES_TOTAL = 1_000_000
"""Shares are parts per million, so that they add up exactly."""

UNDETERMINED = "und"
"""The language tag (BCP 47) of a text whose language nobody stated."""


class Basis(StrEnum):
    """Why somebody may use an input; other words are read as well."""

    OWNED = "owned"
    LICENSED = "licensed"
    PERMISSION = "permission"
    PUBLIC_DOMAIN = "public_domain"
    OPEN_LICENCE = "open_licence"
    EXCEPTION = "exception"
    UNKNOWN = "unknown"


class Mining(StrEnum):
    """Uses about which CAWG's training and data mining assertion speaks, by its labels."""

    DATA_MINING = "cawg.data_mining"
    AI_INFERENCE = "cawg.ai_inference"
    AI_TRAINING = "cawg.ai_training"
    AI_GENERATIVE_TRAINING = "cawg.ai_generative_training"


class MiningUse(StrEnum):
    """What is said of a use."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "notAllowed"
    CONSTRAINED = "constrained"


@dataclass(frozen=True, slots=True)
class Title:
    """What the work is called in one language (BCP 47)."""

    text: str
    language: str = UNDETERMINED


@dataclass(frozen=True, slots=True)
class RightsHolder:
    """One holder and the share claimed for it, in parts per million.

    Attributes:
        account: None where only a name is stated.
        role: free text, for example ``claimant`` or ``producer``.
        name: what the claimant calls the holder; nobody checks it.
    """

    account: Address | None
    share_ppm: int
    role: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Contributor:
    """Somebody who is credited and need hold nothing.

    Attributes:
        role: None for a free line, as documents of version 1 have them.
    """

    name: str
    role: str | None = None
    account: Address | None = None

    @property
    def line(self) -> str:
        """As credits are read, for example ``Prompts: A. Name``."""
        return f"{self.role}: {self.name}" if self.role else self.name


@dataclass(frozen=True, slots=True)
class InputRight:
    """On what basis something that belongs to others, or to nobody, went into the work.

    Attributes:
        kind: for example ``photograph``, ``voice``, ``model``.
        basis: a word of ``Basis`` or another.
        licence: an SPDX licence expression; ``LicenseRef-`` names a text of one's own.
        licence_digest: SHA-256 of the licence's text, or of the agreement.
    """

    work: WorkReference
    kind: str
    basis: str
    licence: str | None = None
    licence_digest: Sha256 | None = None


@dataclass(frozen=True, slots=True)
class MiningEntry:
    """What the claimant says of one use: a label of ``Mining`` and a word of ``MiningUse``.

    Attributes:
        constraint: in words, where the use is constrained.
    """

    label: str
    use: str
    constraint: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """The text on which the work is offered; it is not part of the statement."""

    digest: Sha256
    url: str | None = None


@dataclass(frozen=True, slots=True)
class RightsStatement:
    """The document behind a Claim's rights digest. Off chain; published only by its holder.

    Attributes:
        titles: what the claimant calls the work; the first is shown.
        holders: shares add up to ``SHARES_TOTAL``.
        consents: commitments to consents of people who are seen or heard (``canonical.leaves``).
        mining: empty where the claimant states nothing, which is not "allowed".
        version: of the document's schema; 1 holds titles without language and free credit lines.
    """

    titles: tuple[Title, ...]
    holders: tuple[RightsHolder, ...]
    contributors: tuple[Contributor, ...] = ()
    inputs: tuple[InputRight, ...] = ()
    consents: tuple[Keccak256, ...] = ()
    mining: tuple[MiningEntry, ...] = ()
    terms: Terms | None = None
    version: int = 2
    unread: tuple[Unread, ...] = ()

    @property
    def title(self) -> str:
        """The first title."""
        return self.titles[0].text
