"""Builders of fences on the tiny city."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from geo.addresses.land import land_of
from geo.fences.areas import Act
from geo.fences.models import Fence, FenceEdition
from geo.geometry import from_plane
from geo.regions.models import RegionVersion
from geo.regions.queries import current_city
from geo.scope import Scope
from services.fencing.actions import FENCES, PUBLISHING, check_draft, open_draft, publish_edition

HUANGPU = "310101"
DUTIES = frozenset({"fences.view", "fences.edit", "fences.approve"})
STAFF = Scope(paths=("310000.",), duties=DUTIES, actor="qu")
OTHER = Scope(paths=("310000.",), duties=DUTIES, actor="shi")


def district() -> int:
    return RegionVersion.objects.get(edition__state="published", code=HUANGPU).region_id


def draft(purpose: str = "waste", scope: Scope = STAFF) -> FenceEdition:
    return open_draft(purpose=purpose, district=HUANGPU, scope=scope)


def act(edition: FenceEdition, *, seen: int | None = None, key: uuid.UUID | None = None, scope: Scope = STAFF) -> Act:
    edition.refresh_from_db()
    return Act(edition.pk, edition.revision if seen is None else seen, key or uuid.uuid4(), scope)


def middle() -> tuple[float, float]:
    """Return a spot inside the district, in metres of the city's plane."""
    ground = land_of(district()).district
    assert ground is not None
    spot = shapely.point_on_surface(ground)
    return spot.x, spot.y


def square(east: float, north: float, width: float = 100, height: float = 100) -> BaseGeometry:
    """Return a box in degrees, its corner so many metres from a spot inside the district."""
    x, y = middle()
    return from_plane(
        shapely.box(x - 150 + east, y - 150 + north, x - 150 + east + width, y - 150 + north + height), current_city()
    )


def drawn(edition: FenceEdition, name: str, shape: BaseGeometry, **about: Any) -> Fence:
    FENCES.add(act(edition), name=name, about=about, shape=shape)
    return edition.areas.get(name=name)


def published(edition: FenceEdition, at: dt.datetime | None = None) -> FenceEdition:
    """Publish a draft: checked and drawn by one, approved by another as the end of its case does it."""
    check_draft(edition_id=edition.pk, scope=STAFF)
    edition.refresh_from_db()
    PUBLISHING.approve(edition_id=edition.pk, seen=edition.revision, accept=True, scope=OTHER)
    edition.refresh_from_db()
    return publish_edition(edition_id=edition.pk, seen=edition.revision, from_moment=at, scope=OTHER)
