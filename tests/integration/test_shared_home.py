"""Several processes on one home, a server among them: nothing is lost, doubled or torn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from free_ports import free_port
from homes import Home, opened
from media_factory import cut_clip, render_clip, render_picture

from titledeed.bootstrap.homes import initialize_home
from titledeed.homes.founding import InitializedHome
from titledeed.media.digests import digest_file
from titledeed.models.evidence import Anchor, Headline
from titledeed.models.registration import Registration, Visibility
from titledeed.proofs.bundles import read_bundle_file
from titledeed.services.evidence import check_bundle
from titledeed.settings import Settings

pytestmark = pytest.mark.chain

DRIVER = Path(__file__).with_name("home_process.py")
MODULES = f"{DRIVER.parents[1]}:{DRIVER.parents[2] / 'scripts'}"
START_TIMEOUT_S = 60.0


@pytest.fixture
def made(tmp_path: Path) -> InitializedHome:
    return initialize_home(Settings(home=tmp_path / "home"))


@contextmanager
def running(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A process on the home, ended with the test whatever happens."""
    process = subprocess.Popen(
        [sys.executable, str(DRIVER), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": MODULES, "PYTHONWARNINGS": "error"},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def meet(*processes: subprocess.Popen[str]) -> None:
    """Wait until all are in the middle of their first file, then let them go on together."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def finish(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    output, _ = process.communicate()
    assert process.returncode == 0
    return [json.loads(line) for line in output.splitlines()]


class Server:
    """A server on the home, as its owner sees it."""

    def __init__(self, process: subprocess.Popen[str], port: int, token: str) -> None:
        self._process = process
        self._client = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {token}", "Prefer": "wait=60"},
            timeout=START_TIMEOUT_S,
        )

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self._client.get("/livez")
            except httpx2.TransportError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("the server did not start")

    def register(self, path: Path) -> dict[str, Any]:
        answer = self._client.post(
            "/v1/registrations",
            files={"file": (path.name, path.read_bytes())},
            data={"source_type": "trainedAlgorithmicMedia"},
        )
        assert answer.status_code == 201, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def verify(self, path: Path) -> dict[str, Any]:
        answer = self._client.post(
            "/v1/verifications", files={"file": (path.name, path.read_bytes())}
        )
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def close(self) -> None:
        self._client.close()


@contextmanager
def serving(made: InitializedHome) -> Iterator[Server]:
    port = free_port()
    with running("serve", made.home, port) as process:
        server = Server(process, port, made.token)
        try:
            server.wait_until_ready()
            yield server
        finally:
            server.close()


def render_folder(folder: Path, seed: int) -> list[Path]:
    folder.mkdir()
    clip = render_clip(folder / "a clip.mp4", seconds=3, seed=seed)
    pictures = [render_picture(folder / f"{n}.png", seed=seed + n) for n in (1, 2, 3)]
    return [clip, *pictures]


def registrations_of(home: Home, sources: list[Path]) -> list[Registration]:
    """The one registration of each source."""
    found = [home.adapters.registrations.find_by_digest(digest_file(source)) for source in sources]
    assert [len(each) for each in found] == [1] * len(sources)
    return [each[0] for each in found]


def assert_whole(home: Home, sources: list[Path]) -> None:
    """Each source is registered exactly once, provably, on one chain, and nothing is left over."""
    registry = home.registry
    registrations = registrations_of(home, sources)
    assert home.adapters.registrations.count_own() == len(sources)
    assert home.adapters.outbox.list_waiting(100) == []
    assert home.adapters.outbox.list_pending() == []
    assert len(home.adapters.objects.keys("dossiers/")) == len(sources)
    assert len(home.signed_files()) == len(sources)
    anchors: dict[bytes, Anchor] = {}
    for source, registration in zip(sources, registrations, strict=True):
        path = registry.registration.bundle_path(registration)
        assert path is not None
        bundle = read_bundle_file(Path(path).read_bytes())
        assert check_bundle(bundle, digest_file(source)).holds
        assert bundle.own.chain == registry.chain_identity
        block = home.adapters.ledger.find_block(bundle.own.anchor.block_number)
        assert block is not None
        assert block.hash == bundle.own.anchor.block_hash
        assert digest_file(Path(registration.signed_path or "")) == registration.signed_digest
        assert anchors.setdefault(bundle.own.anchor.root, bundle.own.anchor) == bundle.own.anchor
    sequences = sorted(anchor.sequence for anchor in anchors.values())
    assert sequences == list(range(1, len(anchors) + 1))
    assert sum(anchor.size for anchor in anchors.values()) == len(sources)


def test_two_registrars_and_a_server_share_a_home(made: InitializedHome, tmp_path: Path) -> None:
    first = render_folder(tmp_path / "first", 100)
    second = render_folder(tmp_path / "second", 200)
    uploads = render_folder(tmp_path / "uploads", 300)[1:]
    cut = cut_clip(first[0], tmp_path / "cut.mp4", start_s=0, end_s=3, crf=30)
    with (
        serving(made) as server,
        running("register", made.home, first[0].parent) as one,
        running("register", made.home, second[0].parent) as other,
    ):
        assert server.verify(cut)["verdict"] == Headline.NO_RECORD
        meet(one, other)
        uploaded = [server.register(path) for path in uploads]
        registered = [*finish(one), *finish(other)]
        # The server sees at once what the other processes registered.
        verdict = server.verify(cut)
        assert verdict["verdict"] == Headline.REGISTERED_MATCH
        assert verdict["matches"][0]["title"] == "a clip"
    assert all(document["created"] for document in registered)
    assert {document["status"] for document in [*registered, *uploaded]} == {"final"}
    assert len({d["registration_id"] for d in [*registered, *uploaded]}) == 11
    with opened(Settings(home=made.home)) as home:
        assert_whole(home, [*first, *second, *uploads])


def test_two_processes_with_the_same_file_make_one_registration(
    made: InitializedHome, tmp_path: Path
) -> None:
    """Each has looked, and found nothing, before the other is done; one of them publishes."""
    clip = render_clip(tmp_path / "clip.mp4", seconds=3, seed=400)
    with (
        running("register", made.home, clip) as one,
        running("register", made.home, clip, "--publish") as other,
    ):
        meet(one, other)
        (mine,), (theirs,) = finish(one), finish(other)
    assert mine["registration_id"] == theirs["registration_id"]
    assert mine["signed_sha256"] == theirs["signed_sha256"]
    assert mine["chain"] == theirs["chain"]
    assert sorted([mine["created"], theirs["created"]]) == [False, True]
    with opened(Settings(home=made.home)) as home:
        assert_whole(home, [clip])
        (registration,) = registrations_of(home, [clip])
        assert registration.visibility is Visibility.PUBLISHED


def test_an_upload_of_what_another_process_registers_is_the_same_registration(
    made: InitializedHome, tmp_path: Path
) -> None:
    clip = render_clip(tmp_path / "clip.mp4", seconds=3, seed=500)
    again = tmp_path / "again.mp4"
    again.write_bytes(clip.read_bytes())
    with serving(made) as server, running("register", made.home, clip) as one:
        meet(one)
        (mine,) = finish(one)
        assert server.verify(again)["claims"][0]["registration_id"] == mine["registration_id"]
    with opened(Settings(home=made.home)) as home:
        assert_whole(home, [clip])
