"""Vaults for tests, laid out as a home's."""

from __future__ import annotations

from pathlib import Path

from titledeed.store.objects import LocalObjectStore
from titledeed.vault.vault import Vault


def open_vault(folder: Path) -> Vault:
    """A vault in a folder."""
    return Vault.over(
        LocalObjectStore(folder=folder / "objects"),
        signed=folder / "signed",
        reports=folder / "reports",
    )
