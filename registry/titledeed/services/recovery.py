"""Clearing up after a process that was killed between signing a file and accepting it.

Its signed copy is named by no row. In this home's own folder it goes when the same file is
registered again; in a folder of the claimant's only the intent tells where it lies, and nothing is
deleted there unless the file carries the very claim that was intended.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from titledeed.canonical.claims import identify_claim
from titledeed.errors import DependencyError, InputError, NotFoundError
from titledeed.models.asset import MediaType
from titledeed.models.primitives import RegistrationId
from titledeed.models.registration import SigningIntent
from titledeed.ports import ManifestReader, RegistrationRepository
from titledeed.vault.vault import Vault

_BY_ENDING: Final = {f".{media_type.extension}": media_type for media_type in MediaType}
"""Signed copies are named by their type."""


def recover_intents(
    registrations: RegistrationRepository, vault: Vault, reader: ManifestReader
) -> None:
    """Delete the signed copies of intents that nobody is carrying out, and forget these.

    Raises:
        StorageError: a copy cannot be deleted.
    """
    for intent in registrations.list_intents():
        # Held by whoever is signing right now.
        with suppress(DependencyError), registrations.hold(intent.registration_id, wait=False):
            if registrations.find_intent(intent.registration_id) == intent:
                _clear(intent, vault, reader)
                registrations.forget_intent(intent.registration_id)


def _clear(intent: SigningIntent, vault: Vault, reader: ManifestReader) -> None:
    location = intent.signed_path
    if location is None:
        return
    with suppress(NotFoundError), vault.signed_copies.reading(location) as path:
        if _find_claimed(path, reader) == intent.registration_id:
            vault.signed_copies.delete(location)


def _find_claimed(path: Path, reader: ManifestReader) -> RegistrationId | None:
    """The registration whose claim a file carries."""
    media_type = _BY_ENDING.get(path.suffix)
    if media_type is None:
        return None
    try:
        signed = reader.read(path, media_type).signed_claim
    except InputError:  # the claimant may have put another file there since
        return None
    return None if signed is None else identify_claim(signed.claim, signed.domain)
