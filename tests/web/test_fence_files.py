"""Files of fences on the planner's pages and over the API: told row by row, written once; hostile files leave nothing."""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from pathlib import Path
from typing import Any

import orjson
import pytest
import shapely
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from geo.crs import System
from geo.fences.models import Fence, FenceEdition
from geo.regions.models import Region, RegionVersion
from services.access.actions import declare_roles
from services.fencing.actions import FENCES
from services.fencing.files.models import FenceImport
from tests.services.access.walking import signed_in
from tests.services.fencing.files.test_fence_files import NIGHTS, collection
from tests.services.fencing.sets import HUANGPU, STAFF, act, draft, drawn, published, square

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


class Desk:
    """A planner of the district with an empty draft of services."""

    def __init__(self) -> None:
        declare_roles()
        region = Region.objects.get(versions__code=HUANGPU, versions__edition__state="published")
        self.client: Client = signed_in("fence-files", "district_manager", region=region)
        self.edition = draft("service")

    def upload(self, name: str, data: bytes, datum: str = "") -> Any:
        fields = {"datum": datum, "file": SimpleUploadedFile(name, data)}
        return self.client.post(f"/plan/fences/{self.edition.pk}/files", fields, follow=True)

    def post(self, **fields: Any) -> Any:
        at = f"/plan/fences/imports/{FenceImport.objects.latest('made_at').pk}"
        self.edition.refresh_from_db()
        return self.client.post(at, {"seen": self.edition.revision, "key": str(uuid.uuid4()), **fields}, follow=True)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def said(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def test_a_file_is_mended_on_its_page_written_once_and_undone(desk: Desk) -> None:
    drawn(desk.edition, "旧的", square(-100, 0))
    bow = shapely.Polygon([*square(0, 0).exterior.coords])
    ring = list(bow.exterior.coords)
    crossed = shapely.Polygon([ring[0], ring[2], ring[1], ring[3]])
    page = desk.upload(
        "服务片.geojson",
        collection(({"名称": "长征片", "服务机构": "甲中心", "生效时段": "周一 22:00-06:00"}, square(200, 0)), ({"名称": "交叉片"}, crossed)),
    )  # fmt: skip
    text = said(page)
    assert "可以写入 1 个" in text
    assert "要改 1 个" in text
    assert "边界自相交" in text
    assert "GeoJSON 按规定是 WGS-84" in text
    assert "写入草稿" not in text
    shown = desk.client.get(f"{page.redirect_chain[-1][0]}/shapes.json").json()["areas"]["features"]
    states = {(each["properties"]["name"], each["properties"]["state"]) for each in shown}
    assert states == {("旧的", "there"), ("长征片", "new"), ("交叉片", "before"), ("交叉片", "mended")}
    original = desk.client.get(f"{page.redirect_chain[-1][0]}/file")
    assert b"".join(original.streaming_content).startswith(b'{"type"')

    mended = desk.post(act="mend", **{"seen-2": 1, "c-2-name": "修好片", "fixed-2": "1"})
    assert "这一页都改好了" in said(mended)
    assert '只留文件里的：删除草稿里另外 1 个 <span class="second">旧的' in said(mended)
    key = str(uuid.uuid4())
    wrote = desk.post(act="write", how="replace", key=key)
    assert "已从“服务片.geojson”导入 2 个围栏" in said(wrote)
    assert "已从“服务片.geojson”导入 2 个围栏" in said(desk.post(act="write", how="replace", key=key))
    assert {fence.name for fence in desk.edition.areas.all()} == {"长征片", "修好片"}
    assert desk.edition.areas.get(name="长征片").hours == {"mon": [["22:00", "06:00"]]}
    assert "已经写入草稿" in said(desk.post(act="write"))
    assert FenceImport.objects.get().change == desk.edition.changes.get(act="areas_import")
    FENCES.step_back(act(desk.edition, scope=STAFF.__class__(**{**_fields(), "actor": "fence-files"})))
    assert {fence.name for fence in desk.edition.areas.all()} == {"旧的"}


def _fields() -> dict[str, Any]:
    return {"paths": STAFF.paths, "duties": STAFF.duties}


def test_a_file_in_another_datum_is_read_again_with_one_click(desk: Desk) -> None:
    rows = RegionVersion.objects.filter(edition__state="published", level="committee", path__contains=HUANGPU)[:8]
    shapes = [({"名称": row.name}, shapely.from_wkb(bytes(row.geom.wkb))) for row in rows]
    text = said(desk.upload("居委.geojson", collection(*shapes, system=System.BD09)))
    assert "这些面整体偏了约 1" in text
    assert "像是 BD-09" in text
    assert "写入草稿" not in text
    assert "还没有写入" in said(desk.client.get(f"/plan/fences/{desk.edition.pk}/files"))
    again = said(desk.post(act="again", datum="bd09"))
    assert "坐标系：BD-09" in again
    assert "整体偏了" not in again
    assert "写入草稿" in again


BOMB = io.BytesIO()
with zipfile.ZipFile(BOMB, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("a.shp", b"0" * 60_000_000)
SLIP = io.BytesIO()
with zipfile.ZipFile(SLIP, "w") as archive:
    archive.writestr("../../a.shp", b"0")
VRT = b'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
ENTITY = b"<?xml version='1.0'?><!DOCTYPE k [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><kml><Placemark><name>&a;</name></Placemark></kml>"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("炸弹.zip", BOMB.getvalue(), "展开后过大"),
        ("溜走.zip", SLIP.getvalue(), "不安全的路径"),
        ("冒充.gpkg", VRT, "文件读不出来"),
        ("冒充.zip", VRT, "请重新"),
        ("实体.kml", ENTITY, "文件读不出来"),
        ("半截.geojson", b'{"type": "FeatureColl', "请重新"),
        ("程序.exe", b"MZ", "请上传 GeoJSON"),
        ("没列.csv", "名称\n甲\n".encode(), "没有写坐标系"),
        ("空.geojson", b'{"type": "FeatureCollection", "features": []}', "请放 1 到"),
    ],
)
def test_a_hostile_or_broken_file_is_refused_in_words_and_leaves_nothing(
    desk: Desk, settings: Any, name: str, data: bytes, words: str
) -> None:
    page = desk.upload(name, data)
    assert (page.status_code, words in said(page)) == (400, True), said(page)[:3000]
    assert not FenceImport.objects.exists()
    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    assert not Fence.objects.filter(edition=desk.edition).exists()


