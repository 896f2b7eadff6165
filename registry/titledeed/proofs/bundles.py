"""Checking evidence bundles: offline, without database, key or service of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Final, Protocol

from titledeed.canonical.claims import identify_claim
from titledeed.canonical.disclosures import encode_disclosure
from titledeed.canonical.documents import digest_document, parse_document
from titledeed.canonical.evidence.bundles import parse_bundle
from titledeed.canonical.fingerprints import digest_fingerprints
from titledeed.canonical.hashing import sha256
from titledeed.canonical.identifiers import ZERO_ADDRESS, derive_deed_id
from titledeed.canonical.leaves import leaf_of_record
from titledeed.canonical.lineages import encode_lineage
from titledeed.canonical.merkle import root_of_proof
from titledeed.canonical.rights import encode_rights
from titledeed.canonical.statements import require_statement
from titledeed.errors import MalformedDocumentError, ProofError, VerificationError
from titledeed.models.bundle import AnchorEvidence, Bundle, LogSegment, StoredWord
from titledeed.models.evidence import ChainIdentity, ChainKind, TimestampStatement
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.ledger import Block
from titledeed.models.primitives import LeafHash, Sha256
from titledeed.models.record import Dossier
from titledeed.proofs.by_hand import compare_by_hand, name_contract, name_word
from titledeed.proofs.entries import ClaimOnChain
from titledeed.proofs.judging import is_about
from titledeed.proofs.logs import CheckedEvent, check_log
from titledeed.proofs.signatures import check_claim, check_transaction
from titledeed.proofs.state_proofs import check_state_proof
from titledeed.proofs.stored_words import check_stored_word
from titledeed.proofs.times import format_time
from titledeed.proofs.wording import name_term


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
UNREAD_SHOWN: Final = 10
EVENTS_SHOWN: Final = 20
UNKNOWN_CONTRACT: Final = "this release does not know this version of the contract"


@dataclass(frozen=True, slots=True)
class NotChecked:
    """What a check found that this release cannot judge."""

    detail: str


RunCheck = Callable[[], str | NotChecked | None]
NamedCheck = tuple[str, RunCheck]


class CheckResult(StrEnum):
    """How one check ended."""

    HOLDS = "holds"
    FAILS = "fails"
    NOT_GIVEN = "not_given"
    """The bundle carries nothing to check; it need not."""
    NOT_CHECKED = "not_checked"
    """It carries what this release does not know: nothing is said for or against it."""


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
        proven_block: whose state was proven to hold the claim's own anchor; None where no such
            proof holds.
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
        checks = [_run(name, check) for name, check in self._list_checks(bundle, trust_anchors)]
        if asset_digest is not None:
            checks.append(_check_asset(bundle.dossier, asset_digest))
        proven = [_find_proven(one) for one in bundle.anchors]
        return BundleReport(
            bundle, tuple(checks), proven[0], compare_by_hand(_drop_strangers(bundle), proven)
        )

    def require(self, bundle: Bundle) -> None:
        """Stop at the first check that fails.

        Raises:
            VerificationError: the bundle does not hold.
        """
        for name, check in self._list_checks(bundle, trust_anchors=""):
            try:
                check()
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

    def _list_checks(self, bundle: Bundle, trust_anchors: str) -> Iterator[NamedCheck]:
        """Each tells what it found, or None where the bundle carries nothing to check.

        Checks of the first anchor and the first log have plain names, those of others a number.
        """
        yield "claim_signature", partial(_check_signature, bundle)
        yield "documents", partial(self._check_documents, bundle.dossier)
        yield "chain", partial(_check_domain, bundle)
        leaf = leaf_of_record(bundle.dossier.record, bundle.dossier.salts)
        for at, one in enumerate(bundle.anchors):
            number = f"[{at}]" if at else ""
            yield f"inclusion{number}", partial(_check_inclusion, leaf, one)
            yield f"transaction{number}", partial(_check_transaction, one)
            yield f"state{number}", partial(_check_state, one)
            yield f"timestamp{number}", partial(self._check_timestamp, one, trust_anchors)
        for at, log in enumerate(bundle.logs):
            yield f"log[{at}]" if at else "log", partial(_check_log, bundle, log)
        for at, stored in enumerate(bundle.words):
            yield f"word[{at}]" if at else "word", partial(_check_word, bundle, stored)

    def _check_documents(self, dossier: Dossier) -> str:
        self.require_attachments(dossier)
        found = "fingerprints, disclosure, rights, lineage and manifest are those of the claim"
        if dossier.lineage is None:
            found = "fingerprints, disclosure, rights and manifest are those of the claim"
        places = [
            f"{document}.{field.name}"
            for document, unread in dossier.unread.items()
            for field in unread
        ]
        if places:
            shown = ", ".join(places[:UNREAD_SHOWN])
            more = f" and {len(places) - UNREAD_SHOWN} more" if len(places) > UNREAD_SHOWN else ""
            found += f"; signed, and not read by this release: {shown}{more}"
        return found

    def _check_timestamp(self, one: AnchorEvidence, trust_anchors: str) -> str | None:
        if not one.timestamp_token:
            return None
        statement = self.check_token(
            one.timestamp_token, sha256(one.anchor.root), anchors_pem=trust_anchors
        )
        seen = format_time(statement.time)
        return f"{statement.authority} saw the root on {seen}; {statement.reason}"


def _check_attachments(dossier: Dossier) -> None:
    claim = dossier.record.signed_claim.claim
    credential = dossier.record.credential
    found: tuple[tuple[str, Sha256, Sha256 | None], ...] = (
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
    lineage = dossier.lineage
    if lineage is not None:
        found = (
            *found,
            ("lineage", digest_document(encode_lineage(lineage)), claim.lineage_digest),
        )
    for name, actual, expected in found:
        if actual != expected:
            raise ProofError(f"the {name} is not the one that was claimed")
    if lineage is not None:
        require_statement(claim.statement or "", dossier.rights, dossier.disclosure, lineage)
    if dossier.registration_id != identify_claim(claim, dossier.record.signed_claim.domain):
        raise ProofError("the registration id does not belong to this claim")


def _check_signature(bundle: Bundle) -> str:
    check_claim(bundle.dossier.record.signed_claim)
    return "the claimant signed this claim"


def _check_domain(bundle: Bundle) -> str:
    domain, chain = bundle.dossier.record.signed_claim.domain, bundle.own.chain
    if (domain.chain_id, domain.contract) != (chain.chain_id, chain.contract):
        raise ProofError("the claim was signed for another chain or contract than the first anchor")
    places = [replace(one.chain, kind=ChainKind.PUBLIC) for one in bundle.anchors]
    if len(set(places)) != len(places):
        raise ProofError("two anchors are on the same chain and contract")
    others = f"; {len(places) - 1} more in other places" if len(places) > 1 else ""
    return f"the claim was signed for this chain and contract{others}"


def _chain_of(chain: ChainIdentity) -> ChainIdentity:
    """The chain alone, whatever the contract."""
    return replace(chain, contract=ZERO_ADDRESS)


def _check_inclusion(leaf: LeafHash, one: AnchorEvidence) -> str:
    if one.proof.size != one.anchor.size:
        raise ProofError("the proof is for a tree of another size")
    if root_of_proof(leaf, one.proof) != one.anchor.root:
        raise ProofError("the Merkle path does not lead to the anchored root")
    return "the Merkle path leads from the record to the anchored root"


def _check_transaction(one: AnchorEvidence) -> str:
    check_transaction(one.raw_transaction, chain=one.chain, anchor=one.anchor)
    return "the raw transaction anchors this root and is signed by the caller"


def _check_state(one: AnchorEvidence) -> str | None:
    block = _prove(one)
    if block is None:
        return None
    return f"the contract's storage holds root, time and sequence number in block {block.number}"


def _check_word(bundle: Bundle, stored: StoredWord) -> str | NotChecked:
    _require_anchored_chain(bundle, stored.chain)
    block = check_stored_word(stored)
    said = f"{name_word(stored)} is 0x{stored.value.hex()}"
    if block is None:
        return NotChecked(f"the bundle says that {said}; {UNKNOWN_CONTRACT}")
    return f"{said} in block {block.number}; what it means this release does not say"


def _require_anchored_chain(bundle: Bundle, chain: ChainIdentity) -> None:
    if not _is_anchored_chain(bundle, chain):
        raise ProofError("it is of a chain that no anchor names")


def _is_anchored_chain(bundle: Bundle, chain: ChainIdentity) -> bool:
    return _chain_of(chain) in {_chain_of(one.chain) for one in bundle.anchors}


def _drop_strangers(bundle: Bundle) -> Bundle:
    """The bundle without logs and words that fail for their chain: nothing of them is compared."""
    return replace(
        bundle,
        logs=tuple(log for log in bundle.logs if _is_anchored_chain(bundle, log.chain)),
        words=tuple(word for word in bundle.words if _is_anchored_chain(bundle, word.chain)),
    )


def _check_log(bundle: Bundle, log: LogSegment) -> str | NotChecked:
    _require_anchored_chain(bundle, log.chain)
    checked = check_log(log)
    claim = _claim_on_chain(bundle.dossier)
    opened = [_name_event(event, claim) for event in checked.opened[:EVENTS_SHOWN]]
    if len(checked.opened) > EVENTS_SHOWN:
        opened.append(f"{len(checked.opened) - EVENTS_SHOWN} more")
    found = (
        f"events {log.sequence + 1} to {checked.sequence} of {name_contract(log)} follow each "
        f"other without a gap; opened: {', '.join(opened) or 'none'}; whether their makers may "
        "say so is not judged here"
    )
    if not checked.is_known:
        return NotChecked(f"{found}; {UNKNOWN_CONTRACT}")
    if checked.block is None:
        return f"{found}; nothing here proves that the last of them is the contract's"
    return f"{found}; the contract's storage holds the last in block {checked.block.number}"


def _claim_on_chain(dossier: Dossier) -> ClaimOnChain:
    claim = dossier.record.signed_claim.claim
    return ClaimOnChain(
        leaf=leaf_of_record(dossier.record, dossier.salts),
        deed=derive_deed_id(claim.claimant, claim.content_digest),
        claimant=claim.claimant,
        recovery_key=claim.recovery_key,
    )


def _name_event(event: CheckedEvent, claim: ClaimOnChain) -> str:
    subject = ""
    if event.body is not None:
        subject = "of this claim, " if is_about(claim, event.body) else "of something else, "
    when = format_time(event.block_timestamp)
    return f"{name_term(event.kind)} ({subject}event {event.sequence}, {when})"


def _prove(one: AnchorEvidence) -> Block | None:
    if one.state_proof is None:
        return None
    return check_state_proof(one.state_proof, contract=one.chain.contract, anchor=one.anchor)


def _run(name: str, check: RunCheck) -> Check:
    try:
        found = check()
    except VerificationError as error:
        return Check(name, CheckResult.FAILS, error.message)
    if found is None:
        return Check(name, CheckResult.NOT_GIVEN, "the bundle carries none")
    if isinstance(found, NotChecked):
        return Check(name, CheckResult.NOT_CHECKED, found.detail)
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


def _find_proven(one: AnchorEvidence) -> Block | None:
    try:
        return _prove(one)
    except ProofError:
        return None  # the report says why
