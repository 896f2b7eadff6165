"""Bundles are checked offline: every field is covered, and each forgery fails where it should."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import pytest
from builders import build_address, build_claimant, build_dossier
from evidence_builders import (
    SENDER,
    anchor_call,
    build_sound_bundle,
    build_sound_bundles,
    failing,
    with_raw_transaction,
    with_timestamp,
    with_transaction,
)
from json_places import at, put
from state_proof_sample import build_state_proof
from timestamp_builders import OpensslAuthority

from titledeed.canonical.bundles import encode_bundle
from titledeed.canonical.claims import hash_claim
from titledeed.canonical.documents import encode_document
from titledeed.errors import MalformedDocumentError, VerificationError
from titledeed.models.asset import MediaType
from titledeed.models.evidence import Bundle, ChainKind
from titledeed.models.primitives import Keccak256, Sha256, Signature
from titledeed.models.record import Dossier, Salts
from titledeed.proofs.bundles import CheckResult, read_bundle_file
from titledeed.proofs.contract import encode_anchor
from titledeed.proofs.transactions import encode_signed, signing_digest
from titledeed.services.evidence import check_bundle, require_bundle

Path = tuple[str | int, ...]
Place = tuple[str, ...]

CURVE_ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141

REFUSED: Final = "refused by the parser"
BY_HAND: Final = "named by hand"

RECORD_CLAIMED_AT: Final = ("dossier", "record", "claim", "claimed_at")

# The longest prefix counts. What no offline check can cover is told to the reader instead.
GUARDS: Final[dict[Place, str]] = {
    ("schema",): REFUSED,
    ("dossier", "schema"): REFUSED,
    ("dossier", "registration_id"): "documents",
    ("dossier", "record"): "inclusion",
    ("dossier", "record", "schema"): REFUSED,
    ("dossier", "record", "claim"): "claim_signature",
    ("dossier", "salts"): "inclusion",
    ("dossier", "fingerprints"): "documents",
    ("dossier", "disclosure"): "documents",
    ("dossier", "disclosure", "schema"): REFUSED,
    ("dossier", "rights"): "documents",
    ("dossier", "rights", "schema"): REFUSED,
    # Shares that do not add up are no statement at all.
    ("dossier", "rights", "holders", "0", "share_ppm"): REFUSED,
    ("dossier", "manifest_store"): "documents",
    ("proof",): "inclusion",
    ("anchor", "root"): "inclusion",
    ("anchor", "size"): "inclusion",
    ("anchor", "caller"): "transaction",
    ("anchor", "transaction"): "transaction",
    ("anchor", "sequence"): "state",
    ("anchor", "block_number"): BY_HAND,
    ("anchor", "block_hash"): BY_HAND,
    ("anchor", "block_timestamp"): "state",
    ("chain", "kind"): BY_HAND,
    ("chain", "genesis_hash"): BY_HAND,
    ("chain", "chain_id"): "chain",
    ("chain", "contract"): "chain",
    ("raw_transaction",): "transaction",
    ("state_proof",): "state",
    ("timestamp_token",): "timestamp",
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """With everything that a bundle can carry."""
    return with_timestamp(OpensslAuthority(tmp_path_factory.mktemp("authority")))


@pytest.fixture(scope="module")
def document(bundle: Bundle) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(encode_document(encode_bundle(bundle)))
    return parsed


def read(document: object) -> Bundle:
    return read_bundle_file(json.dumps(document).encode())


def leaves(value: object, path: Path = ()) -> Iterator[Path]:
    """Where every value that is no object or array stands."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from leaves(item, (*path, key))
    else:
        yield path


def objects(value: object, path: Path = ()) -> Iterator[Path]:
    """Where every object stands, the outermost among them."""
    if isinstance(value, dict):
        yield path
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from objects(item, (*path, key))


def guard_of(path: Path) -> str:
    names = tuple(str(key) for key in path)
    place = max((p for p in GUARDS if names[: len(p)] == p), key=len)
    return GUARDS[place]


