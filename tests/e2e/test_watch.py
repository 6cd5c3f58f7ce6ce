"""The public map of elders on a desk, and the map of supervisors behind it: drilled into, acted on, limited to one's own region."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Spot, answer_of, faults_of, jump, wait_for_map
from tests.e2e.test_desk import sign_in
from tests.services.kernel.watching.samples import Street, settle_all, stand_against, street_of


@pytest.fixture
def street(live_city: str) -> Street:
    """Return a street of 黄浦 with one of everything against its first place; 杨浦 has a place with as much against it."""
    settle_all()
    home = street_of("310101")
    stand_against(home.places[0])
    stand_against(street_of("310110", 1).places[0], "there")
    return home


def clerk_of(district: str) -> str:
    """Return the name of an account that works for a district; its password is that of the demo accounts."""
    from geo.regions.models import RegionVersion
    from services.access.actions import declare_roles, grant_role
    from services.access.demo import DEMO_PASSWORD
    from services.access.models import User, UserKind

    declare_roles()
    name = f"clerk-{district}"
    if not User.objects.filter(username=name).exists():
        user = User.objects.create_user(name, password=DEMO_PASSWORD, kind=UserKind.STAFF)
        region = RegionVersion.objects.get(edition__state="published", code=district).region
        grant_role(user=user, role="street_clerk", granted_by="test", region=region)
    return name


def drawn(page: Any) -> None:
    page.locator('#watch-map[data-drawn="true"]').wait_for(state="attached", timeout=60_000)


def card(page: Any, title: str) -> Any:
    """Return the number on the card of an indicator, such as 1 条."""
    return page.locator(".watch-card").filter(has_text=title).locator(".watch-number")


@pytest.mark.covers("ELD-RES-05", via="services.kernel.watching.queries:board_of")
def test_the_public_finds_services_and_staff_supervise_them_on_two_maps_of_a_desk(
    open_page: Any, live_city: str, elders: Spot, street: Street
) -> None:
    """At 1440: the site for everybody; for staff the drill to a place, its report answered there, one number less."""
    public = open_page(1440, 900)
    public.goto(f"{live_city}/elder")
    expect(public).to_have_title("养老一张图 · 圈图")
    assert "养老" in public.locator('meta[name="description"]').get_attribute("content")
    expect(
        public.get_by_role("navigation", name="养老一张图", exact=True).get_by_role("link", name="我有建议")
    ).to_be_visible()
    expect(public.get_by_role("heading", level=1)).to_have_text("您从哪里出发？")
    public.goto(f"{live_city}/elder?{elders.query()}")
    wait_for_map(public)
    found = answer_of(public)["places"]
    assert public.locator("#rows [data-place]").count() == len(found) >= 3
    assert public.locator(".pin").count() == len(found)
    public.goto(f"{live_city}/watch/elder")
    public.wait_for_url("**/sign-in**")  # the map of supervisors is not the public's

    page = open_page(1440, 900)
    sign_in(page, live_city, "qu", "/watch/elder")
    expect(page.get_by_role("heading", level=1)).to_have_text("养老服务监管一张图")
    expect(page.locator(".watch-crumbs")).to_have_text("黄浦区")  # nothing above the own district
    drawn(page)
    expect(card(page, "“这里有误”待核对")).to_have_text("1 条")
    line = page.locator(".watch-table tbody tr").filter(has_text=street.name)
    assert [cell.strip() for cell in line.locator("td").all_inner_texts()][1:] == ["0", *"1111111"]
    page.locator(".watch-row").filter(has_text=street.name).click()
    page.wait_for_url(f"**region={street.code}**")
    expect(page.locator(".watch-crumbs")).to_contain_text(re.compile(f"黄浦区.*{street.name}", re.DOTALL))
    drawn(page)
    place = street.places[0]
    page.locator(".watch-table").get_by_role("link", name=place.name, exact=True).click()
    side = page.locator("#side")
    expect(side.get_by_role("heading", name=place.name)).to_be_focused()
    page.wait_for_url(f"**place={place.pk}**")
    told = side.locator(".watch-told").filter(has_text="“这里有误”待核对")
    expect(told).to_contain_text("电话打不通或不对")
    told.get_by_role("link", name="核对并答复").click()
    page.get_by_role("radio", name="核对后没有改").check()
    page.get_by_label("答复报告人").fill("打过电话，能接通。")
    page.get_by_role("button", name="保存").click()
    page.wait_for_url("**/desk/**")
    page.goto(f"{live_city}/watch/elder?region={street.code}&place={place.pk}")
    expect(card(page, "“这里有误”待核对")).to_have_text("0 条")
    expect(card(page, "建议超期未答复")).to_have_text("1 条")
    expect(side.locator(".watch-told").filter(has_text="“这里有误”待核对")).to_have_count(0)

    other = open_page(1440, 900)
    sign_in(other, live_city, clerk_of("310110"), "/watch/elder")
    expect(other.locator(".watch-crumbs")).to_have_text("杨浦区")
    expect(card(other, "“这里有误”待核对")).to_have_text("1 条")
    assert place.name not in other.content()
    assert street.name not in other.locator("main").inner_text()
    answer = other.goto(f"{live_city}/watch/elder?region={street.code}")
    assert answer.status == 404
    other.goto(f"{live_city}/watch/elder?place={place.pk}")
    expect(other.locator("#side")).to_contain_text("没有找到这家机构")


def test_a_pin_and_a_region_of_the_map_lead_where_the_table_leads(
    open_page: Any, live_city: str, street: Street
) -> None:
    page = open_page(1920, 1080, color_scheme="dark")
    sign_in(page, live_city, "shi", "/watch/elder")
    drawn(page)
    spot = page.locator(".watch-spot").filter(has_text="黄浦区")
    assert (
        spot.locator("b").inner_text()
        == page.locator(".watch-row").filter(has_text="黄浦区").locator("strong").inner_text()
    )
    spot.click()
    page.wait_for_url("**region=310101**")
    drawn(page)
    place = street.places[0]
    jump(page, "#watch-map", place.geom.coords, 16)
    box = page.locator("#watch-map canvas").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url(f"**place={place.pk}**")
    expect(page.locator("#side").get_by_role("heading", name=place.name)).to_be_visible()
    page.go_back()
    expect(page.locator("#side").get_by_role("heading", level=2)).to_have_text("先处理这些机构")


@pytest.mark.parametrize(("width", "look"), [(390, "light"), (1440, "dark")])
def test_everybody_can_use_the_map_of_supervisors(
    open_page: Any, live_city: str, street: Street, width: int, look: str
) -> None:
    page = open_page(width, 900, color_scheme=look)
    sign_in(page, live_city, "shi", "/watch/elder")
    faults = {}
    place = street.places[0].pk
    for path in (
        "/watch/elder", f"/watch/elder?region={street.code}&place={place}", "/watch/elder?of=stopped&sort=-reports", "/help/watch",
    ):  # fmt: skip
        page.goto(f"{live_city}{path}")
        if found := faults_of(page):
            faults[path] = found
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert faults == {}
    page.goto(f"{live_city}/watch/elder?region={street.code}")
    page.emulate_media(media="print")
    expect(page.locator(".watch-table")).to_be_visible()
    expect(page.locator(".watch-map")).to_be_hidden()
    expect(page.locator(".watch-header")).to_be_hidden()


def test_without_script_the_table_leads_to_the_place_and_its_acts(
    open_page: Any, live_city: str, street: Street
) -> None:
    page = open_page(390, 844, java_script_enabled=False)
    sign_in(page, live_city, "shi", "/watch/elder")
    page.locator(".watch-table").get_by_role("link", name="黄浦区", exact=True).click()
    page.locator(".watch-table").get_by_role("link", name=street.name, exact=True).click()
    page.locator(".watch-table").get_by_role("link", name=street.places[0].name, exact=True).click()
    side = page.locator("#side")
    expect(side.get_by_role("heading", level=2)).to_have_text(street.places[0].name)
    side.get_by_role("link", name="催一次").click()
    expect(page.get_by_text(street.places[0].name)).to_be_visible()


def test_the_board_is_doubled_on_a_wall_and_its_map_still_answers(
    open_page: Any, live_city: str, street: Street
) -> None:
    page = open_page(3840, 2160, color_scheme="dark")
    sign_in(page, live_city, "shi", "/watch/elder")
    drawn(page)
    wall = "n => parseFloat(getComputedStyle(n).fontSize) * (n.currentCSSZoom || 1)"
    assert page.locator(".watch-row").first.evaluate(wall) >= 28
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".watch-stage").evaluate("n => n.getBoundingClientRect().bottom <= innerHeight")
    assert faults_of(page) == []
    page.locator(".watch-spot").filter(has_text="黄浦区").click()
    page.wait_for_url("**region=310101**")
    drawn(page)


@pytest.mark.parametrize("width", [1440, 1920])
def test_the_public_map_of_elders_fills_a_desk_and_prints_its_list(
    open_page: Any, live_city: str, elders: Spot, width: int
) -> None:
    page = open_page(width, 1000)
    page.goto(f"{live_city}/elder")
    wait_for_map(page)
    panel = page.locator(".panel").bounding_box()
    for chip in page.locator(".panel .ask .chip:visible, .panel .ask summary:visible").all():
        box = chip.bounding_box()
        assert box["x"] + box["width"] <= panel["x"] + panel["width"] - 8
    expect(page.locator(".care-foot").get_by_role("link", name="12345")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert faults_of(page) == []
    page.goto(f"{live_city}/elder?{elders.query()}")
    wait_for_map(page)
    page.emulate_media(media="print")
    for place in answer_of(page)["places"]:
        expect(page.locator(f'#rows [data-place="{place["id"]}"]').first).to_be_visible()
    expect(page.locator(".site-header")).to_be_hidden()
    expect(page.locator(".stage")).to_be_hidden()
