"""What a bundle says about time: state proofs, time-stamps, and what is left to compare by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from builders import build_chain, build_dossier
from evidence_builders import (
    build_sound_bundle,
    build_sound_bundles,
    failing,
    with_own,
    with_timestamp,
)
from timestamp_builders import AUTHORITY_NAME, OpensslAuthority

from titledeed.canonical.documents import encode_document
from titledeed.canonical.evidence.bundles import encode_bundle
from titledeed.canonical.hashing import keccak256
from titledeed.errors import VerificationError
from titledeed.models.bundle import Bundle
from titledeed.models.evidence import ChainKind
from titledeed.proofs.bundles import BundleReport, CheckResult, read_bundle_file
from titledeed.proofs.contract import load_artifact
from titledeed.services.evidence import check_bundle, require_bundle
from titledeed_api.documents import bundle_document


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> OpensslAuthority:
    return OpensslAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def bundle(authority: OpensslAuthority) -> Bundle:
    """With state proof and time-stamp."""
    return with_timestamp(authority)


def result_of(report: BundleReport, name: str) -> tuple[CheckResult, str]:
    (check,) = [check for check in report.checks if check.name == name]
    return check.result, check.detail


def test_a_bundle_need_not_carry_state_or_time_stamp(bundle: Bundle) -> None:
    bare = with_own(bundle, state_proof=None, timestamp_token=b"")
    report = check_bundle(read_bundle_file(encode_document(encode_bundle(bare))))
    assert report.holds
    assert report.proven_block is None
    for name in ("state", "timestamp"):
        assert result_of(report, name) == (CheckResult.NOT_GIVEN, "the bundle carries none")
    require_bundle(bare)
    document: Any = bundle_document(report)
    checks = {check["name"]: check["result"] for check in document["checks"]}
    assert (checks["inclusion"], checks["state"]) == ("holds", "not_given")


@pytest.mark.parametrize("kind", ChainKind)
def test_what_nothing_offline_can_show_is_named(bundle: Bundle, kind: ChainKind) -> None:
    """With a state proof the hash of its block is enough to prove the time."""
    bare = with_own(bundle, chain=replace(bundle.own.chain, kind=kind), state_proof=None)
    proven = with_own(bare, state_proof=bundle.own.state_proof)
    reports = [check_bundle(bare), check_bundle(proven)]
    for report in reports:
        assert str(bundle.own.chain.chain_id) in report.by_hand
        assert bundle.own.chain.genesis_hash.hex() in report.by_hand
        assert f"block {bundle.own.anchor.block_number} has hash" in report.by_hand
        assert bundle.own.anchor.block_hash.hex() in report.by_hand
        assert bundle.own.anchor.transaction.hex() in report.by_hand
        is_development = kind is ChainKind.DEVELOPMENT
        assert ("order inside that home only" in report.by_hand) == is_development
        assert ("Any block explorer" in report.by_hand) != is_development
    assert bundle.own.state_proof is not None
    header_hash = keccak256(bundle.own.state_proof.header)
    block = reports[1].proven_block
    assert block is not None and block.hash == header_hash
    assert f"block {block.number} has hash 0x{header_hash.hex()}" in reports[1].by_hand
    assert header_hash.hex() not in reports[0].by_hand


def test_a_proof_that_fails_names_no_block_to_compare(bundle: Bundle) -> None:
    report = check_bundle(with_own(bundle, anchor=replace(bundle.own.anchor, sequence=99)))
    assert failing(report) == {"state"}
    assert report.proven_block is None
    assert bundle.own.state_proof is not None
    assert keccak256(bundle.own.state_proof.header).hex() not in report.by_hand


def test_a_contract_elsewhere_must_be_looked_at() -> None:
    """Whoever creates a contract can let its constructor write any time under any root."""
    usual = replace(build_chain(), contract=load_artifact().address)
    for chain, is_named in ((usual, False), (build_chain(), True)):
        (bundle,) = build_sound_bundles([build_dossier(1)], chain=chain)
        told = check_bundle(bundle).by_hand
        assert ("not the usual one of TitleDeed" in told) == is_named


def test_a_time_stamp_is_shown_with_its_authority(
    bundle: Bundle, authority: OpensslAuthority
) -> None:
    result, detail = result_of(check_bundle(bundle), "timestamp")
    assert result is CheckResult.HOLDS
    assert AUTHORITY_NAME in detail and "not on a trust list" in detail
    report = check_bundle(bundle, trust_anchors=authority.root_pem)
    assert "is on a trust list" in result_of(report, "timestamp")[1]


def test_a_time_stamp_of_another_root_does_not_fit(bundle: Bundle) -> None:
    other = with_own(build_sound_bundle(2), timestamp_token=bundle.own.timestamp_token)
    assert failing(check_bundle(other)) == {"timestamp"}
    with pytest.raises(VerificationError):
        require_bundle(other)
