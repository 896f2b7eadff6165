"""Codes made after a registration, when a release brought new algorithms or versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from titledeed.canonical.documents import Fields, encode_document, parse_document
from titledeed.canonical.fingerprints import encode_fingerprint, parse_fingerprint
from titledeed.errors import NotFoundError
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.primitives import RegistrationId
from titledeed.ports import ObjectStore

LATER_CODES_SCHEMA: Final = "titledeed.later-fingerprints/1"
LATER_CODES_MAX: Final = 100

AlgorithmName = tuple[str, int]
"""Id and version."""


@dataclass(frozen=True, slots=True)
class LaterCodes:
    """What was fingerprinted after a registration.

    Attributes:
        examined: algorithms that looked at the media, also those that found no evidence.
    """

    examined: frozenset[AlgorithmName]
    codes: tuple[FingerprintCode, ...]


class LaterFingerprints:
    """The later codes of own registrations."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def name(self, registration_id: RegistrationId) -> str:
        """What the object is called, for people."""
        return f"fingerprints/{registration_id}.json"

    def read(self, registration_id: RegistrationId) -> LaterCodes:
        """The codes made after a registration; none where nothing was fingerprinted anew.

        Raises:
            MalformedDocumentError: the object is damaged.
        """
        name = self.name(registration_id)
        try:
            fields = parse_document(self._objects.get(name), what=name)
        except NotFoundError:
            return LaterCodes(frozenset(), ())
        fields.literal("schema", LATER_CODES_SCHEMA)
        examined = fields.children("examined", items_max=LATER_CODES_MAX)
        codes = fields.children("codes", items_max=LATER_CODES_MAX)
        later = LaterCodes(
            examined=frozenset(map(_parse_algorithm, examined)),
            codes=tuple(map(parse_fingerprint, codes)),
        )
        fields.done()
        return later

    def keep(self, registration_id: RegistrationId, later: LaterCodes) -> None:
        """Keep all later codes of a registration."""
        document = encode_document(
            {
                "schema": LATER_CODES_SCHEMA,
                "examined": [
                    {"algorithm": name, "version": version}
                    for name, version in sorted(later.examined)
                ],
                "codes": [encode_fingerprint(code) for code in later.codes],
            }
        )
        self._objects.put(self.name(registration_id), document)

    def delete(self, registration_id: RegistrationId) -> None:
        """Forget them; their absence is no error."""
        self._objects.delete(self.name(registration_id))


def _parse_algorithm(fields: Fields) -> AlgorithmName:
    algorithm = fields.text("algorithm", length_max=100), fields.integer("version")
    fields.done()
    return algorithm
