"""A fact about persons with positions: invented events in a table of the test's own, and what a loop over them would count."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, replace

from django.db import connection
from django.utils import timezone

from geo.grids.cells import cells_at
from geo.regions.models import RegionVersion
from geo.regions.queries import assign_regions, current_city
from layers.facts.spec import FactSpec
from layers.heat.periods import Period, block_at

PERSONS = FactSpec(
    key="test_events", title="服务人次", summary="测试用的人次。", unit="人次", category="themes",
    table="test_events", region="t.region_id", cell="t.cell", moment="t.at", heads="count(DISTINCT t.person)",
    duty="facilities.view", touched="(SELECT count(*) || '-' || coalesce(sum(hashint8(cell)::bigint), 0) FROM test_events)",
)  # fmt: skip
NOBODY = replace(PERSONS, key="test_acts", title="服务次数", heads="", unit="次")


@dataclass(frozen=True, slots=True)
class Event:
    """One row: whose, where, when."""

    person: int
    region: int
    cell: int
    at: dt.datetime


def first_of(months_ago: int) -> dt.date:
    """Return the first day of a month before this one."""
    day = timezone.localdate().replace(day=1)
    for _ in range(months_ago):
        day = (day - dt.timedelta(days=1)).replace(day=1)
    return day


def month_ago(number: int) -> Period:
    """Return a whole month before this one."""
    return block_at("month", first_of(number))


def make_events(count: int, seed: int, months: int = 2) -> list[Event]:
    """Fill the table with events around the middles of a few streets over the last months, thick here and thin there."""
    chance = random.Random(seed)
    box = current_city().bbox
    streets = list(RegionVersion.objects.filter(edition__state="published", level="street").order_by("code"))
    spots = [street.label for street in chance.sample(streets, min(6, len(streets))) if street.label]
    first = dt.datetime.combine(first_of(months), dt.time(), tzinfo=timezone.get_current_timezone())
    days = (timezone.localdate() - first.date()).days
    rows: list[tuple[float, float, int, dt.datetime]] = []
    for _ in range(count):
        spot, wide = chance.choice(spots), chance.choice((0.0006, 0.003, 0.02))
        lon = min(max(chance.gauss(spot.x, wide), box.west), box.east)
        lat = min(max(chance.gauss(spot.y, wide), box.south), box.north)
        rows.append(
            (lon, lat, chance.randrange(count // 2), first + dt.timedelta(days=chance.randrange(days), hours=9))
        )
    regions = assign_regions([row[0] for row in rows], [row[1] for row in rows]).tolist()
    cells = cells_at([row[0] for row in rows], [row[1] for row in rows]).tolist()
    made = [
        Event(row[2], region, cell, row[3]) for row, region, cell in zip(rows, regions, cells, strict=True) if region
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS test_events (person int, region_id bigint, cell bigint, at timestamptz)"
        )
        cursor.execute("TRUNCATE test_events")
        cursor.executemany(
            "INSERT INTO test_events VALUES (%s, %s, %s, %s)",
            [(one.person, one.region, one.cell, one.at) for one in made],
        )
    return made
