from __future__ import annotations

import shutil
import subprocess
import wave
from pathlib import Path

import iscc_lib
import numpy as np
import pytest

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.sound.base import Samples, draw_example
from titledeed.fingerprinting.sound.iscc_audio import IsccAudio

ALGORITHM = IsccAudio()
needs_library = pytest.mark.skipif(
    not ALGORITHM.is_present(), reason="needs the Chromaprint library"
)


def extract(samples: Samples) -> bytes | None:
    extractor = ALGORITHM.start()
    extractor.add_samples(samples)
    code = extractor.finish().code
    return code.code if code else None


@needs_library
def test_example_holds() -> None:
    for example in ALGORITHM.examples():
        assert extract(example.samples) == example.code


@needs_library
@pytest.mark.skipif(shutil.which("fpcalc") is None, reason="needs fpcalc")
def test_code_sums_up_what_fpcalc_prints(tmp_path: Path) -> None:
    samples = draw_example(seconds=8)
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.rint(np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes())
    command = ["fpcalc", "-raw", "-signed", "-plain", "-length", "0", str(path)]
    printed = subprocess.run(command, capture_output=True, check=False, text=True).stdout
    vector = [int(item) for item in printed.split(",")]
    unit = iscc_lib.gen_audio_code_v0(vector, bits=256).iscc
    assert extract(samples) == iscc_lib.iscc_decode(unit)[-1]


@needs_library
def test_silence_has_no_code() -> None:
    assert extract(np.zeros(5 * 16_000, np.float32)) is None


@pytest.mark.parametrize("length", [0, 31, 33])
def test_codes_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(MalformedDocumentError):
        ALGORITHM.decode(bytes(length))
