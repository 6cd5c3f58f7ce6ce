"""The desk of places through its pages: added, corrected, checked, taken down, merged, taken back; who may, and who was quicker."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.gis.geos import Point
from django.db import connection
from django.test import Client

from geo.addresses.geocode import geocode
from geo.addresses.models import Address
from geo.addresses.placing import single_place
from geo.crs.codes import CGCS2000
from geo.imports.models import Correction
from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.access.demo import make_demo_accounts
from services.access.models import Organisation, User
from services.facilities.actions import report_capacity
from services.facilities.models import Facility, StatusChange
from services.facilities.upkeep.models import FacilityChange, FacilityDraft, MergedFacility
from services.modules.finder.favourites import keep_favourite
from services.modules.finder.models import Favourite, PlaceReport
from services.modules.finder.reports import report_place

pytestmark = pytest.mark.usefixtures("city")
HUANGPU = "310000.310101."
ALL = Scope.public()


def signed_in(name: str) -> Client:
    make_demo_accounts()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def said(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def below(path: str) -> Any:
    return RegionVersion.objects.filter(edition__state="published", path__startswith=path).values("region_id")


def place_in(path: str = HUANGPU, kind: str = "nursery", skip: int = 0) -> Facility:
    rows = Facility.objects.filter(retired_at=None, status="open", kind=kind, region__in=below(path)).order_by("pk")
    return rows[skip]


def door(path: str = HUANGPU) -> tuple[str, Any]:
    """Return a written address of a region that has one sharp place there, and that place."""
    rows = Address.objects.filter(retired_at=None, region__in=below(path)).exclude(number="").order_by("pk")
    for address in rows[:200]:
        district = RegionVersion.objects.get(edition__state="published", path=path).name
        text = f"{district}{address.normal}"
        found = single_place(geocode(text, scope=ALL))
        if found is not None and found.level == "door" and found.region and found.region.path.startswith(path):
            return text, found
    raise AssertionError("the tiny city has no such door: the test would prove nothing")


def form_of(client: Client, address: str) -> dict[str, str]:
    """Return what the form at an address holds, as a browser would send it."""
    page = said(client.get(address))
    inside = page[page.index('id="place-form"') :]
    found = {}
    for tag in re.findall(r"<input[^>]*>", inside):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and 'type="checkbox"' not in tag:
            found[name[1]] = value[1] if value else ""
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', inside, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    base = re.search(r'name="base" value="(.*?)">', client.get(address).content.decode())
    found["base"] = html.unescape(base[1]) if base else "{}"
    found.pop("csrfmiddlewaretoken", None)
    return found


def edit(place: Facility) -> str:
    return f"/desk/places/{place.pk}/edit"


NEW: dict[str, str] = {
    "kind_id": "nursery",
    "name": "小橘灯托育园",
    "phone": "021-63212345",
    "attributes.ownership": "private",
    "attributes.service_form": "full_day",
    "attributes.meals": "1",
    "attributes.age_from_months": "18",
    "attributes.age_to_months": "36",
    "attributes.fee_month_yuan": "3200",
    "hours.mon": "7:30-11:30 13:00-17:30",
    "hours.tue": "7:30-17:30",
    "status": "open",
}


def new_form(client: Client, **more: str) -> dict[str, str]:
    text, found = door()
    return {
        **form_of(client, "/desk/places/new?kind_id=nursery"),
        **NEW,
        "address_text": text,
        "lon": f"{found.lon:.7f}",
        "lat": f"{found.lat:.7f}",
        **more,
    }


@pytest.mark.parametrize("who", ["qu", "shi"])
def test_a_place_is_previewed_and_nothing_is_there_before_it_is_submitted(who: str) -> None:
    client = signed_in(who)
    form = new_form(client)
    seen = said(client.post("/desk/places/new", {**form, "step": "preview"}))
    assert "现在还没有新增" in seen
    for words in (
        "小橘灯托育园",
        "021-63212345",
        "全日托",
        "18–36 个月",
        "民办",
        "3200 元",
        "07:30–11:30",
        form["address_text"],
    ):
        assert words in seen, words
    assert not Facility.objects.filter(name="小橘灯托育园").exists()
    assert not FacilityChange.objects.exists()
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', seen.split('class="buttons"')[0]))
    answer = client.post("/desk/places/new", {**form, "key": hidden["key"], "step": "save"}, follow=True)
    assert "已新增" in said(answer)
    made = Facility.objects.get(name="小橘灯托育园")
    assert made.attributes["age_from_months"] == 18
    assert made.hours["mon"] == [["07:30", "11:30"], ["13:00", "17:30"]]
    assert made.hours["sun"] == []
    shown = said(Client(headers={"host": "localhost"}).get(f"/places/{made.pk}"))
    assert "小橘灯托育园" in shown
    assert not FacilityDraft.objects.exists()
    # Sent again, as a double click does, it is the same one.
    client.post("/desk/places/new", {**form, "key": hidden["key"], "step": "save"})
    assert Facility.objects.filter(name="小橘灯托育园").count() == 1


def test_a_place_without_a_point_stands_at_its_address() -> None:
    client = signed_in("qu")
    form = new_form(client, lon="", lat="")
    client.post("/desk/places/new", {**form, "step": "save"})
    made = Facility.objects.get(name="小橘灯托育园")
    _, found = door()
    assert (round(made.geom.x, 6), round(made.geom.y, 6)) == (round(found.lon, 6), round(found.lat, 6))
    assert made.point_source == "address"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"phone": "1381234"}, "电话写成"),
        ({"phone": "问门卫"}, "电话写成"),
        ({"attributes.age_from_months": "40"}, "起点40 大于 36"),
        ({"attributes.age_to_months": "三岁"}, "请填不小于 0 的整数"),
        ({"attributes.age_to_months": "900"}, "3 岁是 36 个月"),
        ({"attributes.fee_month_yuan": "-5"}, "请填不小于 0 的数字"),
        ({"attributes.fee_month_yuan": "99999999"}, "按元填"),
        ({"attributes.service_form": "night"}, "请从列出的里选一个"),
        ({"hours.mon": "早八点到晚五点"}, "周一写成 8:00-17:00"),
        ({"hours.mon": "13:00-17:00 8:00-12:00"}, "重叠或先后颠倒"),
        ({"hours.holiday": "25:00-26:00"}, "节假日"),
        ({"name": ""}, "请填写名称"),
        ({"address_text": "", "lon": "", "lat": ""}, "请填写地址"),
        ({"lon": "121.47"}, None),
        ({"lon": "一百二十一"}, "要一起填数字"),
        ({"lon": "nan"}, "要填数字"),
        ({"lon": "31.23", "lat": "121.47"}, "写反了"),
        ({"lon": "116.39", "lat": "39.9"}, "不在上海"),
        ({"lon": "-1500.5", "lat": "2300.1"}, "米数"),
        ({"lon": "1e999", "lat": "31"}, "要填数字"),
    ],
)
def test_what_cannot_be_is_said_in_words_beside_what_was_typed(wrong: dict[str, str], words: str | None) -> None:
    client = signed_in("qu")
    form = {**new_form(client), **wrong, "step": "save"}
    answer = client.post("/desk/places/new", form)
    if words is None:
        return
    assert answer.status_code == 400
    page = said(answer)
    assert words in page, re.findall(r'id="fault".*?</div>', page, re.S)
    assert form["name"] in page
    assert not FacilityChange.objects.exists()


def at_river() -> tuple[float, float]:
    """Return a point in the water of the tiny city that lies in a region of the district 黄浦."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT ST_X(p), ST_Y(p) FROM (
                   SELECT ST_PointOnSurface(ST_Intersection(b.geom, v.geom)) AS p FROM basemap_basemapfeature b
                   JOIN regions_regionversion v ON ST_Intersects(b.geom, v.geom)
                   JOIN regions_edition e ON e.id = v.edition_id AND e.state = 'published'
                   WHERE b.kind IN ('water', 'river') AND b.retired_at IS NULL AND v.path LIKE %s AND v.level = 'street'
                     AND ST_Area(ST_Intersection(b.geom, v.geom)) > 0
                   ORDER BY b.id, v.id LIMIT 1) found""",
            [f"{HUANGPU}%"],
        )
        row = cursor.fetchone()
    assert row is not None, "the tiny city has no water here: the test would prove nothing"
    return float(row[0]), float(row[1])


def test_a_pin_in_the_river_is_refused_until_somebody_says_why() -> None:
    client, place = signed_in("qu"), place_in()
    lon, lat = at_river()
    Facility.objects.filter(pk=place.pk).update(address_text="码头")
    form = form_of(client, edit(place)) | {
        "district": "",
        "street": "",
        "lon": str(lon),
        "lat": str(lat),
        "reason": "迁到码头",
    }
    refused = client.post(edit(place), form)
    assert refused.status_code == 400
    assert "水面" in said(refused)
    place.refresh_from_db()
    assert (place.geom.x, place.geom.y) != (lon, lat)
    answer = client.post(edit(place), {**form, "why": "游船码头，就在水上"}, follow=True)
    assert "已保存" in said(answer)
    place.refresh_from_db()
    assert (round(place.geom.x, 6), round(place.geom.y, 6)) == (round(lon, 6), round(lat, 6))
    assert "保留的理由：游船码头，就在水上" in said(client.get(f"/desk/places/{place.pk}/history"))


def test_point_address_and_region_must_agree_or_say_why_not() -> None:
    client = signed_in("shi")
    place = place_in()
    text, found = door("310000.310110.")
    form = form_of(client, edit(place)) | {"reason": "核对"}
    # The address is moved to another district, the point is not.
    elsewhere = client.post(edit(place), {**form, "address_text": text})
    assert elsewhere.status_code == 400
    assert "两边要一致" in said(elsewhere)
    assert "米，超过" in said(elsewhere)
    # Both are, and the district that was chosen is still the old one.
    both = {**form, "address_text": text, "lon": f"{found.lon:.7f}", "lat": f"{found.lat:.7f}"}
    refused = client.post(edit(place), both)
    assert refused.status_code == 400
    assert "请改位置或改选区" in said(refused)
    answer = client.post(edit(place), {**both, "district": "", "street": ""}, follow=True)
    assert "已保存" in said(answer)
    place.refresh_from_db()
    assert place.address_text == text
    assert place.point_source == "survey"
    assert RegionVersion.objects.get(region=place.region_id, edition__state="published").path.startswith(
        found.region.path[:14]
    )


def test_a_clerk_moves_no_place_out_of_the_own_region_and_sees_none_of_others() -> None:
    client, place = signed_in("qu"), place_in()
    other = Facility.objects.filter(retired_at=None).exclude(region__in=below(HUANGPU)).exclude(region=None).first()
    assert other is not None
    form = form_of(client, edit(place)) | {"district": "", "street": "", "reason": "移走", "why": "就是这样"}
    refused = client.post(edit(place), {**form, "lon": str(other.geom.x), "lat": str(other.geom.y)})
    assert refused.status_code == 400
    assert "不在您的管辖范围内" in said(refused)
    for address in (edit(other), f"/desk/places/{other.pk}/history", f"/desk/places/{place.pk}/merge?other={other.pk}"):
        assert client.get(address).status_code == 403, address
    for act in ("retire", "return", "merge"):
        assert client.post(f"/desk/places/{other.pk}/{act}", {"reason": "试试"}).status_code == 403
    other.refresh_from_db()
    assert other.retired_at is None
    assert Client(headers={"host": "localhost"}).get(edit(place)).status_code == 302
    assert signed_in("jumin").get("/desk/places/new").status_code == 403
    assert signed_in("jumin").get("/desk/places/check").status_code == 403


def test_two_people_at_one_place_are_told_and_neither_loses_a_word() -> None:
    place = place_in()
    one, other = signed_in("qu"), signed_in("shi")
    mine, theirs = form_of(one, edit(place)), form_of(other, edit(place))
    saved = other.post(edit(place), {**theirs, "phone": "021-63219999", "reason": "电话核实"}, follow=True)
    assert "已保存" in said(saved)
    stale = one.post(edit(place), {**mine, "hours.mon": "9:00-15:00", "reason": "来电"})
    assert stale.status_code == 409
    page = said(stale)
    assert "电话由" in page
    assert "021-63219999" in page
    assert "9:00-15:00" in page
    assert "别人刚改过这一项" in page
    again = {
        **mine,
        "phone": "021-63219999",
        "hours.mon": "9:00-15:00",
        "reason": "来电",
        "version": re.search(r'name="version" value="(\d+)"', page)[1],  # type: ignore[index]
        "base": html.unescape(re.search(r'name="base" value="(.*?)">', stale.content.decode())[1]),  # type: ignore[index]
    }
    assert "已保存" in said(one.post(edit(place), again, follow=True))
    place.refresh_from_db()
    assert (place.phone, place.hours["mon"]) == ("021-63219999", [["09:00", "15:00"]])


def test_figures_reported_meanwhile_hold_nobody_up() -> None:
    client, place = signed_in("qu"), place_in()
    form = form_of(client, edit(place))
    staff = Scope(paths=("",), duties=frozenset({"facilities.edit"}), actor="wang")
    report_capacity(facility_id=place.pk, scope=staff, places=40, vacancies=2)
    assert "已保存" in said(client.post(edit(place), {**form, "phone": "12345", "reason": "核实"}, follow=True))
    place.refresh_from_db()
    assert (place.phone, place.vacancies) == ("12345", 2)


def test_a_history_with_before_and_after_takes_each_act_back() -> None:
    client, place = signed_in("qu"), place_in()
    was = place.phone
    form = form_of(client, edit(place))
    client.post(edit(place), {**form, "phone": "021-63211111", "reason": "第一次"})
    first = FacilityChange.objects.get()
    client.post(edit(place), {**form_of(client, edit(place)), "phone": "021-63212222", "reason": "第二次"})
    page = said(client.get(f"/desk/places/{place.pk}/history"))
    for words in ("第一次", "第二次", "021-63211111", "021-63212222", "改前", "改后"):
        assert words in page
    blocked = client.post(f"/desk/places/{place.pk}/changes/{first.pk}/undo")
    assert blocked.status_code == 409
    assert "请先撤销那一次" in said(blocked)
    second = FacilityChange.objects.order_by("-pk")[0]
    for change in (second, first):
        assert "已撤销" in said(client.post(f"/desk/places/{place.pk}/changes/{change.pk}/undo", follow=True))
    place.refresh_from_db()
    assert place.phone == was
    assert not Correction.objects.filter(ext_id=place.ext_id, cleared_at=None).exists()
    assert client.post(f"/desk/places/{place.pk}/changes/{second.pk}/undo").status_code == 409


def test_a_place_taken_down_is_gone_for_families_and_put_up_again_for_all() -> None:
    client, place = signed_in("qu"), place_in()
    public = Client(headers={"host": "localhost"})
    assert public.get(f"/places/{place.pk}").status_code == 200
    assert client.post(f"/desk/places/{place.pk}/retire", {"reason": "", "version": "x"}).status_code == 400
    version = re.search(r'name="version" value="(\d+)"', said(client.get(f"/desk/places/{place.pk}/history")))
    assert version is not None
    done = client.post(f"/desk/places/{place.pk}/retire", {"reason": "已倒闭", "version": version[1]}, follow=True)
    assert "已下线" in said(done)
    assert public.get(f"/places/{place.pk}").status_code == 404
    assert client.get(edit(place)).status_code == 302
    # What was taken down stands in a ledger of its own, and its row leads to where it is put up again; others see none of it.
    down = said(client.get(f"/desk/ledgers/facilities-down?q={place.name}"))
    assert place.name in down
    record = said(client.get(f"/desk/ledgers/facilities-down/{place.pk}"))
    assert f"/desk/places/{place.pk}/history" in record
    assert place.name not in said(client.get("/desk/ledgers/facilities")).partition("<tbody")[2]
    assert client.get(f"/desk/ledgers/facilities/{place.pk}").status_code == 404
    assert signed_in("jumin").get("/desk/ledgers/facilities-down").status_code == 403
    done = client.post(f"/desk/places/{place.pk}/return", {"reason": "又开了"}, follow=True)
    assert "已重新上线" in said(done)
    assert public.get(f"/places/{place.pk}").status_code == 200
    # Each of both can be taken back too.
    returned = FacilityChange.objects.order_by("-pk")[0]
    client.post(f"/desk/places/{place.pk}/changes/{returned.pk}/undo")
    assert public.get(f"/places/{place.pk}").status_code == 404


def test_a_status_changed_here_is_one_line_of_the_history_and_taken_back_there() -> None:
    client, place = signed_in("qu"), place_in()
    client.post(f"/desk/facilities/{place.pk}/status", {"status": "suspended", "reason": "装修"})
    change = FacilityChange.objects.get()
    assert change.act == "status"
    assert "装修" in said(client.get(f"/desk/places/{place.pk}/history"))
    client.post(f"/desk/places/{place.pk}/changes/{change.pk}/undo")
    place.refresh_from_db()
    assert place.status == "open"
    assert StatusChange.objects.filter(facility=place).count() == 2


def twins() -> tuple[Facility, Facility]:
    """Return a place and its double: the same name 30 m away, with a phone that the first does not have."""
    one = place_in()
    other = Facility.objects.get(pk=one.pk)
    other.pk, other.ext_id = None, f"twin-{uuid4().hex[:8]}"
    other.geom = Point(one.geom.x + 0.0003, one.geom.y, srid=CGCS2000)
    other.phone = "021-63218888"
    other.save()
    Facility.objects.filter(pk=one.pk).update(phone="")
    one.refresh_from_db()
    return one, other


def test_doubles_are_merged_what_hangs_on_them_follows_and_all_comes_back() -> None:
    stays, gone = twins()
    client, public = signed_in("qu"), Client(headers={"host": "localhost"})
    family, neighbour = User.objects.get(username="jumin"), User.objects.get(username="shi")
    keep_favourite(user=family, place_id=gone.pk, scope=ALL)
    for each in (stays, gone):
        keep_favourite(user=neighbour, place_id=each.pk, scope=ALL)
    report_place(mark=uuid4(), place_id=gone.pk, what="phone", text="打不通", scope=ALL)
    staff = Scope(paths=("",), duties=frozenset({"facilities.edit"}), actor="wang")
    report_capacity(facility_id=gone.pk, scope=staff, places=50, vacancies=7)
    address = f"/desk/places/{stays.pk}/merge"
    assert str(gone.pk) in said(client.get(address))
    page = said(client.get(f"{address}?other={gone.pk}"))
    assert "021-63218888" in page
    assert re.search(r'value="phone" checked', page), (
        "what only the other says is kept unless somebody decides otherwise"
    )
    form = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.split('id="other"')[-1]))
    sent = {name: form[name] for name in ("key", "other", "version", "seen")} | {"take": ["phone"], "reason": "同一家"}
    assert "已合并" in said(client.post(address, sent, follow=True))
    stays.refresh_from_db()
    assert (stays.phone, stays.vacancies) == ("021-63218888", 7)
    assert stays.capacity_reports.filter(vacancies=7).exists()
    assert PlaceReport.objects.get(text="打不通").facility_id == stays.pk
    assert set(Favourite.objects.filter(user=family).values_list("facility", flat=True)) == {stays.pk}
    assert Favourite.objects.filter(user=neighbour, facility=stays.pk).count() == 1
    led = public.get(f"/places/{gone.pk}")
    assert (led.status_code, led["Location"]) == (302, f"/places/{stays.pk}")
    assert public.get(f"/api/v1/places/{gone.pk}").json()["into"] == stays.pk
    public.cookies["saved"] = f"{gone.pk}.{stays.pk}"
    assert re.findall(r'data-saved-ids="([^"]*)"', said(public.get("/saved")))[0].strip("[]").split(",") == [
        str(stays.pk)
    ]
    del public.cookies["saved"]
    # Sent twice it is done once.
    client.post(address, sent)
    change = FacilityChange.objects.get(act="merge")
    assert "已撤销" in said(client.post(f"/desk/places/{stays.pk}/changes/{change.pk}/undo", follow=True))
    stays.refresh_from_db()
    assert stays.phone == ""
    assert public.get(f"/places/{gone.pk}").status_code == 200
    assert PlaceReport.objects.get(text="打不通").facility_id == gone.pk
    assert set(Favourite.objects.filter(user=family).values_list("facility", flat=True)) == {gone.pk}
    assert Favourite.objects.filter(user=neighbour).count() == 2
    assert not MergedFacility.objects.exists()


def test_a_namesake_close_by_is_told_before_a_double_is_made() -> None:
    client, place = signed_in("qu"), place_in()
    form = new_form(client, name=place.name, kind_id=place.kind_id, address_text=place.address_text or "路边")
    form |= {"lon": str(place.geom.x), "lat": str(place.geom.y), "district": "", "street": ""}
    refused = client.post("/desk/places/new", {**form, "step": "save"})
    assert refused.status_code == 400
    assert "已有同名同类的一家" in said(refused)
    assert f"/desk/places/{place.pk}/edit" in said(refused)


def test_a_report_is_answered_by_setting_the_place_right_in_one_act() -> None:
    client, place = signed_in("qu"), place_in()
    report = report_place(mark=uuid4(), place_id=place.pk, what="phone", text="电话停机了", scope=ALL)
    page = said(client.get(f"/desk/place-reports/{report.pk}"))
    address = f"/desk/places/{place.pk}/edit?report={report.pk}"
    assert address in page
    assert "电话停机了" in said(client.get(address))
    form = form_of(client, address) | {
        "phone": "021-63213333",
        "reason": "报告属实",
        "settle": "1",
        "report": str(report.pk),
    }
    unanswered = client.post(address, {**form, "answer": ""})
    assert unanswered.status_code == 400
    place.refresh_from_db()
    assert place.phone != "021-63213333", "neither is done without the other"
    done = client.post(address, {**form, "answer": "电话已改"}, follow=True)
    assert "已保存" in said(done)
    place.refresh_from_db()
    report.refresh_from_db()
    assert (place.phone, report.state, report.answer) == ("021-63213333", "corrected", "电话已改")


def test_who_runs_a_place_keeps_its_phone_hours_and_fees_and_nothing_else() -> None:
    client = signed_in("jigou")
    own = Facility.objects.filter(retired_at=None, organisation__grants__user__username="jigou").first()
    if own is None:
        organisation = Organisation.objects.get(grants__user__username="jigou")
        own = place_in()
        Facility.objects.filter(pk=own.pk).update(organisation=organisation)
    page = said(client.get(edit(own)))
    assert re.search(r'name="name"[^>]*disabled', page)
    fresh = form_of(client, edit(own))
    sent = {name: fresh[name] for name in ("key", "version", "base")}
    done = client.post(edit(own), {**sent, "phone": "021-63214444", "reason": "换号"}, follow=True)
    assert "已保存" in said(done)
    refused = client.post(
        edit(own), {**{n: form_of(client, edit(own))[n] for n in sent}, "name": "改名", "reason": "换名"}
    )
    assert refused.status_code == 403
    own.refresh_from_db()
    assert (own.phone, own.name != "改名") == ("021-63214444", True)


def test_a_draft_is_kept_for_its_owner_alone() -> None:
    client, place = signed_in("qu"), place_in()
    form = form_of(client, edit(place))
    done = client.post(edit(place), {**form, "phone": "021-6321", "step": "draft"}, follow=True)
    assert "已存为草稿" in said(done)
    assert "021-6321" in said(done)
    place.refresh_from_db()
    assert place.phone != "021-6321"
    draft = FacilityDraft.objects.get()
    assert f"draft={draft.pk}" in said(client.get(edit(place)))
    other = signed_in("shi")
    assert "021-6321" not in said(other.get(f"{edit(place)}?draft={draft.pk}"))
    other.post(f"/desk/places/drafts/{draft.pk}/drop")
    assert FacilityDraft.objects.exists()
    client.post(f"/desk/places/drafts/{draft.pk}/drop", {"place": place.pk})
    assert not FacilityDraft.objects.exists()


def test_the_check_of_a_position_says_its_region_and_what_does_not_fit() -> None:
    client = signed_in("qu")
    text, found = door()
    answer = client.get("/desk/places/check", {"lon": found.lon, "lat": found.lat, "address_text": text}).json()
    assert answer["district"] == "310101"
    assert answer["findings"] == []
    assert answer["door"]["label"]
    far = client.get("/desk/places/check", {"lon": found.lon + 0.004, "lat": found.lat, "address_text": text}).json()
    assert any("米" in one["message"] and not one["blocks"] for one in far["findings"])
    lon, lat = at_river()
    assert any(
        "水面" in one["message"]
        for one in client.get("/desk/places/check", {"lon": lon, "lat": lat}).json()["findings"]
    )
    swapped = client.get("/desk/places/check", {"lon": found.lat, "lat": found.lon}).json()["findings"]
    assert "写反了" in swapped[0]["message"]
    for odd in ("", "x", "inf", "\x00", "1" * 400):
        assert client.get("/desk/places/check", {"lon": odd, "lat": odd}).status_code == 200


def test_the_base_of_a_form_is_no_way_in() -> None:
    client, place = signed_in("qu"), place_in()
    form = form_of(client, edit(place))
    for base in ("", "[]", "null", "{" * 50, json.dumps({"name": {"a": 1}})):
        answer = client.post(edit(place), {**form, "base": base, "reason": "试"})
        assert answer.status_code in (302, 400, 409), base
