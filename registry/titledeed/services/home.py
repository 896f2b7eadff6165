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
    def claimant_key(self) -> Path:
        """Keystore v3 of the claimant."""
        return self.root / "keys" / "claimant.json"

    @property
    def sender_key(self) -> Path:
        """Keystore v3 of the account that pays the gas."""
        return self.root / "keys" / "sender.json"

    @property
    def signing_identity(self) -> Path:
        """Development CA and signing certificate for C2PA."""
        return self.root / "keys" / "c2pa"

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
        """Files that the HTTP API is receiving; emptied at start."""
        return self.root / "uploads"

    @property
    def locks(self) -> Path:
        """Lock files between processes."""
        return self.root / "locks"
