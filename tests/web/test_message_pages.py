"""The pages of messages without a browser: who is let in, odd input, double clicks, what stays when something is refused."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from services.access.demo import make_demo_accounts
from services.access.models import User
from services.kernel.messages.actions import send_message
from services.kernel.messages.message_events import ENROLMENT_REGISTERED
from services.kernel.messages.models import Delivery, Message
from tests.services.kernel.messages.conftest import PHONE, VALUES, region


@pytest.fixture(autouse=True)
def _people(city: None, settings: Any) -> None:
    settings.SMS_URL = ""
    make_demo_accounts()


def client(name: str) -> Client:
    made = Client()
    made.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return made


def statuses(path: str) -> dict[str, int]:
    return {
        name: (client(name) if name else Client()).get(path).status_code
        for name in ("", "jumin", "jigou", "jiezhen", "qu", "shi")
    }


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/desk/messages", (302, 200, 200, 200, 200, 200)),
        ("/desk/sms", (302, 403, 403, 200, 200, 200)),
        ("/desk/sms/new", (302, 403, 403, 200, 200, 200)),
        ("/desk/message-settings", (302, 403, 403, 403, 200, 200)),
        ("/desk/notices", (302, 200, 200, 200, 200, 200)),
        ("/desk/notices/new", (302, 403, 403, 200, 200, 200)),
        ("/desk/knowledge", (302, 403, 200, 200, 200, 200)),
        ("/desk/knowledge/new", (302, 403, 403, 200, 200, 200)),
        ("/notices", (200, 200, 200, 200, 200, 200)),
    ],
)
def test_who_is_let_in(path: str, expected: tuple[int, ...]) -> None:
    assert tuple(statuses(path).values()) == expected


@pytest.mark.parametrize(
    "path",
    [
        "/desk/sms?event=%00&region=%00&day=x&state=%27",
        "/desk/sms?region=999999",
        "/desk/sms?day=2026-13-45",
        "/desk/sms?page=-1",
        "/desk/knowledge?q=%00%27&category=%00&page=99999999999999999999",
        "/desk/notices?show=kept&state=%00",
        "/desk/message-settings/%00/sms",
        "/desk/sms/new?event=nothing",
    ],
)
def test_odd_addresses_break_nothing(path: str) -> None:
    assert client("shi").get(path).status_code in {200, 404}


def form(**changes: str) -> dict[str, str]:
    typed = {f"field-{at}": value for at, value in enumerate(VALUES.values())}
    return typed | {"token": str(uuid4()), "event": ENROLMENT_REGISTERED, "region": "310101", "phones": PHONE} | changes


def test_a_double_click_sends_once() -> None:
    page, typed = client("qu"), form()
    assert page.post("/desk/sms/new", typed).status_code == 302
    again = page.post("/desk/sms/new", typed)
    assert (again.status_code, "没有重复发送" in again.content.decode()) == (409, True)
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"phones": "12345"}, 400, "第 1 个号码不对"),
        ({"phones": "\n".join(f"139{number:08d}" for number in range(501))}, 400, "1 到 500 个"),
        ({"field-0": " "}, 400, "请填写：儿童"),
        ({"at": "2020-01-01T08:00"}, 400, "现在之后"),
        ({"at": "soon"}, 400, "定时发送的时间要写成"),
        ({"token": "x"}, 400, "页面已过期"),
        ({"entry": "nothing"}, 400, "没有“nothing”这个选项"),
        ({"region": "310110"}, 403, "不在您的管辖范围"),
    ],
)
def test_what_is_refused_and_kept(changes: dict[str, str], status: int, says: str) -> None:
    answer = client("qu").post("/desk/sms/new", form(**changes))
    assert (answer.status_code, says in answer.content.decode()) == (status, True)
    assert Delivery.objects.count() == 0
    if status == 400 and "field-0" not in changes:
        assert 'value="王小明"' in answer.content.decode()


def test_without_a_gateway_the_pages_say_so() -> None:
    assert client("qu").post("/desk/sms/new", form()).status_code == 302
    assert "短信平台未接通" in client("qu").get("/desk/sms").content.decode()


def test_another_districts_message_is_not_there() -> None:
    send_message(event=ENROLMENT_REGISTERED, key="k", region_id=region("310110").pk, values=VALUES, phones=[PHONE])
    row = Delivery.objects.get()
    for path in ("", "/cancel", "/again", "/reveal"):
        call = client("qu").get if not path else client("qu").post
        assert call(f"/desk/sms/{row.pk}{path}").status_code == 404, path
    assert client("shi").get(f"/desk/sms/{row.pk}").status_code == 200


def test_cancelling_too_late_is_said_beside_the_message() -> None:
    send_message(event=ENROLMENT_REGISTERED, key="k", region_id=region("310101").pk, values=VALUES, phones=[PHONE])
    row = Delivery.objects.get()
    page = client("qu")
    assert page.post(f"/desk/sms/{row.pk}/cancel").status_code == 302
    late = page.post(f"/desk/sms/{row.pk}/cancel")
    assert (late.status_code, "不能取消" in late.content.decode()) == (409, True)
    assert page.post(f"/desk/sms/{row.pk}/again").status_code == 302
    assert Delivery.objects.filter(again_of=row).exists()


def test_reading_is_for_the_one_who_was_told() -> None:
    user = User.objects.get(username="jumin")
    send_message(
        event=ENROLMENT_REGISTERED, key="k", region_id=region("310101").pk, values=VALUES, users=[user], link="/help"
    )
    message = Message.objects.get()
    assert client("shi").post(f"/desk/messages/{message.pk}/read").status_code == 404
    answer = client("jumin").post(f"/desk/messages/{message.pk}/read", {"go": "1"})
    assert (answer.status_code, answer["Location"]) == (302, "/help")


def test_what_came_after_the_page_was_opened_stays_unread() -> None:
    user, page = User.objects.get(username="jumin"), client("jumin")
    for key in ("a", "b"):
        send_message(event=ENROLMENT_REGISTERED, key=key, region_id=region("310101").pk, values=VALUES, users=[user])
        if key == "a":
            found = re.search(r'name="until" value="([^"]+)"', page.get("/desk/messages").content.decode())
    assert found
    page.post("/desk/messages/read", {"until": found[1]})
    assert Message.objects.filter(read_at=None).count() == 1
    assert page.post("/desk/messages/read", {"until": "rubbish"}).status_code == 400


def test_a_template_that_somebody_else_saved_meanwhile() -> None:
    path = f"/desk/message-settings/{ENROLMENT_REGISTERED}/sms"
    typed = {"act": "save", "region": "310101", "entry": "", "seen": "0", "body": "第一位 {儿童}"}
    page = client("qu")
    assert page.post(path, typed).status_code == 302
    late = page.post(path, typed | {"body": "第二位 {儿童}"})
    assert (late.status_code, "第二位 {儿童}" in late.content.decode()) == (409, True)


def test_a_trial_is_sent_to_one_number_at_once() -> None:
    path = f"/desk/message-settings/{ENROLMENT_REGISTERED}/sms"
    typed = {"act": "trial", "region": "310101", "entry": "", "phone": PHONE}
    assert client("qu").post(path, typed).status_code == 302
    row = Delivery.objects.get()
    assert (row.urgent, row.made_by) == (True, "qu")
    assert client("qu").post(path, typed | {"phone": "1"}).status_code == 400


def test_quiet_hours_are_checked() -> None:
    typed = {"region": "310101", "quiet_from": "22:00", "quiet_to": "07:30", "daily_cap": "5"}
    page = client("qu")
    assert page.post("/desk/message-settings/rule", typed).status_code == 302
    assert "22:00" in page.get("/desk/message-settings?region=310101").content.decode()
    for wrong in ({"quiet_from": "25:00"}, {"daily_cap": "0"}, {"daily_cap": "x"}):
        assert page.post("/desk/message-settings/rule", typed | wrong).status_code == 400
    assert page.post("/desk/message-settings/rule", typed | {"region": "310000"}).status_code == 403


def test_without_the_keystore_lists_still_open(settings: Any, tmp_path: Any) -> None:
    send_message(event=ENROLMENT_REGISTERED, key="k", region_id=region("310101").pk, values=VALUES, phones=[PHONE])
    row = Delivery.objects.get()
    settings.KEYSTORE, settings.KEYSTORE_MADE_HERE = tmp_path / "absent", False
    page = client("qu")
    assert "号码打不开" in page.get("/desk/sms").content.decode()
    assert "密钥库" in page.get(f"/desk/sms/{row.pk}").content.decode()
    assert page.post(f"/desk/sms/{row.pk}/reveal").status_code == 503
    assert page.post("/desk/sms/new", form()).status_code == 503
    assert Delivery.objects.count() == 1
