"""Readers against broken, truncated and hostile files: a clear refusal, never a crash, never half a file taken silently."""

import gzip
import http.server
import json
import sqlite3
import struct
import threading
import zipfile
from contextlib import closing

import numpy as np
import osmium
import pytest
import shapely
import xlsxwriter
from pyogrio.raw import write

from geo.crs import System
from geo.imports.faults import SourceRefused
from geo.imports.quarantine import read_apart
from geo.imports.readers import read_file
from tests.geo.imports.worlds import csv_bytes, places, write_rows


def refusal(path, format, **more):
    with pytest.raises(SourceRefused) as caught:
        read_file(path, format=format, datum=System.WGS84, **more)
    return caught.value.code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("name", ["places.csv", "places.csv.gz"])
def test_csv_is_read_in_the_encodings_people_send(tmp_path, encoding, name):
    reading = read_file(write_rows(tmp_path, places(3), name, encoding), format="csv", datum=System.WGS84)
    assert [record["name"] for record in reading.records] == ["第0药店", "第1药店", "第2药店"]
    assert reading.encoding == encoding.removesuffix("-sig")


def test_text_in_no_known_encoding_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"name\n\xff\xff\xff\n")
    assert refusal(path, "csv") == "encoding_unknown"


@pytest.mark.parametrize("cut", [10, 60, 200])
def test_a_gzip_cut_short_is_refused(tmp_path, cut):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(csv_bytes(places(400)))[:-cut])
    assert refusal(path, "csv") == "file_truncated"


def test_a_gzip_with_a_flipped_byte_is_refused(tmp_path):
    data = bytearray(gzip.compress(csv_bytes(places(400))))
    data[len(data) // 2] ^= 0xFF
    path = tmp_path / "a.csv.gz"
    path.write_bytes(bytes(data))
    assert refusal(path, "csv") in {"file_unreadable", "file_truncated"}


def test_a_file_beyond_the_limit_is_refused_by_its_size_alone(tmp_path):
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.truncate(1_000_000_001)  # a hole: it takes no room on the disk
    assert refusal(path, "csv") == "file_too_large"


def test_a_gzip_bomb_is_refused_before_it_fills_the_memory(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"0" * 60_000_000))
    assert refusal(path, "csv") == "archive_bomb"


def test_a_csv_that_ends_inside_a_quote_is_truncated(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('name,kind\n甲,x\n"乙')
    assert refusal(path, "csv") == "file_truncated"


def test_a_line_with_other_fields_than_the_header_is_that_rows_fault(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("name,kind\n甲,x\n乙\n丙,x,y\n")
    reading = read_file(path, format="csv", datum=System.WGS84)
    assert reading.faults == {1: "ragged_row", 2: "ragged_row"}


def workbook(path, rows):
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet("设施")
        for at, row in enumerate([list(rows[0]), *(list(row.values()) for row in rows)]):
            page.write_row(at, 0, row)
    return path


def test_xlsx_is_read_by_its_first_sheet(tmp_path):
    reading = read_file(workbook(tmp_path / "a.xlsx", places(5)), format="xlsx", datum=System.WGS84)
    assert reading.columns == ("id", "kind", "name", "address", "lon", "lat")
    assert [record["id"] for record in reading.records] == ["p0", "p1", "p2", "p3", "p4"]
    assert reading.records[1]["lon"] == pytest.approx(121.4021)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_an_xlsx_cut_short_is_refused(tmp_path, share):
    path = workbook(tmp_path / "a.xlsx", places(200))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert refusal(path, "xlsx") == "file_truncated"


def test_an_xlsx_sheet_that_is_not_there_is_refused(tmp_path):
    assert refusal(workbook(tmp_path / "a.xlsx", places(2)), "xlsx", layer="没有") == "file_unreadable"


def collection(*geometries):
    features = [{"type": "Feature", "properties": {"n": n}, "geometry": g} for n, g in enumerate(geometries)]
    return json.dumps({"type": "FeatureCollection", "features": features})


SQUARE = {"type": "Polygon", "coordinates": [[[121.4, 31.2], [121.5, 31.2], [121.5, 31.3], [121.4, 31.2]]]}


def nested(depth):
    shape = {"type": "Point", "coordinates": [121.4, 31.2]}
    for _ in range(depth):
        shape = {"type": "GeometryCollection", "geometries": [shape]}
    return shape


def ring(count):
    turn = np.linspace(0, 2 * np.pi, count)
    points = np.column_stack([121.4 + 0.01 * np.cos(turn), 31.2 + 0.01 * np.sin(turn)])
    return {"type": "Polygon", "coordinates": [[*points.tolist(), points[0].tolist()]]}


def many_rings(count):
    return {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]] * count}


