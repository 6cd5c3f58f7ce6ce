"""A web process answers the first questions itself before it opens."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from web.warming import settle, warm_up
from web.wsgi import application


class Watched:
    """The application, with a note of what it was asked and how it answered."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        def noted(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            self.asked.append((environ["PATH_INFO"], int(status[:3])))
            return start(status, headers, *rest)

        return application(environ, noted)


@pytest.fixture(autouse=True)
def _connection_stays_open() -> Iterator[None]:
    """A request ends by closing its connection, which here is the test's, with its transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.django_db
def test_an_empty_house_is_left_as_it_is() -> None:
    watched = Watched()
    warm_up(watched)
    assert [path for path, _ in watched.asked] == ["/", "/api/v1/fences", "/api/v1/places"]
    assert dict(watched.asked)["/api/v1/places"] == 200


def test_with_a_city_it_draws_circles_around_a_place(city: Any) -> None:
    watched = Watched()
    warm_up(watched)
    assert dict(watched.asked)["/"] == 200
    assert [path for path, _ in watched.asked].count("/api/v1/circle") == 2
    assert dict(watched.asked)["/places"] == 200
    assert watched.asked[-1] == ("/api/v1/suggest", 200)


def test_a_settled_process_looks_at_new_objects_only() -> None:
    before = gc.get_threshold()
    try:
        settle()
        assert gc.get_freeze_count() > 10_000
        assert len(gc.get_objects()) < gc.get_freeze_count() / 10
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
