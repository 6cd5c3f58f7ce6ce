"""Every kind that can be rolled back returns by its owner's action, says what stands in the way, and can be rolled back again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.scope import Scope
from services.access.models import AuditEntry
from services.facilities.actions import change_status, choose_navigation_app, update_facility
from services.facilities.models import CitySettings, Facility
from services.kernel.logs.models import LogLine, Undo
from services.kernel.logs.registry import tracked_named
from services.kernel.logs.rolling_back import ask_undo, decide_undo, differences_of, plan_undo
from services.kernel.messages.configuring import (
    choose_event,
    save_template,
    set_sending_rule,
    template_versions,
)
from services.kernel.messages.models import EventChoice, SendingRule
from tests.services.kernel.logs.conftest import collect_all

ALL = frozenset(
    {"logs.view", "logs.roll_back", "facilities.edit", "messages.configure", "settings.write", "knowledge.edit"}
)
ALONE = Scope(paths=("310000.",), duties=ALL | {"logs.roll_back_alone"}, actor="shi")
OTHER = Scope(paths=("310000.",), duties=ALL, actor="qu")
pytestmark = pytest.mark.usefixtures("logs")


def last(kind: str) -> LogLine:
    collect_all()
    return LogLine.objects.filter(object_kind=kind).latest("id")


def undone(kind: str, scope: Scope = ALONE) -> Undo:
    return ask_undo(pk=last(kind).pk, reason="录入有误", seen=0, scope=scope)


def test_attributes_return_one_by_one_and_status_with_them() -> None:
    facility = Facility.objects.filter(status="open").order_by("pk")[0]
    before = dict(facility.attributes)
    key = next(key for key, value in sorted(before.items()) if isinstance(value, str) and value)
    change_status(facility_id=facility.pk, status="suspended", scope=ALONE)
    undone("facility")
    facility.refresh_from_db()
    assert facility.status == "open"
    update_facility(facility_id=facility.pk, changes={"attributes": {key: None}}, scope=ALONE)
    line = last("facility")
    update_facility(facility_id=facility.pk, changes={"name": "后来改的名"}, scope=ALONE)
    collect_all()
    ask_undo(pk=line.pk, reason="误删", seen=1, scope=ALONE)
    facility.refresh_from_db()
    assert facility.attributes == before
    assert facility.name == "后来改的名"  # what was changed meanwhile elsewhere stays


def test_a_template_returns_as_a_new_version_and_again() -> None:
    place: dict[str, Any] = {
        "event": "facility.status_changed",
        "channel": "in_app",
        "region": "310000",
        "entry": "",
        "scope": ALONE,
    }
    first = save_template(title="一", body="一 {机构}", seen=0, **place)
    save_template(title="二", body="二 {机构}", seen=1, **place)

    def titles() -> list[str]:
        rows = template_versions("facility.status_changed", "in_app", region_id=first.region_id, entry="")
        return [row.title if row.active else "–" for row in reversed(rows)]

    line = last("message_template")
    assert plan_undo(line, scope=ALONE).findings == ["将把第 1 版的内容另存为第 3 版，从下一条消息起使用。"]
    undone("message_template")
    assert titles() == ["一", "二", "一"]
    undone("message_template")  # the undoing of it
    assert titles() == ["一", "二", "一", "二"]
    assert "之后又有人保存了第 4 版" in plan_undo(line, scope=ALONE).refusal


def test_settings_of_messages_return() -> None:
    choose_event(event="facility.status_changed", region="310000", channels=["in_app"], triggers=[], scope=ALONE)
    assert "第一次设置" in _refused("message_choice")
    choose_event(event="facility.status_changed", region="310000", channels=["sms"], triggers=[], scope=ALONE)
    undone("message_choice")
    assert EventChoice.objects.get().channels == ["in_app"]
    clock = {"quiet_from": dt.time(22), "quiet_to": dt.time(7), "region": "310000", "scope": ALONE}
    set_sending_rule(daily_cap=5, **clock)
    set_sending_rule(daily_cap=9, **{**clock, "quiet_from": dt.time(20)})
    undone("sending_rule")
    rule = SendingRule.objects.get()
    assert (rule.quiet_from, rule.daily_cap) == (dt.time(22), 5)


def _refused(kind: str) -> str:
    with pytest.raises(Conflict) as raised:
        undone(kind)
    return raised.value.message


def test_the_first_choice_for_the_city_is_a_change_too_and_is_undone() -> None:
    """Before it the environment decided: that is what it was changed from, and what it goes back to."""
    choose_navigation_app(app="baidu_web", scope=ALONE)
    line = last("city_settings")
    assert (line.act, line.actor, line.changes) == (
        "city_settings.changed", "shi", {"navigation_app": ["amap_web", "baidu_web"]},
    )  # fmt: skip
    undo = undone("city_settings")
    decide_undo(undo_id=undo.pk, agree=True, note="同意", scope=OTHER)
    assert CitySettings.objects.get().navigation_app == "amap_web"


def test_values_stand_in_words_with_what_stands_now() -> None:
    facility = Facility.objects.filter(status="open", retired_at=None).order_by("pk")[0]
    for status in ("suspended", "closed"):
        change_status(facility_id=facility.pk, status=status, reason="整改", scope=ALONE)
    collect_all()
    first, second = LogLine.objects.filter(act="facility.changed", object_id=str(facility.pk)).order_by("id")
    (told,) = differences_of(first)
    assert (told.label, told.before, told.after, told.now) == ("状态", "开放", "暂停服务", "已关闭")
    assert [(one.before, one.after, one.now) for one in differences_of(second)] == [("暂停服务", "已关闭", "")]
    choose_navigation_app(app="baidu_web", scope=ALONE)
    (told,) = differences_of(last("city_settings"))
    assert (told.label, told.before, told.after) == ("导航应用", "高德地图", "百度地图")
    # A value that is no choice any more stays as it was written.
    first.changes = {"status": ["open", "gone"], "phone": [None, "13812345678"]}
    assert {(one.before, one.after) for one in differences_of(first)} == {("开放", "gone"), ("（空）", "138****5678")}


def test_what_acts_on_the_whole_city_takes_two() -> None:
    choose_navigation_app(app="baidu_web", scope=ALONE)
    choose_navigation_app(app="amap_web", scope=ALONE)
    undo = undone("city_settings")
    assert undo.state == "waiting"
    assert CitySettings.objects.get().navigation_app == "amap_web"
    with pytest.raises(Conflict, match="正在等他人确认"):
        undone("city_settings", OTHER)
    with pytest.raises(Forbidden, match="不能确认自己的申请"):
        decide_undo(undo_id=undo.pk, agree=True, note="", scope=ALONE)
    with pytest.raises(BadInput, match="不同意要写明原因"):
        decide_undo(undo_id=undo.pk, agree=False, note="", scope=OTHER)
    assert decide_undo(undo_id=undo.pk, agree=True, note="同意", scope=OTHER).state == "done"
    assert CitySettings.objects.get().navigation_app == "baidu_web"
    with pytest.raises(Conflict, match="已由 qu 处理"):
        decide_undo(undo_id=undo.pk, agree=True, note="", scope=OTHER)
    entry = AuditEntry.objects.filter(act="rolled_back").latest("id")
    assert (entry.actor, entry.detail["by"], entry.detail["reason"]) == ("qu", "shi", "录入有误")


def test_nobody_undoes_beyond_their_region_or_duty() -> None:
    facility = Facility.objects.order_by("pk")[0]
    update_facility(facility_id=facility.pk, changes={"name": "别处"}, scope=ALONE)
    line = last("facility")
    away = Scope(paths=("310000.999999.",), duties=ALL, actor="x")
    with pytest.raises(NotFound):
        ask_undo(pk=line.pk, reason="x", seen=0, scope=away)
    for missing in ("logs.roll_back", "facilities.edit"):
        with pytest.raises(Conflict, match="没有回退这类数据的权限"):
            ask_undo(pk=line.pk, reason="x", seen=0, scope=Scope(paths=("310000.",), duties=ALL - {missing}, actor="x"))


def test_cases_point_to_their_own_acts() -> None:
    table = tracked_named("case")
    assert table is not None
    assert table.rollback is None
    assert "撤回办理" in table.instead
