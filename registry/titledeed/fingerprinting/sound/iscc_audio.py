"""The Audio-Code of ISCC (ISO 24138), as ``iscc-lib`` computes it: interoperable, 256 bits.

It sums up a Chromaprint vector, so it is present where the Chromaprint library is.
"""

from __future__ import annotations

from typing import ClassVar

import iscc_lib
import numpy as np
import numpy.typing as npt

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.base import Extraction
from titledeed.fingerprinting.sound.base import (
    Samples,
    SoundAlgorithm,
    SoundExample,
    draw_example,
)
from titledeed.fingerprinting.sound.chromaprint import ChromaprintExtractor, SoundChromaprint
from titledeed.models.asset import MediaKind

CODE_BITS = 256


class IsccAudio(SoundAlgorithm[npt.NDArray[np.uint8]]):
    """256 bits: the body of an Audio-Code unit, without its header, of the whole sound."""

    id: ClassVar[str] = "iscc.audio"
    version: ClassVar[int] = 1
    kinds: ClassVar[frozenset[MediaKind]] = frozenset({MediaKind.AUDIO})

    @staticmethod
    def is_present() -> bool:
        """Whether the Chromaprint library is installed."""
        return SoundChromaprint.is_present()

    def start(self) -> IsccAudioExtractor:
        """A fresh extractor for one file.

        Raises:
            ConfigurationError: the Chromaprint library is not installed.
        """
        return IsccAudioExtractor(self)

    def decode(self, code: bytes) -> npt.NDArray[np.uint8]:
        """The bytes, shape (32,)."""
        if len(code) * 8 != CODE_BITS:
            raise MalformedDocumentError(f"an Audio-Code has {CODE_BITS // 8} bytes")
        return np.frombuffer(code, np.uint8)

    def examples(self) -> tuple[SoundExample, ...]:
        """Notes made by formula."""
        return (SoundExample(draw_example(seconds=8), bytes.fromhex(_ISCC_EXAMPLE)),)


class IsccAudioExtractor:
    """Sums up what Chromaprint tells."""

    def __init__(self, algorithm: IsccAudio) -> None:
        self._algorithm = algorithm
        self._chromaprint = SoundChromaprint()
        self._extractor = ChromaprintExtractor(self._chromaprint)

    def add_samples(self, samples: Samples) -> None:
        """Hand the samples on."""
        self._extractor.add_samples(samples)

    def finish(self) -> Extraction:
        """The code, or why there is none."""
        found = self._extractor.finish()
        if found.code is None:
            return found
        items = self._chromaprint.decode(found.code.code).view(np.int32)
        unit = iscc_lib.gen_audio_code_v0(items.tolist(), bits=CODE_BITS).iscc
        return Extraction(self._algorithm.wrap(iscc_lib.iscc_decode(unit)[-1]), "")


_ISCC_EXAMPLE = "148a80a0120202a03caa880a160002a014aaa82a14a8002834aae8087402c2a2"
