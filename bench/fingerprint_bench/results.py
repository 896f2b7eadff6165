"""What one bench run is made of: queries in, trials out, and the open-set rates read from them.

Ours and the peers run through the same loop over the same files. A hit counts only if the right
work is first and its score beats the threshold; the threshold is the loosest one at which at most
one in a thousand distractor queries (unregistered files through the same edits) finds anything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from titledeed.models.match import Query as SearchQuery
from titledeed.models.match import Segment

FALSE_ACCEPT_SHARE_MAX: Final = 0.001
"""Of distractor queries; the goal of the table."""

RELATED: Final = ("ai_fooocus__", "intel__", "mdn__")
"""Collections whose files show one prompt and seed, one room or one table; what they share may be
told."""


class Medium(StrEnum):
    """What is compared with its like."""

    PICTURES = "pictures"
    VIDEO = "video"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Query:
    """One edited file to search with.

    Attributes:
        path: the edited file; its name is unique within the run.
        edit: name of the edit, for example ``hflip``.
        source: file name of the media that was edited.
        is_registered: whether that file is among the registered works; else it is a distractor.
        truth: where the source lies in the query; None for pictures and for still footage.
    """

    path: Path
    edit: str
    source: str
    is_registered: bool
    truth: Segment | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """First rank of one search.

    Attributes:
        work: file name of the best work; empty when nothing was found.
        score: higher is surer; only its order counts.
        segment: where it lies; None where the contestant cannot tell.
    """

    work: str = ""
    score: float = -math.inf
    segment: Segment | None = None


def split_media(files: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Works to register, and strangers that stay unregistered: about half each, by name.

    What may show the same stays on one side.
    """
    families: dict[str, list[Path]] = {}
    for file in sorted(files):
        families.setdefault(name_side(file), []).append(file)
    halves: tuple[list[Path], list[Path]] = ([], [])
    for family in families.values():
        min(halves, key=len).extend(family)
    return halves


def name_family(file: Path) -> str:
    """The same for files that show the same: ``rabbit`` and ``rabbit320``."""
    return re.sub(r"(?<=[a-z])\d+", "", file.stem)


def name_side(file: Path) -> str:
    """The same for files that may have something in common, and are no strangers to each other."""
    collection = next((name for name in RELATED if file.stem.startswith(name)), "")
    return collection or name_family(file)


class Contestant(Protocol):
    """One method of finding works, ours or a peer's, in one medium."""

    @property
    def name(self) -> str:
        """As the table shows it."""
        ...

    def register(self, work: Path) -> None:
        """Add a work."""
        ...

    def search(self, query: Path) -> Answer:
        """The best registered work for a file."""
        ...


class Examiner(Protocol):
    """Our matcher of one medium without its thresholds, for calibration.

    Attributes:
        floors: the least evidence above 0 that is ever told, by kind of evidence.
    """

    floors: Mapping[str, float]

    def register(self, work: Path) -> None:
        """Add a work."""
        ...

    def examine(self, query: SearchQuery) -> Mapping[str, float]:
        """The strongest evidence that any work gives, by kind; 0 or left out for none."""
        ...


@dataclass(frozen=True, slots=True)
class Trial:
    """One query answered by one contestant.

    Attributes:
        start_error_s, end_error_s: distance of the segment's ends in the work from the truth;
            None where either is unknown or the work is wrong.
    """

    contestant: str
    edit: str
    source: str
    is_registered: bool
    is_right: bool
    score: float
    start_error_s: float | None = None
    end_error_s: float | None = None


def run_contest(
    contestant: Contestant, works: Iterable[Path], queries: Iterable[Query]
) -> Iterator[Trial]:
    """Register all works, then answer the queries one by one."""
    for work in works:
        contestant.register(work)
    for query in queries:
        yield judge(contestant.name, query, contestant.search(query.path))


def judge(contestant: str, query: Query, answer: Answer) -> Trial:
    """Compare an answer with the truth."""
    is_right = query.is_registered and answer.work == query.source
    start_s = end_s = None
    if is_right and query.truth is not None and answer.segment is not None:
        start_s = abs(answer.segment.work.start_s - query.truth.work.start_s)
        end_s = abs(answer.segment.work.end_s - query.truth.work.end_s)
    return Trial(
        contestant=contestant,
        edit=query.edit,
        source=query.source,
        is_registered=query.is_registered,
        is_right=is_right,
        score=answer.score,
        start_error_s=start_s,
        end_error_s=end_s,
    )


@dataclass(frozen=True, slots=True)
class Latency:
    """What a query and an addition cost at one size of the registry.

    Attributes:
        codes: frame codes registered, with their region codes and local features on top.
        p50_ms, p99_ms: of the query of a 15-second clip, all stages.
        add_ms: to add one minute of video.
        open_s: to open the index.
    """

    codes: int
    p50_ms: float
    p99_ms: float
    add_ms: float
    open_s: float


def loosest_threshold(scores: Sequence[float], share_max: float = FALSE_ACCEPT_SHARE_MAX) -> float:
    """Scores above it are accepted: at most ``share_max`` of the distractors' scores are.

    Args:
        scores: of the distractor queries; minus infinity where nothing was found.
        share_max: of these queries.
    """
    allowed = int(len(scores) * share_max)
    falling = sorted(scores, reverse=True)
    return falling[allowed] if allowed < len(falling) else -math.inf


@dataclass(frozen=True, slots=True)
class Recall:
    """Recall at rank 1 and at the threshold, by edit.

    Attributes:
        by_edit: in the order in which the edits first came.
        threshold: scores above it were accepted.
        distractor_queries: how many, and
        false_accepts: how many of them found something.
    """

    by_edit: dict[str, float]
    threshold: float
    distractor_queries: int
    false_accepts: int

    @property
    def mean(self) -> float:
        """Mean over the edits."""
        return sum(self.by_edit.values()) / len(self.by_edit)

    @property
    def worst(self) -> tuple[str, float]:
        """The edit with the least recall."""
        return min(self.by_edit.items(), key=lambda item: item[1])


def measure_recall(trials: Sequence[Trial], share_max: float = FALSE_ACCEPT_SHARE_MAX) -> Recall:
    """Recall of one contestant's trials.

    Args:
        trials: of one contestant, with at least one query of a registered work.
        share_max: of the distractor queries that may find something.
    """
    strangers = [trial.score for trial in trials if not trial.is_registered]
    threshold = loosest_threshold(strangers, share_max)
    hits: dict[str, list[bool]] = {}
    for trial in trials:
        if trial.is_registered:
            hits.setdefault(trial.edit, []).append(trial.is_right and trial.score > threshold)
    return Recall(
        by_edit={edit: sum(found) / len(found) for edit, found in hits.items()},
        threshold=threshold,
        distractor_queries=len(strangers),
        false_accepts=sum(score > threshold for score in strangers),
    )


def trade_recall(trials: Sequence[Trial]) -> list[tuple[float, float]]:
    """Share of distractor queries accepted and mean recall, for each threshold that matters."""
    strangers = sum(not trial.is_registered for trial in trials)
    shares = [count / strangers for count in range(strangers)] if strangers else []
    return [(share, measure_recall(trials, share).mean) for share in shares]
