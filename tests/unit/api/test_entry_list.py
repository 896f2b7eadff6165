"""Entries on chain as the pages show them: escaped, in order, with what counts."""

from __future__ import annotations

from builders import build_address, build_registration

from titledeed.models.evidence import ClaimEntry
from titledeed_api.documents import entries_document
from titledeed_api.presentation import PRINCIPLE
from titledeed_api.templates import render_page

HOSTILE = "<script>alert(1)</script>"
ENTRIES = (
    ClaimEntry("withdrawn", 1_790_000_000, 7, build_address(1), counts=True, detail="Withdrawn."),
    ClaimEntry(HOSTILE, 1_790_100_000, 8, build_address(2), counts=False, detail=HOSTILE),
)


def render(*entries: ClaimEntry) -> str:
    page = render_page(
        "registration.html",
        {
            "principle": PRINCIPLE,
            "registration": build_registration(1),
            "entries": entries_document(entries),
            "chain": None,
            "chain_time": None,
            "source_words": None,
            "has_thumbnail": False,
        },
    )
    return bytes(page.body).decode()


def test_entries_are_shown_in_order_with_what_counts() -> None:
    page = render(*ENTRIES)
    assert page.index("2026-09-21 14:13:20 UTC") < page.index("2026-09-22 18:00:00 UTC")
    assert page.index("Counts · entry 7") < page.index("Does not count · entry 8")


def test_what_they_say_is_escaped() -> None:
    page = render(*ENTRIES)
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;") == 2


def test_without_entries_there_is_no_section() -> None:
    assert "What the chain says since" not in render()
