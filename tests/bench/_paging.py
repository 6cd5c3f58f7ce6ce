"""The part of the ``items`` benchmark that needs Django over the scratch database; run as ``python -m tests.bench._paging pages``."""

from __future__ import annotations

import json
import random
import sys
import time
from typing import Any

from tests.bench._places import _add_a_million  # sets Django up

from django.db import connection  # noqa: E402  isort: skip
from django.test import Client  # noqa: E402  isort: skip

from layers.ogc.asking import token_of  # noqa: E402  isort: skip

PAGES = 60
PATH = "/ogc/collections/places/items"


def pages() -> dict[str, Any]:
    """Add a million facilities, and ask for pages of a hundred in every way."""
    _add_a_million()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE facilities_facility")
        cursor.execute(
            "SELECT count(*), min(id), max(id) FROM facilities_facility WHERE status = 'open' AND retired_at IS NULL"
        )
        rows, first, last = cursor.fetchone()
    chance = random.Random(8)

    def around(degrees: float) -> str:
        lon, lat = chance.uniform(121.0, 121.9), chance.uniform(30.8, 31.7)
        return f"{lon:.5f},{lat:.5f},{lon + degrees:.5f},{lat + degrees:.5f}"

    def anywhere() -> str:
        return token_of(chance.randint(first, last))

    asked = {
        "first": lambda: {},
        "deep": lambda: {"after": anywhere()},
        "in a box of 1 km": lambda: {"bbox": around(0.01)},
        "in a box of 30 km": lambda: {"bbox": around(0.3)},
        "of one kind, deep": lambda: {"kind": "canteen", "after": anywhere()},
        "of one kind by CQL2 in a box": lambda: {"filter": "kind = 'park'", "bbox": around(0.05)},
        "in EPSG:3857, deep": lambda: {"crs": "http://www.opengis.net/def/crs/EPSG/0/3857", "after": anywhere()},
    }
    return {"rows": rows, "pages": {title: _times(query) for title, query in asked.items()}}


def _times(query: Any) -> list[float]:
    client = Client(HTTP_HOST="localhost")
    times = []
    for number in range(PAGES + 5):
        params = query()
        began = time.perf_counter()
        answer = client.get(PATH, params, headers={"X-Real-IP": f"198.51.100.{number}"})
        spent = 1000 * (time.perf_counter() - began)
        if answer.status_code != 200 or not answer.json()["features"]:
            raise SystemExit(f"no page for {params}: {answer.status_code} {answer.content[:200]!r}")
        if number >= 5:
            times.append(spent)
    return times


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"pages": pages}[sys.argv[1]]()) + "\n")
