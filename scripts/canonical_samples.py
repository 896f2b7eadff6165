"""One of everything that ``titledeed.canonical`` writes, with every field stated.

For golden vectors and for tests; no such media or chains exist.
"""

from __future__ import annotations

from typing import Final

from state_proof_sample import build_slot_proof, build_state_proof

from titledeed.canonical.claims import hash_claim, identify_claim
from titledeed.canonical.composition import compose_claim
from titledeed.canonical.disclosure_signatures import hash_disclosure
from titledeed.canonical.evidence.snapshots import SnapshotHeader
from titledeed.canonical.hashing import keccak256, sha256, word
from titledeed.canonical.identifiers import ZERO_ADDRESS, address_from_bytes, derive_deed_id
from titledeed.canonical.leaves import commit_consent, leaf_of_record
from titledeed.canonical.merkle import MerkleTree
from titledeed.canonical.references import commit_prompt, commit_reference
from titledeed.canonical.statements import state_disclosure
from titledeed.models.asset import MediaFacts, MediaType
from titledeed.models.bundle import AnchorEvidence, Bundle, LoggedEvent, LogSegment, StoredWord
from titledeed.models.claim import SignedClaim, SigningDomain
from titledeed.models.disclosure import (
    AITool,
    AssetDisclosure,
    DigitalSourceType,
    DisclosureStatement,
    Hint,
    HumanOversight,
    PromptCommitment,
    SignedDisclosure,
)
from titledeed.models.evidence import Anchor, ChainIdentity, ChainKind, Credential
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.ledger import ContractName, Withdrawn
from titledeed.models.lineage import (
    Lineage,
    Relation,
    Source,
    SourceSegment,
    VariantKind,
    WorkReference,
)
from titledeed.models.primitives import BlockHash, LeafHash, RegistrationId, Salt, Subject
from titledeed.models.record import CommitmentKind, Dossier, Opening, Record, Salts
from titledeed.models.rights import (
    Basis,
    Contributor,
    InputRight,
    Mining,
    MiningEntry,
    MiningUse,
    RightsHolder,
    RightsStatement,
    Terms,
    Title,
)
from titledeed.proofs.contract import encode_anchor
from titledeed.proofs.events import bind_event, encode_event, hash_event
from titledeed.proofs.signatures import address_of_key, sign_digest
from titledeed.proofs.state_proofs import head_slot
from titledeed.proofs.transactions import (
    Transaction,
    encode_signed,
    hash_transaction,
    signing_digest,
)
from titledeed.proofs.versions import current_version

CLAIMANT_KEY: Final = keccak256(b"titledeed test key: claimant")
SENDER_KEY: Final = keccak256(b"titledeed test key: sender")
CONTRACT: Final = address_from_bytes(keccak256(b"titledeed test contract")[12:])
CHAIN: Final = ChainIdentity(
    kind=ChainKind.DEVELOPMENT,
    chain_id=7_001_002_003,
    genesis_hash=BlockHash(keccak256(b"genesis")),
    contract=CONTRACT,
)
DOMAIN: Final = SigningDomain(CHAIN.chain_id, CONTRACT)
PUBLIC_CHAIN: Final = ChainIdentity(
    kind=ChainKind.PUBLIC,
    chain_id=8_453,
    genesis_hash=BlockHash(keccak256(b"another genesis")),
    contract=address_from_bytes(keccak256(b"titledeed public contract")[12:]),
)
CLAIMANT: Final = address_of_key(CLAIMANT_KEY)
VERSION: Final = current_version(ContractName.TITLE_DEED)
ANCHORED_AT: Final = 1_790_000_060

_PROMPT: Final = "A kitten on a quay at dusk"
_PRIVATE: Final = WorkReference(content_digest=sha256(b"a private source"))
_SALTS: Final = [Salt(sha256(b"salt %d" % number)) for number in range(6)]

