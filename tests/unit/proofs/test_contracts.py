"""Each kind of contract has one entry, and its own signing domain."""

from __future__ import annotations

import pytest
from builders import build_address, build_chain, build_domain

from titledeed.canonical.claims import hash_domain
from titledeed.models.claim import SigningDomain
from titledeed.models.ledger import ContractName, DeployedContract
from titledeed.proofs.contract import load_artifact
from titledeed.proofs.contracts import contract_kind, core_domain
from titledeed.proofs.events import list_topics
from titledeed.proofs.versions import current_version

ADDRESS = build_address(1)


@pytest.mark.parametrize("name", ContractName)
def test_every_contract_has_an_entry(name: ContractName) -> None:
    kind = contract_kind(name)
    assert kind.name is name
    assert kind.by_topic.keys() == {event.topic for event in kind.events}
    assert list_topics([DeployedContract(name, ADDRESS, 1)] * 2) == list(kind.by_topic)
    assert kind.domain(7, ADDRESS).contract == ADDRESS


def test_domains_are_each_of_one_contract() -> None:
    """A signature for one contract must be none for another."""
    domains = [contract_kind(name).domain(7, ADDRESS) for name in ContractName]
    assert len({hash_domain(domain) for domain in domains}) == len(ContractName)
    other = SigningDomain(7, ADDRESS, name="Titledeed Licensing")
    assert hash_domain(other) not in map(hash_domain, domains)


def test_core_is_the_contract_that_ships() -> None:
    assert current_version(ContractName.TITLE_DEED).code_hash == load_artifact().runtime_hash
    assert core_domain(build_chain()) == build_domain()
