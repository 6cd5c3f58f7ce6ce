"""The heat map drawn in a browser: uses of the finder by region for three offices, resources for elders by cell, periods played."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from typing import Any

import h3
import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.e2e.conftest import faults_of, without_script
from tests.e2e.test_desk import sign_in
from tests.layers.heat.events import first_of

DRAWN = """() => Object.fromEntries(document.getElementById('heat-map').quantu.querySourceFeatures('heat').map(
    (each) => [each.properties.code || each.properties.cell, [each.properties.value ?? null, each.properties.class ?? null]]))"""


def used(code: str, times: int, months_ago: int) -> None:
    """Let the finder be used in a region, and let the counter write it down."""
    from geo.regions.models import RegionVersion
    from services.modules.finder.counting import count_use
    from services.modules.finder.models import Act

    region = RegionVersion.objects.get(edition__state="published", code=code).region_id
    moment = timezone.make_aware(dt.datetime.combine(first_of(months_ago), dt.time(10)))
    for number in range(times):
        count_use((Act.SEARCH, Act.CLICK, Act.FAVOURITE)[number % 3], region_id=region, now=moment)


def drawn(page: Any, by: str = "") -> dict[str, Any]:
    """Return value and class of what the map draws, by cell or code, once it stands."""
    holder = page.locator(f'#heat-map[data-drawn="true"][data-by="{by}"]' if by else '#heat-map[data-drawn="true"]')
    holder.wait_for(state="attached", timeout=60_000)
    page.wait_for_function("() => document.getElementById('heat-map').quantu.isSourceLoaded('heat')", timeout=60_000)
    return {key: tuple(value) for key, value in page.evaluate(DRAWN).items()}


def table(page: Any) -> dict[str, str]:
    return {
        row.get_attribute("data-key"): row.locator("td").inner_text()
        for row in page.locator(".heat-table tbody tr").all()
    }


@pytest.mark.covers("PRE-MON-28a", via="layers.heat.regional:region_heat")
def test_uses_of_the_finder_are_heat_by_district_and_street_for_city_district_and_street(
    open_page: Any, live_city: str
) -> None:
    """At 1440: 市 sees all, 区 and 街镇 their own; few uses are told to nobody; the month before comes without another page."""
    from geo.regions.models import RegionVersion
    from services.modules.finder.counting import flush_counts

    codes = RegionVersion.objects.filter(edition__state="published", level="street").order_by("code")
    own_street = codes.get(name="老西门街道").code
    mine = list(codes.filter(path__contains=".310101.").exclude(code=own_street).values_list("code", flat=True)[:3])
    theirs = codes.filter(path__contains=".310110.").values_list("code", flat=True)[0]
    for code, now, before in (
        (mine[0], 42, 12),
        (mine[1], 4, 30),
        (mine[2], 18, 21),
        (own_street, 51, 25),
        (theirs, 166, 15),
    ):
        used(code, now, 1)
        used(code, before, 2)
    flush_counts()

    page = open_page(1440, 900)
    sign_in(page, live_city, "shi", "/watch/heat/finder_uses?by=district")
    expect(page.locator("h1")).to_have_text("杨浦区最多，有 166 次")
    districts = drawn(page, "district")
    assert (districts["310101"][0], districts["310110"][0]) == (115, 166)
    assert 0 < districts["310101"][1] < districts["310110"][1]
    assert (table(page)["310101"], table(page)["310110"]) == ("115", "166")
    assert len(districts) == 16
    page.locator("#heat-by").select_option("street")
    page.wait_for_url(re.compile("by=street"))
    streets = drawn(page, "street")
    assert [streets[code][0] for code in (*mine, own_street, theirs)] == [42, None, None, 51, 166]
    assert [table(page)[code] for code in (*mine, own_street, theirs)] == ["42", "—", "—", "51", "166"]
    assert len(streets) == codes.count()
    shown = page.evaluate("() => document.getElementById('heat-map').quantu.getPaintProperty('heat', 'fill-color')")
    assert len({shown[at] for at in range(3, len(shown) - 1, 2)}) == 5
    assert faults_of(page) == []
    page.locator("#heat-slider").focus()
    page.keyboard.press("ArrowLeft")
    month = first_of(2)
    expect(page.locator("#heat-now")).to_have_text(f"{month.year}年{month.month}月")
    expect(page.locator("h1")).to_contain_text("有 30 次")
    page.wait_for_function(f"() => ({DRAWN})()['{mine[1]}'][0] === 30", timeout=60_000)
    assert f"at={month}" in page.url

    for name, within, way, seen in (
        ("qu", "310101", "district", {"310101": "115"}),
        ("qu", "310101", "street", {mine[0]: "42", mine[1]: "—", own_street: "51"}),
        ("jiezhen", own_street, "street", {own_street: "51"}),
    ):
        own = open_page(1440, 900)
        sign_in(own, live_city, name, f"/watch/heat/finder_uses?by={way}")
        assert seen.items() <= table(own).items()
        assert all(key.startswith(within) for key in table(own))
        assert set(drawn(own, way)) == set(table(own))
        own.close()


@pytest.mark.covers("ELD-RES-02a", via="layers.heat.cells:cell_heat")
def test_resources_for_elders_are_heat_on_one_map(open_page: Any, live_city: str) -> None:
    """From the map of supervisors: cells with the places in them, one kind of them, beds, smooth; the same list without script."""
    from services.facilities.models import Facility

    every = Facility.objects.filter(retired_at=None, status="open", kind__group="eldercare")

    def cells(resolution: int, **where: Any) -> dict[str, int]:
        found = every.filter(**where).values_list("cell", flat=True)
        return dict(Counter(h3.cell_to_parent(h3.int_to_str(cell), resolution) for cell in found))

    page = open_page(1440, 900)
    sign_in(page, live_city, "qu", "/watch/elder")
    page.get_by_role("link", name="热力图").click()
    page.wait_for_url("**/watch/heat/elder_places")
    assert {cell: value for cell, (value, _) in drawn(page, "8").items()} == cells(8)
    expect(page.locator("h1")).to_contain_text(f"有 {max(cells(8).values())} 处")
    kind = every.order_by("kind").values_list("kind", flat=True)[0]
    page.locator("#heat-kinds").select_option(kind)
    page.wait_for_url(re.compile(f"kinds={kind}"))
    assert {cell: value for cell, (value, _) in drawn(page, "8").items()} == cells(8, kind=kind)
    assert faults_of(page) == []
    page.goto(f"{live_city}/watch/heat/elder_beds?by=9&draw=smooth")
    beds: dict[str, int] = Counter()
    for cell, places in every.exclude(places=None).values_list("cell", "places"):
        beds[h3.cell_to_parent(h3.int_to_str(cell), 9)] += places
    assert {cell: value for cell, (value, _) in drawn(page, "9").items()} == dict(beds)
    assert page.evaluate("() => document.getElementById('heat-map').quantu.getLayer('heat').type") == "heatmap"
    assert f"合计 {sum(beds.values()):,} 个" in page.locator("main").inner_text()

    phone = open_page(390, 844, color_scheme="dark", storage_state=page.context.storage_state())
    without_script(phone)
    phone.goto(f"{live_city}/watch/heat/elder_places?by=8")
    assert table(phone) == {cell: str(count) for cell, count in cells(8).items()}
    phone.locator("#heat-by").select_option("street")
    phone.get_by_role("button", name="看", exact=True).click()
    phone.wait_for_url(re.compile("by=street"))
    expect(phone.locator(".heat-table th[scope=row]").first).to_contain_text("街道")
    assert phone.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert faults_of(phone) == []
