"""Several servers over one home, one after the other and side by side."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient
from free_ports import free_port
from render_media import render_clip, render_picture

from titledeed.errors import HomeNotInitializedError
from titledeed.settings import ChainSettings, Settings
from titledeed.upkeep import initialize_home
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


def test_a_killed_server_leaves_neither_running_jobs_nor_files(tmp_path: Path) -> None:
    home = tmp_path / "home"
    initialize_home(Settings(home=home))
    clip = render_clip(tmp_path / "clip.mp4", seconds=6, seed=31)
    port = free_port()
    server = start_server(home, port)
    try:
        answer = httpx2.post(f"http://127.0.0.1:{port}/v1/verifications", content=clip.read_bytes())
        assert answer.status_code == 202
        assert list((home / "uploads").glob("*/*/*"))
    finally:
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
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
