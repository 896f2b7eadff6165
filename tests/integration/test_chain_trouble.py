"""A chain that is down, missing, cut or another: told, and nothing is half-registered."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from homes import (
    Home,
    Studio,
    copied_home,
    without_chain,
)
from render_media import render_picture

import titledeed
from titledeed.chain.pin import read_pin, write_pin
from titledeed.errors import (
    ChainMismatchError,
    HomeNotInitializedError,
    LedgerUnavailableError,
)
from titledeed.media.digests import digest_file
from titledeed.models.evidence import (
    Headline,
    TimeCode,
)
from titledeed.models.primitives import BlockHash, Keccak256

pytestmark = pytest.mark.chain

REGISTER: Final = """
import sys
from pathlib import Path
import titledeed
from titledeed.bootstrap import open_registry
from titledeed.errors import TitledeedError
from titledeed.models.disclosure import AssetDisclosure, DigitalSourceType
from titledeed.models.registration import Visibility
from titledeed.services.acceptance import Statement
from titledeed.services.registration import RegisterRequest
from titledeed.settings import Settings

disclosure = AssetDisclosure(DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA)
said = Statement(disclosure, None, (), Visibility.PRIVATE, None)
assert titledeed.__path__[0].startswith(sys.path[1])
with open_registry(Settings(home=Path(sys.argv[1]))) as registry:
    try:
        registry.registration.register(RegisterRequest((Path(sys.argv[2]),), said), registry.owner)
    except TitledeedError as error:
        known = "npm ci" if "npm ci" in error.next_step else error.next_step
        print(type(error).__name__, known, end="")
"""


@pytest.fixture
def chainless(studio: Studio) -> Iterator[Home]:
    """The studio's home while no chain answers."""
    with without_chain(studio.home) as home:
        yield home


def test_a_chain_that_is_down_stops_a_waiting_batch_before_it_begins(
    studio: Studio, chainless: Home, tmp_path: Path
) -> None:
    source = render_picture(tmp_path / "a.png", seed=80)
    owned, signed = studio.home.adapters.registrations.count_own(), studio.home.signed_files()
    with pytest.raises(LedgerUnavailableError) as raised:
        chainless.register(source)
    assert raised.value.retryable
    assert studio.home.adapters.registrations.count_own() == owned
    assert studio.home.signed_files() == signed


def test_without_waiting_a_batch_is_accepted_and_anchored_when_the_chain_is_back(
    studio: Studio, chainless: Home, tmp_path: Path
) -> None:
    source = render_picture(tmp_path / "b.png", seed=81)
    pending = chainless.register_one(source, wait=False)
    registration_id = pending.registration.registration_id
    with pytest.raises(LedgerUnavailableError):
        chainless.registry.registration.complete(registration_id, chainless.owner)
    assert chainless.verify(source).answers.time.code == TimeCode.CLAIMED_ONLY
    completed = studio.home.registry.registration.complete(registration_id, studio.home.owner)
    assert completed.registration.anchor is not None


def test_a_claim_is_not_judged_without_its_chain(studio: Studio, chainless: Home) -> None:
    """That the chain cannot be asked is neither a yes nor a no."""
    with pytest.raises(LedgerUnavailableError):
        chainless.verify(Path(studio.clip.source))


def test_what_matches_nothing_needs_no_chain(chainless: Home, tmp_path: Path) -> None:
    path = render_picture(tmp_path / "unrelated.png", seed=82)
    assert chainless.verify(path).headline is Headline.NO_RECORD


def test_another_genesis_hash_is_refused(studio: Studio, tmp_path: Path) -> None:
    source = render_picture(tmp_path / "c.png", seed=83)
    with copied_home(studio.home, tmp_path / "home") as home:
        folder = home.registry.layout.chain
        pin = read_pin(folder)
        other = replace(pin.identity, genesis_hash=BlockHash(Keccak256(bytes(32))))
        write_pin(folder, replace(pin, identity=other))
        owned, signed = home.adapters.registrations.count_own(), home.signed_files()
        with pytest.raises(ChainMismatchError, match="genesis") as caught:
            home.register(source)
        assert caught.value.chain_id == other.chain_id
        with pytest.raises(ChainMismatchError):
            home.registry.check()
        assert home.adapters.registrations.count_own() == owned
        assert home.signed_files() == signed


def test_building_every_service_asks_no_chain_and_loads_none(
    studio: Studio, tmp_path: Path
) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from titledeed.bootstrap import open_registry\n"
        "from titledeed.settings import Settings\n"
        "with open_registry(Settings(home=Path(sys.argv[1]))) as registry:\n"
        "    registry.warm_up()\n"
        "    own = registry.catalogue.list_newest(registry.owner, limit=9)\n"
        "    children = Path('/proc/self/task').glob('*/children')\n"
        "    print(len(own), [path.read_text() for path in children if path.read_text()],\n"
        "          sorted({'web3', 'eth_account', 'eth_abi', 'py_ecc'} & set(sys.modules)))\n"
    )
    with copied_home(studio.home, tmp_path / "home") as home:
        folder = home.registry.layout.chain
        # A chain that this home does not run, no URL to reach it, and no key to pay with.
        write_pin(folder, replace(read_pin(folder), genesis=None))
        home.registry.layout.sender_key.unlink()
        done = subprocess.run(
            [sys.executable, "-c", script, str(home.registry.layout.root)],
            capture_output=True,
            text=True,
            check=True,
        )
        owned = home.adapters.registrations.count_own()
    assert done.stdout == f"{owned} [] []\n"


def test_a_home_without_its_chain_folder_is_told(studio: Studio, tmp_path: Path) -> None:
    with copied_home(studio.home, tmp_path / "home") as home:
        shutil.rmtree(home.registry.layout.chain)
        with pytest.raises(HomeNotInitializedError):
            home.verify(Path(studio.clip.source))
        with pytest.raises(HomeNotInitializedError):
            home.register(Path(studio.clip.source))


def test_a_journal_that_was_cut_is_no_chain_to_ask(studio: Studio, tmp_path: Path) -> None:
    """It was rolled back under an accepted registration: nothing is judged by it, or sent."""
    anchor = studio.clip.registration.anchor
    assert anchor is not None
    with copied_home(studio.home, tmp_path / "home") as home:
        journal = home.registry.layout.chain / "journal.jsonl"
        lines = journal.read_bytes().splitlines(keepends=True)
        journal.write_bytes(b"".join(lines[: anchor.block_number - 1]))
        behind = f"ends at block {anchor.block_number - 1}, but this home has followed it"
        with pytest.raises(LedgerUnavailableError, match=behind):
            home.verify(Path(studio.clip.source))
        pending = render_picture(tmp_path / "e.png", seed=85)
        with pytest.raises(LedgerUnavailableError, match=behind):
            home.register(pending)
        (waiting,) = home.adapters.registrations.find_by_digest(digest_file(pending))
        assert waiting.anchor is None


def test_without_anvil_nothing_is_half_registered(studio: Studio, tmp_path: Path) -> None:
    """The library copied to where no anvil is near, as on a machine without it."""
    shutil.copytree(Path(titledeed.__path__[0]), tmp_path / "library" / "titledeed")
    source = render_picture(tmp_path / "d.png", seed=84)
    owned, signed = studio.home.adapters.registrations.count_own(), studio.home.signed_files()
    done = subprocess.run(
        [sys.executable, "-c", REGISTER, str(studio.home.settings.home_path), str(source)],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path / "library")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "ToolMissingError npm ci"), done.stderr
    assert studio.home.adapters.registrations.count_own() == owned
    assert studio.home.signed_files() == signed
