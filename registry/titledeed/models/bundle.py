"""Evidence bundles: a dossier, what dates it, and what was said of it since."""

from __future__ import annotations

from dataclasses import dataclass

from titledeed.models.evidence import Anchor, ChainIdentity, InclusionProof, StateProof
from titledeed.models.primitives import Keccak256
from titledeed.models.record import Dossier


@dataclass(frozen=True, slots=True)
class AnchorEvidence:
    """How one chain dates a leaf: its place in a tree, and the tree's anchor.

    Attributes:
        raw_transaction: the one that the anchor names.
        state_proof: of the anchor's word; None where the chain gives none that can be checked.
        timestamp_token: RFC 3161 token (DER) over the root; empty where none was asked for.
    """

    chain: ChainIdentity
    proof: InclusionProof
    anchor: Anchor
    raw_transaction: bytes
    state_proof: StateProof | None
    timestamp_token: bytes


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One event of a contract's own log: opened, or as its hash alone.

    Attributes:
        block_timestamp: seconds since 1970, by the chain.
        hash: what the running hash takes of it; None where ``data`` tells it.
        kind: its name in Solidity, for people; the first word of ``data`` decides.
        data: topic 0 and the arguments (ABI); what ``hash`` is the Keccak-256 of.
    """

    block_timestamp: int
    hash: Keccak256 | None = None
    kind: str | None = None
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class LogSegment:
    """Successive events of one contract, of which the running hash shows that none is left out.

    Attributes:
        chain: its contract is the one that logged them.
        contract: name in Solidity, for example ``TitleDeed``.
        version: of the contract.
        sequence: of the event before the first of these; 0 where they are the first.
        head: running hash after that event, 20 bytes.
        state_proof: of the word that holds sequence and running hash after the last of them; None
            where the chain gives none that can be checked.
    """

    chain: ChainIdentity
    contract: str
    version: int
    sequence: int
    head: bytes
    events: tuple[LoggedEvent, ...]
    state_proof: StateProof | None


@dataclass(frozen=True, slots=True)
class StoredWord:
    """A word of a contract's storage: who held a deed in a block, or that nothing was revoked.

    Attributes:
        chain: its contract is the one whose storage it is.
        contract: name in Solidity, for example ``TitleDeed``.
        version: of the contract.
        base: the slot that the compiler gave the variable.
        keys: words under which mappings are read, one inside the other, for example a deed id.
        offset: of the word in a struct.
        value: 32 bytes; zero where nothing was ever stored.
    """

    chain: ChainIdentity
    contract: str
    version: int
    base: int
    keys: tuple[bytes, ...]
    offset: int
    value: bytes
    state_proof: StateProof


@dataclass(frozen=True, slots=True)
class Bundle:
    """An evidence bundle: a dossier, what dates it, and what was said of it since.

    Attributes:
        anchors: the first is on the chain and contract for which the claim was signed; others may
            date the same leaf elsewhere.
        logs: entries about the claim, in the logs of the contracts that hold them.
        words: what no entry tells, such as who holds its deed.
    """

    dossier: Dossier
    anchors: tuple[AnchorEvidence, ...]
    logs: tuple[LogSegment, ...] = ()
    words: tuple[StoredWord, ...] = ()

    @property
    def own(self) -> AnchorEvidence:
        """The anchor on the claim's own chain."""
        return self.anchors[0]
