"""The lineage: the document behind a Claim's lineage digest."""

from __future__ import annotations

from typing import Final

from titledeed.canonical.documents import Fields, Json, leave_out, put_back
from titledeed.canonical.field_values import read_language
from titledeed.canonical.references import encode_reference, parse_reference
from titledeed.models.lineage import Lineage, Source, SourceSegment

LINEAGE: Final = "titledeed.lineage"
SOURCES_MAX: Final = 1_000
SOURCE_SEGMENTS_MAX: Final = 1_000


def encode_lineage(lineage: Lineage) -> dict[str, Json]:
    """JSON form."""
    document = leave_out(
        {
            "schema": f"{LINEAGE}/1",
            "sources": [_encode_source(source) for source in lineage.sources],
        }
    )
    return put_back(document, lineage.unread)


def parse_lineage(fields: Fields) -> Lineage:
    """Inverse of ``encode_lineage``; keeps what it does not know.

    Raises:
        MalformedDocumentError: a field is missing or of the wrong form, or times run backwards.
    """
    unread = fields.keep_unread()
    fields.version(LINEAGE, (1,))
    sources = tuple(map(_parse_source, fields.listed("sources", items_max=SOURCES_MAX)))
    fields.done()
    return Lineage(sources, tuple(unread))


def _encode_source(source: Source) -> dict[str, Json]:
    return leave_out(
        {
            "work": encode_reference(source.work),
            "relation": str(source.relation),
            "kind": source.kind and str(source.kind),
            "language": source.language,
            "segments": [_encode_segment(segment) for segment in source.segments],
        }
    )


def _parse_source(fields: Fields) -> Source:
    source = Source(
        work=parse_reference(fields.child("work")),
        relation=fields.term("relation"),
        kind=fields.stated("kind", fields.term),
        language=fields.stated("language", lambda name: read_language(fields, name)),
        segments=tuple(
            map(_parse_segment, fields.listed("segments", items_max=SOURCE_SEGMENTS_MAX))
        ),
    )
    fields.done()
    return source


def _encode_segment(segment: SourceSegment) -> dict[str, Json]:
    return {
        "start_ms": segment.start_ms,
        "end_ms": segment.end_ms,
        "source_start_ms": segment.source_start_ms,
        "source_end_ms": segment.source_end_ms,
    }


def _parse_segment(fields: Fields) -> SourceSegment:
    segment = SourceSegment(
        start_ms=fields.integer("start_ms"),
        end_ms=fields.integer("end_ms"),
        source_start_ms=fields.integer("source_start_ms"),
        source_end_ms=fields.integer("source_end_ms"),
    )
    if segment.start_ms >= segment.end_ms or segment.source_start_ms >= segment.source_end_ms:
        raise fields.fail("end_ms", "must be later than the start, in the work and in the source")
    fields.done()
    return segment
