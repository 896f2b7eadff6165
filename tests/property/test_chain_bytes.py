"""Whatever is written comes back the same, and no other bytes pass for it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from chain_builders import log_of, sender_of
from hypothesis import given, settings
from hypothesis import strategies as st
from typed_data import digest_act
from web3 import Web3

from titledeed.canonical.documents import Json, hex_word
from titledeed.canonical.identifiers import address_from_bytes
from titledeed.chain.calls import encode_call
from titledeed.chain.development.journal import JOURNAL_NAME, Journal, JournalEntry
from titledeed.chain.relays import ACT_TYPES, hash_act
from titledeed.errors import LedgerError, ProofError
from titledeed.models.claim import SigningDomain
from titledeed.models.ledger import (
    Act,
    Anchored,
    BindingPublished,
    ContractName,
    DeclareKey,
    DeployedContract,
    EventRecorded,
    Issued,
    IssueDeed,
    KeyDeclared,
    LedgerEvent,
    PublishBinding,
    RecordEvent,
    RelayedAct,
    Supersede,
    Superseded,
    WithdrawDeed,
    WithdrawLeaf,
    Withdrawn,
)
from titledeed.models.primitives import Address, BlockHash, Keccak256, Signature
from titledeed.proofs.contract import load_interface
from titledeed.proofs.events import decode_log, list_topics, next_head
from titledeed.proofs.signatures import recover_signer
from titledeed.proofs.transactions import (
    Transaction,
    decode_signed,
    encode_signed,
    rlp_decode,
    rlp_encode,
    signing_digest,
)

SENDER = sender_of("property")
CONTRACT = sender_of("contract").address
DEPLOYED = DeployedContract(ContractName.TITLE_DEED, CONTRACT, 1)
INTERFACE: Any = load_interface()
CODEC = Web3().eth.contract(abi=INTERFACE)

words = st.integers(0, 2**256 - 1)
transactions = st.builds(
    Transaction,
    chain_id=st.integers(1, 2**53),
    nonce=st.integers(0, 2**64 - 1),
    tip=words,
    fee_max=words,
    gas=st.integers(0, 2**64 - 1),
    to=st.none() | st.binary(min_size=20, max_size=20).map(address_from_bytes),
    value=words,
    data=st.binary(max_size=300),
)
items = st.recursive(
    st.binary(max_size=70), lambda inner: st.lists(inner, max_size=4), max_leaves=9
)
blocks = st.lists(
    st.tuples(
        st.integers(1, 10**6),
        st.binary(min_size=32, max_size=32),
        st.lists(st.binary(min_size=1, max_size=200), max_size=4),
    ),
    max_size=6,
)
hashes = st.binary(min_size=32, max_size=32)
accounts = st.binary(min_size=20, max_size=20).map(address_from_bytes)
seconds = st.integers(0, 2**64 - 1)
deeds = st.lists(words, max_size=4).map(tuple)
any_text = st.binary(max_size=90).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
"""Also of bytes that are no UTF-8."""
acts: st.SearchStrategy[Act] = st.one_of(
    st.builds(
        IssueDeed,
        content_digest=hashes,
        content_salt=hashes,
        record_part=hashes,
        leaf=hashes,
        root=hashes,
        anchored_by=accounts,
        index=words,
        size=words,
        path=st.lists(hashes, max_size=4).map(tuple),
        royalty=st.integers(0, 2**16 - 1),
        parents=deeds,
    ),
    st.builds(WithdrawLeaf, leaf=hashes),
    st.builds(WithdrawDeed, deed=words),
    st.builds(Supersede, subject=hashes, successor=hashes),
    st.builds(RecordEvent, subject=hashes, kind=hashes, digest=hashes),
    st.builds(DeclareKey, key=accounts, successor=accounts, since=seconds),
    st.builds(
        PublishBinding,
        binding_hash=hashes,
        endpoint=st.text(max_size=90),
        manifest_id=st.text(max_size=40),
    ),
)
bodies = st.one_of(
    st.builds(Anchored, root=hashes, caller=accounts, size=seconds),
    st.builds(
        Issued,
        deed=words,
        leaf=hashes,
        claimant=accounts,
        content_digest=hashes,
        root=hashes,
        anchored_by=accounts,
        royalty=st.integers(0, 2**16 - 1),
        parents=deeds,
    ),
    st.builds(Withdrawn, subject=hashes, actor=accounts, by_holder=st.booleans()),
    st.builds(
        Superseded, subject=hashes, actor=accounts, successor=hashes, by_holder=st.booleans()
    ),
    st.builds(
        EventRecorded,
        subject=hashes,
        actor=accounts,
        kind=hashes,
        digest=hashes,
        by_holder=st.booleans(),
    ),
    st.builds(KeyDeclared, key=accounts, actor=accounts, successor=accounts, since=seconds),
    st.builds(
        BindingPublished,
        binding_hash=hashes,
        actor=accounts,
        endpoint=any_text,
        manifest_id=any_text,
    ),
)
events = st.builds(
    LedgerEvent,
    body=bodies,
    contract=st.just(CONTRACT),
    sequence=st.integers(1, 2**48),
    head=st.binary(min_size=20, max_size=20),
    transaction=hashes,
    block_number=st.integers(0, 2**40),
    block_hash=hashes,
    block_timestamp=st.integers(0, 2**40),
)


def _members(act: Act) -> dict[str, Any]:
    """What an actor signs of an act, by the names of the contract."""
    match act:
        case IssueDeed():
            return {
                "leaf": act.leaf,
                "root": act.root,
                "anchoredBy": act.anchored_by,
                "royalty": act.royalty,
                "parents": list(act.parents),
            }
        case WithdrawLeaf():
            return {"leaf": act.leaf}
        case WithdrawDeed():
            return {"deed": act.deed}
        case Supersede():
            return {"subject": act.subject, "successor": act.successor}
        case RecordEvent():
            return {"subject": act.subject, "kind": act.kind, "digest": act.digest}
        case DeclareKey():
            return {"key": act.key, "successor": act.successor, "since": act.since}
        case PublishBinding():
            return {
                "bindingHash": act.binding_hash,
                "endpoint": act.endpoint,
                "manifestId": act.manifest_id,
            }


@given(acts, accounts, words, st.integers(1, 2**53))
def test_digest_of_any_act_is_that_of_eth_account(
    act: Act, actor: Address, deadline: int, chain_id: int
) -> None:
    domain = SigningDomain(chain_id, CONTRACT)
    name = ACT_TYPES[type(act)].partition("(")[0]
    message = {"actor": actor, **_members(act), "deadline": deadline}
    expected = digest_act(name, message, chain_id=chain_id, contract=CONTRACT)
    assert hash_act(act, actor=actor, deadline=deadline, domain=domain) == expected


@given(acts, accounts, words, st.binary(max_size=100))
def test_call_of_any_act_is_that_of_the_compiled_interface(
    act: Act, actor: Address, deadline: int, signature: bytes
) -> None:
    name = ACT_TYPES[type(act)].partition("(")[0]
    arguments: list[Any] = [*_members(act).values(), actor]
    if isinstance(act, IssueDeed):
        opening = (actor, act.content_digest, act.content_salt, act.record_part)
        inclusion = (act.root, act.anchored_by, act.index, act.size, list(act.path))
        arguments = [opening, inclusion, act.royalty, list(act.parents)]
    expected = CODEC.encode_abi(
        f"{name[0].lower()}{name[1:]}For", [*arguments, deadline, signature]
    )
    call = RelayedAct(act, actor, deadline, Signature(signature))
    assert encode_call(call).hex() == expected[2:]


@given(events)
def test_event_comes_back_from_its_log(event: LedgerEvent) -> None:
    log = log_of(event, contract=CONTRACT)
    found = decode_log(log, contracts=[DEPLOYED], block_timestamp=event.block_timestamp)
    assert found == event


@given(events, st.data())
def test_changed_log_is_refused_or_another_event(event: LedgerEvent, data: st.DataObject) -> None:
    log = log_of(event, contract=CONTRACT)
    raw = bytearray.fromhex(str(log["data"])[2:])
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = decode_log(
            {**log, "data": hex_word(bytes(raw))},
            contracts=[DEPLOYED],
            block_timestamp=event.block_timestamp,
        )
    except LedgerError:
        return
    assert found != event
    # What the running hash does not bind of an event is the hash itself.
    assert next_head(bytes(20), found) != next_head(bytes(20), event) or found.head != event.head


@given(
    st.sampled_from(list_topics([DEPLOYED])), st.lists(hashes, max_size=3), st.binary(max_size=300)
)
def test_random_data_are_no_event(topic: bytes, others: list[bytes], data: bytes) -> None:
    topics: list[Json] = list(map(hex_word, [topic, *others]))
    log: dict[str, Json] = {"address": CONTRACT, "topics": topics, "data": hex_word(data)}
    with pytest.raises(LedgerError):
        decode_log(log, contracts=[DEPLOYED], block_timestamp=0)


@given(transactions)
def test_signed_transaction_comes_back_whole(transaction: Transaction) -> None:
    raw = encode_signed(transaction, SENDER.sign_digest(signing_digest(transaction)))
    decoded, signature = decode_signed(raw)
    assert decoded == transaction
    assert recover_signer(signing_digest(decoded), signature) == SENDER.address


@given(transactions, st.data())
def test_changed_transaction_is_refused_or_of_another_signer(
    transaction: Transaction, data: st.DataObject
) -> None:
    raw = bytearray(encode_signed(transaction, SENDER.sign_digest(signing_digest(transaction))))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        decoded, signature = decode_signed(bytes(raw))
    except ProofError:
        return
    assert recover_signer(signing_digest(decoded), signature) != SENDER.address


@given(items)
def test_rlp_comes_back_whole(item: bytes) -> None:
    assert rlp_decode(rlp_encode(item)) == item


@given(st.binary(max_size=80))
def test_any_bytes_are_canonical_rlp_or_refused(data: bytes) -> None:
    try:
        item = rlp_decode(data)
    except ProofError:
        return
    assert rlp_encode(item) == data


@settings(deadline=None, max_examples=40)
@given(blocks, st.data())
def test_journal_cut_anywhere_keeps_its_whole_lines(
    blocks: list[tuple[int, bytes, list[bytes]]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / JOURNAL_NAME
        writer = Journal(path, genesis_timestamp=0)
        written = []
        for pause, parent, raws in blocks:
            written.append(
                JournalEntry(
                    number=writer.number + 1,
                    timestamp=writer.timestamp + pause,
                    parent_hash=BlockHash(Keccak256(parent)),
                    transactions=tuple(raws),
                )
            )
            writer.append(written[-1])
        assert Journal(path, genesis_timestamp=0).read_new() == written
        if not written:
            return
        whole = path.read_bytes()
        kept = whole[: data.draw(st.integers(0, len(whole)))]
        path.write_bytes(kept)
        assert Journal(path, genesis_timestamp=0).read_new() == written[: kept.count(b"\n")]


def test_random_bytes_are_no_transaction() -> None:
    with pytest.raises(ProofError):
        decode_signed(bytes(200))
