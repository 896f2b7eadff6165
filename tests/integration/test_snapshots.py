"""What one home published is found in another, offline, and nothing else of it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from homes import Home, new_home, statement, without_chain
from media_factory import cut_clip, render_clip, render_picture

from titledeed.errors import MalformedDocumentError, NotFoundError, VerificationError
from titledeed.models.evidence import Headline, TimeCode
from titledeed.models.principal import ANONYMOUS
from titledeed.models.registration import Coverage, Visibility
from titledeed.proofs.bundles import read_bundle_file
from titledeed.services.evidence import check_bundle
from titledeed.services.registration import RegisteredFile
from titledeed.services.snapshot import Imported

pytestmark = pytest.mark.chain


@dataclass(frozen=True)
class Exchange:
    """A studio that published a clip and kept a picture, and a reader that imported."""

    studio: Home
    reader: Home
    clip: RegisteredFile
    picture: RegisteredFile
    snapshot: Path
    exported: Coverage
    imported: Imported


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    folder = tmp_path_factory.mktemp("exchange")
    clip = render_clip(folder / "clip.mp4", seconds=4, seed=1)
    picture = render_picture(folder / "picture.png", seed=2)
    with new_home(folder / "studio") as studio, new_home(folder / "reader") as reader:
        published = studio.register_one(clip, said=statement(title="Shown", publish=True))
        kept = studio.register_one(picture, said=statement(title="Kept"))
        snapshot = folder / "published.snapshot"
        exported = studio.registry.snapshots.export(snapshot, studio.owner)
        imported = reader.registry.snapshots.import_(snapshot)
        yield Exchange(studio, reader, published, kept, snapshot, exported, imported)


def test_the_snapshot_tells_what_it_covers(exchange: Exchange) -> None:
    assert exchange.exported.registrations == 1
    assert exchange.exported.exporter == exchange.studio.claimant
    assert exchange.exported.chain_id == exchange.studio.registry.chain_identity.chain_id
    assert exchange.imported == (exchange.exported, 1, ())
    assert exchange.reader.registry.snapshots.list_imported() == [exchange.exported]


def test_only_what_was_published_is_in_it(exchange: Exchange) -> None:
    data = exchange.snapshot.read_bytes()
    assert b"Shown" in data
    for secret in (
        b"Kept",
        exchange.picture.registration.registration_id.encode(),
        exchange.picture.registration.content_digest.hex().encode(),
        str(exchange.studio.registry.layout.root).encode(),
    ):
        assert secret not in data


def test_a_cut_of_what_was_published_is_found_without_any_chain(
    exchange: Exchange, tmp_path: Path
) -> None:
    cut = cut_clip(Path(exchange.clip.source), tmp_path / "cut.mp4", start_s=0, end_s=3, crf=28)
    with without_chain(exchange.reader) as offline:
        report = offline.verify(cut)
    assert report.headline is Headline.REGISTERED_MATCH
    (claim,) = report.claims
    assert claim.registration_id == exchange.clip.registration.registration_id
    assert claim.claimant == exchange.studio.claimant
    assert not claim.mine
    assert claim.time.code == TimeCode.SELF_KEPT
    assert "was not asked" in claim.time.reason
    assert report.recovered is not None
    assert report.titles == {claim.registration_id: "Shown"}


def test_what_was_kept_is_not_found(exchange: Exchange) -> None:
    report = exchange.reader.verify(Path(exchange.picture.source))
    assert report.headline is Headline.NO_RECORD


def test_an_imported_registration_is_public_and_proven(exchange: Exchange) -> None:
    service = exchange.reader.registry.registration
    registration_id = exchange.clip.registration.registration_id
    registration = service.get(registration_id, ANONYMOUS)
    assert registration.snapshot_id == exchange.exported.snapshot_id
    assert registration.signed_path is None
    assert service.thumbnail(registration) == b""
    path = service.bundle_path(registration)
    assert path is not None
    bundle = read_bundle_file(Path(path).read_bytes())
    assert check_bundle(bundle, registration.content_digest).holds
    assert bundle == read_bundle_file(Path(exchange.clip.bundle_path or "").read_bytes())


def test_an_imported_registration_is_nothing_of_ones_own(
    exchange: Exchange, tmp_path: Path
) -> None:
    registry = exchange.reader.registry
    registration_id = exchange.clip.registration.registration_id
    with pytest.raises(NotFoundError):
        registry.registration.set_visibility(registration_id, Visibility.PRIVATE, registry.owner)
    with pytest.raises(NotFoundError):
        registry.registration.complete(registration_id, registry.owner)
    assert exchange.reader.adapters.registrations.count_own() == 0
    assert registry.snapshots.export(tmp_path / "again.snapshot", registry.owner).registrations == 0


def test_importing_again_or_at_home_adds_nothing(exchange: Exchange) -> None:
    indexed = list(exchange.reader.adapters.repositories.fingerprints.iter_fingerprints(0))
    assert exchange.reader.registry.snapshots.import_(exchange.snapshot) == (
        exchange.exported,
        0,
        (),
    )
    assert list(exchange.reader.adapters.repositories.fingerprints.iter_fingerprints(0)) == indexed
    studio = exchange.studio.registry
    assert studio.snapshots.import_(exchange.snapshot)[1] == 0
    registration = studio.registration.get(exchange.clip.registration.registration_id, studio.owner)
    assert registration.is_own
    assert exchange.studio.verify(Path(exchange.clip.source)).claims[0].mine


def test_a_changed_snapshot_is_refused_and_adds_nothing(exchange: Exchange, tmp_path: Path) -> None:
    data = exchange.snapshot.read_bytes()
    title = data.index(b'"text":"Shown"') + len(b'"text":"')
    sentence = data.index(b"Shown")
    forgeries = {
        "another sentence": data[:sentence] + b"Taken" + data[sentence + 5 :],
        "another title": data[:title] + b"Taken" + data[title + 5 :],
        "cut short": data[:-200],
        "without its last line": data[: data.rindex(b"\n", 0, -1) + 1],
    }
    with new_home(tmp_path / "home") as home:
        for name, forged in forgeries.items():
            path = tmp_path / name
            path.write_bytes(forged)
            with pytest.raises((MalformedDocumentError, VerificationError)) as raised:
                home.registry.snapshots.import_(path)
            assert raised.value.message
        assert home.registry.snapshots.list_imported() == []
        assert list(home.adapters.repositories.fingerprints.iter_fingerprints(0)) == []
        assert home.adapters.objects.keys("bundles/") == []
        assert home.verify(Path(exchange.clip.source)).headline is Headline.NO_RECORD
        # The true one is imported all the same.
        assert home.registry.snapshots.import_(exchange.snapshot)[1] == 1


def test_what_is_unpublished_is_missing_from_the_next_snapshot(
    exchange: Exchange, tmp_path: Path
) -> None:
    service = exchange.studio.registry.registration
    registration_id = exchange.clip.registration.registration_id
    service.set_visibility(registration_id, Visibility.PRIVATE, exchange.studio.owner)
    later = exchange.studio.registry.snapshots.export(
        tmp_path / "later.snapshot", exchange.studio.owner
    )
    service.set_visibility(registration_id, Visibility.PUBLISHED, exchange.studio.owner)
    assert later.registrations == 0
    assert later != dataclasses.replace(exchange.exported, registrations=0)
    # Who imported the earlier one keeps it: a snapshot cannot be called back.
    exchange.reader.registry.snapshots.import_(tmp_path / "later.snapshot")
    report = exchange.reader.verify(Path(exchange.clip.source))
    assert report.headline is Headline.REGISTERED_EXACT


def test_what_another_home_claims_can_be_claimed_beside_it(
    exchange: Exchange, tmp_path: Path
) -> None:
    """The reader registers what it knows from elsewhere: two claimants, two registrations."""
    source = render_picture(tmp_path / "a.png", seed=9)
    theirs = exchange.studio.register_one(source, said=statement(publish=True))
    exchange.studio.registry.snapshots.export(tmp_path / "a.snapshot", exchange.studio.owner)
    exchange.reader.registry.snapshots.import_(tmp_path / "a.snapshot")
    mine = exchange.reader.register_one(source)
    assert mine.created
    assert mine.registration.registration_id != theirs.registration.registration_id
    report = exchange.reader.verify(source)
    # Only its own chain's order can be shown here, so what that chain holds comes first.
    assert [claim.mine for claim in report.claims] == [True, False]
