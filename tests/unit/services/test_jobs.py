"""Long work: kept for whoever started it, run again where its server stopped."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from builders import OWNER, build_principal
from repository_adapters import open_sqlite

from titledeed.canonical.documents import Json
from titledeed.errors import InvariantViolation, MalformedMediaError, NotFoundError
from titledeed.models.job import Job, JobProblem, JobStatus
from titledeed.models.principal import ANONYMOUS, Principal, PrincipalKind, Scope
from titledeed.services.jobs import INTERRUPTED, STARTS_MAX, JobService
from titledeed.store.repositories import SqlRepositories

LONG_S = 30.0
ALICE, BOB = build_principal(1), build_principal(2)


@dataclass
class Desk:
    """Handlers that a test watches, and what was released after them."""

    gate: threading.Event = field(default_factory=threading.Event)
    begun: list[tuple[Principal, Mapping[str, Json]]] = field(default_factory=list)
    released: list[Mapping[str, Json]] = field(default_factory=list)

    def count_words(self, principal: Principal, arguments: Mapping[str, Json]) -> dict[str, object]:
        self.begun.append((principal, arguments))
        return {"words": len(str(arguments.get("text", "")).split())}

    def wait_for_gate(
        self, principal: Principal, arguments: Mapping[str, Json]
    ) -> dict[str, object]:
        assert self.gate.wait(LONG_S)
        return self.count_words(principal, arguments)

    def service(self, repositories: SqlRepositories) -> JobService:
        return JobService(
            jobs=repositories.jobs,
            handlers={
                "count": self.count_words,
                "gate": self.wait_for_gate,
                "refuse": refuse,
                "fail": fail,
                "no json": lambda principal, arguments: {"no json": object()},
            },
            clock=lambda: 1_795_000_000,
            release=self.released.append,
        )


def refuse(principal: Principal, arguments: Mapping[str, Json]) -> dict[str, object]:
    raise MalformedMediaError("it is broken", next_step="Mend it.")


def fail(principal: Principal, arguments: Mapping[str, Json]) -> dict[str, object]:
    raise RuntimeError("/srv/secret/path")


@pytest.fixture
def repositories(tmp_path: Path) -> Iterator[SqlRepositories]:
    repositories = open_sqlite(tmp_path)
    yield repositories
    repositories.close()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def jobs(repositories: SqlRepositories, desk: Desk) -> Iterator[JobService]:
    service = desk.service(repositories)
    yield service
    desk.gate.set()
    service.close()


def wait_for(jobs: JobService, job: Job, timeout_s: float) -> Job:
    """The job after at most so long, done or not, as whoever started it sees it."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = jobs.get(job.job_id, job.principal)
        if found.status is not JobStatus.RUNNING or time.monotonic() > deadline:
            return found
        time.sleep(0.005)


def left_running(job_id: str, kind: str = "count", starts: int = 1) -> Job:
    """A row of a server that was stopped."""
    return Job(
        job_id=job_id,
        kind=kind,
        principal=ALICE,
        arguments='{"text": "a b c"}',
        status=JobStatus.RUNNING,
        starts=starts,
        result=None,
        problem=None,
        created_at=1,
    )


def test_work_leaves_its_result(jobs: JobService, desk: Desk) -> None:
    started = jobs.submit("count", ALICE, {"text": "one two three"})
    assert started.status is JobStatus.RUNNING
    assert started.created_at == 1_795_000_000
    done = wait_for(jobs, started, LONG_S)
    assert done.status is JobStatus.SUCCEEDED
    assert json.loads(done.result or "") == {"words": 3}
    assert done.problem is None
    assert jobs.get(started.job_id, ALICE) == done
    assert desk.begun == [(ALICE, {"text": "one two three"})]


def test_an_error_is_kept_as_a_problem(jobs: JobService) -> None:
    done = wait_for(jobs, jobs.submit("refuse", ANONYMOUS, {}), LONG_S)
    assert done.status is JobStatus.FAILED
    assert done.result is None
    assert done.problem == JobProblem("malformed_media", "it is broken", "Mend it.")


@pytest.mark.parametrize("kind", ["fail", "no json"])
def test_a_fault_of_ours_ends_the_job_and_tells_nothing(jobs: JobService, kind: str) -> None:
    done = wait_for(jobs, jobs.submit(kind, OWNER, {}), LONG_S)
    assert done.status is JobStatus.FAILED
    assert done.problem is not None
    assert done.problem.code == "internal"
    assert "secret" not in str(done.problem)


def test_work_that_nobody_does_is_no_job(jobs: JobService, repositories: SqlRepositories) -> None:
    with pytest.raises(InvariantViolation, match="unheard"):
        jobs.submit("unheard", OWNER, {})
    assert repositories.jobs.list_running() == []


