"""GET /health/live and /health/ready: whether the server lives, and whether each of its parts does its work."""

from typing import Any

from fastapi import APIRouter, Response

from features.log import LogUnavailable
from serving.editions import Editions
from serving.ports import Ports, ProfilesUnavailable

_DOWN: dict[int | str, dict[str, Any]] = {503: {"description": "The log cannot be used; touchpoints get their defaults."}}


def router(editions: Editions) -> APIRouter:
    routes = APIRouter(prefix="/health", tags=["health"])

    @routes.get("/live", summary="Does the process answer?")
    def live() -> dict[str, Any]:
        """The process answers."""
        return {"status": "live", "at": editions().clock.now()}

    @routes.get(
        "/ready",
        summary="Does each part do its work?",
        responses=_DOWN,
    )
    def ready(response: Response) -> dict[str, Any]:
        """Every part with its state. 503 where the log is down; other missing parts degrade the answers and are named."""
        ports = editions()
        now = ports.clock.now()
        parts = {
            "log": _log(ports),
            "profiles": _profiles(ports),
            "models": _models(ports),
            "catalog": _catalog(ports, editions.trouble),
        }
        down = parts["log"]["status"] != "ok"
        response.status_code = 503 if down else 200
        degraded = any(part["status"] != "ok" for part in parts.values())
        return {"status": "down" if down else "degraded" if degraded else "ready", "at": now, "parts": parts}

    return routes


def _log(ports: Ports) -> dict[str, Any]:
    try:
        return {"status": "ok", "sequence": ports.log.last_sequence()}
    except LogUnavailable as error:
        return {"status": "down", "cause": str(error)}


def _catalog(ports: Ports, trouble: str | None) -> dict[str, Any]:
    """`published` is the version that answers; `refused`: a newer one is published and cannot be taken up."""
    newer, mine = ports.newer_catalog(), ports.playbook.version
    told = {"status": "ok" if newer is None else "differs", "published": mine, "workspace": newer or mine}
    return told if trouble is None else told | {"status": "refused", "cause": trouble}


def _models(ports: Ports) -> dict[str, Any]:
    if trouble := ports.models.trouble:
        return {"status": "refused", "bundle": ports.models.bundle, "cause": trouble}
    return {"status": "ok" if ports.models.bundle else "missing", "bundle": ports.models.bundle}


def _profiles(ports: Ports) -> dict[str, Any]:
    """`behind` and `since` tell of a moment too; only what keeps profiles behind for longer is a fault."""
    try:
        lag, empty = ports.profiles.lag(), not ports.profiles.population()
    except ProfilesUnavailable as error:
        return {"status": "down", "cause": str(error)}
    except LogUnavailable as error:
        return {"status": "behind", "part": "log", "cause": str(error)}
    told: dict[str, Any] = {"behind": lag.behind, "since": lag.since}
    if lag.cause is not None:
        return {"status": "behind", **told, "part": lag.part, "cause": lag.cause}
    return {"status": "behind" if lag.late else "empty" if empty else "ok", **told}
