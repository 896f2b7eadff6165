"""Six answers, one headline, one sentence: each code, and the order in which they count."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from typing import Final

import pytest
from builders import EPOCH, build_claimant
from verdict_builders import (
    ALTERED,
    BARE,
    CAMERA,
    CAPTURED,
    COMPOSITE,
    FIRST,
    GENERATED,
    INTACT,
    LATER,
    MANIFESTS,
    MINE,
    ONE_MATCH,
    ONE_SHARED,
    THEIRS,
    UNREADABLE,
    claim,
    entry,
    gather,
    judge,
    matched,
    registered,
    shared,
)

from titledeed.models.disclosure import source_type_uri
from titledeed.models.evidence import (
    READER_STOPPED,
    Answers,
    DisclosureCode,
    Headline,
    HistoryCode,
    IntegrityCode,
    ManifestReport,
    RegistryCode,
    TimeCode,
    TrustCode,
)
from titledeed.models.primitives import Address
from titledeed.proofs.answers import (
    Evidence,
    answer_all,
    answer_carried_disclosure,
    choose_headline,
)
from titledeed.proofs.sentences import write_sentence

NEVER_SAID: Final = re.compile(r"authentic|fake|verified owner|owner verified|human.made", re.I)


class TestHeadline:
    @pytest.mark.parametrize(
        ("integrity", "nothing", "match", "exact"),
        [
            ("no_credentials", "no_record", "registered_match", "registered_exact"),
            ("intact", "signed_not_registered", "registered_match", "registered_exact"),
            ("altered", "invalid", "invalid", "registered_exact"),
            ("unreadable", "invalid", "registered_match", "registered_exact"),
        ],
    )
    def test_the_headline_follows_from_credentials_and_registry(
        self, integrity: str, nothing: str, match: str, exact: str
    ) -> None:
        manifest = MANIFESTS[IntegrityCode(integrity)]
        assert judge(gather(manifest))[0] == nothing
        assert judge(gather(manifest, matches=ONE_MATCH))[0] == match
        assert judge(gather(manifest, exact=[FIRST]))[0] == exact

    def test_credentials_that_nobody_got_through_are_not_called_invalid(self) -> None:
        stopped = replace(UNREADABLE, failures=(READER_STOPPED,))
        assert judge(gather(stopped))[0] is Headline.NO_RECORD
        assert judge(gather(stopped))[1].integrity.code == IntegrityCode.UNREADABLE

    def test_every_headline_can_be_reached(self) -> None:
        reached = {
            judge(evidence)[0]
            for manifest in MANIFESTS.values()
            for evidence in (
                gather(manifest),
                gather(manifest, matches=ONE_MATCH),
                gather(manifest, exact=[FIRST, LATER], by=LATER.claimant),
            )
        } | {judge(gather(exact=[FIRST]))[0]}
        assert reached == set(Headline)

    @pytest.mark.parametrize(
        ("by", "headline"),
        [
            (None, Headline.REGISTERED_EXACT),
            (MINE, Headline.REGISTERED_EXACT),
            (THEIRS, Headline.CONFLICT),
            (build_claimant(2).address, Headline.CONFLICT),
        ],
    )
    def test_conflict_is_only_a_manifest_whose_claimant_is_not_the_earliest(
        self, by: Address | None, headline: Headline
    ) -> None:
        assert judge(gather(INTACT, exact=[FIRST, LATER], by=by))[0] is headline

    @pytest.mark.parametrize("later", [0, 1, 5])
    @pytest.mark.parametrize("by", [None, MINE])
    def test_a_later_claim_never_changes_a_headline(self, later: int, by: Address | None) -> None:
        others = [registered(2 + n) for n in range(later)]
        headline, answers = judge(gather(INTACT, exact=[FIRST, *others], by=by))
        assert headline is Headline.REGISTERED_EXACT
        assert answers.registry.code == RegistryCode.EXACT
        assert bool(later) == (f"{later + 1} claims exist" in answers.registry.reason)

    @pytest.mark.parametrize("asked", [True, False])
    def test_only_times_of_the_chain_that_was_asked_make_a_conflict(self, asked: bool) -> None:
        """Into a bundle of another chain anybody can write any time."""
        claims = [claim(LATER, at=1, asked=asked), claim(FIRST, at=EPOCH)]
        headline, _ = judge(gather(INTACT, exact=[LATER, FIRST], claims=claims, by=MINE))
        assert (headline is Headline.CONFLICT) is asked

    @pytest.mark.parametrize("at", [EPOCH, None])
    def test_simultaneous_and_undated_claims_make_no_conflict(self, at: int | None) -> None:
        claims = [claim(LATER, at=at), claim(FIRST, at=EPOCH)]
        headline, _ = judge(gather(INTACT, exact=[LATER, FIRST], claims=claims, by=MINE))
        assert headline is Headline.REGISTERED_EXACT

    def test_a_match_with_claims_of_others_is_no_conflict(self) -> None:
        """Whoever signed a file that merely resembles a registered one contests nothing."""
        evidence = gather(INTACT, matches=ONE_MATCH, by=THEIRS)
        assert judge(evidence)[0] is Headline.REGISTERED_MATCH


class TestAnswers:
    @pytest.mark.parametrize("code", IntegrityCode)
    def test_integrity(self, code: IntegrityCode) -> None:
        answer = judge(gather(MANIFESTS[code]))[1].integrity
        assert answer.code == code
        assert answer.reason
        for failure in MANIFESTS[code].failures:
            assert failure in answer.reason

    def test_failures_of_an_intact_manifest_are_not_held_against_it(self) -> None:
        noted = replace(INTACT, failures=("signingCredential.untrusted",))
        assert "untrusted" not in judge(gather(noted))[1].integrity.reason

    def test_a_work_that_shares_something_speaks_for_neither_time_nor_disclosure(self) -> None:
        answers = judge(gather(matches=ONE_SHARED))[1]
        assert answers.registry.code == RegistryCode.MATCH
        assert "shares something with a registered work" in answers.registry.reason
        assert answers.time.code == TimeCode.NONE
        assert answers.disclosure.code == DisclosureCode.NONE

    def test_works_that_are_shown_are_counted_apart_from_those_that_share(self) -> None:
        both = (*ONE_MATCH, (LATER, shared(matched(LATER))))
        reason = judge(gather(matches=both))[1].registry.reason
        assert "matches a registered work" in reason

    @pytest.mark.parametrize("code", TrustCode)
    def test_trust(self, code: TrustCode) -> None:
        answer = judge(gather(replace(INTACT, trust=code)))[1].trust
        assert answer.code == code
        assert ("A Studio" in answer.reason) == (code is not TrustCode.NOT_CHECKED)

    @pytest.mark.parametrize("code", HistoryCode)
    def test_history(self, code: HistoryCode) -> None:
        manifest = replace(INTACT, history=code, broken_ingredients=("a plate.jpg",))
        answer = judge(gather(manifest))[1].history
        assert answer.code == code
        assert ("a plate.jpg" in answer.reason) == (code is HistoryCode.BROKEN_INGREDIENT)

    @pytest.mark.parametrize(("one", "other"), list(product(TimeCode, repeat=2)))
    def test_the_strongest_time_counts(self, one: TimeCode, other: TimeCode) -> None:
        claims = [claim(FIRST, one), claim(LATER, other)]
        order = list(TimeCode)
        expected = order[min(order.index(one), order.index(other))]
        assert judge(gather(exact=[FIRST, LATER], claims=claims))[1].time.code == expected

    @pytest.mark.parametrize(
        ("manifest", "by", "claims", "code"),
        [
            (BARE, None, [], TimeCode.NONE),
            (INTACT, None, [], TimeCode.NONE),
            (INTACT, MINE, [], TimeCode.CLAIMED_ONLY),
            (INTACT, MINE, [TimeCode.SELF_KEPT], TimeCode.SELF_KEPT),
            (INTACT, MINE, [TimeCode.NONE], TimeCode.CLAIMED_ONLY),
            (replace(ALTERED, signed_at="2026-11-21T00:00:00Z"), None, [], TimeCode.NONE),
            (
                replace(INTACT, signed_at="2026-11-21T00:00:00Z"),
                MINE,
                [TimeCode.SELF_KEPT],
                TimeCode.RFC3161_TRUSTED,
            ),
            (
                replace(INTACT, signed_at="2026-11-21T00:00:00Z"),
                MINE,
                [TimeCode.PUBLIC_CHAIN],
                TimeCode.PUBLIC_CHAIN,
            ),
        ],
    )
    def test_time(
        self, manifest: ManifestReport, by: Address | None, claims: list[TimeCode], code: TimeCode
    ) -> None:
        shown = [claim(FIRST, known) for known in claims]
        exact = [FIRST] if claims else []
        answer = judge(gather(manifest, exact=exact, claims=shown, by=by))[1].time
        assert answer.code == code
        assert (code is TimeCode.RFC3161_TRUSTED) == ("2026-11-21" in answer.reason)

    def test_the_time_of_a_matched_work_is_not_the_files_own(self) -> None:
        answer = judge(gather(matches=ONE_MATCH))[1].time
        assert answer.code == TimeCode.SELF_KEPT
        assert answer.reason.startswith("Of the matched work, not of this file")

    def test_registry(self) -> None:
        cases = {
            RegistryCode.NONE: gather(),
            RegistryCode.MATCH: gather(matches=ONE_MATCH),
            RegistryCode.EXACT: gather(exact=[FIRST]),
            RegistryCode.CONFLICT: gather(INTACT, exact=[FIRST], by=THEIRS),
        }
        assert set(cases) == set(RegistryCode)
        for code, evidence in cases.items():
            assert judge(evidence)[1].registry.code == code

    def test_a_conflict_names_both_claimants(self) -> None:
        reason = judge(gather(INTACT, exact=[FIRST], by=THEIRS))[1].registry.reason
        assert MINE in reason
        assert THEIRS in reason

    def test_absence_is_no_evidence_either_way(self) -> None:
        answers = judge(gather())[1]
        for answer in (answers.integrity, answers.registry):
            assert "no evidence either way" in answer.reason


class TestDisclosure:
    @staticmethod
    def code_of(evidence: Evidence) -> str:
        return judge(evidence)[1].disclosure.code

    def test_nothing_states_nothing(self) -> None:
        assert self.code_of(gather()) == DisclosureCode.NONE

    def test_the_registration_declares(self) -> None:
        answer = judge(gather(exact=[FIRST]))[1].disclosure
        assert answer.code == DisclosureCode.DECLARED
        assert GENERATED in answer.reason

    def test_the_manifest_alone_declares(self) -> None:
        assert self.code_of(gather(INTACT)) == DisclosureCode.DECLARED

    def test_a_manifest_that_may_list_some_actions_only_is_ambiguous(self) -> None:
        partial = replace(INTACT, actions_complete=False)
        assert self.code_of(gather(partial)) == DisclosureCode.AMBIGUOUS
        assert answer_carried_disclosure(partial).code == DisclosureCode.AMBIGUOUS

    @pytest.mark.parametrize(
        "uri", ["http://cv.iptc.org/newscodes/digitalsourcetype/minorHumanEdits", "", "<b>", "/"]
    )
    def test_terms_that_we_do_not_know_state_nothing(self, uri: str) -> None:
        assert self.code_of(gather(replace(INTACT, source_types=(uri,)))) == DisclosureCode.NONE

    @pytest.mark.parametrize(
        "manifest", [ALTERED, replace(UNREADABLE, source_types=(source_type_uri(CAPTURED),))]
    )
    def test_credentials_that_do_not_fit_are_no_evidence(self, manifest: ManifestReport) -> None:
        assert self.code_of(gather(manifest)) == DisclosureCode.NONE
        assert self.code_of(gather(manifest, matches=ONE_MATCH)) == DisclosureCode.DECLARED
        forged = replace(manifest, source_types=(source_type_uri(CAPTURED),))
        assert self.code_of(gather(forged, exact=[FIRST])) == DisclosureCode.DECLARED

    def test_a_manifest_against_its_registration_is_contradicted(self) -> None:
        denying = replace(INTACT, source_types=(source_type_uri(CAPTURED),))
        answer = judge(gather(denying, exact=[FIRST]))[1].disclosure
        assert answer.code == DisclosureCode.CONTRADICTED
        assert GENERATED in answer.reason
        assert CAPTURED in answer.reason

    def test_two_claimants_who_disagree_on_one_content_contradict_each_other(self) -> None:
        assert self.code_of(gather(exact=[FIRST, CAMERA])) == DisclosureCode.CONTRADICTED

    def test_two_generative_terms_do_not_contradict_each_other(self) -> None:
        composite = replace(INTACT, source_types=(source_type_uri(COMPOSITE),))
        assert self.code_of(gather(composite, exact=[FIRST])) == DisclosureCode.DECLARED

    @pytest.mark.parametrize("term", ["composite", "TrainedAlgorithmicMedia ", "urn:x:robot"])
    def test_a_term_that_nobody_knows_neither_contradicts_nor_clears(self, term: str) -> None:
        """A typing error must not read as "no AI"."""
        unclear = replace(FIRST, source_type=term)
        signed = replace(INTACT, source_types=(source_type_uri(GENERATED),))
        answer = judge(gather(signed, exact=[unclear]))[1].disclosure
        assert answer.code == DisclosureCode.DECLARED
        assert term in answer.reason
        assert self.code_of(gather(exact=[unclear, CAMERA])) == DisclosureCode.DECLARED

    def test_a_stated_term_cannot_go_on_where_the_sentence_does(self) -> None:
        said = replace(FIRST, source_type="digitalCapture. A notary confirmed it")
        answer = judge(gather(exact=[said]))[1].disclosure
        assert answer.reason == "The claimant declares “digitalCapture. A notary confirmed it”."

    def test_works_at_the_same_seconds_that_disagree_contradict_each_other(self) -> None:
        matches = [(FIRST, matched(FIRST, (0, 4))), (CAMERA, matched(CAMERA, (1, 5)))]
        assert self.code_of(gather(matches=matches)) == DisclosureCode.CONTRADICTED

    def test_pictures_that_match_two_works_that_disagree_contradict_each_other(self) -> None:
        matches = [(FIRST, matched(FIRST, (0, 0))), (CAMERA, matched(CAMERA, (0, 0)))]
        assert self.code_of(gather(matches=matches)) == DisclosureCode.CONTRADICTED

    def test_a_film_may_show_a_camera_clip_after_a_generated_one(self) -> None:
        """Two works one after the other, each with a disclosure of its own."""
        matches = [(FIRST, matched(FIRST, (0, 4))), (CAMERA, matched(CAMERA, (3.75, 8)))]
        answer = judge(gather(matches=matches))[1].disclosure
        assert answer.code == DisclosureCode.DECLARED
        assert GENERATED in answer.reason
        assert CAPTURED in answer.reason

    def test_a_film_signed_as_captured_that_shows_a_generated_work_is_contradicted(self) -> None:
        denying = replace(INTACT, source_types=(source_type_uri(CAPTURED),))
        assert self.code_of(gather(denying, matches=ONE_MATCH)) == DisclosureCode.CONTRADICTED

    def test_a_film_signed_as_partly_generated_may_show_a_camera_clip(self) -> None:
        composite = replace(INTACT, source_types=(source_type_uri(COMPOSITE),))
        matches = [(CAMERA, matched(CAMERA))]
        assert self.code_of(gather(composite, matches=matches)) == DisclosureCode.DECLARED


class TestSentence:
    @staticmethod
    def sentence_of(evidence: Evidence) -> str:
        return write_sentence(choose_headline(evidence, answer_all(evidence)), evidence)

    def test_a_cut_names_work_seconds_claimant_and_time(self) -> None:
        sentence = self.sentence_of(gather(matches=ONE_MATCH))
        assert "Seconds 0.0 to 4.0 of this file are seconds 3.0 to 7.0 of “Work 1”" in sentence
        assert MINE in sentence
        assert "2026-" in sentence
        assert sentence.endswith("UTC.")

    def test_a_mirrored_cut_says_so(self) -> None:
        mirrored = ((FIRST, matched(FIRST, mirrored=True)),)
        assert ", mirrored," in self.sentence_of(gather(matches=mirrored))

    def test_a_picture_has_no_seconds(self) -> None:
        sentence = self.sentence_of(gather(matches=((FIRST, matched(FIRST, (0, 0))),)))
        assert sentence.startswith("This picture matches “Work 1”")

    def test_a_second_take_is_never_said_to_be_the_work(self) -> None:
        sentence = self.sentence_of(gather(matches=ONE_SHARED))
        assert sentence.startswith(
            "Seconds 0.0 to 4.0 of this file share content with seconds 3.0 to 7.0 of “Work 1”"
        )

    def test_a_sibling_picture_is_never_said_to_match(self) -> None:
        sibling = shared(matched(FIRST, (0, 0)))
        sentence = self.sentence_of(gather(matches=((FIRST, sibling),)))
        assert sentence.startswith("This picture shares content with “Work 1”")

    def test_other_works_are_counted(self) -> None:
        matches = (*ONE_MATCH, (CAMERA, matched(CAMERA)))
        assert "1 more registered work" in self.sentence_of(gather(matches=matches))

    def test_a_claim_without_a_block_has_no_time(self) -> None:
        claims = [claim(FIRST, TimeCode.CLAIMED_ONLY, None)]
        assert "not anchored yet" in self.sentence_of(gather(exact=[FIRST], claims=claims))

    def test_a_claim_whose_proof_does_not_hold_has_no_time(self) -> None:
        claims = [claim(FIRST, TimeCode.NONE, None)]
        assert "nothing shows" in self.sentence_of(gather(exact=[FIRST], claims=claims))

    def test_a_conflict_names_both_and_does_not_say_what_the_file_is(self) -> None:
        """Anybody may sign a file of anything with a claim on content that others claimed."""
        sentence = self.sentence_of(gather(INTACT, exact=[FIRST, LATER], by=THEIRS))
        assert sentence.startswith(f"This file's credentials name {THEIRS} for “Work 1”, claimed")
        assert MINE in sentence

    @pytest.mark.parametrize(
        ("kind", "words"),
        [
            ("withdrawn", "withdrawn on 2026-09-22 14:13:20 UTC"),
            ("superseded", "superseded on 2026-09-22"),
            ("issued", "given a deed on 2026-09-22"),
            ("key_lost", "its key declared lost on 2026-09-22"),
            ("key_replaced", "its key declared replaced on 2026-09-22"),
        ],
    )
    def test_what_changes_the_worth_of_a_claim_is_named(self, kind: str, words: str) -> None:
        claims = [replace(claim(FIRST), entries=(entry(kind),))]
        for found in (
            gather(exact=[FIRST], claims=claims),
            gather(matches=ONE_MATCH, claims=claims),
        ):
            assert words in self.sentence_of(found)

    def test_a_withdrawn_claim_is_still_found(self) -> None:
        claims = [replace(claim(FIRST), entries=(entry("withdrawn"),))]
        assert judge(gather(exact=[FIRST], claims=claims))[0] is Headline.REGISTERED_EXACT
        assert judge(gather(matches=ONE_MATCH, claims=claims))[0] is Headline.REGISTERED_MATCH

    def test_the_order_of_the_chain_is_kept_and_each_kind_named_once(self) -> None:
        kinds = ("superseded", "withdrawn", "issued", "superseded")
        entries = tuple(entry(kind, sequence) for sequence, kind in enumerate(kinds, 1))
        claims = [replace(claim(FIRST), entries=entries)]
        sentence = self.sentence_of(gather(exact=[FIRST], claims=claims))
        said = re.findall(r", ([a-z ]+) on 2026-09-(\d\d)", sentence)
        assert said == [("superseded", "22"), ("withdrawn", "23"), ("given a deed", "24")]

    @pytest.mark.parametrize("kind", ["withdrawn", "key_lost", "issued"])
    def test_what_does_not_count_is_not_named(self, kind: str) -> None:
        claims = [replace(claim(FIRST), entries=(entry(kind, counts=False), entry("screened")))]
        plain = self.sentence_of(gather(exact=[FIRST], claims=[claim(FIRST)]))
        assert self.sentence_of(gather(exact=[FIRST], claims=claims)) == plain

    def test_claims_are_told_and_never_truths(self) -> None:
        told: list[str] = []
        for manifest in MANIFESTS.values():
            for evidence in (
                gather(manifest),
                gather(manifest, matches=ONE_MATCH),
                gather(manifest, exact=[FIRST, LATER]),
                gather(manifest, exact=[FIRST, LATER], by=THEIRS),
            ):
                answers = judge(evidence)[1]
                told += [self.sentence_of(evidence)]
                told += [getattr(answers, name).reason for name in Answers.__dataclass_fields__]
        assert not [text for text in told if NEVER_SAID.search(text)]
        assert all(told)
