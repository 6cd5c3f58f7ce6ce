"""GDAL as a client: the 3.12 inside pyogrio reads every layer at any page size in three systems, Debian's 3.6 in CRS84."""

from __future__ import annotations

import datetime as dt
import itertools
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyproj
import pytest
import requests
import shapely
from django.contrib.gis.gdal import DataSource
from django.core.signals import request_started
from numpy.testing import assert_allclose
from pyogrio.errors import DataLayerError, DataSourceError

from geo.regions.models import Region
from geo.scope import Scope
from layers.reading import Row, count_rows, stream_rows
from layers.registry import layer, visible_layers
from layers.spec import LayerSpec
from services.access.actions import create_api_key, grant_role
from services.access.demo import make_demo_accounts
from services.access.models import User
from services.access.queries import scope_of_account
from tests.layers.datasets.making import DISTRICT
from tests.layers.ogc.every_layer import ELSEWHERE, fill, fill_for_staff, thin_out
from tests.layers.ogc.gdal_reader import layers_of, read, send_bearer, send_key

PUBLIC = Scope.public()
CRS84 = "OGC:CRS84"
SYSTEMS = (CRS84, "EPSG:4490", "EPSG:3857")


@pytest.fixture
def full_city(live_city: str) -> str:
    """Return the URL of a city in which every layer has features."""
    fill()
    return live_city


@pytest.fixture
def small_city(full_city: str) -> str:
    """Return the URL of a city in which every layer has features, and few more than two pages of seven."""
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


def rows_of(spec: LayerSpec, scope: Scope = PUBLIC) -> list[Row]:
    return [row for batch in stream_rows(spec, scope=scope) for row in batch]


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


def check_in_crs84(source: DataSource, spec: LayerSpec, scope: Scope) -> None:
    """Assert that Debian's GDAL read the rows that a scope sees: all of them, with the same shapes, texts and whole numbers."""
    rows = rows_of(spec, scope)
    features = list(source[spec.key])
    assert len(features) == len(rows)
    for feature, row in zip(features, rows, strict=True):
        stored = shapely.from_wkb(row.geometry)
        drift = shapely.get_coordinates(shapely.from_wkb(bytes(feature.geom.wkb))) - shapely.get_coordinates(stored)
        assert np.abs(drift).max() < 1.1e-7
        for attribute in spec.attributes:
            if attribute.kind in ("text", "whole"):
                assert feature.get(attribute.name) == row.properties[attribute.name]


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
    specs = visible_layers(scope=PUBLIC)
    assert gdal.submit(layers_of, source).result(60) == [one.key for one in specs]
    for spec in specs:
        rows = rows_of(spec)
        assert len(rows) == count_rows(spec, scope=PUBLIC, exact_up_to=100_000).number
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
    specs = visible_layers(scope=PUBLIC)
    assert {each.name for each in source} == {one.key for one in specs}
    for spec in specs:
        check_in_crs84(source, spec, PUBLIC)


def test_gdal_lets_us_narrow(live_city: str, gdal: Executor) -> None:
    rows = rows_of(next(one for one in visible_layers(scope=PUBLIC) if one.key == "places"))
    kind = rows[0].properties["kind"]
    options = open_options(1000, CRS84)
    told = gdal.submit(read, f"OAPIF:{live_city}/ogc", "places", options, where=f"kind = '{kind}'").result(60)
    assert len(told[1]) == len([row for row in rows if row.properties["kind"] == kind])


class Keyed(NamedTuple):
    """A caller with an API key: the key, a file with the header that clients send, and what may be seen with it."""

    token: str
    header: str
    scope: Scope


@pytest.fixture
def own(live_city: str) -> dict[str, str]:
    """Return the keys of the datasets for staff by district, in a city that has something in every layer for staff."""
    make_demo_accounts()
    return fill_for_staff()


@pytest.fixture
def keyed(tmp_path: Path) -> Callable[..., Keyed]:
    """Return a function that gives an account an API key: one of the demo accounts, or a new one with a role over a district."""

    def make(name: str, *, district: str = "") -> Keyed:
        if district:
            user = User.objects.create_user(username=name)
            over = Region.objects.get(versions__code=district, versions__edition__state="published")
            grant_role(user=user, role="district_manager", granted_by="test", region=over)
        _, token = create_api_key(user=User.objects.get(username=name), name="制图软件")
        file = tmp_path / f"{name}.txt"
        file.write_text(f"X-API-Key: {token}\n", encoding="utf-8")
        return Keyed(token, str(file), scope_of_account(name))

    return make


