"""Shapes in KML and in tables: what people draw elsewhere comes in, and what is broken or hostile is refused in words."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import shapely
import xlsxwriter

from geo.crs import SHANGHAI, Coordinate, System, convert
from geo.errors import CityError
from geo.geometry import BadGeometry, GeometryTooLarge, Limits, parse_wkt
from geo.imports.faults import SourceRefused
from geo.imports.guessing import guess_system
from geo.imports.quarantine import read_apart
from geo.imports.readers import Reading, read_file

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


SPOT = ("121.48", "31.22")


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        ([["长椅统计表"], ["名称", "经度", "纬度"], ["椅", *SPOT]], ["名称", "经度", "纬度"]),
        ([["名称", "位置", ""], ["", "经度", "纬度"], ["椅", *SPOT]], ["名称", "经度", "纬度"]),
        ([[], ["", "", ""], ["名称", "经度", "纬度"], ["", "", ""], ["椅", *SPOT], []], ["名称", "经度", "纬度"]),
        ([["名称", "经度", "纬度", ""], ["椅", *SPOT, "要核对"]], ["名称", "经度", "纬度"]),
        ([["名称", "经度", "纬度", "轴"], ["椅", *SPOT, "x"]], ["名称", "经度", "纬度", "轴"]),
    ],
)
def test_the_header_is_the_row_that_says_where_things_are(
    tmp_path: Path, rows: list[list[str]], columns: list[str]
) -> None:
    (tmp_path / "a.csv").write_text("\n".join(",".join(row) for row in rows))
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    for name in ("a.csv", "a.xlsx"):
        reading = read_apart(tmp_path / name, format=f"{name[2:]}_drawn", datum=System.CGCS2000)
        assert (list(reading.columns), reading.faults) == (columns, {})
        assert [record["名称"] for record in reading.records] == ["椅"]
        assert reading.shapes == [shapely.Point(121.48, 31.22)]


@pytest.mark.parametrize("between", [",", "\t", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_table_that_says_no_place_loses_no_row(tmp_path: Path, between: str, encoding: str) -> None:
    lines = [["名称", "轴"], ["甲", "x"], ["乙", "shapes"]]
    (tmp_path / "a.csv").write_text("\n".join(between.join(line) for line in lines), encoding=encoding)
    assert len(read_file(tmp_path / "a.csv", format="csv_drawn", datum=System.CGCS2000).records) == 2


@pytest.mark.parametrize("between", [",", "\t", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_fields_stand_between_commas_tabs_or_semicolons_in_any_usual_encoding(
    tmp_path: Path, between: str, encoding: str
) -> None:
    lines = [["名称", "经度", "纬度"], ["a,b;c" if between == "\t" else "椅", *SPOT]]
    (tmp_path / "a.csv").write_text("\n".join(between.join(line) for line in lines), encoding=encoding)
    reading = read_file(tmp_path / "a.csv", format="csv_drawn", datum=System.CGCS2000)
    assert reading.shapes == [shapely.Point(121.48, 31.22)]
    assert reading.records[0]["名称"] == lines[1][0]


@pytest.mark.parametrize("encoding", ["GBK", "GB2312", "GB18030", "UTF-8", "UTF-16"])
@pytest.mark.parametrize("declared", [True, False])
def test_a_kml_is_read_in_the_encodings_people_send(tmp_path: Path, encoding: str, declared: bool) -> None:
    if encoding == "UTF-16" and not declared:
        encoding = "UTF-8-SIG"
    head = f'<?xml version="1.0" encoding="{encoding}"?>' if declared else ""
    mark = "<Placemark><name>长椅</name><Point><coordinates>121.48,31.22</coordinates></Point></Placemark>"
    folder = f"<Folder><name>外</name><Folder><name>里</name>{mark}</Folder></Folder>"
    source = tmp_path / "a.kml"
    source.write_bytes(f"{head}<kml><Document><name>总</name>{folder}{mark}</Document></kml>".encode(encoding))
    reading = read_apart(source, format="kml", datum=System.CGCS2000)
    assert reading.records == [{"name": "长椅", "文件夹": "外 / 里"}, {"name": "长椅"}]
    assert reading.shapes == [shapely.Point(121.48, 31.22)] * 2


@pytest.mark.parametrize(
    ("epsg", "system"),
    [
        (4490, System.CGCS2000), (4326, System.WGS84), (3857, System.WEB_MERCATOR), (4549, System.GK3_CM120E),
        (32651, None), (4214, None),
    ],
)  # fmt: skip
def test_a_system_that_a_file_names_is_taken_or_said_to_be_unknown_never_guessed_over(
    tmp_path: Path, epsg: int, system: System | None
) -> None:
    from pyogrio.raw import write

    spot = [
        shapely.to_wkb(
            shapely.Point(121.48, 31.22) if epsg in (4490, 4326, 4214) else shapely.Point(354_000, 3_456_000)
        )
    ]
    for name, driver, format in (("a.gpkg", "GPKG", "geopackage"), ("a.shp", "ESRI Shapefile", "shapefile")):
        write(
            tmp_path / name,
            spot,
            [np.array(["x"], dtype=object)],
            ["n"],
            geometry_type="Point",
            crs=f"EPSG:{epsg}",
            driver=driver,
        )
        source = tmp_path / name
        if format == "shapefile":
            source = tmp_path / "a.zip"
            with zipfile.ZipFile(source, "w") as archive:
                for part in tmp_path.glob("a.???"):
                    if part.suffix != ".zip":
                        archive.write(part, part.name)
        guess = guess_system(
            read_file(source, format=format, datum=System.CGCS2000), name=name, format=format, area=SHANGHAI.bbox
        )
        assert guess.system is system, (format, guess)
        assert ("不能换算" in guess.why) is (system is None)


def test_large_numbers_are_a_plane_of_the_city_or_those_of_maps_on_the_web() -> None:
    for system in (System.SH2000, System.GK3_CM120E, System.WEB_MERCATOR):
        there = convert(Coordinate(121.48, 31.22, System.CGCS2000), system)
        reading = Reading((), [{}], [None], corners=[(there.x, there.y)])
        assert guess_system(reading, name="a.csv", format="csv", area=SHANGHAI.bbox).system is system


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
