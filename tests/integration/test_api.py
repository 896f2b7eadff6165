"""The HTTP API over a real home: real chain, real credentials, real decoding."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient
from render_media import cut_clip, render_clip, render_picture

from titledeed.bootstrap.homes import initialize_home
from titledeed.settings import ApiSettings, Settings
from titledeed_api import create_app
from titledeed_api.schemas import resources
from titledeed_api.schemas.problems import PROBLEM_MEDIA_TYPE, Problem

pytestmark = pytest.mark.chain

UPLOAD_BYTES_MAX = 4_000_000
GENERATED = "trainedAlgorithmicMedia"
NO_SUCH_ID = "td1" + "a" * 32
WAIT = {"Prefer": "wait"}


@dataclass(frozen=True)
class Served:
    """A running application and what a caller knows of it."""

    client: TestClient
    token: str
    settings: Settings

    @property
    def owner(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def uploads(self) -> list[Path]:
        """What is left of them: they go right after the result is stored."""
        folder = self.settings.home_path / "uploads"
        deadline = time.monotonic() + 5
        while left := [path for path in folder.rglob("*") if path.is_file()]:
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        return left

    def register(
        self, path: Path, *, title: str, publish: bool = False
    ) -> resources.RegistrationResource:
        answer = self.client.post(
            "/v1/registrations",
            files={"file": (path.name, path.read_bytes())},
            data={"source_type": GENERATED, "title": title, "publish": str(publish).lower()},
            headers={**self.owner, **WAIT},
        )
        assert answer.status_code in {200, 201}, answer.text
        return resources.RegistrationResource.model_validate_json(answer.content)

    def verify(self, path: Path, *, as_owner: bool = False) -> resources.Verification:
        answer = self.client.post(
            "/v1/verifications",
            files={"file": (path.name, path.read_bytes())},
            headers={**WAIT, **(self.owner if as_owner else {})},
        )
        assert answer.status_code == 200, answer.text
        return resources.Verification.model_validate_json(answer.content)


def make_settings(home: Path) -> Settings:
    return Settings(home=home, api=ApiSettings(upload_bytes_max=UPLOAD_BYTES_MAX))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = make_settings(tmp_path_factory.mktemp("api") / "home")
    token = initialize_home(settings).token
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield Served(client, token, settings)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_clip(tmp_path_factory.mktemp("media") / "clip.mp4", seconds=8, seed=11)


@pytest.fixture(scope="module")
def cut(clip: Path) -> Path:
    return cut_clip(clip, clip.with_name("cut.mp4"), start_s=2, end_s=6, scale=0.75)


@pytest.fixture(scope="module")
def published(served: Served, clip: Path) -> resources.RegistrationResource:
    return served.register(clip, title="A published clip", publish=True)


@pytest.fixture(scope="module")
def private(served: Served, clip: Path) -> resources.RegistrationResource:
    picture = render_picture(clip.with_name("private.png"), seed=12)
    return served.register(picture, title="A private picture")


def problem_of(answer: httpx2.Response, status: int, code: str) -> Problem:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE
    problem = Problem.model_validate_json(answer.content)
    assert (problem.status, problem.code) == (status, code)
    return problem


def poll(served: Served, address: str, headers: dict[str, str]) -> dict[str, object]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        document: dict[str, object] = served.client.get(address, headers=headers).json()
        if document["status"] != "running":
            return document
        time.sleep(0.1)
    raise AssertionError(f"{address} did not finish")


class TestRegistering:
    def test_a_registration_is_anchored_and_described(
        self, published: resources.RegistrationResource
    ) -> None:
        assert published.status == "final"
        assert published.title == "A published clip"
        assert published.created is True
        assert published.chain.tx is not None
        assert published.links.page == f"/registrations/{published.registration_id}"

    def test_the_same_bytes_again_are_the_same_registration(
        self, served: Served, clip: Path, published: resources.RegistrationResource
    ) -> None:
        again = served.register(clip, title="Another title")
        assert again.created is False
        assert again.registration_id == published.registration_id
        assert again.title == published.title

    def test_without_waiting_the_work_has_an_address(self, served: Served, tmp_path: Path) -> None:
        picture = render_picture(tmp_path / "a name.png", seed=13)
        answer = served.client.post(
            f"/v1/registrations?source_type={GENERATED}",
            content=picture.read_bytes(),
            headers={**served.owner, "Content-Type": "image/png"},
        )
        assert answer.status_code == 202
        assert answer.headers["retry-after"] == "1"
        assert "preference-applied" not in answer.headers
        started = resources.Running.model_validate_json(answer.content)
        assert answer.headers["location"] == f"/v1/registrations/{started.id}"
        done = poll(served, answer.headers["location"], served.owner)
        made = resources.RegistrationResource.model_validate(done)
        assert made.status == "final"
        assert made.title == "Untitled"
        assert made.visibility == "private"

    def test_the_title_defaults_to_the_files_name(self, served: Served, tmp_path: Path) -> None:
        picture = render_picture(tmp_path / "x.png", seed=14)
        answer = served.client.post(
            "/v1/registrations",
            files={"file": ("../../Sunset, take 2.png", picture.read_bytes())},
            data={"source_type": GENERATED},
            headers={**served.owner, "Prefer": "wait=50"},
        )
        assert answer.status_code == 201
        assert answer.headers["preference-applied"] == "wait"
        assert answer.json()["title"] == "Sunset, take 2"

    def test_no_answer_names_a_path_of_the_server(
        self, served: Served, published: resources.RegistrationResource
    ) -> None:
        home = str(served.settings.home_path)
        for headers in ({}, served.owner):
            answer = served.client.get(published.links.self, headers=headers)
            assert home not in answer.text

    def test_uploads_are_gone_when_their_work_is_done(
        self, served: Served, published: resources.RegistrationResource
    ) -> None:
        assert published.created
        assert served.uploads == []


class TestSeeing:
    def test_a_published_registration_is_seen_by_everybody(
        self, served: Served, published: resources.RegistrationResource
    ) -> None:
        answer = served.client.get(f"/v1/registrations/{published.registration_id}")
        seen = resources.RegistrationResource.model_validate_json(answer.content)
        assert seen.registration_id == published.registration_id
        assert seen.links.signed is None

    def test_a_private_one_is_seen_with_the_token_only(
        self, served: Served, private: resources.RegistrationResource
    ) -> None:
        address = f"/v1/registrations/{private.registration_id}"
        assert served.client.get(address, headers=served.owner).json()["title"] == private.title
        problem_of(served.client.get(address), 404, "not_found")

    @pytest.mark.parametrize("page", ["", "/bundle", "/thumbnail"])
    def test_a_private_one_looks_like_none_at_all(
        self, served: Served, private: resources.RegistrationResource, page: str
    ) -> None:
        hidden = served.client.get(f"/v1/registrations/{private.registration_id}{page}")
        missing = served.client.get(f"/v1/registrations/{NO_SUCH_ID}{page}")
        assert hidden.status_code == missing.status_code == 404
        assert hidden.text.replace(private.registration_id, NO_SUCH_ID) == missing.text
        assert dict(hidden.headers) == dict(missing.headers)

    def test_its_page_looks_like_none_at_all(
        self, served: Served, private: resources.RegistrationResource
    ) -> None:
        browser = {"Accept": "text/html"}
        hidden = served.client.get(f"/registrations/{private.registration_id}", headers=browser)
        missing = served.client.get(f"/registrations/{NO_SUCH_ID}", headers=browser)
        assert hidden.status_code == missing.status_code == 404
        assert hidden.text.replace(private.registration_id, NO_SUCH_ID) == missing.text

    def test_the_bundle_is_the_stored_evidence(
        self, served: Served, published: resources.RegistrationResource
    ) -> None:
        assert published.links.bundle is not None
        answer = served.client.get(published.links.bundle)
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert published.registration_id.encode() in answer.content

    def test_the_thumbnail_is_a_jpeg(
        self, served: Served, published: resources.RegistrationResource
    ) -> None:
        answer = served.client.get(published.links.thumbnail)
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.content.startswith(b"\xff\xd8")

    def test_the_signed_copy_is_for_its_owner(
        self, served: Served, published: resources.RegistrationResource
    ) -> None:
        address = f"{published.links.self}/signed"
        problem_of(served.client.get(address), 401, "not_authorized")
        answer = served.client.get(address, headers=served.owner)
        assert answer.headers["content-disposition"].startswith("attachment")
        assert b"c2pa" in answer.content

    def test_a_registration_job_is_nobody_elses_business(self, served: Served) -> None:
        answer = served.client.post(
            f"/v1/registrations?source_type={GENERATED}", content=b"junk", headers=served.owner
        )
        address = answer.headers["location"]
        problem_of(served.client.get(address), 404, "not_found")
        assert poll(served, address, served.owner)["status"] == "failed"

    def test_a_job_is_found_in_its_own_collection_only(self, served: Served, cut: Path) -> None:
        found = served.verify(cut)
        problem_of(served.client.get(f"/v1/registrations/{found.id}"), 404, "not_found")
        answer = served.client.get(f"/v1/audits/{found.id}", headers=served.owner)
        problem_of(answer, 404, "not_found")


class TestVerifying:
    def test_a_cut_is_found_with_its_seconds(
        self, served: Served, cut: Path, published: resources.RegistrationResource
    ) -> None:
        found = served.verify(cut)
        assert found.verdict == "registered_match"
        (match,) = found.matches
        assert match.registration_id == published.registration_id
        assert match.segments[0].work_start_s == pytest.approx(2, abs=0.3)
        assert found.claims[0].time.code == "self_kept"

    def test_the_address_of_a_verification_stays(
        self, served: Served, cut: Path, published: resources.RegistrationResource
    ) -> None:
        found = served.verify(cut)
        assert published.created
        for address in (f"/v1/verifications/{found.id}", f"/verifications/{found.id}"):
            answer = served.client.get(address, headers={"Accept": "application/json"})
            assert resources.Verification.model_validate_json(answer.content) == found

    def test_a_private_match_adds_nothing_to_the_answer(
        self, served: Served, tmp_path: Path
    ) -> None:
        source = render_clip(tmp_path / "secret.mp4", seconds=6, seed=21)
        copy = cut_clip(source, tmp_path / "copy.mp4", start_s=1, end_s=5)
        before = [served.verify(path) for path in (source, copy)]
        registration = served.register(source, title="A secret title")
        after = [served.verify(path) for path in (source, copy)]
        for one, other in zip(before, after, strict=True):
            assert other.model_copy(update={"id": one.id}) == one
        owned = served.verify(copy, as_owner=True)
        assert owned.matches[0].registration_id == registration.registration_id

    def test_what_the_owner_asked_is_not_shown_to_others(
        self, served: Served, cut: Path, published: resources.RegistrationResource
    ) -> None:
        owned = served.verify(cut, as_owner=True)
        assert owned.claims[0].mine
        assert published.created
        problem_of(served.client.get(f"/v1/verifications/{owned.id}"), 404, "not_found")

    def test_a_form_without_scripts_leads_to_the_page(
        self, served: Served, cut: Path, published: resources.RegistrationResource
    ) -> None:
        answer = served.client.post("/verifications", files={"file": ("cut.mp4", cut.read_bytes())})
        assert answer.status_code == 303
        address = answer.headers["location"]
        poll(served, f"/v1{address}", {})
        page = served.client.get(address, headers={"Accept": "text/html"})
        assert published.title in page.text
        assert "no proof of authorship" in page.text


def audit_files(clip: Path, disclosure: bytes) -> dict[str, tuple[str, bytes]]:
    return {
        "film": ("My film.mp4", clip.read_bytes()),
        "disclosure": ("disclosure.yaml", disclosure),
    }


class TestAuditing:
    def test_a_film_is_held_against_its_disclosure(
        self, served: Served, clip: Path, published: resources.RegistrationResource
    ) -> None:
        bundle = served.client.get(published.links.bundle or "")
        answer = served.client.post(
            "/v1/audits",
            files=[
                *audit_files(clip, b"profile: nothing\n").items(),
                ("bundles", ("a.json", bundle.content)),
                ("timeline", ("", b"")),
            ],
            headers={**served.owner, **WAIT},
        )
        assert answer.status_code == 200, answer.text
        audit = resources.Audit.model_validate_json(answer.content)
        assert audit.status == "succeeded"
        again = served.client.get(audit.links.self, headers=served.owner)
        assert again.json() == answer.json()
        report = served.client.get(audit.links.report, headers=served.owner)
        assert report.headers["content-type"].startswith("text/html")
        assert "sandbox" in report.headers["content-security-policy"]
        assert served.uploads == []

    def test_an_audit_is_for_the_owner(self, served: Served, clip: Path) -> None:
        answer = served.client.post("/v1/audits", files=audit_files(clip, b"a: b"))
        problem_of(answer, 401, "not_authorized")

    def test_a_submission_needs_a_film(self, served: Served) -> None:
        answer = served.client.post(
            "/v1/audits", files={"disclosure": ("d", b"a: b")}, headers=served.owner
        )
        assert "film" in problem_of(answer, 422, "invalid_request").detail

    def test_an_audit_that_came_to_nothing_has_no_report(self, served: Served, clip: Path) -> None:
        answer = served.client.post(
            "/v1/audits",
            files=audit_files(clip, b"a: b"),
            data={"pack": "no-such-pack"},
            headers=served.owner,
        )
        address = answer.headers["location"]
        failed = resources.Failed.model_validate(poll(served, address, served.owner))
        assert failed.problem.code == "not_found"
        problem_of(served.client.get(f"{address}/report", headers=served.owner), 404, "not_found")


class TestRefusing:
    def test_registering_needs_a_token(self, served: Served) -> None:
        answer = served.client.post("/v1/registrations", content=b"x")
        problem_of(answer, 401, "not_authorized")
        assert answer.headers["www-authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("value", ["Bearer wrong", "Bearer ", "Basic eDp4", "Bearer é"])
    def test_a_wrong_token_is_not_taken_for_none(
        self, served: Served, value: str, published: resources.RegistrationResource
    ) -> None:
        answer = served.client.get(
            published.links.self, headers=[(b"Authorization", value.encode("latin-1"))]
        )
        problem_of(answer, 401, "not_authorized")

    def test_an_unknown_source_type_is_refused(self, served: Served) -> None:
        answer = served.client.post(
            "/v1/registrations",
            files={"file": ("a.png", b"x")},
            data={"source_type": "magic"},
            headers=served.owner,
        )
        assert "source_type" in problem_of(answer, 422, "invalid_request").detail

    def test_a_request_without_a_file_is_refused(self, served: Served) -> None:
        answer = served.client.post("/v1/verifications", files={"picture": ("a.png", b"x")})
        problem_of(answer, 422, "invalid_request")

    @pytest.mark.parametrize(
        ("data", "status", "code"),
        [
            (b"", 422, "malformed_media"),
            (b"just some text", 415, "unsupported_media_type"),
        ],
    )
    def test_bad_media_are_a_problem_to_who_waits(
        self, served: Served, data: bytes, status: int, code: str
    ) -> None:
        answer = served.client.post(
            "/v1/verifications", files={"file": ("odd name.mp4", data)}, headers=WAIT
        )
        problem = problem_of(answer, status, code)
        assert "uploads" not in problem.detail
        job = served.client.get(answer.headers["location"])
        failed = resources.Failed.model_validate_json(job.content)
        assert failed.problem == problem

    def test_a_truncated_clip_is_refused(self, served: Served, clip: Path) -> None:
        data = clip.read_bytes()
        answer = served.client.post(
            "/v1/verifications",
            files={"file": ("clip.mp4", data[: len(data) // 2])},
            headers=WAIT,
        )
        problem_of(answer, 422, "malformed_media")

    def test_a_body_that_is_declared_too_long_is_refused(self, served: Served) -> None:
        answer = served.client.post("/v1/verifications", content=b"x" * (UPLOAD_BYTES_MAX + 1))
        problem_of(answer, 413, "media_too_large")
        assert served.uploads == []

    def test_a_body_that_grows_too_long_is_refused(self, served: Served) -> None:
        def chunks() -> Iterator[bytes]:
            for _ in range(UPLOAD_BYTES_MAX // 100_000 + 1):
                yield b"x" * 100_000

        answer = served.client.post("/v1/verifications", content=chunks())
        problem_of(answer, 413, "media_too_large")
        assert served.uploads == []

    def test_unknown_addresses_and_methods_are_problems(self, served: Served) -> None:
        problem_of(served.client.get("/v1/nothing"), 404, "not_found")
        problem_of(served.client.put("/v1/verifications"), 405, "method_not_allowed")

    @pytest.mark.parametrize("path", ["/docs", "/redoc"])
    def test_the_stock_documentation_pages_are_off(self, served: Served, path: str) -> None:
        assert served.client.get(path).status_code == 404

    def test_the_page_of_a_problem_explains_it(self, served: Served, cut: Path) -> None:
        answer = served.client.post("/v1/audits")
        page = served.client.get(problem_of(answer, 401, "not_authorized").type)
        assert page.status_code == 200
        assert "token" in page.text


class TestServing:
    def test_health(self, served: Served) -> None:
        assert served.client.get("/livez").json() == {"status": "alive"}
        assert served.client.get("/readyz").json() == {"status": "ready"}

    def test_openapi_describes_the_routes(self, served: Served) -> None:
        paths = served.client.get("/openapi.json").json()["paths"]
        form = paths["/v1/registrations"]["post"]["requestBody"]["content"]["multipart/form-data"]
        assert set(form["schema"]["required"]) == {"file"}
        assert {"/v1/verifications", "/v1/audits", "/livez", "/readyz"} <= set(paths)

    @pytest.mark.parametrize("path", ["/", "/static/app.js", "/static/app.css", "/nowhere"])
    def test_every_answer_carries_the_security_headers(self, served: Served, path: str) -> None:
        headers = served.client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"

    @pytest.mark.parametrize(
        ("prefer", "status"),
        [("wait=0", 202), ("wait=soon", 202), ("respond-async", 202), ("foo, WAIT=30", 200)],
    )
    def test_preferences(self, served: Served, clip: Path, prefer: str, status: int) -> None:
        answer = served.client.post(
            "/v1/verifications", content=clip.read_bytes(), headers={"Prefer": prefer}
        )
        assert answer.status_code == status
        poll(served, answer.headers["location"], {})
