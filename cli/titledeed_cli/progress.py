"""How far long work has got: bars on a terminal, one line a finished step elsewhere."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Final

from titledeed_cli.output import Output, sanitize

if TYPE_CHECKING:
    # All of this is too slow for a command that only prints its help.
    from rich.progress import Progress, TaskID

    from titledeed.ports import Progress as ProgressReport

BARS_MAX: Final = 6
"""A folder of 10,000 files must not fill the screen."""

STEP_LENGTH_MAX: Final = 48


@contextmanager
def show_progress(output: Output) -> Iterator[ProgressReport]:
    """What services report to while they work; leaves a terminal as it was."""
    if output.quiet:
        yield _tell_nobody
    elif output.notes.is_terminal:
        with _make_bars(output) as bars:
            yield _Bars(bars)
    else:
        yield _Lines(output)


def _make_bars(output: Output) -> Progress:
    from rich import progress

    return progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TimeElapsedColumn(),
        console=output.notes,
        transient=True,
    )


def _tell_nobody(label: str, fraction: float) -> None:
    pass


class _Bars:
    """One bar a label; the oldest give way to new ones."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: OrderedDict[str, TaskID] = OrderedDict()
        self._lock = Lock()

    def __call__(self, label: str, fraction: float) -> None:
        with self._lock:
            task = self._tasks.get(label)
            if task is None:
                task = self._tasks[label] = self._bars.add_task(_shorten(label), total=1.0)
                if len(self._tasks) > BARS_MAX:
                    self._bars.remove_task(self._tasks.popitem(last=False)[1])
            self._bars.update(task, completed=fraction)


class _Lines:
    """One line for each step that is done."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._done: set[str] = set()
        self._lock = Lock()

    def __call__(self, label: str, fraction: float) -> None:
        with self._lock:
            if fraction < 1.0:
                # Two files of one name in different folders are two steps.
                self._done.discard(label)
            elif label not in self._done:
                self._done.add(label)
                self._output.note(f"done: {label}")


def _shorten(label: str) -> str:
    text = sanitize(label)
    return text if len(text) <= STEP_LENGTH_MAX else f"{text[: STEP_LENGTH_MAX - 1]}…"
