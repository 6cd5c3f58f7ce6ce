"""服务供需 of 养老一张图: ground that anybody marks, what serves elders in it, and for how many, held against the city."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

import shapely
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.html import json_script
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from geo.addresses.gazetteer import NamedRegion, names_of, published_now
from geo.addresses.positions import position
from geo.crs import Coordinate, System
from geo.errors import BadInput, CityError
from geo.geometry import from_plane, geojson
from geo.regions.models import Level
from geo.regions.queries import current_city, regions_at
from geo.scope import Scope
from services.access.queries import scope_for
from services.facilities.kinds import kind_of
from services.fencing.isochrones import LONGEST_PLACE, spot_of
from services.fencing.selecting.grounds import Marked, Reached, Round, ground_of
from services.gaps.duties import VIEW
from services.gaps.supply import (
    AMPLE,
    PER_COUNT,
    PER_PLACES,
    SHORT,
    WITHIN_MIN,
    WORDS,
    Line,
    Supply,
    finding,
    supply_in,
)
from services.kernel.watching.duties import WATCH
from web.api.errors import status_of
from web.api.limits import CallerLimit
from web.doors.common.typed import typed
from web.doors.finder.asking import MINUTES, TRAVELLERS, Ask, read_ask
from web.doors.finder.shown import distance

ASKED: Final = CallerLimit("supply", anonymous=60, keyed=600)
HOWS: Final = {
    "circle": "圆", "box": "方框", "polygon": "多边形", "reach": "几分钟能走到", "street": "街镇", "district": "区",
}  # fmt: skip
TYPED: Final = {"reach": "几分钟能走到", "circle": "多少米以内", "region": "街镇或区"}
"""What can be marked without a map."""
RADII: Final = {300: "300 米", 500: "500 米", 1000: "1 公里", 2000: "2 公里", 3000: "3 公里"}
USUAL_RADIUS: Final = 1000
CIRCLING: Final = {"hows": HOWS.items(), "radii": RADII.items(), "radius": USUAL_RADIUS}
"""What the map offers to mark ground with."""
MOST_CORNERS: Final = 200
LEAST_M2: Final = 100.0
LEAST_RATE: Final = 0.05
"""A rate below this would read 0.0, as if there were none."""
LISTED: Final = 30
THINNED_M: Final = 3.0
FACT: Final = "elder_places"
"""What 分区统计图 shows supervisors of the region first."""


class Marks(NamedTuple):
    """Ground as it is marked: what it is made of, and around which point what is short is looked for (``None``: its middle)."""

    marked: Marked
    centre: Coordinate | None


@never_cache
@require_safe
def supply_page(request: HttpRequest) -> HttpResponse:
    """Ask for ground and say what serves elders in it, as a page or as a card of the map."""
    fragment = request.headers.get("HX-Request") == "true"
    ask = read_ask(request.GET, theme="elder")
    context: dict[str, Any] = {"ask": ask, "fragment": fragment}
    fault: CityError | None = None
    if typed(request, "how"):
        try:
            ASKED.allow_request(request)
            context |= _answered(request, ask)
        except CityError as refused:
            fault = refused
    if not fragment:
        context |= _form(request, ask)
    context["fault"] = fault
    status = status_of(fault) if fault and not fragment else 200
    response = render(request, f"eldermap/{'supply_card' if fragment else 'supply'}.html", context, status=status)
    response["Vary"] = "HX-Request, Cookie"
    return response


def _answered(request: HttpRequest, ask: Ask) -> dict[str, Any]:
    scope = scope_for(request)
    marks = _marks(request, ask, scope)
    ground = ground_of(marks.marked, scope=scope)
    if ground.whole().area < LEAST_M2:
        raise BadInput("ground_too_small", "圈得太小了，请圈大一些再看。")
    supply = supply_in(ground, scope=scope, centre=marks.centre)
    here = _region(supply, scope)
    return {
        "supply": supply,
        "finding": finding(supply),
        "parts": "、".join(ground.parts),
        "area": _area(supply.area_m2),
        "lines": [_shown(line, ask) for line in supply.lines],
        "rows": [_row(row, ask) for row in supply.facilities[:LISTED]],
        "more": max(0, len(supply.facilities) - LISTED),
        "short_percent": round(100 * SHORT),
        "ample_percent": round(100 * AMPLE),
        "within": WITHIN_MIN,
        "measured": any(line.percent is not None for line in supply.lines),
        "staff": _staff(here, supply, scope),
        "page_url": f"{reverse('elder-supply')}?{urlencode(_params(request))}",
        "ground_json": json_script(_island(supply), "ground"),
    }


def _marks(request: HttpRequest, ask: Ask, scope: Scope) -> Marks:
    """Return what the address marks. Raises ``BadInput`` that says what to give instead."""
    how = typed(request, "how")
    readers: Mapping[str, Callable[[], Marks]] = {
        "circle": lambda: _circle(request, ask, scope),
        "reach": lambda: _reach(request, ask, scope),
        "box": lambda: _drawn(request, ask),
        "polygon": lambda: _drawn(request, ask),
        "street": lambda: _holding(ask, Level.STREET, scope),
        "district": lambda: _holding(ask, Level.DISTRICT, scope),
        "region": lambda: Marks(Marked(regions=[typed(request, "region")]), _origin(ask)),
    }
    if how not in readers:
        raise BadInput("ground_unknown", "请选怎么圈：圆、方框、多边形、几分钟能走到，或街镇、区。", parameter="how")
    return readers[how]()


def _circle(request: HttpRequest, ask: Ask, scope: Scope) -> Marks:
    _, centre = _spot(request, ask, scope)
    radius = _number(typed(request, "radius")) or USUAL_RADIUS
    return Marks(Marked(circles=[Round(centre, radius)]), centre)


def _reach(request: HttpRequest, ask: Ask, scope: Scope) -> Marks:
    name, centre = _spot(request, ask, scope)
    return Marks(Marked(reaches=[Reached(ask.mode, ask.minutes, centre, name)]), centre)


def _holding(ask: Ask, level: Level, scope: Scope) -> Marks:
    """Mark the street or the district that holds the point of the address."""
    if ask.origin is None:
        raise BadInput("point_missing", ask.fault or "请在地图上点一下，看它所在的街镇或区。")
    chain = regions_at(ask.origin.lon, ask.origin.lat, scope=scope)
    found = next((region for region in chain if region.level == level), None)
    if found is None:
        raise BadInput("region_none", "这个点不在任何街镇里，请点在陆地上。")
    return Marks(Marked(regions=[found.code]), _origin(ask))


def _drawn(request: HttpRequest, ask: Ask) -> Marks:
    """Mark a ring of corners ``lon,lat;lon,lat``; two of them are opposite corners of a box."""
    corners = _corners(typed(request, "corners"))
    box = typed(request, "how") == "box"
    if len(corners) < (2 if box else 3):
        raise BadInput("corners_few", "方框要两个对角的点。" if box else "多边形至少要三个点，请接着点。")
    if box:
        (west, east), (south, north) = (sorted(each[axis] for each in corners[:2]) for axis in (0, 1))
        return Marks(Marked(shapes=[shapely.box(west, south, east, north)]), _origin(ask))
    return Marks(Marked(shapes=[shapely.Polygon(corners)]), _origin(ask))


def _corners(text: str) -> list[tuple[float, float]]:
    words = [each for each in text.split(";") if each]
    if len(words) > MOST_CORNERS:
        raise BadInput("corners_many", f"最多 {MOST_CORNERS} 个点，请圈简单一些。")
    found = []
    for word in words:
        lon, _, lat = word.partition(",")
        try:
            point = position(float(lon), float(lat), System.CGCS2000, current_city())
        except ValueError:
            raise BadInput("corners_unread", "圈的点读不懂，请在地图上重新圈。") from None
        found.append((point.x, point.y))
    return found


def _spot(request: HttpRequest, ask: Ask, scope: Scope) -> tuple[str, Coordinate]:
    """Return the point of the address and what it is called, or the spot that other words typed beside it mean."""
    where = typed(request, "where").strip()
    if ask.origin is not None and where in ("", ask.where):
        return ask.where, ask.origin.coordinate
    if ask.fault and not where:
        raise BadInput("point_unread", ask.fault)
    name, lon, lat = spot_of({"place": where[:LONGEST_PLACE]}, scope)
    return name, Coordinate(lon, lat, System.CGCS2000)


def _origin(ask: Ask) -> Coordinate | None:
    return ask.origin.coordinate if ask.origin else None


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        return 0.0
    return found if math.isfinite(found) else 0.0


def _form(request: HttpRequest, ask: Ask) -> dict[str, Any]:
    how = typed(request, "how")
    names = names_of(published_now())
    listed = [each for each in names.regions.values() if each.level in (Level.DISTRICT, Level.STREET)]
    return {
        "how": how if how in TYPED else "" if how else "reach",
        "hows": TYPED.items(),
        "where": typed(request, "where") or (ask.where if ask.origin else ""),
        "radius": int(_number(typed(request, "radius"))) or USUAL_RADIUS,
        "radii": RADII.items(),
        "minutes_options": MINUTES,
        "modes": [(each.key, each.name) for each in TRAVELLERS],
        "region": typed(request, "region"),
        "regions": sorted(listed, key=lambda each: each.path),
        "longest_place": LONGEST_PLACE,
    }


def _shown(line: Line, ask: Ask) -> dict[str, Any]:
    near = line.nearest
    return {
        "line": line,
        "here": _figure(line.rate.here),
        "city": _figure(line.rate.city),
        "unit": f"每 {PER_PLACES:,} 位老人的名额" if line.rate.by_places else f"每 {PER_COUNT:,} 位老人的家数",
        "verdict": WORDS.get(line.rate.verdict, ""),
        "near": near,
        "near_url": _place_url(ask, near.place.id) if near else "",
        "near_said": (f"走路 {near.minutes} 分钟" if near.minutes else f"直线 {distance(near.straight_m)}")
        if near
        else "",
    }


def _figure(value: float | None) -> str:
    """Return a rate to one decimal; — where it is not known."""
    if value is None:
        return "—"
    return "不到 0.1" if 0 < value < LEAST_RATE else f"{value:.1f}"


def _row(row: dict[str, Any], ask: Ask) -> dict[str, Any]:
    return {
        "name": row["name"], "kind": kind_of(row["kind_id"]).name, "places": row["places"],
        "url": _place_url(ask, row["id"]),
    }  # fmt: skip


def _place_url(ask: Ask, place_id: int) -> str:
    """Return the map with the card of a place, and the way to it from where one is."""
    return replace(ask, place=place_id, q="").url()


def _region(supply: Supply, scope: Scope) -> NamedRegion | None:
    """Return the region that was marked, or else the street that holds the middle of the ground."""
    names = supply.names
    if supply.ground.codes:
        return names.by_code[supply.ground.codes[0]]
    middle = from_plane(shapely.point_on_surface(supply.outline), current_city())
    chain = regions_at(middle.x, middle.y, scope=scope)
    street = next((region for region in chain if region.level == Level.STREET), None)
    return names.by_code.get(street.code) if street else None


def _staff(region: NamedRegion | None, supply: Supply, scope: Scope) -> list[tuple[str, str]]:
    """Return where those who supervise the region go on: its gaps, and its figures."""
    if region is None or not scope.covers_path(region.path):
        return []
    found = []
    if scope.holds(VIEW):
        kind = next((line.kind.key for line in supply.lines if line.wanting), supply.lines[0].kind.key)
        query = urlencode({"kind": kind, "region": region.code})
        found.append((f"{region.name}的服务盲区", f"{reverse('gaps')}?{query}"))
    if scope.holds(WATCH):
        address = f"{reverse('watch-areas', args=[FACT])}?{urlencode({'region': region.code})}"
        found.append((f"{region.name}的分区统计图", address))
    return found


def _params(request: HttpRequest) -> dict[str, str]:
    kept = ("how", "where", "lon", "lat", "at", "radius", "minutes", "mode", "corners", "region")
    return {name: typed(request, name) for name in kept if typed(request, name)}


def _area(square_metres: float) -> str:
    return f"{square_metres / 1e6:.2f} 平方公里" if square_metres >= 1e5 else f"{square_metres / 1e4:.1f} 公顷"


def _island(supply: Supply) -> dict[str, Any]:
    """Return what the map draws: the ground and the places in it."""
    outline = from_plane(shapely.simplify(supply.outline, THINNED_M), current_city())
    return {
        "outline": geojson(outline, System.CGCS2000),
        "places": [[round(row["geom"].x, 6), round(row["geom"].y, 6), row["id"]] for row in supply.facilities],
    }


ROUTES = [path("elder/supply", supply_page, name="elder-supply")]
