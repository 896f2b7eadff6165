"""Evidence: anchors on a chain, what a manifest says, and the six answers of a verification."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from titledeed.models.claim import SignedClaim
from titledeed.models.match import WorkMatch
from titledeed.models.primitives import (
    Address,
    BlockHash,
    Keccak256,
    MerkleRoot,
    RegistrationId,
    Sha256,
    TransactionHash,
)


class ChainKind(StrEnum):
    """Who makes the chain's time."""

    DEVELOPMENT = "development"
    PUBLIC = "public"

    @property
    def time_code(self) -> TimeCode:
        """What its time is worth for a claim."""
        return TimeCode.SELF_KEPT if self is ChainKind.DEVELOPMENT else TimeCode.PUBLIC_CHAIN


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """What a home pins and every receipt names."""

    kind: ChainKind
    chain_id: int
    genesis_hash: BlockHash
    contract: Address


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """Raw bytes to broadcast, and the hash by which a receipt is found."""

    raw: bytes
    hash: TransactionHash
    nonce: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """A Merkle root on chain, as its event and block tell.

    Attributes:
        root: commits to size and tree; see ``canonical.merkle``.
        size: number of leaves.
        caller: who anchored; claims nothing by it.
        sequence: position among the contract's own events, from 1.
        block_timestamp: seconds since 1970, by the chain.
    """

    root: MerkleRoot
    size: int
    caller: Address
    sequence: int
    transaction: TransactionHash
    block_number: int
    block_hash: BlockHash
    block_timestamp: int


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Where a leaf stands in a tree: RFC 9162 section 2.1.3 audit path, bottom first."""

    index: int
    size: int
    path: tuple[Keccak256, ...]


@dataclass(frozen=True, slots=True)
class StateProof:
    """What shows, against one block header, that a contract's storage holds a word.

    Attributes:
        header: RLP of the block's header; its Keccak-256 is the block hash.
        account_proof: Merkle-Patricia nodes (RLP) from the state root to the contract's account.
        storage_proof: the same from the account's storage root to the word's slot (EIP-1186).
    """

    header: bytes
    account_proof: tuple[bytes, ...]
    storage_proof: tuple[bytes, ...]


class IntegrityCode(StrEnum):
    """Do the file's own credentials fit its bytes?"""

    INTACT = "intact"
    ALTERED = "altered"
    NO_CREDENTIALS = "no_credentials"
    UNREADABLE = "unreadable"


class TrustCode(StrEnum):
    """Does the signer chain to a trust list that this home uses?"""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NOT_CHECKED = "not_checked"


class HistoryCode(StrEnum):
    """Is the chain of ingredients whole?"""

    COMPLETE = "complete"
    GAPS = "gaps"
    BROKEN_INGREDIENT = "broken_ingredient"
    NONE = "none"


class TimeCode(StrEnum):
    """The strongest evidence of time, strongest first."""

    PUBLIC_CHAIN = "public_chain"
    RFC3161_TRUSTED = "rfc3161_trusted"
    SELF_KEPT = "self_kept"
    CLAIMED_ONLY = "claimed_only"
    NONE = "none"


class RegistryCode(StrEnum):
    """What the registry holds about this content."""

    EXACT = "exact"
    MATCH = "match"
    CONFLICT = "conflict"
    NONE = "none"


class DisclosureCode(StrEnum):
    """What the file and its registrations say about AI."""

    DECLARED = "declared"
    AMBIGUOUS = "ambiguous"
    CONTRADICTED = "contradicted"
    NONE = "none"


class Headline(StrEnum):
    """The verdict in one word; each face maps it to an exit code or a colour."""

    REGISTERED_EXACT = "registered_exact"
    REGISTERED_MATCH = "registered_match"
    SIGNED_NOT_REGISTERED = "signed_not_registered"
    NO_RECORD = "no_record"
    INVALID = "invalid"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the six answers: a code of its own vocabulary and a reason a person understands."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answers:
    """The six independent answers; never blended into one score."""

    integrity: Answer
    trust: Answer
    history: Answer
    time: Answer
    registry: Answer
    disclosure: Answer

    def items(self) -> Iterator[tuple[str, Answer]]:
        """Each answer under its name, in the order in which every face tells them."""
        for field in fields(self):
            yield field.name, getattr(self, field.name)


