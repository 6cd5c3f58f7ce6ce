"""The log centre through its pages: what arrives, how it is found, undone, counted, warned of and kept."""

from __future__ import annotations

import csv
import datetime as dt
import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as house
from django.test import Client

from geo.imports.models import CURRENT
from geo.regions.queries import within
from geo.scope import Scope
from geo.tracing import request_of
from services.access.models import AuditEntry, User
from services.access.queries import Caller, scope_of
from services.facilities.actions import update_facility
from services.facilities.models import Facility
from services.integrations.faults import NotReached
from services.integrations.http import Upstream, ask
from services.kernel.logs import alerting
from services.kernel.logs.models import Alert, LogLine, Undo
from services.kernel.logs.storage import month_of, partitions
from services.kernel.messages.models import Message
from tests.services.kernel.logs.conftest import collect_all, logs

__all__ = ["logs"]


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.fixture
def desk(logs: Path, client: Client) -> Client:
    client.force_login(User.objects.get(username="shi"))
    return client


@pytest.fixture
def district(logs: Path) -> Client:
    other = Client()
    other.force_login(User.objects.get(username="qu"))
    return other


@pytest.fixture
def written(logs: Path) -> Iterator[Path]:
    """Write what the house logs to the file that is collected, as the processes of the city do."""
    handler = logging.FileHandler(logs, encoding="utf-8")
    options = dict(house.LOGGING["formatters"]["json"])
    handler.setFormatter(options.pop("()")(**options))
    names = [logging.getLogger(name) for name in ("quantu.request", "services.integrations.http", "django.request")]
    levels = [log.level for log in names]
    for log in names:
        log.addHandler(handler)
        log.setLevel(logging.INFO)
    yield logs
    for log, level in zip(names, levels, strict=True):
        log.removeHandler(handler)
        log.setLevel(level)
    handler.close()


def scope_named(name: str) -> Scope:
    return scope_of(Caller(User.objects.get(username=name)))


def of_district() -> Facility:
    """Return a facility within the demo district's region."""
    found = Facility.objects.filter(within(scope_named("qu")), CURRENT).order_by("pk").first()
    assert found is not None
    return found


def elsewhere() -> Facility:
    """Return a facility outside of it."""
    own = Facility.objects.filter(within(scope_named("qu"))).values("pk")
    found = Facility.objects.filter(CURRENT).exclude(pk__in=own).order_by("pk").first()
    assert found is not None
    return found


def changed(facility: Facility, **changes: Any) -> LogLine:
    update_facility(facility_id=facility.pk, changes=changes, scope=scope_named("shi"))
    collect_all()
    return LogLine.objects.filter(object_kind="facility", object_id=str(facility.pk)).latest("at", "id")


@pytest.mark.covers("ELD-BPL-44", via="services.kernel.logs.collecting:collect_logs")
def test_an_act_is_collected_stored_found_counted_warned_of_and_undone(desk: Client) -> None:
    """日志收集、存储、业务回退、日志搜索、统计分析、日志警告: one act on its way through the whole centre."""
    facility = of_district()
    before = facility.name
    rule = {
        "name": "改了设施", "kind": "count", "by": "actor", "minutes": "10", "threshold": "1", "least": "1",
        "acts": ["facility.changed"], "active": "1", "seen": "0", "outcome": "", "source": "",
    }  # fmt: skip
    assert "已保存“改了设施”" in text(desk.post("/desk/logs/rules/new", rule, follow=True))
    for change in ({"phone": "021-12345678"}, {"name": "写错的名字"}):
        update_facility(facility_id=facility.pk, changes=change, scope=scope_named("shi"))
    search = {"actor": "shi", "object_kind": "facility", "object_id": str(facility.pk)}
    assert "没有符合这些条件" in text(desk.get("/desk/logs", search)), "nothing is there before it is collected"
    # 收集, 存储: the line lies in the partition of its class and month, which the page lists with its size
    collect_all()
    line = LogLine.objects.filter(object_id=str(facility.pk), act="facility.changed").latest("at", "id")
    (kept,) = [each for each in partitions() if (each.kept, each.month) == ("business", month_of(line.at))]
    stored = text(desk.get("/desk/logs/storage"))
    assert f"{kept.month:%Y}" in stored
    assert "保存 60 个月" in stored
    # 日志搜索: found by who did it and to what, and by no other
    assert "修改服务设施" in text(desk.get("/desk/logs", search))
    assert "没有符合这些条件" in text(desk.get("/desk/logs", search | {"actor": "nobody"}))
    # 统计分析: counted by act, with the way down to the lines
    figures = text(desk.get("/desk/logs/figures", {"by": "act"}))
    assert "修改服务设施" in figures
    assert "act=facility.changed" in figures
    # 日志警告: the rule of before warns of it, on the page and as a message
    alerting.judge_rules()
    assert Alert.objects.get(rule__name="改了设施").count == 2
    assert "改了设施" in text(desk.get("/desk/logs/alerts"))
    assert Message.objects.filter(event="logs.alert", title__contains="改了设施").exists()
    # 业务回退: the change is taken back by a new one, which is collected too
    assert f"<del>{before}</del>" in text(desk.get(f"/desk/logs/{line.pk}"))
    done = desk.post(f"/desk/logs/{line.pk}/undo", {"reason": "录入有误", "seen": "0"}, follow=True)
    assert "已回退" in text(done)
    facility.refresh_from_db()
    assert facility.name == before
    collect_all()
    assert LogLine.objects.filter(object_id=str(facility.pk), changes={"name": ["写错的名字", before]}).exists()


