"""What the still-picture algorithms share: one frame in, one fixed-length code out."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.base import Extraction, FingerprintAlgorithm, FrameCodes, Luma
from titledeed.fingerprinting.pictures.spectrum import compute_spectra, have_evidence
from titledeed.models.asset import MediaKind


class StillAlgorithm(FingerprintAlgorithm[FrameCodes]):
    """An algorithm that codes one still picture; of an animation, the first frame."""

    kinds: ClassVar[frozenset[MediaKind]] = frozenset({MediaKind.IMAGE})

    @abstractmethod
    def shrink(self, luma: Luma) -> Luma:
        """The thumbnail that ``compute`` reads; a copy."""

    @abstractmethod
    def compute(self, thumbnail: Luma) -> bytes | None:
        """The code, or None where the algorithm itself declines the picture."""

    def start(self) -> StillExtractor:
        """A fresh extractor for one picture."""
        return StillExtractor(self)

    def decode(self, code: bytes) -> FrameCodes:
        """Read a code: ``code_bits`` bits and nothing else."""
        if len(code) * 8 != self.code_bits:
            raise MalformedDocumentError(
                f"a code of {self.id} has {self.code_bits // 8} bytes, not {len(code)}"
            )
        return FrameCodes(np.zeros(1), np.frombuffer(code, dtype=np.uint8)[np.newaxis])


class StillExtractor:
    """Codes the first frame it is given and ignores the rest."""

    def __init__(self, algorithm: StillAlgorithm) -> None:
        self._algorithm = algorithm
        self._thumbnail: Luma | None = None

    def add_frame(self, time_s: float, luma: Luma) -> None:  # noqa: ARG002 - a still has no time
        """Keep the first frame."""
        if self._thumbnail is None:
            self._thumbnail = self._algorithm.shrink(luma)

    def finish(self) -> Extraction:
        """The code, or why there is none."""
        if self._thumbnail is None:
            return Extraction(None, "no frame was decoded")
        height, width = self._thumbnail.shape
        spectrum = compute_spectra(self._thumbnail, [((0, height), (0, width))])
        has_evidence = have_evidence(spectrum).all()
        code = self._algorithm.compute(self._thumbnail) if has_evidence else None
        if code is None:
            return Extraction(None, "the picture is flat or nearly of one colour")
        return Extraction(self._algorithm.wrap(code), "")
