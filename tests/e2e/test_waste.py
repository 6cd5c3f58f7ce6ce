"""装修垃圾预约: made on a phone at a position of the map, changed, shown, corrected at the desk; 一张图 is told of all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from geo.addresses.geocode import Candidate
from geo.crs import Coordinate, System, convert
from geo.fences.models import Fence, FenceEdition
from services.integrations.onemap.client import metres_of
from services.integrations.onemap.simulator import Simulator
from services.modules.waste.models import Appointment, OneMapPush
from services.modules.waste.telling import tell_one_map
from tests.e2e.conftest import faults_of, without_script
from tests.e2e.test_desk import sign_in
from tests.services.fencing.sets import HUANGPU
from tests.services.modules.waste.conftest import door_of_huangpu, known_there, resident, two_areas

WEST = 0.0008
"""Degrees of longitude, some 76 metres."""


@pytest.fixture
def door(live_city: str) -> Candidate:
    resident()
    Appointment.objects.all().delete()
    OneMapPush.objects.all().delete()
    FenceEdition.objects.filter(purpose="waste").update(begun_from=None)
    FenceEdition.objects.filter(purpose="waste").delete()
    return door_of_huangpu()


@pytest.fixture
def back_end(settings: Any) -> Iterator[Simulator]:
    cache.clear()
    with Simulator(app="quantu", secret="s3cret") as simulator:
        settings.ONE_MAP_URL, settings.ONE_MAP_APP, settings.ONE_MAP_SECRET = simulator.url, "quantu", "s3cret"
        settings.INSIDE_HOSTS = ["127.0.0.1"]
        yield simulator


def tap(page: Any, lon: float, lat: float) -> None:
    """Bring a point into sight and tap the map there."""
    page.locator("#waste-map[data-ready]").wait_for(state="attached", timeout=60_000)
    page.evaluate("at => document.getElementById('waste-map').quantu.jumpTo({center: at, zoom: 18})", [lon, lat])
    holder = page.locator("#waste-map")
    holder.scroll_into_view_if_needed()
    box = holder.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def fact(page: Any, name: str) -> Any:
    """Return what is said beside a name of the position chosen, or of the appointment."""
    return page.locator(".waste-facts").last.locator(f"dt:text-is('{name}') + dd")


def fill_in(page: Any, site: str = "") -> None:
    if site:
        page.get_by_label("小区或单位名称").fill(site)
    page.get_by_role("radio", name="居民区", exact=True).check()
    page.get_by_label("预计收运重量").fill("12")
    page.get_by_role("radio", name="袋", exact=True).check()
    page.get_by_label("预计收运日期").fill(page.evaluate("new Date(Date.now() + 4 * 864e5).toISOString().slice(0, 10)"))
    page.get_by_label("联系人姓名").fill("王小明")
    page.get_by_label("联系人手机").fill("13812345678")


def there(back_end: Simulator, number: str) -> Any:
    """Let what waits be told, and return what the back end holds of an appointment."""
    tell_one_map()
    return back_end.appointments[number]


def drawn_fence(page: Any) -> Any:
    """Return the fence that the map of an appointment draws."""
    page.locator('#waste-map[data-fence="drawn"]').wait_for(state="attached", timeout=60_000)
    return json.loads(page.locator("#waste-spot").text_content())["shapes"]["fence"]


@pytest.mark.timeout(900)
@pytest.mark.covers("CM-WASTE-29", via="services.modules.waste.placing:where_is")
def test_one_map_stands_under_making_changing_and_showing_an_appointment(
    open_page: Any, live_city: str, door: Candidate, back_end: Simulator
) -> None:
    edition = two_areas(cut=-30)
    east, west = (Fence.objects.get(edition=edition, name=name) for name in ("东片", "西片"))
    known_there(back_end, door, east=12)
    page = open_page(390, 844, reduced_motion="reduce")
    page.set_default_timeout(60_000)
    sign_in(page, live_city, "jumin", "/waste")
    page.get_by_role("link", name="预约清运").click()

    # Made: a tap gives the address of its place, a written address its place, and both the fence.
    tap(page, door.lon, door.lat)
    expect(page.get_by_label("详细地址")).to_have_value(door.label)
    expect(fact(page, "收运片区")).to_contain_text("东片")
    tap(page, door.lon - WEST, door.lat)
    expect(fact(page, "收运片区")).to_contain_text("西片")
    page.get_by_label("详细地址").fill(door.label)
    page.get_by_role("button", name="按地址找位置").click()
    expect(page.locator("#waste-where .option").first).to_contain_text("与“一张图”相差 12 米")
    expect(fact(page, "标准地址")).to_contain_text(door.label)
    expect(fact(page, "街镇")).to_contain_text("黄浦区")
    expect(fact(page, "收运片区")).to_contain_text("责任单位：东片环卫所")
    at = page.evaluate("document.getElementById('waste-map').quantu.getCenter().toArray()")
    assert abs(at[0] - door.lon) + abs(at[1] - door.lat) < 2e-6
    assert faults_of(page) == []
    fill_in(page, "演示小区")
    page.get_by_role("button", name="提交预约").click()
    page.wait_for_url(lambda url: not url.endswith("/new"))

    # Shown: the place, its fence, who answers for it; and told to the back end in metres of the city.
    expect(page.get_by_role("status")).to_contain_text("预约已提交")
    expect(fact(page, "收运片区")).to_contain_text("东片责任单位：东片环卫所")
    assert drawn_fence(page) == json.loads(east.geom.geojson)
    row = Appointment.objects.get()
    told = there(back_end, row.number)
    x, y = metres_of(door.lon, door.lat)
    assert abs(told.x - x) + abs(told.y - y) < 0.5
    assert (told.crs, told.version, told.fence, told.address) == ("SH2000", 1, str(east.same), door.label)
    assert {fence.mark for fence in back_end.fences["waste", HUANGPU].fences} == {str(east.same), str(west.same)}
    assert "王小明" not in told.model_dump_json()
    assert "13812345678" not in told.model_dump_json()

    # Changed: another place on the map has another fence.
    mine = page.url
    page.get_by_role("link", name="修改").click()
    tap(page, door.lon - WEST, door.lat)
    expect(fact(page, "收运片区")).to_contain_text("西片")
    page.get_by_role("button", name="保存修改").click()
    page.wait_for_url(mine)
    expect(fact(page, "收运片区")).to_contain_text("西片环卫所")
    assert drawn_fence(page) == json.loads(west.geom.geojson)
    told = there(back_end, row.number)
    assert (told.version, told.fence) == (2, str(west.same))
    assert 60 < x - told.x < 90
    _corrected_at_the_desk(open_page(1440, 900, reduced_motion="reduce"), live_city, row, door)
    told = there(back_end, row.number)
    assert (told.version, told.fence) == (3, str(east.same))
    page.goto(mine)
    expect(fact(page, "位置")).to_contain_text("工作人员改过位置：电话核实在门口")

    # Published anew, the fences say whose it is now; a back end that is away holds nobody up.
    two_areas(cut=30)
    page.goto(mine)
    expect(page.get_by_text("片区改过了：现在归“西片”（西片环卫所）")).to_be_visible()
    expect(fact(page, "收运片区")).to_contain_text("东片")
    back_end.fails = "broken"
    page.get_by_role("link", name="取消预约").click()
    page.get_by_role("button", name="取消预约").click()
    expect(page.get_by_role("status").first).to_contain_text("预约已取消")
    tell_one_map()
    assert back_end.appointments[row.number].state == "submitted"
    _sent_again(open_page(1440, 900), live_city, row, back_end)


def _corrected_at_the_desk(desk: Any, live_city: str, row: Appointment, door: Candidate) -> None:
    """Let a manager of the district find the appointment in the ledger and put it where the address is."""
    desk.set_default_timeout(60_000)
    sign_in(desk, live_city, "qu", "/desk/ledgers/waste-appointments")
    expect(desk.get_by_role("main")).to_contain_text(row.number)
    expect(desk.get_by_role("main")).to_contain_text("西片")
    desk.goto(f"{live_city}/desk/waste/{row.pk}")
    assert drawn_fence(desk)
    desk.get_by_label("按地址找", exact=False).first.fill(door.label)
    desk.get_by_role("button", name="按地址找位置").click()
    expect(fact(desk, "收运片区")).to_contain_text("东片")
    assert faults_of(desk) == []
    desk.get_by_label("为什么改", exact=False).fill("电话核实在门口")
    desk.get_by_role("button", name="保存位置").click()
    expect(desk.get_by_text("位置已改正")).to_be_visible()
    expect(desk.locator(".waste-stands")).to_contain_text("工作人员核定")
    expect(desk.locator(".waste-stands")).to_contain_text("东片")


def _sent_again(desk: Any, live_city: str, row: Appointment, back_end: Simulator) -> None:
    """Let a manager see that something waits, and why, and send it again once the back end is there."""
    desk.set_default_timeout(60_000)
    sign_in(desk, live_city, "qu", "/desk/onemap")
    line = desk.get_by_role("row").filter(has_text=row.number).filter(has_text="待发送")
    expect(line).to_contain_text("答复读不懂，试过 1 次")
    back_end.fails = ""
    cache.clear()
    line.get_by_role("button", name="重发").click()
    expect(desk.get_by_role("status").first).to_contain_text("一分钟内再发一次")
    desk.get_by_role("row").filter(has_text="收运片区第 2 版").get_by_role("button", name="重发").click()
    assert there(back_end, row.number).state == "cancelled"
    assert back_end.fences["waste", HUANGPU].number == 2
    desk.reload()
    expect(desk.get_by_role("link", name="待发送 0")).to_be_visible()


def test_without_script_a_written_address_is_chosen_from_what_it_may_be(
    open_page: Any, live_city: str, door: Candidate, back_end: Simulator
) -> None:
    known_there(back_end, door, east=900)
    page = open_page(390, 844)
    sign_in(page, live_city, "jumin", "/waste")
    without_script(page)
    page.goto(f"{live_city}/waste/new")
    page.get_by_label("详细地址").fill(door.label)
    fill_in(page, "演示小区")
    page.get_by_role("button", name="提交预约").click()
    expect(page.locator("#spot")).to_contain_text("可能是下面几处，请选一个")
    assert page.locator("#waste-where input[type=radio]").count() == 2
    page.locator("#waste-where .option").first.click()
    page.get_by_role("button", name="提交预约").click()
    page.wait_for_url(lambda url: not url.endswith("/new"))
    expect(fact(page, "收运片区")).to_contain_text("不在任何片区")
    expect(page.get_by_text("这里还没有划进收运片区")).to_contain_text("12345")
    row = Appointment.objects.get()
    assert (row.placed, round(row.geom.x, 6)) == ("address", round(door.lon, 6))


def test_keys_and_the_device_move_the_pin_and_off_the_city_it_says_so(
    open_page: Any, live_city: str, door: Candidate
) -> None:
    two_areas(cut=-30)
    here = convert(Coordinate(door.lon, door.lat, System.CGCS2000), System.WGS84)
    page = open_page(
        390, 844, color_scheme="dark", reduced_motion="reduce", permissions=["geolocation"],
        geolocation={"longitude": here.x, "latitude": here.y},
    )  # fmt: skip
    page.set_default_timeout(60_000)
    sign_in(page, live_city, "jumin", "/waste/new")
    page.locator("#waste-map[data-ready]").wait_for(state="attached")
    page.get_by_role("button", name="我在哪里").click()
    expect(page.get_by_label("详细地址")).to_have_value(door.label)
    expect(fact(page, "收运片区")).to_contain_text("东片")
    page.get_by_role("button", name="标记，按方向键移动").focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowLeft")
    expect(fact(page, "收运片区")).to_contain_text("西片")
    tap(page, 120.6, 30.9)
    expect(page.locator("#spot")).to_contain_text("上海")
    assert faults_of(page) == []
    page.get_by_role("button", name="提交预约").click()
    expect(page.locator("#told")).to_contain_text("请填写“联系人姓名”")
