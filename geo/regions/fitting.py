"""Parents fitted to their children where two sources draw them, and the city joined from its districts. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import City
from geo.geometry import polygons_of
from geo.regions.records import LEVELS, RegionRecord

GRAIN_DEG = 1e-12


def parent_code_of(code: str, level: str, city: City) -> str | None:
    """Return the parent that the statistical code itself names: 12 digits → 9, 9 → 6, a district → the city."""
    if level == "city":
        return None
    return {6: city.code, 9: code[:6], 12: code[:9]}.get(len(code))


def with_city(records: Sequence[RegionRecord], city: City) -> list[RegionRecord]:
    """Return the records with the city itself, joined from its districts when no source brings it."""
    if any(record.level == "city" for record in records):
        return list(records)
    districts = [record.polygon for record in records if record.level == "district"]
    if not districts:
        return list(records)
    return [RegionRecord(city.code, "city", city.name, None, _area(shapely.union_all(districts))), *records]


def fit_parents(records: Sequence[RegionRecord]) -> list[RegionRecord]:
    """Return the records with every parent reshaped so that its children lie in it and it takes nothing of its peers' children.

    The finer source wins where it speaks: a parent becomes its children joined with what it claims and no child of another
    covers. Levels are fitted from the finest upward. A set that already tiles comes back with the shapes it had.
    """
    fitted = {record.code: record for record in records}
    for level in reversed(LEVELS[:-1]):
        _fit_level(fitted, level)
    return [fitted[record.code] for record in records]


def _fit_level(fitted: dict[str, RegionRecord], level: str) -> None:
    children: dict[str, list[BaseGeometry]] = defaultdict(list)
    for record in fitted.values():
        if record.parent_code in fitted and fitted[record.parent_code].level == level:
            children[record.parent_code].append(record.polygon)
    joined = {code: shapely.union_all(shapes) for code, shapes in children.items()}
    others = np.array(list(joined.values()), dtype=object)
    owners = list(joined)
    tree = shapely.STRtree(others)
    for code, record in list(fitted.items()):
        if record.level != level:
            continue
        strangers = [others[at] for at in tree.query(record.polygon, predicate="intersects") if owners[at] != code]
        claimed = shapely.difference(record.polygon, shapely.union_all(strangers)) if strangers else record.polygon
        shape = shapely.union_all([claimed, joined[code]]) if code in joined else claimed
        if shapely.symmetric_difference(shape, record.polygon).area > GRAIN_DEG:
            fitted[code] = replace(record, polygon=_area(shape))


def _area(shape: BaseGeometry) -> BaseGeometry:
    return shapely.multipolygons(polygons_of(shape))
