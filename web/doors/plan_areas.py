"""Acts on the areas of a draft, checks while one is drawn, and what lies under them; each answers a script and a plain form."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.gis.geos import Polygon
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from shapely.geometry.base import BaseGeometry

from geo.addresses.gazetteer import published_now
from geo.addresses.geocode import geocode
from geo.crs import Bbox, System
from geo.crs.codes import CGCS2000
from geo.errors import BadInput, CityError, Forbidden, NotFound
from geo.fences.areas import AREA_LIMITS, Act, gone
from geo.geometry import from_plane, parse_bbox, parse_geojson
from geo.imports.models import CURRENT, Family
from geo.regions.models import RegionVersion
from geo.regions.queries import current_city
from geo.roads.models import RoadSegment
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.queries import scope_for
from services.catchments.areas.actions import CATCHMENT_AREAS as AREAS
from services.catchments.areas.queries import before_of, district_for, table_of
from services.catchments.editing import may_edit
from services.catchments.ground import KINDERGARTEN
from services.catchments.models import CatchmentEdition, EditionChange
from services.catchments.queries import edition_seen
from services.facilities.models import Facility, FacilityStatus
from web.api.errors import problem
from web.doors.plan_area_parts import (
    areas_drawn,
    checks_of,
    figures,
    flaws_drawn,
    lines_drawn,
    passed,
    points_drawn,
    state_of,
    tallies,
)
from web.doors.typed import key_typed, number_typed, typed

View = Callable[..., HttpResponse]
MOST_POINTS: Final = 4_000
WIDEST_DEG: Final = 0.08
"""How much of the city roads and boundaries are given of at once, to snap to."""


def asks_json(request: HttpRequest) -> bool:
    """Say whether a script asks, not a form."""
    return "application/json" in request.headers.get("Accept", "")


def told_to_scripts(view: View) -> View:
    """Let a view tell its named errors to scripts as problems; a page tells them to people."""

    @functools.wraps(view)
    def told(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except CityError as error:
            if not asks_json(request):
                raise
            if isinstance(error, Forbidden):
                record_audit(act=AuditAct.REFUSED, request=request, detail={"code": error.code})
            return problem(error)

    return told


@never_cache
@login_required
@require_safe
@told_to_scripts
def state(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Return the areas of an edition with the lists and panels that belong to them."""
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope)
    return JsonResponse(answer_of(request, edition, scope, typed(request, "area")))


