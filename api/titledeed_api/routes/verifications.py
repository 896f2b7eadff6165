"""``/v1/verifications``: what is known about a file."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from titledeed.models.job import Job
from titledeed.models.principal import Principal
from titledeed_api.dependencies import PatienceDep, ReaderDep, Server, ServerDep
from titledeed_api.documents import Document
from titledeed_api.handlers import VERIFICATION
from titledeed_api.jobs import answer_started, find_job, read_result, show_job, start_job
from titledeed_api.schemas.requests import VerificationFields, describe_form
from titledeed_api.schemas.resources import Failed, Running, Verification
from titledeed_api.uploads import FILE_FIELD

router = APIRouter(prefix="/v1/verifications", tags=["verifications"])


@router.post(
    "",
    status_code=202,
    summary="Verify a file",
    responses={200: {"model": Verification}, 202: {"model": Running}},
    openapi_extra=describe_form(VerificationFields, {FILE_FIELD: "A picture, clip or sound"}),
)
async def create_verification(
    server: ServerDep, principal: ReaderDep, patience: PatienceDep, request: Request
) -> Response:
    """Start looking for credentials and registered works in a file.

    Without a token only published registrations are searched. The body may also be the bytes of
    the file themselves. The file is deleted when the work is done.
    """
    job = await start_verification(server, principal, request)
    return await answer_started(server, job, patience, show_verification)


@router.get(
    "/{job_id}", summary="See a verification", response_model=Verification | Running | Failed
)
def read_verification(server: ServerDep, principal: ReaderDep, job_id: str) -> Document:
    """The verification in whatever state; who has its address may see it."""
    return show_job(server, find_job(server, VERIFICATION, job_id, principal), show_verification)


async def start_verification(server: Server, principal: Principal, request: Request) -> Job:
    """Take the file in and start; whose eyes see is decided here."""
    async with server.uploads.receive(request) as upload:
        VerificationFields.parse(upload.fields)
        upload.refuse_others(FILE_FIELD)
        upload.require(FILE_FIELD)
        return await start_job(server, VERIFICATION, principal, upload, {})


def show_verification(server: Server, job: Job) -> Document:
    """What the verification found, as it was found."""
    del server
    return read_result(job)
