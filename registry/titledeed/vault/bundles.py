"""Evidence bundles, own and imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from titledeed.canonical.documents import encode_document, parse_document
from titledeed.canonical.evidence.bundles import encode_bundle, parse_bundle
from titledeed.errors import NotFoundError
from titledeed.models.bundle import Bundle
from titledeed.models.primitives import RegistrationId
from titledeed.ports import ObjectStore

_FOLDER: Final = "bundles/"


class Bundles:
    """The bundle of each registration that has one."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def name(self, registration_id: RegistrationId) -> str:
        """What the object is called, for people."""
        return f"{_FOLDER}{registration_id}.json"

    def locate(self, registration_id: RegistrationId) -> str:
        """Where a person finds the bundle, whether or not it is kept yet."""
        return self._objects.locate(self.name(registration_id))

    def read_bytes(self, registration_id: RegistrationId) -> bytes:
        """The bundle's canonical bytes.

        Raises:
            NotFoundError: none was completed or imported.
        """
        return self._objects.get(self.name(registration_id))

    def read(self, registration_id: RegistrationId) -> Bundle:
        """The bundle of an own or imported registration.

        Raises:
            NotFoundError: none was completed or imported.
            MalformedDocumentError: the object is damaged.
        """
        data = self.read_bytes(registration_id)
        return parse_bundle(parse_document(data, what=self.name(registration_id)))

    def find(self, registration_id: RegistrationId) -> Bundle | None:
        """The same, or None where none is kept.

        Raises:
            MalformedDocumentError: the object is damaged.
        """
        try:
            return self.read(registration_id)
        except NotFoundError:
            return None

    def keep(self, bundle: Bundle) -> None:
        """Keep a bundle in the place of what was there."""
        self._objects.put(*self._encode(bundle))

    def keep_many(self, bundles: Sequence[Bundle]) -> None:
        """The same for many, with one wait for the disk."""
        self._objects.put_many(dict(map(self._encode, bundles)))

    def delete(self, registration_id: RegistrationId) -> None:
        """Forget one; its absence is no error."""
        self._objects.delete(self.name(registration_id))

    def _encode(self, bundle: Bundle) -> tuple[str, bytes]:
        name = self.name(bundle.dossier.registration_id)
        return name, encode_document(encode_bundle(bundle))
