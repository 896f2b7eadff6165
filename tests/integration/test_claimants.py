"""Who claimed first: update manifests, forged labels, second claimants, made-up times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import c2pa
import pytest
from builders import build_claimant, build_dossier
from credential_builders import build_draft, sign_definition
from evidence_builders import build_sound_bundles, claim_elsewhere, with_own, write_snapshot
from homes import (
    Home,
    Studio,
    copied_home,
    home_beside,
    share,
    signed_copy,
    statement,
)
from render_media import render_picture

from titledeed.credentials.authority import open_signing_identity, root_certificate
from titledeed.credentials.manifest import build_definition
from titledeed.media.digests import digest_file
from titledeed.models.asset import MediaType
from titledeed.models.claim import SigningDomain
from titledeed.models.evidence import (
    Headline,
    IntegrityCode,
    RegistryCode,
    TrustCode,
)
from titledeed.models.primitives import BlockHash, Keccak256
from titledeed.models.principal import ANONYMOUS
from titledeed.models.registration import Registration, Visibility
from titledeed.ports import ManifestDraft
from titledeed.services.evidence import check_bundle
from titledeed.services.registration import RegisteredFile
from titledeed_api.documents import verification_document

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory: pytest.TempPathFactory, studio: Studio) -> Iterator[Home]:
    """Another claimant, whose home anchors on the studio's chain."""
    folder = tmp_path_factory.mktemp("neighbour") / "home"
    with home_beside(studio.home, folder, organization="Neighbour") as home:
        yield home


@pytest.fixture(scope="module")
def published(studio: Studio, neighbour: Home) -> Registration:
    source = render_picture(studio.sources.parent / "contested.png", seed=40)
    first = studio.home.register_one(source, said=statement(title="First", publish=True))
    share(studio.home, neighbour, studio.sources.parent)
    return first.registration


@pytest.fixture(scope="module")
def contested(studio: Studio, neighbour: Home, published: Registration) -> RegisteredFile:
    source = studio.sources.parent / "contested.png"
    return neighbour.register_one(source, said=statement(title="Second"))


def sign_anew(home: Home, outcome: RegisteredFile, destination: Path) -> Path:
    """Another signed copy of a registered source, unknown to every registry."""
    dossier = home.adapters.vault.dossiers.read(outcome.registration.registration_id)
    draft = ManifestDraft(
        title="Anew",
        media_type=MediaType(dossier.record.facts.media_type),
        signed_claim=dossier.record.signed_claim,
        disclosure=dossier.disclosure,
        soft_bindings=(),
    )
    home.adapters.signer.sign(Path(outcome.source), destination, draft)
    return destination


class TestOtherManifests:
    """Files that carry a recorded claim, but not the recorded bytes."""

    @pytest.fixture
    def updated(self, studio: Studio, tmp_path: Path) -> Path:
        """The signed clip after the studio added a receipt to it."""
        layout = studio.home.registry.layout
        passphrase = layout.passphrase_file.read_text().strip()
        path = tmp_path / "updated.mp4"
        path.write_bytes(
            sign_definition(
                open_signing_identity(layout.signing_identity, passphrase),
                root_certificate(layout.signing_identity),
                studio.signed_clip.read_bytes(),
                MediaType.MP4,
                {"assertions": []},
                intent=c2pa.C2paBuilderIntent.UPDATE,
            )
        )
        return path

    def test_an_update_manifest_changes_the_bytes_and_not_the_identity(
        self, studio: Studio, updated: Path
    ) -> None:
        assert digest_file(updated) != studio.clip.registration.signed_digest
        report = studio.home.verify(updated)
        assert report.headline is Headline.REGISTERED_EXACT
        assert report.claims[0].registration_id == studio.clip.registration.registration_id
        assert report.answers.integrity.code == IntegrityCode.INTACT
        again = studio.home.register_one(updated)
        assert again.registration == studio.clip.registration

    def test_an_update_signed_by_nobody_trusted_is_a_match_only(
        self, studio: Studio, rival: Home, updated: Path
    ) -> None:
        """Anybody may write the label of a recorded manifest into a file of their own."""
        service = studio.home.registry.registration
        registration_id = studio.clip.registration.registration_id
        service.set_visibility(registration_id, Visibility.PUBLISHED, studio.home.owner)
        share(studio.home, rival, updated.parent)
        service.set_visibility(registration_id, Visibility.PRIVATE, studio.home.owner)
        report = rival.verify(updated)
        assert report.answers.trust.code == TrustCode.UNTRUSTED
        assert report.headline is Headline.REGISTERED_MATCH

    def test_a_forged_label_is_not_the_identity(
        self, studio: Studio, rival: Home, tmp_path: Path
    ) -> None:
        """The rival's picture carries a manifest under the label of the studio's own."""
        layout = rival.registry.layout
        forged = tmp_path / "forged.png"
        source = render_picture(tmp_path / "theirs.png", seed=63)
        forged.write_bytes(
            sign_definition(
                open_signing_identity(
                    layout.signing_identity, layout.passphrase_file.read_text().strip()
                ),
                root_certificate(layout.signing_identity),
                source.read_bytes(),
                MediaType.PNG,
                {
                    **build_definition(
                        build_draft(MediaType.PNG), generator_version="1", has_parent=False
                    ),
                    "label": studio.picture.registration.manifest_id,
                },
            )
        )
        report = studio.home.verify(forged)
        assert report.answers.integrity.code == IntegrityCode.INTACT
        assert report.headline is Headline.SIGNED_NOT_REGISTERED
        outcome = studio.home.register_one(forged)
        assert outcome.created
        assert outcome.registration != studio.picture.registration

    def test_a_private_first_claim_adds_nothing_for_the_public(
        self, studio: Studio, rival: Home, tmp_path: Path
    ) -> None:
        """The rival signs the content anew, which the studio had claimed first, in private."""
        source = render_picture(tmp_path / "shared.png", seed=62)
        studio.home.register_one(source)
        theirs = rival.register_one(source, said=statement(publish=True))
        anew = sign_anew(rival, theirs, tmp_path / "anew.png")
        expected = rival.verify(anew, ANONYMOUS)
        assert expected.headline is Headline.REGISTERED_MATCH
        share(rival, studio.home, tmp_path)
        report = studio.home.verify(anew, ANONYMOUS)
        assert report.headline is expected.headline
        assert report.matches == expected.matches
        assert [claim.claimant for claim in report.claims] == [rival.claimant]
        # Its owner is told of the conflict.
        assert studio.home.verify(anew).headline is Headline.CONFLICT


