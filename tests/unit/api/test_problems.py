from __future__ import annotations

import re
from pathlib import Path

import pytest
from error_classes import list_errors
from fastapi import FastAPI
from fastapi.testclient import TestClient

from titledeed.errors import LedgerUnavailableError, NotFoundError, TitledeedError
from titledeed_api.middleware import SECURITY_HEADERS, SecurityHeaders
from titledeed_api.problems import PROBLEM_KINDS, STATUSES, describe_error, install_problem_handlers
from titledeed_api.schemas.problems import PROBLEM_MEDIA_TYPE, Problem


def test_every_error_of_the_core_has_a_status() -> None:
    core = {error for error in list_errors() if error.__module__ == "titledeed.errors"}
    assert core == set(STATUSES)


def test_every_code_is_one_kind() -> None:
    assert len({error.code for error in STATUSES}) == len(STATUSES)
    assert all(kind.meaning and 400 <= kind.status < 600 for kind in PROBLEM_KINDS.values())


@pytest.mark.parametrize("error", STATUSES, ids=lambda error: error.code)
def test_a_problem_has_all_members_of_rfc_9457(error: type[TitledeedError]) -> None:
    problem = describe_error(error("what failed", next_step="do this"))
    assert problem.type == f"/problems/{error.code}"
    assert problem.status == STATUSES[error][0]
    assert problem.title == STATUSES[error][1]
    assert problem.detail
    assert problem.next_step


def test_the_message_of_a_servers_fault_stays_on_the_server() -> None:
    problem = describe_error(LedgerUnavailableError("http://user:secret@node is down"))
    assert "secret" not in problem.model_dump_json()
    assert describe_error(NotFoundError("no such thing")).detail == "no such thing"


def make_client() -> TestClient:
    app = FastAPI()
    app.add_middleware(SecurityHeaders)
    install_problem_handlers(app)

    @app.get("/v1/number/{number}")
    def read_number(number: int) -> int:
        return 1 // number

    @app.get("/v1/down")
    def read_down() -> None:
        raise LedgerUnavailableError("down")

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nowhere", 404, "not_found"),
        ("DELETE", "/v1/down", 405, "method_not_allowed"),
        ("GET", "/v1/number/x", 422, "invalid_request"),
        ("GET", "/v1/number/0", 500, "internal"),
        ("GET", "/v1/down", 503, "ledger_unavailable"),
    ],
)
def test_whatever_goes_wrong_becomes_a_problem(
    method: str, path: str, status: int, code: str
) -> None:
    answer = make_client().request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE
    problem = Problem.model_validate_json(answer.content)
    assert (problem.status, problem.code) == (status, code)
    assert "ZeroDivision" not in answer.text
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value


def test_a_retryable_problem_says_when() -> None:
    assert make_client().get("/v1/down").headers["retry-after"] == "5"


def test_a_405_names_the_methods_that_are_known() -> None:
    assert make_client().delete("/v1/down").headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("path", "accept", "media_type"),
    [
        ("/nowhere", "text/html,*/*;q=0.8", "text/html"),
        ("/nowhere", "application/json", PROBLEM_MEDIA_TYPE),
        ("/v1/nowhere", "text/html", PROBLEM_MEDIA_TYPE),
    ],
)
def test_browsers_get_a_page_and_the_api_does_not(path: str, accept: str, media_type: str) -> None:
    answer = make_client().get(path, headers={"Accept": accept})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith(media_type)


def test_a_path_in_a_problem_page_is_escaped() -> None:
    answer = make_client().get("/<img src=x>", headers={"Accept": "text/html"})
    assert "<img src=x>" not in answer.text
    assert "&lt;img" in answer.text


def test_every_code_is_documented_under_its_status() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "http-api.md"
    rows = dict(re.findall(r"^\| (\d{3}) \| (.+) \|$", page.read_text(), re.MULTILINE))
    documented = {
        code: int(status)
        for status, codes in rows.items()
        for code in re.findall(r"`(\w+)`", codes)
    }
    assert documented == {kind.code: kind.status for kind in PROBLEM_KINDS.values()}
