"""Shapes in KML and in tables: what people draw elsewhere comes in, and what is broken or hostile is refused in words."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import shapely
import xlsxwriter

from geo.crs import Coordinate, System, convert
from geo.errors import CityError
from geo.geometry import BadGeometry, GeometryTooLarge, Limits, parse_wkt
from geo.imports.faults import SourceRefused
from geo.imports.quarantine import read_apart
from geo.imports.readers import read_file

RING = "121.48,31.22,0 121.49,31.22,0 121.49,31.23,0 121.48,31.22,0"
HOLE = "121.485,31.221 121.488,31.221 121.488,31.223 121.485,31.221"
MARK = (
    "<Placemark><name>文庙 片</name><ExtendedData><Data name='归属'><value>环卫所</value></Data>"
    "<SchemaData><SimpleData name='时段'>周一 08:00-17:30</SimpleData></SchemaData></ExtendedData>{}</Placemark>"
)
POLYGON = (
    f"<Polygon><outerBoundaryIs><LinearRing><coordinates>\n{RING}\n</coordinates></LinearRing></outerBoundaryIs>"
    f"<innerBoundaryIs><LinearRing><coordinates>{HOLE}</coordinates></LinearRing></innerBoundaryIs></Polygon>"
)


def kml(path: Path, *marks: str, before: str = "") -> Path:
    path.write_text(
        f"<?xml version='1.0' encoding='UTF-8'?>{before}<kml xmlns='http://www.opengis.net/kml/2.2'><Document><Folder>"
        f"{''.join(marks)}</Folder></Document></kml>",
        encoding="utf-8",
    )
    return path


def test_placemarks_come_with_their_names_data_and_holes(tmp_path: Path) -> None:
    many = f"<MultiGeometry>{POLYGON}{POLYGON}</MultiGeometry>"
    point = "<Point><coordinates>121.48,31.22</coordinates></Point>"
    source = kml(
        tmp_path / "a.kml", *(MARK.format(each) for each in (POLYGON, many, point, "", point.replace("121", "x")))
    )
    reading = read_apart(source, format="kml", datum=System.WGS84)
    assert reading.records[0] == {"name": "文庙 片", "归属": "环卫所", "时段": "周一 08:00-17:30"}
    first, second, third, fourth, fifth = reading.shapes
    assert isinstance(first, shapely.Polygon)
    assert (len(first.interiors), isinstance(second, shapely.MultiPolygon)) == (1, True)
    assert isinstance(third, shapely.Point)
    assert (fourth, fifth, reading.faults) == (None, None, {3: "empty_shape", 4: "bad_position"})


def test_a_kmz_holds_one_kml(tmp_path: Path) -> None:
    inside = kml(tmp_path / "doc.kml", MARK.format(POLYGON))
    for name, members, right in (("a.kmz", ["doc.kml", "b.kml"], True), ("b.kmz", ["x.kml", "b.kml"], False)):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member in members:
                archive.write(inside, member)
        if right:
            assert len(read_file(tmp_path / name, format="kml", datum=System.WGS84).records) == 1
        else:
            with pytest.raises(SourceRefused, match="要有一个"):
                read_file(tmp_path / name, format="kml", datum=System.WGS84)


@pytest.mark.parametrize(
    ("before", "marks", "code"),
    [
        ("<!DOCTYPE k [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>", MARK.format("&a;"), "file_unreadable"),
        ("<!DOCTYPE k [<!ENTITY a 'aaaaaaaaaa'>]>", MARK.format("&a;"), "file_unreadable"),
        ("", "<Folder>" * 200 + "</Folder>" * 200, "file_unreadable"),
        ("", "<Placemark>", "file_unreadable"),
    ],
)
def test_a_kml_with_entities_or_without_end_is_refused(tmp_path: Path, before: str, marks: str, code: str) -> None:
    with pytest.raises(SourceRefused) as fault:
        read_apart(kml(tmp_path / "a.kml", marks, before=before), format="kml", datum=System.WGS84)
    assert fault.value.code == code


def test_tables_hold_shapes_as_wkt_or_as_points(tmp_path: Path) -> None:
    there = convert(Coordinate(121.48, 31.22, System.CGCS2000), System.GCJ02)
    rows = [
        ["名称", "WKT", "经度", "纬度", "半径"],
        ["面", f"SRID=4326;POLYGON(({there.x} {there.y}, 121.5 31.22, 121.5 31.25, {there.x} {there.y}))", "", "", ""],
        ["圆", "", f"{there.x}", f"{there.y}", "120"],
        ["空", "", "", "", ""],
        ["错", "POLYGON((1 2, 3", "", "", ""],
        ["字", "", "东", "31.2", "5"],
    ]
    lines = [",".join(f'"{cell}"' for cell in row) for row in rows]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="gb18030")
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    for name in ("a.csv", "a.xlsx"):
        reading = read_apart(tmp_path / name, format=f"{name[2:]}_drawn", datum=System.GCJ02)
        area, spot = reading.shapes[:2]
        assert area is not None
        assert spot is not None
        assert shapely.get_coordinates(area)[0] == pytest.approx([121.48, 31.22], abs=1e-9)
        assert shapely.get_coordinates(spot)[0] == pytest.approx([121.48, 31.22], abs=1e-9)
        assert reading.faults == {2: "empty_shape", 3: "invalid_shape", 4: "bad_position"}
        assert reading.corners[0] == pytest.approx((there.x, there.y))
        assert "WKT" not in reading.columns
        assert str(reading.records[1]["半径"]) == "120"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CURVEPOLYGON(CIRCULARSTRING(0 0, 1 1, 2 0, 1 -1, 0 0))",
        "POLYGON((121 31, 121 nan, 122 31, 121 31))",
        "POLYGON((1 1, 2 2))",
        "DROP TABLE fences",
        "SRID=4326;",
    ],
)
def test_text_that_is_no_shape_is_refused(text: str) -> None:
    with pytest.raises(CityError) as fault:
        parse_wkt(text)
    assert isinstance(fault.value, BadGeometry)


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("LINESTRING(" + ",".join(["121 31"] * 20) + ")", Limits(vertices=10)),
        ("MULTIPOLYGON(" + ",".join(["((1 1,2 1,2 2,1 1))"] * 20) + ")", Limits(rings=10)),
        ("GEOMETRYCOLLECTION(" * 50 + "POINT(1 1)" + ")" * 50, Limits()),
        ("POINT(1 " + "1" * 100 + ")", Limits(body_bytes=50)),
    ],
)
def test_text_beyond_the_limits_never_reaches_the_library(text: str, limits: Limits) -> None:
    with pytest.raises(GeometryTooLarge):
        parse_wkt(text, limits=limits)


def test_a_file_says_its_system_itself(tmp_path: Path) -> None:
    from pyogrio.raw import write

    box = [shapely.to_wkb(shapely.box(121.48, 31.22, 121.49, 31.23))]
    for name, driver, format in (("a.gpkg", "GPKG", "geopackage"), ("b.geojson", "GeoJSON", "geojson")):
        crs = System.CGCS2000.srid
        write(tmp_path / name, box, [], [], geometry_type="Polygon", crs=f"EPSG:{crs}", driver=driver)
        said = read_apart(tmp_path / name, format=format, datum=System.CGCS2000).said
        assert str(crs) in said