def test_each_bad_geometry_is_the_fault_of_its_row_and_never_reaches_geos(tmp_path):
    path = tmp_path / "a.geojson"
    bad = [None, nested(300), ring(100_001), many_rings(1_001), {"type": "Polygon", "coordinates": "x"}, {"type": "?"}]
    path.write_text(collection(SQUARE, *bad))
    reading = read_file(path, format="geojson", datum=System.WGS84)
    assert reading.shapes[0].geom_type == "Polygon"
    assert [reading.faults[at] for at in range(1, 7)] == [
        "empty_shape",
        "too_deep",
        "too_many_vertices",
        "too_many_rings",
        "bad_position",
        "wrong_shape",
    ]


@pytest.mark.parametrize("cut", [1, 30])
def test_geojson_cut_short_is_refused(tmp_path, cut):
    path = tmp_path / "a.geojson"
    path.write_text(collection(SQUARE)[:-cut])
    assert refusal(path, "geojson") in {"file_truncated", "file_unreadable"}


def test_json_that_is_no_collection_is_refused(tmp_path):
    path = tmp_path / "a.geojson"
    path.write_text('{"type": "Topology"}')
    assert refusal(path, "geojson") == "file_unreadable"


@pytest.mark.parametrize("properties", [{"name": "长椅"}, {}])
def test_a_single_feature_or_geometry_is_geojson_too(tmp_path, properties):
    spot = {"type": "Point", "coordinates": [121.4, 31.2]}
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "Feature", "properties": properties, "geometry": spot} if properties else spot))
    reading = read_file(path, format="geojson", datum=System.CGCS2000)
    assert (reading.records, reading.shapes) == ([properties], [shapely.Point(121.4, 31.2)])


@pytest.fixture
def roads(tmp_path):
    """Two ways crossing at node 2, and one that ends at an unknown node.

    1 ─ 2 ─ 3        way 10
        │
        4            way 11
    """
    path = tmp_path / "roads.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        for number, (lon, lat) in enumerate([(121.40, 31.2), (121.41, 31.2), (121.42, 31.2), (121.41, 31.19)], 1):
            writer.add_node(osmium.osm.mutable.Node(id=number, location=(lon, lat)))
        writer.add_way(osmium.osm.mutable.Way(id=10, nodes=[1, 2, 3], tags={"highway": "residential", "name": "甲路"}))
        writer.add_way(osmium.osm.mutable.Way(id=11, nodes=[2, 4], tags={"highway": "footway"}))
        writer.add_way(osmium.osm.mutable.Way(id=12, nodes=[3, 99], tags={"highway": "footway"}))
        writer.add_way(osmium.osm.mutable.Way(id=13, nodes=[1, 4], tags={"building": "yes"}))
    return path


def test_roads_are_cut_at_the_nodes_they_share(roads):
    reading = read_file(roads, format="osm_roads", datum=System.WGS84)
    found = [(r["osm_id"], r["segment"], r["from_node"], r["to_node"]) for r in reading.records]
    assert found == [(10, 0, 1, 2), (10, 1, 2, 3), (11, 0, 2, 4), (12, 0, 3, 99)]
    assert reading.faults == {3: "bad_position"}
    assert reading.shapes[1].coords[:] == [(121.41, 31.2), (121.42, 31.2)]


