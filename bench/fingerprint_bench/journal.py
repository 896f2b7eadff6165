"""Results kept on disk one by one, so that a long run can be interrupted and resumed.

A journal belongs to one state of the code: its file name holds a digest of the sources that decide
the results, and changed code starts a new one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


class Journal:
    """Records by key, as lines of JSON."""

    def __init__(self, folder: Path, name: str, *, sources: Iterable[Path]) -> None:
        """Read what an earlier run left.

        Args:
            folder: made if it is missing.
            name: of the experiment.
            sources: modules, and folders of modules, that decide the results.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{name}-{digest_sources(sources)}.jsonl"
        self._records: dict[str, dict[str, Any]] = {}
        if self._path.is_file():
            # A run that was killed may have left half a line.
            whole, _, _ = self._path.read_text(encoding="utf-8").rpartition("\n")
            self._records = dict(json.loads(line) for line in whole.splitlines())
            self._path.write_text(whole and whole + "\n", encoding="utf-8")

    def __contains__(self, key: str) -> bool:
        return key in self._records

    def __getitem__(self, key: str) -> dict[str, Any]:
        return self._records[key]

    def add(self, key: str, record: Mapping[str, object]) -> None:
        """Keep a record, on disk at once."""
        self._records[key] = dict(record)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([key, record]) + "\n")


def digest_sources(sources: Iterable[Path]) -> str:
    """Twelve hex digits that change with any of the modules."""
    digest = hashlib.sha256()
    for source in sources:
        for module in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            digest.update(module.read_bytes())
    return digest.hexdigest()[:12]
