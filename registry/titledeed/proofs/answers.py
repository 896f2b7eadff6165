"""From evidence to the six answers and the headline. Pure.

Each answer speaks for itself; the headline follows a fixed order and blends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Final

from titledeed.models.disclosure import DigitalSourceType, SourceClass, classify_source_type
from titledeed.models.evidence import (
    READER_STOPPED,
    Answer,
    Answers,
    DisclosureCode,
    Headline,
    HistoryCode,
    IntegrityCode,
    ManifestReport,
    RegistryCode,
    TimeCode,
    TrustCode,
    VisibleClaim,
)
from titledeed.models.match import WorkMatch
from titledeed.models.primitives import Address, RegistrationId
from titledeed.models.registration import Registration
from titledeed.proofs.wording import name_term

_TIME_ORDER: Final = tuple(TimeCode)

_INTEGRITY_REASONS: Final = {
    IntegrityCode.INTACT: "The file carries credentials that fit its bytes.",
    IntegrityCode.ALTERED: "The file's credentials do not fit its bytes: they were changed after "
    "signing.",
    IntegrityCode.NO_CREDENTIALS: "The file carries no Content Credentials; this is no evidence "
    "either way.",
    IntegrityCode.UNREADABLE: "The file carries credentials that cannot be read.",
}

_HISTORY_REASONS: Final = {
    HistoryCode.COMPLETE: "Every ingredient that the credentials name checks out.",
    HistoryCode.GAPS: "The credentials name ingredients that carry none of their own.",
    HistoryCode.BROKEN_INGREDIENT: "A valid signature stands over an ingredient that had failed: ",
    HistoryCode.NONE: "There are no readable credentials to tell of a history.",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything gathered about one file for one principal.

    Attributes:
        manifest: what the file itself carries.
        exact: visible registrations whose source or signed bytes these are, earliest first.
        matches: visible works found in the content, those that it shows first, best first; empty
            when ``exact`` is not.
        works: the registration behind each match.
        claims: in order of time.
        manifest_claimant: claimant whose valid signature the file's own manifest carries.
        earlier: another claimant's claim on the content that the manifest names, which the chain
            puts before the manifest's own.
    """

    manifest: ManifestReport
    exact: tuple[Registration, ...]
    matches: tuple[WorkMatch, ...]
    works: dict[RegistrationId, Registration]
    claims: tuple[VisibleClaim, ...]
    manifest_claimant: Address | None
    earlier: VisibleClaim | None

    @property
    def registrations(self) -> tuple[Registration, ...]:
        """The registrations that speak of this file; a work that shares something does not."""
        return self.exact or tuple(self.works[m.registration_id] for m in self.shown)

    @property
    def shown(self) -> tuple[WorkMatch, ...]:
        """Matches with works of which the file shows or plays something."""
        return tuple(match for match in self.matches if match.shown)


def answer_all(evidence: Evidence) -> Answers:
    """The six answers."""
    return Answers(
        integrity=answer_integrity(evidence.manifest),
        trust=answer_trust(evidence.manifest),
        history=answer_history(evidence.manifest),
        time=_answer_time(evidence),
        registry=_answer_registry(evidence),
        disclosure=_answer_disclosure(evidence),
    )


def choose_headline(evidence: Evidence, answers: Answers) -> Headline:
    """The first that applies: conflict, exact, altered, match, unreadable, signed, nothing.

    Credentials that our reader could not get through in time are not called invalid.
    """
    code = answers.registry.code
    integrity = evidence.manifest.integrity
    was_read = READER_STOPPED not in evidence.manifest.failures
    order = (
        (code == RegistryCode.CONFLICT, Headline.CONFLICT),
        (code == RegistryCode.EXACT, Headline.REGISTERED_EXACT),
        (integrity is IntegrityCode.ALTERED, Headline.INVALID),
        (code == RegistryCode.MATCH, Headline.REGISTERED_MATCH),
        (integrity is IntegrityCode.UNREADABLE and was_read, Headline.INVALID),
        (integrity is IntegrityCode.INTACT, Headline.SIGNED_NOT_REGISTERED),
    )
    return next((headline for applies, headline in order if applies), Headline.NO_RECORD)


