"""The development authority and its files."""

from __future__ import annotations

from pathlib import Path

import pytest
from credential_builders import PASSPHRASE, Authority
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from titledeed.credentials.authority import (
    CLAIM_SIGNING,
    create_authority,
    open_signing_identity,
    root_certificate,
)
from titledeed.errors import ConfigurationError, PassphraseError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that holds an authority."""
    path = tmp_path / "credentials"
    create_authority(path, organization="Test Studio", passphrase=PASSPHRASE)
    return path


def _chain(authority: Authority) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(authority.identity.chain_pem.encode())


def test_chain_is_leaf_first_and_ends_in_the_root(authority: Authority) -> None:
    leaf, root = _chain(authority)
    leaf.verify_directly_issued_by(root)
    assert [root] == x509.load_pem_x509_certificates(authority.root.encode())


def test_names_say_that_it_is_a_development_authority(authority: Authority) -> None:
    leaf, root = _chain(authority)
    assert root.subject.rfc4514_string() == "CN=Titledeed development CA"
    (organization,) = leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert organization.value == "Test Studio"


def test_leaf_may_sign_claims_and_nothing_else(authority: Authority) -> None:
    leaf, root = _chain(authority)
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    issuer_key = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    root_key = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert usage.critical and usage.value.digital_signature and not usage.value.key_cert_sign
    assert list(purposes) == [CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]
    assert issuer_key.key_identifier == root_key.digest
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_identity_signs_for_its_certificate(authority: Authority) -> None:
    key = _chain(authority)[0].public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(authority.identity.sign(b"data"), b"data", ec.ECDSA(hashes.SHA256()))


def test_private_keys_are_encrypted_and_readable_by_the_owner_alone(folder: Path) -> None:
    keys = sorted(folder.glob("*.key.pem"))
    assert [key.name for key in keys] == ["root.key.pem", "signer.key.pem"]
    for key in keys:
        assert key.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
        assert key.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not list(folder.glob(".*"))


def test_identity_does_not_show_its_key(authority: Authority) -> None:
    assert "private_key" not in repr(authority.identity)


@pytest.mark.parametrize("passphrase", ["wrong", "", "correct horse battery staple "])
def test_wrong_passphrase_opens_nothing(folder: Path, passphrase: str) -> None:
    with pytest.raises(PassphraseError, match=r"signer\.key\.pem"):
        open_signing_identity(folder, passphrase)


def test_root_needs_no_passphrase(folder: Path) -> None:
    assert root_certificate(folder).startswith("-----BEGIN CERTIFICATE-----")


def test_existing_authority_is_never_replaced(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ConfigurationError, match="already"):
        create_authority(folder, organization="Other", passphrase="other")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_interrupted_creation_can_be_taken_up(folder: Path) -> None:
    (folder / "signer.pem").unlink()
    create_authority(folder, organization="Again", passphrase="again")
    assert open_signing_identity(folder, "again")


def test_empty_passphrase_makes_no_authority(tmp_path: Path) -> None:
    with pytest.raises(PassphraseError):
        create_authority(tmp_path / "new", organization="Studio", passphrase="")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("organization", ["", "x" * 65])
def test_organization_that_no_certificate_holds_is_refused(
    tmp_path: Path, organization: str
) -> None:
    with pytest.raises(ConfigurationError, match="1 to 64"):
        create_authority(tmp_path / "new", organization=organization, passphrase="p")


@pytest.mark.parametrize("name", ["signer.pem", "signer.key.pem"])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ConfigurationError, match=name) as caught:
        open_signing_identity(folder, PASSPHRASE)
    assert "titledeed init" in caught.value.next_step


def test_unencrypted_key_is_refused(folder: Path) -> None:
    (folder / "signer.key.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(ConfigurationError, match="no encrypted private key"):
        open_signing_identity(folder, PASSPHRASE)
