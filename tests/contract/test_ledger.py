"""What every ``Ledger`` promises: on the development chain, behind a URL, and simulated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

import pytest
from chain_builders import (
    addresses_of,
    await_receipt,
    raw_anchor,
    relayed,
    root_of,
    sender_of,
    start_plain_anvil,
)
from simulation.ledger_simulator import LedgerSimulator

from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import ZERO_ADDRESS, derive_deed_id
from titledeed.canonical.leaves import commit_content, hash_leaf
from titledeed.canonical.merkle import MerkleTree
from titledeed.chain.deployment import deploy_contract, pin_chain
from titledeed.chain.development.chain import DevelopmentChain
from titledeed.chain.ledger import EvmLedger
from titledeed.errors import LedgerError, TransactionRevertedError
from titledeed.models.evidence import Anchor, SignedTransaction
from titledeed.models.ledger import (
    Act,
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
    LedgerEvent,
    PublishBinding,
    RecordEvent,
    Supersede,
    Superseded,
    WithdrawDeed,
    WithdrawLeaf,
    Withdrawn,
)
from titledeed.models.primitives import (
    Address,
    BlockHash,
    LeafHash,
    Sha256,
    Subject,
    TransactionHash,
)
from titledeed.ports import Ledger
from titledeed.proofs.events import EMPTY_HEAD, next_head
from titledeed.proofs.signatures import check_transaction
from titledeed.proofs.transactions import decode_signed, hash_transaction

pytestmark = pytest.mark.chain

SENDER = sender_of("sender")
ACTOR = sender_of("actor")
OTHER = sender_of("other")


@pytest.fixture(scope="module", params=["development", "rpc", "simulator"])
def ledger(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ledger]:
    if request.param == "simulator":
        yield LedgerSimulator(sender=SENDER, mines_at_once=True)
    elif request.param == "development":
        folder = tmp_path_factory.mktemp("chain")
        chain = DevelopmentChain.create(folder=folder, funded=(SENDER.address,))
        yield EvmLedger(node=chain, pin=chain.pin, sender=SENDER)
        chain.close()
    else:
        anvil = start_plain_anvil(SENDER.address)
        contract = deploy_contract(anvil.node, sender=SENDER)
        pin = pin_chain(anvil.node, contract=contract)
        yield EvmLedger(node=anvil.node, pin=pin, sender=SENDER)
        anvil.close()


def _sent(ledger: Ledger, call: Call) -> SignedTransaction:
    transaction = ledger.sign_call(call, ledger.count_transactions())
    ledger.broadcast(transaction)
    await_receipt(ledger, transaction)
    return transaction


def _events_of(ledger: Ledger, transaction: SignedTransaction) -> list[LedgerEvent]:
    receipt = await_receipt(ledger, transaction)
    block = ledger.find_block(receipt.block_number)
    assert block is not None
    events = ledger.list_events(block, addresses_of(ledger))
    return [event for event in events if event.transaction == transaction.hash]


def _all_events(ledger: Ledger) -> list[LedgerEvent]:
    return ledger.list_events_between(
        ledger.contracts[0].first_block, ledger.find_head().number, addresses_of(ledger)
    )


def _act(ledger: Ledger, act: Act) -> EventBody | None:
    """What the contract logs for an act of the actor; None where it logs nothing."""
    call = relayed(act, actor=ACTOR, chain=ledger.identity)
    events = _events_of(ledger, _sent(ledger, call))
    assert len(events) < 2
    return events[0].body if events else None


def _issue_of(ledger: Ledger, label: str, *, anchored: bool = True) -> IssueDeed:
    """An issue of the actor's own leaf, one of three under its root."""
    content, salt = Sha256(keccak256(label.encode())), bytes(32)
    record_part = keccak256(b"record", label.encode())
    leaf = hash_leaf(ACTOR.address, commit_content(content, salt), record_part)
    tree = MerkleTree([LeafHash(keccak256(b"a")), leaf, LeafHash(keccak256(b"b"))])
    if anchored:
        _sent(ledger, AnchorRoot(tree.root, tree.size))
    proof = tree.prove(1)
    return IssueDeed(
        content_digest=content,
        content_salt=salt,
        record_part=record_part,
        leaf=leaf,
        root=tree.root,
        anchored_by=SENDER.address,
        index=proof.index,
        size=proof.size,
        path=proof.path,
        royalty=250,
        parents=(),
    )


def _leaf(label: str) -> LeafHash:
    return LeafHash(keccak256(b"leaf ", label.encode()))


def test_sender_is_the_one_that_was_given(ledger: Ledger) -> None:
    assert ledger.sender == SENDER.address
    assert ledger.identity.chain_id > 0


