"""Compile the contracts through py-solc-x and write their artifacts.

``contracts/artifacts`` gets everything needed to reproduce the bytecode; the package gets what a
client needs. ``--check`` writes nothing and fails where the committed files differ.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

import solcx
from generated_files import write_or_check

from titledeed.canonical.hashing import keccak256
from titledeed.chain.compiler import SOLC_VERSION, find_compiler
from titledeed.errors import ToolMissingError

CHECKOUT: Final = Path(__file__).resolve().parent.parent
CONTRACTS: Final = CHECKOUT / "contracts"
SOURCE: Final = "src/TitleDeed.sol"
NAME: Final = "TitleDeed"
FULL_ARTIFACT: Final = CONTRACTS / "artifacts" / f"{NAME}.json"
PACKAGE_ARTIFACT: Final = CHECKOUT / "registry/titledeed/chain/artifacts" / f"{NAME}.json"

Document = dict[str, Any]


def standard_input() -> Document:
    """The compiler's standard-JSON input; its settings are those of ``foundry.toml``."""
    sources = sorted(CONTRACTS.glob("src/**/*.sol"))
    return {
        "language": "Solidity",
        "sources": {
            path.relative_to(CONTRACTS).as_posix(): {"content": path.read_text(encoding="utf-8")}
            for path in sources
        },
        "settings": {
            "evmVersion": "osaka",
            "viaIR": True,
            "optimizer": {"enabled": True, "runs": 200},
            "metadata": {"bytecodeHash": "none", "appendCBOR": False},
            "outputSelection": {
                SOURCE: {NAME: ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]}
            },
        },
    }


def compile_artifacts(compiler: Path) -> dict[Path, str]:
    """Both artifact files and what belongs in them."""
    source = standard_input()
    output = solcx.compile_standard(source, solc_binary=compiler)
    contract = output["contracts"][SOURCE][NAME]
    runtime = contract["evm"]["deployedBytecode"]["object"]
    package: Document = {
        "abi": contract["abi"],
        "bytecode": "0x" + contract["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + runtime,
        "deployedBytecodeHash": "0x" + keccak256(bytes.fromhex(runtime)).hex(),
    }
    full = package | {"compiler": SOLC_VERSION, "input": source}
    return {FULL_ARTIFACT: _render(full), PACKAGE_ARTIFACT: _render(package)}


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
