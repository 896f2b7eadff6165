"""Dossiers: a Record and everything its digests commit to, as one object."""

from __future__ import annotations

from typing import Final

from titledeed.canonical.disclosures import encode_disclosure, parse_disclosure
from titledeed.canonical.documents import Fields, Json, base64_text, hex_word, leave_out
from titledeed.canonical.evidence.records import encode_record, parse_record
from titledeed.canonical.field_values import read_registration_id
from titledeed.canonical.fingerprints import (
    ALGORITHMS_MAX,
    encode_fingerprint,
    parse_fingerprint,
)
from titledeed.canonical.lineages import encode_lineage, parse_lineage
from titledeed.canonical.rights import encode_rights, parse_rights
from titledeed.models.primitives import Salt
from titledeed.models.record import Dossier, Salts

DOSSIER: Final = "titledeed.dossier"


def encode_dossier(dossier: Dossier) -> dict[str, Json]:
    """JSON form: version 2, whatever the versions of the documents in it."""
    return leave_out(
        {
            "schema": f"{DOSSIER}/2",
            "registration_id": dossier.registration_id,
            "record": encode_record(dossier.record),
            "salts": {
                "content": hex_word(dossier.salts.content),
                "record": hex_word(dossier.salts.record),
            },
            "fingerprints": [encode_fingerprint(code) for code in dossier.fingerprints],
            "disclosure": encode_disclosure(dossier.disclosure),
            "rights": encode_rights(dossier.rights),
            "lineage": encode_lineage(dossier.lineage) if dossier.lineage else None,
            "manifest_store": base64_text(dossier.manifest_store) or None,
        }
    )


def parse_dossier(fields: Fields) -> Dossier:
    """Inverse of ``encode_dossier``; checks form, not digests.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    is_first = fields.version(DOSSIER, (1, 2)) == 1
    salts = fields.child("salts")
    codes = fields.children if is_first else fields.listed
    dossier = Dossier(
        registration_id=read_registration_id(fields, "registration_id"),
        record=parse_record(fields.child("record")),
        salts=Salts(content=Salt(salts.word("content")), record=Salt(salts.word("record"))),
        fingerprints=tuple(map(parse_fingerprint, codes("fingerprints", items_max=ALGORITHMS_MAX))),
        disclosure=parse_disclosure(fields.child("disclosure")),
        rights=parse_rights(fields.child("rights")),
        lineage=fields.stated("lineage", lambda name: parse_lineage(fields.child(name))),
        manifest_store=(
            fields.blob("manifest_store")
            if is_first
            else fields.stated("manifest_store", fields.filled_blob) or b""
        ),
    )
    if (dossier.lineage is None) is not (dossier.record.version == 1):
        raise fields.fail("lineage", "must be there with a claim of version 2, and with no other")
    named = [(code.algorithm, code.version) for code in dossier.fingerprints]
    if len(set(named)) != len(named):
        raise fields.fail("fingerprints", "names an algorithm and version twice")
    salts.done()
    fields.done()
    return dossier
