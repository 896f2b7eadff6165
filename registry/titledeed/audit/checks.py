"""Declared against detected: each check reads one draft and gives findings.

How grave a finding is and what follows from it stands in ``severities``. Every check raises a
concern only where two things that were stated or matched contradict each other; what is merely
absent is a question or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from titledeed.audit.severities import raise_finding
from titledeed.audit.shares import EDGE_S, ShareComparison, compare
from titledeed.audit.wording import counted, percent, percent_range, printable, runs, timecode
from titledeed.audit.works import COVERED_MIN, find_shared, is_ai_use, names
from titledeed.models.audit import DetectedWork, FilmEvidence, Share
from titledeed.models.disclosure import (
    DeclaredUse,
    DeclaredUseOfAI,
    FilmDisclosure,
    ShareClaim,
    ShareUnit,
    SourceClass,
    Used,
    classify_source_type,
    is_generative,
)
from titledeed.models.finding import Finding, FindingCode, Severity
from titledeed.models.interval import Interval, covered_s, shared_s, union
from titledeed.proofs.wording import name_term

LENGTH_TOLERANCE_S: Final = 1.0
"""Two versions of one film differ when their lengths differ by more than this."""

UNREAD_SHOWN_MAX: Final = 20

_COMPARED: Final = {
    None: (FindingCode.NOT_COMPARABLE, "cannot be compared"),
    ShareComparison.BELOW: (FindingCode.SHARE_BELOW, "is below the film"),
    ShareComparison.ABOVE: (FindingCode.SHARE_ABOVE, "is above the film"),
    ShareComparison.CONSISTENT: (FindingCode.SHARE_CONSISTENT, "is consistent"),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What the checks read."""

    evidence: FilmEvidence
    disclosure: FilmDisclosure | None
    works: tuple[DetectedWork, ...]
    generative_time: tuple[Interval, ...]
    declared_time: tuple[Interval, ...]
    time: Share
    shots: Share | None


def check(draft: Draft) -> Iterator[Finding]:
    """All findings of our own about a film that could be read."""
    yield from _unassessed(draft)
    yield from _works(draft)
    yield from _shared(draft)
    yield from _lengths(draft)
    if draft.disclosure is None:
        yield raise_finding(
            FindingCode.MISSING_ANSWER, "The submission holds no disclosure that could be read."
        )
        return
    yield from _answers(draft.disclosure)
    yield from _contradictions(draft, draft.disclosure)
    yield from _uses(draft, draft.disclosure)
    yield from _versions(draft, draft.disclosure)
    for claim in draft.disclosure.claims or ():
        yield _share(draft, draft.disclosure, claim)
    if unread := draft.disclosure.unread:
        listed = ", ".join(printable(path, length_max=80) for path in unread[:UNREAD_SHOWN_MAX])
        yield raise_finding(FindingCode.FIELD_NOT_READ, f"Fields kept but not looked at: {listed}.")


def _unassessed(draft: Draft) -> Iterator[Finding]:
    for line in draft.evidence.unassessed:
        yield not_assessed(line)


def not_assessed(reason: str) -> Finding:
    """That a part of the submission could not be looked at."""
    return raise_finding(FindingCode.NOT_ASSESSED, f"Not assessed: {printable(reason)}")


def _works(draft: Draft) -> Iterator[Finding]:
    for work in draft.works:
        title = f"“{printable(work.title)}” ({work.registration_id})"
        seconds = f"{covered_s(work.film_time):.1f} s ({runs(work.film_time)})"
        if not work.is_generative:
            yield _about(
                work,
                raise_finding(
                    FindingCode.REGISTERED_WORK_USED,
                    f"The film shows {title} for {seconds}, registered as "
                    f"{_name(work)}: {_meaning(work)}.",
                ),
            )
        elif work.declared is False:
            open_s = covered_s(work.undeclared_time)
            yield _about(
                work,
                raise_finding(
                    FindingCode.USE_UNDECLARED,
                    f"The film shows {title}, registered as {_name(work)}, and no "
                    f"declared use covers {open_s:.1f} s of it ({runs(work.undeclared_time)}).",
                ),
            )
        elif work.declared is None:
            yield _about(
                work,
                raise_finding(
                    FindingCode.MISSING_ANSWER,
                    f"The film shows {title}, registered as {_name(work)}, for "
                    f"{seconds}; nothing says whether this use is declared.",
                ),
            )
    yield from _disagreeing_registrations(draft.works)


def _name(work: DetectedWork) -> str:
    return name_term(work.source_type)


