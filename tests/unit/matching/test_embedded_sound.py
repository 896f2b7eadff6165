from __future__ import annotations

import pytest
from scenes import CodeSource, Scene, degrade, draw_scene, fingerprint
from sound_scenes import RATE_HZ, Samples, draw_music

from titledeed.fingerprinting.sound.landmarks import SoundLandmarks
from titledeed.matching.embedded import EmbeddedIndex
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.match import Channel, MatchClass, Query

WORK_S = 12.0
MUSIC = draw_music(3, seconds=WORK_S)
PICTURE = draw_scene(81, seconds=WORK_S)


def hear(samples: Samples) -> FingerprintCode:
    extractor = SoundLandmarks().start()
    extractor.add_samples(samples)
    code = extractor.finish().code
    assert code is not None
    return code


def sound_of(samples: Samples) -> Query:
    return Query((hear(samples),), len(samples) / RATE_HZ)


def film_of(scene: Scene, samples: Samples) -> Query:
    picture = fingerprint(scene)
    return Query((*picture.codes, hear(samples)), picture.duration_s)


@pytest.fixture(scope="module")
def index() -> EmbeddedIndex:
    source = CodeSource()
    source.add("film", film_of(PICTURE, MUSIC))
    source.add("other", film_of(draw_scene(82, seconds=WORK_S), draw_music(4, seconds=WORK_S)))
    source.add("song", sound_of(draw_music(5, seconds=WORK_S)))
    return EmbeddedIndex(source=source)


def test_sound_of_a_film_alone_is_a_part_of_it(index: EmbeddedIndex) -> None:
    (match,) = index.search(sound_of(MUSIC[3 * RATE_HZ : 10 * RATE_HZ]))
    (segment,) = match.segments
    assert match.registration_id == "film"
    assert match.relation is MatchClass.CLIP_OF
    assert segment.channel is Channel.SOUND
    assert segment.work.start_s - segment.query.start_s == pytest.approx(3, abs=0.15)
    assert segment.speed == pytest.approx(1, abs=0.003)


def test_copy_of_a_film_matches_by_picture_and_by_sound(index: EmbeddedIndex) -> None:
    (match,) = index.search(film_of(degrade(PICTURE), 0.5 * MUSIC))
    assert match.registration_id == "film"
    assert match.relation is MatchClass.COPY
    assert {segment.channel for segment in match.segments} == set(Channel)


def test_copy_of_a_song_is_a_copy(index: EmbeddedIndex) -> None:
    (match,) = index.search(sound_of(0.3 * draw_music(5, seconds=WORK_S)))
    assert (match.registration_id, match.relation) == ("song", MatchClass.COPY)


def test_other_pictures_to_the_same_sound_share_content(index: EmbeddedIndex) -> None:
    (match,) = index.search(film_of(draw_scene(83, seconds=WORK_S), MUSIC))
    assert match.registration_id == "film"
    assert match.relation is MatchClass.SHARES_CONTENT


def test_picture_and_sound_of_two_works_find_both(index: EmbeddedIndex) -> None:
    matches = index.search(film_of(PICTURE, draw_music(5, seconds=WORK_S)))
    channels = {m.registration_id: {s.channel for s in m.segments} for m in matches}
    assert channels == {"film": {Channel.PICTURE}, "song": {Channel.SOUND}}


def test_unknown_sound_matches_nothing(index: EmbeddedIndex) -> None:
    assert index.search(sound_of(draw_music(99, seconds=WORK_S))) == []
