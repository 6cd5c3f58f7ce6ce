"""Answers the first questions before anybody asks them, so that compiled code and the road graph are loaded when a process opens.

It goes through the application as a browser would and leaves no trace but a line in the request log.
"""

from __future__ import annotations

import gc
import json
import logging
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.util import setup_testing_defaults

from django.conf import settings

from geo.fences.evaluate import index
from web.doors.asking import THEMES

log = logging.getLogger(__name__)
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
PATIENT_MODES = ("walk", "car")
YOUNG_OBJECTS = 20_000
"""A page makes some hundred objects that need collecting; 700, the usual, has it done with every other page."""


def warm_up(application: Application) -> None:
    """Ask for the pages families open first, circles, and a name like a place's; an empty or a sick house is left as it is."""
    _ask(application, "/", "")
    index.warm_up()
    _ask(application, "/api/v1/fences", "limit=1")
    places = _ask(application, "/api/v1/places", "limit=1").get("places") or []
    for mode in PATIENT_MODES if places else ():
        place = places[0]
        _ask(application, "/api/v1/circle", f"lon={place['lon']}&lat={place['lat']}&minutes=5&mode={mode}")
    if places:
        # What lists are narrowed by, and the names of the city, are read into memory at the first one that is asked for.
        for theme in THEMES.values():
            _ask(application, "/places", f"kinds={theme.kinds}")
        _ask(application, f"/places/{places[0]['id']}", "")
        _ask(application, "/api/v1/suggest", "q=lu&limit=1")
    log.info("warmed up", extra={"circles": bool(places)})


def settle() -> None:
    """Let the collector leave alone what stays as long as the process: looking it through takes 200 ms, and nobody is served."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


def _ask(application: Application, path: str, query: str) -> dict[str, Any]:
    """Return the JSON object an address answers, or an empty one for any other answer."""
    environ: dict[str, Any] = {
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_HOST": settings.ALLOWED_HOSTS[0].lstrip(".*") or "localhost",
    }
    setup_testing_defaults(environ)
    heads: list[tuple[str, list[tuple[str, str]]]] = []
    answer = application(environ, lambda status, headers, *_: heads.append((status, headers)))
    body = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    if not heads or not heads[0][0].startswith("200") or "json" not in dict(heads[0][1]).get("Content-Type", ""):
        return {}
    found: dict[str, Any] = json.loads(body)
    return found
