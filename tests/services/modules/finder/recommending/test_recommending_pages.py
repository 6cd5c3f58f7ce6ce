"""Recommending from end to end: switched on by the city, agreed to by a family, stated, shown with reasons, noted, taken back."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.access.models import AuditEntry, User
from services.access.personal.actions import ask_erasure, erase_due
from services.access.personal.models import Consent
from services.crypto.models import Secret
from services.facilities.models import Facility
from services.kernel.security.retention import purge_records
from services.modules.finder.models import UseCount
from services.modules.finder.recommending.actions import note_trace, turn_recommending
from services.modules.finder.recommending.models import RecommendingSwitch, ShownCount, Taste, Trace, TraceAct
from services.modules.finder.recommending.queries import account_person, recommended
from tests.services.modules.finder.conftest import Family, said, scope, staff

HOST = {"host": "localhost"}
OURS = {"Sec-Fetch-Site": "same-origin"}
PUBLIC = Scope.public()


@pytest.fixture
def on(family: Family) -> Family:
    """Return the family in a city that recommends."""
    turn_recommending(on=True, scope=scope("shi"))
    return family


def agree(client: Client) -> None:
    assert client.post("/my/recommending/agree", {"version": 1}).status_code == 302


def state(client: Client, side: str, seen: int = 0, **typed: Any) -> Any:
    return client.post(f"/my/recommending/{side}", {"seen": seen} | typed)


def home_of(place: Facility) -> RegionVersion:
    """Return the street a place stands in."""
    path = RegionVersion.objects.get(region=place.region, edition__state="published").path.split(".")
    return RegionVersion.objects.get(code__in=path, level="street", edition__state="published")


def strip(page: str) -> list[int]:
    """Return the places above the list, in order."""
    found = re.search(r'<section class="recommended".*?</section>', page, re.DOTALL)
    return [int(one) for one in re.findall(r'<li class="card" data-id="(\d+)"', found.group())] if found else []


def listed(page: str) -> list[int]:
    return [int(one) for one in re.findall(r'<li class="row list-row[^"]*" data-id="(\d+)"', page)]


class TestSwitch:
    def test_a_city_recommends_nothing_until_a_manager_of_the_city_turns_it_on(self, family: Family) -> None:
        device = family.device
        assert "本市现在没有开启机构推荐" in said(device.get("/my/recommending"))
        assert "为您推荐" not in said(device.get("/places", {"kinds": "childcare"}))
        agree(device)
        assert device.cookies.get("recommending") is None
        assert staff("qu").post("/desk/settings", {"recommending": "on"}).status_code == 403
        manager = staff("shi")
        page = said(manager.post("/desk/settings", {"recommending": "on"}, follow=True))
        assert "已开启机构推荐" in page
        assert "shi 设置，现在生效" in page
        manager.post("/desk/settings", {"recommending": "on"})  # a double click is one change
        row = RecommendingSwitch.objects.get()
        assert (row.on, row.events.count()) == (True, 0)
        assert "开启为您推荐" in said(device.get("/places", {"kinds": "childcare"}))
        manager.post("/desk/settings", {"recommending": "off"})
        assert row.events.count() == 1
        assert "为您推荐" not in said(device.get("/places", {"kinds": "childcare"}))


class TestAgreeing:
    def test_who_has_not_agreed_leaves_no_trace(self, on: Family, places: dict[str, Facility]) -> None:
        for client in (on.device, on.signed_in()):
            client.get("/places", {"kinds": "childcare", "meals": "1"})
            client.get(f"/places/{places['nursery'].pk}")
            client.post("/saved/mark", {"keep": places["nursery"].pk})
        assert not Trace.objects.exists()

    def test_a_text_that_changed_meanwhile_is_not_agreed_to(self, on: Family) -> None:
        page = said(on.device.post("/my/recommending/agree", {"version": 7}, follow=True))
        assert "请看过新的说明再决定" in page
        assert on.device.cookies.get("recommending") is None

    def test_a_cookie_that_somebody_wrote_himself_is_none(self, on: Family) -> None:
        for forged in ("x", "eyJpZCI6IDF9:1:aaaa", "." * 5000):
            client = Client(headers=HOST)
            client.cookies["recommending"] = forged
            assert "要不要开启" in said(client.get("/my/recommending"))

    def test_an_account_decides_for_itself_whatever_its_device_agreed_to(
        self, on: Family, places: dict[str, Facility]
    ) -> None:
        agree(on.device)
        on.signed_in(on.device)
        on.device.get(f"/places/{places['nursery'].pk}")
        assert not Trace.objects.exists()
        assert "这台设备已同意" not in said(on.device.get("/my/recommending"))


class TestStating:
    def test_a_home_is_a_street_or_a_committee_never_an_address(self, on: Family, places: dict[str, Facility]) -> None:
        client = on.signed_in()
        agree(client)
        home = home_of(places["nursery"])
        page = said(state(client, "child", home="南京东路 123 弄 4 号"))
        assert "请换个写法，不用写门牌" in page
        page = said(state(client, "child", home="路"))
        assert "请选一个，再保存" in page
        assert f'name="choose" value="{home.code}"' in page or page.count('name="choose"') >= 2
        assert (
            state(client, "child", choose=RegionVersion.objects.filter(level="district").first().code).status_code
            == 404
        )
        assert state(client, "child", home=home.name).status_code == 302
        person = account_person(on.user)
        assert person is not None
        assert person.wishes_for("child").region == home.code
        assert home.name in said(client.get("/my/recommending"))

    def test_what_an_account_states_lies_sealed(self, on: Family) -> None:
        client = on.signed_in()
        agree(client)
        state(client, "elder", needs=["memory_care"], fee_most="8000")
        row = Taste.objects.get(user=on.user)
        kept = Secret.objects.get(owner=row.uid)
        assert "memory_care" not in f"{row.__dict__}{kept.__dict__}"
        assert 'value="memory_care" checked' in said(client.get("/my/recommending"))

    @pytest.mark.parametrize("signed", [True, False])
    def test_a_form_that_is_no_longer_the_newest_is_refused_and_shown_again(self, on: Family, signed: bool) -> None:
        client = on.signed_in() if signed else on.device
        agree(client)
        assert state(client, "child", fee_most="3000").status_code == 302
        answer = state(client, "child", seen=0, fee_most="5000")
        assert answer.status_code == 409
        assert "请看过最新的内容再改一次" in said(answer)
        assert 'value="5000"' in said(answer)
        assert 'value="3000"' in said(client.get("/my/recommending"))
        assert state(client, "child", seen=1, fee_most="5000").status_code == 302

    def test_nothing_is_kept_of_who_did_not_agree(self, on: Family) -> None:
        for client in (on.device, on.signed_in()):
            assert state(client, "child", fee_most="3000").status_code == 409
        assert not Taste.objects.exists()


class TestTakingBack:
    @pytest.mark.parametrize("signed", [True, False])
    def test_what_was_kept_goes_at_once(self, on: Family, places: dict[str, Facility], signed: bool) -> None:
        client = on.signed_in() if signed else on.device
        agree(client)
        state(client, "child", fee_most="3000", born=f"{timezone.localdate() - dt.timedelta(days=600):%Y-%m}")
        client.get(f"/places/{places['nursery'].pk}")
        client.get("/places", {"kinds": "childcare"})
        assert Trace.objects.count() == 2
        page = said(client.post("/my/recommending/withdraw", follow=True))
        assert "已关闭，为推荐保存的内容都删除了" in page
        assert not Trace.objects.exists()
        assert not Taste.objects.exists()
        assert not Secret.objects.filter(field="wishes").exists()
        client.get(f"/places/{places['nursery'].pk}")
        assert not Trace.objects.exists()
        assert strip(said(client.get("/places", {"kinds": "childcare"}))) == []

    def test_consent_on_my_data_is_the_same_consent(self, on: Family, places: dict[str, Facility]) -> None:
        client = on.signed_in()
        client.post("/my/data/consent/recommendation", {"give": "1", "version": "1"})
        client.get(f"/places/{places['nursery'].pk}")
        state(client, "child", fee_most="3000")
        told = said(client.get("/my/data/all"))
        for words in ("看到详情", places["nursery"].name, "–3000"):
            assert words in told
        client.post("/my/data/consent/recommendation", {"give": "0"})
        assert not Trace.objects.exists()
        assert not Taste.objects.exists()

    def test_a_page_still_on_its_way_notes_nothing_after_it(self, on: Family, places: dict[str, Facility]) -> None:
        client = on.signed_in()
        agree(client)
        person = account_person(on.user)
        assert person is not None
        client.post("/my/recommending/withdraw")
        note_trace(person, TraceAct.DETAIL, place_id=places["nursery"].pk)
        assert not Trace.objects.exists()

    def test_erasing_an_account_forgets_it_too(self, on: Family, places: dict[str, Facility]) -> None:
        client = on.signed_in()
        agree(client)
        state(client, "child", fee_most="3000")
        client.get(f"/places/{places['nursery'].pk}")
        erasure = ask_erasure(user=on.user)
        type(erasure).objects.update(due_at=timezone.now() - dt.timedelta(days=1))
        assert erase_due() == 1
        assert not Trace.objects.exists()
        assert not Taste.objects.exists()

    def test_traces_go_after_ninety_days_by_themselves(self, on: Family, places: dict[str, Facility]) -> None:
        agree(on.device)
        on.device.get(f"/places/{places['nursery'].pk}")
        now = timezone.now()
        purge_records(now=now + dt.timedelta(days=89))
        assert Trace.objects.count() == 1
        purge_records(now=now + dt.timedelta(days=91))
        assert not Trace.objects.exists()


class TestWhoSees:
    def test_a_trace_says_neither_who_nor_where_nor_when_to_the_minute(
        self, on: Family, places: dict[str, Facility]
    ) -> None:
        client = on.signed_in()
        agree(client)
        place = places["nursery"]
        where = {"lon": f"{place.geom.x:.6f}", "lat": f"{place.geom.y:.6f}", "at": "我家"}
        client.get("/places", {"kinds": "childcare", "meals": "1", "age_months": "18", "fee_max": "3000"} | where)
        client.get(f"/places/{place.pk}", where)
        narrow = Trace.objects.get(act="narrow")
        assert sorted(narrow.filters) == ["age_months", "fee", "meals=1"]
        for row in Trace.objects.all():
            assert (row.hour.minute, row.hour.second) == (0, 0)
            words = str({**row.__dict__, "_state": None})
            for secret in (on.user.username, str(on.user.pk) + "'", "我家", where["lon"], "3000", "18'"):
                assert secret not in words
        consent = Consent.objects.get(user=on.user)
        assert Trace.objects.first().who not in (str(consent.pk), str(on.user.pk))
        assert not AuditEntry.objects.filter(detail__icontains="trace").exists()

    def test_robots_and_pages_fetched_ahead_are_no_acts(self, on: Family, places: dict[str, Facility]) -> None:
        agree(on.device)
        for headers in ({"user-agent": "Baiduspider/2.0"}, {"Sec-Purpose": "prefetch"}, {"X-Quantu-Test": "1"}):
            on.device.get(f"/places/{places['nursery'].pk}", headers=headers)
            on.device.get("/places", {"kinds": "childcare"}, headers=headers)
        assert not Trace.objects.exists()
        assert not ShownCount.objects.exists()

    def test_another_family_is_recommended_by_its_own_wishes(self, on: Family, places: dict[str, Facility]) -> None:
        mine, other = on.signed_in(), Client(headers=HOST)
        other.force_login(User.objects.create(username="baba"), backend="django.contrib.auth.backends.ModelBackend")
        homes = [home_of(place) for place in Facility.objects.filter(kind="nursery", status="open").order_by("pk")]
        far = next(one for one in homes if one.code[:6] != homes[0].code[:6])
        for client, home in ((mine, homes[0]), (other, far)):
            agree(client)
            assert state(client, "child", choose=home.code).status_code == 302
        first, second = (strip(said(one.get("/places", {"kinds": "childcare"}))) for one in (mine, other))
        assert len(first) == len(second) == 3
        assert first != second


class TestPages:
    def test_not_interested_takes_a_place_out_and_it_can_be_had_back(self, on: Family) -> None:
        client = on.signed_in()
        agree(client)
        first = strip(said(client.get("/places", {"kinds": "childcare"})))
        answer = client.post("/my/recommending/dismiss", {"place": first[0], "next": "/places?kinds=childcare"})
        assert answer["Location"] == "/places?kinds=childcare"
        assert first[0] not in strip(said(client.get("/places", {"kinds": "childcare"})))
        assert "这家现在不推荐" in said(client.get("/my/recommending/why", {"place": first[0], "kinds": "childcare"}))
        page = said(client.get("/my/recommending"))
        assert f'name="again" value="{first[0]}"' in page
        client.post("/my/recommending/dismiss", {"again": first[0]})
        assert 'name="again"' not in said(client.get("/my/recommending"))
        away = client.post("/my/recommending/dismiss", {"place": first[0], "next": "//evil.example"})
        assert away["Location"] == "/my/recommending"
        assert client.post("/my/recommending/dismiss", {"place": 10**12}).status_code == 404

    def test_the_list_in_this_order_is_complete_and_pages_follow_each_other(self, on: Family) -> None:
        agree(on.device)
        seen: list[int] = []
        url = "/places?kinds=eldercare&order=recommended"
        for _ in range(60):
            page = said(on.device.get(url, headers={"HX-Request": "true"} if seen else {}))
            seen += listed(page)
            following = re.search(r'class="more"><a class="button" href="([^"]+)"', page)
            if following is None:
                break
            url = following.group(1).replace("&amp;", "&")
        total = Facility.objects.filter(kind__group="eldercare", status="open", retired_at=None).count()
        assert len(seen) == len(set(seen)) == total
        best = recommended(scope=PUBLIC, kinds=("care_home",), most=3)
        assert best

    def test_the_order_is_not_offered_to_who_did_not_agree_and_asking_for_it_is_no_fault(self, on: Family) -> None:
        answer = on.device.get("/places", {"kinds": "childcare", "order": "recommended"})
        assert answer.status_code == 200
        assert '<option value="recommended"' not in said(answer)
        agree(on.device)
        page = said(on.device.get("/places", {"kinds": "childcare"}))
        assert '<option value="recommended">为您推荐</option>' in page
        assert '<option value="recommended"' not in said(on.device.get("/places", {"kinds": "all"}))
        assert '<option value="recommended"' not in said(on.device.get("/places", {"kinds": "civic"}))

    def test_every_place_recommended_is_counted_of_nobody(self, on: Family) -> None:
        agree(on.device)
        first = strip(said(on.device.get("/places", {"kinds": "childcare"})))
        assert dict(ShownCount.objects.values_list("place_id", "count")) == dict.fromkeys(first, 1)
        again = strip(said(on.device.get("/places", {"kinds": "childcare"})))
        counts = dict(ShownCount.objects.values_list("place_id", "count"))
        assert sum(counts.values()) == 6
        assert set(counts) == set(first) | set(again)
        assert not UseCount.objects.exists()  # counted in memory until the minute is over
