"""What each act costs: within its budget, and exactly what ``contracts/gas.json`` says."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from compile_contracts import CHECKOUT
from gas_table import BUDGETS, PRINTED, SNAPSHOT, measure

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def figures() -> dict[str, int]:
    return measure()


@pytest.mark.parametrize("act", BUDGETS)
def test_gas_stays_within_the_budget(figures: dict[str, int], act: str) -> None:
    assert figures[act] <= BUDGETS[act]


def test_gas_is_that_of_the_snapshot(figures: dict[str, int]) -> None:
    kept = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assert figures == kept, "after a change that is meant: scripts/gas_table.py --write"


def test_the_last_line_of_the_table_is_one_json_object() -> None:
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / "scripts" / "gas_table.py")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert tuple(json.loads(done.stdout.splitlines()[-1])) == PRINTED
