"""The keys of a home: one keystore v3 file each, named for what it does.

``claimant`` signs claims, ``sender`` pays, ``recovery`` may declare the claimant's key lost. Any
other name is a spare, as for a successor. All open with the home's one passphrase. The recovery
key's file belongs elsewhere; its account stays beside, because each Claim names it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from titledeed.canonical.identifiers import ZERO_ADDRESS, parse_address
from titledeed.chain.keys import (
    KEYFILE_LENGTH_MAX,
    WORK_FACTOR,
    KeyFile,
    create_key_file,
    decrypt_keystore,
)
from titledeed.chain.known_accounts import refuse_known_account
from titledeed.durability import ORDINARY_MODE, write_durably
from titledeed.errors import (
    InvalidRequestError,
    MalformedDocumentError,
    NotFoundError,
    StorageError,
)
from titledeed.models.evidence import ChainKind
from titledeed.models.primitives import Address
from titledeed.proofs.signatures import KEY_LENGTH, address_of_key, is_key

CLAIMANT: Final = "claimant"
SENDER: Final = "sender"
RECOVERY: Final = "recovery"
ROLES: Final = {
    CLAIMANT: "signs the claims of this home",
    SENDER: "pays for transactions",
    RECOVERY: "may declare the claimant's key lost",
}
SPARE: Final = "not used by this home"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_PRIVATE_KEY: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One key of the home.

    Attributes:
        role: what this home does with it.
        path: its file; None where only the recovery key's account is kept here.
    """

    name: str
    address: Address
    role: str
    path: Path | None


class KeyFolder:
    """Makes, takes in and lists keys.

    Args:
        folder: of the keystore files.
        passphrase: encrypts new keys; asked when it is first needed.
        kind: of the home's chain; on a public one, keys that everybody has are refused.
        work_factor: scrypt n; see ``keys``.
    """

    def __init__(
        self,
        *,
        folder: Path,
        passphrase: Callable[[], str],
        kind: ChainKind,
        work_factor: int = WORK_FACTOR,
    ) -> None:
        self._folder = folder
        self._passphrase = passphrase
        self._kind = kind
        self._work_factor = work_factor

    def create(self, name: str) -> KeyEntry:
        """Make a new key.

        Raises:
            InvalidRequestError: the name cannot be one.
            ConflictError: there is a key of this name; a key is never overwritten.
            PassphraseError: there is no passphrase.
            StorageError: the file cannot be written.
        """
        return self._store(name, None)

    def import_key(self, name: str, data: bytes, file_passphrase: Callable[[], str]) -> KeyEntry:
        """Take in a key from elsewhere, encrypted anew with the home's passphrase.

        Args:
            name: under which it is kept.
            data: a keystore v3 file, or a private key in hex.
            file_passphrase: opens the keystore; asked only for one.

        Raises:
            MalformedDocumentError: it is neither.
            PassphraseError: the passphrase does not open it.
            ConfigurationError: everybody has this key, and the home's chain is public.
            InvalidRequestError: as for ``create``, like the others.
        """
        key = _read_key(data, file_passphrase)
        refuse_known_account(address_of_key(key), self._kind)
        return self._store(name, key)

    def list_all(self) -> list[KeyEntry]:
        """All keys, those with a role first; needs no passphrase.

        Raises:
            StorageError: a file is no keystore.
        """
        names = sorted(
            path.stem for path in self._folder.glob("*.json") if _NAME.fullmatch(path.stem)
        )
        entries = [self._describe(name, self.open(name).address) for name in names]
        recovery = read_recovery_address(self._folder)
        if recovery != ZERO_ADDRESS and RECOVERY not in names:
            entries.append(KeyEntry(RECOVERY, recovery, ROLES[RECOVERY], None))
        return sorted(entries, key=lambda entry: (entry.name not in ROLES, entry.name))

    def open(self, name: str) -> KeyFile:
        """A key by its name, or the keystore file at a path.

        Raises:
            NotFoundError: there is none.
            StorageError: it is no keystore.
        """
        path = self._path(name) if _NAME.fullmatch(name) else Path(name)
        if not path.is_file():
            raise NotFoundError(
                f"there is no key {name}",
                next_step="`titledeed keys list` shows them.",
                what="key",
                name=name,
            )
        return KeyFile(path=path, passphrase=self._passphrase)

    def _store(self, name: str, key: bytes | None) -> KeyEntry:
        if not _NAME.fullmatch(name):
            raise InvalidRequestError(
                f"{name!r} cannot name a key",
                next_step="Use up to 40 lower-case letters, digits, - and _.",
            )
        address = create_key_file(
            self._path(name),
            passphrase=self._passphrase(),
            work_factor=self._work_factor,
            key=key,
        )
        if name == RECOVERY:
            data = f"{address}\n".encode("ascii")
            write_durably(_recovery_path(self._folder), data, mode=ORDINARY_MODE)
        return self._describe(name, address)

    def _describe(self, name: str, address: Address) -> KeyEntry:
        return KeyEntry(name, address, ROLES.get(name, SPARE), self._path(name))

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def read_recovery_address(folder: Path) -> Address:
    """The account that Claims name as their recovery key; the zero address names none.

    Raises:
        StorageError: the file that tells is damaged or cannot be read.
    """
    path = _recovery_path(folder)
    try:
        return parse_address(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return ZERO_ADDRESS
    except (OSError, UnicodeDecodeError, MalformedDocumentError) as error:
        raise StorageError(f"{path} does not tell the recovery key: {error}", path=path) from error


def _recovery_path(folder: Path) -> Path:
    return folder / f"{RECOVERY}.address"


def _read_key(data: bytes, file_passphrase: Callable[[], str]) -> bytes:
    """A private key, from its hex digits or from a keystore v3 file."""
    if len(data) > KEYFILE_LENGTH_MAX:
        raise MalformedDocumentError("the file is larger than any key file")
    text = data.decode("utf-8", "replace").strip()
    if digits := _PRIVATE_KEY.fullmatch(text):
        key = bytes.fromhex(digits[1])
    else:
        key = decrypt_keystore(_parse_keystore(text), file_passphrase())
    if len(key) != KEY_LENGTH or not is_key(key):
        raise MalformedDocumentError("the number is no private key of an account")
    return key


def _parse_keystore(text: str) -> dict[str, object]:
    try:
        keystore = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_key() from error
    if not isinstance(keystore, dict) or keystore.get("version") != 3:
        raise _no_key()
    return keystore


def _no_key() -> MalformedDocumentError:
    # What was read is not repeated: it may be most of a key.
    return MalformedDocumentError(
        "this is neither a keystore v3 file nor a private key of 64 hex digits",
        next_step="Export the account from your wallet as a keystore file.",
    )
