"""What the services need from outside, in words: each adapter keeps these promises.

``bootstrap`` alone picks adapters. Errors are those of ``titledeed.errors``; foreign exceptions
never cross a port.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from titledeed.models.asset import MediaType
from titledeed.models.claim import Claim, SignedClaim, SigningDomain
from titledeed.models.disclosure import AssetDisclosure
from titledeed.models.evidence import Anchor, ChainIdentity, ManifestReport, SignedTransaction
from titledeed.models.fingerprint import FingerprintCode, FingerprintView
from titledeed.models.match import WorkMatch
from titledeed.models.primitives import (
    Address,
    Keccak256,
    LeafHash,
    MerkleRoot,
    RegistrationId,
    Sha256,
    Signature,
    TransactionHash,
)
from titledeed.models.record import Credential
from titledeed.models.registration import (
    Batch,
    Coverage,
    Job,
    Registration,
    SigningIntent,
    Visibility,
)


class Progress(Protocol):
    """Told how far long work has got; may be called from any thread, must not raise."""

    def __call__(self, label: str, fraction: float) -> None:
        """``fraction`` of the step named ``label`` is done, 0 to 1."""
        ...


def no_progress(label: str, fraction: float) -> None:
    """Tell nobody."""


class Clock(Protocol):
    """The wall clock."""

    def __call__(self) -> int:
        """Seconds since 1970, UTC."""
        ...


class FrameSink(Protocol):
    """Takes the sampled frames of one decode pass."""

    def add_frame(self, time_s: float, luma: npt.NDArray[np.uint8]) -> None:
        """One frame: seconds from the start and the luma plane, shape (height, width).

        The array may be reused after the call.
        """
        ...


class SampleSink(Protocol):
    """Takes the sound of one decode pass."""

    def add_samples(self, samples: npt.NDArray[np.float32]) -> None:
        """The next run of mono samples, shape (n,), -1 to 1, at ``media``'s sample rate."""
        ...


class Ledger(Protocol):
    """A chain that holds the ``TitleDeed`` contract. Every method may block for the network.

    Raises:
        LedgerUnavailableError: from any method, when the chain does not answer; retryable.
        ChainMismatchError: on first use, when it is not the pinned chain.
    """

    @property
    def identity(self) -> ChainIdentity:
        """The pinned chain; answers without the network."""
        ...

    @property
    def sender(self) -> Address:
        """The account that pays; it claims nothing."""
        ...

    def count_transactions(self) -> int:
        """The sender's nonce on the canonical chain; the outbox knows better what is under way."""
        ...

    def sign_anchor(self, root: MerkleRoot, size: int, nonce: int) -> SignedTransaction:
        """Sign ``anchor(root, size)`` without sending it. Needs the sender's key."""
        ...

    def broadcast(self, transaction: SignedTransaction) -> None:
        """Send the raw bytes. Idempotent: bytes already known or already mined are no error."""
        ...

    def find_receipt(self, transaction: TransactionHash) -> Anchor | None:
        """The anchor that the transaction made, or None while no block holds it.

        Raises:
            TransactionRevertedError: the contract refused it.
        """
        ...

    def find_anchor_time(self, root: MerkleRoot, caller: Address) -> int | None:
        """Block time under which the contract keeps the root for the caller, or None."""
        ...

    def is_canonical(self, anchor: Anchor) -> bool:
        """Whether the anchor's block is still on the chain at its height."""
        ...

    def close(self) -> None:
        """Release processes and connections; idempotent."""
        ...


class KeyStore(Protocol):
    """The claimant's key."""

    @property
    def claimant(self) -> Address:
        """The claimant's account; answers without the passphrase."""
        ...

    def sign_claim(self, claim: Claim, domain: SigningDomain) -> SignedClaim:
        """Sign as EIP-712 typed data.

        Raises:
            PassphraseError: the key cannot be opened.
        """
        ...

    def sign_digest(self, digest: Keccak256) -> Signature:
        """Sign a digest that already binds its own domain and purpose."""
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


class FingerprintIndex(Protocol):
    """Finds registered works by their codes. Thread-safe."""

    def search(self, views: Sequence[FingerprintView]) -> list[WorkMatch]:
        """Works of which the query holds at least one segment, best score first.

        Sees every registration accepted before the call, by whichever process.
        """
        ...

    def size(self) -> int:
        """How many works are indexed."""
        ...


class FingerprintSource(Protocol):
    """Where an index reads the codes from."""

    def iter_fingerprints(
        self, after: int
    ) -> Iterator[tuple[int, RegistrationId, FingerprintCode]]:
        """Codes accepted after cursor position ``after``, oldest first, with their position."""
        ...


class ObjectStore(Protocol):
    """Named bytes that survive a crash."""

    def put(self, key: str, data: bytes) -> None:
        """Write durably (fsync) before returning; replaces atomically.

        Raises:
            StorageError: the disk is full, read-only or damaged.
        """
        ...

    def get(self, key: str) -> bytes:
        """Read an object.

        Raises:
            NotFoundError: no such object.
            StorageError: it cannot be read.
        """
        ...

    def keys(self, prefix: str) -> list[str]:
        """Names under a prefix, sorted."""
        ...

    def locate(self, key: str) -> str:
        """Where a person finds the object: a path or a URL, whether or not it exists yet."""
        ...


