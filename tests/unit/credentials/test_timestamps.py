"""Time-stamps of a real authority: asked for, kept, and checked offline."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from timestamp_builders import (
    AUTHORITY_NAME,
    OpensslAuthority,
    build_certificate,
    serve,
    sign_again,
)

from titledeed.canonical.hashing import sha256
from titledeed.credentials.signed_data import read_der, sort_certificates
from titledeed.credentials.timestamps import Rfc3161Authority, check_token
from titledeed.errors import ConfigurationError, DependencyError, ProofError
from titledeed.models.primitives import Sha256

DIGEST: Final = sha256(b"a Merkle root")
KEYS: Final[dict[str, Callable[[], ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey]]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "RSA": lambda: rsa.generate_private_key(65_537, 2_048),
}


@dataclass(frozen=True)
class Stamped:
    authority: OpensslAuthority
    token: bytes


@pytest.fixture(scope="module")
def stamped(tmp_path_factory: pytest.TempPathFactory) -> Stamped:
    authority = OpensslAuthority(tmp_path_factory.mktemp("authority"))
    return Stamped(authority, stamp(authority))


def stamp(authority: OpensslAuthority, digest: Sha256 = DIGEST) -> bytes:
    with serve(authority.answer) as url:
        return Rfc3161Authority(url=url, timeout_s=20).stamp(digest)


@pytest.mark.parametrize("kind", KEYS)
def test_a_token_says_who_saw_the_digest_and_when(kind: str, tmp_path: Path) -> None:
    authority = OpensslAuthority(tmp_path, key=KEYS[kind]())
    statement = check_token(stamp(authority), DIGEST, anchors_pem=authority.root_pem)
    assert statement.authority == AUTHORITY_NAME
    assert abs(statement.time - time.time()) < 60
    assert statement.trusted
    assert "is on a trust list" in statement.reason


def test_a_token_of_an_authority_that_nobody_lists_holds_and_says_so(
    stamped: Stamped, tmp_path: Path
) -> None:
    stranger = OpensslAuthority(tmp_path)  # the same names, other keys
    for anchors in ("", stranger.root_pem):
        statement = check_token(stamped.token, DIGEST, anchors_pem=anchors)
        assert not statement.trusted
        assert statement.authority == AUTHORITY_NAME
        assert "not on a trust list" in statement.reason


def test_openssl_verifies_what_is_kept(stamped: Stamped, tmp_path: Path) -> None:
    """A token is worth something without any code of ours."""
    (tmp_path / "root.pem").write_text(stamped.authority.root_pem)
    (tmp_path / "token").write_bytes(stamped.token)
    files = ["-token_in", "-in", "token", "-CAfile", "root.pem"]
    done = subprocess.run(
        ["openssl", "ts", "-verify", *files, "-digest", DIGEST.hex()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Verification: OK" in done.stdout, done.stderr


def test_a_token_over_something_else_fails(stamped: Stamped) -> None:
    with pytest.raises(ProofError, match="over something else"):
        check_token(stamped.token, sha256(b"another root"), anchors_pem="")


def test_no_damaged_byte_changes_what_a_token_says(stamped: Stamped) -> None:
    """What no signature covers may change, but not the time, the authority or the trust."""
    token, anchors = stamped.token, stamped.authority.root_pem
    sound = check_token(token, DIGEST, anchors_pem=anchors)
    untouched = 0
    for place in range(len(token)):
        for mask in (0x01, 0x80):
            damaged = token[:place] + bytes([token[place] ^ mask]) + token[place + 1 :]
            try:
                statement = check_token(damaged, DIGEST, anchors_pem="")
            except ProofError:
                continue
            untouched += 1
            assert (statement.time, statement.authority) == (sound.time, sound.authority)
    assert untouched < 2 * len(token) / 10


def test_a_token_cut_short_or_followed_by_something_fails(stamped: Stamped) -> None:
    for damaged in [stamped.token[:length] for length in range(0, len(stamped.token), 7)]:
        with pytest.raises(ProofError):
            check_token(damaged, DIGEST, anchors_pem="")
    with pytest.raises(ProofError):
        check_token(stamped.token + b"\0", DIGEST, anchors_pem="")


def test_certificates_in_any_order_are_read(tmp_path: Path) -> None:
    """openssl, like many authorities, does not sort them; a strict reader refuses that."""
    authority = OpensslAuthority(tmp_path, with_chain=True)
    for _ in range(3):
        token = stamp(authority)
        assert sort_certificates(token) == token
        assert check_token(token, DIGEST, anchors_pem=authority.root_pem).trusted


STAMPING: Final = ExtendedKeyUsageOID.TIME_STAMPING
SIGNING: Final = ExtendedKeyUsageOID.CODE_SIGNING
USAGES: Final[dict[str, tuple[x509.ExtendedKeyUsage | None, bool]]] = {
    "for time-stamps": (x509.ExtendedKeyUsage([STAMPING]), True),
    "not critical": (x509.ExtendedKeyUsage([STAMPING]), False),
    "for code": (x509.ExtendedKeyUsage([SIGNING]), True),
    "for both": (x509.ExtendedKeyUsage([STAMPING, SIGNING]), True),
    "for certificates": (None, True),
}


@pytest.mark.parametrize("name", USAGES)
def test_only_a_certificate_for_time_stamps_stamps(stamped: Stamped, name: str) -> None:
    """RFC 3161, section 2.3: the usage is critical, and the only one."""
    usage, critical = USAGES[name]
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = build_certificate("Stranger", key, issuer_key=key, usage=usage, critical=critical)
    token = sign_again(stamped.token, certificate, key)
    if name == "for time-stamps":
        anchors = stamped.authority.root_pem
        statement = check_token(token, DIGEST, anchors_pem=anchors)
        assert (statement.authority, statement.trusted) == ("Stranger", False)
    else:
        with pytest.raises(ProofError, match="no time-stamp authority"):
            check_token(token, DIGEST, anchors_pem="")


def test_nobody_signs_with_another_key_than_the_certificate_holds(stamped: Stamped) -> None:
    usage, critical = USAGES["for time-stamps"]
    key, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    certificate = build_certificate("Stranger", key, issuer_key=key, usage=usage, critical=critical)
    with pytest.raises(ProofError, match="does not fit its certificate"):
        check_token(sign_again(stamped.token, certificate, other), DIGEST, anchors_pem="")


def test_a_trust_list_that_holds_no_certificates_is_refused(stamped: Stamped) -> None:
    with pytest.raises(ConfigurationError):
        check_token(stamped.token, DIGEST, anchors_pem="no PEM")


ANSWERS: Final[dict[str, tuple[int, bytes]]] = {
    "not found": (404, b""),
    "nothing": (200, b""),
    "no DER": (200, b"<html>Please log in</html>"),
    "a refusal": (200, bytes.fromhex("30053003020102")),
    "no token": (200, bytes.fromhex("30053003020100")),
    "far too much": (200, bytes(1_000_000)),
    "a token that is none": (200, bytes.fromhex("300730030201003000")),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_authority_that_gives_no_token_is_down(name: str) -> None:
    with serve(lambda _: ANSWERS[name]) as url, pytest.raises(DependencyError) as caught:
        Rfc3161Authority(url=url, timeout_s=20).stamp(DIGEST)
    assert caught.value.retryable
    assert "127.0.0.1" in caught.value.message


def test_an_answer_to_another_request_is_refused(stamped: Stamped, tmp_path: Path) -> None:
    """Whether it is over another digest, or only over another nonce."""
    kept: list[bytes] = []
    authority = OpensslAuthority(tmp_path)

    def answer(query: bytes) -> tuple[int, bytes]:
        kept.append(query)
        return authority.answer(kept[0])

    with serve(answer) as url:
        client = Rfc3161Authority(url=url, timeout_s=20)
        client.stamp(DIGEST)
        with pytest.raises(DependencyError, match="another request"):
            client.stamp(DIGEST)
    other = authority.answer(kept[0].replace(DIGEST, sha256(b"other")))
    with (
        serve(lambda query: (200, with_nonce_of(query, kept[0], other[1]))) as url,
        pytest.raises(DependencyError, match="over something else"),
    ):
        Rfc3161Authority(url=url, timeout_s=20).stamp(DIGEST)


def with_nonce_of(query: bytes, other_query: bytes, answer: bytes) -> bytes:
    """An answer with the nonce of a query in the place of that of another query."""
    nonce, other = (read_der(item).children()[2].whole for item in (query, other_query))
    assert answer.count(other) == 1
    return answer.replace(other, nonce)


@pytest.mark.parametrize("url", ["ftp://example.org", "example.org", "http://", "http://a:b"])
def test_an_authority_has_an_http_url(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Rfc3161Authority(url=url, timeout_s=1)


def test_an_authority_that_is_not_there_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(DependencyError):
        Rfc3161Authority(url=f"http://127.0.0.1:{port}/", timeout_s=2).stamp(DIGEST)
