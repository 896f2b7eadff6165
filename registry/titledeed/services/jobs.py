"""Long work behind the HTTP API: runs in threads, leaves its result in the database."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from titledeed.canonical.documents import Json
from titledeed.errors import NotFoundError, TitledeedError
from titledeed.models.registration import Job, JobStatus, Viewer
from titledeed.ports import Clock, JobRepository

WORKERS_MAX: Final = 2
"""Decoding is the bill, and each job already uses a process of its own."""

_log = logging.getLogger(__name__)

Work = Callable[[], Mapping[str, object]]


class JobService:
    """Starts, finds and finishes jobs. A job that a stopped server left is failed at start."""

    def __init__(self, *, jobs: JobRepository, clock: Clock) -> None:
        self._jobs = jobs
        self._clock = clock
        self._executor = ThreadPoolExecutor(WORKERS_MAX, thread_name_prefix="job")

    def recover(self) -> int:
        """Fail what a stopped server left running; returns how many."""
        return self._jobs.fail_running(
            json.dumps(
                {
                    "code": "interrupted",
                    "message": "the server stopped before this was done",
                    "next_step": "Send the file again; nothing accepted was lost.",
                }
            )
        )

    def submit(self, kind: str, viewer: Viewer, work: Work) -> Job:
        """Start work; its result is any JSON document."""
        job = Job(
            job_id=secrets.token_urlsafe(16),
            kind=kind,
            viewer=viewer,
            status=JobStatus.RUNNING,
            result=None,
            problem=None,
            created_at=self._clock(),
        )
        self._jobs.save(job)
        self._executor.submit(self._run, job, work)
        return job

    def get(self, job_id: str, viewer: Viewer) -> Job:
        """A job, as far as the viewer may see it.

        Raises:
            NotFoundError: there is none, or another viewer started it.
        """
        job = self._jobs.find(job_id)
        if job is None or (job.viewer is Viewer.OWNER and viewer is not Viewer.OWNER):
            raise NotFoundError("there is no such job", what="job")
        return job

    def close(self) -> None:
        """Let running jobs finish and start no more."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _run(self, job: Job, work: Work) -> None:
        result: str | None = None
        problem: str | None = json.dumps(_INTERNAL)
        try:
            result, problem = json.dumps(work()), None
        except TitledeedError as error:
            problem = json.dumps(
                {"code": error.code, "message": error.message, "next_step": error.next_step}
            )
        except Exception:
            # The boundary of a thread: what escapes here would vanish.
            _log.exception("a %s failed", job.kind)
            raise
        finally:
            status = JobStatus.FAILED if problem else JobStatus.SUCCEEDED
            self._jobs.save(
                Job(job.job_id, job.kind, job.viewer, status, result, problem, job.created_at)
            )


_INTERNAL: Final[dict[str, Json]] = {
    "code": "internal",
    "message": "the server failed; its log says why",
    "next_step": "Tell the operator.",
}
