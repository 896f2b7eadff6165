"""The desk at which anchoring is tested, on the chain of each file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chain_desk import Desk
from simulation.ledger_simulator import LedgerSimulator


@pytest.fixture
def desk(tmp_path: Path, simulator: LedgerSimulator) -> Iterator[Desk]:
    desk = Desk(tmp_path / "home", simulator)
    yield desk
    desk.close()
