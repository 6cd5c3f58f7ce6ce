"""Ledgers in a browser: found, filtered, opened, mapped, picked, taken away as files, printed; by mouse, by keys, without script."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tests.e2e.conftest import faults_of, jump
from tests.e2e.test_desk import sign_in

LEDGER = "/desk/ledgers/facilities"


@pytest.fixture(autouse=True)
def accounts(live_city: str) -> None:
    from services.access.demo import make_demo_accounts

    make_demo_accounts()


def names(page: Any) -> list[str]:
    page.wait_for_load_state()
    page.locator(".ledger-foot, .ledger-none").wait_for()
    return [str(name) for name in page.locator(".row-link").all_inner_texts()]


def facilities(**where: Any) -> list[Any]:
    from services.facilities.models import Facility

    return list(Facility.objects.filter(retired_at=None, **where).order_by("pk"))


def fits(page: Any, width: int) -> bool:
    return int(page.evaluate("document.documentElement.scrollWidth")) <= width


def test_a_manager_finds_filters_opens_and_keeps_a_view(open_page: Any, live_city: str) -> None:
    page = open_page(1440, 900)
    sign_in(page, live_city, "shi", "/desk")
    page.get_by_role("navigation", name="办理").get_by_role("link", name="服务设施").click()
    page.wait_for_url(f"**{LEDGER}")
    assert f"共 {len(facilities())} 家" in page.locator("#ledger-total").inner_text()
    assert faults_of(page) == []
    # a filter, a text and an order, all in the address
    page.locator("summary", has_text="类型").click()
    page.locator('.menu-option:has([value="kindergarten"])').click()
    page.get_by_role("button", name="按类型筛选").click()
    page.wait_for_url("**f.kind_id=kindergarten**")
    wanted = facilities(kind="kindergarten")
    assert sorted(names(page)) == sorted(row.name for row in wanted)
    page.get_by_role("link", name="名额", exact=True).click()
    page.wait_for_url("**sort=places**")
    places = [int(text) for text in page.locator('td[data-head="名额"]').all_inner_texts()]
    assert places == sorted(row.places for row in wanted)
    page.get_by_label("名称、地址或编号").fill(wanted[0].name)
    page.get_by_label("名称、地址或编号").press("Enter")
    page.wait_for_url("**q=**")
    assert "f.address_text" not in page.url
    assert names(page) == [wanted[0].name]
    # a row opens beside the list, with its map and its public page; back closes it
    page.locator(".row-link").click()
    page.locator(f'[data-record="{wanted[0].pk}"]').wait_for()
    assert page.locator(".record-head h2").inner_text() == wanted[0].name
    page.locator("#open [data-ready]").wait_for()
    assert page.locator("#open .spot-pin").count() == 1
    assert faults_of(page) == []
    page.go_back()
    page.locator("[data-record]").wait_for(state="detached")
    # the question is kept under a name, and deleted again
    page.locator("summary", has_text="存为视图").click()
    page.locator(".ledger-tokens [name=name]").fill("大园")
    page.get_by_role("button", name="存", exact=True).click()
    side = page.get_by_role("navigation", name="办理")
    side.get_by_role("link", name="大园").wait_for()
    page.goto(f"{live_city}/desk")
    side.get_by_role("link", name="大园").click()
    assert names(page) == [wanted[0].name]
    page.get_by_role("button", name="删掉视图“大园”").click()
    page.get_by_text("已删掉视图“大园”").wait_for()
    assert side.get_by_role("link", name="大园").count() == 0


def test_columns_are_chosen_and_files_hold_them(open_page: Any, live_city: str, tmp_path: Path) -> None:
    page = open_page(1440, 900)
    sign_in(page, live_city, "shi", f"{LEDGER}?f.kind_id=canteen")
    page.locator("summary", has_text="列").last.click()
    for column in ("address_text", "phone", "vacancies"):
        page.locator(f'.menu-option:has([value="{column}"])').click()
    page.locator('.menu-option:has([value="attributes__beds"])').click()
    page.get_by_role("button", name="显示这些列").click()
    page.wait_for_url("**col=**")
    heads = page.locator("thead th").all_inner_texts()
    assert "床位" in heads
    assert not {"地址", "电话", "余位"} & set(heads)
    canteens = facilities(kind="canteen")
    page.locator("summary", has_text="导出").click()
    for ending in ("xlsx", "csv"):
        with page.expect_download() as taken:
            page.locator(f'.menu-item[href*="format={ending}"]').click()
        path = tmp_path / taken.value.suggested_filename
        taken.value.save_as(path)
        assert path.name.startswith("服务设施-")
        if ending == "xlsx":
            head, *rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
        else:
            head, *rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
        assert "床位（张）" in head
        assert "电话" not in head
        assert {int(row[0]) for row in rows} == {row.pk for row in canteens}
    from services.access.models import AuditEntry

    told = AuditEntry.objects.filter(act="ledger_exported", actor="shi").first()
    assert told is not None
    assert told.detail == {"ledger": "facilities", "format": "csv", "rows": len(canteens)}


def test_keys_move_through_the_list_and_ticked_rows_go_together(open_page: Any, live_city: str) -> None:
    page = open_page(1440, 900)
    sign_in(page, live_city, "shi", LEDGER)
    listed = names(page)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("jkx")  # letters typed into a field are letters
    assert page.get_by_label("名称、地址或编号").input_value() == "jkx"
    page.get_by_label("名称、地址或编号").fill("")
    page.locator("#ledger-title").click()
    for key in ("j", "j", "x", "j", "x", "k"):
        page.keyboard.press(key)
    assert page.locator("#picked").inner_text() == "已选 2 行"
    page.keyboard.press("Enter")
    page.locator("[data-record]").wait_for()
    assert page.locator(".record-head h2").inner_text() == listed[1]
    page.keyboard.press("Escape")
    page.locator("[data-record]").wait_for(state="detached")
    page.get_by_role("button", name="只看这些").click()
    page.wait_for_url("**id=**")
    assert names(page) == listed[1:3]
    assert faults_of(page) == []


def test_a_record_closed_before_its_map_came_harms_nothing(open_page: Any, live_city: str) -> None:
    page = open_page(1440, 900)
    held: list[Any] = []
    page.route("**/desk-map*.js", lambda route: held.append(route))
    sign_in(page, live_city, "shi", LEDGER)
    with page.expect_request("**/desk-map*.js"):
        page.locator(".row-link").first.click()
    page.locator("[data-record]").wait_for()
    page.keyboard.press("Escape")
    page.locator("[data-record]").wait_for(state="detached")
    for each in held:
        each.continue_()
    page.wait_for_load_state("networkidle")
    page.locator(".row-link").first.click()
    page.locator("[data-record] [data-ready]").wait_for()


def test_the_map_shows_the_rows_asked_for_and_opens_one(open_page: Any, live_city: str) -> None:
    page = open_page(1440, 900)
    sign_in(page, live_city, "shi", f"{LEDGER}?f.kind_id=park")
    page.get_by_role("link", name="地图", exact=True).click()
    page.locator("[data-drawn]").wait_for()
    pins = page.evaluate("document.querySelector('[data-map]').quantu.getSource('pins').serialize().data.features")
    assert {pin["properties"]["pk"] for pin in pins} == {row.pk for row in facilities(kind="park")}
    assert faults_of(page) == []
    one = facilities(kind="park")[0]
    jump(page, "[data-map]", one.geom.coords, 18)
    box = page.locator("[data-map]").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator(f'[data-record="{one.pk}"]').wait_for()
    assert page.locator(".record-head h2").inner_text() == one.name


def test_an_area_drawn_on_the_map_narrows_list_and_files(open_page: Any, live_city: str) -> None:
    import shapely

    page = open_page(1440, 900)
    sign_in(page, live_city, "shi", f"{LEDGER}?view=map&f.status=open")
    page.locator("[data-drawn]").wait_for()
    page.locator("#draw[data-ready]").wait_for()
    page.get_by_role("button", name="画范围").click()
    box = page.locator("[data-map]").bounding_box()
    corners = [
        (box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in ((0.2, 0.55), (0.6, 0.55), (0.4, 0.95))
    ]
    for x, y in [*corners, corners[0]]:
        page.mouse.move(x, y, steps=4)
        page.wait_for_timeout(60)
        page.mouse.click(x, y)
    page.get_by_role("button", name="按这个范围筛选").click()
    page.wait_for_url("**area=**")
    assert "画的范围：" in page.locator(".ledger-tokens").inner_text()
    assert faults_of(page) == []
    drawn = shapely.Polygon(
        [tuple(map(float, pair.split(","))) for pair in page.locator("#area").input_value().split(";")]
    )
    wanted = sorted(row.name for row in facilities(status="open") if drawn.contains(shapely.Point(row.geom.coords)))
    assert 0 < len(wanted) < len(facilities(status="open"))
    page.get_by_role("link", name="列表", exact=True).click()
    page.locator(".ledger-table").wait_for()
    assert sorted(names(page)) == wanted
    taken = page.request.get(page.url.replace("/facilities?", "/facilities/export?format=csv&"))
    assert sorted(row["名称"] for row in csv.DictReader(io.StringIO(taken.body().decode("utf-8-sig")))) == wanted


@pytest.mark.parametrize("width", [390, 1440])
def test_all_of_it_works_without_script(open_page: Any, live_city: str, width: int) -> None:
    page = open_page(width, 844, java_script_enabled=False)
    sign_in(page, live_city, "qu", f"{LEDGER}?q=%E5%9B%AD&f.status=open")
    listed = names(page)
    assert listed
    page.locator(".row-link").first.click()
    assert page.locator(".record-head h2").inner_text() == listed[0]
    page.locator(".record-close").click()
    assert names(page) == listed
    page.goto(f"{live_city}{LEDGER}/print?f.kind_id=park")
    assert page.locator("tbody tr").count() == len(facilities(kind="park", region__in=_huangpu()))
    assert (
        "qu" in page.locator(".print-head").inner_text() or "黄浦区管理员" in page.locator(".print-head").inner_text()
    )


def _huangpu() -> list[int]:
    from geo.regions.models import RegionVersion

    below = RegionVersion.objects.filter(edition__state="published", path__startswith="310000.310101.")
    return list(below.values_list("region_id", flat=True))


def test_on_a_phone_nothing_is_cut_off(open_page: Any, live_city: str) -> None:
    page = open_page(390, 844)
    sign_in(page, live_city, "shi", "/desk")
    for path in (
        "/desk",
        "/desk?q=%E5%9B%AD",
        LEDGER,
        f"{LEDGER}?view=map",
        "/desk/ledgers/communities",
        "/desk/ledgers/audit",
    ):
        page.goto(f"{live_city}{path}")
        assert fits(page, 390), path
        assert faults_of(page) == [], path
    page.goto(f"{live_city}{LEDGER}")
    page.locator(".desk-menu > summary").click()
    page.get_by_role("navigation", name="办理菜单").get_by_role("link", name="小区").click()
    page.wait_for_url("**/desk/ledgers/communities")
    page.locator(".row-link").first.click()
    page.locator("[data-record]").wait_for()
    assert fits(page, 390)
    assert faults_of(page) == []


def test_what_is_asked_wrongly_is_said_and_what_is_not_there_too(open_page: Any, live_city: str) -> None:
    page = open_page(390, 844)
    sign_in(page, live_city, "jiezhen", LEDGER)
    answer = page.goto(f"{live_city}{LEDGER}?f.places.from=many")
    assert answer.status == 400
    assert "“名额”要写成 20 这样" in page.get_by_role("alert").inner_text()
    page.goto(f"{live_city}{LEDGER}?q=%E6%B2%A1%E6%9C%89%E8%BF%99%E4%B8%AA&f.kind_id=park")
    said = page.locator(".ledger-none").inner_text()
    assert "没有符合这些条件的服务设施" in said
    assert "“没有这个”" in said
    page.goto(f"{live_city}{LEDGER}?open=999999999")
    assert "没有找到这一条" in page.locator("#open").inner_text()
    for path, status in (
        (f"{LEDGER}/999999999", 404),
        ("/desk/ledgers/nothing", 404),
        ("/desk/ledgers/audit", 403),
        (f"{LEDGER}/export?format=exe", 400),
        (f"{LEDGER}/pins.json?bbox=1,2,3", 400),
    ):
        assert page.goto(f"{live_city}{path}").status == status, path
