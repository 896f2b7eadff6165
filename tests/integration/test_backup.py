"""Backups of a home that others use meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import homes
import pytest
from homes import Home, Studio
from media_factory import render_picture

from titledeed.bootstrap.homes import back_up, check_home, rebuild_index, restore
from titledeed.media.digests import digest_file
from titledeed.models.evidence import Headline
from titledeed.settings import Settings

pytestmark = pytest.mark.chain

WORKS = 12
DRIVER = Path(__file__).with_name("home_process.py")
MODULES = f"{DRIVER.parents[1]}:{DRIVER.parents[2] / 'scripts'}"


@contextmanager
def registering(own_studio: Studio, *files: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that registers files, one by one, from when the block begins."""
    process = subprocess.Popen(
        [sys.executable, DRIVER, "register", own_studio.home.settings.home_path, *files],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": MODULES, "PYTHONWARNINGS": "error"},
    )
    with process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.stdin.write("go\n")
            process.stdin.flush()
            yield process
        finally:
            process.kill()


def restored(own_studio: Studio, backup: Path, folder: Path) -> Settings:
    restore(backup, folder)
    (folder / "passphrase").write_bytes(
        own_studio.home.registry.layout.passphrase_file.read_bytes()
    )
    return own_studio.home.settings.model_copy(update={"home": folder})


def assert_whole(home: Home) -> set[str]:
    """Rows, objects and chain agree; the ids of what is registered."""
    registry = home.registry
    registry.following.follow()
    found = [one for _, one in home.adapters.registrations.list_own(after=0, limit=1_000)]
    for one in found:
        kept = home.adapters.vault.dossiers.read_kept(one.registration_id)
        assert kept.accepted_at == one.accepted_at
        if one.signed_digest is not None:
            assert one.signed_path is not None
            assert digest_file(Path(one.signed_path)) == one.signed_digest
        if one.anchor is not None:
            assert registry.claims.find_bundle(one) is not None
    registry.chain_report.verify()
    return {one.registration_id for one in found}


def test_a_restored_home_verifies_and_registers(own_studio: Studio, tmp_path: Path) -> None:
    back_up(own_studio.home.settings, tmp_path / "b" / "backup.tar.gz")
    settings = restored(own_studio, tmp_path / "b" / "backup.tar.gz", tmp_path / "new")
    check_home(settings, settings.home_path)
    with homes.opened(settings) as home:
        assert assert_whole(home) == {one.registration.registration_id for one in own_studio.batch}
        report = home.verify(own_studio.sources / "clip.mp4")
        assert report.headline is Headline.REGISTERED_EXACT
        registration_id = own_studio.clip.registration.registration_id
        moved = home.registry.registration.get(registration_id, home.owner)
        assert moved.signed_path is not None
        assert Path(moved.signed_path).is_relative_to(settings.home_path)
        new = home.register_one(render_picture(tmp_path / "new.png", seed=41))
        assert new.registration.anchor is not None
    assert rebuild_index(settings).findings == ()


def test_backups_taken_while_others_register_are_whole(own_studio: Studio, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    files = [render_picture(folder / f"{n}.png", seed=100 + n) for n in range(WORKS)]
    backups: list[Path] = []
    with registering(own_studio, *files) as process:
        while process.poll() is None or not backups:
            backups.append(tmp_path / "b" / f"{len(backups)}.tar")
            back_up(own_studio.home.settings, backups[-1])
        output, _ = process.communicate()
        assert process.returncode == 0
        accepted = {json.loads(line)["registration_id"] for line in output.splitlines()}
    assert len(accepted) == WORKS
    before = {one.registration.registration_id for one in own_studio.batch}
    seen = []
    for number, backup in enumerate((backups[0], backups[len(backups) // 2], backups[-1])):
        settings = restored(own_studio, backup, tmp_path / f"new-{number}")
        with homes.opened(settings) as home:
            found = assert_whole(home)
            assert before <= found <= before | accepted
            home.registry.anchoring.anchor_now()
            assert (
                home.verify(own_studio.sources / "clip.mp4").headline is Headline.REGISTERED_EXACT
            )
        seen.append(found)
    assert seen[0] <= seen[1] <= seen[2]


def test_what_the_copied_database_did_not_know_comes_with_a_rebuild(
    own_studio: Studio, tmp_path: Path
) -> None:
    late = render_picture(tmp_path / "late.png", seed=55)
    registered = []

    def register(label: str, fraction: float) -> None:
        if label == "Copying the database" and fraction == 1.0:
            registered.append(own_studio.home.register_one(late).registration.registration_id)

    back_up(own_studio.home.settings, tmp_path / "b" / "backup.tar", progress=register)
    settings = restored(own_studio, tmp_path / "b" / "backup.tar", tmp_path / "new")
    with homes.opened(settings) as home:
        before = assert_whole(home)
    assert registered[0] not in before
    assert rebuild_index(settings).findings == ()
    with homes.opened(settings) as home:
        assert assert_whole(home) == before | set(registered)
        assert home.verify(late).headline is Headline.REGISTERED_EXACT
