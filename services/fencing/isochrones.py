"""Isochrones as fences: the ground reached from a spot within some minutes, drawn as the circle of families draws it.

A definition is ``{"lon", "lat", "mode", "minutes", "place", "within"}``; ``place`` says where, and finds the spot where no
position is given; ``within`` keeps the part inside the district only. What is kept says besides of which edition of the roads it
was made, ``roads`` (version) and ``roads_as_of``: other roads can only be told, the fence stays as it was approved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from geo.addresses.gazetteer import published_now
from geo.addresses.geocode import geocode
from geo.addresses.land import land_of
from geo.addresses.suggesting.ranking import Fit
from geo.crs import Coordinate, System
from geo.errors import BadInput
from geo.fences.areas import MILLIMETRE
from geo.fences.models import Fence
from geo.fences.purposes import ShapeKind
from geo.fences.repairs import areal
from geo.fences.shapes import position_of
from geo.fences.topology import GRAIN_M2, Flaw
from geo.geometry import from_plane, repair, to_plane
from geo.regions.queries import current_city
from geo.scope import Scope
from routing.graph import NoGraph
from routing.travellers import TRAVELLERS
from services.facilities.circle import outlines
from services.facilities.ground import current_graph
from services.facilities.journeys import LONGEST, begin_journey, check_journey
from services.facilities.search import search

ON_MAP: Final = "地图上选的点"
MODES: Final = tuple((key, TRAVELLERS[key].name) for key in LONGEST)
LONGEST_PLACE: Final = 80
_SURE: Final = {"door", "lane", "community"}
_NAMED: Final = 4


def reached(definition: Mapping[str, Any], *, district_id: int, scope: Scope) -> tuple[BaseGeometry, dict[str, Any]]:
    """Return the ground of an isochrone (CGCS2000 degrees) and its definition as it is kept.

    Raises ``BadInput`` that says what to give instead, ``NoGraph`` before roads were built, ``SearchTooLarge``.
    """
    mode = str(definition.get("mode") or "walk")
    minutes = _minutes(definition.get("minutes"))
    traveller = check_journey(mode, minutes)
    place, lon, lat = spot_of(definition, scope)
    journey = begin_journey(
        scope=scope, origin=Coordinate(lon, lat, System.CGCS2000), traveller=traveller, published=published_now()
    )
    found = journey.search(minutes)
    if found.reason is not None:
        raise BadInput("isochrone_unreached", f"从“{place}”画不出等时圈：{found.reason.message}")
    ((_, outline),) = outlines(found, journey.ground.index, minutes, ())
    within = bool(definition.get("within"))
    ground = _within(outline, district_id) if within else outline
    if ground.is_empty:
        raise BadInput("isochrone_empty", f"在这个时间里，从“{place}”到不了本区的地方。请把时间调长，或换一个出发点。")
    meta = journey.ground.graph.meta
    return repair(ground).geometry, {
        "lon": lon, "lat": lat, "mode": mode, "minutes": minutes, "place": place, "within": within,
        "roads": meta.version, "roads_as_of": meta.as_of,
    }  # fmt: skip


def told(definition: Mapping[str, Any]) -> str:
    """Return an isochrone in words: 从“复兴中路 505 号”步行 15 分钟（路网 2026-10-01）."""
    mode = TRAVELLERS[definition["mode"]].name
    inside = "，只要本区内" if definition["within"] else ""
    return f"从“{definition['place']}”{mode} {definition['minutes']} 分钟{inside}（路网 {definition['roads_as_of']}）"


def outdated(fences: Iterable[Fence]) -> list[Flaw]:
    """Return a notice for each isochrone among fences that was made of other roads than the present ones."""
    made = [fence for fence in fences if fence.kind == ShapeKind.ISOCHRONE]
    now = _roads_now() if made else ""
    return [_notice(fence) for fence in made if now and fence.definition.get("roads") != now]


def _notice(fence: Fence) -> Flaw:
    spot = to_plane(shapely.Point(fence.definition["lon"], fence.definition["lat"]), current_city())
    said = (
        f"这个等时圈按 {fence.definition['roads_as_of']} 的路网画的，路网后来更新过。"
        "要按新路网，选中它，点“重画”；不重画就照原来的边界。"
    )
    return Flaw("roads", str(fence.same), "路网更新后可重画", said, spot)


def _roads_now() -> str:
    try:
        return current_graph().meta.version
    except NoGraph:
        return ""


def _within(ground: BaseGeometry, district_id: int) -> BaseGeometry:
    """Return the part of some ground (degrees) inside a district; empty where there is none."""
    district = land_of(district_id).district
    if district is None:
        return ground
    inside = areal(shapely.set_precision(shapely.intersection(to_plane(ground, current_city()), district), MILLIMETRE))
    return from_plane(inside, current_city()) if inside.area >= GRAIN_M2 else shapely.MultiPolygon()


def _minutes(given: Any) -> int:
    try:
        return int(str(given).strip())
    except ValueError:
        raise BadInput("isochrone_minutes", "分钟数请填整数，例如 15。", fields={"minutes": "请填整数。"}) from None


def spot_of(definition: Mapping[str, Any], scope: Scope) -> tuple[str, float, float]:
    """Return the name and the position (CGCS2000 degrees) that ``lon`` and ``lat``, or the words of ``place``, mean.

    Raises ``BadInput`` where they mean nothing or several spots.
    """
    place = " ".join(str(definition.get("place") or "").split())[:LONGEST_PLACE]
    if definition.get("lon") or definition.get("lat"):
        return place or ON_MAP, *position_of((definition.get("lon"), definition.get("lat")))
    if not place:
        raise BadInput(
            "isochrone_nowhere", "请写出发的地点，例如“复兴中路505号”，或在地图上点一个位置。",
            fields={"place": "请写地址、小区或机构名。"},
        )  # fmt: skip
    return _named(place, scope)


def _named(place: str, scope: Scope) -> tuple[str, float, float]:
    """Return the one spot that words mean. Raises ``BadInput`` that names the others where they may mean several."""
    known = [door for door in geocode(place, scope=scope, limit=_NAMED) if door.level in _SURE and not door.penalties]
    if len(known) == 1:
        return known[0].label, known[0].lon, known[0].lat
    found = search(place, scope=scope, limit=_NAMED + 1)
    whole = [one for one in found if one.fit == Fit.WHOLE]
    meant = whole if len(whole) == 1 else found
    if len(meant) == 1 and not meant[0].corrected:
        return meant[0].label, meant[0].lon, meant[0].lat
    others = list(dict.fromkeys(f"{one.label}（{one.where}）" if one.where else one.label for one in meant))[:_NAMED]
    if not others:
        raise BadInput("place_unknown", f"没有找到“{place}”。请写到门牌号，或写小区、机构的全名，也可以在地图上点。")
    raise BadInput("place_doubtful", f"“{place}”不止一处：{'、'.join(others)}。请写完整，或在地图上点一个位置。")
