"""Logs are read only if they are exactly what the contract writes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import pytest
from chain_builders import log_of, root_of, sender_of

from titledeed.canonical.documents import Json, hex_word
from titledeed.canonical.hashing import keccak256, word
from titledeed.errors import LedgerError
from titledeed.models.ledger import (
    Anchored,
    BindingPublished,
    ContractName,
    DeployedContract,
    EventBody,
    Issued,
    KeyDeclared,
    LedgerEvent,
    Superseded,
    Withdrawn,
)
from titledeed.models.primitives import (
    BlockHash,
    DeedId,
    LeafHash,
    Sha256,
    Subject,
    TransactionHash,
)
from titledeed.proofs.contract import load_interface
from titledeed.proofs.events import (
    EMPTY_HEAD,
    decode_log,
    encode_log,
    hash_event,
    list_topics,
    next_head,
)
from titledeed.proofs.rpc_values import parse_array, parse_object

CONTRACT = sender_of("contract").address
DEPLOYED = DeployedContract(ContractName.TITLE_DEED, CONTRACT, 1)
ACTOR = sender_of("actor").address
HEAD = keccak256(b"head")[:20]
SUBJECT = Subject(keccak256(b"subject"))
ISSUED = Issued(
    deed=DeedId(2**256 - 1),
    leaf=LeafHash(keccak256(b"leaf")),
    claimant=ACTOR,
    content_digest=Sha256(keccak256(b"content")),
    root=root_of(1),
    anchored_by=CONTRACT,
    royalty=500,
    parents=(DeedId(1), DeedId(2**255)),
)
BINDING = BindingPublished(keccak256(b"binding"), ACTOR, "https://example.org/" + "x" * 40, "")
BODIES: list[EventBody] = [
    Anchored(root_of(1), ACTOR, 2**32),
    ISSUED,
    replace(ISSUED, parents=()),
    Withdrawn(SUBJECT, ACTOR, by_holder=True),
    Superseded(SUBJECT, ACTOR, Subject(keccak256(b"next")), by_holder=False),
    KeyDeclared(ACTOR, CONTRACT, ACTOR, 2**64 - 1),
    BINDING,
    replace(BINDING, manifest_id="\udcff"),
]


def _event(body: EventBody, *, sequence: int = 7) -> LedgerEvent:
    return LedgerEvent(
        body=body,
        contract=CONTRACT,
        sequence=sequence,
        head=HEAD,
        transaction=TransactionHash(keccak256(b"transaction")),
        block_number=12,
        block_hash=BlockHash(keccak256(b"block")),
        block_timestamp=1_790_000_000,
    )


def _decode(log: Json) -> LedgerEvent:
    return decode_log(log, contracts=[DEPLOYED], block_timestamp=1_790_000_000)


def _with_topics(log: dict[str, Json], topics: Sequence[bytes]) -> dict[str, Json]:
    return {**log, "topics": list(map(hex_word, topics))}


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_log_is_read_back(body: EventBody) -> None:
    event = _event(body)
    assert _decode(log_of(event, contract=CONTRACT)) == event


def test_topics_are_those_of_the_compiled_contract() -> None:
    declared = set()
    for item in load_interface():
        fields = parse_object(item)
        if fields["type"] == "event":
            types = [str(parse_object(one)["type"]) for one in parse_array(fields["inputs"])]
            if types[-2:] == ["uint64", "bytes20"]:
                declared.add(keccak256(f"{fields['name']}({','.join(types)})".encode()))
    assert declared == set(list_topics([DEPLOYED]))


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_every_cut_and_every_extra_word_is_refused(body: EventBody) -> None:
    topics, data = encode_log(body, sequence=7, head=HEAD)
    log = log_of(_event(body), contract=CONTRACT)
    for length in (*range(0, len(data), 16), len(data) - 1):
        with pytest.raises(LedgerError):
            _decode({**log, "data": hex_word(data[:length])})
    with pytest.raises(LedgerError):
        _decode({**log, "data": hex_word(data + bytes(32))})
    for changed in (topics[:-1], [*topics, topics[-1]], [], topics[1:]):
        with pytest.raises(LedgerError):
            _decode(_with_topics(log, changed))


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, 2**64),  # size beyond uint64
        (1, 2**64),  # sequence
        (2, 2**96 - 1),  # bytes behind the head
        (2, 1),
    ],
)
def test_word_that_is_no_value_of_its_type_is_refused(at: int, value: int) -> None:
    body = Anchored(root_of(1), ACTOR, 3)
    words = [word(3), word(7), HEAD + bytes(12)]
    words[at] = words[at][:20] + word(value)[20:] if at == 2 else word(value)
    log = log_of(_event(body), contract=CONTRACT)
    with pytest.raises(LedgerError):
        _decode({**log, "data": hex_word(b"".join(words))})


def test_account_with_bytes_before_it_is_refused() -> None:
    log = log_of(_event(Anchored(root_of(1), ACTOR, 3)), contract=CONTRACT)
    event, root, caller = parse_array(log["topics"])
    padded: list[Json] = [event, root, "0x01" + str(caller)[4:]]
    with pytest.raises(LedgerError):
        _decode({**log, "topics": padded})


def test_truth_value_other_than_one_is_refused() -> None:
    log = log_of(_event(Withdrawn(SUBJECT, ACTOR, by_holder=True)), contract=CONTRACT)
    with pytest.raises(LedgerError):
        _decode({**log, "data": hex_word(word(2) + word(7) + HEAD + bytes(12))})


@pytest.mark.parametrize("offset", [0, 31, 64, 2**200])
def test_text_elsewhere_than_the_contract_puts_it_is_refused(offset: int) -> None:
    _, data = encode_log(BINDING, sequence=7, head=HEAD)
    log = log_of(_event(BINDING), contract=CONTRACT)
    with pytest.raises(LedgerError):
        _decode({**log, "data": hex_word(word(offset) + data[32:])})


@pytest.mark.parametrize("count", [0, 1, 3, 2**255])
def test_list_of_another_length_is_refused(count: int) -> None:
    _, data = encode_log(ISSUED, sequence=7, head=HEAD)
    log = log_of(_event(ISSUED), contract=CONTRACT)
    at = data.index(word(2) + word(1) + word(2**255))
    with pytest.raises(LedgerError):
        _decode({**log, "data": hex_word(data[:at] + word(count) + data[at + 32 :])})


def test_transfer_of_a_deed_is_no_event_of_the_contracts_own() -> None:
    log = log_of(_event(Anchored(root_of(1), ACTOR, 3)), contract=CONTRACT)
    transfer = keccak256(b"Transfer(address,address,uint256)")
    with pytest.raises(LedgerError, match="no event"):
        _decode(_with_topics({**log, "data": "0x"}, [transfer] * 4))


@pytest.mark.parametrize("log", [None, [], "0x", {}, {"address": None}])
def test_what_is_no_log_is_refused(log: Json) -> None:
    with pytest.raises(LedgerError):
        _decode(log)


def test_running_hash_binds_order_time_and_arguments() -> None:
    body = Anchored(root_of(1), ACTOR, 3)
    event = _event(body)
    expected = keccak256(EMPTY_HEAD + bytes(12), word(7), word(1_790_000_000), hash_event(body))
    assert next_head(EMPTY_HEAD, event) == expected[:20]
    changed = [
        replace(event, sequence=8),
        replace(event, block_timestamp=1_790_000_001),
        replace(event, body=replace(body, size=4)),
        replace(event, body=replace(body, caller=CONTRACT)),
    ]
    heads = {next_head(EMPTY_HEAD, one) for one in (event, *changed)} | {next_head(HEAD, event)}
    assert len(heads) == 6
    assert next_head(EMPTY_HEAD, replace(event, head=EMPTY_HEAD)) == expected[:20]


def test_following_imports_no_slow_library() -> None:
    modules = "titledeed.proofs.events, titledeed.chain.relays, titledeed.chain.calls"
    slow = ("web3", "eth_account", "eth_abi", "eth_utils", "py_ecc")
    program = f"import sys, {modules}; print([n for n in {slow} if n in sys.modules])"
    answer = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert answer == "[]\n"
