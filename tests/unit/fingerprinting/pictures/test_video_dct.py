from __future__ import annotations

import numpy as np
import pytest
from scenes import EDITS, SIZE, add_bars, draw_flat, draw_scene, extract_frames, mirror

from titledeed.fingerprinting.base import Codes, FrameCodes, hamming_distances
from titledeed.fingerprinting.pictures.orientation import MIRRORED, orient_codes
from titledeed.fingerprinting.pictures.shots import SHOT_FRAMES_MAX
from titledeed.fingerprinting.pictures.video_dct import VideoDct

VIDEO = VideoDct()


def nearest(frames: FrameCodes, others: FrameCodes) -> list[int]:
    """Distance of each moment's best row from the best row of the same moment."""
    return [
        int(
            hamming_distances(
                frames.codes[frames.times_s == moment][:, np.newaxis],
                others.codes[others.times_s == moment],
            ).min()
        )
        for moment in np.unique(frames.times_s)
    ]


def test_each_sampled_frame_has_a_row() -> None:
    frames = extract_frames(VIDEO, draw_scene(21, seconds=3))
    assert frames.times_s.tolist() == [0.25 * index for index in range(12)]


@pytest.mark.parametrize(("rows", "columns"), [(20, 0), (0, 31), (14, 18)])
def test_bars_change_little(rows: int, columns: int) -> None:
    scene = draw_scene(21, seconds=1)
    barred = extract_frames(VIDEO, add_bars(scene, rows=rows, columns=columns))
    plain = extract_frames(VIDEO, scene)
    assert hamming_distances(barred.codes, plain.codes).max() <= 2


def test_a_picture_is_a_film_of_one_frame() -> None:
    scene = draw_scene(29, seconds=1)
    film = extract_frames(VIDEO, scene)
    picture = extract_frames(VIDEO, scene[:1])
    assert picture.times_s.tolist() == [0]
    assert np.array_equal(picture.codes, film.codes[:1])


@pytest.mark.parametrize("edit", EDITS)
def test_edited_scene_stays_near(edit: str) -> None:
    scene = draw_scene(22, seconds=3)
    copy = extract_frames(VIDEO, EDITS[edit](scene))
    assert max(nearest(copy, extract_frames(VIDEO, scene))) <= VIDEO.distance_max


def test_bars_are_found_in_one_shot_of_many() -> None:
    inner = add_bars(draw_scene(23, seconds=2), rows=24)
    size = (inner[0].shape[1], inner[0].shape[0])
    before = [np.resize(frame, size[::-1]) for frame in draw_scene(24, seconds=2)]
    film = extract_frames(VIDEO, [*before, *inner, *before])
    work = extract_frames(VIDEO, draw_scene(23, seconds=2))
    during = (film.times_s >= 2) & (film.times_s < 4)
    cut = FrameCodes(film.times_s[during] - 2, film.codes[during])
    assert max(nearest(cut, work)) <= 20


def test_endless_shot_is_coded_in_parts() -> None:
    still = draw_scene(25, seconds=0.25) * (3 * SHOT_FRAMES_MAX + 1)
    frames = extract_frames(VIDEO, still)
    assert len(frames.times_s) == len(still)
    assert (frames.codes == frames.codes[0]).all()


def test_flat_frames_between_others_have_no_row() -> None:
    scene = draw_scene(26, seconds=1)
    frames = extract_frames(VIDEO, [*scene, *draw_flat(16, seconds=1), *scene])
    assert frames.times_s.tolist() == [0, 0.25, 0.5, 0.75, 2.0, 2.25, 2.5, 2.75]


def test_grain_on_a_flat_frame_is_no_evidence() -> None:
    generator = np.random.default_rng(0)
    grain = [np.clip(generator.normal(60, 6, (360, 640)), 0, 255).astype(np.uint8)] * 4
    extractor = VIDEO.start()
    for index, frame in enumerate(grain):
        extractor.add_frame(index / 4, frame)
    assert extractor.finish().code is None


def test_mirroring_twice_gives_the_code_back() -> None:
    codes = extract_frames(VIDEO, draw_scene(27, seconds=1)).codes
    assert np.array_equal(orient_codes(orient_codes(codes, MIRRORED), MIRRORED), codes)


def test_mirrored_code_is_far_from_the_plain_one() -> None:
    codes: Codes = extract_frames(VIDEO, draw_scene(28, seconds=1)).codes
    assert hamming_distances(codes, orient_codes(codes, MIRRORED)).min() > VIDEO.distance_max
    mirrored = extract_frames(VIDEO, mirror(draw_scene(28, seconds=1))).codes
    assert hamming_distances(mirrored, orient_codes(codes, MIRRORED)).max() <= 2


def test_any_picture_size_is_read() -> None:
    for width, height in (SIZE, (1, 1), (3, 500), (1280, 720)):
        extractor = VIDEO.start()
        extractor.add_frame(0.0, np.zeros((height, width), np.uint8))
        assert extractor.finish().code is None
