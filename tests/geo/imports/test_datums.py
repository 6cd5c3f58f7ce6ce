"""Whole files in the wrong datum or with their axes swapped: refused with the evidence, never repaired, never a false alarm."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyogrio.raw import write

from geo.addresses.models import Address
from geo.crs import Coordinates, System, convert
from geo.imports.actions import draft_source, publish_runs
from geo.imports.models import Source
from geo.imports.report import told
from geo.imports.spec import manifest_of
from services.facilities.models import Facility
from tests.geo.imports.worlds import bring, place, places, spec_of, write_rows

pytestmark = pytest.mark.django_db
LINES = np.cumsum(np.random.default_rng(21).uniform(180.0, 420.0, 24)) - 3_600.0
NAMES = {"wgs84": "WGS-84", "gcj02": "GCJ-02", "bd09": "BD-09"}
DEGREES = list(NAMES)


def geographic(x, y):
    """Metres on the city's plane, as CGCS2000 degrees."""
    return convert(Coordinates(np.asarray(x, dtype=float), np.asarray(y, dtype=float), System.SH2000), System.CGCS2000)


def feature(geometry, **properties):
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def write_features(path, features):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False))
    return path


def streets_run(folder, provenance="real"):
    """Draft streets some 300 m apart, irregularly, as a city has them."""
    ends = [((x, -3_600.0), (x, 3_600.0)) for x in LINES] + [((-3_600.0, y), (3_600.0, y)) for y in LINES]
    lines = []
    for number, pair in enumerate(ends):
        there = geographic(*zip(*pair, strict=True))
        line = {"type": "LineString", "coordinates": list(zip(there.x.tolist(), there.y.tolist(), strict=True))}
        lines.append(feature(line, id=number, highway="residential", name=f"第{number}路"))
    spec = manifest_of(
        {
            "source": [
                {
                    "key": f"{provenance}-streets",
                    "family": "roads",
                    "file": "streets.geojson",
                    "datum": "cgcs2000",
                    "ext_id": ["id"],
                    "provenance": provenance,
                }
            ]
        }
    ).sources[0]
    return draft_source(spec=spec, files=[write_features(folder / "streets.geojson", lines)])


def along_streets(count=200, truth="wgs84"):
    """Doors a few metres from a street, as a file has them whose numbers are of a datum."""
    rng = np.random.default_rng(22)
    across, along = rng.choice(LINES[2:-2], count) + rng.normal(0, 8, count), rng.uniform(-2_500, 2_500, count)
    turned = rng.random(count) < 0.5
    return in_datum(np.where(turned, across, along), np.where(turned, along, across), truth)


def in_middles(truth="wgs84"):
    between = (LINES[3:-2] + LINES[2:-3]) / 2
    return in_datum(np.repeat(between, between.size), np.tile(between, between.size), truth)


def in_datum(x, y, truth):
    there = convert(geographic(x, y), System.parse(truth))
    return [place(n, lon=lon, lat=lat) for n, (lon, lat) in enumerate(zip(there.x, there.y, strict=True))]


# Against the roads


@pytest.mark.parametrize("earlier", [True, False])
@pytest.mark.parametrize(
    ("truth", "declared"), [("gcj02", "wgs84"), ("bd09", "wgs84"), ("wgs84", "gcj02"), ("bd09", "gcj02")]
)
def test_points_along_roads_reveal_another_datum_than_declared(tmp_path, truth, declared, earlier):
    streets = streets_run(tmp_path)
    if earlier:
        assert publish_runs(runs=[streets])[0].published
    rows = write_rows(tmp_path, along_streets(truth=truth))
    run = draft_source(spec=spec_of(datum=declared), files=[rows])
    report = publish_runs(runs=[run] if earlier else [run, streets])[-1]
    [doubt] = report.doubts
    assert doubt["code"] == "wrong_datum"
    assert f"很可能是 {NAMES[truth]} 坐标" in doubt["message"]
    assert "个点与道路相比" in "".join(told(report))
    assert not Facility.objects.exists()
    assert Source.objects.get(key="places").published_at is None


@pytest.mark.parametrize("datum", DEGREES)
def test_points_along_roads_confirm_the_declared_datum(tmp_path, datum):
    publish_runs(runs=[streets_run(tmp_path)])
    report = bring(tmp_path, along_streets(truth=datum), datum=datum)
    assert (report.doubts, report.published) == ([], True)
    assert len(report.evidence) == 1
    assert "与声明的坐标系相符" in report.evidence[0]


def test_doors_without_names_are_measured_too(tmp_path):
    publish_runs(runs=[streets_run(tmp_path)])
    rows = [{**row, "text": f"第1路{n}号"} for n, row in enumerate(along_streets(truth="gcj02"), 1)]
    declared = {"key": "doors", "family": "addresses", "file": "places.csv", "datum": "wgs84", "x": "lon", "y": "lat"}
    spec = manifest_of({"source": [{**declared, "ext_id": ["id"], "columns": {"text": "text"}}]}).sources[0]
    report = publish_runs(runs=[draft_source(spec=spec, files=[write_rows(tmp_path, rows)])])[0]
    assert [doubt["code"] for doubt in report.doubts] == ["wrong_datum"]
    assert not Address.objects.exists()


