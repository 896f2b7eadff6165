"""What a chain holds of ours: blocks, the contract's events, and the calls that make them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from titledeed.models.evidence import SignedTransaction
from titledeed.models.primitives import (
    Address,
    BlockHash,
    DeedId,
    Keccak256,
    LeafHash,
    MerkleRoot,
    RegistrationId,
    Sha256,
    Signature,
    Subject,
    TransactionHash,
)


@dataclass(frozen=True, slots=True)
class Block:
    """One block, as far as a follower needs it.

    Attributes:
        timestamp: seconds since 1970, by the chain.
    """

    number: int
    hash: BlockHash
    parent_hash: BlockHash
    timestamp: int


class ContractName(StrEnum):
    """Contracts of ours, by the names that they have in Solidity."""

    TITLE_DEED = "TitleDeed"


@dataclass(frozen=True, slots=True)
class DeployedContract:
    """A contract of ours on a chain.

    Attributes:
        first_block: a height at or below which it has no event yet, where following begins.
    """

    name: ContractName
    address: Address
    first_block: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """That a block holds a transaction, and whether the contract accepted it."""

    transaction: TransactionHash
    block_number: int
    block_hash: BlockHash
    succeeded: bool


@dataclass(frozen=True, slots=True)
class Anchored:
    """``caller`` anchored a root."""

    root: MerkleRoot
    caller: Address
    size: int


@dataclass(frozen=True, slots=True)
class Issued:
    """A leaf was opened and its deed (ERC-721) minted to the claimant.

    Attributes:
        royalty: basis points (ERC-2981).
        parents: deeds that the claimant names; *claimed* until each holder confirms.
    """

    deed: DeedId
    leaf: LeafHash
    claimant: Address
    content_digest: Sha256
    root: MerkleRoot
    anchored_by: Address
    royalty: int
    parents: tuple[DeedId, ...]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """``actor`` withdrew the claim. ``by_holder``: the contract saw that it holds the deed."""

    subject: Subject
    actor: Address
    by_holder: bool


@dataclass(frozen=True, slots=True)
class Superseded:
    """``actor`` names a successor of the claim."""

    subject: Subject
    actor: Address
    successor: Subject
    by_holder: bool


@dataclass(frozen=True, slots=True)
class EventRecorded:
    """``actor`` says that something happened to the work.

    Attributes:
        kind: Keccak-256 of a word of ``WorkEvent``, or of anybody's own word.
        digest: of whatever document tells more; 32 zero bytes where there is none.
    """

    subject: Subject
    actor: Address
    kind: Keccak256
    digest: Sha256
    by_holder: bool


@dataclass(frozen=True, slots=True)
class KeyDeclared:
    """``actor`` declares what became of a key.

    Attributes:
        successor: the zero address where the key is declared compromised.
        since: seconds since 1970, by the declarant's own clock.
    """

    key: Address
    actor: Address
    successor: Address
    since: int


@dataclass(frozen=True, slots=True)
class BindingPublished:
    """Where a C2PA soft binding leads (C2PA 2.4 section 2, ``eventLog`` lookup)."""

    binding_hash: Keccak256
    actor: Address
    endpoint: str
    manifest_id: str


EventBody = (
    Anchored | Issued | Withdrawn | Superseded | EventRecorded | KeyDeclared | BindingPublished
)


class MentionRole(StrEnum):
    """Why an event mentions a word; kept in databases.

    ``about``: its subject, leaf, deed, successor or binding hash. ``anchor``: a root and, after it,
    the 20 bytes of the caller. ``key``: the key that is declared, as 20 bytes.
    """

    ABOUT = "about"
    ANCHOR = "anchor"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Mention:
    """A word by which an event is found."""

    role: MentionRole
    word: bytes


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One event of a contract, where it stands, and the running hash after it.

    Attributes:
        contract: which logged it.
        sequence: position among the contract's own events, from 1 without a gap.
        head: 20 bytes; binds this event and all before it in this contract.
        block_timestamp: seconds since 1970, by the chain; part of what ``head`` binds.
    """

    body: EventBody
    contract: Address
    sequence: int
    head: bytes
    transaction: TransactionHash
    block_number: int
    block_hash: BlockHash
    block_timestamp: int

    @property
    def place(self) -> tuple[int, Address, int]:
        """Sorts events: by block, and those of one contract in its own order.

        Nothing proves an order between what two contracts logged in one block.
        """
        return self.block_number, self.contract, self.sequence


