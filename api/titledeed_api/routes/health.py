"""``/livez`` and ``/readyz``, for whoever restarts or routes to the server."""

from __future__ import annotations

from fastapi import APIRouter

from titledeed.errors import DependencyError, TitledeedError
from titledeed_api.dependencies import ServerDep
from titledeed_api.schemas.resources import Health

router = APIRouter(tags=["health"])


@router.get("/livez", summary="Is the process alive?", response_model=Health)
async def read_liveness() -> Health:
    """The process answers; nothing else is asked."""
    return Health(status="alive")


@router.get("/readyz", summary="Can work be done?", response_model=Health)
def read_readiness(server: ServerDep) -> Health:
    """Database and chain answer."""
    try:
        server.registry.check()
    except DependencyError:
        raise
    except TitledeedError as error:
        # Whatever it is, for a load balancer it is 503.
        raise DependencyError(error.message, next_step=error.next_step) from error
    return Health(status="ready")
