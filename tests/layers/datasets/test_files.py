"""Files into datasets: formats, tables, datums, addresses, much at once, and whatever hostile people send."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyogrio
import pytest
import shapely
import xlsxwriter

from geo.crs import Coordinates, System, convert
from geo.errors import BadInput, CityError, Conflict
from geo.jobs.actions import run_job
from geo.jobs.models import Job
from layers.datasets.attributes import DatasetAttribute, value_of
from layers.datasets.editing import undo
from layers.datasets.files import actions
from layers.datasets.files.kept import file_of
from layers.datasets.models import Dataset, DatasetImport, ImportState
from layers.datasets.queries import steps
from layers.datasets.revisions import held_now
from tests.layers.datasets.making import EDITOR, LAT, LON, made, sent, square, state

pytestmark = pytest.mark.usefixtures("city")


def taken(dataset: Dataset, file: Path, datum: str = "") -> DatasetImport:
    return actions.take_file(key=dataset.key, source=file, name=file.name, datum=datum, scope=EDITOR)


def written(one: DatasetImport, **how: Any) -> DatasetImport:
    seen = sent(one.dataset).seen
    given = {"by": "", "replace": False, "sure": True, "seen": seen, "key": uuid4(), "scope": EDITOR, **how}
    return actions.begin_write(import_id=one.pk, **given)


def collection(*features: dict[str, Any]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features)})


def spot(east: int, **properties: Any) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [LON + east * 0.001, LAT]}
    return {"type": "Feature", "properties": properties, "geometry": point}


def test_a_geopackage_with_several_tables_is_asked_which(tmp_path: Path) -> None:
    file = tmp_path / "ground.gpkg"
    for layer, count in (("plots", 2), ("parks", 3)):
        pyogrio.raw.write(
            str(file), shapely.to_wkb([square(at) for at in range(count)]), fields=["名称"], layer=layer,
            field_data=[np.array([f"{layer}{at}" for at in range(count)], dtype=object)],
            geometry_type="Polygon", crs="EPSG:4490", append=file.exists(),
        )  # fmt: skip
    dataset = made("polygon")
    one = taken(dataset, file)
    assert (one.state, one.report) == (ImportState.READ, {"tables": ["parks", "plots"]})
    one = actions.read_again(import_id=one.pk, datum="", table="parks", scope=EDITOR)
    assert (one.report["ready"], one.report["system"]) == (3, "cgcs2000")
    written(one)
    assert {row.properties["mingcheng"] for row in held_now(dataset)} == {"parks0", "parks1", "parks2"}


def test_a_shapefile_in_gb18030_and_a_workbook_of_addresses(tmp_path: Path) -> None:
    folder = tmp_path / "shp"
    folder.mkdir()
    pyogrio.raw.write(
        str(folder / "lines.shp"), shapely.to_wkb([shapely.LineString([(LON, LAT), (LON + 0.01, LAT)])]), fields=["名称"],
        field_data=[np.array(["慢行道"], dtype=object)], geometry_type="LineString", crs="EPSG:4490", encoding="GB18030",
    )  # fmt: skip
    (folder / "lines.cpg").unlink(missing_ok=True)
    packed = tmp_path / "lines.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for part in folder.iterdir():
            archive.write(part, part.name)
    lines = made("line")
    written(taken(lines, packed))
    assert held_now(lines).get().properties == {"mingcheng": "慢行道"}


def test_a_workbook_of_addresses_is_looked_up_and_says_how_sure_each_place_is(tmp_path: Path) -> None:
    from geo.addresses.models import Address
    from geo.imports.models import CURRENT

    known = Address.objects.filter(CURRENT).order_by("pk").first()
    assert known is not None
    file = tmp_path / "list.xlsx"
    book = xlsxwriter.Workbook(str(file))
    sheet = book.add_worksheet()
    for at, row in enumerate([("名称", "地址"), ("甲", str(known)), ("乙", "没有这条路一千零一号")]):
        sheet.write_row(at, 0, row)
    book.close()
    dataset = made()
    one = taken(dataset, file)
    assert one.report["address"] == "地址"
    assert one.report["faulty"] >= 1
    assert [said for _, said in one.report["faults"]][-1].startswith("按地址没有找到")


def test_shapes_in_another_datum_are_told_and_read_again(tmp_path: Path) -> None:
    from geo.imports.models import CURRENT
    from geo.roads.models import RoadSegment

    dataset = made("line")
    roads = RoadSegment.objects.filter(CURRENT)[:400]
    features = []
    for road in roads:
        corners = shapely.get_coordinates(shapely.from_wkb(bytes(road.geom.wkb)))
        moved = convert(Coordinates(corners[:, 0], corners[:, 1], System.CGCS2000), System.GCJ02)
        line = {"type": "LineString", "coordinates": [[x, y] for x, y in zip(moved.x, moved.y, strict=True)]}
        features.append({"type": "Feature", "properties": {}, "geometry": line})
    file = tmp_path / "roads.geojson"
    file.write_text(collection(*features))
    one = taken(dataset, file)
    assert one.report["why"] == "GeoJSON 按规定是 WGS-84"
    assert one.report["likely"] == "gcj02"
    with pytest.raises(Conflict, match="坐标系可能不对"):
        written(one, sure=False)
    one = actions.read_again(import_id=one.pk, datum="gcj02", table="", scope=EDITOR)
    assert one.report["doubt"] == ""


def test_an_area_that_crosses_itself_comes_mended_and_is_told_by_its_row(tmp_path: Path) -> None:
    ring = [[121.47, 31.23], [121.48, 31.24], [121.48, 31.23], [121.47, 31.24], [121.47, 31.23]]
    bow = {"type": "Feature", "properties": {"名称": "结"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    file = tmp_path / "a.geojson"
    file.write_text(collection(bow))
    dataset = made("polygon")
    one = taken(dataset, file)
    assert (one.report["mended"], one.report["ready"]) == ([1], 1)
    written(one)
    assert held_now(dataset).get().geom.valid


def test_long_numbers_stay_what_they_are(tmp_path: Path) -> None:
    file = tmp_path / "a.geojson"
    file.write_text(collection(spot(0, 编号=310101001001000123), spot(1, 编号=7)))
    dataset = made(attributes=())
    one = taken(dataset, file)
    assert [(column["column"], column["kind"]) for column in one.columns] == [("编号", "text")]
    written(one)
    assert [row.properties["bian_hao"] for row in held_now(dataset).order_by("number")] == ["310101001001000123", "7"]
    with pytest.raises(BadInput, match="整数"):
        value_of(DatasetAttribute("n", "数", "whole"), 2**53 + 1)


def test_of_many_columns_as_many_come_in_as_a_layer_has_room_for(tmp_path: Path) -> None:
    file = tmp_path / "a.geojson"
    file.write_text(collection(spot(0, **{f"第{at}列": at for at in range(50)})))
    dataset = made()
    one = taken(dataset, file)
    kept = [column for column in one.columns if column["to"] == "new"]
    assert (len(one.columns), len(kept)) == (50, 36)  # beside the four it has
    every = [
        {"column": column["column"], "to": "new", "title": column["column"], "kind": "whole"} for column in one.columns
    ]
    with pytest.raises(BadInput, match="最多 40 个字段"):
        actions.say_columns(import_id=one.pk, columns=every, scope=EDITOR)
    written(one)
    dataset.refresh_from_db()
    assert len(dataset.attributes) == 40


def test_a_file_that_names_a_system_we_do_not_know_waits_until_somebody_says_one(tmp_path: Path) -> None:
    file = tmp_path / "utm.gpkg"
    pyogrio.raw.write(
        str(file), shapely.to_wkb([shapely.Point(354_000, 3_456_000)]), fields=["名称"],
        field_data=[np.array(["甲"], dtype=object)], geometry_type="Point", crs="EPSG:32651",
    )  # fmt: skip
    one = taken(made(), file)
    assert (one.state, one.report["system"], one.report.get("ready")) == (ImportState.READ, "", None)
    assert "EPSG:32651" in one.report["why"]
    assert "转换成 CGCS2000" in one.report["why"]


def test_a_file_that_cannot_be_read_is_told_by_the_name_people_gave_it(tmp_path: Path) -> None:
    file = tmp_path / "长椅.csv"
    file.write_bytes("名称,经度,经度\n".encode())
    one = taken(made(), file)
    assert (one.state, "长椅.csv" in one.error, "content" in one.error) == (ImportState.FAILED, True, False)


def test_values_that_fit_no_longer_are_faults_of_their_rows(tmp_path: Path) -> None:
    file = tmp_path / "a.geojson"
    file.write_text(collection(spot(0, 座位="3"), spot(1, 座位="许多")))
    dataset = made()
    one = taken(dataset, file)
    one.refresh_from_db()
    assert one.report["faults"] == [[2, "“座位”要填整数。"]]
    assert one.report["ready"] == 1


def _zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _nested(path: Path) -> Path:
    path.write_text('{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":'
                    + '{"type":"GeometryCollection","geometries":[' * 60_000 + "]}" * 60_000 + "}]}")  # fmt: skip
    return path


def _gpkg_with_view(path: Path) -> Path:
    base = sqlite3.connect(path)
    base.execute("PRAGMA application_id = 1196444487")
    base.execute("CREATE TABLE gpkg_contents (table_name TEXT, data_type TEXT)")
    base.execute("CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, srs_id INTEGER)")
    base.execute("CREATE VIEW v AS SELECT load_extension('/nowhere') AS geom")
    base.execute("INSERT INTO gpkg_contents VALUES ('v', 'features')")
    base.execute("INSERT INTO gpkg_geometry_columns VALUES ('v', 'geom', 4490)")
    base.commit()
    base.close()
    return path


VRT = b"<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/vsicurl/http://localhost:1/x.shp</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
XXE = b"<?xml version='1.0'?><!DOCTYPE k [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><kml><Document><Placemark><name>&x;</name></Placemark></Document></kml>"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("slip.zip", lambda path: _zip(path, {"../../etc/x.shp": b"1", "../../etc/x.dbf": b"1"})),
        ("bomb.zip", lambda path: _zip(path, {"x.shp": b"\0" * 60_000_000, "x.dbf": b"1"})),
        ("vrt.zip", lambda path: _zip(path, {"x.shp": VRT, "x.shx": b"1" * 100, "x.dbf": b"1" * 100})),
        ("vrt.geojson", lambda path: path.write_bytes(VRT)),
        ("vrt.gpkg", lambda path: path.write_bytes(VRT)),
        ("curl.csv", lambda path: path.write_text("WKT\n/vsicurl/http://localhost:1/x\n")),
        ("xxe.kml", lambda path: path.write_bytes(XXE)),
        ("cut.gpkg", lambda path: path.write_bytes(b"SQLite format 3\0" + b"\0" * 200)),
        ("view.gpkg", _gpkg_with_view),
        ("cut.geojson", lambda path: path.write_text('{"type":"FeatureCollection","features":[')),
        ("deep.geojson", _nested),
        ("empty.xlsx", lambda path: path.write_bytes(b"PK\x05\x06" + b"\0" * 18)),
    ],
)
def test_hostile_files_are_refused_with_a_sentence_and_nothing_comes_in(
    tmp_path: Path, name: str, content: Any
) -> None:
    path = tmp_path / name
    content(path)
    dataset = made("polygon" if name.endswith((".zip", ".gpkg", ".geojson")) else "point")
    before = state(dataset)
    one = taken(dataset, path)
    assert one.state == ImportState.FAILED or not one.report.get("ready")
    if one.state == ImportState.FAILED:
        assert any("\u4e00" <= sign <= "\u9fff" for sign in one.error)
        assert "hostname" not in one.error
    with pytest.raises(CityError):
        written(one)
    assert state(dataset) == before


def test_other_endings_are_not_read_at_all(tmp_path: Path) -> None:
    for name in ("a.vrt", "a.shp", "a.gml", "a", "a.geojson.exe"):
        file = tmp_path / name
        file.write_bytes(VRT)
        with pytest.raises(BadInput, match="请上传 GeoJSON"):
            taken(made(), file)


def test_names_of_properties_never_become_identifiers(tmp_path: Path) -> None:
    names = [
        "a'); DELETE FROM datasets_feature; --",
        '"; SELECT 1',
        "properties",
        "id",
        "__proto__",
        "%(dataset_id)s",
        "名 称",
    ]
    file = tmp_path / "a.geojson"
    file.write_text(collection(spot(0, **{name: f"v{at}" for at, name in enumerate(names)})))
    dataset = made(attributes=())
    written(taken(dataset, file))
    dataset.refresh_from_db()
    assert all(one["name"].isidentifier() and one["name"].isascii() for one in dataset.attributes)
    assert not {one["name"] for one in dataset.attributes} & {"id", "properties", "geom"}
    assert sorted(held_now(dataset).get().properties.values()) == [f"v{at}" for at in range(len(names))]
    from layers.datasets.actions import publish
    from layers.reading import read_page
    from layers.registry import layer

    publish(sent(dataset))
    (row,) = read_page(layer(dataset.key), scope=EDITOR, limit=2).rows
    assert sorted(row.properties.values()) == [f"v{at}" for at in range(len(names))]


def test_much_is_read_and_written_aside_as_one_act_that_is_undone_at_once(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(actions, "AT_ONCE_BYTES", 1_000)
    file = tmp_path / "many.geojson"
    file.write_text(collection(*[spot(at % 90, 名称=f"椅{at}", 座位=at) for at in range(3_000)]))
    dataset = made()
    before = state(dataset)
    one = taken(dataset, file)
    assert one.state == ImportState.READING
    run_job(job_id=Job.objects.get(kind=actions.READ_JOB).pk)
    one.refresh_from_db()
    assert (one.state, one.report["ready"]) == (ImportState.READ, 3_000)
    one = written(one)
    assert one.state == ImportState.WRITING
    with pytest.raises(Conflict, match="正在处理"):
        written(one)
    run_job(job_id=Job.objects.get(kind=actions.WRITE_JOB).pk)
    assert held_now(dataset).count() == 3_000
    back, _ = steps(dataset)
    assert back is not None
    assert back.said == "从“many.geojson”导入：新增 3,000 个"
    undo(sent(dataset), act_id=back.pk)
    assert state(dataset) == before


def test_a_draft_that_moved_meanwhile_is_not_written_into_and_the_file_waits(tmp_path: Path, monkeypatch: Any) -> None:
    from layers.datasets.editing import add_feature
    from tests.layers.datasets.making import point

    monkeypatch.setattr(actions, "AT_ONCE_BYTES", 10)
    file = tmp_path / "few.geojson"
    file.write_text(collection(spot(1, 名称="椅")))
    dataset = made()
    one = taken(dataset, file)
    run_job(job_id=Job.objects.get(kind=actions.READ_JOB).pk)
    written(one)
    add_feature(sent(dataset), shape=point(), said={})
    job = run_job(job_id=Job.objects.get(kind=actions.WRITE_JOB).pk)
    one.refresh_from_db()
    assert job.error["code"] == "dataset_changed"
    assert one.state == ImportState.READ
    assert "核对以后图层又有改动" in one.error
    assert held_now(dataset).count() == 1


def test_the_file_is_kept_and_goes_with_its_import(tmp_path: Path, django_capture_on_commit_callbacks: Any) -> None:
    file = tmp_path / "few.geojson"
    file.write_text(collection(spot(1, 名称="椅")))
    one = taken(made(), file)
    kept = file_of(one)
    assert kept.exists()
    assert "椅".encode() not in kept.read_bytes()
    with django_capture_on_commit_callbacks(execute=True):
        actions.discard(import_id=one.pk, scope=EDITOR)
    assert not kept.exists()
