"""What is kept of an accepted registration: enough to list it again.

Written durably before the database learns of it. What a row says beside the dossier (when it was
accepted, who may see it, where the signed copy went) is nowhere else, so it is kept with it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Final

from titledeed.canonical.documents import Fields, base64_text, encode_document, parse_document
from titledeed.canonical.evidence.dossiers import encode_dossier, parse_dossier
from titledeed.errors import MalformedDocumentError
from titledeed.models.primitives import RegistrationId
from titledeed.models.record import Dossier
from titledeed.models.registration import Visibility
from titledeed.ports import ObjectStore

KEPT_DOSSIER_SCHEMA: Final = "titledeed.kept-dossier/1"
_FOLDER: Final = "dossiers/"
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


class Dossiers:
    """Dossiers of own registrations."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def name(self, registration_id: RegistrationId) -> str:
        """What the object is called, for people."""
        return f"{_FOLDER}{registration_id}.json"

    def list_ids(self) -> list[RegistrationId]:
        """Ids of all that are kept, sorted."""
        return [
            RegistrationId(key.removeprefix(_FOLDER).removesuffix(".json"))
            for key in self._objects.keys(_FOLDER)
        ]

    def read(self, registration_id: RegistrationId) -> Dossier:
        """The dossier of an own registration.

        Raises:
            NotFoundError: this home keeps none.
            MalformedDocumentError: the object is damaged.
        """
        return self.read_kept(registration_id).dossier

    def read_kept(self, registration_id: RegistrationId) -> KeptDossier:
        """The dossier of an own registration, and what else its row says.

        Raises:
            NotFoundError: this home keeps none.
            MalformedDocumentError: the object is damaged, or is another registration's.
        """
        name = self.name(registration_id)
        kept = _parse(parse_document(self._objects.get(name), what=name))
        if kept.dossier.registration_id != registration_id:
            raise MalformedDocumentError(f"{name} holds the dossier of another registration")
        return kept

    def keep(self, kept: KeptDossier) -> None:
        """Keep one; several at once are ``Vault.keep_accepted``'s."""
        self._objects.put(self.name(kept.dossier.registration_id), encode_kept(kept))

    def change_visibility(self, registration_id: RegistrationId, visibility: Visibility) -> None:
        """Keep who may see a registration.

        Raises:
            NotFoundError: this home keeps no such dossier.
        """
        kept = self.read_kept(registration_id)
        if kept.visibility is not visibility:
            self.keep(replace(kept, visibility=visibility))

    def delete(self, registration_id: RegistrationId) -> None:
        """Forget one; its absence is no error."""
        self._objects.delete(self.name(registration_id))


def encode_kept(kept: KeptDossier) -> bytes:
    """Canonical bytes of a kept dossier."""
    # A file name need not be Unicode.
    path = kept.signed_path and base64_text(os.fsencode(kept.signed_path))
    return encode_document(
        {
            "schema": KEPT_DOSSIER_SCHEMA,
            "accepted_at": kept.accepted_at,
            "visibility": kept.visibility.value,
            "signed_path": path,
            "dossier": encode_dossier(kept.dossier),
        }
    )


def _parse(fields: Fields) -> KeptDossier:
    fields.literal("schema", KEPT_DOSSIER_SCHEMA)
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
    return kept


def _parse_path(fields: Fields, name: str) -> str:
    return os.fsdecode(fields.blob(name, length_max=_PATH_LENGTH_MAX))
