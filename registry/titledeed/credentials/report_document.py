"""A ``ManifestReport`` as JSON: how it leaves the child process that read the manifest."""

from __future__ import annotations

from titledeed.canonical.claims import encode_signed_claim, parse_signed_claim
from titledeed.canonical.documents import Fields, Json
from titledeed.credentials.interpretation import LISTED_MAX
from titledeed.credentials.json_view import SHOWN_LENGTH_MAX
from titledeed.models.evidence import HistoryCode, IntegrityCode, ManifestReport, TrustCode

_BROKEN_LENGTH_MAX = 2 * SHOWN_LENGTH_MAX + 2
"""A name, a colon, a space, a code."""


def encode_report(report: ManifestReport) -> dict[str, Json]:
    """JSON form."""
    return {
        "integrity": report.integrity.value,
        "trust": report.trust.value,
        "history": report.history.value,
        "failures": list[Json](report.failures),
        "broken_ingredients": list[Json](report.broken_ingredients),
        "signer": report.signer,
        "signed_at": report.signed_at,
        "manifest_id": report.manifest_id,
        "content_manifest_id": report.content_manifest_id,
        "generator": report.generator,
        "title": report.title,
        "source_types": list[Json](report.source_types),
        "actions_complete": report.actions_complete,
        "ai_disclosure": report.ai_disclosure,
        "signed_claim": encode_signed_claim(report.signed_claim) if report.signed_claim else None,
    }


def parse_report(fields: Fields) -> ManifestReport:
    """Inverse of ``encode_report``. The child held hostile bytes, so its word is checked.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """

    def text(name: str) -> str | None:
        return fields.optional(name, lambda n: fields.text(n, length_max=SHOWN_LENGTH_MAX))

    def texts(name: str, length_max: int = SHOWN_LENGTH_MAX) -> tuple[str, ...]:
        items = fields.texts(name, items_max=LISTED_MAX)
        if any(len(item) > length_max for item in items):
            raise fields.fail(name, f"must hold texts of at most {length_max} characters")
        return items

    try:
        integrity = IntegrityCode(fields.text("integrity"))
        trust = TrustCode(fields.text("trust"))
        history = HistoryCode(fields.text("history"))
    except ValueError as error:
        raise fields.fail("integrity, trust, history", "must be known codes") from error
    report = ManifestReport(
        integrity=integrity,
        trust=trust,
        history=history,
        failures=texts("failures"),
        broken_ingredients=texts("broken_ingredients", _BROKEN_LENGTH_MAX),
        signer=text("signer"),
        signed_at=text("signed_at"),
        manifest_id=text("manifest_id"),
        content_manifest_id=text("content_manifest_id"),
        generator=text("generator"),
        title=text("title"),
        source_types=texts("source_types"),
        actions_complete=fields.boolean("actions_complete"),
        ai_disclosure=fields.boolean("ai_disclosure"),
        signed_claim=fields.optional(
            "signed_claim", lambda name: parse_signed_claim(fields.child(name))
        ),
    )
    fields.done()
    return report