def answer_integrity(manifest: ManifestReport) -> Answer:
    """Do the credentials fit the bytes?"""
    reason = _INTEGRITY_REASONS[manifest.integrity]
    if manifest.failures and manifest.integrity is not IntegrityCode.INTACT:
        reason += f" ({', '.join(manifest.failures)})"
    return Answer(manifest.integrity, reason)


def answer_trust(manifest: ManifestReport) -> Answer:
    """Does the signer chain to a list that this home trusts?"""
    signer = manifest.signer or "nobody named"
    reasons = {
        TrustCode.TRUSTED: f"Signed by {signer}, on a trust list of this home.",
        TrustCode.UNTRUSTED: f"Signed by {signer}, on no trust list of this home.",
        TrustCode.EXPIRED: f"Signed by {signer}; the certificate has expired and no trusted "
        "time-stamp shows that it was valid at signing.",
        TrustCode.REVOKED: f"Signed by {signer}; the certificate was revoked.",
        TrustCode.NOT_CHECKED: "There is no signature to check.",
    }
    return Answer(manifest.trust, reasons[manifest.trust])


def answer_history(manifest: ManifestReport) -> Answer:
    """Is the chain of ingredients whole?"""
    reason = _HISTORY_REASONS[manifest.history]
    if manifest.history is HistoryCode.BROKEN_INGREDIENT:
        reason += f"{', '.join(manifest.broken_ingredients)}."
    return Answer(manifest.history, reason)


def _answer_time(evidence: Evidence) -> Answer:
    # What shows when a matched work existed does not show when this file did.
    speaking = {registration.registration_id for registration in evidence.registrations}
    found = [
        claim.time if evidence.exact else _of_the_work(claim.time)
        for claim in evidence.claims
        if evidence.exact or claim.registration_id in speaking
    ]
    # An altered file's time-stamp is about other bytes.
    if evidence.manifest.signed_at and evidence.manifest.integrity is IntegrityCode.INTACT:
        found.append(
            Answer(
                TimeCode.RFC3161_TRUSTED,
                f"A trusted time-stamp shows that it existed by {evidence.manifest.signed_at}.",
            )
        )
    if evidence.manifest_claimant:
        found.append(
            Answer(TimeCode.CLAIMED_ONLY, "Only the claimant's own clock speaks of a time.")
        )
    none = Answer(TimeCode.NONE, "Nothing shows when it was made.")
    return min(found, key=lambda answer: _TIME_ORDER.index(TimeCode(answer.code)), default=none)


def _of_the_work(time: Answer) -> Answer:
    return Answer(time.code, f"Of the matched work, not of this file: {time.reason}")


def _answer_registry(evidence: Evidence) -> Answer:
    if evidence.exact:
        return _answer_exact(evidence)
    if evidence.matches:
        verb = "matches" if evidence.shown else "shares something with"
        count = len(evidence.shown or evidence.matches)
        works = "a registered work" if count == 1 else f"{count} registered works"
        return Answer(RegistryCode.MATCH, f"The content {verb} {works}; see the seconds.")
    return Answer(
        RegistryCode.NONE,
        "Nothing registered here matches; this is no evidence either way.",
    )


def _answer_exact(evidence: Evidence) -> Answer:
    earlier = evidence.earlier
    if earlier is not None:
        return Answer(
            RegistryCode.CONFLICT,
            f"The file's own credentials name the claimant {evidence.manifest_claimant}, but "
            f"{earlier.claimant} claimed the same content earlier.",
        )
    count = len(evidence.exact)
    others = f" {count} claims exist on the same content." if count > 1 else ""
    return Answer(RegistryCode.EXACT, f"These very bytes are registered.{others}")


