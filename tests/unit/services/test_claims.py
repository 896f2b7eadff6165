"""Claims: which evidence of time counts, and when the chain is asked at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from builders import OWNER, build_claimant, build_dossier, build_fingerprints
from chain_builders import sender_of
from chain_desk import withdrawal
from evidence_builders import build_sound_bundles, claim_elsewhere, with_own
from homes import signed_copy, statement
from service_desk import ServiceDesk, development_chain, public_chain
from simulation.index_simulator import match_of
from simulation.ledger_simulator import Fate, LedgerSimulator
from simulation.simulated_media import write_media

from titledeed.anchoring.following import FollowedRows
from titledeed.errors import LedgerUnavailableError
from titledeed.models.bundle import Bundle
from titledeed.models.evidence import ChainKind, Headline, TimeCode, VerificationReport
from titledeed.models.registration import Registration
from titledeed.services.registration import RegisteredFile

CODES_EACH: Final = len(build_fingerprints(0))


def time_of(report: VerificationReport) -> tuple[str, str]:
    (claim,) = report.claims
    return claim.time.code, claim.time.reason


def put_in_a_block(desk: ServiceDesk, source: Path) -> Registration:
    """Anchored and followed, by a process that ended before it completed the bundle."""
    waiting = desk.register_one(source, wait=False).registration
    desk.sending.send_batch()
    desk.following.follow()
    found = desk.find(waiting.registration_id)
    assert found.anchor is not None
    assert not found.has_bundle
    return found


def forge_bundle(desk: ServiceDesk, seed: int) -> Bundle:
    """A bundle that names the desk's chain and contract, on which it never was."""
    holder = build_claimant(5)
    dossier = claim_elsewhere(build_dossier(seed, claimant=5), holder, desk.domain)
    (bundle,) = build_sound_bundles([dossier], chain=desk.ledger.identity)
    return bundle


def find_in_everything(desk: ServiceDesk, *works: Registration) -> Path:
    """A file in which the index finds these works."""
    matches = [match_of(one.registration_id) for one in works]
    desk.index.tell(build_fingerprints(99), *matches)
    return desk.write("query.png", 99)


class TestWhenTheChainIsAsked:
    @pytest.fixture(autouse=True)
    def _counted(self, desk: ServiceDesk) -> None:
        desk.follower.calls = 0

    def test_not_where_nothing_is_found(self, desk: ServiceDesk, source: Path) -> None:
        desk.ledger.go_down()
        assert desk.verify(source).headline is Headline.NO_RECORD
        assert desk.follower.calls == 0

    def test_not_for_what_waits_for_its_block(self, desk: ServiceDesk, source: Path) -> None:
        desk.register_one(source, wait=False)
        desk.ledger.go_down()
        report = desk.verify(source)
        assert report.headline is Headline.REGISTERED_EXACT
        assert "not anchored yet" in report.sentence
        code, reason = time_of(report)
        assert (code, desk.follower.calls) == (TimeCode.CLAIMED_ONLY, 0)
        assert "waits for its block" in reason

    def test_not_for_claims_of_other_chains(self, desk: ServiceDesk) -> None:
        works = [
            desk.import_bundle(bundle)
            for bundle in build_sound_bundles([build_dossier(seed) for seed in (1, 2)])
        ]
        query = find_in_everything(desk, *works)
        desk.ledger.go_down()
        assert len(desk.verify(query).claims) == 2
        assert desk.follower.calls == 0

    def test_once_for_however_many_claims(self, desk: ServiceDesk) -> None:
        sources = [desk.write(f"{seed}.png", seed) for seed in range(4)]
        works = [desk.register_one(one).registration for one in sources]
        desk.follower.calls = 0
        assert len(desk.verify(find_in_everything(desk, *works)).claims) == 4
        assert desk.follower.calls == 1

    def test_once_where_the_manifest_and_the_bytes_lead_to_claims(
        self, desk: ServiceDesk, source: Path
    ) -> None:
        outcome = desk.register_one(source)
        desk.follower.calls = 0
        desk.verify(signed_copy(outcome))
        assert desk.follower.calls == 1

    def test_each_claim_is_judged_once(self, desk: ServiceDesk, source: Path) -> None:
        outcome = desk.register_one(source)
        reading = desk.claims.begin(OWNER)
        (first,) = reading.tell([outcome.registration])
        (again, same) = reading.tell([outcome.registration, outcome.registration])
        assert first == again == same
        assert len(desk.code_checks.checked) == CODES_EACH

    def test_a_chain_that_is_down_is_an_error_and_no_answer(
        self, desk: ServiceDesk, source: Path
    ) -> None:
        desk.register_one(source)
        desk.ledger.go_down()
        with pytest.raises(LedgerUnavailableError):
            desk.verify(source)

    def test_a_forged_bundle_that_names_our_chain_has_it_asked(self, desk: ServiceDesk) -> None:
        forged = desk.import_bundle(forge_bundle(desk, 3))
        query = find_in_everything(desk, forged)
        desk.ledger.go_down()
        with pytest.raises(LedgerUnavailableError):
            desk.verify(query)