FINGERPRINTS: Final = (
    FingerprintCode("titledeed.dct256", 1, bytes(range(64))),
    FingerprintCode("pdq", 1, bytes(range(32))),
)
SAMPLE_DISCLOSURE: Final = AssetDisclosure(
    source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA,
    tools=(
        AITool("Example Labs", "Example Video", "2", "urn:example:video:2", "c2pa.types.model"),
        AITool(model="Example Voice"),
    ),
    oversight=HumanOversight.PROMPT_GUIDED,
    scientific_domain="physics.optics",
    prompts=(PromptCommitment("prompt", commit_prompt(_PROMPT, _SALTS[3])),),
    hints=(Hint("png:tEXt:parameters", "model", "example-video-2"),),
)
SAMPLE_RIGHTS: Final = RightsStatement(
    titles=(Title("Ein Kätzchen · 子猫", "de"), Title("A Kitten", "en")),
    holders=(
        RightsHolder(CLAIMANT, 750_000, "author", "Example Studio"),
        RightsHolder(None, 250_000, "producer", "B. Name"),
    ),
    contributors=(Contributor("A. Name", "Prompts"), Contributor("C. Name", "Voice", CLAIMANT)),
    inputs=(
        InputRight(
            WorkReference(commitment=commit_reference(_PRIVATE, _SALTS[4])),
            "photograph",
            Basis.LICENSED,
            "LicenseRef-Agreement-7",
            sha256(b"agreement"),
        ),
        InputRight(WorkReference(content_digest=sha256(b"voice")), "voice", Basis.PERMISSION),
    ),
    consents=(commit_consent(sha256(b"consent"), _SALTS[5]),),
    mining=(
        MiningEntry(Mining.AI_TRAINING, MiningUse.NOT_ALLOWED),
        MiningEntry(Mining.DATA_MINING, MiningUse.CONSTRAINED, "For search alone."),
    ),
    terms=Terms(sha256(b"terms"), "https://studio.example/terms"),
)
SAMPLE_LINEAGE: Final = Lineage(
    (
        Source(
            WorkReference(RegistrationId("td1" + "a" * 32)),
            Relation.PARENT_OF,
            VariantKind.DUB,
            "fr",
        ),
        Source(
            WorkReference(content_digest=sha256(b"a clip")),
            Relation.COMPONENT_OF,
            segments=(SourceSegment(0, 2_000, 4_500, 6_500),),
        ),
        Source(WorkReference(commitment=commit_reference(_PRIVATE, _SALTS[4])), Relation.INPUT_TO),
    )
)
SAMPLE_OPENINGS: Final = (
    Opening(CommitmentKind.PROMPT, commit_prompt(_PROMPT, _SALTS[3]), _SALTS[3], _PROMPT),
    Opening(
        CommitmentKind.CONTENT,
        commit_reference(_PRIVATE, _SALTS[4]),
        _SALTS[4],
        sha256(b"a private source").hex(),
    ),
)
SAMPLE_HEADER: Final = SnapshotHeader(
    exported_at=1_790_000_100,
    exporter=CLAIMANT,
    chain_id=CHAIN.chain_id,
    lines=3,
    registrations=2,
    since=sha256(b"an earlier snapshot").hex(),
)


def sample_dossier() -> Dossier:
    """A dossier whose claim is signed and whose digests fit."""
    claim = compose_claim(
        CLAIMANT,
        sha256(b"source"),
        fingerprints=FINGERPRINTS,
        disclosure=SAMPLE_DISCLOSURE,
        rights=SAMPLE_RIGHTS,
        lineage=SAMPLE_LINEAGE,
        recovery_key=ZERO_ADDRESS,
        claimed_at=1_790_000_000,
    )
    record = Record(
        signed_claim=SignedClaim(
            claim, DOMAIN, sign_digest(CLAIMANT_KEY, hash_claim(claim, DOMAIN))
        ),
        credential=Credential(
            signed_digest=sha256(b"signed"),
            manifest_id="urn:c2pa:00000000-0000-4000-8000-000000000001",
            manifest_digest=sha256(b"manifest store"),
        ),
        facts=MediaFacts(MediaType.MP4, 1_234_567, 720, 480, 6_125, 49, "h264", "aac"),
    )
    return Dossier(
        registration_id=identify_claim(claim, DOMAIN),
        record=record,
        salts=Salts(_SALTS[1], _SALTS[2]),
        fingerprints=FINGERPRINTS,
        disclosure=SAMPLE_DISCLOSURE,
        rights=SAMPLE_RIGHTS,
        lineage=SAMPLE_LINEAGE,
        manifest_store=b"manifest store",
    )


