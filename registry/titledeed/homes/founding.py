"""Founding a home: the folder, its passphrase, its keys and its development authority.

Each part that is there already is kept, so that an interrupted run is simply repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from titledeed.canonical.identifiers import ZERO_ADDRESS
from titledeed.chain.key_folder import RECOVERY, KeyFolder, read_recovery_address
from titledeed.chain.keys import (
    WORK_FACTOR,
    WORK_FACTOR_GENERATED,
    KeyFile,
    create_key_file,
    generate_passphrase,
)
from titledeed.credentials.authority import create_authority
from titledeed.durability import PRIVATE_MODE, write_durably
from titledeed.errors import StorageError
from titledeed.homes.layout import HomeLayout
from titledeed.models.evidence import ChainIdentity, ChainKind
from titledeed.models.primitives import Address


@dataclass(frozen=True, slots=True)
class InitializedHome:
    """What ``init`` made, or found.

    Attributes:
        passphrase_file: where a generated passphrase lies; None where the owner gave one.
        token: for the HTTP API, shown this once; empty for a home that was there already.
        created: whether the home is new.
    """

    home: Path
    claimant: Address
    sender: Address
    recovery: Address
    chain: ChainIdentity
    passphrase_file: Path | None
    token: str
    created: bool


@dataclass(frozen=True, slots=True)
class FoundedKeys:
    """The keys of a home but for the claimant's, which comes last.

    Attributes:
        sender: pays the gas.
        recovery: may declare the claimant's key lost.
    """

    layout: HomeLayout
    passphrase: str
    work_factor: int
    sender: KeyFile
    recovery: Address

    def make_claimant(self) -> KeyFile:
        """The claimant's key; a folder that holds it is a whole home."""
        return _ensure_key(self.layout.claimant_key, self.passphrase, self.work_factor)


def found_keys(
    layout: HomeLayout, passphrase: str, *, is_generated: bool, organization: str
) -> FoundedKeys:
    """Make what is missing of the keys and of the development authority.

    Args:
        layout: of a folder that ``prepare_passphrase`` made.
        passphrase: opens all keys.
        is_generated: whether nobody can guess the passphrase, so that opening may be quick.
        organization: in whose name the development authority signs; empty for none.

    Raises:
        PassphraseError: a key that is there does not open with the passphrase.
        StorageError: the folder cannot be written.
    """
    work_factor = WORK_FACTOR_GENERATED if is_generated else WORK_FACTOR
    sender = _ensure_key(layout.sender_key, passphrase, work_factor)
    recovery = _ensure_recovery(layout, passphrase, work_factor)
    if not layout.signing_identity.exists():
        name = organization or "Unnamed studio"
        create_authority(layout.signing_identity, organization=name, passphrase=passphrase)
    return FoundedKeys(layout, passphrase, work_factor, sender, recovery)


def _make_private(root: Path) -> None:
    """Dossiers hold titles and salts of private works: nobody else may look in."""
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{root} cannot be made: {error.strerror}",
            next_step="Set TITLEDEED_HOME to a folder that can be written.",
            path=root,
        ) from error


def prepare_passphrase(layout: HomeLayout, *, is_given: bool) -> bool:
    """Make the folder, and a passphrase if none is given.

    Returns:
        Whether it is a generated one.

    Raises:
        StorageError: the folder cannot be written.
    """
    _make_private(layout.root)
    if is_given:
        return False
    if not layout.passphrase_file.exists():
        data = f"{generate_passphrase()}\n".encode("ascii")
        write_durably(layout.passphrase_file, data, mode=PRIVATE_MODE)
    return True


def _ensure_key(path: Path, passphrase: str, work_factor: int) -> KeyFile:
    if not path.exists():
        create_key_file(path, passphrase=passphrase, work_factor=work_factor)
    return KeyFile(path=path, passphrase=lambda: passphrase)


def _ensure_recovery(layout: HomeLayout, passphrase: str, work_factor: int) -> Address:
    # Its file may have been moved elsewhere, as it should: the account stays beside.
    if read_recovery_address(layout.keys) == ZERO_ADDRESS:
        # No chain is pinned yet, and a new key is known to nobody on any.
        keys = KeyFolder(
            folder=layout.keys,
            passphrase=lambda: passphrase,
            kind=ChainKind.DEVELOPMENT,
            work_factor=work_factor,
        )
        keys.create(RECOVERY)
    return read_recovery_address(layout.keys)
