from __future__ import annotations

import numpy as np
import pytest
from sound_scenes import draw_music

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.base import Extraction
from titledeed.fingerprinting.sound.chromaprint import SoundChromaprint

needs_library = pytest.mark.skipif(
    not SoundChromaprint.is_present(), reason="the Chromaprint library is not installed"
)


def extract(*runs: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Extraction:
    extractor = SoundChromaprint().start()
    for run in runs:
        extractor.add_samples(run)
    return extractor.finish()


@needs_library
def test_example_holds() -> None:
    (example,) = SoundChromaprint().examples()
    assert extract(example.samples).code == SoundChromaprint().wrap(example.code)


@needs_library
def test_code_does_not_depend_on_how_samples_arrive() -> None:
    music = draw_music(1, seconds=10)
    assert extract(music) == extract(*np.array_split(music, 37))


@needs_library
@pytest.mark.parametrize("seconds", [0, 0.5, 10])
def test_silence_and_short_sounds_have_no_code_but_a_reason(seconds: float) -> None:
    found = extract(np.zeros(round(16_000 * seconds), np.float32))
    assert found.code is None
    assert found.note


@pytest.mark.parametrize("code", [b"", b"\1", b"\1abc", b"\2abcd", b"\1abcde"])
def test_malformed_code_is_refused(code: bytes) -> None:
    with pytest.raises(MalformedDocumentError):
        SoundChromaprint().decode(code)
