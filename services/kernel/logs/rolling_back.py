"""Undoing a change: what it was, what stands in the way, who must agree, and the owner's own action that does it.

Nothing is taken out of history: an undone change is followed by a new one, which can be undone in its turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from geo.errors import BadInput, CityError, Conflict, Forbidden, NotFound
from geo.regions.models import RegionVersion
from geo.regions.queries import current_city, within
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.queries import check_duty, users_holding
from services.kernel.logs.message_events import UNDO_ASKED
from services.kernel.logs.models import LogLine, NotedChange, Undo, UndoState
from services.kernel.logs.queries import later_changes, line_seen
from services.kernel.logs.reading import NOTED
from services.kernel.logs.registry import kind_words, tracked_named
from services.kernel.logs.spec import Rollback, Tracked
from services.kernel.logs.wording import label_of, worded
from services.kernel.messages.actions import send_message
from services.kernel.messages.choosing import chain_of

ROLL_BACK: Final = "logs.roll_back"
ALONE: Final = "logs.roll_back_alone"


@dataclass(frozen=True, slots=True)
class Difference:
    """One column of a change as people read it: before, after, and what it says now where that is something else."""

    label: str
    before: str
    after: str
    now: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What undoing a change would do: differences, sentences to know before, the reason it cannot be done ('' where it can)."""

    line: LogLine
    table: Tracked | None
    differences: list[Difference]
    findings: list[str]
    refusal: str
    second: bool
    waiting: Undo | None


def plan_undo(line: LogLine, *, scope: Scope) -> Plan:
    """Return what undoing a change would do, with later changes of the same columns and what its owner says of it."""
    table = tracked_named(line.object_kind)
    waiting = Undo.objects.filter(line=line.pk, state=UndoState.WAITING).first()
    differences, findings, refusal = differences_of(line), [], ""
    rollback = table.rollback if table else None
    if table is None or rollback is None:
        refusal = (table.instead if table else "") or "这类数据不能在日志中心回退，请到它自己的页面修改。"
    elif not line.changes or line.act.endswith(".deleted"):
        refusal = "删除的数据不能自动恢复，请按下面的内容重新登记。" if line.changes else "这条日志没有改动数据。"
    elif not scope.holds(ROLL_BACK) or not scope.holds(rollback.duty):
        refusal = "您的账号没有回退这类数据的权限。需要的话可向上级管理员申请。"
    else:
        try:
            before, after = _values(line)
            findings = [*_conflicts(line, scope), *_owner_says(rollback, line, before, after)]
        except CityError as fault:
            refusal = fault.message
    second = bool(rollback and (not rollback.alone or not scope.holds(ALONE)))
    return Plan(line, table, differences, findings, refusal, second, waiting)


def differences_of(line: LogLine) -> list[Difference]:
    """Return the columns of a change as people read them, with what stands there now."""
    table = tracked_named(line.object_kind)
    now = _row_now(table, line.object_id) if table and line.changes else {}
    kind, found = line.object_kind, []
    for key, (before, after) in (line.changes or {}).items():
        became, stands = worded(kind, key, after), worded(kind, key, now[key]) if key in now else ""
        found.append(
            Difference(label_of(kind, key), worded(kind, key, before), became, stands if stands != became else "")
        )
    return found


@transaction.atomic
def ask_undo(*, pk: int, reason: str, seen: int, scope: Scope, request: HttpRequest | None = None) -> Undo:
    """Undo a change, or ask for it where a second person has to agree; return what was asked.

    ``seen`` is how many later changes of the object there were when the plan was read. Needs ``logs.roll_back`` and the owner's
    duty. Raises ``Conflict`` when the object changed meanwhile, or it cannot be undone; ``BadInput`` without a reason.
    """
    line = line_seen(pk, scope=scope)
    plan = plan_undo(line, scope=scope)
    reason = reason.strip()
    if plan.refusal:
        raise Conflict("undo_refused", plan.refusal)
    if not reason or len(reason) > 300:
        raise BadInput("reason_missing", "请写明为什么回退，300 字以内，方便以后查看。", field="reason")
    if plan.waiting:
        raise Conflict("undo_waits", f"{plan.waiting.asked_by} 已经申请回退这个改动，正在等他人确认。")
    if len(later_changes(line, scope=scope)) != seen:
        raise Conflict("object_changed", "您查看期间这个对象又有改动。请刷新页面，核对后再回退。")
    try:
        with transaction.atomic():
            undo = Undo.objects.create(
                line=line.pk, line_at=line.at, kind=line.object_kind, object_id=line.object_id,
                object_name=line.object_name, region_id=line.region_id, changes=line.changes, found=plan.findings,
                reason=reason, asked_by=scope.actor,
            )  # fmt: skip
    except IntegrityError:
        raise Conflict("undo_waits", "别人刚申请回退这个改动，正在等他人确认。") from None
    if plan.second:
        _tell_others(undo)
    else:
        _carry_out(undo, line, scope, request)
    return undo