def test_an_edition_is_taken_away_from_the_page_and_over_the_api(desk: Desk) -> None:
    drawn(desk.edition, "长征片", square(0, 0), owner="甲中心", hours=NIGHTS)
    drawn(desk.edition, "石泉片", square(200, 0))
    at = f"/plan/fences/{desk.edition.pk}"
    assert "导出" in said(desk.client.get(f"{at}/files"))
    one = desk.client.get(
        f"{at}/export", {"format": "csv", "crs": "sh2000", "fence": desk.edition.areas.get(name="石泉片").same}
    )
    assert "%E4%B8%8A%E6%B5%B72000.csv" in one["Content-Disposition"]
    assert one.content.decode("utf-8-sig").splitlines()[1].startswith("石泉片,,手绘的面,")
    api = f"/api/v1/fences/editions/{desk.edition.pk}/export"
    got = desk.client.get(api, {"format": "geojson", "crs": "gcj02"})
    first = orjson.loads(got.content)["features"][1]
    assert first["properties"]["名称"] == "长征片"
    assert first["properties"]["服务机构"] == "甲中心"
    assert first["properties"]["生效时段"].startswith("周一至周二 22:00-06:00")
    assert got["Content-Type"] == "application/geo+json"
    assert desk.client.get(api, {"format": "dwg"}).json()["code"] == "file_format_unknown"
    assert desk.client.get(api, {"crs": "beijing54"}).status_code == 400
    assert Client().get(api).status_code == 401


def test_what_is_published_is_not_imported_into_and_another_district_sees_no_file(desk: Desk) -> None:
    drawn(desk.edition, "长征片", square(0, 0))
    desk.upload("甲.geojson", collection(({"名称": "甲"}, square(200, 0))))
    waiting = FenceImport.objects.get()
    published(desk.edition)
    page = desk.upload("乙.geojson", collection(({"名称": "乙"}, square(400, 0))))
    assert page.status_code == 409
    assert desk.post(act="write").status_code == 409
    assert FenceEdition.objects.get(pk=desk.edition.pk).areas.count() == 1
    elsewhere = Region.objects.filter(versions__level="district", versions__edition__state="published").exclude(
        versions__code=HUANGPU
    )[0]
    stranger = signed_in("fence-files-elsewhere", "district_manager", region=elsewhere)
    for path in ("", "/shapes.json", "/file"):
        assert stranger.get(f"/plan/fences/imports/{waiting.pk}{path}").status_code == 404
    assert stranger.get(f"/plan/fences/{desk.edition.pk}/export").status_code == 404
    assert stranger.get(f"/api/v1/fences/editions/{desk.edition.pk}/export").status_code == 404
