"""Results as the JSON documents that every face prints."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from titledeed.anchoring.recording import RecordedAct
from titledeed.canonical.fingerprints import encode_fingerprint
from titledeed.errors import TitledeedError
from titledeed.models.bundle import AnchorEvidence
from titledeed.models.evidence import (
    Answers,
    ClaimEntry,
    RecoveredManifest,
    VerificationReport,
    VisibleClaim,
)
from titledeed.models.examination import Examination
from titledeed.models.ledger import Block
from titledeed.models.match import MatchClass, Segment, WorkMatch
from titledeed.models.registration import Coverage, Registration
from titledeed.proofs.bundles import BundleReport
from titledeed.proofs.event_kinds import actor_of, name_kind
from titledeed.services.comparison import Comparison
from titledeed.services.registration import RefusedFile, RegisteredFile, SimilarWork

SCHEMA_VERSION: Final = 1

Document = dict[str, object]


def verification_document(report: VerificationReport) -> Document:
    """The JSON of ``verify``."""
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": report.headline.value,
        "sentence": report.sentence,
        "answers": _answers_document(report.answers),
        "matches": [
            {"title": report.titles[match.registration_id], **match_document(match)}
            for match in report.matches
        ],
        "claims": [_claim_document(claim) for claim in report.claims],
        "recovered": _recovered_document(report.recovered) if report.recovered else None,
    }


def _answers_document(answers: Answers | RecoveredManifest) -> Document:
    return {
        name: {"code": str(answer.code), "reason": answer.reason}
        for name, answer in answers.items()
    }


def match_document(match: WorkMatch) -> Document:
    """One match: registration id, score, segments."""
    return {
        "registration_id": match.registration_id,
        "score": round(match.score, 4),
        "relation": match.relation.value,
        "segments": [segment_document(segment) for segment in match.segments],
    }


def fingerprint_document(examination: Examination) -> Document:
    """The JSON of ``fingerprint``."""
    return {
        "schema_version": SCHEMA_VERSION,
        **_examined_document(examination),
        "fingerprints": [encode_fingerprint(code) for code in examination.fingerprints],
    }


def comparison_document(comparison: Comparison) -> Document:
    """The JSON of ``compare``: the second file is the work of the segments."""
    match = comparison.match
    return {
        "schema_version": SCHEMA_VERSION,
        "relation": comparison.relation.value,
        "score": round(match.score, 4) if match else 0.0,
        "segments": [segment_document(segment) for segment in match.segments] if match else [],
        "files": [
            _examined_document(examination) for examination in (comparison.first, comparison.second)
        ],
    }


def _examined_document(examination: Examination) -> Document:
    facts = examination.asset.facts
    return {
        "content_sha256": examination.asset.content_digest.hex(),
        "media_type": str(facts.media_type),
        "duration_s": examination.query.duration_s,
        "notes": list(examination.notes),
    }


def registered_document(registered: RegisteredFile) -> Document:
    """The JSON of ``register``, one object a file."""
    registration = registration_document(registered.registration)
    return {
        "schema_version": SCHEMA_VERSION,
        "source": registered.source,
        **registration,
        "time_code": registered.time_code.value,
        "created": registered.created,
        "bundle_path": registered.bundle_path,
        "similar": [_similar_document(similar) for similar in registered.similar],
        "notes": list(registered.notes),
    }


def refused_document(refused: RefusedFile) -> Document:
    """The JSON of ``register`` for a file that was refused."""
    return {
        "schema_version": SCHEMA_VERSION,
        "source": refused.source,
        "error": problem_document(refused.error),
    }


def registration_document(registration: Registration) -> Document:
    """One registration."""
    anchor = registration.anchor
    signed = registration.signed_digest
    return {
        "registration_id": registration.registration_id,
        "status": registration.status.value,
        "visibility": registration.visibility.value,
        "title": registration.title,
        "claimant": registration.claimant,
        "digital_source_type": str(registration.source_type),
        "signed_path": registration.signed_path,
        "content_sha256": registration.content_digest.hex(),
        "signed_sha256": signed.hex() if signed else None,
        "chain": {
            "chain_id": registration.domain.chain_id,
            "contract": registration.domain.contract,
            "tx": "0x" + anchor.transaction.hex() if anchor else None,
            "block": anchor.block_number if anchor else None,
            "block_time": iso_time(anchor.block_timestamp) if anchor else None,
            "status": registration.status.value,
        },
    }


def entries_document(entries: Iterable[ClaimEntry]) -> list[Document]:
    """What the chain says about a claim, in its order."""
    return [
        {
            "kind": entry.kind,
            "at": iso_time(entry.at),
            "sequence": entry.sequence,
            "actor": entry.actor,
            "counts": entry.counts,
            "detail": entry.detail,
        }
        for entry in entries
    ]


def act_document(recorded: RecordedAct) -> Document:
    """One act that the chain holds."""
    event = recorded.event
    return {
        "kind": name_kind(event.body),
        "created": recorded.is_new,
        "actor": actor_of(event.body),
        "sequence": event.sequence,
        "at": iso_time(event.block_timestamp),
        "block": event.block_number,
        "tx": "0x" + event.transaction.hex(),
    }


def bundle_document(report: BundleReport) -> Document:
    """The JSON of ``bundle verify``."""
    dossier = report.bundle.dossier
    claim = dossier.record.signed_claim.claim
    return {
        "schema_version": SCHEMA_VERSION,
        "holds": report.holds,
        "registration_id": dossier.registration_id,
        "title": dossier.rights.title,
        "claimant": claim.claimant,
        "statement": claim.statement,
        "checks": [
            {"name": check.name, "result": check.result.value, "detail": check.detail}
            for check in report.checks
        ],
        "anchors": [_anchor_document(one) for one in report.bundle.anchors],
        "proven_block": _block_document(report.proven_block) if report.proven_block else None,
        "by_hand": report.by_hand,
        "unread": [
            {"document": name, "field": field.name, "value": field.value}
            for name, unread in dossier.unread.items()
            for field in unread
        ],
    }


def _anchor_document(one: AnchorEvidence) -> Document:
    return {
        "chain_kind": one.chain.kind.value,
        "chain_id": one.chain.chain_id,
        "contract": one.chain.contract,
        "tx": "0x" + one.anchor.transaction.hex(),
        "block": one.anchor.block_number,
        "block_hash": "0x" + one.anchor.block_hash.hex(),
        "block_time": iso_time(one.anchor.block_timestamp),
    }


def _block_document(block: Block) -> Document:
    return {
        "block": block.number,
        "block_hash": "0x" + block.hash.hex(),
        "block_time": iso_time(block.timestamp),
    }


def coverage_document(coverage: Coverage) -> Document:
    """What a snapshot holds."""
    return {
        "snapshot_id": coverage.snapshot_id,
        "exported_at": iso_time(coverage.exported_at),
        "exporter": coverage.exporter,
        "registrations": coverage.registrations,
        "chain_id": coverage.chain_id,
    }


def iso_time(seconds: int) -> str:
    """A time as ISO 8601, UTC, for programs."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def problem_document(error: TitledeedError) -> Document:
    """An error as data; faces add their own status."""
    return {"code": error.code, "message": error.message, "next_step": error.next_step}