@pytest.mark.parametrize("share", [0.2, 0.6, 0.9])
def test_a_pbf_cut_short_is_refused(roads, share):
    data = roads.read_bytes()
    roads.write_bytes(data[: int(len(data) * share)])
    assert refusal(roads, "osm_roads") in {"file_truncated", "file_unreadable"}


@pytest.fixture
def shapefile(tmp_path):
    folder = tmp_path / "shp"
    folder.mkdir()
    shapes = shapely.to_wkb([shapely.box(121.4, 31.2, 121.5, 31.3), shapely.box(121.5, 31.2, 121.6, 31.3)])
    names = np.array(["第一绿地", "第二绿地"], dtype=object)
    write(folder / "green.shp", shapes, [names], ["name"], geometry_type="Polygon", crs="EPSG:4326", encoding="GB18030")
    (folder / "green.cpg").unlink(missing_ok=True)
    return folder


def zipped(folder, path, **more):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"inner/{file.name}")
        for name, data in more.items():
            archive.writestr(name, data)
    return path


def test_a_zipped_shapefile_is_read_whatever_its_encoding_file_says(shapefile, tmp_path):
    reading = read_file(zipped(shapefile, tmp_path / "a.zip"), format="shapefile", datum=System.WGS84)
    assert [record["name"] for record in reading.records] == ["第一绿地", "第二绿地"]
    assert reading.encoding == "gb18030"
    assert reading.shapes[0].bounds == pytest.approx((121.4, 31.2, 121.5, 31.3))


@pytest.mark.parametrize("encoding", ["UTF-8", "GB18030"])
@pytest.mark.parametrize("value", ["慢行道", "plain"])
def test_names_of_fields_say_how_a_table_is_written_too(tmp_path, encoding, value):
    folder = tmp_path / "shp"
    folder.mkdir()
    spot, values = [shapely.to_wkb(shapely.Point(121.4, 31.2))], [np.array([value], dtype=object)]
    write(folder / "a.shp", spot, values, ["名称"], geometry_type="Point", crs="EPSG:4326", encoding=encoding)
    (folder / "a.cpg").write_text("ISO-8859-1")
    reading = read_file(zipped(folder, tmp_path / "a.zip"), format="shapefile", datum=System.WGS84)
    assert reading.records == [{"名称": value}]


def cut(table, encoding, value, room=10):
    """Let the first text of a table be as long as its field has room, whichever character that ends in."""
    data = bytearray(table.read_bytes())
    begin = int.from_bytes(data[8:10], "little")
    assert data[48] >= room
    data[48], data[10:12] = room, (room + 1).to_bytes(2, "little")
    body = b"".join(b" " + each.encode(encoding)[:room].ljust(room) for each in value)
    table.write_bytes(bytes(data[:begin]) + body + b"\x1a")


@pytest.mark.parametrize(
    ("encoding", "texts", "read"),
    [
        ("utf-8", ["慢行道椅子", "短"], ["慢行道", "短"]),  # three characters of three bytes each, and one byte
        ("gb18030", ["a慢行道椅子", "短"], ["a慢行道椅", "短"]),
        ("gb18030", ["a慢行道椅子", "abc"], ["a慢行道椅", "abc"]),
    ],
)
def test_a_text_cut_within_a_character_loses_that_character_alone(tmp_path, encoding, texts, read):
    folder = tmp_path / "shp"
    folder.mkdir()
    spots = shapely.to_wkb([shapely.Point(121.4, 31.2)] * len(texts))
    long = np.array(["x" * 80] * len(texts), dtype=object)
    write(folder / "a.shp", spots, [long], ["n"], geometry_type="Point", crs="EPSG:4326")
    cut(folder / "a.dbf", encoding, texts)
    reading = read_file(zipped(folder, tmp_path / "a.zip"), format="shapefile", datum=System.WGS84)
    assert [record["n"] for record in reading.records] == read
    assert reading.encoding == encoding

    cut(folder / "a.dbf", "latin-1", ["caf\u00e9"] * len(texts))
    assert refusal(zipped(folder, tmp_path / "b.zip"), "shapefile") == "encoding_unknown"


