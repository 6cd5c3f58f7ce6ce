"""The health page: what the house stands on, and whether it stands."""

from __future__ import annotations

import logging
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from geo.errors import Unavailable
from services.facilities.ground import current_graph

log = logging.getLogger(__name__)
WORKER_BEAT = "quantu:worker-beat"
WORKER_SILENT_S = 150


@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 when what a page needs is there, else 503; without a worker or a road graph the pages still stand."""
    checks = {"database": _database, "redis": _redis, "worker": _worker, "graph": _graph}
    states = {name: _state(check) for name, check in checks.items()}
    essential = all(states[name]["ok"] for name in ("database", "redis"))
    return JsonResponse({"ok": essential, **states}, status=200 if essential else 503)


def _state(check: Callable[[], str]) -> dict[str, object]:
    try:
        return {"ok": True, "detail": check()}
    except (DatabaseError, redis.RedisError, LookupError, Unavailable) as error:
        log.warning("health check failed", extra={"error": str(error)})
        return {"ok": False, "detail": type(error).__name__}


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT postgis_lib_version()")
        return f"PostGIS {cursor.fetchone()[0]}"


def _redis() -> str:
    return "Redis " + str(_client().info("server")["redis_version"])


def _worker() -> str:
    if _client().get(WORKER_BEAT) is None:
        raise LookupError("no worker has been heard of lately")
    return "heard of lately"


def _graph() -> str:
    meta = current_graph().meta
    return f"{meta.edges} edges, {meta.kilometres:.0f} km, built {meta.built_at}"


def leave_sign() -> None:
    """Leave the worker's sign of life, which expires when no worker renews it."""
    _client().set(WORKER_BEAT, "1", ex=WORKER_SILENT_S)


def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2)
