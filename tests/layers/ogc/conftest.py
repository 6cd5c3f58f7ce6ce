"""A client of ``/ogc`` over the tiny invented city, and short ways to ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

ROOT = "http://testserver/ogc"
DASHED = {name.replace("-", "_"): name for name in ("bbox-crs", "filter-crs", "filter-lang")}
Ask = Callable[..., Any]


@pytest.fixture
def ask(client: Client, city: None) -> Ask:
    """Return a function that asks ``/ogc`` + path and gives the document, after checking the status."""
    cache.clear()

    def asked(path: str, status: int = 200, *, accept: str = "application/json", **query: Any) -> Any:
        parts = urlsplit(path.removeprefix(ROOT))
        wanted = {
            **dict(parse_qsl(parts.query, keep_blank_values=True)),
            **{DASHED.get(name, name): value for name, value in query.items()},
        }
        answer = client.get(f"/ogc{parts.path}", wanted, headers={"Accept": accept})
        assert answer.status_code == status, answer.content[:500]
        if status >= 400:
            assert answer["Content-Type"].startswith("application/problem+json")
        return answer.json()

    return asked


@pytest.fixture
def keys(ask: Ask) -> list[str]:
    """Return the ids of all collections that everyone may see."""
    return [one["id"] for one in ask("/collections")["collections"]]


@pytest.fixture
def everything(ask: Ask) -> Callable[..., list[dict[str, Any]]]:
    """Return a function that follows ``next`` from page to page and gives all features."""

    def read(key: str, **query: Any) -> list[dict[str, Any]]:
        page = ask(f"/collections/{key}/items", **query)
        found = list(page["features"])
        while following := [one["href"] for one in page["links"] if one["rel"] == "next"]:
            page = ask(following[0])
            assert page["features"]
            found += page["features"]
        return found

    return read
