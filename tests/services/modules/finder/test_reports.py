"""“这里有误”: anybody reports, staff of the region answer, who reported is told; spam and haste do no harm."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from geo.calendars.queries import working_days
from services.crypto.models import Secret
from services.crypto.queries import reveal_secrets
from services.facilities.models import Facility
from services.facilities.queries import city_now
from services.kernel.documents.models import Attachment
from services.kernel.messages.models import Delivery, Message
from services.modules.finder.models import PlaceReport, ReportState
from services.modules.finder.personal_data import forget_reporter, reports
from tests.services.kernel.documents.files import picture
from tests.services.modules.finder.conftest import Family, said, staff
from web.doors.finder import reporting

PHONE = "13812345678"


def token(client: Any, place: Facility) -> str:
    found = re.search(r'name="token" value="([^"]+)"', said(client.get(f"/places/{place.pk}/wrong")))
    assert found
    return found[1]


def report(client: Any, place: Facility, **fields: Any) -> Any:
    asked = {"token": token(client, place), "what": "hours", "text": "早上 7:30 开门"} | fields
    return client.post(f"/places/{place.pk}/wrong", asked)


@pytest.fixture
def place(family: Family, places: dict[str, Facility], tmp_path: Path, settings: Any) -> Facility:
    settings.MEDIA_ROOT = tmp_path
    return places["nursery"]


def test_anybody_reports_in_one_form_and_the_page_of_the_place_says_thanks(family: Family, place: Facility) -> None:
    assert f'href="/places/{place.pk}/wrong"' in said(family.device.get(f"/places/{place.pk}"))
    form = said(family.device.get(f"/places/{place.pk}/wrong"))
    for words in ("位置或地址", "开放时间", "电话", "余位", "关门", "收费", "名称", "其他"):
        assert words in form
    sent = SimpleUploadedFile("牌子.jpg", picture("JPEG"))
    answer = report(family.device, place, text="<img src=x onerror=alert(1)> 问 13900001111", phone=PHONE, photo=sent)
    assert answer["Location"] == f"/places/{place.pk}"
    row = PlaceReport.objects.get()
    assert (row.what, row.state, row.facility_id, row.region_id) == ("hours", "new", place.pk, place.region_id)
    assert row.due_on == working_days().add(city_now().date(), 5)
    assert row.phone == "138****5678"
    assert PHONE not in str(row.__dict__)
    assert "13900001111" not in row.text
    assert reveal_secrets(owner=row.uid) == {"phone": PHONE}
    assert Attachment.objects.get(owner_kind="place-reports").owner_id == str(row.pk)
    page = said(staff("qu").get(f"/desk/place-reports/{row.pk}"))
    assert "&lt;img src=x" in page
    assert "<img src=x" not in page
    assert "谢谢您" in said(family.device.get(f"/places/{place.pk}"))


def test_sent_twice_it_is_one_and_what_is_refused_keeps_what_was_typed(family: Family, place: Facility) -> None:
    once = {"token": token(family.device, place), "what": "phone", "text": "打不通"}
    for _ in range(2):
        assert family.device.post(f"/places/{place.pk}/wrong", once).status_code == 302
    assert PlaceReport.objects.count() == 1
    refused = {
        "请选哪里不对": {"what": "colour"},
        "请写一句哪里不对": {"what": "other", "text": " "},
        "最多 300 个字": {"text": "长" * 301},
        "11 位数字": {"phone": "110"},
        "这一页开得太久": {"token": "made-up"},
        "JPG": {"photo": SimpleUploadedFile("x.jpg", b"no picture at all")},
    }
    for words, fields in refused.items():
        answer = report(family.device, place, **{"text": "周六也开", **fields})
        assert answer.status_code in {400, 413, 415, 422}, words
        assert words in said(answer)
        if "text" not in fields:
            assert "周六也开" in said(answer)
    other = Facility.objects.filter(kind="nursery").exclude(pk=place.pk).first()
    strange = {"token": token(family.device, other), "what": "hours"}
    assert family.device.post(f"/places/{place.pk}/wrong", strange).status_code != 302
    assert PlaceReport.objects.count() == 1
    assert not Attachment.objects.exists()


def test_a_robot_learns_nothing_and_nobody_floods(
    family: Family, place: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert report(family.device, place, website="http://spam").status_code == 302
    assert not PlaceReport.objects.exists()
    monkeypatch.setattr(reporting, "AN_HOUR", 2)
    answers = [report(family.device, place, text=f"第 {one} 次").status_code for one in range(3)]
    assert answers == [302, 302, 429]
    assert PlaceReport.objects.count() == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(r::text, '') FROM finder_placereport r")
        assert "127.0.0.1" not in cursor.fetchone()[0]


def test_staff_of_the_region_answer_all_of_a_place_at_once_and_everybody_is_told(
    family: Family, place: Facility
) -> None:
    report(family.device, place, phone=PHONE)
    report(family.signed_in(), place, what="fees", text="每月 4200 元")
    first, second = PlaceReport.objects.order_by("pk")
    clerk, stranger = staff("qu"), staff("jigou")
    listed = said(clerk.get("/desk/ledgers/place-reports"))
    assert place.name in listed
    assert "开放时间不对" in listed
    assert "收费不对" in listed
    assert stranger.get(f"/desk/place-reports/{first.pk}").status_code == 403
    assert family.device.get(f"/desk/place-reports/{first.pk}").status_code == 302
    page = f"/desk/place-reports/{first.pk}"
    assert "这家还有 1 条" in said(clerk.get(page))
    assert clerk.post(page, {"seen": "new", "state": "seen"}).status_code == 302
    # Somebody who still looks at the old page is told, and an end needs words.
    late = clerk.post(page, {"seen": "new", "state": "corrected", "answer": "改好了"})
    assert late.status_code == 409
    assert "别人刚处理过" in said(late)
    assert "请写一句答复" in said(clerk.post(page, {"seen": "seen", "state": "corrected", "answer": " "}))
    assert "不能这样改" in said(clerk.post(page, {"seen": "seen", "state": "new", "answer": "x"}))
    done = {"seen": "seen", "state": "corrected", "answer": "已和机构核实，7:30 开门。", "together": "1"}
    assert "另外 1 条" in said(clerk.post(page, done, follow=True))
    for row in PlaceReport.objects.all():
        assert (row.state, row.answer, row.handled_by) == (ReportState.CORRECTED, done["answer"], "qu")
    assert Delivery.objects.filter(event="finder.report_answered").count() == 1
    message = Message.objects.get(recipient=family.user)
    assert "已改正" in message.title
    assert done["answer"] in message.body
    assert message.link == f"/places/{place.pk}"
    assert not Secret.objects.filter(owner__in=[first.uid, second.uid]).exists()  # the number has served
    history = said(clerk.get(f"/desk/ledgers/place-reports/{first.pk}"))
    assert "待核对" in history
    assert "已改正" in history
    # What was answered can be looked at again.
    assert clerk.post(page, {"seen": "corrected", "state": "seen"}).status_code == 302
    assert [one["状态"] for one in reports(family.user)] == ["已改正"]
    assert forget_reporter(family.user) == 1
    assert PlaceReport.objects.filter(reporter=family.user).count() == 0


def test_a_report_over_its_day_says_so_and_another_district_sees_none(family: Family, place: Facility) -> None:
    report(family.device, place)
    PlaceReport.objects.update(due_on=city_now().date() - dt.timedelta(days=1))
    row = PlaceReport.objects.get()
    assert "超过期限" in said(staff("qu").get(f"/desk/place-reports/{row.pk}"))
    elsewhere = Facility.objects.filter(
        region__versions__path__startswith="310000.310110.", region__versions__edition__state="published"
    ).first()
    PlaceReport.objects.update(facility=elsewhere, region=elsewhere.region)
    assert staff("qu").get(f"/desk/place-reports/{row.pk}").status_code == 404
    assert elsewhere.name not in said(staff("qu").get("/desk/ledgers/place-reports"))
