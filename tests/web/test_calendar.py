"""The page of the city's working days: who sees it, who changes it, what is said of odd input."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from django.test import Client

from geo.calendars.queries import days_kept, working_days
from services.access.demo import make_demo_accounts
from services.access.models import User

NOTICE = "一、元旦：1月1日（周五）至3日（周日）放假，共3天。\n二、春节：2月5日至11日放假调休。2月13日、14日上班。"


@pytest.fixture(autouse=True)
def _people(city: None) -> None:
    make_demo_accounts()


def client(name: str) -> Client:
    made = Client()
    made.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return made


def said(text: str) -> str:
    return re.sub(r"\s+", "", re.sub(r"<[^>]+>", "", text))


def test_everyone_at_work_sees_the_year_and_only_the_city_changes_it() -> None:
    page = client("jiezhen").get("/desk/calendar?year=2026").content.decode()
    assert "2026年共248个工作日，放假33天。" in said(page)
    assert "2月14日春节调休上班" in said(page)
    assert "粘贴放假通知" not in page
    assert Client().get("/desk/calendar").status_code == 302
    for name in ("jumin", "jiezhen", "qu"):
        answer = client(name).post("/desk/calendar/day", {"day": "2026-12-25", "state": "off", "name": "圣诞"})
        assert answer.status_code == 403
        assert client(name).post("/desk/calendar/notice", {"text": NOTICE, "confirmed": "1"}).status_code == 403
    assert not days_kept().filter(day="2026-12-25").exists()


def test_a_day_is_changed_and_changed_back() -> None:
    clerk = client("shi")
    day = dt.date(2026, 12, 25)
    answer = clerk.post("/desk/calendar/day", {"day": "2026-12-25", "state": "off", "name": "临时放假"}, follow=True)
    assert "12月25日已保存，马上生效。" in answer.content.decode()
    assert "临时放假放假" in said(answer.content.decode())
    assert not working_days().is_working(day)
    clerk.post("/desk/calendar/day", {"day": "2026-12-25", "state": "week"})
    assert working_days().is_working(day)


def test_a_notice_is_read_looked_at_and_kept() -> None:
    clerk = client("shi")
    read = said(clerk.post("/desk/calendar/notice", {"text": NOTICE, "year": "2027"}).content.decode())
    assert "元旦：1月1日至1月3日（3天）放假" in read
    assert "2月13日、2月14日上班" in read
    assert not days_kept(year=2027).exists()
    answer = clerk.post("/desk/calendar/notice", {"text": NOTICE, "year": "2027", "confirmed": "1"}, follow=True)
    assert "已登记2027年的 12 天" in answer.content.decode()
    assert days_kept(year=2027).count() == 12
    clerk.post("/desk/calendar/notice", {"text": NOTICE, "year": "2027", "confirmed": "1"})
    assert days_kept(year=2027).count() == 12


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        ("day", {"day": "昨天", "state": "off"}, "请先在日历上选一天"),
        ("day", {"day": "2026-12-25", "state": "off", "name": ""}, "请写明12月25日是什么节日"),
        ("day", {"day": "2026-12-25", "state": "work", "name": "调休"}, "本来就上班"),
        ("notice", {"text": "放假啦", "year": "2027"}, "没有读到放假安排"),
        ("notice", {"text": "一、春节：2月30日放假。", "year": "2027"}, "读不懂"),
    ],
)
def test_what_cannot_be_meant_is_said_and_what_was_typed_stays(path: str, form: dict[str, str], words: str) -> None:
    answer = client("shi").post(f"/desk/calendar/{path}", form)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert form.get("text", "") in answer.content.decode()


@pytest.mark.parametrize(
    "query", ["year=0", "year=99999", "day=x", "count=-1", "count=99999", "from=%00&count=3", "year=²"]
)
def test_odd_addresses_show_a_year(query: str) -> None:
    assert client("shi").get(f"/desk/calendar?{query}").status_code == 200


def test_terms_are_counted_and_a_missing_year_is_said() -> None:
    with time_machine.travel("2026-11-22T10:00:00+08:00"):
        page = said(client("qu").get("/desk/calendar?from=2026-09-30&count=3").content.decode())
    assert "第3个工作日是2026年10月10日" in page
    assert "2027年的放假安排还没有登记" in page
