"""Canonical documents: what is written is read back, and no byte of evidence can be changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final, TypeVar

import pytest
from evidence_builders import build_sound_bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from titledeed.canonical.attachments import (
    TITLE_LENGTH_MAX,
    digest_fingerprints,
    encode_disclosure,
    encode_fingerprint,
    encode_rights,
    parse_disclosure,
    parse_fingerprint,
    parse_rights,
)
from titledeed.canonical.bundles import (
    PROOF_NODE_LENGTH_MAX,
    PROOF_NODES_MAX,
    encode_bundle,
    encode_dossier,
    parse_bundle,
    parse_dossier,
)
from titledeed.canonical.claims import encode_signed_claim, parse_signed_claim
from titledeed.canonical.documents import (
    INTEGER_MAX,
    TEXT_LENGTH_MAX,
    TIMESTAMP_MAX,
    Fields,
    Json,
    encode_document,
    parse_document,
)
from titledeed.canonical.identifiers import address_from_bytes
from titledeed.canonical.merkle import PATH_LENGTH_MAX, TREE_SIZE_MAX
from titledeed.canonical.records import encode_record, parse_record
from titledeed.errors import MalformedDocumentError
from titledeed.models.asset import MediaFacts, MediaType
from titledeed.models.claim import Claim, SignedClaim, SigningDomain
from titledeed.models.disclosure import AssetDisclosure, DigitalSourceType, HumanOversight
from titledeed.models.evidence import (
    Anchor,
    Bundle,
    ChainIdentity,
    ChainKind,
    InclusionProof,
    StateProof,
)
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.primitives import (
    Address,
    BlockHash,
    Keccak256,
    MerkleRoot,
    RegistrationId,
    Salt,
    Sha256,
    Signature,
    TransactionHash,
)
from titledeed.models.record import Credential, Dossier, Record, Salts
from titledeed.models.rights import SHARES_TOTAL, RightsHolder, RightsStatement
from titledeed.proofs.bundles import read_bundle_file
from titledeed.services.evidence import check_bundle

T = TypeVar("T")

words = st.binary(min_size=32, max_size=32)
digests: st.SearchStrategy[Sha256] = words.map(Sha256)
hashes: st.SearchStrategy[Keccak256] = words.map(Keccak256)
addresses: st.SearchStrategy[Address] = st.binary(min_size=20, max_size=20).map(address_from_bytes)
counts = st.integers(0, INTEGER_MAX)
positive = st.integers(1, INTEGER_MAX)
times = st.integers(0, TIMESTAMP_MAX)
tree_sizes = st.integers(1, TREE_SIZE_MAX)
short_texts = st.text(max_size=100)

fingerprints = st.builds(
    FingerprintCode,
    algorithm=short_texts,
    version=st.integers(1, 65_535),
    code=st.binary(max_size=400),
)
disclosures = st.builds(
    AssetDisclosure,
    source_type=st.sampled_from(DigitalSourceType),
    model_name=st.none() | st.text(max_size=TEXT_LENGTH_MAX),
    model_identifier=st.none() | short_texts,
    oversight=st.none() | st.sampled_from(HumanOversight),
)


@st.composite
def holders(draw: st.DrawFn) -> tuple[RightsHolder, ...]:
    """Holders whose shares add up."""
    cuts = draw(st.lists(st.integers(1, SHARES_TOTAL - 1), max_size=5, unique=True).map(sorted))
    edges = [0, *cuts, SHARES_TOTAL]
    return tuple(
        RightsHolder(draw(addresses), end - start, draw(short_texts))
        for start, end in pairwise(edges)
    )


rights = st.builds(
    RightsStatement,
    title=st.text(max_size=TITLE_LENGTH_MAX),
    holders=holders(),
    credits=st.lists(st.text(max_size=TEXT_LENGTH_MAX), max_size=4).map(tuple),
)
signed_claims = st.builds(
    SignedClaim,
    claim=st.builds(
        Claim,
        claimant=addresses,
        content_digest=digests,
        fingerprints_digest=digests,
        disclosure_digest=digests,
        rights_digest=digests,
        recovery_key=addresses,
        claimed_at=times,
    ),
    domain=st.builds(SigningDomain, chain_id=positive, contract=addresses),
    signature=st.binary(min_size=1, max_size=200).map(Signature),
)
records = st.builds(
    Record,
    signed_claim=signed_claims,
    credential=st.none()
    | st.builds(
        Credential,
        signed_digest=digests,
        manifest_id=st.text(max_size=300),
        manifest_digest=digests,
    ),
    facts=st.builds(
        MediaFacts,
        media_type=st.sampled_from(MediaType),
        size_bytes=positive,
        width=counts,
        height=counts,
        duration_ms=counts,
        frame_count=counts,
        codec=short_texts,
        audio_codec=short_texts,
    ),
)
dossiers = st.builds(
    Dossier,
    registration_id=st.text(max_size=35).map(RegistrationId),
    record=records,
    salts=st.builds(Salts, content=words.map(Salt), record=words.map(Salt)),
    fingerprints=st.lists(fingerprints, max_size=3).map(tuple),
    disclosure=disclosures,
    rights=rights,
    manifest_store=st.binary(max_size=400),
)
nodes = st.binary(min_size=1, max_size=PROOF_NODE_LENGTH_MAX)
bundles = st.builds(
    Bundle,
    dossier=dossiers,
    proof=st.builds(
        InclusionProof,
        index=st.integers(0, TREE_SIZE_MAX - 1),
        size=tree_sizes,
        path=st.lists(hashes, max_size=PATH_LENGTH_MAX).map(tuple),
    ),
    anchor=st.builds(
        Anchor,
        root=hashes.map(MerkleRoot),
        size=tree_sizes,
        caller=addresses,
        sequence=positive,
        transaction=hashes.map(TransactionHash),
        block_number=counts,
        block_hash=hashes.map(BlockHash),
        block_timestamp=times,
    ),
    chain=st.builds(
        ChainIdentity,
        kind=st.sampled_from(ChainKind),
        chain_id=positive,
        genesis_hash=hashes.map(BlockHash),
        contract=addresses,
    ),
    raw_transaction=st.binary(min_size=1, max_size=300),
    state_proof=st.none()
    | st.builds(
        StateProof,
        header=nodes,
        account_proof=st.lists(nodes, max_size=PROOF_NODES_MAX).map(tuple),
        storage_proof=st.lists(nodes, max_size=4).map(tuple),
    ),
    timestamp_token=st.binary(max_size=300),
)

Encode = Callable[[Any], Mapping[str, Json]]
FORMATS: Final[dict[str, tuple[st.SearchStrategy[Any], Encode, Callable[[Fields], object]]]] = {
    "fingerprint": (fingerprints, encode_fingerprint, parse_fingerprint),
    "disclosure": (disclosures, encode_disclosure, parse_disclosure),
    "rights": (rights, encode_rights, parse_rights),
    "claim": (signed_claims, encode_signed_claim, parse_signed_claim),
    "record": (records, encode_record, parse_record),
    "dossier": (dossiers, encode_dossier, parse_dossier),
    "bundle": (bundles, encode_bundle, parse_bundle),
}


@pytest.mark.parametrize("name", FORMATS)
@settings(deadline=None)
@given(data=st.data())
def test_what_is_written_is_read_back(name: str, data: st.DataObject) -> None:
    values, encode, parse = FORMATS[name]
    value = data.draw(values)
    written = encode_document(encode(value))
    found = parse(parse_document(written, what=name))
    assert found == value
    assert encode_document(encode(found)) == written


@pytest.mark.parametrize("name", FORMATS)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_two_values_are_never_written_alike(name: str, data: st.DataObject) -> None:
    values, encode, _ = FORMATS[name]
    one, other = data.draw(values), data.draw(values)
    assert (one == other) == (encode_document(encode(one)) == encode_document(encode(other)))


@given(st.lists(fingerprints, max_size=4), st.lists(fingerprints, max_size=4))
def test_the_digest_of_fingerprints_binds_each_of_them_in_order(
    one: list[FingerprintCode], other: list[FingerprintCode]
) -> None:
    assert (one == other) == (digest_fingerprints(one) == digest_fingerprints(other))


SOUND: Final = build_sound_bundle()
SOUND_BYTES: Final = encode_document(encode_bundle(SOUND))
BY_HAND: Final = check_bundle(SOUND).by_hand


def assert_change_shows(changed: bytes) -> None:
    """A changed bundle is refused, fails a check, or tells something else to compare by hand."""
    try:
        found = read_bundle_file(changed)
    except MalformedDocumentError:
        return
    assert found != SOUND
    report = check_bundle(found)
    assert not report.holds or report.by_hand != BY_HAND


@settings(deadline=None, max_examples=600)
@given(place=st.integers(0, len(SOUND_BYTES) - 1), byte=st.integers(0, 255))
def test_another_byte_anywhere_shows(place: int, byte: int) -> None:
    changed = SOUND_BYTES[:place] + bytes([byte]) + SOUND_BYTES[place + 1 :]
    if changed != SOUND_BYTES:
        assert_change_shows(changed)


@settings(deadline=None, max_examples=300)
@given(
    place=st.integers(0, len(SOUND_BYTES) - 1),
    length=st.integers(0, 3),
    inserted=st.binary(max_size=3),
)
def test_bytes_cut_out_or_put_in_show(place: int, length: int, inserted: bytes) -> None:
    changed = SOUND_BYTES[:place] + inserted + SOUND_BYTES[place + length :]
    if not says_the_same(changed):
        assert_change_shows(changed)


def says_the_same(changed: bytes) -> bool:
    """White space between two fields changes nothing."""
    try:
        same: bool = json.loads(changed) == json.loads(SOUND_BYTES)
    except ValueError:
        return False
    return same


@settings(deadline=None, max_examples=100)
@given(place=st.integers(0, len(SOUND_BYTES) - 1))
def test_a_bundle_cut_short_is_refused(place: int) -> None:
    with pytest.raises(MalformedDocumentError):
        read_bundle_file(SOUND_BYTES[:place])


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        read_bundle_file(data)
    except MalformedDocumentError:
        return
    raise AssertionError("random bytes were taken for a bundle")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_any_document_of_ours_reads_back_as_written(document: dict[str, Json]) -> None:
    written = encode_document(document)
    found = parse_document(written, what="it").rest()
    assert found == document
