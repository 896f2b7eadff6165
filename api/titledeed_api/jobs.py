"""Long work: started from an upload, shown as a resource with a ``status``, waited for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Final

from fastapi import Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from titledeed.canonical.documents import Json
from titledeed.errors import InvariantViolation, NotFoundError
from titledeed.models.job import Job, JobStatus
from titledeed.models.principal import Principal
from titledeed_api.dependencies import Server
from titledeed_api.documents import SCHEMA_VERSION, Document
from titledeed_api.problems import answer_problem, describe_problem
from titledeed_api.schemas.problems import Problem
from titledeed_api.uploads import Upload

POLL_INTERVAL_S: Final = 0.1

Show = Callable[[Server, Job], Document]
"""Shows a job that succeeded."""


async def start_job(
    server: Server,
    kind: str,
    principal: Principal,
    upload: Upload,
    arguments: Mapping[str, Json],
) -> Job:
    """Start work on an upload, which is discarded when the work has ended."""
    return await run_in_threadpool(
        server.jobs.submit, kind, principal, {"upload": upload.describe(), **arguments}
    )


def find_job(server: Server, kind: str, job_id: str, principal: Principal) -> Job:
    """A job of this kind.

    Raises:
        NotFoundError: there is none, or none that the principal may see.
    """
    missing = NotFoundError(
        f"there is no {kind} {job_id[:60]} to be seen here", what=kind, name=job_id[:60]
    )
    try:
        job = server.jobs.get(job_id, principal)
    except NotFoundError as error:
        raise missing from error
    if job.kind != kind:
        raise missing
    return job


def show_job(server: Server, job: Job, show: Show) -> Document:
    """The resource behind a job's address, in whatever state."""
    document: Document = {
        "schema_version": SCHEMA_VERSION,
        "id": job.job_id,
        "status": job.status.value,
    }
    if job.status is JobStatus.SUCCEEDED:
        return {**document, **show(server, job)}
    if job.status is JobStatus.FAILED:
        return {**document, "problem": read_problem(job).model_dump()}
    return document


def read_result(job: Job) -> Document:
    """What successful work left."""
    result: Document = json.loads(job.result or "{}")
    return result


def read_problem(job: Job) -> Problem:
    """Why work failed."""
    if job.problem is None:
        raise InvariantViolation(f"the job {job.job_id} did not fail")
    return describe_problem(job.problem.code, job.problem.message, job.problem.next_step)


async def answer_started(server: Server, job: Job, patience: float | None, show: Show) -> Response:
    """The answer to the request that started a job.

    202 and where to ask, or, to those who wait, what came of it.
    """
    headers = {"Location": f"/v1/{job.kind}s/{job.job_id}"}
    if patience is not None:
        headers["Preference-Applied"] = "wait"
        job = await wait_for(server, job, patience)
    if job.status is JobStatus.FAILED:
        return answer_problem(read_problem(job), headers)
    document = await run_in_threadpool(show_job, server, job, show)
    if job.status is JobStatus.RUNNING:
        return JSONResponse(document, 202, {**headers, "Retry-After": "1"})
    links = document.get("links")
    if isinstance(links, dict):
        headers["Location"] = str(links["self"])
    return JSONResponse(document, 201 if document.get("created") else 200, headers)


async def wait_for(server: Server, job: Job, timeout_s: float) -> Job:
    """The job after at most so long; holds no thread meanwhile, so that many may wait."""
    deadline = time.monotonic() + timeout_s
    while job.status is JobStatus.RUNNING and time.monotonic() < deadline:
        await asyncio.sleep(POLL_INTERVAL_S)
        job = await run_in_threadpool(server.jobs.get, job.job_id, job.principal)
    return job
