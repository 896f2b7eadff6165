"""The verdict in one sentence, for people."""

from __future__ import annotations

from typing import Final

from titledeed.models.evidence import Headline, IntegrityCode, TimeCode, VisibleClaim
from titledeed.proofs.answers import Evidence
from titledeed.proofs.entries import EntryKind
from titledeed.proofs.times import format_time

_SINCE: Final[dict[str, str]] = {
    EntryKind.ISSUED: "given a deed",
    EntryKind.WITHDRAWN: "withdrawn",
    EntryKind.SUPERSEDED: "superseded",
    EntryKind.KEY_LOST: "its key declared lost",
    EntryKind.KEY_REPLACED: "its key declared replaced",
}


def write_sentence(headline: Headline, evidence: Evidence) -> str:
    """The verdict in one sentence."""
    if headline is Headline.REGISTERED_MATCH:
        return _match_sentence(evidence)
    if headline in (Headline.REGISTERED_EXACT, Headline.CONFLICT):
        first = evidence.earlier or evidence.claims[0]
        work = f"“{first.title}”, {_claimed(first)}"
        if headline is Headline.REGISTERED_EXACT:
            return f"This file is {work}."
        # Whose content it is, only the credentials say: the bytes may be of anything.
        return f"This file's credentials name {evidence.manifest_claimant} for {work}."
    signer = evidence.manifest.signer or "a signer without a name"
    return {
        Headline.INVALID: "The file carries credentials that cannot be read."
        if evidence.manifest.integrity is IntegrityCode.UNREADABLE
        else "The file's credentials do not fit its bytes.",
        Headline.SIGNED_NOT_REGISTERED: f"The file carries intact credentials signed by {signer}; "
        "nothing registered here matches it.",
        Headline.NO_RECORD: "Nothing registered here matches this file and it carries no "
        "credentials; this is no evidence either way.",
    }[headline]


def _match_sentence(evidence: Evidence) -> str:
    match = evidence.matches[0]
    work = evidence.works[match.registration_id]
    claim = next(c for c in evidence.claims if c.registration_id == match.registration_id)
    segment = (match.shown or match.segments)[0]
    if segment.query.duration_s:
        mirrored = ", mirrored" if segment.mirrored else ""
        where = (
            f"Seconds {segment.query.start_s:.1f} to {segment.query.end_s:.1f} of this file "
            f"{'are' if match.shown else 'share content with'} "
            f"seconds {segment.work.start_s:.1f} to {segment.work.end_s:.1f} of"
        )
        text = f"{where} “{work.title}”{mirrored}, {_claimed(claim)}"
    else:
        verb = "matches" if match.shown else "shares content with"
        text = f"This picture {verb} “{work.title}”, {_claimed(claim)}"
    others = len(evidence.matches) - 1
    return f"{text}; {others} more registered work(s) match." if others else f"{text}."


def _claimed(claim: VisibleClaim) -> str:
    """By whom and when it was claimed, and what its claimant or holder did about it since."""
    since: dict[str, str] = {}
    for entry in claim.entries:
        if entry.counts and entry.kind in _SINCE:
            since.setdefault(entry.kind, f"{_SINCE[entry.kind]} on {format_time(entry.at)}")
    return ", ".join([_claimed_first(claim), *since.values()])


def _claimed_first(claim: VisibleClaim) -> str:
    if claim.at is not None:
        return f"claimed by {claim.claimant} on {format_time(claim.at)}"
    if claim.time.code == TimeCode.NONE:
        return f"claimed by {claim.claimant} at a time that nothing shows"
    return f"claimed by {claim.claimant} and not anchored yet"
