"""Two verifiers that share no code agree on forty bundles of a real development chain.

``scripts/verify_bundle.py`` is written from the format's documentation alone. It covers the way
from the record to a block's header; there both must say the same of each bundle.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from builders import build_claimant, build_dossier
from chain_builders import PlainSender, raw_anchor, sender_of
from evidence_builders import claim_elsewhere
from json_places import at, put

from titledeed.canonical.bundles import encode_bundle
from titledeed.canonical.documents import encode_document, hex_word
from titledeed.canonical.leaves import leaf_of_record
from titledeed.canonical.merkle import MerkleTree
from titledeed.chain.development.chain import DevelopmentChain
from titledeed.chain.rpc import fetch_block
from titledeed.chain.state_proofs import read_state_proof
from titledeed.errors import MalformedDocumentError
from titledeed.models.claim import SigningDomain
from titledeed.models.evidence import Anchor, Bundle
from titledeed.models.primitives import BlockHash, Keccak256
from titledeed.models.record import Dossier
from titledeed.proofs.bundles import read_bundle_file
from titledeed.proofs.contract import load_artifact
from titledeed.proofs.rpc_values import parse_bytes, parse_object, parse_quantity
from titledeed.proofs.state_proofs import ANCHORS_SLOT
from titledeed.proofs.transactions import hash_transaction
from titledeed.services.evidence import check_bundle

CHECKOUT: Final = Path(__file__).resolve().parents[2]
SCRIPT: Final = CHECKOUT / "scripts" / "verify_bundle.py"
REFERENCE: Final = CHECKOUT / "docs" / "reference" / "evidence-bundle.md"

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

Document = dict[str, Any]
Place = tuple[str | int, ...]
Answer = dict[str, str]


class Anchorer:
    """Anchors trees on a development chain, and hands out their bundles."""

    def __init__(self, folder: Path) -> None:
        self._sender: PlainSender = sender_of("second verifier")
        self._chain = DevelopmentChain.create(folder=folder, funded=(self._sender.address,))
        self._count = 0
        identity = self._chain.pin.identity
        self._domain = SigningDomain(identity.chain_id, identity.contract)

    def close(self) -> None:
        self._chain.close()

    def anchor(self, size: int, index: int) -> Callable[[], Bundle]:
        """What builds the bundle, against whatever block is then the newest."""
        dossier = claim_elsewhere(build_dossier(size), build_claimant(), self._domain)
        others = [Keccak256(bytes(28) + n.to_bytes(4, "big")) for n in range(size)]
        leaf = leaf_of_record(dossier.record, dossier.salts)
        tree = MerkleTree([leaf if n == index else type(leaf)(o) for n, o in enumerate(others)])
        raw = raw_anchor(
            self._sender,
            chain_id=self._domain.chain_id,
            contract=self._domain.contract,
            nonce=self._count,
            root=tree.root,
            size=size,
        )
        self._count += 1
        self._chain.call("eth_sendRawTransaction", hex_word(raw))
        block = parse_object(fetch_block(self._chain, "latest"))
        anchor = Anchor(
            root=tree.root,
            size=size,
            caller=self._sender.address,
            sequence=self._count,
            transaction=hash_transaction(raw),
            block_number=parse_quantity(block["number"]),
            block_hash=BlockHash(Keccak256(parse_bytes(block["hash"]))),
            block_timestamp=parse_quantity(block["timestamp"]),
        )
        return partial(self._bundle, dossier, tree, index, anchor, raw)

    def _bundle(
        self, dossier: Dossier, tree: MerkleTree, index: int, anchor: Anchor, raw: bytes
    ) -> Bundle:
        contract = self._domain.contract
        proof = read_state_proof(
            self._chain, contract=contract, root=anchor.root, caller=anchor.caller
        )
        assert proof is not None
        chain = self._chain.pin.identity
        return Bundle(dossier, tree.prove(index), anchor, chain, raw, proof, b"")


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    """Half of them proven against the block of their anchor, half against a later one."""
    anchorer = Anchorer(tmp_path_factory.mktemp("chain"))
    bundles = [anchorer.anchor(*place)() for place in PLACES[::2]]
    later = [anchorer.anchor(*place) for place in PLACES[1::2]]
    bundles += [build() for build in later]
    anchorer.close()
    documents: list[Document] = [
        json.loads(encode_document(encode_bundle(bundle))) for bundle in bundles
    ]
    return documents


def ours(document: Document) -> tuple[Answer, str]:
    """Our results on the part that both cover, and what is left to compare."""
    try:
        bundle = read_bundle_file(json.dumps(document).encode())
    except MalformedDocumentError:
        return {"inclusion": "fails", "state": "fails"}, ""
    report = check_bundle(bundle)
    results = {check.name: check.result.value.replace("_", " ") for check in report.checks}
    block_hash = "0x" + report.proven_block.hash.hex() if report.proven_block else ""
    return {name: results[name] for name in ("inclusion", "state")}, block_hash


def theirs(document: Document, folder: Path) -> tuple[Answer, str, int]:
    path = folder / "bundle.json"
    path.write_text(json.dumps(document))
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(path), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 1:
        assert done.stderr
        return {"inclusion": "fails", "state": "fails"}, "", 1
    answer = json.loads(done.stdout)
    results = {name: result.partition(":")[0] for name, result in answer["checks"].items()}
    not_checked = {name for name, result in results.items() if result == "not checked"}
    assert not_checked == {"claim_signature", "documents", "chain", "transaction", "timestamp"}
    return (
        {name: results[name] for name in ("inclusion", "state")},
        answer["by_hand"],
        done.returncode,
    )


def corrupt(document: Document, path: Place) -> Document:
    """The document with another value of the same form in one place."""
    value = at(document, path)
    if isinstance(value, int):
        return put(document, path, value + 1)
    digit = len(value) // 2
    if path[-1] in {"claimant", "contract", "caller"}:
        return put(document, path, build_claimant(99).address)
    other = "b" if value[digit] != "b" else "a"
    return put(document, path, value[:digit] + other + value[digit + 1 :])


RECORD: Final = ("dossier", "record")
CORRUPTIONS: Final[tuple[Place, ...]] = (
    (*RECORD, "claim", "claimant"),
    (*RECORD, "claim", "content_sha256"),
    (*RECORD, "claim", "fingerprints_sha256"),
    (*RECORD, "claim", "disclosure_sha256"),
    (*RECORD, "claim", "rights_sha256"),
    (*RECORD, "claim", "claimed_at"),
    (*RECORD, "claim", "chain_id"),
    (*RECORD, "claim", "signature"),
    (*RECORD, "credential", "manifest_id"),
    (*RECORD, "credential", "signed_sha256"),
    (*RECORD, "media", "codec"),
    (*RECORD, "media", "duration_ms"),
    ("dossier", "salts", "content"),
    ("dossier", "salts", "record"),
    ("proof", "index"),
    ("proof", "size"),
    ("proof", "path", 0),
    ("proof", "path", -1),
    ("anchor", "root"),
    ("anchor", "size"),
    ("anchor", "caller"),
    ("anchor", "sequence"),
    ("anchor", "block_timestamp"),
    ("chain", "contract"),
    ("state_proof", "header"),
    ("state_proof", "account_proof", 0),
    ("state_proof", "account_proof", -1),
    ("state_proof", "storage_proof", 0),
    ("state_proof", "storage_proof", -1),
)


def swap_proofs(document: Document) -> Document:
    proof = document["state_proof"]
    swapped = {
        "header": proof["header"],
        "account_proof": proof["storage_proof"],
        "storage_proof": proof["account_proof"],
    }
    return put(document, ("state_proof",), swapped)


def test_forty_bundles_are_ten_intact_and_thirty_corrupted() -> None:
    assert (len(PLACES), len(CORRUPTIONS) + 1) == (10, 30)
    assert len(set(CORRUPTIONS)) == len(CORRUPTIONS)


@pytest.mark.chain
def test_both_verifiers_hold_what_is_intact(
    intact: list[Document], tmp_path: Path, subtests: pytest.Subtests
) -> None:
    for document in intact:
        with subtests.test(size=document["proof"]["size"]):
            assert check_bundle(read_bundle_file(json.dumps(document).encode())).holds
            results, block_hash = ours(document)
            other_results, by_hand, code = theirs(document, tmp_path)
            assert results == other_results == {"inclusion": "holds", "state": "holds"}
            assert block_hash in by_hand
            assert code == 0


@pytest.mark.chain
def test_both_verifiers_say_the_same_of_what_is_corrupted(
    intact: list[Document], tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """Either a check fails or, for what no chain was asked about, another block is to compare."""
    forged = {
        str(path): (intact[1 + number % 9], corrupt(intact[1 + number % 9], path))
        for number, path in enumerate(CORRUPTIONS)
    }
    forged["proofs swapped"] = (intact[0], swap_proofs(intact[0]))
    caught = 0
    for name, (sound, document) in forged.items():
        with subtests.test(name):
            results, block_hash = ours(document)
            other_results, by_hand, code = theirs(document, tmp_path)
            assert results == other_results
            if "fails" in results.values():
                caught += 1
                assert code in {1, 12}
            else:
                assert code == 0
                assert block_hash in by_hand and block_hash != ours(sound)[1]
    assert caught >= len(forged) - 1


@pytest.mark.chain
def test_a_bundle_without_a_state_proof_holds_as_far_as_it_goes(
    intact: list[Document], tmp_path: Path
) -> None:
    bare = put(intact[0], ("state_proof",), None)
    results, _ = ours(bare)
    other_results, by_hand, code = theirs(bare, tmp_path)
    assert results == other_results == {"inclusion": "holds", "state": "not given"}
    assert bare["anchor"]["block_hash"] in by_hand
    assert code == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"schema": "titledeed.bundle/1"}',
        b'{"a": NaN}',
    ],
    ids=["empty", "array", "no schema", "no text", "nested", "no fields", "no number"],
)
def test_what_is_no_bundle_ends_with_1(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr


def test_the_second_verifier_is_short_and_needs_nothing_of_ours() -> None:
    text = SCRIPT.read_text()
    assert len(text.splitlines()) < 300
    imported = set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE))
    assert imported - set(sys.stdlib_module_names) == {"Crypto"}


def test_script_and_reference_name_the_contract_that_ships() -> None:
    artifact = load_artifact()
    script, reference = SCRIPT.read_text(), REFERENCE.read_text()
    assert f'CODE_HASH = "{hex_word(artifact.runtime_hash)}"' in script
    assert f"ANCHORS_SLOT = {ANCHORS_SLOT}\n" in script
    assert hex_word(artifact.runtime_hash) in reference
    assert artifact.address in reference
    assert f"Keccak-256(root ‖ {ANCHORS_SLOT})" in reference
