"""Both verifiers say the same of words of a contract's storage, and of words that are not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
import verify_bundle
from json_places import at, put
from second_verifier import (
    LOG,
    WORD,
    Document,
    corrupt,
    encode,
    is_full,
    require_agreement,
    start_script,
)
from second_verifier_bundles import NAME_SLOT, OWNERS_SLOT, Registrar, prepare, to_document
from trie.hexary import HexaryTrie

from titledeed.canonical.documents import hex_word
from titledeed.canonical.evidence.words import encode_word
from titledeed.canonical.hashing import keccak256, word
from titledeed.canonical.identifiers import address_word, derive_deed_id
from titledeed.errors import ProofError
from titledeed.proofs.state_proofs import _look_up, _Nodes
from titledeed.proofs.transactions import minimal_bytes, rlp_encode

OWNER: Final = ("words", 2)
"""The word that says who owns the Claim's deed."""


def changed(document: Document) -> Iterator[tuple[str, Document]]:
    """The document with a word that its proof does not prove."""
    for name in ("value", "base", "offset"):
        yield name, corrupt(document, ("words", 1, name))
    yield "version", put(document, (*WORD, "version"), 1)
    for at_key in (0, 1):
        yield f"key {at_key}", corrupt(document, (*WORD, "keys", at_key))
    yield "keys in another order", put(document, (*WORD, "keys"), at(document, WORD)["keys"][::-1])
    yield "a key less", put(document, (*WORD, "keys"), at(document, WORD)["keys"][:1])
    yield "an offset more", put(document, (*WORD, "offset"), 1)
    yield "no such word", put(document, (*WORD, "value"), hex_word(bytes(32)))
    yield "a word that is absent", put(document, (*OWNER, "value"), hex_word(word(1)))
    yield from changed_proofs(document)
    yield from changed_chains(document)


def changed_proofs(document: Document) -> Iterator[tuple[str, Document]]:
    for place in (WORD, OWNER):
        proof = (*place, "state_proof")
        for name in ("account_proof", "storage_proof"):
            nodes = at(document, (*proof, name))
            yield f"node of {place} {name}", corrupt(document, (*proof, name, -1))
            yield f"{place} {name} too short", put(document, (*proof, name), nodes[:-1])
            yield f"{place} {name} too long", put(document, (*proof, name), nodes + nodes[-1:])
        yield f"state root of {place}", put(document, proof, another_state(at(document, proof)))
    yield (
        "proof of another word",
        put(document, (*WORD, "state_proof"), at(document, (*OWNER, "state_proof"))),
    )


def another_state(proof: Document) -> Document:
    """The proof under a header with another state root."""
    header = bytearray.fromhex(proof["header"][2:])
    header[100] ^= 1  # the root's 32 bytes begin at 91
    return proof | {"header": hex_word(bytes(header))}


def changed_chains(document: Document) -> Iterator[tuple[str, Document]]:
    for kind, place in (("word", WORD), ("log", LOG)):
        chain = (*place, "chain")
        yield f"genesis of the {kind}", corrupt(document, (*chain, "genesis_hash"))
        yield f"chain id of the {kind}", corrupt(document, (*chain, "chain_id"))
        yield f"kind of chain of the {kind}", put(document, (*chain, "kind"), "public")
        yield f"contract of the {kind}", corrupt(document, (*chain, "contract"))
        for name in ("chain_id", "genesis_hash"):
            other = at(document, ("anchors", 1, "chain", name))
            yield f"{name} of the {kind} from another anchor", put(document, (*chain, name), other)


@pytest.mark.chain
def test_both_verifiers_hold_words_that_are_there_and_words_that_are_not(
    intact: list[Document],
) -> None:
    absent = 0
    documents = [document for document in intact if "words" in document]
    for document in documents:
        answer = require_agreement(encode(document))
        assert answer is not None and answer.holds
        assert {answer.results[name] for name in ("word", "word[1]", "word[2]")} == {"holds"}
        absent += at(document, (*OWNER, "value")) == hex_word(bytes(32))
        assert at(document, (*WORD, "value")) != hex_word(bytes(32))
        assert bytes.fromhex(at(document, ("words", 1, "value"))[2:]).startswith(b"DEED")
    assert (len(documents), absent) == (8, 6)


@pytest.mark.chain
def test_both_verifiers_refuse_words_that_are_not_proven(
    intact: list[Document], subtests: pytest.Subtests
) -> None:
    for document in (document for document in intact if is_full(document)):
        for name, forged in changed(document):
            with subtests.test(name):
                answer = require_agreement(encode(forged))
                assert answer is not None and not answer.holds


@pytest.mark.chain
def test_both_verifiers_say_the_same_of_another_key_that_is_absent(intact: list[Document]) -> None:
    """The same nodes may prove that it is absent, too; they do so to both or to neither."""
    document = next(document for document in intact if is_full(document))
    for number in range(50):
        other = put(document, (*OWNER, "keys", 0), hex_word(keccak256(word(number))))
        assert require_agreement(encode(other)) is not None


