"""Where managers arrange the list of institutions: filters, orders and map app, by group or kind and entry, in versions."""

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
    kinds_arranged_apart,
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
    is_list,
    known_filters,
    moved,
    name_of,
    offered_values,
    sheet_of,
    spare_filters,
    takes_figures,
    with_filter,
    without_filter,
    wrong_with,
)
from services.facilities.browsing.questions import ORDERS
from services.facilities.kinds import GROUPS, Kind, kind_of, kinds_of_group
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
    """List every group and every kind of its own with the version that holds at each entry; lead to the list that was chosen."""
    chosen, entry = request.GET.get("kinds", ""), request.GET.get("entry", "") or ALL
    if chosen and is_list(chosen) and (entry == ALL or entry in ENTRIES):
        return redirect("desk-arrangement", chosen, entry)
    lists = arranged_lists(scope=scope_for(request))
    context = {"lists": lists, "all": ALL, "entries": ENTRIES, "menu": _kind_menu()}
    return render(request, "desk/arrangements.html", context)


def _kind_menu() -> list[tuple[str, list[Kind]]]:
    """Return the kinds that may be arranged apart, by the name of their group: not one that is all its group has."""
    groups = [(name, list(kinds_of_group(group))) for group, name in GROUPS.items()]
    return [(name, kinds) for name, kinds in groups if len(kinds) > 1]


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def one_list(request: HttpRequest, kinds: str, entry: str) -> HttpResponse:
    """Show the draft of a list, or what holds there; change, publish or discard it."""
    scope, entry = scope_for(request), "" if entry == ALL else entry
    versions = versions_of(kinds, entry, scope=scope)
    if request.method == "GET":
        return _page(request, kinds, entry, versions)
    return _changed(request, kinds, entry, versions, scope)


def _changed(
    request: HttpRequest, kinds: str, entry: str, versions: Sequence[ArrangementVersion], scope: Scope
) -> HttpResponse:
    act, _, about = request.POST.get("act", "save").partition(":")
    draft = next((one for one in versions if one.published_at is None), None)
    sheet: Sheet | None = None
    try:
        if act == "again":
            chosen = next((one for one in versions if str(one.pk) == about and one.published_at), None)
            if chosen is None or draft is not None:
                raise Conflict("arrangement_drafted", "还有一份草稿没有发布，请先发布或放弃它。")
            before = sheet_of(chosen.sheet, kinds) if chosen.active else declared_sheet(kinds)
            actions.save_draft(kinds=kinds, entry=entry, sheet=before, revision=0, scope=scope)
            said.success(request, f"已按第 {chosen.number} 版起草，发布后才生效。")
        elif act == "discard" and draft is not None:
            actions.discard_draft(version=draft.pk, scope=scope)
            said.success(request, "草稿已放弃，现在生效的没有变。")
        elif act == "declared":
            actions.publish_as_declared(kinds=kinds, entry=entry, note=request.POST.get("note", ""), scope=scope)
            said.success(request, "已撤回这里的设置，马上生效。")
        else:
            sheet = _acted(_read(request.POST, kinds), act, about, kinds)
            draft = actions.save_draft(
                kinds=kinds, entry=entry, sheet=sheet, revision=_number(request.POST.get("revision", "")), scope=scope
            )
            if act == "publish":
                note = request.POST.get("note", "")
                actions.publish_draft(version=draft.pk, sheet=sheet, note=note, scope=scope)
                said.success(request, f"第 {draft.number} 版已发布，家长下一次打开列表就按它显示。")
            elif act == "save":
                said.success(request, "草稿已保存，发布后才生效。")
    except CityError as fault:
        return _page(request, kinds, entry, versions_of(kinds, entry, scope=scope), sheet=sheet, fault=fault)
    place = "" if act in {"save", "publish", "again", "discard", "declared"} else "#filters"
    return redirect(reverse("desk-arrangement", args=[kinds, entry or ALL]) + place)


def _acted(sheet: Sheet, act: str, about: str, kinds: str) -> Sheet:
    """Return a sheet after one of its buttons: a line moved, a filter added or taken away; saving changes nothing more."""
    if act in {"up", "down"}:
        what, _, key = about.partition(":")
        by = -1 if act == "up" else 1
        if what == "order":
            return replace(sheet, orders=moved(sheet.orders, key, by))
        return replace(sheet, filters=moved(sheet.filters, key, by))
    if act == "drop":
        return without_filter(sheet, about) if about in spare_filters(kinds) else sheet
    return sheet


