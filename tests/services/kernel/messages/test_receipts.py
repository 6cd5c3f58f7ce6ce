"""The callback of the gateway over HTTP: signed, once, in any order; and the caller's own messages."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client

from services.access.actions import create_api_key
from services.access.models import User
from services.integrations.signing import signed_headers
from services.kernel.messages.actions import send_message
from services.kernel.messages.message_events import ENROLMENT_REGISTERED
from services.kernel.messages.models import Delivery
from tests.services.kernel.messages.conftest import APP, PHONE, SECRET, VALUES, region

pytestmark = pytest.mark.usefixtures("city")
PATH = "/api/v1/messages/receipts"


@pytest.fixture(autouse=True)
def _connected(settings: Any) -> None:
    cache.clear()
    settings.SMS_URL, settings.SMS_APP, settings.SMS_SECRET = "http://127.0.0.1:9", APP, SECRET


@pytest.fixture
def sent() -> Delivery:
    send_message(event=ENROLMENT_REGISTERED, key="k", region_id=region("310101").pk, values=VALUES, phones=[PHONE])
    row = Delivery.objects.get()
    row.state, row.provider_id, row.attempts = "sent", "p-1", 1
    row.save()
    return row


def receipt(row: Delivery, **changes: Any) -> dict[str, Any]:
    told = {
        "provider_id": "p-1", "message_id": str(row.pk), "phone": PHONE, "state": "delivered", "code": "DELIVRD",
        "at": dt.datetime.now(tz=dt.UTC).isoformat(),
    }  # fmt: skip
    return told | changes


def post(*receipts: dict[str, Any], headers: dict[str, str] | None = None, raw: bytes = b"") -> Any:
    body = raw or json.dumps({"receipts": receipts}).encode()
    signed = signed_headers(app=APP, secret=SECRET, method="POST", path=PATH, body=body) if headers is None else headers
    client = Client(enforce_csrf_checks=True)
    return client.post(PATH, body, content_type="application/json", headers=signed)


def test_a_receipt_closes_its_message(sent: Delivery) -> None:
    answer = post(receipt(sent))
    assert (answer.status_code, answer.json()) == (200, {"taken": 1, "known": 0, "unknown": 0})
    sent.refresh_from_db()
    assert (sent.state, sent.code) == ("delivered", "DELIVRD")
    assert sent.ended_at is not None


def test_the_same_receipt_again_changes_nothing(sent: Delivery) -> None:
    post(receipt(sent), receipt(sent))
    before = Delivery.objects.values().get()
    assert post(receipt(sent)).json() == {"taken": 0, "known": 1, "unknown": 0}
    assert Delivery.objects.values().get() == before
    assert [step.what for step in sent.steps.all()][-1] == "回执：已送达"
    assert sent.steps.filter(what="回执：已送达").count() == 1


def test_the_same_request_again_is_refused(sent: Delivery) -> None:
    body = json.dumps({"receipts": [receipt(sent)]}).encode()
    headers = signed_headers(app=APP, secret=SECRET, method="POST", path=PATH, body=body)
    assert [post(raw=body, headers=headers).status_code for _ in range(3)] == [200, 401, 401]


def test_the_first_of_two_contradictions_stands(sent: Delivery) -> None:
    post(receipt(sent))
    post(receipt(sent, state="failed", code="UNDELIV"))
    sent.refresh_from_db()
    assert sent.state == "delivered"
    assert "不同的回执" in sent.steps.order_by("-id")[0].what


@pytest.mark.parametrize(
    "changes", [{"message_id": str(uuid4())}, {"message_id": "other"}, {"phone": "13800000009"}, {"provider_id": "p-2"}]
)
def test_receipts_that_do_not_fit_a_message_of_ours(sent: Delivery, changes: dict[str, Any]) -> None:
    assert post(receipt(sent, **changes)).json() == {"taken": 0, "known": 0, "unknown": 1}
    sent.refresh_from_db()
    assert sent.state == "sent"


def test_unsigned_old_and_foreign_requests(sent: Delivery) -> None:
    body = json.dumps({"receipts": [receipt(sent)]}).encode()
    ways: list[dict[str, str]] = [
        {},
        signed_headers(app=APP, secret="guessed", method="POST", path=PATH, body=body),
        signed_headers(app="other", secret=SECRET, method="POST", path=PATH, body=body),
        signed_headers(app=APP, secret=SECRET, method="POST", path="/api/v1/other", body=body),
        signed_headers(app=APP, secret=SECRET, method="POST", path=PATH, body=body + b" "),
        signed_headers(app=APP, secret=SECRET, method="POST", path=PATH, body=body, now=1_000_000_000),
    ]
    answers = [post(raw=body, headers=headers) for headers in ways]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(401, "signature_invalid")}
    sent.refresh_from_db()
    assert sent.state == "sent"


@pytest.mark.parametrize("raw", [b"rubbish", b"[]", b'{"receipts": [{}]}', b'{"receipts": 1}'])
def test_signed_rubbish(raw: bytes) -> None:
    assert post(raw=raw).status_code == 400


def test_without_a_secret_nobody_is_let_in(settings: Any, sent: Delivery) -> None:
    settings.SMS_APP = settings.SMS_SECRET = ""
    body = json.dumps({"receipts": [receipt(sent)]}).encode()
    headers = signed_headers(app="", secret="", method="POST", path=PATH, body=body)
    assert post(raw=body, headers=headers).status_code == 401


def test_own_messages_by_key() -> None:
    parent = User.objects.create_user("parent", password="not-a-real-one")
    send_message(event=ENROLMENT_REGISTERED, key="k", region_id=region("310101").pk, values=VALUES, users=[parent])
    assert Client().get("/api/v1/messages").status_code == 401
    _, token = create_api_key(user=parent, name="小程序")
    found = Client(headers={"authorization": f"Bearer {token}"}).get("/api/v1/messages?unread=true").json()
    assert (found["unread"], [one["title"] for one in found["messages"]]) == (1, ["报名成功：瑞金一路幼儿园"])
