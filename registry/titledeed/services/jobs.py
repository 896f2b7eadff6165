"""Long work: named by kind and arguments, run in threads, kept with its result in the database.

Whatever a stopped server left undone is run again from what the row says, so that handlers must
bear being run twice: registering, verifying and auditing do.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from titledeed.canonical.documents import Json
from titledeed.errors import InvariantViolation, NotFoundError, TitledeedError
from titledeed.models.job import Job, JobProblem, JobStatus
from titledeed.models.principal import Principal, PrincipalKind
from titledeed.ports import Clock, JobRepository

WORKERS_MAX: Final = 2
"""Decoding is the bill, and each job already uses a process of its own."""

STARTS_MAX: Final = 3
"""Work that a server never survives is not begun for ever."""

INTERRUPTED: Final = JobProblem(
    "interrupted",
    "the server stopped before this was done",
    "Send the file again; nothing accepted was lost.",
)
_INTERNAL: Final = JobProblem(
    "internal", "the server failed; its log says why", "Tell the operator."
)

Handler = Callable[[Principal, Mapping[str, Json]], Mapping[str, object]]
"""Does the work of one kind; the result is any JSON document."""

Release = Callable[[Mapping[str, Json]], None]
"""Gives back what the arguments of a job name, which has ended and will not be run again."""

_log = logging.getLogger(__name__)


class JobService:
    """Starts, finds, finishes and resumes jobs.

    Args:
        jobs: where they are kept.
        handlers: who does the work, by kind.
        clock: dates them.
        release: called once what became of a job is stored.
    """

    def __init__(
        self,
        *,
        jobs: JobRepository,
        handlers: Mapping[str, Handler],
        clock: Clock,
        release: Release,
    ) -> None:
        self._jobs = jobs
        self._handlers = handlers
        self._clock = clock
        self._release = release
        self._executor = ThreadPoolExecutor(WORKERS_MAX, thread_name_prefix="job")

    def resume(self) -> list[Job]:
        """Run what a stopped server left running; only for who knows that no other runs it.

        Work that was begun too often, or that this release cannot run, fails.

        Returns:
            The jobs that run again.
        """
        resumed: list[Job] = []
        for job in self._jobs.list_running():
            if job.kind in self._handlers and job.arguments and job.starts < STARTS_MAX:
                resumed.append(replace(job, starts=job.starts + 1))
                self._jobs.save(resumed[-1])
            else:
                self._end(replace(job, status=JobStatus.FAILED, problem=INTERRUPTED))
        for job in resumed:
            self._executor.submit(self._run, job)
        return resumed

    def submit(self, kind: str, principal: Principal, arguments: Mapping[str, Json]) -> Job:
        """Start work of a kind that has a handler."""
        if kind not in self._handlers:
            raise InvariantViolation(f"nobody does work of the kind {kind}")
        job = Job(
            job_id=secrets.token_urlsafe(16),
            kind=kind,
            principal=principal,
            arguments=json.dumps(arguments),
            status=JobStatus.RUNNING,
            starts=1,
            result=None,
            problem=None,
            created_at=self._clock(),
        )
        self._jobs.save(job)
        self._executor.submit(self._run, job)
        return job

    def get(self, job_id: str, principal: Principal) -> Job:
        """A job, as far as the principal may see it.

        Raises:
            NotFoundError: there is none, or another account started it.
        """
        job = self._jobs.find(job_id)
        if job is None or not _is_visible(job, principal):
            raise NotFoundError("there is no such job", what="job")
        return job

    def close(self) -> None:
        """Let running jobs finish and start no more; those that wait are resumed later."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _run(self, job: Job) -> None:
        ended = replace(job, status=JobStatus.FAILED, problem=_INTERNAL)
        try:
            result = self._handlers[job.kind](job.principal, read_arguments(job))
            ended = replace(job, status=JobStatus.SUCCEEDED, result=json.dumps(result))
        except TitledeedError as error:
            problem = JobProblem(error.code, error.message, error.next_step)
            ended = replace(job, status=JobStatus.FAILED, problem=problem)
        except Exception:
            # The boundary of a thread: what escapes here would vanish.
            _log.exception("a %s failed", job.kind)
            raise
        finally:
            self._end(ended)

    def _end(self, job: Job) -> None:
        """Store first: a server killed in between runs the job again, with all that it had."""
        self._jobs.save(job)
        if job.arguments is not None:
            self._release(read_arguments(job))


def read_arguments(job: Job) -> Mapping[str, Json]:
    """What a job was started with; nothing where an older release kept none."""
    arguments: dict[str, Json] = json.loads(job.arguments or "{}")
    return arguments


def _is_visible(job: Job, principal: Principal) -> bool:
    """Whoever knows the address of what nobody in particular asked may see it."""
    asker = job.principal
    if asker.kind is PrincipalKind.ANONYMOUS or principal.is_owner:
        return True
    return asker.claimant is not None and principal.speaks_for(asker.claimant)
