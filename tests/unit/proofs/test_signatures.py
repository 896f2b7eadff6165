from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from canonical_samples import CHAIN, CLAIMANT_KEY, sample_bundle
from chain_builders import root_of, sender_of

from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import address_from_bytes
from titledeed.errors import ClaimSignatureError, ProofError
from titledeed.models.evidence import Anchor, ChainIdentity
from titledeed.models.primitives import Signature
from titledeed.proofs.signatures import (
    address_of_key,
    check_claim,
    check_transaction,
    recover_signer,
    sign_digest,
)
from titledeed.proofs.transactions import hash_transaction

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
DIGEST = keccak256(b"digest")
SIGNATURE = sign_digest(CLAIMANT_KEY, DIGEST)
BUNDLE = sample_bundle()


def _signature(r: int, s: int, v: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])


R, S, V = int.from_bytes(SIGNATURE[:32]), int.from_bytes(SIGNATURE[32:64]), SIGNATURE[64]


def test_signer_is_recovered() -> None:
    assert recover_signer(DIGEST, SIGNATURE) == address_of_key(CLAIMANT_KEY)


def test_signing_twice_gives_the_same_bytes() -> None:
    assert sign_digest(CLAIMANT_KEY, DIGEST) == SIGNATURE


def test_account_of_the_first_anvil_key_is_known() -> None:
    key = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
    assert address_of_key(key) == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


def test_another_digest_recovers_another_account() -> None:
    assert recover_signer(keccak256(b"other"), SIGNATURE) != address_of_key(CLAIMANT_KEY)


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        SIGNATURE[:64],
        SIGNATURE + b"\0",
        _signature(R, ORDER - S, 55 - V),
        _signature(R, S, V - 27),
        _signature(R, S, 29),
        _signature(0, S, V),
        _signature(R, 0, V),
        _signature(ORDER, S, V),
        _signature(R, ORDER, V),
        _signature(5, S, V),  # 5 is the x of no point of the curve
    ],
    ids=["empty", "short", "long", "high s", "v 0", "v 29", "r 0", "s 0", "r n", "s n", "no point"],
)
def test_signature_in_another_form_has_no_signer(signature: bytes) -> None:
    assert recover_signer(DIGEST, signature) is None


def test_claim_signed_by_its_claimant_passes() -> None:
    check_claim(BUNDLE.dossier.record.signed_claim)


def test_claim_signed_by_another_is_refused() -> None:
    signed = BUNDLE.dossier.record.signed_claim
    forged = replace(signed, claim=replace(signed.claim, claimant=sender_of("thief").address))
    with pytest.raises(ClaimSignatureError):
        check_claim(forged)


def test_claim_for_another_chain_is_refused() -> None:
    signed = BUNDLE.dossier.record.signed_claim
    elsewhere = replace(signed, domain=replace(signed.domain, chain_id=1))
    with pytest.raises(ClaimSignatureError):
        check_claim(elsewhere)


def test_claim_with_a_signature_in_no_accepted_form_is_refused() -> None:
    signed = BUNDLE.dossier.record.signed_claim
    with pytest.raises(ClaimSignatureError, match="accepted form"):
        check_claim(replace(signed, signature=Signature(signed.signature[:64])))


def test_transaction_that_fits_its_anchor_passes() -> None:
    check_transaction(BUNDLE.own.raw_transaction, chain=CHAIN, anchor=BUNDLE.own.anchor)


@pytest.mark.parametrize(
    ("chain", "anchor", "reason"),
    [
        (replace(CHAIN, chain_id=1), BUNDLE.own.anchor, "chain"),
        (replace(CHAIN, contract=address_from_bytes(bytes(20))), BUNDLE.own.anchor, "contract"),
        (CHAIN, replace(BUNDLE.own.anchor, root=root_of("other")), "root"),
        (CHAIN, replace(BUNDLE.own.anchor, size=3), "root or size"),
        (CHAIN, replace(BUNDLE.own.anchor, caller=sender_of("thief").address), "another account"),
        (CHAIN, replace(BUNDLE.own.anchor, transaction=hash_transaction(b"other")), "hash"),
    ],
)
def test_transaction_that_does_not_fit_is_refused(
    chain: ChainIdentity, anchor: Anchor, reason: str
) -> None:
    with pytest.raises(ProofError, match=reason):
        check_transaction(BUNDLE.own.raw_transaction, chain=chain, anchor=anchor)


def test_transaction_of_another_kind_is_refused() -> None:
    legacy = b"\xf8" + BUNDLE.own.raw_transaction[1:]
    anchor = replace(BUNDLE.own.anchor, transaction=hash_transaction(legacy))
    with pytest.raises(ProofError, match="EIP-1559"):
        check_transaction(legacy, chain=CHAIN, anchor=anchor)


def test_verifying_imports_no_slow_library() -> None:
    modules = ", ".join(f"titledeed.chain.{name}" for name in ("development", "keys", "ledger"))
    slow = ("web3", "eth_account", "eth_utils", "py_ecc", "solcx")
    program = f"import sys, {modules}; print([n for n in {slow} if n in sys.modules])"
    answer = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert answer == "[]\n"
