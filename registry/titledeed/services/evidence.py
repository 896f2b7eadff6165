"""Checking evidence bundles: offline, without database, key or service of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from titledeed.canonical.attachments import (
    digest_fingerprints,
    encode_disclosure,
    encode_rights,
)
from titledeed.canonical.bundles import parse_bundle
from titledeed.canonical.claims import identify_claim
from titledeed.canonical.documents import digest_document, parse_document
from titledeed.canonical.hashing import sha256
from titledeed.canonical.leaves import leaf_of_record
from titledeed.canonical.merkle import root_of_proof
from titledeed.chain.signatures import check_claim, check_transaction
from titledeed.errors import MalformedDocumentError, ProofError, VerificationError
from titledeed.fingerprinting.algorithms import find_algorithm
from titledeed.models.evidence import Bundle, ChainKind
from titledeed.models.primitives import Sha256
from titledeed.models.record import Dossier
from titledeed.services.verdict import format_time

BUNDLE_LENGTH_MAX: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Check:
    """One check, whether it holds, and what was found."""

    name: str
    holds: bool
    detail: str


@dataclass(frozen=True, slots=True)
class BundleReport:
    """All checks of one bundle.

    Attributes:
        by_hand: what the reader must compare elsewhere, since nothing offline can show it.
    """

    bundle: Bundle
    checks: tuple[Check, ...]
    by_hand: str

    @property
    def holds(self) -> bool:
        """Whether every check holds."""
        return all(check.holds for check in self.checks)


def read_bundle_file(data: bytes) -> Bundle:
    """Parse an evidence bundle.

    Raises:
        MalformedDocumentError: it is none.
    """
    try:
        return parse_bundle(parse_document(data, what="the bundle"))
    except MalformedDocumentError as error:
        raise MalformedDocumentError(
            error.message,
            next_step="Ask for the file again: it is damaged, or no evidence bundle.",
        ) from error


def check_bundle(bundle: Bundle, asset_digest: Sha256 | None = None) -> BundleReport:
    """Run every offline check; a failed one is a result, not an error.

    Args:
        bundle: what was parsed.
        asset_digest: SHA-256 of the file that the bundle should speak of, if there is one.
    """
    checks = [_run(name, check, bundle) for name, check in _CHECKS]
    if asset_digest is not None:
        checks.append(_check_asset(bundle.dossier, asset_digest))
    return BundleReport(bundle, tuple(checks), _by_hand(bundle))


def require_bundle(bundle: Bundle) -> None:
    """Stop at the first check that fails.

    Raises:
        VerificationError: the bundle does not hold.
    """
    for _, check in _CHECKS:
        check(bundle)


def check_attachments(dossier: Dossier) -> None:
    """The documents of a dossier are those that the claimant signed.

    Raises:
        ProofError: one of them is not.
    """
    claim = dossier.record.signed_claim.claim
    credential = dossier.record.credential
    found = (
        ("fingerprints", digest_fingerprints(dossier.fingerprints), claim.fingerprints_digest),
        (
            "disclosure",
            digest_document(encode_disclosure(dossier.disclosure)),
            claim.disclosure_digest,
        ),
        ("rights statement", digest_document(encode_rights(dossier.rights)), claim.rights_digest),
        (
            "manifest store",
            sha256(dossier.manifest_store),
            credential.manifest_digest if credential else sha256(b""),
        ),
    )
    for code in dossier.fingerprints:
        algorithm = find_algorithm(code.algorithm, code.version)
        if algorithm is not None:  # another release may know more algorithms
            try:
                algorithm.decode(code.code)
            except MalformedDocumentError as error:
                raise ProofError(f"a fingerprint is damaged: {error.message}") from error
    for name, actual, expected in found:
        if actual != expected:
            raise ProofError(f"the {name} is not the one that was claimed")
    if dossier.registration_id != identify_claim(claim, dossier.record.signed_claim.domain):
        raise ProofError("the registration id does not belong to this claim")


def _check_signature(bundle: Bundle) -> None:
    check_claim(bundle.dossier.record.signed_claim)


def _check_documents(bundle: Bundle) -> None:
    check_attachments(bundle.dossier)


def _check_domain(bundle: Bundle) -> None:
    domain = bundle.dossier.record.signed_claim.domain
    if (domain.chain_id, domain.contract) != (bundle.chain.chain_id, bundle.chain.contract):
        raise ProofError("the claim was signed for another chain or contract")


def _check_inclusion(bundle: Bundle) -> None:
    leaf = leaf_of_record(bundle.dossier.record, bundle.dossier.salts)
    if bundle.proof.size != bundle.anchor.size:
        raise ProofError("the proof is for a tree of another size")
    if root_of_proof(leaf, bundle.proof) != bundle.anchor.root:
        raise ProofError("the Merkle path does not lead to the anchored root")


def _check_transaction(bundle: Bundle) -> None:
    check_transaction(bundle.raw_transaction, chain=bundle.chain, anchor=bundle.anchor)


_CHECKS: Final[tuple[tuple[str, Callable[[Bundle], None]], ...]] = (
    ("claim_signature", _check_signature),
    ("documents", _check_documents),
    ("chain", _check_domain),
    ("inclusion", _check_inclusion),
    ("transaction", _check_transaction),
)

_HOLDS: Final = {
    "claim_signature": "the claimant signed this claim",
    "documents": "fingerprints, disclosure, rights and manifest are those of the claim",
    "chain": "the claim was signed for this chain and contract",
    "inclusion": "the Merkle path leads from the record to the anchored root",
    "transaction": "the raw transaction anchors this root and is signed by the caller",
    "asset": "the file is the registered source or its signed copy",
}


def _run(name: str, check: Callable[[Bundle], None], bundle: Bundle) -> Check:
    try:
        check(bundle)
    except VerificationError as error:
        return Check(name, holds=False, detail=error.message)
    return Check(name, holds=True, detail=_HOLDS[name])


def _check_asset(dossier: Dossier, digest: Sha256) -> Check:
    credential = dossier.record.credential
    known = {dossier.record.signed_claim.claim.content_digest}
    if credential is not None:
        known.add(credential.signed_digest)
    if digest in known:
        return Check("asset", holds=True, detail=_HOLDS["asset"])
    return Check(
        "asset",
        holds=False,
        detail=f"SHA-256 {digest.hex()} is neither the registered source nor its signed copy",
    )


def _by_hand(bundle: Bundle) -> str:
    anchor = bundle.anchor
    where = (
        "This is a development chain kept by the registrant's own home: its time proves order "
        "inside that home only. There"
        if bundle.chain.kind is ChainKind.DEVELOPMENT
        else "On any block explorer"
    )
    return (
        f"{where} check that block {anchor.block_number} of chain {bundle.chain.chain_id} "
        f"(genesis 0x{bundle.chain.genesis_hash.hex()}) has hash 0x{anchor.block_hash.hex()}, "
        f"was made on {format_time(anchor.block_timestamp)} and holds transaction "
        f"0x{anchor.transaction.hex()} as event {anchor.sequence} of the contract."
    )
