"""Long work: what is to be done, for whom, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from titledeed.models.principal import Principal


class JobStatus(StrEnum):
    """State of long work."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class JobProblem:
    """Why a job failed: what an error tells, as plain data."""

    code: str
    message: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Job:
    """Long work, kept so that it can be run again and its result fetched.

    Attributes:
        kind: ``registration``, ``verification`` or ``audit``.
        principal: on whose behalf it runs; who else may read the result is decided from it.
        arguments: JSON text that the handler of this kind understands; None for work that an older
            release began.
        starts: how often it was begun.
        result: JSON text once it succeeded.
        problem: once it failed.
    """

    job_id: str
    kind: str
    principal: Principal
    arguments: str | None
    status: JobStatus
    starts: int
    result: str | None
    problem: JobProblem | None
    created_at: int
