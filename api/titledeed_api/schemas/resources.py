"""What answers hold.

Documents come from the core; these models describe them to readers of OpenAPI, give pages typed
access, and are held against real answers by tests.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from titledeed_api.schemas.problems import Problem


class _Resource(BaseModel):
    """Base: what is named like the model that it shows ends in ``Resource``, here alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init_subclass__(cls, **options: Any) -> None:
        """Keep the bare noun for OpenAPI, whose readers know of no other."""
        super().__init_subclass__(**options)
        cls.__name__ = cls.__qualname__ = cls.__name__.removesuffix("Resource")


class Running(_Resource):
    """Work under way: ask again."""

    schema_version: int
    id: str
    status: Literal["running"]


class Failed(_Resource):
    """Work that came to nothing, and why."""

    schema_version: int
    id: str
    status: Literal["failed"]
    problem: Problem


class AnswerResource(_Resource):
    """A code of its own vocabulary and a reason a person understands."""

    code: str
    reason: str


class AnswersResource(_Resource):
    """The six independent answers."""

    integrity: AnswerResource
    trust: AnswerResource
    history: AnswerResource
    time: AnswerResource
    registry: AnswerResource
    disclosure: AnswerResource


class SegmentResource(_Resource):
    """Seconds of the file that are seconds of the work."""

    query_start_s: float
    query_end_s: float
    work_start_s: float
    work_end_s: float
    speed: float
    mirrored: bool
    channel: str
    same_recording: bool


class Match(_Resource):
    """One registered work found in the file."""

    title: str
    registration_id: str
    score: float
    relation: str
    segments: list[SegmentResource]


class ClaimTime(_Resource):
    """When a claim counts from, and what kind of time that is."""

    code: str
    at: str | None
    reason: str


class Entry(_Resource):
    """What the chain says about a claim after its anchor, and whether readers count it."""

    kind: str
    at: str
    sequence: int
    actor: str
    counts: bool
    detail: str


class ClaimResource(_Resource):
    """One registration, in order of time."""

    registration_id: str
    title: str
    claimant: str
    time: ClaimTime
    status: str
    mine: bool
    entries: list[Entry]


class RecoveredAnswers(_Resource):
    """What the kept manifest says by itself."""

    integrity: AnswerResource
    trust: AnswerResource
    history: AnswerResource
    disclosure: AnswerResource


class Recovered(_Resource):
    """The manifest that the registry kept for a matched work."""

    registration_id: str
    manifest_id: str
    answers: RecoveredAnswers


class Verification(_Resource):
    """What is known about one file."""

    schema_version: int
    id: str
    status: Literal["succeeded"]
    verdict: str
    sentence: str
    answers: AnswersResource
    matches: list[Match]
    claims: list[ClaimResource]
    recovered: Recovered | None


class Chain(_Resource):
    """Where a claim is anchored; empty until a block includes it."""

    chain_id: int
    contract: str
    tx: str | None
    block: int | None
    block_time: str | None
    status: str


class Links(_Resource):
    """What else there is; null where there is nothing for this caller."""

    self: str
    page: str | None
    bundle: str | None
    thumbnail: str
    signed: str | None


class Similar(_Resource):
    """An earlier registration that resembles a new one."""

    registration_id: str
    title: str
    claimant: str
    mine: bool
    score: float
    relation: str
    segments: list[SegmentResource]


class RegistrationResource(_Resource):
    """One registration. The last three fields come only with the work that made it."""

    schema_version: int
    id: str
    registration_id: str
    status: str
    visibility: str
    title: str
    claimant: str
    digital_source_type: str
    content_sha256: str
    signed_sha256: str | None
    chain: Chain
    entries: list[Entry]
    links: Links
    created: bool | None = None
    similar: list[Similar] | None = None
    notes: list[str] | None = None


class AuditLinks(_Resource):
    """Where the report for people is."""

    self: str
    report: str


class Audit(BaseModel):
    """One audit; the report's own fields are those of ``titledeed audit --json``."""

    model_config = ConfigDict(frozen=True, extra="allow")

    schema_version: int
    id: str
    status: Literal["succeeded"]
    links: AuditLinks


class Health(_Resource):
    """Whether the server is there."""

    status: Literal["alive", "ready"]
