"""The registrations to which a file's own manifest leads."""

from __future__ import annotations

from titledeed.models.evidence import IntegrityCode, ManifestReport, TrustCode
from titledeed.models.principal import Principal
from titledeed.models.registration import Registration
from titledeed.services.visibility import VisibleRegistrations


def find_carried(
    visible: VisibleRegistrations, manifest: ManifestReport, principal: Principal
) -> list[Registration]:
    """Registrations that recorded the manifest which update manifests alone lead to.

    An added receipt changes the bytes, not the identity. But a manifest's label can be forged, so
    its signer must be one that this home trusts, and its claim the recorded one.
    """
    claim = manifest.signed_claim
    if (
        manifest.integrity is not IntegrityCode.INTACT
        or manifest.trust is not TrustCode.TRUSTED
        or manifest.content_manifest_id is None
        or claim is None
    ):
        return []
    return [
        registration
        for registration in visible.find_by_manifest(manifest.content_manifest_id, principal)
        if registration.claimant == claim.claim.claimant
        and registration.content_digest == claim.claim.content_digest
    ]
