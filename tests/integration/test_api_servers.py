"""Several servers over one home, one after the other and side by side."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from free_ports import free_port
from render_media import render_clip, render_picture

from titledeed.bootstrap import open_registry
from titledeed.bootstrap.homes import initialize_home
from titledeed.errors import HomeNotInitializedError
from titledeed.homes.layout import HomeLayout
from titledeed.services.jobs import STARTS_MAX
from titledeed.settings import ChainSettings, Settings
from titledeed_api import create_app
from titledeed_api.schemas import resources
from titledeed_api.schemas.problems import Problem

pytestmark = pytest.mark.chain

SERVE = """
import sys, uvicorn
from pathlib import Path
from titledeed.settings import ChainSettings, Settings
from titledeed_api import create_app
app = create_app(Settings(home=Path(sys.argv[1])))
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
"""


def wait_until_alive(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            httpx2.get(f"http://127.0.0.1:{port}/livez")
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not start")


def start_server(home: Path, port: int) -> subprocess.Popen[bytes]:
    server = subprocess.Popen([sys.executable, "-c", SERVE, str(home), str(port)])
    wait_until_alive(port)
    return server


def kill(server: subprocess.Popen[bytes]) -> None:
    os.kill(server.pid, signal.SIGKILL)
    server.wait()


def wait_until_done(port: int, location: str, token: str | None = None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    deadline = time.monotonic() + 120
    while True:
        document: dict[str, Any] = httpx2.get(
            f"http://127.0.0.1:{port}{location}", headers=headers
        ).json()
        if document["status"] != "running":
            return document
        assert time.monotonic() < deadline
        time.sleep(0.1)


def wait_until_gone(uploads: Path) -> None:
    deadline = time.monotonic() + 5
    while list(uploads.rglob("*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_verification_whose_server_was_killed_is_finished_by_the_next(tmp_path: Path) -> None:
    home = tmp_path / "home"
    initialize_home(Settings(home=home))
    clip = render_clip(tmp_path / "clip.mp4", seconds=6, seed=31)
    port = free_port()
    server = start_server(home, port)
    try:
        answer = httpx2.post(f"http://127.0.0.1:{port}/v1/verifications", content=clip.read_bytes())
        assert answer.status_code == 202
        assert list((home / "uploads").glob("*/*"))
    finally:
        kill(server)
    (home / "uploads" / "half").mkdir()
    (home / "uploads" / "half" / "a").write_bytes(b"what no job names")
    server = start_server(home, port)
    try:
        document = wait_until_done(port, answer.headers["location"])
        found = resources.Verification.model_validate(document)
        assert found.verdict == "no_record"
        wait_until_gone(home / "uploads")
    finally:
        server.terminate()
        server.wait()


def test_a_registration_and_an_audit_survive_their_server_once_each(tmp_path: Path) -> None:
    """More than a server does at one time, so that some were begun and others wait."""
    home = tmp_path / "home"
    token = initialize_home(Settings(home=home)).token
    headers = {"Authorization": f"Bearer {token}"}
    clips = [render_clip(tmp_path / f"{n}.mp4", seconds=6, seed=40 + n) for n in range(3)]
    port = free_port()
    server = start_server(home, port)
    address = f"http://127.0.0.1:{port}/v1"
    try:
        films = {
            "film": ("film.mp4", clips[0].read_bytes()),
            "disclosure": ("d.yaml", b"profile: nothing\n"),
        }
        audit = httpx2.post(f"{address}/audits", files=films, headers=headers)
        made = [
            httpx2.post(
                f"{address}/registrations",
                files={"file": (f"{clip.stem} of mine.mp4", clip.read_bytes())},
                data={"publish": "true"},
                headers=headers,
            )
            for clip in clips
        ]
        assert {answer.status_code for answer in [audit, *made]} == {202}
    finally:
        kill(server)
    server = start_server(home, port)
    try:
        documents = [
            wait_until_done(port, answer.headers["location"], token) for answer in [audit, *made]
        ]
        assert documents[0]["status"] == "succeeded"
        registered = [resources.RegistrationResource.model_validate(one) for one in documents[1:]]
        assert [one.title for one in registered] == [f"{n} of mine" for n in range(3)]
        assert {one.visibility for one in registered} == {"published"}
        wait_until_gone(home / "uploads")
    finally:
        server.terminate()
        server.wait()
    with open_registry(Settings(home=home)) as registry:
        assert len(registry.catalogue.list_newest(registry.owner, limit=9)) == len(clips)


def test_work_that_no_server_survives_is_given_up(tmp_path: Path) -> None:
    home = tmp_path / "home"
    initialize_home(Settings(home=home))
    clip = render_clip(tmp_path / "clip.mp4", seconds=6, seed=31)
    port = free_port()
    server = start_server(home, port)
    try:
        answer = httpx2.post(f"http://127.0.0.1:{port}/v1/verifications", content=clip.read_bytes())
        assert answer.status_code == 202
    finally:
        kill(server)
    database = sqlite3.connect(HomeLayout(home).database)
    database.execute("UPDATE job SET starts = ?", (STARTS_MAX,))
    database.commit()
    database.close()
    with TestClient(create_app(Settings(home=home))) as client:
        document = client.get(answer.headers["location"]).json()
        failed = resources.Failed.model_validate(document)
        assert failed.problem.code == "interrupted"
        assert not list((home / "uploads").rglob("*"))


def test_a_second_server_leaves_the_work_of_the_first_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    initialize_home(Settings(home=home))
    clip = render_clip(tmp_path / "clip.mp4", seconds=6, seed=32).read_bytes()
    port = free_port()
    server = start_server(home, port)
    try:
        # More than the first server does at one time, so that some still wait for it.
        address = f"http://127.0.0.1:{port}/v1/verifications"
        *_, last = [httpx2.post(address, content=clip) for _ in range(6)]
        location = last.headers["location"]
        with TestClient(create_app(Settings(home=home))) as second:
            assert second.get(location).json()["status"] == "running"
            deadline = time.monotonic() + 60
            while second.get(location).json()["status"] == "running":
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert second.get(location).json()["status"] == "succeeded"
    finally:
        server.terminate()
        server.wait()


def test_an_uninitialised_home_is_told_and_left_untouched(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with (
        pytest.raises(HomeNotInitializedError),
        TestClient(create_app(Settings(home=home))),
    ):
        pass
    assert not home.exists()


def test_a_chain_that_is_down_is_told_without_its_address(tmp_path: Path) -> None:
    home = tmp_path / "home"
    token = initialize_home(Settings(home=home)).token
    picture = render_picture(tmp_path / "a.png", seed=33)
    url = f"http://127.0.0.1:{free_port()}"
    settings = Settings(home=home, chain=ChainSettings(rpc_url=url, rpc_timeout_s=1))
    with TestClient(create_app(settings)) as client:
        assert client.get("/livez").status_code == 200
        refused = [
            client.get("/readyz"),
            client.post(
                "/v1/registrations?source_type=digitalCreation",
                content=picture.read_bytes(),
                headers={"Authorization": f"Bearer {token}", "Prefer": "wait"},
            ),
        ]
        for answer in refused:
            problem = Problem.model_validate_json(answer.content)
            assert (problem.status, problem.code) == (503, "ledger_unavailable")
            assert answer.headers["retry-after"] == "5"
            assert url not in answer.text
        assert not [path for path in (home / "uploads").rglob("*") if path.is_file()]
