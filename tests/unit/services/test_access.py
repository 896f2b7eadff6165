"""Tokens: only their digests are kept, and a wrong one is never taken for none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from repository_adapters import open_sqlite

from titledeed.errors import NotAuthorizedError
from titledeed.models.registration import Viewer
from titledeed.services.access import AccessService


@pytest.fixture
def access(tmp_path: Path) -> Iterator[AccessService]:
    repositories = open_sqlite(tmp_path)
    yield AccessService(tokens=repositories.tokens)
    repositories.close()


def test_the_public_needs_no_token(access: AccessService) -> None:
    assert access.identify(None) is Viewer.PUBLIC


def test_each_token_is_the_owners_and_new(access: AccessService) -> None:
    tokens = {access.issue_token() for _ in range(3)}
    assert len(tokens) == 3
    for token in tokens:
        assert len(token) > 40
        assert access.identify(token) is Viewer.OWNER


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