def test_waiting_ends_with_the_work_or_with_patience(jobs: JobService, desk: Desk) -> None:
    job = jobs.submit("gate", OWNER, {})
    assert wait_for(jobs, job, 0.05).status is JobStatus.RUNNING
    desk.gate.set()
    assert wait_for(jobs, job, LONG_S).status is JobStatus.SUCCEEDED
    assert wait_for(jobs, job, 0).status is JobStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("starter", "asker", "seen"),
    [
        (OWNER, OWNER, True),
        (OWNER, ANONYMOUS, False),
        (OWNER, ALICE, False),
        (ANONYMOUS, ANONYMOUS, True),
        (ANONYMOUS, ALICE, True),
        (ANONYMOUS, OWNER, True),
        (ALICE, ALICE, True),
        (ALICE, build_principal(1, Scope.READ), True),
        (ALICE, OWNER, True),
        (ALICE, BOB, False),
        (ALICE, ANONYMOUS, False),
        (Principal(PrincipalKind.OWNER, None, frozenset()), ALICE, False),
        (Principal(PrincipalKind.OWNER, None, frozenset()), OWNER, True),
    ],
)
def test_what_an_account_asked_is_its_own(
    jobs: JobService, starter: Principal, asker: Principal, seen: bool
) -> None:
    job = wait_for(jobs, jobs.submit("count", OWNER, {}), LONG_S)
    job = replace(job, job_id="asked", principal=starter)
    jobs._jobs.save(job)
    if seen:
        assert jobs.get("asked", asker) == job
        return
    with pytest.raises(NotFoundError) as hidden:
        jobs.get("asked", asker)
    with pytest.raises(NotFoundError) as absent:
        jobs.get("none", asker)
    assert hidden.value.message == absent.value.message


def test_job_ids_cannot_be_guessed(jobs: JobService) -> None:
    ids = {jobs.submit("count", ANONYMOUS, {}).job_id for _ in range(5)}
    assert len(ids) == 5
    assert min(map(len, ids)) >= 22


def test_what_a_stopped_server_left_runs_again_with_the_same_arguments(
    jobs: JobService, repositories: SqlRepositories, desk: Desk
) -> None:
    kept = replace(left_running("kept"), status=JobStatus.SUCCEEDED, result="{}")
    repositories.jobs.save(left_running("left"))
    repositories.jobs.save(kept)
    assert [job.job_id for job in jobs.resume()] == ["left"]
    done = wait_for(jobs, left_running("left"), LONG_S)
    assert (done.status, done.starts) == (JobStatus.SUCCEEDED, 2)
    assert json.loads(done.result or "") == {"words": 3}
    assert desk.begun == [(ALICE, {"text": "a b c"})]
    assert jobs.get("kept", ALICE) == kept
    assert jobs.resume() == []


@pytest.mark.parametrize(
    "left",
    [
        left_running("left", starts=STARTS_MAX),
        left_running("left", kind="of another release"),
        replace(left_running("left"), arguments=None),
    ],
    ids=["begun too often", "of no kind", "without arguments"],
)
def test_what_cannot_be_run_again_fails(
    jobs: JobService, repositories: SqlRepositories, desk: Desk, left: Job
) -> None:
    repositories.jobs.save(left)
    assert jobs.resume() == []
    found = jobs.get("left", ALICE)
    assert (found.status, found.problem) == (JobStatus.FAILED, INTERRUPTED)
    assert found.problem is not None
    assert found.problem.code == "interrupted"
    assert desk.begun == []
    assert desk.released == ([] if left.arguments is None else [{"text": "a b c"}])


def test_arguments_are_released_once_the_result_is_stored(
    repositories: SqlRepositories, desk: Desk
) -> None:
    states: list[JobStatus] = []

    def look(arguments: Mapping[str, Json]) -> None:
        found = repositories.jobs.find(str(arguments["id"]))
        states.extend([found.status] if found else [])

    for kind in ("count", "refuse", "fail"):
        repositories.jobs.save(
            replace(left_running(kind, kind), arguments=json.dumps({"id": kind}))
        )
    handlers = {"count": desk.count_words, "refuse": refuse, "fail": fail}
    service = JobService(jobs=repositories.jobs, handlers=handlers, clock=lambda: 2, release=look)
    for job in service.resume():
        wait_for(service, job, LONG_S)
    service.close()
    assert sorted(states) == [JobStatus.FAILED, JobStatus.FAILED, JobStatus.SUCCEEDED]


def test_what_waits_when_the_server_is_closed_is_resumed_by_the_next(
    repositories: SqlRepositories, desk: Desk
) -> None:
    first = desk.service(repositories)
    submitted = [first.submit("gate", OWNER, {"text": "a"}) for _ in range(4)]
    closing = threading.Thread(target=first.close)
    closing.start()
    while not first._executor._shutdown:
        time.sleep(0.005)
    desk.gate.set()
    closing.join()
    left = repositories.jobs.list_running()
    assert left
    second = desk.service(repositories)
    assert len(second.resume()) == len(left)
    for job in submitted:
        assert wait_for(second, job, LONG_S).status is JobStatus.SUCCEEDED
    second.close()
    assert len(desk.released) == len(submitted)
