"""The services of one home, each built in one place, between simulators and a real database.

Database, object store, signed copies, anchoring and checks of evidence are real; what would need a
decoder, an index, the C2PA library or a node is simulated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from builders import Claimant
from chain_desk import Desk
from homes import accepted, statement
from simulation.index_simulator import IndexSimulator, WorksIndexer
from simulation.key_simulator import KeySimulator
from simulation.ledger_simulator import LedgerSimulator
from simulation.manifest_simulator import ReaderSimulator, SignerSimulator
from simulation.simulated_media import ExaminerSimulator, write_media

from titledeed.canonical.identifiers import ZERO_ADDRESS
from titledeed.errors import DependencyError
from titledeed.models.asset import MediaType
from titledeed.models.bundle import Bundle
from titledeed.models.claim import SigningDomain
from titledeed.models.evidence import ChainKind, VerificationReport, VisibleClaim
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.ledger import Cursor
from titledeed.models.primitives import RegistrationId, Sha256
from titledeed.models.principal import ANONYMOUS, Principal, owner_of_home
from titledeed.models.registration import Registration
from titledeed.ports import Follower, Progress, no_progress
from titledeed.proofs.bundles import BundleChecker
from titledeed.services.acceptance import Acceptance, Statement
from titledeed.services.audit import BUNDLES_MAX, AuditService
from titledeed.services.claims import ClaimService
from titledeed.services.history import HistoryService
from titledeed.services.registration import (
    RefusedFile,
    RegisteredFile,
    RegisterRequest,
    RegistrationService,
)
from titledeed.services.reindexing import ReindexingService
from titledeed.services.search import SearchService
from titledeed.services.verification import VerificationService
from titledeed.services.visibility import VisibleRegistrations
from titledeed.vault.listing import list_bundle

PUBLIC: Final = ANONYMOUS


@dataclass
class WatchedFollower:
    """A follower that counts how often it is called."""

    follower: Follower
    calls: int = 0

    @property
    def is_live(self) -> bool:
        return self.follower.is_live

    def follow(self, progress: Progress = no_progress) -> Cursor | None:
        self.calls += 1
        return self.follower.follow(progress)


@dataclass
class CodeChecks:
    """What is known of fingerprint codes: each is well-formed, and which were looked at is kept."""

    checked: list[FingerprintCode] = field(default_factory=list)

    def __call__(self, code: FingerprintCode) -> None:
        self.checked.append(code)


def _no_authority(token: bytes, digest: Sha256, *, anchors_pem: str) -> Any:
    raise DependencyError("no bundle here carries a time-stamp")


class ServiceDesk(Desk):
    """A desk with the services that stand upon it, and its simulators at hand.

    Args:
        folder: of the home; media lie beside it.
        ledger: a development chain by default, which makes a block of every transaction.
        holder: who claims; the claimant of all builders by default.
        follower: brings the rows up to date; made from this desk, follows the chain by default.
        bundles_max: as ``AuditService`` takes it.
        options: of ``Desk``.
    """

    ledger: LedgerSimulator

    def __init__(
        self,
        folder: Path,
        ledger: LedgerSimulator | None = None,
        *,
        holder: Claimant | None = None,
        follower: Callable[[Desk], Follower] = lambda desk: desk.following,
        bundles_max: int = BUNDLES_MAX,
        **options: Any,
    ) -> None:
        super().__init__(folder, ledger or development_chain(), **options)
        self.media = folder.parent / "media"
        self.registrations = self.repositories.registrations
        self.visible = VisibleRegistrations(self.registrations)
        self.examiner = ExaminerSimulator()
        self.signer = SignerSimulator()
        self.reader = ReaderSimulator()
        self.keys = KeySimulator(holder)
        self.owner = owner_of_home(self.keys.address)
        self.index = IndexSimulator()
        self.works_indexer = WorksIndexer()
        self.follower = WatchedFollower(follower(self))
        self.code_checks = CodeChecks()
        identity = self.ledger.identity
        self.domain = SigningDomain(identity.chain_id, identity.contract)
        self.acceptance = self._build_acceptance()
        self.registration = self._build_registration()
        self.search = SearchService(examiner=self.examiner, index=self.index, visible=self.visible)
        self.history = HistoryService(
            following=self.follower, chain=self.chain, vault=self.vault, identity=identity
        )
        self.verification = self._build_verification()
        self.audit = self._build_audit(bundles_max)
        self.reindexing = ReindexingService(
            examiner=self.examiner,
            registrations=self.registrations,
            fingerprints=self.repositories.fingerprints,
            vault=self.vault,
            index=self.index,
        )

    def _build_acceptance(self) -> Acceptance:
        return Acceptance(
            keys=self.keys,
            signer=self.signer,
            registrations=self.registrations,
            vault=self.vault,
            anchoring=self.anchoring,
            domain=self.domain,
            recovery_key=ZERO_ADDRESS,
            clock=self.clock,
        )

    def _build_registration(self) -> RegistrationService:
        return RegistrationService(
            examiner=self.examiner,
            acceptance=self.acceptance,
            reader=self.reader,
            registrations=self.registrations,
            visible=self.visible,
            vault=self.vault,
            index=self.index,
            anchoring=self.anchoring,
            chain_kind=self.ledger.identity.kind,
        )

    def _build_verification(self) -> VerificationService:
        self.claims = ClaimService(
            registrations=self.registrations,
            history=self.history,
            events=self.chain,
            vault=self.vault,
            checker=BundleChecker(check_code=self.code_checks, check_token=_no_authority),
            chain=self.ledger.identity,
        )
        return VerificationService(
            examiner=self.examiner,
            reader=self.reader,
            visible=self.visible,
            works=self.search,
            claims=self.claims,
        )

    def _build_audit(self, bundles_max: int) -> AuditService:
        return AuditService(
            examiner=self.examiner,
            reader=self.reader,
            works=self.search,
            index_works=self.works_indexer,
            visible=self.visible,
            snapshots=self.repositories.snapshots,
            vault=self.vault,
            clock=self.clock,
            bundles_max=bundles_max,
        )

    def write(self, name: str, seed: int, media_type: MediaType = MediaType.PNG) -> Path:
        """A file with the content of a seed, outside the home."""
        return write_media(self.media / name, seed, media_type)

    def register(
        self,
        *sources: Path,
        said: Statement | None = None,
        wait: bool = True,
        progress: Progress = no_progress,
    ) -> list[RegisteredFile | RefusedFile]:
        """One batch of this home's owner."""
        request = RegisterRequest(sources, said or statement(), wait)
        return self.registration.register(request, self.owner, progress)

    def register_one(
        self, source: Path, *, said: Statement | None = None, wait: bool = True
    ) -> RegisteredFile:
        """One file that must be accepted."""
        (outcome,) = self.register(source, said=said, wait=wait)
        return accepted(outcome)

    def verify(
        self, path: Path, principal: Principal | None = None, progress: Progress = no_progress
    ) -> VerificationReport:
        return self.verification.verify(path, principal or self.owner, progress)

    def find_claim(
        self, report: VerificationReport, registration_id: RegistrationId
    ) -> VisibleClaim:
        """What a report tells of one registration."""
        (claim,) = [one for one in report.claims if one.registration_id == registration_id]
        return claim

    def import_bundle(self, bundle: Bundle, snapshot_id: str = "snapshot") -> Registration:
        """Know another home's registration, as an imported snapshot makes it known."""
        listed = list_bundle(bundle, snapshot_id, accepted_at=self.clock())
        self.vault.bundles.keep(bundle)
        assert self.registrations.add_imported(listed, bundle.dossier.fingerprints)
        return listed

    def share_with(self, other: ServiceDesk, outcome: RegisteredFile) -> Registration:
        """Let another home know one of this home's registrations."""
        bundle = self.vault.bundles.read(outcome.registration.registration_id)
        return other.import_bundle(bundle)

    def list_everything(self) -> dict[str, bytes]:
        """All objects and signed copies, by name: what is left of an attempt."""
        signed = Path(self.vault.signed_copies.folder)
        copies = {str(p): p.read_bytes() for p in signed.rglob("*") if p.is_file()}
        return copies | {key: self.objects.get(key) for key in self.objects.keys("")}


def development_chain() -> LedgerSimulator:
    """A chain that a home keeps itself, which makes a block of every transaction."""
    return LedgerSimulator(mines_at_once=True)


def public_chain() -> LedgerSimulator:
    """A chain that others keep, as quick as a development chain."""
    return LedgerSimulator(mines_at_once=True, kind=ChainKind.PUBLIC)
