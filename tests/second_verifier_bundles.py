"""Bundles of real development chains, for verifiers that share no code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from builders import build_claimant, build_dossier
from chain_builders import GWEI, PlainSender, raw_anchor, relayed, sender_of
from evidence_builders import claim_elsewhere
from second_verifier import Document

from titledeed.canonical.documents import digest_document, encode_document, hex_word
from titledeed.canonical.evidence.bundles import encode_bundle
from titledeed.canonical.evidence.records import digest_record
from titledeed.canonical.hashing import keccak256, word
from titledeed.canonical.identifiers import address_word, derive_deed_id
from titledeed.canonical.leaves import commit_record, leaf_of_record
from titledeed.canonical.merkle import MerkleTree
from titledeed.canonical.rights import encode_rights
from titledeed.chain.calls import encode_call
from titledeed.chain.development.chain import DevelopmentChain
from titledeed.chain.rpc import fetch_block
from titledeed.chain.state_proofs import _fetch_proof, read_head_proof, read_state_proof
from titledeed.models.bundle import AnchorEvidence, Bundle, LoggedEvent, LogSegment, StoredWord
from titledeed.models.claim import SigningDomain
from titledeed.models.evidence import Anchor
from titledeed.models.ledger import Anchored, ContractName, EventBody, Issued, IssueDeed, Withdrawn
from titledeed.models.lineage import Lineage, Relation, Source, WorkReference
from titledeed.models.primitives import BlockHash, Keccak256, LeafHash, Sha256, Subject
from titledeed.models.record import Dossier
from titledeed.models.unread import Unread
from titledeed.proofs.abi import selector
from titledeed.proofs.events import EMPTY_HEAD, bind_event, encode_event, hash_event
from titledeed.proofs.rpc_values import parse_bytes, parse_object, parse_quantity
from titledeed.proofs.state_proofs import ANCHORS_SLOT
from titledeed.proofs.transactions import (
    Transaction,
    encode_signed,
    hash_transaction,
    signing_digest,
)
from titledeed.proofs.versions import current_version

PLACES: Final = (
    (1, 0),
    (2, 0),
    (2, 1),
    (3, 2),
    (5, 4),
    (8, 3),
    (13, 12),
    (21, 7),
    (100, 99),
    (1_000, 512),
)
"""Size of the tree, and the index of the bundle's leaf."""

NAME_SLOT: Final = 2
OWNERS_SLOT: Final = 4
"""Where the compiler put ``_name`` and ``_owners`` of ``TitleDeed``; a test asks a chain."""


class Registrar:
    """A development chain on which one account pays for all, so that all events are known."""

    def __init__(self, folder: Path) -> None:
        self._sender: PlainSender = sender_of("second verifier")
        self._chain = DevelopmentChain.create(folder=folder, funded=(self._sender.address,))
        self._events: list[tuple[int, EventBody]] = []
        self.identity = self._chain.pin.identity
        self.domain = SigningDomain(self.identity.chain_id, self.identity.contract)

    def close(self) -> None:
        self._chain.close()

    def anchor(self, tree: MerkleTree) -> tuple[Anchor, bytes]:
        raw = raw_anchor(
            self._sender,
            chain_id=self.domain.chain_id,
            contract=self.domain.contract,
            nonce=len(self._events),
            root=tree.root,
            size=tree.size,
        )
        block = self._send(raw, Anchored(tree.root, self._sender.address, tree.size))
        anchor = Anchor(
            root=tree.root,
            size=tree.size,
            caller=self._sender.address,
            sequence=len(self._events),
            transaction=hash_transaction(raw),
            block_number=parse_quantity(block["number"]),
            block_hash=BlockHash(Keccak256(parse_bytes(block["hash"]))),
            block_timestamp=parse_quantity(block["timestamp"]),
        )
        return anchor, raw

    def withdraw(self, leaf: LeafHash) -> None:
        body = Withdrawn(Subject(leaf), self._sender.address, by_holder=False)
        self._call(selector("withdraw(bytes32)") + leaf, body)

    def issue(self, dossier: Dossier, tree: MerkleTree, index: int, anchor: Anchor) -> None:
        """The deed of a leaf, as its claimant signs for it."""
        claim, salts = dossier.record.signed_claim.claim, dossier.salts
        proof = tree.prove(index)
        act = IssueDeed(
            content_digest=claim.content_digest,
            content_salt=salts.content,
            record_part=commit_record(digest_record(dossier.record), salts.record),
            leaf=leaf_of_record(dossier.record, salts),
            root=anchor.root,
            anchored_by=anchor.caller,
            index=proof.index,
            size=proof.size,
            path=proof.path,
            royalty=250,
            parents=(),
        )
        actor = PlainSender(build_claimant().key.secret)
        body = Issued(
            deed=derive_deed_id(claim.claimant, claim.content_digest),
            leaf=act.leaf,
            claimant=claim.claimant,
            content_digest=claim.content_digest,
            root=act.root,
            anchored_by=act.anchored_by,
            royalty=act.royalty,
            parents=(),
        )
        self._call(encode_call(relayed(act, actor=actor, chain=self.identity)), body)

    def _call(self, data: bytes, body: EventBody) -> None:
        transaction = Transaction(
            chain_id=self.domain.chain_id,
            nonce=len(self._events),
            tip=GWEI,
            fee_max=3 * GWEI,
            gas=500_000,
            to=self.domain.contract,
            value=0,
            data=data,
        )
        raw = encode_signed(transaction, self._sender.sign_digest(signing_digest(transaction)))
        self._send(raw, body)

    def _send(self, raw: bytes, body: EventBody) -> dict[str, Any]:
        self._chain.call("eth_sendRawTransaction", hex_word(raw))
        block = parse_object(fetch_block(self._chain, "latest"))
        self._events.append((parse_quantity(block["timestamp"]), body))
        return block

    def prove(self, tree: MerkleTree, index: int, anchor: Anchor, raw: bytes) -> AnchorEvidence:
        """Against whatever block is the newest."""
        proof = read_state_proof(
            self._chain, contract=self.domain.contract, root=anchor.root, caller=anchor.caller
        )
        assert proof is not None
        return AnchorEvidence(self.identity, tree.prove(index), anchor, raw, proof, b"")

    def read_word(self, base: int, keys: tuple[bytes, ...] = (), offset: int = 0) -> StoredWord:
        """What the node says that a slot holds, and its proof of that."""
        slot = word(base)
        for key in keys:
            slot = keccak256(key, slot)
        slot = word(int.from_bytes(slot, "big") + offset)
        held = self._chain.call("eth_getStorageAt", self.domain.contract, hex_word(slot), "latest")
        proof = _fetch_proof(self._chain, self.domain.contract, slot)
        assert proof is not None
        version = current_version(ContractName.TITLE_DEED)
        return StoredWord(
            chain=self.identity,
            contract=version.name,
            version=version.number,
            base=base,
            keys=keys,
            offset=offset,
            value=parse_bytes(held, length=32),
            state_proof=proof,
        )

    def read_log(self, since: int) -> LogSegment:
        """All events after one, of which every other is opened, with a proof of the last."""
        start = head = EMPTY_HEAD
        events = []
        for sequence, (timestamp, body) in enumerate(self._events, start=1):
            if sequence == since + 1:
                start = head
            head = bind_event(head, sequence, timestamp, hash_event(body))
            if sequence <= since:
                continue
            opened = LoggedEvent(timestamp, None, type(body).__name__, encode_event(body))
            closed = LoggedEvent(timestamp, hash_event(body))
            events.append(closed if (len(self._events) - sequence) % 2 else opened)
        proof = read_head_proof(self._chain, contract=self.domain.contract)
        assert proof is not None
        return LogSegment(
            chain=self.identity,
            contract=ContractName.TITLE_DEED,
            version=current_version(ContractName.TITLE_DEED).number,
            sequence=since,
            head=start,
            events=tuple(events),
            state_proof=proof,
        )


