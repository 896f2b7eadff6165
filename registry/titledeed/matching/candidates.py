"""Which works are worth a closer look, from the hits of all of them.

Hits of one copy lie near one line of seconds, accidental ones lie anywhere. So each work counts the
moments of the query that agree on one coarse offset, each by its closest hit.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

OFFSET_BIN_S: Final = 2.0
"""Wide enough that a clip of 15 s stays in one bin at 1.1 times its speed; bins overlap by half."""

Column = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def rank_owners(
    owners: Column, query_s: Floats, work_s: Floats, weight: Floats, *, count: int
) -> list[int]:
    """The owners with most agreement, best first.

    Args:
        owners: of each hit, shape (n,).
        query_s: its second of the query.
        work_s: its second of the work.
        weight: closeness, above 0.
        count: so many at most.
    """
    if not len(owners):
        return []
    half = np.floor((work_s - query_s) / (OFFSET_BIN_S / 2)).astype(np.int64)
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
    votes = np.bincount(inverse, np.tile(weight, 2)[chosen])
    ranked = np.argsort(-votes, kind="stable")
    return list(dict.fromkeys((filled[ranked] // width).tolist()))[:count]
