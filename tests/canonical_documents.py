"""A document of every schema with every field stated, and who reads it."""

from __future__ import annotations

import copy
import json
from typing import Any, Final

import pytest
from build_vectors import VECTORS
from canonical_formats import FORMATS
from canonical_samples import (
    SAMPLE_DISCLOSURE,
    SAMPLE_HEADER,
    SAMPLE_LINEAGE,
    SAMPLE_OPENINGS,
    SAMPLE_RIGHTS,
    sample_bundle,
    sample_signed_disclosure,
)
from json_places import at

from titledeed.canonical.disclosure_signatures import encode_signed_disclosure
from titledeed.canonical.disclosures import encode_disclosure
from titledeed.canonical.documents import parse_document
from titledeed.canonical.evidence.bundles import encode_bundle, parse_bundle
from titledeed.canonical.evidence.dossiers import parse_dossier
from titledeed.canonical.evidence.snapshots import encode_header, encode_trailer
from titledeed.canonical.lineages import encode_lineage
from titledeed.canonical.openings import encode_openings
from titledeed.canonical.rights import encode_rights
from titledeed.errors import MalformedDocumentError
from titledeed.models.primitives import Signature

Document = dict[str, Any]
Place = tuple[str | int, ...]

PARSERS: Final = {name: made.parse for name, made in FORMATS.items()} | {
    "bundle-1": parse_bundle,
    "dossier-1": parse_dossier,
}


def list_samples() -> dict[str, Document]:
    """A document of each schema, with every field stated, as JSON readers give it."""
    bundle = sample_bundle()
    first: Document = json.loads(load_vectors("canonical_1.json")["bundle"])
    encoded: Document = encode_bundle(bundle)
    header: Document = encode_header(SAMPLE_HEADER)
    samples: dict[str, Document] = {
        "bundle-2": encoded,
        "bundle-1": first,
        "dossier-2": encoded["dossier"],
        "dossier-1": first["dossier"],
        "record-2": encoded["dossier"]["record"],
        "record-1": first["dossier"]["record"],
        "claim-2": encoded["dossier"]["record"]["claim"],
        "claim-1": first["dossier"]["record"]["claim"],
        "disclosure-2": encode_disclosure(SAMPLE_DISCLOSURE),
        "disclosure-1": first["dossier"]["disclosure"],
        "rights-2": encode_rights(SAMPLE_RIGHTS),
        "rights-1": first["dossier"]["rights"],
        "lineage-1": encode_lineage(SAMPLE_LINEAGE),
        "log-1": encoded["logs"][0],
        "word-1": encoded["words"][0],
        "snapshot-header-2": header,
        "snapshot-header-1": {name: value for name, value in header.items() if name != "lines"}
        | {"schema": "titledeed.snapshot/1"},
        "snapshot-trailer": encode_trailer(Signature(bytes(65))),
        "openings-1": encode_openings(bundle.dossier.registration_id, SAMPLE_OPENINGS),
        "disclosure-signature-1": encode_signed_disclosure(sample_signed_disclosure()),
    }
    return {name: json.loads(json.dumps(sample)) for name, sample in samples.items()}


def load_vectors(name: str) -> Document:
    loaded: Document = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return loaded


SAMPLES: Final = list_samples()


def read(name: str, document: Document) -> Any:
    """What the parser makes of a document."""
    return PARSERS[name](parse_document(json.dumps(document).encode(), what=name))


def is_read(name: str, document: Document) -> bool:
    """What the parser says."""
    try:
        read(name, document)
    except MalformedDocumentError:
        return False
    return True


def refuse(name: str, document: Document, match: str) -> None:
    """Check that the parser refuses a document, and why."""
    with pytest.raises(MalformedDocumentError, match=match):
        read(name, document)


def without(name: str, *place: str | int) -> Document:
    """The sample of a format without one field."""
    document = copy.deepcopy(SAMPLES[name])
    del at(document, place[:-1])[place[-1]]
    return document
