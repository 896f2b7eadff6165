"""The folder that holds everything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class HomeLayout:
    """Where things lie inside the home folder."""

    root: Path

    @property
    def passphrase_file(self) -> Path:
        """A passphrase that ``init`` generated, mode 0600; absent when the owner chose one."""
        return self.root / "passphrase"

    @property
    def keys(self) -> Path:
        """Keystores, the recovery key's account, and the signing identity."""
        return self.root / "keys"

    @property
    def claimant_key(self) -> Path:
        """Keystore v3 of the claimant."""
        return self.keys / "claimant.json"

    @property
    def sender_key(self) -> Path:
        """Keystore v3 of the account that pays the gas."""
        return self.keys / "sender.json"

    @property
    def signing_identity(self) -> Path:
        """Development CA and signing certificate for C2PA."""
        return self.keys / "c2pa"

    @property
    def trust(self) -> Path:
        """Trust lists of the owner's choice, PEM."""
        return self.root / "trust"

    @property
    def chain(self) -> Path:
        """The pinned chain, and the journal of a development chain."""
        return self.root / "chain"

    @property
    def database(self) -> Path:
        """SQLite."""
        return self.root / "titledeed.sqlite3"

    @property
    def new_database(self) -> Path:
        """SQLite that a rebuild is filling; whole only once it took the database's place."""
        return self.root / "titledeed.sqlite3.rebuild"

    @property
    def index(self) -> Path:
        """Look-up tables of the codes in the database; whatever is missing is made again."""
        return self.root / "index"

    @property
    def objects(self) -> Path:
        """Dossiers, bundles, thumbnails."""
        return self.root / "objects"

    @property
    def signed(self) -> Path:
        """Signed copies."""
        return self.root / "signed"

    @property
    def reports(self) -> Path:
        """Audit reports."""
        return self.root / "reports"

    @property
    def uploads(self) -> Path:
        """Files that the HTTP API is receiving; kept as long as a job needs them."""
        return self.root / "uploads"

    @property
    def occupancy(self) -> Path:
        """The lock file that whoever uses the database shares, and a rebuild has alone."""
        return self.locks / "home"

    @property
    def upkeep(self) -> Path:
        """The lock file of whoever erases or backs up."""
        return self.locks / "upkeep"

    @property
    def locks(self) -> Path:
        """Lock files between processes."""
        return self.root / "locks"
