"""A real time-stamp authority for tests: ``openssl ts`` behind a small HTTP server."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from titledeed.credentials.signed_data import (
    CONTEXT_0,
    OCTET_STRING,
    SEQUENCE,
    SET,
    read_der,
    write_der,
)

AUTHORITY_NAME: Final = "Test time-stamp authority"
CONFIGURATION: Final = """
[tsa]
default_tsa = authority
[authority]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Answer = Callable[[bytes], tuple[int, bytes]]


def require_openssl() -> None:
    if shutil.which("openssl"):
        return
    if os.environ.get("CI") == "true":
        pytest.fail("openssl is not installed; under CI that is a failure")
    pytest.skip("openssl is not installed")


class OpensslAuthority:
    """Answers time-stamp queries with a certificate that its own root issued.

    Args:
        folder: empty; holds keys, certificates and the serial number.
        key: the authority's.
        with_chain: answers carry the root as well, in the order in which openssl writes it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        key: Key | None = None,
        with_chain: bool = False,
    ) -> None:
        require_openssl()
        self._folder = folder
        self._with_chain = with_chain
        root_key = ec.generate_private_key(ec.SECP256R1())
        own_key = key or ec.generate_private_key(ec.SECP256R1())
        root = build_certificate("Test root", root_key, issuer_key=root_key)
        stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        own = build_certificate(AUTHORITY_NAME, own_key, issuer_key=root_key, usage=stamping)
        self.root_pem = root.public_bytes(serialization.Encoding.PEM).decode("ascii")
        (folder / "root.pem").write_text(self.root_pem)
        (folder / "own.pem").write_bytes(own.public_bytes(serialization.Encoding.PEM))
        (folder / "own.key").write_bytes(
            own_key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        (folder / "openssl.cnf").write_text(CONFIGURATION)
        (folder / "serial").write_text("01\n")

    def answer(self, query: bytes) -> tuple[int, bytes]:
        """HTTP status and body."""
        (self._folder / "query").write_bytes(query)
        chain = ["-chain", "root.pem"] if self._with_chain else []
        files = ["-queryfile", "query", "-signer", "own.pem", "-inkey", "own.key", "-out", "answer"]
        subprocess.run(
            ["openssl", "ts", "-reply", "-config", "openssl.cnf", *files, *chain],
            cwd=self._folder,
            capture_output=True,
            check=True,
        )
        return 200, (self._folder / "answer").read_bytes()


@contextmanager
def serve(answer: Answer) -> Iterator[str]:
    """The URL of a server that answers every POST so."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/timestamp-query"
            status, body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsr"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def build_certificate(
    subject: str,
    key: Key,
    *,
    issuer_key: ec.EllipticCurvePrivateKey,
    usage: x509.ExtendedKeyUsage | None = None,
    critical: bool = True,
) -> x509.Certificate:
    """A certificate by ``Test root``; without a usage it may issue others."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name("Test root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(2049, 1, 1, tzinfo=datetime.UTC))
        .add_extension(x509.BasicConstraints(ca=usage is None, path_length=None), critical=True)
    )
    if usage is not None:
        builder = builder.add_extension(usage, critical=critical)
    return builder.sign(issuer_key, hashes.SHA256())


def sign_again(
    token: bytes, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> bytes:
    """A token with the same statement, signed by the holder of another certificate (ECDSA)."""
    kind, wrapper = read_der(token).children()
    version, algorithms, content, carried, signers = wrapper.children()[0].children()
    honest = x509.load_der_x509_certificate(carried.children()[0].whole)
    other = certificate.public_bytes(serialization.Encoding.DER)
    number, _, digest, attributes, algorithm, _ = signers.children()[0].children()
    issuer = read_der(certificate.issuer.public_bytes()).whole
    serial = certificate.serial_number.to_bytes(21, "big").lstrip(b"\0")
    if serial[0] >= 0x80:
        serial = b"\0" + serial
    # The certificate's hash; its issuer and serial number, which openssl adds, may be left out.
    named = write_der(SEQUENCE, write_der(OCTET_STRING, certificate.fingerprint(hashes.SHA256())))
    values = [
        write_der(SEQUENCE, name.whole, write_der(SET, write_der(SEQUENCE, named_list)))
        if honest.fingerprint(hashes.SHA256()) in value.whole
        else write_der(SEQUENCE, name.whole, value.whole)
        for name, value in (item.children() for item in attributes.children())
        for named_list in [write_der(SEQUENCE, named)]
    ]
    body = b"".join(sorted(values))
    signature = key.sign(write_der(SET, body), ec.ECDSA(hashes.SHA256()))
    signer = write_der(
        SEQUENCE,
        number.whole,
        write_der(SEQUENCE, issuer, write_der(0x02, serial)),
        digest.whole,
        write_der(CONTEXT_0, body),
        algorithm.whole,
        write_der(OCTET_STRING, signature),
    )
    parts = [version.whole, algorithms.whole, content.whole, write_der(CONTEXT_0, other)]
    signed_data = write_der(SEQUENCE, *parts, write_der(SET, signer))
    return write_der(SEQUENCE, kind.whole, write_der(CONTEXT_0, signed_data))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
