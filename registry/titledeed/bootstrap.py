"""The only place that picks adapters.

``open_registry(settings)`` gives one object whose services are built when first used: listing
packs or checking a bundle starts no chain and opens no database.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

from titledeed.canonical.identifiers import parse_address
from titledeed.chain.deployment import pin_chain
from titledeed.chain.development import DevelopmentChain
from titledeed.chain.keys import (
    WORK_FACTOR,
    WORK_FACTOR_GENERATED,
    FileKeyStore,
    KeyFile,
    create_key_file,
    generate_passphrase,
)
from titledeed.chain.ledger import EvmLedger
from titledeed.chain.pin import PIN_NAME, read_pin, write_pin
from titledeed.chain.rpc import HttpNode
from titledeed.credentials.authority import (
    SigningIdentity,
    create_authority,
    open_signing_identity,
    root_certificate,
)
from titledeed.credentials.reader import C2paReader
from titledeed.credentials.signer import C2paSigner
from titledeed.credentials.trust import load_trust_anchors
from titledeed.durability import PRIVATE_MODE, write_durably
from titledeed.errors import (
    HomeNotInitializedError,
    InvalidRequestError,
    PassphraseError,
    StorageError,
)
from titledeed.matching.embedded import EmbeddedIndex
from titledeed.media.limits import MediaLimits
from titledeed.models.claim import SigningDomain
from titledeed.models.evidence import ChainIdentity, ChainKind
from titledeed.models.primitives import Address
from titledeed.ports import Ledger
from titledeed.sandbox import Sandbox, SandboxLimits
from titledeed.services.acceptance import Acceptance
from titledeed.services.access import AccessService
from titledeed.services.anchoring import AnchoringService
from titledeed.services.audit import AuditService
from titledeed.services.home import HomeLayout
from titledeed.services.intake import Intake
from titledeed.services.jobs import JobService
from titledeed.services.registration import RegistrationService
from titledeed.services.snapshot import SnapshotService
from titledeed.services.verification import VerificationService
from titledeed.settings import Settings
from titledeed.store.database import sqlite_url
from titledeed.store.objects import LocalObjectStore
from titledeed.store.outbox import SqlOutbox
from titledeed.store.registrations import SqlRegistrations
from titledeed.store.repositories import SqlRepositories


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
        for name in ("jobs", "ledger", "repositories"):
            if name in built:
                built.pop(name).close()

    def warm_up(self) -> None:
        """Build every service now.

        A server calls it before it starts threads: from Python 3.12 on, ``cached_property`` takes
        no lock, and two threads could build two.
        """
        _ = (
            self.registration,
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
        from titledeed.chain.rpc_server import serve_rpc

        if self.chain_identity.kind is not ChainKind.DEVELOPMENT:
            raise InvalidRequestError(
                "this home runs no chain of its own",
                next_step="Use the RPC URL that it is configured with.",
            )
        chain = DevelopmentChain(folder=self.layout.chain)
        try:
            serve_rpc(chain, host=host, port=port, on_ready=on_ready)
        finally:
            chain.close()

    @cached_property
    def chain_identity(self) -> ChainIdentity:
        """The chain that this home pins."""
        return read_pin(self.layout.chain).identity

    @cached_property
    def ledger(self) -> Ledger:
        """The chain; opened on first use."""
        chain = self._settings.chain
        return EvmLedger(
            node=DevelopmentChain(folder=self.layout.chain)
            if chain.rpc_url is None
            else HttpNode(url=chain.rpc_url, timeout_s=chain.rpc_timeout_s),
            pin=read_pin(self.layout.chain),
            sender=KeyFile(path=self.layout.sender_key, passphrase=self._passphrase),
        )

    @cached_property
    def repositories(self) -> SqlRepositories:
        """The database."""
        self.layout.locks.mkdir(exist_ok=True)
        return SqlRepositories(
            url=sqlite_url(self.layout.database), lock_path=self.layout.locks / "sender"
        )

    @cached_property
    def registrations(self) -> SqlRegistrations:
        """Registrations and their fingerprints."""
        return self.repositories.registrations

    @cached_property
    def outbox(self) -> SqlOutbox:
        """Leaves and batches under way."""
        return self.repositories.outbox

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
    def anchoring(self) -> AnchoringService:
        """Puts accepted registrations on chain."""
        return AnchoringService(
            ledger=lambda: self.ledger,
            outbox=self.outbox,
            objects=self.objects,
            inclusion_timeout_s=self._settings.chain.inclusion_timeout_s,
        )

    @cached_property
    def registration(self) -> RegistrationService:
        """Registers, publishes, answers for registrations."""
        return RegistrationService(
            intake=self._intake,
            acceptance=Acceptance(
                keys=self.keys,
                signer=self.signer,
                registrations=self.registrations,
                objects=self.objects,
                domain=SigningDomain(self.chain_identity.chain_id, self.chain_identity.contract),
                signed_folder=self.layout.signed,
                clock=now,
            ),
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
            intake=self._intake,
            reader=self._reader,
            registrations=self.registrations,
            objects=self.objects,
            index=self._index,
            anchoring=self.anchoring,
            ledger=lambda: self.ledger,
            chain=self.chain_identity,
            claimant=self.keys.claimant,
        )

    @cached_property
    def audit(self) -> AuditService:
        """Audits submissions."""
        return AuditService(
            intake=self._intake,
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
        limits = self._settings.sandbox
        return Sandbox(
            limits=SandboxLimits(
                timeout_s=limits.timeout_s, memory_bytes_max=limits.memory_bytes_max
            )
        )

    @cached_property
    def _intake(self) -> Intake:
        media = self._settings.media
        return Intake(
            sandbox=self._sandbox,
            limits=MediaLimits(
                size_bytes_max=media.size_bytes_max,
                pixels_max=media.pixels_max,
                duration_s_max=media.duration_s_max,
            ),
        )

    @cached_property
    def _reader(self) -> C2paReader:
        return C2paReader(sandbox=self._sandbox, trust_anchors=self._trust_anchors)

    @cached_property
    def _index(self) -> EmbeddedIndex:
        return EmbeddedIndex(source=self.registrations)

    @cached_property
    def _signing_identity(self) -> SigningIdentity:
        return open_signing_identity(self.layout.signing_identity, self._passphrase())

    def _passphrase(self) -> str:
        return read_passphrase(self._settings)

    def _trust_anchors(self) -> str:
        return load_trust_anchors(self.layout.trust, root_certificate(self.layout.signing_identity))


def open_registry(settings: Settings) -> Registry:
    """The registry in the home folder that the settings name.

    Raises:
        HomeNotInitializedError: there is none.
    """
    return Registry(settings)


@dataclass(frozen=True, slots=True)
class InitializedHome:
    """What ``init`` made, or found.

    Attributes:
        passphrase_file: where a generated passphrase lies; None where the owner gave one.
        token: for the HTTP API, shown this once; empty for a home that was there already.
        created: whether the home is new.
    """

    home: Path
    claimant: Address
    sender: Address
    chain: ChainIdentity
    passphrase_file: Path | None
    token: str
    created: bool


def initialize_home(settings: Settings, *, organization: str = "") -> InitializedHome:
    """Make a home: keys, development authority, chain, database, token.

    Each part that is there already is kept, so that an interrupted run is simply repeated.

    Raises:
        ToolMissingError: anvil is needed and not installed.
        PassphraseError: a key that is there does not open with the passphrase given.
        LedgerUnavailableError: a chain is configured and does not answer.
        StorageError: the folder cannot be written.
    """
    layout = HomeLayout(settings.home_path)
    created = not layout.claimant_key.exists()
    _make_private(layout.root)
    generated = _ensure_passphrase(settings, layout)
    passphrase = read_passphrase(settings)
    work_factor = WORK_FACTOR_GENERATED if generated else WORK_FACTOR
    sender = _ensure_key(layout.sender_key, passphrase, work_factor)
    if not layout.signing_identity.exists():
        name = organization or "Unnamed studio"
        create_authority(layout.signing_identity, organization=name, passphrase=passphrase)
    chain = _ensure_chain(settings, layout, sender)
    # The claimant's key comes last: a folder that holds it is a whole home.
    claimant = _ensure_key(layout.claimant_key, passphrase, work_factor)
    with open_registry(settings) as registry:
        token = registry.access.issue_token() if created else ""
    return InitializedHome(
        home=layout.root,
        claimant=claimant.address,
        sender=sender.address,
        chain=chain,
        passphrase_file=layout.passphrase_file if generated else None,
        token=token,
        created=created,
    )


def _make_private(root: Path) -> None:
    """Dossiers hold titles and salts of private works: nobody else may look in."""
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{root} cannot be made: {error.strerror}",
            next_step="Set TITLEDEED_HOME to a folder that can be written.",
        ) from error


def _ensure_passphrase(settings: Settings, layout: HomeLayout) -> bool:
    """Whether the passphrase is one that was generated, now or earlier."""
    if settings.passphrase is not None or settings.passphrase_file is not None:
        return False
    if not layout.passphrase_file.exists():
        data = f"{generate_passphrase()}\n".encode("ascii")
        write_durably(layout.passphrase_file, data, mode=PRIVATE_MODE)
    return True


def _ensure_key(path: Path, passphrase: str, work_factor: int) -> KeyFile:
    if not path.exists():
        create_key_file(path, passphrase=passphrase, work_factor=work_factor)
    return KeyFile(path=path, passphrase=lambda: passphrase)


def _ensure_chain(settings: Settings, layout: HomeLayout, sender: KeyFile) -> ChainIdentity:
    if (layout.chain / PIN_NAME).exists():
        return read_pin(layout.chain).identity
    url = settings.chain.rpc_url
    if url is None:
        chain = DevelopmentChain.create(folder=layout.chain, funded=(sender.address,))
        chain.close()
        return chain.pin.identity
    contract = settings.chain.contract
    with closing(HttpNode(url=url, timeout_s=settings.chain.rpc_timeout_s)) as node:
        pin = pin_chain(node, contract=parse_address(contract) if contract else None)
    write_pin(layout.chain, pin)
    return pin.identity
