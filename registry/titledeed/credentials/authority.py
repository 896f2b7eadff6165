"""The development authority: a root that vouches for nobody, and one signing certificate.

The extensions are those that the C2PA certificate profile demands of a claim signer (C2PA 2.4,
"Trust Model", X.509 certificates): a leaf that is no CA, with authority key identifier, critical
key usage ``digitalSignature`` and the extended key usages ``claimSigning`` and
``emailProtection`` together, which validators accept with and without a list of their own.

Both private keys are kept, each as encrypted PKCS#8: the root's key only issues a new signing
certificate when the old one expires, so that files signed earlier keep their trust anchor.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from titledeed.durability import PRIVATE_MODE, replacing
from titledeed.errors import ConfigurationError, PassphraseError

CLAIM_SIGNING: Final = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
ROOT_NAME: Final = "Titledeed development CA"
SIGNER_NAME: Final = "Titledeed development signer"
ORGANIZATION_LENGTH_MAX: Final = 64
"""RFC 5280, upper bound of an organisation name."""
ROOT_VALIDITY: Final = datetime.timedelta(days=20 * 365)
SIGNER_VALIDITY: Final = datetime.timedelta(days=10 * 365)
"""Long, because without a time-stamp a file's signature is only good as long as this."""
_CLOCK_SKEW: Final = datetime.timedelta(minutes=5)

_ROOT_CERTIFICATE: Final = "root.pem"
_ROOT_KEY: Final = "root.key.pem"
_SIGNER_CHAIN: Final = "signer.pem"
_SIGNER_KEY: Final = "signer.key.pem"


@dataclass(frozen=True, slots=True)
class SigningIdentity:
    """What signs manifests.

    Attributes:
        chain_pem: certificates, the signer's first.
        private_key: on P-256.
    """

    chain_pem: str
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """ECDSA over SHA-256 (ES256), DER."""
        return self.private_key.sign(data, ec.ECDSA(hashes.SHA256()))


def create_authority(folder: Path, *, organization: str, passphrase: str) -> None:
    """Make the root and the signing certificate, and store them with their encrypted keys.

    Args:
        folder: made if it is missing (mode 0700).
        organization: named in the signing certificate; 1 to 64 characters that nobody checks.
        passphrase: opens both keys.

    Raises:
        ConfigurationError: an authority is there already, or the organisation's name is too long.
        PassphraseError: the passphrase is empty.
        StorageError: the files cannot be written.
    """
    if (folder / _SIGNER_CHAIN).exists():
        raise ConfigurationError(f"{folder} already holds a signing certificate", path=folder)
    if not 1 <= len(organization) <= ORGANIZATION_LENGTH_MAX:
        raise ConfigurationError(
            f"the organisation's name must have 1 to {ORGANIZATION_LENGTH_MAX} characters"
        )
    if not passphrase:
        raise PassphraseError("an empty passphrase cannot protect a key")
    root_key, signer_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _issue_root(root_key)
    signer = _issue_signer(signer_key, organization, root, root_key)
    _make_folder(folder)
    _write(folder / _ROOT_KEY, _encrypted_pem(root_key, passphrase))
    _write(folder / _SIGNER_KEY, _encrypted_pem(signer_key, passphrase))
    _write(folder / _ROOT_CERTIFICATE, _pem(root))
    # Last: its presence says that the rest is there.
    _write(folder / _SIGNER_CHAIN, _pem(signer) + _pem(root))


def open_signing_identity(folder: Path, passphrase: str) -> SigningIdentity:
    """Open the signing key.

    Raises:
        PassphraseError: the passphrase does not open it.
        ConfigurationError: a file is missing or damaged.
    """
    chain_pem = _read(folder / _SIGNER_CHAIN).decode("ascii", errors="replace")
    path = folder / _SIGNER_KEY
    pem = _read(path)
    if not pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----"):
        raise ConfigurationError(f"{path} is no encrypted private key", path=path)
    try:
        key = serialization.load_pem_private_key(pem, passphrase.encode("utf-8"))
    except (ValueError, TypeError) as error:
        raise PassphraseError(
            f"the passphrase does not open {path}",
            next_step="Give the passphrase that was set when this home was initialised.",
            path=path,
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigurationError(f"{path} holds no P-256 key", path=path)
    return SigningIdentity(chain_pem, key)


def root_certificate(folder: Path) -> str:
    """The root as PEM, for the list of trust anchors. Needs no passphrase.

    Raises:
        ConfigurationError: the file is missing.
    """
    return _read(folder / _ROOT_CERTIFICATE).decode("ascii", errors="replace")


def _issue_root(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ROOT_NAME)])
    return (
        _builder(name, key, issuer=name, validity=ROOT_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _issue_signer(
    key: ec.EllipticCurvePrivateKey,
    organization: str,
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, SIGNER_NAME),
        ]
    )
    usages = x509.ExtendedKeyUsage([CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION])
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    return (
        _builder(name, key, issuer=root.subject, validity=SIGNER_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(certificates=False), critical=True)
        .add_extension(usages, critical=False)
        .add_extension(issuer_key, critical=False)
        .sign(root_key, hashes.SHA256())
    )


def _builder(
    name: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *,
    issuer: x509.Name,
    validity: datetime.timedelta,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    subject_key = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + validity)
        .add_extension(subject_key, critical=False)
    )


def _key_usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _encrypted_pem(key: ec.EllipticCurvePrivateKey, passphrase: str) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.encode("utf-8")),
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{folder} cannot be made: {error.strerror}", path=folder
        ) from error


def _write(path: Path, data: bytes) -> None:
    with replacing(path, mode=PRIVATE_MODE) as file:
        file.write(data)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}",
            next_step="Run `titledeed init`, or restore the home folder from a backup.",
            path=path,
        ) from error
