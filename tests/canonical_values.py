"""Strategies for the values of every format of ``titledeed.canonical``."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

from hypothesis import strategies as st

from titledeed.canonical.disclosures import SOURCE_TYPE_LENGTH_MAX
from titledeed.canonical.documents import (
    INTEGER_MAX,
    TERM_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    TIMESTAMP_MAX,
)
from titledeed.canonical.evidence.chains import PROOF_NODE_LENGTH_MAX, PROOF_NODES_MAX
from titledeed.canonical.evidence.logs import HEAD_LENGTH, SEQUENCE_MAX
from titledeed.canonical.evidence.records import MANIFEST_ID_LENGTH_MAX
from titledeed.canonical.evidence.snapshots import (
    SNAPSHOT_LINES_MAX,
    SNAPSHOT_SIGNATURE_LENGTH,
    SnapshotHeader,
)
from titledeed.canonical.evidence.words import KEYS_MAX, SLOT_MAX
from titledeed.canonical.identifiers import address_from_bytes
from titledeed.canonical.merkle import PATH_LENGTH_MAX, TREE_SIZE_MAX
from titledeed.canonical.rights import NAME_LENGTH_MAX, TITLE_LENGTH_MAX
from titledeed.canonical.statements import STATEMENT_BYTES_MAX
from titledeed.models.asset import MediaFacts
from titledeed.models.bundle import AnchorEvidence, Bundle, LoggedEvent, LogSegment, StoredWord
from titledeed.models.claim import Claim, SignedClaim, SigningDomain
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
from titledeed.models.evidence import (
    Anchor,
    ChainIdentity,
    ChainKind,
    Credential,
    InclusionProof,
    StateProof,
)
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.lineage import (
    Lineage,
    Relation,
    Source,
    SourceSegment,
    VariantKind,
    WorkReference,
)
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
from titledeed.models.record import CommitmentKind, Dossier, Opening, Record, Salts
from titledeed.models.rights import (
    SHARES_TOTAL,
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

words = st.binary(min_size=32, max_size=32)
digests: st.SearchStrategy[Sha256] = words.map(Sha256)
hashes: st.SearchStrategy[Keccak256] = words.map(Keccak256)
salts: st.SearchStrategy[Salt] = words.map(Salt)
addresses: st.SearchStrategy[Address] = st.binary(min_size=20, max_size=20).map(address_from_bytes)
signatures: st.SearchStrategy[Signature] = st.binary(min_size=1, max_size=200).map(Signature)
snapshot_signatures: st.SearchStrategy[Signature] = st.binary(
    min_size=SNAPSHOT_SIGNATURE_LENGTH, max_size=SNAPSHOT_SIGNATURE_LENGTH
).map(Signature)
registration_ids: st.SearchStrategy[RegistrationId] = st.text(
    "abcdefghijklmnopqrstuvwxyz234567", min_size=32, max_size=32
).map(lambda text: RegistrationId("td1" + text))
counts = st.integers(0, INTEGER_MAX)
positive = st.integers(1, INTEGER_MAX)
times = st.integers(0, TIMESTAMP_MAX)
tree_sizes = st.integers(1, TREE_SIZE_MAX)
texts = st.text(max_size=TEXT_LENGTH_MAX)
short_texts = st.text(max_size=TERM_LENGTH_MAX)
terms = st.text(min_size=1, max_size=TERM_LENGTH_MAX)
phrases = st.text(min_size=1, max_size=TEXT_LENGTH_MAX)
names = st.text(min_size=1, max_size=NAME_LENGTH_MAX)
languages = st.from_regex(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,2}", fullmatch=True)
statements = st.text(st.characters(codec="ascii"), max_size=STATEMENT_BYTES_MAX) | st.text(
    max_size=STATEMENT_BYTES_MAX // 4
)


def up_to(size: int, values: st.SearchStrategy[Any], **given: Any) -> st.SearchStrategy[Any]:
    """Tuples of at most so many."""
    return st.lists(values, max_size=size, **given).map(tuple)


def some(size: int, values: st.SearchStrategy[Any], **given: Any) -> st.SearchStrategy[Any]:
    """Tuples of at least one."""
    return st.lists(values, min_size=1, max_size=size, **given).map(tuple)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


references = st.one_of(
    st.builds(WorkReference, registration_id=registration_ids),
    st.builds(WorkReference, content_digest=digests),
    st.builds(WorkReference, registration_id=registration_ids, content_digest=digests),
    st.builds(WorkReference, commitment=hashes),
)
tools = st.builds(
    AITool,
    provider=maybe(phrases),
    model=maybe(phrases),
    version=maybe(phrases),
    identifier=maybe(phrases),
    model_type=maybe(terms),
).filter(lambda tool: tool != AITool())
disclosures = st.builds(
    AssetDisclosure,
    source_type=st.sampled_from(DigitalSourceType)
    | st.text(min_size=1, max_size=SOURCE_TYPE_LENGTH_MAX),
    tools=up_to(3, tools),
    oversight=maybe(st.sampled_from(HumanOversight) | terms),
    scientific_domain=maybe(phrases),
    prompts=up_to(3, st.builds(PromptCommitment, role=terms, commitment=hashes)),
    hints=up_to(3, st.builds(Hint, origin=phrases, name=terms, value=texts)),
)
first_tools = st.builds(AITool, model=maybe(texts), identifier=maybe(texts)).filter(
    lambda tool: tool != AITool()
)
first_disclosures = st.builds(
    AssetDisclosure,
    source_type=st.sampled_from(DigitalSourceType),
    tools=up_to(1, first_tools),
    oversight=maybe(st.sampled_from(HumanOversight)),
    version=st.just(1),
)


@st.composite
def shares(draw: st.DrawFn) -> list[int]:
    """Shares that add up."""
    cuts = draw(st.lists(st.integers(1, SHARES_TOTAL - 1), max_size=4, unique=True).map(sorted))
    return [end - start for start, end in pairwise([0, *cuts, SHARES_TOTAL])]


@st.composite
def holders(draw: st.DrawFn, *, is_first: bool = False) -> tuple[RightsHolder, ...]:
    """Holders by account, name or both; by account alone in version 1."""
    listed = []
    for share in draw(shares()):
        account = draw(addresses if is_first else maybe(addresses))
        name = None if is_first else draw(names if account is None else maybe(names))
        listed.append(RightsHolder(account, share, draw(short_texts if is_first else terms), name))
    return tuple(listed)


rights = st.builds(
    RightsStatement,
    titles=some(
        3,
        st.builds(Title, text=st.text(min_size=1, max_size=TITLE_LENGTH_MAX), language=languages),
        unique_by=lambda title: title.language.lower(),
    ),
    holders=holders(),
    contributors=up_to(
        3, st.builds(Contributor, name=phrases, role=maybe(terms), account=maybe(addresses))
    ),
    inputs=up_to(
        3,
        st.builds(
            InputRight,
            work=references,
            kind=terms,
            basis=st.sampled_from(Basis) | terms,
            licence=maybe(phrases),
            licence_digest=maybe(digests),
        ),
    ),
    consents=up_to(3, hashes, unique=True),
    mining=up_to(
        3,
        st.builds(
            MiningEntry,
            label=st.sampled_from(Mining) | terms,
            use=st.sampled_from(MiningUse) | terms,
            constraint=maybe(phrases),
        ),
        unique_by=lambda entry: str(entry.label),
    ),
    terms=maybe(st.builds(Terms, digest=digests, url=maybe(phrases))),
)
first_rights = st.builds(
    RightsStatement,
    titles=st.text(max_size=TITLE_LENGTH_MAX).map(lambda text: (Title(text),)),
    holders=holders(is_first=True),
    contributors=up_to(3, st.builds(Contributor, name=texts)),
    version=st.just(1),
)


@st.composite
def segments(draw: st.DrawFn) -> SourceSegment:
    """A segment that runs forwards in both works."""
    own, source = (
        sorted(draw(st.lists(counts, min_size=2, max_size=2, unique=True))) for _ in range(2)
    )
    return SourceSegment(own[0], own[1], source[0], source[1])


lineages = st.builds(
    Lineage,
    sources=up_to(
        3,
        st.builds(
            Source,
            work=references,
            relation=st.sampled_from(Relation) | terms,
            kind=maybe(st.sampled_from(VariantKind) | terms),
            language=maybe(languages),
            segments=up_to(2, segments()),
        ),
    ),
)
domains = st.builds(SigningDomain, chain_id=positive, contract=addresses)
_MEMBERS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "claimant": addresses,
    "content_digest": digests,
    "fingerprints_digest": digests,
    "disclosure_digest": digests,
    "rights_digest": digests,
    "recovery_key": addresses,
    "claimed_at": times,
}
claims = st.builds(Claim, **_MEMBERS, lineage_digest=digests, statement=statements)
first_claims = st.builds(Claim, **_MEMBERS)
signed_claims = st.builds(SignedClaim, claim=claims, domain=domains, signature=signatures)
first_signed_claims = st.builds(
    SignedClaim, claim=first_claims, domain=domains, signature=signatures
)
_RECORD: Final[dict[str, st.SearchStrategy[Any]]] = {
    "credential": maybe(
        st.builds(
            Credential,
            signed_digest=digests,
            manifest_id=st.text(min_size=1, max_size=MANIFEST_ID_LENGTH_MAX),
            manifest_digest=digests,
        )
    ),
    "facts": st.builds(
        MediaFacts,
        media_type=terms,
        size_bytes=positive,
        width=counts,
        height=counts,
        duration_ms=counts,
        frame_count=counts,
        codec=short_texts,
        audio_codec=short_texts,
    ),
}
records = st.builds(Record, signed_claim=signed_claims, **_RECORD)
first_records = st.builds(Record, signed_claim=first_signed_claims, **_RECORD, version=st.just(1))
fingerprints = st.builds(
    FingerprintCode,
    algorithm=terms,
    version=st.integers(1, 65_535),
    code=st.binary(max_size=400),
)
_DOSSIER: Final[dict[str, st.SearchStrategy[Any]]] = {
    "registration_id": registration_ids,
    "salts": st.builds(Salts, content=salts, record=salts),
    "fingerprints": st.lists(
        fingerprints, max_size=3, unique_by=lambda code: (code.algorithm, code.version)
    ).map(tuple),
    "disclosure": disclosures | first_disclosures,
    "rights": rights | first_rights,
    "manifest_store": st.binary(max_size=400),
}
dossiers = st.builds(Dossier, record=records, lineage=lineages, **_DOSSIER) | st.builds(
    Dossier, record=first_records, lineage=st.none(), **_DOSSIER
)
chains = st.builds(
    ChainIdentity,
    kind=st.sampled_from(ChainKind),
    chain_id=positive,
    genesis_hash=hashes.map(BlockHash),
    contract=addresses,
)
nodes = st.binary(min_size=1, max_size=PROOF_NODE_LENGTH_MAX)
state_proofs = st.builds(
    StateProof,
    header=nodes,
    account_proof=up_to(PROOF_NODES_MAX, nodes),
    storage_proof=up_to(4, nodes),
)
anchors = st.builds(
    AnchorEvidence,
    chain=chains,
    proof=st.builds(
        InclusionProof,
        index=st.integers(0, TREE_SIZE_MAX - 1),
        size=tree_sizes,
        path=up_to(PATH_LENGTH_MAX, hashes),
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
    raw_transaction=st.binary(min_size=1, max_size=300),
    state_proof=maybe(state_proofs),
    timestamp_token=st.binary(max_size=300),
)
later_logs = st.builds(
    LogSegment,
    chain=chains,
    contract=terms,
    version=st.integers(1, 65_535),
    sequence=st.integers(1, SEQUENCE_MAX),
    head=st.binary(min_size=HEAD_LENGTH, max_size=HEAD_LENGTH).filter(any),
    events=some(
        3,
        st.builds(LoggedEvent, block_timestamp=times, hash=hashes)
        | st.builds(
            LoggedEvent,
            block_timestamp=times,
            kind=terms,
            data=st.binary(min_size=1, max_size=200),
        ),
    ),
    state_proof=maybe(state_proofs),
)
logs = later_logs | later_logs.map(lambda log: replace(log, sequence=0, head=bytes(HEAD_LENGTH)))
stored_words = st.builds(
    StoredWord,
    chain=chains,
    contract=terms,
    version=st.integers(1, 65_535),
    base=st.integers(0, SLOT_MAX),
    keys=up_to(KEYS_MAX, words),
    offset=st.integers(0, SLOT_MAX),
    value=words,
    state_proof=state_proofs,
)
bundles = st.builds(
    Bundle,
    dossier=dossiers,
    anchors=some(2, anchors),
    logs=up_to(2, logs),
    words=up_to(2, stored_words),
)


@st.composite
def headers(draw: st.DrawFn, *, version: int) -> SnapshotHeader:
    """A header whose numbers go together."""
    lines = draw(st.integers(0, SNAPSHOT_LINES_MAX))
    return SnapshotHeader(
        exported_at=draw(times),
        exporter=draw(addresses),
        chain_id=draw(positive),
        lines=lines,
        registrations=lines if version == 1 else draw(st.integers(0, lines)),
        since=draw(maybe(digests.map(bytes.hex))),
        version=version,
    )


openings = st.tuples(
    registration_ids,
    up_to(
        3,
        st.builds(
            Opening,
            kind=st.sampled_from(CommitmentKind),
            commitment=hashes,
            salt=salts,
            value=st.text(),
        ),
    ),
)
signed_disclosures = st.builds(
    SignedDisclosure,
    statement=st.builds(
        DisclosureStatement,
        statement=statements,
        signer=addresses,
        role=terms,
        covers=up_to(3, terms),
        document_digest=digests,
        signed_at=times,
    ),
    signature=signatures,
)
