"""Answers the first questions before anybody asks them, so that compiled code, the road graph and lists are in memory.

It goes through the application as a browser would and leaves no trace but lines in the request log. When a process opens it
does so once; lists it asks for again whenever what they show has changed (``ListKeeper``), and measures both.
"""

from __future__ import annotations

import gc
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.db import DatabaseError, connections
from redis import RedisError

from geo.fences.evaluate import index
from services.facilities.preloading import lists
from tiles import encoding
from web.doors.finder.opened import OWN
from web.doors.finder.uses import TEST_HEADER

log = logging.getLogger(__name__)
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
PATIENT_MODES = ("walk", "car")
YOUNG_OBJECTS = 20_000
"""A page makes some hundred objects that need collecting; 700, the usual, has it done with every other page."""
LOOK_EVERY_S: Final = 5.0
REST_S: Final = 30.0
"""So long lists are left alone after they were warmed: who asks meanwhile reads what changed himself."""
MANY: Final = 20
"""So many times as long where nothing changed since and one still gives no answer: there is no city yet, or it has a fault."""


def warm_up(application: Application) -> None:
    """Ask for the pages families open first, circles, lists, a name like a place's; an empty or a sick house is left as it is."""
    _ask(application, "/", "")
    index.warm_up()
    encoding.warm_up()
    _ask(application, "/api/v1/fences", "limit=1")
    place = _first_place(application)
    for mode in PATIENT_MODES if place else ():
        _ask(application, "/api/v1/circle", f"lon={place['lon']}&lat={place['lat']}&minutes=5&mode={mode}")
    if place:
        # What lists are narrowed by, and the names of the city, are read into memory at the first one that is asked for.
        _warm_lists(application, place)
        _ask(application, f"/places/{place['id']}", "")
        _ask(application, "/api/v1/suggest", "q=lu&limit=1")
    log.info("warmed up", extra={"circles": bool(place)})


def warm_lists(application: Application) -> None:
    """Ask for every list that people open first; without a place on the map there is nothing to list."""
    place = _first_place(application)
    if place:
        _warm_lists(application, place)


def settle() -> None:
    """Let the collector leave alone what stays as long as the process: looking it through takes 200 ms, and nobody is served."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


class ListKeeper(threading.Thread):
    """Warms the lists of this process again when what they show has changed, and tells how they stand."""

    def __init__(self, application: Application, *, every_s: float = LOOK_EVERY_S, rest_s: float = REST_S) -> None:
        super().__init__(name="list keeper", daemon=True)
        self._application, self._every_s, self._rest_s = application, every_s, rest_s
        self._asked, self._asked_at = "", time.monotonic()
        self._ended = threading.Event()

    def run(self) -> None:
        """Look now and then until the process ends; without database or Redis the next look tries again."""
        while not self._ended.is_set():
            try:
                self._look()
            except (DatabaseError, RedisError) as error:
                log.warning("lists not warmed: %s", type(error).__name__)
            finally:
                connections.close_all()
            self._ended.wait(self._every_s)

    def end(self) -> None:
        """Look no more, and wait until a look that is under way has ended."""
        self._ended.set()
        self.join()

    def _look(self) -> None:
        mark = lists.mark_now()
        rested = self._rest_s * (MANY if mark == self._asked else 1)
        if not lists.all_ready(mark) and time.monotonic() - self._asked_at >= rested:
            warm_lists(self._application)
            self._asked, self._asked_at = mark, time.monotonic()
        lists.tell()


def _warm_lists(application: Application, place: dict[str, Any]) -> None:
    for one in lists.LISTS:
        mark, query = lists.mark_now(), urlencode(one.query(place["lon"], place["lat"]))
        known = lists.is_ready(one.key, mark)
        first, again = (_took(application, one.path, query) for _ in range(2))
        if lists.is_ready(one.key, mark) and not known:
            lists.note_measured(one.key, lists.Measured(first, again))


def _took(application: Application, path: str, query: str) -> float:
    """Return the milliseconds of an answer."""
    began = time.perf_counter()
    _ask(application, path, query)
    return 1000 * (time.perf_counter() - began)


def _first_place(application: Application) -> dict[str, Any]:
    """Return a place on the map, or an empty object."""
    places: list[dict[str, Any]] = _ask(application, "/api/v1/places", "limit=1").get("places") or []
    return places[0] if places else {}


def _ask(application: Application, path: str, query: str) -> dict[str, Any]:
    """Return the JSON object an address answers, or an empty one for any other answer."""
    environ: dict[str, Any] = {
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_HOST": settings.ALLOWED_HOSTS[0].lstrip(".*") or "localhost",
        f"HTTP_{TEST_HEADER.upper().replace('-', '_')}": "1",  # nobody uses the finder
        OWN: True,
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
