"""The log centre on the desk: lines and their search, one line with all that belongs to its request, files of what was found."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.errors import BadInput
from geo.regions.models import RegionVersion
from geo.regions.queries import versions_of, within
from geo.scope import Scope
from services.access.queries import check_city_duty, check_duty, holds_citywide, scope_for
from services.kernel.logs.archiving import archive_month, as_csv
from services.kernel.logs.models import Alert, LogLine, Mark, Undo, UndoState
from services.kernel.logs.queries import (
    ON_A_PAGE,
    VIEW,
    Asked,
    Page,
    acts_shown,
    find_lines,
    later_changes,
    line_seen,
    lines_of_request,
)
from services.kernel.logs.registry import kind_words, source_words, tracked_named
from services.kernel.logs.rolling_back import plan_undo
from services.kernel.logs.spec import CHANNELS, OUTCOMES, RETENTION
from services.kernel.logs.storage import partitions
from web.api.errors import status_of
from web.doors.common.typed import moment_of, number_typed, typed

LOOK: Final = {"done": ("good", "circle-check"), "refused": ("warn", "octagon-alert"), "failed": ("bad", "circle-x")}
PLAIN: Final = (
    "text",
    "actor",
    "act",
    "kept",
    "object_kind",
    "object_id",
    "region",
    "outcome",
    "channel",
    "request",
    "app",
)
DETAIL: Final = {
    "account": "账号",
    "reason": "原因",
    "code": "代码",
    "ledger": "台账",
    "format": "格式",
    "rows": "行数",
    "status": "状态码",
    "method": "方法",
    "path": "地址",
    "attempt": "第几次",
    "fault": "故障",
    "line": "日志",
    "lines": "条数",
    "event": "事件",
    "exception": "错误",
    "where": "程序位置",
    "role": "角色",
    "field": "字段",
    "row": "记录编号",
    "kind": "类型",
    "object": "对象编号",
    "by": "申请人",
    "matter": "事项",
    "step": "环节",
    "case": "办件",
    "client": "平台",
    "prefix": "密钥前缀",
    "provider": "认证方式",
    "months": "月份",
    "month": "月份",
    "kept": "类别",
    "sealed": "加密",
    "rule": "规则",
    "count": "数量",
    "import": "导入编号",
    "purpose": "用途",
    "subject": "对象",
    "text": "情况",
    "delivery": "短信编号",
    "submission": "填报编号",
    "review": "第几次审核",
}
MOMENTS: Final = ("since", "until")


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List the lines that fit, the newest first; what cannot be asked is said above the list."""
    scope = scope_for(request)
    check_duty(scope, VIEW)
    fault, page = None, Page([], "", "")
    try:
        asked = asked_of(request)
        page = find_lines(asked, scope=scope, older=typed(request, "older"), newer=typed(request, "newer"))
    except BadInput as wrong:
        asked, fault = Asked(), wrong
    typed_in = said_of(request)
    context = {
        **frame_of(scope, "lines"), **choices_of(scope), "asked": typed_in, "fault": fault,
        "lines": shown_lines(page.lines), "older": page.older, "newer": page.newer, "most": ON_A_PAGE,
        "narrowed": any(value for key, value in typed_in.items()), "query": urlencode({k: v for k, v in typed_in.items() if v}),
        "everywhere": asked.by_key or bool(asked.since),
    }  # fmt: skip
    return render(request, "desk/logs.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_safe
def line_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one line: what it changed, what belongs to the same request, what came later, and whether it can be undone."""
    scope = scope_for(request)
    return render(request, "desk/log_line.html", line_context(line_seen(pk, scope=scope), scope))


def line_context(line: LogLine, scope: Scope) -> dict[str, Any]:
    """Return what the page of a line shows."""
    together = [each for each in lines_of_request(line.request_id, scope=scope) if each.pk != line.pk]
    later = later_changes(line, scope=scope) if line.changes else []
    detail = [(DETAIL.get(key, key), value) for key, value in sorted((line.detail or {}).items())]
    return {
        **frame_of(scope, "lines"), "line": shown_lines([line])[0], "plan": plan_undo(line, scope=scope),
        "together": shown_lines(together), "later": shown_lines(later), "seen": len(later),
        "channel": CHANNELS.get(line.channel, line.channel), "kept": RETENTION[line.kept].name,  # type: ignore[index]
        "source": source_words().get(line.source, line.source), "detail": detail,
        "undos": Undo.objects.filter(line=line.pk).order_by("-asked_at"),
    }  # fmt: skip


@never_cache
@login_required
@require_safe
def export(request: HttpRequest) -> StreamingHttpResponse:
    """Send what was found as CSV."""
    scope = scope_for(request)
    check_duty(scope, VIEW)
    answer = StreamingHttpResponse(
        list(as_csv(asked_of(request), scope=scope, request=request)), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="logs-{timezone.localtime():%Y%m%d-%H%M}.csv"'
    return answer


@never_cache
@login_required
@require_safe
def storage_page(request: HttpRequest) -> HttpResponse:
    """Show what is kept, month by month, how long, how large; and how far each source is collected."""
    scope = scope_for(request)
    check_city_duty(scope, VIEW)
    months = partitions()
    classes = [
        {
            "key": key, "name": each.name, "months": each.months, "lines": sum(one.lines for one in own),
            "size": sum(one.size for one in own), "rows": [one for one in own if one.lines > 0 or one.size > 0],
        }
        for key, each in RETENTION.items()
        for own in [[one for one in months if one.kept == key]]
    ]  # fmt: skip
    words = source_words()
    marks = [
        {
            "title": words.get(mark.key) or mark.key.removeprefix("file:").rsplit("/", 1)[-1], "arrived_at": mark.arrived_at,
            "lines": mark.lines, "behind": max((mark.candidate or 0) - mark.done, 0),
        }
        for mark in Mark.objects.order_by("-arrived_at", "key")
    ]  # fmt: skip
    silent = [mark["title"] for mark in marks if mark["arrived_at"] is None and not mark["behind"]]
    marks = [mark for mark in marks if mark["arrived_at"] is not None or mark["behind"]]
    context = {
        **frame_of(scope, "storage"), "classes": classes, "size": sum(one.size for one in months), "marks": marks,
        "silent": silent, "may_archive": holds_citywide(scope, "logs.configure"),
    }  # fmt: skip
    return render(request, "desk/log_storage.html", context)


@login_required
@require_POST
def archive(request: HttpRequest) -> HttpResponse | FileResponse:
    """Send a month of a class as a ZIP with its manifest."""
    kept, month = typed(request, "kept"), typed(request, "month")
    sealed = bool(typed(request, "sealed"))
    file = archive_month(kept=kept, month=month, sealed=sealed, scope=scope_for(request), request=request)
    return FileResponse(file, as_attachment=True, filename=f"logs-{kept}-{month}.zip", content_type="application/zip")


def asked_of(request: HttpRequest) -> Asked:
    """Return the question of an address. Raises ``BadInput`` for a moment that is none."""
    said = said_of(request)
    until = _moment(said["until"], "结束时间")
    if until is not None and len(said["until"].strip()) <= 10:
        until += dt.timedelta(days=1)  # a day is meant whole
    return Asked(
        **{name: said[name].strip() for name in PLAIN}, since=_moment(said["since"], "开始时间"), until=until,
        slow_ms=min(number_typed(request, "slow_ms"), 2**31 - 1),
    )  # fmt: skip


def said_of(request: HttpRequest) -> dict[str, str]:
    """Return what was typed, as it was."""
    said = {name: typed(request, name)[:80] for name in (*PLAIN, *MOMENTS)}
    return {**said, "slow_ms": str(number_typed(request, "slow_ms") or "")}


def choices_of(scope: Scope) -> dict[str, Any]:
    """Return what the form offers to choose from."""
    return {
        "acts": acts_shown(),
        "kinds": sorted(kind_words().items(), key=lambda each: each[1]),
        "outcomes": OUTCOMES.items(),
        "channels": CHANNELS.items(),
        "classes_kept": [(key, each.name) for key, each in RETENTION.items()],
        "regions": list(versions_of(scope=scope).filter(within(scope), level__in=("city", "district", "street"))),
    }


def frame_of(scope: Scope, tab: str) -> dict[str, Any]:
    """Return what every page of the log centre shows above its content."""
    citywide = holds_citywide(scope, VIEW)
    return {
        "tab": tab,
        "citywide": citywide,
        "alerts_open": Alert.objects.filter(cleared_at=None, seen_at=None).count() if citywide else 0,
        "undos_waiting": Undo.objects.filter(within(scope), state=UndoState.WAITING)
        .exclude(asked_by=scope.actor)
        .count(),
        "may_configure": holds_citywide(scope, "logs.configure"),
    }


def shown_lines(lines: list[LogLine]) -> list[dict[str, Any]]:
    """Return lines with their words, their look and where their objects are."""
    regions = dict(
        RegionVersion.objects.filter(
            edition__state="published", region__in={line.region_id for line in lines if line.region_id}
        ).values_list("region_id", "name")
    )
    kinds = kind_words()
    return [
        {
            "row": line, "look": LOOK[line.outcome], "outcome": OUTCOMES[line.outcome],  # type: ignore[index]
            "region": regions.get(line.region_id or 0, ""), "kind": kinds.get(line.object_kind, ""), "href": _href(line),
        }
        for line in lines
    ]  # fmt: skip


def _href(line: LogLine) -> str:
    table = tracked_named(line.object_kind)
    if table is None or not table.page or not line.object_id:
        return ""
    return table.page.format(id=line.object_id, name=line.object_name)


def _moment(text: str, name: str) -> dt.datetime | None:
    return moment_of(f"{text} 00:00" if len(text.strip()) == 10 else text, name)
