"""Warnings: rules as data, judged every minute; one open alert for a rule and a subject, cleared by itself, told of once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, F, Max, Min, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from geo.errors import BadInput, Conflict, NotFound
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct, User
from services.access.queries import check_city_duty, users_holding
from services.crypto.identifiers import new_id
from services.kernel.logs.message_events import ALERT
from services.kernel.logs.models import Alert, AlertBy, AlertKind, AlertRule, LogLine, Mark
from services.kernel.logs.registry import act_words, source_words
from services.kernel.logs.rolling_back import current_city_region
from services.kernel.logs.spec import OUTCOMES
from services.kernel.messages.actions import send_message

CONFIGURE: Final = "logs.configure"
VIEW: Final = "logs.view"
PAGE: Final = "/desk/logs/alerts"
MOST_SUBJECTS: Final = 10
"""Of more subjects of one rule at a time, one alert says how many there were."""
MANY: Final = "*"
KNOWN_FOR: Final = dt.timedelta(days=90)
SUBJECTS: Final = {AlertBy.ACTOR: "actor", AlertBy.ADDRESS: "address", AlertBy.OBJECT: "object_id"}
LONGEST: Final = 43_200

_EXPORTS: Final = ["audit.ledger_exported", "audit.list_taken", "audit.data_exported", "audit.logs_exported"]
_REVEALS: Final = ["audit.phone_revealed", "audit.answer_revealed", "audit.file_opened"]
SEEDS: Final[tuple[dict[str, Any], ...]] = (
    {"key": "guessing-account", "name": "同一账号多次登录被拒", "kind": "count", "by": "actor", "threshold": 10,
     "minutes": 10, "acts": ["audit.sign_in_refused", "audit.second_step_refused"]},
    {"key": "guessing-address", "name": "同一地址多次登录被拒", "kind": "count", "by": "address", "threshold": 30,
     "minutes": 10, "acts": ["audit.sign_in_refused"]},
    {"key": "refused-often", "name": "同一账号多次无权访问", "kind": "count", "by": "actor", "threshold": 20, "minutes": 10,
     "acts": ["audit.refused"]},
    {"key": "exports-many", "name": "同一账号频繁导出", "kind": "count", "by": "actor", "threshold": 20, "minutes": 60,
     "acts": _EXPORTS},
    {"key": "reveals-many", "name": "同一账号频繁查看敏感内容", "kind": "count", "by": "actor", "threshold": 50,
     "minutes": 60, "acts": _REVEALS},
    {"key": "new-place", "name": "账号从陌生地址登录", "kind": "new_place", "by": "actor", "minutes": 60,
     "acts": ["audit.sign_in"]},
    {"key": "faults", "name": "系统连续出错", "kind": "count", "by": "all", "threshold": 5, "minutes": 10,
     "acts": ["request.fault"]},
    {"key": "jobs-failed", "name": "后台任务多次失败", "kind": "count", "by": "all", "threshold": 3, "minutes": 60,
     "acts": ["job.failed"]},
    {"key": "upstream-failing", "name": "外部系统调用失败过多", "kind": "rate", "by": "object", "threshold": 50,
     "least": 10, "minutes": 15, "acts": ["upstream.call"]},
    {"key": "client-failing", "name": "接入平台调用失败过多", "kind": "rate", "by": "object", "threshold": 50, "least": 20,
     "minutes": 15, "acts": ["client.call"]},
    {"key": "audit-silent", "name": "审计记录长时间没有到达", "kind": "silent", "source": "audit", "minutes": 1_440},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """A subject for which a rule holds now: how often, and what is to be said of it."""

    subject: str
    count: int
    what: str


def seed_rules() -> None:
    """Write the first rules where the table is empty; from then on they are staff's."""
    if not AlertRule.objects.exists():
        AlertRule.objects.bulk_create([AlertRule(**seed) for seed in SEEDS], ignore_conflicts=True)


def judge_rules(*, now: dt.datetime | None = None) -> list[Alert]:
    """Judge every active rule: open what begins, bring up to date what goes on, clear what ended; return what was opened."""
    moment = now or timezone.now()
    opened: list[Alert] = []
    for pk in AlertRule.objects.filter(active=True).values_list("pk", flat=True):
        opened += _judge(pk, moment)
    Alert.objects.filter(cleared_at=None, rule__active=False).update(cleared_at=moment)
    return opened


