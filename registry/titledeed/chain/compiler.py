"""Finds the one Solidity compiler version that the contracts are pinned to. Downloads nothing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from titledeed.errors import ToolMissingError

SOLC_VERSION: Final = "0.8.37"
_VERSION_TIMEOUT_S: Final = 60


def find_compiler(checkout: Path) -> Path:
    """A program that compiles with ``--standard-json``.

    Looks at py-solc-x's own install, then at ``solc`` on PATH, then at the npm package ``solc``
    behind ``contracts/solcjs`` of the checkout.

    Args:
        checkout: the working copy; its parents are searched for ``node_modules`` as Node does.

    Raises:
        ToolMissingError: none of them is there in the pinned version.
    """
    for candidate in _candidates(checkout):
        if _version_of(candidate) == SOLC_VERSION:
            return candidate
    raise ToolMissingError(
        f"no Solidity compiler {SOLC_VERSION} is installed",
        next_step="Run npm ci --ignore-scripts in the checkout. Only changed contracts need it.",
        tool="solc",
    )


def _candidates(checkout: Path) -> Iterator[Path]:
    import solcx.install
    from solcx.exceptions import SolcNotInstalled

    # py-solc-x may hold none, or be unable to make a folder of its own.
    with suppress(SolcNotInstalled, OSError):
        yield solcx.install.get_executable(SOLC_VERSION)
    if on_path := shutil.which("solc"):
        yield Path(on_path)
    wrapper = checkout / "contracts" / "solcjs"
    if wrapper.is_file() and shutil.which("node"):
        yield wrapper


def _version_of(compiler: Path) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603 - a compiler that the developer installed
            [compiler, "--version"],
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    _, _, version = answer.stdout.partition("Version: ")
    return version.partition("+")[0].strip() or None
