"""Signatures over CMS SignedData (RFC 5652), whoever made them, and the DER to read them.

``rfc3161-client`` checks the tokens of authorities on a trust list; of any other it says nothing,
not even whether the token is damaged. That much is checked here, by the certificate that the token
carries. Whether anybody trusts the certificate is not asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import Certificate, load_der_x509_certificate

from titledeed.errors import ProofError

OCTET_STRING: Final = 0x04
SEQUENCE: Final = 0x30
SET: Final = 0x31
CONTEXT_0: Final = 0xA0

_SIGNED_DATA: Final = bytes.fromhex("2a864886f70d010702")
_CONTENT_TYPE: Final = bytes.fromhex("2a864886f70d010903")
_MESSAGE_DIGEST: Final = bytes.fromhex("2a864886f70d010904")
_SIGNING_CERTIFICATE: Final = bytes.fromhex("2a864886f70d010910020c")
_SIGNING_CERTIFICATE_V2: Final = bytes.fromhex("2a864886f70d010910022f")
_HASHES: Final[dict[bytes, hashes.HashAlgorithm]] = {
    bytes.fromhex("608648016503040201"): hashes.SHA256(),
    bytes.fromhex("608648016503040202"): hashes.SHA384(),
    bytes.fromhex("608648016503040203"): hashes.SHA512(),
}


@dataclass(frozen=True, slots=True)
class Element:
    """One DER element: its tag, its content, and all of its bytes."""

    tag: int
    body: bytes
    whole: bytes

    def children(self, count: int = 0) -> list[Element]:
        """The elements that it holds.

        Raises:
            ProofError: there are fewer than ``count``, or it holds something else.
        """
        found = []
        rest = self.body
        while rest:
            element = _read_first(rest)
            found.append(element)
            rest = rest[len(element.whole) :]
        if len(found) < count:
            raise ProofError("the time-stamp lacks a part")
        return found


def read_der(data: bytes) -> Element:
    """Read one element that fills ``data``: tags of one byte and definite lengths only.

    Raises:
        ProofError: it is none.
    """
    element = _read_first(data)
    if element.whole != data:
        raise ProofError("the time-stamp is followed by other bytes")
    return element


def write_der(tag: int, *parts: bytes) -> bytes:
    """Encode one element."""
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 + len(size)]) + size + body


def sort_certificates(content_info: bytes) -> bytes:
    """SignedData with its certificates in the order of DER.

    They are a SET, so that their order says nothing, and no signature covers it; yet authorities
    write them in any order, and strict readers refuse that.

    Raises:
        ProofError: not SignedData.
    """
    kind, parts = _open_content_info(content_info)
    encoded = [
        write_der(part.tag, *sorted(child.whole for child in part.children()))
        if part.tag == CONTEXT_0
        else part.whole
        for part in parts
    ]
    signed_data = write_der(CONTEXT_0, write_der(SEQUENCE, *encoded))
    return write_der(SEQUENCE, kind.whole, signed_data)


def check_signed_data(content_info: bytes) -> Certificate:
    """Check the one signature of SignedData by the certificate that it carries and names.

    Returns:
        The signer's certificate; the signature binds every byte of it (RFC 5035).

    Raises:
        ProofError: damaged, signed by something else, or in a way that this release does not know.
    """
    _, parts = _open_content_info(content_info)
    content_type, content = parts[2].children(2)[:2]
    certificates = [part for part in parts if part.tag == CONTEXT_0]
    signers = parts[-1].children(1)
    if len(signers) != 1 or len(certificates) != 1:
        raise ProofError("the time-stamp has not one signer with a certificate")
    _, _, digest_algorithm, attributes, _, signature = signers[0].children(6)[:6]
    algorithm = _HASHES.get(digest_algorithm.children(1)[0].body)
    if algorithm is None or attributes.tag != CONTEXT_0:
        raise ProofError("the time-stamp is signed in a way that this release does not know")
    signed = _read_attributes(attributes)
    digest = hashlib.new(algorithm.name, content.children(1)[0].body).digest()
    if (signed[_MESSAGE_DIGEST].body, signed[_CONTENT_TYPE].body) != (digest, content_type.body):
        raise ProofError("the time-stamp signs something else than it holds")
    certificate = _find_certificate(certificates[0].children(), signed)
    # What is signed is the SET, not the field in which it stands (RFC 5652, section 5.4).
    _verify(certificate, signature.body, write_der(SET, attributes.body), algorithm)
    return certificate


def _open_content_info(data: bytes) -> tuple[Element, list[Element]]:
    """The content type and the parts of SignedData."""
    kind, wrapper = read_der(data).children(2)[:2]
    if kind.body != _SIGNED_DATA:
        raise ProofError("the time-stamp is no signed data")
    return kind, wrapper.children(1)[0].children(5)


def _read_attributes(attributes: Element) -> dict[bytes, Element]:
    """Signed attributes by object identifier, each with its one value."""
    pairs = [item.children(2)[:2] for item in attributes.children()]
    found = {name.body: values.children(1)[0] for name, values in pairs}
    if len(found) != len(pairs) or not {_MESSAGE_DIGEST, _CONTENT_TYPE} <= found.keys():
        raise ProofError("the time-stamp lacks a signed attribute, or repeats one")
    return found


def _find_certificate(carried: Sequence[Element], signed: dict[bytes, Element]) -> Certificate:
    """The certificate whose hash was signed (RFC 2634, section 5.4; RFC 5035, section 3)."""
    value = signed.get(_SIGNING_CERTIFICATE_V2) or signed.get(_SIGNING_CERTIFICATE)
    if value is None:
        raise ProofError("the time-stamp does not name its signer's certificate")
    first = value.children(1)[0].children(1)[0].children(1)
    name = "sha256" if _SIGNING_CERTIFICATE_V2 in signed else "sha1"
    if first[0].tag == SEQUENCE:
        algorithm = _HASHES.get(first[0].children(1)[0].body)
        name = algorithm.name if algorithm else ""
    expected = next((item.body for item in first if item.tag == OCTET_STRING), b"")
    for item in carried:
        if name and hashlib.new(name, item.whole).digest() == expected:
            try:
                return load_der_x509_certificate(item.whole)
            except ValueError as error:
                raise ProofError("the time-stamp's certificate cannot be read") from error
    raise ProofError("the time-stamp does not carry its signer's certificate")


def _verify(
    certificate: Certificate, signature: bytes, data: bytes, algorithm: hashes.HashAlgorithm
) -> None:
    try:
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(algorithm))
        else:
            raise ProofError("the time-stamp is signed in a way that this release does not know")
    except (InvalidSignature, UnsupportedAlgorithm, ValueError) as error:
        raise ProofError("the time-stamp's signature does not fit its certificate") from error


def _read_first(data: bytes) -> Element:
    start = 2
    length = data[1] if len(data) > 1 else 0xFF
    if length > 0x80:
        start += length - 0x80
        length = int.from_bytes(data[2:start], "big")
    element = Element(data[0] if data else 0, data[start : start + length], data[: start + length])
    # One check for every wasteful or endless way of writing a length.
    if element.tag & 0x1F == 0x1F or write_der(element.tag, element.body) != element.whole:
        raise ProofError("the time-stamp is not DER")
    return element
