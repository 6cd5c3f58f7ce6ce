"""Every layer in every format, read back by programs of others: the same ids, attributes with their types, and shapes."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import math
import sqlite3
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
import pyogrio.raw
import pyproj
import pytest
import shapely
from pmtiles.reader import MmapSource, Reader

from geo.crs import PLANES, System
from geo.errors import BadInput, CityError
from geo.geometry import from_stored
from geo.regions.models import RegionVersion
from geo.scope import Scope
from layers import registry
from layers.exports.formats import FORMATS
from layers.exports.process import plan_export, write_export
from layers.processes.spec import Asked, Made
from layers.reading import Row, stream_rows
from layers.registry import layer, visible_layers
from layers.spec import Attribute, Detail, LayerSpec
from layers.tiling import layer_tile
from tiles.schemes import Tile

pytestmark = pytest.mark.usefixtures("city")
PUBLIC: Final = Scope.public()
MM: Final = 1e-3
DEGREES: Final = 1e-8
"""A millimetre in degrees."""


def exported(folder: Path, **inputs: Any) -> Made:
    said: list[float] = []
    made = write_export(Asked(inputs, PUBLIC, folder, lambda share, message: said.append(share)))
    assert said == sorted(said)
    return made


def rows_of(key: str) -> list[Row]:
    return [row for some in stream_rows(layer(key), scope=PUBLIC) for row in some]


def shapes_of(rows: list[Row], system: System = System.CGCS2000) -> Any:
    return from_stored(shapely.from_wkb([row.geometry for row in rows]), system)


def read(path: Path) -> tuple[dict[str, Any], list[int], dict[str, list[Any]], Any]:
    """Return what GDAL reads: the facts of the layer, its ids, its columns by name, its shapes, in the order of the ids."""
    facts, _, wkb, columns = pyogrio.raw.read(path)
    found = dict(zip(facts["fields"], columns, strict=True))
    order = np.argsort(found["id"], kind="stable")
    return (
        facts,
        found.pop("id")[order].tolist(),
        {n: list(v[order]) for n, v in found.items()},
        shapely.from_wkb(wkb[order]),
    )


def same(shapes: Any, others: Any, tolerance: float) -> bool:
    parts = [(shapely.normalize(one), shapely.normalize(other)) for one, other in zip(shapes, others, strict=True)]
    return all(_single(one).equals_exact(_single(other), tolerance) for one, other in parts)


def _single(shape: Any) -> Any:
    parts = shapely.get_parts(shape)
    return parts[0] if len(parts) == 1 else shape


def plain(value: Any, kind: str) -> Any:
    """Return a value as GDAL says it, as the layer says it."""
    if (
        value is None
        or (isinstance(value, float) and np.isnan(value))
        or (isinstance(value, np.datetime64) and np.isnat(value))
    ):
        return None
    if kind == "day":
        return value.astype("datetime64[D]").item() if isinstance(value, np.datetime64) else value
    return value.item() if isinstance(value, np.generic) else value


@pytest.fixture
def mixed(monkeypatch: pytest.MonkeyPatch) -> LayerSpec:
    """Provide a layer with every kind of attribute, blanks among them, whose texts are Chinese, long, or look like formulas."""
    table = """(VALUES
        (1, ST_SetSRID(ST_MakePoint(121.4737, 31.2304), 4490), '人民广场', 7::bigint, 1.5::float8, true, DATE '2026-01-02',
            TIMESTAMPTZ '2026-01-02 03:04:05.678+08'),
        (2, ST_SetSRID(ST_MakePoint(121.5, 31.3), 4490), '=1+1', -5::bigint, -0.25, false, DATE '1999-12-31',
            TIMESTAMPTZ '1999-12-31 23:59:59+00'),
        (9007199254740993, ST_SetSRID(ST_MakePoint(121.2, 30.9), 4490), NULL, NULL, NULL, NULL, NULL, NULL),
        (4, NULL::geometry, repeat('圈', 85), 0::bigint, 0.1, true, DATE '2026-02-28', TIMESTAMPTZ '2026-02-28 00:00:00+00')
    )"""
    columns = "(id, geom, name_of_the_place, amount, share, open_now, checked_on, heard_at)"
    kinds = ("text", "whole", "number", "yes_no", "day", "moment")
    names = ("name_of_the_place", "amount", "share", "open_now", "checked_on", "heard_at")
    titles = ("名称", "数量", "比例", "是否开放", "核对日期", "报告时间")
    spec = LayerSpec(
        key="mixed",
        title="各种属性/甲",
        geometry="point",
        category="own",
        summary="试写的图层。",
        source="试验",
        table=f"(SELECT * FROM {table} v{columns})".replace("4490", str(System.CGCS2000.srid)),
        attributes=tuple(
            Attribute(name, title, kind, f"t.{name}")  # type: ignore[arg-type]
            for name, title, kind in zip(names, titles, kinds, strict=True)
        ),
        details=(Detail(0),),
        edition="e-1",
    )
    monkeypatch.setattr(registry, "PROVIDERS", [registry.Provider({"mixed": spec}.get, lambda: [spec])])
    return spec


@pytest.mark.parametrize("format", ["gpkg", "fgb"])
def test_every_layer_comes_back_from_gdal_as_it_is(format: str, tmp_path: Path) -> None:
    filled = 0
    for spec in visible_layers(scope=PUBLIC):
        rows, folder = rows_of(spec.key), tmp_path / spec.key
        folder.mkdir()
        made = exported(folder, layer=spec.key, format=format)
        facts, ids, columns, shapes = read(made.path)
        assert made.rows == len(rows), spec.key
        assert ids == [row.id for row in rows]
        assert same(shapes, shapes_of(rows), DEGREES), spec.key
        assert pyproj.CRS(facts["crs"]).to_epsg() == System.CGCS2000.srid
        for one in spec.attributes:
            if one.name != "id":
                values = [plain(value, one.kind) for value in columns[one.name]]
                assert values == [row.properties[one.name] for row in rows], (spec.key, one.name)
        filled += bool(rows)
    assert filled >= 6


def test_shanghai_2000_leaves_as_a_geopackage_with_its_whole_definition(tmp_path: Path) -> None:
    made = exported(tmp_path, layer="places", format="gpkg", crs="sh2000")
    facts, ids, _, shapes = read(made.path)
    rows = rows_of("places")
    plane = PLANES[System.SH2000]
    assert ids == [row.id for row in rows]
    assert same(shapes, shapes_of(rows, System.SH2000), MM)
    with sqlite3.connect(made.path) as book:
        ((name, definition),) = book.execute(
            "SELECT s.srs_name, s.definition FROM gpkg_spatial_ref_sys s JOIN gpkg_geometry_columns g USING (srs_id)"
        )
        said = "".join(text for (text,) in book.execute("SELECT metadata FROM gpkg_metadata"))
    assert name == "上海2000"
    operation = pyproj.CRS.from_wkt(definition).coordinate_operation
    assert operation is not None
    assert operation.method_name == "Transverse Mercator"
    told = {one.name: one.value for one in operation.params}
    assert told["Longitude of natural origin"] == pytest.approx(plane.central_meridian, abs=1e-12)
    assert told["Scale factor at natural origin"] == pytest.approx(plane.scale, abs=1e-14)
    assert told["False easting"] == pytest.approx(plane.false_easting, abs=1e-7)
    assert told["False northing"] == pytest.approx(plane.false_northing, abs=1e-7)
    back = pyproj.Transformer.from_crs(definition, "OGC:CRS84", always_xy=True)
    lon, lat = back.transform(*shapely.get_coordinates(shapes).T)
    there = shapely.get_coordinates(shapes_of(rows))
    assert np.abs(np.column_stack([lon, lat]) - there).max() < DEGREES
    assert "上海2000" in made.name
    assert plane.label in said
    assert "服务设施（places）" in said


@pytest.mark.parametrize("crs", ["wgs84", "webmercator", "epsg:4549", "epsg:4550", "epsg:4510"])
def test_a_file_says_the_system_its_numbers_are_in(crs: str, tmp_path: Path) -> None:
    system = System.parse(crs)
    facts, _, _, shapes = read(exported(tmp_path, layer="places", format="gpkg", crs=crs).path)
    assert pyproj.CRS(facts["crs"]).to_epsg() == system.srid
    assert same(shapes, shapes_of(rows_of("places"), system), DEGREES if system.is_geographic else MM)


@pytest.mark.parametrize("format", ["gpkg", "parquet"])
def test_every_kind_of_attribute_keeps_its_type_and_its_blanks(mixed: LayerSpec, format: str, tmp_path: Path) -> None:
    made = exported(tmp_path, layer="mixed", format=format)
    rows = rows_of("mixed")
    if format == "parquet":
        table = pq.read_table(made.path)
        wkb = table["geometry"]
    else:
        facts, table = pyogrio.raw.read_arrow(made.path)
        wkb = table[facts["geometry_name"]]
        assert facts["geometry_type"] == "Point"
    assert table["id"].to_pylist() == [1, 2, 4, 9007199254740993]
    for one in mixed.attributes:
        assert table[one.name].to_pylist() == [row.properties[one.name] for row in rows], one.name
    assert [shape is None for shape in wkb.to_pylist()] == [False, False, True, False]
    assert made.name.startswith("各种属性／甲-CGCS2000-")


@pytest.mark.parametrize("format", ["gpkg", "fgb", "parquet"])
@pytest.mark.parametrize("number", [0, 1])
def test_an_attribute_may_be_called_as_gdal_calls_its_own_column(
    mixed: LayerSpec, format: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = mixed.attributes[number]
    monkeypatch.setitem(registry.layers(), "mixed", replace(mixed, attributes=(replace(told, name="fid"),)))
    made = exported(tmp_path, layer="mixed", format=format)
    table = pq.read_table(made.path) if format == "parquet" else pyogrio.raw.read_arrow(made.path)[1]
    assert table["id"].to_pylist() == [1, 2, 4, 9007199254740993]
    assert table["fid"].to_pylist() == [row.properties["fid"] for row in rows_of("mixed")]


def test_a_flatgeobuf_holds_rows_without_a_shape_and_then_has_no_index(mixed: LayerSpec, tmp_path: Path) -> None:
    made = exported(tmp_path, layer="mixed", format="fgb")
    facts, _, wkb, columns = pyogrio.raw.read(made.path, datetime_as_string=True)
    found = dict(zip(facts["fields"], columns, strict=True))
    rows = rows_of("mixed")
    assert found["id"].tolist() == [row.id for row in rows]
    assert [shape is None for shape in wkb] == [False, False, True, False]
    assert found["name_of_the_place"].tolist() == [row.properties["name_of_the_place"] for row in rows]
    for name in ("amount", "share", "open_now"):
        assert [plain(value, "") for value in found[name]] == [row.properties[name] for row in rows]
    moments = [value and dt.datetime.fromisoformat(value) for value in found["heard_at"]]
    assert moments == [row.properties["heard_at"] for row in rows]
    assert not pyogrio.read_info(made.path)["capabilities"]["fast_spatial_filter"]
    (tmp_path / "whole").mkdir()
    whole = exported(tmp_path / "whole", layer="places", format="fgb")
    assert pyogrio.read_info(whole.path)["capabilities"]["fast_spatial_filter"]


def test_geoparquet_says_what_the_standard_asks_for(tmp_path: Path) -> None:
    made = exported(tmp_path, layer="regions", format="parquet", crs="sh2000")
    file = pq.ParquetFile(made.path)
    geo = json.loads(file.metadata.metadata[b"geo"])
    shape = geo["columns"][geo["primary_column"]]
    table = file.read()
    shapes = shapely.from_wkb(table[geo["primary_column"]].to_pylist())
    assert geo["version"] == "1.1.0"
    assert shape["encoding"] == "WKB"
    assert set(shape["geometry_types"]) == {one.geom_type for one in shapes}
    assert shape["bbox"] == pytest.approx(list(shapely.total_bounds(shapes)))
    assert pyproj.CRS.from_json_dict(shape["crs"]).name == "上海2000"
    boxes = table["bbox"].to_pylist()
    assert [tuple(box.values()) for box in boxes] == [pytest.approx(one.bounds) for one in shapes]
    rows = rows_of("regions")
    assert table["id"].to_pylist() == [row.id for row in rows]
    assert same(shapes, shapes_of(rows, System.SH2000), MM)
    plain_file = pq.ParquetFile(exported(tmp_path, layer="places", format="parquet", crs="wgs84").path)
    usual = json.loads(plain_file.metadata.metadata[b"geo"])["columns"]["geometry"]["crs"]
    assert pyproj.CRS.from_json_dict(usual).to_epsg() == System.WGS84.srid


def test_geojson_is_that_of_the_standard(mixed: LayerSpec, tmp_path: Path) -> None:
    found = json.loads(exported(tmp_path, layer="mixed", format="geojson").path.read_bytes())
    assert found["type"] == "FeatureCollection"
    assert "crs" not in found
    assert found["about"]["图层"] == "各种属性/甲（mixed）"
    first, _, blank, _ = found["features"]
    assert (first["type"], first["id"]) == ("Feature", 1)
    assert first["geometry"] == {"type": "Point", "coordinates": [121.4737, 31.2304]}
    assert first["properties"] == {
        "name_of_the_place": "人民广场",
        "amount": 7,
        "share": 1.5,
        "open_now": True,
        "checked_on": "2026-01-02",
        "heard_at": "2026-01-01T19:04:05.678000+00:00",
    }
    assert blank["geometry"] is None
    (tmp_path / "areas").mkdir()
    areas = json.loads(exported(tmp_path / "areas", layer="regions", format="geojson").path.read_bytes())["features"]
    outer = [
        shapely.LinearRing(ring) for one in areas for ring in [polygon[0] for polygon in one["geometry"]["coordinates"]]
    ]
    assert all(ring.is_ccw for ring in outer)
    assert all(len(f"{x}".partition(".")[2]) <= 7 for ring in outer for x, _ in ring.coords)
    assert same(
        shapely.from_geojson([json.dumps(one["geometry"]) for one in areas]), shapes_of(rows_of("regions")), 6e-8
    )


def test_csv_opens_in_a_spreadsheet_and_holds_no_formula(mixed: LayerSpec, tmp_path: Path) -> None:
    raw = exported(tmp_path, layer="mixed", format="csv", crs="sh2000").path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    head, *lines = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert head == [
        "编号", "名称", "数量", "比例", "是否开放", "核对日期", "报告时间", "东坐标（米）", "北坐标（米）", "坐标系",
    ]  # fmt: skip
    first, formula, blank, _ = lines
    assert first[:7] == ["1", "人民广场", "7", "1.5", "是", "2026-01-02", "2026-01-01T19:04:05.678000+00:00"]
    there = shapes_of(rows_of("mixed"), System.SH2000)[0]
    assert (float(first[7]), float(first[8])) == pytest.approx((there.x, there.y), abs=MM)
    assert first[9] == System.SH2000.label
    assert formula[1:3] == ["'=1+1", "-5"]
    assert blank[7:9] == ["", ""]
    (tmp_path / "areas").mkdir()
    text = exported(tmp_path / "areas", layer="regions", format="csv").path.read_text("utf-8-sig")
    csv.field_size_limit(10_000_000)
    areas = list(csv.DictReader(io.StringIO(text)))
    assert same(shapely.from_wkt([one["WKT"] for one in areas]), shapes_of(rows_of("regions")), DEGREES)


def test_a_shapefile_has_short_names_and_says_which_they_are(mixed: LayerSpec, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        exported(tmp_path, layer="mixed", format="shp")
    assert refused.value.code == "shapefile_narrow"
    assert "名称" in refused.value.message
    (tmp_path / "fits").mkdir()
    wanted = ["amount", "share", "open_now", "checked_on", "heard_at"]
    made = exported(tmp_path / "fits", layer="mixed", format="shp", attributes=wanted, crs="sh2000")
    with zipfile.ZipFile(made.path) as archive:
        assert archive.namelist() == ["mixed.cpg", "mixed.dbf", "mixed.prj", "mixed.shp", "mixed.shx", "说明.txt"]
        assert archive.read("mixed.cpg") == b"UTF-8"
        told = archive.read("说明.txt").decode("utf-8-sig")
        archive.extractall(tmp_path / "out")
    assert "checked_on：核对日期（checked_on）" in told
    assert PLANES[System.SH2000].label in told
    facts, ids, columns, shapes = read(tmp_path / "out" / "mixed.shp")
    assert ids == [1, 2, 4, 9007199254740993]
    assert list(facts["fields"]) == ["id", *(name[:10] for name in wanted)]
    assert columns["amount"][:3] == [7, -5, 0]
    assert [plain(value, "day") for value in columns["checked_on"]][:2] == [dt.date(2026, 1, 2), dt.date(1999, 12, 31)]
    assert columns["heard_at"][0] == "2026-01-01T19:04:05.678000+00:00"
    assert same(shapes[:2], shapes_of(rows_of("mixed")[:2], System.SH2000), MM)


def test_chinese_texts_survive_the_shapefile(tmp_path: Path) -> None:
    made = exported(tmp_path, layer="regions", format="shp")
    with zipfile.ZipFile(made.path) as archive:
        archive.extractall(tmp_path / "out")
    _, ids, columns, shapes = read(tmp_path / "out" / "regions.shp")
    rows = rows_of("regions")
    assert ids == [row.id for row in rows]
    assert columns["name"] == [row.properties["name"] for row in rows]
    assert same(shapes, shapes_of(rows), DEGREES)


@pytest.mark.parametrize("format", [one for one in FORMATS if one not in ("pmtiles", "html")])
def test_nothing_is_a_whole_file_too(mixed: LayerSpec, format: str, tmp_path: Path) -> None:
    made = exported(tmp_path, layer="mixed", format=format, bbox={"bbox": [100.0, 20.0, 100.1, 20.1]})
    assert made.rows == 0
    path = made.path
    if format == "shp":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tmp_path / "out")
        path = tmp_path / "out" / "mixed.shp"
    if format == "csv":
        assert len(path.read_text("utf-8-sig").splitlines()) == 1
    elif format == "parquet":
        assert pq.read_table(path).num_rows == 0
    else:
        assert pyogrio.read_info(path, force_feature_count=True)["features"] == 0


def test_rows_are_narrowed_by_region_box_and_shape_all_at_once(tmp_path: Path) -> None:
    whole = {row.id for row in rows_of("places")}
    districts = RegionVersion.objects.filter(edition__state="published", level="district").values_list(
        "code", flat=True
    )
    taken: list[int] = []
    for code in districts:
        taken += read(exported(tmp_path, layer="places", format="gpkg", region=code).path)[1]
        (tmp_path / "places.gpkg").unlink()
    assert len(taken) == len(set(taken))
    assert set(taken) <= whole
    assert len(taken) > 0.9 * len(whole)
    shapes = {row.id: shapely.from_wkb(row.geometry) for row in rows_of("places")}
    xs, ys = sorted(one.x for one in shapes.values()), sorted(one.y for one in shapes.values())
    quarter, half = len(xs) // 4, len(xs) // 2
    west, south, east, north = xs[quarter], ys[quarter], xs[-quarter], ys[-quarter]
    drawn = {"type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, south]]]}
    triangle = shapely.from_geojson(json.dumps(drawn))
    boxed = {pk for pk, one in shapes.items() if west <= one.x <= xs[half] and south <= one.y <= north}
    held = {pk for pk, one in shapes.items() if triangle.intersects(one)}
    box = {"bbox": [west, south, xs[half], north]}
    for inputs, wanted in (
        ({"bbox": box}, boxed),
        ({"shape": drawn}, held),
        ({"bbox": box, "shape": drawn}, boxed & held),
    ):
        found = set(read(exported(tmp_path, layer="places", format="gpkg", **inputs).path)[1])
        (tmp_path / "places.gpkg").unlink()
        assert found == wanted
        assert 0 < len(found) < len(whole)


def test_a_condition_narrows_and_says_so(tmp_path: Path) -> None:
    made = exported(tmp_path, layer="places", format="gpkg", filter="kind = 'canteen' OR name LIKE '%社区%'")
    wanted = [
        row.id for row in rows_of("places") if row.properties["kind"] == "canteen" or "社区" in row.properties["name"]
    ]
    assert read(made.path)[1] == wanted
    assert wanted
    assert "符合 kind = 'canteen'" in dict(made.about["said"])["取了哪些"]


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"crs": "gcj02"}, "crs_display_only"),
        ({"crs": "bd09"}, "crs_display_only"),
        ({"crs": "epsg:4513"}, "crs_unknown"),
        ({"crs": "西安80"}, "crs_unsupported"),
        ({"format": "geojson", "crs": "sh2000"}, "crs_not_in_format"),
        ({"attributes": ["name", "t.id; DROP TABLE x"]}, "attribute_unknown"),
        ({"region": "999999"}, "region_unknown"),
        ({"filter": "no_such = 1"}, "property_unknown"),
        ({"filter": "name = 'a'; DROP TABLE x"}, "filter_syntax"),
        ({"shape": {"type": "Point", "coordinates": [121.5, 31.2]}}, "shape_without_area"),
        ({"layer": "no-such"}, "layer_unknown"),
    ],
)
def test_what_cannot_be_written_is_refused_before_it_begins(inputs: dict[str, Any], code: str) -> None:
    with pytest.raises(CityError) as refused:
        plan_export({"layer": "places", "format": "gpkg", **inputs}, PUBLIC)
    assert refused.value.code == code


def test_pmtiles_hold_the_tiles_that_are_drawn(tmp_path: Path) -> None:
    made = exported(tmp_path, layer="regions", format="pmtiles")
    spec = layer("regions")
    with made.path.open("rb") as file:
        reader = Reader(MmapSource(file))
        header = reader.header()
        assert (header["min_zoom"], header["max_zoom"]) == (spec.min_zoom, spec.max_zoom)
        zoom = 10
        west, south, east, north = shapely.total_bounds(shapes_of(rows_of("regions")))
        middle = mercantile_tile((west + east) / 2, (south + north) / 2, zoom)
        kept = gzip.decompress(reader.get(zoom, *middle))
    assert kept == layer_tile(layer=spec, tile=Tile(zoom, *middle), chosen={}).content
    assert dict(made.about["said"])["级别"] == f"{spec.min_zoom}–{spec.max_zoom}"
    assert made.name.endswith(".pmtiles")
    for inputs in ({"region": "310101"}, {"bbox": {"bbox": [121.0, 31.0, 121.5, 31.5]}}):
        with pytest.raises(BadInput) as refused:
            plan_export({"layer": "regions", "format": "pmtiles", **inputs}, PUBLIC)
        assert refused.value.code == "archive_whole"


def mercantile_tile(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    """Return the tile of Web Mercator that holds a place."""
    share = math.asinh(math.tan(math.radians(lat))) / math.pi
    return int((lon + 180) / 360 * 2**zoom), int((1 - share) / 2 * 2**zoom)