def find_earlier_claim(
    claimant: Address | None, claims: Iterable[VisibleClaim]
) -> VisibleClaim | None:
    """The first claim by somebody else that the asked chain puts before the claimant's own.

    Args:
        claimant: whom the file's manifest names; None where it names nobody.
        claims: on the content that the manifest names.
    """
    timed = sorted(((c.at, c) for c in claims if c.asked and c.at is not None), key=lambda t: t[0])
    own = next((at for at, claim in timed if claim.claimant == claimant), None)
    if claimant is None or not timed:
        return None
    at, first = timed[0]
    return first if first.claimant != claimant and (own is None or at < own) else None


def _answer_disclosure(evidence: Evidence) -> Answer:
    registered = [registration.source_type for registration in evidence.registrations]
    if not registered:
        return answer_carried_disclosure(evidence.manifest)
    carried = _carried_source_types(evidence.manifest)
    named = ", ".join(dict.fromkeys(map(name_term, [*registered, *carried])))
    if _disagree(evidence, carried):
        return Answer(
            DisclosureCode.CONTRADICTED,
            f"Claims and credentials disagree on whether generative AI was used: {named}.",
        )
    who = "Claims and credentials declare" if carried else "The claimant declares"
    return Answer(DisclosureCode.DECLARED, f"{who} {named}.")


def _disagree(evidence: Evidence, carried: list[DigitalSourceType]) -> bool:
    """Whether two statements about the same seconds differ on generative AI.

    Works that a film shows one after the other may each state something else, and a film that is
    stated to be partly generated may show works that are not.
    """
    said_of_file = _classify(carried)
    if SourceClass.GENERATIVE in said_of_file:
        said_of_file = {SourceClass.GENERATIVE}
    if evidence.exact:
        return len(said_of_file | _classify(one.source_type for one in evidence.exact)) > 1
    by_class: dict[SourceClass, list[WorkMatch]] = {one: [] for one in SourceClass}
    for match in evidence.shown:
        source_type = evidence.works[match.registration_id].source_type
        by_class[classify_source_type(source_type)].append(match)
    generative, other = by_class[SourceClass.GENERATIVE], by_class[SourceClass.NOT_GENERATIVE]
    if generative and said_of_file == {SourceClass.NOT_GENERATIVE}:
        return True
    return any(_share_seconds(one, two) for one, two in product(generative, other))


def _classify(source_types: Iterable[str]) -> set[SourceClass]:
    """What terms say; one that nobody here knows says nothing."""
    return set(map(classify_source_type, source_types)) - {SourceClass.UNKNOWN}


def _share_seconds(one: WorkMatch, other: WorkMatch) -> bool:
    """Whether both works explain the same part of the query; edges may overlap a little."""
    for left, right in product(one.segments, other.segments):
        shorter_s = min(left.query.duration_s, right.query.duration_s)
        if shorter_s == 0 or left.query.overlap_s(right.query) > shorter_s / 2:
            return True
    return False


def answer_carried_disclosure(manifest: ManifestReport) -> Answer:
    """What a manifest alone discloses (signal rules of c2pa-org/conformance-public)."""
    named = ", ".join(dict.fromkeys(_carried_source_types(manifest)))
    if not named:
        return Answer(DisclosureCode.NONE, "Nothing states how it was made.")
    if not manifest.actions_complete:
        return Answer(
            DisclosureCode.AMBIGUOUS,
            f"The credentials name {named}, but do not say that all actions are listed.",
        )
    return Answer(DisclosureCode.DECLARED, f"The signer declares {named}.")


def _carried_source_types(manifest: ManifestReport) -> list[DigitalSourceType]:
    """Source types of credentials that fit the bytes; altered ones are no evidence."""
    if manifest.integrity is not IntegrityCode.INTACT:
        return []
    names = (uri.rpartition("/")[2] for uri in manifest.source_types)
    return [DigitalSourceType(name) for name in names if name in set(DigitalSourceType)]