def test_transaction_is_found_in_its_block(ledger: Ledger) -> None:
    transaction = _sent(ledger, AnchorRoot(root_of("found"), 7))
    receipt = ledger.find_receipt(transaction.hash)
    assert receipt is not None
    assert receipt.transaction == transaction.hash
    assert receipt.succeeded
    block = ledger.find_block(receipt.block_number)
    assert block is not None
    assert (block.number, block.hash) == (receipt.block_number, receipt.block_hash)


def test_anchor_is_told_by_the_event_of_its_block(ledger: Ledger) -> None:
    transaction = _sent(ledger, AnchorRoot(root_of("told"), 2**32))
    receipt = await_receipt(ledger, transaction)
    block = ledger.find_block(receipt.block_number)
    assert block is not None
    (event,) = _events_of(ledger, transaction)
    assert event.body == Anchored(root_of("told"), SENDER.address, 2**32)
    assert (event.block_number, event.block_hash) == (block.number, block.hash)
    assert event.block_timestamp == block.timestamp
    assert ledger.find_anchor_time(root_of("told"), SENDER.address) == block.timestamp


def test_anchor_time_is_kept_per_root_and_caller(ledger: Ledger) -> None:
    _sent(ledger, AnchorRoot(root_of("timed"), 1))
    assert ledger.find_anchor_time(root_of("timed"), SENDER.address) is not None
    assert ledger.find_anchor_time(root_of("timed"), OTHER.address) is None
    assert ledger.find_anchor_time(root_of("never"), SENDER.address) is None


def test_root_anchored_again_takes_effect_and_logs_nothing(ledger: Ledger) -> None:
    first = _sent(ledger, AnchorRoot(root_of("twice"), 3))
    again = _sent(ledger, AnchorRoot(root_of("twice"), 3))
    assert first.hash != again.hash
    assert await_receipt(ledger, again).succeeded
    assert _events_of(ledger, again) == []


def test_running_hash_binds_every_event_since_the_first_block(ledger: Ledger) -> None:
    subject, successor = Subject(_leaf("bound")), Subject(_leaf("next"))
    acts: list[Act] = [
        _issue_of(ledger, "bound"),
        WithdrawLeaf(_leaf("bound")),
        Supersede(subject, successor),
        RecordEvent(subject, keccak256(b"published"), Sha256(bytes(32))),
        DeclareKey(ACTOR.address, OTHER.address, 1_790_000_000),
        PublishBinding(keccak256(b"bound"), "https://registry.example", "urn:c2pa:2"),
    ]
    for act in acts:
        assert _act(ledger, act) is not None
    events, head = _all_events(ledger), EMPTY_HEAD
    for sequence, event in enumerate(events, 1):
        head = next_head(head, event)
        assert (event.sequence, event.head) == (sequence, head)
    assert {type(event.body) for event in events} == set(get_args(EventBody))


def test_contract_keeps_count_and_running_hash_of_each_block(ledger: Ledger) -> None:
    first, second = (_sent(ledger, AnchorRoot(root_of(label), 1)) for label in ("one", "two"))
    for transaction in (first, second):
        (event,) = _events_of(ledger, transaction)
        block = ledger.find_block(event.block_number)
        assert block is not None
        assert ledger.log_head(ledger.identity.contract, block) == (event.sequence, event.head)


def test_events_by_number_are_those_by_hash(ledger: Ledger) -> None:
    for label in ("by hash", "by number"):
        _sent(ledger, AnchorRoot(root_of(label), 1))
    head = ledger.find_head()
    blocks = [ledger.find_block(number) for number in range(head.number + 1)]
    by_hash = [
        event
        for block in blocks
        if block
        for event in ledger.list_events(block, addresses_of(ledger))
    ]
    assert by_hash == _all_events(ledger)
    assert by_hash[-2:] == ledger.list_events_between(
        head.number - 1, head.number, addresses_of(ledger)
    )


def test_each_block_names_the_one_before_it(ledger: Ledger) -> None:
    _sent(ledger, AnchorRoot(root_of("linked"), 1))
    head = ledger.find_head()
    assert ledger.find_block(head.number) == head
    while head.number:
        parent = ledger.find_block(head.number - 1)
        assert parent is not None
        assert head.parent_hash == parent.hash
        assert head.timestamp >= parent.timestamp
        head = parent
    assert head.hash == ledger.identity.genesis_hash


def test_no_block_is_above_the_head(ledger: Ledger) -> None:
    assert ledger.find_block(ledger.find_head().number + 1) is None
    assert ledger.find_block(2**40) is None


def test_events_of_a_block_that_is_not_known_are_refused(ledger: Ledger) -> None:
    fork = replace(ledger.find_head(), hash=BlockHash(keccak256(b"fork")))
    with pytest.raises(LedgerError):
        ledger.list_events(fork, addresses_of(ledger))
    with pytest.raises(LedgerError):
        ledger.log_head(ledger.identity.contract, fork)


