"""Platforms that call us, at the desk: register one, change its white lists, give and stop keys, look at its calls."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError, Conflict, NotFound
from geo.scope import Scope
from services.access.actions import client_address
from services.access.clients.actions import (
    Wanted,
    change_client,
    make_client_key,
    register_client,
    stop_client_key,
    turn_client,
)
from services.access.clients.models import ApiClient
from services.access.clients.networks import is_listed, plain_address
from services.access.clients.queries import (
    calls_today,
    client_kept,
    clients_kept,
    organisations_listed,
    recent_calls,
    region_paths,
)
from services.access.clients.registry import operations
from services.access.queries import scope_for
from web.api.errors import status_of
from web.doors.common.typed import typed

FIELDS: Final = ("name", "keeper", "region", "networks", "regions", "organisations", "per_minute", "per_day")
NEW: Final = {"per_minute": "60", "per_day": "10000"}


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List all platforms."""
    rows = clients_kept(scope=scope_for(request)).select_related("region")
    shown = [
        {"client": row, "today": calls_today(row), "keys": row.keys.filter(stopped_at=None).count()} for row in rows
    ]
    return render(request, "desk/clients.html", {"rows": shown})


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Register a platform."""
    scope = scope_for(request)
    clients_kept(scope=scope)
    if request.method == "GET":
        return _form(request, None, {**NEW, "from_day": ""}, chosen=set())
    try:
        client = register_client(wanted=_wanted(request), scope=scope, request=request)
    except (BadInput, NotFound) as fault:
        return _form(request, None, _typed(request), chosen=set(request.POST.getlist("operations")), fault=fault)
    said.success(request, "平台已登记。请发放密钥，交给对方。")
    return redirect("desk-client", app=client.app)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, app: str) -> HttpResponse:
    """Change the white lists and quotas of a platform."""
    scope = scope_for(request)
    client = client_kept(app, scope=scope)
    if request.method == "GET":
        return _form(request, client, _kept(client), chosen=set(client.operations))
    try:
        change_client(app=app, wanted=_wanted(request), scope=scope, request=request)
    except (BadInput, NotFound) as fault:
        return _form(request, client, _typed(request), chosen=set(request.POST.getlist("operations")), fault=fault)
    said.success(request, "已保存，从下一次调用起生效。")
    return redirect("desk-client", app=app)


@never_cache
@login_required
@require_safe
def one(request: HttpRequest, app: str) -> HttpResponse:
    """Show a platform, its white lists, keys and newest calls; say of an address whether it is listed."""
    return _one(request, scope_for(request), app)


@never_cache
@login_required
@require_POST
def make_key(request: HttpRequest, app: str) -> HttpResponse:
    """Make a key and show its secret in this answer and never again."""
    scope = scope_for(request)
    try:
        key, secret = make_client_key(app=app, scope=scope, request=request)
    except Conflict as fault:
        return _one(request, scope, app, fault=fault)
    return _one(request, scope, app, secret=secret, made=key.label)


@login_required
@require_POST
def stop_key(request: HttpRequest, app: str, label: str) -> HttpResponse:
    """Stop a key at once."""
    stop_client_key(app=app, label=label, scope=scope_for(request), request=request)
    said.success(request, f"密钥 {label} 已停用，用它签名的请求不再答复。")
    return redirect("desk-client", app=app)


@login_required
@require_POST
def turn(request: HttpRequest, app: str) -> HttpResponse:
    """Stop a platform at once, or let it call again."""
    client = turn_client(app=app, active=typed(request, "active") == "1", scope=scope_for(request), request=request)
    said.success(request, "已恢复，平台可以继续调用。" if client.active else "已停用，平台的请求不再答复。")
    return redirect("desk-client", app=app)


def _one(request: HttpRequest, scope: Scope, app: str, *, fault: CityError | None = None, **more: Any) -> HttpResponse:
    client = client_kept(app, scope=scope)
    tried = typed(request, "address").strip()[:60]
    context = {
        "client": client,
        "operations": [operations()[key] for key in client.operations if key in operations()],
        "region_codes": sorted(region_paths(client)),
        "organisation_codes": sorted(organisations_listed(client)),
        "keys": client.keys.all(),
        "calls": recent_calls(client),
        "today": calls_today(client),
        "tried": tried,
        "tried_known": plain_address(tried) is not None if tried else False,
        "tried_listed": is_listed(tried, client.networks) if tried else False,
        "own_address": client_address(request),
        "fault": fault,
        **more,
    }
    return render(request, "desk/client.html", context, status=status_of(fault) if fault else 200)


def _form(
    request: HttpRequest,
    client: ApiClient | None,
    values: dict[str, str],
    *,
    chosen: set[str],
    fault: CityError | None = None,
) -> HttpResponse:
    context = {
        "client": client,
        "form": values,
        "operations": operations().values(),
        "chosen": chosen,
        "fault": fault,
    }
    return render(request, "desk/client_form.html", context, status=status_of(fault) if fault else 200)


def _typed(request: HttpRequest) -> dict[str, str]:
    return {name: typed(request, name) for name in (*FIELDS, "from_day", "to_day")}


def _kept(client: ApiClient) -> dict[str, str]:
    own = client.region.versions.filter(edition__state="published").first()
    return {
        "name": client.name,
        "keeper": client.keeper,
        "region": own.code if own else "",
        "networks": "\n".join(client.networks),
        "regions": "\n".join(sorted(region_paths(client))),
        "organisations": "\n".join(sorted(organisations_listed(client))),
        "per_minute": str(client.per_minute),
        "per_day": str(client.per_day),
        "from_day": f"{client.from_day:%F}",
        "to_day": f"{client.to_day:%F}" if client.to_day else "",
    }


def _wanted(request: HttpRequest) -> Wanted:
    values = _typed(request)
    return Wanted(
        name=values["name"],
        keeper=values["keeper"],
        region=values["region"],
        networks=values["networks"].splitlines(),
        operations=[str(key)[:60] for key in request.POST.getlist("operations")],
        regions=values["regions"].split(),
        organisations=values["organisations"].split(),
        per_minute=_number(values["per_minute"]),
        per_day=_number(values["per_day"]),
        from_day=_day(values["from_day"]),
        to_day=_day(values["to_day"]),
    )


def _number(text: str) -> int:
    typed_number = text.strip().replace(",", "")
    return int(typed_number) if typed_number.isascii() and typed_number.isdigit() and len(typed_number) < 9 else 0


def _day(text: str) -> dt.date | None:
    if not text.strip():
        return None
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError as fault:
        raise BadInput("day_invalid", "日期要写成 2026-12-01 的样子。") from fault
