"""Verifying: gathers the evidence about one file, and checks each claim against the chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from titledeed.anchoring.batching import AnchoringService, read_bundle
from titledeed.errors import InvariantViolation, NotFoundError, VerificationError
from titledeed.models.evidence import (
    Answer,
    ChainIdentity,
    ChainKind,
    IntegrityCode,
    ManifestReport,
    RecoveredManifest,
    TimeCode,
    VerificationReport,
    VisibleClaim,
)
from titledeed.models.examination import Examination
from titledeed.models.match import MatchClass, WorkMatch
from titledeed.models.primitives import Address, Sha256
from titledeed.models.principal import Principal, Scope
from titledeed.models.registration import Registration
from titledeed.ports import (
    FingerprintIndex,
    Ledger,
    ManifestReader,
    ObjectStore,
    Progress,
    no_progress,
)
from titledeed.ports.examiner import Examiner
from titledeed.proofs.signatures import check_claim
from titledeed.proofs.verdict import (
    Evidence,
    answer_all,
    answer_carried_disclosure,
    answer_history,
    answer_integrity,
    answer_trust,
    choose_headline,
    find_earlier_claim,
    format_time,
    write_sentence,
)
from titledeed.services.access import require_scope
from titledeed.services.carried import find_carried
from titledeed.services.evidence import require_bundle
from titledeed.services.history import HistoryService
from titledeed.services.visibility import VisibleRegistrations
from titledeed.vault.dossiers import read_dossier


class VerificationService:
    """Answers what is known about a file."""

    def __init__(
        self,
        *,
        examiner: Examiner,
        reader: ManifestReader,
        visible: VisibleRegistrations,
        objects: ObjectStore,
        index: FingerprintIndex,
        anchoring: AnchoringService,
        history: HistoryService,
        ledger: Callable[[], Ledger],
        chain: ChainIdentity,
    ) -> None:
        self._examiner = examiner
        self._reader = reader
        self._visible = visible
        self._objects = objects
        self._index = index
        self._anchoring = anchoring
        self._history = history
        self._ledger = ledger
        self._chain = chain

    def verify(
        self, path: Path, principal: Principal, progress: Progress = no_progress
    ) -> VerificationReport:
        """Gather all evidence about one file that the principal may see.

        Raises:
            NotAuthorizedError: the principal may not ask.
            InputError: the file is unreadable, unsupported, malformed or too large.
            LedgerUnavailableError: a claim has to be checked and the chain does not answer.
        """
        require_scope(principal, Scope.READ)
        progress(path.name, 0.0)
        examination = self._examiner.examine(path, progress)
        manifest = self._reader.read(path, examination.media_type)
        evidence = self._gather(examination, manifest, principal)
        answers = answer_all(evidence)
        headline = choose_headline(evidence, answers)
        progress(path.name, 1.0)
        return VerificationReport(
            headline=headline,
            sentence=write_sentence(headline, evidence),
            answers=answers,
            matches=evidence.matches,
            titles={
                r.registration_id: r.title for r in (*evidence.exact, *evidence.works.values())
            },
            claims=evidence.claims,
            recovered=self._recover(evidence),
        )

    def find_works(
        self, examination: Examination, principal: Principal
    ) -> list[tuple[WorkMatch, Registration]]:
        """Visible works found in the content: those that it shows first, best match first."""
        found = [
            (_name_same_file(match, work, examination), work)
            for match in self._index.search(examination.query)
            if (work := self._visible.find(match.registration_id, principal))
        ]
        return sorted(found, key=lambda pair: not pair[0].shown)

    def search(
        self, path: Path, principal: Principal, progress: Progress = no_progress
    ) -> tuple[Examination, list[tuple[WorkMatch, Registration]]]:
        """Visible works found in the content of a file, by its fingerprints alone.

        Raises:
            NotAuthorizedError: the principal may not ask.
            InputError: the file is unreadable, unsupported, malformed or too large.
        """
        require_scope(principal, Scope.READ)
        progress(path.name, 0.0)
        examination = self._examiner.examine(path, progress)
        found = self.find_works(examination, principal)
        progress(path.name, 1.0)
        return examination, found

    def _gather(
        self, examination: Examination, manifest: ManifestReport, principal: Principal
    ) -> Evidence:
        claimant = _signed_claimant(manifest)
        exact = self._find_exact(examination, manifest, principal)
        named = self._find_named(manifest, principal) if claimant else []
        named_claims = self._show_claims(named, principal)
        earlier = find_earlier_claim(claimant, named_claims)
        if earlier is not None and not exact:
            exact = named
        found = [] if exact else self.find_works(examination, principal)
        claims = self._show_claims(exact or [work for _, work in found], principal)
        return Evidence(
            manifest=manifest,
            exact=tuple(exact),
            matches=tuple(match for match, _ in found),
            works={work.registration_id: work for _, work in found},
            claims=tuple(sorted(claims, key=_by_time)),
            manifest_claimant=claimant,
            earlier=earlier,
        )

    def _find_exact(
        self, examination: Examination, manifest: ManifestReport, principal: Principal
    ) -> list[Registration]:
        """Registrations of these very bytes, and all others on the same content."""
        found = self._find_claims(examination.asset.content_digest, principal) or find_carried(
            self._visible, manifest, principal
        )
        same_content = {
            claim.registration_id: claim
            for one in found
            for claim in self._find_claims(one.content_digest, principal)
        }
        return list(same_content.values())

    def _find_claims(self, digest: Sha256, principal: Principal) -> list[Registration]:
        """Visible registrations of these bytes, earliest first."""
        return self._visible.find_by_digest(digest, principal)

    def _find_named(self, manifest: ManifestReport, principal: Principal) -> list[Registration]:
        """Registrations whose source is the content that the manifest's claim names."""
        if manifest.signed_claim is None:
            return []
        digest = manifest.signed_claim.claim.content_digest
        found = self._find_claims(digest, principal)
        return [registration for registration in found if registration.content_digest == digest]

    def _show_claims(
        self, registrations: Iterable[Registration], principal: Principal
    ) -> list[VisibleClaim]:
        timed = [(registration, *self._check_time(registration)) for registration in registrations]
        if any(asked for _, _, asked in timed):
            self._history.follow()
        return [
            self._show_claim(registration, principal, time, asked=asked)
            for registration, time, asked in timed
        ]

    def _show_claim(
        self, registration: Registration, principal: Principal, time: Answer, *, asked: bool
    ) -> VisibleClaim:
        return VisibleClaim(
            registration_id=registration.registration_id,
            title=registration.title,
            claimant=registration.claimant,
            time=time,
            at=_time_of(registration, time),
            asked=asked,
            status=registration.status,
            mine=principal.speaks_for(registration.claimant),
            entries=self._history.list_entries(registration, principal) if asked else (),
        )

    def _check_time(self, registration: Registration) -> tuple[Answer, bool]:
        """Evidence of time for one claim, and whether the chain that gives it was asked."""
        anchor = registration.anchor
        if anchor is None:
            waits = "The claim waits for its block; only its own clock speaks."
            return Answer(TimeCode.CLAIMED_ONLY, waits), False
        if registration.is_own:
            bundle = self._anchoring.complete_bundle(registration)
        else:
            bundle = read_bundle(self._objects, registration.registration_id)
        try:
            require_bundle(bundle)
        except VerificationError as error:
            wrong = f"The stored proof does not hold: {error.message}"
            return Answer(TimeCode.NONE, wrong), False
        # The claim's domain alone would not do: a forged bundle may name our chain id and contract.
        return self._judge_time(bundle.chain, registration), bundle.chain == self._chain

    def _judge_time(self, chain: ChainIdentity, registration: Registration) -> Answer:
        anchor = registration.anchor
        if anchor is None:
            raise InvariantViolation(f"{registration.registration_id} has no anchor")
        when = format_time(anchor.block_timestamp)
        if chain != self._chain:
            if chain.kind is ChainKind.DEVELOPMENT:
                return Answer(
                    TimeCode.SELF_KEPT,
                    f"{when} by a development chain that another home keeps itself; it proves "
                    "order inside that home only and was not asked.",
                )
            return Answer(
                TimeCode.CLAIMED_ONLY,
                f"Its bundle names {when} on chain {chain.chain_id}, which this home does not "
                "ask: compare the block hash on any explorer.",
            )
        if self._ledger().find_anchor_time(anchor.root, anchor.caller) != anchor.block_timestamp:
            return Answer(TimeCode.NONE, "The chain does not hold the anchor of this claim.")
        if chain.kind is ChainKind.DEVELOPMENT:
            return Answer(
                TimeCode.SELF_KEPT,
                f"It existed by {when}, by a development chain that this home keeps itself: "
                "order inside this home only.",
            )
        return Answer(TimeCode.PUBLIC_CHAIN, f"It existed by {when}, by chain {chain.chain_id}.")

    def _recover(self, evidence: Evidence) -> RecoveredManifest | None:
        """The manifest that the registry kept, for a copy that carries none of it."""
        if evidence.manifest.integrity is IntegrityCode.INTACT or not evidence.registrations:
            return None
        registration = evidence.registrations[0]
        store = self._stored_manifest(registration)
        if not store or registration.manifest_id is None:
            return None
        report = self._reader.read_kept(store)
        return RecoveredManifest(
            registration_id=registration.registration_id,
            manifest_id=registration.manifest_id,
            integrity=_answer_recovered(report),
            trust=answer_trust(report),
            history=answer_history(report),
            disclosure=answer_carried_disclosure(report),
        )

    def _stored_manifest(self, registration: Registration) -> bytes:
        try:
            if registration.is_own:
                return read_dossier(self._objects, registration.registration_id).manifest_store
            return read_bundle(self._objects, registration.registration_id).dossier.manifest_store
        except NotFoundError:
            return b""