@transaction.atomic
def decide_undo(*, undo_id: UUID, agree: bool, note: str, scope: Scope, request: HttpRequest | None = None) -> Undo:
    """Agree to what another asked, which is done then, or refuse it with a note.

    Raises ``Forbidden`` to the one who asked, ``Conflict`` where it was decided, or can be undone no more.
    """
    check_duty(scope, ROLL_BACK)
    undo = undos_visible(scope=scope).select_for_update(of=("self",)).filter(pk=undo_id).first()
    if undo is None:
        raise NotFound("undo_unknown", "没有找到这个回退申请，可能不在您的管辖范围内。")
    if undo.state != UndoState.WAITING:
        raise Conflict("undo_decided", f"这个申请已由 {undo.decided_by} 处理，请刷新页面。")
    if undo.asked_by == scope.actor:
        raise Forbidden("undo_own", "回退要由另一位管理员确认，不能确认自己的申请。")
    undo.note = note.strip()[:300]
    if agree:
        line = line_seen(undo.line, scope=scope, at=undo.line_at)
        plan = plan_undo(line, scope=scope)
        if plan.refusal:
            raise Conflict("undo_refused", plan.refusal)
        _carry_out(undo, line, scope, request)
        return undo
    if not undo.note:
        raise BadInput("note_missing", "不同意要写明原因，申请人会看到。", field="note")
    undo.state, undo.decided_by, undo.decided_at = UndoState.REFUSED, scope.actor, timezone.now()
    undo.save()
    return undo


def undos_visible(*, scope: Scope) -> QuerySet[Undo]:
    """Return what was undone or is to be, of the scope's regions, the newest first."""
    check_duty(scope, "logs.view")
    return Undo.objects.filter(within(scope))


def undone_of(kind: str, object_id: int) -> QuerySet[Undo]:
    """Return what the log centre took back of one object, the newest first, for whoever may see that object's own history.

    The caller has asked for the object by its scope.
    """
    return Undo.objects.filter(kind=kind, object_id=str(object_id), state=UndoState.DONE)


def _carry_out(undo: Undo, line: LogLine, scope: Scope, request: HttpRequest | None) -> None:
    table = tracked_named(line.object_kind)
    assert table is not None
    assert table.rollback is not None
    before, after = _values(line)
    _named(table.rollback.restore)(pk=line.object_id, before=before, after=after, scope=scope, reason=undo.reason)
    undo.state, undo.decided_by, undo.decided_at = UndoState.DONE, scope.actor, timezone.now()
    undo.save()
    detail = {
        "kind": undo.kind,
        "object": undo.object_id,
        "line": undo.line,
        "reason": undo.reason,
        "by": undo.asked_by,
    }
    record_audit(act=AuditAct.ROLLED_BACK, actor=scope.actor, request=request, detail=detail)


def _tell_others(undo: Undo) -> None:
    """Tell who else may agree: those who may undo changes over the region of the object, or one above it."""
    region = undo.region_id or current_city_region()
    if region is None:
        return
    holders = users_holding(ROLL_BACK, region_ids=chain_of(region))
    if users := [each for each in holders if each.username != undo.asked_by]:
        subject = f"{kind_words().get(undo.kind, undo.kind)} {undo.object_name}"[:80]
        values = {"申请人": undo.asked_by, "对象": subject, "原因": undo.reason[:90]}
        send_message(
            event=UNDO_ASKED, key=f"{UNDO_ASKED}:{undo.pk}", region_id=region, values=values, users=users,
            link="/desk/logs/undos", actor=undo.asked_by,
        )  # fmt: skip


def current_city_region() -> int | None:
    """Return the region of the whole city, none before boundaries are published."""
    rows = RegionVersion.objects.filter(edition__state="published", code=current_city().code)
    return rows.values_list("region_id", flat=True).first()


def _owner_says(rollback: Rollback, line: LogLine, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    if not rollback.checks:
        return []
    found: list[str] = _named(rollback.checks)(pk=line.object_id, before=before, after=after)
    return found


def _conflicts(line: LogLine, scope: Scope) -> list[str]:
    """Say which columns of a change were changed again since; undoing sets them to what was before this change."""
    found = []
    for later in later_changes(line, scope=scope):
        again = [label_of(line.object_kind, key) for key in (later.changes or {}) if key in (line.changes or {})]
        if again:
            at = timezone.localtime(later.at)
            found.append(
                f"{at:%-m月%-d日 %H:%M} {later.actor or '系统'} 又改过“{'、'.join(again)}”，回退会盖掉那次改动。"
            )
    return found


def _values(line: LogLine) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the changed columns before and after, as they are kept at their source: the line itself shows numbers masked."""
    table = tracked_named(line.object_kind)
    assert table is not None
    keys = list(line.changes or {})
    if line.source == NOTED:
        noted = NotedChange.objects.filter(pk=line.source_id).first()
        if noted is None:
            raise Conflict("change_gone", "这次改动的原始记录已过保存期限，不能回退。")
        return (
            {key: (noted.before or {}).get(key) for key in keys},
            {key: (noted.after or {}).get(key) for key in keys},
        )
    model = apps.get_model(table.model)
    events = model.pgh_event_model.objects
    event = events.filter(pgh_id=line.source_id).first()
    if event is None:
        raise Conflict("change_gone", "这次改动的原始记录已过保存期限，不能回退。")
    later = events.filter(pgh_obj_id=event.pgh_obj_id, pgh_id__gt=event.pgh_id).order_by("pgh_id").first()
    became = later or model._default_manager.filter(pk=event.pgh_obj_id).first()
    return ({key: getattr(event, key, None) for key in keys}, {key: getattr(became, key, None) for key in keys})


def _row_now(table: Tracked, pk: str) -> dict[str, Any]:
    row = apps.get_model(table.model)._default_manager.filter(pk=pk).values(*table.fields).first()
    return dict(row or {})


def _named(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found