@pytest.mark.chain
def test_a_log_and_a_word_may_be_of_another_contract_on_an_anchors_chain(
    intact: list[Document],
) -> None:
    """Of a contract that neither knows, so that no proof is asked for."""
    document = next(document for document in intact if is_full(document))
    for place, name in ((WORD, "word"), (LOG, "log")):
        other = put(document, (*place, "contract"), "Sales")
        other = corrupt(other, (*place, "chain", "contract"))
        answer = require_agreement(encode(other))
        assert answer is not None and answer.results[name] == "not checked"
        second = at(document, ("anchors", 1, "chain"))
        answer = require_agreement(encode(put(other, (*place, "chain"), second)))
        assert answer is not None and answer.results[name] == "not checked"


@pytest.mark.chain
def test_of_a_word_of_an_unknown_contract_nothing_is_proven(
    intact: list[Document], tmp_path: Path
) -> None:
    document = put(
        next(document for document in intact if is_full(document)), (*WORD, "contract"), "Sales"
    )
    answer = require_agreement(encode(document))
    assert answer is not None and answer.holds
    assert sum(number == 0 for number, _ in answer.to_compare) == 1
    path = tmp_path / "bundle.json"
    path.write_bytes(encode(document))
    assert f"{at(document, (*WORD, 'value'))} is not proven" in start_script(path).stdout


@pytest.mark.chain
def test_who_owns_a_deed_stands_where_it_is_read(tmp_path: Path) -> None:
    """The node shows the claimant there once the deed is issued, and nothing for other deeds."""
    registrar = Registrar(tmp_path)
    prepared = prepare((registrar,), 3, 1)
    claim = prepared.dossier.record.signed_claim.claim
    deed = derive_deed_id(claim.claimant, claim.content_digest)
    assert registrar.read_word(OWNERS_SLOT, (word(deed),)).value == address_word(claim.claimant)
    name = registrar.read_word(NAME_SLOT).value
    assert name.startswith(b"Titledeed")
    bundle = prepared.build(with_log=False)
    states = [registrar.read_word(OWNERS_SLOT, (word(deed + more),)) for more in range(40)]
    registrar.close()
    assert [state.value != bytes(32) for state in states] == [True] + 39 * [False]
    document = to_document(bundle) | {"words": [encode_word(state) for state in states]}
    answer = require_agreement(encode(document))
    assert answer is not None and answer.holds and len(answer.results) == 4 + len(states)


NEIGHBOURS: Final = (40_364, 105_566)
"""As words, their Keccak-256 begin with the same eight digits, which makes nodes of 31 bytes."""


def build_trie(numbers: Sequence[int]) -> HexaryTrie:
    trie = HexaryTrie({})
    for number in numbers:
        trie[keccak256(word(number))] = rlp_encode(minimal_bytes(number % 100 + 1))
    return trie


def prove(trie: HexaryTrie, number: int) -> list[bytes]:
    nodes = _Nodes(dict(trie.db))
    HexaryTrie(nodes, root_hash=trie.root_hash).get(keccak256(word(number)))
    return nodes.visited


def look_up(trie: HexaryTrie, number: int, proof: Sequence[bytes]) -> bytes | None:
    """What both find, as RLP; None where both refuse the proof."""
    try:
        found = _look_up(trie.root_hash, word(number), proof)
    except ProofError:
        found = None
    try:
        nodes = [hex_word(node) for node in proof]
        other = verify_bundle.look_up(trie.root_hash, word(number), nodes)
    except verify_bundle.MALFORMED:
        assert found is None
        return None
    assert found == (rlp_encode(other) if other else b"")
    return found


@pytest.mark.parametrize(
    "numbers",
    [range(0), range(1), range(2), range(17), range(300), NEIGHBOURS, (*range(40), *NEIGHBOURS)],
    ids=["empty", "one", "two", "17", "300", "neighbours", "neighbours and others"],
)
def test_both_read_tries_alike_whether_a_key_is_there_or_not(numbers: Sequence[int]) -> None:
    trie = build_trie(numbers)
    for number in (*range(350), *NEIGHBOURS, NEIGHBOURS[0] + 1):
        proof = prove(trie, number)
        found = look_up(trie, number, proof)
        assert found == (bytes([number % 100 + 1]) if number in numbers else b"")
        assert look_up(trie, number, [*proof, b"\xc0"]) is None
        if proof:
            assert look_up(trie, number, proof[:-1]) is None
            assert look_up(trie, number, [*proof, proof[-1]]) is None


def test_a_short_node_stands_inside_its_parent() -> None:
    trie = build_trie(NEIGHBOURS)
    assert [len(prove(trie, number)) for number in NEIGHBOURS] == [2, 2]
