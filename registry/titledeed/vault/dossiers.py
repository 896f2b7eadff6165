"""What the object store keeps of a registration: enough to list it again, or of an erased one.

Written durably before the database learns of it. What a row says beside the dossier (when it was
accepted, who may see it, where the signed copy went) is nowhere else, so it is kept with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from titledeed.canonical.bundles import encode_dossier, parse_dossier
from titledeed.canonical.documents import (
    Fields,
    Json,
    base64_text,
    encode_document,
    hex_word,
    parse_document,
)
from titledeed.errors import MalformedDocumentError
from titledeed.models.ledger import Tombstone
from titledeed.models.primitives import Keccak256, LeafHash, RegistrationId
from titledeed.models.record import Dossier
from titledeed.models.registration import Visibility
from titledeed.ports import ObjectStore

KEPT_SCHEMA: Final = "titledeed.kept-dossier/1"
TOMBSTONE_SCHEMA: Final = "titledeed.tombstone/1"
DOSSIERS: Final = "dossiers/"
TOMBSTONES: Final = "tombstones/"
_PATH_LENGTH_MAX: Final = 65_536


@dataclass(frozen=True, slots=True)
class KeptDossier:
    """A dossier and what else its row says.

    Attributes:
        accepted_at: seconds since 1970, by this home's clock.
        signed_path: where this home put the signed copy; None when there is none.
    """

    dossier: Dossier
    visibility: Visibility
    accepted_at: int
    signed_path: str | None


def dossier_key(registration_id: RegistrationId) -> str:
    """Where the object store keeps a dossier."""
    return f"{DOSSIERS}{registration_id}.json"


def tombstone_key(tombstone: Tombstone) -> str:
    """Where the object store keeps a tombstone; one id may have several, of different leaves."""
    return f"{TOMBSTONES}{tombstone.registration_id}/{tombstone.leaf.hex()}.json"


def encode_kept(kept: KeptDossier) -> bytes:
    """Canonical bytes of a kept dossier."""
    # A file name need not be Unicode.
    path = kept.signed_path and base64_text(os.fsencode(kept.signed_path))
    return encode_document(
        {
            "schema": KEPT_SCHEMA,
            "accepted_at": kept.accepted_at,
            "visibility": kept.visibility.value,
            "signed_path": path,
            "dossier": encode_dossier(kept.dossier),
        }
    )


def read_kept(objects: ObjectStore, registration_id: RegistrationId) -> KeptDossier:
    """The kept dossier of an own registration.

    Raises:
        NotFoundError: this home keeps none.
        MalformedDocumentError: the object is damaged, or is another registration's.
    """
    key = dossier_key(registration_id)
    fields = parse_document(objects.get(key), what=key)
    fields.literal("schema", KEPT_SCHEMA)
    visibility = fields.text("visibility")
    if visibility not in set(Visibility):
        raise fields.fail("visibility", "must be private or published")
    kept = KeptDossier(
        dossier=parse_dossier(fields.child("dossier")),
        visibility=Visibility(visibility),
        accepted_at=fields.timestamp("accepted_at"),
        signed_path=fields.optional("signed_path", lambda name: _parse_path(fields, name)),
    )
    fields.done()
    if kept.dossier.registration_id != registration_id:
        raise MalformedDocumentError(f"{key} holds the dossier of another registration")
    return kept


def read_dossier(objects: ObjectStore, registration_id: RegistrationId) -> Dossier:
    """The dossier of an own registration.

    Raises:
        NotFoundError: this home keeps none.
        MalformedDocumentError: the object is damaged.
    """
    return read_kept(objects, registration_id).dossier


def change_visibility(
    objects: ObjectStore, registration_id: RegistrationId, visibility: Visibility
) -> None:
    """Keep who may see a registration.

    Raises:
        NotFoundError: this home keeps no such dossier.
    """
    kept = read_kept(objects, registration_id)
    if kept.visibility is not visibility:
        objects.put(dossier_key(registration_id), encode_kept(replace(kept, visibility=visibility)))


def keep_tombstone(objects: ObjectStore, tombstone: Tombstone) -> None:
    """Keep that a registration was erased, so that no rebuild brings it back."""
    document: dict[str, Json] = {
        "schema": TOMBSTONE_SCHEMA,
        "registration_id": tombstone.registration_id,
        "leaf": hex_word(tombstone.leaf),
        "erased_at": tombstone.erased_at,
    }
    objects.put(tombstone_key(tombstone), encode_document(document))


def read_tombstone(objects: ObjectStore, key: str) -> Tombstone:
    """The tombstone under a key.

    Raises:
        MalformedDocumentError: the object is damaged, or stands under another's key.
    """
    fields = parse_document(objects.get(key), what=key)
    fields.literal("schema", TOMBSTONE_SCHEMA)
    tombstone = Tombstone(
        registration_id=RegistrationId(fields.text("registration_id", length_max=35)),
        leaf=LeafHash(Keccak256(fields.word("leaf"))),
        erased_at=fields.timestamp("erased_at"),
    )
    fields.done()
    if tombstone_key(tombstone) != key:
        raise MalformedDocumentError(f"{key} holds another tombstone")
    return tombstone


def iter_dossier_ids(objects: ObjectStore) -> Iterator[RegistrationId]:
    """Ids of all kept dossiers, sorted."""
    for key in objects.keys(DOSSIERS):
        yield RegistrationId(key.removeprefix(DOSSIERS).removesuffix(".json"))


def _parse_path(fields: Fields, name: str) -> str:
    return os.fsdecode(fields.blob(name, length_max=_PATH_LENGTH_MAX))
