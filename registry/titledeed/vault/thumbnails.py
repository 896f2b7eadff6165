"""Thumbnails of own registrations, JPEG."""

from __future__ import annotations

from typing import Final

from titledeed.errors import NotFoundError
from titledeed.models.primitives import RegistrationId
from titledeed.ports import ObjectStore

_FOLDER: Final = "thumbnails/"
_SUFFIX: Final = ".jpg"


class Thumbnails:
    """Small pictures by which people know a work again."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def name(self, registration_id: RegistrationId) -> str:
        """What the object is called, for people."""
        return f"{_FOLDER}{registration_id}{_SUFFIX}"

    def list_ids(self) -> list[RegistrationId]:
        """Registrations that have one."""
        return [
            RegistrationId(key.removeprefix(_FOLDER).removesuffix(_SUFFIX))
            for key in self._objects.keys(_FOLDER)
        ]

    def read(self, registration_id: RegistrationId) -> bytes:
        """The picture; empty where there is none, as for sound and for imports."""
        try:
            return self._objects.get(self.name(registration_id))
        except NotFoundError:
            return b""

    def keep(self, registration_id: RegistrationId, picture: bytes) -> None:
        """Keep one."""
        self._objects.put(self.name(registration_id), picture)

    def delete(self, registration_id: RegistrationId) -> None:
        """Forget one; its absence is no error."""
        self._objects.delete(self.name(registration_id))
