"""``/v1/audits``: a film held against its disclosure."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse

from titledeed.errors import NotFoundError
from titledeed.models.job import Job, JobStatus
from titledeed_api.dependencies import AuditorDep, PatienceDep, Server, ServerDep
from titledeed_api.documents import Document
from titledeed_api.handlers import AUDIT, submission_folder
from titledeed_api.jobs import answer_started, find_job, read_result, show_job, start_job
from titledeed_api.schemas.requests import AuditFields, describe_form
from titledeed_api.schemas.resources import Audit, Failed, Running
from titledeed_api.uploads import Upload

BUNDLES = "bundles"
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
"""The report is one file that also works by itself, so it brings its own styles."""

router = APIRouter(prefix="/v1/audits", tags=["audits"])


@router.post(
    "",
    status_code=202,
    summary="Audit a film",
    responses={200: {"model": Audit}, 202: {"model": Running}},
    openapi_extra=describe_form(
        AuditFields,
        {
            "film": "The film",
            "disclosure": "disclosure.yaml",
            "timeline?": "timeline.otio",
            "bundles?": "Evidence bundles",
        },
        many=frozenset({BUNDLES}),
    ),
)
async def create_audit(
    server: ServerDep, principal: AuditorDep, patience: PatienceDep, request: Request
) -> Response:
    """Find registered works in a film and compare them with what its makers disclosed."""
    async with server.uploads.receive(request, raw=False) as upload:
        fields = AuditFields.parse(upload.fields)
        _arrange(upload)
        said = {"fields": fields.as_arguments()}
        job = await start_job(server, AUDIT, principal, upload, said)
    return await answer_started(server, job, patience, _show_audit)


@router.get("/{job_id}", summary="See an audit", response_model=Audit | Running | Failed)
def read_audit(server: ServerDep, principal: AuditorDep, job_id: str) -> Document:
    """The audit in whatever state."""
    return show_job(server, find_job(server, AUDIT, job_id, principal), _show_audit)


@router.get("/{job_id}/report", summary="Get the report for people")
def read_report(server: ServerDep, principal: AuditorDep, job_id: str) -> Response:
    """The HTML report, once the audit is done."""
    job = find_job(server, AUDIT, job_id, principal)
    if job.status is not JobStatus.SUCCEEDED:
        raise NotFoundError(
            f"the audit {job_id} has no report: it is {job.status.value}",
            what="report",
            name=job_id,
        )
    location = str(read_result(job)["report"])
    try:
        page = server.registry.audit.read_report(location)
    except NotFoundError as error:
        raise NotFoundError(
            f"the report of {job_id} is not kept on this server any more",
            what="report",
            name=job_id,
        ) from error
    return HTMLResponse(page, headers={"Content-Security-Policy": REPORT_POLICY})


def _arrange(upload: Upload) -> None:
    """Lay the files out as a submission folder."""
    upload.refuse_others("film", "disclosure", "timeline", BUNDLES)
    folder = submission_folder(upload)
    bundles = folder / BUNDLES
    bundles.mkdir(parents=True)
    film = upload.require("film")
    film.path.rename(folder / f"film{film.suffix or '.bin'}")
    upload.require("disclosure").path.rename(folder / "disclosure.yaml")
    if "timeline" in upload.files:
        upload.require("timeline").path.rename(folder / "timeline.otio")
    for number, bundle in enumerate(upload.files.get(BUNDLES, [])):
        bundle.path.rename(bundles / f"{number:03}.json")


def _show_audit(server: Server, job: Job) -> Document:
    del server
    document = read_result(job)["document"]
    if not isinstance(document, dict):
        raise NotFoundError(
            f"the audit {job.job_id} left no report", what="report", name=job.job_id
        )
    here = f"/v1/audits/{job.job_id}"
    return {**document, "links": {"self": here, "report": f"{here}/report"}}
