"""What is kept of an import: which registrations came with which snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from titledeed.canonical.documents import encode_document, parse_document
from titledeed.canonical.identifiers import parse_address
from titledeed.errors import MalformedDocumentError
from titledeed.models.primitives import RegistrationId
from titledeed.models.registration import Coverage
from titledeed.ports import ObjectStore

IMPORT_SCHEMA: Final = "titledeed.import/1"
_FOLDER: Final = "imports/"
REGISTRATIONS_MAX: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class KeptImport:
    """An imported snapshot.

    Attributes:
        accepted: id of each registration that it brought, and when (seconds since 1970, by this
            home's clock); their bundles are kept as own ones are.
    """

    coverage: Coverage
    accepted: tuple[tuple[RegistrationId, int], ...]


class Imports:
    """What each imported snapshot brought."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def name(self, snapshot_id: str) -> str:
        """What the object is called, for people."""
        return f"{_FOLDER}{snapshot_id}.json"

    def list_names(self) -> list[str]:
        """All that are kept, sorted."""
        return self._objects.keys(_FOLDER)

    def keep(self, kept: KeptImport) -> None:
        """Keep what an import brought."""
        coverage = kept.coverage
        document = encode_document(
            {
                "schema": IMPORT_SCHEMA,
                "snapshot_id": coverage.snapshot_id,
                "exported_at": coverage.exported_at,
                "exporter": coverage.exporter,
                "registrations": coverage.registrations,
                "chain_id": coverage.chain_id,
                "accepted": [
                    {"registration_id": registration_id, "accepted_at": accepted_at}
                    for registration_id, accepted_at in kept.accepted
                ],
            }
        )
        self._objects.put(self.name(coverage.snapshot_id), document)

    def read(self, name: str) -> KeptImport:
        """The import of this name.

        Raises:
            MalformedDocumentError: the object is damaged, or is another import's.
        """
        fields = parse_document(self._objects.get(name), what=name)
        fields.literal("schema", IMPORT_SCHEMA)
        accepted = []
        for item in fields.children("accepted", items_max=REGISTRATIONS_MAX):
            registration_id = RegistrationId(item.text("registration_id", length_max=35))
            accepted.append((registration_id, item.timestamp("accepted_at")))
            item.done()
        coverage = Coverage(
            snapshot_id=fields.text("snapshot_id", length_max=64),
            exported_at=fields.timestamp("exported_at"),
            exporter=parse_address(fields.text("exporter")),
            registrations=fields.integer("registrations", maximum=REGISTRATIONS_MAX),
            chain_id=fields.integer("chain_id", minimum=1),
        )
        fields.done()
        if self.name(coverage.snapshot_id) != name:
            raise MalformedDocumentError(f"{name} holds another import")
        return KeptImport(coverage, tuple(accepted))
