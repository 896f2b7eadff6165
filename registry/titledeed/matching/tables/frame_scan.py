"""The exact linear scan: every code against every code. The oracle for any faster search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.base import Codes

PAIRS_AT_ONCE = 1 << 17
"""Pairs compared at once: two megabytes of scratch, which a processor cache holds."""

CORPUS_ROWS_MAX = 1 << 13

HITS_MAX = 1 << 22
"""Pairs kept per scan, the closest; only still footage that both sides repeat comes near it."""


@dataclass(frozen=True, slots=True)
class CodePairs:
    """Pairs of codes that are close: row of the query, row of the corpus, bits apart."""

    query: npt.NDArray[np.int64]
    corpus: npt.NDArray[np.int64]
    distance: npt.NDArray[np.uint16]

    def take(self, selection: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> CodePairs:
        """The selected hits, in the order of the selection."""
        return CodePairs(self.query[selection], self.corpus[selection], self.distance[selection])


def scan_frames(
    query: Codes,
    corpus: Codes,
    *,
    distance_max: int,
    pairs_at_once: int = PAIRS_AT_ONCE,
    corpus_rows_max: int = CORPUS_ROWS_MAX,
    hits_max: int = HITS_MAX,
) -> CodePairs:
    """All pairs at most ``distance_max`` bits apart, by query row, then corpus row.

    Args:
        query: shape (n, bytes), bytes a multiple of 8.
        corpus: shape (m, bytes).
        distance_max: in bits.
        pairs_at_once: so many are compared at once.
        corpus_rows_max: of so many rows of the corpus at most.
        hits_max: so many are kept, the closest.
    """
    query_words, corpus_words = _words(query), _words(corpus)
    found: list[CodePairs] = []
    kept = 0
    for column in range(0, len(corpus), corpus_rows_max):
        block = corpus_words[:, column : column + corpus_rows_max]
        height = max(1, pairs_at_once // max(1, block.shape[1]))
        for row in range(0, len(query), height):
            hits = _scan_block(query_words[:, row : row + height], block, distance_max)
            if len(hits.query):
                found.append(CodePairs(hits.query + row, hits.corpus + column, hits.distance))
                kept += len(hits.query)
            if kept > 2 * hits_max:
                found = [_closest(join_pairs(found), hits_max)]
                kept = hits_max
    hits = _closest(join_pairs(found), hits_max)
    return hits.take(np.lexsort((hits.corpus, hits.query)))


def _words(codes: Codes) -> npt.NDArray[np.uint64]:
    return np.ascontiguousarray(np.ascontiguousarray(codes).view(np.uint64).T)


def _scan_block(
    query: npt.NDArray[np.uint64], corpus: npt.NDArray[np.uint64], distance_max: int
) -> CodePairs:
    distance = np.zeros((query.shape[1], corpus.shape[1]), np.uint16)
    for query_word, corpus_word in zip(query, corpus, strict=True):
        distance += np.bitwise_count(query_word[:, np.newaxis] ^ corpus_word)
    rows, columns = np.nonzero(distance <= distance_max)
    return CodePairs(rows, columns, distance[rows, columns])


def join_pairs(parts: Sequence[CodePairs]) -> CodePairs:
    """All hits, part after part; there may be no part."""
    empty = CodePairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint16))
    return CodePairs(
        np.concatenate([empty.query, *(part.query for part in parts)]),
        np.concatenate([empty.corpus, *(part.corpus for part in parts)]),
        np.concatenate([empty.distance, *(part.distance for part in parts)]),
    )


def _closest(hits: CodePairs, hits_max: int) -> CodePairs:
    if len(hits.query) <= hits_max:
        return hits
    return hits.take(np.argsort(hits.distance, kind="stable")[:hits_max])
