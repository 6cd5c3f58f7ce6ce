"""养老一张图: the map of the finder with what elders look for, its menu, the caller's own services and messages."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.e2e.conftest import Spot, answer_of, faults_of, wait_for_map

PAGES = (
    "/elder", "/elder/mine", "/elder/assistant", "/elder/assistant?q=附近的食堂", "/elder/comments", "/elder/suggestions",
    "/elder/messages", "/elder/supply", "/help/elder", "/help/channels",
)  # fmt: skip


def test_the_map_of_elders_is_the_same_engine_with_their_kinds_and_pace(
    open_page: Any, live_city: str, elders: Spot
) -> None:
    from services.facilities.kinds import kinds_named
    from services.facilities.models import Facility

    page = open_page(1440, 900)
    page.goto(f"{live_city}/elder?{elders.query()}")
    wait_for_map(page)
    found = answer_of(page)
    assert (found["kinds"], found["minutes"], found["traveller"]) == ("eldercare", 15, "老人步行")
    kinds = set(Facility.objects.filter(pk__in=[one["id"] for one in found["places"]]).values_list("kind", flat=True))
    assert kinds <= set(kinds_named("eldercare"))
    assert page.get_by_role("navigation", name="养老一张图", exact=True).get_by_role("link").count() >= 4
    # Another kind, a card and the page of a place keep the theme.
    page.get_by_role("radio", name="长者食堂").click(force=True)
    page.wait_for_url("**/elder?**kinds=canteen**")
    page.locator("#rows [data-place]").first.click()
    page.wait_for_url("**/elder?**place=**")
    page.locator("#card .card-name a").click()
    page.wait_for_url("**/places/*theme=elder**")
    page.locator(".back a").click()
    page.wait_for_url("**/elder?**")
    assert answer_of(page)["kinds"] == "canteen"


def test_kept_places_stand_in_a_list_and_as_pins(open_page: Any, live_city: str, elders: Spot) -> None:
    page = open_page(390, 844)
    page.goto(f"{live_city}/elder?{elders.query()}")
    wait_for_map(page)
    first = answer_of(page)["places"][0]
    page.goto(f"{live_city}/places/{first['id']}?theme=elder")
    page.locator("[data-save]").first.click()
    page.locator('[data-save][aria-pressed="true"]').first.wait_for()
    page.goto(f"{live_city}/elder/mine")
    wait_for_map(page)
    assert page.locator(f'.care-mine [data-place="{first["id"]}"]').inner_text() == first["name"]
    assert [one["name"] for one in answer_of(page)["places"]] == [first["name"]]
    page.locator(f'.pin[data-id="{first["id"]}"]').click()
    page.locator(f'#card [data-id="{first["id"]}"]').wait_for()


@pytest.mark.parametrize("look", ["light", "dark", "elder"])
def test_everybody_can_use_every_page_of_it(open_page: Any, live_city: str, elders: Spot, look: str) -> None:
    page = open_page(390, 844, color_scheme="dark" if look == "dark" else "light")
    resident(page, live_city)
    page.goto(f"{live_city}/elder?{elders.query()}")
    place = f"/places/{answer_of(page)['places'][0]['id']}"
    if look == "elder":
        page.context.add_cookies([{"name": "elder", "value": "1", "url": live_city}])
    faults = {}
    for path in (
        *PAGES,
        f"/elder?{elders.query()}",
        *(f"{place}{more}" for more in ("", "/comments", "/comment", "/apply")),
    ):
        page.goto(f"{live_city}{path}")
        if found := faults_of(page):
            faults[path] = found
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    assert faults == {}


def resident(page: Any, live_city: str) -> Any:
    """Sign the resident of the demo accounts in, and return the account."""
    from services.access.demo import DEMO_PASSWORD, make_demo_accounts
    from services.access.models import User

    make_demo_accounts()
    page.goto(f"{live_city}/sign-in")
    page.get_by_role("textbox", name="账号").fill("jumin")
    page.get_by_label("密码").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/account")
    return User.objects.get(username="jumin")


@pytest.mark.covers("ELD-RES-01e", via="web.doors.eldermap.mine:rows_of")
def test_my_services_are_one_list_and_pins_of_the_map(open_page: Any, live_city: str, elders: Spot) -> None:
    """On a phone: kept places, applications, comments and suggestions together; a pin opens its place."""
    from geo.regions.models import RegionVersion
    from geo.scope import Scope
    from services.access.queries import Caller, scope_of
    from services.crypto.identifiers import new_id
    from services.facilities.models import Facility
    from services.kernel.workflow.actions import open_case
    from services.modules.opinions.actions import write_comment
    from services.modules.opinions.suggesting import suggest

    page = open_page(390, 844)
    user = resident(page, live_city)
    page.goto(f"{live_city}/elder?{elders.query()}")
    wait_for_map(page)
    first, second, third = answer_of(page)["places"][:3]
    page.goto(f"{live_city}/places/{first['id']}?theme=elder")
    page.locator("[data-save]").first.click()
    page.locator('[data-save][aria-pressed="true"]').first.wait_for()
    scope = scope_of(Caller(user))
    write_comment(user=user, place_id=second["id"], overall=4, aspects={}, text="和气", seen=0, scope=Scope.public())
    said = {"about": "service", "text": "周末也开", "region": ""}
    suggest(mark=new_id(), user=user, place_id=third["id"], scope=Scope.public(), **said)
    street = RegionVersion.objects.get(region=Facility.objects.get(pk=first["id"]).region, edition__state="published")
    case = open_case(
        matter="service_point", region=street.code, title="张老伯的申请", user=user, scope=scope, key=str(new_id()),
        facts={"area": 50},
    )  # fmt: skip
    page.goto(f"{live_city}/elder/mine")
    wait_for_map(page)
    assert [one["name"] for one in answer_of(page)["places"]] == [one["name"] for one in (first, second, third)]
    assert page.locator(".pin").count() == 3
    shown = page.locator(".care-mine").inner_text()
    for words in (first["name"], second["name"], third["name"], case.title, "和气", "周末也开", "待审核", "待答复"):
        assert words in shown
    page.locator(f'.pin[data-id="{second["id"]}"]').click()
    page.locator(f'#card [data-id="{second["id"]}"]').wait_for()
    assert faults_of(page) == []


@pytest.mark.covers("ELD-RES-01h", via="services.kernel.messages.queries:messages_of")
def test_messages_are_counted_on_the_map_and_read_from_it(open_page: Any, live_city: str) -> None:
    """An answer to the caller is counted on the menu of the map, read there, and leads to what it is about."""
    from services.access.queries import Caller, scope_of
    from services.crypto.identifiers import new_id
    from services.kernel.messages.models import Message
    from services.modules.opinions.suggesting import answer_suggestion, suggest

    page = open_page(390, 844)
    user = resident(page, live_city)
    Message.objects.filter(recipient=user).delete()
    scope = scope_of(Caller(user))
    texts = ("夏天多开一小时", "门口加扶手")
    for text in texts:
        row = suggest(mark=new_id(), user=user, about="place", text=text, region="310101", scope=scope)
        clerk = scope_of(Caller(type(user).objects.get(username="qu")))
        answer_suggestion(pk=row.pk, seen="new", state="answered", answer=f"收到：{text}", scope=clerk)
    page.goto(f"{live_city}/elder")
    bar = page.get_by_role("navigation", name="养老一张图，手机")
    assert bar.get_by_role("link", name="我的消息").locator(".care-count").inner_text().startswith("2")
    bar.get_by_role("link", name="我的消息").click()
    page.wait_for_url("**/elder/messages")
    assert page.locator(".message.unread").count() == 2
    for text in texts:
        assert f"收到：{text}" in page.locator(".message-list").inner_text()
    page.get_by_role("button", name="查看详情").first.click()
    page.wait_for_url("**/elder/suggestions")
    page.goto(f"{live_city}/elder/messages")
    assert page.locator(".message.unread").count() == 1
    page.get_by_role("button", name="全部标为已读").click()
    page.get_by_text("1 条消息已标为已读").wait_for()
    assert page.locator(".care-count").count() == 0


@pytest.mark.covers("ELD-RES-01i", via="services.facilities.spoken:understand")
def test_the_assistant_says_what_waits_and_answers_in_the_words_of_the_caller(
    open_page: Any, live_city: str, elders: Spot
) -> None:
    """On a phone: what changed at kept places, and a question read aloud in plain words, answered by the map's own engine."""
    from django.utils import timezone

    from services.facilities.models import CapacityReport, Facility

    page = open_page(390, 844)
    page.goto(f"{live_city}/elder?{elders.query()}")
    wait_for_map(page)
    places = answer_of(page)["places"]
    first = places[0]
    now = timezone.now()
    for days, free in ((5, 0), (1, 3)):
        moment = now - dt.timedelta(days=days)
        CapacityReport.objects.create(
            facility_id=first["id"], places=9, vacancies=free, as_of=moment, reported_by="institution", actor="test"
        )
    page.goto(f"{live_city}/places/{first['id']}?theme=elder")
    page.locator("[data-save]").first.click()
    page.locator('[data-save][aria-pressed="true"]').first.wait_for()
    page.goto(f"{live_city}/elder/assistant?{elders.query()}")
    assert f"{first['name']}有余位了" in page.locator("section[aria-labelledby=todos]").inner_text()
    kind = Facility.objects.get(pk=first["id"]).kind.name
    page.get_by_label("您要找什么？").fill(f"我家附近15分钟内能走到的{kind}")
    page.get_by_role("button", name="问一问").click()
    page.wait_for_url("**/elder/assistant?**q=**")
    heard = page.locator("section[aria-labelledby=heard]")
    for words in ("15 分钟以内", f"找{kind}", "老人走路去", "从您的位置出发", first["name"]):
        assert words in heard.inner_text()
    page.get_by_role("link", name="在地图上看结果").click()
    page.wait_for_url("**/elder?**")
    wait_for_map(page)
    assert answer_of(page)["places"][0]["id"] == first["id"]
    # A place in the words is asked back or taken; what is not understood is said.
    page.goto(f"{live_city}/elder/assistant?q={elders.name}附近有没有{kind}")
    assert elders.name in page.locator("section[aria-labelledby=heard]").inner_text()
    page.goto(f"{live_city}/elder/assistant?q=今天天气怎么样")
    assert "没听懂您要找什么" in page.locator("section[aria-labelledby=heard]").inner_text()
    assert faults_of(page) == []
