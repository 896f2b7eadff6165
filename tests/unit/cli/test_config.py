from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from titledeed_cli.commands.config import mask_url
from titledeed_cli.main import app


def show(*options: str, **variables: str) -> dict[str, tuple[object, str]]:
    done = CliRunner().invoke(app, [*options, "config", "show", "--json"], env=variables)
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    return {s["variable"]: (s["value"], s["origin"]) for s in document["settings"]}


def test_defaults_are_named_as_such() -> None:
    assert show()["TITLEDEED_API__PORT"] == (8765, "default")


def test_the_environment_is_named_as_origin() -> None:
    settings = show(TITLEDEED_API__PORT="9000", TITLEDEED_HOME="elsewhere")
    assert settings["TITLEDEED_API__PORT"] == (9000, "environment")
    assert settings["TITLEDEED_API__HOST"] == ("127.0.0.1", "default")
    assert settings["TITLEDEED_HOME"] == ("elsewhere", "environment")


def test_the_option_counts_before_the_environment() -> None:
    settings = show("--home", "chosen", TITLEDEED_HOME="elsewhere")
    assert settings["TITLEDEED_HOME"] == ("chosen", "option")


def test_secrets_are_masked() -> None:
    settings = show(
        TITLEDEED_PASSPHRASE="hunter2", TITLEDEED_CHAIN__RPC_URL="https://a:b@rpc.example/v3/KEY"
    )
    shown = json.dumps(settings)
    assert "hunter2" not in shown
    assert "KEY" not in shown
    assert settings["TITLEDEED_PASSPHRASE"] == ("**********", "environment")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("https://rpc.example/v3/KEY", "https://rpc.example/***"),
        ("https://rpc.example?key=KEY", "https://rpc.example/***"),
        ("https://user:pw@rpc.example:8545/", "https://rpc.example:8545/***"),
    ],
)
def test_a_url_is_shown_without_what_may_be_a_key(url: str, shown: str) -> None:
    assert mask_url(url) == shown


def test_a_person_sees_the_same_settings_as_a_table() -> None:
    done = CliRunner().invoke(app, ["config", "show"], env={"TITLEDEED_PASSPHRASE": "hunter2"})
    assert done.exit_code == 0
    assert "TITLEDEED_CHAIN__RPC_TIMEOUT_S" in done.stdout
    assert "not set" in done.stdout
    assert "hunter2" not in done.stdout
