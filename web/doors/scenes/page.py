"""二三维一体 for everybody: the map with white models and placed models under the sun, and the digital twin of one building."""

from __future__ import annotations

from typing import Any, Final

import shapely
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from shapely.geometry.base import BaseGeometry

from geo.addresses.queries import doors_near, reverse
from geo.basemap.queries import Building, building_at
from geo.errors import CityError, NotFound
from geo.scope import Scope
from layers.registry import layers
from layers.scenes.models import SceneKind, SceneVersion
from layers.scenes.queries import scene_shown, scenes_in
from services.access.queries import scope_for
from services.facilities.places import Place
from services.facilities.queries import MOST_ROWS, facilities_in
from web.doors.common.desk_map import map_context
from web.doors.common.typed import typed
from web.doors.scenes.served import box_of, drafted, told

KINDS: Final = {SceneKind.TILESET: "倾斜摄影", SceneKind.MODEL: "单体模型"}
STEPS: Final = (
    ("quantity-1", "不到 10 米"),
    ("quantity-2", "10–24 米"),
    ("quantity-3", "24–50 米"),
    ("quantity-4", "50–100 米"),
    ("quantity-5", "100 米和更高"),
    ("gap-2", "高度未知，按一层 3 米示意"),
)
"""The legend of white models by height: class of the swatch and words."""
DOOR_DEG: Final = 3e-5
"""How far outside a footprint a door still belongs to it: places stand at their doors, some three metres before the wall."""
STOREY_M: Final = 3.0
"""What a storey is taken for where a height is told in storeys; a building without a height is drawn one storey high."""
DOORS_TOLD: Final = 3


@never_cache
@require_safe
def scene_page(request: HttpRequest) -> HttpResponse:
    """Show the map in three dimensions; ``scene=KEY`` begins at that model, published or being set by the caller."""
    scope = scope_for(request)
    scenes = scenes_in(scope=scope)
    buildings = layers()["buildings"]
    context = {
        "scenes": [_row(one) for one in scenes],
        "steps": STEPS,
        "white_zooms": f"{buildings.min_zoom},{buildings.max_zoom}",
        **_begin(typed(request, "scene"), scenes, scope),
        **map_context(),
    }
    return render(request, "scene/page.html", context)


@never_cache
@require_safe
def twin_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show one building: its model, how high it is, whence it is known, what institutions are in it. Raises ``NotFound``."""
    scope = scope_for(request)
    version = scene_shown(key, scope=scope)
    if not version.twin:
        raise NotFound("twin_unknown", "这个三维模型没有数字孪生页。请在三维地图上看它。")
    context = {
        "scene": _row(version),
        "entry": told(version),
        "places": places_inside(version, scope=scope),
    }
    return render(request, "scene/twin.html", context)


@never_cache
@require_safe
def building(request: HttpRequest) -> HttpResponse:
    """Say what stands at a point of the ground, or what the model ``scene`` is: name, height, storeys, doors, institutions.

    Raises ``BadInput`` and ``NotFound``.
    """
    scope = scope_for(request)
    lon, lat = _point(request)
    key = typed(request, "scene")
    version = scene_shown(key, scope=scope) if key else None
    found = building_at(lon, lat, within_deg=DOOR_DEG)
    if version is not None:
        context = {"title": version.title, **_known(_grounds(version), scope), "scene": _row(version)}
    elif found is not None:
        known = _known(shapely.buffer(found.shape, DOOR_DEG), scope)
        context = {"title": found.name or known["address"] or "一座建筑", **known}
    else:
        context = {"title": "这里没有登记的建筑"}
    return render(request, "scene/building.html", {**context, "building": found, "storeys": _storeys(found)})


def _point(request: HttpRequest) -> tuple[float, float]:
    west, south, *_ = box_of([typed(request, name).strip()[:24] for name in ("lon", "lat", "lon", "lat")])
    return west, south


def _storeys(found: Building | None) -> int | None:
    """Return how many storeys a known height makes."""
    return None if found is None or found.height_m is None else max(1, round(found.height_m / STOREY_M))


def _known(area: BaseGeometry, scope: Scope) -> dict[str, Any]:
    """Return what is told of a building by the ground that belongs to it: its doors, else what is nearest, and who is in it."""
    middle = shapely.point_on_surface(area)
    doors = [
        one.label for one in doors_near(middle.x, middle.y, scope=scope) if shapely.contains_xy(area, one.lon, one.lat)
    ]
    near = {one.level: one for one in reverse(middle.x, middle.y, scope=scope)}
    community = near.get("community")
    site = community if community and community.metres == 0 else None
    beside = near.get("door") or community
    return {
        "doors": doors[:DOORS_TOLD],
        "site": site,
        "beside": None if doors else beside,
        "address": doors[0] if doors else site.label if site else "",
        "places": places_in(area, scope=scope),
        "twins": twins_at(middle.x, middle.y, scope=scope),
    }


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain the map in three dimensions and the digital twins."""
    return render(request, "help/scene.html")


