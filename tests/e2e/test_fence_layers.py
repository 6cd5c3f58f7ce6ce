"""A layer of fences built of many kinds of shapes in a browser: shown, asked for, changed, deleted; files in and out beside it."""

from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import shapely

from geo.addresses.land import land_of
from geo.fences.models import Fence, FenceEdition
from geo.geometry import from_plane
from geo.regions.models import RegionVersion
from geo.regions.queries import current_city
from tests.e2e.conftest import faults_of, jump
from tests.e2e.drawing_table import Middle, click_at, drawn, look_at, metres, saved
from tests.e2e.test_desk import sign_in
from tests.reading import wait_for_maps
from tests.services.fencing.files.test_fence_files import collection
from tests.services.fencing.sets import HUANGPU, STAFF, district
from tests.services.fencing.sets import draft as opened

pytestmark = pytest.mark.timeout(900)


class Ground(NamedTuple):
    """Where on the plane the layer is drawn, and a door there."""

    middle: Middle
    door: str

    @property
    def edition(self) -> FenceEdition:
        return FenceEdition.objects.get(purpose="alert", district=district())

    def fence(self, name: str) -> Fence:
        return self.edition.areas.get(name=name)

    def names(self) -> set[str]:
        return set(self.edition.areas.values_list("name", flat=True))


@pytest.fixture
def ground(live_city: str) -> Ground:
    """Return ground on which nobody has drawn a layer of alerts."""
    FenceEdition.objects.filter(purpose="alert").delete()
    land = land_of(district())
    at = int(np.argmin(np.hypot(*(land.metres - np.median(land.metres, axis=0)).T)))
    return Ground(Middle.among(land.metres), land.labels[at])


def ringed(middle: Middle) -> bytes:
    """Return a file of one square with a square hole."""
    x, y = middle.x + 200, middle.y - 150
    whole = shapely.Polygon(
        shapely.box(x, y, x + 200, y + 200).exterior, [shapely.box(x + 50, y + 50, x + 150, y + 150).exterior]
    )
    return collection(({"名称": "工地围挡", "值守单位": "建管中心"}, from_plane(whole, current_city())))


def make(page: Any, ground: Ground) -> None:
    """Draw a polygon, a circle and a corridor on the map; take a whole street by its name, and what is reached from a door."""
    page.keyboard.press("s")
    page.keyboard.press("p")
    for corner in ((-300, -150), (-100, -150), (-100, 50), (-300, 50), (-300, -150)):
        click_at(page, ground.middle, *corner)
    page.locator("#plan-new-name").fill("文庙看护区")
    page.locator("#plan-new-owner").fill("老西门街道")
    page.get_by_role("button", name="保存围栏").click()
    saved(page, "画了围栏“文庙看护区”")

    page.keyboard.press("o")
    click_at(page, ground.middle, -200, -50)
    click_at(page, ground.middle, -200, 10)
    circle = page.locator("#make-circle")
    circle.get_by_label("名称").fill("消防栓")
    circle.get_by_role("button", name="画这个圆").click()
    saved(page, "画了围栏“消防栓”")

    page.keyboard.press("l")
    click_at(page, ground.middle, -300, 200)
    click_at(page, ground.middle, 100, 200)
    page.get_by_role("button", name="画好了").click()
    corridor = page.locator("#make-corridor")
    corridor.get_by_label("名称").fill("巡逻线")
    corridor.get_by_label("宽度（米）").fill("30")
    corridor.get_by_role("button", name="画这条走廊").click()
    saved(page, "画了围栏“巡逻线”")

    page.get_by_text("整个街镇", exact=True).click()
    street = page.locator("form", has=page.get_by_role("button", name="画这个街镇"))
    street.get_by_label("名称").fill("整街")
    street.get_by_role("button", name="画这个街镇").click()
    saved(page, "画了围栏“整街”")

    page.locator("summary", has_text="等时圈").click()
    reached = page.locator("#make-isochrone")
    reached.get_by_label("名称").fill("五分钟圈")
    reached.get_by_label("出发的地点").fill(ground.door)
    reached.locator("[name=minutes]").fill("5")
    reached.get_by_role("button", name="画这个等时圈").click()
    saved(page, "画了围栏“五分钟圈”")


