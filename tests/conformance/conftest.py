"""Bundles that several modules put before both verifiers."""

from __future__ import annotations

import pytest
from second_verifier import Document
from second_verifier_bundles import PLACES, Registrar, prepare, to_document


@pytest.fixture(scope="session")
def intact(tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    """Half of them proven against a block right after their anchor, half against a later one.

    Seven have an anchor on a second chain and signed fields that nobody knows, eight have logs
    and words of storage. The deeds of those with one anchor are issued.
    """
    own = Registrar(tmp_path_factory.mktemp("chain"))
    second = Registrar(tmp_path_factory.mktemp("second"))
    bundles = []
    for number, place in enumerate(PLACES[::2]):
        chains = (own, second) if number % 2 else (own,)
        bundles.append(prepare(chains, *place).build(with_log=number >= 2))
    later = [prepare((own, second), *place) for place in PLACES[1::2]]
    bundles += [prepared.build(with_log=True) for prepared in later]
    own.close()
    second.close()
    return list(map(to_document, bundles))
