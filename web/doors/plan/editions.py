"""The planners' door: editions of catchments by year, district and entry; one of them, its steps, its check, its publication."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError, Conflict, Forbidden
from geo.scope import Scope
from services.access.queries import scope_for
from services.catchments.actions import (
    approve_draft,
    check_draft,
    discard_draft,
    open_draft,
    publish_edition,
    withdraw_edition,
)
from services.catchments.changes import undo
from services.catchments.checking import findings_of, tally
from services.catchments.editing import ground_for, set_about, set_steps
from services.catchments.entries import ENTRIES, MODES, Mode, entry_point
from services.catchments.importing.exporting import write_rules
from services.catchments.importing.queries import imports_open
from services.catchments.models import CatchmentEdition, EditionState
from services.catchments.queries import (
    EDIT,
    STATE_ACTS,
    changes_of,
    district_seen,
    districts_seen,
    edition_seen,
    editions_seen,
    sources_for,
)
from services.crypto.identifiers import new_id
from web.api.batches import XLSX
from web.api.errors import status_of
from web.doors.common.typed import key_typed, number_typed, typed
from web.doors.plan.parts import compared, frame_of, modes_counted, versions_of
from web.doors.rules.pages import day_typed

LISTED: Final = 40
CHANGES_SHOWN: Final = 40
FINDINGS_SHOWN: Final = 200


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List the editions of the caller's districts, and offer to begin a draft."""
    return _list(request)


@login_required
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Begin a draft, or go to the one there is."""
    try:
        draft = open_draft(
            year=number_typed(request, "year"), district=typed(request, "district"), entry=typed(request, "entry"),
            source=_uuid(typed(request, "source")), scope=scope_for(request),
        )  # fmt: skip
    except (BadInput, Conflict) as fault:
        return _list(request, fault)
    return redirect("plan-edition", edition_id=draft.pk)


def _list(request: HttpRequest, fault: CityError | None = None) -> HttpResponse:
    scope = scope_for(request)
    rows = editions_seen(scope=scope)
    year, district, entry = number_typed(request, "year"), typed(request, "district"), typed(request, "entry")
    years = sorted(set(rows.order_by().values_list("year", flat=True)), reverse=True)
    places = districts_seen(scope=scope)
    shown = rows.filter(year=year) if year and request.method == "GET" else rows
    if district and request.method == "GET":
        shown = shown.filter(district=district_seen(district, scope=scope).region_id)
    if entry_point(entry) and request.method == "GET":
        shown = shown.filter(entry=entry)
    page = Paginator(shown, LISTED).get_page(request.GET.get("page"))
    today = timezone.localdate()
    new = {
        "year": year or today.year + (today.month > 8),
        "district": district or (places[0].code if len(places) == 1 else ""),
        "entry": entry,
    }
    context = {
        "page": page, "lines": [_line(row) for row in page], "years": years, "districts": places, "entries": ENTRIES,
        "asked": {"year": year, "district": district, "entry": entry}, "new": new, "fault": fault,
        "year_choices": range(today.year - 1, today.year + 3), "may_edit": scope.holds(EDIT),
        "sources": _sources(new, scope) if scope.holds(EDIT) else [],
    }  # fmt: skip
    return render(request, "plan/list.html", context, status=status_of(fault) if fault else 200)


def _line(row: CatchmentEdition) -> dict[str, Any]:
    today = timezone.localdate()
    word = row.get_state_display()
    tag = {"draft": "", "checked": "warn", "approved": "good"}.get(row.state, "kind")
    if row.state == EditionState.PUBLISHED and row.from_day:
        word = "待生效" if row.from_day > today else "已发布"
    return {"edition": row, "word": word, "tag": tag}


def _sources(new: dict[str, Any], scope: Scope) -> Sequence[CatchmentEdition]:
    """Return what the draft that is asked for may begin with, once district and entry are known."""
    if not new["district"] or not new["entry"]:
        return []
    try:
        region = district_seen(new["district"], scope=scope).region_id
    except Forbidden:
        return []
    return sources_for(year=new["year"], district_id=region, entry=new["entry"])


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def edition_page(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Show an edition: what stands next, its versions, its steps, whom to ask; on POST do one of its acts."""
    if request.method == "GET":
        return _edition(request, edition_id)
    act = _ACTS.get(typed(request, "act"))
    try:
        if act is None:
            raise BadInput("act_unknown", "没有这个操作，请刷新页面后再试。")
        return act(request, edition_id)
    except (BadInput, Conflict) as fault:
        return _edition(request, edition_id, fault)


