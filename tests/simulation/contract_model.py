"""What ``TitleDeed`` does, as far as sender and follower can tell; signatures are not looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

from titledeed.canonical.identifiers import derive_deed_id
from titledeed.canonical.merkle import TREE_SIZE_MAX
from titledeed.models.ledger import (
    Anchored,
    AnchorRoot,
    BindingPublished,
    Call,
    DeclareKey,
    EventBody,
    EventRecorded,
    Issued,
    IssueDeed,
    KeyDeclared,
    PublishBinding,
    RecordEvent,
    RelayedAct,
    Supersede,
    Superseded,
    WithdrawDeed,
    WithdrawLeaf,
    Withdrawn,
)
from titledeed.models.primitives import Address, DeedId, MerkleRoot, Subject


class RefusedError(Exception):
    """The contract reverts."""


@dataclass(frozen=True)
class Deed:
    """An issued deed."""

    holder: Address
    is_withdrawn: bool = False


@dataclass
class ContractModel:
    """The contract's storage.

    Attributes:
        anchors: block time and sequence number of each root and caller.
    """

    anchors: dict[tuple[MerkleRoot, Address], tuple[int, int]] = field(default_factory=dict)
    deeds: dict[DeedId, Deed] = field(default_factory=dict)
    sequence: int = 0

    def copy(self) -> ContractModel:
        return ContractModel(dict(self.anchors), dict(self.deeds), self.sequence)

    def apply(self, call: Call, *, sender: Address, timestamp: int) -> EventBody | None:
        """Carry out a call; None where it repeats what stands already.

        Raises:
            RefusedError: the contract refuses it, and nothing was changed.
        """
        if isinstance(call, AnchorRoot):
            body = self._anchor(call, sender, timestamp)
        elif timestamp > call.deadline:
            raise RefusedError("DeadlinePassed")
        else:
            body = self._act(call)
        self.sequence += body is not None
        return body

    def _anchor(self, call: AnchorRoot, sender: Address, timestamp: int) -> EventBody | None:
        if not 1 <= call.size <= TREE_SIZE_MAX:
            raise RefusedError("SizeOutOfRange")
        if (call.root, sender) in self.anchors:
            return None
        self.anchors[call.root, sender] = timestamp, self.sequence + 1
        return Anchored(call.root, sender, call.size)

    def _act(self, call: RelayedAct) -> EventBody | None:
        act, actor = call.act, call.actor
        if isinstance(act, IssueDeed):
            return self._issue(act, actor)
        if isinstance(act, WithdrawDeed):
            return self._withdraw_deed(act.deed, actor)
        if isinstance(act, WithdrawLeaf):
            return Withdrawn(Subject(act.leaf), actor, by_holder=False)
        if isinstance(act, DeclareKey):
            return KeyDeclared(act.key, actor, act.successor, act.since)
        if isinstance(act, PublishBinding):
            return BindingPublished(act.binding_hash, actor, act.endpoint, act.manifest_id)
        by_holder = self._is_held(act.subject, actor)
        if isinstance(act, Supersede):
            return Superseded(act.subject, actor, act.successor, by_holder)
        return self._record(act, actor, by_holder=by_holder)

    def _issue(self, act: IssueDeed, claimant: Address) -> Issued:
        _, anchored = self.anchors.get((act.root, act.anchored_by), (0, 0))
        if not anchored:
            raise RefusedError("NotAnchored")
        deed = derive_deed_id(claimant, act.content_digest)
        if deed in self.deeds:
            raise RefusedError("DeedExists")
        if not set(act.parents) <= self.deeds.keys():
            raise RefusedError("NotIssued")
        self.deeds[deed] = Deed(claimant)
        return Issued(
            deed=deed,
            leaf=act.leaf,
            claimant=claimant,
            content_digest=act.content_digest,
            root=act.root,
            anchored_by=act.anchored_by,
            royalty=act.royalty,
            parents=act.parents,
        )

    def _withdraw_deed(self, deed: DeedId, actor: Address) -> Withdrawn | None:
        subject = Subject(deed.to_bytes(32, "big"))
        if not self._is_held(subject, actor):
            raise RefusedError("NotIssued")
        known = self.deeds[deed]
        if known.is_withdrawn:
            return None
        self.deeds[deed] = Deed(known.holder, is_withdrawn=True)
        return Withdrawn(subject, actor, by_holder=True)

    def _record(self, act: RecordEvent, actor: Address, *, by_holder: bool) -> EventRecorded:
        return EventRecorded(act.subject, actor, act.kind, act.digest, by_holder)

    def _is_held(self, subject: Subject, actor: Address) -> bool:
        deed = self.deeds.get(DeedId(int.from_bytes(subject, "big")))
        if deed is not None and deed.holder != actor:
            raise RefusedError("NotHolder")
        return deed is not None