READER_STOPPED: Final = "reader_stopped"
"""A failure: the reader's library crashed, misbehaved, or reached a limit on time or memory."""


@dataclass(frozen=True, slots=True)
class TimestampStatement:
    """What an RFC 3161 token that holds says.

    Attributes:
        time: seconds since 1970, by the authority.
        authority: common name or organisation of its certificate; hostile text.
        trusted: its certificate leads to one on the trust list that was given.
        reason: why it is trusted or not, for people.
    """

    time: int
    authority: str
    trusted: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Credential:
    """The signed copy of the source and the manifest in it.

    Attributes:
        signed_digest: SHA-256 of the signed file.
        manifest_id: label of the active manifest (``urn:c2pa:…``).
        manifest_digest: SHA-256 of the manifest store.
    """

    signed_digest: Sha256
    manifest_id: str
    manifest_digest: Sha256


@dataclass(frozen=True, slots=True)
class ManifestReport:
    """What the C2PA reader says of one file, in our own words.

    Attributes:
        integrity: from the active manifest and every ingredient's active validation.
        failures: C2PA failure codes of the active manifest, in order.
        signer: subject organisation or common name of the signing certificate; hostile text.
        signed_at: RFC 3161 time if trusted, ISO 8601; None otherwise.
        manifest_id: label of the active manifest.
        content_manifest_id: the manifest reached from the active one through update manifests
            alone; equal to ``manifest_id`` for an ordinary file.
        source_types: digital source type URIs of the actions, in order; hostile text.
        actions_complete: created actions only, all ours, and ``allActionsIncluded``.
        signed_claim: our claim assertion, if the content manifest carries one that parses.
        title: hostile text.
    """

    integrity: IntegrityCode
    trust: TrustCode
    history: HistoryCode
    failures: tuple[str, ...]
    broken_ingredients: tuple[str, ...]
    signer: str | None
    signed_at: str | None
    manifest_id: str | None
    content_manifest_id: str | None
    generator: str | None
    title: str | None
    source_types: tuple[str, ...]
    actions_complete: bool
    ai_disclosure: bool
    signed_claim: SignedClaim | None


class ClaimStatus(StrEnum):
    """How far an accepted registration has got."""

    PENDING = "pending"
    INCLUDED = "included"
    SAFE = "safe"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class ClaimEntry:
    """One entry on chain about a claim, and whether readers count it.

    Attributes:
        kind: ``issued``, ``withdrawn``, ``superseded``, ``key_lost``, ``key_replaced``, or a word
            of ``WorkEvent``; hexadecimal where somebody used a word of their own.
        at: block time, seconds since 1970.
        counts: it was made by somebody who may speak for the claim at that point.
        detail: one sentence for people.
    """

    kind: str
    at: int
    sequence: int
    actor: Address
    counts: bool
    detail: str


@dataclass(frozen=True, slots=True)
class VisibleClaim:
    """One registration that the principal may see, in order of time.

    Attributes:
        at: block time, seconds since 1970; None where no evidence of it holds.
        asked: whether this home asked the chain that gives the time; order between claims counts
            among these alone, since anybody can write any time into a bundle of another chain.
        entries: what the chain that this home follows says about the claim, in its order.
    """

    registration_id: RegistrationId
    title: str
    claimant: Address
    time: Answer
    at: int | None
    asked: bool
    status: ClaimStatus
    mine: bool
    entries: tuple[ClaimEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class RecoveredManifest:
    """The manifest that the registry kept for a matched work, with its own answers."""

    registration_id: RegistrationId
    manifest_id: str
    integrity: Answer
    trust: Answer
    history: Answer
    disclosure: Answer

    def items(self) -> Iterator[tuple[str, Answer]]:
        """Those of the six answers that a manifest gives by itself, as ``Answers.items``."""
        for field in fields(Answers):
            if hasattr(self, field.name):
                yield field.name, getattr(self, field.name)


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """All that one verification tells; the faces only render it."""

    headline: Headline
    sentence: str
    answers: Answers
    matches: tuple[WorkMatch, ...]
    titles: dict[RegistrationId, str]
    claims: tuple[VisibleClaim, ...]
    recovered: RecoveredManifest | None
