from __future__ import annotations

import pytest

from titledeed.audit.severities import GRADES, SEVERITIES, raise_finding
from titledeed.models.finding import FindingCode, Outcome, Severity


def test_every_code_has_a_severity() -> None:
    assert set(SEVERITIES) == set(FindingCode)


def test_every_code_is_its_own_name() -> None:
    assert all(code.value == code.name for code in FindingCode)


def test_our_own_checks_raise_no_conflict_with_a_rule() -> None:
    assert Severity.RULE_CONFLICT not in SEVERITIES.values()


def test_grades_stand_gravest_first_and_lead_to_different_outcomes() -> None:
    assert list(GRADES) == sorted(Severity, key=lambda one: one.gravity, reverse=True)
    outcomes = {grade.outcome for grade in GRADES.values()}
    assert outcomes == set(Outcome) - {Outcome.CANNOT_ASSESS}


@pytest.mark.parametrize("eased", [None, Severity.INFO])
def test_a_finding_is_as_grave_as_its_code_unless_eased(eased: Severity | None) -> None:
    finding = raise_finding(FindingCode.CONTENT_SHARED, "They share a stem.", eased=eased)
    assert finding.severity is (eased or Severity.QUESTION)
