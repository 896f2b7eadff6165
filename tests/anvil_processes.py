"""The anvil processes that a process started."""

from __future__ import annotations

import time
from pathlib import Path

_PATIENCE_S = 60


def anvils_of(pid: int) -> list[int]:
    """Those that run now; none if the process itself is gone."""
    children: list[str] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        children += _read(task).split()
    return [int(child) for child in children if _read(f"/proc/{child}/comm").strip() == "anvil"]


def await_end(pid: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while _read(f"/proc/{pid}/comm"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _read(path: Path | str) -> str:
    """Processes may end at any time, and then their files are gone."""
    try:
        return Path(path).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
