"""尚岛服务一张图 in a real browser: visitors combine layers and find guesthouses; staff keep layers and guesthouses."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.conftest import faults_of, jump, without_script
from tests.e2e.test_desk import sign_in
from tests.reading import wait_for_maps

ISLAND = "310000.310151."
NAMES = ("芦花小院", "江风民宿", "老宅里")
HOMES = (
    {"attributes.lodging_type": "farm", "attributes.rooms": 6, "attributes.night_from_yuan": 280, "attributes.parking": True,
     "attributes.breakfast": True, "attributes.courtyard": True, "attributes.pets": False},
    {"attributes.lodging_type": "water", "attributes.rooms": 12, "attributes.night_from_yuan": 680, "attributes.parking": True,
     "attributes.kitchen": True},
    {"attributes.lodging_type": "old_house", "attributes.rooms": 3, "attributes.night_from_yuan": 180},
)  # fmt: skip
OTHERS = {
    "hotel": "瀛洲度假村", "campsite": "沙洲营地", "attraction": "东滩湿地花园", "farm_restaurant": "灶头间农家乐",
    "local_shop": "阿婆崇明糕", "culture_site": "灶花非遗馆", "ferry_pier": "堤岸客运码头",
}  # fmt: skip
KEYS = {
    "guesthouses": 3, "hotels": 2, "sights": 1, "food": 1, "shops": 1, "culture": 1, "transport": 1,
}  # fmt: skip


def spots() -> list[tuple[float, float]]:
    """Return points of villages of the island, no two alike."""
    from geo.basemap.queries import water_at
    from geo.regions.models import RegionVersion

    rows = RegionVersion.objects.filter(edition__state="published", level="committee", path__startswith=ISLAND)
    found = [(row.label.x, row.label.y) for row in rows.order_by("code")]
    dry = [point for point in found[:: max(1, len(found) // 40)] if water_at(*point) is None]
    assert len(dry) > 12
    return dry


@pytest.fixture(scope="module")
def island(live_city: str, django_db_blocker: Any) -> dict[str, int]:
    """Enter places of every layer on the island as staff do, and return their numbers by name."""
    with django_db_blocker.unblock():
        from geo.scope import Scope
        from services.facilities.upkeep.actions import add_facility

        scope, points = Scope(paths=("310000.",), duties=frozenset({"facilities.edit"}), actor="shi"), iter(spots())
        made: dict[str, int] = {}

        def enter(kind: str, name: str, **more: Any) -> None:
            values = {
                "kind_id": kind,
                "name": name,
                "address_text": f"崇明区{name}路口",
                "phone": "021-55500001",
                **more,
            }
            change = add_facility(values={**values, "position": next(points)}, key=uuid4(), scope=scope, why="核对过")
            made[name] = change.facilities[0]

        week = {day: [["08:00", "20:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
        for name, said in zip(NAMES, HOMES, strict=True):
            enter("guesthouse", name, **said, **({"hours": week} if name == "芦花小院" else {"phone": ""}))
        for kind, name in OTHERS.items():
            enter(kind, name)
    return made


def answer(page: Any) -> dict[str, Any]:
    import json

    return dict(json.loads(page.locator("#islands-answer").text_content()))


def listed(page: Any) -> list[str]:
    return list(page.locator(".islands-row h3").all_inner_texts())


def wait_for_answer(page: Any, count: int) -> None:
    page.wait_for_function(
        "(count) => JSON.parse(document.getElementById('islands-answer').textContent).pins.length === count", arg=count
    )


def drawn(page: Any, holder: str) -> set[int]:
    """Return the places that stand on the map as pins or in the clusters, once it stands still."""
    page.wait_for_function(f"() => document.getElementById('{holder}').dataset.ready === 'true'", timeout=60_000)
    page.wait_for_function(f"() => document.getElementById('{holder}').quantu.getLayer('island-pins')")
    wait_for_maps(page)
    return set(
        page.evaluate(
            """async (holder) => {
              const map = document.getElementById(holder).quantu;
              const layers = ['island-pins', 'island-clusters'].filter((one) => map.getLayer(one));
              const found = map.queryRenderedFeatures({layers});
              const leaves = await Promise.all(found.map((one) => (one.properties.cluster
                ? map.getSource('island').getClusterLeaves(one.properties.cluster_id, 1000, 0) : [one])));
              return leaves.flat().map((one) => one.properties.id);
            }""",
            holder,
        )
    )


@pytest.mark.covers("CM-ISL-01a", via="services.modules.islands.queries:find_places")
def test_visitors_combine_layers_and_find_the_guesthouse_they_want(
    open_page: Any, live_city: str, island: dict[str, int]
) -> None:
    page = open_page(1440, 900)
    page.goto(f"{live_city}/islands")
    # Six layers at least, each with its count and a pin of its own design.
    counts = {
        box.get_attribute("value"): int(
            re.sub(r"\D", "", box.locator("xpath=..").locator(".islands-count").inner_text())
        )
        for box in page.locator("input[name=on]").all()
    }
    assert counts == KEYS
    assert len(counts) >= 6
    pins = [one["pin"] for one in answer(page)["layers"]]
    assert len(set(pins)) == len(pins) == len(KEYS)
    pictures = [page.request.get(f"{live_city}/pins/light/{pin}.svg") for pin in pins]
    assert all(one.ok and "<svg" in one.text() for one in pictures)
    assert len({one.text() for one in pictures}) == len(pins)
    icons = {re.sub(r"^[a-z]+-\d-", "", pin) for pin in pins}
    assert len(icons) == len(pins)  # told apart without any colour
    # The list and the map say the same.
    assert set(listed(page)) == set(island)
    assert drawn(page, "islands-map") == set(island.values())
    # Layers are combined freely; the combination stands in the address.
    for key in ("hotels", "sights", "shops", "culture", "transport"):
        page.locator(f"input[name=on][value={key}]").uncheck()
    wait_for_answer(page, 4)
    assert set(listed(page)) == {*NAMES, "灶头间农家乐"}
    assert drawn(page, "islands-map") == {island[name] for name in (*NAMES, "灶头间农家乐")}
    page.get_by_role("link", name="住＋吃").wait_for()
    assert page.locator("[aria-current=true]").inner_text() == "住＋吃"
    kept = page.url
    again = open_page(390, 844)
    again.goto(kept)
    assert set(listed(again)) == {*NAMES, "灶头间农家乐"}
    page.get_by_role("link", name="亲子游").click()
    wait_for_answer(page, 5)
    # Guesthouses by type, facilities, price, rooms and words; the others stay.
    page.locator("input[name=on][value=sights]").uncheck()
    page.locator("input[name=on][value=food]").uncheck()
    wait_for_answer(page, 3)
    page.locator(".islands-more summary").first.click()
    page.get_by_label("可停车").check(force=True)
    wait_for_answer(page, 2)
    assert set(listed(page)) == {"芦花小院", "江风民宿"}
    page.get_by_label("每晚房价").select_option(label="300 元以内")
    wait_for_answer(page, 1)
    assert listed(page) == ["芦花小院"]
    row = page.locator(".islands-row").first.inner_text()
    for words in ("田园农家", "客房 6 间", "每晚 280 元起", "可停车", "含早餐", "有院子"):
        assert words in row
    assert "可带宠物" not in row
    page.get_by_role("link", name="清除筛选").click()
    wait_for_answer(page, 3)
    page.get_by_label("老宅民居").check(force=True)
    wait_for_answer(page, 1)
    assert listed(page) == ["老宅里"]
    page.get_by_label("老宅民居").uncheck(force=True)
    wait_for_answer(page, 3)
    page.get_by_label("客房", exact=True).select_option(label="10 间以上")
    wait_for_answer(page, 1)
    assert listed(page) == ["江风民宿"]
    page.get_by_label("客房", exact=True).select_option(label="不限")
    wait_for_answer(page, 3)
    page.get_by_label("名称或地址").fill("芦花")
    page.get_by_role("button", name="查找").click()
    wait_for_answer(page, 1)
    assert listed(page) == ["芦花小院"]
    assert faults_of(page) == []
    # A pin opens a card, the card the page that shows everything.
    [pin] = [pin for pin in answer(page)["pins"] if pin[0] == island["芦花小院"]]
    jump(page, "#islands-map", pin[1:3], 15)
    box = page.locator("#islands-map").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 - 12)
    card = page.locator("#islands-card")
    card.get_by_role("heading", name="芦花小院").wait_for()
    for words in ("田园农家", "客房 6 间", "含早餐", "崇明区芦花小院路口", "021-55500001"):
        assert words in card.inner_text()
    assert faults_of(page) == []
    card.get_by_role("link", name="看详情").click()
    page.get_by_role("heading", name="芦花小院", level=1).wait_for()
    shown = page.locator(".place-page").inner_text()
    for words in ("田园农家", "6 间", "280", "含早餐", "可停车"):
        assert words in shown
    # How well the data are kept, by layer and by town.
    page.goto(f"{live_city}/islands/quality")
    assert page.get_by_role("heading", level=1).inner_text() == "10 处地方，1 处信息齐全"
    cells = page.locator('tr[data-layer="guesthouses"] td').all_inner_texts()
    # of three: all stand where staff put them, one has a phone and hours, one says enough of what it offers
    assert [cell.strip() for cell in cells[:6]] == ["3", "100 %", "33 %", "33 %", "33 %", "33 %"]
    assert cells[7].strip() == "0"
    towns = page.get_by_role("region", name="各乡镇的数据情况").locator("tbody tr")
    assert sum(int(one.locator("td").first.inner_text()) for one in towns.all()) == 10
    assert faults_of(page) == []


@pytest.mark.covers("CM-ISL-01b", via="services.modules.islands.queries:places_kept")
def test_managers_add_change_and_delete_guesthouses_from_the_layers(
    open_page: Any, live_city: str, island: dict[str, int]
) -> None:
    from services.facilities.models import Facility

    page, public = open_page(1440, 900), open_page(1440, 900)
    sign_in(page, live_city, "shi", "/desk/islands")
    assert faults_of(page) == []
    page.locator('li[data-layer="guesthouses"]').get_by_role("link", name="民宿的设置和地点").click()
    page.get_by_role("heading", name="民宿", level=1).wait_for()
    # Added by a tap on the map.
    assert drawn(page, "island-map") == {island[name] for name in NAMES}
    lon, lat = spots()[-1]
    jump(page, "#island-map", (lon, lat), 15)
    box = page.locator("#island-map").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert faults_of(page) == []
    page.get_by_role("link", name="在这里新增民宿").click()
    page.get_by_role("heading", name="新增民宿").wait_for()
    assert float(page.locator("#lon").input_value()) == pytest.approx(lon, abs=1e-4)
    assert float(page.locator("#lat").input_value()) == pytest.approx(lat, abs=1e-4)
    page.get_by_label("名称").fill("新月民宿")
    page.get_by_label("联系电话").fill("021-55500009")
    page.get_by_label("地址", exact=False).first.fill("崇明区环岛路口")
    page.get_by_label("民宿类型").select_option(label="亲子")
    page.get_by_label("客房").fill("5")
    page.get_by_role("button", name="提交").click()
    page.get_by_text("已新增").wait_for()
    made = Facility.objects.get(name="新月民宿", retired_at=None)
    where = f"{live_city}/islands?set=1&on=guesthouses&q=新月"
    public.goto(where)
    assert listed(public) == ["新月民宿"]
    assert "亲子" in public.locator(".islands-row").inner_text()
    assert drawn(public, "islands-map") == {made.pk}
    edition = public.request.get(f"{live_city}/tiles/island_guesthouses.json").json()["edition"]
    # Changed: the public map says so at once.
    page.goto(f"{live_city}/desk/islands/guesthouses?q=新月")
    page.get_by_role("link", name=re.compile("修改.*新月民宿")).click()
    page.get_by_label("名称").fill("满月民宿")
    page.get_by_label("客房").fill("8")
    page.get_by_label("为什么改").fill("换了招牌")
    page.get_by_role("button", name="保存").click()
    page.get_by_text("已保存").wait_for()
    public.goto(where)
    assert listed(public) == []
    public.goto(where.replace("新月", "满月"))
    assert listed(public) == ["满月民宿"]
    assert "客房 8 间" in public.locator(".islands-row").inner_text()
    changed = public.request.get(f"{live_city}/tiles/island_guesthouses.json").json()["edition"]
    assert changed != edition
    # Deleted, with a reason; gone for everybody; taken back.
    page.goto(f"{live_city}/desk/islands/guesthouses?q=满月")
    row = page.locator(f'tr[data-id="{made.pk}"]')
    row.locator("summary").click()
    row.get_by_label("为什么删除").fill("停业")
    assert faults_of(page) == []
    row.get_by_role("button", name=re.compile("删除“满月民宿”")).click()
    page.get_by_text("已删除“满月民宿”，地图上不再出现。").wait_for()
    assert page.locator(f'tr[data-id="{made.pk}"]').count() == 0
    public.reload()
    assert listed(public) == []
    assert drawn(public, "islands-map") == set()
    assert public.request.get(f"{live_city}/islands/places/{made.pk}").status == 404
    assert public.request.get(f"{live_city}/tiles/island_guesthouses.json").json()["edition"] != changed
    page.get_by_role("link", name="删错了？去撤销").click()
    page.get_by_role("button", name=re.compile("撤销.*下线")).click()
    page.get_by_text("已撤销，恢复成改动以前的样子。").wait_for()
    public.reload()
    assert listed(public) == ["满月民宿"]
    Facility.objects.filter(pk=made.pk).update(retired_at=made.updated_at)


def test_layers_are_arranged_and_visitors_see_it_at_once(
    open_page: Any, live_city: str, island: dict[str, int]
) -> None:
    from services.modules.islands.models import LayerSetting

    page, public = open_page(390, 844, color_scheme="dark"), open_page(390, 844)
    sign_in(page, live_city, "shi", "/desk/islands")
    assert faults_of(page) == []
    page.get_by_role("button", name="上移“景点”").click()
    page.goto(f"{live_city}/desk/islands/food")
    assert faults_of(page) == []
    assert int(page.evaluate("document.documentElement.scrollWidth")) <= 390
    page.get_by_label("名称", exact=True).fill("吃在岛上")
    page.locator("label[title=汤]").click()
    page.get_by_role("button", name="保存图层设置").click()
    page.get_by_text("已保存，游客马上看到。").wait_for()
    page.goto(f"{live_city}/desk/islands/shops")
    page.get_by_label("游客可以看到这个图层").uncheck()
    page.get_by_role("button", name="保存图层设置").click()
    page.get_by_text("已保存，游客马上看到。").wait_for()
    public.goto(f"{live_city}/islands")
    assert [one["key"] for one in answer(public)["layers"]][:3] == ["guesthouses", "sights", "hotels"]
    assert "shops" not in {one["key"] for one in answer(public)["layers"]}
    assert any(one["title"] == "吃在岛上" and one["pin"].endswith("-soup") for one in answer(public)["layers"])
    assert "阿婆崇明糕" not in listed(public)
    # A stale form is told; the same pin twice is refused.
    stale = open_page(1440, 900)
    sign_in(stale, live_city, "shi", "/desk/islands/food")
    page.goto(f"{live_city}/desk/islands/food")
    page.get_by_label("名称", exact=True).fill("农家乐")
    page.get_by_role("button", name="保存图层设置").click()
    page.get_by_text("已保存，游客马上看到。").wait_for()
    stale.get_by_label("名称", exact=True).fill("饭店")
    stale.get_by_role("button", name="保存图层设置").click()
    stale.get_by_text("别人刚改过图层").wait_for()
    assert stale.get_by_label("名称", exact=True).input_value() == "饭店"
    LayerSetting.objects.all().delete()


def test_a_manager_of_another_district_may_not(open_page: Any, live_city: str) -> None:
    page = open_page(1440, 900)
    sign_in(page, live_city, "qu", "/desk")
    assert page.get_by_role("link", name="尚岛图层管理").count() == 0
    assert page.goto(f"{live_city}/desk/islands").status == 403
    assert page.goto(f"{live_city}/desk/islands/guesthouses").status == 403


def test_the_island_is_a_list_without_script_and_fits_every_screen(
    open_page: Any, live_city: str, island: dict[str, int]
) -> None:
    page = open_page(390, 844)
    without_script(page)
    page.goto(f"{live_city}/islands?set=1&on=guesthouses")
    assert set(listed(page)) == set(NAMES)
    for width, scheme in ((390, "light"), (390, "dark"), (1440, "dark")):
        page = open_page(width, 900, color_scheme=scheme)
        for path in ("islands", "islands/quality", "help/islands", "islands?set=1", "islands?q=没有的"):
            page.goto(f"{live_city}/{path}")
            assert faults_of(page) == [], (width, scheme, path)
            assert int(page.evaluate("document.documentElement.scrollWidth")) <= width, (width, path)
    page.goto(f"{live_city}/islands?on=guesthouses&lon=121.4737&lat=31.2304&crs=wgs84")
    assert len(listed(page)) == 3
    assert "直线" in page.locator(".islands-row").first.inner_text()
    assert "121.4737" not in page.locator(".token").inner_text()
