"""The application: routes over ports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from serving import problems
from serving.ports import Ports
from serving.routes import customers, decisions, events, health, outbox, outcomes
from serving.settings import Settings


def create_app(settings: Settings, ports: Ports) -> FastAPI:
    """A FastAPI application over the given ports; nothing is opened or started here. While it runs, profiles follow the log."""

    @asynccontextmanager
    async def following(_: FastAPI) -> AsyncIterator[None]:
        with ports.profiles.following():
            yield

    # the API's page brings its own scripts: a closed network shows it too
    app: FastAPI = FastAPIOffline(
        title="Kairos",
        summary=f"The next best action for the customers of {ports.playbook.brand.name}.",
        version=version("kairos-nba"),
        lifespan=following,
    )
    problems.install(app)
    app.include_router(decisions.router(ports, settings))
    app.include_router(events.router(ports, settings))
    app.include_router(outcomes.router(ports))
    app.include_router(outbox.router(ports, settings))
    app.include_router(customers.router(ports))
    app.include_router(health.router(ports))
    return app
