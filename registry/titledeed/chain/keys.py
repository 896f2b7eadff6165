"""Keys of accounts in keystore v3 files (Web3 Secret Storage), and what they sign.

The account is readable without the passphrase; the key is decrypted once, when it is first needed.
eth-account does the format.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from titledeed.canonical.claims import hash_claim
from titledeed.canonical.identifiers import address_from_bytes
from titledeed.chain.evm import import_ethereum
from titledeed.durability import PRIVATE_MODE, sync_folder
from titledeed.errors import (
    ConflictError,
    HomeNotInitializedError,
    MalformedDocumentError,
    NotAuthorizedError,
    PassphraseError,
    StorageError,
)
from titledeed.models.claim import Claim, SignedClaim, SigningDomain
from titledeed.models.primitives import Address, Keccak256, Signature
from titledeed.proofs.signatures import address_of_key, sign_digest

PASSPHRASE_BYTES: Final = 32
WORK_FACTOR: Final = 2**18
"""scrypt n for passphrases that people choose: about 1.5 s and 256 MiB."""

WORK_FACTOR_GENERATED: Final = 2**12
"""scrypt n for ``generate_passphrase`` alone: 256 random bits need no stretching."""

KEYFILE_LENGTH_MAX: Final = 65_536
_ADDRESS: Final = re.compile(r"(0x)?[0-9a-fA-F]{40}")


def generate_passphrase() -> str:
    """A passphrase of 256 random bits, in letters, digits, ``-`` and ``_``."""
    return secrets.token_urlsafe(PASSPHRASE_BYTES)


def create_key_file(
    path: Path, *, passphrase: str, work_factor: int = WORK_FACTOR, key: bytes | None = None
) -> Address:
    """Write a key to a new file, mode 0600, whole or not at all.

    Args:
        path: must not exist; its folder is made.
        passphrase: encrypts the key.
        work_factor: scrypt n; lower it only for a generated passphrase.
        key: 32 bytes; None makes a new key.

    Raises:
        PassphraseError: the passphrase is empty.
        ConflictError: the path exists; a key is never overwritten.
        StorageError: it cannot be written.
    """
    if not passphrase:
        raise PassphraseError("an empty passphrase cannot protect a key")
    key = key or secrets.token_bytes(32)
    _write_new(path, _encrypt(key, passphrase, work_factor))
    return address_of_key(key)


class KeyFile:
    """One account's key file, read when the account is first asked for.

    Args:
        path: a keystore v3 file.
        passphrase: asked once, when the key is first needed.
    """

    def __init__(self, *, path: Path, passphrase: Callable[[], str]) -> None:
        self._path = path
        self._passphrase = passphrase
        self._key: bytes | None = None
        self._lock = threading.Lock()

    @property
    def address(self) -> Address:
        """The account that the file names.

        Raises:
            HomeNotInitializedError: there is no such file.
            StorageError: it cannot be read or is no keystore v3 file.
        """
        return self._account

    def sign_digest(self, digest: Keccak256) -> Signature:
        """Sign a digest that already binds its own domain and purpose.

        Raises:
            PassphraseError: the passphrase does not open the key.
            HomeNotInitializedError: as for ``address``.
            StorageError: as for ``address``.
        """
        return sign_digest(self._open(), digest)

    @cached_property
    def _account(self) -> Address:
        return _address_in(self._keystore, self._path)

    @cached_property
    def _keystore(self) -> dict[str, Any]:
        return _read(self._path)

    def _open(self) -> bytes:
        with self._lock:
            if self._key is None:
                self._key = self._decrypt()
            return self._key

    def _decrypt(self) -> bytes:
        try:
            key = decrypt_keystore(self._keystore, self._passphrase())
        except MalformedDocumentError as error:
            raise StorageError(f"{self._path}: {error.message}", path=self._path) from error
        except PassphraseError as error:
            raise PassphraseError(
                f"the passphrase does not open {self._path}",
                next_step=error.next_step,
                path=self._path,
            ) from error
        if address_of_key(key) != self.address:
            raise StorageError(
                f"{self._path} names another account than its key has", path=self._path
            )
        return key


class FileKeyStore:
    """The ``KeyStore`` port on one key file."""

    def __init__(self, file: KeyFile) -> None:
        self._file = file

    @property
    def address(self) -> Address:
        """The account of the one key; answers without the passphrase."""
        return self._file.address

    def holds(self, account: Address) -> bool:
        """See ``ports.KeyStore.holds``."""
        return account == self._file.address

    def sign_claim(self, claim: Claim, domain: SigningDomain) -> SignedClaim:
        """See ``ports.KeyStore.sign_claim``."""
        signature = self.sign_digest(hash_claim(claim, domain), claim.claimant)
        return SignedClaim(claim, domain, signature)

    def sign_digest(self, digest: Keccak256, account: Address) -> Signature:
        """See ``ports.KeyStore.sign_digest``."""
        if not self.holds(account):
            raise NotAuthorizedError(
                f"the key of {account} is not kept here",
                next_step=f"Here lies the key of {self.address}.",
            )
        return self._file.sign_digest(digest)


def decrypt_keystore(keystore: Mapping[str, object], passphrase: str) -> bytes:
    """The key in a keystore v3 object.

    Raises:
        PassphraseError: the passphrase does not open it.
        MalformedDocumentError: it is no complete keystore.
    """
    import_ethereum()
    from eth_account import Account

    try:
        return bytes(Account.decrypt(dict(keystore), passphrase))
    except (ValueError, TypeError, KeyError, NotImplementedError) as error:
        if "MAC mismatch" not in str(error):
            raise MalformedDocumentError(f"this is no complete keystore: {error!r}") from error
        raise PassphraseError(
            "the passphrase does not open the key",
            next_step="Set TITLEDEED_PASSPHRASE or TITLEDEED_PASSPHRASE_FILE.",
        ) from error


def _encrypt(key: bytes, passphrase: str, work_factor: int) -> bytes:
    import_ethereum()
    from eth_account import Account

    keystore = Account.encrypt(key, passphrase, kdf="scrypt", iterations=work_factor)
    return json.dumps(keystore, indent=2, sort_keys=True).encode("ascii") + b"\n"


def _write_new(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(partial, path)  # unlike a rename, it never replaces a key
        finally:
            partial.unlink()
        sync_folder(path.parent)
    except FileExistsError as error:
        raise ConflictError(f"{path} exists; a key is never overwritten", path=path) from error
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}", path=path) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            keystore = json.loads(file.read(KEYFILE_LENGTH_MAX))
    except FileNotFoundError as error:
        raise HomeNotInitializedError(
            f"there is no key file {path}", next_step="Run titledeed init.", path=path
        ) from error
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}", path=path) from error
    except (ValueError, RecursionError) as error:
        raise StorageError(f"{path} is not a keystore v3 file", path=path) from error
    if not isinstance(keystore, dict) or keystore.get("version") != 3:
        raise StorageError(f"{path} is not a keystore v3 file", path=path)
    return keystore


def _address_in(keystore: dict[str, Any], path: Path) -> Address:
    text = keystore.get("address")
    if not isinstance(text, str) or not _ADDRESS.fullmatch(text):
        raise StorageError(f"{path} names no account", path=path)
    return address_from_bytes(bytes.fromhex(text[-40:]))
