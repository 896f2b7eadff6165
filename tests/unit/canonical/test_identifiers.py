"""Addresses and registration ids."""

from __future__ import annotations

import pytest

from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import (
    address_bytes,
    address_from_bytes,
    derive_registration_id,
    parse_address,
    parse_registration_id,
)
from titledeed.errors import InvalidRequestError, MalformedDocumentError
from titledeed.models.primitives import Address, Sha256

# From EIP-55 itself.
EIP_55 = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
]


@pytest.mark.parametrize("text", EIP_55)
def test_addresses_keep_the_case_of_eip_55(text: str) -> None:
    assert address_from_bytes(bytes.fromhex(text[2:])) == text
    assert address_bytes(parse_address(text)).hex() == text[2:].lower()


@pytest.mark.parametrize("text", [EIP_55[2].lower(), EIP_55[2][:-1], EIP_55[2][2:], "", "0xzz"])
def test_other_forms_of_an_address_are_refused(text: str) -> None:
    with pytest.raises(MalformedDocumentError):
        parse_address(text)


def test_an_id_depends_on_chain_claimant_and_content() -> None:
    one, two = keccak256(b"1"), keccak256(b"2")
    first, second = Address(EIP_55[2]), Address(EIP_55[3])
    ids = {
        derive_registration_id(domain, claimant, Sha256(content))
        for domain in (one, two)
        for claimant in (first, second)
        for content in (one, two)
    }
    assert len(ids) == 8
    assert all(parse_registration_id(one_id) == one_id for one_id in ids)


@pytest.mark.parametrize("text", ["", "td1", "td1" + "A" * 32, "td1" + "a" * 33, "../" + "a" * 32])
def test_what_is_no_registration_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_registration_id(text)
