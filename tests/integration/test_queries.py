"""Verifying, searching and showing change nothing, and need no home that can be written."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cached_property
from pathlib import Path

import homes
import pytest
from fastapi.testclient import TestClient
from homes import Studio, statement
from media_factory import cut_clip
from render_media import render_picture

from titledeed.bootstrap import Adapters, Registry
from titledeed.canonical.documents import Json
from titledeed.chain.development.chain import DevelopmentChain
from titledeed.chain.rpc import Node
from titledeed.homes.layout import HomeLayout
from titledeed_api import create_app

pytestmark = pytest.mark.chain

FOLLOWED = {"block", "event", "mention", "sqlite_sequence"}
"""Tables of the follower."""

Contents = dict[str, object]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with homes.new_studio(tmp_path_factory.mktemp("queries")) as studio:
        studio.home.register(studio.sources / "still.png", said=statement(publish=True))
        yield studio


@pytest.fixture(scope="module")
def clip_of(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cuts")
    return cut_clip(studio.sources / "clip.mp4", folder / "cut.mp4", start_s=1, end_s=5, scale=0.5)


def contents(layout: HomeLayout) -> Contents:
    """Every file of a home byte for byte, and every row that is not the follower's."""
    database = layout.database.name
    found: Contents = {
        str(path.relative_to(layout.root)): path.read_bytes()
        for path in sorted(layout.root.rglob("*"))
        if path.is_file() and not path.name.startswith(database)
    }
    with closing(sqlite3.connect(f"{layout.database.as_uri()}?mode=ro", uri=True)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            if name not in FOLLOWED:
                found[f"table {name}"] = connection.execute(f"SELECT * FROM {name}").fetchall()
    return found


def test_queries_of_the_command_line_leave_a_home_as_it_was(
    studio: Studio, clip_of: Path, tmp_path: Path
) -> None:
    before = contents(studio.home.registry.layout)
    registry = studio.home.registry
    for path in (studio.signed_clip, Path(studio.webm.source), clip_of):
        assert studio.home.verify(path).claims
    assert registry.search.search(clip_of, registry.owner)[1]
    for one in registry.catalogue.list_newest(registry.owner, limit=10):
        registry.history.list_entries(one, registry.owner)
        assert registry.registration.read_bundle(one)
        assert registry.registration.bundle_path(one)
        registry.registration.thumbnail(one)
    assert contents(registry.layout) == before


def test_every_get_leaves_a_home_as_it_was(studio: Studio, tmp_path: Path) -> None:
    with homes.copied_home(studio.home, tmp_path / "home") as home:
        token = home.registry.access.issue_token()
    owner = {"Authorization": f"Bearer {token}"}
    registration_id = studio.picture.registration.registration_id
    with TestClient(create_app(home.settings)) as client:
        answer = client.post(
            "/v1/verifications",
            files={"file": ("a.png", Path(studio.picture.source).read_bytes())},
            headers={"Prefer": "wait"},
        )
        assert answer.status_code == 200, answer.text
        audit = client.post(
            "/v1/audits",
            files={
                "film": ("film.mp4", Path(studio.clip.source).read_bytes()),
                "disclosure": ("disclosure.yaml", b"profile: nothing\n"),
            },
            headers={**owner, "Prefer": "wait"},
        )
        assert audit.status_code == 200, audit.text
        before = contents(HomeLayout(tmp_path / "home"))
        addresses = (
            "/",
            f"/registrations/{registration_id}",
            f"/verifications/{answer.json()['id']}",
            f"/v1/verifications/{answer.json()['id']}",
            f"/v1/registrations/{registration_id}",
            f"/v1/registrations/{registration_id}/bundle",
            f"/v1/registrations/{registration_id}/thumbnail",
            f"/v1/registrations/{registration_id}/signed",
            "/problems/not_found",
            "/livez",
            "/readyz",
            "/openapi.json",
            f"/v1/audits/{audit.json()['id']}",
            f"/v1/audits/{audit.json()['id']}/report",
        )
        paths = client.get("/openapi.json").json()["paths"]
        templates = [path for path, verbs in paths.items() if "get" in verbs]
        assert [one for one in templates if not any(map(match_of(one), addresses))] == []
        for address in addresses:
            for accept in ("text/html", "application/json"):
                shown = client.get(address, headers={**owner, "Accept": accept})
                assert shown.status_code == 200, (address, shown.text)
        assert contents(HomeLayout(tmp_path / "home")) == before


def match_of(template: str) -> Callable[[str], re.Match[str] | None]:
    """Whether an address is one of a path of the API."""
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", template)).fullmatch


def run_read_only(home: Path, *arguments: str) -> tuple[int, str, str]:
    """A command on a home that the operating system lets nobody write, not even root."""
    command = [sys.executable, "-m", "titledeed_cli.main", "--home", str(home), *arguments]
    if os.geteuid() == 0:
        mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", mount, str(home), *command]
    else:
        for path in (home, *home.rglob("*")):
            path.chmod(path.stat().st_mode & ~0o222)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def shelved(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the home that nobody has open."""
    folder = tmp_path_factory.mktemp("shelved") / "home"
    with homes.copied_home(studio.home, folder) as home:
        home.registry.following.follow()
    shutil.rmtree(folder / "locks", ignore_errors=True)
    return folder


def test_a_home_that_cannot_be_written_answers_and_says_what_it_did_not_ask(
    studio: Studio, shelved: Path, clip_of: Path
) -> None:
    before = contents(HomeLayout(shelved))
    code, out, problem = run_read_only(shelved, "verify", str(clip_of), "--json")
    assert code == 0, problem
    report = json.loads(out)
    assert report["verdict"] == "registered_match"
    time = report["claims"][0]["time"]
    assert time["code"] == "self_kept"
    assert "The chain was not asked" in time["reason"]
    assert contents(HomeLayout(shelved)) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("registration", "list", "--json"),
        ("registration", "show", "{id}", "--json"),
        ("registration", "history", "{id}", "--json"),
        ("search", "{clip}", "--json"),
        ("bundle", "export", "{id}", "{out}"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_home_that_cannot_be_written_can_be_looked_at(
    studio: Studio, shelved: Path, clip_of: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    values = {
        "id": studio.clip.registration.registration_id,
        "clip": str(clip_of),
        "out": str(tmp_path / "evidence.json"),
    }
    code, out, problem = run_read_only(shelved, *(one.format(**values) for one in arguments))
    assert code == 0, problem
    assert values["id"] in out or (tmp_path / "evidence.json").exists()


class CountingNode:
    """A node that remembers what it was asked."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.asked: list[str] = []

    def call(self, method: str, *params: Json) -> Json:
        self.asked.append(method)
        return self._node.call(method, *params)

    def close(self) -> None:
        self._node.close()


class CountingAdapters(Adapters):
    @cached_property
    def node(self) -> CountingNode:
        return CountingNode(DevelopmentChain(folder=self.layout.chain))


def test_a_verification_asks_the_chain_no_more_than_once_a_claim(
    studio: Studio, clip_of: Path, tmp_path: Path
) -> None:
    with homes.copied_home(studio.home, tmp_path / "home") as copy:
        settings = copy.settings
    adapters = CountingAdapters(settings)
    with Registry(settings, adapters) as registry:
        registry.verification.verify(clip_of, registry.owner)
        for path in (studio.signed_clip, clip_of):
            adapters.node.asked.clear()
            report = registry.verification.verify(path, registry.owner)
            assert 1 <= len(adapters.node.asked) <= len(report.claims), adapters.node.asked
        unknown = render_picture(tmp_path / "unknown.png", seed=99)
        adapters.node.asked.clear()
        registry.verification.verify(unknown, registry.owner)
        assert adapters.node.asked == []
