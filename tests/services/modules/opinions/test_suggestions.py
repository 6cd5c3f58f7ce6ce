"""Suggestions: made once, answered by the staff of the region, the answer reaches who made them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from geo.calendars.queries import working_days
from geo.regions.models import RegionVersion
from services.access.models import User
from services.facilities.models import Facility
from services.facilities.queries import city_now
from services.kernel.messages.models import Message
from services.modules.opinions.models import Suggestion, SuggestionState
from services.modules.opinions.personal_data import forget_author, suggestions
from tests.services.modules.finder.conftest import Family, said, staff


def suggest(client: Any, **fields: Any) -> Any:
    place = fields.get("place")
    form = said(client.get("/elder/suggestions" + (f"?place={place}" if place else "")))
    key = re.search(r'name="key" value="([^"]+)"', form)
    assert key
    return client.post("/elder/suggestions", {"key": key[1], "about": "service", "text": "周末也开午餐"} | fields)


def street_of(place: Facility) -> str:
    version = RegionVersion.objects.filter(region=place.region, edition__state="published").first()
    assert version
    return str(version.code)


@pytest.mark.covers("ELD-RES-01g", via="services.modules.opinions.suggesting:suggest")
def test_a_family_suggests_something_from_the_map_and_reads_the_answer(family: Family, home: Facility) -> None:
    """From 养老一张图 and from a place on it: a form, the staff of the region answer, the answer is told."""
    mama = family.signed_in()
    menu = said(mama.get("/elder"))
    assert 'href="/elder/suggestions"' in menu
    assert f'href="/elder/suggestions?place={home.pk}"' in said(mama.get(f"/places/{home.pk}?theme=elder"))
    form = said(mama.get("/elder/suggestions"))
    for words in ("服务内容", "场所设施", "收费", "地图和资料", "哪个街镇", "您的建议"):
        assert words in form
    assert suggest(mama, region="310101", text="<b>多开</b>一处食堂 13900001111").status_code == 302
    assert suggest(mama, place=str(home.pk)).status_code == 302
    general, about_place = Suggestion.objects.order_by("pk")
    assert "13900001111" not in general.text
    assert about_place.region_id == home.region_id
    assert about_place.due_on == working_days().add(city_now().date(), 10)
    listed = said(staff("qu").get("/desk/ledgers/suggestions"))
    assert "周末也开午餐" in listed
    page = f"/desk/suggestions/{general.pk}"
    assert "&lt;b&gt;多开" in said(staff("qu").get(page))
    done = {"seen": "new", "state": "adopted", "answer": "已列入今年计划。"}
    assert staff("qu").post(page, done).status_code == 302
    mine = said(mama.get("/elder/suggestions"))
    assert "已采纳" in mine
    assert "已列入今年计划" in mine
    assert "&lt;b&gt;多开" in mine
    told = Message.objects.get(recipient=family.user)
    assert told.link == "/elder/suggestions"
    assert "已列入今年计划" in said(mama.get("/elder/messages"))


def test_sent_twice_it_is_one_and_what_is_missing_is_said(family: Family, home: Facility) -> None:
    mama = family.signed_in()
    key = "01900000-0000-7000-8000-000000000001"
    once = {"key": key, "about": "place", "text": "加扶手", "region": "310101"}
    for _ in range(2):
        assert mama.post("/elder/suggestions", once).status_code == 302
    assert Suggestion.objects.count() == 1
    for words, fields in {
        "请选建议是关于什么": {"about": "colour", "region": "310101"},
        "请写下您的建议": {"text": " ", "region": "310101"},
        "请选您说的是哪个街镇": {},
        "最多 500 个字": {"text": "长" * 501, "region": "310101"},
        "页面已过期": {"key": "made-up", "region": "310101"},
    }.items():
        answer = suggest(mama, **fields)
        assert answer.status_code in {400, 413, 422}, words
        assert words in said(answer)
    assert Suggestion.objects.count() == 1


def test_staff_answer_within_their_region_and_the_slower_one_is_told(family: Family, home: Facility) -> None:
    suggest(family.signed_in(), region="310110" if street_of(home) != "310110" else "310101")
    far = Suggestion.objects.get()
    assert staff("qu").get(f"/desk/suggestions/{far.pk}").status_code == 404
    suggest(family.signed_in(), place=str(home.pk))
    row = Suggestion.objects.latest("pk")
    page = f"/desk/suggestions/{row.pk}"
    assert staff("jigou").get(page).status_code == 403
    clerk = staff("qu")
    assert clerk.post(page, {"seen": "new", "state": "seen"}).status_code == 302
    late = clerk.post(page, {"seen": "new", "state": "answered", "answer": "好"})
    assert late.status_code == 409
    assert "请写一句答复" in said(clerk.post(page, {"seen": "seen", "state": "answered", "answer": " "}))
    assert clerk.post(page, {"seen": "seen", "state": "answered", "answer": "谢谢。"}).status_code == 302
    assert clerk.post(page, {"seen": "answered", "state": "seen"}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.answer) == (SuggestionState.SEEN, "谢谢。")


def test_the_author_is_told_and_forgotten_and_the_suggestion_stays(family: Family, home: Facility) -> None:
    suggest(family.signed_in(), place=str(home.pk))
    assert [one["建议"] for one in suggestions(family.user)] == ["周末也开午餐"]
    assert forget_author(family.user) == 1
    row = Suggestion.objects.get()
    assert (row.user, row.text) == (None, "周末也开午餐")
    assert User.objects.filter(pk=family.user.pk).exists()
