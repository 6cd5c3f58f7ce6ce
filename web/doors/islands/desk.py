"""图层管理 of 尚岛服务一张图: layers on or off, their order and pins; their places added by a tap, changed, taken down."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError, NotFound
from layers.styles.spec import COLOURED, SHAPES
from services.access.queries import scope_for
from services.crypto.identifiers import new_id
from services.facilities.kinds import kind_of
from services.facilities.kinds.icons import ICONS
from services.facilities.upkeep.actions import retire_facility
from services.facilities.upkeep.queries import place_kept
from services.facilities.upkeep.recording import version_of
from services.modules.islands.actions import LONGEST_TITLE, move_layer, set_layer
from services.modules.islands.queries import Standing, check_keeper, places_kept, quality, standings
from web.api.errors import status_of
from web.doors.common.desk_map import map_context
from web.doors.common.typed import key_typed, number_typed, typed
from web.doors.islands.pages import BOX

PAGE: Final = 30
TONES: Final = ("蓝", "棕", "绿", "紫", "橄榄")


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest) -> HttpResponse:
    """List the layers in their order, with how many places each has and how many wait to be confirmed."""
    return _list(request)


def _list(request: HttpRequest, fault: CityError | None = None) -> HttpResponse:
    scope = scope_for(request)
    check_keeper(scope)
    kept = {layer.key: one for layer, one in quality(scope=scope).layers}
    now = standings()
    context = {
        "layers": [(one, kept.get(one.key)) for one in now],
        "seen": ",".join(one.key for one in now),
        "fault": fault,
    }
    return render(request, "islands/desk.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_POST
def move(request: HttpRequest) -> HttpResponse:
    """Move a layer one place up or down."""
    way, _, key = typed(request, "act").partition(":")
    try:
        move_layer(key=key, up=way == "up", seen=typed(request, "seen"), scope=scope_for(request))
    except CityError as fault:
        return _list(request, fault)
    return redirect("desk-islands")


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def layer_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show one layer: how it is set, its places on the map and as a list; take what is set anew."""
    scope = scope_for(request)
    check_keeper(scope)
    fault: CityError | None = None
    if request.method == "POST":
        try:
            set_layer(
                key=key, shown=typed(request, "shown") == "1", title=typed(request, "title"), icon=typed(request, "icon"),
                shape=typed(request, "shape"), tone=number_typed(request, "tone"), seen=number_typed(request, "revision"),
                scope=scope,
            )  # fmt: skip
        except CityError as wrong:
            fault = wrong
        else:
            messages.success(request, "已保存，游客马上看到。")
            return redirect("desk-island", key)
    return _layer(request, _named(key), fault)


@never_cache
@login_required
@require_POST
def retire(request: HttpRequest, key: str, place_id: int) -> HttpResponse:
    """Take a place of a layer down, with a reason; the map shows it no more from the next moment on."""
    scope, layer = scope_for(request), _named(key)
    check_keeper(scope)
    try:
        place = place_kept(place_id, scope=scope)
        if place.kind_id not in layer.declared.kinds:
            raise NotFound("facility_unknown", "这一家不在这个图层里，请刷新页面。")
        reason = typed(request, "reason")
        retire_facility(
            facility_id=place_id, key=key_typed(request), version=typed(request, "version"), reason=reason, scope=scope
        )
    except CityError as fault:
        return _layer(request, layer, fault)
    messages.success(request, f"已删除“{place.name}”，地图上不再出现。")
    return redirect(f"{request.path.partition('/places/')[0]}?gone={place_id}#places")


def _named(key: str) -> Standing:
    found = next((one for one in standings() if one.key == key), None)
    if found is None:
        raise NotFound("layer_unknown", "没有这个图层，请从图层管理里选。")
    return found


def _layer(request: HttpRequest, layer: Standing, fault: CityError | None) -> HttpResponse:
    scope, q = scope_for(request), typed(request, "q")[:60] if request.method == "GET" else ""
    number = max(1, number_typed(request, "page")) if request.method == "GET" else 1
    try:
        kept = places_kept(layer.declared, q=q, first=(number - 1) * PAGE, limit=PAGE, scope=scope)
    except BadInput as wrong:
        fault, kept = wrong, places_kept(layer.declared, q="", first=0, limit=PAGE, scope=scope)
    own = fault is not None and "title" in request.POST
    form = {name: typed(request, name) for name in ("title", "icon", "shape", "tone")} if own else _form(layer)
    context: dict[str, Any] = {
        "layer": layer,
        "form": form | {"shown": typed(request, "shown") == "1" if own else layer.shown},
        "icons": ICONS.items(),
        "shapes": SHAPES.items(),
        "tones": [(str(number), name) for number, name in enumerate(TONES[:COLOURED], start=1)],
        "longest": LONGEST_TITLE,
        "kinds": [kind_of(kind) for kind in layer.declared.kinds],
        "places": [(row, version_of(row), new_id()) for row in kept.places],
        "total": kept.total,
        "q": q,
        "page": number,
        "more": number * PAGE < kept.total,
        "gone": number_typed(request, "gone"),
        "fault": fault,
        "pins": [[row.pk, round(row.geom.x, 6), round(row.geom.y, 6), row.name] for row in kept.places],
        "island_box": BOX,
        **map_context(),
    }
    return render(request, "islands/desk_layer.html", context, status=status_of(fault) if fault else 200)


def _form(layer: Standing) -> dict[str, Any]:
    return {"title": layer.title, "icon": layer.icon, "shape": layer.shape, "tone": str(layer.tone)}
