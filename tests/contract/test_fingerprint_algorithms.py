"""What every fingerprint algorithm promises; a new one inherits these tests by its table line."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import Scene, crop, degrade, draw_flat, draw_scene, extract, extract_frames

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.algorithms import (
    ALGORITHMS,
    SHOT_ALGORITHMS,
    SOUND_ALGORITHMS,
    STILL_ALGORITHMS,
    algorithms_for,
    find_algorithm,
)
from titledeed.fingerprinting.base import (
    Codes,
    FingerprintAlgorithm,
    FrameCodes,
    hamming_distances,
)
from titledeed.fingerprinting.pictures.local_features import LocalFeatures
from titledeed.fingerprinting.pictures.regions import RegionCodes
from titledeed.fingerprinting.pictures.video_dct import VideoDct
from titledeed.fingerprinting.sound.base import SoundAlgorithm


def draw_ramp() -> Scene:
    ramp = np.tile(np.linspace(16, 235, 192).astype(np.uint8), (128, 1))
    return [ramp] * 4


def draw_colour_bars() -> Scene:
    bars = np.repeat(np.array([235, 210, 170, 145, 106, 81, 41, 16], np.uint8), 24)
    return [np.tile(bars, (128, 1))] * 4


NO_EVIDENCE = {
    "black": draw_flat(16, seconds=2),
    "white": draw_flat(235, seconds=2),
    "one grey": draw_flat(110, seconds=2),
    "ramp": draw_ramp(),
    "colour bars": draw_colour_bars(),
    "one pixel": [np.full((1, 1), 90, np.uint8)],
}


PICTURE_ALGORITHMS = (*SHOT_ALGORITHMS, *STILL_ALGORITHMS)
Algorithm = FingerprintAlgorithm[FrameCodes | RegionCodes | LocalFeatures]


def rows_of(algorithm: Algorithm, scene: Scene) -> Codes:
    decoded = extract_frames(algorithm, scene)
    return decoded.descriptors if isinstance(decoded, LocalFeatures) else decoded.codes


def nearest(codes: Codes, others: Codes) -> float:
    """Typical distance of a row from the nearest of the others."""
    return float(np.median(hamming_distances(codes[:, np.newaxis], others).min(axis=1)))


@pytest.mark.parametrize("algorithm", PICTURE_ALGORITHMS, ids=lambda algorithm: algorithm.id)
class TestEveryAlgorithm:
    def test_metadata_is_sound(self, algorithm: Algorithm) -> None:
        assert algorithm.id == algorithm.id.lower().strip() != ""
        assert algorithm.version >= 1
        assert algorithm.kinds
        assert algorithm.code_bits % 64 == 0
        assert 0 < algorithm.distance_max < algorithm.code_bits / 2
        assert find_algorithm(algorithm.id, algorithm.version) is algorithm

    def test_examples_hold(self, algorithm: Algorithm) -> None:
        assert algorithm.examples()
        for example in algorithm.examples():
            extractor = algorithm.start()
            for time_s, frame in example.frames:
                extractor.add_frame(time_s, frame)
            code = extractor.finish().code
            assert code == algorithm.wrap(example.code)

    def test_same_frames_give_the_same_code(self, algorithm: Algorithm) -> None:
        scene = draw_scene(1, seconds=2)
        assert extract(algorithm, scene) == extract(algorithm, scene)

    def test_distance_is_zero_to_itself_and_symmetric(self, algorithm: Algorithm) -> None:
        one = rows_of(algorithm, draw_scene(4, seconds=0.25))
        other = rows_of(algorithm, draw_scene(5, seconds=0.25))
        forth = hamming_distances(one[:, np.newaxis], other)
        assert not hamming_distances(one, one).any()
        assert np.array_equal(forth, hamming_distances(other[:, np.newaxis], one).T)

    def test_copy_is_near_and_another_scene_is_far(self, algorithm: Algorithm) -> None:
        scene, other = draw_scene(6, seconds=1), draw_scene(7, seconds=1)
        code = rows_of(algorithm, scene)
        assert nearest(rows_of(algorithm, degrade(scene, quality=60)), code) <= (
            algorithm.distance_max
        )
        assert nearest(rows_of(algorithm, other), code) > algorithm.distance_max

    @pytest.mark.parametrize("name", NO_EVIDENCE)
    def test_flat_pictures_carry_no_evidence(self, algorithm: Algorithm, name: str) -> None:
        found = extract(algorithm, NO_EVIDENCE[name])
        assert found.code is None
        assert found.note

    def test_nothing_decoded_is_no_evidence(self, algorithm: Algorithm) -> None:
        found = algorithm.start().finish()
        assert found.code is None and found.note

    def test_codes_of_another_length_are_refused(self, algorithm: Algorithm) -> None:
        code = algorithm.examples()[0].code
        for wrong in (b"", code[:-1], code + b"\0", code * 2):
            with pytest.raises(MalformedDocumentError):
                algorithm.decode(wrong)

    def test_tiny_pictures_are_coded_or_declined(self, algorithm: Algorithm) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (7, 5), dtype=np.uint8)
        found = extract(algorithm, [pixels])
        assert (found.code is None) == bool(found.note)


@pytest.mark.parametrize("algorithm", SOUND_ALGORITHMS, ids=lambda algorithm: algorithm.id)
def test_codes_of_sound_are_read_with_and_without_its_library(
    algorithm: SoundAlgorithm[object],
) -> None:
    assert find_algorithm(algorithm.id, algorithm.version) is algorithm
    for kind in algorithm.kinds:
        assert (algorithm in algorithms_for(kind)) == algorithm.is_present()
    for example in algorithm.examples():
        algorithm.decode(example.code)
        for wrong in (b"", example.code[:-1], example.code + b"\0"):
            with pytest.raises(MalformedDocumentError):
                algorithm.decode(wrong)


def test_no_two_algorithms_share_id_and_version() -> None:
    assert len({(a.id, a.version) for a in ALGORITHMS}) == len(ALGORITHMS)


@pytest.mark.parametrize(("name", "version"), [("pdq", 2), ("PDQ", 1), ("", 0)])
def test_unknown_algorithm_is_not_found(name: str, version: int) -> None:
    assert find_algorithm(name, version) is None


def test_crop_of_a_scene_stays_a_copy_for_video() -> None:
    scene = draw_scene(9, seconds=1)
    cropped = extract_frames(VideoDct(), crop(scene, share=0.95)).codes
    distances = hamming_distances(extract_frames(VideoDct(), scene).codes, cropped)
    assert distances.mean() < VideoDct.distance_max
