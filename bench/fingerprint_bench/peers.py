"""The peers: published methods, each as its authors use it, behind the bench's ``Contestant``.

Those whose package or program is not on this machine are listed as absent with the reason. None
of them is tuned; the threshold of each is found by the same rule as ours.
"""

from __future__ import annotations

import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Generic, TypeVar

import imagehash
import iscc_lib
import numpy as np
import numpy.typing as npt
import pdqhash
from fingerprint_bench.results import Answer, Contestant, Medium
from PIL import Image, ImageOps

from titledeed.fingerprinting.base import hamming_distances
from titledeed.fingerprinting.pictures.iscc_image import IsccImage

Words = npt.NDArray[np.uint32]
Codes = npt.NDArray[np.uint8]
Code = TypeVar("Code")

VPDQ_QUALITY_MIN: Final = 50
VPDQ_DISTANCE_MAX: Final = 31
"""Both as its authors recommend."""

ISCC_BITS: Final = 256
ISCC_FRAMES_PER_S: Final = 5
CHROMAPRINT_OVERLAP_MIN: Final = 8
"""Items, about a second; less says nothing."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A peer that cannot run here."""

    name: str
    reason: str


class Peer(ABC, Generic[Code]):
    """Computes one code of a file; the registered work with the most similar code wins."""

    def __init__(self, name: str, compute: Callable[[Path], Code]) -> None:
        self.name = name
        self._compute = compute
        self._works: list[tuple[str, Code]] = []

    def register(self, work: Path) -> None:
        """Keep the code of a work."""
        self._works.append((work.name, self._compute(work)))

    def search(self, query: Path) -> Answer:
        """The work with the most similar code."""
        code = self._compute(query)
        ranked = ((self.compare(code, other), work) for work, other in self._works)
        score, work = max(ranked, default=(0.0, ""))
        return Answer(work, score) if score > 0 else Answer()

    @abstractmethod
    def compare(self, query: Code, work: Code) -> float:
        """Similarity; 0 for none."""


class WholeCode(Peer[Codes]):
    """One code of fixed length for the whole file: the share of equal bits."""

    def compare(self, query: Codes, work: Codes) -> float:
        """Share of equal bits; an empty code is similar to none."""
        if not len(query) or not len(work):
            return 0.0
        return 1 - float(hamming_distances(query, work)) / (8 * len(query))


class FrameByFrame(Peer[Codes]):
    """vPDQ: the share of the query's frames that have a near frame in the work."""

    def compare(self, query: Codes, work: Codes) -> float:
        """Share of the query's frames within the distance that its authors recommend."""
        if not len(query) or not len(work):
            return 0.0
        nearest = hamming_distances(query[:, np.newaxis], work).min(axis=1)
        return float((nearest <= VPDQ_DISTANCE_MAX).mean())


class SlidWords(Peer[Words]):
    """Chromaprint: the shorter vector slides along the longer; the share of equal bits."""

    def compare(self, query: Words, work: Words) -> float:
        """Share of equal bits where the two agree best."""
        short, long = sorted((query, work), key=len)
        if len(short) < CHROMAPRINT_OVERLAP_MIN:
            return 0.0
        windows = np.lib.stride_tricks.sliding_window_view(long, len(short))
        differing = np.bitwise_count(windows ^ short).sum(axis=1, dtype=np.uint32)
        return 1 - float(differing.min()) / (32 * len(short))


def find_peers(medium: Medium) -> tuple[list[Contestant], list[Absent]]:
    """The peers of one medium, and those that cannot run here."""
    present: list[Contestant] = []
    absent: list[Absent] = []
    for name, needs, build in _PEERS[medium]:
        missing = _missing(needs)
        if missing:
            absent.append(Absent(name, missing))
        else:
            present.append(build(name))
    return present, absent


def _missing(needs: str) -> str:
    if needs.startswith("program "):
        program = needs.removeprefix("program ")
        return "" if shutil.which(program) else f"there is no program {program}"
    return "" if find_spec(needs) else f"the package {needs} is not installed"


