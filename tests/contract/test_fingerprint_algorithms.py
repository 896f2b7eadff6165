"""What every fingerprint algorithm promises; a new one inherits these tests by its table line."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import Scene, crop, degrade, draw_flat, draw_scene, extract, extract_frames, mirror

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.algorithms import (
    ALGORITHMS,
    SAMPLE_ROWS_MAX,
    algorithms_for,
    find_algorithm,
    sample_rows,
)
from titledeed.fingerprinting.base import FingerprintAlgorithm, hamming_distances
from titledeed.models.asset import MediaKind
from titledeed.models.fingerprint import FingerprintCode

MIRROR_BITS_MAX = 4
"""Shrinking a flipped picture rounds a little differently."""


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


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda algorithm: algorithm.id)
class TestEveryAlgorithm:
    def test_metadata_is_sound(self, algorithm: FingerprintAlgorithm) -> None:
        assert algorithm.id == algorithm.id.lower().strip() != ""
        assert algorithm.version >= 1
        assert algorithm.kinds
        assert algorithm.code_bits % 64 == 0
        assert 0 < algorithm.distance_max < algorithm.code_bits / 2
        assert find_algorithm(algorithm.id, algorithm.version) is algorithm

    def test_examples_hold(self, algorithm: FingerprintAlgorithm) -> None:
        assert algorithm.examples()
        for example in algorithm.examples():
            extractor = algorithm.start()
            for time_s, frame in example.frames:
                extractor.add_frame(time_s, frame)
            code = extractor.finish().code
            assert code == algorithm.wrap(example.code)

    def test_same_frames_give_the_same_code(self, algorithm: FingerprintAlgorithm) -> None:
        scene = draw_scene(1, seconds=2)
        assert extract(algorithm, scene) == extract(algorithm, scene)

    def test_first_view_is_the_code_itself(self, algorithm: FingerprintAlgorithm) -> None:
        found = extract(algorithm, draw_scene(2, seconds=2))
        assert found.code is not None and found.note == ""
        assert found.views[0].code == found.code
        assert not found.views[0].mirrored

    def test_mirrored_view_is_the_code_of_the_mirrored_scene(
        self, algorithm: FingerprintAlgorithm
    ) -> None:
        scene = draw_scene(3, seconds=2)
        views = [view for view in extract(algorithm, scene).views if view.mirrored]
        mirrored = extract_frames(algorithm, mirror(scene))
        distances = hamming_distances(algorithm.decode(views[0].code.code).codes, mirrored.codes)
        assert distances.max() <= MIRROR_BITS_MAX

    def test_distance_is_zero_to_itself_and_symmetric(
        self, algorithm: FingerprintAlgorithm
    ) -> None:
        one = extract_frames(algorithm, draw_scene(4, seconds=1)).codes
        other = extract_frames(algorithm, draw_scene(5, seconds=1)).codes
        assert not hamming_distances(one, one).any()
        assert np.array_equal(hamming_distances(one, other), hamming_distances(other, one))

    def test_copy_is_near_and_another_scene_is_far(self, algorithm: FingerprintAlgorithm) -> None:
        scene, other = draw_scene(6, seconds=1), draw_scene(7, seconds=1)
        code = extract_frames(algorithm, scene).codes
        copy = extract_frames(algorithm, degrade(scene, quality=60)).codes
        stranger = extract_frames(algorithm, other).codes
        assert hamming_distances(code, copy).max() <= algorithm.distance_max
        assert hamming_distances(code, stranger).min() > algorithm.distance_max

    @pytest.mark.parametrize("name", NO_EVIDENCE)
    def test_flat_pictures_carry_no_evidence(
        self, algorithm: FingerprintAlgorithm, name: str
    ) -> None:
        found = extract(algorithm, NO_EVIDENCE[name])
        assert found.code is None
        assert found.views == ()
        assert found.note

    def test_nothing_decoded_is_no_evidence(self, algorithm: FingerprintAlgorithm) -> None:
        found = algorithm.start().finish()
        assert found.code is None and found.views == () and found.note

    def test_codes_of_another_length_are_refused(self, algorithm: FingerprintAlgorithm) -> None:
        code = algorithm.examples()[0].code
        for wrong in (b"", code[:-1], code + b"\0", code * 2):
            with pytest.raises(MalformedDocumentError):
                algorithm.decode(wrong)

    def test_tiny_pictures_are_coded_or_declined(self, algorithm: FingerprintAlgorithm) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (7, 5), dtype=np.uint8)
        found = extract(algorithm, [pixels])
        assert (found.code is None) == bool(found.note)


def test_each_kind_has_its_algorithms() -> None:
    ids = {kind: [a.id for a in algorithms_for(kind)] for kind in MediaKind}
    assert ids == {
        MediaKind.IMAGE: ["imagehash.phash", "pdq"],
        MediaKind.VIDEO: ["titledeed.dct256"],
        MediaKind.AUDIO: [],
    }


def test_no_two_algorithms_share_id_and_version() -> None:
    assert len({(a.id, a.version) for a in ALGORITHMS}) == len(ALGORITHMS)


@pytest.mark.parametrize(("name", "version"), [("pdq", 2), ("PDQ", 1), ("", 0)])
def test_unknown_algorithm_is_not_found(name: str, version: int) -> None:
    assert find_algorithm(name, version) is None


def test_rows_of_a_still_are_its_code() -> None:
    algorithm = algorithms_for(MediaKind.IMAGE)[1]
    code = algorithm.examples()[0].code
    assert sample_rows(algorithm.wrap(code)) == code


def test_rows_of_a_long_time_line_are_thinned() -> None:
    (algorithm,) = algorithms_for(MediaKind.VIDEO)
    scene = draw_scene(8, seconds=2)
    found = extract(algorithm, scene * 40)
    assert found.code is not None
    rows = algorithm.decode(found.code.code).codes
    sampled = sample_rows(found.code)
    assert len(rows) > SAMPLE_ROWS_MAX
    assert len(sampled) <= SAMPLE_ROWS_MAX * 32
    assert sampled[:32] == rows[0].tobytes()


def test_rows_of_a_broken_code_are_refused() -> None:
    with pytest.raises(MalformedDocumentError):
        sample_rows(FingerprintCode("pdq", 1, b"short"))


def test_crop_of_a_scene_stays_a_copy_for_video() -> None:
    (algorithm,) = algorithms_for(MediaKind.VIDEO)
    scene = draw_scene(9, seconds=1)
    cropped = extract_frames(algorithm, crop(scene, share=0.95)).codes
    distances = hamming_distances(extract_frames(algorithm, scene).codes, cropped)
    assert distances.mean() < algorithm.distance_max
