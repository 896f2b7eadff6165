"""Which works are worth a closer look, from the hits of all of them.

Hits of one copy lie near one line of seconds, accidental ones lie anywhere. So each work counts the
moments of the query that agree on one coarse offset, each by its closest hit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

COARSE_OFFSET_BIN_S: Final = 2.0
"""Wide enough that a clip of 15 s stays in one bin at 1.1 times its speed; bins overlap by half."""

STANDS_OUT: Final = 1.7
"""Times the votes of the crowd. Among 24,800 works, of 309 heavily edited copies one had less by
both look-ups and was not among the first four of either; strangers kept six works of 48."""

FIRST_COMPARED: Final = 4
BATCH_SIZE: Final = 8

Column = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Votes = Mapping[int, float]
"""By owner, most first."""


def rank_owners(
    owners: Column, query_s: Floats, work_s: Floats, weight: Floats, *, count: int
) -> Votes:
    """The owners with most agreement, best first.

    Args:
        owners: of each hit, shape (n,).
        query_s: its second of the query.
        work_s: its second of the work.
        weight: closeness, above 0.
        count: so many at most.
    """
    if not len(owners):
        return {}
    half = np.floor((work_s - query_s) / (COARSE_OFFSET_BIN_S / 2)).astype(np.int64)
    low = int(half.min()) - 1
    width = int(half.max()) - low + 1
    _, moments = np.unique(query_s, return_inverse=True)
    span = int(moments.max()) + 1
    slots = np.concatenate([owners * width + half - low, owners * width + half - low - 1])
    # The closest hit of each slot and moment comes first, and alone counts.
    order = np.argsort(-np.tile(weight, 2), kind="stable")
    _, first = np.unique((slots * span + np.tile(moments, 2))[order], return_index=True)
    chosen = order[first]
    filled, inverse = np.unique(slots[chosen], return_inverse=True)
    return take_best(filled // width, np.bincount(inverse, np.tile(weight, 2)[chosen]), count)


def take_best(owners: Column, votes: Floats | Column, count: int) -> Votes:
    """So many owners with most votes, each by its best entry.

    Args:
        owners: of each entry, shape (n,).
        votes: shape (n,).
        count: so many at most.
    """
    ranked = np.argsort(-votes, kind="stable")
    best: dict[int, float] = {}
    for owner, its_votes in zip(owners[ranked].tolist(), votes[ranked].tolist(), strict=True):
        if len(best) == count:
            break
        best.setdefault(owner, its_votes)
    return best


def compare_with_crowd(votes: Votes) -> Votes:
    """How far each stands out: its votes per vote of the last, which is there by accident.

    The first few count as standing out, however close the others are.
    """
    crowd = min(votes.values(), default=0.0)
    return {
        owner: max(its_votes / crowd, STANDS_OUT if row < FIRST_COMPARED else 0.0)
        for row, (owner, its_votes) in enumerate(votes.items())
    }


def split_batches(standings: Iterable[Votes]) -> list[list[int]]:
    """Owners in the order in which they are compared: those that stand out, then some at a time.

    Args:
        standings: by ``compare_with_crowd``, of each look-up.
    """
    best: dict[int, float] = {}
    for standing in standings:
        for owner, share in standing.items():
            best[owner] = max(share, best.get(owner, 0.0))
    ranked = sorted(best, key=lambda owner: -best[owner])
    first = sum(share >= STANDS_OUT for share in best.values())
    rest = range(first, len(ranked), BATCH_SIZE)
    batches = [ranked[:first], *(ranked[start : start + BATCH_SIZE] for start in rest)]
    return [batch for batch in batches if batch]
