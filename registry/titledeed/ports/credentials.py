"""Claimants' keys, and Content Credentials."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from titledeed.models.asset import MediaType
from titledeed.models.claim import Claim, SignedClaim, SigningDomain
from titledeed.models.disclosure import AssetDisclosure
from titledeed.models.evidence import Credential, ManifestReport
from titledeed.models.primitives import Address, Keccak256, Signature


class KeyStore(Protocol):
    """Keys of claimants."""

    def holds(self, account: Address) -> bool:
        """Whether the key of this account is here; answers without the passphrase."""
        ...

    def sign_claim(self, claim: Claim, domain: SigningDomain) -> SignedClaim:
        """Sign as EIP-712 typed data, with the key of the claim's claimant.

        Raises:
            NotAuthorizedError: that key is not here.
            PassphraseError: it cannot be opened.
        """
        ...

    def sign_digest(self, digest: Keccak256, account: Address) -> Signature:
        """Sign a digest that already binds its own domain and purpose.

        Raises:
            NotAuthorizedError: the key of this account is not here.
            PassphraseError: it cannot be opened.
        """
        ...


class AccountKeyStore(KeyStore, Protocol):
    """The key of one account."""

    @property
    def address(self) -> Address:
        """The account."""
        ...


@dataclass(frozen=True, slots=True)
class SoftBinding:
    """One fingerprint as it goes into ``c2pa.soft-binding``; ``value`` is base64."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True)
class ManifestDraft:
    """What goes into a manifest."""

    title: str
    media_type: MediaType
    signed_claim: SignedClaim
    disclosure: AssetDisclosure
    soft_bindings: tuple[SoftBinding, ...]


@dataclass(frozen=True, slots=True)
class SignedCopy:
    """A signed file's credential and the manifest store embedded in it."""

    credential: Credential
    manifest_store: bytes


class ManifestSigner(Protocol):
    """Signs C2PA manifests."""

    def sign(self, source: Path, destination: Path, draft: ManifestDraft) -> SignedCopy:
        """Write a signed copy.

        The destination appears whole (fsync, rename) or not at all; the source is never touched.

        Raises:
            SigningError: the library refused, or the paths name the same file.
            StorageError: the disk is full or read-only.
        """
        ...


class ManifestReader(Protocol):
    """Reads C2PA manifests of untrusted files, in a sandbox, without network."""

    def read(self, path: Path, media_type: MediaType) -> ManifestReport:
        """Read the manifest store embedded in the file; its absence is an answer, not an error."""
        ...

    def read_kept(self, manifest_store: bytes) -> ManifestReport:
        """Read a manifest store kept apart from its file; its hard binding is not judged."""
        ...