def shown_at(page: Any, middle: Middle, east: float, north: float) -> set[str]:
    """Return the names of the fences that the map shows at a spot."""
    found = page.evaluate(
        "spot => { const map = document.getElementById('plan-map').quantu;"
        " return map.queryRenderedFeatures(map.project(spot), {layers: ['areas']}).map((each) => each.properties.name); }",
        list(middle.degrees(east, north)),
    )
    return set(found)


def asked(page: Any) -> set[str]:
    """Return the names in the list as it answers now."""
    return set(page.locator("table a.row-link").all_inner_texts())


@pytest.mark.covers("ELD-MAP-04b", via="services.fencing.finding:find_fences")
def test_a_layer_is_built_of_many_shapes_shown_asked_for_changed_and_deleted(
    ground: Ground, open_page: Any, live_city: str, tmp_path: Path
) -> None:
    # added: a new layer, and in it a polygon, a circle, a corridor, a whole street, and a square with a hole out of a file
    page = open_page(1440, 900)
    page.set_default_timeout(60_000)
    sign_in(page, live_city, "qu", "/plan/fences")
    page.get_by_role("radio", name=re.compile("告警区域")).check()
    if page.locator("#n-district option").count() > 1:
        page.locator("#n-district").select_option(HUANGPU)
    page.get_by_role("button", name="新建草稿").click()
    drawn(page)
    assert ground.names() == set()
    look_at(page, ground.middle)
    page.get_by_text("按数据画").click()
    make(page, ground)
    (tmp_path / "工地.geojson").write_bytes(ringed(ground.middle))
    page.goto(f"{live_city}/plan/fences/{ground.edition.pk}/files")
    page.locator("#file").set_input_files(tmp_path / "工地.geojson")
    page.get_by_role("button", name="上传并核对").click()
    page.wait_for_selector('[data-drawn="true"]', state="attached")
    page.get_by_role("button", name="写入 1 个").click()
    drawn(page)
    kinds = {fence.name: fence.kind for fence in ground.edition.areas.all()}
    assert kinds == {
        "文庙看护区": "polygon", "消防栓": "circle", "巡逻线": "corridor", "整街": "regions", "五分钟圈": "isochrone",
        "工地围挡": "polygon",
    }  # fmt: skip
    assert metres(ground.fence("工地围挡")).area == pytest.approx(200**2 - 100**2, abs=1)
    assert metres(ground.fence("巡逻线")).area == pytest.approx(400 * 30, rel=0.03)
    street = RegionVersion.objects.get(
        edition__state="published", code=ground.fence("整街").definition["regions"][0]
    ).geom
    assert ground.fence("整街").geom.sym_difference(street).area < 1e-9
    assert faults_of(page) == []

    # shown on the map, the hole left open
    look_at(page, ground.middle)
    wait_for_maps(page)
    assert "工地围挡" in shown_at(page, ground.middle, 225, -50)
    assert "工地围挡" not in shown_at(page, ground.middle, 300, -50)
    assert {"文庙看护区", "消防栓"} <= shown_at(page, ground.middle, -200, -30)

    # asked for by name, by whose it is, by how it was drawn, by a click on a spot
    page.goto(f"{live_city}/plan/fences/{ground.edition.pk}/list")
    assert asked(page) == set(kinds)
    for label, text, names in (("名称里有", "围挡", {"工地围挡"}), ("值守单位里有", "老西门", {"文庙看护区"})):
        page.get_by_label(label).fill(text)
        page.get_by_role("button", name="查找").click()
        page.wait_for_url("**owner=**")
        assert asked(page) == names
        page.get_by_role("link", name="全部围栏").click()
        page.wait_for_url("**/list")
    page.get_by_label("画法").select_option("circle")
    page.get_by_role("button", name="查找").click()
    page.wait_for_url("**kind=circle**")
    assert asked(page) == {"消防栓"}
    for east, north, inside in (
        (-200, -50, {"文庙看护区", "消防栓"}),
        (-290, -140, {"文庙看护区"}),
        (225, -50, {"工地围挡"}),
        (300, -50, set()),
    ):
        page.goto(f"{live_city}/plan/fences/{ground.edition.pk}/list")
        page.wait_for_selector('[data-drawn="true"]', state="attached")
        jump(page, "[data-shapes]", ground.middle.degrees(east, north), 16)
        box = page.locator("[data-shapes]").bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_url("**lon=1**")
        assert asked(page) - {"整街", "五分钟圈"} == inside  # these lie wherever they lie
    assert faults_of(page) == []

    # changed: another radius, another name and owner
    page.goto(f"{live_city}/plan/fences/{ground.edition.pk}/map?area={ground.fence('消防栓').same}")
    drawn(page)
    page.get_by_label("半径").last.fill("25")
    page.get_by_role("button", name="重画").click()
    saved(page, "改了围栏“消防栓”的画法")
    assert metres(ground.fence("消防栓")).area == pytest.approx(math.pi * 25**2, rel=0.01)
    page.locator("#plan-name").fill("消防栓二号")
    page.locator("#plan-owner").fill("消防站")
    page.locator(".plan-about").get_by_role("button", name="保存").click()
    saved(page, "改名为“消防栓二号”")
    assert ground.fence("消防栓二号").owner == "消防站"

    # deleted: one fence, then the whole layer
    page.get_by_text("更多操作").click()
    page.get_by_role("button", name="删除“消防栓二号”").click()
    saved(page, "删除了围栏“消防栓二号”")
    assert "消防栓二号" not in ground.names()
    page.goto(f"{live_city}/plan/fences/{ground.edition.pk}/list?name=消防")
    assert asked(page) == set()
    gone = ground.edition.pk
    page.goto(f"{live_city}/plan/fences/{gone}")
    page.get_by_text("放弃草稿").click()
    page.get_by_role("button", name="放弃第 1 版草稿").click()
    page.get_by_text("已放弃第 1 版草稿").wait_for()
    assert not Fence.objects.filter(edition=gone).exists()
    assert page.goto(f"{live_city}/plan/fences/{gone}/list").status == 404


