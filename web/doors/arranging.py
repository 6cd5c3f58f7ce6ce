"""Where the city's managers arrange the list of institutions: filters, orders and the map app, by kind and entry, in versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from geo.errors import BadInput, CityError, Conflict
from geo.scope import Scope
from services.access.queries import scope_for
from services.facilities.arranging import actions
from services.facilities.arranging.models import ArrangementVersion
from services.facilities.arranging.queries import (
    arranged_lists,
    changes_between,
    check_list,
    held_sheet,
    sheet_for,
    versions_of,
)
from services.facilities.arranging.sheets import (
    ENTRIES,
    LONGEST_LABEL,
    FilterLine,
    OrderLine,
    Sheet,
    declared_sheet,
    known_filters,
    moved,
    offered_values,
    sheet_of,
    spare_filters,
    takes_figures,
    with_filter,
    without_filter,
    wrong_with,
)
from services.facilities.browsing.questions import ORDERS
from services.facilities.kinds import GROUPS
from services.facilities.navigation import NAVIGATION_APPS
from web.api.errors import status_of

ALL: Final = "all"
"""How an address says every entry."""


class Value(NamedTuple):
    """A value a filter may offer: whether it does, its declared words and those written instead."""

    key: str
    name: str
    on: bool
    words: str


@dataclass(frozen=True, slots=True)
class FilterRow:
    """One filter as the page of an arrangement shows it."""

    line: FilterLine
    name: str
    added: bool
    values: list[Value]
    figures: str | None
    usual_figures: str
    widest: tuple[int, int] | None
    faults: list[str]


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order as the page of an arrangement shows it."""

    line: OrderLine
    name: str
    faults: list[str]


class Past(NamedTuple):
    """A version with what it changed."""

    version: ArrangementVersion
    changes: list[str]
    holds: bool


