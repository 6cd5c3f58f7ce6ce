"""Counts of lines: by act, app, region, person, hour or day, with the share that went wrong and how long things took."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db.models import Avg, CharField, Count, F, Func, Max, Q, Value
from django.db.models.functions import TruncDay, TruncHour
from django.utils import timezone

from geo.errors import BadInput
from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.kernel.logs.models import LogLine
from services.kernel.logs.queries import Asked, lines_found, narrowed, patience
from services.kernel.logs.registry import act_words, app_words

MOST_GROUPS: Final = 30
MOST_DAYS: Final = 366
HOURS_UP_TO: Final = dt.timedelta(days=3)
BY: Final = {
    "act": "业务动作",
    "app": "业务模块",
    "region": "区域",
    "actor": "人员",
    "time": "时间",
    "outcome": "结果",
}


@dataclass(frozen=True, slots=True)
class Group:
    """One bar: what it is called, the question that finds its lines, and its figures; ``share`` is of the largest bar."""

    key: str
    label: str
    count: int
    wrong: int
    refused: int
    slowest: int | None
    mean: int | None
    share: float = 0.0
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    @property
    def wrong_percent(self) -> float:
        """Return how many of a hundred failed."""
        return round(100 * self.wrong / self.count, 1) if self.count else 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a question: in all, and group by group."""

    by: str
    total: Group
    groups: list[Group]
    slowest: list[LogLine]


def figures_of(asked: Asked, by: str, *, scope: Scope) -> Figures:
    """Return the figures of the lines that fit, grouped; the scope's regions only. Raises ``BadInput``."""
    if by not in BY:
        raise BadInput("grouping_unknown", "请从列表里选统计方式。")
    until = asked.until or timezone.now() + dt.timedelta(minutes=1)
    since = asked.since or until - dt.timedelta(days=7)
    if until - since > dt.timedelta(days=MOST_DAYS):
        raise BadInput("span_long", "一次最多统计一年，请缩短时间。")
    rows = lines_found(narrowed(asked, since=since, until=until), scope=scope)
    hourly = until - since <= HOURS_UP_TO
    with patience():
        total = _group("", "合计", rows.aggregate(**_FIGURES))
        if by == "time":
            named = rows.annotate(key=(TruncHour if hourly else TruncDay)("at"))
            ordered: Any = named.order_by().values("key").annotate(**_FIGURES).order_by("key")
            known = {each["key"]: each for each in ordered}
            groups = [_moment(known.get(at, {"key": at, **_NONE}), hourly) for at in _moments(since, until, hourly)]
        else:
            named = rows.annotate(key=_KEYS[by])
            grouped: Any = named.order_by().values("key").annotate(**_FIGURES)
            counted = grouped.order_by("-count", "key")[:MOST_GROUPS]
            groups = _named(by, list(counted))
        slowest = list(rows.filter(ms__isnull=False).order_by("-ms", "-at")[:10])
    most = max((each.count for each in groups), default=0) or 1
    return Figures(by, total, [replace(each, share=each.count / most) for each in groups], slowest)


def _named(by: str, rows: list[dict[str, Any]]) -> list[Group]:
    words: dict[Any, str] = {}
    if by == "act":
        words = dict(act_words())
    elif by == "app":
        words = dict(app_words())
    elif by == "outcome":
        words = {"done": "成功", "refused": "被拒绝", "failed": "失败"}
    elif by == "region":
        known = RegionVersion.objects.filter(edition__state="published", region__in=[row["key"] for row in rows])
        places = {region: (code, name) for region, code, name in known.values_list("region", "code", "name")}
        return [_group(*(places.get(row["key"]) or ("", "不分区域")), row) for row in rows]
    return [_group(str(row["key"] or ""), words.get(row["key"]) or row["key"] or "系统", row) for row in rows]


def _moments(since: dt.datetime, until: dt.datetime, hourly: bool) -> list[dt.datetime]:
    """Return when the hours or days of a span begin, by the clock of the city, those without lines among them."""
    at = timezone.localtime(since).replace(minute=0, second=0, microsecond=0)
    at = at if hourly else at.replace(hour=0)
    step = dt.timedelta(hours=1) if hourly else dt.timedelta(days=1)
    found = []
    while at < until:
        found.append(at)
        at += step
    return found


def _moment(row: dict[str, Any], hourly: bool) -> Group:
    at = timezone.localtime(row["key"])
    after = row["key"] + (dt.timedelta(hours=1) if hourly else dt.timedelta(days=1))
    label = f"{at:%m-%d %H}时" if hourly else f"{at:%m-%d}"
    group = _group("", label, row)
    return replace(group, since=row["key"], until=after)


def _group(key: str, label: str, row: dict[str, Any]) -> Group:
    mean = round(row["mean"]) if row["mean"] is not None else None
    return Group(key, label, row["count"], row["wrong"], row["refused"], row["slowest"], mean)


_FIGURES: Final[dict[str, Any]] = {
    "count": Count("id"),
    "wrong": Count("id", filter=Q(outcome="failed")),
    "refused": Count("id", filter=Q(outcome="refused")),
    "slowest": Max("ms"),
    "mean": Avg("ms"),
}
_NONE: Final[dict[str, Any]] = {"count": 0, "wrong": 0, "refused": 0, "slowest": None, "mean": None}
_KEYS: Final[dict[str, Any]] = {
    "act": F("act"),
    "app": Func(F("act"), Value("."), Value(1), function="split_part", output_field=CharField()),
    "region": F("region_id"),
    "actor": F("actor"),
    "outcome": F("outcome"),
}
