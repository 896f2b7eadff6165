"""The services of one home, each built when first used.

Listing packs or checking a bundle starts no chain and opens no database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from types import TracebackType
from typing import Final, Self

from titledeed.anchoring.batching import AnchoringService
from titledeed.anchoring.following import FollowingService
from titledeed.anchoring.sending import SendingService
from titledeed.bootstrap.adapters import Adapters, now
from titledeed.chain.development.chain import DevelopmentChain
from titledeed.chain.evm import import_ethereum
from titledeed.chain.key_folder import read_recovery_address
from titledeed.errors import HomeNotInitializedError, InvalidRequestError
from titledeed.homes.layout import HomeLayout
from titledeed.models.claim import SigningDomain
from titledeed.models.evidence import ChainIdentity, ChainKind
from titledeed.models.principal import Principal, owner_of_home
from titledeed.services.acceptance import Acceptance
from titledeed.services.access import AccessService
from titledeed.services.acts import ActService
from titledeed.services.audit import AuditService
from titledeed.services.catalogue import Catalogue
from titledeed.services.chain_report import ChainReportService
from titledeed.services.history import HistoryService
from titledeed.services.jobs import Handler, JobService, Release
from titledeed.services.registration import RegistrationService
from titledeed.services.reindexing import ReindexingService
from titledeed.services.snapshot import SnapshotService
from titledeed.services.verification import VerificationService
from titledeed.services.visibility import VisibleRegistrations
from titledeed.settings import Settings
from titledeed.store.locking import hold_lock

FOLLOWER_TIMEOUT_S: Final = 60.0


class Registry:
    """All services of one home. Close it, or use it in a ``with`` block.

    Faces see services only, which ask on whose behalf a call comes.

    Args:
        settings: name the home.
        adapters: others than the settings pick.

    Raises:
        HomeNotInitializedError: there is no home.
    """

    def __init__(self, settings: Settings, adapters: Adapters | None = None) -> None:
        self._settings = settings
        self.layout = HomeLayout(settings.home_path)
        self._adapters = adapters or Adapters(settings)
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
        self._adapters.close()

    def warm_up(self) -> None:
        """Build every service now.

        A server calls it before it starts threads: from Python 3.12 on, ``cached_property`` takes
        no lock, and two threads could build two. And while one thread imports Ethereum's libraries,
        which raise the recursion limit until they are in, every other must refuse JSON.
        """
        import_ethereum()
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
            self._adapters.ledger,
        )

    def check(self) -> None:
        """Answer if database and chain can be used.

        Raises:
            StorageError: the database cannot.
            LedgerUnavailableError: the chain cannot.
        """
        self._adapters.repositories.check()
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
        try:
            serve_rpc(chain, host=host, port=port, on_ready=on_ready)
        finally:
            chain.close()

    @property
    def chain_identity(self) -> ChainIdentity:
        """The chain that this home pins."""
        return self._adapters.chain_identity

    @property
    def owner(self) -> Principal:
        """On whose behalf the home's own command line asks."""
        return owner_of_home(self._adapters.keys.address)

    @cached_property
    def following(self) -> FollowingService:
        """Keeps the database at the chain's head."""
        return FollowingService(
            ledger=lambda: self._adapters.ledger,
            chain=self._adapters.chain,
            confirmations=self._adapters.confirmations,
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
            ledger=lambda: self._adapters.ledger,
            outbox=self._adapters.outbox,
            objects=self._adapters.objects,
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
            ledger=lambda: self._adapters.ledger,
            outbox=self._adapters.outbox,
            objects=self._adapters.objects,
            sending=self.sending,
            clock=now,
            batch_wait_s=chain.batch_wait_s,
            waiting_max=chain.waiting_max,
            timestamps=self._adapters.timestamps,
        )

    @cached_property
    def history(self) -> HistoryService:
        """What the chain says about claims."""
        return HistoryService(
            following=self.following,
            chain=self._adapters.chain,
            objects=self._adapters.objects,
            identity=self.chain_identity,
        )

    @cached_property
    def catalogue(self) -> Catalogue:
        """Lists registrations."""
        return Catalogue(visible=self._visible)

    @cached_property
    def acts(self) -> ActService:
        """Issues, withdraws, supersedes, records, declares, publishes."""
        return ActService(
            keys=self._adapters.keys,
            sending=self.sending,
            history=self.history,
            visible=self._visible,
            anchoring=self.anchoring,
            ledger=lambda: self._adapters.ledger,
            identity=self.chain_identity,
            clock=now,
        )

    @cached_property
    def chain_report(self) -> ChainReportService:
        """Answers for the chain."""
        return ChainReportService(
            ledger=lambda: self._adapters.ledger,
            chain=self._adapters.chain,
            outbox=self._adapters.outbox,
            confirmations=self._adapters.confirmations,
        )

    @cached_property
    def acceptance(self) -> Acceptance:
        """Turns examined files and signed claims into registrations."""
        return Acceptance(
            keys=self._adapters.keys,
            signer=self._adapters.signer,
            registrations=self._adapters.registrations,
            objects=self._adapters.objects,
            anchoring=self.anchoring,
            domain=SigningDomain(self.chain_identity.chain_id, self.chain_identity.contract),
            recovery_key=read_recovery_address(self.layout.keys),
            signed_folder=self.layout.signed,
            clock=now,
        )

    @cached_property
    def registration(self) -> RegistrationService:
        """Registers, publishes, answers for registrations."""
        return RegistrationService(
            examiner=self._adapters.examiner,
            acceptance=self.acceptance,
            reader=self._adapters.reader,
            registrations=self._adapters.registrations,
            visible=self._visible,
            objects=self._adapters.objects,
            index=self._adapters.index,
            anchoring=self.anchoring,
            chain_kind=self.chain_identity.kind,
            signed_folder=self.layout.signed,
        )

    @cached_property
    def verification(self) -> VerificationService:
        """Tells what is known about a file."""
        return VerificationService(
            examiner=self._adapters.examiner,
            reader=self._adapters.reader,
            visible=self._visible,
            objects=self._adapters.objects,
            index=self._adapters.index,
            anchoring=self.anchoring,
            ledger=lambda: self._adapters.ledger,
            history=self.history,
            chain=self.chain_identity,
        )

    @cached_property
    def reindexing(self) -> ReindexingService:
        """Brings fingerprints up to date."""
        return ReindexingService(
            examiner=self._adapters.examiner,
            registrations=self._adapters.registrations,
            fingerprints=self._adapters.repositories.fingerprints,
            objects=self._adapters.objects,
        )

    @cached_property
    def audit(self) -> AuditService:
        """Audits submissions."""
        return AuditService(
            examiner=self._adapters.examiner,
            reader=self._adapters.reader,
            verification=self.verification,
            visible=self._visible,
            snapshots=self._adapters.repositories.snapshots,
            reports_folder=self.layout.reports,
            clock=now,
        )

    @cached_property
    def snapshots(self) -> SnapshotService:
        """Exports and imports snapshots."""
        return SnapshotService(
            keys=self._adapters.keys,
            registrations=self._adapters.registrations,
            snapshots=self._adapters.repositories.snapshots,
            objects=self._adapters.objects,
            anchoring=self.anchoring,
            chain=self.chain_identity,
            clock=now,
        )

    @cached_property
    def _visible(self) -> VisibleRegistrations:
        return VisibleRegistrations(self._adapters.registrations)

    @cached_property
    def access(self) -> AccessService:
        """Bearer tokens."""
        return AccessService(
            tokens=self._adapters.repositories.tokens, home=self._adapters.keys.address
        )

    def open_jobs(self, handlers: Mapping[str, Handler], *, release: Release) -> JobService:
        """Long work; closed by whoever opened it, before this registry.

        Args:
            handlers: who does the work, by kind.
            release: gives back what the arguments of an ended job name.
        """
        return JobService(
            jobs=self._adapters.repositories.jobs, handlers=handlers, clock=now, release=release
        )


def open_registry(settings: Settings) -> Registry:
    """The registry in the home folder that the settings name.

    Raises:
        HomeNotInitializedError: there is none.
    """
    return Registry(settings)
