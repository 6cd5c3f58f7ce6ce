"""Fences that are made, not drawn: what their forms say, the acts that make them, and a look at one before it is kept."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import orjson
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from geo.errors import BadInput
from geo.fences.areas import Act
from geo.fences.models import Fence, FenceChange, FenceEdition
from geo.fences.purposes import ShapeKind
from geo.fences.topology import measure
from geo.geometry import to_plane
from geo.regions.queries import current_city
from services.access.queries import scope_for
from services.fencing.actions import FENCES, make_anew, make_fence, shape_made
from services.fencing.isochrones import MODES, told
from services.fencing.queries import EDIT, edition_seen, table_of
from web.doors.common.typed import typed
from web.doors.plan.drawing import area_typed, told_to_scripts
from web.doors.plan.drawing_parts import lines_drawn

_FIELDS: Final = ("lon", "lat", "radius_m", "width_m", "road", "mode", "minutes", "place")
_TICKS: Final = ("within",)


def definition_typed(request: HttpRequest) -> dict[str, Any]:
    """Return what a made fence is made from, out of the fields of its form."""
    given: dict[str, Any] = {name: typed(request, name) for name in _FIELDS if typed(request, name)}
    given |= {name: bool(typed(request, name)) for name in _TICKS if f"{name}_asked" in request.POST}
    if line := typed(request, "line"):
        try:
            given["line"] = orjson.loads(line[:200_000])["coordinates"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise BadInput("fence_line", "没有收到画的线，请重新画一次。") from None
    if codes := request.POST.getlist("regions"):
        given["regions"] = [code[:20] for code in codes[:500]]
    return given


def make(sent: Act, request: HttpRequest, about: dict[str, Any]) -> FenceChange | None:
    """Add the fence that a form makes."""
    name, kind = typed(request, "name"), typed(request, "kind")
    return make_fence(sent, name=name, kind=kind, definition=definition_typed(request), about=about)


def remake(sent: Act, request: HttpRequest, edition: FenceEdition) -> FenceChange | None:
    """Give a fence the shape that its changed form makes."""
    fence = FENCES.area_of(edition, area_typed(request))
    return make_anew(sent, same=fence.same, kind=fence.kind, definition=_anew(fence, request))


@never_cache
@login_required
@require_POST
@told_to_scripts
def made(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Return what a form would make, with its size and doors in words; nothing is kept."""
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope, duty=EDIT)
    kind, definition = typed(request, "kind"), definition_typed(request)
    if typed(request, "same"):
        fence = FENCES.area_of(edition, area_typed(request))
        kind, definition = fence.kind, _anew(fence, request)
    shape, kept = shape_made(edition, kind=kind, definition=definition, scope=scope)
    plane = to_plane(shape, current_city())
    size = f"{measure(plane.area)}，{len(table_of(edition).doors_in(plane)):,} 个门牌"
    said = f"{told(kept)}：{size}" if kind == ShapeKind.ISOCHRONE else size
    answer = {"areas": lines_drawn([("", shape)]), "said": said, "definition": kept}
    return JsonResponse(answer)


def about_made(fence: Fence) -> dict[str, Any]:
    """Return how a fence was made: its kind, in words where it is an isochrone, and what its form may change."""
    isochrone = fence.kind == ShapeKind.ISOCHRONE
    return {
        "kind": ShapeKind(fence.kind).label, "made": fence.definition, "circle": fence.kind == ShapeKind.CIRCLE,
        "corridor": fence.kind == ShapeKind.CORRIDOR, "isochrone": isochrone, "modes": MODES,
        "told": told(fence.definition) if isochrone else "",
    }  # fmt: skip


def _anew(fence: Fence, request: HttpRequest) -> dict[str, Any]:
    return {**fence.definition, **definition_typed(request)}
