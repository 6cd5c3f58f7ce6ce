"""Files of fences on a real database: judged row by row, mended, written in one act and undone; written out and read in again."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import shapely
from django.db import transaction
from django.utils import timezone

from geo.crs import Coordinates, System, convert
from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.fences.areas import shape_of
from geo.fences.files.writing import FORMATS
from geo.fences.models import FenceEdition
from geo.geometry import from_plane, to_plane
from geo.kept import open_file
from geo.regions.models import RegionVersion
from geo.regions.queries import current_city
from geo.scope import Scope
from services.fencing.actions import FENCES, make_fence
from services.fencing.files.actions import (
    Mended,
    accept_mended,
    discard_import,
    leave_out_faulty,
    mend_rows,
    read_again,
    stand_by_system,
    take_file,
    write_import,
)
from services.fencing.files.columns import hours_of, hours_text
from services.fencing.files.exporting import export_fences
from services.fencing.files.kept import file_of
from services.fencing.files.models import FenceImport, FenceImportRow
from services.fencing.files.queries import fates_of, names_missing, tally_of
from services.kernel.security.retention import purge_records
from tests.services.fencing.sets import DUTIES, STAFF, act, draft, drawn, middle, square

pytestmark = pytest.mark.usefixtures("city", "media")
NIGHTS = {"mon": [["22:00", "06:00"]], "tue": [["22:00", "06:00"]], "sat": [["08:00", "12:00"], ["13:00", "17:30"]]}


@pytest.fixture
def media(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def collection(*rows: tuple[dict[str, Any], Any], system: System = System.WGS84) -> bytes:
    def there(places: np.ndarray) -> np.ndarray:
        found = convert(Coordinates(places[:, 0], places[:, 1], System.CGCS2000), system)
        return np.column_stack([found.x, found.y])

    features = [
        {
            "type": "Feature",
            "properties": about,
            "geometry": shape and shapely.geometry.mapping(shapely.transform(shape, there)),
        }
        for about, shape in rows
    ]
    return orjson.dumps({"type": "FeatureCollection", "features": features})


def taken(
    edition: FenceEdition, data: bytes, folder: Path, *, name: str = "片区.geojson", datum: str = ""
) -> FenceImport:
    source = folder / f"sent{Path(name).suffix}"
    source.write_bytes(data)
    return take_file(edition_id=edition.pk, source=source, name=name, datum=datum, scope=STAFF)


def write(one: FenceImport, *, replace: bool = False, key: uuid.UUID | None = None) -> Any:
    seen = FenceEdition.objects.get(pk=one.edition_id).revision
    return write_import(import_id=one.pk, replace=replace, seen=seen, key=key or uuid.uuid4(), scope=STAFF)


def fates(one: FenceImport) -> list[str]:
    return list(fates_of(one.rows.all(), one.edition).values())


def test_a_file_is_told_row_by_row_and_written_in_one_act_that_is_undone_at_once(tmp_path: Path) -> None:
    own = draft("service")
    drawn(own, "甲", square(0, 0), owner="老单位", hours=NIGHTS, from_day="2026-12-01")
    drawn(own, "乙", square(200, 0))
    before = {fence.name: shape_of(fence) for fence in own.areas.all()}
    one = taken(
        own,
        collection(
            ({"名称": "甲", "服务机构": "新单位"}, square(0, 150)),
            ({"名称": "乙", "服务机构": ""}, square(200, 0)),
            ({"名称": "丙", "服务机构": "长征所"}, square(0, 300)),
        ),
        tmp_path,
    )
    assert fates(one) == ["replaces", "unchanged", "new"]
    assert own.areas.count() == 2
    assert own.changes.filter(act="areas_import").count() == 0
    with open_file(file_of(one)) as kept:
        assert kept.read() == (tmp_path / "sent.geojson").read_bytes()
    key = uuid.uuid4()
    change = write(one, key=key)
    assert write(one, key=key) == change  # sent twice, done once
    with pytest.raises(Conflict, match="已经写入"):
        write(one)
    assert change.said == "从“片区.geojson”导入 3 个围栏"
    assert set(change.after) == {f"area:{own.areas.get(name=name).same}" for name in ("甲", "丙")}  # 乙 stays untouched
    changed = own.areas.get(name="甲")
    # what the file has no column for stays
    assert (changed.owner, changed.hours, str(changed.from_day)) == ("新单位", NIGHTS, "2026-12-01")
    FENCES.step_back(act(own))
    assert {fence.name for fence in own.areas.all()} == {"甲", "乙"}
    assert all(shape_of(fence).equals(before[fence.name]) for fence in own.areas.all())


def test_what_is_wrong_with_rows_is_mended_in_place_and_nothing_is_half_written(tmp_path: Path) -> None:
    own = draft("service")
    x, y = middle()
    far = RegionVersion.objects.filter(edition__state="published", level="district").exclude(code="310101").first()
    assert far is not None
    away = shapely.from_wkb(bytes(far.geom.wkb)).centroid.buffer(0.0005)
    bow = from_plane(
        shapely.Polygon([(x, y), (x + 100, y + 100), (x + 100, y), (x, y + 100)]), current_city()
    )  # fmt: skip
    one = taken(
        own,
        collection(
            ({"名称": "一样"}, square(0, 0)),
            ({"名称": "一样"}, square(200, 0)),
            ({"名称": "交叉"}, bow),
            ({"名称": "外区"}, away),
            ({"名称": ""}, square(0, 200)),
            ({"名称": "日子", "开始日期": "2026年13月1日", "生效时段": "周八 8:00-9:00"}, square(0, 400)),
            ({"名称": "空的"}, None),
        ),
        tmp_path,
    )
    faults = {row.number: row.faults for row in one.rows.all()}
    assert "文件里有 2 个叫“一样”的" in faults[1]["name"]
    assert "文件里有 2 个叫“一样”的" in faults[2]["name"]
    assert "边界自相交" in faults[3]["shape"]
    assert "不在本区范围内" in faults[4]["shape"]
    assert "要有名称" in faults[5]["name"]
    assert set(faults[6]) == {"from_day", "hours"}
    assert "图形是空的" in faults[7]["shape"]
    assert (tally_of(one).faulty, tally_of(one).mendable, tally_of(one).ready) == (7, 1, 0)
    with pytest.raises(Conflict, match="还有 7 个要改"):
        write(one)
    assert not own.areas.exists()

    mended = {
        2: Mended({"name": "另一个"}, False, False, 1),
        5: Mended({"name": "有名字"}, False, False, 1),
        6: Mended({"from_day": "2026/12/1", "hours": "周一至周五 8:00-17:30；周六 22:00-6:00"}, False, False, 1),
    }
    assert mend_rows(import_id=one.pk, mended=mended, scope=STAFF) == 0
    with pytest.raises(Conflict, match="刚被别人改过"):
        mend_rows(import_id=one.pk, mended={2: Mended({"name": "晚到"}, False, False, 1)}, scope=STAFF)
    assert accept_mended(import_id=one.pk, scope=STAFF) == 1
    assert leave_out_faulty(import_id=one.pk, scope=STAFF) == 2
    write(one)
    assert {fence.name for fence in own.areas.all()} == {"一样", "另一个", "交叉", "有名字", "日子"}
    bowed = to_plane(shape_of(own.areas.get(name="交叉")), current_city())
    assert bowed.area == pytest.approx(5_000, rel=1e-3)  # both wings of the bow
    assert own.areas.get(name="日子").hours["sat"] == [["22:00", "06:00"]]


def test_a_file_in_another_datum_is_doubted_read_again_and_only_then_written(tmp_path: Path) -> None:
    own = draft("duty")
    rows = RegionVersion.objects.filter(edition__state="published", level="committee", path__contains="310101")[:8]
    shapes = [({"名称": row.name}, shapely.from_wkb(bytes(row.geom.wkb))) for row in rows]
    one = taken(own, collection(*shapes, system=System.GCJ02), tmp_path)
    assert (one.system, one.guessed, one.guessed_by) == ("wgs84", "wgs84", "GeoJSON 按规定是 WGS-84")
    assert one.likely == "gcj02"
    assert "整体偏了约" in one.doubt
    assert "像是 GCJ-02" in one.doubt
    leave_out_faulty(import_id=one.pk, scope=STAFF)
    with pytest.raises(Conflict, match="换坐标系重新读取"):
        write(one)
    again = read_again(import_id=one.pk, datum=one.likely, scope=STAFF)
    assert (again.doubt, again.system) == ("", "gcj02")
    write(again)
    for row in rows:
        here = to_plane(shape_of(own.areas.get(name=row.name)), current_city())
        assert here.symmetric_difference(to_plane(shapely.from_wkb(bytes(row.geom.wkb)), current_city())).area < 1
    wrong = taken(own, collection(*shapes, system=System.GCJ02), tmp_path)
    leave_out_faulty(import_id=wrong.pk, scope=STAFF)
    stand_by_system(import_id=wrong.pk, scope=STAFF)
    assert write(wrong) is not None  # whoever stands by it may


def test_points_with_a_radius_are_circles(tmp_path: Path) -> None:
    own = draft("checkin")
    spot = from_plane(shapely.Point(*middle()), current_city())
    data = (
        f"名称,经度,纬度,半径（米）,管理单位\n门口,{spot.x:.9f},{spot.y:.9f},120,街道\n小的,{spot.x},{spot.y},1,街道\n"
    )
    one = taken(own, data.encode("gb18030"), tmp_path, name="签到点.csv", datum="wgs84")
    first, second = one.rows.all()
    assert first.kind == "circle"
    assert "半径请填 5 到" in second.faults["shape"]
    leave_out_faulty(import_id=one.pk, scope=STAFF)
    write(one)
    fence = own.areas.get(name="门口")
    assert (fence.kind, fence.definition["radius_m"], fence.owner) == ("circle", 120.0, "街道")
    assert to_plane(shape_of(fence), current_city()).area == pytest.approx(np.pi * 120**2, rel=1e-3)


@pytest.mark.parametrize("key", [each.key for each in FORMATS])
def test_what_is_written_out_comes_back_as_the_same_fences_of_the_same_kinds(tmp_path: Path, key: str) -> None:
    own = draft("checkin")
    spot = from_plane(shapely.Point(*middle()), current_city())
    drawn(
        own, "院子", square(0, 0).difference(square(20, 20, 30, 30)), owner="=街道", hours=NIGHTS, to_day="2027-01-31"
    )
    circle = {"lon": spot.x, "lat": spot.y, "radius_m": 80}
    make_fence(act(own), name="圆", kind="circle", definition=circle, about={})
    line = [[spot.x, spot.y], [spot.x + 0.002, spot.y + 0.001]]
    make_fence(
        act(own), name="走廊", kind="corridor", definition={"line": line, "width_m": 30}, about={"owner": "环卫"}
    )
    for number, system in enumerate((System.CGCS2000, System.BD09, System.SH2000)):
        file = export_fences(edition_id=own.pk, format=key, crs=system.value, scope=STAFF)
        assert file.name.startswith("黄浦区签到范围第1版-")
        one = taken(own, file.content, tmp_path, name=f"改过名{number}.{file.name.rpartition('.')[2]}")
        assert one.system == system.value
        assert set(fates(one)) == {"unchanged"}, (key, system, [row.notes for row in one.rows.all()])
        assert write(one, replace=True) is None  # what comes back as it was changes nothing
        if system is System.CGCS2000:
            continue
        other = draft("alert")
        fresh = taken(other, file.content, tmp_path, name=f"另一处.{file.name.rpartition('.')[2]}")
        write(fresh, replace=True)
        for fence in own.areas.all():
            back = other.areas.get(name=fence.name)
            assert (back.kind, back.hours, back.to_day) == (fence.kind, fence.hours, fence.to_day), (key, system)
            here, there = (to_plane(shape_of(each), current_city()) for each in (fence, back))
            assert shapely.hausdorff_distance(here, there) < 0.001
    chosen = export_fences(
        edition_id=own.pk, format=key, crs="wgs84", scope=STAFF, sames=[own.areas.get(name="圆").same]
    )
    two = taken(own, chosen.content, tmp_path, name=chosen.name)
    assert [row.cells["name"] for row in two.rows.all()] == ["圆"]
    assert names_missing(two, own) == ["走廊", "院子"] or names_missing(two, own) == ["院子", "走廊"]


def test_a_shape_changed_elsewhere_is_no_longer_the_circle_it_says_it_is(tmp_path: Path) -> None:
    own = draft("checkin")
    spot = from_plane(shapely.Point(*middle()), current_city())
    told = orjson.dumps({"lon": spot.x, "lat": spot.y, "radius_m": 80}).decode()
    one = taken(own, collection(({"名称": "圆", "画法": "圆", "画法参数": told}, square(0, 0))), tmp_path)
    row = one.rows.get()
    assert (row.kind, row.definition) == ("polygon", {})
    assert "按手绘的面导入" in row.notes[0]


def test_a_given_up_file_is_gone_and_strangers_see_nothing(
    tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    own = draft("service")
    one = taken(own, collection(({"名称": "甲"}, square(0, 0))), tmp_path)
    stranger = Scope(paths=("310000.310110.",), duties=DUTIES, actor="yang")
    reader = Scope(paths=("310000.",), duties=frozenset({"fences.view"}), actor="du")
    with pytest.raises(NotFound):
        write_import(import_id=one.pk, replace=False, seen=1, key=uuid.uuid4(), scope=stranger)
    with pytest.raises(NotFound):
        export_fences(edition_id=own.pk, format="csv", crs="wgs84", scope=stranger)
    with pytest.raises(Forbidden):
        discard_import(import_id=one.pk, scope=reader)
    with pytest.raises(Forbidden):
        take_file(edition_id=own.pk, source=tmp_path / "sent.geojson", name="a.geojson", datum="", scope=reader)
    path = file_of(one)
    assert path.exists()
    with django_capture_on_commit_callbacks(execute=True):
        discard_import(import_id=one.pk, scope=STAFF)
    assert not path.exists()
    assert not FenceImportRow.objects.exists()
    with pytest.raises(BadInput, match="没有这种格式"):
        export_fences(edition_id=own.pk, format="dwg", crs="wgs84", scope=STAFF)
    with pytest.raises(BadInput):
        export_fences(edition_id=own.pk, format="csv", crs="webmercator", scope=STAFF)


def test_a_file_goes_with_its_import_after_a_year(tmp_path: Path, django_capture_on_commit_callbacks: Any) -> None:
    own = draft("service")
    old, young = (taken(own, collection(({"名称": "甲"}, square(0, 0))), tmp_path) for _ in range(2))
    FenceImport.objects.filter(pk=old.pk).update(made_at=timezone.now() - dt.timedelta(days=367))
    with django_capture_on_commit_callbacks(execute=True):
        purge_records()
    assert list(FenceImport.objects.all()) == [young]
    assert (file_of(old).exists(), file_of(young).exists()) == (False, True)


def test_a_refused_file_leaves_nothing_behind(tmp_path: Path, settings: Any) -> None:
    own = draft("service")
    with pytest.raises(BadInput), transaction.atomic():
        taken(own, b"{}", tmp_path)
    assert not FenceImport.objects.exists()
    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("", {}),
        ("全天", {}),
        ("每天 8:00-9:30", dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), [["08:00", "09:30"]])),
        (
            "周一、周三 08：00至12：00，13:00~17:00",
            dict.fromkeys(("mon", "wed"), [["08:00", "12:00"], ["13:00", "17:00"]]),
        ),
        ("星期六到星期日22:00-06:00", dict.fromkeys(("sat", "sun"), [["22:00", "06:00"]])),
        ('{"mon": [["22:00", "06:00"]]}', {"mon": [["22:00", "06:00"]]}),
    ],
)
def test_hours_are_read_as_people_write_them_and_written_so_that_they_read_again(
    text: str, stored: dict[str, Any]
) -> None:
    assert hours_of(text) == stored
    assert hours_of(hours_text(stored)) == stored


@pytest.mark.parametrize(
    "text", ["周一", "周一 8点到9点", "周五至周一 08:00-09:00", "下午 08:00-09:00", "周一 08:00-08:00", "{1"]
)
def test_hours_that_are_not_understood_say_how_to_write_them(text: str) -> None:
    with pytest.raises(BadInput):
        hours_of(text)