class TestTwoClaimants:
    """The neighbour knows what the studio published, and claims the same content later."""

    def test_an_earlier_claim_is_shown_to_who_claims_again(
        self, contested: RegisteredFile, published: Registration
    ) -> None:
        assert contested.created
        assert contested.registration.registration_id != published.registration_id
        earlier = contested.similar[0]
        assert earlier.registration.registration_id == published.registration_id
        assert not earlier.mine

    def test_a_file_signed_by_the_later_claimant_is_a_conflict_in_both_homes(
        self, studio: Studio, neighbour: Home, contested: RegisteredFile, published: Registration
    ) -> None:
        for home in (neighbour, studio.home):
            report = home.verify(signed_copy(contested))
            assert report.headline is Headline.CONFLICT
            assert report.answers.registry.code == RegistryCode.CONFLICT
            assert report.claims[0].claimant == published.claimant
            assert contested.registration.claimant in report.sentence

    def test_the_later_claim_changes_nothing_for_the_first(
        self, studio: Studio, neighbour: Home, contested: RegisteredFile, published: Registration
    ) -> None:
        assert contested.created
        assert published.signed_path is not None
        source = studio.sources.parent / "contested.png"
        for home in (studio.home, neighbour):
            for path in (source, Path(published.signed_path)):
                report = home.verify(path)
                assert report.headline is Headline.REGISTERED_EXACT
                assert report.claims[0].claimant == published.claimant

    def test_claims_of_both_stand_in_order(
        self, neighbour: Home, contested: RegisteredFile, published: Registration
    ) -> None:
        report = neighbour.verify(Path(contested.source))
        assert [claim.registration_id for claim in report.claims] == [
            published.registration_id,
            contested.registration.registration_id,
        ]
        assert [claim.mine for claim in report.claims] == [False, True]
        assert report.claims[0].at is not None
        assert report.claims[1].at is not None
        assert report.claims[0].at < report.claims[1].at

    def test_a_time_of_another_homes_own_chain_displaces_nobody(
        self, studio: Studio, rival: Home, tmp_path: Path
    ) -> None:
        """The rival's chain says that the rival was first; any chain of one's own can say so."""
        source = render_picture(tmp_path / "a.png", seed=41)
        rival.register_one(source, said=statement(publish=True))
        mine = studio.home.register_one(source)
        before = verification_document(studio.home.verify(signed_copy(mine)))
        share(rival, studio.home, tmp_path)
        report = studio.home.verify(signed_copy(mine))
        assert report.headline is Headline.REGISTERED_EXACT
        assert report.sentence == before["sentence"]
        assert [claim.mine for claim in report.claims] == [True, False]
        assert "another home keeps itself" in report.claims[1].time.reason

    def test_a_bundle_that_pretends_to_be_of_this_chain_displaces_nobody(
        self, studio: Studio, tmp_path: Path
    ) -> None:
        """All that is checked offline holds; its block, the first ever, is made up."""
        mine = studio.home.register_one(render_picture(tmp_path / "a.png", seed=42))
        chain = studio.home.registry.chain_identity
        stranger = build_claimant(66)
        dossier = claim_elsewhere(
            build_dossier(66, claimant=66, content_digest=mine.registration.content_digest),
            stranger,
            SigningDomain(chain.chain_id, chain.contract),
        )
        other = replace(chain, genesis_hash=BlockHash(Keccak256(bytes(32))))
        for number, pretended in enumerate((chain, other)):
            (bundle,) = build_sound_bundles([dossier], chain=pretended)
            anchor = replace(bundle.own.anchor, block_timestamp=1)
            forged = with_own(bundle, anchor=anchor, state_proof=None)  # which would tell the time
            assert check_bundle(forged).holds
            path = tmp_path / f"{number}.snapshot"
            path.write_bytes(write_snapshot([forged]))
            with copied_home(studio.home, tmp_path / str(number)) as home:
                assert home.registry.snapshots.import_(path)[1] == 1
                report = home.verify(signed_copy(mine))
                assert report.headline is Headline.REGISTERED_EXACT
                assert [claim.mine for claim in report.claims] == [True, False]
