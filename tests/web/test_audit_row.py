"""What administrators do at the desk, traced from the page to the audit, and held to: seen, counted, warned of, unaltered."""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from services.access.models import AuditEntry, User
from services.crypto import chain
from services.kernel.logs import alerting
from services.kernel.logs.models import Alert, LogLine
from tests.services.kernel.logs.conftest import collect_all, logs
from tests.web.test_log_centre import desk, district, of_district, text, written

__all__ = ["desk", "district", "logs", "written"]
RULE = {
    "name": "越权", "kind": "count", "by": "actor", "minutes": "10", "threshold": "1", "least": "1",
    "acts": ["audit.refused"], "active": "1", "seen": "0", "outcome": "", "source": "",
}  # fmt: skip


def line_of(act: str, **more: Any) -> LogLine:
    """Return the newest line of an act."""
    return LogLine.objects.filter(act=act, **more).latest("at", "id")


def found(capsys: Any) -> list[str]:
    """Run the command that verifies the logs, and return what it found."""
    with suppress(SystemExit):
        call_command("verify", "--json", "logs")
    told = json.loads(capsys.readouterr().out)
    return [finding["text"] for section in told["sections"] for finding in section["findings"]]


@pytest.mark.covers("PRE-ENR-12e", via="services.kernel.logs.collecting:collect_logs")
def test_acts_of_administrators_are_traced_open_to_the_house_and_held_to_the_rules(
    desk: Client, district: Client, written: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(chain, "LAG", dt.timedelta(0))
    assert "已保存“越权”" in text(desk.post("/desk/logs/rules/new", RULE, follow=True))
    # 管理后台的操作: an account made, a place closed, a ledger taken along, settings; and what was not theirs to do
    place = of_district()
    made = district.post("/desk/accounts/new", {
        "username": "li.clerk", "display_name": "李经办", "role": "street_clerk", "place": "310101",
    })  # fmt: skip
    closed = {"status": "suspended", "reason": "消防整改", "effective_on": ""}
    stopped = district.post(f"/desk/facilities/{place.pk}/status", closed)
    first, second = (desk.post("/desk/settings", {"navigation_app": app}) for app in ("baidu_web", "amap_web"))
    assert [answer.status_code for answer in (made, stopped, first, second)] == [200, 302, 302, 302]
    taken = district.get("/desk/ledgers/facilities/export?format=csv")
    assert b"".join(taken.streaming_content)
    for close in taken._resource_closers:  # ``close`` would end the transaction of the test as well
        close()
    for _ in range(2):
        assert district.get("/desk/preloads").status_code == 403
    collect_all()

    # 审计追踪: every act stands in the log of who did it, and every form that was sent by its request
    for actor, words in (
        ("qu", ("建立账号", "授权", "修改服务设施", "导出台账", "无权访问")), ("shi", ("设置日志告警", "修改系统设置")),
    ):  # fmt: skip
        page = text(desk.get("/desk/logs", {"actor": actor}))
        assert [word for word in words if word not in page] == []
    for actor, answer, route in (
        ("qu", made, "desk/accounts/new"), ("qu", stopped, "desk/facilities/"),
        ("shi", first, "desk/settings"), ("shi", second, "desk/settings"),
    ):  # fmt: skip
        sent = line_of("request.write", request_id=answer["X-Request-Id"])
        shown = text(desk.get(f"/desk/logs/{sent.pk}"))
        assert [word for word in ("提交请求", actor, route) if word not in shown] == []
    # with when it was, what stood there before and after, and by which request
    line = line_of("facility.changed", object_id=str(place.pk))
    shown = text(desk.get(f"/desk/logs/{line.pk}"))
    assert (line.actor, line.request_id) == ("qu", stopped["X-Request-Id"])
    assert [
        word for word in (place.name, "<del>开放</del>", "<ins>暂停服务</ins>", "提交请求") if word not in shown
    ] == []
    assert f"{timezone.localtime(line.at):%H:%M:%S}" in shown
    assert "状态：开放 → 暂停服务" in desk.get("/desk/logs/found.csv", {"actor": "qu"}).getvalue().decode("utf-8-sig")
    body = desk.get("/desk/logs/found.csv", {"actor": "qu"}).getvalue().decode("utf-8-sig")
    assert {"建立账号", "授权", "导出台账", "无权访问"} <= {row[1] for row in csv.reader(io.StringIO(body))}

    # 透明: the district sees what was done in it, who is no auditor sees nothing, and looking is itself written down
    assert "修改服务设施" in text(district.get("/desk/logs", {"actor": "qu"}))
    stranger = Client()
    stranger.force_login(User.objects.get(username="jiezhen"))
    assert stranger.get("/desk/logs").status_code == 403
    assert AuditEntry.objects.filter(act="logs_exported", actor="shi").exists()

    # 合规: counted by person, warned of when the rule is broken, and nothing of it can be altered or removed unseen
    figures = html.unescape(text(desk.get("/desk/logs/figures", {"by": "actor"})))
    assert re.search(r"actor=qu\b", figures)
    alerting.judge_rules()
    assert Alert.objects.get(rule__name="越权").count == LogLine.objects.filter(act="audit.refused", actor="qu").count()
    assert "越权" in text(desk.get("/desk/logs/alerts"))
    assert found(capsys) == []
    granted = AuditEntry.objects.filter(act="role_granted", actor="qu").latest("pk")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE access_auditentry SET actor = 'shi' WHERE id = %s", [granted.pk])
    (named,) = found(capsys)
    assert str(granted.pk) in named
