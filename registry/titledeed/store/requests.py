"""What callers of the HTTP API are known by and left behind: tokens and jobs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from sqlmodel import col, select

from titledeed.models.job import Job, JobProblem, JobStatus
from titledeed.models.primitives import Address, Sha256
from titledeed.models.principal import Principal, PrincipalKind, Scope, TokenGrant
from titledeed.store import tables
from titledeed.store.database import Database


class SqlJobs:
    """Implements ``ports.JobRepository``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, job: Job) -> None:
        """See the port."""
        with self._database.write() as session:
            session.merge(_job_row(job))

    def find(self, job_id: str) -> Job | None:
        """See the port."""
        with self._database.read() as session:
            row = session.get(tables.JobRow, job_id)
        return None if row is None else _job(row)

    def list_running(self) -> list[Job]:
        """See the port."""
        oldest_first = (col(tables.JobRow.created_at), col(tables.JobRow.job_id))
        running = col(tables.JobRow.status) == JobStatus.RUNNING.value
        with self._database.read() as session:
            rows = session.exec(select(tables.JobRow).where(running).order_by(*oldest_first))
            return [_job(row) for row in rows]


class SqlTokens:
    """Implements ``ports.TokenRepository``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, digest: Sha256, grant: TokenGrant) -> None:
        """See the port."""
        row = tables.TokenRow(digest=digest, owner=grant.owner, scopes=_scopes_text(grant.scopes))
        with self._database.write() as session:
            session.merge(row)

    def find(self, digest: Sha256) -> TokenGrant | None:
        """See the port."""
        with self._database.read() as session:
            row = session.get(tables.TokenRow, digest)
        return None if row is None else TokenGrant(_address(row.owner), _scopes(row.scopes))


def _job_row(job: Job) -> tables.JobRow:
    return tables.JobRow(
        job_id=job.job_id,
        kind=job.kind,
        principal=job.principal.kind.value,
        account=job.principal.claimant,
        scopes=_scopes_text(job.principal.scopes),
        arguments=job.arguments,
        status=job.status.value,
        starts=job.starts,
        result=job.result,
        problem=json.dumps(asdict(job.problem)) if job.problem else None,
        created_at=job.created_at,
    )


def _job(row: tables.JobRow) -> Job:
    return Job(
        job_id=row.job_id,
        kind=row.kind,
        principal=Principal(
            PrincipalKind(row.principal), _address(row.account), _scopes(row.scopes)
        ),
        arguments=row.arguments,
        status=JobStatus(row.status),
        starts=row.starts,
        result=row.result,
        problem=JobProblem(**json.loads(row.problem)) if row.problem else None,
        created_at=row.created_at,
    )


def _address(text: str | None) -> Address | None:
    return None if text is None else Address(text)


def _scopes_text(scopes: Iterable[Scope]) -> str:
    return " ".join(sorted(scope.value for scope in scopes))


def _scopes(text: str) -> frozenset[Scope]:
    """A scope that another release knows counts for nothing here."""
    known = {scope.value for scope in Scope}
    return frozenset(Scope(word) for word in text.split() if word in known)
