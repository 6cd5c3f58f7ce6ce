"""Staff keep places at the desk: add with a preview, correct, move on the map, take down; for nurseries and for places of tourism."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import faults_of, wait_until_drawn
from tests.e2e.test_desk import sign_in

HUANGPU = "310000.310101."
CHILDCARE = {
    "托幼一体幼儿园托班": "kindergarten_nursery",
    "托育机构": "nursery",
    "托儿所": "creche",
    "早教中心": "early_centre",
    "社区托育宝宝屋": "baby_house",
    "科学育儿指导站": "parenting_station",
}
TOURISM = {"景点": "attraction", "民宿": "guesthouse", "酒店": "hotel", "游乐场": "amusement_park"}


def doors(count: int) -> list[tuple[str, Any]]:
    """Return written addresses of 黄浦 with the sharp place of each, no two alike."""
    from geo.addresses.geocode import geocode
    from geo.addresses.models import Address
    from geo.addresses.placing import single_place
    from geo.regions.models import RegionVersion
    from geo.scope import Scope

    below = RegionVersion.objects.filter(edition__state="published", path__startswith=HUANGPU).values("region_id")
    found: list[tuple[str, Any]] = []
    for address in Address.objects.filter(retired_at=None, region__in=below).exclude(number="").order_by("pk")[:400:7]:
        text = f"黄浦区{address.normal}"
        place = single_place(geocode(text, scope=Scope.public()))
        if place is not None and place.level == "door" and place.region and place.region.path.startswith(HUANGPU):
            found.append((text, place))
        if len(found) == count:
            return found
    raise AssertionError("the tiny city has too few doors: the test would prove nothing")


def named(name: str) -> Any:
    from services.facilities.models import Facility

    return Facility.objects.get(name=name, retired_at=None)


def fill(page: Any, **texts: str) -> None:
    for label, text in texts.items():
        page.get_by_label(label, exact=False).first.fill(text)


def open_new(page: Any, live_city: str, kind: str) -> None:
    page.goto(f"{live_city}/desk/ledgers/facilities")
    page.get_by_role("link", name="新增").click()
    page.locator(".kind-links").get_by_role("link", name=kind, exact=True).click()
    page.get_by_role("heading", name=f"新增{kind}").wait_for()


@pytest.mark.covers("PRE-MGT-05a", via="services.facilities.upkeep.actions:add_facility")
def test_managers_add_childcare_of_every_type_preview_query_change_and_delete_it(
    open_page: Any, live_city: str
) -> None:
    from services.facilities.models import Facility

    spots = doors(len(CHILDCARE))
    public = open_page(1440, 900)
    for number, ((kind, key), (address, _)) in enumerate(zip(CHILDCARE.items(), spots, strict=True)):
        page = open_page(1440, 900) if number < 2 else page  # noqa: F821
        if number < 2:  # a manager of the district, then one of the city
            sign_in(page, live_city, "qu" if number == 0 else "shi", "/desk")
        name = f"小灯笼{kind}"
        open_new(page, live_city, kind)
        page.get_by_label("名称").fill(name)
        assert page.get_by_label("类型").input_value() == key
        page.get_by_label("性质").select_option(label="民办")
        page.get_by_label("联系电话").fill("021-63215678")
        page.get_by_label("地址", exact=False).first.fill(address)
        page.get_by_label("所属区").select_option(label="黄浦区")
        page.get_by_label("服务形式").select_option(label="全日托")
        page.get_by_label("供餐").select_option(label="是")
        page.get_by_label("收托月龄起").fill("18")
        page.get_by_label("收托月龄止").fill("36")
        for day in ("周一", "周二", "周三", "周四", "周五"):
            page.get_by_label(day).fill("7:30-17:30")
        # The page of the place is seen before it is there.
        page.get_by_role("button", name="预览页面").click()
        page.get_by_role("heading", name="预览").wait_for()
        seen = page.locator(".place-page").inner_text()
        for words in (
            name,
            kind,
            "021-63215678",
            "民办",
            "全日托",
            "18–36 个月",
            "黄浦区",
            address,
            "周一至周五 07:30–17:30",
        ):
            assert words in seen, (kind, words)
        assert not Facility.objects.filter(name=name).exists()
        if number == 0:
            assert faults_of(page) == []
            # A street that is not where the address lies is refused in words.
            page.get_by_role("button", name="回去修改").click()
            page.get_by_label("所属街道").select_option(index=1)
            other = page.get_by_label("所属街道").input_value()
            page.get_by_role("button", name="提交").click()
            if page.locator("#fault").count():
                assert "请改位置或改选街镇" in page.locator("#fault").inner_text()
                assert page.get_by_label("所属街道").input_value() == other
                page.get_by_label("所属街道").select_option(value="")
                page.get_by_role("button", name="提交").click()
        else:
            page.get_by_role("button", name="提交").click()
        page.get_by_text("已新增").wait_for()
        made = named(name)
        assert (made.kind_id, made.attributes["service_form"], made.attributes["meals"]) == (key, "full_day", True)
        public.goto(f"{live_city}/places/{made.pk}")
        assert name in public.locator("h1").inner_text()

    # Queried, changed, deleted.
    made = named("小灯笼托育机构")
    page.goto(f"{live_city}/desk/ledgers/facilities?q=小灯笼托育机构")
    page.get_by_role("link", name="小灯笼托育机构", exact=True).click()
    page.get_by_role("link", name="去维护").click()
    page.get_by_label("联系电话").fill("021-63219999")
    page.get_by_label("为什么改").fill("电话核实")
    page.get_by_role("button", name="保存").click()
    page.get_by_text("已保存").wait_for()
    assert "021-63215678" in page.locator(".changes").inner_text()
    public.goto(f"{live_city}/places/{made.pk}")
    assert "021-63219999" in public.locator("main").inner_text()
    page.get_by_label("为什么下线").fill("登记错了")
    page.get_by_role("button", name="下线“小灯笼托育机构”").click()
    page.get_by_text("已下线，地图和搜索里不再出现").wait_for()
    assert public.goto(f"{live_city}/places/{made.pk}").status == 404


@pytest.mark.covers("PRE-MGT-05c", via="services.facilities.upkeep.position:look_at")
def test_a_place_is_moved_on_the_map_its_address_and_region_are_kept_true(open_page: Any, live_city: str) -> None:
    from geo.regions.models import RegionVersion
    from services.facilities.models import Facility

    below = RegionVersion.objects.filter(edition__state="published", path__startswith=HUANGPU).values("region_id")
    place = Facility.objects.filter(retired_at=None, kind="nursery", region__in=below).order_by("pk")[0]
    for who in ("qu", "shi"):
        page = open_page(1440, 900)
        sign_in(page, live_city, who, f"/desk/places/{place.pk}/edit")
        wait_until_drawn(page)
        assert faults_of(page) == []
        # The pin is dragged, then moved by keys: the numbers follow, and where it lies is said.
        before = page.locator("#lon").input_value()
        box = page.locator(".spot-pin").bounding_box()
        page.mouse.move(box["x"] + 14, box["y"] + 14)
        page.mouse.down()
        page.mouse.move(box["x"] + 24, box["y"] + 18, steps=5)
        page.mouse.up()
        page.wait_for_function(f"() => document.getElementById('lon').value !== '{before}'")
        dragged = float(page.locator("#lon").input_value())
        page.locator(".spot-pin").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Shift+ArrowRight")
        moved = float(page.locator("#lon").input_value())
        assert 0.0001 < moved - dragged < 0.00013  # 11 metres here
        page.locator("#place-said").get_by_text("位置在 黄浦区").wait_for()
        page.get_by_label("为什么改").fill("现场核实大门的位置")
        page.get_by_role("button", name="保存").click()
        page.get_by_text("已保存").wait_for()
        place.refresh_from_db()
        assert place.geom.x == pytest.approx(moved, abs=1e-7)
        history = page.locator(".changes").inner_text()
        assert "位置" in history
    # What is not right is said in words, and nothing is kept of it.
    page.goto(f"{live_city}/desk/places/{place.pk}/edit")
    lon, lat = page.locator("#lon").input_value(), page.locator("#lat").input_value()
    for wrong_lon, wrong_lat, words in (
        (lat, lon, "写反了"),
        ("一二一", lat, "要一起填数字"),
        ("116.39", "39.90", "不在上海"),
        (f"{float(lon) + 0.02:.6f}", lat, "米，超过"),
    ):
        page.locator("#lon").fill(wrong_lon)
        page.locator("#lat").fill(wrong_lat)
        page.get_by_label("为什么改").fill("试")
        page.get_by_role("button", name="保存").click()
        page.locator("#fault").get_by_text(words).wait_for()
    place.refresh_from_db()
    assert place.geom.x == pytest.approx(moved, abs=1e-7)
    # Address, point and regions together: the place goes to another street.
    (address, door), *_ = [one for one in doors(6) if abs(one[1].lon - place.geom.x) > 0.002]
    page.goto(f"{live_city}/desk/places/{place.pk}/edit")
    wait_until_drawn(page)
    page.get_by_label("地址", exact=False).first.fill(address)
    page.get_by_role("button", name="把位置放到地址").click()
    page.wait_for_function(f"() => Math.abs(Number(document.getElementById('lon').value) - {door.lon}) < 1e-5")
    street = door.region.path.split(".")[2]
    page.wait_for_function(f"() => document.getElementById('street').value === '{street}'")
    page.get_by_label("为什么改").fill("机构搬迁")
    page.get_by_role("button", name="保存").click()
    page.get_by_text("已保存").wait_for()
    place.refresh_from_db()
    assert (place.address_text, place.geom.x) == (address, pytest.approx(door.lon, abs=1e-6))
    assert RegionVersion.objects.get(edition__state="published", region=place.region_id).path.split(".")[2] == street
    assert (
        RegionVersion.objects.get(edition__state="published", code=street).name
        in page.locator(".page-head").inner_text()
    )


@pytest.mark.covers("CM-ISL-12b", "CM-ISL-12c", "CM-ISL-12d", via="services.facilities.upkeep.recording:once")
def test_a_node_of_the_map_is_added_changed_and_taken_down(open_page: Any, live_city: str) -> None:
    page, public = open_page(1440, 900), open_page(1440, 900)
    sign_in(page, live_city, "shi", "/desk")
    for (kind, key), (address, door) in zip(TOURISM.items(), doors(len(TOURISM)), strict=True):
        name = f"芦花{kind}"
        open_new(page, live_city, kind)
        page.get_by_label("名称").fill(name)
        page.get_by_label("联系电话").fill("021-59612345")
        page.get_by_label("地址", exact=False).first.fill(address)
        page.locator("#lon").fill(f"{door.lon:.7f}")
        page.locator("#lat").fill(f"{door.lat:.7f}")
        page.get_by_role("button", name="提交").click()
        page.get_by_text("已新增").wait_for()
        made = named(name)
        assert made.kind_id == key

        def on_the_map(made: Any = made) -> set[int]:
            asked = {"lon": made.geom.x, "lat": made.geom.y, "crs": "cgcs2000", "kinds": made.kind_id, "k": 10}
            return {
                each["id"] for each in public.request.get(f"{live_city}/api/v1/nearest", params=asked).json()["places"]
            }

        assert made.pk in on_the_map()
        page.goto(f"{live_city}/desk/places/{made.pk}/edit")
        page.get_by_label("名称").fill(f"{name}（新）")
        page.get_by_label("为什么改").fill("改了招牌")
        page.get_by_role("button", name="保存").click()
        page.get_by_text("已保存").wait_for()
        public.goto(f"{live_city}/places/{made.pk}")
        assert public.locator("h1").inner_text() == f"{name}（新）"
        page.get_by_label("为什么下线").fill("已倒闭")
        page.get_by_role("button", name=f"下线“{name}（新）”").click()
        page.get_by_text("已下线，地图和搜索里不再出现").wait_for()
        assert made.pk not in on_the_map()
        assert public.goto(f"{live_city}/places/{made.pk}").status == 404
        page.get_by_label("为什么恢复").fill("重新营业")
        page.get_by_role("button", name="重新上线").click()
        page.get_by_text("已重新上线").wait_for()
        assert made.pk in on_the_map()


def test_the_form_of_a_place_fits_a_telephone_and_the_dark(open_page: Any, live_city: str) -> None:
    from services.facilities.models import Facility

    place = Facility.objects.filter(retired_at=None, kind="care_home").order_by("pk")[0]
    for width, scheme in ((390, "light"), (390, "dark"), (1440, "dark")):
        page = open_page(width, 900, color_scheme=scheme)
        sign_in(page, live_city, "shi", f"/desk/places/{place.pk}/edit")
        for path in ("edit", "history", "merge"):
            page.goto(f"{live_city}/desk/places/{place.pk}/{path}")
            assert faults_of(page) == [], (width, scheme, path)
            assert int(page.evaluate("document.documentElement.scrollWidth")) <= width
        page.goto(f"{live_city}/help/upkeep")
        assert faults_of(page) == []
