"""Areas in another datum than they were read in are told by how far they lie off, on the tiny city; right ones are not blamed."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import Coordinates, System, convert
from geo.fences.files.displaced import displaced
from geo.geometry import from_plane, to_plane
from geo.regions.models import RegionVersion
from geo.regions.queries import current_city

pytestmark = pytest.mark.usefixtures("city")


def committees() -> dict[str, BaseGeometry]:
    rows = RegionVersion.objects.filter(edition__state="published", level="committee", path__contains="310101")
    return {name: shapely.from_wkb(bytes(geom.wkb)) for name, geom in rows.values_list("name", "geom")}


def district() -> int:
    return RegionVersion.objects.get(edition__state="published", code="310101").region_id


def misread(shapes: list[BaseGeometry], written: System, read: System) -> list[BaseGeometry]:
    """Return shapes as they come out of a file written in one system and read in another."""

    def move(places: np.ndarray) -> np.ndarray:
        numbers = convert(Coordinates(places[:, 0], places[:, 1], System.CGCS2000), written)
        back = convert(Coordinates(numbers.x, numbers.y, read), System.CGCS2000)
        return np.column_stack([back.x, back.y])

    return [shapely.transform(shape, move) for shape in shapes]


@pytest.mark.parametrize(
    ("written", "read", "off"),
    [
        (System.GCJ02, System.WGS84, (450, 510)),
        (System.BD09, System.CGCS2000, (1_050, 1_200)),
        (System.BD09, System.GCJ02, (860, 960)),
        (System.WGS84, System.GCJ02, (450, 510)),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_areas_in_another_datum_are_told_by_name_and_without(
    written: System, read: System, off: tuple[int, int], named: bool
) -> None:
    known = committees()
    names = list(known) if named else [f"片{at}" for at in range(len(known))]
    shapes = misread(list(known.values()), written, read)
    found = displaced(shapes, names, read, known={}, district_id=district())
    assert found is not None
    assert found.likely is written
    metres = int("".join(filter(str.isdigit, found.said.partition("约")[2].partition("米")[0])))
    assert off[0] <= metres <= off[1]
    assert "像是" in found.said


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("system", [System.WGS84, System.CGCS2000, System.GCJ02, System.BD09])
def test_areas_in_their_own_datum_are_not_blamed(named: bool, system: System) -> None:
    known = committees()
    names = list(known) if named else [f"片{at}" for at in range(len(known))]
    assert displaced(list(known.values()), names, system, known={}, district_id=district()) is None


def test_areas_that_lie_off_by_no_datum_are_told_too_and_few_are_not_judged() -> None:
    known = committees()
    moved = [
        from_plane(shapely.transform(to_plane(each, current_city()), lambda p: p + [300.0, 0.0]), current_city())
        for each in known.values()
    ]
    found = displaced(moved, list(known), System.WGS84, known={}, district_id=district())
    assert found is not None
    assert found.likely is None
    assert "约 300 米" in found.said
    x, y = shapely.get_coordinates(shapely.point_on_surface(next(iter(known.values()))))[0]
    one = shapely.box(x, y, x + 1e-4, y + 1e-4)
    assert displaced([one], ["甲"], System.WGS84, known={}, district_id=district()) is None
