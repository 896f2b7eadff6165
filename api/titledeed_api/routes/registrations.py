"""``/v1/registrations``: registering a file, and what is registered.

An address holds the id of a registration or of the work that makes one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from titledeed.canonical.identifiers import parse_registration_id
from titledeed.errors import InvalidRequestError, NotFoundError
from titledeed.models.job import Job
from titledeed.models.primitives import RegistrationId
from titledeed.models.principal import Principal
from titledeed.models.registration import Registration, Visibility
from titledeed_api.dependencies import (
    PatienceDep,
    ReaderDep,
    RegistrantDep,
    Server,
    ServerDep,
)
from titledeed_api.documents import (
    SCHEMA_VERSION,
    Document,
    entries_document,
    registration_document,
)
from titledeed_api.handlers import REGISTRATION
from titledeed_api.jobs import answer_started, find_job, read_result, show_job, start_job
from titledeed_api.schemas import resources
from titledeed_api.schemas.requests import RegistrationFields, describe_form
from titledeed_api.schemas.resources import Failed, Running
from titledeed_api.uploads import FILE_FIELD

DOWNLOADED = "application/octet-stream"
PIECE_BYTES = 1024 * 1024

router = APIRouter(prefix="/v1/registrations", tags=["registrations"])


@router.post(
    "",
    status_code=202,
    summary="Register a file",
    responses={
        200: {"model": resources.RegistrationResource, "description": "Registered already"},
        201: {"model": resources.RegistrationResource, "description": "Registered"},
        202: {"model": Running},
    },
    openapi_extra=describe_form(RegistrationFields, {FILE_FIELD: "A picture, clip or sound"}),
)
async def create_registration(
    server: ServerDep, principal: RegistrantDep, patience: PatienceDep, request: Request
) -> Response:
    """Fingerprint, sign and anchor one file on behalf of the account that holds the token.

    The body may also be the bytes of the file themselves, with the fields in the query. The
    uploaded source is deleted; the signed copy stays in the home.
    """
    async with server.uploads.receive(request) as upload:
        fields = RegistrationFields.parse(upload.fields)
        upload.refuse_others(FILE_FIELD)
        upload.require(FILE_FIELD)
        said = {"fields": fields.as_arguments()}
        job = await start_job(server, REGISTRATION, principal, upload, said)
    return await answer_started(server, job, patience, _show_made)


@router.get(
    "/{registration_id}",
    summary="See a registration",
    response_model=resources.RegistrationResource | Running | Failed,
    response_model_exclude_unset=True,
)
def read_registration(server: ServerDep, principal: ReaderDep, registration_id: str) -> Document:
    """A published registration, or with a token any; or the work that makes one."""
    try:
        known = parse_registration_id(registration_id)
    except InvalidRequestError:
        job = find_job(server, REGISTRATION, registration_id, principal)
        return show_job(server, job, _show_made)
    registration = server.registry.registration.get(known, principal)
    return show_registration(server, registration, principal)


@router.get("/{registration_id}/bundle", summary="Get the evidence bundle")
def read_bundle(server: ServerDep, principal: ReaderDep, registration_id: str) -> Response:
    """One file that proves the registration offline: `titledeed bundle verify FILE`."""
    registration = find_registration(server, principal, registration_id)
    data = server.registry.registration.read_bundle(registration)
    return Response(
        data,
        media_type=DOWNLOADED,
        headers=_disposition(f"{registration.registration_id}.bundle.json"),
    )


@router.get("/{registration_id}/thumbnail", summary="Get the thumbnail")
def read_thumbnail(server: ServerDep, principal: ReaderDep, registration_id: str) -> Response:
    """A small JPEG; there is none for sounds."""
    registration = find_registration(server, principal, registration_id)
    thumbnail = server.registry.registration.thumbnail(registration)
    if not thumbnail:
        raise NotFoundError(
            f"{registration.registration_id} has no thumbnail",
            what="thumbnail",
            registration_id=registration.registration_id,
        )
    return Response(thumbnail, media_type="image/jpeg")


@router.get("/{registration_id}/signed", summary="Get the signed copy")
def read_signed(server: ServerDep, principal: RegistrantDep, registration_id: str) -> Response:
    """The copy that carries the Content Credentials; there is none for some media types."""
    registration = find_registration(server, principal, registration_id)
    file = server.registry.registration.open_signed_copy(registration, principal)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    name = registration.registration_id + Path(registration.signed_path or "").suffix
    headers = {**_disposition(name), "Content-Length": str(size)}
    return StreamingResponse(_iter_pieces(file), media_type=DOWNLOADED, headers=headers)


def find_registration(server: Server, principal: Principal, registration_id: str) -> Registration:
    """A registration that the principal may see.

    Raises:
        NotFoundError: there is none; an id that cannot exist is no other error.
    """
    return server.registry.registration.get(RegistrationId(registration_id[:60]), principal)


def show_registration(server: Server, registration: Registration, principal: Principal) -> Document:
    """One registration; where files lie on the server is left out.

    Its entries are as of the block that was followed last: no chain is asked.
    """
    document = registration_document(registration)
    del document["signed_path"]
    here = f"/v1/registrations/{registration.registration_id}"
    published = registration.visibility is Visibility.PUBLISHED
    has_signed = server.registry.registration.has_signed_copy(registration, principal)
    return {
        "schema_version": SCHEMA_VERSION,
        "id": registration.registration_id,
        **document,
        "entries": entries_document(server.registry.history.list_entries(registration, principal)),
        "links": {
            "self": here,
            "page": f"/registrations/{registration.registration_id}" if published else None,
            "bundle": f"{here}/bundle" if registration.has_bundle else None,
            "thumbnail": f"{here}/thumbnail",
            "signed": f"{here}/signed" if has_signed else None,
        },
    }


def _show_made(server: Server, job: Job) -> Document:
    """The registration as it is now, and what was noticed when it was made."""
    made = read_result(job)
    found = server.registry.registration.get(
        RegistrationId(str(made["registration_id"])), job.principal
    )
    return {**show_registration(server, found, job.principal), **made}


def _disposition(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _iter_pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE_BYTES):
            yield piece