@transaction.atomic
def save_rule(
    *, pk: int | None, said: Mapping[str, Any], seen: int, scope: Scope, request: HttpRequest | None = None
) -> AlertRule:
    """Keep a rule, a new one for no ``pk``; ``seen`` is its version the writer saw. Needs ``logs.configure`` over the city.

    Raises ``BadInput``, ``Conflict``, ``NotFound``.
    """
    check_city_duty(scope, CONFIGURE)
    rule = AlertRule(key=f"own-{new_id().hex[-12:]}", version=0)
    if pk is not None:
        found = AlertRule.objects.select_for_update().filter(pk=pk).first()
        if found is None:
            raise NotFound("rule_unknown", "没有找到这条告警规则。")
        if found.version != seen:
            raise Conflict("rule_changed", f"{found.changed_by} 刚改过这条规则，请刷新后核对，再保存。")
        rule = found
    for name, value in _checked(said).items():
        setattr(rule, name, value)
    rule.version, rule.changed_by = rule.version + 1, scope.actor
    rule.save()
    record_audit(act=AuditAct.LOG_RULE_SAVED, actor=scope.actor, request=request, detail={"rule": rule.name})
    return rule


@transaction.atomic
def acknowledge(*, pk: int, note: str, user: User, scope: Scope) -> Alert:
    """Say that somebody sees to an alert, and how; it stays open until its rule no longer holds. Raises ``Conflict``."""
    check_city_duty(scope, VIEW)
    alert = Alert.objects.select_for_update().filter(pk=pk).first()
    if alert is None:
        raise NotFound("alert_unknown", "没有找到这条告警。")
    if alert.seen_at is not None:
        raise Conflict("alert_seen", "这条告警已有人处理，请刷新页面。")
    if not note.strip():
        raise BadInput("note_missing", "请写一句处理情况，例如“已联系本人核实”。", field="note")
    alert.seen_by, alert.seen_at, alert.note = user, timezone.now(), note.strip()[:300]
    alert.save()
    return alert


def alerts_of(*, scope: Scope, open_only: bool = False) -> QuerySet[Alert]:
    """Return alerts, open ones first; they tell of the whole city, so that ``logs.view`` over it is needed."""
    check_city_duty(scope, VIEW)
    rows = Alert.objects.select_related("rule", "seen_by").order_by(
        F("cleared_at").desc(nulls_first=True), "-opened_at"
    )
    return rows.filter(cleared_at=None) if open_only else rows


@transaction.atomic
def _judge(pk: int, now: dt.datetime) -> list[Alert]:
    rule = AlertRule.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
    if rule is None:
        return []  # somebody else is at it
    held = {each.subject: each for each in _bounded(rule, list(_JUDGES[AlertKind(rule.kind)](rule, now)))}
    opened = []
    for alert in rule.alerts.filter(cleared_at=None):
        if found := held.pop(alert.subject, None):
            alert.count, alert.last_at, alert.what = found.count, now, found.what
        else:
            alert.cleared_at = now
        alert.save()
    for found in held.values():
        # what comes and goes is one alert that was not over, and is told of once
        again = rule.alerts.filter(
            subject=found.subject, cleared_at__gt=now - dt.timedelta(minutes=rule.minutes)
        ).first()
        if again is not None:
            again.cleared_at, again.last_at, again.count = None, now, found.count
            again.save()
            continue
        alert = Alert.objects.create(
            rule=rule, subject=found.subject, what=found.what, count=found.count, opened_at=now, last_at=now
        )
        _tell(alert)
        opened.append(alert)
    return opened


def _bounded(rule: AlertRule, held: list[Held]) -> list[Held]:
    if len(held) <= MOST_SUBJECTS:
        return held
    total = sum(each.count for each in held)
    return [
        Held(MANY, total, f"{len(held)} 个{AlertBy(rule.by).label.removeprefix('每个')}同时超过界限，共 {total} 次。")
    ]


def _window(rule: AlertRule, now: dt.datetime) -> QuerySet[LogLine]:
    rows = LogLine.objects.filter(at__gt=now - dt.timedelta(minutes=rule.minutes), at__lte=now)
    if rule.acts:
        rows = rows.filter(act__in=rule.acts)
    if rule.source:
        rows = rows.filter(source=rule.source)
    return rows.filter(outcome=rule.outcome) if rule.outcome and rule.kind != AlertKind.RATE else rows


def _counted(rule: AlertRule, now: dt.datetime) -> list[dict[str, Any]]:
    figures = {"count": Count("id"), "wrong": Count("id", filter=Q(outcome=rule.outcome or "failed"))}
    rows = _window(rule, now)
    if rule.by == AlertBy.ALL:
        return [{"subject": "", **rows.aggregate(**figures)}]
    column = SUBJECTS[AlertBy(rule.by)]
    named = rows.exclude(**{f"{column}__isnull": True}) if column == "address" else rows.exclude(**{column: ""})
    grouped: Any = named.order_by().values(subject=F(column)).annotate(**figures)
    return list(grouped)


def _many(rule: AlertRule, now: dt.datetime) -> list[Held]:
    held = []
    for row in _counted(rule, now):
        if row["count"] > rule.threshold:
            said = f"{_who(row['subject'])}最近 {rule.minutes} 分钟有 {row['count']} 次，超过 {rule.threshold} 次。"
            held.append(Held(str(row["subject"]), row["count"], said))
    return held


