from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from canonical_samples import DOMAIN, sample_bundle
from ethereum_oracle import Account

from titledeed.canonical.hashing import keccak256
from titledeed.chain.keys import (
    WORK_FACTOR_GENERATED,
    FileKeyStore,
    KeyFile,
    create_key_file,
    generate_passphrase,
)
from titledeed.errors import (
    ConflictError,
    HomeNotInitializedError,
    NotAuthorizedError,
    PassphraseError,
    StorageError,
)
from titledeed.models.primitives import Address
from titledeed.proofs.signatures import check_claim, recover_signer

PASSPHRASE = "a passphrase of a test"


@pytest.fixture
def key_file(tmp_path: Path) -> tuple[Path, Address]:
    path = tmp_path / "keys" / "claimant.json"
    address = create_key_file(path, passphrase=PASSPHRASE, work_factor=WORK_FACTOR_GENERATED)
    return path, address


def test_file_is_for_its_owner_alone(key_file: tuple[Path, Address]) -> None:
    path, _ = key_file
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["claimant.json"]


def test_other_tools_open_the_file(key_file: tuple[Path, Address]) -> None:
    path, address = key_file
    key = Account.decrypt(json.loads(path.read_text()), PASSPHRASE)
    assert Account.from_key(key).address == address


@pytest.mark.parametrize("kdf", ["scrypt", "pbkdf2"])
def test_files_of_other_tools_open(tmp_path: Path, kdf: Literal["scrypt", "pbkdf2"]) -> None:
    secret = keccak256(b"made elsewhere")
    path = tmp_path / "key.json"
    path.write_text(json.dumps(Account.encrypt(secret, PASSPHRASE, kdf=kdf, iterations=2**10)))
    key = KeyFile(path=path, passphrase=lambda: PASSPHRASE)
    assert key.address == Account.from_key(secret).address
    assert recover_signer(secret, key.sign_digest(secret)) == key.address


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kdf", "none"),
        ("kdf", "pbkdf2"),
        ("ciphertext", "zz"),
        ("ciphertext", 5),
        ("mac", None),
        ("cipherparams", []),
        ("cipherparams", {"iv": "00"}),
        ("kdfparams", {}),
        ("kdfparams", {"dklen": 32, "n": 2**40, "r": 8, "p": 1, "salt": "00"}),
        ("kdfparams", {"dklen": 32, "n": 1000, "r": 8, "p": 1, "salt": "00"}),
        ("kdfparams", {"dklen": 16, "n": 1024, "r": 8, "p": 1, "salt": "00"}),
    ],
)
def test_damaged_keystore_is_told(key_file: tuple[Path, Address], name: str, value: object) -> None:
    path, _ = key_file
    keystore = json.loads(path.read_text())
    keystore["crypto"][name] = value
    path.write_text(json.dumps(keystore))
    with pytest.raises((StorageError, PassphraseError)):
        KeyFile(path=path, passphrase=lambda: PASSPHRASE).sign_digest(keccak256(b"x"))


def test_account_is_read_without_the_passphrase(key_file: tuple[Path, Address]) -> None:
    def refuse() -> str:
        raise AssertionError("asked for the passphrase")

    path, address = key_file
    store = FileKeyStore(KeyFile(path=path, passphrase=refuse))
    assert store.address == address
    assert store.holds(address)


def test_passphrase_is_asked_once(key_file: tuple[Path, Address]) -> None:
    asked: list[str] = []

    def ask() -> str:
        asked.append("x")
        return PASSPHRASE

    path, address = key_file
    key = KeyFile(path=path, passphrase=ask)
    assert asked == []
    for word in (b"one", b"two"):
        digest = keccak256(word)
        assert recover_signer(digest, key.sign_digest(digest)) == address
    assert asked == ["x"]


def test_signed_claim_passes_its_check(key_file: tuple[Path, Address]) -> None:
    path, address = key_file
    store = FileKeyStore(KeyFile(path=path, passphrase=lambda: PASSPHRASE))
    claim = sample_bundle().dossier.record.signed_claim.claim
    check_claim(store.sign_claim(replace(claim, claimant=address), DOMAIN))


def test_a_key_store_signs_for_its_own_account_only(key_file: tuple[Path, Address]) -> None:
    path, address = key_file
    store = FileKeyStore(KeyFile(path=path, passphrase=lambda: PASSPHRASE))
    digest = keccak256(b"x")
    assert recover_signer(digest, store.sign_digest(digest, address)) == address
    claim = sample_bundle().dossier.record.signed_claim.claim
    assert not store.holds(claim.claimant)
    with pytest.raises(NotAuthorizedError, match=claim.claimant):
        store.sign_claim(claim, DOMAIN)
    with pytest.raises(NotAuthorizedError, match=claim.claimant):
        store.sign_digest(digest, claim.claimant)


def test_wrong_passphrase_is_told(key_file: tuple[Path, Address]) -> None:
    key = KeyFile(path=key_file[0], passphrase=lambda: "hunter2")
    with pytest.raises(PassphraseError) as caught:
        key.sign_digest(keccak256(b"x"))
    assert "hunter2" not in caught.value.message


def test_a_key_is_never_overwritten(key_file: tuple[Path, Address]) -> None:
    path, _ = key_file
    before = path.read_bytes()
    with pytest.raises(ConflictError):
        create_key_file(path, passphrase=PASSPHRASE, work_factor=WORK_FACTOR_GENERATED)
    assert path.read_bytes() == before


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(HomeNotInitializedError):
        _ = KeyFile(path=tmp_path / "none.json", passphrase=lambda: PASSPHRASE).address


@pytest.mark.parametrize(
    "text",
    ["", "[]", "not json", '{"version": 2}', '{"version": 3}', '{"version": 3, "address": "0x1"}'],
)
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(text)
    with pytest.raises(StorageError):
        _ = KeyFile(path=path, passphrase=lambda: PASSPHRASE).address


def test_file_without_its_secret_part_does_not_open(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps({"version": 3, "address": "00" * 20}))
    with pytest.raises(StorageError, match="complete"):
        KeyFile(path=path, passphrase=lambda: PASSPHRASE).sign_digest(keccak256(b"x"))


def test_file_that_names_another_account_is_refused(key_file: tuple[Path, Address]) -> None:
    path, _ = key_file
    keystore = json.loads(path.read_text()) | {"address": "11" * 20}
    path.write_text(json.dumps(keystore))
    with pytest.raises(StorageError, match="another account"):
        KeyFile(path=path, passphrase=lambda: PASSPHRASE).sign_digest(keccak256(b"x"))


def test_generated_passphrases_are_long_and_differ() -> None:
    assert len({generate_passphrase() for _ in range(10)}) == 10
    assert len(generate_passphrase()) >= 43