def _edition(request: HttpRequest, edition_id: UUID, fault: CityError | None = None) -> HttpResponse:
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope)
    frame = frame_of(edition, scope=scope, tab="about")
    before = frame["force"] or edition.begun_from
    draft = edition.state != EditionState.PUBLISHED
    allowed = frame["entry"].modes if frame["entry"] else ()
    about = {name: getattr(edition, name) for name in ("policy", "policy_url", "office", "office_phone")}
    if fault is not None and typed(request, "act") == "about":
        about = {name: typed(request, name) for name in about}
    context = frame | {
        "versions": versions_of(edition, frame["force"]), "modes": modes_counted(edition), "about": about, "fault": fault,
        "fields": fault.detail.get("fields", {}) if fault else {}, "steps": [(step, _mode(step)) for step in edition.steps],
        "others": [(mode, MODES[mode]) for mode in allowed if mode not in edition.steps],
        "imports": list(imports_open(edition)[:5]) if frame["may_edit"] else [],
        "own": edition.changed_by == scope.actor,
        "compared": compared(edition, before, ground_for(edition)) if draft and before else None,
        "warnings": _warnings(edition) if edition.state == EditionState.CHECKED and frame["may_approve"] else 0,
        "from_day": typed(request, "from_day") if request.method == "POST" else "",
    }  # fmt: skip
    return render(request, "plan/edition.html", context, status=status_of(fault) if fault else 200)


def _mode(step: str) -> str:
    return MODES.get(cast(Mode, step), step)


def _warnings(edition: CatchmentEdition) -> int:
    return tally(findings_of(edition))["warning"]