def _meaning(work: DetectedWork) -> str:
    if classify_source_type(work.source_type) is SourceClass.UNKNOWN:
        return "whether that counts as AI is not known here; ask its claimant"
    return "a question of rights, not of AI"


def _shared(draft: Draft) -> Iterator[Finding]:
    """What a person should look at; it counts neither as shown nor as AI."""
    for work, times in find_shared(draft.evidence):
        open_time = [one for one in times if not shared_s([one], draft.declared_time)]
        is_open = is_generative(work.source_type) and open_time
        finding = raise_finding(
            FindingCode.CONTENT_SHARED,
            f"The film shares content with “{printable(work.title)}” ({work.registration_id}), "
            f"registered as {name_term(work.source_type)}, at {runs(times)}: perhaps a stem, a "
            "room or a source in common. It is not counted as showing it; compare the two.",
            eased=None if is_open else Severity.INFO,
        )
        yield replace(finding, film_time=times[0], registration_id=work.registration_id)


def _disagreeing_registrations(works: tuple[DetectedWork, ...]) -> Iterator[Finding]:
    """Seconds that one registration calls generative and another does not."""
    other = [i for work in works if not work.is_generative for i in work.film_time]
    for work in works:
        shared = shared_s(work.film_time, other)
        if work.is_generative and shared > 2 * EDGE_S:
            yield _about(
                work,
                raise_finding(
                    FindingCode.REG_SOURCE_CONFLICT,
                    f"Registrations disagree about the source of {shared:.1f} s that show "
                    f"“{printable(work.title)}”; they count as AI here.",
                ),
            )


def _answers(disclosure: FilmDisclosure) -> Iterator[Finding]:
    if disclosure.declared_use is None:
        yield raise_finding(
            FindingCode.MISSING_ANSWER, "The disclosure does not say whether AI was used."
        )
    if disclosure.declared_use is DeclaredUse.UNSURE:
        yield raise_finding(
            FindingCode.UNSURE_ANSWER, "The disclosure is unsure whether AI was used."
        )
    if disclosure.declared_use is DeclaredUse.GENERATIVE and disclosure.uses is None:
        yield raise_finding(
            FindingCode.MISSING_ANSWER, "Generative use is declared, and the uses are not listed."
        )
    unsure = [a.department for a in disclosure.departments or () if a.used is Used.UNSURE]
    for department in dict.fromkeys(unsure):
        yield raise_finding(
            FindingCode.UNSURE_ANSWER, f"The disclosure is unsure about {department}."
        )


def _contradictions(draft: Draft, disclosure: FilmDisclosure) -> Iterator[Finding]:
    """Answers against each other, and against the film's own credentials."""
    declared = disclosure.declared_use
    if declared is DeclaredUse.NONE:
        named = {
            "department": sum(a.used is Used.YES for a in disclosure.departments or ()),
            "tool": len(disclosure.tools or ()),
            "use": len(disclosure.uses or ()),
        }
        listed = [counted(number, noun) for noun, number in named.items() if number]
        if listed:
            yield raise_finding(
                FindingCode.DECLARATION_CONFLICT,
                f"The disclosure declares no use of AI and lists {' and '.join(listed)}.",
            )
    if declared is DeclaredUse.ASSISTIVE and any(
        w.is_generative and w.declared for w in draft.works
    ):
        yield raise_finding(
            FindingCode.DECLARATION_CONFLICT,
            "The disclosure declares assistive use only and lists a use that is registered as "
            "generative.",
        )
    stated = draft.evidence.manifest_source_types
    generative = [text for text in stated if classify_source_type(text) is SourceClass.GENERATIVE]
    if generative and (declared is DeclaredUse.NONE or declared is DeclaredUse.ASSISTIVE):
        yield raise_finding(
            FindingCode.PROV_CONFLICT,
            f"The film carries a credential that states {printable(generative[0])}; the "
            f"disclosure answers {declared.value!r}.",
            eased=None if declared is DeclaredUse.NONE else Severity.QUESTION,
        )


def _uses(draft: Draft, disclosure: FilmDisclosure) -> Iterator[Finding]:
    for use in disclosure.uses or ():
        label = f"Declared use “{printable(use.id)}”"
        found = [
            work
            for work in draft.works
            if names(use, draft.evidence.works[work.registration_id], draft.evidence)
        ]
        references = len(use.registrations) + len(use.source_files)
        if references and not found:
            yield raise_finding(
                FindingCode.USE_NOT_FOUND,
                f"{label} was not found in the film, which is no evidence either way.",
            )
        if use.time and use.time.end_s > draft.evidence.duration_s + LENGTH_TOLERANCE_S:
            yield raise_finding(
                FindingCode.USE_OUT_OF_RANGE,
                f"{label} ends at {timecode(use.time.end_s)}, after the end of the film.",
            )
        yield from _source_type(draft, use, label, found)