@never_cache
@login_required
@require_POST
@told_to_scripts
def check(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Say what is wrong with an area as it is drawn now; nothing is kept."""
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope)
    same = _same(request)
    drawn = AREAS.drawn_now(edition, same, _shape(request))
    flaws = table_of(edition).flaws_of(drawn)
    before = before_of(edition)
    context = {
        "edition": edition, "drawing": True, "may_edit": may_edit(edition, scope=scope), "checks": checks_of(flaws),
        "tallies": tallies(flaws), "passed": passed(flaws), "before": before,
        "compared": figures(edition, before, str(same or ""), drawn),
        "area": {"same": str(same or ""), "name": drawn.name},
    }  # fmt: skip
    html = render_to_string("plan/map_checks.html", context, request)
    return JsonResponse({"checks": html, "flaws": flaws_drawn(flaws), "errors": sum(f.level == "error" for f in flaws)})


@never_cache
@login_required
@require_POST
@told_to_scripts
def preview(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Return what a repair makes of the areas; nothing is kept."""
    edition = edition_seen(edition_id, scope=scope_for(request))
    same = _same(request)
    flaw, shapes = AREAS.repaired(
        edition,
        same=same,
        shape=_shape(request, edition, same),
        flaw=typed(request, "flaw"),
        kind=typed(request, "repair"),
    )
    table = table_of(edition)
    named = [
        (table.areas[key].name if key in table.areas else "新片区", from_plane(shape, current_city()))
        for key, shape in shapes.items()
    ]
    return JsonResponse({"said": flaw.title, "areas": lines_drawn(named)})


@login_required
@require_POST
@told_to_scripts
def act(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Do one act on the areas of a draft; a script gets the new state, a form goes back to the page."""
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope)
    work = _ACTS.get(typed(request, "act"))
    if work is None:
        raise BadInput("act_unknown", "没有这种操作，请刷新页面后再试。")
    sent = Act(edition_id, number_typed(request, "seen"), key_typed(request), scope)
    try:
        change = work(sent, request, edition)
    except CityError as fault:
        if asks_json(request) or isinstance(fault, (Forbidden, NotFound)):
            raise
        messages.error(request, fault.message)
        return redirect(_page(edition_id, typed(request, "same")))
    chosen = _chosen(change, typed(request, "same"))
    if not asks_json(request):
        if change:
            messages.success(request, f"已保存：{change.said}。")
        return redirect(_page(edition_id, chosen))
    now = edition_seen(edition_id, scope=scope)
    return JsonResponse(answer_of(request, now, scope, chosen) | {"said": change.said if change else ""})


def answer_of(request: HttpRequest, edition: CatchmentEdition, scope: Scope, chosen: str) -> dict[str, Any]:
    """Return the state of the table as a script takes it: figures and shapes, and the parts of the page rendered anew."""
    context = state_of(edition, scope=scope, chosen=chosen)
    parts = {name: render_to_string(f"plan/map_{name}.html", context, request) for name in ("bar", "areas", "checks")}
    return {
        "revision": edition.revision, "chosen": context["area"].same if context["area"] else "",
        "areas": areas_drawn(edition), "flaws": flaws_drawn(context["flaws"]), "errors": context["errors"], "parts": parts,
    }  # fmt: skip


@never_cache
@login_required
@require_safe
@told_to_scripts
def layer(request: HttpRequest, edition_id: UUID, name: str) -> HttpResponse:
    """Return what lies under the areas, within a box where there is much of it."""
    edition = edition_seen(edition_id, scope=scope_for(request))
    read = _LAYERS.get(name)
    if read is None:
        raise NotFound("layer_unknown", "没有这个图层。")
    return JsonResponse(read(request, edition))


@never_cache
@login_required
@require_safe
@told_to_scripts
def find(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Return the places that an address or a community may mean, to fly there."""
    scope = scope_for(request)
    district = district_for(edition_seen(edition_id, scope=scope))
    found = geocode(typed(request, "q"), scope=scope, limit=10)
    inside = [each for each in found if each.region and each.region.path.startswith(district.path)]
    return JsonResponse({"places": [{"name": each.label, "lon": each.lon, "lat": each.lat} for each in inside[:6]]})


def _about_typed(request: HttpRequest) -> dict[str, Any]:
    return {"target": number_typed(request, "target")}


def _add(sent: Act, request: HttpRequest, edition: CatchmentEdition) -> EditionChange | None:
    return AREAS.add(sent, name=typed(request, "name"), about=_about_typed(request), shape=_shape(request))


def _reshape(sent: Act, request: HttpRequest, edition: CatchmentEdition) -> EditionChange | None:
    return AREAS.reshape(sent, same=_area(request), shape=_shape(request))


def _about(sent: Act, request: HttpRequest, edition: CatchmentEdition) -> EditionChange | None:
    return AREAS.say_about(sent, same=_area(request), name=typed(request, "name"), about=_about_typed(request))


def _delete(sent: Act, request: HttpRequest, edition: CatchmentEdition) -> EditionChange | None:
    return AREAS.delete(sent, same=_area(request))


def _split(sent: Act, request: HttpRequest, edition: CatchmentEdition) -> EditionChange | None:
    line = parse_geojson(typed(request, "line"), System.CGCS2000, AREA_LIMITS)
    name = typed(request, "name")
    return AREAS.split(sent, same=_area(request), line=line, name=name, about=_about_typed(request))


def _merge(sent: Act, request: HttpRequest, edition: CatchmentEdition) -> EditionChange | None:
    return AREAS.merge(sent, same=_area(request), other=_uuid(typed(request, "other")))


def _widen(sent: Act, request: HttpRequest, edition: CatchmentEdition) -> EditionChange | None:
    return AREAS.widen(sent, same=_area(request), metres=_metres(request))


def _thin(sent: Act, request: HttpRequest, edition: CatchmentEdition) -> EditionChange | None:
    return AREAS.thin(sent, same=_area(request), metres=_metres(request))


def _repair(sent: Act, request: HttpRequest, edition: CatchmentEdition) -> EditionChange | None:
    same = _area(request)
    shape = _shape(request, edition, same)
    return AREAS.repair(sent, same=same, shape=shape, flaw=typed(request, "flaw"), kind=typed(request, "repair"))


def _undo(sent: Act, request: HttpRequest, edition: CatchmentEdition) -> EditionChange | None:
    return AREAS.step_back(sent)


def _redo(sent: Act, request: HttpRequest, edition: CatchmentEdition) -> EditionChange | None:
    return AREAS.step_again(sent)


_ACTS: Final[dict[str, Callable[[Act, HttpRequest, CatchmentEdition], EditionChange | None]]] = {
    "add": _add, "shape": _reshape, "about": _about, "delete": _delete, "split": _split, "merge": _merge, "widen": _widen,
    "thin": _thin, "repair": _repair, "undo": _undo, "redo": _redo,
}  # fmt: skip


def _shape(request: HttpRequest, edition: CatchmentEdition | None = None, same: UUID | None = None) -> BaseGeometry:
    """Return the shape that was sent (degrees); where none was, that of the area as it is kept."""
    sent = typed(request, "shape")
    if not sent and edition is not None and same is not None:
        area = table_of(edition).areas.get(str(same))
        if area is not None:
            return from_plane(area.shape, current_city())
    if not sent:
        raise BadInput("shape_missing", "没有收到片区的图形，请重新画一次。")
    return parse_geojson(sent, System.CGCS2000, AREA_LIMITS)


def _metres(request: HttpRequest) -> float:
    try:
        return float(typed(request, "metres")[:12])
    except ValueError:
        raise BadInput("metres_invalid", "请填米数，例如 5。", fields={"metres": "请填数字。"}) from None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadInput("area_unknown", "请先在地图或列表里选一个片区。") from None


def _area(request: HttpRequest) -> UUID:
    return _uuid(typed(request, "same"))


def _same(request: HttpRequest) -> UUID | None:
    return _area(request) if typed(request, "same") else None


def _chosen(change: EditionChange | None, same: str) -> str:
    """Return the area to show after an act: the one it was about, the one it made, or none where it is gone."""
    if change is None:
        return same
    made: list[str] = [key[5:] for key, told in change.after.items() if told and change.before.get(key) is None]
    if change.act == "area_add" and made:
        return made[0]
    return "" if same in gone(change) else same


def _page(edition_id: UUID, chosen: str) -> str:
    page: str = reverse("plan-map", args=[edition_id])
    return page + (f"?area={chosen}" if chosen else "")


def _box(request: HttpRequest) -> Bbox:
    box = parse_bbox(typed(request, "bbox"), System.CGCS2000)
    if box.east - box.west > WIDEST_DEG or box.north - box.south > WIDEST_DEG:
        raise BadInput("bbox_wide", "范围太大，请放大地图。")
    return box


def _before(request: HttpRequest, edition: CatchmentEdition) -> dict[str, Any]:
    before = before_of(edition)
    return areas_drawn(before) if before else lines_drawn([])


def _regions(level: str) -> Callable[[HttpRequest, CatchmentEdition], dict[str, Any]]:
    def read(request: HttpRequest, edition: CatchmentEdition) -> dict[str, Any]:
        rows = RegionVersion.objects.filter(
            edition__state="published", level=level, path__startswith=district_for(edition).path
        )
        found = rows.order_by("code").values_list("name", "geom")
        return lines_drawn((name, shapely.from_wkb(bytes(geom.wkb))) for name, geom in found)

    return read


def _doors(request: HttpRequest, edition: CatchmentEdition) -> dict[str, Any]:
    box, district = _box(request), district_for(edition)
    x, y = district.degrees[:, 0], district.degrees[:, 1]
    inside = np.flatnonzero((x >= box.west) & (x <= box.east) & (y >= box.south) & (y <= box.north))[:MOST_POINTS]
    return points_drawn(district.degrees[inside], [district.ground.labels[at] for at in inside])


def _communities(request: HttpRequest, edition: CatchmentEdition) -> dict[str, Any]:
    found = district_for(edition).ground.communities
    return lines_drawn((name, from_plane(shape, current_city())) for name, shape in found)


def _sites(request: HttpRequest, edition: CatchmentEdition) -> dict[str, Any]:
    district = district_for(edition)
    inside = [region.id for region in district.names.regions.values() if region.path.startswith(district.path)]
    rows = Facility.objects.filter(
        CURRENT, kind=KINDERGARTEN, region__in=inside, source__in=published_now().ids(Family.FACILITIES)
    ).exclude(status=FacilityStatus.CLOSED)
    found = [(name, shapely.Point(geom.x, geom.y)) for name, geom in rows.order_by("id").values_list("name", "geom")]
    return lines_drawn(found)


def _edges(request: HttpRequest, edition: CatchmentEdition) -> dict[str, Any]:
    """Return the roads and boundaries within a box: what drawing snaps to besides neighbours."""
    box = _box(request)
    around = Polygon.from_bbox((box.west, box.south, box.east, box.north))
    around.srid = CGCS2000
    roads = RoadSegment.objects.filter(CURRENT, geom__bboverlaps=around, source__in=published_now().ids(Family.ROADS))
    lines = [
        (name, shapely.from_wkb(bytes(geom.wkb))) for name, geom in roads.values_list("name", "geom")[:MOST_POINTS]
    ]
    borders = RegionVersion.objects.filter(edition__state="published", geom__intersects=around).exclude(level="city")
    frame = shapely.box(box.west, box.south, box.east, box.north)
    for name, geom in borders.values_list("name", "geom"):
        lines.append((name, shapely.intersection(shapely.from_wkb(bytes(geom.wkb)).boundary, frame)))
    return lines_drawn(lines)


_LAYERS: Final[dict[str, Callable[[HttpRequest, CatchmentEdition], dict[str, Any]]]] = {
    "before": _before, "streets": _regions("street"), "committees": _regions("committee"), "doors": _doors,
    "communities": _communities, "sites": _sites, "edges": _edges,
}  # fmt: skip

_AREAS: Final = "plan/editions/<uuid:edition_id>/areas"
ROUTES = [
    path(f"{_AREAS}.json", state, name="plan-areas"),
    path(f"{_AREAS}/check", check, name="plan-areas-check"),
    path(f"{_AREAS}/preview", preview, name="plan-areas-preview"),
    path(f"{_AREAS}/acts", act, name="plan-areas-act"),
    path(f"{_AREAS}/find", find, name="plan-areas-find"),
    path(f"{_AREAS}/layers/<slug:name>.json", layer, name="plan-areas-layer"),
]
