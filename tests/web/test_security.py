"""The desk of who keeps security: who may see it, a check now, its report, and the message when a right was altered."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from geo.jobs.actions import run_job
from geo.jobs.models import Job
from services.access.models import AuditEntry, Grant, User
from services.access.queries import Caller, scope_of
from services.crypto import chain, signed_rows
from services.crypto.programs import sign_programs
from services.kernel.messages.models import Message


@pytest.fixture
def desk(city: Any, client: Client, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Client:
    settings.PROGRAM_MANIFEST, settings.LOG_HEADS = tmp_path / "manifest", tmp_path / "heads"
    settings.ROOT, settings.DEVICE_LOGS, settings.DEVICE_CONTROLS = tmp_path, [], []
    (tmp_path / "run").write_text("run")
    monkeypatch.setattr(chain, "LAG", dt.timedelta(0))
    signed_rows._known.clear()
    cache.clear()
    from services.access.demo import make_demo_accounts

    make_demo_accounts()
    client.force_login(User.objects.get(username="shi"))
    return client


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_check_now_is_shown_part_by_part(desk: Client) -> None:
    assert "还没有核查过" in text(desk.get("/desk/security"))
    sign_programs()
    answer = desk.post("/desk/security/check", follow=True)
    assert "正在核查" in text(answer)
    assert answer["Refresh"] == "3"
    desk.post("/desk/security/check")
    job = Job.objects.get(kind="security.check")  # of two clicks one check
    assert AuditEntry.objects.filter(act="integrity_checked", actor="shi").count() == 1
    run_job(job_id=job.pk)
    shown = text(answer := desk.get("/desk/security"))
    assert "Refresh" not in answer
    assert "全部通过" in shown
    for part in ("重要程序", "设备日志和访问控制", "角色和授权", "登录鉴别数据", "审计和业务日志", "加密内容"):
        assert part in shown
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE access_grant SET granted_by = 'x' WHERE user_id = (SELECT id FROM access_user WHERE username = 'qu')"
        )
    desk.post("/desk/security/check")
    run_job(job_id=Job.objects.filter(kind="security.check").first().pk)  # type: ignore[union-attr]
    shown = text(desk.get("/desk/security"))
    assert "1 处问题" in shown
    assert "与签名不符" in shown
    assert Message.objects.filter(recipient__username="shi", event="security.check_failed").count() == 1


def test_an_altered_right_is_told_to_who_keeps_security(desk: Client) -> None:
    thief = User.objects.get(username="jumin")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE access_grant SET role_id = 'city_manager' WHERE user_id = %s", [thief.pk])
    assert Grant.objects.get(user=thief).role_id == "city_manager"
    for _ in range(3):
        assert scope_of(Caller(user=thief)).duties == frozenset()
    (message,) = Message.objects.filter(event="security.tampered")
    assert message.recipient.username == "shi"
    assert "city_manager" in message.body
    assert AuditEntry.objects.filter(act="tampered").count() == 1


@pytest.mark.parametrize("name", ["qu", "jiezhen", "jumin"])
def test_others_see_nothing(desk: Client, name: str) -> None:
    desk.force_login(User.objects.get(username=name))
    for answer in (desk.get("/desk/security"), desk.post("/desk/security/check")):
        assert answer.status_code == 403
    assert "密码安全" not in text(desk.get("/desk"))


def test_a_keystore_that_is_gone_is_said_and_the_page_stands(desk: Client, settings: Any, tmp_path: Path) -> None:
    settings.KEYSTORE, settings.KEYSTORE_MADE_HERE = tmp_path / "absent", False
    answer = desk.get("/desk/security")
    assert answer.status_code == 200
    assert "读不到密钥库" in text(answer)
