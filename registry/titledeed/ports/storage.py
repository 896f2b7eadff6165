"""Objects and tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from titledeed.models.evidence import (
    SignedTransaction,
)
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.job import Job
from titledeed.models.ledger import (
    Block,
    Confirmations,
    Cursor,
    LedgerEvent,
    Mention,
    Submission,
    Tombstone,
)
from titledeed.models.primitives import (
    Address,
    BlockHash,
    LeafHash,
    MerkleRoot,
    RegistrationId,
    Sha256,
)
from titledeed.models.principal import TokenGrant
from titledeed.models.registration import (
    Batch,
    Coverage,
    Registration,
    SigningIntent,
    Visibility,
)
from titledeed.ports.index import FingerprintSource


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

    def put_many(self, objects: Mapping[str, bytes]) -> None:
        """``put`` for many, with one wait for the disk: all are durable when it returns.

        Raises:
            StorageError: as for ``put``; some may then be there and others not.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove an object durably; its absence is no error."""
        ...

    def keys(self, prefix: str) -> list[str]:
        """Names under a prefix, sorted."""
        ...

    def locate(self, key: str) -> str:
        """Where a person finds the object: a path or a URL, whether or not it exists yet."""
        ...


class RegistrationRepository(Protocol):
    """Registrations, own and imported. Each method is one SQL transaction."""

    def hold(
        self, registration_id: RegistrationId, *, wait: bool = True
    ) -> AbstractContextManager[None]:
        """Keep other processes and threads from accepting the same registration meanwhile.

        Args:
            registration_id: what is being accepted.
            wait: whether to wait for whoever holds it, as long as signing a film takes.

        Raises:
            DependencyError: another holds it, for too long.
        """
        ...

    def save_intent(self, intent: SigningIntent) -> None:
        """Remember what is about to be signed; replaces an earlier intent of the same id."""
        ...

    def find_intent(self, registration_id: RegistrationId) -> SigningIntent | None:
        """An intent that was not accepted yet."""
        ...

    def list_intents(self) -> list[SigningIntent]:
        """All that was not accepted yet: being carried out, or left by a killed process."""
        ...

    def forget_intent(self, registration_id: RegistrationId) -> None:
        """Give an intent up; its absence is no error."""
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

    def list_own(self, *, after: int, limit: int) -> list[tuple[int, Registration]]:
        """Own registrations after a position, in the order of acceptance, with their position."""
        ...

    def accept_many(
        self, entries: Sequence[tuple[Registration, Sequence[FingerprintCode]]]
    ) -> list[Registration]:
        """``accept`` for many, in one transaction; answers in the same order."""
        ...

    def erase(self, tombstone: Tombstone) -> None:
        """Forget an own registration: only the tombstone and the leaf's place in its batch remain.

        Idempotent.

        Raises:
            NotFoundError: this home has no own registration with this id.
        """
        ...

    def add_tombstone(self, tombstone: Tombstone) -> None:
        """Remember an erased registration that no row tells of, as a rebuild does.

        Its leaf has no place until ``OutboxRepository.add_batch`` names its id.
        """
        ...

    def find_tombstone(self, registration_id: RegistrationId) -> Tombstone | None:
        """What remains of an erased registration."""
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


class FingerprintRepository(FingerprintSource, Protocol):
    """Fingerprints of registrations; they go with the registration."""

    def add(self, registration_id: RegistrationId, codes: Sequence[FingerprintCode]) -> None:
        """Put codes beside those of a registration; an algorithm and version is kept only once.

        Raises:
            NotFoundError: there is no such registration (any more).
        """
        ...


class OutboxRepository(Protocol):
    """Leaves that wait for an anchor, and the calls under way. One writer at a time."""

    def writer(self) -> AbstractContextManager[None]:
        """Hold the right to batch and send, across processes.

        Raises:
            DependencyError: another process holds it for too long.
        """
        ...

    def list_waiting(self, limit: int) -> list[tuple[RegistrationId, LeafHash]]:
        """Leaves in no batch, in the order of acceptance."""
        ...

    def count_waiting(self) -> tuple[int, int | None]:
        """How many leaves are in no batch, and when the oldest of them was accepted."""
        ...

    def next_nonce(self, sender: Address, on_chain: int) -> int:
        """The next unused nonce: after all stored submissions, and never below the chain's."""
        ...

    def add_batch(self, batch: Batch, *, contract: Address, sent_at: int) -> Submission:
        """Store a signed batch and give its leaves their index, in one transaction.

        Args:
            batch: as it was signed.
            contract: that it is anchored in.
            sent_at: seconds since 1970, by this home's clock.
        """
        ...

    def add_act(
        self,
        transaction: SignedTransaction,
        *,
        contract: Address,
        sender: Address,
        label: str,
        registration_id: RegistrationId | None,
        sent_at: int,
    ) -> Submission:
        """Store a signed act before it is first broadcast."""
        ...

    def add_attempt(
        self, submission: Submission, transaction: SignedTransaction, sent_at: int
    ) -> Submission:
        """Store a replacement of the same nonce before it is broadcast."""
        ...

    def list_pending(self) -> list[Submission]:
        """Submissions in no followed block, by sender and nonce."""
        ...

    def find_submission(self, submission_id: int) -> Submission | None:
        """The submission with this number."""
        ...

    def mark_included(self, submission: Submission) -> None:
        """A block holds it and it had nothing left to do, so that no event tells of it.

        A batch whose root the followed chain knows under this sender gets that anchor.

        Raises:
            InvariantViolation: it is a batch, and no followed event holds its root.
        """
        ...

    def mark_reverted(self, submission: Submission, problem: str) -> None:
        """The contract refused it. A batch's leaves wait again, in one transaction."""
        ...

    def list_leaves(self, root: MerkleRoot) -> list[LeafHash]:
        """The leaves of the batch with this root, by index."""
        ...


