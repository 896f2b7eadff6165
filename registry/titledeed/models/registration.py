"""Registrations as the registry keeps them, and the batches that anchor them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from titledeed.models.claim import SigningDomain
from titledeed.models.evidence import Anchor, ClaimStatus, SignedTransaction
from titledeed.models.primitives import Address, LeafHash, MerkleRoot, RegistrationId, Sha256
from titledeed.models.principal import Principal


class Visibility(StrEnum):
    """Who sees a registration: its home alone, or everybody."""

    PRIVATE = "private"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Registration:
    """One registration, own or imported, as the index lists it.

    Attributes:
        domain: chain and contract for which the claim was signed.
        signed_digest: SHA-256 of the signed copy; None for types that carry no manifest.
        snapshot_id: the imported snapshot it came from; None for this home's own.
        signed_path: where this home put the signed copy; None when there is none.
        anchor: None until a block includes it.
        leaf_index: position in the anchor's tree; None until it is batched.
        accepted_at: seconds since 1970, by this home's clock.
        has_bundle: whether the evidence bundle for its present anchor is kept.
    """

    registration_id: RegistrationId
    domain: SigningDomain
    claimant: Address
    content_digest: Sha256
    signed_digest: Sha256 | None
    manifest_id: str | None
    title: str
    source_type: str
    status: ClaimStatus
    visibility: Visibility
    snapshot_id: str | None
    signed_path: str | None
    leaf: LeafHash
    leaf_index: int | None
    anchor: Anchor | None
    duration_ms: int
    claimed_at: int
    accepted_at: int
    has_bundle: bool = False

    @property
    def is_own(self) -> bool:
        """Whether this home accepted it, and no snapshot brought it."""
        return self.snapshot_id is None

    def is_visible_to(self, principal: Principal) -> bool:
        """Whether the principal may know of this registration at all.

        Nothing else decides it: a private registration adds nothing to any answer to others.
        """
        is_published = self.visibility is Visibility.PUBLISHED
        return is_published or principal.is_owner or self.belongs_to(principal)

    def belongs_to(self, principal: Principal) -> bool:
        """Whether it is theirs to publish: claimed here by their account, or kept in their home."""
        return self.is_own and (principal.is_owner or principal.speaks_for(self.claimant))


@dataclass(frozen=True, slots=True)
class SigningIntent:
    """Written before a file is signed, so that a killed process can be taken up again."""

    registration_id: RegistrationId
    source_path: str
    signed_path: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Leaves that share one anchor transaction.

    Attributes:
        registration_ids: in leaf order.
        attempts: signed transactions of the same call and nonce, oldest first, each stored before
            it is first broadcast; the chain tells which of them a block holds.
    """

    root: MerkleRoot
    registration_ids: tuple[RegistrationId, ...]
    sender: Address
    attempts: tuple[SignedTransaction, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a snapshot holds, as reports print it.

    Attributes:
        exported_at: seconds since 1970, by the exporter's clock.
        exporter: the account that signed the snapshot.
        registrations: how many it holds.
    """

    snapshot_id: str
    exported_at: int
    exporter: Address
    registrations: int
    chain_id: int
