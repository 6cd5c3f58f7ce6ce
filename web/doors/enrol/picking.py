"""入园: the doors nearest to a point picked on the map. The point comes by POST alone and is kept nowhere."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from geo.addresses.geocode import LONGEST, geocode
from geo.addresses.positions import position
from geo.addresses.queries import DOOR_WITHIN_M, doors_near
from geo.basemap.queries import water_at
from geo.crs import Coordinate, System
from geo.errors import BadInput
from geo.regions.queries import current_city, regions_at
from geo.scope import Scope
from services.access.queries import scope_for
from web.api.limits import CallerLimit
from web.doors.common.typed import typed

PICKING: Final = CallerLimit("enrol-picking", anonymous=120, keyed=300)


@never_cache
@require_POST
def doors(request: HttpRequest) -> HttpResponse:
    """Return the doors nearest to a point, or to where typed words lead, as a fragment that says where that is."""
    PICKING.allow_request(request)
    scope = scope_for(request)
    if "address" in request.POST:
        at = _led_to(typed(request, "address"), scope)
        told = _near(at, scope) if at else {"said": "没有在地图上找到写的地址。请点地图，把标记放到住处的楼旁。"}
    else:
        at = _picked(request)
        told = _near(at, scope)
    where = {"lon": f"{at.x:.6f}", "lat": f"{at.y:.6f}"} if at else {}
    return render(request, "enrol/doors.html", where | told)


def _picked(request: HttpRequest) -> Coordinate | None:
    """Return the point that was sent in its own datum; ``None`` where it is none of the city."""
    try:
        lon, lat = float(typed(request, "lon")), float(typed(request, "lat"))
        return position(lon, lat, typed(request, "crs") or System.CGCS2000, current_city())
    except (ValueError, BadInput):
        return None


def _led_to(words: str, scope: Scope) -> Coordinate | None:
    words = words.strip()[:LONGEST]
    found = geocode(words, scope=scope, limit=1) if words else []
    return Coordinate(found[0].lon, found[0].lat, System.CGCS2000) if found else None


def _near(at: Coordinate | None, scope: Scope) -> dict[str, Any]:
    """Return the doors near a point, or the sentence that says why there is none to choose."""
    water = water_at(at.x, at.y) if at else None
    if water is not None:
        return {"said": f"标记落在{f'“{water}”的' if water else ''}水面上。请移到住处的楼旁。"}
    if at is None or not regions_at(at.x, at.y, scope=scope):
        return {"said": f"这里不在{current_city().name}。请把标记移到住处的楼旁，或直接写地址。"}
    found = doors_near(at.x, at.y, scope=scope)
    if not found:
        return {"said": f"附近 {DOOR_WITHIN_M:.0f} 米没有登记的门牌。请把标记移到楼旁，或直接写地址。"}
    return {"doors": found}
