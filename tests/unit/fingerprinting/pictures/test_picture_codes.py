"""Our picture codes are those of the packages whose names they carry."""

from __future__ import annotations

import imagehash
import numpy as np
import pdqhash
import pytest
from PIL import Image
from scenes import draw_scene, extract, extract_code

from titledeed.fingerprinting.pictures.image_pdq import ImagePdq
from titledeed.fingerprinting.pictures.image_phash import ImagePhash
from titledeed.fingerprinting.pictures.still import StillAlgorithm

(PICTURE,) = draw_scene(31, seconds=0.25)


def test_phash_is_that_of_imagehash() -> None:
    expected = str(imagehash.phash(Image.fromarray(PICTURE)))
    assert extract_code(ImagePhash(), [PICTURE]).code.hex() == expected


def test_pdq_is_that_of_pdqhash() -> None:
    bits, quality = pdqhash.compute(np.repeat(PICTURE[:, :, np.newaxis], 3, axis=2))
    assert quality > 50
    expected = f"{int(''.join(map(str, bits)), 2):064x}"
    assert extract_code(ImagePdq(), [PICTURE]).code.hex() == expected


@pytest.mark.parametrize("algorithm", [ImagePhash(), ImagePdq()], ids=lambda a: a.id)
def test_first_frame_of_an_animation_counts(algorithm: StillAlgorithm) -> None:
    animation = [PICTURE, *draw_scene(32, seconds=1)]
    assert extract(algorithm, animation) == extract(algorithm, [PICTURE])