class TestTime:
    @pytest.mark.parametrize(
        ("chain", "code", "words"),
        [
            (development_chain, TimeCode.SELF_KEPT, "order inside this home only"),
            (public_chain, TimeCode.PUBLIC_CHAIN, "by chain 31338"),
        ],
    )
    def test_of_the_chain_that_is_followed(
        self, tmp_path: Path, chain: Callable[[], LedgerSimulator], code: TimeCode, words: str
    ) -> None:
        desk = ServiceDesk(tmp_path / "home", chain())
        outcome = desk.register_one(desk.write("a.png", 1))
        report = desk.verify(Path(outcome.source))
        assert time_of(report)[0] == report.answers.time.code == code
        assert words in time_of(report)[1]
        assert outcome.registration.anchor is not None
        assert report.claims[0].at == outcome.registration.anchor.block_timestamp
        assert report.claims[0].asked
        desk.close()

    @pytest.mark.parametrize(
        ("kind", "code", "words"),
        [
            (ChainKind.DEVELOPMENT, TimeCode.SELF_KEPT, "another home keeps itself"),
            (ChainKind.PUBLIC, TimeCode.CLAIMED_ONLY, "compare the block hash"),
        ],
    )
    def test_of_another_chain(
        self, desk: ServiceDesk, kind: ChainKind, code: TimeCode, words: str
    ) -> None:
        bundle = build_sound_bundles([build_dossier(1)])[0]
        foreign = with_own(bundle, chain=replace(bundle.own.chain, kind=kind))
        query = find_in_everything(desk, desk.import_bundle(foreign))
        report = desk.verify(query)
        assert time_of(report)[0] == code
        assert words in time_of(report)[1]
        (claim,) = report.claims
        assert (claim.asked, claim.entries) == (False, ())
        assert claim.at == bundle.own.anchor.block_timestamp

    def test_a_bundle_that_is_not_completed_is_judged_by_what_is_kept(
        self, desk: ServiceDesk, source: Path
    ) -> None:
        found = put_in_a_block(desk, source)
        before = desk.list_everything()
        assert time_of(desk.verify(source))[0] == TimeCode.SELF_KEPT
        assert desk.list_everything() == before
        assert not desk.find(found.registration_id).has_bundle

    def test_a_proof_that_does_not_hold_shows_no_time(
        self, desk: ServiceDesk, source: Path
    ) -> None:
        outcome = desk.register_one(source)
        bundle = desk.vault.bundles.read(outcome.registration.registration_id)
        other = desk.vault.bundles.read(
            desk.register_one(desk.write("b.png", 2)).registration.registration_id
        )
        desk.vault.bundles.keep(with_own(bundle, raw_transaction=other.own.raw_transaction))
        report = desk.verify(source)
        code, reason = time_of(report)
        assert code == TimeCode.NONE
        assert "The stored proof does not hold" in reason
        assert (report.claims[0].at, report.claims[0].asked) == (None, False)
        assert "at a time that nothing shows" in report.sentence

    def test_an_anchor_that_the_chain_does_not_hold_shows_none(self, desk: ServiceDesk) -> None:
        query = find_in_everything(desk, desk.import_bundle(forge_bundle(desk, 3)))
        code, reason = time_of(desk.verify(query))
        assert code == TimeCode.NONE
        assert "does not hold the anchor" in reason

    def test_an_anchor_of_another_time_than_the_chains_shows_none(
        self, desk: ServiceDesk, rival: ServiceDesk
    ) -> None:
        """The exporter dates an anchor back that the chain does hold."""
        outcome = rival.register_one(rival.write("b.png", 2))
        bundle = rival.vault.bundles.read(outcome.registration.registration_id)
        anchor = replace(bundle.own.anchor, block_timestamp=bundle.own.anchor.block_timestamp - 1)
        query = find_in_everything(desk, desk.import_bundle(with_own(bundle, anchor=anchor)))
        assert time_of(desk.verify(query))[0] == TimeCode.NONE

    def test_a_reorganisation_gives_the_time_of_the_new_block(
        self, desk: ServiceDesk, source: Path
    ) -> None:
        first = desk.register_one(source).registration
        desk.ledger.reorganise(1, fate=Fate.INCLUDE)
        (claim,) = desk.verify(source).claims
        moved = desk.find(first.registration_id)
        assert moved.anchor != first.anchor
        assert moved.anchor is not None
        assert (claim.at, claim.time.code) == (moved.anchor.block_timestamp, TimeCode.SELF_KEPT)

    def test_a_reorganisation_that_takes_the_anchor_leaves_the_claimants_clock(
        self, desk: ServiceDesk, source: Path
    ) -> None:
        desk.register_one(source)
        desk.ledger.reorganise(1, fate=Fate.VANISH, length=2)
        report = desk.verify(source)
        assert report.headline is Headline.REGISTERED_EXACT
        assert time_of(report)[0] == TimeCode.CLAIMED_ONLY

    def test_what_is_asked_comes_first_and_each_part_in_its_order(self, desk: ServiceDesk) -> None:
        foreign = desk.import_bundle(build_sound_bundles([build_dossier(50)])[0])
        sources = [desk.write(f"{seed}.png", seed) for seed in (1, 2, 3)]
        first, second = (desk.register_one(one).registration for one in sources[:2])
        waiting = desk.register_one(sources[2], wait=False).registration
        query = find_in_everything(desk, waiting, foreign, second, first)
        told = [claim.registration_id for claim in desk.verify(query).claims]
        assert told == [one.registration_id for one in (first, second, foreign, waiting)]


