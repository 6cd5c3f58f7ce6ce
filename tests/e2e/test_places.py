"""All places as a list, one place in full, favourites on the device, calling and navigating."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.e2e.conftest import Spot
from tests.e2e.test_find import metres_apart_in_gcj

APPS = {"高德地图", "百度地图", "腾讯地图", "苹果地图", "手机里的其他地图"}


def ids_of(page: Any) -> list[int]:
    return [int(row.get_attribute("data-id")) for row in page.locator("#rows .row").all()]


@pytest.mark.covers("PRE-FIND-01a", via="services.facilities.browsing.queries:browse")
def test_all_institutions_are_listed_with_what_a_parent_compares(page: Any, live_city: str, families: Spot) -> None:
    from services.facilities.kinds import kind_of, kinds_named
    from services.facilities.models import Facility

    page.goto(f"{live_city}/places?kinds=childcare&{families.query()}")
    childcare = Facility.objects.filter(kind__in=kinds_named("childcare"), status="open")
    total = childcare.count()
    assert page.locator(".page-head [role=status]").inner_text() == f"{total} 家"
    while page.locator(".more a").count():
        before = len(ids_of(page))
        page.locator(".more a").click()
        page.wait_for_function(f"() => document.querySelectorAll('#rows .row').length > {before}")
    ids = ids_of(page)
    assert len(ids) == len(set(ids)) == total

    # Each row: name, address, kind, favourite state, distance; nearest first.
    metres = []
    for row in page.locator("#rows .row").all():
        facility = Facility.objects.get(pk=int(row.get_attribute("data-id")))
        said = row.inner_text()
        assert facility.name in said
        assert facility.address_text in said
        assert kind_of(facility.kind_id).name in said
        assert row.locator("[data-save]").get_attribute("aria-pressed") == "false"
        number, unit = re.search(r"([\d.]+)\s*(米|公里)", row.locator(".row-minutes").inner_text()).groups()
        metres.append(float(number) * (1000 if unit == "公里" else 1))
    assert metres == sorted(metres)

    # Marking one shows at once, and after a reload.
    page.locator("#rows [data-save]").first.click()
    page.reload()
    assert page.locator("#rows [data-save]").first.get_attribute("aria-pressed") == "true"
    page.goto(f"{live_city}/saved")
    page.locator("#saved .row").wait_for()
    assert ids_of_saved(page) == ids[:1]

    # Sorted by name
    page.goto(f"{live_city}/places?kinds=childcare&order=name&{families.query()}")
    names = [row.inner_text() for row in page.locator("#rows .row-name").all()]
    assert names == list(childcare.order_by("name", "id").values_list("name", flat=True)[: len(names)])

    # Filtered by kind and by what the kind declares
    page.locator("#list-kinds").select_option("nursery")
    page.wait_for_url("**kinds=nursery**")
    page.locator("label[for=show-filters]").click()
    page.get_by_role("checkbox", name="全日托").click()
    page.wait_for_url("**service_form=full_day**")
    assert ids_of(page)
    for facility in Facility.objects.filter(pk__in=ids_of(page)):
        assert (facility.kind_id, facility.attributes["service_form"]) == ("nursery", "full_day")

    # Searched by a word of the name
    wanted = childcare.order_by("id").first()
    page.goto(f"{live_city}/places")
    page.get_by_label("名称、地址或拼音").fill(wanted.name)
    page.get_by_role("button", name="查找").click()
    page.wait_for_url("**q=**")
    assert wanted.pk in ids_of(page)

    # A row leads to more about the institution.
    page.locator(f'.row[data-id="{wanted.pk}"] .row-name').click()
    page.wait_for_url(f"**/places/{wanted.pk}**")
    assert page.locator("h1").inner_text() == wanted.name


def ids_of_saved(page: Any) -> list[int]:
    return [int(row.get_attribute("data-id")) for row in page.locator("#saved .row").all()]


@pytest.mark.covers("PRE-FIND-02a", via="services.facilities.queries:facility_detail")
def test_the_page_of_an_institution_says_all_that_is_known_and_since_when(
    page: Any, live_city: str, families: Spot
) -> None:
    from geo.scope import Scope
    from services.facilities.kinds import kinds_named
    from services.facilities.models import Facility
    from services.facilities.queries import facility_detail

    facility = Facility.objects.filter(kind__in=kinds_named("nursery"), status="open").exclude(hours={}).first()
    detail = facility_detail(facility.pk, scope=Scope.public())
    page.goto(f"{live_city}/?{families.query(kinds='nursery', minutes=30, mode='bicycle')}")
    page.goto(f"{live_city}/places/{facility.pk}")
    said = page.locator("main").inner_text()
    for words in (facility.name, facility.address_text, facility.phone, detail.place.kind_name, detail.source):
        assert words in said
    for days, hours in detail.week:
        assert days in said
        assert hours in said
    assert f"{facility.attributes['age_from_months']}–{facility.attributes['age_to_months']} 个月" in said
    for label, words in detail.said:
        if label not in {"性质", "收托月龄起", "收托月龄止"}:
            assert words in said
    assert f"截至 {facility.as_of.month}月{facility.as_of.day}日" in said or f"{facility.as_of.year}年" in said
    if detail.place.vacancies.fresh:
        assert f"截至 {detail.place.vacancies.as_of.month}月" in said
    # The same without script, and for nobody in particular.
    assert page.request.get(f"{live_city}/places/{facility.pk}").ok
    assert page.request.get(f"{live_city}/places/999999999").status == 404


@pytest.mark.covers("PRE-FIND-02c", via="web.doors.finder.cards:dialled")
def test_one_tap_dials_the_institution(page: Any, live_city: str, families: Spot) -> None:
    from services.facilities.models import Facility

    page.goto(f"{live_city}/?{families.query(mode='pram')}")
    page.locator("#rows .row-name").first.click()
    page.wait_for_url("**/places/*")
    place_id = int(re.search(r"/places/(\d+)", page.url).group(1))
    facility = Facility.objects.get(pk=place_id)
    call = page.locator("a[href^='tel:']", has_text="电话").first
    assert call.get_attribute("href") == "tel:" + re.sub(r"[^\d+]", "", facility.phone)
    box = call.bounding_box()
    assert min(box["width"], box["height"]) >= 42
    assert facility.phone in call.inner_text()


@pytest.mark.parametrize(
    ("setting", "name", "host"),
    [("amap_web", "高德地图", "uri.amap.com"), ("baidu_web", "百度地图", "api.map.baidu.com")],
)
def test_navigation_opens_the_configured_app_at_the_place(
    page: Any, live_city: str, families: Spot, settings: Any, setting: str, name: str, host: str
) -> None:
    from services.facilities.models import Facility

    settings.NAVIGATION_APP = setting
    page.goto(f"{live_city}/?{families.query(mode='pram')}")
    page.locator("#rows .row-name").first.click()
    page.wait_for_url("**/places/*")
    facility = Facility.objects.get(pk=int(re.search(r"/places/(\d+)", page.url).group(1)))
    button = page.locator("a[data-navigate]")
    assert "导航" in button.inner_text()
    assert name in button.inner_text()
    target = urlsplit(button.get_attribute("href"))
    assert target.hostname == host
    said = parse_qs(target.query)
    if setting == "amap_web":
        lon, lat, title = unquote(said["to"][0]).split(",")
    else:
        place, title = said["destination"][0].split("|name:")
        lat, lon = place.removeprefix("latlng:").split(",")
        assert said["coord_type"] == ["gcj02"]
    assert title == facility.name
    assert metres_apart_in_gcj(float(lon), float(lat), facility.geom.x, facility.geom.y) < 0.1
    page.context.route(f"https://{host}/**", lambda route: route.fulfill(body="导航"))
    with page.expect_popup() as opened:
        button.click()
    opened.value.wait_for_load_state()
    assert urlsplit(opened.value.url).hostname == host

    page.locator(".navigate-menu summary").click()
    assert set(page.locator(".navigate-menu li a").all_inner_texts()) == APPS
    assert page.locator(".navigate-menu li a").first.inner_text() == name


def test_favourites_stay_on_the_device_and_are_counted(open_page: Any, live_city: str, families: Spot) -> None:
    page = open_page(1440, 900)
    page.goto(f"{live_city}/?{families.query(mode='pram')}")
    page.locator("#rows .row-name").first.click()
    page.locator("#card [data-save]").click()
    assert page.locator("#card [data-save-words]").inner_text() == "已收藏"
    assert page.locator(".site-tools [data-saved-count]").inner_text() == "1"
    other = open_page(1440, 900)
    other.goto(f"{live_city}/saved")
    other.locator("#saved-none").wait_for()
    page.locator("#card [data-save]").click()
    page.goto(f"{live_city}/saved")
    page.locator("#saved-none").wait_for()


def test_a_long_list_goes_on_where_it_stopped(page: Any, live_city: str, families: Spot) -> None:
    from services.facilities.models import Facility

    page.goto(f"{live_city}/places?kinds=all&{families.query()}")
    total = Facility.objects.filter(status="open").count()
    assert len(ids_of(page)) == 20 < total
    while page.locator(".more a").count():
        before = len(ids_of(page))
        page.locator(".more a").click()
        page.wait_for_function(f"() => document.querySelectorAll('#rows .row').length > {before}")
    assert len(ids_of(page)) == len(set(ids_of(page))) == total