@dataclass
class Prepared:
    """A leaf that is anchored, on one chain or on two, and whose proofs are still to be made."""

    dossier: Dossier
    tree: MerkleTree
    index: int
    anchored: list[tuple[Registrar, Anchor, bytes]] = field(default_factory=list)

    def build(self, *, with_log: bool) -> Bundle:
        anchors = tuple(
            chain.prove(self.tree, self.index, anchor, raw) for chain, anchor, raw in self.anchored
        )
        if not with_log:
            return Bundle(self.dossier, anchors)
        own, anchor, _ = self.anchored[0]
        logs = (own.read_log(anchor.sequence - 1), own.read_log(0))
        return Bundle(self.dossier, anchors, logs, tuple(self._read_words()))

    def _read_words(self) -> Iterator[StoredWord]:
        """The anchor's word, the symbol of the deeds, and who owns this deed."""
        own, anchor, _ = self.anchored[0]
        yield own.read_word(ANCHORS_SLOT, (anchor.root, address_word(anchor.caller)))
        yield own.read_word(NAME_SLOT, offset=1)
        claim = self.dossier.record.signed_claim.claim
        yield own.read_word(
            OWNERS_SLOT, (word(derive_deed_id(claim.claimant, claim.content_digest)),)
        )


def prepare(chains: Sequence[Registrar], size: int, index: int) -> Prepared:
    source = Source(WorkReference(content_digest=build_digest(size)), Relation.PARENT_OF)
    dossier = build_dossier(size, lineage=Lineage((source,) if index else ()))
    if len(chains) > 1:
        dossier = with_unknown_fields(dossier)
    dossier = claim_elsewhere(dossier, build_claimant(), chains[0].domain)
    leaf = leaf_of_record(dossier.record, dossier.salts)
    others = [LeafHash(Keccak256(bytes(28) + n.to_bytes(4, "big"))) for n in range(size)]
    tree = MerkleTree([leaf if n == index else other for n, other in enumerate(others)])
    prepared = Prepared(dossier, tree, index)
    for chain in chains:
        prepared.anchored.append((chain, *chain.anchor(tree)))
    if len(chains) == 1:
        chains[0].issue(dossier, tree, index, prepared.anchored[0][1])
    chains[0].withdraw(leaf)
    return prepared


def with_unknown_fields(dossier: Dossier) -> Dossier:
    """The dossier with fields that a later version may have, before its claimant signs it."""
    rights = replace(
        dossier.rights, unread=(Unread(("holders", 0, "x"), '{"of":["é",-2,true,null]}'),)
    )
    record = replace(dossier.record, unread=(Unread(("media", "hdr"), '"é\\u0001"'),))
    signed = record.signed_claim
    claim = replace(signed.claim, rights_digest=digest_document(encode_rights(rights)))
    record = replace(record, signed_claim=replace(signed, claim=claim))
    return replace(dossier, rights=rights, record=record)


def to_document(bundle: Bundle) -> Document:
    document: Document = json.loads(encode_document(encode_bundle(bundle)))
    return document


def build_digest(seed: int) -> Sha256:
    return build_dossier(seed + 5_000).record.signed_claim.claim.content_digest