class RegistrationRepository(FingerprintSource, Protocol):
    """Registrations, own and imported. Each method is one SQL transaction."""

    def hold(self, registration_id: RegistrationId) -> AbstractContextManager[None]:
        """Keep other processes and threads from accepting the same registration meanwhile.

        Raises:
            DependencyError: another holds it for too long.
        """
        ...

    def save_intent(self, intent: SigningIntent) -> None:
        """Remember what is about to be signed; replaces an earlier intent of the same id."""
        ...

    def find_intent(self, registration_id: RegistrationId) -> SigningIntent | None:
        """An intent that was not accepted yet."""
        ...

    def accept(
        self, registration: Registration, fingerprints: Sequence[FingerprintCode]
    ) -> Registration:
        """Store the row, its fingerprints and its outbox entry; forget the intent.

        Idempotent: where the id is already accepted, that registration is returned unchanged.
        """
        ...

    def add_imported(
        self, registration: Registration, fingerprints: Sequence[FingerprintCode]
    ) -> bool:
        """Store a registration of another home, without outbox; False if the id is known."""
        ...

    def find(self, registration_id: RegistrationId) -> Registration | None:
        """The registration with this id."""
        ...

    def find_by_digest(self, digest: Sha256) -> list[Registration]:
        """Registrations whose source or signed file has this SHA-256, earliest first."""
        ...

    def find_by_manifest(self, manifest_id: str) -> list[Registration]:
        """Registrations that recorded this manifest, earliest first."""
        ...

    def list_published(self) -> list[Registration]:
        """This home's own published and anchored registrations, oldest first."""
        ...

    def count_own(self) -> int:
        """How many registrations this home accepted itself."""
        ...

    def set_visibility(self, registration_id: RegistrationId, visibility: Visibility) -> None:
        """Publish or unpublish an own registration.

        Raises:
            NotFoundError: this home has no own registration with this id.
        """
        ...


class OutboxRepository(Protocol):
    """Leaves that wait for an anchor, and the batches under way. One writer at a time."""

    def writer(self) -> AbstractContextManager[None]:
        """Hold the right to batch and send, across processes.

        Raises:
            DependencyError: another process holds it for too long.
        """
        ...

    def list_waiting(self, limit: int) -> list[tuple[RegistrationId, LeafHash]]:
        """Leaves in no batch yet, in the order of acceptance."""
        ...

    def next_nonce(self, sender: Address, on_chain: int) -> int:
        """The next unused nonce: after all stored batches, and never below the chain's."""
        ...

    def add_batch(self, batch: Batch) -> None:
        """Store a signed batch and give its leaves their index, in one transaction."""
        ...

    def list_unsettled(self) -> list[Batch]:
        """Batches without an anchor, by nonce."""
        ...

    def settle(self, batch: Batch, anchor: Anchor) -> None:
        """Store the anchor; the batch's registrations become included. Idempotent."""
        ...

    def list_leaves(self, root: MerkleRoot) -> list[LeafHash]:
        """The leaves of the batch with this root, by index."""
        ...

    def find_batch(self, root: MerkleRoot) -> Batch | None:
        """The batch with this root."""
        ...


class SnapshotRepository(Protocol):
    """Imported snapshots."""

    def add(self, coverage: Coverage) -> None:
        """Remember an import; replaces the same id."""
        ...

    def list_all(self) -> list[Coverage]:
        """All imports, oldest export first."""
        ...


class JobRepository(Protocol):
    """Long work behind the HTTP API."""

    def save(self, job: Job) -> None:
        """Insert or replace."""
        ...

    def find(self, job_id: str) -> Job | None:
        """The job with this id."""
        ...

    def fail_running(self, problem: str) -> int:
        """Mark the jobs that a stopped server left running; returns how many."""
        ...


class TokenRepository(Protocol):
    """Bearer tokens of the HTTP API, kept as SHA-256 only."""

    def add(self, digest: Sha256) -> None:
        """Accept a token from now on."""
        ...

    def holds(self, digest: Sha256) -> bool:
        """Whether the token is accepted."""
        ...


class Repositories(Protocol):
    """All tables of one database."""

    @property
    def registrations(self) -> RegistrationRepository:
        """Registrations and their fingerprints."""
        ...

    @property
    def outbox(self) -> OutboxRepository:
        """Leaves and batches under way."""
        ...

    @property
    def snapshots(self) -> SnapshotRepository:
        """Imported snapshots."""
        ...

    @property
    def jobs(self) -> JobRepository:
        """Long work."""
        ...

    @property
    def tokens(self) -> TokenRepository:
        """Bearer tokens."""
        ...

    def check(self) -> None:
        """Answer if the database can be used.

        Raises:
            StorageError: it cannot.
        """
        ...