def _open(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return ImageOps.exif_transpose(picture).convert("RGB")


def _hash_with(function: Callable[..., imagehash.ImageHash]) -> Callable[[Path], Codes]:
    return lambda path: np.packbits(function(_open(path)).hash)


def _pdq(path: Path) -> Codes:
    bits, _ = pdqhash.compute(np.asarray(_open(path)))
    return np.packbits(bits.astype(np.uint8))


def _iscc_image(path: Path) -> Codes:
    algorithm = IsccImage()
    code = algorithm.compute(algorithm.shrink(np.asarray(_open(path).convert("L"))))
    return np.frombuffer(code or b"", np.uint8)


def _vpdq(path: Path) -> Codes:
    vpdq: Any = import_module("vpdq")
    features = vpdq.computeHash(str(path), thread_count=1)
    codes = [bytes.fromhex(f.hex) for f in features if f.quality >= VPDQ_QUALITY_MIN]
    return np.frombuffer(b"".join(codes), np.uint8).reshape(-1, 32)


def _iscc_video(path: Path) -> Codes:
    """From the MPEG-7 frame signatures that FFmpeg's filter writes."""
    with TemporaryDirectory() as folder:
        written = Path(folder) / "signature"
        filters = f"fps=fps={ISCC_FRAMES_PER_S},signature=format=binary:filename={written}"
        command = ["ffmpeg", "-v", "error", "-i", str(path), "-an", "-vf", filters, "-f", "null"]
        subprocess.run([*command, "-"], check=True)
        frames = read_frame_signatures(written.read_bytes())
    return _body(iscc_lib.gen_video_code_v0(frames.tolist(), bits=ISCC_BITS).iscc)


def read_frame_signatures(data: bytes) -> Codes:
    """Frame signatures of MPEG-7's binary form (ISO 15938-3), shape (n, 380), values 0 to 2.

    The header counts frames at bit 129 and segments at bit 242; a segment takes 1,344 bits. A
    frame is one flag, its time in 32 bits, 8 of confidence, five words of 8, and 76 bytes of five
    ternary digits each.
    """
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    frames, segments = (int("".join(map(str, bits[at : at + 32])), 2) for at in (129, 242))
    start = 242 + 32 + segments * (4 * 32 + 1 + 5 * 243) + 1
    rows = bits[start : start + frames * 689].reshape(frames, 689)
    packed = np.packbits(rows[:, 81:], axis=1)
    digits = packed[:, :, np.newaxis] // np.array([81, 27, 9, 3, 1], np.uint8) % 3
    return digits.reshape(frames, 380)


def _chromaprint(path: Path) -> Words:
    """Empty for sounds that are too short for it.

    Version 1.5 calls the end of a file an error and prints the vector all the same.
    """
    command = ["fpcalc", "-raw", "-plain", "-length", "0", str(path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return np.array([int(item) for item in printed.split(",") if item.strip()], np.uint32)


def _iscc_audio(path: Path) -> Codes:
    vector = _chromaprint(path).astype(np.int32).tolist()
    return _body(iscc_lib.gen_audio_code_v0(vector, bits=ISCC_BITS).iscc) if vector else _NOTHING


def _body(unit: str) -> Codes:
    return np.frombuffer(iscc_lib.iscc_decode(unit)[-1], np.uint8)


_NOTHING: Final = np.zeros(0, np.uint8)
_Builder = Callable[[str], Contestant]
_PEERS: Final[dict[Medium, list[tuple[str, str, _Builder]]]] = {
    Medium.PICTURES: [
        ("imagehash pHash", "imagehash", lambda n: WholeCode(n, _hash_with(imagehash.phash))),
        ("imagehash dHash", "imagehash", lambda n: WholeCode(n, _hash_with(imagehash.dhash))),
        ("PDQ", "pdqhash", lambda n: WholeCode(n, _pdq)),
        ("ISCC Image-Code", "iscc_lib", lambda n: WholeCode(n, _iscc_image)),
    ],
    Medium.VIDEO: [
        ("vPDQ", "vpdq", lambda n: FrameByFrame(n, _vpdq)),
        ("ISCC Video-Code", "program ffmpeg", lambda n: WholeCode(n, _iscc_video)),
    ],
    Medium.SOUND: [
        ("Chromaprint", "program fpcalc", lambda n: SlidWords(n, _chromaprint)),
        ("ISCC Audio-Code", "program fpcalc", lambda n: WholeCode(n, _iscc_audio)),
    ],
}