def test_what_happens_is_collected_kept_and_found(desk: Client, district: Client, written: Path) -> None:
    """日志收集、存储、日志搜索."""
    facility = of_district()
    posted = desk.post("/desk/settings", {"navigation_app": "baidu_web"})
    number = posted["X-Request-Id"]
    with request_of(number), pytest.raises(NotReached):
        ask(Upstream("sms", "短信平台", "http://127.0.0.1:9", inside=True), "GET", "/x")
    changed(facility, phone="13812345678")
    shown = text(desk.get("/desk/logs", {"request": number}))
    assert "调用外部系统" in shown
    assert "提交请求" in shown
    assert ">失败<" in shown
    # 收集: one shape from audit, history, machine; the number masked, before and after
    assert "修改服务设施" in (page := text(desk.get("/desk/logs", {"text": facility.name})))
    assert facility.name in page
    line = LogLine.objects.filter(object_kind="facility").latest("id")
    one = text(desk.get(f"/desk/logs/{line.pk}"))
    assert "138****5678" in one
    assert "13812345678" not in one
    # 存储: it lies in the partition of its class and month, and the page says how large that is
    assert any((each.kept, each.month) == ("business", month_of(line.at)) for each in partitions())
    stored = text(desk.get("/desk/logs/storage"))
    assert "保存 60 个月" in stored
    assert "台账导入的历史" not in stored
    assert "审计记录" in stored
    # 日志搜索: by person, object, act, outcome, region, time; scope; export
    for asked in (
        {"actor": "shi"},
        {"object_kind": "facility", "object_id": str(facility.pk)},
        {"act": "facility.changed"},
        {"channel": "task"} if line.channel == "task" else {"channel": "page"},
        {"since": "2020-01-01", "outcome": "done", "kept": "business"},
        {"region": "310000"},
    ):
        assert "修改服务设施" in text(desk.get("/desk/logs", asked)), asked
    assert "没有符合这些条件" in text(desk.get("/desk/logs", {"actor": "nobody"}))
    assert "修改服务设施" in text(district.get("/desk/logs", {"act": "facility.changed"}))
    far = elsewhere()
    hidden = changed(far, phone="021-12345678")
    assert district.get(f"/desk/logs/{hidden.pk}").status_code == 404
    assert far.name not in text(district.get("/desk/logs", {"act": "facility.changed"}))
    rows = list(csv.reader(io.StringIO(desk.get("/desk/logs/found.csv", {"text": facility.name}).getvalue().decode())))
    assert rows[0][1] == "做了什么"
    assert any(row[4] == facility.name for row in rows[1:])
    assert AuditEntry.objects.filter(act="logs_exported", actor="shi").exists()


