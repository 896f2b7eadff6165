from __future__ import annotations

from error_classes import list_errors

from titledeed.models.evidence import Headline
from titledeed.models.finding import Outcome
from titledeed_cli.exit_codes import (
    ERROR_CODES,
    HEADLINE_CODES,
    OUTCOME_CODES,
    ExitCode,
    describe_exits,
)


def test_every_error_has_an_exit_code() -> None:
    assert set(ERROR_CODES) == set(list_errors())


def test_no_error_ends_with_success() -> None:
    assert ExitCode.OK not in ERROR_CODES.values()


def test_every_verdict_has_an_exit_code() -> None:
    assert set(HEADLINE_CODES) == set(Headline)


def test_only_found_registrations_verify_with_success() -> None:
    found = {headline for headline, code in HEADLINE_CODES.items() if code is ExitCode.OK}
    assert found == {Headline.REGISTERED_EXACT, Headline.REGISTERED_MATCH}


def test_every_outcome_of_an_audit_has_an_exit_code() -> None:
    assert set(OUTCOME_CODES) == set(Outcome)


def test_published_numbers_never_change() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "OK": 0,
        "ERROR": 1,
        "USAGE": 2,
        "NO_RECORD": 10,
        "NO_CREDENTIALS": 11,
        "INVALID": 12,
        "UNTRUSTED_SIGNER": 13,
        "CONFLICT": 14,
        "QUESTIONS_OPEN": 15,
        "INCONSISTENT": 16,
        "CANNOT_ASSESS": 17,
        "LEDGER_UNAVAILABLE": 20,
        "INTERRUPTED": 130,
    }


def test_described_exits_add_what_ends_every_command() -> None:
    described = describe_exits(ExitCode.CONFLICT)
    numbers = [line.split()[0] for line in described.splitlines()[1:]]
    assert numbers == ["1", "2", "14", "130"]
