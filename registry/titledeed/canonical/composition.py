"""A Claim from the documents that it binds."""

from __future__ import annotations

from collections.abc import Sequence

from titledeed.canonical.disclosures import encode_disclosure
from titledeed.canonical.documents import digest_document
from titledeed.canonical.fingerprints import digest_fingerprints
from titledeed.canonical.lineages import encode_lineage
from titledeed.canonical.rights import encode_rights
from titledeed.canonical.statements import state_claim
from titledeed.models.claim import Claim
from titledeed.models.disclosure import AssetDisclosure
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.lineage import Lineage
from titledeed.models.primitives import Address, Sha256
from titledeed.models.rights import RightsStatement


def compose_claim(
    claimant: Address,
    content_digest: Sha256,
    *,
    fingerprints: Sequence[FingerprintCode],
    disclosure: AssetDisclosure,
    rights: RightsStatement,
    lineage: Lineage,
    recovery_key: Address,
    claimed_at: int,
) -> Claim:
    """The Claim of version 2 over these documents, with the sentence that they give.

    Args:
        claimant: the account that claims.
        content_digest: SHA-256 of the source bytes, before signing.
        fingerprints: in the order in which they are kept.
        disclosure: how the work was made.
        rights: whose it is claimed to be.
        lineage: from which works it was made.
        recovery_key: may declare the claimant's key lost; the zero address names none.
        claimed_at: the claimant's own clock, seconds since 1970.
    """
    return Claim(
        claimant=claimant,
        content_digest=content_digest,
        fingerprints_digest=digest_fingerprints(fingerprints),
        disclosure_digest=digest_document(encode_disclosure(disclosure)),
        rights_digest=digest_document(encode_rights(rights)),
        recovery_key=recovery_key,
        claimed_at=claimed_at,
        lineage_digest=digest_document(encode_lineage(lineage)),
        statement=state_claim(rights, disclosure, lineage),
    )
