"""What every ``KeyStore`` promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from builders import build_claimant, build_domain, build_dossier
from simulation.key_simulator import KeySimulator

from titledeed.canonical.claims import hash_claim
from titledeed.canonical.hashing import keccak256
from titledeed.chain.keys import FileKeyStore, KeyFile, create_key_file
from titledeed.errors import NotAuthorizedError, PassphraseError
from titledeed.models.claim import Claim
from titledeed.ports import KeyStore
from titledeed.proofs.signatures import check_claim, recover_signer

CLAIMANT = build_claimant(0)
WORK_FACTOR = 2**4
"""scrypt n: as little as there is, since nobody attacks this key."""


def _in_a_file(folder: Path, *, is_locked: bool) -> KeyStore:
    path = folder / "claimant.json"
    create_key_file(path, passphrase="right", work_factor=WORK_FACTOR, key=CLAIMANT.key.secret)
    passphrase = "wrong" if is_locked else "right"
    return FileKeyStore(KeyFile(path=path, passphrase=lambda: passphrase))


def _simulated(_folder: Path, *, is_locked: bool) -> KeyStore:
    keys = KeySimulator(CLAIMANT)
    keys.is_locked = is_locked
    return keys


@pytest.fixture(params=[_in_a_file, _simulated])
def build(request: pytest.FixtureRequest) -> Callable[..., KeyStore]:
    found: Callable[..., KeyStore] = request.param
    return found


@pytest.fixture
def keys(build: Callable[..., KeyStore], tmp_path: Path) -> KeyStore:
    return build(tmp_path, is_locked=False)


@pytest.fixture
def claim() -> Claim:
    return build_dossier(1).record.signed_claim.claim


def test_a_claim_is_signed_as_typed_data(keys: KeyStore, claim: Claim) -> None:
    signed = keys.sign_claim(claim, build_domain())
    assert (signed.claim, signed.domain) == (claim, build_domain())
    check_claim(signed)
    assert signed.signature == keys.sign_digest(hash_claim(claim, build_domain()), CLAIMANT.address)


def test_a_digest_is_signed_as_it_is_and_always_the_same(keys: KeyStore) -> None:
    digest = keccak256(b"a digest")
    signature = keys.sign_digest(digest, CLAIMANT.address)
    assert recover_signer(digest, signature) == CLAIMANT.address
    assert keys.sign_digest(digest, CLAIMANT.address) == signature


def test_it_signs_for_nobody_else(keys: KeyStore, claim: Claim) -> None:
    other = build_claimant(1).address
    assert keys.holds(CLAIMANT.address)
    assert not keys.holds(other)
    with pytest.raises(NotAuthorizedError):
        keys.sign_digest(keccak256(b"a digest"), other)
    with pytest.raises(NotAuthorizedError):
        keys.sign_claim(replace(claim, claimant=other), build_domain())


def test_a_locked_key_names_its_claimant_and_signs_nothing(
    build: Callable[..., KeyStore], tmp_path: Path, claim: Claim
) -> None:
    keys = build(tmp_path, is_locked=True)
    assert keys.holds(CLAIMANT.address)
    with pytest.raises(PassphraseError):
        keys.sign_claim(claim, build_domain())
    with pytest.raises(PassphraseError):
        keys.sign_digest(keccak256(b"a digest"), CLAIMANT.address)
