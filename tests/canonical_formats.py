"""Every format of ``titledeed.canonical``: values, encoder, parser, and the name of its schema."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from canonical_values import (
    bundles,
    disclosures,
    dossiers,
    first_disclosures,
    first_records,
    first_rights,
    first_signed_claims,
    headers,
    lineages,
    logs,
    openings,
    records,
    rights,
    signed_claims,
    signed_disclosures,
    snapshot_signatures,
    stored_words,
)
from hypothesis import strategies as st
from json_places import at

from titledeed.canonical.claims import encode_signed_claim, parse_signed_claim
from titledeed.canonical.disclosure_signatures import (
    encode_signed_disclosure,
    parse_signed_disclosure,
)
from titledeed.canonical.disclosures import encode_disclosure, parse_disclosure
from titledeed.canonical.documents import INTEGER_MAX, UNREAD_NAME_LENGTH_MAX, Fields, Json
from titledeed.canonical.evidence.bundles import encode_bundle, parse_bundle
from titledeed.canonical.evidence.dossiers import encode_dossier, parse_dossier
from titledeed.canonical.evidence.logs import encode_log, parse_log
from titledeed.canonical.evidence.records import encode_record, parse_record
from titledeed.canonical.evidence.snapshots import (
    encode_header,
    encode_trailer,
    parse_header,
    parse_trailer,
)
from titledeed.canonical.evidence.words import encode_word, parse_word
from titledeed.canonical.lineages import encode_lineage, parse_lineage
from titledeed.canonical.openings import encode_openings, parse_openings
from titledeed.canonical.rights import encode_rights, parse_rights


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        schema: name of its JSON Schema, without the ending.
        is_open: whether its reader keeps fields that it does not know.
    """

    schema: str
    values: st.SearchStrategy[Any]
    encode: Callable[[Any], Mapping[str, Json]]
    parse: Callable[[Fields], Any]
    is_open: bool = False


FORMATS: Final[dict[str, Format]] = {
    made.schema: made
    for made in (
        Format("claim-2", signed_claims, encode_signed_claim, parse_signed_claim),
        Format("claim-1", first_signed_claims, encode_signed_claim, parse_signed_claim),
        Format("disclosure-2", disclosures, encode_disclosure, parse_disclosure, is_open=True),
        Format(
            "disclosure-1", first_disclosures, encode_disclosure, parse_disclosure, is_open=True
        ),
        Format("rights-2", rights, encode_rights, parse_rights, is_open=True),
        Format("rights-1", first_rights, encode_rights, parse_rights, is_open=True),
        Format("lineage-1", lineages, encode_lineage, parse_lineage, is_open=True),
        Format("record-2", records, encode_record, parse_record, is_open=True),
        Format("record-1", first_records, encode_record, parse_record, is_open=True),
        Format("dossier-2", dossiers, encode_dossier, parse_dossier),
        Format("bundle-2", bundles, encode_bundle, parse_bundle),
        Format("log-1", logs, encode_log, parse_log),
        Format("word-1", stored_words, encode_word, parse_word),
        Format("snapshot-header-2", headers(version=2), encode_header, parse_header, is_open=True),
        Format("snapshot-header-1", headers(version=1), encode_header, parse_header, is_open=True),
        Format("snapshot-trailer", snapshot_signatures, encode_trailer, parse_trailer),
        Format("openings-1", openings, lambda pair: encode_openings(*pair), parse_openings),
        Format(
            "disclosure-signature-1",
            signed_disclosures,
            encode_signed_disclosure,
            parse_signed_disclosure,
        ),
    )
}
OPEN_FORMATS: Final = [name for name, made in FORMATS.items() if made.is_open]

field_names = st.text(st.characters(codec="ascii"), max_size=20)
unread_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(field_names, inner, max_size=3),
    max_leaves=8,
)
unread_names = field_names.map(lambda name: f"~{name}"[:UNREAD_NAME_LENGTH_MAX])
"""No field of ours begins like this."""


def iter_places(
    document: Any, place: tuple[str | int, ...] = ()
) -> Iterator[tuple[str | int, ...]]:
    """The place of every value in a document, its own first."""
    yield place
    if isinstance(document, dict):
        for name, value in document.items():
            yield from iter_places(value, (*place, name))
    if isinstance(document, list):
        for index, value in enumerate(document):
            yield from iter_places(value, (*place, index))


def list_open_places(document: dict[str, Any]) -> list[tuple[str | int, ...]]:
    """Objects of a signed document in which its reader keeps what it does not know."""
    return [
        place
        for place in iter_places(document)
        if isinstance(at(document, place), dict) and "claim" not in place
    ]


@st.composite
def extended(draw: st.DrawFn, made: Format) -> dict[str, Any]:
    """A document of an open format with fields that a later release might write, at any depth."""
    document = copy.deepcopy(dict(made.encode(draw(made.values))))
    places = list_open_places(document)
    for _ in range(draw(st.integers(1, 4))):
        target = at(document, draw(st.sampled_from(places)))
        target[draw(unread_names)] = draw(unread_values)
    return document