def _by_time(claim: VisibleClaim) -> tuple[bool, bool, int]:
    """Claims that this home's chain orders first; then those with a time of another chain."""
    return (claim.at is None, not claim.asked, claim.at or 0)


def _signed_claimant(manifest: ManifestReport) -> Address | None:
    """The claimant whose valid signature an intact manifest carries."""
    if manifest.integrity is not IntegrityCode.INTACT or manifest.signed_claim is None:
        return None
    try:
        check_claim(manifest.signed_claim)
    except VerificationError:
        return None
    return manifest.signed_claim.claim.claimant


def _time_of(registration: Registration, time: Answer) -> int | None:
    """When the claim counts from: its block, unless the evidence for that does not hold."""
    if registration.anchor is None or time.code == TimeCode.NONE:
        return None
    return registration.anchor.block_timestamp


def _answer_recovered(report: ManifestReport) -> Answer:
    if report.integrity is IntegrityCode.INTACT:
        return Answer(
            IntegrityCode.INTACT,
            "The manifest that the registry kept is whole. It was made for the registered file; "
            "that it is not bound to these bytes is expected.",
        )
    return answer_integrity(report)


def _name_same_file(match: WorkMatch, work: Registration, examination: Examination) -> WorkMatch:
    """Only digests tell a file from its copies."""
    digests = (work.content_digest, work.signed_digest)
    is_same = examination.asset.content_digest in digests
    return replace(match, relation=MatchClass.SAME_FILE) if is_same else match
