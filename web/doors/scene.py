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

from geo.errors import CityError, NotFound
from geo.scope import Scope
from layers.registry import layers
from layers.scenes.models import SceneKind, SceneVersion
from layers.scenes.queries import scene_shown, scenes_in
from services.access.queries import scope_for
from services.facilities.places import Place
from services.facilities.queries import MOST_ROWS, facilities_in
from web.doors.desk_map import map_context
from web.doors.scenes import drafted, told
from web.doors.typed import typed

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


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain the map in three dimensions and the digital twins."""
    return render(request, "help/scene.html")


def places_inside(version: SceneVersion, *, scope: Scope) -> list[Place]:
    """Return the open institutions in the footprint of a scene, by name."""
    area = _grounds(version)
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
    path("twin/<slug:key>", twin_page, name="twin"),
    path("help/scene", help_page, name="help-scene"),
]
