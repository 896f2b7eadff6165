"""The Record, the dossier that keeps all that opens its leaf, and what opens commitments in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from titledeed.models.asset import MediaFacts
from titledeed.models.claim import SignedClaim
from titledeed.models.disclosure import AssetDisclosure
from titledeed.models.evidence import Credential
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.lineage import Lineage
from titledeed.models.primitives import Keccak256, RegistrationId, Salt
from titledeed.models.rights import RightsStatement
from titledeed.models.unread import Unread


@dataclass(frozen=True, slots=True)
class Record:
    """What one leaf commits to besides the content: claim, signature, credential, facts.

    Attributes:
        credential: absent for media types that carry no manifest.
        version: of the document's schema.
    """

    signed_claim: SignedClaim
    credential: Credential | None
    facts: MediaFacts
    version: int = 2
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class Salts:
    """The two salts of a leaf: the content part can be opened without the record part."""

    content: Salt
    record: Salt


@dataclass(frozen=True, slots=True)
class Dossier:
    """A Record and everything its digests commit to; one object in the object store.

    With a chain proof added it becomes an evidence bundle.

    Attributes:
        lineage: None where the claim is of version 1, which names none.
    """

    registration_id: RegistrationId
    record: Record
    salts: Salts
    fingerprints: tuple[FingerprintCode, ...]
    disclosure: AssetDisclosure
    rights: RightsStatement
    lineage: Lineage | None
    manifest_store: bytes

    @property
    def unread(self) -> dict[str, tuple[Unread, ...]]:
        """What of each signed document this release does not read."""
        kept = {
            "record": self.record.unread,
            "disclosure": self.disclosure.unread,
            "rights": self.rights.unread,
            "lineage": self.lineage.unread if self.lineage else (),
        }
        return {name: unread for name, unread in kept.items() if unread}


class CommitmentKind(StrEnum):
    """What is committed to, and so what an opening's value is.

    ``prompt``: its text. ``registration``: a registration id. ``content``: SHA-256 of bytes, in
    hexadecimal. ``consent``: SHA-256 of a consent document, in hexadecimal.
    """

    PROMPT = "prompt"
    REGISTRATION = "registration"
    CONTENT = "content"
    CONSENT = "consent"


@dataclass(frozen=True, slots=True)
class Opening:
    """Shows what a commitment stands for, to whomever it is given."""

    kind: CommitmentKind
    commitment: Keccak256
    salt: Salt
    value: str
