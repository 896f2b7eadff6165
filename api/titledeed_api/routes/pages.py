"""Pages for people: the drop page with its results, registrations, explanations of problems."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse, RedirectResponse

from titledeed.errors import NotFoundError
from titledeed.models.asset import MediaType
from titledeed.models.evidence import ChainIdentity, Headline
from titledeed.models.job import JobStatus
from titledeed.models.primitives import RegistrationId
from titledeed.models.principal import ANONYMOUS, Principal
from titledeed.models.registration import Registration
from titledeed.proofs.bundles import read_bundle_file
from titledeed_api.dependencies import ReaderDep, Server, ServerDep
from titledeed_api.handlers import VERIFICATION
from titledeed_api.jobs import find_job, read_problem, show_job
from titledeed_api.presentation import (
    CHAIN_TIMES,
    HEADLINES,
    PRINCIPLE,
    SOURCE_TYPES,
    TIMES,
    Bars,
    draw_bars,
    list_answers,
)
from titledeed_api.problems import PROBLEM_KINDS, wants_page
from titledeed_api.routes.registrations import find_registration, show_registration
from titledeed_api.routes.verifications import show_verification, start_verification
from titledeed_api.schemas.resources import Match, Verification
from titledeed_api.templates import render_page

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class ShownMatch:
    """A match with its picture; ``work`` is None once its holder took it back."""

    match: Match
    work: Registration | None
    has_thumbnail: bool
    bars: Bars | None


@router.get("/")
def show_home() -> Response:
    """Where a file is dropped."""
    return _render_home({"state": "empty"})


@router.post("/verifications")
async def submit_form(server: ServerDep, request: Request) -> Response:
    """The form of a browser without scripts."""
    job = await start_verification(server, ANONYMOUS, request)
    return RedirectResponse(f"/verifications/{job.job_id}", 303)


@router.get("/verifications/{job_id}")
def show_verification_page(
    server: ServerDep, principal: ReaderDep, request: Request, job_id: str
) -> Response:
    """One verification, for people; the same as data to those who ask for JSON."""
    job = find_job(server, VERIFICATION, job_id, principal)
    document = show_job(server, job, show_verification)
    if not wants_page(request):
        return JSONResponse(document, headers={"Vary": "Accept"})
    if job.status is JobStatus.RUNNING:
        return _render_home({"state": "running", "job_id": job_id})
    if job.status is JobStatus.FAILED:
        return _render_home({"state": "failed", "problem": read_problem(job)})
    found = Verification.model_validate(document)
    return _render_home(
        {
            "state": "done",
            "found": found,
            "headline": HEADLINES[Headline(found.verdict)],
            "answers": list_answers(dict(found.answers)),
            "matches": [_show_match(server, principal, match) for match in found.matches],
            "recovered": list_answers(dict(found.recovered.answers)) if found.recovered else [],
        }
    )


@router.get("/registrations/{registration_id}")
def show_registration_page(
    server: ServerDep, principal: ReaderDep, request: Request, registration_id: str
) -> Response:
    """One published registration."""
    registration = find_registration(server, principal, registration_id)
    document = show_registration(server, registration, principal)
    if not wants_page(request):
        return JSONResponse(document, headers={"Vary": "Accept"})
    chain = _find_chain(server, registration)
    return render_page(
        "registration.html",
        {
            "principle": PRINCIPLE,
            "registration": registration,
            "entries": document["entries"],
            "chain": chain,
            "chain_time": CHAIN_TIMES[chain.kind] if chain else None,
            "source_words": SOURCE_TYPES.get(registration.source_type),
            "has_thumbnail": bool(server.registry.registration.thumbnail(registration)),
        },
    )


@router.get("/problems/{code}")
def explain_problem(code: str) -> Response:
    """What a problem's ``type`` leads to."""
    kind = PROBLEM_KINDS.get(code)
    if kind is None:
        raise NotFoundError(
            f"there is no problem called {code[:60]}", what="problem", name=code[:60]
        )
    return render_page("problem_kind.html", {"kind": kind})


def _render_home(values: dict[str, object]) -> Response:
    types = ", ".join(media_type.extension.upper() for media_type in MediaType)
    return render_page(
        "home.html", {"principle": PRINCIPLE, "types": types, "times": TIMES, **values}
    )


def _show_match(server: Server, principal: Principal, match: Match) -> ShownMatch:
    registrations = server.registry.registration
    try:
        work = registrations.get(RegistrationId(match.registration_id), principal)
    except NotFoundError:
        return ShownMatch(match, None, has_thumbnail=False, bars=draw_bars(match, 0.0))
    return ShownMatch(
        match,
        work,
        has_thumbnail=bool(registrations.thumbnail(work)),
        bars=draw_bars(match, work.duration_ms / 1000),
    )


def _find_chain(server: Server, registration: Registration) -> ChainIdentity | None:
    """The chain of the anchor, which for an imported registration is not this home's."""
    if not registration.has_bundle:
        return None
    return read_bundle_file(server.registry.registration.read_bundle(registration)).own.chain
