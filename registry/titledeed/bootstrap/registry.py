"""The services of one home, each built when first used.

Listing packs or checking a bundle starts no chain and opens no database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from types import TracebackType
from typing import Final, Self

from titledeed.anchoring.batching import AnchoringService
from titledeed.anchoring.completion import BundleCompletion
from titledeed.anchoring.following import FollowedRows, FollowingService
from titledeed.anchoring.sending import SendingService
from titledeed.bootstrap.adapters import Adapters, index_works, now
from titledeed.chain.development.chain import DevelopmentChain
from titledeed.chain.evm import import_ethereum
from titledeed.chain.key_folder import read_recovery_address
from titledeed.errors import HomeNotInitializedError, InvalidRequestError
from titledeed.homes.layout import HomeLayout
from titledeed.models.evidence import ChainIdentity, ChainKind
from titledeed.models.principal import Principal, owner_of_home
from titledeed.ports import Follower
from titledeed.proofs.contracts import core_domain
from titledeed.services.acceptance import Acceptance
from titledeed.services.access import AccessService
from titledeed.services.acts import ActService
from titledeed.services.audit import AuditService
from titledeed.services.catalogue import Catalogue
from titledeed.services.chain_report import ChainReportService
from titledeed.services.claims import ClaimService
from titledeed.services.evidence import CHECKER
from titledeed.services.history import HistoryService
from titledeed.services.jobs import Handler, JobService, Release
from titledeed.services.registration import RegistrationService
from titledeed.services.reindexing import ReindexingService
from titledeed.services.search import SearchService
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
                path=self.layout.root,
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
            self._adapters.ledger,
        )

    def load_all(self) -> None:
        """Import what is else imported on first use; for servers, before they start threads.

        While one thread imports Ethereum's libraries, which raise the recursion limit until they
        are in, every other must refuse JSON.
        """
        import_ethereum()

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
        _ = chain.genesis  # refused before a port is opened
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
            ledger=self._adapters.ledger,
            chain=self._adapters.followed,
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
            ledger=self._adapters.ledger,
            outbox=self._adapters.outbox,
            vault=self._adapters.vault,
            following=self.following,
            clock=now,
            replace_after_s=chain.replace_after_s,
            in_flight_max=chain.in_flight_max,
            inclusion_timeout_s=chain.inclusion_timeout_s,
        )

    @cached_property
    def completion(self) -> BundleCompletion:
        """Completes evidence bundles."""
        return BundleCompletion(
            ledger=self._adapters.ledger,
            completions=self._adapters.repositories.completions,
            vault=self._adapters.vault,
            timestamps=self._adapters.timestamps,
        )

    @cached_property
    def anchoring(self) -> AnchoringService:
        """Puts accepted registrations on chain."""
        chain = self._settings.chain
        return AnchoringService(
            ledger=self._adapters.ledger,
            outbox=self._adapters.outbox,
            sending=self.sending,
            completion=self.completion,
            clock=now,
            batch_wait_s=chain.batch_wait_s,
            waiting_max=chain.waiting_max,
        )

    @cached_property
    def history(self) -> HistoryService:
        """What the chain says about claims."""
        return HistoryService(
            following=self._follower,
            chain=self._adapters.followed,
            vault=self._adapters.vault,
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
            vault=self._adapters.vault,
            ledger=self._adapters.ledger,
            identity=self.chain_identity,
            clock=now,
        )

    @cached_property
    def chain_report(self) -> ChainReportService:
        """Answers for the chain."""
        return ChainReportService(
            ledger=self._adapters.ledger,
            chain=self._adapters.followed,
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
            vault=self._adapters.vault,
            anchoring=self.anchoring,
            domain=core_domain(self.chain_identity),
            recovery_key=read_recovery_address(self.layout.keys),
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
            vault=self._adapters.vault,
            index=self._adapters.index,
            anchoring=self.anchoring,
            chain_kind=self.chain_identity.kind,
        )

    @cached_property
    def verification(self) -> VerificationService:
        """Tells what is known about a file."""
        return VerificationService(
            examiner=self._adapters.examiner,
            reader=self._adapters.reader,
            visible=self._visible,
            works=self.search,
            claims=self.claims,
        )

    @cached_property
    def search(self) -> SearchService:
        """Finds works in the content of files."""
        return SearchService(
            examiner=self._adapters.examiner, index=self._adapters.index, visible=self._visible
        )

    @cached_property
    def claims(self) -> ClaimService:
        """Tells what stands of claims."""
        return ClaimService(
            registrations=self._adapters.registrations,
            history=self.history,
            events=self._adapters.followed,
            vault=self._adapters.vault,
            checker=CHECKER,
            chain=self.chain_identity,
        )

    @cached_property
    def reindexing(self) -> ReindexingService:
        """Brings fingerprints up to date."""
        return ReindexingService(
            examiner=self._adapters.examiner,
            registrations=self._adapters.registrations,
            fingerprints=self._adapters.repositories.fingerprints,
            vault=self._adapters.vault,
            index=self._adapters.index,
        )

    @cached_property
    def audit(self) -> AuditService:
        """Audits submissions."""
        return AuditService(
            examiner=self._adapters.examiner,
            reader=self._adapters.reader,
            works=self.search,
            index_works=index_works,
            visible=self._visible,
            snapshots=self._adapters.repositories.snapshots,
            vault=self._adapters.vault,
            clock=now,
        )

    @cached_property
    def snapshots(self) -> SnapshotService:
        """Exports and imports snapshots."""
        return SnapshotService(
            keys=self._adapters.keys,
            registrations=self._adapters.registrations,
            snapshots=self._adapters.repositories.snapshots,
            vault=self._adapters.vault,
            completion=self.completion,
            chain=self.chain_identity,
            index=self._adapters.index,
            clock=now,
        )

    @cached_property
    def _follower(self) -> Follower:
        """What queries follow the chain with."""
        if self._adapters.is_writable:
            return self.following
        return FollowedRows(self._adapters.followed, self.chain_identity.contract)

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