def test_what_a_mac_packs_beside_each_file_is_passed_over(shapefile, tmp_path):
    path = zipped(shapefile, tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a") as archive:
        for file in shapefile.iterdir():
            archive.writestr(f"__MACOSX/inner/._{file.name}", b"\x00\x05\x16\x07")
    assert [row["name"] for row in read_file(path, format="shapefile_layers", datum=System.WGS84).records] == ["green"]
    assert len(read_file(path, format="shapefile", datum=System.WGS84).records) == 2


@pytest.mark.parametrize("name", ["../../evil.txt", "/etc/evil.txt", "..\\..\\evil.txt", "C:/evil.txt"])
def test_a_member_outside_the_archive_is_refused_and_nothing_is_written(shapefile, tmp_path, name):
    path = zipped(shapefile, tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "evil")
    assert refusal(path, "shapefile") == "archive_unsafe"
    assert not list(tmp_path.parent.glob("evil*"))


def test_a_link_in_an_archive_is_refused(shapefile, tmp_path):
    path = zipped(shapefile, tmp_path / "a.zip")
    link = zipfile.ZipInfo("inner/link.shp")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert refusal(path, "shapefile") == "archive_unsafe"


def test_a_zip_bomb_is_refused(shapefile, tmp_path):
    path = zipped(shapefile, tmp_path / "a.zip", **{"inner/bomb.bin": b"0" * 60_000_000})
    assert refusal(path, "shapefile") == "archive_bomb"


def test_a_zip_whose_directory_lies_about_sizes_is_refused(shapefile, tmp_path):
    path = zipped(shapefile, tmp_path / "a.zip")
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        name_size = struct.unpack_from("<H", data, at + 28)[0]
        if data[at + 46 : at + 46 + name_size].endswith(b".shp"):
            struct.pack_into("<I", data, at + 24, 20)
        at = data.find(b"PK\x01\x02", at + 4)
    path.write_bytes(bytes(data))
    assert refusal(path, "shapefile") in {"file_unreadable", "archive_bomb"}


@pytest.fixture
def listener():
    asked = []

    class Noting(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *_): ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Noting) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.mark.parametrize("endings", [(".shp",), (".shp", ".shx"), (".SHP",)])
@pytest.mark.parametrize(
    "text",
    [
        "<OGRVRTDataSource><OGRVRTLayer name='own'><SrcDataSource>{local}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
        "<OGRVRTDataSource><OGRVRTLayer name='own'><SrcDataSource>/vsicurl/{host}/own.csv</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
        "<OGRWFSDataSource><URL>{host}/wfs</URL></OGRWFSDataSource>",
        '{{"type": "FeatureCollection", "features": [], "links": [{{"rel": "next", "href": "{host}/more"}}]}}',
    ],
    ids=["vrt-file", "vrt-host", "wfs", "geojson"],
)
def test_what_only_bears_the_ending_of_a_shapefile_is_opened_by_nobody(shapefile, tmp_path, listener, text, endings):
    host, asked = listener
    (tmp_path / "own.csv").write_text("id,WKT\nours,POINT(121.4 31.2)\n")
    said = text.format(local=tmp_path / "own.csv", host=host)
    for ending in endings:
        (shapefile / f"green{ending.lower()}").unlink()
        (shapefile / f"green{ending}").write_text(said)
    assert refusal(zipped(shapefile, tmp_path / "a.zip"), "shapefile") == "file_unreadable"
    assert asked == []


@pytest.mark.parametrize("missing", [".shx", ".dbf"])
def test_a_shapefile_without_one_of_its_files_is_refused(shapefile, tmp_path, missing):
    (shapefile / f"green{missing}").unlink()
    assert refusal(zipped(shapefile, tmp_path / "a.zip"), "shapefile") == "file_truncated"


