"""One version of a rule set on the desk: the table as a sheet to edit, findings, a panel to try it, publishing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from geo.errors import BadInput, CityError, Conflict, Forbidden, NotFound
from geo.regions.queries import path_of
from services.access.queries import check_duty, scope_for
from services.kernel.rules.actions import check_draft, discard_draft, publish_version, save_sheet
from services.kernel.rules.deciding.cases import facts_typed
from services.kernel.rules.deciding.differences import changes_between
from services.kernel.rules.deciding.editing import blank_line, edited
from services.kernel.rules.deciding.findings import findings_of
from services.kernel.rules.deciding.sheets import Sheet
from services.kernel.rules.deciding.tables import read_table
from services.kernel.rules.models import RuleVersion
from services.kernel.rules.queries import sheet_kept, version_seen
from services.kernel.rules.registry import rule_set_named
from services.kernel.rules.spec import HIT_WORDS, RuleSetSpec
from web.api.errors import status_of
from web.doors.common.typed import typed
from web.doors.rules.grids import Grid, GridRow, cell_said, fact_field, grid_of, heads_of, sheet_posted
from web.doors.rules.pages import day_typed, is_draft

EDITS_SHOWN = 20


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def version_page(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Show a version; on POST change its draft: cells, rows, columns, check, publish, discard, or try it out."""
    version = version_seen(version_id, scope=scope_for(request))
    if request.method == "GET":
        return _shown(request, version, sheet_kept(version))
    act = typed(request, "act", "save")
    if act == "try":
        return _tried(request, version)
    try:
        done = _changed(request, version, act)
    except (BadInput, Conflict) as fault:
        return shown_again(request, version, fault)
    if act.startswith(("row-", "column-")):
        return redirect(f"{reverse('desk-rule-version', args=[version.pk])}#table")
    said.success(request, done)
    if act == "discard":
        return redirect("desk-rule-set", key=version.rule_set)
    return redirect(f"{reverse('desk-rule-version', args=[version.pk])}{'#findings' if act == 'check' else ''}")


