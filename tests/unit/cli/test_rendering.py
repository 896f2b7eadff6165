"""What people read, from results whose every string is hostile."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from builders import build_address, build_bundle, build_chain, build_registration

from titledeed.anchoring.recording import RecordedAct
from titledeed.errors import MalformedMediaError
from titledeed.models.evidence import (
    Answer,
    Answers,
    ClaimEntry,
    ClaimStatus,
    DisclosureCode,
    Headline,
    HistoryCode,
    IntegrityCode,
    RecoveredManifest,
    RegistryCode,
    TimeCode,
    TrustCode,
    VerificationReport,
    VisibleClaim,
)
from titledeed.models.interval import Interval
from titledeed.models.ledger import Block, Cursor, LedgerEvent, Withdrawn
from titledeed.models.match import MatchClass, Segment, WorkMatch
from titledeed.models.primitives import BlockHash, Keccak256, Subject, TransactionHash
from titledeed.models.registration import Registration
from titledeed.services.registration import RefusedFile, RegisteredFile, SimilarWork
from titledeed_cli.commands.verify import CLAIMS_NOT_TRUTH, write_report
from titledeed_cli.output import Output
from titledeed_cli.registrations import (
    write_act,
    write_history,
    write_list,
    write_refused,
    write_registered,
    write_registration,
)

HOSTILE = "[red]deed[/red]\x1b[31m\x1b]0;owned\x07\u202egpj\r\nline :smile:"
HARMLESS = "[red]deed[/red]gpj  line :smile:"


ENTRIES = (
    ClaimEntry("withdrawn", 1_790_100_000, 7, build_address(5), counts=True, detail="because"),
    ClaimEntry("0xabcd", 1_790_200_000, 8, build_address(6), counts=False, detail=HOSTILE),
)


def make_output(*, as_json: bool = False) -> Output:
    return Output(as_json=as_json, quiet=False, no_color=True)


def make_report(registration: Registration) -> VerificationReport:
    def answer(code: str) -> Answer:
        return Answer(code, f"because {HOSTILE}")

    registration_id = registration.registration_id
    return VerificationReport(
        headline=Headline.REGISTERED_MATCH,
        sentence=f"Seconds of “{HOSTILE}”.",
        answers=Answers(
            integrity=answer(IntegrityCode.NO_CREDENTIALS),
            trust=answer(TrustCode.NOT_CHECKED),
            history=answer(HistoryCode.NONE),
            time=answer(TimeCode.SELF_KEPT),
            registry=answer(RegistryCode.MATCH),
            disclosure=answer(DisclosureCode.DECLARED),
        ),
        matches=(
            WorkMatch(
                registration_id,
                0.91,
                MatchClass.CLIP_OF,
                (Segment(Interval(0.0, 4.0), Interval(3.0, 7.0), 1.0, mirrored=True),),
            ),
        ),
        titles={registration_id: HOSTILE},
        claims=(
            VisibleClaim(
                registration_id=registration_id,
                title=HOSTILE,
                claimant=registration.claimant,
                time=answer(TimeCode.SELF_KEPT),
                at=1_790_000_000,
                asked=True,
                status=ClaimStatus.INCLUDED,
                mine=True,
                entries=ENTRIES,
            ),
            VisibleClaim(
                registration_id=registration_id,
                title="later",
                claimant=build_address(5),
                time=answer(TimeCode.CLAIMED_ONLY),
                at=None,
                asked=True,
                status=ClaimStatus.PENDING,
                mine=False,
            ),
        ),
        recovered=RecoveredManifest(
            registration_id=registration_id,
            manifest_id="urn:c2pa:1",
            integrity=answer(IntegrityCode.INTACT),
            trust=answer(TrustCode.TRUSTED),
            history=answer(HistoryCode.COMPLETE),
            disclosure=answer(DisclosureCode.DECLARED),
        ),
    )


def make_registered(*, title: str = HOSTILE, anchored: bool = True) -> RegisteredFile:
    bundle = build_bundle(1)
    registration = build_registration(bundle.dossier, bundle=bundle if anchored else None)
    other = replace(build_registration(2), claimant=build_address(7), title=title)
    return RegisteredFile(
        source="clips/a.mp4",
        registration=replace(registration, title=title, signed_path="signed/a.mp4"),
        bundle_path="bundles/a.json" if anchored else None,
        similar=(
            SimilarWork(
                other, WorkMatch(other.registration_id, 0.875, MatchClass.COPY, ()), mine=False
            ),
            SimilarWork(other, None, mine=True),
        ),
        notes=("the sound is silent",),
        created=True,
        time_code=TimeCode.SELF_KEPT if anchored else TimeCode.CLAIMED_ONLY,
    )


def assert_harmless(text: str) -> None:
    assert HARMLESS in " ".join(text.split()) or HARMLESS in text
    assert not set(text) & {"\x1b", "\x07", "\u202e", "\r", "☺", "😄"}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setenv("COLUMNS", "400")
    write_report(make_output(), make_report(build_registration(1)))
    return capsys.readouterr().out


def test_the_verdict_comes_first_and_then_what_it_is_not(shown: str) -> None:
    first, second = shown.splitlines()[:2]
    assert first == f"Seconds of “{HARMLESS}”."
    assert second == CLAIMS_NOT_TRUTH


def test_hostile_titles_are_harmless_in_a_verification(shown: str) -> None:
    assert_harmless(shown)
    assert shown.count("[red]deed[/red]") == 14  # every place where a title or reason stands


def test_all_six_answers_are_shown(shown: str) -> None:
    table = shown.partition("Where it matches")[0]
    rows = [line.split()[:2] for line in table.splitlines() if "because" in line]
    assert rows == [
        ["integrity", "no_credentials"],
        ["trust", "not_checked"],
        ["history", "none"],
        ["time", "self_kept"],
        ["registry", "match"],
        ["disclosure", "declared"],
    ]


def test_matched_seconds_stand_side_by_side(shown: str) -> None:
    row = next(line for line in shown.splitlines() if "0.91" in line)
    cells = [cell.strip() for cell in row.split("  ") if cell.strip()]
    assert cells[:5] == ["clip of", "0.00 - 4.00 s", "3.00 - 7.00 s", "picture, mirrored", "1.00"]


def test_claims_are_numbered_in_order(shown: str) -> None:
    claims = shown.partition("Claims, earliest first")[2].partition("Credentials that")[0]
    assert "(mine)" in claims.partition("2  ")[0]
    assert "not anchored yet" in claims
    assert claims.index("2026-") < claims.index("not anchored yet")


def test_what_the_chain_says_since_is_shown_with_what_counts(shown: str) -> None:
    since = shown.partition("What the chain says about these claims since")[2]
    withdrawn, other = (
        line.split() for line in since.splitlines() if "0x" in line and "UTC" in line
    )
    assert withdrawn[:2] == ["1", "7"]
    assert withdrawn[5:7] == ["withdrawn", "yes"]
    assert other[5:7] == ["0xabcd", "no"]


def test_recovered_credentials_stand_apart(shown: str) -> None:
    apart = shown.partition("Credentials that the registry kept")[2]
    assert [line.split()[1] for line in apart.splitlines() if "because" in line] == [
        "intact",
        "trusted",
        "complete",
        "declared",
    ]


def test_a_narrow_terminal_loses_no_id(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    registration = build_registration(1)
    write_report(make_output(), make_report(registration))
    assert registration.registration_id[-4:] in capsys.readouterr().out


def test_a_registered_file_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    registered = make_registered()
    write_registered(make_output(), registered, build_chain())
    shown = capsys.readouterr().out
    assert shown.startswith(f"registered: {registered.registration.registration_id}  clips/a.mp4")
    assert "order inside this home only" in shown
    assert "score 0.88 (claimed by 0x" in shown
    assert "the same bytes (mine)" in shown
    assert "note" in shown
    assert_harmless(shown)


def test_a_type_without_credentials_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    registered = make_registered()
    bare = replace(registered, registration=replace(registered.registration, signed_path=None))
    write_registered(make_output(), bare, build_chain())
    assert "registry only: this type carries no credentials" in capsys.readouterr().out


def test_a_waiting_registration_names_the_next_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    registered = make_registered(anchored=False)
    write_registered(make_output(), registered, build_chain())
    wanted = f"`titledeed receipt {registered.registration.registration_id}` completes it"
    assert wanted in capsys.readouterr().out


def test_a_refused_file_is_an_error_and_an_object(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    error = MalformedMediaError("it is truncated", next_step="Export it again.")
    write_refused(make_output(as_json=True), RefusedFile("a.mp4", error))
    printed = capsys.readouterr()
    assert printed.err == "error: a.mp4: it is truncated\nnext: Export it again.\n"
    assert json.loads(printed.out) == {
        "schema_version": 1,
        "source": "a.mp4",
        "error": {
            "code": "malformed_media",
            "message": "it is truncated",
            "next_step": "Export it again.",
        },
    }


@pytest.fixture
def titled() -> Registration:
    bundle = build_bundle(1)
    return replace(build_registration(bundle.dossier, bundle=bundle), title=HOSTILE)


NO_HASH = Keccak256(bytes(32))
CURSOR = Cursor(Block(112, BlockHash(NO_HASH), BlockHash(NO_HASH), 9), 8, bytes(20))


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")


@pytest.mark.usefixtures("wide")
def test_a_list_sums_up_what_counts(
    titled: Registration, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = replace(build_registration(2), title="Waiting")
    write_list(make_output(), [(titled, ENTRIES), (waiting, ())])
    first, second = capsys.readouterr().out.splitlines()[3:5]
    assert_harmless(first)
    assert first.rstrip().endswith("withdrawn")
    assert titled.anchor is not None
    assert f"block {titled.anchor.block_number}" in first
    assert "pending" in second
    assert second.rstrip().endswith("not yet")


def test_an_empty_list_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    write_list(make_output(), [])
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "Nothing is registered here.\n")


@pytest.mark.usefixtures("wide")
def test_one_registration_is_shown_with_its_entries(
    titled: Registration, capsys: pytest.CaptureFixture[str]
) -> None:
    write_registration(
        make_output(), titled, entries=ENTRIES, bundle_path="bundles/a.json", cursor=CURSOR
    )
    printed = capsys.readouterr()
    assert_harmless(printed.out)
    for part in (titled.claimant, titled.content_digest.hex(), "bundles/a.json", "withdrawn"):
        assert part in printed.out
    assert printed.err == "As of block 112.\n"


def test_a_chain_that_was_never_followed_is_no_empty_history(
    titled: Registration, capsys: pytest.CaptureFixture[str]
) -> None:
    write_registration(make_output(), titled, entries=(), bundle_path=None, cursor=None)
    assert "was not followed yet" in capsys.readouterr().err


@pytest.mark.usefixtures("wide")
def test_a_history_shows_what_counts_and_what_does_not(
    titled: Registration, capsys: pytest.CaptureFixture[str]
) -> None:
    write_history(make_output(), titled, ENTRIES, CURSOR)
    shown = capsys.readouterr().out
    assert_harmless(shown)
    rows = [line.split() for line in shown.splitlines() if "UTC" in line]
    assert [(row[0], row[4], row[5]) for row in rows] == [
        ("7", "withdrawn", "yes"),
        ("8", "0xabcd", "no"),
    ]


def test_an_empty_history_says_so(titled: Registration, capsys: pytest.CaptureFixture[str]) -> None:
    write_history(make_output(), titled, (), CURSOR)
    assert "Nothing was said about it" in capsys.readouterr().out


@pytest.mark.parametrize(("is_new", "how"), [(True, "recorded"), (False, "on record already")])
def test_an_act_tells_where_it_stands(
    titled: Registration, capsys: pytest.CaptureFixture[str], is_new: bool, how: str
) -> None:
    event = LedgerEvent(
        body=Withdrawn(Subject(titled.leaf), titled.claimant, by_holder=False),
        contract=titled.domain.contract,
        sequence=7,
        head=bytes(20),
        transaction=TransactionHash(NO_HASH),
        block_number=107,
        block_hash=BlockHash(NO_HASH),
        block_timestamp=1_790_000_000,
    )
    act = RecordedAct(event, is_new=is_new)
    write_act(make_output(), titled, [act])
    printed = capsys.readouterr()
    assert printed.out.startswith(f"{how}: withdrawn  {titled.registration_id}")
    assert "entry 7 in block 107, 2026-09-21 14:13:20 UTC" in printed.out
    assert ("needs no ether" in printed.err) is is_new
    write_act(make_output(as_json=True), titled, [act])
    (document,) = json.loads(capsys.readouterr().out)["acts"]
    assert (document["kind"], document["created"], document["sequence"]) == (
        "withdrawn",
        is_new,
        7,
    )