def test_the_gdal_of_pyogrio_reads_layers_for_staff_with_a_key(
    live_city: str, own: dict[str, str], gdal: Executor, keyed: Callable[..., Keyed]
) -> None:
    source, caller = f"OAPIF:{live_city}/ogc", keyed("qu")
    gdal.submit(send_key, caller.header).result(60)
    listed = [one.key for one in visible_layers(scope=caller.scope)]
    assert gdal.submit(layers_of, source).result(60) == listed
    assert {"doors", "staff_fences", own[DISTRICT]} <= set(listed)
    assert own[ELSEWHERE] not in listed
    for key, pages in (("doors", (1000,)), ("staff_fences", (7, 1000)), (own[DISTRICT], (1, 7, 1000))):
        spec = layer(key, scope=caller.scope)
        rows = rows_of(spec, caller.scope)
        assert len(rows) >= 8
        for system, page in itertools.product(SYSTEMS, pages):
            told = gdal.submit(read, source, key, open_options(page, system)).result(180)
            check(spec, rows, told, system)
    gdal.submit(send_bearer, caller.token).result(60)
    assert gdal.submit(layers_of, source).result(60) == listed


def test_debians_gdal_reads_layers_for_staff_with_a_key(
    live_city: str, own: dict[str, str], keyed: Callable[..., Keyed], monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = keyed("qu")
    monkeypatch.setenv("GDAL_HTTP_HEADER_FILE", caller.header)
    source = DataSource(f"OAPIF:{live_city}/ogc")
    assert {each.name for each in source} == {one.key for one in visible_layers(scope=caller.scope)}
    for key in ("doors", "staff_fences", own[DISTRICT]):
        check_in_crs84(source, layer(key, scope=caller.scope), caller.scope)


def test_with_a_key_of_another_district_gdal_reads_what_is_theirs_only(
    live_city: str, own: dict[str, str], gdal: Executor, keyed: Callable[..., Keyed]
) -> None:
    source = f"OAPIF:{live_city}/ogc"
    here, there, city = keyed("qu"), keyed("bieqv", district=ELSEWHERE), keyed("shi")
    read_with = {}
    for caller in (here, there, city):
        gdal.submit(send_key, caller.header).result(60)
        for key in set(gdal.submit(layers_of, source).result(60)) & {"doors", "staff_fences", *own.values()}:
            told = gdal.submit(read, source, key, open_options(1000, CRS84)).result(180)
            check(layer(key, scope=caller.scope), rows_of(layer(key, scope=caller.scope), caller.scope), told, CRS84)
            read_with[caller, key] = {bytes(shape) for shape in told[1]}
    assert {key for caller, key in read_with if caller == there} == {"doors", "staff_fences", own[ELSEWHERE]}
    assert read_with[there, "staff_fences"] == set()
    for key in ("doors", "staff_fences"):
        assert not read_with[here, key] & read_with[there, key]
        assert read_with[here, key] | read_with[there, key] <= read_with[city, key]
    assert {own[DISTRICT], own[ELSEWHERE]} <= {key for caller, key in read_with if caller == city}


def test_without_a_key_gdal_is_told_of_no_layer_for_staff(
    live_city: str, own: dict[str, str], gdal: Executor, tmp_path: Path
) -> None:
    source = f"OAPIF:{live_city}/ogc"
    assert gdal.submit(layers_of, source).result(60) == [one.key for one in visible_layers(scope=Scope.public())]
    for key in ("doors", "staff_fences", own[DISTRICT]):
        assert requests.get(f"{live_city}/ogc/collections/{key}/items", timeout=30).status_code == 404
        with pytest.raises(DataLayerError):
            gdal.submit(read, source, key, open_options(1000, CRS84)).result(60)
    file = tmp_path / "wrong.txt"
    file.write_text("X-API-Key: qt_0000000_nobodys\n", encoding="utf-8")
    refused = requests.get(f"{live_city}/ogc/collections", headers={"X-API-Key": "qt_0000000_nobodys"}, timeout=30)
    assert refused.status_code == 401
    gdal.submit(send_key, str(file)).result(60)
    with pytest.raises(DataSourceError):
        gdal.submit(layers_of, source).result(60)
