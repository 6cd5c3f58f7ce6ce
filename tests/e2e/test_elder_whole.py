"""One journey on 养老一张图: find a place, be led there, read of it, apply, rate; what 互联网+监管 says and is told of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from services.integrations.supervision.schemas import Facts, Finding
from services.integrations.supervision.simulator import Simulator
from tests.e2e.conftest import Spot, answer_of, faults_of, spot_where, wait_for_map
from tests.e2e.test_desk import sign_in

CODE, OUTSIDE = "52310101MJ4910001A", "https://zwdt.example.gov.cn/elder"


@pytest.fixture
def platform(settings: Any, live_city: str) -> Iterator[Simulator]:
    cache.clear()
    facts = Facts(
        credit_code=CODE, as_of=dt.date(2026, 11, 1), inspected_on=dt.date(2026, 10, 8), finding=Finding.GOOD,
        grade="三级", credit="A",
    )  # fmt: skip
    with Simulator(app="quantu", secret="s3cret", facts=[facts]) as one:
        settings.SUPERVISION_URL, settings.SUPERVISION_APP, settings.SUPERVISION_SECRET = one.url, "quantu", "s3cret"
        settings.INSIDE_HOSTS = ["127.0.0.1"]
        yield one


@pytest.fixture
def start(live_city: str) -> Spot:
    """Return a home with a place in reach whose services are applied for with us."""
    from services.facilities.kinds import kinds_named
    from services.modules.careservice.words import KINDS_SERVED

    def holds(found: Any) -> bool:
        return any(one.place.kind in KINDS_SERVED for one in found.places)

    return spot_where(holds, minutes=15, mode="elder", kinds=kinds_named("eldercare"))[0]


def prepared(found: list[dict[str, Any]]) -> Any:
    """Let the first place of an answer that is applied at belong to a known institution with two public comments."""
    from services.access.models import Organisation, User
    from services.facilities.models import Facility
    from services.modules.careservice.words import KINDS_SERVED
    from services.modules.opinions.models import Comment, CommentState

    ids = [one["id"] for one in found]
    place = next(row for one in ids for row in Facility.objects.filter(pk=one, kind__in=KINDS_SERVED))
    runs, _ = Organisation.objects.get_or_create(credit_code=CODE, defaults={"name": "银杏树", "region": place.region})
    Facility.objects.filter(pk=place.pk).update(organisation=runs)
    for number in range(2):
        writer, _ = User.objects.get_or_create(username=f"wrote{number}")
        Comment.objects.get_or_create(
            user=writer, facility=place,
            defaults={
                "region": place.region, "author": "王**", "overall": 4, "state": CommentState.PUBLISHED,
                "written_at": dt.datetime(2026, 10, 1, tzinfo=dt.UTC),
            },
        )  # fmt: skip
    return Facility.objects.get(pk=place.pk)


def fill_in(page: Any) -> None:
    """Fill in the application and hand it in."""
    page.get_by_role("checkbox", name="住进去（长住）").check()
    for name, text in (("elder_name", "张老伯"), ("elder_identity", "310101199001010012"),
                       ("applicant_name", "张小明"), ("applicant_phone", "13800000000")):  # fmt: skip
        page.locator(f"#f-{name}").fill(text)
    for name, label in (("elder_level", "还没有评估"), ("applicant_kin", "子女")):
        choose(page, name, label)
    assert faults_of(page) == []
    page.get_by_role("button", name="预览并提交").click()
    page.wait_for_url("**/preview")
    page.get_by_role("button", name="确认提交").click()
    page.wait_for_url("**/my/cases/*-*")


def choose(page: Any, name: str, label: str) -> None:
    """Choose a term, however the form offers it."""
    field = page.locator(f"select#f-{name}")
    if field.count():
        field.select_option(label=label)
    else:
        page.locator(f'input[name="{name}"]').locator("xpath=ancestor::label").filter(has_text=label).first.click()


@pytest.mark.covers("ELD-RES-04", via="services.facilities.supervision.queries:supervision_of")
def test_on_one_map_an_elder_finds_a_service_is_led_there_applies_and_rates_it(
    open_page: Any, live_city: str, start: Spot, platform: Simulator
) -> None:
    """On a phone: 定位, 导航, 介绍, 监管公示 of 互联网+监管, 申请 with us and at 养老服务一件事, 评价 that the supervision is told."""
    from services.facilities.supervision.tasks import pull
    from services.kernel.workflow.models import Case
    from services.modules.careservice.actions import set_outside_entry
    from services.modules.opinions.tasks import tell_ratings
    from tests.services.modules.finder.conftest import scope

    here = {"longitude": start.lon, "latitude": start.lat}
    page = open_page(390, 844, has_touch=True, geolocation=here, permissions=["geolocation"])
    sign_in(page, live_city, "jumin", "/my/cases")
    set_outside_entry(kind="", url=OUTSIDE, seen=0, scope=scope("shi"))
    # 定位: the map is asked from where the phone is.
    page.goto(f"{live_city}/elder")
    wait_for_map(page)
    page.locator("#locate").click()
    page.wait_for_url("**/elder?**at=%E6%88%91%E7%9A%84%E4%BD%8D%E7%BD%AE**")
    wait_for_map(page)
    found = answer_of(page)
    assert abs(found["origin"]["lon"] - start.lon) < 0.001
    place = prepared(found["places"])
    assert pull() == "taken"
    # 寻找: in the list, on the map, and its card; 导航 leads to it in an app for maps.
    page.goto(f"{live_city}/elder?{start.query(place=place.pk)}")
    card = page.locator(f'#card [data-id="{place.pk}"]')
    card.wait_for()
    lead = card.locator("[data-navigate]")
    assert lead.get_attribute("href").startswith("https://uri.amap.com/navigation?")
    assert place.name in page.locator("#card").inner_text()
    assert card.get_by_role("link", name="申请服务").count() == 1
    # 介绍 and 监管公示.
    card.locator(".card-name a").click()
    page.wait_for_url(f"**/places/{place.pk}?**")
    shown = page.locator("main").inner_text()
    words = (place.name, place.address_text, "监管公示", "2026年10月8日，检查合格", "三级", "截至 2026年11月1日",
             "“互联网+监管”平台", "大家的点评")  # fmt: skip
    assert [each for each in words if each not in shown] == []
    assert faults_of(page) == []
    # 申请: at 养老服务一件事, and with us; it comes back to 我的服务 with its state.
    page.get_by_role("link", name="申请服务").click()
    page.wait_for_url("**/apply**")
    assert page.get_by_role("link", name="养老服务一件事").get_attribute("href") == OUTSIDE
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert faults_of(page) == []
    page.get_by_role("link", name="养老服务申请").click()
    page.wait_for_url("**/my/cases/new/care_service**")
    page.get_by_role("button", name="填写申请表").click()
    page.wait_for_url("**/forms/fill/*")
    fill_in(page)
    case = Case.objects.get(matter="care_service")
    assert case.facility_id == place.pk
    page.goto(f"{live_city}/elder/mine")
    wait_for_map(page)
    mine = page.locator(".care-mine").inner_text()
    assert [each for each in ("养老服务申请", place.name, "办理中") if each not in mine] == []
    assert place.name in [one["name"] for one in answer_of(page)["places"]]
    # 评价: written here, reviewed at the desk, and told to the supervision as a figure.
    page.goto(f"{live_city}/places/{place.pk}/comment")
    page.locator('input[name="overall"][value="1"]').check(force=True)
    page.locator('textarea[name="text"]').fill("等了太久")
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/elder/comments")
    tell_ratings()
    assert platform.ratings[CODE].comments == 2  # not before it was reviewed
    published(open_page(1440, 900), live_city)
    tell_ratings()
    told = platform.ratings[CODE]
    assert (told.comments, told.mean) == (3, 3.0)
    assert "等了太久" not in told.model_dump_json()
    page.goto(f"{live_city}/places/{place.pk}")
    assert "等了太久" in page.locator(".care-opinions").inner_text()


@pytest.mark.covers("ELD-FLOW-03a", via="web.doors.finder.find:answer")
def test_a_daughter_sees_the_homes_around_on_the_map_and_applies_to_move_in(open_page: Any, live_city: str) -> None:
    """On a phone: all 养老机构 within half an hour as a list and as pins, the card of one, and 入住 applied for at it."""
    from services.facilities.models import Facility
    from services.kernel.workflow.models import Case

    spot, circle = spot_where(lambda found: len(found.places) >= 1, minutes=30, mode="elder", kinds=("care_home",))
    around = {one.place.id for one in circle.places}
    assert set(Facility.objects.filter(pk__in=around).values_list("kind_id", flat=True)) == {"care_home"}
    page = open_page(390, 844, has_touch=True)
    sign_in(page, live_city, "jumin", "/my/cases")
    # 查看周边养老机构: the map holds the homes around and nothing else, as its list does
    page.goto(f"{live_city}/elder?{spot.query(kinds='care_home', minutes=30)}")
    wait_for_map(page)
    assert {one["id"] for one in answer_of(page)["places"]} == around
    assert {int(pin.get_attribute("data-id")) for pin in page.locator(".pin").all()} == around
    home = Facility.objects.get(pk=circle.places[0].place.id)
    page.locator(f'.pin[data-id="{home.pk}"]').click()
    card = page.locator(f'#card [data-id="{home.pk}"]')
    card.wait_for()
    assert home.name in card.inner_text()
    # 申请入住: begun at the card, filled in for the mother, handed in; the desk has it, and the map says how it stands
    card.get_by_role("link", name="申请服务").click()
    page.wait_for_url(f"**/places/{home.pk}/apply**")
    page.get_by_role("link", name="养老服务申请").click()
    page.wait_for_url("**/my/cases/new/care_service**")
    page.get_by_role("button", name="填写申请表").click()
    page.wait_for_url("**/forms/fill/*")
    assert page.locator("#f-care_place").input_value() == str(home.pk)
    fill_in(page)
    case = Case.objects.filter(matter="care_service").latest("pk")
    assert (case.facility_id, case.applicant.username, case.state) == (home.pk, "jumin", "open")
    page.goto(f"{live_city}/elder/mine")
    wait_for_map(page)
    mine = page.locator(".care-mine").inner_text()
    assert [each for each in ("养老服务申请", home.name, "办理中") if each not in mine] == []
    desk = open_page(1440, 900)
    sign_in(desk, live_city, "shi", f"/desk/cases/{case.uid}")
    shown = desk.locator("main").inner_text()
    assert [each for each in (case.number, home.name, "住进去（长住）") if each not in shown] == []


def published(desk: Any, live_city: str) -> None:
    """Let staff publish the comment that waits."""
    from services.modules.opinions.models import Comment, CommentState

    sign_in(desk, live_city, "shi", "/desk/ledgers/place-comments")
    row = Comment.objects.get(state=CommentState.NEW)
    desk.goto(f"{live_city}/desk/comments/{row.pk}")
    desk.get_by_role("radio", name="公开", exact=True).check(force=True)
    desk.get_by_role("button", name="保存").first.click()
    desk.wait_for_load_state()
    row.refresh_from_db()
    assert row.state == CommentState.PUBLISHED


def test_without_script_the_same_can_be_done(open_page: Any, live_city: str, start: Spot, platform: Simulator) -> None:
    """The pages are whole without script: list, way, facts, where to apply, the form, the comment."""
    from services.facilities.supervision.tasks import pull

    reader = open_page(390, 844)
    reader.goto(f"{live_city}/elder?{start.query()}")
    place = prepared(answer_of(reader)["places"])
    page = open_page(390, 844, java_script_enabled=False)
    sign_in(page, live_city, "jumin", "/my/cases")
    page.goto(f"{live_city}/elder?{start.query()}")
    page.locator(f'#rows [data-place="{place.pk}"], #rows [data-id="{place.pk}"] a').first.click()
    pull()
    platform.fails = "broken"
    pull()
    page.goto(f"{live_city}/places/{place.pk}?theme=elder")
    shown = page.locator("main").inner_text()
    assert [each for each in ("监管公示", "检查合格", "截至 2026年11月1日") if each not in shown] == []
    assert page.locator("[data-navigate]").first.get_attribute("href").startswith("https://uri.amap.com/navigation?")
    page.get_by_role("link", name="申请服务").click()
    page.wait_for_url("**/apply**")
    page.get_by_role("link", name="养老服务申请").click()
    page.get_by_role("button", name="填写申请表").click()
    page.wait_for_url("**/forms/fill/*")
    assert page.locator("#f-care_place").input_value() == str(place.pk)
    page.goto(f"{live_city}/places/{place.pk}/comment")
    assert page.get_by_role("button", name="提交").count() == 1
