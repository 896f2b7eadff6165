"""Checking evidence bundles: offline, without database, key or service of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final, Protocol

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
from titledeed.errors import MalformedDocumentError, ProofError, VerificationError
from titledeed.models.evidence import Bundle, ChainKind, TimestampStatement
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.ledger import Block
from titledeed.models.primitives import Address, Sha256
from titledeed.models.record import Dossier
from titledeed.proofs.signatures import check_claim, check_transaction
from titledeed.proofs.state_proofs import check_state_proof
from titledeed.proofs.times import format_time
from titledeed.proofs.versions import is_usual_address


class CheckCode(Protocol):
    """Tells whether a fingerprint is one of its algorithm."""

    def __call__(self, code: FingerprintCode) -> None:
        """Raises ``MalformedDocumentError`` where it is none; passes over unknown algorithms."""
        ...


class CheckToken(Protocol):
    """Tells what an RFC 3161 token says."""

    def __call__(self, token: bytes, digest: Sha256, *, anchors_pem: str) -> TimestampStatement:
        """Raises ``ProofError`` where the token does not hold over the digest."""
        ...


BUNDLE_LENGTH_MAX: Final = 256 * 1024 * 1024


NamedCheck = tuple[str, Callable[[Bundle], str | None]]


class CheckResult(StrEnum):
    """How one check ended."""

    HOLDS = "holds"
    FAILS = "fails"
    NOT_GIVEN = "not_given"
    """The bundle carries nothing to check; it need not."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check, how it ended, and what was found."""

    name: str
    result: CheckResult
    detail: str


@dataclass(frozen=True, slots=True)
class BundleReport:
    """All checks of one bundle.

    Attributes:
        proven_block: whose state was proven to hold the anchor; None where no such proof holds.
        by_hand: what the reader must compare elsewhere, since nothing offline can show it.
    """

    bundle: Bundle
    checks: tuple[Check, ...]
    proven_block: Block | None
    by_hand: str

    @property
    def holds(self) -> bool:
        """Whether no check fails."""
        return all(check.result is not CheckResult.FAILS for check in self.checks)


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
            place=error.place,
        ) from error


@dataclass(frozen=True, slots=True)
class BundleChecker:
    """Runs the checks of bundles.

    Attributes:
        check_code: what the fingerprint algorithms know of their codes.
        check_token: reads time-stamp tokens.
    """

    check_code: CheckCode
    check_token: CheckToken

    def check(
        self, bundle: Bundle, asset_digest: Sha256 | None = None, *, trust_anchors: str = ""
    ) -> BundleReport:
        """Run every offline check; a failed one is a result, not an error.

        Args:
            bundle: what was parsed.
            asset_digest: SHA-256 of the file that the bundle should speak of, if there is one.
            trust_anchors: PEM of the certificates to which a trusted time-stamp authority leads; a
                time-stamp of any other holds as well, and its detail says so.
        """
        checks = [_run(name, check, bundle) for name, check in self._list_checks(trust_anchors)]
        if asset_digest is not None:
            checks.append(_check_asset(bundle.dossier, asset_digest))
        proven = _find_proven(bundle)
        return BundleReport(bundle, tuple(checks), proven, _by_hand(bundle, proven))

    def require(self, bundle: Bundle) -> None:
        """Stop at the first check that fails.

        Raises:
            VerificationError: the bundle does not hold.
        """
        for name, check in self._list_checks(trust_anchors=""):
            try:
                check(bundle)
            except VerificationError as error:
                error.check, error.registration_id = name, bundle.dossier.registration_id
                raise

    def require_attachments(self, dossier: Dossier) -> None:
        """The documents of a dossier are those that the claimant signed.

        Raises:
            ProofError: one of them is not.
        """
        for code in dossier.fingerprints:
            try:
                self.check_code(code)
            except MalformedDocumentError as error:
                raise ProofError(f"a fingerprint is damaged: {error.message}") from error
        _check_attachments(dossier)

    def _list_checks(self, trust_anchors: str) -> tuple[NamedCheck, ...]:
        """Each tells what it found, or None where the bundle carries nothing to check."""
        return (
            ("claim_signature", _check_signature),
            ("documents", self._check_documents),
            ("chain", _check_domain),
            ("inclusion", _check_inclusion),
            ("transaction", _check_transaction),
            ("state", _check_state),
            ("timestamp", partial(self._check_timestamp, trust_anchors=trust_anchors)),
        )

    def _check_documents(self, bundle: Bundle) -> str:
        self.require_attachments(bundle.dossier)
        return "fingerprints, disclosure, rights and manifest are those of the claim"

    def _check_timestamp(self, bundle: Bundle, *, trust_anchors: str) -> str | None:
        if not bundle.timestamp_token:
            return None
        statement = self.check_token(
            bundle.timestamp_token, sha256(bundle.anchor.root), anchors_pem=trust_anchors
        )
        seen = format_time(statement.time)
        return f"{statement.authority} saw the root on {seen}; {statement.reason}"


