"""The planner's table for any set of drawn areas: acts on a draft, checks while one is drawn, and what lies under them.

Each act answers a script and a plain form. A ``DrawingTable`` says whose areas they are; ``routes`` gives its addresses.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from shapely.geometry.base import BaseGeometry

from geo.addresses.gazetteer import published_now
from geo.addresses.geocode import geocode
from geo.addresses.land import Land, land_of
from geo.crs import Bbox, System
from geo.crs.codes import CGCS2000
from geo.errors import BadInput, CityError, Forbidden, NotFound
from geo.fences.areas import AREA_LIMITS, Act, Areas, gone
from geo.fences.topology import Drawn
from geo.geometry import from_plane, parse_bbox, parse_geojson
from geo.imports.models import CURRENT, Family
from geo.regions.models import RegionVersion
from geo.regions.queries import current_city
from geo.roads.models import RoadSegment
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.queries import scope_for
from web.api.errors import problem
from web.doors.common.typed import key_typed, number_typed, typed
from web.doors.plan.drawing_parts import checks_of, flaws_drawn, lines_drawn, passed, points_drawn, tallies

View = Callable[..., HttpResponse]
Layer = Callable[[HttpRequest, Any], dict[str, Any]]
Doing = Callable[[Act, HttpRequest, Any], Any]
MOST_POINTS: Final = 4_000
WIDEST_DEG: Final = 0.08
"""How much of the city roads and boundaries are given of at once, to snap to."""


@dataclass(frozen=True, slots=True)
class DrawingTable:
    """Whose areas are on the table.

    ``name`` begins the names of its addresses, ``base`` their paths, ``page`` is the name of its page. ``seen`` gives an edition
    that the scope may see. ``state`` is everything that ``parts`` (templates by the part of the page) show of an edition with one
    area chosen, ``figures`` what an area changes for people. ``about`` reads from a form what is said of an area besides its
    name. ``drawn`` are the areas for the map. ``layers`` and ``acts`` come on top of those of every table.
    """

    name: str
    base: str
    page: str
    areas: Areas[Any, Any]
    seen: Callable[[UUID, Scope], Any]
    may_edit: Callable[[Any, Scope], bool]
    state: Callable[[Any, Scope, str], dict[str, Any]]
    figures: Callable[[Any, str, Drawn], dict[str, Any]]
    about: Callable[[HttpRequest], dict[str, Any]]
    drawn: Callable[[Any], dict[str, Any]]
    parts: Mapping[str, str]
    layers: Mapping[str, Layer] = field(default_factory=dict)
    acts: Mapping[str, Doing] = field(default_factory=dict)

    def context(self, edition: Any, scope: Scope, chosen: str) -> dict[str, Any]:
        """Return what the page shows of an edition."""
        return self.state(edition, scope, chosen) | self.addresses(edition)

    def addresses(self, edition: Any) -> dict[str, Any]:
        """Return where acts on an edition are sent, where its areas are read, and what an area is called."""
        return {
            "act_url": reverse(f"{self.name}-act", args=[edition.pk]),
            "areas_url": reverse(self.name, args=[edition.pk]),
            "noun": self.areas.noun,
            "parts": self.parts,
        }

    def answer(self, request: HttpRequest, edition: Any, scope: Scope, chosen: str) -> dict[str, Any]:
        """Return the state of the table as a script takes it: figures and shapes, and the parts of the page rendered anew."""
        context = self.context(edition, scope, chosen)
        return {
            "revision": edition.revision, "chosen": context["area"].same if context["area"] else "",
            "areas": self.drawn(edition), "flaws": flaws_drawn(context["flaws"]), "errors": context["errors"],
            "parts": {name: render_to_string(template, context, request) for name, template in self.parts.items()},
        }  # fmt: skip


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


def routes(table: DrawingTable) -> list[URLPattern]:
    """Return the addresses of a table."""
    views = {
        ".json": (state, ""), "/check": (check, "-check"), "/preview": (preview, "-preview"), "/acts": (act, "-act"),
        "/find": (find, "-find"), "/layers/<slug:name>.json": (layer, "-layer"),
    }  # fmt: skip
    return [
        path(f"{table.base}/areas{end}", view, {"table": table}, name=f"{table.name}{name}")
        for end, (view, name) in views.items()
    ]


@never_cache
@login_required
@require_safe
@told_to_scripts
def state(request: HttpRequest, edition_id: UUID, table: DrawingTable) -> HttpResponse:
    """Return the areas of an edition with the lists and panels that belong to them."""
    scope = scope_for(request)
    return JsonResponse(table.answer(request, table.seen(edition_id, scope), scope, typed(request, "area")))


@never_cache
@login_required
@require_POST
@told_to_scripts
def check(request: HttpRequest, edition_id: UUID, table: DrawingTable) -> HttpResponse:
    """Say what is wrong with an area as it is drawn now; nothing is kept."""
    scope = scope_for(request)
    edition = table.seen(edition_id, scope)
    same = _same(request)
    drawn = table.areas.drawn_now(edition, same, _shape(request, table))
    laid = table.areas.table(edition)
    flaws = laid.flaws_of(drawn)
    context = {
        "edition": edition, "drawing": True, "may_edit": table.may_edit(edition, scope), "checks": checks_of(flaws),
        "tallies": tallies(flaws), "passed": passed(flaws, laid.ground),
        "area": {"same": str(same or ""), "name": drawn.name},
    } | table.addresses(edition) | table.figures(edition, str(same or ""), drawn)  # fmt: skip
    html = render_to_string(table.parts["checks"], context, request)
    return JsonResponse({"checks": html, "flaws": flaws_drawn(flaws), "errors": sum(f.level == "error" for f in flaws)})


@never_cache
@login_required
@require_POST
@told_to_scripts
def preview(request: HttpRequest, edition_id: UUID, table: DrawingTable) -> HttpResponse:
    """Return what a repair makes of the areas; nothing is kept."""
    edition = table.seen(edition_id, scope_for(request))
    same = _same(request)
    flaw, shapes = table.areas.repaired(
        edition,
        same=same,
        shape=_shape(request, table, edition, same),
        flaw=typed(request, "flaw"),
        kind=typed(request, "repair"),
    )
    laid = table.areas.table(edition)
    named = [
        (
            laid.areas[key].name if key in laid.areas else f"新{table.areas.noun}",
            from_plane(shape, current_city()),
        )
        for key, shape in shapes.items()
    ]
    return JsonResponse({"said": flaw.title, "areas": lines_drawn(named)})


@login_required
@require_POST
@told_to_scripts
def act(request: HttpRequest, edition_id: UUID, table: DrawingTable) -> HttpResponse:
    """Do one act on the areas of a draft; a script gets the new state, a form goes back to the page."""
    scope = scope_for(request)
    edition = table.seen(edition_id, scope)
    name = typed(request, "act")
    work = table.acts.get(name)
    if work is None and name not in _ACTS:
        raise BadInput("act_unknown", "没有这种操作，请刷新页面后再试。")
    sent = Act(edition_id, number_typed(request, "seen"), key_typed(request), scope)
    try:
        change = work(sent, request, edition) if work else _ACTS[name](table, sent, request, edition)
    except CityError as fault:
        if asks_json(request) or isinstance(fault, (Forbidden, NotFound)):
            raise
        messages.error(request, fault.message)
        return redirect(_page(table, edition_id, typed(request, "same")))
    chosen = _chosen(change, typed(request, "same"))
    if not asks_json(request):
        if change:
            messages.success(request, f"已保存：{change.said}。")
        return redirect(_page(table, edition_id, chosen))
    now = table.seen(edition_id, scope)
    return JsonResponse(table.answer(request, now, scope, chosen) | {"said": change.said if change else ""})


@never_cache
@login_required
@require_safe
@told_to_scripts
def layer(request: HttpRequest, edition_id: UUID, name: str, table: DrawingTable) -> HttpResponse:
    """Return what lies under the areas, within a box where there is much of it."""
    edition = table.seen(edition_id, scope_for(request))
    read = table.layers.get(name) or _LAYERS.get(name)
    if read is None:
        raise NotFound("layer_unknown", "没有这个图层。")
    return JsonResponse(read(request, edition))


@never_cache
@login_required
@require_safe
@told_to_scripts
def find(request: HttpRequest, edition_id: UUID, table: DrawingTable) -> HttpResponse:
    """Return the places that an address or a community may mean, to fly there."""
    scope = scope_for(request)
    land = _land(table.seen(edition_id, scope))
    found = geocode(typed(request, "q"), scope=scope, limit=10)
    inside = [each for each in found if each.region and each.region.path.startswith(land.path)]
    return JsonResponse({"places": [{"name": each.label, "lon": each.lon, "lat": each.lat} for each in inside[:6]]})


def _add(table: DrawingTable, sent: Act, request: HttpRequest, edition: Any) -> Any:
    about, shape = table.about(request), _shape(request, table)
    return table.areas.add(sent, name=typed(request, "name"), about=about, shape=shape)


def _reshape(table: DrawingTable, sent: Act, request: HttpRequest, edition: Any) -> Any:
    return table.areas.reshape(sent, same=area_typed(request), shape=_shape(request, table))


def _about(table: DrawingTable, sent: Act, request: HttpRequest, edition: Any) -> Any:
    name = typed(request, "name")
    return table.areas.say_about(sent, same=area_typed(request), name=name, about=table.about(request))


def _delete(table: DrawingTable, sent: Act, request: HttpRequest, edition: Any) -> Any:
    return table.areas.delete(sent, same=area_typed(request))


def _split(table: DrawingTable, sent: Act, request: HttpRequest, edition: Any) -> Any:
    line = parse_geojson(typed(request, "line"), System.CGCS2000, AREA_LIMITS)
    name, about = typed(request, "name"), table.about(request)
    return table.areas.split(sent, same=area_typed(request), line=line, name=name, about=about)


def _merge(table: DrawingTable, sent: Act, request: HttpRequest, edition: Any) -> Any:
    return table.areas.merge(sent, same=area_typed(request), other=_uuid(typed(request, "other")))


def _part(table: DrawingTable, sent: Act, request: HttpRequest, edition: Any) -> Any:
    return table.areas.add_part(sent, same=area_typed(request), part=_shape(request, table))


def _hole(table: DrawingTable, sent: Act, request: HttpRequest, edition: Any) -> Any:
    return table.areas.cut_hole(sent, same=area_typed(request), part=_shape(request, table))


def _widen(table: DrawingTable, sent: Act, request: HttpRequest, edition: Any) -> Any:
    return table.areas.widen(sent, same=area_typed(request), metres=_metres(request))


def _thin(table: DrawingTable, sent: Act, request: HttpRequest, edition: Any) -> Any:
    return table.areas.thin(sent, same=area_typed(request), metres=_metres(request))


def _repair(table: DrawingTable, sent: Act, request: HttpRequest, edition: Any) -> Any:
    same = area_typed(request)
    shape = _shape(request, table, edition, same)
    return table.areas.repair(
        sent, same=same, shape=shape, flaw=typed(request, "flaw"), kind=typed(request, "repair")
    )  # fmt: skip


def _undo(table: DrawingTable, sent: Act, request: HttpRequest, edition: Any) -> Any:
    return table.areas.step_back(sent)


def _redo(table: DrawingTable, sent: Act, request: HttpRequest, edition: Any) -> Any:
    return table.areas.step_again(sent)


_ACTS: Final[dict[str, Callable[[DrawingTable, Act, HttpRequest, Any], Any]]] = {
    "add": _add, "shape": _reshape, "about": _about, "delete": _delete, "split": _split, "merge": _merge, "part": _part,
    "hole": _hole, "widen": _widen, "thin": _thin, "repair": _repair, "undo": _undo, "redo": _redo,
}  # fmt: skip


def _shape(request: HttpRequest, table: DrawingTable, edition: Any = None, same: UUID | None = None) -> BaseGeometry:
    """Return the shape that was sent (degrees); where none was, that of the area as it is kept."""
    sent = typed(request, "shape")
    if not sent and edition is not None and same is not None:
        area = table.areas.table(edition).areas.get(str(same))
        if area is not None:
            return from_plane(area.shape, current_city())
    if not sent:
        raise BadInput("shape_missing", f"没有收到{table.areas.noun}的图形，请重新画一次。")
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
        raise BadInput("area_unknown", "请先在地图或列表里选一个。") from None


def area_typed(request: HttpRequest) -> UUID:
    """Return the area that an act is about. Raises ``BadInput`` for none."""
    return _uuid(typed(request, "same"))


def _same(request: HttpRequest) -> UUID | None:
    return area_typed(request) if typed(request, "same") else None


def _chosen(change: Any, same: str) -> str:
    """Return the area to show after an act: the one it was about, the one it made, or none where it is gone."""
    if change is None:
        return same
    made: list[str] = [key[5:] for key, told in change.after.items() if told and change.before.get(key) is None]
    if change.act == "area_add" and made:
        return made[0]
    return "" if same in gone(change) else same


def _page(table: DrawingTable, edition_id: UUID, chosen: str) -> str:
    page: str = reverse(table.page, args=[edition_id])
    return page + (f"?area={chosen}" if chosen else "")


def _land(edition: Any) -> Land:
    return land_of(edition.district_id)


def _box(request: HttpRequest) -> Bbox:
    box = parse_bbox(typed(request, "bbox"), System.CGCS2000)
    if box.east - box.west > WIDEST_DEG or box.north - box.south > WIDEST_DEG:
        raise BadInput("bbox_wide", "范围太大，请放大地图。")
    return box


def _regions(level: str) -> Layer:
    def read(request: HttpRequest, edition: Any) -> dict[str, Any]:
        rows = RegionVersion.objects.filter(
            edition__state="published", level=level, path__startswith=_land(edition).path
        )
        found = rows.order_by("code").values_list("name", "geom")
        return lines_drawn((name, shapely.from_wkb(bytes(geom.wkb))) for name, geom in found)

    return read


def _doors(request: HttpRequest, edition: Any) -> dict[str, Any]:
    box, land = _box(request), _land(edition)
    x, y = land.degrees[:, 0], land.degrees[:, 1]
    inside = np.flatnonzero((x >= box.west) & (x <= box.east) & (y >= box.south) & (y <= box.north))[:MOST_POINTS]
    return points_drawn(land.degrees[inside], [land.labels[at] for at in inside])


def _communities(request: HttpRequest, edition: Any) -> dict[str, Any]:
    return lines_drawn((name, from_plane(shape, current_city())) for name, shape in _land(edition).communities)


def _edges(request: HttpRequest, edition: Any) -> dict[str, Any]:
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


_LAYERS: Final[dict[str, Layer]] = {
    "streets": _regions("street"), "committees": _regions("committee"), "doors": _doors, "communities": _communities,
    "edges": _edges,
}  # fmt: skip
