"""The application: routes over ports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi_offline import FastAPIOffline

from serving import problems
from serving.deciding import warm_up
from serving.editions import Editions, Newer
from serving.ports import Ports
from serving.routes import (
    consents,
    contests,
    customers,
    decisions,
    events,
    health,
    notes,
    outbox,
    outcomes,
    preferences,
    promises,
)
from serving.settings import Settings


def create_app(settings: Settings, ports: Ports, *, newer: Newer | None = None) -> FastAPI:
    """A FastAPI application over the given ports; nothing is opened or started here.

    It decides once before it answers, so that no customer waits for kernels to load. While it runs, profiles follow the
    log, and `newer` is asked for the ports of what was published since.
    """
    editions = Editions(ports, newer)

    @asynccontextmanager
    async def following(_: FastAPI) -> AsyncIterator[None]:
        with ports.profiles.following(), editions.watching():
            await run_in_threadpool(warm_up, ports, settings)
            yield

    # the API's page brings its own scripts: a closed network shows it too
    app: FastAPI = FastAPIOffline(
        title="Kairos",
        summary=f"The next best action for the customers of {ports.playbook.brand.name}.",
        version=version("kairos-nba"),
        lifespan=following,
    )
    problems.install(app)
    app.include_router(decisions.router(editions, settings))
    app.include_router(events.router(editions, settings))
    app.include_router(outcomes.router(editions))
    app.include_router(outbox.router(editions, settings))
    app.include_router(promises.router(editions))
    app.include_router(notes.router(editions))
    # an id may hold a slash: the shortest address comes last
    for part in (preferences, consents, contests, customers):
        app.include_router(part.router(editions))
    app.include_router(health.router(editions))
    return app
