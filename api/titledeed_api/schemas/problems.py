"""RFC 9457 problem documents."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"


class Problem(BaseModel):
    """What went wrong, and what the caller can do about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    """Path of a page that explains the code."""
    title: str
    status: int
    detail: str
    code: str
    """Stable word; the same as in the command line's JSON."""
    next_step: str


_CONTENT: Final = {PROBLEM_MEDIA_TYPE: {"schema": Problem.model_json_schema()}}

PROBLEM_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"description": "The request is at fault", "content": _CONTENT},
    "5XX": {"description": "The server cannot answer now", "content": _CONTENT},
}
"""For OpenAPI; the text form of FastAPI's ``responses``."""
