"""Storage proofs of a real node are read and checked; forged ones fail."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import pytest
from build_vectors import VECTORS
from canonical_samples import VERSION, sample_bundle
from chain_builders import PLAIN_CHAIN_ID, raw_anchor, root_of, sender_of, start_plain_anvil
from hypothesis import given, settings
from hypothesis import strategies as st
from state_proof_sample import build_slot_proof, build_state_proof

from titledeed.canonical.documents import Json, hex_word
from titledeed.canonical.hashing import keccak256
from titledeed.chain.deployment import deploy_contract
from titledeed.chain.development.anvil import Anvil
from titledeed.chain.log_head import read_log_head
from titledeed.chain.rpc import Node, RpcError, fetch_block
from titledeed.chain.state_proofs import encode_header, read_head_proof, read_state_proof
from titledeed.errors import LedgerError, LedgerUnavailableError, ProofError
from titledeed.models.evidence import Anchor, StateProof
from titledeed.models.ledger import Block, ContractName
from titledeed.models.primitives import Address, BlockHash, Keccak256
from titledeed.proofs.contract import load_artifact
from titledeed.proofs.rpc_values import parse_bytes, parse_object, parse_quantity
from titledeed.proofs.state_proofs import (
    ANCHORS_SLOT,
    HEAD_SLOT,
    ProvenHead,
    anchor_slot,
    check_head_proof,
    check_state_proof,
    head_slot,
)
from titledeed.proofs.transactions import RlpItem, hash_transaction, rlp_decode, rlp_encode
from titledeed.proofs.versions import ContractVersion, current_version, list_versions

SENDER: Final = sender_of("prover")
ANCHORS: Final = 12
VERSIONS: Final = list_versions(ContractName.TITLE_DEED)
CURRENT: Final = current_version(ContractName.TITLE_DEED)


@dataclass(frozen=True)
class Chain:
    """A node whose contract holds some anchors, one a block."""

    anvil: Anvil
    version: ContractVersion
    contract: Address
    anchors: tuple[Anchor, ...]

    def head(self) -> tuple[int, bytes]:
        """What ``head()`` tells of the newest block."""
        newest = self.anchors[-1]
        block = Block(newest.block_number, newest.block_hash, newest.block_hash, 0)
        return read_log_head(self.anvil.node, self.contract, block)

    def prove_head(self, node: Node | None = None) -> StateProof | None:
        return read_head_proof(node or self.anvil.node, contract=self.contract)

    def prove(self, anchor: Anchor, node: Node | None = None) -> StateProof | None:
        return read_state_proof(
            node or self.anvil.node, contract=self.contract, root=anchor.root, caller=anchor.caller
        )


@dataclass(frozen=True)
class Lying:
    """A node that answers one method otherwise."""

    node: Node
    method: str
    answer: Json | RpcError

    def call(self, method: str, *params: Json) -> Json:
        if method != self.method:
            return self.node.call(method, *params)
        if isinstance(self.answer, RpcError):
            raise self.answer
        return self.answer

    def close(self) -> None:
        self.node.close()


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda version: f"version {version.number}")
def chain(request: pytest.FixtureRequest) -> Iterator[Chain]:
    version: ContractVersion = request.param
    anvil = start_plain_anvil(SENDER.address)
    contract = _deploy(anvil, version)
    anchors = tuple(_anchor(anvil, contract, number) for number in range(1, ANCHORS + 1))
    yield Chain(anvil, version, contract, anchors)
    anvil.close()


def _deploy(anvil: Anvil, version: ContractVersion) -> Address:
    contract = deploy_contract(anvil.node, sender=SENDER)
    if version != CURRENT:
        code = hex_word(load_artifact(version=version).runtime_code)
        anvil.node.call("anvil_setCode", contract, code)
        anvil.node.call("evm_mine")
    return contract


def _anchor(anvil: Anvil, contract: Address, number: int) -> Anchor:
    root = root_of(number)
    raw = raw_anchor(SENDER, chain_id=PLAIN_CHAIN_ID, contract=contract, nonce=number, root=root)
    anvil.node.call("eth_sendRawTransaction", hex_word(raw))
    block = parse_object(fetch_block(anvil.node, "latest"))
    return Anchor(
        root=root,
        size=1,
        caller=SENDER.address,
        sequence=number,
        transaction=hash_transaction(raw),
        block_number=parse_quantity(block["number"]),
        block_hash=BlockHash(Keccak256(parse_bytes(block["hash"]))),
        block_timestamp=parse_quantity(block["timestamp"]),
    )


def _answer(chain: Chain, method: str, *params: Json) -> dict[str, Json]:
    return dict(parse_object(chain.anvil.node.call(method, *params)))


def changed(answer: dict[str, Json], **fields: Json) -> Json:
    return {**answer, **fields}


def _proof_at(chain: Chain, anchor: Anchor, block: str) -> dict[str, Json]:
    slot = hex_word(anchor_slot(anchor.root, anchor.caller))
    return _answer(chain, "eth_getProof", chain.contract, [slot], block)


@pytest.mark.chain
def test_every_anchor_of_a_chain_is_proven_against_its_newest_block(chain: Chain) -> None:
    newest = chain.anchors[-1]
    for anchor in chain.anchors:
        proof = chain.prove(anchor)
        assert proof is not None
        block = check_state_proof(proof, contract=chain.contract, anchor=anchor)
        assert (block.number, block.hash) == (newest.block_number, newest.block_hash)
        assert block.timestamp == newest.block_timestamp


@pytest.mark.chain
def test_the_slot_is_the_one_that_the_compiler_chose(chain: Chain) -> None:
    for anchor in chain.anchors:
        slot = hex_word(anchor_slot(anchor.root, anchor.caller))
        word = parse_bytes(
            chain.anvil.node.call("eth_getStorageAt", chain.contract, slot, "latest"), length=32
        )
        assert int.from_bytes(word[:6], "big") == anchor.block_timestamp
        assert int.from_bytes(word[6:12], "big") == anchor.sequence


@pytest.mark.chain
def test_the_head_of_a_chain_is_proven_against_its_newest_block(chain: Chain) -> None:
    newest = chain.anchors[-1]
    proof = chain.prove_head()
    assert proof is not None
    head = check_head_proof(proof, contract=chain.contract)
    assert (head.sequence, head.running_hash) == chain.head()
    assert (head.sequence, len(head.running_hash)) == (ANCHORS, 20)
    assert head.version == chain.version
    assert (head.block.number, head.block.hash) == (newest.block_number, newest.block_hash)


@pytest.mark.chain
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: f"version {version.number}")
def test_a_contract_that_logged_nothing_proves_that_it_did_not(version: ContractVersion) -> None:
    anvil = start_plain_anvil(SENDER.address)
    try:
        contract = _deploy(anvil, version)
        proof = read_head_proof(anvil.node, contract=contract)
    finally:
        anvil.close()
    assert proof is not None
    head = check_head_proof(proof, contract=contract)
    assert (head.sequence, head.running_hash) == (0, bytes(20))


@pytest.mark.chain
def test_a_chain_whose_proof_of_the_head_does_not_hold_gives_none(chain: Chain) -> None:
    slot, newest = hex_word(head_slot()), hex(chain.anchors[-1].block_number)
    node, refusal = chain.anvil.node, RpcError(-32601, "method not found")
    older = _answer(chain, "eth_getProof", chain.contract, [slot], hex(2))
    other = _proof_at(chain, chain.anchors[0], newest)
    for answer in (refusal, older, other):
        assert chain.prove_head(Lying(node, "eth_getProof", answer)) is None


@pytest.mark.chain
def test_every_header_of_a_chain_is_encoded_as_it_was_hashed(chain: Chain) -> None:
    for number in range(chain.anchors[-1].block_number + 1):
        block = parse_object(fetch_block(chain.anvil.node, number))
        assert hex_word(keccak256(encode_header(block))) == block["hash"]


@pytest.mark.chain
def test_an_anchor_that_is_not_there_yet_is_asked_for_again(chain: Chain) -> None:
    absent = replace(chain.anchors[0], root=root_of("nowhere"))
    with pytest.raises(LedgerUnavailableError) as caught:
        chain.prove(absent)
    assert caught.value.retryable


@pytest.mark.chain
def test_a_chain_without_proofs_that_can_be_checked_gives_none(
    chain: Chain, subtests: pytest.Subtests
) -> None:
    anchor = chain.anchors[-1]
    node, newest = chain.anvil.node, hex(anchor.block_number)
    proof = _proof_at(chain, anchor, newest)
    many: list[Json] = ["0x80"] * 100
    lies: dict[str, tuple[str, Json | RpcError]] = {
        "no such method": ("eth_getProof", RpcError(-32601, "method not found")),
        "a header of another form": (
            "eth_getBlockByNumber",
            changed(_answer(chain, "eth_getBlockByNumber", newest, False), nonce="0x"),
        ),
        "a header without its fields": ("eth_getBlockByNumber", {"hash": hex_word(bytes(32))}),
        "a proof of another block": ("eth_getProof", _proof_at(chain, anchor, "0x2")),
        "no nodes": ("eth_getProof", changed(proof, accountProof=[])),
        "no storage nodes": ("eth_getProof", changed(proof, storageProof=[{"proof": []}])),
        "a node too long": ("eth_getProof", changed(proof, accountProof=["0x" + "00" * 2_000])),
        "too many nodes": ("eth_getProof", changed(proof, accountProof=many)),
    }
    for name, (method, answer) in lies.items():
        with subtests.test(name):
            assert chain.prove(anchor, Lying(node, method, answer)) is None


@pytest.mark.chain
@pytest.mark.parametrize("answer", [None, 7, [], {}, {"accountProof": 1}, {"storageProof": [1]}])
def test_a_node_that_answers_nonsense_is_an_error(chain: Chain, answer: Json) -> None:
    with pytest.raises(LedgerError):
        chain.prove(chain.anchors[-1], Lying(chain.anvil.node, "eth_getProof", answer))


BUNDLE: Final = sample_bundle()
ANCHOR: Final = BUNDLE.own.anchor
CONTRACT: Final = BUNDLE.own.chain.contract
PROOF: Final = build_state_proof(ANCHOR, CONTRACT, code_hash=VERSION.code_hash)


def check(proof: StateProof, anchor: Anchor = ANCHOR, contract: Address = CONTRACT) -> None:
    check_state_proof(proof, contract=contract, anchor=anchor)


def with_header_field(index: int, value: bytes) -> StateProof:
    fields = rlp_decode(PROOF.header)
    assert not isinstance(fields, bytes)
    return replace(PROOF, header=rlp_encode([*fields[:index], value, *fields[index + 1 :]]))


def test_the_proof_of_the_vectors_holds() -> None:
    check(PROOF)
    assert BUNDLE.own.state_proof == PROOF


OTHER_ANCHORS: Final = {
    "root": replace(ANCHOR, root=root_of("another")),
    "caller": replace(ANCHOR, caller=SENDER.address),
    "sequence": replace(ANCHOR, sequence=ANCHOR.sequence + 1),
    "time": replace(ANCHOR, block_timestamp=ANCHOR.block_timestamp - 1),
    "of the proven block": replace(ANCHOR, block_number=ANCHOR.block_number + 2),
    "of a later block": replace(ANCHOR, block_number=ANCHOR.block_number + 3),
}


@pytest.mark.parametrize("name", OTHER_ANCHORS)
def test_a_proof_of_another_anchor_fails(name: str) -> None:
    with pytest.raises(ProofError):
        check(PROOF, OTHER_ANCHORS[name])


def test_an_anchor_of_the_proven_block_has_its_hash_and_time() -> None:
    earlier = replace(ANCHOR, block_number=ANCHOR.block_number - 2)
    proof = build_state_proof(earlier, CONTRACT, elapsed_s=0)
    found = BlockHash(keccak256(proof.header))
    check(proof, replace(ANCHOR, block_hash=found))
    with pytest.raises(ProofError, match="not the one that the anchor names"):
        check(proof)


def test_a_block_before_the_anchor_proves_nothing() -> None:
    with pytest.raises(ProofError, match="older"):
        check(build_state_proof(ANCHOR, CONTRACT, elapsed_s=-1))


def test_another_contract_with_the_same_word_in_its_storage_proves_nothing() -> None:
    """Anybody can make a contract that keeps any time."""
    forged = build_state_proof(ANCHOR, CONTRACT, code_hash=keccak256(b"another contract"))
    with pytest.raises(ProofError, match="another contract"):
        check(forged)


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: f"version {version.number}")
def test_an_anchor_is_proven_of_every_version(version: ContractVersion) -> None:
    assert version.anchors_slot == ANCHORS_SLOT
    check(build_state_proof(ANCHOR, CONTRACT, code_hash=version.code_hash))


def test_a_proof_of_another_account_fails() -> None:
    with pytest.raises(ProofError):
        check(PROOF, contract=SENDER.address)


def test_the_nodes_are_those_on_the_path_and_in_order() -> None:
    for sound in (PROOF.account_proof, PROOF.storage_proof):
        assert len(sound) > 1
        for nodes in (
            (),
            sound[:-1],
            sound[1:],
            sound[::-1],
            (*sound, sound[-1]),
            (*sound, rlp_encode(b"more")),
        ):
            with pytest.raises(ProofError):
                check(replace(PROOF, account_proof=nodes))
            with pytest.raises(ProofError):
                check(replace(PROOF, storage_proof=nodes))


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (0, bytes(31)),
        (2, bytes(21)),
        (3, b""),
        (6, bytes(255)),
        (8, b"\0\1"),
        (8, b"\xff" * 8),
        (11, b"\xff" * 8),
        (14, b""),
    ],
)
def test_a_header_has_the_form_of_a_header(index: int, value: bytes) -> None:
    with pytest.raises(ProofError):
        check(with_header_field(index, value))


@pytest.mark.parametrize(
    "header",
    [b"", b"\x80", rlp_encode([]), rlp_encode([[]] * 16), PROOF.header + b"\0", bytes(5_000)],
    ids=["empty", "bytes", "no field", "lists", "more", "long"],
)
def test_what_is_no_header_is_refused(header: bytes) -> None:
    with pytest.raises(ProofError):
        check(replace(PROOF, header=header))


RUNNING: Final = keccak256(b"running")[:20]
ENTRY: Final = ANCHOR.block_timestamp << 208 | 7 << 160 | int.from_bytes(RUNNING, "big")


def head_proof(entry: int = ENTRY, version: ContractVersion = CURRENT) -> StateProof:
    return build_slot_proof(ANCHOR, CONTRACT, head_slot(), entry, code_hash=version.code_hash)


HEAD_PROOF: Final = head_proof()


def check_head(proof: StateProof, contract: Address = CONTRACT) -> ProvenHead:
    return check_head_proof(proof, contract=contract)


class TestHead:
    @pytest.mark.parametrize("version", VERSIONS, ids=lambda version: f"version {version.number}")
    def test_number_running_hash_and_version_are_told(self, version: ContractVersion) -> None:
        assert version.head_slot == HEAD_SLOT
        proof = head_proof(version=version)
        head = check_head(proof)
        assert (head.sequence, head.running_hash, head.version) == (7, RUNNING, version)
        assert head.block.hash == keccak256(proof.header)
        assert head.block.number == ANCHOR.block_number + 2

    def test_a_slot_that_was_never_written_is_the_beginning(self) -> None:
        head = check_head(head_proof(0))
        assert (head.sequence, head.running_hash) == (0, bytes(20))

    def test_a_running_hash_keeps_its_leading_zeros(self) -> None:
        head = check_head(head_proof(ANCHOR.block_timestamp << 208 | 1 << 160 | 5))
        assert head.running_hash == bytes(19) + b"\x05"

    def test_another_contract_with_the_same_word_proves_nothing(self) -> None:
        forged = build_slot_proof(
            ANCHOR, CONTRACT, head_slot(), ENTRY, code_hash=keccak256(b"another contract")
        )
        with pytest.raises(ProofError, match="another contract"):
            check_head(forged)

    def test_a_proof_of_another_account_fails(self) -> None:
        with pytest.raises(ProofError):
            check_head(HEAD_PROOF, SENDER.address)

    def test_a_proof_of_an_anchor_is_none_of_the_head_and_the_other_way_round(self) -> None:
        with pytest.raises(ProofError):
            check_head(PROOF)
        with pytest.raises(ProofError):
            check(HEAD_PROOF)

    def test_an_event_after_the_block_cannot_be(self) -> None:
        with pytest.raises(ProofError, match="later than the proven block"):
            check_head(head_proof((ANCHOR.block_timestamp + 25) << 208 | 1 << 160 | 1))

    def test_the_nodes_are_those_on_the_path_and_in_order(self) -> None:
        for proof in (HEAD_PROOF, head_proof(0)):
            sound = proof.storage_proof
            broken = [(), sound[1:], (*sound, sound[-1]), (*sound, rlp_encode(b"more"))]
            if len(sound) > 1:
                broken += [sound[:-1], sound[::-1]]
            for nodes in broken:
                with pytest.raises(ProofError):
                    check_head(replace(proof, storage_proof=nodes))

    @given(data=st.data())
    def test_no_byte_can_be_changed(self, data: st.DataObject) -> None:
        part = data.draw(st.sampled_from(["account_proof", "storage_proof"]))
        nodes: tuple[bytes, ...] = getattr(HEAD_PROOF, part)
        at = data.draw(st.integers(0, len(nodes) - 1))
        byte = data.draw(st.integers(0, len(nodes[at]) - 1))
        flipped = bytearray(nodes[at])
        flipped[byte] ^= data.draw(st.integers(1, 255))
        changed_nodes = (*nodes[:at], bytes(flipped), *nodes[at + 1 :])
        forged = StateProof(
            header=HEAD_PROOF.header,
            account_proof=changed_nodes if part == "account_proof" else HEAD_PROOF.account_proof,
            storage_proof=changed_nodes if part == "storage_proof" else HEAD_PROOF.storage_proof,
        )
        with pytest.raises(ProofError):
            check_head(forged)

    def test_a_changed_header_is_another_block(self) -> None:
        fields = rlp_decode(HEAD_PROOF.header)
        assert not isinstance(fields, bytes)
        later = rlp_encode([*fields[:8], b"\x09", *fields[9:]])
        assert check_head(replace(HEAD_PROOF, header=later)).block.hash != keccak256(
            HEAD_PROOF.header
        )


rlp_items: st.SearchStrategy[RlpItem] = st.recursive(
    st.binary(max_size=40), lambda inner: st.lists(inner, max_size=17), max_leaves=40
)


@settings(deadline=None, max_examples=300)
@given(account=st.lists(rlp_items, max_size=3), storage=st.lists(rlp_items, max_size=3))
def test_hostile_nodes_under_the_right_hash_are_refused(
    account: list[RlpItem], storage: list[RlpItem]
) -> None:
    """The forger writes the header, so that every first node has the hash that is asked for."""
    accounts = tuple(map(rlp_encode, account))
    forged = with_header_field(3, keccak256(accounts[0]) if accounts else bytes(32))
    with pytest.raises(ProofError):
        check(
            StateProof(
                header=forged.header,
                account_proof=accounts,
                storage_proof=tuple(map(rlp_encode, storage)),
            )
        )


PROGRAM: Final = """
import json, sys
before = sys.getrecursionlimit()
from titledeed.proofs.bundles import read_bundle_file
from titledeed.services.evidence import check_bundle
assert "trie" not in sys.modules, "imported before it is needed"
with open(sys.argv[1]) as vectors:
    bundle = read_bundle_file(json.load(vectors)["bundle"].encode())
report = check_bundle(bundle)
assert "trie" in sys.modules and report.proven_block is not None
print(sys.getrecursionlimit() - before)
"""


def test_the_library_is_loaded_late_and_leaves_the_recursion_limit_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(VECTORS / "canonical.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr[-2_000:]