def corrupt(path: Path, value: object) -> object:
    """Another value of the same form."""
    if isinstance(value, int):
        return value + 1
    if path[-1] == "kind":
        return ChainKind.PUBLIC.value
    if path[-1] == "digital_source_type":
        return "digitalCapture"
    if path[-1] == "human_oversight":
        return "human_validated"
    if path[-1] == "media_type":
        return MediaType.MOV.value
    if path[-1] in {"claimant", "contract", "recovery_key", "account", "caller"}:
        return build_address(123)
    assert isinstance(value, str)
    if path == ("timestamp_token",):
        # Its last byte belongs to the signature.
        raw = base64.b64decode(value)
        return base64.b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode("ascii")
    # The first digit of hex and base64 alike; text becomes other text.
    start = 2 if value.startswith("0x") else 0
    return value[:start] + ("b" if value[start] != "b" else "a") + value[start + 1 :]


def test_a_sound_bundle_holds_and_survives_its_own_encoding(bundle: Bundle) -> None:
    report = check_bundle(read_bundle_file(encode_document(encode_bundle(bundle))))
    assert report.bundle == bundle
    assert report.holds
    assert [check.name for check in report.checks] == [
        "claim_signature",
        "documents",
        "chain",
        "inclusion",
        "transaction",
        "state",
        "timestamp",
    ]
    assert {check.result for check in report.checks} == {CheckResult.HOLDS}
    require_bundle(bundle)


def test_every_field_of_a_bundle_is_guarded(
    bundle: Bundle, document: dict[str, Any], subtests: pytest.Subtests
) -> None:
    """Each field in turn gets another value: the check that guards it must fail."""
    seen = set()
    for path in leaves(document):
        with subtests.test("corrupted", path=path):
            guard = guard_of(path)
            seen.add(guard)
            forged = put(document, path, corrupt(path, at(document, path)))
            if guard == REFUSED:
                with pytest.raises(MalformedDocumentError):
                    read(forged)
                continue
            report = check_bundle(read(forged))
            assert report.bundle != bundle
            if guard == BY_HAND:
                assert report.holds
                assert report.by_hand != check_bundle(bundle).by_hand
            else:
                assert guard in failing(report)
                with pytest.raises(VerificationError) as caught:
                    require_bundle(report.bundle)
                assert caught.value.check in failing(report)
                assert caught.value.registration_id == report.bundle.dossier.registration_id
    assert seen == set(GUARDS.values())


def test_no_field_may_be_missing_null_or_of_another_kind(
    document: dict[str, Any], subtests: pytest.Subtests
) -> None:
    may_be_null = {"model_name", "model_identifier", "human_oversight"}
    for path in leaves(document):
        wrong: list[object] = [[], {}, True, 1.5, "" if isinstance(at(document, path), int) else 7]
        if path[-1] not in may_be_null:
            wrong.append(None)
        for value in wrong:
            with (
                subtests.test("of another kind", path=path, value=value),
                pytest.raises(MalformedDocumentError),
            ):
                read(put(document, path, value))
        without = copy.deepcopy(document)
        del at(without, path[:-1])[path[-1]]
        if isinstance(path[-1], str) and path[-1] not in may_be_null:
            with (
                subtests.test("missing", path=path),
                pytest.raises(MalformedDocumentError, match=path[-1]),
            ):
                read(without)


def test_no_object_of_a_bundle_may_hold_an_unknown_field(
    document: dict[str, Any], subtests: pytest.Subtests
) -> None:
    places = list(objects(document))
    assert len(places) >= 12
    for path in places:
        with (
            subtests.test("surprised", path=path),
            pytest.raises(MalformedDocumentError, match="'surprise' is not known"),
        ):
            read(put(document, (*path, "surprise"), 1))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\x00\x01",
        b"[" * 100_000,
        json.dumps({"schema": "titledeed.bundle/2"}).encode(),
    ],
    ids=["empty", "no field", "no text", "nested", "of another version"],
)
def test_what_is_no_bundle_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedDocumentError):
        read_bundle_file(data)