@pytest.fixture
def geopackage(tmp_path):
    path = tmp_path / "green.gpkg"
    shapes = shapely.to_wkb(
        [shapely.box(121.4, 31.2, 121.5, 31.3), shapely.MultiPolygon([shapely.box(121.5, 31.2, 121.6, 31.3)])]
    )
    names, sizes = np.array(["第一绿地", "第二绿地"], dtype=object), np.array([3, 4], dtype=np.int32)
    write(
        path,
        shapes,
        [names, sizes],
        ["name", "size"],
        layer="green",
        driver="GPKG",
        geometry_type="Unknown",
        crs="EPSG:4326",
    )
    return path


def tampered(path, *statements):
    """Write into a GeoPackage what a hostile hand would: its triggers on tables of shapes are taken away first."""
    with closing(sqlite3.connect(path)) as base:
        for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            base.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            base.execute(statement)
        base.commit()
    return path


def test_a_geopackage_is_read_with_its_names_and_in_the_datum_that_was_said(geopackage):
    reading = read_file(geopackage, format="geopackage", datum=System.WGS84)
    assert [(record["name"], record["size"]) for record in reading.records] == [("第一绿地", 3), ("第二绿地", 4)]
    assert reading.columns == ("fid", "name", "size")
    assert [shape.geom_type for shape in reading.shapes] == ["Polygon", "MultiPolygon"]
    assert reading.shapes[0].bounds == pytest.approx((121.4, 31.2, 121.5, 31.3))
    assert len(reading.corners) == 2
    shifted = read_file(geopackage, format="geopackage", datum=System.GCJ02)
    assert shapely.distance(shifted.shapes[0].centroid, reading.shapes[0].centroid) > 0.002
    apart = read_apart(geopackage, format="geopackage", datum=System.WGS84)
    assert (apart.columns, list(apart.records)) == (reading.columns, list(reading.records))
    assert [shape.wkb for shape in apart.shapes] == [shape.wkb for shape in reading.shapes]


def test_a_geopackage_of_several_layers_asks_which(geopackage):
    write(geopackage, shapely.to_wkb([shapely.Point(121.4, 31.2)]), [np.array(["甲"], dtype=object)], ["name"], layer="gate",
          driver="GPKG", geometry_type="Point", crs="EPSG:4326", append=True)  # fmt: skip
    with pytest.raises(SourceRefused, match="gate、green"):
        read_file(geopackage, format="geopackage", datum=System.WGS84)
    assert refusal(geopackage, "geopackage", layer="none") == "format_unknown"
    assert read_file(geopackage, format="geopackage", datum=System.WGS84, layer="gate").records[0]["name"] == "甲"


@pytest.mark.parametrize(
    "cell",
    [
        "x'00'",
        "'text'",
        "7",
        "x'4750000000000000'",
        "x'4750002100000000'",
        "CAST(x'47500009E6100000' || zeroblob(9) AS BLOB)",
    ],
)
def test_a_cell_that_is_no_shape_is_the_fault_of_its_row(geopackage, cell):
    reading = read_file(
        tampered(geopackage, f"UPDATE green SET geom = {cell} WHERE fid = 2"), format="geopackage", datum=System.WGS84
    )
    assert reading.shapes[0] is not None
    assert (reading.shapes[1], list(reading.faults)) == (None, [1])


def test_a_row_without_a_shape_has_none_and_pictures_are_left_out(geopackage):
    path = tampered(geopackage, "UPDATE green SET geom = NULL, name = x'ff00' WHERE fid = 1")
    reading = read_file(path, format="geopackage", datum=System.WGS84)
    assert (reading.shapes[0], reading.faults, reading.records[0]["name"]) == (None, {}, None)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9])
def test_a_geopackage_cut_short_is_refused(geopackage, share):
    data = geopackage.read_bytes()
    geopackage.write_bytes(data[: int(len(data) * share)])
    assert refusal(geopackage, "geopackage") in {"file_truncated", "file_unreadable"}


@pytest.mark.parametrize("text", [
    '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>',
    '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/vsicurl/http://127.0.0.1/a.json</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>',
    '{"type":"FeatureCollection","features":[]}', "PK\x03\x04",
])  # fmt: skip
def test_another_file_by_the_name_of_a_geopackage_is_refused_before_anything_opens_it(tmp_path, text):
    path = tmp_path / "a.gpkg"
    path.write_text(text.ljust(200))
    assert refusal(path, "geopackage") == "file_unreadable"