def _source_type(
    draft: Draft, use: DeclaredUseOfAI, label: str, found: list[DetectedWork]
) -> Iterator[Finding]:
    if use.source_type is None:
        return
    stated = printable(use.source_type)
    if classify_source_type(use.source_type) is SourceClass.UNKNOWN:
        yield raise_finding(
            FindingCode.SOURCE_TYPE_UNCLEAR,
            f"{label}: {stated} does not tell whether it is generative AI.",
        )
    covered = [work for work in draft.works if use.time and _is_inside(work, use.time)]
    works = {work.registration_id: work for work in (*found, *covered) if work.is_generative}
    if not is_ai_use(use):
        for work in works.values():
            yield _about(
                work,
                raise_finding(
                    FindingCode.PROV_CONFLICT,
                    f"{label} states {stated}; “{printable(work.title)}” is registered as "
                    f"{_name(work)}.",
                ),
            )


def _is_inside(work: DetectedWork, time: Interval) -> bool:
    return shared_s(work.film_time, [time]) >= COVERED_MIN * covered_s(work.film_time)


def _lengths(draft: Draft) -> Iterator[Finding]:
    evidence = draft.evidence
    if evidence.timeline and not fits(evidence, evidence.timeline.duration_s):
        yield raise_finding(
            FindingCode.RUNTIME_MISMATCH,
            f"The timeline runs {timecode(evidence.timeline.duration_s)}, the film "
            f"{timecode(evidence.duration_s)}; its shots are not counted.",
        )


def fits(evidence: FilmEvidence, duration_s: float) -> bool:
    """Whether a length is that of the film."""
    return abs(duration_s - evidence.duration_s) <= LENGTH_TOLERANCE_S


def _versions(draft: Draft, disclosure: FilmDisclosure) -> Iterator[Finding]:
    lengths = [v.duration_s for v in disclosure.versions if v.duration_s is not None]
    if lengths and not any(fits(draft.evidence, length) for length in lengths):
        yield raise_finding(
            FindingCode.RUNTIME_MISMATCH,
            f"The disclosure speaks of a film of {timecode(lengths[0])}; this one runs "
            f"{timecode(draft.evidence.duration_s)}.",
        )
    digests = [version.digest for version in disclosure.versions if version.digest]
    if digests and draft.evidence.film_digest not in digests:
        yield raise_finding(
            FindingCode.VERSION_MISMATCH,
            "The disclosure names the SHA-256 of another file; it may be about another export.",
        )


def _share(draft: Draft, disclosure: FilmDisclosure, claim: ShareClaim) -> Finding:
    rate = next((version.rate for version in disclosure.versions if version.rate), None)
    edges = len(union([*draft.generative_time, *draft.declared_time]))
    comparison = compare(claim, draft.time, draft.shots, rate, edges)
    measured = f"Known: {_known(draft)}."
    metric = claim.metric.value if claim.metric else "no metric"
    stated = f"{claim.qualifier.value.replace('_', ' ')} {_value(claim)} ({metric})"
    code, words = _COMPARED[comparison]
    return raise_finding(code, f"The claim {stated} {words}. {measured}")


def _known(draft: Draft) -> str:
    seconds = f"{float(draft.time.known.lower * draft.time.total / 1000):.1f} s"
    shares = [f"{percent_range(draft.time.known)} of the time (at least {seconds})"]
    if draft.shots:
        shots = f"{draft.shots.known.lower * draft.shots.total} of {draft.shots.total}"
        shares.append(f"{percent_range(draft.shots.known)} of the shots (at least {shots})")
    return ", ".join(shares) + f"{_open_shots(draft.shots)}"


def _open_shots(shots: Share | None) -> str:
    if shots is None:
        return ""
    number = (shots.known.upper - shots.known.lower) * shots.total
    return f"; {counted(int(number), 'shot')} unresolved" if number else ""


def _value(claim: ShareClaim) -> str:
    if claim.unit is ShareUnit.RATIO:
        return percent(claim.value)
    return f"{float(claim.value):g} {claim.unit.value}"


def _about(work: DetectedWork, finding: Finding) -> Finding:
    is_open = finding.code == FindingCode.USE_UNDECLARED
    time = work.undeclared_time if is_open else work.film_time
    return replace(
        finding, film_time=time[0] if time else None, registration_id=work.registration_id
    )
