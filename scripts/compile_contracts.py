"""Compile the contracts through py-solc-x and write what the package ships of them.

``TitleDeed.json`` is what every start reads. ``TitleDeed.verification.json`` holds all that an
explorer needs to compile the same bytes again, in the form of Sourcify's API (v2). ``--check``
writes nothing and fails where the committed files differ.
"""

from __future__ import annotations

import argparse
import json
import posixpath
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import solcx
from generated_files import write_or_check

from titledeed.canonical.hashing import keccak256
from titledeed.chain.compiler import find_compiler
from titledeed.errors import ToolMissingError

CHECKOUT: Final = Path(__file__).resolve().parent.parent
CONTRACTS: Final = CHECKOUT / "contracts"
SOURCE: Final = "src/TitleDeed.sol"
NAME: Final = "TitleDeed"
ARTIFACTS: Final = CHECKOUT / "registry/titledeed/proofs/artifacts"
ARTIFACT: Final = ARTIFACTS / f"{NAME}.json"
VERIFICATION: Final = ARTIFACTS / f"{NAME}.verification.json"

_PACKAGES: Final = "@openzeppelin/"
_IMPORT: Final = re.compile(r'^import [^;"]*"([^"]+)";', re.MULTILINE)
_VERSION: Final = re.compile(r"Version: (\S+\+commit\.[0-9a-f]{8})")

Document = dict[str, Any]


def standard_input() -> Document:
    """The compiler's standard-JSON input; its settings are those of ``foundry.toml``."""
    return {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sorted(_reachable(SOURCE))},
        "settings": {
            "evmVersion": "osaka",
            "viaIR": True,
            "optimizer": {"enabled": True, "runs": 1_000},
            "metadata": {"bytecodeHash": "none", "appendCBOR": False},
            "outputSelection": {
                SOURCE: {NAME: ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]}
            },
        },
    }


def _reachable(start: str) -> Iterator[tuple[str, str]]:
    """Names and texts of a source and of all that it imports."""
    seen, waiting = {start}, [start]
    while waiting:
        name = waiting.pop()
        folder = CHECKOUT / "node_modules" if name.startswith(_PACKAGES) else CONTRACTS
        text = (folder / name).read_text(encoding="utf-8")
        yield name, text
        for target in _IMPORT.findall(text):
            imported = target
            if target.startswith("."):
                imported = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
            if imported not in seen:
                seen.add(imported)
                waiting.append(imported)


def compile_artifacts(compiler: Path) -> dict[Path, str]:
    """Both files and what belongs in them."""
    source = standard_input()
    output = solcx.compile_standard(source, solc_binary=compiler)
    contract = output["contracts"][SOURCE][NAME]
    runtime = contract["evm"]["deployedBytecode"]["object"]
    artifact: Document = {
        "abi": contract["abi"],
        "bytecode": "0x" + contract["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + runtime,
        "deployedBytecodeHash": "0x" + keccak256(bytes.fromhex(runtime)).hex(),
    }
    verification: Document = {
        "compilerVersion": _full_version(compiler),
        "contractIdentifier": f"{SOURCE}:{NAME}",
        "stdJsonInput": source,
    }
    return {ARTIFACT: _render(artifact), VERIFICATION: _render(verification)}


def _full_version(compiler: Path) -> str:
    """Version and commit, as explorers name compilers."""
    done = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True)
    found = _VERSION.search(done.stdout)
    if found is None:
        raise ToolMissingError(f"{compiler} does not tell its version")
    return found[1]


def _render(document: Document) -> str:
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    try:
        artifacts = compile_artifacts(find_compiler(CHECKOUT))
    except ToolMissingError as error:
        print(f"{error.message}. {error.next_step}", file=sys.stderr)
        return 3
    return write_or_check(artifacts, check=check)


if __name__ == "__main__":
    sys.exit(main())