@pytest.mark.parametrize("truth", DEGREES)
@pytest.mark.parametrize("declared", DEGREES)
def test_places_away_from_roads_and_too_few_places_raise_no_alarm(tmp_path, truth, declared):
    publish_runs(runs=[streets_run(tmp_path)])
    for rows in (in_middles(truth), along_streets(29, truth)):
        report = bring(tmp_path, rows, datum=declared, commit=False)
        assert (report.doubts, report.evidence) == ([], [])


def test_invented_roads_say_nothing_of_real_places(tmp_path):
    publish_runs(runs=[streets_run(tmp_path, provenance="invented")])
    report = bring(tmp_path, along_streets(truth="gcj02"), datum="wgs84")
    assert (report.doubts, report.evidence) == ([], [])


# Swapped axes


def points(rows):
    return [
        feature(
            {"type": "Point", "coordinates": [row["lon"], row["lat"]]}, id=row["id"], kind=row["kind"], name=row["name"]
        )
        for row in rows
    ]


def turned(rows):
    return [{**row, "lon": row["lat"], "lat": row["lon"]} for row in rows]


def bring_features(folder, features, *, datum="wgs84", trusted=True, **more):
    spec = spec_of(
        **{
            "file": "places.geojson",
            "datum": datum,
            "x": "",
            "y": "",
            "columns": {"kind": "kind", "name": "name"},
            **more,
        }
    )
    run = draft_source(spec=spec, files=[write_features(folder / "places.geojson", features)], trusted=trusted)
    return publish_runs(runs=[run])[0]


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("datum", DEGREES)
def test_a_geojson_file_that_writes_latitude_first_is_refused_whole(tmp_path, datum, trusted):
    report = bring_features(tmp_path, points(turned(places(30))), datum=datum, trusted=trusted)
    [doubt] = report.doubts
    assert doubt["code"] == "axes_swapped_batch"
    assert "对调后有 30 个" in doubt["message"]
    assert "先写经度（东）、后写纬度（北）" in doubt["message"]
    assert not Facility.objects.exists()


def test_a_table_says_which_columns_to_turn(tmp_path):
    [doubt] = bring(tmp_path, turned(places(30))).doubts
    assert doubt["code"] == "axes_swapped_batch"
    assert "x 与 y 对调" in doubt["message"]


def test_polygons_and_shapefiles_with_latitude_first_are_refused_whole(tmp_path):
    square = shapely.transform(shapely.box(121.45, 31.2, 121.46, 31.21), lambda xy: xy[:, ::-1])
    estates = {
        "key": "estates",
        "title": "区划",
        "family": "regions",
        "file": "towns.zip",
        "datum": "wgs84",
        "ext_id": ["code"],
    }
    shapes = np.array([square] * 3, dtype=object)
    codes = np.array(["310101001", "310101002", "310101003"], dtype=object)
    write(
        tmp_path / "towns.shp", shapely.to_wkb(shapes), [codes, codes], np.array(["code", "name"]),
        geometry_type="Polygon", crs="EPSG:4326", driver="ESRI Shapefile",
    )  # fmt: skip
    with zipfile.ZipFile(tmp_path / "towns.zip", "w") as archive:
        for ending in ("shp", "shx", "dbf", "prj"):
            archive.write(tmp_path / f"towns.{ending}", f"towns.{ending}")
    features = [feature(json.loads(shapely.to_geojson(square)), code=code, name=code) for code in codes]
    files = [tmp_path / "towns.zip", write_features(tmp_path / "towns.geojson", features)]
    for file in files:
        spec = manifest_of({"source": [{**estates, "file": file.name}]}).sources[0]
        report = publish_runs(runs=[draft_source(spec=spec, files=[file])])[0]
        assert [doubt["code"] for doubt in report.doubts] == ["axes_swapped_batch"], file.name


def test_a_few_rows_with_swapped_axes_are_refused_alone(tmp_path):
    rows = [*places(40), *turned([place(41), place(42)])]
    report = bring_features(tmp_path, points(rows))
    assert (report.doubts, report.rows_accepted, report.rows_refused) == ([], 40, 2)


@pytest.mark.parametrize("geometry", [None, {}, {"type": "Point", "coordinates": []}, {"type": "Point", "coordinates": [None, "x"]},
                                      {"type": "Polygon", "coordinates": [[[[[[]]]]]]}, "POINT(1 2)", [1, 2]])  # fmt: skip
def test_geometries_that_are_none_do_not_break_the_reading(tmp_path: Path, geometry):
    report = bring_features(tmp_path, [*points(places(3)), feature(geometry, id="x", kind="pharmacy", name="x")])
    assert (report.doubts, report.rows_accepted, report.rows_refused) == ([], 3, 1)