class WorkEvent(StrEnum):
    """What ``recordEvent`` is used for; the chain holds the Keccak-256 of the word."""

    PUBLISHED = "published"
    DISTRIBUTED = "distributed"
    SCREENED = "screened"
    LICENSED = "licensed"
    DERIVATIVE_CONFIRMED = "derivative-confirmed"


@dataclass(frozen=True, slots=True)
class AnchorRoot:
    """The call ``anchor(root, size)``, by the account that pays."""

    root: MerkleRoot
    size: int


@dataclass(frozen=True, slots=True)
class IssueDeed:
    """Opens the content part of a leaf and mints its deed to the claimant.

    Attributes:
        record_part: the commitment to the rest of the record; stays closed.
        royalty: basis points (ERC-2981).
        parents: at most 16, ascending.
    """

    content_digest: Sha256
    content_salt: bytes
    record_part: Keccak256
    leaf: LeafHash
    root: MerkleRoot
    anchored_by: Address
    index: int
    size: int
    path: tuple[Keccak256, ...]
    royalty: int
    parents: tuple[DeedId, ...]


@dataclass(frozen=True, slots=True)
class WithdrawLeaf:
    """Withdraws a claim that has no deed."""

    leaf: LeafHash


@dataclass(frozen=True, slots=True)
class WithdrawDeed:
    """Withdraws the claim of a deed; only its holder can."""

    deed: DeedId


@dataclass(frozen=True, slots=True)
class Supersede:
    """Names the successor of a claim; both are leaves or deeds."""

    subject: Subject
    successor: Subject


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """See ``EventRecorded``."""

    subject: Subject
    kind: Keccak256
    digest: Sha256


@dataclass(frozen=True, slots=True)
class DeclareKey:
    """See ``KeyDeclared``."""

    key: Address
    successor: Address
    since: int


@dataclass(frozen=True, slots=True)
class PublishBinding:
    """See ``BindingPublished``."""

    binding_hash: Keccak256
    endpoint: str
    manifest_id: str


Act = (
    IssueDeed | WithdrawLeaf | WithdrawDeed | Supersede | RecordEvent | DeclareKey | PublishBinding
)
"""What an account other than the sender does on chain."""


@dataclass(frozen=True, slots=True)
class RelayedAct:
    """An act that its actor signed (EIP-712) and somebody else pays for.

    Attributes:
        deadline: seconds since 1970; the contract refuses the act in a later block.
    """

    act: Act
    actor: Address
    deadline: int
    signature: Signature


Call = AnchorRoot | RelayedAct
"""What the sender pays for."""


class SubmissionState(StrEnum):
    """How far a call has got.

    ``pending``: in no block that this home follows. ``included``: it took effect. ``reverted``: the
    contract refused it, so that a batch's leaves wait again.
    """

    PENDING = "pending"
    INCLUDED = "included"
    REVERTED = "reverted"


@dataclass(frozen=True, slots=True)
class Submission:
    """One call under one nonce, however often its fees were raised.

    Attributes:
        contract: which is called.
        label: ``anchor`` or the kind of act, for people.
        root: of the batch that it anchors; None for an act.
        registration_id: what an act is about; None for a batch and for keys.
        attempts: signed transactions of the same call and nonce, oldest first; any may be mined.
        sent_at: when the last of them was signed, seconds since 1970, by this home's clock.
        problem: why it was reverted; empty otherwise.
    """

    submission_id: int
    contract: Address
    sender: Address
    nonce: int
    label: str
    root: MerkleRoot | None
    registration_id: RegistrationId | None
    attempts: tuple[SignedTransaction, ...]
    sent_at: int
    state: SubmissionState
    problem: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far this home has followed the events of one contract.

    Attributes:
        block: the last block in which they were read.
        sequence: of the contract's last event up to there; 0 before the first.
        head: the running hash after it, 20 bytes.
    """

    block: Block
    sequence: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Confirmations:
    """After how many blocks on top an anchor is called safe, and final."""

    safe: int
    final: int


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What remains of an erased registration: nothing that tells what it was about.

    Attributes:
        leaf: still on chain under its root; without the salts it opens to nothing.
        erased_at: seconds since 1970, by this home's clock.
    """

    registration_id: RegistrationId
    leaf: LeafHash
    erased_at: int
