"""GDAL as a client: the 3.12 inside pyogrio reads every layer at any page size in three systems, Debian's 3.6 in CRS84."""

from __future__ import annotations

import datetime as dt
import itertools
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from django.contrib.gis.gdal import DataSource
from numpy.testing import assert_allclose

from geo.scope import Scope
from layers.reading import Row, stream_rows
from layers.registry import visible_layers
from layers.spec import LayerSpec
from tests.layers.ogc.gdal_reader import layers_of, read

CRS84 = "OGC:CRS84"
SYSTEMS = (CRS84, "EPSG:4490", "EPSG:3857")
PAGES = (1, 7, 1000)
MOST_ONE_BY_ONE = 40
"""More features than this are read one by one, or by seven, only through a box: the whole layer is read by the thousand."""


@pytest.fixture
def gdal() -> Iterator[Executor]:
    """Return a process of its own for GDAL."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        yield process


def rows_of(spec: LayerSpec) -> list[Row]:
    return [row for batch in stream_rows(spec, scope=Scope.public()) for row in batch]


def open_options(page: int, system: str) -> dict[str, str]:
    return {"PAGE_SIZE": str(page), "INITIAL_REQUEST_PAGE_SIZE": str(min(page, 20)), "CRS": system}


def box_of(rows: list[Row]) -> tuple[float, float, float, float] | None:
    """Return nothing for a small layer, for a large one a box around some of its features."""
    if len(rows) <= MOST_ONE_BY_ONE:
        return None
    points = shapely.point_on_surface(shapely.from_wkb([row.geometry for row in rows[:30]]))
    west, south, east, north = shapely.total_bounds(points)
    middle = points[0]
    share = 30 / len(rows)
    wide, high = (east - west) * share, (north - south) * share
    return middle.x - wide, middle.y - high, middle.x + wide, middle.y + high


def moved(shapes: Any, system: str) -> Any:
    """Return stored shapes in a system with x before y, as GDAL gives them."""
    if system != "EPSG:3857":
        return shapes
    way = pyproj.Transformer.from_crs("EPSG:4490", "EPSG:3857", always_xy=True)
    return shapely.transform(shapes, lambda points: np.column_stack(way.transform(points[:, 0], points[:, 1])))


def check(spec: LayerSpec, rows: list[Row], told: tuple[Any, ...], system: str) -> None:
    """Assert that what GDAL read is the rows: all of them, with the same shapes, names, kinds and values."""
    meta, shapes, columns = told
    names = meta["fields"]
    assert set(names) - {"id"} == {one.name for one in spec.attributes} - {"id"}
    assert len(shapes) == len(rows)
    wanted = moved(shapely.from_wkb([row.geometry for row in rows]), system)
    tolerance = 1e-7 if system != "EPSG:3857" else 1e-3
    coordinates = shapely.get_coordinates(shapely.from_wkb(shapes))
    assert_allclose(coordinates, shapely.get_coordinates(wanted), rtol=0, atol=tolerance)
    for attribute in spec.attributes:
        values = columns[names.index(attribute.name)]
        for row, value in zip(rows, values, strict=True):
            assert same(row.properties[attribute.name], value), (spec.key, attribute.name, row.id)


def same(stored: Any, read: Any) -> bool:
    """Say whether GDAL's value is the stored one; what is empty there is None, NaN or NaT here."""
    if stored is None:
        return read is None or read != read
    if isinstance(stored, dt.datetime):
        return bool(
            np.datetime64(stored.astimezone(dt.UTC).replace(tzinfo=None), "ms") == read.astype("datetime64[ms]")
        )
    if isinstance(stored, dt.date):
        return bool(np.datetime64(stored) == read.astype("datetime64[D]"))
    return bool(stored == read)


def test_the_gdal_of_pyogrio_reads_every_layer_completely(live_city: str, gdal: Executor) -> None:
    source = f"OAPIF:{live_city}/ogc"
    specs = visible_layers(scope=Scope.public())
    assert gdal.submit(layers_of, source).result(60) == [one.key for one in specs]
    for spec in specs:
        rows = rows_of(spec)
        shapes = shapely.from_wkb([row.geometry for row in rows])
        for system, page in itertools.product(SYSTEMS, PAGES):
            box = None if page == 1000 else box_of(rows)
            bbox = None if box is None else tuple(shapely.total_bounds(moved(shapely.box(*box), system)))
            told = gdal.submit(read, source, spec.key, open_options(page, system), bbox=bbox).result(120)
            meets = [True] * len(rows) if box is None else shapely.intersects(shapes, shapely.box(*box))
            wanted = [row for row, kept in zip(rows, meets, strict=True) if kept]
            assert bool(wanted) == bool(rows)
            if not rows:  # GDAL learns the names of attributes from features
                assert len(told[1]) == 0
                continue
            assert pyproj.CRS(told[0]["crs"]).equals(pyproj.CRS(system), ignore_axis_order=True)
            check(spec, wanted, told, system)


def test_debians_gdal_reads_every_layer_in_crs84(live_city: str) -> None:
    source = DataSource(f"OAPIF:{live_city}/ogc")
    specs = visible_layers(scope=Scope.public())
    assert {each.name for each in source} == {one.key for one in specs}
    for spec in specs:
        rows = rows_of(spec)
        if not rows or len(rows) > 3_000:
            continue
        features = list(source[spec.key])
        assert len(features) == len(rows)
        for feature, row in zip(features, rows, strict=True):
            stored = shapely.from_wkb(row.geometry)
            drift = shapely.get_coordinates(shapely.from_wkb(bytes(feature.geom.wkb))) - shapely.get_coordinates(stored)
            assert np.abs(drift).max() < 1.1e-7
            for attribute in spec.attributes:
                if attribute.kind in ("text", "whole"):
                    assert feature.get(attribute.name) == row.properties[attribute.name]


def test_gdal_lets_us_narrow(live_city: str, gdal: Executor) -> None:
    rows = rows_of(next(one for one in visible_layers(scope=Scope.public()) if one.key == "places"))
    kind = rows[0].properties["kind"]
    options = open_options(1000, CRS84)
    told = gdal.submit(read, f"OAPIF:{live_city}/ogc", "places", options, where=f"kind = '{kind}'").result(60)
    assert len(told[1]) == len([row for row in rows if row.properties["kind"] == kind])
