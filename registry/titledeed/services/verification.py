"""Verifying: gathers the evidence about one file and lets pure rules answer. Changes nothing."""

from __future__ import annotations

from pathlib import Path

from titledeed.models.evidence import (
    Answer,
    IntegrityCode,
    ManifestReport,
    RecoveredManifest,
    VerificationReport,
    VisibleClaim,
)
from titledeed.models.examination import Examination
from titledeed.models.primitives import Address, Sha256
from titledeed.models.principal import Principal, Scope
from titledeed.models.registration import Registration
from titledeed.ports import (
    ClaimReader,
    Examiner,
    ManifestReader,
    Progress,
    no_progress,
)
from titledeed.proofs.answers import (
    Evidence,
    answer_all,
    answer_carried_disclosure,
    answer_history,
    answer_integrity,
    answer_trust,
    choose_headline,
    find_earlier_claim,
)
from titledeed.proofs.sentences import write_sentence
from titledeed.services.access import require_scope
from titledeed.services.search import SearchService
from titledeed.services.visibility import VisibleRegistrations


class VerificationService:
    """Answers what is known about a file."""

    def __init__(
        self,
        *,
        examiner: Examiner,
        reader: ManifestReader,
        visible: VisibleRegistrations,
        works: SearchService,
        claims: ClaimReader,
    ) -> None:
        self._examiner = examiner
        self._reader = reader
        self._visible = visible
        self._works = works
        self._claims = claims

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

    def _gather(
        self, examination: Examination, manifest: ManifestReport, principal: Principal
    ) -> Evidence:
        claimant = self._find_signer(manifest)
        exact = self._find_exact(examination, manifest, principal)
        named = self._find_named(manifest, principal) if claimant else []
        reading = self._claims.begin(principal)
        earlier = find_earlier_claim(claimant, reading.tell(named))
        if earlier is not None and not exact:
            exact = named
        found = [] if exact else self._works.find_works(examination, principal)
        claims = reading.tell(exact or [work for _, work in found])
        return Evidence(
            manifest=manifest,
            exact=tuple(exact),
            matches=tuple(match for match, _ in found),
            works={work.registration_id: work for _, work in found},
            claims=tuple(sorted(claims, key=_by_time)),
            manifest_claimant=claimant,
            earlier=earlier,
        )

    def _find_signer(self, manifest: ManifestReport) -> Address | None:
        """The claimant whose valid signature an intact manifest carries."""
        if manifest.integrity is not IntegrityCode.INTACT or manifest.signed_claim is None:
            return None
        return self._claims.find_signer(manifest.signed_claim)

    def _find_exact(
        self, examination: Examination, manifest: ManifestReport, principal: Principal
    ) -> list[Registration]:
        """Registrations of these very bytes or carried by them, and others on the same content.

        A claim on the bytes hides none that they carry: anybody may claim a copy with a receipt.
        """
        found = [
            *self._find_claims(examination.asset.content_digest, principal),
            *self._visible.find_carried(manifest, principal),
        ]
        contents = dict.fromkeys(one.content_digest for one in found)
        same_content = {
            claim.registration_id: claim
            for digest in contents
            for claim in self._find_claims(digest, principal)
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

    def _recover(self, evidence: Evidence) -> RecoveredManifest | None:
        """The manifest that the registry kept, for a copy that carries none of it."""
        if evidence.manifest.integrity is IntegrityCode.INTACT or not evidence.registrations:
            return None
        registration = evidence.registrations[0]
        store = self._claims.read_manifest_store(registration)
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


def _by_time(claim: VisibleClaim) -> tuple[bool, bool, int]:
    """Claims that this home's chain orders first; then those with a time of another chain."""
    return (claim.at is None, not claim.asked, claim.at or 0)


def _answer_recovered(report: ManifestReport) -> Answer:
    if report.integrity is IntegrityCode.INTACT:
        return Answer(
            IntegrityCode.INTACT,
            "The manifest that the registry kept is whole. It was made for the registered file; "
            "that it is not bound to these bytes is expected.",
        )
    return answer_integrity(report)
