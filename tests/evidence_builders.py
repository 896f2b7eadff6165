"""Evidence that holds: bundles whose transaction is really signed, so that every check passes.

The state proof leads to the header of a block that no chain has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from builders import (
    EPOCH,
    Claimant,
    build_chain,
    build_claimant,
    build_dossier,
    seeded_bytes,
)
from state_proof_sample import build_state_proof
from timestamp_builders import OpensslAuthority, serve

from titledeed.canonical.claims import hash_claim, identify_claim
from titledeed.canonical.documents import Json, encode_document
from titledeed.canonical.evidence.bundles import encode_bundle
from titledeed.canonical.hashing import keccak256, sha256
from titledeed.canonical.leaves import leaf_of_record
from titledeed.canonical.merkle import MerkleTree
from titledeed.credentials.timestamps import Rfc3161Authority
from titledeed.models.bundle import AnchorEvidence, Bundle
from titledeed.models.claim import SignedClaim, SigningDomain
from titledeed.models.evidence import Anchor, ChainIdentity
from titledeed.models.primitives import BlockHash, Keccak256
from titledeed.models.record import Dossier
from titledeed.proofs.bundles import BundleReport, CheckResult
from titledeed.proofs.contract import encode_anchor
from titledeed.proofs.transactions import (
    Transaction,
    encode_signed,
    hash_transaction,
    signing_digest,
)

SENDER: Final = build_claimant(700)
"""Pays for all anchors here and claims nothing."""

EXPORTER: Final = build_claimant(50)
"""Signs all snapshots here."""


def anchor_call(bundle: Bundle) -> Transaction:
    """The transaction that anchors a bundle's root, unsigned."""
    return Transaction(
        chain_id=bundle.own.chain.chain_id,
        nonce=0,
        tip=1,
        fee_max=2_000_000_000,
        gas=60_000,
        to=bundle.own.chain.contract,
        value=0,
        data=encode_anchor(bundle.own.anchor.root, bundle.own.anchor.size),
    )


def with_transaction(bundle: Bundle, transaction: Transaction) -> Bundle:
    """The bundle with another transaction, signed by ``SENDER`` and named by its hash."""
    raw = encode_signed(transaction, SENDER.sign(signing_digest(transaction)))
    return with_raw_transaction(bundle, raw)


def with_raw_transaction(bundle: Bundle, raw: bytes) -> Bundle:
    """The bundle with other raw bytes, named by their hash."""
    anchor = replace(bundle.own.anchor, transaction=hash_transaction(raw))
    return with_own(bundle, raw_transaction=raw, anchor=anchor)


def with_own(bundle: Bundle, **changes: Any) -> Bundle:
    """The bundle with something else in its own anchor's evidence."""
    return replace(bundle, anchors=(replace(bundle.own, **changes), *bundle.anchors[1:]))


def build_sound_bundles(
    dossiers: Sequence[Dossier], *, chain: ChainIdentity | None = None
) -> list[Bundle]:
    """Bundles of dossiers that share one anchor; every offline check of them holds."""
    tree = MerkleTree([leaf_of_record(item.record, item.salts) for item in dossiers])
    anchor = Anchor(
        root=tree.root,
        size=tree.size,
        caller=SENDER.address,
        sequence=4,
        transaction=hash_transaction(b""),
        block_number=104,
        block_hash=BlockHash(Keccak256(seeded_bytes("block", 4))),
        block_timestamp=1_790_004_000,
    )
    identity = chain or build_chain()
    state_proof = build_state_proof(anchor, identity.contract)
    bare = [
        Bundle(
            dossier,
            (AnchorEvidence(identity, tree.prove(index), anchor, b"", state_proof, b""),),
        )
        for index, dossier in enumerate(dossiers)
    ]
    return [with_transaction(bundle, anchor_call(bundle)) for bundle in bare]


def build_sound_bundle(seed: int = 1) -> Bundle:
    """The bundle of one dossier, the second of a tree of three."""
    return build_sound_bundles([build_dossier(seed + other) for other in (1_000, 0, 2_000)])[1]


def with_timestamp(authority: OpensslAuthority) -> Bundle:
    """A sound bundle with a time-stamp of the authority."""
    return with_timestamps(authority, build_sound_bundle())


def with_timestamps(authority: OpensslAuthority, bundle: Bundle) -> Bundle:
    """The bundle with a time-stamp of the authority over each root."""
    with serve(authority.answer) as url:
        stamp = Rfc3161Authority(url=url, timeout_s=20).stamp
        stamped = tuple(
            replace(one, timestamp_token=stamp(sha256(one.anchor.root))) for one in bundle.anchors
        )
    return replace(bundle, anchors=stamped)


def claim_elsewhere(dossier: Dossier, claimant: Claimant, domain: SigningDomain) -> Dossier:
    """The dossier as its claimant would sign it for another chain or contract."""
    claim = dossier.record.signed_claim.claim
    signed = SignedClaim(claim, domain, claimant.sign(hash_claim(claim, domain)))
    return replace(
        dossier,
        registration_id=identify_claim(claim, domain),
        record=replace(dossier.record, signed_claim=signed),
    )


def write_snapshot(
    bundles: Sequence[Bundle],
    *,
    signer: Claimant = EXPORTER,
    changes: Mapping[str, Json] | None = None,
    others: Sequence[Mapping[str, Json]] = (),
) -> bytes:
    """A snapshot as its format describes it, written without the code that exports one."""
    header: dict[str, Json] = {
        "schema": "titledeed.snapshot/2",
        "exported_at": EPOCH,
        "exporter": EXPORTER.address,
        "lines": len(bundles) + len(others),
        "registrations": len(bundles),
        "chain_id": build_chain().chain_id,
        **(changes or {}),
    }
    lines = [header, *map(encode_bundle, bundles), *others]
    body = b"".join(encode_document(line) + b"\n" for line in lines)
    signature = signer.sign(keccak256(b"titledeed.snapshot.v2", sha256(body)))
    return body + encode_document({"signature": "0x" + signature.hex()}) + b"\n"


def failing(report: BundleReport) -> set[str]:
    """The checks that fail."""
    return {check.name for check in report.checks if check.result is CheckResult.FAILS}