def _set_steps(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    steps = _moved([step[:20] for step in request.POST.getlist("step")], typed(request, "move"))
    set_steps(edition_id=edition_id, steps=steps, **_sent(request))
    said.success(request, "匹配顺序已保存。")
    return redirect(f"/plan/editions/{edition_id}#steps")


def _moved(steps: list[str], move: str) -> list[str]:
    """Return steps after a button was pressed: ``up:address``, ``down:…``, ``out:…``, ``in:…``; as they are for ''."""
    way, _, step = move.partition(":")
    if way == "in":
        return [*steps, step]
    if step not in steps:
        return steps
    at = steps.index(step)
    if way == "out":
        return steps[:at] + steps[at + 1 :]
    to = max(0, min(len(steps) - 1, at + {"up": -1, "down": 1}.get(way, 0)))
    steps.insert(to, steps.pop(at))
    return steps


def _set_about(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    given: dict[str, Any] = {name: typed(request, name) for name in ("policy", "policy_url", "office", "office_phone")}
    set_about(edition_id=edition_id, **given, **_sent(request))
    said.success(request, "政策依据和咨询电话已保存。")
    return redirect(f"/plan/editions/{edition_id}#about")


def _check(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    check_draft(edition_id=edition_id, scope=scope_for(request))
    return redirect("plan-check", edition_id=edition_id)


def _approve(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    approve_draft(
        edition_id=edition_id, seen=number_typed(request, "seen"), accept=bool(typed(request, "accept")),
        scope=scope_for(request),
    )  # fmt: skip
    said.success(request, "已批准。选好生效日期就可以发布。")
    return redirect("plan-edition", edition_id=edition_id)


def _publish(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    row = publish_edition(
        edition_id=edition_id, seen=number_typed(request, "seen"), from_day=day_typed(request, "from_day"),
        scope=scope_for(request),
    )  # fmt: skip
    said.success(request, f"已发布第 {row.number} 版，自 {row.from_day:%Y-%m-%d} 起使用。")
    return redirect("plan-edition", edition_id=edition_id)


def _withdraw(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    withdraw_edition(edition_id=edition_id, scope=scope_for(request))
    said.success(request, "已撤回，这一版又是草稿了。改规则以后要重新检查、批准；不改可以直接再发布。")
    return redirect("plan-edition", edition_id=edition_id)


def _discard(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    row = discard_draft(edition_id=edition_id, seen=number_typed(request, "seen"), scope=scope_for(request))
    said.success(request, f"已放弃 {row.year} 年第 {row.number} 版草稿，已发布的版本不受影响。")
    return redirect("plan")


def _undo(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    change = undo(
        change_id=number_typed(request, "change"), edition_id=edition_id, key=key_typed(request), scope=scope_for(request)
    )  # fmt: skip
    said.success(request, f"已{change.said}。" if change else "内容没有变化。")
    back = typed(request, "back")
    inside = back.startswith(f"/plan/editions/{edition_id}") and "\\" not in back
    return redirect(back if inside else f"/plan/editions/{edition_id}")


_ACTS: Final[dict[str, Callable[[HttpRequest, UUID], HttpResponse]]] = {
    "steps": _set_steps, "about": _set_about, "check": _check, "approve": _approve, "publish": _publish,
    "withdraw": _withdraw, "discard": _discard, "undo": _undo,
}  # fmt: skip


def _sent(request: HttpRequest) -> dict[str, Any]:
    return {"seen": number_typed(request, "seen"), "key": key_typed(request), "scope": scope_for(request)}


@never_cache
@login_required
@require_safe
def check_page(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Show what is wrong with an edition, each finding with the rules it speaks of."""
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope)
    found = findings_of(edition)
    lines = dict(edition.rules.values_list("same", "line"))
    shown = [
        {"finding": one, "rules": [(same, lines.get(same)) for same in one.rules[:4]]} for one in found[:FINDINGS_SHOWN]
    ]
    context = frame_of(edition, scope=scope, tab="check") | {
        "found": shown, "counted": tally(found), "total": len(found), "checked_at": timezone.now(),
    }  # fmt: skip
    return render(request, "plan/check.html", context)


@never_cache
@login_required
@require_safe
def changes_page(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Show who did what to an edition; what still fits can be undone."""
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope)
    page = Paginator(changes_of(edition), CHANGES_SHOWN).get_page(request.GET.get("page"))
    lines = [
        {"change": row, "key": new_id(), "may_undo": row.act not in STATE_ACTS and not hasattr(row, "undone_by")}
        for row in page
    ]
    return render(
        request, "plan/changes.html", frame_of(edition, scope=scope, tab="changes") | {"page": page, "lines": lines}
    )  # fmt: skip


@never_cache
@login_required
@require_safe
def export(request: HttpRequest, edition_id: UUID) -> FileResponse:
    """Return the rules as a workbook that can be read in again."""
    edition = edition_seen(edition_id, scope=scope_for(request))
    name = f"{edition.year}年{edition.district_name}{edition.get_entry_display()}第{edition.number}版.xlsx"  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory(prefix="quantu-rules-") as folder:
        path = Path(folder) / "rules.xlsx"
        write_rules(path, edition)
        # open before the folder goes: the file lives on until it is sent
        return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type=XLSX)


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Say how a district sets up an edition, from nothing to publication."""
    return render(request, "help/plan.html")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise BadInput("source_unknown", "没有找到要从它开始的版本，请重新选。") from None