def test_events_above_the_head_are_refused(ledger: Ledger) -> None:
    head = ledger.find_head().number
    with pytest.raises(LedgerError, match="ends at block"):
        ledger.list_events_between(0, head + 1, addresses_of(ledger))


def test_withdrawal_of_a_leaf_is_logged_for_anybody(ledger: Ledger) -> None:
    body = _act(ledger, WithdrawLeaf(_leaf("withdrawn")))
    assert body == Withdrawn(Subject(_leaf("withdrawn")), ACTOR.address, by_holder=False)


def test_supersession_names_the_successor(ledger: Ledger) -> None:
    subject, successor = Subject(_leaf("old")), Subject(_leaf("new"))
    body = _act(ledger, Supersede(subject, successor))
    assert body == Superseded(subject, ACTOR.address, successor, by_holder=False)


def test_recorded_event_keeps_kind_and_digest(ledger: Ledger) -> None:
    subject, digest = Subject(_leaf("screened")), Sha256(keccak256(b"programme"))
    body = _act(ledger, RecordEvent(subject, keccak256(b"screened"), digest))
    expected = EventRecorded(
        subject, ACTOR.address, keccak256(b"screened"), digest, by_holder=False
    )
    assert body == expected


@pytest.mark.parametrize("successor", [OTHER.address, ZERO_ADDRESS])
def test_key_declaration_keeps_successor_and_time(ledger: Ledger, successor: Address) -> None:
    body = _act(ledger, DeclareKey(ACTOR.address, successor, 2**64 - 1))
    assert body == KeyDeclared(ACTOR.address, ACTOR.address, successor, 2**64 - 1)


@pytest.mark.parametrize(
    ("endpoint", "manifest_id"),
    [
        ("https://registry.example/c2pa", "urn:c2pa:1"),
        ("", ""),
        ("https://ümlaut.example/" + "x" * 100, "\udcff\udc80"),
    ],
    ids=["plain", "empty", "long, and not UTF-8"],
)
def test_published_binding_keeps_its_texts(ledger: Ledger, endpoint: str, manifest_id: str) -> None:
    act = PublishBinding(keccak256(b"binding"), endpoint, manifest_id)
    expected = BindingPublished(act.binding_hash, ACTOR.address, endpoint, manifest_id)
    assert _act(ledger, act) == expected


def test_issue_mints_the_deed_to_the_claimant(ledger: Ledger) -> None:
    act = _issue_of(ledger, "issued")
    deed = derive_deed_id(ACTOR.address, act.content_digest)
    assert ledger.find_holder(deed) is None
    assert _act(ledger, act) == Issued(
        deed=deed,
        leaf=act.leaf,
        claimant=ACTOR.address,
        content_digest=act.content_digest,
        root=act.root,
        anchored_by=SENDER.address,
        royalty=250,
        parents=(),
    )
    assert ledger.find_holder(deed) == ACTOR.address


@pytest.mark.parametrize("royalty", [250, 251], ids=["the same terms", "other terms"])
def test_issue_again_is_refused(ledger: Ledger, royalty: int) -> None:
    act = _issue_of(ledger, f"issued twice, {royalty}")
    _act(ledger, act)
    again = relayed(replace(act, royalty=royalty), actor=ACTOR, chain=ledger.identity)
    with pytest.raises(TransactionRevertedError, match="DeedExists"):
        ledger.sign_call(again, ledger.count_transactions())


def test_issue_names_its_parents(ledger: Ledger) -> None:
    acts = [_issue_of(ledger, f"parent {i}") for i in range(3)]
    for act in acts:
        _act(ledger, act)
    parents = tuple(sorted(derive_deed_id(ACTOR.address, act.content_digest) for act in acts))
    body = _act(ledger, replace(_issue_of(ledger, "child"), parents=parents))
    assert isinstance(body, Issued)
    assert body.parents == parents


def test_holder_withdraws_the_deed_once(ledger: Ledger) -> None:
    act = _issue_of(ledger, "withdrawn deed")
    _act(ledger, act)
    deed = derive_deed_id(ACTOR.address, act.content_digest)
    subject = Subject(deed.to_bytes(32, "big"))
    assert _act(ledger, WithdrawDeed(deed)) == Withdrawn(subject, ACTOR.address, by_holder=True)
    assert _act(ledger, WithdrawDeed(deed)) is None
    recorded = _act(ledger, RecordEvent(subject, keccak256(b"licensed"), Sha256(bytes(32))))
    assert isinstance(recorded, EventRecorded)
    assert recorded.by_holder


