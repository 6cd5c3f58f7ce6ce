"""Asking the API of fences as a program does."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client
from shapely.geometry import Point

from geo.crs import Coordinate, System, convert
from geo.geometry import from_plane
from geo.regions.models import Region, RegionVersion
from geo.regions.queries import current_city
from services.access.actions import declare_roles, grant_role
from services.access.models import User
from tests.services.fencing.sets import middle

CHECK = "/api/v1/fences/check"
FENCES = "/api/v1/fences"


def post(client: Client, body: Any, *, status: int = 200) -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    response = client.post(CHECK, text, content_type="application/json")
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/json" if status == 200 else "application/problem+json")
    assert status != 200 or response["Cache-Control"] == "no-store"
    return json.loads(response.content)


def spot(east: float, north: float, system: System = System.WGS84) -> tuple[float, float]:
    """Return a position so many metres from the corner that ``square`` counts from, in a system."""
    x, y = middle()
    point = from_plane(Point(x - 150 + east, y - 150 + north), current_city())
    moved = convert(Coordinate(point.x, point.y, System.CGCS2000), system)
    return moved.x, moved.y


def at(east: float, north: float, system: System = System.WGS84) -> dict[str, float]:
    lon, lat = spot(east, north, system)
    return {"lon": lon, "lat": lat}


def planner_of(code: str) -> User:
    """Return somebody who plans for a district, and so may see its fences."""
    declare_roles()
    user = User.objects.create(username=f"planner-{code}")
    region = RegionVersion.objects.get(edition__state="published", code=code).region_id
    grant_role(user=user, role="planner", granted_by="shi", region=Region.objects.get(pk=region))
    return user
