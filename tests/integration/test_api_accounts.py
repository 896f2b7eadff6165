"""Many people share one server: a token stands for an account and what it may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from builders import build_address
from fastapi.testclient import TestClient
from render_media import render_picture

from titledeed.bootstrap import open_registry
from titledeed.bootstrap.homes import initialize_home
from titledeed.models.primitives import Address
from titledeed.models.principal import Scope
from titledeed.settings import Settings
from titledeed_api import create_app
from titledeed_api.schemas import resources
from titledeed_api.schemas.problems import Problem

pytestmark = pytest.mark.chain

NO_SUCH_ID = "td1" + "a" * 32
SOMEBODY, ANOTHER = build_address(7), build_address(8)
WAIT = {"Prefer": "wait"}


@dataclass(frozen=True)
class Served:
    """A running application, its owner's token, and two of the owner's pictures."""

    client: TestClient
    settings: Settings
    owner: dict[str, str]
    pictures: dict[str, Path]

    def token_of(self, account: Address, *scopes: Scope) -> dict[str, str]:
        with open_registry(self.settings) as registry:
            token = registry.access.issue_token(account, scopes or tuple(Scope))
        return {"Authorization": f"Bearer {token}"}

    def register(self, name: str, *, publish: bool) -> resources.RegistrationResource:
        answer = self.client.post(
            f"/v1/registrations?title={name}&publish={publish}",
            content=self.pictures[name].read_bytes(),
            headers={**self.owner, **WAIT},
        )
        return resources.RegistrationResource.model_validate_json(answer.content)

    def see(self, path: str | None, headers: dict[str, str]) -> httpx2.Response:
        assert path is not None
        return self.client.get(path, headers=headers)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("accounts")
    settings = Settings(home=folder / "home")
    owner = {"Authorization": f"Bearer {initialize_home(settings).token}"}
    pictures = {
        name: render_picture(folder / f"{name}.png", seed=seed)
        for seed, name in enumerate(("open", "hidden", "new"), 70)
    }
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield Served(client, settings, owner, pictures)


@pytest.fixture(scope="module")
def published(served: Served) -> resources.RegistrationResource:
    return served.register("open", publish=True)


@pytest.fixture(scope="module")
def private(served: Served) -> resources.RegistrationResource:
    return served.register("hidden", publish=False)


def problem_of(answer: httpx2.Response, status: int, code: str) -> Problem:
    assert answer.status_code == status, answer.text
    problem = Problem.model_validate_json(answer.content)
    assert problem.code == code
    return problem


def test_others_see_what_is_published_without_its_signed_copy(
    served: Served, published: resources.RegistrationResource
) -> None:
    theirs = served.token_of(SOMEBODY)
    seen = resources.RegistrationResource.model_validate_json(
        served.see(published.links.self, theirs).content
    )
    assert (seen.registration_id, seen.links.signed) == (published.registration_id, None)
    problem_of(served.see(f"{published.links.self}/signed", theirs), 404, "not_found")
    assert served.see(f"{published.links.self}/signed", served.owner).status_code == 200


def test_what_is_private_is_as_absent_to_another_account_as_to_nobody(
    served: Served, private: resources.RegistrationResource
) -> None:
    theirs = served.token_of(SOMEBODY)
    for path in ("", "/bundle", "/thumbnail", "/signed"):
        hidden = served.see(f"{private.links.self}{path}", theirs)
        absent = served.see(f"/v1/registrations/{NO_SUCH_ID}{path}", theirs)
        told = problem_of(hidden, 404, "not_found").detail
        assert told.replace(private.registration_id, NO_SUCH_ID) == (
            problem_of(absent, 404, "not_found").detail
        )


def test_a_private_work_adds_nothing_to_what_another_account_is_answered(
    served: Served, private: resources.RegistrationResource
) -> None:
    file = served.pictures["hidden"].read_bytes()
    answers = [
        served.client.post("/v1/verifications", content=file, headers={**WAIT, **token})
        for token in (served.token_of(SOMEBODY), served.owner, {})
    ]
    theirs, owners, nobodys = (
        resources.Verification.model_validate_json(answer.content) for answer in answers
    )
    assert [claim.registration_id for claim in owners.claims] == [private.registration_id]
    assert owners.claims[0].mine
    assert theirs.model_dump(exclude={"id"}) == nobodys.model_dump(exclude={"id"})
    assert theirs.claims == []


def test_work_is_shown_to_whoever_asked_for_it_and_to_the_home(served: Served) -> None:
    theirs, others = served.token_of(SOMEBODY), served.token_of(ANOTHER)
    answer = served.client.post(
        "/v1/verifications",
        content=served.pictures["new"].read_bytes(),
        headers={**WAIT, **theirs},
    )
    address = answer.headers["location"]
    for headers in (theirs, served.token_of(SOMEBODY, Scope.READ), served.owner):
        assert served.see(address, headers).status_code == 200
    for headers in (others, {}):
        problem_of(served.see(address, headers), 404, "not_found")


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        (Scope.AUDIT, "GET", f"/v1/registrations/{NO_SUCH_ID}"),
        (Scope.AUDIT, "POST", "/v1/verifications"),
        (Scope.READ, "POST", "/v1/registrations"),
        (Scope.REGISTER, "POST", "/v1/audits"),
    ],
)
def test_a_token_without_the_scope_is_refused_before_the_body_is_read(
    served: Served, scope: Scope, method: str, path: str
) -> None:
    token = served.token_of(SOMEBODY, scope)
    answer = served.client.request(method, path, headers=token)
    assert "scope" in problem_of(answer, 401, "not_authorized").detail
    assert not (served.settings.home_path / "uploads").exists() or not list(
        (served.settings.home_path / "uploads").glob("*/*")
    )


def test_a_token_of_the_home_with_one_scope_may_do_that_alone(served: Served) -> None:
    with open_registry(served.settings) as registry:
        token = registry.access.issue_token(None, {Scope.READ})
    headers = {"Authorization": f"Bearer {token}"}
    assert served.see(f"/v1/registrations/{NO_SUCH_ID}", headers).status_code == 404
    answer = served.client.post("/v1/registrations", content=b"x", headers=headers)
    problem_of(answer, 401, "not_authorized")


def test_an_account_whose_key_lies_elsewhere_cannot_register(served: Served) -> None:
    answer = served.client.post(
        "/v1/registrations",
        content=served.pictures["new"].read_bytes(),
        headers={**WAIT, **served.token_of(SOMEBODY, Scope.REGISTER)},
    )
    assert SOMEBODY in problem_of(answer, 401, "not_authorized").detail
