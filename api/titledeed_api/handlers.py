"""Who does long work: a function of a principal and JSON arguments for each kind of job.

Arguments name an upload by its folder within the upload area. A job may be run again by a server
that starts after another was stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from titledeed.bootstrap import Registry
from titledeed.canonical.documents import Json
from titledeed.errors import InvariantViolation, TitledeedError
from titledeed.models.disclosure import disclose_model
from titledeed.models.principal import Principal
from titledeed.models.registration import Visibility
from titledeed.services.acceptance import Statement
from titledeed.services.audit import DEFAULT_PACK
from titledeed.services.jobs import Handler
from titledeed.services.registration import RefusedFile, RegisterRequest
from titledeed_api.documents import Document, registered_document, verification_document
from titledeed_api.problems import log_fault
from titledeed_api.schemas.requests import AuditFields, RegistrationFields
from titledeed_api.uploads import FILE_FIELD, ReceivedFile, Upload, UploadArea

REGISTRATION: Final = "registration"
VERIFICATION: Final = "verification"
AUDIT: Final = "audit"
UNTITLED: Final = "Untitled"


def make_handlers(registry: Registry, area: UploadArea) -> dict[str, Handler]:
    """The handlers of a server, by kind."""

    def register(principal: Principal, arguments: Mapping[str, Json]) -> Document:
        fields = RegistrationFields.model_validate(arguments["fields"])
        with _working_on(area.reopen(arguments["upload"])) as upload:
            request = _request_of(upload.require(FILE_FIELD), fields)
            return _register(registry, principal, request)

    def verify(principal: Principal, arguments: Mapping[str, Json]) -> Document:
        with _working_on(area.reopen(arguments["upload"])) as upload:
            path = upload.require(FILE_FIELD).path
            return verification_document(registry.verification.verify(path, principal))

    def audit(principal: Principal, arguments: Mapping[str, Json]) -> Document:
        fields = AuditFields.model_validate(arguments["fields"])
        with _working_on(area.reopen(arguments["upload"])) as upload:
            result = registry.audit.audit(
                submission_folder(upload), principal, pack=fields.pack or DEFAULT_PACK
            )
        return {"document": result.document, "report": str(result.html_path)}

    return {REGISTRATION: register, VERIFICATION: verify, AUDIT: audit}


def submission_folder(upload: Upload) -> Path:
    """Where the files of a film are laid out; the random name becomes the report's."""
    return upload.folder / upload.folder.name


@contextmanager
def _working_on(upload: Upload) -> Iterator[Upload]:
    """Where uploads lie is nobody's business: errors name files as their sender did."""
    try:
        yield upload
    except TitledeedError as error:
        log_fault(error)
        error.message = upload.hide_paths(error.message)
        raise


def _request_of(file: ReceivedFile, fields: RegistrationFields) -> RegisterRequest:
    return RegisterRequest(
        sources=(file.path,),
        statement=Statement(
            disclosure=disclose_model(
                fields.source_type, model=fields.model, oversight=fields.oversight
            ),
            title=fields.title or file.stem or UNTITLED,
            credits=(),
            visibility=Visibility.PUBLISHED if fields.publish else Visibility.PRIVATE,
            output=None,
        ),
    )


def _register(registry: Registry, principal: Principal, request: RegisterRequest) -> Document:
    outcomes = registry.registration.register(request, principal)
    if len(outcomes) != 1:
        raise InvariantViolation(f"one file gave {len(outcomes)} outcomes")
    if isinstance(outcomes[0], RefusedFile):
        raise outcomes[0].error
    document = registered_document(outcomes[0])
    return {key: document[key] for key in ("registration_id", "created", "similar", "notes")}