class TestHomesThatCannotBeWritten:
    @pytest.fixture
    def reader(self, desk: ServiceDesk, tmp_path: Path) -> Iterator[ServiceDesk]:
        """The same home, whose rows are all that is asked."""
        reader = ServiceDesk(
            tmp_path / "home",
            desk.ledger,
            follower=lambda desk: FollowedRows(desk.chain, desk.ledger.identity.contract),
        )
        yield reader
        reader.close()

    def test_what_was_followed_before_is_told_with_its_block(
        self, desk: ServiceDesk, reader: ServiceDesk, source: Path
    ) -> None:
        desk.register_one(source)
        desk.ledger.go_down()
        report = reader.verify(source)
        code, reason = time_of(report)
        assert code == TimeCode.SELF_KEPT
        assert "was not asked, because this home cannot be written: as of block 1" in reason

    def test_an_anchor_that_the_rows_do_not_hold_is_told_with_their_block(
        self, desk: ServiceDesk, reader: ServiceDesk, source: Path
    ) -> None:
        desk.register_one(source)
        query = find_in_everything(reader, desk.import_bundle(forge_bundle(desk, 3)))
        code, reason = time_of(reader.verify(query))
        assert code == TimeCode.NONE
        assert reason.endswith("as of block 1.")

    def test_where_the_chain_was_never_followed_only_the_bundle_speaks(
        self, desk: ServiceDesk, reader: ServiceDesk, rival: ServiceDesk
    ) -> None:
        theirs = rival.share_with(desk, rival.register_one(rival.write("b.png", 2)))
        report = reader.verify(find_in_everything(reader, theirs))
        code, reason = time_of(report)
        assert code == TimeCode.CLAIMED_ONLY
        assert "never followed it" in reason
        assert not report.claims[0].asked


class TestEntries:
    def test_what_the_followed_chain_says_of_a_claim_travels_with_it(
        self, desk: ServiceDesk, source: Path
    ) -> None:
        outcome = desk.register_one(source)
        desk.ledger.submit_as(sender_of("a stranger"), withdrawal(outcome.registration.leaf))
        (entry,) = desk.verify(source).claims[0].entries
        assert (entry.kind, entry.counts) == ("withdrawn", False)

    def test_a_proof_that_does_not_hold_has_none(self, desk: ServiceDesk, source: Path) -> None:
        outcome = desk.register_one(source)
        desk.ledger.submit_as(sender_of("a stranger"), withdrawal(outcome.registration.leaf))
        bundle = desk.vault.bundles.read(outcome.registration.registration_id)
        desk.vault.bundles.keep(with_own(bundle, raw_transaction=b"another"))
        assert desk.verify(source).claims[0].entries == ()


class TestWhatIsNotKeptAnyMore:
    @pytest.fixture
    def anchored(self, desk: ServiceDesk, source: Path) -> RegisteredFile:
        return desk.register_one(source)

    def test_without_a_dossier_there_is_no_manifest_to_recover(
        self, desk: ServiceDesk, anchored: RegisteredFile
    ) -> None:
        desk.vault.dossiers.delete(anchored.registration.registration_id)
        assert desk.claims.read_manifest_store(anchored.registration) == b""

    @pytest.mark.parametrize("name", ["bundle", "dossier", "damaged bundle"])
    def test_one_lost_object_does_not_hide_what_else_is_known(
        self, desk: ServiceDesk, anchored: RegisteredFile, name: str
    ) -> None:
        registration_id = anchored.registration.registration_id
        other = desk.register_one(desk.write("b.png", 2)).registration
        if name == "dossier":
            desk.vault.dossiers.delete(registration_id)
        elif name == "bundle":
            desk.vault.bundles.delete(registration_id)
        else:
            desk.objects.put(desk.vault.bundles.name(registration_id), b"{}")
        report = desk.verify(find_in_everything(desk, other, anchored.registration))
        assert other.registration_id in [claim.registration_id for claim in report.claims]


def test_a_claim_of_another_encoding_is_told_by_the_index_alone(desk: ServiceDesk) -> None:
    outcome = desk.register_one(desk.write("a.png", 1), said=statement(title="A work"))
    desk.index.tell(build_fingerprints(1), match_of(outcome.registration.registration_id))
    copy = write_media(desk.media / "copy.png", 1, encoding=1)
    report = desk.verify(copy)
    assert report.headline is Headline.REGISTERED_MATCH
    assert report.answers.time.reason.startswith("Of the matched work, not of this file")
