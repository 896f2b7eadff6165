from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from media_factory import cut_clip, render_clip, render_picture
from render_media import write_picture

from titledeed.bootstrap import index_works, make_examiner
from titledeed.errors import InputError
from titledeed.models.match import MatchClass
from titledeed.services.comparison import Comparison
from titledeed.services.comparison import compare as compare_files
from titledeed.settings import Settings

EXAMINER = make_examiner(Settings())


def compare(first: Path, second: Path) -> Comparison:
    return compare_files(EXAMINER, index_works, first, second)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", seconds=6, seed=11)


def test_a_part_is_a_clip_of_the_whole_and_the_whole_contains_it(
    clip: Path, tmp_path: Path
) -> None:
    part = cut_clip(clip, tmp_path / "part.mp4", start_s=2, end_s=5)
    assert compare(part, clip).relation is MatchClass.CLIP_OF
    found = compare(clip, part)
    assert found.relation is MatchClass.CONTAINS
    assert found.match is not None
    (segment,) = found.match.segments
    assert segment.query.start_s == pytest.approx(2, abs=0.4)
    assert segment.work.start_s == pytest.approx(0, abs=0.4)


def test_another_coding_is_a_copy_and_only_the_same_bytes_the_same_file(
    clip: Path, tmp_path: Path
) -> None:
    again = cut_clip(clip, tmp_path / "again.mp4", start_s=0, end_s=6, scale=0.5)
    assert compare(again, clip).relation is MatchClass.COPY
    same = tmp_path / "same.mp4"
    same.write_bytes(clip.read_bytes())
    assert compare(same, clip).relation is MatchClass.SAME_FILE


def test_a_picture_of_another_scene_shares_nothing(clip: Path, tmp_path: Path) -> None:
    picture = render_picture(tmp_path / "other.png", seed=12)
    for found in (compare(picture, clip), compare(clip, picture)):
        assert found.relation is MatchClass.NONE
        assert found.match is None


def test_two_files_without_evidence_are_told_apart_by_their_bytes(tmp_path: Path) -> None:
    black, grey = (
        write_picture(tmp_path / f"{level}.png", np.full((200, 300, 3), level, np.uint8))
        for level in (0, 90)
    )
    found = compare(black, grey)
    assert found.relation is MatchClass.NONE
    assert found.first.notes and found.second.notes
    assert compare(black, black).relation is MatchClass.SAME_FILE


def test_what_cannot_be_read_is_refused(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no media")
    with pytest.raises(InputError):
        compare(clip, tmp_path / "notes.txt")