class ChainRepository(Protocol):
    """What this home knows of its chain: recent blocks, all events of each contract.

    Blocks are the chain's; cursor, sequence and running hash are a contract's own. Contracts that
    were followed to the newest block go on together (``advance``); one that was added to a home
    comes after them alone (``catch_up``).
    """

    def cursor(self, contract: Address) -> Cursor | None:
        """How far a contract was followed; None before its first block."""
        ...

    def list_blocks(self) -> list[Block]:
        """The last followed blocks, newest first, as many as are kept to find a fork."""
        ...

    def advance(
        self,
        *,
        contracts: Collection[Address],
        fork: int | None,
        blocks: Sequence[Block],
        events: Sequence[LedgerEvent],
        confirmations: Confirmations,
    ) -> None:
        """Forget every block above height ``fork``, then add blocks and events: one transaction.

        Submissions that lose their block are pending again, and so are their registrations; those
        whose event arrives are included. Registrations become safe and final by depth. Idempotent:
        the same arguments again leave the same rows.

        Args:
            contracts: whose events in the added blocks these are, followed to the fork at least.
                What others logged above the fork is forgotten, and they have to catch up.
            fork: the highest block that both chains share; None forgets everything.
            blocks: ascending and linked by their parents' hashes; the last becomes the cursor. The
                first may stand higher than ``fork`` + 1, after a stretch read by number.
            events: of the added stretch, ascending.
            confirmations: of this chain.
        """
        ...

    def catch_up(
        self,
        contract: Address,
        *,
        fork: int | None,
        block: Block,
        events: Sequence[LedgerEvent],
    ) -> None:
        """Forget a contract's events above height ``fork``, then add others: one transaction.

        Args:
            contract: followed to the fork at least.
            fork: above which its events were read; None for all that it ever logged.
            block: up to which they were read; at or below the newest block that was followed.
            events: of that stretch, ascending.
        """
        ...

    def head_at(self, contract: Address, number: int) -> tuple[int, bytes]:
        """Sequence and running hash after the last event at or below a height; 0 and zeros."""
        ...

    def list_events(self, contract: Address, *, after: int, limit: int) -> list[LedgerEvent]:
        """A contract's events after a sequence number, ascending."""
        ...

    def list_about(self, subjects: Sequence[bytes]) -> list[LedgerEvent]:
        """Events of any contract about one of these words, by ``LedgerEvent.place``."""
        ...

    def list_declarations(self, keys: Sequence[Address]) -> list[LedgerEvent]:
        """Declarations of any of these keys, by ``LedgerEvent.place``."""
        ...

    def list_mentioning(self, mentions: Sequence[Mention]) -> list[LedgerEvent]:
        """Events that mention any of these words, each once, by ``LedgerEvent.place``."""
        ...


@dataclass(frozen=True, slots=True)
class IncompleteBatch:
    """A batch whose registrations lack the evidence bundles for its present block.

    Attributes:
        batch_id: number of the batch in the database.
        block_hash: of the block that holds its anchor now.
        registrations: own ones, in no order; none where all were erased.
    """

    batch_id: int
    block_hash: BlockHash
    registrations: tuple[Registration, ...]


class CompletionRepository(Protocol):
    """Which batches have the evidence bundles of their registrations."""

    def find_next(self, after: int) -> IncompleteBatch | None:
        """The first batch above a number that lacks bundles for its block.

        So does one whose bundles were made before its block was final.
        """
        ...

    def list_erased(self, batch: IncompleteBatch) -> list[RegistrationId]:
        """Those of its registrations that are there no more."""
        ...

    def mark(self, batch: IncompleteBatch, *, is_final: bool) -> None:
        """Its bundles are kept; where they are not final, it is found again once its block is."""
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

    def list_running(self) -> list[Job]:
        """Jobs that did not end, oldest first."""
        ...


class TokenRepository(Protocol):
    """Bearer tokens of the HTTP API, kept as SHA-256 only."""

    def add(self, digest: Sha256, grant: TokenGrant) -> None:
        """Accept a token from now on; replaces what it stood for."""
        ...

    def find(self, digest: Sha256) -> TokenGrant | None:
        """What the token stands for; None for one that is not accepted."""
        ...


class Repositories(Protocol):
    """All tables of one database."""

    @property
    def registrations(self) -> RegistrationRepository:
        """Registrations."""
        ...

    @property
    def fingerprints(self) -> FingerprintRepository:
        """What an index reads."""
        ...

    @property
    def outbox(self) -> OutboxRepository:
        """Leaves and batches under way."""
        ...

    @property
    def followed(self) -> ChainRepository:
        """What was followed of the chain."""
        ...

    @property
    def completions(self) -> CompletionRepository:
        """Which batches have their bundles."""
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
