"""Time-stamps (RFC 3161): one is asked for over the root of an anchor, and checked offline.

A token says that an authority saw a digest at a time. Whether to believe it depends on who the
authority is: a token may hold although nobody here trusts its authority, and then says so.
"""

from __future__ import annotations

import http.client
import secrets
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import rfc3161_client
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from titledeed.canonical.evidence.bundles import TIMESTAMP_TOKEN_LENGTH_MAX
from titledeed.credentials.signed_data import (
    OCTET_STRING,
    SEQUENCE,
    check_signed_data,
    read_der,
    sort_certificates,
    write_der,
)
from titledeed.errors import ConfigurationError, DependencyError, ProofError
from titledeed.models.evidence import TimestampStatement
from titledeed.models.primitives import Sha256

_SHA256: Final = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_SHA256_ALGORITHM: Final = bytes.fromhex("300d06096086480165030402010500")
_GRANTED: Final = bytes.fromhex("020100")
_NAME_LENGTH_MAX: Final = 200
_NONCE_LENGTH: Final = 8
_USER_AGENT: Final = "titledeed"


class Rfc3161Authority:
    """See ``ports.TimestampAuthority``; over HTTP (RFC 3161, section 3.4).

    Args:
        url: ``http`` or ``https``; plain HTTP is usual, since the answer is signed.
        timeout_s: for each step of the one exchange.

    Raises:
        ConfigurationError: the URL is neither.
    """

    def __init__(self, *, url: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(
                "the URL of the time-stamp authority is neither http nor https",
                next_step="Set TITLEDEED_TIMESTAMP__URL, or unset it to do without time-stamps.",
                setting="TITLEDEED_TIMESTAMP__URL",
            )
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._host = parts.hostname
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._connect = partial(kind, parts.hostname, port, timeout=timeout_s)

    def stamp(self, digest: Sha256) -> bytes:
        """See ``ports.TimestampAuthority.stamp``; the answer is checked before it is returned."""
        # Positive and of fixed length, so that the encoding is, too.
        nonce = bytes([1 + secrets.randbelow(127)]) + secrets.token_bytes(_NONCE_LENGTH - 1)
        answer = self._post(_encode_request(digest, nonce))
        try:
            token = _read_answer(answer, nonce)
            check_token(token, digest, anchors_pem="")
        except ProofError as error:
            raise self._unusable(error.message) from error
        return token

    def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query", "User-Agent": _USER_AGENT}
        connection = self._connect()
        try:
            connection.request("POST", self._target, body, headers)
            with connection.getresponse() as response:
                data: bytes = response.read(TIMESTAMP_TOKEN_LENGTH_MAX + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._unusable(str(error) or type(error).__name__) from error
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            raise self._unusable(f"HTTP {response.status}")
        if len(data) > TIMESTAMP_TOKEN_LENGTH_MAX:
            raise self._unusable("its answer is too long")
        return data

    def _unusable(self, problem: str) -> DependencyError:
        return DependencyError(
            f"the time-stamp authority at {self._host} gives no usable time-stamp: {problem}"[:500],
            next_step="Try again later, or set TITLEDEED_TIMESTAMP__URL to another authority.",
        )


def check_token(token: bytes, digest: Sha256, *, anchors_pem: str) -> TimestampStatement:
    """Check a time-stamp token offline.

    Args:
        token: DER of the CMS structure, as a response carries it.
        digest: what it must be over.
        anchors_pem: certificates to which a trusted authority leads; may be empty.

    Raises:
        ProofError: the token is over something else, damaged, or signed by no time-stamp authority.
    """
    info = _read_info(token)
    if (info.hash_algorithm, info.digest) != (_SHA256, digest):
        raise ProofError("the time-stamp is over something else")
    certificate = check_signed_data(token)
    _check_purpose(certificate)
    trusted = bool(anchors_pem.strip()) and _is_trusted(token, digest, anchors_pem)
    return TimestampStatement(
        time=info.time,
        authority=_name(certificate),
        trusted=trusted,
        reason="its authority is on a trust list" if trusted else "authority not on a trust list",
    )


def _encode_request(digest: Sha256, nonce: bytes) -> bytes:
    """``TimeStampReq`` (RFC 3161, section 2.4.1) that asks for the authority's certificate."""
    version, wants_certificate = write_der(0x02, b"\x01"), write_der(0x01, b"\xff")
    imprint = write_der(SEQUENCE, _SHA256_ALGORITHM, write_der(OCTET_STRING, digest))
    return write_der(SEQUENCE, version, imprint, write_der(0x02, nonce), wants_certificate)


def _read_answer(answer: bytes, nonce: bytes) -> bytes:
    """The token of a ``TimeStampResp`` (RFC 3161, section 2.4.2) to our request."""
    parts = read_der(answer).children(1)
    if parts[0].children(1)[0].whole != _GRANTED or len(parts) != 2:
        raise ProofError("the authority refuses the request")
    token = sort_certificates(parts[1].whole)
    if _read_info(token).nonce != int.from_bytes(nonce, "big"):
        raise ProofError("the time-stamp answers another request")
    return token


@dataclass(frozen=True, slots=True)
class _Info:
    """``TSTInfo`` (RFC 3161, section 2.4.2), as far as it is needed here."""

    hash_algorithm: x509.ObjectIdentifier
    digest: bytes
    time: int
    nonce: int | None


def _decode(token: bytes) -> rfc3161_client.TimeStampResponse:
    """The token as the library reads it: in a response."""
    return rfc3161_client.decode_timestamp_response(
        write_der(SEQUENCE, write_der(SEQUENCE, _GRANTED), token)
    )


def _read_info(token: bytes) -> _Info:
    try:
        info = _decode(token).tst_info
        imprint = info.message_imprint
        time = int(info.gen_time.timestamp())
        return _Info(imprint.hash_algorithm, imprint.message, time, info.nonce)
    except ValueError as error:
        raise ProofError("the time-stamp is no token of RFC 3161") from error


def _check_purpose(certificate: x509.Certificate) -> None:
    """The certificate is one of a time-stamp authority and nothing else (RFC 3161, section 2.3)."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError) as error:
        raise ProofError("the time-stamp is signed by no time-stamp authority") from error
    purposes = list(usage.value)
    if not usage.critical or purposes != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise ProofError("the time-stamp is signed by no time-stamp authority")


def _is_trusted(token: bytes, digest: Sha256, anchors_pem: str) -> bool:
    try:
        roots = x509.load_pem_x509_certificates(anchors_pem.encode("ascii"))
        verifier = rfc3161_client.VerifierBuilder(roots=roots).build()
        return verifier.verify(_decode(token), digest)
    except rfc3161_client.VerificationError:
        return False
    except ValueError as error:
        raise ConfigurationError("the trust list holds no readable PEM certificates") from error


def _name(certificate: x509.Certificate) -> str:
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for attribute in certificate.subject.get_attributes_for_oid(kind):
            return str(attribute.value)[:_NAME_LENGTH_MAX]
    return "an authority without a name"
