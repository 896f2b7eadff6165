"""Each forgery of a bundle fails in the check that guards against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from builders import build_address, build_claimant, build_dossier
from evidence_builders import (
    SENDER,
    anchor_call,
    build_sound_bundle,
    build_sound_bundles,
    failing,
    with_own,
    with_raw_transaction,
    with_transaction,
)
from state_proof_sample import build_state_proof

from titledeed.canonical.claims import hash_claim
from titledeed.models.asset import MediaType
from titledeed.models.bundle import Bundle
from titledeed.models.primitives import Keccak256, Sha256, Signature
from titledeed.models.record import Dossier, Salts
from titledeed.proofs.contract import encode_anchor
from titledeed.proofs.transactions import encode_signed, signing_digest
from titledeed.services.evidence import check_bundle

CURVE_ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141

SWAPS: Final[dict[str, tuple[Callable[[Dossier, Dossier], Dossier], set[str]]]] = {
    "fingerprints": (lambda a, b: replace(a, fingerprints=b.fingerprints), {"documents"}),
    "fewer fingerprints": (
        lambda a, _: replace(a, fingerprints=a.fingerprints[:1]),
        {"documents"},
    ),
    "fingerprints in another order": (
        lambda a, _: replace(a, fingerprints=a.fingerprints[::-1]),
        {"documents"},
    ),
    "rights": (lambda a, b: replace(a, rights=b.rights), {"documents"}),
    "manifest store": (lambda a, b: replace(a, manifest_store=b.manifest_store), {"documents"}),
    "no manifest store": (lambda a, _: replace(a, manifest_store=b""), {"documents"}),
    "credential": (
        lambda a, b: replace(a, record=replace(a.record, credential=b.record.credential)),
        {"documents", "inclusion"},
    ),
    "no credential": (
        lambda a, _: replace(a, record=replace(a.record, credential=None)),
        {"documents", "inclusion"},
    ),
    "claim": (
        lambda a, b: replace(a, record=replace(a.record, signed_claim=b.record.signed_claim)),
        {"documents", "inclusion"},
    ),
    "record": (lambda a, b: replace(a, record=b.record), {"documents", "inclusion"}),
    "salts": (lambda a, b: replace(a, salts=b.salts), {"inclusion"}),
    "salts of each other": (
        lambda a, _: replace(a, salts=Salts(content=a.salts.record, record=a.salts.content)),
        {"inclusion"},
    ),
    "whole dossier": (lambda _, b: b, {"inclusion"}),
}


@pytest.mark.parametrize("name", SWAPS)
def test_documents_of_another_registration_do_not_fit(name: str) -> None:
    swap, expected = SWAPS[name]
    one, other = build_sound_bundles([build_dossier(1), build_dossier(2)])
    forged = replace(one, dossier=swap(one.dossier, other.dossier))
    assert failing(check_bundle(forged)) == expected


def test_a_disclosure_made_milder_does_not_fit(bundle: Bundle) -> None:
    milder = replace(bundle.dossier.disclosure, oversight=None, tools=())
    forged = replace(bundle, dossier=replace(bundle.dossier, disclosure=milder))
    assert failing(check_bundle(forged)) == {"documents"}


def test_proofs_of_siblings_do_not_fit() -> None:
    one, other = build_sound_bundles([build_dossier(1), build_dossier(2)])
    assert failing(check_bundle(with_own(one, proof=other.own.proof))) == {"inclusion"}


@pytest.mark.parametrize("size", [1, 3, 4, 2**32])
def test_a_proof_for_another_size_does_not_fit(bundle: Bundle, size: int) -> None:
    proof = replace(bundle.own.proof, size=size)
    assert failing(check_bundle(with_own(bundle, proof=proof))) == {"inclusion"}


@pytest.mark.parametrize("change", [-1, 1])
def test_a_path_of_another_length_does_not_fit(bundle: Bundle, change: int) -> None:
    path = bundle.own.proof.path
    path = path[:-1] if change < 0 else (*path, Keccak256(bytes(32)))
    forged = with_own(bundle, proof=replace(bundle.own.proof, path=path))
    assert failing(check_bundle(forged)) == {"inclusion"}


def with_signature(bundle: Bundle, signature: bytes) -> Bundle:
    record = bundle.dossier.record
    signed = replace(record.signed_claim, signature=Signature(signature))
    return replace(
        bundle, dossier=replace(bundle.dossier, record=replace(record, signed_claim=signed))
    )


def mirror(signature: bytes) -> bytes:
    """The other signature that plain ECDSA accepts: n - s, and the other parity."""
    s = CURVE_ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


@pytest.mark.parametrize(
    "malleate",
    [
        mirror,
        lambda signature: signature[:64] + bytes([signature[64] - 27]),
        lambda signature: signature[:64] + bytes([55 - signature[64]]),
        lambda signature: signature + b"\0",
        lambda signature: signature[:64],
        lambda signature: bytes(64) + signature[64:],
        lambda signature: b"\xff" * 64 + signature[64:],
    ],
    ids=["high s", "v 0 or 1", "other parity", "longer", "shorter", "zero", "out of range"],
)
def test_a_claim_has_one_signature(bundle: Bundle, malleate: Callable[[bytes], bytes]) -> None:
    signature = bundle.dossier.record.signed_claim.signature
    forged = with_signature(bundle, malleate(signature))
    assert "claim_signature" in failing(check_bundle(forged))


def test_nobody_else_signs_for_a_claimant(bundle: Bundle) -> None:
    signed = bundle.dossier.record.signed_claim
    stranger = build_claimant(9).sign(hash_claim(signed.claim, signed.domain))
    report = check_bundle(with_signature(bundle, stranger))
    assert "claim_signature" in failing(report)
    assert build_claimant(9).address in report.checks[0].detail


def test_a_claim_for_another_chain_does_not_count_here() -> None:
    """Signed properly and anchored properly, but for another domain."""
    dossier = build_dossier(1)
    chain = replace(build_sound_bundle().own.chain, chain_id=5)
    (bundle,) = build_sound_bundles([dossier], chain=chain)
    assert failing(check_bundle(bundle)) == {"chain"}


def test_a_transaction_for_another_chain_contract_root_or_size_is_refused(
    bundle: Bundle, subtests: pytest.Subtests
) -> None:
    call, anchor = anchor_call(bundle), bundle.own.anchor
    other_root = type(anchor.root)(Keccak256(bytes(32)))
    forgeries = {
        "chain": replace(call, chain_id=5),
        "contract": replace(call, to=build_address(5)),
        "no contract": replace(call, to=None),
        "root": replace(call, data=encode_anchor(other_root, anchor.size)),
        "size": replace(call, data=encode_anchor(anchor.root, anchor.size + 1)),
        "more data": replace(call, data=call.data + b"\0"),
        "no data": replace(call, data=b""),
    }
    for name, forged in forgeries.items():
        with subtests.test(name):
            assert failing(check_bundle(with_transaction(bundle, forged))) == {"transaction"}


def test_a_transaction_has_one_signature(bundle: Bundle) -> None:
    call = anchor_call(bundle)
    high_s = Signature(mirror(SENDER.sign(signing_digest(call))))
    forged = with_raw_transaction(bundle, encode_signed(call, high_s))
    assert failing(check_bundle(forged)) == {"transaction"}


def test_a_transaction_of_another_account_than_the_caller_is_refused(bundle: Bundle) -> None:
    stranger = replace(bundle.own.anchor, caller=build_claimant(9).address)
    report = check_bundle(with_own(bundle, anchor=stranger))
    assert failing(report) == {"transaction", "state"}


def test_whoever_pays_claims_nothing(bundle: Bundle) -> None:
    """Anybody may anchor the same root: the claim stays the claimant's."""
    call, stranger = anchor_call(bundle), build_claimant(9)
    raw = encode_signed(call, stranger.sign(signing_digest(call)))
    again = with_raw_transaction(bundle, raw)
    anchor = replace(again.own.anchor, caller=stranger.address)
    state_proof = build_state_proof(anchor, bundle.own.chain.contract)
    assert check_bundle(with_own(again, anchor=anchor, state_proof=state_proof)).holds


def test_the_source_and_its_signed_copy_are_the_assets(bundle: Bundle) -> None:
    record = bundle.dossier.record
    assert record.credential is not None
    for digest in (record.signed_claim.claim.content_digest, record.credential.signed_digest):
        report = check_bundle(bundle, digest)
        assert report.holds
        assert report.checks[-1].name == "asset"


@pytest.mark.parametrize("media_type", [MediaType.MP4, MediaType.WEBM])
def test_any_other_file_is_not_the_asset(media_type: MediaType) -> None:
    (bundle,) = build_sound_bundles([build_dossier(3, media_type=media_type)])
    assert check_bundle(bundle).holds
    other = Sha256(bytes(32))
    report = check_bundle(bundle, other)
    assert failing(report) == {"asset"}
    assert other.hex() in report.checks[-1].detail