def places_inside(version: SceneVersion, *, scope: Scope) -> list[Place]:
    """Return the open institutions in the footprint of a scene, by name."""
    return places_in(_grounds(version), scope=scope)


def places_in(area: BaseGeometry, *, scope: Scope) -> list[Place]:
    """Return the open institutions in an area (CGCS2000 degrees), by name."""
    west, south, east, north = shapely.bounds(area)
    found = facilities_in(scope=scope, bbox=(west, south, east, north), limit=MOST_ROWS).places
    return [one for one in found if shapely.contains_xy(area, one.lon, one.lat)]


def twins_at(lon: float, lat: float, *, scope: Scope) -> list[SceneVersion]:
    """Return the digital twins of the buildings that a point lies in or stands before."""
    box = (lon - DOOR_DEG, lat - DOOR_DEG, lon + DOOR_DEG, lat + DOOR_DEG)
    return [one for one in scenes_in(box, scope=scope) if one.twin and shapely.contains_xy(_grounds(one), lon, lat)]


def _grounds(version: SceneVersion) -> BaseGeometry:
    """Return the area in which a place belongs to the building of a scene."""
    return shapely.buffer(shapely.from_wkb(bytes((version.footprint or version.outline).wkb)), DOOR_DEG)


def _row(version: SceneVersion) -> dict[str, Any]:
    return {
        "key": version.scene.key,
        "title": version.title,
        "kind_words": KINDS[SceneKind(version.scene.kind)],
        "source": version.source,
        "as_of": version.as_of,
        "twin": version.twin,
        "tall_m": version.highest_m - version.lowest_m,
        "highest_m": version.highest_m,
        "lowest_m": version.lowest_m,
        "lon": (version.west + version.east) / 2,
        "lat": (version.south + version.north) / 2,
    }


def _begin(key: str, scenes: list[SceneVersion], scope: Scope) -> dict[str, str]:
    """Return where the map begins: at the model that is named, else at the widest there is; a named draft is drawn too."""
    widest = max(scenes, key=lambda one: one.east - one.west, default=None)
    shown = next((one for one in scenes if one.scene.key == key), widest)
    if key:
        try:
            draft = drafted(key, scope=scope)
        except CityError:  # not his to set: what is published is what there is
            draft = None
        if draft:
            return {"draft": key, "scene_box": ",".join(map(str, draft["box"]))}
    box = (shown.west, shown.south, shown.east, shown.north) if shown else ()
    return {"draft": "", "scene_box": ",".join(map(str, box))}


ROUTES = [
    path("scene", scene_page, name="scene"),
    path("scene/building", building, name="scene-building"),
    path("twin/<slug:key>", twin_page, name="twin"),
    path("help/scene", help_page, name="help-scene"),
]
