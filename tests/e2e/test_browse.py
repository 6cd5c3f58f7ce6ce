"""All institutions narrowed by every filter and ordered by one's own preferences: by script without reload, and without script."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Spot, faults_of
from tests.e2e.test_places import ids_of

NINE = (
    "距离范围",
    "所属区",
    "机构类型",
    "服务形式",
    "适龄幼儿",
    "供餐情况",
    "机构级别",
    "工作时间",
    "现在开着",
    "节假日开放",
    "某个时刻开着",
)


def total_of(page: Any) -> int:
    return int(page.locator(".page-head [role=status]").inner_text().removesuffix(" 家"))


def count_beside(page: Any, control: str) -> int:
    return int(page.locator(f".check:has({control}) .count").inner_text())


def suits_a_working_day(one: Any) -> bool:
    """Say whether a place keeps until four in the afternoon from Monday to Friday, and says all that is asked here."""
    long_enough = all(
        any(span[1] >= "16:00" for span in one.hours.get(day, [])) for day in ("mon", "tue", "wed", "thu", "fri")
    )
    return long_enough and {"age_from_months", "meals"} <= one.attributes.keys()


@pytest.mark.covers("PRE-FIND-01b", via="services.facilities.browsing.queries:browse")
def test_a_parent_narrows_the_list_by_all_the_conditions_there_are(
    open_page: Any, live_city: str, families: Spot
) -> None:
    from services.facilities.kinds import kinds_named
    from services.facilities.models import Facility

    childcare = Facility.objects.filter(kind__in=kinds_named("childcare"), status="open")
    page = open_page(1440, 900)
    page.goto(f"{live_city}/places?kinds=childcare&{families.query()}")
    side = page.locator(".list-filters")
    for name in NINE:
        expect(side).to_contain_text(name)
    began = page.evaluate("() => window.name = 'the same page'")
    assert began

    # A box, with the number it leaves before it is ticked; the whole page is not loaded again.
    leaves = count_beside(page, "#f-service_form-full_day")
    page.get_by_role("checkbox", name="全日托").click()
    page.wait_for_url("**service_form=full_day**")
    assert total_of(page) == leaves == childcare.filter(attributes__service_form="full_day").count()
    expect(page.locator("#announce")).to_have_text(f"找到 {leaves} 家托育")
    expect(page.locator("#f-service_form-full_day")).to_be_focused()

    # An input box: the child's age; a menu: the district; boxes: kinds, of which any will do; meals; hours needed.
    wanted = next(one for one in childcare.filter(attributes__service_form="full_day") if suits_a_working_day(one))
    age, kind, meals = (
        wanted.attributes["age_from_months"],
        wanted.kind_id,
        str(int(wanted.attributes["meals"])),
    )
    page.locator("#f-age").fill(str(age))
    page.locator("#f-age").press("Tab")
    page.wait_for_url(f"**age_months={age}**")
    option = page.locator("#list-district option:not([disabled])").nth(1)
    code, said = option.get_attribute("value"), option.inner_text()
    page.locator("#list-district").select_option(code)
    page.wait_for_url(f"**district={code}**")
    assert f"（{total_of(page)}）" in said
    page.locator(f"#f-type-{kind}").click()
    page.wait_for_url(f"**type={kind}**")
    page.locator(f"#f-meals-{meals}").click()
    page.wait_for_url(f"**meals={meals}**")
    page.locator("#f-until").fill("16:00")
    page.locator("#f-until").press("Tab")
    page.wait_for_url("**until_time=16**")
    told = parse_qs(urlsplit(page.url).query)
    assert {key: told[key] for key in ("service_form", "age_months", "type", "meals", "district")} == {
        "service_form": ["full_day"],
        "age_months": [str(age)],
        "type": [kind],
        "meals": [meals],
        "district": [code],
    }
    assert page.evaluate("() => window.name") == "the same page"
    left = total_of(page)
    found = childcare.filter(pk__in=ids_of(page))
    assert len(found) == min(20, left) > 0
    for one in found:
        assert (one.kind_id, one.attributes["service_form"], one.attributes["meals"]) == (
            kind,
            "full_day",
            meals == "1",
        )
        assert one.attributes["age_from_months"] <= age <= one.attributes["age_to_months"]
        assert all(any(span[1] >= "16:00" for span in one.hours[day]) for day in ("mon", "tue", "wed", "thu", "fri"))

    # A condition that leaves nothing is shown and cannot be chosen; a chip takes one back; the back button brings it again.
    for off in page.locator(".check.off").all():
        assert off.locator(".count").inner_text() == "0"
        assert off.locator("input").is_disabled()
    chips = page.locator(".chosen .chip-on")
    expect(chips).to_have_count(6)
    chips.filter(has_text="供餐").click()
    expect(chips).to_have_count(5)
    expect(page.locator(f"#f-meals-{meals}")).not_to_be_checked()
    more = total_of(page)
    assert more >= left
    page.go_back()
    expect(page.locator(f"#f-meals-{meals}")).to_be_checked()
    assert total_of(page) == left
    page.go_forward()
    expect(page.locator(f"#f-meals-{meals}")).not_to_be_checked()

    # Distance, grade, opening hours and vacancies, all at once by the address; then everything is cleared.
    page.goto(
        f"{live_city}/places?kinds=childcare&within=5000&open_at=2026-11-25T10:00&has_vacancy=1&fee_max=9000&{families.query()}"
    )
    metres = [
        float(n) * (1000 if unit == "公里" else 1)
        for n, unit in re.findall(r"([\d.]+)\s*(米|公里)", " ".join(page.locator(".row-minutes").all_inner_texts()))
    ]
    assert metres == sorted(metres)
    assert all(one <= 5000 for one in metres)
    assert faults_of(page) == []
    page.get_by_role("link", name="清空条件").click()
    page.wait_for_url(re.compile(r"^(?!.*within)"))
    assert total_of(page) == childcare.count()

    # Nothing is left: the page says which condition to loosen and what that would show.
    page.goto(f"{live_city}/places?kinds=childcare&meals=0&fee_max=0&grade=没有的&{families.query()}")
    way = page.locator(".state a", has_text="放宽").first
    if way.count():
        promised = int(re.search(r"可看到 (\d+) 家", way.inner_text()).group(1))
        way.click()
        expect(page.locator(".page-head [role=status]")).to_have_text(f"{promised} 家")

    # Without script the same form narrows the same list by its button.
    bare = open_page(390, 844, java_script_enabled=False)
    bare.goto(f"{live_city}/places?kinds=childcare&{families.query()}")
    bare.locator("label[for=show-filters]").click()
    bare.get_by_role("checkbox", name="全日托").check()
    bare.locator("#f-age").fill("20")
    bare.get_by_role("button", name="按这些条件查找").click()
    bare.wait_for_url("**age_months=20**")
    assert (
        total_of(bare)
        == childcare.filter(
            attributes__service_form="full_day", attributes__age_from_months__lte=20, attributes__age_to_months__gte=20
        ).count()
    )


@pytest.mark.covers("PRE-FIND-01c", via="services.facilities.browsing.queries:browse")
def test_a_parent_orders_the_list_by_what_matters_to_the_family(page: Any, live_city: str, families: Spot) -> None:
    from services.facilities.kinds import kinds_named
    from services.facilities.models import Facility

    childcare = Facility.objects.filter(kind__in=kinds_named("childcare"), status="open")
    page.goto(f"{live_city}/places?kinds=childcare&{families.query()}")
    # A menu: each order is another view of the same institutions.
    page.locator("#list-order").select_option("fee")
    page.wait_for_url("**order=fee**")
    fees = [Facility.objects.get(pk=one).attributes.get("fee_month_yuan") for one in ids_of(page)]
    known = [fee for fee in fees if fee is not None]
    assert known == sorted(known)
    by_fee = ids_of(page)
    page.locator("#list-order").select_option("vacancy")
    page.wait_for_url("**order=vacancy**")
    by_vacancy = ids_of(page)
    assert by_vacancy != by_fee
    assert total_of(page) == childcare.count()

    # Sliders, by the keyboard: fees matter most, then distance; every row says why it stands there.
    page.locator("label[for=show-filters]").click()
    slider = page.locator("#w-fee")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_url("**w_fee=5**")
    expect(page.locator("#list-order")).to_have_value("fit")
    expect(page.locator("#w-fee")).to_be_focused()
    only_fee = ids_of(page)
    assert [one for one in only_fee if one in by_fee[:5]]
    page.locator("#w-distance").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**w_distance=1**")
    reasons = page.locator("#rows .row-why").all_inner_texts()
    assert len(reasons) == len(ids_of(page))
    assert all(re.fullmatch(r"(免费|收费低|收费适中|收费高|收费没登记) · (近|不太远|远)", said) for said in reasons)
    expect(page.locator("label[for=w-fee]")).to_contain_text("收费")
    fitting = ids_of(page)
    assert faults_of(page) == []

    # The address holds the preferences for somebody else, the device holds them for the next visit.
    told = parse_qs(urlsplit(page.url).query)
    assert (told["order"], told["w_fee"], told["w_distance"]) == (["fit"], ["5"], ["1"])
    page.reload()
    assert ids_of(page) == fitting
    page.goto(f"{live_city}/places?kinds=childcare&{families.query()}")
    assert ids_of(page) != fitting
    page.locator("label[for=show-filters]").click()
    page.get_by_role("button", name="用上次的偏好").click()
    page.wait_for_url("**w_fee=5**")
    assert ids_of(page) == fitting


def test_the_next_rows_follow_without_leaving_the_page(open_page: Any, live_city: str) -> None:
    page = open_page(390, 844, has_touch=True)
    page.goto(f"{live_city}/places")
    page.evaluate("() => window.name = 'the same page'")
    first = ids_of(page)
    assert len(first) == 20
    page.locator(".list-row .compare-tick input").first.check()
    link = page.get_by_role("link", name="再看 20 家")
    link.focus()
    page.keyboard.press("Enter")
    page.locator(".list-row").nth(39).wait_for()
    both = ids_of(page)
    assert both[:20] == first
    assert len(set(both)) == 40
    assert page.evaluate("() => window.name") == "the same page"
    # The keyboard goes on with the first of the new rows, ticks stand, and what is marked in a new row is shown there.
    expect(page.locator(".list-row").nth(20).locator("a.row-name")).to_be_focused()
    expect(page.locator(".list-row .compare-tick input").first).to_be_checked()
    assert faults_of(page) == []
    page.locator(".list-row").nth(20).locator("[data-save]").click()
    expect(page.locator(".list-row").nth(20).get_by_text("已收藏").first).to_be_visible()
    assert faults_of(page) == []
    page.get_by_role("link", name="再看 20 家").click()
    page.locator(".list-row").nth(59).wait_for()
    assert len(set(ids_of(page))) == 60


def test_without_script_the_next_rows_are_a_page_of_their_own(open_page: Any, live_city: str) -> None:
    page = open_page(390, 844, java_script_enabled=False)
    page.goto(f"{live_city}/places")
    first = ids_of(page)
    page.get_by_role("link", name="再看 20 家").click()
    assert "cursor=" in page.url
    assert not set(ids_of(page)) & set(first)
