"""Finding anvil and the compiler, and the file that pins a chain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import address_from_bytes
from titledeed.chain.compiler import SOLC_VERSION, find_compiler
from titledeed.chain.development.anvil import find_anvil
from titledeed.chain.pin import PIN_NAME, ChainPin, Genesis, read_pin, write_pin
from titledeed.errors import (
    HomeNotInitializedError,
    MalformedDocumentError,
    StorageError,
    ToolMissingError,
)
from titledeed.models.evidence import ChainIdentity, ChainKind
from titledeed.models.primitives import BlockHash

ADDRESS = address_from_bytes(b"\x5a" * 20)
PUBLIC = ChainPin(
    ChainIdentity(ChainKind.PUBLIC, 11155111, BlockHash(keccak256(b"genesis")), ADDRESS),
    keccak256(b"code"),
)
OWN = replace(
    PUBLIC,
    genesis=Genesis(1_790_000_000, ADDRESS, (ADDRESS,), b"\x02" * 3_000),
    anvil="anvil/v1.7.1",
)


def _program(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing but a shell on it."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("SOLCX_BINARY_PATH", str(tmp_path / "solcx"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_program_behind_the_npm_script_is_found(tmp_path: Path) -> None:
    modules = tmp_path / "node_modules"
    script = _program(modules / "@foundry-rs/anvil/bin.mjs")
    program = _program(modules / "@foundry-rs/anvil-linux-amd64/bin/anvil")
    (modules / ".bin").mkdir()
    (modules / ".bin/anvil").symlink_to(script)
    assert find_anvil(modules / ".bin/anvil") == program


def test_anvil_on_path_is_found(elsewhere: Path) -> None:
    assert find_anvil() != (program := _program(elsewhere / "bin/anvil"))
    assert find_anvil() == program


def test_file_that_cannot_run_is_not_anvil(tmp_path: Path) -> None:
    (tmp_path / "anvil").write_text("")
    with pytest.raises(ToolMissingError, match="is not anvil"):
        find_anvil(tmp_path / "anvil")


def test_compiler_of_another_version_is_passed_over(elsewhere: Path) -> None:
    _program(elsewhere / "bin/solc", 'echo "Version: 0.8.30+commit.x"')
    with pytest.raises(ToolMissingError, match=SOLC_VERSION) as caught:
        find_compiler(elsewhere)
    assert "npm ci" in caught.value.next_step


def test_compilers_are_taken_in_order(elsewhere: Path) -> None:
    answer = f'echo "Version: {SOLC_VERSION}+commit.x"'
    _program(elsewhere / "bin/node")
    npm = _program(elsewhere / "contracts/solcjs", answer)
    assert find_compiler(elsewhere) == npm
    on_path = _program(elsewhere / "bin/solc", answer)
    assert find_compiler(elsewhere) == on_path
    installed = _program(elsewhere / "solcx" / f"solc-v{SOLC_VERSION}", answer)
    assert find_compiler(elsewhere) == installed


@pytest.mark.parametrize("pin", [PUBLIC, OWN])
def test_pin_comes_back_whole(tmp_path: Path, pin: ChainPin) -> None:
    write_pin(tmp_path / "chain", pin)
    assert read_pin(tmp_path / "chain") == pin


def test_missing_pin_is_told(tmp_path: Path) -> None:
    with pytest.raises(HomeNotInitializedError):
        read_pin(tmp_path)


def test_unreadable_pin_is_told(tmp_path: Path) -> None:
    (tmp_path / PIN_NAME).mkdir()
    with pytest.raises(StorageError):
        read_pin(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("titledeed.chain/1", "titledeed.chain/9"),
        ("public", "trusted"),
        ('"chain_id":11155111', '"chain_id":0'),
        ("{", ""),
        ('"kind"', '"unknown":1,"kind"'),
    ],
)
def test_damaged_pin_is_refused(tmp_path: Path, old: str, new: str) -> None:
    write_pin(tmp_path, PUBLIC)
    path = tmp_path / PIN_NAME
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(MalformedDocumentError):
        read_pin(tmp_path)
