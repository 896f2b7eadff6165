"""Looking at a file once."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from titledeed.models.examination import Examination
from titledeed.ports.progress import Progress, no_progress


class Examiner(Protocol):
    """Examines files of strangers. Thread-safe."""

    def examine(self, path: Path, progress: Progress = no_progress) -> Examination:
        """Decode and fingerprint one file in one pass.

        Raises:
            InputError: the file is unreadable, unsupported, malformed or too large.
        """
        ...