def _failing(rule: AlertRule, now: dt.datetime) -> list[Held]:
    held = []
    for row in _counted(rule, now):
        if row["count"] >= max(rule.least, 1) and 100 * row["wrong"] > rule.threshold * row["count"]:
            percent = round(100 * row["wrong"] / row["count"])
            said = f"{_who(row['subject'])}最近 {rule.minutes} 分钟 {row['count']} 次中有 {row['wrong']} 次不成功（{percent}%）。"
            held.append(Held(str(row["subject"]), row["wrong"], said))
    return held


def _silent(rule: AlertRule, now: dt.datetime) -> list[Held]:
    marks = (
        Mark.objects.filter(key__startswith="file:")
        if rule.source == "machine"
        else Mark.objects.filter(key=rule.source)
    )
    last = marks.aggregate(last=Max("arrived_at"))["last"]
    if last is None or now - last < dt.timedelta(minutes=rule.minutes):
        return []
    title = source_words().get(rule.source, rule.source)
    return [Held(rule.source, 1, f"“{title}”自 {timezone.localtime(last):%-m月%-d日 %H:%M} 起没有新的日志到达。")]


def _new_place(rule: AlertRule, now: dt.datetime) -> list[Held]:
    """Return the accounts that signed in lately from where they had not been in ninety days, of those that had been anywhere."""
    held = []
    seen = _window(rule, now).exclude(address=None).exclude(actor="")
    for row in seen.order_by().values("actor", "address").annotate(first=Min("at"), count=Count("id")):
        before = LogLine.objects.filter(
            actor=row["actor"],
            act__in=rule.acts or ["audit.sign_in"],
            at__lt=row["first"],
            at__gt=row["first"] - KNOWN_FOR,
        ).exclude(address=None)
        known = set(before.order_by().values_list("address", flat=True).distinct())
        if known and row["address"] not in known:
            said = f"账号 {row['actor']} 从 {row['address']} 登录，90 天内没有从这里登录过。"
            held.append(Held(f"{row['actor']} {row['address']}", row["count"], said))
    return held


def _who(subject: Any) -> str:
    return f"{subject} " if subject else ""


def _tell(alert: Alert) -> None:
    region = current_city_region()
    if region is None:
        return
    users = users_holding(VIEW, region_ids=[region])
    values = {"规则": alert.rule.name, "情况": alert.what[:180]}
    send_message(event=ALERT, key=f"{ALERT}:{alert.pk}", region_id=region, values=values, users=users, link=PAGE)


def _checked(said: Mapping[str, Any]) -> dict[str, Any]:
    name, kind, by = str(said.get("name", "")).strip(), str(said.get("kind", "")), str(said.get("by", "all"))
    acts, source = [str(act) for act in said.get("acts", ())], str(said.get("source", ""))
    outcome = str(said.get("outcome", ""))
    numbers = {key: _number(said.get(key, "0"), label) for key, label in _NUMBERS.items()}
    if not name or len(name) > 60:
        raise BadInput("name_missing", "请给规则起一个名字，60 字以内。", field="name")
    if kind not in AlertKind.values or by not in AlertBy.values or (outcome and outcome not in OUTCOMES):
        raise BadInput("choice_unknown", "请从列表里选告警方式。", field="kind")
    if set(acts) - act_words().keys() or (source and source not in source_words()):
        raise BadInput("act_unknown", "请从列表里选业务动作和日志来源。", field="acts")
    if kind == AlertKind.SILENT and not source:
        raise BadInput("source_missing", "“长时间没有日志”要选一个日志来源。", field="source")
    if not 1 <= numbers["minutes"] <= LONGEST:
        raise BadInput("minutes_invalid", "时间要在 1 分钟到 30 天（43200 分钟）之间。", field="minutes")
    if kind == AlertKind.RATE and numbers["threshold"] > 99:
        raise BadInput("percent_invalid", "失败比例要写 0 到 99。", field="threshold")
    return {
        "name": name, "kind": kind, "by": by, "acts": acts, "source": source, "outcome": outcome,
        "active": bool(said.get("active")), **numbers,
    }  # fmt: skip


def _number(text: Any, label: str) -> int:
    plain = str(text).strip()
    if not (plain.isascii() and plain.isdigit() and len(plain) < 7):
        raise BadInput("number_invalid", f"{label}要写整数。")
    return int(plain)


_NUMBERS: Final = {"threshold": "界限", "least": "至少条数", "minutes": "分钟数"}
_JUDGES: Final = {
    AlertKind.COUNT: _many,
    AlertKind.RATE: _failing,
    AlertKind.SILENT: _silent,
    AlertKind.NEW_PLACE: _new_place,
}
