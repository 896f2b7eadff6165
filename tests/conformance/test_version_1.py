"""Documents that the version before this one made still read, verify and keep their bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from titledeed.canonical.disclosures import encode_disclosure
from titledeed.canonical.documents import digest_document, encode_document
from titledeed.canonical.evidence.bundles import encode_bundle
from titledeed.canonical.evidence.records import encode_record
from titledeed.canonical.rights import encode_rights
from titledeed.errors import MalformedDocumentError
from titledeed.models.ledger import ContractName
from titledeed.models.rights import Contributor, Title
from titledeed.proofs.bundles import CheckResult, read_bundle_file
from titledeed.proofs.versions import list_versions
from titledeed.services.evidence import check_bundle, require_bundle
from titledeed.services.snapshot import read_coverage

FIXTURES: Final = Path(__file__).parent / "version_1"
TOLD: Final[dict[str, Any]] = json.loads((FIXTURES / "told.json").read_text())
BUNDLE: Final = (FIXTURES / "harbour.titledeed.json").read_bytes()
SNAPSHOT: Final = FIXTURES / "published.titledeed-snapshot"


BUNDLES: Final = [BUNDLE, *SNAPSHOT.read_bytes().splitlines()[1:-1]]


def test_a_bundle_holds_with_its_proof_of_the_first_contract() -> None:
    report = check_bundle(read_bundle_file(BUNDLE))
    assert report.holds
    results = {check.name: check.result for check in report.checks}
    assert results.pop("timestamp") is CheckResult.NOT_GIVEN
    assert set(results.values()) == {CheckResult.HOLDS}
    first = min(list_versions(ContractName.TITLE_DEED), key=lambda version: version.number)
    assert report.bundle.own.chain.contract == first.usual_address
    assert "not the usual one" not in report.by_hand
    assert report.bundle.dossier.registration_id == TOLD["harbour"]


def test_a_snapshot_holds() -> None:
    with SNAPSHOT.open("rb") as file:
        coverage, _ = read_coverage(file)
    assert coverage.registrations == 3


@pytest.mark.parametrize("data", BUNDLES, ids=["harbour", "1", "2", "3"])
def test_signed_documents_keep_their_bytes_in_a_bundle_of_today(data: bytes) -> None:
    before: dict[str, Any] = json.loads(data)["dossier"]
    bundle = read_bundle_file(data)
    dossier = bundle.dossier
    for name, document in (
        ("record", encode_record(dossier.record)),
        ("disclosure", encode_disclosure(dossier.disclosure)),
        ("rights", encode_rights(dossier.rights)),
    ):
        assert encode_document(document) == encode_document(before[name])
    claim = dossier.record.signed_claim.claim
    assert digest_document(before["rights"]) == claim.rights_digest
    today = encode_document(encode_bundle(bundle))
    assert json.loads(today)["schema"] == "titledeed.bundle/2"
    again = read_bundle_file(today)
    assert again == bundle
    require_bundle(again)


def test_what_they_say_is_read() -> None:
    dossier = read_bundle_file(BUNDLE).dossier
    assert dossier.rights.titles == (Title("Harbour at dusk", "und"),)
    assert dossier.rights.contributors == (Contributor("Prompts: A. Name"),)
    (tool,) = dossier.disclosure.tools
    assert (tool.model, tool.identifier) == (
        "Example Image 2",
        "https://example.org/models/image-2",
    )
    assert dossier.lineage is None
    assert dossier.record.signed_claim.claim.statement is None


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("record", "claim", "statement"), "I claim everything"),
        (("record", "claim", "schema"), "titledeed.claim/2"),
        (("lineage",), {"schema": "titledeed.lineage/1"}),
        (("schema",), "titledeed.dossier/3"),
        (("rights", "schema"), "titledeed.rights/2"),
    ],
    ids=str,
)
def test_versions_are_not_mixed(place: tuple[str, ...], value: object) -> None:
    document = json.loads(BUNDLE)
    target = document["dossier"]
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    with pytest.raises(MalformedDocumentError):
        read_bundle_file(json.dumps(document).encode())


@pytest.mark.parametrize("byte", range(0, len(BUNDLE), 997))
def test_a_changed_byte_shows(byte: int) -> None:
    changed = BUNDLE[:byte] + bytes([BUNDLE[byte] ^ 1]) + BUNDLE[byte + 1 :]
    try:
        report = check_bundle(read_bundle_file(changed))
    except MalformedDocumentError:
        return
    assert not report.holds or report.by_hand != check_bundle(read_bundle_file(BUNDLE)).by_hand