def test_a_change_is_undone_by_a_new_change_and_the_undoing_too(desk: Client, district: Client) -> None:
    """业务回退."""
    facility = of_district()
    before = facility.name
    line = changed(facility, name="写错的名字")
    shown = text(desk.get(f"/desk/logs/{line.pk}"))
    assert f"<del>{before}</del>" in shown
    assert "没有发现冲突" in shown
    assert "请写明为什么回退" in text(desk.post(f"/desk/logs/{line.pk}/undo", {"reason": "", "seen": "0"}))
    done = desk.post(f"/desk/logs/{line.pk}/undo", {"reason": "录入有误", "seen": "0"}, follow=True)
    assert "已回退" in text(done)
    facility.refresh_from_db()
    assert facility.name == before
    collect_all()
    # the history of the place itself tells of it too
    history = text(desk.get(f"/desk/places/{facility.pk}/history"))
    assert "在业务日志里回退的" in history
    assert "原因：录入有误" in history
    undoing = LogLine.objects.filter(object_kind="facility").latest("id")
    assert undoing.changes == {"name": ["写错的名字", before]}  # a change of its own; the first one is still there
    assert LogLine.objects.filter(pk=line.pk).exists()
    # what changed in between is said, and refuses who did not see it
    assert "又改过“名称”" in text(desk.get(f"/desk/logs/{line.pk}"))
    assert "又有改动" in text(desk.post(f"/desk/logs/{line.pk}/undo", {"reason": "再来", "seen": "0"}))
    # who may not alone asks a second person; the undo of the undo works
    asked = district.post(f"/desk/logs/{undoing.pk}/undo", {"reason": "原来是对的", "seen": "0"}, follow=True)
    assert "等另一位管理员确认" in text(asked)
    undo = Undo.objects.get(state="waiting")
    facility.refresh_from_db()
    assert facility.name == before
    assert Message.objects.filter(recipient__username="shi", event="logs.undo_asked").exists()
    assert district.post(f"/desk/logs/undos/{undo.pk}", {"act": "agree"}).status_code == 403
    assert "原来是对的" in text(desk.get("/desk/logs/undos"))
    assert "已确认并回退" in text(desk.post(f"/desk/logs/undos/{undo.pk}", {"act": "agree"}, follow=True))
    facility.refresh_from_db()
    assert facility.name == "写错的名字"
    assert AuditEntry.objects.filter(act="rolled_back").count() == 2


def test_lines_are_counted_and_warned_of(desk: Client, client: Client) -> None:
    """统计分析、日志警告."""
    stranger = Client()
    for _ in range(4):
        stranger.post("/sign-in", {"username": "jumin", "password": "wrong"})
    collect_all()
    refused = LogLine.objects.filter(act="audit.sign_in_refused").count()
    assert refused == 4
    figures = text(desk.get("/desk/logs/figures", {"by": "act"}))
    assert "登录被拒" in figures
    assert '<rect class="log-bar"' in figures
    assert "act=audit.sign_in_refused" in figures  # drills down
    assert "登录被拒" in text(desk.get("/desk/logs", {"act": "audit.sign_in_refused"}))
    assert "log-columns" in text(desk.get("/desk/logs/figures", {"by": "time"}))
    for by in ("app", "region", "actor", "outcome"):
        assert desk.get("/desk/logs/figures", {"by": by}).status_code == 200
    # a rule of our own, warned of once, seen to, cleared by itself
    form = {
        "name": "试错密码", "kind": "count", "by": "actor", "minutes": "10", "threshold": "3", "least": "1",
        "acts": ["audit.sign_in_refused"], "active": "1", "seen": "0", "outcome": "", "source": "",
    }  # fmt: skip
    assert "分钟" in text(desk.post("/desk/logs/rules/new", {**form, "minutes": "0"}))
    assert "已保存“试错密码”" in text(desk.post("/desk/logs/rules/new", form, follow=True))
    alerting.judge_rules()
    alerting.judge_rules()
    alert = Alert.objects.get(rule__name="试错密码")
    assert alert.count == 4
    assert (
        Message.objects.filter(event="logs.alert", recipient__username="shi", title__contains="试错密码").count() == 1
    )
    assert "试错密码" in text(desk.get("/desk/logs/alerts"))
    assert "已记下处理情况" in text(
        desk.post(f"/desk/logs/alerts/{alert.pk}/seen", {"note": "已联系本人"}, follow=True)
    )
    LogLine.objects.filter(act="audit.sign_in_refused").update(at=alert.opened_at - dt.timedelta(hours=1))
    alerting.judge_rules()
    alert.refresh_from_db()
    assert alert.cleared_at is not None
    assert "已联系本人" in text(desk.get("/desk/logs/alerts"))
