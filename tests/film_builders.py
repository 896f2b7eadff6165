"""Evidence of films for the audit: built as values, with the twin that differs in one thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from titledeed.disclosure.film import parse_film_disclosure
from titledeed.models.audit import FilmEvidence, Timeline, TimelineShot
from titledeed.models.claim import SigningDomain
from titledeed.models.disclosure import DigitalSourceType, FilmDisclosure
from titledeed.models.evidence import ClaimStatus
from titledeed.models.interval import Interval
from titledeed.models.match import MatchClass, Segment, WorkMatch
from titledeed.models.primitives import Address, Keccak256, LeafHash, RegistrationId, Sha256
from titledeed.models.registration import Coverage, Registration, Visibility

GENERATIVE: Final = DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA
CAPTURE: Final = DigitalSourceType.DIGITAL_CAPTURE
ACCOUNT: Final = Address("0x52908400098527886E0F7030069857D2E4169EE7")

Run = tuple[float, float]


def registration_id(name: str) -> RegistrationId:
    """An id of the right form, readable in failures."""
    return RegistrationId("td1" + name.lower().ljust(32, "a")[:32])


def digest(name: str) -> Sha256:
    """A digest that differs by name."""
    return Sha256(name.encode().ljust(32, b"\0")[:32])


def registration(
    name: str, source_type: DigitalSourceType = GENERATIVE, *, title: str | None = None
) -> Registration:
    """A registration of its own bytes."""
    return Registration(
        registration_id=registration_id(name),
        claimant=ACCOUNT,
        domain=SigningDomain(31_337, ACCOUNT),
        content_digest=digest(f"content {name}"),
        signed_digest=digest(f"signed {name}"),
        manifest_id=None,
        title=title or name,
        source_type=source_type,
        status=ClaimStatus.INCLUDED,
        visibility=Visibility.PUBLISHED,
        snapshot_id=None,
        signed_path=None,
        leaf=LeafHash(Keccak256(bytes(32))),
        leaf_index=0,
        anchor=None,
        duration_ms=10_000,
        claimed_at=1,
        accepted_at=2,
    )


def match(name: str, *film_runs: Run) -> WorkMatch:
    """A work shown at these seconds of the film, each time from its own start."""
    segments = tuple(
        Segment(Interval(start, end), Interval(0.0, end - start), speed=1.0, mirrored=False)
        for start, end in film_runs
    )
    return WorkMatch(registration_id(name), 0.93, MatchClass.CONTAINS, segments)


COVERAGE: Final = Coverage("snap1", 1_790_000_000, ACCOUNT, 3, 31_337)


def film(
    *,
    disclosure: str | None = "declared_use: none",
    works: Sequence[tuple[Registration, WorkMatch]] = (),
    duration_s: float = 20.0,
    shots: Sequence[Run] | None = None,
) -> FilmEvidence:
    """A film of 20 s; ``disclosure`` is the YAML after its schema line."""
    timeline = None
    if shots is not None:
        named = tuple(TimelineShot(f"shot {n}", Interval(*run)) for n, run in enumerate(shots))
        timeline = Timeline(named, rate=24.0, duration_s=max(s.time.end_s for s in named))
    return FilmEvidence(
        film_name="film.mp4",
        film_digest=digest("film"),
        duration_s=duration_s,
        disclosure=None if disclosure is None else disclosed(disclosure),
        timeline=timeline,
        matches=tuple(found for _, found in works),
        works={entry.registration_id: entry for entry, _ in works},
        coverages=(COVERAGE,),
        own_registrations=0,
        submitted_bundles=0,
        manifest_source_types=(),
        unassessed=(),
        as_of=1_795_000_000,
    )


def disclosed(body: str) -> FilmDisclosure:
    """A disclosure parsed from YAML, as a film-maker writes it."""
    return parse_film_disclosure(f"schema: aidisc/1\n{body}\n".encode())


def shown(
    name: str, *film_runs: Run, source_type: DigitalSourceType = GENERATIVE
) -> tuple[Registration, WorkMatch]:
    """A registered work and where the film shows it."""
    return registration(name, source_type), match(name, *film_runs)


def shared(
    name: str, *film_runs: Run, source_type: DigitalSourceType = GENERATIVE
) -> tuple[Registration, WorkMatch]:
    """A registered work with which the film has something in common there, and no more."""
    work, found = shown(name, *film_runs, source_type=source_type)
    segments = tuple(replace(segment, is_same_recording=False) for segment in found.segments)
    return work, replace(found, relation=MatchClass.SHARES_CONTENT, segments=segments)


def ms_11(*, resolved: int = 0) -> FilmEvidence:
    """Fixture MS-11: 660 s, 48 AI shots of 4 s, then 72 others of 6.5 s.

    Of the others, ``resolved`` are matched to a registration of camera footage.
    """
    ai: list[Run] = [(4.0 * n, 4.0 * (n + 1)) for n in range(48)]
    rest: list[Run] = [(192 + 6.5 * n, 192 + 6.5 * (n + 1)) for n in range(72)]
    works = [shown("generated", *ai)]
    if resolved:
        works.append(shown("camera", *rest[:resolved], source_type=CAPTURE))
    evidence = film(works=works, duration_s=660.0, shots=[*ai, *rest])
    return replace(
        evidence,
        disclosure=disclosed(
            f"declared_use: generative\nuses:\n- registrations: [{registration_id('generated')}]"
        ),
    )


def with_claim(evidence: FilmEvidence, claim: str) -> FilmEvidence:
    """The same film with one share claim, as a YAML flow mapping."""
    claims = disclosed(f"claims: [{claim}]").claims
    if evidence.disclosure is None:
        raise ValueError("a claim needs a disclosure")
    return replace(evidence, disclosure=replace(evidence.disclosure, claims=claims))
