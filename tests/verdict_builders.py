"""Evidence about one file, as a verdict reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from builders import EPOCH, build_bundle, build_claimant, build_dossier, build_registration

from titledeed.credentials.interpretation import report_without_store
from titledeed.models.disclosure import DigitalSourceType, source_type_uri
from titledeed.models.evidence import (
    Answer,
    Answers,
    ClaimEntry,
    ClaimStatus,
    Headline,
    HistoryCode,
    IntegrityCode,
    ManifestReport,
    TimeCode,
    TrustCode,
    VisibleClaim,
)
from titledeed.models.interval import Interval
from titledeed.models.match import MatchClass, Segment, WorkMatch
from titledeed.models.primitives import Address
from titledeed.models.registration import Registration
from titledeed.proofs.answers import Evidence, answer_all, choose_headline, find_earlier_claim

GENERATED: Final = DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA
CAPTURED: Final = DigitalSourceType.DIGITAL_CAPTURE
COMPOSITE: Final = DigitalSourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA

MINE: Final = build_claimant(0).address
THEIRS: Final = build_claimant(1).address

BARE: Final = report_without_store(IntegrityCode.NO_CREDENTIALS)
INTACT: Final = replace(
    BARE,
    integrity=IntegrityCode.INTACT,
    trust=TrustCode.TRUSTED,
    history=HistoryCode.COMPLETE,
    signer="A Studio",
    manifest_id="urn:c2pa:1",
    content_manifest_id="urn:c2pa:1",
    actions_complete=True,
    source_types=(source_type_uri(GENERATED),),
)
ALTERED: Final = replace(
    INTACT, integrity=IntegrityCode.ALTERED, failures=("assertion.dataHash.mismatch",)
)
UNREADABLE: Final = report_without_store(IntegrityCode.UNREADABLE, "claim.missing")
MANIFESTS: Final = {m.integrity: m for m in (BARE, INTACT, ALTERED, UNREADABLE)}


def registered(
    claimant: int = 0, *, seed: int = 1, source_type: DigitalSourceType = GENERATED
) -> Registration:
    content = build_dossier(1).record.signed_claim.claim.content_digest
    dossier = build_dossier(
        seed, claimant=claimant, content_digest=content, source_type=source_type
    )
    return build_registration(dossier, bundle=build_bundle(1))


FIRST: Final = registered(0)
LATER: Final = registered(1)
CAMERA: Final = registered(2, seed=2, source_type=CAPTURED)


def claim(
    registration: Registration,
    code: TimeCode = TimeCode.SELF_KEPT,
    at: int | None = 1_790_000_000,
    *,
    asked: bool = True,
) -> VisibleClaim:
    return VisibleClaim(
        registration_id=registration.registration_id,
        title=registration.title,
        claimant=registration.claimant,
        time=Answer(code, "because"),
        at=at,
        asked=asked,
        status=ClaimStatus.INCLUDED,
        mine=False,
    )


def entry(kind: str, sequence: int = 1, *, counts: bool = True) -> ClaimEntry:
    return ClaimEntry(kind, EPOCH + 86_400 * sequence, sequence, MINE, counts, "because")


def matched(
    registration: Registration, query: tuple[float, float] = (0.0, 4.0), *, mirrored: bool = False
) -> WorkMatch:
    start, end = query
    work = Interval(start + 3, end + 3) if end else Interval(0.0, 0.0)
    segment = Segment(Interval(start, end), work, speed=1.0, mirrored=mirrored)
    return WorkMatch(registration.registration_id, 0.9, MatchClass.CLIP_OF, (segment,))


def gather(
    manifest: ManifestReport = BARE,
    *,
    exact: Sequence[Registration] = (),
    matches: Sequence[tuple[Registration, WorkMatch]] = (),
    claims: Sequence[VisibleClaim] | None = None,
    by: Address | None = None,
) -> Evidence:
    works = {registration.registration_id: registration for registration, _ in matches}
    shown = exact or list(works.values())
    if claims is None:
        claims = [claim(one, at=1_790_000_000 + order) for order, one in enumerate(shown)]
    return Evidence(
        manifest=manifest,
        exact=tuple(exact),
        matches=tuple(match for _, match in matches),
        works=works,
        claims=tuple(claims),
        manifest_claimant=by,
        earlier=find_earlier_claim(by, claims) if exact else None,
    )


ONE_MATCH: Final = ((FIRST, matched(FIRST)),)


def shared(match: WorkMatch) -> WorkMatch:
    segments = tuple(replace(segment, is_same_recording=False) for segment in match.segments)
    return replace(match, relation=MatchClass.SHARES_CONTENT, segments=segments)


ONE_SHARED: Final = ((FIRST, shared(matched(FIRST))),)


def judge(evidence: Evidence) -> tuple[Headline, Answers]:
    answers = answer_all(evidence)
    return choose_headline(evidence, answers), answers
