"""Which request, task or command the code runs for: one short number, written down with everything it causes. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

LONGEST: Final = 32
_REQUEST: ContextVar[str] = ContextVar("quantu_request", default="")


def new_request() -> str:
    """Return a number nobody else has."""
    return f"{random.getrandbits(48):012x}"


def current_request() -> str:
    """Return the number of the request under way, '' outside of any."""
    return _REQUEST.get()


@contextmanager
def request_of(number: str) -> Iterator[str]:
    """Run for a request; an empty number stands for a new one. What was under way before is so again afterwards."""
    token = _REQUEST.set(number[:LONGEST] or new_request())
    try:
        yield _REQUEST.get()
    finally:
        _REQUEST.reset(token)


def add_request(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Name the request in a line of a log that does not name one by its number; a processor of structlog.

    Django adds the whole request to its errors, which would write its query: that never reaches a log.
    """
    if not isinstance(event.get("request"), str):
        event.pop("request", None)
        if number := current_request():
            event["request"] = number
    return event
