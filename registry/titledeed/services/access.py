"""Who asks: bearer tokens of the HTTP API."""

from __future__ import annotations

import secrets

from titledeed.canonical.hashing import sha256
from titledeed.errors import NotAuthorizedError
from titledeed.models.registration import Viewer
from titledeed.ports import TokenRepository


class AccessService:
    """Issues tokens and tells on whose behalf a request comes."""

    def __init__(self, *, tokens: TokenRepository) -> None:
        self._tokens = tokens

    def issue_token(self) -> str:
        """A new token of 256 bits; only its SHA-256 is kept."""
        token = f"td_{secrets.token_urlsafe(32)}"
        self._tokens.add(sha256(token.encode("ascii")))
        return token

    def identify(self, token: str | None) -> Viewer:
        """The owner of the home with a token, the public without.

        Raises:
            NotAuthorizedError: the token is unknown; it is never taken for no token.
        """
        if token is None:
            return Viewer.PUBLIC
        if not self._tokens.holds(sha256(token.encode("utf-8"))):
            raise NotAuthorizedError(
                "the token is not known here",
                next_step="`titledeed init` printed one; `titledeed serve --new-token` makes more.",
            )
        return Viewer.OWNER
