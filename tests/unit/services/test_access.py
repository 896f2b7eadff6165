"""Tokens: only their digests are kept, and a wrong one is never taken for none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import OWNER, build_address, build_principal
from repository_adapters import open_sqlite

from titledeed.errors import NotAuthorizedError
from titledeed.models.principal import ALL_SCOPES, ANONYMOUS, Principal, PrincipalKind, Scope
from titledeed.services.access import AccessService, require_claimant, require_scope


@pytest.fixture
def access(tmp_path: Path) -> Iterator[AccessService]:
    repositories = open_sqlite(tmp_path)
    assert OWNER.claimant is not None
    yield AccessService(tokens=repositories.tokens, home=OWNER.claimant)
    repositories.close()


def test_the_public_needs_no_token(access: AccessService) -> None:
    assert access.identify(None) is ANONYMOUS


def test_each_token_is_the_owners_and_new(access: AccessService) -> None:
    tokens = {access.issue_token() for _ in range(3)}
    assert len(tokens) == 3
    for token in tokens:
        assert len(token) > 40
        assert access.identify(token) == OWNER


def test_a_token_of_another_account_is_not_the_owners(access: AccessService) -> None:
    account = build_address(5)
    token = access.issue_token(account, {Scope.READ, Scope.AUDIT})
    found = access.identify(token)
    assert found == Principal(PrincipalKind.TOKEN, account, frozenset({Scope.READ, Scope.AUDIT}))
    assert not found.may(Scope.REGISTER)


def test_a_token_of_the_homes_own_account_is_the_owners(access: AccessService) -> None:
    found = access.identify(access.issue_token(OWNER.claimant, {Scope.READ}))
    assert found.is_owner
    assert found.scopes == {Scope.READ}


@pytest.mark.parametrize(
    ("principal", "scope", "refusal"),
    [
        (ANONYMOUS, Scope.READ, None),
        (ANONYMOUS, Scope.REGISTER, "this needs a token"),
        (ANONYMOUS, Scope.AUDIT, "this needs a token"),
        (build_principal(1, Scope.READ), Scope.AUDIT, "the scope 'audit'"),
        (build_principal(1, Scope.AUDIT), Scope.READ, "the scope 'read'"),
        (build_principal(1), Scope.REGISTER, None),
        (OWNER, Scope.AUDIT, None),
    ],
)
def test_what_a_scope_is_missing_for_is_refused(
    principal: Principal, scope: Scope, refusal: str | None
) -> None:
    if refusal is None:
        require_scope(principal, scope)
        return
    with pytest.raises(NotAuthorizedError, match=refusal):
        require_scope(principal, scope)


def test_only_an_account_can_claim() -> None:
    assert require_claimant(OWNER, Scope.REGISTER) == OWNER.claimant
    nobody = Principal(PrincipalKind.OWNER, None, ALL_SCOPES)
    with pytest.raises(NotAuthorizedError, match="an account"):
        require_claimant(nobody, Scope.REGISTER)


@pytest.mark.parametrize("token", ["", "td_", "wrong", "é", "\0", "x" * 100_000])
def test_a_wrong_token_is_not_taken_for_none(access: AccessService, token: str) -> None:
    access.issue_token()
    with pytest.raises(NotAuthorizedError):
        access.identify(token)


def test_a_token_with_anything_added_is_wrong(access: AccessService) -> None:
    token = access.issue_token()
    for wrong in (token + " ", " " + token, token[:-1], token.upper(), token.lower()):
        with pytest.raises(NotAuthorizedError):
            access.identify(wrong)


def test_the_database_does_not_tell_a_token(access: AccessService, tmp_path: Path) -> None:
    token = access.issue_token()
    with sqlite3.connect(tmp_path / "store.sqlite3") as database:
        dump = "\n".join(database.iterdump())
    database.close()
    assert "titledeed" in dump or "token" in dump
    assert token not in dump
    assert token.removeprefix("td_").encode().hex() not in dump.lower()
