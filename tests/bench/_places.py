"""The parts of the ``places`` benchmark that need Django over the scratch database; run as ``python -m tests.bench._places PART``.

Each part prints one JSON value on its last line.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import sys
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")

import django

django.setup()

import numpy as np  # noqa: E402
from django.contrib.gis.geos import Point  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402
from pyproj import Geod  # noqa: E402
from scipy.spatial import cKDTree  # noqa: E402

from geo.addresses.gazetteer import names_of, published_now  # noqa: E402
from geo.crs import SHANGHAI  # noqa: E402
from geo.crs.codes import CGCS2000  # noqa: E402
from geo.scope import Scope  # noqa: E402
from routing.actions import rebuild_graph  # noqa: E402
from services.facilities.actions import declare_kinds  # noqa: E402
from services.facilities.browsing.queries import browse  # noqa: E402
from services.facilities.browsing.questions import read_question  # noqa: E402
from services.facilities.hours import DAYS  # noqa: E402
from services.facilities.kinds import kinds_named  # noqa: E402
from services.facilities.models import Facility  # noqa: E402
from services.facilities.naming import facility_grams  # noqa: E402
from services.facilities.nearest import facilities_near  # noqa: E402
from services.facilities.queries import city_now  # noqa: E402

MILLION = 1_000_000
TEN_THOUSAND = 10_000
PROBES = 300
NEAREST = 10
ELLIPSOID = Geod(ellps="GRS80")


def ground() -> list[list[float]]:
    """Build the road graph of the city that is loaded, and return origins: doors drawn at random."""
    rebuild_graph()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_X(geom), ST_Y(geom) FROM addresses_address WHERE retired_at IS NULL ORDER BY md5(ext_id)"
        )
        return [list(row) for row in cursor.fetchmany(4000)]


def browsing() -> dict[str, Any]:
    """Add ten thousand nurseries, and ask the list of them as families do: narrowed, counted, ordered, page by page."""
    _add_nurseries()
    chance = random.Random(15)
    published, now = published_now(), city_now()
    names, kinds = names_of(published), kinds_named("childcare")
    ours, first = [], 0.0
    for number in range(PROBES):
        params = {key: chance.choice(values) for key, values in ASKED.items() if chance.random() < 0.3}
        near = (chance.uniform(121.3, 121.6), chance.uniform(31.1, 31.4)) if chance.random() < 0.7 else None
        began = time.perf_counter()
        question, _ = read_question(
            lambda key, asked=params: [asked[key]] if key in asked else [],  # type: ignore[misc]
            kinds=kinds,
            near=near,
            names=names,
            today=now.date(),
        )
        found = browse(question, scope=Scope.public())
        ours.append(1000 * (time.perf_counter() - began))
        if not number:
            first, rows = ours.pop(), found.whole
    page = Client(headers={"host": "localhost"}).get("/places", {"kinds": "childcare", "lon": "121.47", "lat": "31.23"})
    return {"ours": ours, "first": first, "rows": rows, "bytes": len(page.content)}


ASKED = {
    "service_form": ["full_day", "half_day,hourly"],
    "meals": ["1", "0"],
    "grade": ["一级", "示范,一级"],
    "age_months": ["8", "20", "30"],
    "fee_max": ["2000", "5000"],
    "has_vacancy": ["1"],
    "open_now": ["1"],
    "days": ["sat", "mon,tue"],
    "until_time": ["17:30", "18:30"],
    "within": ["2000", "5000"],
    "q": ["机构1", "jg2"],
    "order": ["fit", "fee", "vacancy", "name"],
    "w_fee": ["3"],
    "w_distance": ["5"],
    "w_grade": ["1"],
}


def _add_nurseries() -> None:
    declare_kinds()
    chance = random.Random(10)
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(source_id) FROM facilities_facility")
        (source,) = cursor.fetchone()
        cursor.execute("SELECT region_id FROM regions_regionversion WHERE level = 'street' ORDER BY code")
        streets = [row[0] for row in cursor.fetchall()]
    rows = []
    for number in range(TEN_THOUSAND):
        begin, end = (
            chance.choice(["07:00", "07:30", "08:00", "08:30"]),
            f"{chance.randrange(16, 19)}:{chance.randrange(6)}0",
        )
        name = f"机构{number:05d}"
        said = {
            "service_form": chance.choice(["full_day", "half_day", "hourly"]),
            "meals": chance.random() < 0.6,
            "inclusive": chance.random() < 0.4,
            "grade": chance.choice(["示范", "一级", "二级", ""]),
            "age_from_months": chance.randrange(2, 24),
            "age_to_months": 36,
            "fee_month_yuan": 50 * chance.randrange(20, 200),
        }
        week = dict.fromkeys(DAYS[:5], [[begin, end]]) | {"sat": [["09:00", "12:00"]] if chance.random() < 0.3 else []}
        rows.append(
            Facility(
                source_id=source,
                ext_id=f"list-{number}",
                kind_id=chance.choice(["nursery", "nursery", "baby_house", "kindergarten_nursery"]),
                name=name,
                geom=Point(chance.uniform(121.2, 121.7), chance.uniform(31.0, 31.5), srid=CGCS2000),
                uncertainty_m=20,
                cell=0,
                region_id=chance.choice(streets),
                attributes=said,
                hours=week,
                vacancies=chance.choice([None, 0, 2, 9]),
                vacancies_as_of=timezone.now() - dt.timedelta(days=chance.randrange(60)),
                vacancies_source="institution",
                as_of=dt.date(2026, 1, 1) + dt.timedelta(days=chance.randrange(300)),
                grams=facility_grams(name),
            )
        )
    Facility.objects.bulk_create(rows, batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE facilities_facility")


def nearest() -> dict[str, Any]:
    """Add a million facilities at random, and measure the nearest ten of random points against brute force."""
    _add_a_million()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, ST_X(geom), ST_Y(geom) FROM facilities_facility WHERE retired_at IS NULL AND status = 'open'"
        )
        rows = np.array(cursor.fetchall())
    ids, lon, lat = rows[:, 0].astype(np.int64), rows[:, 1].copy(), rows[:, 2].copy()
    tree = cKDTree(np.stack(SHANGHAI.plane.forward(lon, lat), axis=1))
    chance = random.Random(11)
    probes = [(chance.uniform(120.9, 122.0), chance.uniform(30.7, 31.85)) for _ in range(PROBES + 20)]
    ours, peer, wrong, kept = [], [], 0, []
    for x, y in probes:
        began = time.perf_counter()
        found = facilities_near(x, y, scope=Scope.public(), k=NEAREST)
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        east, north = SHANGHAI.plane.forward(x, y)
        tree.query((float(east), float(north)), k=NEAREST)
        peer.append(time.perf_counter() - began)
        kept.append((x, y, [near.place.id for near in found], [near.metres for near in found]))
    for x, y, got, metres in kept:
        wrong += not _is_true(x, y, got, metres, ids, lon, lat)
    # The first few open connections and fill caches of the planner.
    return {
        "ours": [1000 * seconds for seconds in ours[20:]],
        "peer": [1000 * seconds for seconds in peer[20:]],
        "wrong": wrong,
        "asked": len(kept),
        "points": len(ids),
    }


def _is_true(
    x: float, y: float, got: list[int], metres: list[float], ids: np.ndarray, lon: np.ndarray, lat: np.ndarray
) -> bool:
    """Say whether the answer is that of brute force on the ellipsoid; two within a micrometre may change places."""
    rough = np.hypot((lon - x) * np.cos(np.radians(y)), lat - y)
    # The sphere is within a hundredth of the ellipsoid: whatever lies beyond cannot be among the nearest.
    chosen = np.flatnonzero(rough <= 1.03 * np.partition(rough, NEAREST)[NEAREST] + 1e-4)
    _, _, exact = ELLIPSOID.inv(np.full(len(chosen), x), np.full(len(chosen), y), lon[chosen], lat[chosen])
    order = np.lexsort((ids[chosen], exact))[:NEAREST]
    want = ids[chosen][order].tolist()
    return (
        len(got) == NEAREST
        and all(
            a == b or abs(m - d) < 1e-6 for a, b, m, d in zip(got, want, metres, exact[order].tolist(), strict=True)
        )
        and bool(np.allclose(metres, exact[order], atol=1e-3))
    )


def _add_a_million() -> None:
    names = ("facility_grams", "facility_nearest", "facility_nearest_of_kind")
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'facilities_facility'")
        made = [definition for name, definition in cursor.fetchall() if name in names]
        for name in names:
            cursor.execute(f"DROP INDEX IF EXISTS {name}")
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(
            """INSERT INTO facilities_facility (source_id, ext_id, kind_id, name, geom, point_source, uncertainty_m, cell,
                   address_text, phone, status, attributes, hours, vacancies_source, grams, updated_at)
               SELECT (SELECT min(source_id) FROM facilities_facility), 'bench-' || n,
                      (ARRAY['nursery', 'canteen', 'park', 'bus_stop'])[1 + n %% 4], '点 ' || n,
                      ST_SetSRID(ST_MakePoint(120.85 + random() * 1.2, 30.68 + random() * 1.2), %s), 'source', 20, 0, '', '',
                      'open', '{}', '{}', '', '{}', now()
               FROM generate_series(1, %s) n""",
            [CGCS2000, MILLION],
        )
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for definition in made:
            cursor.execute(definition)
        cursor.execute("ANALYZE facilities_facility")


if __name__ == "__main__":
    print(json.dumps({"ground": ground, "browsing": browsing, "nearest": nearest}[sys.argv[1]]()))
