"""The parts of the ``layers`` benchmark that need Django over the scratch database; run as ``python -m tests.bench._heat PART``.

Each part prints one JSON value on its last line.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import sys
import time
from collections import Counter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")

import django

django.setup()

import h3  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from geo.grids.cells import cells_at  # noqa: E402
from layers.heat.periods import block_at  # noqa: E402

EVENTS = 1_000_000
VIEWPORTS = 300
PEER_VIEWPORTS = 20
WIDE, HIGH = 1440, 900
MIDDLE = (121.47, 31.22)


def prepare() -> dict[str, object]:
    """Make the events of one month, thick in the middle of the city; return the month and the boxes of viewports."""
    chance = random.Random(12)
    month = block_at("month", timezone.localdate().replace(day=1) - dt.timedelta(days=1))
    spots = []
    for _ in range(EVENTS):
        wide = chance.choice((0.03, 0.08, 0.2))
        spots.append((chance.gauss(MIDDLE[0], wide), chance.gauss(MIDDLE[1], wide)))
    cells = cells_at([lon for lon, _ in spots], [lat for _, lat in spots]).tolist()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_events")
        cursor.execute("CREATE TABLE bench_events (cell bigint, at timestamptz, lon float8, lat float8)")
        with cursor.copy("COPY bench_events FROM STDIN") as copy:
            for (lon, lat), cell in zip(spots, cells, strict=True):
                copy.write_row((cell, month.since + dt.timedelta(minutes=chance.randrange(40_000)), lon, lat))
        cursor.execute("CREATE INDEX ON bench_events (lon, lat)")
        cursor.execute("ANALYZE bench_events")
    boxes = [_viewport(chance) for _ in range(VIEWPORTS)]
    return {"from": str(month.first), "to": str(month.last), "boxes": boxes}


def peer() -> list[float]:
    """Return the milliseconds of counting the events of a viewport where it is asked for, as SQL and h3 do, without suppression."""
    chance = random.Random(12)
    took = []
    for box in [_viewport(chance) for _ in range(PEER_VIEWPORTS)]:
        began = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute("SELECT lon, lat FROM bench_events WHERE lon BETWEEN %s AND %s AND lat BETWEEN %s AND %s",
                           (box[0], box[2], box[1], box[3]))  # fmt: skip
            counted = Counter(h3.latlng_to_cell(lat, lon, 9) for lon, lat in cursor)
        json.dumps(
            [{"cell": cell, "count": count, "ring": h3.cell_to_boundary(cell)} for cell, count in counted.items()]
        )
        took.append(1000 * (time.perf_counter() - began))
    return took


def _viewport(chance: random.Random) -> tuple[float, float, float, float]:
    """Return the box of a screen somewhere over the city, at a zoom of 9 to 16."""
    degrees = 360 / (512 * 2 ** chance.uniform(9, 16))
    lon, lat = chance.gauss(MIDDLE[0], 0.1), chance.gauss(MIDDLE[1], 0.1)
    wide, high = WIDE * degrees / 2, HIGH * degrees * 0.855 / 2
    return round(lon - wide, 5), round(lat - high, 5), round(lon + wide, 5), round(lat + high, 5)


if __name__ == "__main__":
    print(json.dumps({"prepare": prepare, "peer": peer}[sys.argv[1]]()))
