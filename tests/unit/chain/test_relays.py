"""What an actor signs, held to golden vectors that eth-account made and the contract checks too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chain_builders import act_of_vector

from titledeed.canonical.documents import hex_word
from titledeed.chain.calls import encode_call
from titledeed.chain.relays import ACT_TYPES, hash_act
from titledeed.models.claim import SigningDomain
from titledeed.models.ledger import Act, RelayedAct
from titledeed.models.primitives import Address, Signature
from titledeed.proofs.signatures import recover_signer

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "conformance/vectors/typed_data.json").read_text()
)
CASES = [case for case in VECTORS["cases"] if case["type"] != "Anchor"]
"""A home relays acts; it anchors by itself."""


def _read(case: dict[str, Any]) -> tuple[Act, Address, int, SigningDomain]:
    arguments = case["arguments"]
    domain = SigningDomain(case["chainId"], Address(case["contract"]))
    return act_of_vector(case), Address(arguments["actor"]), int(arguments["deadline"]), domain


def test_types_are_those_of_the_vectors() -> None:
    written = {f"{name}({members})" for name, members in VECTORS["types"].items()}
    assert written - set(ACT_TYPES.values()) == {f"Anchor({VECTORS['types']['Anchor']})"}
    assert set(ACT_TYPES.values()) < written
    assert {type(act_of_vector(case)) for case in CASES} == set(ACT_TYPES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['type']}-{case['chainId']}")
def test_digest_is_that_of_the_vector(case: dict[str, Any]) -> None:
    act, actor, deadline, domain = _read(case)
    digest = hash_act(act, actor=actor, deadline=deadline, domain=domain)
    assert hex_word(digest) == case["digest"]
    assert recover_signer(digest, bytes.fromhex(case["signature"][2:])) == actor


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['type']}-{case['chainId']}")
def test_call_is_that_of_the_vector(case: dict[str, Any]) -> None:
    act, actor, deadline, _ = _read(case)
    signature = Signature(bytes.fromhex(case["signature"][2:]))
    call = encode_call(RelayedAct(act, actor, deadline, signature))
    assert hex_word(call) == case["call"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['type']}-{case['chainId']}")
def test_actor_deadline_chain_and_contract_are_bound(case: dict[str, Any]) -> None:
    act, actor, deadline, domain = _read(case)
    other = Address(VECTORS["cases"][0]["contract"])
    digests = {
        hash_act(act, actor=actor, deadline=deadline, domain=domain),
        hash_act(act, actor=other, deadline=deadline, domain=domain),
        hash_act(act, actor=actor, deadline=deadline - 1, domain=domain),
        hash_act(act, actor=actor, deadline=deadline, domain=SigningDomain(5, domain.contract)),
        hash_act(act, actor=actor, deadline=deadline, domain=SigningDomain(domain.chain_id, actor)),
    }
    assert len(digests) == 5
