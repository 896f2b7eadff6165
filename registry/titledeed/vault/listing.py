"""How the index lists what is kept: a registration from its dossier or its bundle."""

from __future__ import annotations

from dataclasses import replace

from titledeed.canonical.leaves import leaf_of_record
from titledeed.models.bundle import Bundle
from titledeed.models.evidence import ClaimStatus
from titledeed.models.record import Dossier
from titledeed.models.registration import Registration, Visibility


def list_dossier(
    dossier: Dossier, *, visibility: Visibility, accepted_at: int, signed_path: str | None
) -> Registration:
    """How the index lists a dossier that no block includes yet."""
    record = dossier.record
    claim = record.signed_claim.claim
    return Registration(
        registration_id=dossier.registration_id,
        domain=record.signed_claim.domain,
        claimant=claim.claimant,
        content_digest=claim.content_digest,
        signed_digest=record.credential.signed_digest if record.credential else None,
        manifest_id=record.credential.manifest_id if record.credential else None,
        title=dossier.rights.title,
        source_type=dossier.disclosure.source_type,
        status=ClaimStatus.PENDING,
        visibility=visibility,
        snapshot_id=None,
        signed_path=signed_path,
        leaf=leaf_of_record(record, dossier.salts),
        leaf_index=None,
        anchor=None,
        duration_ms=record.facts.duration_ms,
        claimed_at=claim.claimed_at,
        accepted_at=accepted_at,
    )


def list_bundle(bundle: Bundle, snapshot_id: str, *, accepted_at: int) -> Registration:
    """How the index lists a bundle that came from elsewhere."""
    listed = list_dossier(
        bundle.dossier,
        visibility=Visibility.PUBLISHED,
        accepted_at=accepted_at,
        signed_path=None,
    )
    return replace(
        listed,
        snapshot_id=snapshot_id,
        status=ClaimStatus.INCLUDED,
        leaf_index=bundle.own.proof.index,
        anchor=bundle.own.anchor,
        has_bundle=True,
    )
