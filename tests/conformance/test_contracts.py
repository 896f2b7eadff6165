"""The contracts: their own tests, and the artifacts that the client ships."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from compile_contracts import ARTIFACT, CHECKOUT, CONTRACTS

from titledeed.chain.compiler import find_compiler

pytestmark = pytest.mark.compiler

CI_RUNS: Final = {"FOUNDRY_FUZZ_RUNS": "10000", "FOUNDRY_INVARIANT_RUNS": "256"}


def _forge(*arguments: str, out: Path) -> str:
    is_ci = os.environ.get("CI") == "true"
    done = subprocess.run(
        ["forge", *arguments, "--offline", "--use", str(find_compiler(CHECKOUT))],
        cwd=CONTRACTS,
        env=os.environ
        | (CI_RUNS if is_ci else {})
        | {"FOUNDRY_OUT": str(out / "out"), "FOUNDRY_CACHE_PATH": str(out / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-4_000:]
    return done.stdout


@pytest.mark.timeout(1_200)
def test_contract_tests_pass(tmp_path: Path) -> None:
    assert "0 failed, 0 skipped" in _forge("test", out=tmp_path)


@pytest.mark.timeout(300)
def test_forge_and_the_artifact_agree(tmp_path: Path) -> None:
    _forge("build", "src", out=tmp_path)
    built = json.loads((tmp_path / "out/TitleDeed.sol/TitleDeed.json").read_text())
    shipped = json.loads(ARTIFACT.read_text())
    assert built["bytecode"]["object"] == shipped["bytecode"]
    assert built["deployedBytecode"]["object"] == shipped["deployedBytecode"]
    assert not built["deployedBytecode"].get("immutableReferences")


@pytest.mark.timeout(300)
def test_artifacts_are_what_the_sources_compile_to() -> None:
    script = CHECKOUT / "scripts" / "compile_contracts.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_contracts_are_formatted() -> None:
    done = subprocess.run(
        ["forge", "fmt", "--check"], cwd=CONTRACTS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