def segment_document(segment: Segment) -> Document:
    """One aligned run."""
    return {
        "query_start_s": round(segment.query.start_s, 3),
        "query_end_s": round(segment.query.end_s, 3),
        "work_start_s": round(segment.work.start_s, 3),
        "work_end_s": round(segment.work.end_s, 3),
        "speed": round(segment.speed, 4),
        "mirrored": segment.mirrored,
        "channel": segment.channel.value,
        "same_recording": segment.is_same_recording,
    }


def _claim_document(claim: VisibleClaim) -> Document:
    return {
        "registration_id": claim.registration_id,
        "title": claim.title,
        "claimant": claim.claimant,
        "time": {
            "code": str(claim.time.code),
            "at": None if claim.at is None else iso_time(claim.at),
            "reason": claim.time.reason,
        },
        "status": claim.status.value,
        "mine": claim.mine,
        "entries": entries_document(claim.entries),
    }


def _recovered_document(recovered: RecoveredManifest) -> Document:
    return {
        "registration_id": recovered.registration_id,
        "manifest_id": recovered.manifest_id,
        "answers": _answers_document(recovered),
    }


def _similar_document(similar: SimilarWork) -> Document:
    match = similar.match
    return {
        "registration_id": similar.registration.registration_id,
        "title": similar.registration.title,
        "claimant": similar.registration.claimant,
        "mine": similar.mine,
        "score": round(match.score, 4) if match else 1.0,
        "relation": (match.relation if match else MatchClass.SAME_FILE).value,
        "segments": [segment_document(s) for s in match.segments] if match else [],
    }
