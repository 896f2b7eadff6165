"""Who asks: bearer tokens of the HTTP API, and what each may ask for."""

from __future__ import annotations

import secrets
from collections.abc import Collection

from titledeed.canonical.hashing import sha256
from titledeed.errors import NotAuthorizedError
from titledeed.models.primitives import Address
from titledeed.models.principal import (
    ALL_SCOPES,
    ANONYMOUS,
    Principal,
    PrincipalKind,
    Scope,
    TokenGrant,
)
from titledeed.ports import TokenRepository


class AccessService:
    """Issues tokens and tells on whose behalf a request comes.

    Args:
        tokens: what was issued.
        home: the account of the home's own claimant.
    """

    def __init__(self, *, tokens: TokenRepository, home: Address) -> None:
        self._tokens = tokens
        self._home = home

    def issue_token(
        self, owner: Address | None = None, scopes: Collection[Scope] = ALL_SCOPES
    ) -> str:
        """A new token of 256 bits, of which only the SHA-256 is kept.

        Args:
            owner: the account that will hold it; None for the home's own.
            scopes: what it is good for.
        """
        token = f"td_{secrets.token_urlsafe(32)}"
        self._tokens.add(sha256(token.encode("ascii")), TokenGrant(owner, frozenset(scopes)))
        return token

    def identify(self, token: str | None) -> Principal:
        """Whoever holds the token; without one nobody in particular.

        Raises:
            NotAuthorizedError: the token is unknown; it is never taken for no token.
        """
        if token is None:
            return ANONYMOUS
        grant = self._tokens.find(sha256(token.encode("utf-8")))
        if grant is None:
            raise NotAuthorizedError(
                "the token is not known here",
                next_step="`titledeed init` printed one; `titledeed serve --new-token` makes more.",
            )
        owner = grant.owner or self._home
        kind = PrincipalKind.OWNER if owner == self._home else PrincipalKind.TOKEN
        return Principal(kind, owner, grant.scopes)


def require_scope(principal: Principal, scope: Scope) -> None:
    """Refuse what the principal may not ask for.

    Raises:
        NotAuthorizedError: they showed no token, or one without this scope.
    """
    if principal.may(scope):
        return
    if principal.kind is PrincipalKind.ANONYMOUS:
        raise NotAuthorizedError(
            "this needs a token",
            next_step="`titledeed init` printed one: send `Authorization: Bearer TOKEN`.",
        )
    raise NotAuthorizedError(
        f"this needs a token with the scope {scope.value!r}",
        next_step="Ask the operator for another token.",
    )


def require_claimant(principal: Principal, scope: Scope) -> Address:
    """The account for which the principal asks for something that is claimed or signed.

    Raises:
        NotAuthorizedError: they may not ask for it, or there is no such account.
    """
    require_scope(principal, scope)
    if principal.claimant is None:
        raise NotAuthorizedError(
            "this needs an account, and none is named", next_step="Use a token of the account."
        )
    return principal.claimant
