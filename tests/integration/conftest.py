"""Homes that files of tests share: each file makes its own, since making one takes seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import Home, Studio, home_beside, new_home, new_studio


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home that registered nothing yet."""
    with new_home(tmp_path_factory.mktemp("home") / "home") as home:
        yield home


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory: pytest.TempPathFactory, home: Home) -> Iterator[Home]:
    """Another claimant on the home's chain."""
    folder = tmp_path_factory.mktemp("neighbour") / "home"
    with home_beside(home, folder, organization="Neighbour") as neighbour:
        yield neighbour


@pytest.fixture(scope="module")
def rival(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Another claimant with a home and a chain of its own."""
    with new_home(tmp_path_factory.mktemp("rival") / "home", organization="Rival") as home:
        yield home


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A home that registered three files, in which no test spoils them."""
    with new_studio(tmp_path_factory.mktemp("studio")) as studio:
        yield studio


@pytest.fixture
def own_studio(tmp_path: Path) -> Iterator[Studio]:
    """The same, for one test alone."""
    with new_studio(tmp_path) as studio:
        yield studio
