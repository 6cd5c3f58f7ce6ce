"""The journeys of families, elders and nurseries as they are promised, on a phone, on a desk and without script."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.core.management import call_command
from django.utils import timezone

from services.access.demo import DEMO_PASSWORD
from services.access.models import User
from services.facilities.models import Facility
from services.facilities.queries import facility_detail
from services.integrations.sms.simulator import Simulator
from services.kernel.messages.actions import keep_phone
from services.modules.selfreport import urging
from services.modules.selfreport.tasks import tell_every_institution
from tests.e2e import enrolling
from tests.e2e.conftest import Spot, answer_of, faults_of, full_day_and_free, is_full_day, without_script
from tests.e2e.test_find import metres_apart_in_gcj, rows_of
from tests.e2e.test_messages import gateway, until  # noqa: F401

LOOKS = [(390, 844, True), (1440, 900, True), (390, 844, False)]
IDS = ["phone", "desk", "plain"]
HEAD_PHONE = "13800000033"
Opener = Callable[..., Any]


def device(open_page: Opener, width: int, height: int, script: bool, **options: Any) -> Any:
    page = open_page(width, height, **options)
    if not script:
        without_script(page)
    return page


def fits(page: Any, width: int) -> None:
    """See that axe finds nothing and nothing lies beside the screen."""
    assert faults_of(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


@pytest.fixture(scope="module")
def street(live_city: str) -> tuple[str, str]:
    """Return words for a street, with its district, and its name: around it lie nurseries, one full-day with a vacancy."""
    from geo.crs import Coordinate, System
    from geo.regions.models import RegionVersion
    from geo.roads.models import RoadSegment
    from geo.scope import Scope
    from services.facilities.circle import circle
    from services.facilities.kinds import kinds_named
    from services.facilities.search import search

    inside = {
        version.name: version.geom
        for version in RegionVersion.objects.filter(edition__state="published", level="district")
    }
    places = Facility.objects.filter(kind__group="childcare", status="open", retired_at=None).order_by("pk")
    for place in places:
        district = next((name for name, geom in inside.items() if geom.contains(place.geom)), "")
        near = RoadSegment.objects.exclude(name="").filter(geom__dwithin=(place.geom, 0.002)).order_by("name")
        for name in near.values_list("name", flat=True).distinct():
            found = search(f"{district}{name}", scope=Scope.public(), limit=5)
            if not found or found[0].what != "road" or found[0].label != name:
                continue
            origin = Coordinate(found[0].lon, found[0].lat, System.CGCS2000)
            reached = circle(
                scope=Scope.public(), origin=origin, minutes=15, mode="pram", kinds=kinds_named("childcare")
            )
            free = [one.place.id for one in reached.places if is_full_day(one.place)]
            if len(reached.places) >= 2 and free:
                lately = timezone.now() - dt.timedelta(days=3)
                Facility.objects.filter(pk=free[0]).update(
                    vacancies=3, vacancies_as_of=lately, vacancies_source="institution"
                )
                return f"{district}{name}", name
    raise AssertionError("no street of the tiny city lies so: the test would prove nothing")


@pytest.mark.parametrize(("width", "height", "script"), LOOKS, ids=IDS)
def test_a_mother_types_a_street_and_is_taken_to_a_nursery_with_a_vacancy(
    open_page: Opener, live_city: str, street: tuple[str, str], width: int, height: int, script: bool
) -> None:
    words, name = street
    page = device(open_page, width, height, script)
    page.goto(live_city)
    fits(page, width)
    # She types the street, and picks it among what it may mean.
    page.get_by_role("combobox").fill(words)
    if script:
        page.get_by_role("option", name=name).first.click()
    else:
        page.get_by_role("button", name="查找").click()
        if (candidate := page.locator(".candidates a", has_text=name).first).count():
            fits(page, width)
            candidate.click()
    page.wait_for_url("**lon=**")
    # Childcare, with a pram, within 15 minutes: the area, and the nurseries inside by walking minutes.
    page.locator("#mode-pram").click()
    page.locator("#minutes-15").click()
    if script:
        page.wait_for_function(
            "() => JSON.parse(document.getElementById('answer').textContent).traveller === '推婴儿车'"
        )
        page.wait_for_function("() => !document.getElementById('sheet').hasAttribute('aria-busy')")
    else:
        page.get_by_role("button", name="按这些条件找").click()
    answer = answer_of(page)
    assert (answer["kinds"], answer["minutes"], answer["traveller"]) == ("childcare", 15, "推婴儿车")
    assert [band["minutes"] for band in answer["bands"]] == [5, 10, 15]
    assert re.search(r"15 分钟内有 \d+ 家", page.locator("main").inner_text())
    if script:
        page.locator("html.map-ready").wait_for(state="attached")
        assert page.locator("#map").is_visible()
    minutes = [int(re.findall(r"\d+", text)[0]) for text in page.locator(".row-minutes").all_inner_texts()]
    assert minutes == sorted(minutes)
    assert minutes
    assert max(minutes) <= 15
    ids = [place_id for _, place_id in rows_of(page)]
    assert {place.kind.group for place in Facility.objects.filter(pk__in=ids).select_related("kind")} == {"childcare"}
    fits(page, width)
    # 全日托 and 有余位.
    page.locator("#filter-has_vacancy-1").click()
    if script:
        page.wait_for_url("**has_vacancy=1**")
    page.locator("#filter-service_form-full_day").click()
    if script:
        page.wait_for_url("**service_form=full_day**")
        page.wait_for_function("() => !document.getElementById('sheet').hasAttribute('aria-busy')")
    else:
        page.get_by_role("button", name="按这些条件找").click()
    from geo.scope import Scope

    left = [facility_detail(place_id, scope=Scope.public()).place for _, place_id in rows_of(page)]
    assert left
    assert {place.id for place in left} <= set(ids)
    assert all(full_day_and_free(place) for place in left)
    first = page.locator("#rows .row").first
    assert re.search(r"余位 \d+", first.inner_text())
    assert re.search(r"\d+月\d+日", first.inner_text()), "a vacancy says as of when"
    fits(page, width)
    # She opens one, and 导航 opens 高德 at the right place.
    first.locator(".row-name").click()
    if width < 900 or not script:
        page.wait_for_url("**/places/*")
    link = page.locator("a[data-navigate]:visible").first
    link.wait_for()
    fits(page, width)
    target = urlsplit(link.get_attribute("href"))
    assert target.hostname == "uri.amap.com"
    lon, lat, called = unquote(parse_qs(target.query)["to"][0]).split(",")
    assert called == left[0].name
    assert metres_apart_in_gcj(float(lon), float(lat), left[0].lon, left[0].lat) < 0.1
    page.context.route("https://uri.amap.com/**", lambda route: route.fulfill(body="导航"))
    with page.expect_popup() as opened:
        link.click()
    opened.value.wait_for_load_state()
    assert opened.value.url.startswith("https://uri.amap.com/navigation?")


@pytest.mark.parametrize(("width", "height", "script"), LOOKS, ids=IDS)
def test_an_elder_turns_on_the_large_view_and_calls_the_nearest_canteen_in_one_tap(
    open_page: Opener, live_city: str, elders: Spot, width: int, height: int, script: bool
) -> None:
    from geo.crs import Coordinate, System
    from geo.scope import Scope
    from services.facilities.circle import nearest_by_road

    page = device(open_page, width, height, script)
    page.goto(live_city)
    sizes = "n => [parseFloat(getComputedStyle(n).fontSize), n.getBoundingClientRect().height]"
    body, target = page.evaluate(f"({sizes})(document.querySelector('.view-switch button'))")
    page.get_by_role("button", name="长辈版").click()
    page.locator("[data-view=elder]").wait_for(state="attached")
    large, tall = page.evaluate(f"({sizes})(document.querySelector('.view-switch button'))")
    assert large > body
    assert tall >= 60 > target
    fits(page, width)
    page.get_by_label("写路名、小区名，或者门牌").fill(elders.name)
    page.get_by_role("button", name="查一查").click()
    page.locator(".elder-card, .elder-options").first.wait_for()
    if (candidate := page.locator(".elder-options a", has_text=elders.name).first).count():
        fits(page, width)
        candidate.click()
    # A list in place of the map; the nearest canteen is the first, and one tap calls it.
    page.locator(".elder-card").first.wait_for()
    fits(page, width)
    assert page.locator("#map").count() == 0
    origin = Coordinate(elders.lon, elders.lat, System.CGCS2000)
    nearest = nearest_by_road(scope=Scope.public(), origin=origin, mode="elder", kinds=("canteen",), k=1).places[0]
    first = page.locator(".elder-card").first
    assert first.get_attribute("data-id") == str(nearest.place.id)
    call = first.get_by_role("link", name="打电话")
    assert call.is_visible()
    assert call.get_attribute("href") == "tel:" + re.sub(r"[^\d+]", "", nearest.place.phone)
    box = call.bounding_box()
    assert box["height"] >= 60
    # Another service is what it says: also the one that the standard view takes for granted.
    page.get_by_role("link", name="换服务").click()
    fits(page, width)
    page.get_by_role("link", name="托育").click()
    page.locator("h1", has_text="托育").wait_for()
    shown = [int(card.get_attribute("data-id")) for card in page.locator(".elder-card").all()]
    kinds = Facility.objects.filter(pk__in=shown).values_list("kind__group", flat=True)
    assert set(kinds) == {"childcare"}
    page.get_by_role("button", name="标准版").click()
    page.locator("[data-view=standard]").wait_for(state="attached")
    assert "托育" in page.locator("h1, .headline, #panel").first.inner_text()


@pytest.mark.parametrize(("width", "height", "script"), LOOKS, ids=IDS)
def test_a_parent_enters_the_registered_address_and_learns_which_kindergarten_and_why(
    open_page: Opener, live_city: str, width: int, height: int, script: bool
) -> None:
    call_command("demo_accounts", quiet=True)
    page = device(open_page, width, height, script)
    page.goto(live_city)
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="入园").locator("visible=true").click()
    page.wait_for_url("**/enrol")
    fits(page, width)

    def enter(address: str, outcome: str) -> Any:
        box = page.get_by_label("地址", exact=True)
        box.fill(address)
        page.get_by_role("button", name="查对口幼儿园").click()
        page.locator(f'[data-outcome="{outcome}"]').wait_for()
        assert page.url == f"{live_city}/enrol", "the address is in no link"
        fits(page, width)
        return page.locator(".enrol-main")

    # Exactly one kindergarten, with the rule that decided it, as the district wrote it.
    one = enrolling.one()
    found = enter(f"{one.address}601室", "one")
    assert "户籍地址" in page.locator(".enrol-asked").inner_text()
    assert found.locator(".enrol-name").all_inner_texts() == list(one.names)
    assert re.search(r"走 \d+ 分钟（.+，推婴儿车）", found.inner_text())
    why = page.locator(".enrol-why").inner_text()
    number, written = re.search(r"规则 (\d+)：(.+?) → ", why).groups()
    rules = [rule for rule in enrolling.edition().rules if rule.written == written]
    assert rules
    assert re.match(r"\D+?路", written)[0] in one.address
    assert f"→ {one.names[0]}" in why
    assert "2027 年学前教育招生对口范围》第 1 版" in page.locator("main").inner_text()
    if script:
        page.locator("#enrol-map[data-ready]").wait_for(state="attached", timeout=60_000)
        page.wait_for_function("() => document.getElementById('enrol-map').quantu.getLayer('way')")
        assert page.locator(".enrol-spot").count() == 2, "the home and the kindergarten"
    page.get_by_role("link", name="看规则全文").click()
    page.wait_for_url("**/enrol/rules/*")
    told = page.locator("tbody tr", has_text=written).filter(has=page.locator("td", has_text=re.compile(f"^{number}$")))
    assert told.count() == 1, "the rule stands in the whole text under the same number"
    fits(page, width)
    page.get_by_role("link", name="查对口幼儿园").click()
    page.wait_for_url("**/enrol?*")

    # Another address: two candidates, and how to choose.
    several = enrolling.several()
    found = enter(several.address, "several")
    assert "有 2 所可以选" in found.inner_text()
    assert sorted(found.locator(".enrol-schools b").all_inner_texts()) == sorted(several.names)
    assert "021-55510000" in found.inner_text()

    # Another: none, and which office to ask.
    found = enter(enrolling.none().address, "none")
    assert "没有对口园" in found.inner_text()
    assert "请问黄浦区学前教育招生办公室" in found.inner_text()
    assert page.get_by_role("link", name="问招办").get_attribute("href") == "tel:02155510000"

    # Not enough said, or not known: what to write, and what it may be.
    unclear = enrolling.unclear()
    found = enter(unclear.address, "unclear")
    assert all(name in found.inner_text() for name in unclear.names)
    found = enter(enrolling.UNKNOWN.address, "unknown")
    assert "请核对有没有错字" in found.inner_text()

    # From the one kindergarten the next step leads to the form of that district and entry.
    enter(one.address, "one")
    page.get_by_role("link", name="下一步：填登记表").click()
    page.get_by_role("textbox", name="账号").fill("jumin")
    page.get_by_label("密码").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/forms/enrolment?*")
    assert page.get_by_role("radio", name="本市户籍").is_checked()
    assert page.get_by_label("向哪个区报名").evaluate("box => box.selectedOptions[0].text") == "黄浦区"
    fits(page, width)
    page.get_by_role("button", name="开始填写").click()
    page.wait_for_url("**/forms/fill/*")
    assert "黄浦区" in page.locator("main").inner_text()


@pytest.fixture
def nursery(live_city: str) -> Facility:
    """Return the place that the demo institution is given, with three vacancies that nobody confirmed for forty days."""
    call_command("demo_accounts", quiet=True)
    place = Facility.objects.get(organisation__grants__user__username="jigou", retired_at=None)
    Facility.objects.filter(pk=place.pk).update(
        vacancies=3, places=40, vacancies_as_of=timezone.now() - dt.timedelta(days=40), vacancies_source="institution"
    )
    keep_phone(user=User.objects.get(username="jigou"), phone=HEAD_PHONE)
    return place


@pytest.mark.parametrize(("width", "height", "script"), LOOKS, ids=IDS)
def test_a_head_confirms_in_two_taps_from_the_weekly_message_and_a_mother_sees_it(
    open_page: Opener, live_city: str, gateway: Simulator, worker: None, nursery: Facility, settings: Any,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch, width: int, height: int, script: bool,
) -> None:  # fmt: skip
    from services.kernel.messages.models import Delivery, Message
    from services.modules.selfreport.models import Reminder

    settings.SITE_URL = live_city
    monkeypatch.setattr(urging, "FROM_HOUR", 0)  # a Monday morning is no time to fail
    for model in (Message, Delivery, Reminder):
        model.objects.all().delete()
    mother = device(open_page, width, height, script)
    here = f"lon={nursery.geom.x:.6f}&lat={nursery.geom.y:.6f}&at=家&mode=pram"
    mother.goto(f"{live_city}/?{here}")
    row = mother.locator(f'#rows .row[data-id="{nursery.pk}"]')
    assert "余位待确认" in row.inner_text()

    # The weekly task writes to the institution: a short message with the address, and a message on the site.
    told = len(gateway.journal.texts(HEAD_PHONE))
    tell_every_institution.delay()
    until(lambda: len(gateway.journal.texts(HEAD_PHONE)) > told)
    text = gateway.journal.texts(HEAD_PHONE)[-1]
    assert nursery.name in text
    link = re.search(rf"{re.escape(live_city)}(\S+)", text)
    assert link
    phone = device(open_page, width, height, script, has_touch=width == 390)
    phone.goto(link[0])
    fits(phone, width)
    phone.get_by_role("textbox", name="账号").fill("jigou")
    phone.get_by_label("密码").fill(DEMO_PASSWORD)
    phone.get_by_role("button", name="登录").click()
    phone.wait_for_url(f"**{link[1]}")
    phone.goto(f"{live_city}/desk/messages")
    assert nursery.name in phone.locator(".message").first.inner_text()
    fits(phone, width)
    phone.locator(".message").first.get_by_role("button", name="查看详情").click()
    phone.wait_for_url("**/my/places")
    card = phone.locator(f"#place-{nursery.pk}")
    assert "待确认" in card.inner_text()
    fits(phone, width)

    # Two taps: 仍然如此, 确认.
    press = "tap" if width == 390 else "click"
    getattr(card.locator("summary", has_text="仍然如此"), press)()
    assert "余位 3 个" in card.locator("details[open]").inner_text()
    fits(phone, width)
    getattr(card.get_by_role("button", name="确认", exact=True), press)()
    phone.get_by_text(f"“{nursery.name}”已确认，家长马上看到。").wait_for()
    fits(phone, width)

    # A mother searching after that sees it, with its day.
    mother.goto(f"{live_city}/?{here}")
    today = timezone.localtime()
    assert "余位 3" in row.inner_text()
    assert "余位待确认" not in row.inner_text()
    assert f"{today.month}月{today.day}日" in row.inner_text() or "今天" in row.inner_text()
    fits(mother, width)