def test_what_only_the_holder_can_do_is_refused_to_others(ledger: Ledger) -> None:
    act = _issue_of(ledger, "held")
    _act(ledger, act)
    deed = derive_deed_id(ACTOR.address, act.content_digest)
    subject = Subject(deed.to_bytes(32, "big"))
    for foreign in (WithdrawDeed(deed), Supersede(subject, Subject(_leaf("stolen")))):
        call = relayed(foreign, actor=OTHER, chain=ledger.identity)
        with pytest.raises(TransactionRevertedError, match="NotHolder"):
            ledger.sign_call(call, ledger.count_transactions())


def test_what_the_contract_refuses_is_not_signed(ledger: Ledger) -> None:
    never = _issue_of(ledger, "never anchored", anchored=False)
    unissued = derive_deed_id(ACTOR.address, never.content_digest)
    late = relayed(WithdrawLeaf(_leaf("late")), actor=ACTOR, chain=ledger.identity, deadline=1)
    refused: list[tuple[Call, str]] = [
        (AnchorRoot(root_of("empty"), 0), "SizeOutOfRange"),
        (relayed(never, actor=ACTOR, chain=ledger.identity), "NotAnchored"),
        (relayed(WithdrawDeed(unissued), actor=ACTOR, chain=ledger.identity), "NotIssued"),
        (late, "DeadlinePassed"),
    ]
    for call, reason in refused:
        with pytest.raises(TransactionRevertedError, match=reason):
            ledger.sign_call(call, ledger.count_transactions())


def test_reverted_transaction_is_told_by_its_receipt(ledger: Ledger) -> None:
    nonce = ledger.count_transactions()
    raw = raw_anchor(
        SENDER,
        chain_id=ledger.identity.chain_id,
        contract=ledger.identity.contract,
        nonce=nonce,
        root=root_of("reverted"),
        size=0,
    )
    transaction = SignedTransaction(raw, hash_transaction(raw), nonce)
    ledger.broadcast(transaction)
    assert not await_receipt(ledger, transaction).succeeded
    assert ledger.count_transactions() == nonce + 1
    assert _events_of(ledger, transaction) == []


def test_signing_sends_nothing(ledger: Ledger) -> None:
    nonce = ledger.count_transactions()
    transaction = ledger.sign_call(AnchorRoot(root_of("unsent"), 1), nonce)
    assert ledger.count_transactions() == nonce
    assert ledger.find_receipt(transaction.hash) is None
    assert ledger.find_anchor_time(root_of("unsent"), ledger.sender) is None


def test_mined_transaction_counts(ledger: Ledger) -> None:
    nonce = ledger.count_transactions()
    _sent(ledger, AnchorRoot(root_of("counted"), 1))
    assert ledger.count_transactions() == nonce + 1


def test_broadcasting_again_changes_nothing(ledger: Ledger) -> None:
    transaction = _sent(ledger, AnchorRoot(root_of("again"), 1))
    receipt, nonce = ledger.find_receipt(transaction.hash), ledger.count_transactions()
    ledger.broadcast(transaction)
    assert ledger.find_receipt(transaction.hash) == receipt
    assert ledger.count_transactions() == nonce


def test_another_transaction_with_a_used_nonce_is_refused(ledger: Ledger) -> None:
    nonce = ledger.count_transactions()
    _sent(ledger, AnchorRoot(root_of("first with the nonce"), 1))
    late = ledger.sign_call(AnchorRoot(root_of("second with the nonce"), 1), nonce)
    with pytest.raises(LedgerError, match="refuses transaction"):
        ledger.broadcast(late)
    assert ledger.find_receipt(late.hash) is None


def test_replacement_is_the_same_call_at_higher_fees(ledger: Ledger) -> None:
    nonce = ledger.count_transactions()
    transaction = ledger.sign_call(AnchorRoot(root_of("replaced"), 1), nonce)
    replacement = ledger.sign_replacement(transaction)
    before, after = decode_signed(transaction.raw)[0], decode_signed(replacement.raw)[0]
    assert after == replace(before, tip=after.tip, fee_max=after.fee_max)
    assert 8 * after.tip >= 9 * before.tip
    assert 8 * after.fee_max >= 9 * before.fee_max
    assert (replacement.nonce, replacement.hash) == (nonce, hash_transaction(replacement.raw))


def test_unknown_transaction_has_no_receipt(ledger: Ledger) -> None:
    assert ledger.find_receipt(TransactionHash(keccak256(b"nothing"))) is None


def test_raw_transaction_proves_its_anchor_offline(ledger: Ledger) -> None:
    transaction = _sent(ledger, AnchorRoot(root_of("offline"), 3))
    (event,) = _events_of(ledger, transaction)
    anchor = Anchor(
        root=root_of("offline"),
        size=3,
        caller=SENDER.address,
        sequence=event.sequence,
        transaction=event.transaction,
        block_number=event.block_number,
        block_hash=event.block_hash,
        block_timestamp=event.block_timestamp,
    )
    check_transaction(transaction.raw, chain=ledger.identity, anchor=anchor)
