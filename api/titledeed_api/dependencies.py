"""What routes are given: the server's parts, who asks, and how long the caller would wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPBearer

from titledeed.bootstrap import Registry
from titledeed.errors import NotAuthorizedError
from titledeed.models.principal import Principal, Scope
from titledeed.services.access import require_scope
from titledeed.services.jobs import JobService
from titledeed.settings import ApiSettings
from titledeed_api.uploads import UploadArea


@dataclass(frozen=True, slots=True)
class Server:
    """What lives as long as the application."""

    registry: Registry
    jobs: JobService
    uploads: UploadArea
    settings: ApiSettings


def find_server(request: Request) -> Server:
    """The parts that the lifespan opened."""
    server: Server = request.app.state.server
    return server


ServerDep = Annotated[Server, Depends(find_server)]


def identify_principal(
    server: ServerDep,
    _documented: Annotated[object, Depends(HTTPBearer(auto_error=False))],
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Principal:
    """On whose behalf the request comes; a wrong token is never taken for no token."""
    if authorization is None:
        return server.registry.access.identify(None)
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthorizedError(
            "the Authorization header holds no bearer token",
            next_step="Send `Authorization: Bearer TOKEN`, or no such header.",
        )
    return server.registry.access.identify(token.strip())


def _allow(scope: Scope) -> Callable[[Principal], Principal]:
    """Who asks, if they may; a request is refused before its body is read."""

    def check(principal: Annotated[Principal, Depends(identify_principal)]) -> Principal:
        require_scope(principal, scope)
        return principal

    return check


ReaderDep = Annotated[Principal, Depends(_allow(Scope.READ))]
RegistrantDep = Annotated[Principal, Depends(_allow(Scope.REGISTER))]
AuditorDep = Annotated[Principal, Depends(_allow(Scope.AUDIT))]


def read_patience(
    server: ServerDep, prefer: Annotated[str | None, Header()] = None
) -> float | None:
    """Seconds that ``Prefer: wait`` or ``Prefer: wait=N`` asks for (RFC 7240), or None.

    A preference that makes no sense is ignored, as the RFC wants it.
    """
    for preference in (prefer or "").split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() != "wait":
            continue
        limit = server.settings.wait_s_max
        wanted = value.strip().strip('"')
        if not wanted:
            return limit
        if wanted.isascii() and wanted.isdigit():
            return min(int(wanted[:9]), limit)
    return None


PatienceDep = Annotated[float | None, Depends(read_patience)]
