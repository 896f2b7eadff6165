"""What is kept of an erased registration, so that no rebuild brings it back."""

from __future__ import annotations

from typing import Final

from titledeed.canonical.documents import Json, encode_document, hex_word, parse_document
from titledeed.errors import MalformedDocumentError
from titledeed.models.ledger import Tombstone
from titledeed.models.primitives import Keccak256, LeafHash, RegistrationId
from titledeed.ports import ObjectStore

TOMBSTONE_SCHEMA: Final = "titledeed.tombstone/1"
_FOLDER: Final = "tombstones/"


class Tombstones:
    """Tombstones; one id may have several, of different leaves."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def name(self, tombstone: Tombstone) -> str:
        """What the object is called, for people."""
        return f"{_FOLDER}{tombstone.registration_id}/{tombstone.leaf.hex()}.json"

    def list_names(self) -> list[str]:
        """All that are kept, sorted."""
        return self._objects.keys(_FOLDER)

    def keep(self, tombstone: Tombstone) -> None:
        """Keep that a registration was erased."""
        document: dict[str, Json] = {
            "schema": TOMBSTONE_SCHEMA,
            "registration_id": tombstone.registration_id,
            "leaf": hex_word(tombstone.leaf),
            "erased_at": tombstone.erased_at,
        }
        self._objects.put(self.name(tombstone), encode_document(document))

    def read(self, name: str) -> Tombstone:
        """The tombstone of this name.

        Raises:
            MalformedDocumentError: the object is damaged, or stands under another's name.
        """
        fields = parse_document(self._objects.get(name), what=name)
        fields.literal("schema", TOMBSTONE_SCHEMA)
        tombstone = Tombstone(
            registration_id=RegistrationId(fields.text("registration_id", length_max=35)),
            leaf=LeafHash(Keccak256(fields.word("leaf"))),
            erased_at=fields.timestamp("erased_at"),
        )
        fields.done()
        if self.name(tombstone) != name:
            raise MalformedDocumentError(f"{name} holds another tombstone")
        return tombstone