@never_cache
@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List every group and entry with the version that holds there."""
    return render(request, "desk/arrangements.html", {"lists": arranged_lists(scope=scope_for(request)), "all": ALL})


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def one_list(request: HttpRequest, group: str, entry: str) -> HttpResponse:
    """Show the draft of a list, or what holds there; change, publish or discard it."""
    scope, entry = scope_for(request), "" if entry == ALL else entry
    versions = versions_of(group, entry, scope=scope)
    if request.method == "GET":
        return _page(request, group, entry, versions)
    return _changed(request, group, entry, versions, scope)


def _changed(
    request: HttpRequest, group: str, entry: str, versions: Sequence[ArrangementVersion], scope: Scope
) -> HttpResponse:
    act, _, about = request.POST.get("act", "save").partition(":")
    draft = next((one for one in versions if one.published_at is None), None)
    sheet: Sheet | None = None
    try:
        if act == "again":
            chosen = next((one for one in versions if str(one.pk) == about and one.published_at), None)
            if chosen is None or draft is not None:
                raise Conflict("arrangement_drafted", "还有一份草稿没有发布，请先发布或放弃它。")
            before = sheet_of(chosen.sheet, group) if chosen.active else declared_sheet(group)
            actions.save_draft(group=group, entry=entry, sheet=before, revision=0, scope=scope)
            said.success(request, f"已按第 {chosen.number} 版起草，发布后才生效。")
        elif act == "discard" and draft is not None:
            actions.discard_draft(version=draft.pk, scope=scope)
            said.success(request, "草稿已放弃，现在生效的没有变。")
        elif act == "declared":
            actions.publish_as_declared(group=group, entry=entry, note=request.POST.get("note", ""), scope=scope)
            said.success(request, "已恢复默认，马上生效。")
        else:
            sheet = _acted(_read(request.POST, group), act, about, group)
            draft = actions.save_draft(
                group=group, entry=entry, sheet=sheet, revision=_number(request.POST.get("revision", "")), scope=scope
            )
            if act == "publish":
                note = request.POST.get("note", "")
                actions.publish_draft(version=draft.pk, sheet=sheet, note=note, scope=scope)
                said.success(request, f"第 {draft.number} 版已发布，家长下一次打开列表就按它显示。")
            elif act == "save":
                said.success(request, "草稿已保存，发布后才生效。")
    except CityError as fault:
        return _page(request, group, entry, versions_of(group, entry, scope=scope), sheet=sheet, fault=fault)
    place = "" if act in {"save", "publish", "again", "discard", "declared"} else "#filters"
    return redirect(reverse("desk-arrangement", args=[group, entry or ALL]) + place)


def _acted(sheet: Sheet, act: str, about: str, group: str) -> Sheet:
    """Return a sheet after one of its buttons: a line moved, a filter added or taken away; saving changes nothing more."""
    if act in {"up", "down"}:
        what, _, key = about.partition(":")
        by = -1 if act == "up" else 1
        if what == "order":
            return replace(sheet, orders=moved(sheet.orders, key, by))
        return replace(sheet, filters=moved(sheet.filters, key, by))
    if act == "drop":
        return without_filter(sheet, about) if about in spare_filters(group) else sheet
    return sheet


def _read(post: QueryDict, group: str) -> Sheet:
    """Return the sheet a page was sent with. Raises ``BadInput`` for limits that are no numbers."""
    known = known_filters(group)
    filters = []
    for key in dict.fromkeys(post.getlist("filter")):
        if key not in known:
            continue
        name, spec = f"f.{key}", known[key]
        offered = offered_values(spec, group) or ()
        chosen = tuple(value for value, _ in offered if value in post.getlist(f"{name}.value"))
        if takes_figures(spec):
            written = post.get(f"{name}.figures", "").replace("，", ",").replace("、", ",").split(",")
            chosen = tuple(word.strip() for word in written if word.strip())
        words = [(value, post.get(f"{name}.word.{value}", "").strip()) for value, _ in offered]
        filters.append(
            FilterLine(
                key=key,
                shown=f"{name}.shown" in post and bool(chosen or takes_figures(spec) or not offered),
                label=post.get(f"{name}.label", "").strip(),
                values=() if len(chosen) == len(offered) and not takes_figures(spec) else chosen,
                words=tuple((value, said_so) for value, said_so in words if said_so),
                limits=_limits(post, name, known[key].label),
            )
        )
    orders = [
        OrderLine(key, f"o.{key}.shown" in post, post.get(f"o.{key}.label", "").strip())
        for key in dict.fromkeys(post.getlist("order"))
        if key in ORDERS
    ]
    sheet = Sheet(tuple(filters), tuple(orders), post.get("first_order", ""), post.get("navigation_app", ""))
    added = post.get("added", "")
    if post.get("act") == "add" and added in spare_filters(group) and added not in {one.key for one in filters}:
        sheet = with_filter(sheet, added)
    return sheet


def _limits(post: QueryDict, name: str, label: str) -> tuple[int, int] | None:
    least, most = (post.get(f"{name}.{end}", "").strip() for end in ("least", "most"))
    if not least and not most:
        return None
    if not all(text.isascii() and text.isdecimal() and len(text) <= 7 for text in (least, most)):
        raise BadInput("limits_invalid", f"“{label}”的取值范围两头都要填整数，或都不填。", parameter=name)
    return int(least), int(most)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0


def _page(
    request: HttpRequest,
    group: str,
    entry: str,
    versions: Sequence[ArrangementVersion],
    *,
    sheet: Sheet | None = None,
    fault: CityError | None = None,
) -> HttpResponse:
    check_list(group, entry)
    draft = next((one for one in versions if one.published_at is None), None)
    held = sheet_for(group, entry)
    if sheet is None:
        sheet = sheet_of(draft.sheet, group) if draft else held_sheet(group, entry)
    wrong: dict[str, list[str]] = {}
    for one in wrong_with(sheet, group):
        wrong.setdefault(one.where, []).append(one.said)
    used = {line.key for line in sheet.filters}
    context = {
        "group": group,
        "group_name": GROUPS[group],
        "entry": entry or ALL,
        "entry_name": ENTRIES[entry],
        "draft": draft,
        "held": held.version if held else None,
        "held_elsewhere": bool(held and held.version and held.version.entry != entry),
        "own": next((one for one in versions if one.published_at), None),
        "filters": [_filter_row(line, group, wrong.get(f"filter:{line.key}", [])) for line in sheet.filters],
        "orders": [OrderRow(line, ORDERS[line.key], wrong.get(f"order:{line.key}", [])) for line in sheet.orders],
        "spare": [(key, spec.label) for key, spec in spare_filters(group).items() if key not in used],
        "first_order": sheet.first_order,
        "navigation_app": sheet.navigation_app,
        "apps": NAVIGATION_APPS,
        "wrong": wrong,
        "wrong_count": sum(map(len, wrong.values())),
        "past": _past(versions, group, held.version if held else None),
        "changes": changes_between(held_sheet(group, entry), sheet, group) if draft else [],
        "preview": f"/places?{urlencode({'kinds': group, 'arrangement': str(draft.pk)})}" if draft else "",
        "longest": LONGEST_LABEL,
        "fault": fault,
    }
    return render(request, "desk/arrangement.html", context, status=status_of(fault) if fault else 200)


def _filter_row(line: FilterLine, group: str, faults: list[str]) -> FilterRow:
    spec = known_filters(group)[line.key]
    words = dict(line.words)
    offered = offered_values(spec, group) or ()
    figures = takes_figures(spec)
    return FilterRow(
        line=line,
        name=spec.label,
        added=line.key in spare_filters(group),
        values=[Value(key, name, not line.values or key in line.values, words.get(key, "")) for key, name in offered],
        figures=",".join(line.values) if figures else None,
        usual_figures=",".join(spec.figures),
        widest=spec.limits,
        faults=faults,
    )


def _past(versions: Sequence[ArrangementVersion], group: str, holds: ArrangementVersion | None) -> list[Past]:
    """Return the published versions, newest first, each with what it changed against the one before it."""
    published = [one for one in versions if one.published_at]
    found = []
    for at, version in enumerate(published):
        before = published[at + 1] if at + 1 < len(published) else None
        sheets: list[Any] = [
            sheet_of(one.sheet, group) if one is not None and one.active else declared_sheet(group)
            for one in (before, version)
        ]
        changes = changes_between(sheets[0], sheets[1], group)
        found.append(Past(version, changes, holds is not None and version.pk == holds.pk))
    return found