def sample_bundle() -> Bundle:
    """A bundle with two anchors and a log, of which all holds but the time-stamp."""
    dossier = sample_dossier()
    return Bundle(
        dossier,
        anchors=(
            sample_anchor(dossier, CHAIN, sequence=3),
            sample_anchor(dossier, PUBLIC_CHAIN, sequence=71),
        ),
        logs=(sample_log(LeafHash(leaf_of_record(dossier.record, dossier.salts))),),
        words=(sample_word(dossier),),
    )


def sample_anchor(dossier: Dossier, chain: ChainIdentity, *, sequence: int) -> AnchorEvidence:
    """An anchor of a tree of two leaves, the dossier's last."""
    leaf = leaf_of_record(dossier.record, dossier.salts)
    tree = MerkleTree([LeafHash(keccak256(b"other")), leaf])
    transaction = Transaction(
        chain_id=chain.chain_id,
        nonce=4,
        tip=10**9,
        fee_max=3 * 10**9,
        gas=66_000,
        to=chain.contract,
        value=0,
        data=encode_anchor(tree.root, tree.size),
    )
    raw = encode_signed(transaction, sign_digest(SENDER_KEY, signing_digest(transaction)))
    anchor = Anchor(
        root=tree.root,
        size=tree.size,
        caller=address_of_key(SENDER_KEY),
        sequence=sequence,
        transaction=hash_transaction(raw),
        block_number=sequence + 2,
        block_hash=BlockHash(keccak256(b"block %d" % (sequence + 2))),
        block_timestamp=ANCHORED_AT,
    )
    return AnchorEvidence(
        chain=chain,
        proof=tree.prove(1),
        anchor=anchor,
        raw_transaction=raw,
        state_proof=build_state_proof(anchor, chain.contract, code_hash=VERSION.code_hash),
        timestamp_token=b"time-stamp token" if chain is CHAIN else b"",
    )


def sample_log(leaf: LeafHash) -> LogSegment:
    """Somebody's event, closed, and the withdrawal of a leaf."""
    body = Withdrawn(Subject(leaf), CLAIMANT, by_holder=False)
    before, other = keccak256(b"head before")[:20], keccak256(b"another event")
    head = bind_event(before, 4, ANCHORED_AT + 60, other)
    head = bind_event(head, 5, ANCHORED_AT + 120, hash_event(body))
    own = sample_anchor(sample_dossier(), CHAIN, sequence=3).anchor
    entry = (ANCHORED_AT + 120) << 208 | 5 << 160 | int.from_bytes(head, "big")
    return LogSegment(
        chain=CHAIN,
        contract=VERSION.name,
        version=VERSION.number,
        sequence=3,
        head=before,
        events=(
            LoggedEvent(ANCHORED_AT + 60, other),
            LoggedEvent(ANCHORED_AT + 120, None, "Withdrawn", encode_event(body)),
        ),
        state_proof=build_slot_proof(
            own, CONTRACT, head_slot(), entry, code_hash=VERSION.code_hash, elapsed_s=180
        ),
    )


def sample_word(dossier: Dossier) -> StoredWord:
    """A word under the deed's id; no contract keeps one there."""
    claim = dossier.record.signed_claim.claim
    deed = word(derive_deed_id(claim.claimant, claim.content_digest))
    base, value = 19, 7
    slot = word(int.from_bytes(keccak256(deed, word(base)), "big") + 1)
    own = sample_anchor(dossier, CHAIN, sequence=3).anchor
    return StoredWord(
        chain=CHAIN,
        contract=VERSION.name,
        version=VERSION.number,
        base=base,
        keys=(deed,),
        offset=1,
        value=word(value),
        state_proof=build_slot_proof(own, CONTRACT, slot, value, code_hash=VERSION.code_hash),
    )


def sample_signed_disclosure() -> SignedDisclosure:
    """A producer's signature over two departments of a film's disclosure."""
    statement = DisclosureStatement(
        statement=state_disclosure("A Kitten", "generative"),
        signer=CLAIMANT,
        role="producer",
        covers=("vfx", "music"),
        document_digest=sha256(b"disclosure"),
        signed_at=1_790_000_200,
    )
    return SignedDisclosure(statement, sign_digest(CLAIMANT_KEY, hash_disclosure(statement)))
