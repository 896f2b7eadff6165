"""Erasing a work of a real home, while others have it open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import homes
import pytest
from homes import Home, Studio

from titledeed.bootstrap.homes import erase
from titledeed.errors import NotFoundError
from titledeed.models.evidence import Headline
from titledeed.services.evidence import check_bundle

pytestmark = pytest.mark.chain


@pytest.fixture
def server(own_studio: Studio) -> Iterator[Home]:
    """Another user of the home, who has searched before and keeps all codes in memory."""
    with homes.opened(own_studio.home.settings) as server:
        assert server.verify(own_studio.sources / "clip.mp4").headline is Headline.REGISTERED_EXACT
        yield server


def test_nobody_finds_an_erased_work_again(
    own_studio: Studio, server: Home, tmp_path: Path
) -> None:
    from media_factory import cut_clip

    cut = cut_clip(own_studio.sources / "clip.mp4", tmp_path / "cut.mp4", start_s=1, end_s=5)
    assert server.verify(cut).headline is Headline.REGISTERED_MATCH
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(own_studio.signed_clip.read_bytes())
    erase(own_studio.home.settings, own_studio.clip.registration.registration_id)
    for path in (cut, own_studio.sources / "clip.mp4"):
        assert server.verify(path).headline is Headline.NO_RECORD, path
    # A copy that was given away still names its claimant; nothing here proves it.
    assert server.verify(copy).headline is Headline.SIGNED_NOT_REGISTERED
    with pytest.raises(NotFoundError):
        server.registry.registration.get(own_studio.clip.registration.registration_id, server.owner)


def test_the_others_of_its_batch_are_proven_as_before(own_studio: Studio, server: Home) -> None:
    erase(own_studio.home.settings, own_studio.clip.registration.registration_id)
    for kept in (own_studio.webm, own_studio.picture):
        found = server.registry.registration.get(kept.registration.registration_id, server.owner)
        bundle = server.registry.claims.find_bundle(replace(found, has_bundle=False))
        assert bundle is not None
        report = check_bundle(bundle)
        assert report.holds, report.checks


def test_it_may_be_registered_again_with_a_later_anchor(own_studio: Studio, server: Home) -> None:
    before = own_studio.clip.registration
    erase(own_studio.home.settings, before.registration_id)
    again = server.register_one(own_studio.sources / "clip.mp4")
    assert again.created
    after = again.registration
    assert after.registration_id == before.registration_id
    assert after.leaf != before.leaf
    assert after.anchor is not None
    assert before.anchor is not None
    assert after.anchor.sequence > before.anchor.sequence
    assert server.verify(own_studio.sources / "clip.mp4").headline is Headline.REGISTERED_EXACT


def test_what_waits_may_be_erased_before_it_is_anchored(own_studio: Studio, tmp_path: Path) -> None:
    from render_media import render_picture

    waits = own_studio.home.register_one(render_picture(tmp_path / "w.png", seed=90), wait=False)
    erase(own_studio.home.settings, waits.registration.registration_id)
    assert own_studio.home.adapters.outbox.count_waiting() == (0, None)
    own_studio.home.registry.anchoring.anchor_now()
