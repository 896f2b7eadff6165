from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from fingerprint_bench.peers import Codes, SlidWords, WholeCode, find_peers
from fingerprint_bench.results import Medium
from PIL import Image
from render_media import render_clip, render_picture


def read_code(path: Path) -> Codes:
    return np.frombuffer(path.read_bytes(), np.uint8)


def test_most_similar_work_is_first(tmp_path: Path) -> None:
    for name, code in {"a": b"\xff\x00", "b": b"\xff\x0f", "query": b"\xff\x07", "no": b""}.items():
        (tmp_path / name).write_bytes(code)
    peer = WholeCode("bits", read_code)
    for name in ("a", "b", "no"):
        peer.register(tmp_path / name)
    answer = peer.search(tmp_path / "query")
    assert (answer.work, answer.score) == ("b", 15 / 16)
    assert peer.search(tmp_path / "no").work == ""


def test_words_slide_to_where_they_agree() -> None:
    words = np.random.default_rng(0).integers(0, 2**32, 60, dtype=np.uint32)
    peer = SlidWords("words", lambda _: words)
    assert peer.compare(words[20:40], words) == 1.0
    assert peer.compare(words, words[20:40]) == 1.0
    assert peer.compare(words[:7], words) == 0.0


def test_missing_program_is_told_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    present, absent = find_peers(Medium.SOUND)
    assert present == []
    assert {peer.reason for peer in absent} == {"there is no program fpcalc"}


def test_picture_peers_find_a_recoded_copy(tmp_path: Path) -> None:
    works = [render_picture(tmp_path / f"{seed}.png", seed=seed) for seed in (1, 2)]
    copy = tmp_path / "copy.jpg"
    with Image.open(works[1]) as picture:
        picture.save(copy, quality=60)
    present, absent = find_peers(Medium.PICTURES)
    assert absent == []
    for peer in present:
        for work in works:
            peer.register(work)
        assert peer.search(copy).work == works[1].name, peer.name


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs FFmpeg's signature filter")
def test_iscc_video_code_tells_two_clips_apart(tmp_path: Path) -> None:
    clips = [render_clip(tmp_path / f"{s}.mp4", seconds=2, seed=s, size=(160, 120)) for s in (1, 2)]
    present, _ = find_peers(Medium.VIDEO)
    peer = next(peer for peer in present if peer.name == "ISCC Video-Code")
    for clip in clips:
        peer.register(clip)
    answer = peer.search(clips[1])
    assert (answer.work, answer.score) == ("2.mp4", 1.0)
