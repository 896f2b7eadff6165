"""EIP-712 against eth-account, which is handed what a wallet is handed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from canonical_samples import DOMAIN, sample_dossier, sample_signed_disclosure
from canonical_values import claims, domains, first_claims, signed_disclosures
from ethereum_oracle import encode_typed_data, hash_message
from hypothesis import given, settings
from hypothesis import strategies as st

from titledeed.canonical.claims import (
    CLAIM_TYPE,
    FIRST_CLAIM_TYPE,
    describe_claim,
    hash_claim,
    hash_domain,
    identify_claim,
)
from titledeed.canonical.disclosure_signatures import describe_disclosure, hash_disclosure
from titledeed.canonical.typed_data import describe_typed, hash_struct, hash_typed
from titledeed.errors import InvariantViolation
from titledeed.models.claim import Claim, SigningDomain
from titledeed.models.disclosure import SignedDisclosure

CLAIM = sample_dossier().record.signed_claim.claim
FIRST_CLAIM = replace(CLAIM, lineage_digest=None, statement=None)


@settings(deadline=None)
@given(claims | first_claims, domains)
def test_a_claim_is_hashed_as_eth_account_does(claim: Claim, domain: SigningDomain) -> None:
    message = encode_typed_data(full_message=describe_claim(claim, domain))
    assert hash_message(message) == hash_claim(claim, domain)


@settings(deadline=None)
@given(signed_disclosures)
def test_a_disclosure_is_hashed_as_eth_account_does(signed: SignedDisclosure) -> None:
    message = encode_typed_data(full_message=describe_disclosure(signed.statement))
    assert hash_message(message) == hash_disclosure(signed.statement)


@pytest.mark.parametrize(("claim", "kind"), [(CLAIM, CLAIM_TYPE), (FIRST_CLAIM, FIRST_CLAIM_TYPE)])
def test_a_wallet_is_handed_the_members_of_the_type_in_its_order(claim: Claim, kind: str) -> None:
    described = describe_claim(claim, DOMAIN)
    members = [member.split(" ") for member in kind.removeprefix("Claim(")[:-1].split(",")]
    assert described["types"] == {
        "EIP712Domain": [
            {"name": "name", "type": "string"},
            {"name": "version", "type": "string"},
            {"name": "chainId", "type": "uint256"},
            {"name": "verifyingContract", "type": "address"},
        ],
        "Claim": [{"name": name, "type": type_} for type_, name in members],
    }
    assert isinstance(described["message"], dict)
    assert list(described["message"]) == [name for _, name in members]
    assert list(described) == ["types", "primaryType", "domain", "message"]


def test_the_sentence_comes_first() -> None:
    assert CLAIM_TYPE.startswith("Claim(string statement,")
    message = describe_disclosure(sample_signed_disclosure().statement)["message"]
    assert isinstance(message, dict)
    assert list(message) == ["statement", "signer", "role", "covers", "documentDigest", "signedAt"]
    assert message["covers"] == ["vfx", "music"]


def test_no_two_versions_of_a_claim_have_one_digest() -> None:
    assert hash_claim(CLAIM, DOMAIN) != hash_claim(FIRST_CLAIM, DOMAIN)
    assert identify_claim(CLAIM, DOMAIN) == identify_claim(FIRST_CLAIM, DOMAIN)


@pytest.mark.parametrize(
    "other",
    [
        replace(DOMAIN, chain_id=1),
        replace(DOMAIN, contract=CLAIM.claimant),
        replace(DOMAIN, name="Another"),
        replace(DOMAIN, version="2"),
    ],
)
def test_a_claim_counts_in_one_domain(other: SigningDomain) -> None:
    assert hash_domain(other) != hash_domain(DOMAIN)
    assert hash_claim(CLAIM, other) != hash_claim(CLAIM, DOMAIN)


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_lists_of_texts_are_bound_as_they_are(one: list[str], other: list[str]) -> None:
    hashed = [hash_struct("A(string[] b)", {"b": given}) for given in (one, other)]
    assert (hashed[0] == hashed[1]) == (one == other)


def test_what_no_type_names_is_not_shown() -> None:
    described = describe_typed(
        "A(string b)", {"b": "x", "c": "y"}, "D(string e)", {"e": "", "f": ""}
    )
    assert described["message"] == {"b": "x"}
    assert described["domain"] == {"e": ""}


@pytest.mark.parametrize(
    ("kind", "value"), [("uint64", "1"), ("bytes32", "x"), ("bool", 1), ("string", b"x")]
)
def test_a_value_of_another_type_is_a_bug_of_ours(kind: str, value: str | int | bytes) -> None:
    with pytest.raises(InvariantViolation, match=kind):
        hash_struct(f"A({kind} b)", {"b": value})


def test_the_digest_is_bound_to_separator_and_struct() -> None:
    separator, struct = hash_domain(DOMAIN), hash_struct("A(string b)", {"b": "x"})
    assert hash_typed(separator, struct) != hash_typed(struct, separator)
