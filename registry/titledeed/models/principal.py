"""On whose behalf a call comes: every call has exactly one principal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from titledeed.models.primitives import Address


class Scope(StrEnum):
    """What a principal may ask for."""

    READ = "read"
    REGISTER = "register"
    AUDIT = "audit"


ALL_SCOPES: Final = frozenset(Scope)


class PrincipalKind(StrEnum):
    """What a principal is known by.

    ``owner`` is whoever holds the home itself, at its command line or with a token of the home's
    own account; ``token`` is another account's.
    """

    ANONYMOUS = "anonymous"
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, for which account they claim, and what they may ask for.

    Attributes:
        claimant: the account that registers, acts and signs; None where there is none, and for an
            owner whom an older release wrote down without it.
    """

    kind: PrincipalKind
    claimant: Address | None
    scopes: frozenset[Scope]

    @property
    def is_owner(self) -> bool:
        """Whether the home is theirs, with everything in it."""
        return self.kind is PrincipalKind.OWNER

    def may(self, scope: Scope) -> bool:
        """Whether they may ask for this."""
        return scope in self.scopes

    def speaks_for(self, account: Address) -> bool:
        """Whether this account is theirs."""
        return self.claimant is not None and self.claimant == account


ANONYMOUS: Final = Principal(PrincipalKind.ANONYMOUS, None, frozenset({Scope.READ}))
"""Whoever shows no token: sees what everybody may see."""


def owner_of_home(account: Address) -> Principal:
    """The owner of a home whose claimant is this account."""
    return Principal(PrincipalKind.OWNER, account, ALL_SCOPES)


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What a bearer token stands for.

    Attributes:
        owner: the account that holds it; None for the home's own, whichever account that has.
    """

    owner: Address | None
    scopes: frozenset[Scope]
