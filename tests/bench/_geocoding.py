"""The parts of the ``addresses`` benchmark that need Django over a scratch database; run as ``python -m tests.bench._geocoding PART``.

Each part prints one JSON value on its last line.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")

import django

django.setup()

from django.db import connection, transaction  # noqa: E402

from fixtures.city import generate  # noqa: E402
from fixtures.city.misspelling import misspell  # noqa: E402
from geo.addresses import gazetteer  # noqa: E402
from geo.addresses.geocode import geocode, geocode_many  # noqa: E402
from geo.addresses.lookups import metres_between, roads_of_addresses  # noqa: E402
from geo.addresses.parsing import read  # noqa: E402
from geo.roads.actions import name_unmapped_roads  # noqa: E402
from geo.scope import Scope  # noqa: E402

RIGHT_DOOR_M = 50.0
FOLDS = 5
SINGLY = 1_000
LISTED = "shanghai-community-addresses-2019"
OTHER_LIST = "shanghai-rental-addresses-2016"
NUMBER = "(CASE WHEN a.lane <> '' THEN a.lane ELSE a.number END)"


class Asked(NamedTuple):
    """A text whose true point is known, in CGCS2000 degrees, with its road and its lane or, without one, its number."""

    text: str
    lon: float
    lat: float
    road: str
    number: str


class Answer(NamedTuple):
    """The best candidate for a text: its level, how far from the truth it is, and the radius it states, in metres."""

    level: str
    wrong_m: float
    radius_m: float


def invented() -> dict[str, Any]:
    """Ask for misspelt addresses of the city that is loaded: right doors, wrong lanes, and how long one answer takes."""
    table = generate(_scale(), 2025).addresses
    rows = list(misspell(table, seed=9, count=5_000))
    found = geocode_many([text for _, text, _ in rows], scope=Scope.public())
    right, wrong_lane = 0, 0
    for (row, _, _), candidates in zip(rows, found, strict=True):
        if not candidates or candidates[0].level != "door":
            continue
        best = candidates[0]
        right += metres_between(best.lon, best.lat, float(table.lon[row]), float(table.lat[row])) <= RIGHT_DOOR_M
        lane = f"{table.road[row]}{table.lane[row]}弄" if table.lane[row] else str(table.road[row])
        wrong_lane += lane not in best.label
    return {"asked": len(rows), "right": right, "wrong_lane": wrong_lane, "ms": _singly([text for _, text, _ in rows])}


def _scale() -> Any:
    return os.environ.get("QUANTU_SCALE", "demo")


def _singly(texts: Sequence[str]) -> list[float]:
    times = []
    for text in texts[:SINGLY]:
        began = time.perf_counter()
        geocode(text, scope=Scope.public())
        times.append(1000 * (time.perf_counter() - began))
    return times


def left_out() -> dict[str, Any]:
    """Leave each fifth of the lanes of a real list out in turn, with all that other lists say of them, and ask for them."""
    asked = _listed(LISTED)
    lanes = sorted({(one.road, one.number) for one in asked})
    random.Random(9).shuffle(lanes)
    answers: list[Answer | None] = []
    for fold in range(FOLDS):
        held = set(lanes[fold::FOLDS])
        texts = [one for one in asked if (one.road, one.number) in held]
        with _without(held):
            answers += _answers(texts)
    return _judged(answers)


def in_the_base() -> dict[str, Any]:
    """Ask for the addresses of one real list whose lane only another list has: how far two lists are apart."""
    other = {(one.road, one.number) for one in _listed(OTHER_LIST)}
    asked = [one for one in _listed(LISTED) if (one.road, one.number) in other]
    with _without_list(LISTED):
        return _judged(_answers(asked))


def _listed(key: str) -> list[Asked]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT a.text, ST_X(a.geom), ST_Y(a.geom), a.road, {NUMBER} FROM addresses_address a
                JOIN imports_source s ON s.id = a.source_id
                WHERE s.key = %s AND a.retired_at IS NULL AND a.road <> '' ORDER BY a.id""",
            [key],
        )
        return [Asked(*row) for row in cursor.fetchall()]


@contextmanager
def _without(held: set[tuple[str, str]]) -> Iterator[None]:
    """Take every row about some lanes off the map, for the length of the block."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE addresses_address a SET retired_at = now() FROM unnest(%s::text[], %s::text[]) AS w(road, number)
                WHERE a.road = w.road AND {NUMBER} = w.number AND a.retired_at IS NULL""",
            [[road for road, _ in held], [number for _, number in held]],
        )
        cursor.execute("SELECT id, address_text FROM addresses_community WHERE retired_at IS NULL")
        named = [pk for pk, text in cursor.fetchall() if _names_one_of(text, held)]
        cursor.execute("UPDATE addresses_community SET retired_at = now() WHERE id = ANY(%s)", [named])
        with _renamed():
            yield


def _names_one_of(text: str, held: set[tuple[str, str]]) -> bool:
    readings = (reading.parts for reading in read(text).addresses)
    return any((parts.base, parts.lane or parts.number) in held for parts in readings)


@contextmanager
def _without_list(key: str) -> Iterator[None]:
    """Take a whole list off the map, and the communities it was made with, for the length of the block."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """UPDATE addresses_address a SET retired_at = now() FROM imports_source s
               WHERE s.id = a.source_id AND s.key = %s AND a.retired_at IS NULL""",
            [key],
        )
        cursor.execute("UPDATE addresses_community SET retired_at = now() WHERE retired_at IS NULL")
        with _renamed():
            yield


@contextmanager
def _renamed() -> Iterator[None]:
    """Name the roads anew from what is left, and put all back in the end."""
    name_unmapped_roads(roads_of_addresses())
    gazetteer._kept.clear()
    try:
        yield
    finally:
        transaction.set_rollback(True)
        gazetteer._kept.clear()


def _answers(asked: Sequence[Asked]) -> list[Answer | None]:
    answers: list[Answer | None] = []
    for one, found in zip(asked, geocode_many([one.text for one in asked], scope=Scope.public()), strict=True):
        best = found[0] if found else None
        answers.append(
            best and Answer(best.level, metres_between(one.lon, one.lat, best.lon, best.lat), best.uncertainty_m)
        )
    return answers


def _judged(answers: Sequence[Answer | None]) -> dict[str, Any]:
    given = [answer for answer in answers if answer]
    levels = sorted({answer.level for answer in given})
    return {
        "asked": len(answers),
        **_figures(given),
        "answers": [(answer.radius_m, answer.wrong_m) for answer in given],
        "levels": {level: _figures([answer for answer in given if answer.level == level]) for level in levels},
    }


def _figures(given: Sequence[Answer]) -> dict[str, Any]:
    return {
        "answered": len(given),
        "inside": sum(answer.wrong_m <= answer.radius_m for answer in given),
        "radius_m": statistics.median(answer.radius_m for answer in given),
        "wrong_m": statistics.median(answer.wrong_m for answer in given),
    }


if __name__ == "__main__":
    parts = {"invented": invented, "left_out": left_out, "in_the_base": in_the_base}
    print(json.dumps(parts[sys.argv[1]]()))
