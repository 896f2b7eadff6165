"""The table of fingerprint algorithms: a new one is a class and a line here."""

from __future__ import annotations

from typing import Final

from titledeed.errors import InvariantViolation
from titledeed.fingerprinting.base import FingerprintAlgorithm
from titledeed.fingerprinting.image_pdq import ImagePdq
from titledeed.fingerprinting.image_phash import ImagePhash
from titledeed.fingerprinting.video_dct import VideoDct
from titledeed.models.asset import MediaKind
from titledeed.models.fingerprint import FingerprintCode

SAMPLE_ROWS_MAX: Final = 256
"""Rows that stand for a long time line where there is no room for all of it."""

ALGORITHMS: Final[tuple[FingerprintAlgorithm, ...]] = (ImagePhash(), ImagePdq(), VideoDct())


def algorithms_for(kind: MediaKind) -> tuple[FingerprintAlgorithm, ...]:
    """The algorithms that read media of this kind; none for sound yet."""
    return tuple(algorithm for algorithm in ALGORITHMS if kind in algorithm.kinds)


def find_algorithm(algorithm_id: str, version: int) -> FingerprintAlgorithm | None:
    """The algorithm that made a code, or None when this release does not know it."""
    for algorithm in ALGORITHMS:
        if (algorithm.id, algorithm.version) == (algorithm_id, version):
            return algorithm
    return None


def sample_rows(code: FingerprintCode) -> bytes:
    """The bare rows of a code, evenly thinned to ``SAMPLE_ROWS_MAX``, first one first.

    Args:
        code: made by this release.

    Raises:
        MalformedDocumentError: the bytes are no code of this algorithm.
    """
    algorithm = find_algorithm(code.algorithm, code.version)
    if algorithm is None:
        raise InvariantViolation(f"no algorithm {code.algorithm} version {code.version}")
    rows = algorithm.decode(code.code).codes
    stride = -(-len(rows) // SAMPLE_ROWS_MAX)
    return rows[::stride].tobytes()
