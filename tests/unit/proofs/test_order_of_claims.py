"""Which claim counts as the earlier one: only a chain that was asked says so."""

from __future__ import annotations

from dataclasses import replace

from builders import build_address

from titledeed.models.evidence import Answer, ClaimEntry, ClaimStatus, TimeCode, VisibleClaim
from titledeed.models.primitives import RegistrationId
from titledeed.proofs.answers import find_earlier_claim

STUDIO, RIVAL = build_address(1), build_address(2)


def claim(number: int, at: int | None, *, asked: bool = True) -> VisibleClaim:
    return VisibleClaim(
        registration_id=RegistrationId(f"td1{number:032}"),
        title="A work",
        claimant=build_address(number),
        time=Answer(TimeCode.SELF_KEPT if at else TimeCode.NONE, "because"),
        at=at,
        asked=asked,
        status=ClaimStatus.INCLUDED,
        mine=False,
    )


def test_a_time_of_a_chain_that_nobody_asked_orders_nothing() -> None:
    # Anybody can export a bundle of a chain of their own that says 1970.
    forged = claim(1, at=1, asked=False)
    assert find_earlier_claim(RIVAL, [forged, claim(2, at=9)]) is None
    assert find_earlier_claim(RIVAL, [forged]) is None


def test_the_first_of_the_asked_claims_counts() -> None:
    first, later = claim(1, at=5), claim(2, at=9)
    assert find_earlier_claim(RIVAL, [later, first]) == first
    assert find_earlier_claim(STUDIO, [later, first]) is None


def test_a_claimant_without_a_claim_here_is_not_the_first() -> None:
    assert find_earlier_claim(RIVAL, [claim(1, at=5)]) == claim(1, at=5)


def test_claims_of_one_time_are_simultaneous() -> None:
    assert find_earlier_claim(RIVAL, [claim(1, at=5), claim(2, at=5)]) is None


def test_a_claim_without_a_time_orders_nothing() -> None:
    assert find_earlier_claim(RIVAL, [claim(1, at=None)]) is None


def test_nobody_named_conflicts_with_nobody() -> None:
    assert find_earlier_claim(None, [claim(1, at=5)]) is None


def test_a_withdrawn_claim_was_still_made_first() -> None:
    entry = ClaimEntry("withdrawn", 7, 2, STUDIO, counts=True, detail="Withdrawn.")
    first, later = replace(claim(1, at=5), entries=(entry,)), claim(2, at=9)
    assert find_earlier_claim(RIVAL, [later, first]) == first
