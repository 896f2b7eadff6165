"""Deterministic values for tests: the same seed always gives the same bytes.

Digests, ids, leaves, roots and claim signatures are real (they verify); manifest stores and raw
transactions are opaque bytes whose digests fit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import coincurve

from titledeed.canonical.claims import hash_claim, identify_claim
from titledeed.canonical.composition import compose_claim
from titledeed.canonical.hashing import keccak256, sha256
from titledeed.canonical.identifiers import ZERO_ADDRESS, address_from_bytes
from titledeed.canonical.leaves import leaf_of_record
from titledeed.canonical.merkle import MerkleTree
from titledeed.models.asset import MediaFacts, MediaType
from titledeed.models.bundle import AnchorEvidence, Bundle
from titledeed.models.claim import SignedClaim, SigningDomain
from titledeed.models.disclosure import DigitalSourceType, HumanOversight, disclose_model
from titledeed.models.evidence import (
    Anchor,
    ChainIdentity,
    ChainKind,
    ClaimStatus,
    Credential,
    SignedTransaction,
)
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.lineage import Lineage
from titledeed.models.primitives import (
    Address,
    BlockHash,
    MerkleRoot,
    Salt,
    Sha256,
    Signature,
    TransactionHash,
)
from titledeed.models.principal import ALL_SCOPES, Principal, PrincipalKind, Scope, owner_of_home
from titledeed.models.record import Dossier, Record, Salts
from titledeed.models.registration import Registration, Visibility
from titledeed.models.rights import SHARES_TOTAL, Contributor, RightsHolder, RightsStatement, Title

NO_LINEAGE: Final = Lineage()

EPOCH: Final = 1_790_000_000
"""The first second of every test's time."""


def seeded_bytes(label: str, seed: int, length: int = 32) -> bytes:
    """Bytes that look random and are always the same for one label and seed."""
    return hashlib.shake_256(f"{label}/{seed}".encode()).digest(length)


@dataclass(frozen=True)
class Claimant:
    """A secp256k1 key pair that signs digests as Ethereum does."""

    key: coincurve.PrivateKey

    @property
    def address(self) -> Address:
        public = self.key.public_key.format(compressed=False)
        return address_from_bytes(keccak256(public[1:])[12:])

    def sign(self, digest: bytes) -> Signature:
        raw = self.key.sign_recoverable(digest, hasher=None)
        return Signature(raw[:64] + bytes([27 + raw[64]]))


def build_claimant(seed: int = 0) -> Claimant:
    """The claimant with this seed; all builders claim for seed 0 unless told otherwise."""
    return Claimant(coincurve.PrivateKey(seeded_bytes("key", seed)))


OWNER: Final = owner_of_home(build_claimant().address)
"""Whoever holds the home in which all builders claim."""


def build_principal(seed: int, *scopes: Scope) -> Principal:
    """Another account's token; good for everything unless told otherwise."""
    granted = frozenset(scopes) or ALL_SCOPES
    return Principal(PrincipalKind.TOKEN, build_claimant(seed).address, granted)


def build_address(seed: int) -> Address:
    """An account without a key."""
    return address_from_bytes(seeded_bytes("address", seed, 20))


def build_chain(kind: ChainKind = ChainKind.DEVELOPMENT) -> ChainIdentity:
    """The one chain that all builders use."""
    return ChainIdentity(
        kind=kind,
        chain_id=713_370_001,
        genesis_hash=BlockHash(keccak256(b"genesis")),
        contract=build_address(9_000),
    )


def build_domain() -> SigningDomain:
    """Where the claims of all builders count."""
    chain = build_chain()
    return SigningDomain(chain.chain_id, chain.contract)


def build_fingerprints(seed: int) -> tuple[FingerprintCode, ...]:
    """Two codes of algorithms that do not exist."""
    return (
        FingerprintCode("test.short", 1, seeded_bytes("short", seed, 8)),
        FingerprintCode("test.long", 2, seeded_bytes("long", seed, 320)),
    )


