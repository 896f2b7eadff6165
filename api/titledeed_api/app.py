"""The application: what lives as long as it does, its routes, its handlers."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles

from titledeed.bootstrap import Registry, open_registry
from titledeed.services.jobs import JobService, read_arguments
from titledeed.settings import Settings
from titledeed_api.dependencies import Server
from titledeed_api.handlers import make_handlers
from titledeed_api.middleware import SecurityHeaders
from titledeed_api.presentation import PRINCIPLE
from titledeed_api.problems import install_problem_handlers
from titledeed_api.routes import audits, health, pages, registrations, verifications
from titledeed_api.schemas.problems import PROBLEM_RESPONSES
from titledeed_api.templates import STATIC
from titledeed_api.uploads import UploadArea


def create_app(settings: Settings) -> FastAPI:
    """The application over the home that the settings name."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with open_registry(settings) as registry:
            area = UploadArea(
                folder=registry.layout.uploads, size_bytes_max=settings.api.upload_bytes_max
            )
            # Before any thread: see both.
            registry.load_all()
            registry.warm_up()
            jobs = registry.open_jobs(
                make_handlers(registry, area),
                release=lambda arguments: area.reopen(arguments["upload"]).discard(),
            )
            try:
                with _sharing_home(registry, jobs, area):
                    app.state.server = Server(registry, jobs, area, settings.api)
                    yield
            finally:
                await run_in_threadpool(jobs.close)

    app = FastAPI(
        title="Titledeed",
        version=version("titledeed"),
        description=PRINCIPLE,
        lifespan=lifespan,
        # The stock documentation pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        responses=PROBLEM_RESPONSES,
    )
    app.add_middleware(SecurityHeaders)
    install_problem_handlers(app)
    for router in (registrations, verifications, audits, health, pages):
        app.include_router(router.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


@contextmanager
def _sharing_home(registry: Registry, jobs: JobService, area: UploadArea) -> Iterator[None]:
    """Finish what stopped servers left, unless another one is at work on this home now."""
    # A record lock, not flock: a child that outlives a killed server must not hold it.
    with _open_lock(registry.layout.locks / "servers") as lock:
        with suppress(BlockingIOError):
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            area.keep_only(area.reopen(read_arguments(job)["upload"]) for job in jobs.resume())
        fcntl.lockf(lock, fcntl.LOCK_SH)
        yield


@contextmanager
def _open_lock(path: Path) -> Iterator[int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield lock
    finally:
        os.close(lock)