@login_required
@require_POST
def cell(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Say what a cell says in Chinese, or what is wrong with it, while somebody types the table."""
    version = version_seen(version_id, scope=scope_for(request))
    spec = rule_set_named(version.rule_set)
    heads, asked = heads_of(sheet_kept(version), spec)
    for head, each in zip(heads, asked, strict=True):
        if head.name == typed(request, "column"):
            words, fault = cell_said(typed(request, "text")[:600], each, head.result, spec)
            return render(request, "desk/rule_cell_said.html", {"said": words, "fault": fault})
    raise NotFound("column_unknown", "表里没有这一列，请刷新页面。")


def _changed(request: HttpRequest, version: RuleVersion, act: str) -> str:
    scope, seen = scope_for(request), _number(typed(request, "seen"))
    if act == "publish":
        row = publish_version(
            version_id=version.pk, seen=seen, from_day=day_typed(request, "from_day"), reason=typed(request, "reason"),
            accept=bool(typed(request, "accept")), scope=scope,
        )  # fmt: skip
        return f"已发布第 {row.number} 版，自 {row.from_day:%Y-%m-%d} 起使用。"
    if act == "discard":
        discard_draft(version_id=version.pk, seen=seen, scope=scope)
        return "草稿已放弃，现在的规则不受影响。"
    spec = rule_set_named(version.rule_set)
    sheet = sheet_posted(request, sheet_kept(version), spec)
    if act.startswith(("row-", "column-")):
        sheet = edited(sheet, act, spec, column=typed(request, "column")[:500] or typed(request, "formula")[:500])
    saved = save_sheet(version_id=version.pk, sheet=sheet, seen=seen, scope=scope)
    if act == "check":
        check_draft(version_id=version.pk, scope=scope)
        return "已保存并检查，结果在下面。"
    return f"已保存（第 {saved.revision} 次修改）。"


def shown_again(request: HttpRequest, version: RuleVersion, fault: CityError) -> HttpResponse:
    """Show the page again with what was typed: nothing that somebody wrote is lost to a conflict or a fault."""
    spec = rule_set_named(version.rule_set)
    newest = version_seen(version.pk, scope=scope_for(request))
    theirs = sheet_kept(newest)
    try:
        mine = sheet_posted(request, theirs, spec) if "line" in request.POST or "sheet" in request.POST else theirs
    except BadInput:
        mine = theirs
    conflict = fault.code == "draft_changed" and mine != theirs
    changes = changes_between(theirs, mine) if conflict else []
    return _shown(request, newest, mine, fault=fault, conflict=conflict, changes=changes)


def _tried(request: HttpRequest, version: RuleVersion) -> HttpResponse:
    spec = rule_set_named(version.rule_set)
    sheet = sheet_kept(version)
    trying: dict[str, Any] = {}
    try:
        if "line" in request.POST or "sheet" in request.POST:
            sheet = sheet_posted(request, sheet, spec)
        given = {fact.key: typed(request, f"f-{fact.key}")[:300] for fact in spec.inputs}
        facts, faults = facts_typed(given, spec)
        trying = {"given": given, "faults": faults}
        if not faults:
            trying["decision"] = read_table(sheet, spec).decide(facts)
    except BadInput as fault:
        trying["fault"] = fault
    if request.headers.get("X-Fragment") == "try":
        context = {**_try_context(spec, trying), "draft": is_draft(version)}
        return render(request, "desk/rule_try.html", context)
    return _shown(request, version, sheet, trying=trying)


def _try_context(spec: RuleSetSpec, trying: dict[str, Any] | None) -> dict[str, Any]:
    trying = trying or {}
    given, faults = trying.get("given", {}), trying.get("faults", {})
    return {
        "fields": [fact_field(fact, given.get(fact.key, ""), faults.get(fact.key, "")) for fact in spec.inputs],
        "decision": trying.get("decision"),
        "try_fault": trying.get("fault"),
    }


def _shown(
    request: HttpRequest, version: RuleVersion, sheet: Sheet, *, fault: CityError | None = None, conflict: bool = False,
    changes: Any = (), trying: dict[str, Any] | None = None,
) -> HttpResponse:  # fmt: skip
    spec = rule_set_named(version.rule_set)
    scope = scope_for(request)
    draft = is_draft(version)
    try:
        check_duty(scope, spec.duty)
        may_edit = True
    except Forbidden:
        may_edit = False
    found = findings_of(sheet, spec) if draft else []
    context = {
        "spec": spec, "version": version, "draft": draft, "may_edit": may_edit, "hit": HIT_WORDS[spec.hit],
        "grid": grid_of(sheet, spec, changes), "blank": _blank(sheet, spec), "seen": version.revision,
        "findings": found, "errors": sum(each.level == "error" for each in found),
        "warnings": sum(each.level == "warning" for each in found),
        "more_facts": [fact for fact in spec.inputs if fact.key not in sheet.asks],
        "edits": list(version.edits.all()[:EDITS_SHOWN]), "trials": list(version.trials.all()[:10]),
        "labels": spec.labels, "fault": fault, "conflict": conflict, "today": timezone.localdate(),
        "form": {"from_day": typed(request, "from_day"), "reason": typed(request, "reason")},
        "region_code": path_of(version.region_id, scope=scope)[-1].code, **_try_context(spec, trying),
    }  # fmt: skip
    return render(request, "desk/rule_version.html", context, status=status_of(fault) if fault else 200)


def _blank(sheet: Sheet, spec: RuleSetSpec) -> GridRow:
    """Return the row that the script doubles when a row is added."""
    grid: Grid = grid_of(Sheet(sheet.asks, sheet.gives, (blank_line(sheet),)), spec)
    return grid.rows[0]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
