from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ethereum_oracle import Account

from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import ZERO_ADDRESS
from titledeed.chain.key_folder import KeyFolder, read_recovery_address
from titledeed.chain.keys import WORK_FACTOR_GENERATED
from titledeed.errors import (
    ConfigurationError,
    ConflictError,
    InvalidRequestError,
    MalformedDocumentError,
    NotFoundError,
    PassphraseError,
    StorageError,
)
from titledeed.models.evidence import ChainKind
from titledeed.proofs.signatures import recover_signer

PASSPHRASE = "the passphrase of the home"
SECRET = keccak256(b"made elsewhere")
ANVIL_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"


def asked_for_nothing() -> str:
    raise AssertionError("asked for a passphrase")


def open_folder(
    path: Path,
    *,
    passphrase: Callable[[], str] = lambda: PASSPHRASE,
    kind: ChainKind = ChainKind.DEVELOPMENT,
) -> KeyFolder:
    return KeyFolder(
        folder=path,
        passphrase=passphrase,
        kind=kind,
        work_factor=WORK_FACTOR_GENERATED,
    )


def test_new_keys_are_listed_by_role_without_a_passphrase(tmp_path: Path) -> None:
    folder = open_folder(tmp_path)
    made = {name: folder.create(name).address for name in ("spare", "sender", "claimant")}
    listed = open_folder(tmp_path, passphrase=asked_for_nothing).list_all()
    assert [(entry.name, entry.address) for entry in listed] == [
        ("claimant", made["claimant"]),
        ("sender", made["sender"]),
        ("spare", made["spare"]),
    ]
    assert [entry.role for entry in listed] == [
        "signs the claims of this home",
        "pays for transactions",
        "not used by this home",
    ]


def test_the_recovery_account_stays_known_when_its_key_is_taken_away(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "keys")
    assert read_recovery_address(tmp_path / "keys") == ZERO_ADDRESS
    made = folder.create("recovery")
    assert made.path is not None
    elsewhere = made.path.rename(tmp_path / "in-the-safe.json")
    assert read_recovery_address(tmp_path / "keys") == made.address
    (listed,) = folder.list_all()
    assert (listed.address, listed.path) == (made.address, None)
    with pytest.raises(NotFoundError):
        folder.open("recovery")
    digest = keccak256(b"x")
    assert recover_signer(digest, folder.open(str(elsewhere)).sign_digest(digest)) == made.address


def test_a_damaged_recovery_account_is_told(tmp_path: Path) -> None:
    (tmp_path / "recovery.address").write_text("0x1")
    with pytest.raises(StorageError):
        read_recovery_address(tmp_path)


@pytest.mark.parametrize("prefix", ["", "0x"])
def test_a_private_key_is_taken_in(tmp_path: Path, prefix: str) -> None:
    data = f"{prefix}{SECRET.hex()}\n".encode()
    entry = open_folder(tmp_path).import_key("claimant", data, asked_for_nothing)
    assert entry.address == Account.from_key(SECRET).address
    digest = keccak256(b"x")
    signature = open_folder(tmp_path).open("claimant").sign_digest(digest)
    assert recover_signer(digest, signature) == entry.address


def test_a_keystore_is_encrypted_anew_with_the_passphrase_of_the_home(tmp_path: Path) -> None:
    keystore = Account.encrypt(SECRET, "another passphrase", iterations=2**10)
    data = json.dumps(keystore).encode()
    entry = open_folder(tmp_path).import_key("sender", data, lambda: "another passphrase")
    assert entry.path is not None
    assert bytes(Account.decrypt(json.loads(entry.path.read_text()), PASSPHRASE)) == bytes(SECRET)


def test_a_keystore_that_does_not_open_leaves_nothing(tmp_path: Path) -> None:
    data = json.dumps(Account.encrypt(SECRET, "another passphrase", iterations=2**10)).encode()
    with pytest.raises(PassphraseError):
        open_folder(tmp_path).import_key("sender", data, lambda: "wrong")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "12" * 31,
        "12" * 33,
        "0" * 64,
        "f" * 64,
        '{"version": 2}',
        '{"version": 3, "address": "00"}',
        "x" * 70_000,
    ],
)
def test_what_is_no_key_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    with pytest.raises(MalformedDocumentError) as caught:
        open_folder(tmp_path).import_key("sender", text.encode(), lambda: PASSPHRASE)
    assert len(text) < 3 or text not in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_everybody_has_is_refused_on_a_public_chain(tmp_path: Path) -> None:
    data = ANVIL_KEY.encode()
    with pytest.raises(ConfigurationError, match="public knowledge"):
        open_folder(tmp_path, kind=ChainKind.PUBLIC).import_key("sender", data, asked_for_nothing)
    taken = open_folder(tmp_path).import_key("sender", data, asked_for_nothing)
    assert taken.address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


@pytest.mark.parametrize("name", ["", "../claimant", "Claimant", ".hidden", "a b", "x" * 41])
def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRequestError):
        open_folder(tmp_path).create(name)
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    folder = open_folder(tmp_path)
    before = folder.create("claimant").address
    with pytest.raises(ConflictError):
        folder.import_key("claimant", SECRET.hex().encode(), asked_for_nothing)
    assert folder.open("claimant").address == before


def test_an_empty_passphrase_protects_nothing(tmp_path: Path) -> None:
    with pytest.raises(PassphraseError):
        open_folder(tmp_path, passphrase=lambda: "").create("claimant")
