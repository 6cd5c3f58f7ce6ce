"""The fences of an edition as a list: asked for by words, by state and by a spot on the map or an address."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import shapely
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from geo.addresses.geocode import geocode
from geo.addresses.land import land_of
from geo.crs import System
from geo.errors import BadInput, CityError
from geo.fences.areas import shape_of
from geo.fences.purposes import ShapeKind
from geo.fences.topology import measure
from geo.geometry import feature, feature_collection, to_plane
from geo.regions.queries import current_city
from geo.scope import Scope
from services.access.queries import scope_for
from services.fencing.files.columns import hours_text
from services.fencing.finding import Holding, Sought, find_fences
from services.fencing.queries import edition_seen, purpose_for
from web.api.errors import status_of
from web.doors.common.desk_map import map_context
from web.doors.common.typed import typed

A_PAGE: Final = 50
MOST_DRAWN: Final = 2_000
LONGEST: Final = 80
TAGS: Final = {Holding.NOW: "good", Holding.PAUSED: "", Holding.LATER: "warn", Holding.OVER: ""}
FIELDS: Final = ("name", "owner", "kind", "holding", "place", "lon", "lat")


@never_cache
@login_required
@require_safe
def list_page(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """List the fences that are asked for, and where they are."""
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope)
    asked = {name: typed(request, name)[:LONGEST].strip() for name in FIELDS}
    fault: CityError | None = None
    spot_said = ""
    try:
        sought, spot_said = _sought(asked, edition, scope)
        found = find_fences(edition, sought)
    except BadInput as refused:
        fault, found = refused, []
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    land = land_of(edition.district_id)
    kept = {name: value for name, value in asked.items() if value}
    context = {
        "edition": edition, "purpose": purpose_for(edition), "asked": asked, "fault": fault, "page": page, "spot_said": spot_said,
        "lines": [_line(each) for each in page], "total": len(found), "any": any(asked.values()),
        "kinds": [(kind.value, kind.label) for kind in ShapeKind], "holdings": [(each.value, each.label) for each in Holding],
        "query": urlencode(kept), "sames": [each.fence.same for each in found[:500]],
        "box": ",".join(f"{each:.6f}" for each in land.boundary.bounds) if land.boundary is not None else "",
        "edition_page": reverse("fences-edition", args=[edition.pk]),
    } | map_context()  # fmt: skip
    return render(request, "plan/fence_list.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_safe
def shapes(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Return for the map the fences of an edition; those that are asked for stand out."""
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope)
    sought, _ = _sought({name: typed(request, name)[:LONGEST].strip() for name in FIELDS}, edition, scope)
    found = {each.fence.same for each in find_fences(edition, sought)}
    every = find_fences(edition, Sought())[:MOST_DRAWN]
    return JsonResponse({
        "areas": feature_collection([
            feature(
                shape_of(each.fence), {"name": each.fence.name, "state": "found" if each.fence.same in found else "there"},
                System.CGCS2000,
            )
            for each in every
        ]),
    })  # fmt: skip


def _sought(asked: dict[str, str], edition: Any, scope: Scope) -> tuple[Sought, str]:
    """Return what is asked for, and in words where the spot is; a spot on the map goes before an address."""
    spot, said = None, ""
    if asked["lon"] or asked["lat"]:
        spot, said = _spot(asked["lon"], asked["lat"]), "地图上点的位置"
    elif asked["place"]:
        land = land_of(edition.district_id)
        places = geocode(asked["place"], scope=scope, limit=10)
        inside = [each for each in places if each.region and each.region.path.startswith(land.path)]
        if not inside:
            raise BadInput("place_unknown", f"本区没有找到“{asked['place']}”，请写完整的地址，或者在地图上点。")
        spot, said = (inside[0].lon, inside[0].lat), inside[0].label
    return Sought(asked["name"], asked["owner"], asked["kind"], asked["holding"], spot), said


def _spot(lon: str, lat: str) -> tuple[float, float]:
    try:
        place = float(lon), float(lat)
    except ValueError:
        place = (float("nan"), float("nan"))
    box = current_city().bbox
    if not (box.west <= place[0] <= box.east and box.south <= place[1] <= box.north):
        raise BadInput("fence_place", "请在地图上点一个位置：它要在本市范围内。")
    return place


def _line(found: Any) -> dict[str, Any]:
    fence = found.fence
    days = " 到 ".join(f"{day:%Y-%m-%d}" for day in (fence.from_day, fence.to_day) if day)
    return {
        "fence": fence, "kind": ShapeKind(fence.kind).label, "word": found.holding.label, "tag": TAGS[found.holding],
        "when": "，".join(part for part in (days, hours_text(fence.hours)) if part) or "一直",
        "size": measure(shapely.area(to_plane(shape_of(fence), current_city()))),
    }  # fmt: skip


ROUTES = [
    path("plan/fences/<uuid:edition_id>/list", list_page, name="fences-list"),
    path("plan/fences/<uuid:edition_id>/list/shapes.json", shapes, name="fences-list-shapes"),
]
