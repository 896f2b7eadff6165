"""Both verifiers read version 1, and refuse what is no bundle; the script fits its reference."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Final

import pytest
import verify_bundle
from json_places import put
from second_verifier import (
    CONFORMANCE,
    FIRST_VERSIONS,
    RECORD,
    SCRIPT,
    corrupt,
    encode,
    ours,
    require_agreement,
    run_script,
    start_script,
    theirs,
)

from titledeed.canonical.documents import hex_word
from titledeed.models.ledger import ContractName
from titledeed.proofs.bundles import read_bundle_file
from titledeed.proofs.contracts import contract_kind
from titledeed.proofs.state_proofs import ANCHORS_SLOT, HEAD_SLOT
from titledeed.proofs.versions import list_versions
from titledeed.services.evidence import check_bundle

REFERENCE: Final = CONFORMANCE.parents[1] / "docs" / "reference" / "evidence-bundle.md"


@pytest.mark.parametrize("name", FIRST_VERSIONS)
def test_bundles_of_version_1_hold_in_both(name: str, tmp_path: Path) -> None:
    document = FIRST_VERSIONS[name]
    answer = require_agreement(encode(document))
    assert answer is not None and set(answer.results.values()) == {"holds"}
    assert list(answer.results) == ["documents", "chain", "inclusion", "state"]
    assert run_script(document, tmp_path) == (answer, 0)
    by_hand = check_bundle(read_bundle_file(encode(document))).by_hand
    assert ("is not the usual one" in by_hand) is (name == "vector")


@pytest.mark.parametrize("name", FIRST_VERSIONS)
def test_corrupted_bundles_of_version_1_hold_in_neither(name: str) -> None:
    document = FIRST_VERSIONS[name]
    for path in (
        (*RECORD, "claim", "claimant"),
        (*RECORD, "claim", "rights_sha256"),
        (*RECORD, "media", "size_bytes"),
        ("dossier", "registration_id"),
        ("dossier", "salts", "record"),
        ("dossier", "rights", "title"),
        ("dossier", "rights", "holders", 0, "role"),
        ("dossier", "disclosure", "model_name"),
        ("dossier", "fingerprints", 0, "code"),
        ("anchor", "root"),
        ("anchor", "sequence"),
        ("anchor", "block_timestamp"),
        ("proof", "size"),
        ("chain", "contract"),
        ("state_proof", "header"),
        ("state_proof", "storage_proof", -1),
    ):
        answer = require_agreement(encode(corrupt(document, path)))
        if path == ("state_proof", "header") and answer is not None and answer.holds:
            before = ours(encode(document))
            assert before is not None and answer.to_compare != before.to_compare
        else:
            assert answer is None or not answer.holds


def test_a_bundle_of_version_1_without_a_state_proof_holds_as_far_as_it_goes() -> None:
    answer = require_agreement(encode(put(FIRST_VERSIONS["harbour"], ("state_proof",), None)))
    assert answer is not None and answer.results["state"] == "not given"


def test_both_verifiers_refuse_what_has_no_canonical_form_that_all_write_alike(
    subtests: pytest.Subtests,
) -> None:
    document = json.loads(
        json.loads((CONFORMANCE / "vectors" / "canonical.json").read_bytes())["bundle"]
    )
    for value in (1.5, 1e3, 2**53, {"é": 1}, float("nan")):
        with subtests.test(str(value)):
            data = encode(put(document, ("dossier", "rights", "unknown"), value))
            assert ours(data) is None and theirs(data) is None
    doubled = encode(document).replace(
        b'"schema": "titledeed.log/1"', b'"version": 2, "schema": ""'
    )
    assert ours(doubled) is None and theirs(doubled) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"schema": "titledeed.bundle/1"}',
        b'{"schema": "titledeed.bundle/2"}',
        b'{"schema": "titledeed.bundle/3"}',
        b'{"a": NaN}',
    ],
    ids=[
        "empty",
        "array",
        "no schema",
        "no text",
        "nested",
        "no fields of version 1",
        "no fields of version 2",
        "unknown version",
        "no number",
    ],
)
def test_what_is_no_bundle_ends_with_1(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_bytes(data)
    done = start_script(path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("code", [0, 12])
def test_the_script_tells_people_what_holds_and_what_is_left_to_compare(
    code: int, tmp_path: Path
) -> None:
    path = tmp_path / "bundle.json"
    document = FIRST_VERSIONS["harbour"]
    if code:
        document = corrupt(document, ("dossier", "salts", "content"))
    path.write_bytes(encode(document))
    done = start_script(path)
    assert (done.returncode, done.stderr) == (code, "")
    *results, compare = done.stdout.splitlines()
    assert [line.split()[0] for line in results] == [
        *("claim_signature", "statement", "transaction", "timestamp"),
        *("documents", "chain", "inclusion", "state"),
    ]
    assert ("fails: " in results[6]) is (code == 12)
    answer = ours(encode(document))
    assert answer is not None
    number, digest = answer.to_compare[0]
    assert compare.startswith(f"Compare by hand that block {number} of chain ")
    assert digest in compare


def test_the_second_verifier_is_short_and_needs_nothing_of_ours() -> None:
    text = SCRIPT.read_text()
    assert len(text.splitlines()) <= 400
    imported = set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE))
    assert imported - set(sys.stdlib_module_names) == {"Crypto"}


def test_script_and_reference_list_every_version_of_every_contract() -> None:
    reference = REFERENCE.read_text()
    versions = [version for name in ContractName for version in list_versions(name)]
    expected = {hex_word(one.code_hash): (one.name, one.number) for one in versions}
    assert expected == verify_bundle.VERSIONS
    assert (verify_bundle.HEAD_SLOT, verify_bundle.ANCHORS_SLOT) == (HEAD_SLOT, ANCHORS_SLOT)
    for version in versions:
        assert (
            f"| `{version.name}` | {version.number} | `{hex_word(version.code_hash)}` "
            f"| `{version.usual_address}` | {version.head_slot} | {version.anchors_slot} |"
        ) in reference


def test_script_and_reference_list_every_event() -> None:
    reference = REFERENCE.read_text()
    events = contract_kind(ContractName.TITLE_DEED).events
    expected = {kind.body.__name__: ",".join(kind.argument_types) for kind in events}
    assert expected == verify_bundle.EVENTS
    for name, types in expected.items():
        assert f"| `{name}` | `{types}` |" in reference
