"""The only place that picks adapters.

``open_registry(settings)`` gives one object whose services are built when first used: listing
packs or checking a bundle starts no chain and opens no database.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from importlib.metadata import version
from types import TracebackType
from typing import Final, Self

from titledeed.anchoring.batching import AnchoringService
from titledeed.anchoring.following import FollowingService
from titledeed.anchoring.sending import SendingService
from titledeed.chain.development.chain import DevelopmentChain
from titledeed.chain.key_folder import read_recovery_address
from titledeed.chain.keys import FileKeyStore, KeyFile
from titledeed.chain.ledger import EvmLedger
from titledeed.chain.pin import read_pin
from titledeed.chain.rpc import HttpNode, Node
from titledeed.credentials.authority import (
    SigningIdentity,
    open_signing_identity,
    root_certificate,
)
from titledeed.credentials.reader import C2paReader
from titledeed.credentials.signer import C2paSigner
from titledeed.credentials.trust import load_trust_anchors
from titledeed.errors import (
    HomeNotInitializedError,
    InvalidRequestError,
    PassphraseError,
)
from titledeed.examining import SandboxedExaminer
from titledeed.homes.layout import HomeLayout
from titledeed.matching.embedded import EmbeddedIndex
from titledeed.media.limits import MediaLimits
from titledeed.models.evidence import ChainIdentity, ChainKind
from titledeed.models.ledger import Confirmations
from titledeed.ports import Ledger, TimestampAuthority
from titledeed.proofs.contracts import core_domain
from titledeed.sandbox import Sandbox, SandboxLimits
from titledeed.services.acceptance import Acceptance
from titledeed.services.access import AccessService
from titledeed.services.acts import ActService
from titledeed.services.audit import AuditService
from titledeed.services.catalogue import Catalogue
from titledeed.services.chain_report import ChainReportService
from titledeed.services.history import HistoryService
from titledeed.services.jobs import JobService
from titledeed.services.registration import RegistrationService
from titledeed.services.reindexing import ReindexingService
from titledeed.services.snapshot import SnapshotService
from titledeed.services.verification import VerificationService
from titledeed.settings import Settings
from titledeed.store.chain import SqlChain
from titledeed.store.database import sqlite_url
from titledeed.store.locking import hold_lock
from titledeed.store.objects import LocalObjectStore
from titledeed.store.occupancy import occupy
from titledeed.store.outbox import SqlOutbox
from titledeed.store.registrations import SqlRegistrations
from titledeed.store.repositories import SqlRepositories

PUBLIC_CONFIRMATIONS: Final = Confirmations(safe=32, final=96)
"""Ethereum finalises after 64 to 95 blocks; a chain that differs has its own settings."""

FOLLOWER_TIMEOUT_S: Final = 60.0


def now() -> int:
    """The wall clock, seconds since 1970."""
    return int(time.time())


def read_passphrase(settings: Settings) -> str:
    """The passphrase that opens the keys: from the settings, their file, or the generated file.

    Raises:
        PassphraseError: there is none, or its file cannot be read.
    """
    if settings.passphrase is not None:
        return settings.passphrase.get_secret_value()
    path = settings.passphrase_file or HomeLayout(settings.home_path).passphrase_file
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise PassphraseError(
            f"no passphrase: {path} cannot be read",
            next_step="Set TITLEDEED_PASSPHRASE or TITLEDEED_PASSPHRASE_FILE.",
        ) from error


class Registry:
    """All services of one home. Close it, or use it in a ``with`` block."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.layout = HomeLayout(settings.home_path)
        if not self.layout.claimant_key.exists():
            raise HomeNotInitializedError(
                f"{self.layout.root} is no home of Titledeed yet",
                next_step="Run `titledeed init`, or set TITLEDEED_HOME to an existing home.",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End processes and connections; idempotent."""
        built = self.__dict__
        for name in ("jobs", "ledger", "repositories", "_occupancy"):
            if name in built:
                built.pop(name).close()

    def warm_up(self) -> None:
        """Build every service now.

        A server calls it before it starts threads: from Python 3.12 on, ``cached_property`` takes
        no lock, and two threads could build two.
        """
        _ = (
            self.registration,
            self.catalogue,
            self.history,
            self.acts,
            self.chain_report,
            self.verification,
            self.audit,
            self.snapshots,
            self.access,
            self.jobs,
            self.ledger,
        )

    def check(self) -> None:
        """Answer if database and chain can be used.

        Raises:
            StorageError: the database cannot.
            LedgerUnavailableError: the chain cannot.
        """
        self.repositories.check()
        self.anchoring.require_ledger()

    def serve_chain(self, host: str, port: int, on_ready: Callable[[str], None]) -> None:
        """Offer the development chain's journalled RPC; blocks until interrupted.

        Raises:
            InvalidRequestError: this home anchors on another chain.
        """
        from titledeed.chain.development.rpc_server import serve_rpc

        if self.chain_identity.kind is not ChainKind.DEVELOPMENT:
            raise InvalidRequestError(
                "this home runs no chain of its own",
                next_step="Use the RPC URL that it is configured with.",
            )
        chain = DevelopmentChain(folder=self.layout.chain)
        _ = chain.genesis  # refused before a port is opened
        try:
            serve_rpc(chain, host=host, port=port, on_ready=on_ready)
        finally:
            chain.close()

    @cached_property
    def chain_identity(self) -> ChainIdentity:
        """The chain that this home pins."""
        return read_pin(self.layout.chain).identity

    @cached_property
    def node(self) -> Node:
        """What answers Ethereum JSON-RPC; the ledger closes it."""
        chain = self._settings.chain
        if chain.rpc_url is None:
            return DevelopmentChain(folder=self.layout.chain)
        return HttpNode(url=chain.rpc_url, timeout_s=chain.rpc_timeout_s)

    @cached_property
    def ledger(self) -> Ledger:
        """The chain; it connects, or starts a process, on first use."""
        return EvmLedger(
            node=self.node,
            pin=read_pin(self.layout.chain),
            sender=KeyFile(path=self.layout.sender_key, passphrase=self._passphrase),
            claimant=self.keys.claimant,
        )

    @cached_property
    def confirmations(self) -> Confirmations:
        """After how many blocks an anchor is safe, and final, on this home's chain."""
        chain = self._settings.chain
        is_own = self.chain_identity.kind is ChainKind.DEVELOPMENT
        usual = Confirmations(0, 0) if is_own else PUBLIC_CONFIRMATIONS
        return Confirmations(
            safe=usual.safe if chain.safe_confirmations is None else chain.safe_confirmations,
            final=usual.final if chain.final_confirmations is None else chain.final_confirmations,
        )

    @cached_property
    def repositories(self) -> SqlRepositories:
        """The database; while it is open nobody can put another in its place."""
        _ = self._occupancy
        return SqlRepositories(
            url=sqlite_url(self.layout.database), lock_path=self.layout.locks / "sender"
        )

    @cached_property
    def _occupancy(self) -> ExitStack:
        stack = ExitStack()
        stack.enter_context(occupy(self.layout.occupancy, alone=False))
        return stack

    @cached_property
    def registrations(self) -> SqlRegistrations:
        """Registrations."""
        return self.repositories.registrations

    @cached_property
    def outbox(self) -> SqlOutbox:
        """Leaves and batches under way."""
        return self.repositories.outbox

    @cached_property
    def followed(self) -> SqlChain:
        """What was followed of the chain."""
        return self.repositories.followed

    @cached_property
    def objects(self) -> LocalObjectStore:
        """Dossiers, bundles, thumbnails."""
        return LocalObjectStore(folder=self.layout.objects)

    @cached_property
    def keys(self) -> FileKeyStore:
        """The claimant's key."""
        return FileKeyStore(path=self.layout.claimant_key, passphrase=self._passphrase)

    @cached_property
    def signer(self) -> C2paSigner:
        """Signs manifests with this home's certificate."""
        return C2paSigner(
            identity=lambda: self._signing_identity,
            trust_anchors=self._trust_anchors,
            generator_version=version("titledeed"),
        )

    @cached_property
    def following(self) -> FollowingService:
        """Keeps the database at the chain's head."""
        return FollowingService(
            ledger=self.ledger,
            chain=self.followed,
            confirmations=self.confirmations,
            turn=lambda: hold_lock(
                self.layout.locks / "follower",
                timeout_s=FOLLOWER_TIMEOUT_S,
                purpose="that follows the chain",
            ),
        )

    @cached_property
    def sending(self) -> SendingService:
        """Gets transactions into blocks."""
        chain = self._settings.chain
        return SendingService(
            ledger=self.ledger,
            outbox=self.outbox,
            objects=self.objects,
            following=self.following,
            clock=now,
            replace_after_s=chain.replace_after_s,
            in_flight_max=chain.in_flight_max,
            inclusion_timeout_s=chain.inclusion_timeout_s,
        )

    @cached_property
    def anchoring(self) -> AnchoringService:
        """Puts accepted registrations on chain."""
        chain = self._settings.chain
        return AnchoringService(
            ledger=self.ledger,
            outbox=self.outbox,
            objects=self.objects,
            sending=self.sending,
            clock=now,
            batch_wait_s=chain.batch_wait_s,
            waiting_max=chain.waiting_max,
            timestamps=self._timestamps,
        )

    @cached_property
    def history(self) -> HistoryService:
        """What the chain says about claims."""
        return HistoryService(
            following=self.following,
            chain=self.followed,
            objects=self.objects,
            identity=self.chain_identity,
        )

    @cached_property
    def catalogue(self) -> Catalogue:
        """Lists registrations."""
        return Catalogue(registrations=self.registrations)

    @cached_property
    def acts(self) -> ActService:
        """Issues, withdraws, supersedes, records, declares, publishes."""
        return ActService(
            keys=self.keys,
            sending=self.sending,
            history=self.history,
            registrations=self.registrations,
            anchoring=self.anchoring,
            ledger=self.ledger,
            identity=self.chain_identity,
            clock=now,
        )

    @cached_property
    def chain_report(self) -> ChainReportService:
        """Answers for the chain."""
        return ChainReportService(
            ledger=self.ledger,
            chain=self.followed,
            outbox=self.outbox,
            confirmations=self.confirmations,
        )

    @cached_property
    def acceptance(self) -> Acceptance:
        """Turns examined files and signed claims into registrations."""
        return Acceptance(
            keys=self.keys,
            signer=self.signer,
            registrations=self.registrations,
            objects=self.objects,
            anchoring=self.anchoring,
            domain=core_domain(self.chain_identity),
            recovery_key=read_recovery_address(self.layout.keys),
            signed_folder=self.layout.signed,
            clock=now,
        )

    @cached_property
    def registration(self) -> RegistrationService:
        """Registers, publishes, answers for registrations."""
        return RegistrationService(
            examiner=self._examiner,
            acceptance=self.acceptance,
            reader=self._reader,
            registrations=self.registrations,
            objects=self.objects,
            index=self._index,
            anchoring=self.anchoring,
            claimant=self.keys.claimant,
            chain_kind=self.chain_identity.kind,
            signed_folder=self.layout.signed,
        )

    @cached_property
    def verification(self) -> VerificationService:
        """Tells what is known about a file."""
        return VerificationService(
            examiner=self._examiner,
            reader=self._reader,
            registrations=self.registrations,
            objects=self.objects,
            index=self._index,
            anchoring=self.anchoring,
            ledger=self.ledger,
            history=self.history,
            chain=self.chain_identity,
            claimant=self.keys.claimant,
        )

    @cached_property
    def reindexing(self) -> ReindexingService:
        """Brings fingerprints up to date."""
        return ReindexingService(
            examiner=self._examiner,
            registrations=self.registrations,
            fingerprints=self.repositories.fingerprints,
            objects=self.objects,
        )

    @cached_property
    def audit(self) -> AuditService:
        """Audits submissions."""
        return AuditService(
            examiner=self._examiner,
            reader=self._reader,
            verification=self.verification,
            registrations=self.registrations,
            snapshots=self.repositories.snapshots,
            reports_folder=self.layout.reports,
            clock=now,
        )

    @cached_property
    def snapshots(self) -> SnapshotService:
        """Exports and imports snapshots."""
        return SnapshotService(
            keys=self.keys,
            registrations=self.registrations,
            snapshots=self.repositories.snapshots,
            objects=self.objects,
            anchoring=self.anchoring,
            chain=self.chain_identity,
            clock=now,
        )

    @cached_property
    def access(self) -> AccessService:
        """Bearer tokens."""
        return AccessService(tokens=self.repositories.tokens)

    @cached_property
    def jobs(self) -> JobService:
        """Long work behind the HTTP API."""
        return JobService(jobs=self.repositories.jobs, clock=now)

    @cached_property
    def _sandbox(self) -> Sandbox:
        return make_sandbox(self._settings)

    @cached_property
    def _examiner(self) -> SandboxedExaminer:
        return make_examiner(self._settings, self._sandbox)

    @cached_property
    def _reader(self) -> C2paReader:
        return C2paReader(sandbox=self._sandbox, trust_anchors=self._trust_anchors)

    @cached_property
    def _index(self) -> EmbeddedIndex:
        return EmbeddedIndex(source=self.repositories.fingerprints, folder=self.layout.index)

    @cached_property
    def _timestamps(self) -> TimestampAuthority | None:
        settings = self._settings.timestamp
        if settings.url is None:
            return None
        # Its library takes as long to import as a whole command should take to start.
        from titledeed.credentials.timestamps import Rfc3161Authority

        return Rfc3161Authority(url=settings.url, timeout_s=settings.timeout_s)

    @cached_property
    def _signing_identity(self) -> SigningIdentity:
        return open_signing_identity(self.layout.signing_identity, self._passphrase())

    def _passphrase(self) -> str:
        return read_passphrase(self._settings)

    def _trust_anchors(self) -> str:
        return load_trust_anchors(self.layout.trust, root_certificate(self.layout.signing_identity))


def make_sandbox(settings: Settings) -> Sandbox:
    """Where untrusted files are read."""
    return Sandbox(limits=SandboxLimits(**settings.sandbox.model_dump()))


def make_examiner(settings: Settings, sandbox: Sandbox | None = None) -> SandboxedExaminer:
    """What examines files; needs no home folder."""
    return SandboxedExaminer(
        sandbox=sandbox or make_sandbox(settings),
        limits=MediaLimits(**settings.media.model_dump()),
    )


def open_registry(settings: Settings) -> Registry:
    """The registry in the home folder that the settings name.

    Raises:
        HomeNotInitializedError: there is none.
    """
    return Registry(settings)
