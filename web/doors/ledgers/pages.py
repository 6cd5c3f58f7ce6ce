"""The pages of ledgers: all of them, one as list or map, one row, the print, the files, and the views people keep."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError, Unauthenticated
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct, User
from services.access.queries import caller_of, scope_for
from services.kernel.ledger import queries
from services.kernel.ledger.actions import delete_view, reveal_value, save_view
from services.kernel.ledger.asking import Asked, read_asked
from services.kernel.ledger.exports import file_name, formats_of, write_rows
from services.kernel.ledger.history import history_of
from services.kernel.ledger.models import SavedView
from services.kernel.ledger.registry import ledger_of, ledgers_for
from services.kernel.module.queries import ledgers_of_the_house, modules_for
from services.kernel.spec import LedgerSpec
from web.api.errors import status_of
from web.doors.common.desk_map import map_context
from web.doors.common.typed import typed
from web.doors.ledgers.parts import FilterShown, choices_of_columns, filters_shown, heads_of, tokens_of
from web.doors.ledgers.row_forms import forms_begun_from

FOUND: Final = 5
"""How many rows of each ledger the search of the whole desk shows."""
PRINTED: Final = 1_000


@never_cache
@login_required
@require_safe
def desk_page(request: HttpRequest) -> HttpResponse:
    """Show the ledgers that the caller may open; with a text, what each of them finds."""
    scope = scope_for(request)
    text = " ".join(request.GET.get("q", "").split())[:100]
    context: dict[str, Any] = {"desk_q": text, "ledgers": ledgers_of_the_house(scope), "modules": modules_for(scope)}
    if text:
        asked = Asked(text=text)
        context["found"] = [
            (
                spec,
                queries.page_of(spec, asked, scope=scope, limit=FOUND).rows,
                queries.count_rows(spec, asked, scope=scope),
            )
            for spec in ledgers_for(scope)
            if spec.grams or spec.searched
        ]
    return render(request, "desk/home.html", context)


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show a ledger as a list or a map, with one row open beside it when asked for."""
    scope = scope_for(request)
    spec = ledger_of(key, scope=scope)
    context: dict[str, Any] = {
        "spec": spec,
        "view": "map" if request.GET.get("view") == "map" and spec.point else "list",
    }
    try:
        asked = read_asked(request.GET, spec)
        context |= _listed(request, spec, asked, scope)
    except BadInput as fault:
        return render(request, "desk/ledger_fault.html", context | {"fault": fault}, status=status_of(fault))
    return render(request, "desk/ledger.html", context)


def _listed(request: HttpRequest, spec: LedgerSpec, asked: Asked, scope: Scope) -> dict[str, Any]:
    own = {name: request.GET[name] for name in ("view",) if request.GET.get(name)}
    base = asked.pairs() + list(own.items())
    opened = _opened(request, spec, scope)
    shown: list[FilterShown] = filters_shown(spec, asked, scope)
    context: dict[str, Any] = {
        "asked": asked,
        "area": dict(asked.pairs()).get("area", ""),
        "filters": shown,
        "more_filters": any(not each.first_row for each in shown),
        "tokens": tokens_of(spec, asked, shown, own),
        "columns": choices_of_columns(spec, asked),
        "heads": heads_of(spec, asked, own),
        "total": queries.count_rows(spec, asked, scope=scope),
        "formats": formats_of(spec),
        "base": urlencode(base),
        "query": asked.query(),
        "plain": urlencode(list(own.items())),
        "as_of": timezone.localtime(),
        "kept": next((view for view in views_kept(request, spec) if view.query == asked.query()), None),
        "add_url": reverse(spec.adds) if spec.adds and scope.holds(spec.page_duty or spec.duty) else "",
        "may_take_in": spec.intake is not None and scope.holds(spec.intake.duty),
        "acts": [(act, reverse(act.page)) for act in spec.acts if scope.holds(act.duty)],
        **map_context(),
    }
    if spec.point and own.get("view") == "map":
        context["box"] = queries.extent_of(spec, asked, scope=scope)
    else:
        page = queries.page_of(spec, asked, scope=scope)
        context |= {"rows": page.rows, "next": page.next}
    return context | opened


def _opened(request: HttpRequest, spec: LedgerSpec, scope: Scope) -> dict[str, Any]:
    """Return the row that stands open beside the list; one that is gone says so there, and the list stays."""
    written = request.GET.get("open", "")
    if not (written.isascii() and written.isdecimal() and len(written) < 19):
        return {}
    try:
        return record_context(spec, int(written), scope)
    except CityError as fault:
        return {"open_fault": fault.message}


def record_context(spec: LedgerSpec, pk: int, scope: Scope) -> dict[str, Any]:
    """Return what the part of a page about one row needs. Raises ``NotFound``."""
    record = queries.record_of(spec, pk, scope=scope)
    shape = record.outline or record.point
    return {
        "record": record,
        "shape": None if shape is None else {"type": "Feature", "properties": {}, "geometry": _geometry(shape)},
        "history": history_of(spec, record.instance),
        "page_url": reverse(spec.page, args=[pk]) if spec.page and scope.holds(spec.page_duty or spec.duty) else "",
        "public_url": reverse(spec.public, args=[pk]) if spec.public else "",
        "begins": forms_begun_from(spec, pk, scope),
        "may_reveal": bool(spec.reveal_duty) and scope.holds(spec.reveal_duty),
        "owner_kind": spec.model.lower(),
        "owner_id": str(pk),
    }