def _read(post: QueryDict, kinds: str) -> Sheet:
    """Return the sheet a page was sent with. Raises ``BadInput`` for limits that are no numbers."""
    known = known_filters(kinds)
    filters = []
    for key in dict.fromkeys(post.getlist("filter")):
        if key not in known:
            continue
        name, spec = f"f.{key}", known[key]
        offered = offered_values(spec, kinds) or ()
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
    if post.get("act") == "add" and added in spare_filters(kinds) and added not in {one.key for one in filters}:
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
    kinds: str,
    entry: str,
    versions: Sequence[ArrangementVersion],
    *,
    sheet: Sheet | None = None,
    fault: CityError | None = None,
) -> HttpResponse:
    check_list(kinds, entry)
    draft = next((one for one in versions if one.published_at is None), None)
    held = sheet_for(kinds, entry)
    group = "" if kinds in GROUPS else kind_of(kinds).group
    if sheet is None:
        sheet = sheet_of(draft.sheet, kinds) if draft else held_sheet(kinds, entry)
    wrong: dict[str, list[str]] = {}
    for one in wrong_with(sheet, kinds):
        wrong.setdefault(one.where, []).append(one.said)
    used = {line.key for line in sheet.filters}
    context = {
        "kinds": kinds,
        "name": name_of(kinds),
        "group": group,
        "group_name": GROUPS.get(group, ""),
        "entry": entry or ALL,
        "entry_name": ENTRIES[entry],
        "draft": draft,
        "held": held.version if held else None,
        "held_name": name_of(held.version.kinds) if held and held.version and held.version.kinds != kinds else "",
        "held_entry": ENTRIES[held.version.entry] if held and held.version and held.version.entry != entry else "",
        "apart": kinds_arranged_apart(kinds, entry) if not group else [],
        "own": next((one for one in versions if one.published_at), None),
        "filters": [_filter_row(line, kinds, wrong.get(f"filter:{line.key}", [])) for line in sheet.filters],
        "orders": [OrderRow(line, ORDERS[line.key], wrong.get(f"order:{line.key}", [])) for line in sheet.orders],
        "spare": [(key, spec.label) for key, spec in spare_filters(kinds).items() if key not in used],
        "first_order": sheet.first_order,
        "navigation_app": sheet.navigation_app,
        "apps": NAVIGATION_APPS,
        "wrong": wrong,
        "wrong_count": sum(map(len, wrong.values())),
        "past": _past(versions, kinds, held.version if held else None),
        "changes": changes_between(held_sheet(kinds, entry), sheet, kinds) if draft else [],
        "preview": f"/places?{urlencode({'kinds': kinds, 'arrangement': str(draft.pk)})}" if draft else "",
        "longest": LONGEST_LABEL,
        "fault": fault,
    }
    return render(request, "desk/arrangement.html", context, status=status_of(fault) if fault else 200)


def _filter_row(line: FilterLine, kinds: str, faults: list[str]) -> FilterRow:
    spec = known_filters(kinds)[line.key]
    words = dict(line.words)
    offered = offered_values(spec, kinds) or ()
    figures = takes_figures(spec)
    return FilterRow(
        line=line,
        name=spec.label,
        added=line.key in spare_filters(kinds),
        values=[Value(key, name, not line.values or key in line.values, words.get(key, "")) for key, name in offered],
        figures=",".join(line.values) if figures else None,
        usual_figures=",".join(spec.figures),
        widest=spec.limits,
        faults=faults,
    )


def _past(versions: Sequence[ArrangementVersion], kinds: str, holds: ArrangementVersion | None) -> list[Past]:
    """Return the published versions, newest first, each with what it changed against the one before it."""
    published = [one for one in versions if one.published_at]
    found = []
    for at, version in enumerate(published):
        before = published[at + 1] if at + 1 < len(published) else None
        sheets: list[Any] = [
            sheet_of(one.sheet, kinds) if one is not None and one.active else declared_sheet(kinds)
            for one in (before, version)
        ]
        changes = changes_between(sheets[0], sheets[1], kinds)
        found.append(Past(version, changes, holds is not None and version.pk == holds.pk))
    return found
