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
from django.core.signals import request_started
from numpy.testing import assert_allclose

from geo.scope import Scope
from layers.reading import Row, count_rows, stream_rows
from layers.registry import visible_layers
from layers.spec import LayerSpec
from tests.layers.ogc.every_layer import fill, thin_out
from tests.layers.ogc.gdal_reader import layers_of, read

CRS84 = "OGC:CRS84"
SYSTEMS = (CRS84, "EPSG:4490", "EPSG:3857")


@pytest.fixture
def full_city(live_city: str) -> str:
    """Return the URL of a city in which every layer has features."""
    fill()
    return live_city


@pytest.fixture
def small_city(full_city: str) -> str:
    """Return the URL of a city in which every layer has features, and none more than some hundred."""
    thin_out()
    return full_city


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Return the pages of features that the server is asked for while the test runs."""
    found: list[str] = []

    def note(environ: dict[str, Any], **_: Any) -> None:
        if environ["PATH_INFO"].endswith("/items"):
            found.append(environ["QUERY_STRING"])

    request_started.connect(note, weak=False)
    yield found
    request_started.disconnect(note)


@pytest.fixture
def gdal() -> Iterator[Executor]:
    """Return a process of its own for GDAL."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        yield process


def rows_of(spec: LayerSpec) -> list[Row]:
    return [row for batch in stream_rows(spec, scope=Scope.public()) for row in batch]


def open_options(page: int, system: str) -> dict[str, str]:
    return {"PAGE_SIZE": str(page), "INITIAL_REQUEST_PAGE_SIZE": str(min(page, 20)), "CRS": system}


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
    if isinstance(stored, dt.datetime):  # GDAL rounds to milliseconds
        drift = np.datetime64(stored.astimezone(dt.UTC).replace(tzinfo=None), "us") - read.astype("datetime64[us]")
        return bool(abs(drift) <= np.timedelta64(1, "ms"))
    if isinstance(stored, dt.date):
        return bool(np.datetime64(stored) == read.astype("datetime64[D]"))
    return bool(stored == read)


def check_every_layer(city: str, gdal: Executor, *pages: int, asked: list[str] | None = None) -> list[int]:
    """Assert that GDAL reads each public layer whole at every page size in every system; return how many features each has."""
    source, sizes = f"OAPIF:{city}/ogc", []
    specs = visible_layers(scope=Scope.public())
    assert gdal.submit(layers_of, source).result(60) == [one.key for one in specs]
    for spec in specs:
        rows = rows_of(spec)
        assert len(rows) == count_rows(spec, scope=Scope.public(), exact_up_to=100_000).number
        for system, page in itertools.product(SYSTEMS, pages):
            told = gdal.submit(read, source, spec.key, open_options(page, system)).result(180)
            assert pyproj.CRS(told[0]["crs"]).equals(pyproj.CRS(system), ignore_axis_order=True)
            check(spec, rows, told, system)
            assert sum(f"limit={page}" in one.split("&") for one in asked or ()) >= len(rows) / page or asked is None
        if asked is not None:
            asked.clear()
        sizes.append(len(rows))
    return sizes


def test_the_gdal_of_pyogrio_reads_every_layer_by_the_thousand(full_city: str, gdal: Executor) -> None:
    sizes = check_every_layer(full_city, gdal, 1000)
    assert max(sizes) > 5_000, "some layer has many pages"
    assert sum(map(bool, sizes)) >= 20, "hardly a layer is empty"


def test_the_gdal_of_pyogrio_reads_every_layer_one_by_one_and_by_seven(
    small_city: str, gdal: Executor, asked: list[str]
) -> None:
    sizes = check_every_layer(small_city, gdal, 1, 7, asked=asked)
    assert sorted(sizes)[len(sizes) // 4] > 7, "most layers have several pages of seven"


def test_debians_gdal_reads_every_layer_in_crs84(small_city: str) -> None:
    source = DataSource(f"OAPIF:{small_city}/ogc")
    specs = visible_layers(scope=Scope.public())
    assert {each.name for each in source} == {one.key for one in specs}
    for spec in specs:
        rows = rows_of(spec)
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
