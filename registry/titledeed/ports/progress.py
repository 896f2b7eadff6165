"""Time, progress, and where decoded media go."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt


class Progress(Protocol):
    """Told how far long work has got; may be called from any thread, must not raise."""

    def __call__(self, label: str, fraction: float) -> None:
        """``fraction`` of the step named ``label`` is done, 0 to 1."""
        ...


def no_progress(label: str, fraction: float) -> None:
    """Tell nobody."""


class Clock(Protocol):
    """The wall clock."""

    def __call__(self) -> int:
        """Seconds since 1970, UTC."""
        ...


class FrameSink(Protocol):
    """Takes the sampled frames of one decode pass."""

    def add_frame(self, time_s: float, luma: npt.NDArray[np.uint8]) -> None:
        """One frame: seconds from the start and the luma plane, shape (height, width).

        The array may be reused after the call.
        """
        ...


class SampleSink(Protocol):
    """Takes the sound of one decode pass."""

    def add_samples(self, samples: npt.NDArray[np.float32]) -> None:
        """The next run of mono samples, shape (n,), -1 to 1, at ``media``'s sample rate."""
        ...