@pytest.mark.parametrize("statements", [
    ("ALTER TABLE green RENAME TO real", "CREATE VIEW green AS SELECT * FROM real"),
    ("ALTER TABLE green RENAME TO real",
     "CREATE VIEW green AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS fid, NULL AS geom FROM n"),
    ("ALTER TABLE gpkg_contents RENAME TO real", "CREATE VIEW gpkg_contents AS SELECT * FROM real"),
    ("DROP TABLE green", "CREATE VIRTUAL TABLE green USING fts5(geom)"),
    ("ALTER TABLE green ADD COLUMN loud TEXT GENERATED ALWAYS AS (hex(zeroblob(900000000))) VIRTUAL",),
    ("UPDATE gpkg_geometry_columns SET column_name = 'none'",),
    ("DELETE FROM gpkg_geometry_columns",),
])  # fmt: skip
def test_what_a_geopackage_computes_is_never_read(geopackage, statements):
    assert refusal(tampered(geopackage, *statements), "geopackage") in {"file_unreadable", "format_unknown"}


def test_the_name_of_a_layer_is_a_name_whatever_it_says(geopackage):
    name = 'green"; DROP TABLE gpkg_contents; --'
    quoted = name.replace('"', '""')
    path = tampered(
        geopackage, f'ALTER TABLE green RENAME TO "{quoted}"',
        *(f"UPDATE {table} SET table_name = '{name}'" for table in ("gpkg_contents", "gpkg_geometry_columns")),
    )  # fmt: skip
    before = path.read_bytes()
    assert len(read_file(path, format="geopackage", datum=System.WGS84).records) == 2
    assert path.read_bytes() == before


def test_a_missing_file_and_an_unknown_format_are_named(tmp_path):
    assert refusal(tmp_path / "none.csv", "csv") == "file_missing"
    (tmp_path / "a.doc").write_text("x")
    assert refusal(tmp_path / "a.doc", "doc") == "format_unknown"


# Apart


def test_a_file_read_apart_is_the_file_read_here(tmp_path, roads):
    for path, format in [(write_rows(tmp_path, places(3)), "csv"), (roads, "osm_roads")]:
        here = read_file(path, format=format, datum=System.GCJ02)
        apart = read_apart(path, format=format, datum=System.GCJ02)
        assert (apart.columns, list(apart.records), apart.faults) == (here.columns, list(here.records), here.faults)
        assert [s and s.wkb for s in apart.shapes] == [s and s.wkb for s in here.shapes]


def test_what_a_reader_refuses_apart_is_refused_with_the_same_words(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('name\n"甲')
    with pytest.raises(SourceRefused) as caught:
        read_apart(path, format="csv", datum=System.WGS84)
    assert caught.value.code == "file_truncated"
    assert "a.csv" in caught.value.message


@pytest.mark.parametrize("limit", [{"memory": 60_000_000}, {"seconds": 0.05}])
def test_a_child_that_takes_too_much_memory_or_time_dies_alone(tmp_path, limit):
    path = write_rows(tmp_path, places(100_000))
    with pytest.raises(SourceRefused) as caught:
        read_apart(path, format="csv", datum=System.WGS84, **limit)
    assert caught.value.code == "reader_died"


@pytest.mark.parametrize(
    ("properties", "taken"),
    [({"a\0b": 1}, False), ({"a": "x\0"}, False), ({"a": "\\\0"}, False), ({"a": r"\u0000 and \\u0000"}, True)],
)
def test_a_text_with_the_character_of_number_0_is_no_text(tmp_path, properties, taken):
    path = tmp_path / "a.geojson"
    one = {"type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": [121.4, 31.2]}}
    path.write_text(json.dumps(one))
    if taken:
        assert read_apart(path, format="geojson", datum=System.WGS84).records == [properties]
        return
    with pytest.raises(SourceRefused) as refused:
        read_apart(path, format="geojson", datum=System.WGS84)
    assert refused.value.code == "file_unreadable"