def build_dossier(
    seed: int,
    *,
    claimant: int = 0,
    content_digest: Sha256 | None = None,
    media_type: MediaType = MediaType.MP4,
    source_type: DigitalSourceType = DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA,
    title: str | None = None,
    fingerprints: tuple[FingerprintCode, ...] | None = None,
    lineage: Lineage = NO_LINEAGE,
) -> Dossier:
    """A dossier whose claim is signed and whose digests all fit.

    Args:
        seed: of the content, the salts and everything else that is not given.
        claimant: seed of the claimant's key.
        content_digest: to let two claimants claim the same content.
        media_type: types that carry no credentials get none, and no manifest store.
        source_type: as disclosed.
        title: of the rights statement.
        fingerprints: real ones, where a test searches.
        lineage: from which works it was made.
    """
    holder = build_claimant(claimant)
    codes = build_fingerprints(seed) if fingerprints is None else fingerprints
    disclosure = disclose_model(
        source_type,
        model="Test Model",
        identifier="test/model-1",
        oversight=HumanOversight.PROMPT_GUIDED,
    )
    rights = RightsStatement(
        titles=(Title(f"Work {seed}" if title is None else title),),
        holders=(RightsHolder(holder.address, SHARES_TOTAL, "author"),),
        contributors=(Contributor(f"Person {seed}", "Prompts"),),
    )
    claim = compose_claim(
        holder.address,
        content_digest or sha256(seeded_bytes("content", seed)),
        fingerprints=codes,
        disclosure=disclosure,
        rights=rights,
        lineage=lineage,
        recovery_key=ZERO_ADDRESS,
        claimed_at=EPOCH + seed,
    )
    domain = build_domain()
    manifest_store = seeded_bytes("manifest", seed, 96) if media_type.carries_credentials else b""
    return Dossier(
        registration_id=identify_claim(claim, domain),
        record=Record(
            signed_claim=SignedClaim(claim, domain, holder.sign(hash_claim(claim, domain))),
            credential=_credential(seed, manifest_store) if manifest_store else None,
            facts=_facts(media_type, seed),
        ),
        salts=Salts(
            content=Salt(seeded_bytes("content salt", seed)),
            record=Salt(seeded_bytes("record salt", seed)),
        ),
        fingerprints=codes,
        disclosure=disclosure,
        rights=rights,
        lineage=lineage,
        manifest_store=manifest_store,
    )


def build_registration(
    dossier: Dossier | int,
    *,
    bundle: Bundle | None = None,
    visibility: Visibility = Visibility.PRIVATE,
    snapshot_id: str | None = None,
    signed_path: str | None = None,
    accepted_at: int | None = None,
) -> Registration:
    """The registration that a dossier (or the dossier with this seed) leads to.

    Pending, unless the bundle that anchors it is given.
    """
    if isinstance(dossier, int):
        dossier = build_dossier(dossier)
    record, claim = dossier.record, dossier.record.signed_claim.claim
    return Registration(
        registration_id=dossier.registration_id,
        domain=record.signed_claim.domain,
        claimant=claim.claimant,
        content_digest=claim.content_digest,
        signed_digest=record.credential.signed_digest if record.credential else None,
        manifest_id=record.credential.manifest_id if record.credential else None,
        title=dossier.rights.title,
        source_type=dossier.disclosure.source_type,
        status=ClaimStatus.INCLUDED if bundle else ClaimStatus.PENDING,
        visibility=visibility,
        snapshot_id=snapshot_id,
        signed_path=signed_path,
        leaf=leaf_of_record(record, dossier.salts),
        leaf_index=bundle.own.proof.index if bundle else None,
        anchor=bundle.own.anchor if bundle else None,
        duration_ms=record.facts.duration_ms,
        claimed_at=claim.claimed_at,
        accepted_at=claim.claimed_at + 1 if accepted_at is None else accepted_at,
        has_bundle=snapshot_id is not None,
    )


def build_transaction(nonce: int) -> SignedTransaction:
    """Opaque bytes under their Keccak-256."""
    raw = seeded_bytes("transaction", nonce, 120)
    return SignedTransaction(raw, TransactionHash(keccak256(raw)), nonce)


def build_anchor(
    root: MerkleRoot, size: int, *, sequence: int = 1, block_timestamp: int | None = None
) -> Anchor:
    """An anchor by the sender of all batches; its transaction is that of nonce sequence - 1."""
    return Anchor(
        root=root,
        size=size,
        caller=build_address(8_000),
        sequence=sequence,
        transaction=build_transaction(sequence - 1).hash,
        block_number=100 + sequence,
        block_hash=BlockHash(keccak256(seeded_bytes("block", sequence))),
        block_timestamp=(EPOCH + 1_000 * sequence if block_timestamp is None else block_timestamp),
    )


def build_bundles(dossiers: Sequence[Dossier], *, sequence: int = 1) -> list[Bundle]:
    """Evidence bundles of dossiers that share one anchor."""
    tree = MerkleTree([leaf_of_record(item.record, item.salts) for item in dossiers])
    anchor = build_anchor(tree.root, tree.size, sequence=sequence)
    raw = build_transaction(sequence - 1).raw
    return [
        Bundle(dossier, (AnchorEvidence(build_chain(), tree.prove(index), anchor, raw, None, b""),))
        for index, dossier in enumerate(dossiers)
    ]


def build_bundle(seed: int) -> Bundle:
    """The bundle of one dossier, the second of a tree of three."""
    return build_bundles([build_dossier(seed + offset) for offset in (1_000, 0, 2_000)])[1]


def _credential(seed: int, manifest_store: bytes) -> Credential:
    return Credential(
        signed_digest=sha256(seeded_bytes("signed", seed)),
        manifest_id=f"urn:c2pa:{seeded_bytes('manifest id', seed, 16).hex()}",
        manifest_digest=sha256(manifest_store),
    )


def _facts(media_type: MediaType, seed: int) -> MediaFacts:
    return MediaFacts(
        media_type=media_type,
        size_bytes=100_000 + seed,
        width=640,
        height=360,
        duration_ms=4_000,
        frame_count=96,
        codec="h264",
        audio_codec="aac",
    )
