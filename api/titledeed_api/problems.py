"""Errors as RFC 9457 problem documents.

``STATUSES`` is total over the core's errors (a test walks the tree). Where the server is at
fault, its log says what happened and the client learns only the kind: messages of that sort name
paths and addresses.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from titledeed import errors
from titledeed.errors import TitledeedError
from titledeed_api.middleware import SECURITY_HEADERS
from titledeed_api.schemas.problems import PROBLEM_MEDIA_TYPE, Problem
from titledeed_api.templates import render_page

RETRY_AFTER_S: Final = 5

_log = logging.getLogger(__name__)

STATUSES: Final[dict[type[TitledeedError], tuple[int, str]]] = {
    errors.TitledeedError: (500, "The request failed"),
    errors.InputError: (422, "The input is at fault"),
    errors.UnreadableInputError: (422, "The file cannot be read"),
    errors.UnsupportedMediaTypeError: (415, "Unsupported media type"),
    errors.MalformedMediaError: (422, "The media are broken"),
    errors.MediaTooLargeError: (413, "Too large"),
    errors.MalformedDocumentError: (422, "The document does not parse"),
    errors.InvalidRequestError: (422, "The request makes no sense"),
    errors.NotFoundError: (404, "Not found"),
    errors.ConflictError: (409, "Conflict"),
    errors.NotAuthorizedError: (401, "A valid token is needed"),
    errors.VerificationError: (422, "The evidence does not hold"),
    errors.ClaimSignatureError: (422, "The claim's signature does not fit"),
    errors.ProofError: (422, "The proof does not fit"),
    errors.DependencyError: (503, "Something that the server needs is down"),
    errors.LedgerUnavailableError: (503, "The chain does not answer"),
    errors.ToolMissingError: (503, "A program is missing on the server"),
    errors.LedgerError: (502, "The chain answered with something that must not be"),
    errors.ChainMismatchError: (502, "Another chain than the pinned one"),
    errors.TransactionRevertedError: (502, "The contract refused a transaction"),
    errors.StorageError: (507, "The server cannot store"),
    errors.SigningError: (500, "Content Credentials could not be made"),
    errors.ConfigurationError: (500, "The server is set up wrongly"),
    errors.HomeNotInitializedError: (503, "The server's home was never initialised"),
    errors.PassphraseError: (500, "The server cannot open its keys"),
}


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One code: its status, its title, and the sentence on its page."""

    code: str
    status: int
    title: str
    meaning: str
    retryable: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether the server is at fault."""
        return self.status >= 500

    @property
    def remedy(self) -> str:
        """What a client can do about a fault of the server."""
        return "Try again later." if self.retryable else "Tell the operator: the log says more."


def _first_line(error: type[TitledeedError]) -> str:
    return (error.__doc__ or "").partition("\n")[0]


PROBLEM_KINDS: Final[dict[str, ProblemKind]] = {
    kind.code: kind
    for kind in (
        *(
            ProblemKind(error.code, status, title, _first_line(error), error.retryable)
            for error, (status, title) in STATUSES.items()
        ),
        ProblemKind("bad_request", 400, "Bad request", "The request is not proper HTTP."),
        ProblemKind(
            "method_not_allowed", 405, "Method not allowed", "This address knows other methods."
        ),
        ProblemKind("internal", 500, "The server failed", "Something went wrong on the server."),
        ProblemKind(
            "interrupted",
            503,
            "Interrupted",
            "The server stopped before this was done.",
            retryable=True,
        ),
    )
}

_CODES_OF_HTTP: Final = {404: "not_found", 405: "method_not_allowed"}
_API_PREFIXES: Final = ("/v1/", "/livez", "/readyz", "/openapi.json")


def describe_problem(code: str, detail: str = "", next_step: str = "") -> Problem:
    """The document of a problem with this code."""
    kind = PROBLEM_KINDS[code]
    if kind.is_ours:
        detail, next_step = kind.meaning, kind.remedy
    return Problem(
        type=f"/problems/{code}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        code=code,
        next_step=next_step,
    )


def describe_error(error: TitledeedError) -> Problem:
    """The document of one of the core's errors."""
    return describe_problem(error.code, error.message, error.next_step)


def log_fault(error: TitledeedError) -> None:
    """Write down what the client will not be told."""
    if PROBLEM_KINDS[error.code].is_ours:
        _log.error("%s: %s %s", error.code, error.message, error.next_step, exc_info=error)


def answer_problem(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """The answer that carries a problem document."""
    added = dict(headers or {})
    if PROBLEM_KINDS[problem.code].retryable:
        added["Retry-After"] = str(RETRY_AFTER_S)
    if problem.status == 401:
        added["WWW-Authenticate"] = 'Bearer realm="titledeed"'
    return Response(problem.model_dump_json(), problem.status, added, media_type=PROBLEM_MEDIA_TYPE)


def install_problem_handlers(app: FastAPI) -> None:
    """Turn every error that leaves a route into a problem."""

    async def on_core_error(request: Request, error: TitledeedError) -> Response:
        log_fault(error)
        return _answer(request, describe_error(error))

    async def on_invalid_request(request: Request, error: RequestValidationError) -> Response:
        found = "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors()
        )
        return _answer(request, describe_problem("invalid_request", found))

    async def on_http_error(request: Request, error: HTTPException) -> Response:
        code = _CODES_OF_HTTP.get(error.status_code, "bad_request")
        detail = f"{request.method} {request.url.path}: {error.detail}"
        return _answer(request, describe_problem(code, detail), dict(error.headers or {}))

    async def on_unexpected_error(request: Request, error: Exception) -> Response:
        del error
        # This one leaves outside of all middleware.
        return _answer(request, describe_problem("internal"), dict(SECURITY_HEADERS))

    app.exception_handler(TitledeedError)(on_core_error)
    app.exception_handler(RequestValidationError)(on_invalid_request)
    app.exception_handler(HTTPException)(on_http_error)
    app.exception_handler(Exception)(on_unexpected_error)


def _answer(request: Request, problem: Problem, headers: dict[str, str] | None = None) -> Response:
    if wants_page(request):
        return render_page(
            "problem.html", {"problem": problem}, status=problem.status, headers=headers
        )
    return answer_problem(problem, headers)


def wants_page(request: Request) -> bool:
    """Whether a person with a browser asks, outside of the API's own addresses."""
    if request.url.path.startswith(_API_PREFIXES):
        return False
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted and not accepted.startswith("application/json")
