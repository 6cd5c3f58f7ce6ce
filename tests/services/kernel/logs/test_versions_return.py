"""Rules, forms and flows return to an earlier version: it is published anew, by a second person's word, and nothing is lost."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from geo.errors import Conflict
from geo.scope import Scope
from services.kernel.forms.models import FormVersion
from services.kernel.forms.versions.actions import begin_draft
from services.kernel.forms.versions.actions import publish_version as publish_form
from services.kernel.logs.models import LogLine, Undo
from services.kernel.logs.rolling_back import ask_undo, decide_undo, plan_undo
from services.kernel.rules.actions import open_draft, publish_version, save_sheet
from services.kernel.rules.models import RuleVersion
from services.kernel.rules.queries import sheet_kept
from services.kernel.workflow import configuring
from services.kernel.workflow.models import FlowVersion
from tests.services.kernel.logs.conftest import collect_all
from tests.services.kernel.rules import tables
from tests.services.kernel.rules.conftest import declared
from tests.services.kernel.workflow.conftest import World, world
from tests.services.kernel.workflow.conftest import scope as scope_of_user

__all__ = ["world"]
DUTIES = frozenset(
    {
        "logs.view", "logs.roll_back", "logs.roll_back_alone", "rules.view", "rules.edit", "forms.view", "forms.configure",
        "cases.configure",
    }
)  # fmt: skip
ONE = Scope(paths=("310000.",), duties=DUTIES, actor="shi")
TWO = Scope(paths=("310000.",), duties=DUTIES, actor="qu")


def undone(kind: str, act: str) -> Undo:
    """Undo the last act of a kind, by the word of two people."""
    collect_all()
    line = LogLine.objects.filter(object_kind=kind, act=act).latest("id")
    plan = plan_undo(line, scope=ONE)
    assert plan.second, "one person alone may not undo what acts on everybody"
    undo = ask_undo(pk=line.pk, reason="改错了", seen=0, scope=ONE)
    return decide_undo(undo_id=undo.pk, agree=True, note="", scope=TWO)


@pytest.mark.usefixtures("logs")
def test_rules_hold_again_as_a_new_version() -> None:
    with declared(tables.spec()):
        for row in ("- | - | - => 街镇经办 | 1", "- | - | - => 街镇经办 | 2"):
            draft = open_draft(key="test.who", region="310000", scope=ONE)
            draft = save_sheet(version_id=draft.pk, sheet=tables.sheet(row), seen=draft.revision, scope=ONE)
            publish_version(
                version_id=draft.pk,
                seen=draft.revision,
                from_day=timezone.localdate(),
                reason="新",
                accept=True,
                scope=ONE,
            )
        collect_all()
        line = LogLine.objects.filter(act="rule.published").latest("id")
        draft = open_draft(key="test.who", region="310000", scope=ONE)
        assert "没有发布的草稿" in _refusal_of(line)
        draft.delete()
        undone("rule", "rule.published")
        sheets = [sheet_kept(row).lines[0].results for row in RuleVersion.objects.order_by("number")]
        assert sheets == [("街镇经办", "1"), ("街镇经办", "2"), ("街镇经办", "1")]
        assert "之后又发布了第 3 版" in plan_undo(line, scope=ONE).refusal
        undone("rule", "rule.published")  # and the undoing of it
        assert sheet_kept(RuleVersion.objects.latest("number")).lines[0].results == ("街镇经办", "2")


def _refusal_of(line: LogLine) -> str:
    """Return why a change cannot be undone, found before or only by the act itself."""
    plan = plan_undo(line, scope=ONE)
    if plan.refusal:
        return plan.refusal
    undo = ask_undo(pk=line.pk, reason="x", seen=0, scope=ONE)
    with pytest.raises(Conflict) as raised:
        decide_undo(undo_id=undo.pk, agree=True, note="", scope=TWO)
    decide_undo(undo_id=undo.pk, agree=False, note="先处理草稿", scope=TWO)
    return raised.value.message


@pytest.mark.usefixtures("logs")
def test_a_form_counts_again_as_a_new_version() -> None:
    for _ in range(2):
        draft = begin_draft(form="enrolment", entry="local", region="310101", scope=ONE)
        publish_form(version_id=draft.pk, seen=draft.version, scope=ONE)
    place = FormVersion.objects.latest("pk").region_id
    undone("form", "form.published")
    rows = FormVersion.objects.filter(region=place).order_by("number")
    assert [row.state for row in rows] == ["published"] * 3
    newest = rows.last()
    assert newest is not None
    assert newest.composition == rows[0].composition
    assert newest.note == "回退：改错了"


def test_an_earlier_flow_is_taken_up_again(
    world: World,  # noqa: F811
    settings: Any,
    tmp_path: Path,
) -> None:
    settings.DEVICE_LOGS = []
    running = world.open()
    first = FlowVersion.objects.get(matter="service_point")
    scope = scope_of_user(world.shi)
    draft = configuring.save_flow(
        matter="service_point", region="310000", xml=first.xml, note="新", seen=first.number, scope=scope
    )
    configuring.publish_flow(version_id=draft.pk, scope=scope)
    collect_all()
    line = LogLine.objects.filter(act="flow.published", object_id=str(draft.pk)).get()
    assert plan_undo(line, scope=ONE).findings == ["将重新启用第 1 版，新办件用它。"]
    undone("flow", "flow.published")
    states = dict(FlowVersion.objects.values_list("number", "state"))
    assert states == {1: "published", 2: "retired"}
    running.refresh_from_db()
    assert running.flow_id == first.pk
    # a case itself is not rolled back here; its own acts are named
    (opened,) = LogLine.objects.filter(act="case.open")
    assert "撤回办理" in plan_undo(opened, scope=ONE).refusal
    assert opened.at <= timezone.now() + dt.timedelta(seconds=1)
