from __future__ import annotations

import numpy as np
import pytest

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.base import FrameCodes
from titledeed.fingerprinting.pictures.frame_codes import (
    ROWS_MAX,
    decode_frame_codes,
    encode_frame_codes,
)


def build_code(*times_ms: int) -> bytes:
    codes = b"".join(bytes([row]) * 32 for row in range(len(times_ms)))
    times = b"".join(time.to_bytes(4, "big") for time in times_ms)
    return b"\x01" + len(times_ms).to_bytes(4, "big") + times + codes


def test_layout_is_the_documented_one() -> None:
    codes = np.array([[7] * 32, [9] * 32], np.uint8)
    encoded = encode_frame_codes(FrameCodes(np.array([0.25, 1.0]), codes))
    assert encoded == bytes.fromhex("01 00000002 000000fa 000003e8" + "07" * 32 + "09" * 32)


def test_decoded_rows_are_the_encoded_ones() -> None:
    frames = decode_frame_codes(build_code(0, 0, 250, 250, 500))
    assert frames.times_s.tolist() == [0.0, 0.0, 0.25, 0.25, 0.5]
    assert frames.codes.shape == (5, 32)
    assert frames.codes[:, 31].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x01\x00\x00", id="half a header"),
        pytest.param(b"\x02" + build_code(0)[1:], id="another layout"),
        pytest.param(b"\x01\x00\x00\x00\x00", id="no row"),
        pytest.param(build_code(0, 250)[:-1], id="last byte missing"),
        pytest.param(build_code(0, 250) + b"\x00", id="a byte too many"),
        pytest.param(build_code(250, 0), id="falling times"),
        pytest.param(build_code(0, 0, 0, 0, 0), id="five rows of one moment"),
        pytest.param(build_code(0, 40, 80, 120, 160), id="a row for every video frame"),
        pytest.param(b"\x01" + (ROWS_MAX + 1).to_bytes(4, "big"), id="too many rows"),
        pytest.param(b"\x01\xff\xff\xff\xff" + bytes(36), id="count beyond the bytes"),
    ],
)
def test_malformed_codes_are_refused(code: bytes) -> None:
    with pytest.raises(MalformedDocumentError, match="frame codes"):
        decode_frame_codes(code)
