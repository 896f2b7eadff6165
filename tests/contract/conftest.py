"""What the contract suites of the tables share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from repository_adapters import ADAPTERS

from titledeed.ports import Repositories


@pytest.fixture(params=sorted(ADAPTERS))
def repositories(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Repositories]:
    """An empty database behind each adapter."""
    with ADAPTERS[request.param](tmp_path) as opened:
        yield opened
