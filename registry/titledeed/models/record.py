"""The Record, and the dossier that keeps all that opens its leaf."""

from __future__ import annotations

from dataclasses import dataclass

from titledeed.models.asset import MediaFacts
from titledeed.models.claim import SignedClaim
from titledeed.models.disclosure import AssetDisclosure
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.primitives import RegistrationId, Salt, Sha256
from titledeed.models.rights import RightsStatement


@dataclass(frozen=True, slots=True)
class Credential:
    """The signed copy of the source and the manifest in it.

    Attributes:
        signed_digest: SHA-256 of the signed file.
        manifest_id: label of the active manifest (``urn:c2pa:…``).
        manifest_digest: SHA-256 of the manifest store.
    """

    signed_digest: Sha256
    manifest_id: str
    manifest_digest: Sha256


@dataclass(frozen=True, slots=True)
class Record:
    """What one leaf commits to besides the content: claim, signature, credential, facts.

    ``credential`` is absent for media types that carry no manifest.
    """

    signed_claim: SignedClaim
    credential: Credential | None
    facts: MediaFacts


@dataclass(frozen=True, slots=True)
class Salts:
    """The two salts of a leaf: the content part can be opened without the record part."""

    content: Salt
    record: Salt


@dataclass(frozen=True, slots=True)
class Dossier:
    """A Record and everything its digests commit to; one object in the object store.

    With a chain proof added it becomes an evidence bundle.
    """

    registration_id: RegistrationId
    record: Record
    salts: Salts
    fingerprints: tuple[FingerprintCode, ...]
    disclosure: AssetDisclosure
    rights: RightsStatement
    manifest_store: bytes
