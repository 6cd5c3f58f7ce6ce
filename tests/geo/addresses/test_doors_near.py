"""The doors near a point, held against a plain look at every address."""

from __future__ import annotations

import numpy as np
import pytest

from geo.addresses.models import Address
from geo.addresses.queries import DOOR, DOOR_WITHIN_M, doors_near
from geo.imports.models import CURRENT
from geo.scope import Scope

pytestmark = pytest.mark.usefixtures("city")


def test_they_are_the_nearest_each_once_and_none_is_farther_than_said() -> None:
    rows = list(Address.objects.filter(CURRENT).exclude(number="").values_list("geom", *DOOR))
    points = np.array([(row[0].x, row[0].y) for row in rows])
    doors = [row[1:] for row in rows]
    assert len(set(doors)) < len(doors), "some doors have flats: the test would prove little"
    # one of the doors with flats, a spot between doors, and a spot where nobody lives
    shared = next(at for at, door in enumerate(doors) if doors.count(door) > 1)
    for lon, lat in (points[shared], points[:2].mean(axis=0), points.min(axis=0) - 0.05):
        east = (points[:, 0] - lon) * 111_320 * np.cos(np.radians(lat))
        north = (points[:, 1] - lat) * 110_900
        away = np.hypot(east, north)
        nearest: dict[tuple[str, ...], float] = {}
        for at in np.argsort(away, kind="stable"):
            nearest.setdefault(doors[at], float(away[at]))
        told = doors_near(float(lon), float(lat), scope=Scope.public(), limit=6)
        plain = sorted(metres for metres in nearest.values() if metres <= DOOR_WITHIN_M)[:6]
        assert [one.metres for one in told] == pytest.approx(plain, rel=0.01, abs=0.5)
        assert len({one.label for one in told}) == len(told)
        assert {one.level for one in told} <= {"door"}
