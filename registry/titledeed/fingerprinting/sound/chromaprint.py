"""Chromaprint of sound, as its library computes it: interoperable, present where the library is.

The code is what ``fpcalc -raw`` prints: 32-bit items, about eight a second. Layout, big endian: one
byte of layout version (1), then the items.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from titledeed.errors import ConfigurationError, MalformedDocumentError
from titledeed.fingerprinting.base import Extraction
from titledeed.fingerprinting.sound.base import (
    DURATION_S_MIN,
    Samples,
    SoundAlgorithm,
    SoundExample,
    draw_example,
)
from titledeed.models.asset import MediaKind

LAYOUT_VERSION: Final = 1
SAMPLE_RATE_HZ: Final = 16_000
CHROMA_ITEMS_MAX: Final = 12 * 3600 * 10
"""Twelve hours; an item stands for 0.124 s."""

ITEMS_DISTINCT_MIN: Final = 4
"""Silence and held tones repeat the same few items."""

LIBRARY_NAMES: Final = ("libchromaprint.so.1", "libchromaprint.1.dylib", "chromaprint.dll")
"""By name, since ``find_library`` starts compilers, which a confined process may not."""

_TEST2: Final = 1
"""``CHROMAPRINT_ALGORITHM_DEFAULT``."""
_ITEM_BYTES: Final = 4


class SoundChromaprint(SoundAlgorithm[npt.NDArray[np.uint32]]):
    """Chromaprint's default algorithm ("TEST2")."""

    id: ClassVar[str] = "chromaprint"
    version: ClassVar[int] = 1
    kinds: ClassVar[frozenset[MediaKind]] = frozenset({MediaKind.AUDIO})
    """Not of films: it takes five times as long as our own code, more than small films allow."""

    @staticmethod
    def is_present() -> bool:
        """Whether the library is installed."""
        return _find_library() is not None

    def start(self) -> ChromaprintExtractor:
        """A fresh extractor for one file.

        Raises:
            ConfigurationError: the library is not installed.
        """
        return ChromaprintExtractor(self)

    def decode(self, code: bytes) -> npt.NDArray[np.uint32]:
        """The items, shape (n,)."""
        count, rest = divmod(len(code) - 1, _ITEM_BYTES)
        if code[:1] != bytes([LAYOUT_VERSION]):
            raise MalformedDocumentError("the Chromaprint code has an unknown layout")
        if rest or not 1 <= count <= CHROMA_ITEMS_MAX:
            raise MalformedDocumentError(
                f"a Chromaprint code has 1 to {CHROMA_ITEMS_MAX} whole items"
            )
        return np.frombuffer(code, ">u4", offset=1).astype(np.uint32)

    def examples(self) -> tuple[SoundExample, ...]:
        """Notes made by formula."""
        return (SoundExample(draw_example(seconds=8), bytes.fromhex(_CHROMAPRINT_EXAMPLE)),)


class ChromaprintExtractor:
    """Feeds the library."""

    def __init__(self, algorithm: SoundChromaprint) -> None:
        self._algorithm = algorithm
        library = _find_library()
        if library is None:
            raise ConfigurationError("the Chromaprint library is not installed")
        self._library = library
        self._context = library.chromaprint_new(_TEST2)
        self._count = 0
        library.chromaprint_start(self._context, SAMPLE_RATE_HZ, 1)

    def __del__(self) -> None:
        if getattr(self, "_context", None):
            self._library.chromaprint_free(self._context)

    def add_samples(self, samples: Samples) -> None:
        """Hand the samples on, as 16-bit numbers."""
        self._count += len(samples)
        numbers = np.clip(np.rint(samples * 32_767), -32_768, 32_767).astype(np.int16)
        pointer = numbers.ctypes.data_as(ctypes.POINTER(ctypes.c_int16))
        self._library.chromaprint_feed(self._context, pointer, len(numbers))

    def finish(self) -> Extraction:
        """The code, or why there is none."""
        if self._count < DURATION_S_MIN * SAMPLE_RATE_HZ:
            return Extraction(None, f"the sound is shorter than {DURATION_S_MIN:g} s")
        self._library.chromaprint_finish(self._context)
        items = self._read_items()
        if len(set(items)) < ITEMS_DISTINCT_MIN:
            return Extraction(None, "the sound is silence or a held tone, or too short")
        code = bytes([LAYOUT_VERSION]) + np.array(items, ">u4").tobytes()
        return Extraction(self._algorithm.wrap(code), "")

    def _read_items(self) -> list[int]:
        pointer = ctypes.POINTER(ctypes.c_uint32)()
        count = ctypes.c_int()
        found = self._library.chromaprint_get_raw_fingerprint(
            self._context, ctypes.byref(pointer), ctypes.byref(count)
        )
        if not found:
            return []
        try:
            return pointer[: min(count.value, CHROMA_ITEMS_MAX)]
        finally:
            self._library.chromaprint_dealloc(pointer)


def _load(name: str) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


@cache
def _find_library() -> ctypes.CDLL | None:
    library = next(filter(None, map(_load, LIBRARY_NAMES)), None)
    if library is None:
        return None
    library.chromaprint_new.restype = ctypes.c_void_p
    # Without these a 64-bit pointer is cut to an int.
    for function, arguments in (
        ("chromaprint_start", (ctypes.c_void_p, ctypes.c_int, ctypes.c_int)),
        ("chromaprint_feed", (ctypes.c_void_p, ctypes.POINTER(ctypes.c_int16), ctypes.c_int)),
        ("chromaprint_finish", (ctypes.c_void_p,)),
        ("chromaprint_get_raw_fingerprint", (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)),
        ("chromaprint_dealloc", (ctypes.c_void_p,)),
        ("chromaprint_free", (ctypes.c_void_p,)),
    ):
        getattr(library, function).argtypes = arguments
    return library


_CHROMAPRINT_EXAMPLE = (
    "017003c0a27002c6a230c2faa23382eab236826e83168222801683028016100290122c02a05228002c522810"
    "2832e8682824abe80824aaa80834aaa8081caab8081ca8980a1ca8800a18e8406a1c1400ea3c0240ee740242"
    "e6740252a27482eeb23e80ea823e80ea801e82ae801e02d2800e0002b0461402a0422c032c1228102812ea38"
    "2830aa680830aae80814aaa80814aa880904a8881a04a8a02e0418a066140c80665004c0e27002c0a2"
)
