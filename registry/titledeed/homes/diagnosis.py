"""What ``titledeed doctor`` tells: what is here, what is missing, and how to get it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from titledeed.chain.compiler import SOLC_VERSION, find_compiler
from titledeed.chain.development.anvil import find_anvil
from titledeed.chain.pin import read_pin
from titledeed.errors import TitledeedError, ToolMissingError
from titledeed.homes.layout import HomeLayout
from titledeed.sandbox import network_isolated

REGISTERING: Final = "registering and verifying"
DEVELOPING: Final = "developing Titledeed"
HARDENING: Final = "decoding hostile media more safely"
READING: Final = "titles in every script, in pages and pictures of them"
BASIC_USE: Final = frozenset({REGISTERING})

FREE_BYTES_MIN: Final = 1024**3
_FONT_FOLDERS: Final = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.fonts",
    "~/.local/share/fonts",
)
_FONT_SUFFIXES: Final = (".ttf", ".otf", ".ttc")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that is needed for something.

    Attributes:
        needed_for: one of the purposes above.
        found: where it is or in what state.
        next_step: how to get it; empty where it is fine.
    """

    name: str
    ok: bool
    needed_for: str
    found: str
    next_step: str


def diagnose(home: Path) -> list[Diagnosis]:
    """Look at this machine and this home; changes nothing."""
    return list(_diagnose(HomeLayout(home)))


def _diagnose(layout: HomeLayout) -> Iterator[Diagnosis]:
    yield _home(layout)
    yield _tool("anvil", REGISTERING, find_anvil)
    yield _disk(layout.root)
    yield _isolation()
    yield _tool(f"solc {SOLC_VERSION}", DEVELOPING, lambda: find_compiler(_checkout()))
    yield _program("chromium", DEVELOPING, "apt-get install chromium")
    yield _fonts()


def _home(layout: HomeLayout) -> Diagnosis:
    try:
        identity = read_pin(layout.chain).identity
    except TitledeedError as error:
        return _missing("home", REGISTERING, error.message, "Run `titledeed init`.")
    found = f"{layout.root}, on {identity.kind.value} chain {identity.chain_id}"
    return _present("home", REGISTERING, found)


def _tool(name: str, needed_for: str, find: Callable[[], Path]) -> Diagnosis:
    try:
        return _present(name, needed_for, str(find()))
    except ToolMissingError as error:
        return _missing(name, needed_for, error.message, error.next_step)


def _program(name: str, needed_for: str, how: str) -> Diagnosis:
    path = shutil.which(name)
    if path is None:
        return _missing(name, needed_for, "not on PATH", how)
    return _present(name, needed_for, path)


def _disk(root: Path) -> Diagnosis:
    existing = next(folder for folder in (root, *root.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    found = f"{free // 1024**2} MiB free at {existing}"
    if free >= FREE_BYTES_MIN and os.access(existing, os.W_OK):
        return _present("disk", REGISTERING, found)
    return _missing("disk", REGISTERING, found, "Free some space, or move TITLEDEED_HOME.")


def _isolation() -> Diagnosis:
    name = "network isolation of decoders"
    if network_isolated():
        return _present(name, HARDENING, "own network namespace")
    return _missing(name, HARDENING, "the kernel refuses it", "Allow unprivileged user namespaces.")


def _fonts() -> Diagnosis:
    folders = [Path(folder).expanduser() for folder in _FONT_FOLDERS]
    count = sum(
        1 for folder in folders for path in folder.rglob("*") if path.suffix in _FONT_SUFFIXES
    )
    if count:
        return _present("fonts", READING, f"{count} files")
    return _missing("fonts", READING, "none", "apt-get install fonts-noto-cjk")


def _checkout() -> Path:
    # registry/titledeed/services/diagnosis.py; in an installed package there is no such folder.
    return Path(__file__).resolve().parents[3]


def _present(name: str, needed_for: str, found: str) -> Diagnosis:
    return Diagnosis(name, ok=True, needed_for=needed_for, found=found, next_step="")


def _missing(name: str, needed_for: str, found: str, next_step: str) -> Diagnosis:
    return Diagnosis(name, ok=False, needed_for=needed_for, found=found, next_step=next_step)