def test_without_script_on_a_phone_a_file_is_mended_written_and_taken_away_again(
    ground: Ground, open_page: Any, live_city: str, tmp_path: Path
) -> None:
    own = opened("alert", STAFF)
    ring = list(ground.middle.box(0, 0, 100, 100).exterior.coords)
    crossed = shapely.Polygon([ring[0], ring[2], ring[1], ring[3]])
    (tmp_path / "看护.geojson").write_bytes(
        collection(({"名称": "甲区"}, ground.middle.box(200, 0, 100, 100)), ({"名称": "乙区"}, crossed))
    )
    page = open_page(390, 844, java_script_enabled=False)
    page.set_default_timeout(60_000)
    sign_in(page, live_city, "qu", f"/plan/fences/{own.pk}")
    page.get_by_role("link", name="从文件导入、导出").click()
    page.locator("#file").set_input_files(tmp_path / "看护.geojson")
    page.get_by_role("button", name="上传并核对").click()
    page.get_by_text("边界自相交").wait_for()
    page.get_by_role("checkbox", name="用修好的图形").check()
    page.get_by_label("名称").fill("乙区二")
    page.get_by_role("button", name="保存这一页").click()
    page.get_by_role("button", name="写入 2 个").click()
    page.get_by_text("已从“看护.geojson”导入 2 个围栏").first.wait_for()
    assert ground.names() == {"甲区", "乙区二"}
    page.goto(f"{live_city}/plan/fences/{own.pk}/list?name=乙区")
    page.get_by_role("link", name="导出这 1 个").click()
    page.get_by_label("格式").select_option("csv")
    page.locator("#crs").select_option("gcj02")
    with page.expect_download() as download:
        page.get_by_role("button", name="导出", exact=True).click()
    assert download.value.suggested_filename == "黄浦区告警区域第1版-GCJ02.csv"
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    assert [(row["名称"], row["坐标系"][:6]) for row in rows] == [("乙区二", "GCJ-02")]