def test_half_a_character_is_no_text(document: dict[str, Any]) -> None:
    """A lone surrogate has no UTF-8 form, so no digest of it exists."""
    for path in [("dossier", "rights", "title"), ("dossier", "rights", "credits", 0)]:
        with pytest.raises(MalformedDocumentError):
            read(put(document, path, "\ud800"))


def test_a_whole_character_may_be_written_as_two_escapes(bundle: Bundle) -> None:
    dossier = build_dossier(5, title="\U0001f3ac")
    (sound,) = build_sound_bundles([dossier])
    text = json.dumps(encode_bundle(sound))
    assert "\\ud83c" in text
    assert check_bundle(read_bundle_file(text.encode())).holds


def test_only_utf_8_is_read(document: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocumentError):
        read_bundle_file(json.dumps(document).encode("utf-16"))


@pytest.mark.parametrize("path", [("anchor", "block_timestamp"), RECORD_CLAIMED_AT])
def test_a_time_that_no_calendar_holds_is_refused(document: dict[str, Any], path: Path) -> None:
    last = 253_402_300_799
    assert read(put(document, path, last))
    with pytest.raises(MalformedDocumentError, match=str(path[-1])):
        read(put(document, path, last + 1))


def test_base64_has_one_form(document: dict[str, Any]) -> None:
    """``QQ==`` and ``QR==`` decode to the same byte."""
    path = ("dossier", "manifest_store")
    with pytest.raises(MalformedDocumentError, match="manifest_store"):
        read(put(document, path, "QR=="))


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
    milder = replace(bundle.dossier.disclosure, oversight=None, model_name=None)
    forged = replace(bundle, dossier=replace(bundle.dossier, disclosure=milder))
    assert failing(check_bundle(forged)) == {"documents"}


def test_proofs_of_siblings_do_not_fit() -> None:
    one, other = build_sound_bundles([build_dossier(1), build_dossier(2)])
    assert failing(check_bundle(replace(one, proof=other.proof))) == {"inclusion"}


@pytest.mark.parametrize("size", [1, 2, 4, 2**32])
def test_a_proof_for_another_size_does_not_fit(bundle: Bundle, size: int) -> None:
    proof = replace(bundle.proof, size=size)
    assert failing(check_bundle(replace(bundle, proof=proof))) == {"inclusion"}


@pytest.mark.parametrize("change", [-1, 1])
def test_a_path_of_another_length_does_not_fit(bundle: Bundle, change: int) -> None:
    path = bundle.proof.path
    path = path[:-1] if change < 0 else (*path, Keccak256(bytes(32)))
    forged = replace(bundle, proof=replace(bundle.proof, path=path))
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
    chain = replace(build_sound_bundle().chain, chain_id=5)
    (bundle,) = build_sound_bundles([dossier], chain=chain)
    assert failing(check_bundle(bundle)) == {"chain"}


def test_a_transaction_for_another_chain_contract_root_or_size_is_refused(
    bundle: Bundle, subtests: pytest.Subtests
) -> None:
    call, anchor = anchor_call(bundle), bundle.anchor
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
    stranger = replace(bundle.anchor, caller=build_claimant(9).address)
    report = check_bundle(replace(bundle, anchor=stranger))
    assert failing(report) == {"transaction", "state"}


def test_whoever_pays_claims_nothing(bundle: Bundle) -> None:
    """Anybody may anchor the same root: the claim stays the claimant's."""
    call, stranger = anchor_call(bundle), build_claimant(9)
    raw = encode_signed(call, stranger.sign(signing_digest(call)))
    again = with_raw_transaction(bundle, raw)
    anchor = replace(again.anchor, caller=stranger.address)
    state_proof = build_state_proof(anchor, bundle.chain.contract)
    assert check_bundle(replace(again, anchor=anchor, state_proof=state_proof)).holds


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
