"""Vaults for tests, laid out as a home's."""

from __future__ import annotations

from pathlib import Path

from simulation.faulty_store import FaultyStore

from titledeed.vault.vault import Vault


def open_store(folder: Path) -> FaultyStore:
    """A home's object store."""
    return FaultyStore(folder=folder / "objects")


def open_vault(folder: Path, objects: FaultyStore | None = None) -> Vault:
    """A vault in a folder."""
    return Vault.over(
        objects or open_store(folder),
        signed=folder / "signed",
        reports=folder / "reports",
    )
