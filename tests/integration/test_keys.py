"""Keys of homes on a chain that somebody else serves."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import homes
import pytest
from homes import Home
from render_media import render_picture

from titledeed.bootstrap.homes import deploy, initialize_home, open_keys
from titledeed.canonical.identifiers import ZERO_ADDRESS
from titledeed.chain.development.chain import DevelopmentChain
from titledeed.chain.development.rpc_server import make_server
from titledeed.chain.key_folder import read_recovery_address
from titledeed.chain.keys import FileKeyStore
from titledeed.errors import InvalidRequestError, LedgerError, NotFoundError
from titledeed.models.evidence import Headline
from titledeed.proofs.contract import load_artifact
from titledeed.settings import ChainSettings, Settings

pytestmark = pytest.mark.chain

BASE_URI = "https://deeds.example/"


@dataclass(frozen=True)
class Served:
    """A chain behind a URL, and the home whose sender has money there."""

    url: str
    rich: Home

    def settings(self, folder: Path, *, contract: str | None = None) -> Settings:
        chain = ChainSettings(rpc_url=self.url, contract=contract)
        return Settings(home=folder, chain=chain)

    def give_sender(self, settings: Settings) -> None:
        """Take the rich sender's key into a home that is not made yet."""
        layout = self.rich.registry.layout
        open_keys(settings, may_write=True).import_key(
            "sender",
            layout.sender_key.read_bytes(),
            lambda: layout.passphrase_file.read_text().strip(),
        )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    with (
        homes.new_home(folder / "rich") as rich,
        closing(DevelopmentChain(folder=rich.registry.layout.chain)) as chain,
        make_server(chain, host="127.0.0.1", port=0) as server,
    ):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Served(f"http://127.0.0.1:{server.server_port}", rich)
        server.shutdown()
        thread.join()


def test_where_the_contract_stands_nothing_is_spent(served: Served, tmp_path: Path) -> None:
    settings = served.settings(tmp_path / "home")
    open_keys(settings, may_write=True).create("sender")  # has no money
    deployment, path = deploy(settings)
    assert deployment.is_standard
    assert deployment.contract == load_artifact().address
    document = json.loads(path.read_text())
    assert document["contract"] == deployment.contract
    assert document["verification"]["stdJsonInput"]["language"] == "Solidity"


def test_a_contract_of_ones_own_is_deployed_pinned_and_used(served: Served, tmp_path: Path) -> None:
    settings = served.settings(tmp_path / "home")
    served.give_sender(settings)
    deployment, _ = deploy(settings, token_uri_base=BASE_URI)
    assert not deployment.is_standard
    assert deployment.contract == load_artifact(BASE_URI).address
    assert deploy(settings, token_uri_base=BASE_URI)[0] == deployment
    settings = served.settings(tmp_path / "home", contract=deployment.contract)
    initialized = initialize_home(settings)
    assert initialized.chain.contract == deployment.contract
    assert initialized.sender == served.rich.adapters.ledger.sender
    with homes.opened(settings) as home:
        registered = home.register_one(render_picture(tmp_path / "p.png", seed=1))
        assert registered.registration.anchor is not None
        check = home.registry.chain_report.verify()
        assert (check.sequence, check.identity.contract) == (1, deployment.contract)


def test_a_sender_without_money_cannot_deploy(served: Served, tmp_path: Path) -> None:
    settings = served.settings(tmp_path / "home")
    open_keys(settings, may_write=True).create("sender")
    with pytest.raises(LedgerError):
        deploy(settings, token_uri_base="https://poor.example/")
    assert not (tmp_path / "home" / "chain").exists()


def test_deploying_needs_a_chain_and_a_sender(served: Served, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError):
        deploy(Settings(home=tmp_path / "home"))
    with pytest.raises(NotFoundError):
        deploy(served.settings(tmp_path / "home"))
    assert not (tmp_path / "home").exists()


def test_every_claim_names_the_recovery_key_and_that_declares_the_claimants_lost(
    tmp_path: Path,
) -> None:
    with homes.new_home(tmp_path / "home") as home:
        layout, registry = home.registry.layout, home.registry
        recovery = read_recovery_address(layout.keys)
        assert recovery != ZERO_ADDRESS
        picture = render_picture(tmp_path / "p.png", seed=2)
        found = home.register_one(picture).registration
        dossier = home.adapters.vault.dossiers.read(found.registration_id)
        claim = dossier.record.signed_claim.claim
        assert claim.recovery_key == recovery
        elsewhere = (layout.keys / "recovery.json").rename(tmp_path / "safe.json")
        key = FileKeyStore(open_keys(home.settings).open(str(elsewhere)))
        first = registry.acts.declare_key(principal=registry.owner, by=key)
        assert first.is_new
        report = home.verify(picture)
        assert report.headline is Headline.REGISTERED_EXACT
        (claim_shown,) = [c for c in report.claims if c.claimant == home.claimant]
        assert [entry.kind for entry in claim_shown.entries] == ["key_lost"]


def test_a_home_keeps_its_recovery_key_when_it_is_initialised_again(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    first = initialize_home(settings)
    (tmp_path / "home" / "keys" / "recovery.json").unlink()
    again = initialize_home(settings)
    assert again.recovery == first.recovery
    assert not (tmp_path / "home" / "keys" / "recovery.json").exists()
