"""Signatures over disclosure documents (EIP-712): a film's, by whoever answers for it.

Its domain names no chain: a film is disclosed to a festival, not to a contract.
"""

from __future__ import annotations

from typing import Final

from titledeed.canonical.documents import Fields, Json, hex_word, leave_out
from titledeed.canonical.field_values import read_address, read_bounded
from titledeed.canonical.statements import STATEMENT_BYTES_MAX, state_disclosure
from titledeed.canonical.typed_data import (
    SIGNATURE_LENGTH_MAX,
    Member,
    describe_typed,
    hash_struct,
    hash_typed,
)
from titledeed.errors import ProofError
from titledeed.models.disclosure import DisclosureStatement, SignedDisclosure
from titledeed.models.primitives import Keccak256, Signature

SIGNATURE: Final = "titledeed.disclosure-signature"
DISCLOSURE_TYPE: Final = (
    "Disclosure(string statement,address signer,string role,string[] covers,"
    "bytes32 documentDigest,uint64 signedAt)"
)
DISCLOSURE_DOMAIN_TYPE: Final = "EIP712Domain(string name,string version)"
DISCLOSURE_DOMAIN: Final[dict[str, Member]] = {"name": "Titledeed Disclosure", "version": "1"}
COVERS_MAX: Final = 100


def hash_disclosure(statement: DisclosureStatement) -> Keccak256:
    """The digest that is signed."""
    separator = hash_struct(DISCLOSURE_DOMAIN_TYPE, DISCLOSURE_DOMAIN)
    return hash_typed(separator, hash_struct(DISCLOSURE_TYPE, _name_members(statement)))


def describe_disclosure(statement: DisclosureStatement) -> dict[str, Json]:
    """The typed data that a wallet shows and signs (``eth_signTypedData_v4``)."""
    return describe_typed(
        DISCLOSURE_TYPE, _name_members(statement), DISCLOSURE_DOMAIN_TYPE, DISCLOSURE_DOMAIN
    )


def require_disclosure_statement(
    statement: DisclosureStatement, *, title: str, declared_use: str | None
) -> None:
    """Check that the sentence says what the document says.

    Args:
        statement: as it was signed.
        title: of the film, as the document has it first.
        declared_use: as the document has it; None where it is not answered.

    Raises:
        ProofError: it says something else.
    """
    if statement.statement != state_disclosure(title, declared_use):
        raise ProofError("the sentence that was signed does not say what the disclosure says")


def encode_signed_disclosure(signed: SignedDisclosure) -> dict[str, Json]:
    """JSON form; stands beside the document, which it names by its digest."""
    statement = signed.statement
    return leave_out(
        {
            "schema": f"{SIGNATURE}/1",
            "statement": statement.statement,
            "signer": statement.signer,
            "role": statement.role,
            "covers": list(statement.covers),
            "document_sha256": statement.document_digest.hex(),
            "signed_at": statement.signed_at,
            "signature": hex_word(signed.signature),
        }
    )


def parse_signed_disclosure(fields: Fields) -> SignedDisclosure:
    """Inverse of ``encode_signed_disclosure``; checks form, not the signature.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    fields.version(SIGNATURE, (1,))
    statement = DisclosureStatement(
        statement=read_bounded(fields, "statement", bytes_max=STATEMENT_BYTES_MAX),
        signer=read_address(fields, "signer"),
        role=fields.term("role"),
        covers=fields.listed_terms("covers", items_max=COVERS_MAX),
        document_digest=fields.sha256("document_sha256"),
        signed_at=fields.timestamp("signed_at"),
    )
    signature = Signature(fields.hexadecimal("signature", length_max=SIGNATURE_LENGTH_MAX))
    fields.done()
    return SignedDisclosure(statement, signature)


def _name_members(statement: DisclosureStatement) -> dict[str, Member]:
    return {
        "statement": statement.statement,
        "signer": statement.signer,
        "role": statement.role,
        "covers": statement.covers,
        "documentDigest": statement.document_digest,
        "signedAt": statement.signed_at,
    }
