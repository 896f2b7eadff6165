"""Our ISCC codes are those of the reference implementation, and tell the same pictures apart."""

from __future__ import annotations

import iscc_lib
import numpy as np
import pytest
from PIL import Image
from scenes import add_bars, draw_scene, extract, extract_code

from titledeed.fingerprinting.base import Luma
from titledeed.fingerprinting.pictures.iscc_image import IsccImage, trim_borders

(PICTURE,) = draw_scene(41, seconds=0.25)
ALGORITHM = IsccImage()


def unit_of(picture: Luma) -> str:
    """The Image-Code as the standard's own steps give it for a grey picture without borders."""
    small = Image.fromarray(picture).resize((32, 32), Image.Resampling.BICUBIC)
    return iscc_lib.gen_image_code_v0(small.tobytes(), bits=256).iscc


def test_code_is_the_body_of_the_standard_unit() -> None:
    code = extract_code(ALGORITHM, [PICTURE]).code
    body = iscc_lib.encode_component(
        iscc_lib.MT.CONTENT, iscc_lib.ST.IMAGE, iscc_lib.VS.V0, 256, code
    )
    assert f"ISCC:{body}" == unit_of(PICTURE)


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize(("rows", "columns"), [(24, 0), (0, 31), (9, 17)])
def test_even_borders_change_nothing(level: int, rows: int, columns: int) -> None:
    (framed,) = add_bars([PICTURE], rows=rows, columns=columns, level=level)
    assert extract_code(ALGORITHM, [framed]) == extract_code(ALGORITHM, [PICTURE])


def test_borders_within_borders_are_cut() -> None:
    inner = np.pad(PICTURE, 8, constant_values=255)
    assert trim_borders(np.pad(inner, 12, constant_values=0)).shape == PICTURE.shape


def test_one_sided_soft_band_stays() -> None:
    sky = np.linspace(200, 212, 40).astype(np.uint8)[:, np.newaxis].repeat(PICTURE.shape[1], axis=1)
    framed = np.concatenate([sky, PICTURE])
    assert trim_borders(framed).shape == framed.shape


def test_picture_of_one_colour_is_not_cut_to_nothing() -> None:
    flat = np.full((40, 60), 90, np.uint8)
    assert trim_borders(flat).shape == flat.shape


def test_picture_that_the_standard_calls_featureless_has_no_code() -> None:
    stripes = np.tile(np.repeat(np.array([20, 230], np.uint8), 16), (128, 4))
    assert ALGORITHM.compute(ALGORITHM.shrink(stripes)) is None
    assert extract(ALGORITHM, [stripes]).code is None
