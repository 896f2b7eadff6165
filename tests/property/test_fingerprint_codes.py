from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.base import Codes, FrameCodes, hamming_distances
from titledeed.fingerprinting.pictures.frame_codes import decode_frame_codes, encode_frame_codes
from titledeed.fingerprinting.pictures.orientation import MIRRORED, orient_codes

CODE = st.binary(min_size=32, max_size=32)


def rows(*codes: bytes) -> Codes:
    return np.frombuffer(b"".join(codes), np.uint8).reshape(len(codes), -1)


@given(
    codes=st.lists(CODE, min_size=1, max_size=40),
    steps_ms=st.lists(st.integers(100, 10_000), min_size=40, max_size=40),
)
def test_time_line_comes_back_as_it_was(codes: list[bytes], steps_ms: list[int]) -> None:
    times_s = np.cumsum(steps_ms[: len(codes)]) / 1000
    encoded = encode_frame_codes(FrameCodes(times_s, rows(*codes)))
    decoded = decode_frame_codes(encoded)
    assert np.array_equal(decoded.times_s, times_s)
    assert np.array_equal(decoded.codes, rows(*codes))
    assert encode_frame_codes(decoded) == encoded


@given(data=st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    try:
        frames = decode_frame_codes(data)
    except MalformedDocumentError:
        return
    assert encode_frame_codes(frames) == data


@given(one=CODE, other=CODE, third=CODE)
def test_distance_is_a_metric(one: bytes, other: bytes, third: bytes) -> None:
    a, b, c = rows(one), rows(other), rows(third)
    ab, bc, ac = (int(hamming_distances(x, y)[0]) for x, y in ((a, b), (b, c), (a, c)))
    assert (ab == 0) == (one == other)
    assert ab == int(hamming_distances(b, a)[0])
    assert ac <= ab + bc
    assert ab == int(hamming_distances(orient_codes(a, MIRRORED), orient_codes(b, MIRRORED))[0])