def _check_attachments(dossier: Dossier) -> None:
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
    for name, actual, expected in found:
        if actual != expected:
            raise ProofError(f"the {name} is not the one that was claimed")
    if dossier.registration_id != identify_claim(claim, dossier.record.signed_claim.domain):
        raise ProofError("the registration id does not belong to this claim")


def _check_signature(bundle: Bundle) -> str:
    check_claim(bundle.dossier.record.signed_claim)
    return "the claimant signed this claim"


def _check_domain(bundle: Bundle) -> str:
    domain = bundle.dossier.record.signed_claim.domain
    if (domain.chain_id, domain.contract) != (bundle.chain.chain_id, bundle.chain.contract):
        raise ProofError("the claim was signed for another chain or contract")
    return "the claim was signed for this chain and contract"


def _check_inclusion(bundle: Bundle) -> str:
    leaf = leaf_of_record(bundle.dossier.record, bundle.dossier.salts)
    if bundle.proof.size != bundle.anchor.size:
        raise ProofError("the proof is for a tree of another size")
    if root_of_proof(leaf, bundle.proof) != bundle.anchor.root:
        raise ProofError("the Merkle path does not lead to the anchored root")
    return "the Merkle path leads from the record to the anchored root"


def _check_transaction(bundle: Bundle) -> str:
    check_transaction(bundle.raw_transaction, chain=bundle.chain, anchor=bundle.anchor)
    return "the raw transaction anchors this root and is signed by the caller"


def _check_state(bundle: Bundle) -> str | None:
    block = _prove(bundle)
    if block is None:
        return None
    return f"the contract's storage holds root, time and sequence number in block {block.number}"


def _prove(bundle: Bundle) -> Block | None:
    if bundle.state_proof is None:
        return None
    return check_state_proof(
        bundle.state_proof, contract=bundle.chain.contract, anchor=bundle.anchor
    )


def _run(name: str, check: Callable[[Bundle], str | None], bundle: Bundle) -> Check:
    try:
        found = check(bundle)
    except VerificationError as error:
        return Check(name, CheckResult.FAILS, error.message)
    if found is None:
        return Check(name, CheckResult.NOT_GIVEN, "the bundle carries none")
    return Check(name, CheckResult.HOLDS, found)


def _check_asset(dossier: Dossier, digest: Sha256) -> Check:
    credential = dossier.record.credential
    known = {dossier.record.signed_claim.claim.content_digest}
    if credential is not None:
        known.add(credential.signed_digest)
    if digest in known:
        return Check(
            "asset", CheckResult.HOLDS, "the file is the registered source or its signed copy"
        )
    return Check(
        "asset",
        CheckResult.FAILS,
        f"SHA-256 {digest.hex()} is neither the registered source nor its signed copy",
    )


def _find_proven(bundle: Bundle) -> Block | None:
    try:
        return _prove(bundle)
    except ProofError:
        return None  # the report says why


def _by_hand(bundle: Bundle, proven: Block | None) -> str:
    anchor, chain = bundle.anchor, bundle.chain
    kept_by = (
        "This is a development chain kept by the registrant's own home: its time proves order "
        "inside that home only."
        if chain.kind is ChainKind.DEVELOPMENT
        else "Any block explorer of the chain shows what is needed."
    )
    own = (
        f"block {anchor.block_number} has hash 0x{anchor.block_hash.hex()}, was made on "
        f"{format_time(anchor.block_timestamp)} and holds transaction "
        f"0x{anchor.transaction.hex()} as event {anchor.sequence} of the contract"
    )
    compare = f"On chain {chain.chain_id} (genesis 0x{chain.genesis_hash.hex()}) check that "
    if proven is None:
        return f"{kept_by} {compare}{own}.{_foreign_contract(chain.contract)}"
    return (
        f"{kept_by} {compare}block {proven.number} has hash 0x{proven.hash.hex()}: that proves "
        "the anchor and its time. Where it stands nothing here proves, but an explorer shows "
        f"that {own}.{_foreign_contract(chain.contract)}"
    )


def _foreign_contract(contract: Address) -> str:
    """What else to compare where the address does not show how the contract was created."""
    if is_usual_address(contract):
        return ""
    return (
        f" The address {contract} is not the usual one of TitleDeed: check that the contract was "
        "created from its sources, for whoever creates another can write any time into it."
    )