def _geometry(shape: Any) -> dict[str, Any]:
    return {"type": shape.geom_type, "coordinates": shape.coords}


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def record_page(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Show one row on a page of its own; what is posted names a sealed value to be shown in full this once."""
    scope = scope_for(request)
    spec = ledger_of(key, scope=scope)
    revealed = {}
    if request.method == "POST":
        wanted = typed(request, "key")
        revealed = {"key": wanted, "text": reveal_value(spec=spec, pk=pk, key=wanted, scope=scope, request=request)}
    context = {"spec": spec, "whole": True, "revealed": revealed, **record_context(spec, pk, scope), **map_context()}
    return render(request, "desk/ledger_record_page.html", context)


@never_cache
@login_required
@require_safe
def pins(request: HttpRequest, key: str) -> JsonResponse:
    """Answer the rows asked for in a box of the map, as GeoJSON points; rows close together come as one with their count."""
    scope = scope_for(request)
    spec = ledger_of(key, scope=scope)
    found = queries.pins_in(spec, read_asked(request.GET, spec), _box(request), scope=scope)
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [round(pin.lon, 6), round(pin.lat, 6)]},
            "properties": {"count": pin.count, "pk": pin.pk, "name": pin.name},
        }
        for pin in found
    ]
    return JsonResponse({"type": "FeatureCollection", "features": features})


def _box(request: HttpRequest) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(each) for each in request.GET.get("bbox", "").split(","))
    except ValueError:
        raise BadInput("bbox_invalid", "地图的范围要写成 西,南,东,北 四个经纬度。", parameter="bbox") from None
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise BadInput("bbox_invalid", "地图的范围不对：西要小于东，南要小于北。", parameter="bbox")
    return west, south, east, north


@never_cache
@login_required
@require_safe
def export(request: HttpRequest, key: str) -> FileResponse:
    """Answer the rows asked for as a file; what was taken, and how much, goes to the audit log."""
    scope = scope_for(request)
    spec = ledger_of(key, scope=scope)
    ending = request.GET.get("format", "xlsx")
    file, form, count = write_rows(spec, read_asked(request.GET, spec), ending, scope=scope)
    record_audit(act=AuditAct.LEDGER_EXPORTED, request=request, detail={"ledger": key, "format": ending, "rows": count})
    return FileResponse(file, as_attachment=True, filename=file_name(spec, ending), content_type=form.media_type)


@never_cache
@login_required
@require_safe
def print_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show the rows asked for as a sheet to print: what was asked, when and by whom stands on it."""
    scope = scope_for(request)
    spec = ledger_of(key, scope=scope)
    asked = read_asked(request.GET, spec)
    columns = queries.columns_shown(spec, asked)
    rows = []
    for row in queries.rows_of(spec, asked, scope=scope, columns=columns):
        rows.append(row)
        if len(rows) == PRINTED:
            break
    record_audit(
        act=AuditAct.LEDGER_EXPORTED, request=request, detail={"ledger": key, "format": "print", "rows": len(rows)}
    )
    context = {
        "spec": spec,
        "columns": columns,
        "rows": rows,
        "total": queries.count_rows(spec, asked, scope=scope),
        "cut": len(rows) == PRINTED,
        "tokens": tokens_of(spec, asked, filters_shown(spec, asked, scope), {}),
        "as_of": timezone.localtime(),
        "back": f"{reverse('desk-ledger', args=[key])}?{asked.query()}",
    }
    return render(request, "desk/ledger_print.html", context)


@never_cache
@login_required
@require_POST
def keep_view(request: HttpRequest, key: str) -> HttpResponse:
    """Keep the question of a list under a name, and go back to the list."""
    spec = ledger_of(key, scope=scope_for(request))
    query = request.POST.get("query", "")[:4_000]
    back = f"{reverse('desk-ledger', args=[key])}?{query}"
    try:
        view = save_view(
            user=_user(request), spec=spec, name=request.POST.get("name", ""), asked=_asked_in(query, spec)
        )
    except CityError as fault:
        messages.error(request, fault.message)
        return redirect(back)
    messages.success(request, f"已存为“{view.name}”，在左边“我存的视图”里打开。")
    return redirect(f"{reverse('desk-ledger', args=[key])}?{view.query}")


@never_cache
@login_required
@require_POST
def drop_view(request: HttpRequest, view_id: int) -> HttpResponse:
    """Delete a view of one's own, and go back to its ledger."""
    view = delete_view(user=_user(request), view_id=view_id)
    messages.success(request, f"已删掉视图“{view.name}”。")
    return redirect("desk-ledger", view.ledger)


def views_kept(request: HttpRequest, spec: LedgerSpec) -> list[SavedView]:
    """Return the views that the caller keeps of a ledger."""
    return [view for view in queries.views_of(_user(request)) if view.ledger == spec.key]


def _asked_in(query: str, spec: LedgerSpec) -> Asked:
    return read_asked(QueryDict(query), spec)


def _user(request: HttpRequest) -> User:
    user = caller_of(request).user
    if user is None:
        raise Unauthenticated("sign_in_required", "请先登录。")
    return user
