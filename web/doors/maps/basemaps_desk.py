"""Where the city's managers connect base maps, try them, and switch them on."""

from __future__ import annotations

import base64
from dataclasses import asdict, fields
from typing import Any, Final

from django.conf import settings
from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import CityError
from geo.scope import Scope
from services.access.queries import scope_for
from services.basemaps import actions, queries
from services.basemaps.actions import DATUMS, MOST_ZOOM, Wanted
from services.basemaps.models import BaseMap, View
from services.integrations.basemaps.schemas import Kind
from web.api.errors import status_of
from web.doors.common.typed import number_typed, typed

KINDS: Final = {Kind.WMTS: "WMTS（天地图、“一张图”）", Kind.TEMPLATE: "瓦片网址（XYZ、REST）"}
USUAL: Final = {
    **{each.name: each.default for each in fields(Wanted) if isinstance(each.default, str | int | bool)},
    "view": View.SATELLITE.value,
    "kind": Kind.WMTS.value,
}
TICKED: Final = ("staff_only", "on", "leads", "forget")
NUMBERS: Final = ("min_zoom", "max_zoom")


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List the base maps that are connected, on or off."""
    context = {"rows": queries.every_base_map(scope=scope_for(request)), "approval": settings.MAP_APPROVAL}
    return render(request, "desk/basemaps.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Connect a base map."""
    scope, fault = scope_for(request), None
    queries.every_base_map(scope=scope)  # who may not see them may not see the form
    form: dict[str, Any] = dict(USUAL)
    if request.method == "POST":
        wanted = _wanted(request)
        try:
            made = actions.keep_base_map(wanted=wanted, scope=scope)
        except CityError as wrong:
            fault, form = wrong, asdict(wanted)
        else:
            said.success(request, f"已保存“{made.title}”。先试一下，看到图再启用。")
            return redirect("desk-basemap", made.pk)
    return _form(request, None, form, fault, scope)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a base map as it is set, and take what is changed of it."""
    scope, fault = scope_for(request), None
    row = queries.base_map_set(pk, scope=scope)
    form = _kept(row)
    if request.method == "POST":
        wanted = _wanted(request)
        try:
            actions.keep_base_map(wanted=wanted, scope=scope, pk=pk, seen=number_typed(request, "seen"))
        except CityError as wrong:
            fault, form = wrong, asdict(wanted)
        else:
            said.success(request, "已保存，马上生效。")
            return redirect("desk-basemap", pk)
    return _form(request, row, form, fault, scope)


@never_cache
@login_required
@require_POST
def try_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a base map for the middle of the city, and show what came or why nothing did."""
    scope, fault, shown = scope_for(request), None, []
    row = queries.base_map_set(pk, scope=scope)
    try:
        pictures = actions.try_base_map(pk=pk, scope=scope)
        shown = [
            f"data:{each.kind};base64,{base64.b64encode(each.content).decode()}" for each in pictures if each.content
        ]
    except CityError as wrong:
        fault = wrong
    return _form(request, row, _kept(row), None, scope, tried=True, shown=shown, tried_fault=fault)


@never_cache
@login_required
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a base map and its key."""
    actions.delete_base_map(pk=pk, seen=number_typed(request, "seen"), scope=scope_for(request))
    said.success(request, "已删除，密钥也一起删了。地图改回电子地图。")
    return redirect("desk-basemaps")


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Say how base maps are chosen and connected."""
    return render(request, "help/basemaps.html")


def _form(
    request: HttpRequest, row: BaseMap | None, form: dict[str, Any], fault: CityError | None, scope: Scope, **more: Any
) -> HttpResponse:
    form["secret"] = ""  # what was typed as a key is never sent back
    context = {
        "row": row,
        "form": form,
        "fault": fault,
        "wrong": fault.detail.get("field", "") if fault else "",
        "views": View.choices,
        "kinds": KINDS.items(),
        "datums": DATUMS.items(),
        "most_zoom": MOST_ZOOM,
        "changes": queries.changes_of(row, scope=scope) if row else [],
        **more,
    }
    return render(request, "desk/basemap.html", context, status=status_of(fault) if fault else 200)


def _wanted(request: HttpRequest) -> Wanted:
    values: dict[str, Any] = {}
    for each in fields(Wanted):
        if each.name in TICKED:
            values[each.name] = typed(request, each.name) == "1"
        elif each.name in NUMBERS:
            values[each.name] = min(number_typed(request, each.name), 99)
        else:
            values[each.name] = typed(request, each.name)[:401]
    return Wanted(**values)


def _kept(row: BaseMap) -> dict[str, Any]:
    kept = {each.name: getattr(row, each.name, USUAL.get(each.name, "")) for each in fields(Wanted)}
    return kept | {"secret_name": row.secret_name or USUAL["secret_name"]}
