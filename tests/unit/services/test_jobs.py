"""Long work: kept for whoever started it, failed where its server stopped."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from repository_adapters import open_sqlite

from titledeed.errors import MalformedMediaError, NotFoundError
from titledeed.models.registration import Job, JobStatus, Viewer
from titledeed.services.jobs import JobService, Work
from titledeed.store.repositories import SqlRepositories

LONG_S = 30.0


@pytest.fixture
def repositories(tmp_path: Path) -> Iterator[SqlRepositories]:
    repositories = open_sqlite(tmp_path)
    yield repositories
    repositories.close()


@pytest.fixture
def jobs(repositories: SqlRepositories) -> Iterator[JobService]:
    service = JobService(jobs=repositories.jobs, clock=lambda: 1_795_000_000)
    yield service
    service.close()


def count_words() -> Mapping[str, object]:
    return {"words": 3}


def refuse() -> Mapping[str, object]:
    raise MalformedMediaError("it is broken", next_step="Mend it.")


def fail() -> Mapping[str, object]:
    raise RuntimeError("/srv/secret/path")


def wait_for(jobs: JobService, job: Job, timeout_s: float) -> Job:
    """The job after at most so long, done or not, as whoever started it sees it."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = jobs.get(job.job_id, job.viewer)
        if found.status is not JobStatus.RUNNING or time.monotonic() > deadline:
            return found
        time.sleep(0.005)


def test_work_leaves_its_result(jobs: JobService) -> None:
    started = jobs.submit("verification", Viewer.PUBLIC, count_words)
    assert started.status is JobStatus.RUNNING
    assert started.created_at == 1_795_000_000
    done = wait_for(jobs, started, LONG_S)
    assert done.status is JobStatus.SUCCEEDED
    assert json.loads(done.result or "") == {"words": 3}
    assert done.problem is None
    assert jobs.get(started.job_id, Viewer.PUBLIC) == done


def test_an_error_is_kept_as_a_problem(jobs: JobService) -> None:
    done = wait_for(jobs, jobs.submit("verification", Viewer.PUBLIC, refuse), LONG_S)
    assert done.status is JobStatus.FAILED
    assert done.result is None
    assert json.loads(done.problem or "") == {
        "code": "malformed_media",
        "message": "it is broken",
        "next_step": "Mend it.",
    }


@pytest.mark.parametrize("work", [fail, lambda: {"no json": object()}])
def test_a_fault_of_ours_ends_the_job_and_tells_nothing(jobs: JobService, work: Work) -> None:
    done = wait_for(jobs, jobs.submit("audit", Viewer.OWNER, work), LONG_S)
    assert done.status is JobStatus.FAILED
    problem = json.loads(done.problem or "")
    assert problem["code"] == "internal"
    assert "secret" not in str(problem)


def test_waiting_ends_with_the_work_or_with_patience(jobs: JobService) -> None:
    gate = threading.Event()

    def wait_for_gate() -> Mapping[str, object]:
        assert gate.wait(LONG_S)
        return {}

    job = jobs.submit("audit", Viewer.OWNER, wait_for_gate)
    assert wait_for(jobs, job, 0.05).status is JobStatus.RUNNING
    gate.set()
    assert wait_for(jobs, job, LONG_S).status is JobStatus.SUCCEEDED
    assert wait_for(jobs, job, 0).status is JobStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("starter", "asker", "seen"),
    [
        (Viewer.OWNER, Viewer.OWNER, True),
        (Viewer.OWNER, Viewer.PUBLIC, False),
        (Viewer.PUBLIC, Viewer.PUBLIC, True),
        (Viewer.PUBLIC, Viewer.OWNER, True),
    ],
)
def test_what_the_owner_asked_is_the_owners(
    jobs: JobService, starter: Viewer, asker: Viewer, seen: bool
) -> None:
    job = wait_for(jobs, jobs.submit("audit", starter, count_words), LONG_S)
    if seen:
        assert jobs.get(job.job_id, asker) == job
        return
    with pytest.raises(NotFoundError) as hidden:
        jobs.get(job.job_id, asker)
    with pytest.raises(NotFoundError) as absent:
        jobs.get("none", asker)
    assert hidden.value.message == absent.value.message


def test_job_ids_cannot_be_guessed(jobs: JobService) -> None:
    ids = {jobs.submit("audit", Viewer.PUBLIC, count_words).job_id for _ in range(5)}
    assert len(ids) == 5
    assert min(map(len, ids)) >= 22


def test_what_a_stopped_server_left_is_failed_once(repositories: SqlRepositories) -> None:
    left = Job("left", "audit", Viewer.OWNER, JobStatus.RUNNING, None, None, 1)
    kept = Job("kept", "audit", Viewer.OWNER, JobStatus.SUCCEEDED, "{}", None, 1)
    repositories.jobs.save(left)
    repositories.jobs.save(kept)
    service = JobService(jobs=repositories.jobs, clock=lambda: 2)
    assert service.recover() == 1
    assert service.recover() == 0
    found = service.get("left", Viewer.OWNER)
    assert found.status is JobStatus.FAILED
    assert json.loads(found.problem or "")["code"] == "interrupted"
    assert service.get("kept", Viewer.OWNER) == kept
    service.close()
