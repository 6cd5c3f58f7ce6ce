"""Where an appointment is: from an address to places and from a position to its address, community, street and fence.

Our own addresses come first. 一张图 is a second opinion on them, and the source where ours know nothing; nobody waits for it
longer than it takes to say so.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
from django.contrib.gis.geos import Point
from django.utils import timezone

from geo.addresses.gazetteer import published_now
from geo.addresses.geocode import LONGEST, Candidate, geocode
from geo.addresses.lookups import metres_between
from geo.addresses.models import Community
from geo.addresses.positions import position
from geo.addresses.queries import reverse
from geo.basemap.queries import water_at
from geo.crs import System
from geo.crs.codes import CGCS2000
from geo.errors import BadInput, Unavailable
from geo.fences.models import Fence
from geo.imports.models import CURRENT, Family
from geo.regions.models import Level
from geo.regions.queries import current_city, regions_at
from geo.scope import Scope
from services.access.models import Organisation
from services.fencing.live import LiveFence, live_fences
from services.integrations.onemap.client import NAME, Place, is_connected, one_map
from services.integrations.onemap.schemas import AddressSaid
from services.modules.waste.models import Placed

log = logging.getLogger(__name__)
PURPOSE: Final = "waste"
SHARP: Final = frozenset({"door", "lane", "interpolated", "community"})
"""The levels of an answer that are a place to drive to."""
MOST_UNCERTAIN_M: Final = 1_000.0
PICKED_M: Final = 10.0
"""How far off a finger on the map may be."""
SURE_M: Final = 100.0
"""An address found closer than this, and not contradicted, need not be chosen."""
AT_DOOR_M: Final = 60.0
"""The nearest door stands for a position no farther off."""
AWAY: Final = f"{NAME}暂时问不到，只按本平台的地址库找。"


@dataclass(frozen=True, slots=True)
class Spot:
    """A position that somebody chose, in CGCS2000 degrees: how, and how far it may be off."""

    lon: float
    lat: float
    placed: str = Placed.PICKED.value
    uncertainty_m: float = PICKED_M

    def __str__(self) -> str:
        """Return it as a form carries it."""
        return f"{self.lon:.6f},{self.lat:.6f},{self.placed},{self.uncertainty_m:.0f}"


@dataclass(frozen=True, slots=True)
class Option:
    """A place that a written address may be."""

    spot: Spot
    label: str
    note: str


@dataclass(frozen=True, slots=True)
class Found:
    """The places of an address, best first; ``sure`` that the first is the one; ``fault`` why there was no second opinion."""

    options: tuple[Option, ...]
    sure: bool
    fault: str = ""


@dataclass(frozen=True, slots=True)
class FenceAt:
    """The fence that holds a position: its identity, name, who answers for it, and the edition it stands in."""

    same: UUID
    name: str
    owner: str
    edition_id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class Where:
    """What is at a position: ``address`` the standard address, '' where none is known; ``shapes`` GeoJSON of fence and community.

    ``inside`` says that the community's own outline holds the position. ``said`` is told beside it.
    """

    spot: Spot
    address: str
    community: str
    inside: bool
    street: str
    district: str
    region_id: int
    fence: FenceAt | None
    said: tuple[str, ...] = ()
    shapes: dict[str, Any] = field(default_factory=dict)


def spot_of(text: str) -> Spot:
    """Return a position as a form carries it. Raises ``BadInput`` for anything else, and for a place outside the city."""
    parts = text.split(",")
    try:
        lon, lat, off = float(parts[0]), float(parts[1]), float(parts[3])
        placed = Placed(parts[2])
    except (ValueError, IndexError):
        raise BadInput("spot_missing", "请先在地图上选位置，或按地址找位置再选一个。", field="spot") from None
    return spot_at(lon, lat, placed=placed, uncertainty_m=off)


def spot_at(
    x: float, y: float, *, crs: str = "cgcs2000", placed: str = Placed.PICKED.value, uncertainty_m: float = PICKED_M
) -> Spot:
    """Return a position given in a named datum. Raises ``BadInput`` where it is none of the city, or in the water."""
    at = position(x, y, System.parse(crs), current_city())
    water = water_at(at.x, at.y)
    if water is not None:
        raise BadInput("spot_in_water", f"标记落在{f'“{water}”的' if water else ''}水面上，请移到楼旁。", field="spot")
    if not regions_at(at.x, at.y, scope=Scope.public()):
        raise BadInput("off_map", f"这里不在{current_city().name}，请把标记移到楼旁。", field="spot")
    return Spot(at.x, at.y, placed, min(max(uncertainty_m, 1.0), MOST_UNCERTAIN_M))


def places_of(address: str, *, scope: Scope) -> Found:
    """Return the places that a written address may be. Raises ``BadInput`` for one that is none."""
    ours = [
        each
        for each in geocode(address[:LONGEST], scope=scope, limit=5)
        if each.level in SHARP and each.uncertainty_m <= MOST_UNCERTAIN_M
    ]
    theirs, fault = _second_opinion(address[:LONGEST])
    options = [_ours(each, theirs) for each in ours]
    options += [_theirs(each) for each in theirs if not any(_apart(one, each) <= SURE_M for one in ours)]
    sharp = len(ours) == 1 and ours[0].uncertainty_m <= SURE_M
    sure = bool(options) and (sharp or not ours) and len(options) == 1
    return Found(tuple(options), sure, fault)


def where_is(spot: Spot, *, scope: Scope) -> Where:
    """Return what is at a position, with the fence that counts there now."""
    found = {each.level: each for each in reverse(spot.lon, spot.lat, scope=scope)}
    versions = {each.level: each for each in regions_at(spot.lon, spot.lat, scope=scope)}
    door, community = found.get("door"), found.get("community")
    near = door is not None and (door.metres or 0) <= AT_DOOR_M
    other, said = (None, ()) if near else _their_address(spot)
    live = fence_at(spot.lon, spot.lat)
    street, district = versions.get(Level.STREET), versions.get(Level.DISTRICT)
    inside = community is not None and community.metres == 0
    shapes = {"fence": shape_of(live)} if live else {}
    if community is not None and inside and (outline := _outline(spot)):
        shapes["community"] = outline
    return Where(
        spot=spot,
        address=door.label if door and near else other.address if other else "",
        community=_bare(community.label, district) if community else other.community if other else "",
        inside=inside,
        street=street.name if street else "",
        district=district.name if district else "",
        region_id=max(versions.values(), key=lambda each: len(each.path)).region_id,
        fence=live,
        said=said,
        shapes=shapes,
    )


def fence_at(lon: float, lat: float) -> FenceAt | None:
    """Return the 片区 that holds a position now (CGCS2000 degrees); of several, which the checks of fences prevent, the first."""
    live = live_fences()
    hits = live.at([lon], [lat], [int(timezone.now().timestamp() * 1000)])
    wanted = live.rows_for(scope=Scope.public(), purposes={PURPOSE})
    rows = [int(row) for row in hits.fences if wanted[row]]
    return _told(live.fences[rows[0]]) if rows else None


def organisation_of(fence: FenceAt | None) -> Organisation | None:
    """Return the organisation that answers for a fence: the only one at work of that very name, ``None`` where it is in doubt."""
    if fence is None or not fence.owner:
        return None
    named = list(Organisation.objects.filter(name=fence.owner, active=True)[:2])
    return named[0] if len(named) == 1 else None


def shape_of(fence: FenceAt) -> dict[str, Any]:
    """Return the shape of a fence as GeoJSON in degrees."""
    row = Fence.objects.get(edition=fence.edition_id, same=fence.same)
    return dict(orjson.loads(row.geom.geojson))


def _told(one: LiveFence) -> FenceAt:
    return FenceAt(one.same, one.name, one.owner, one.edition_id, one.number)


def _outline(spot: Spot) -> dict[str, Any] | None:
    rows = Community.objects.filter(CURRENT, source__in=published_now().ids(Family.COMMUNITIES))
    row = rows.filter(boundary__covers=Point(spot.lon, spot.lat, srid=CGCS2000)).order_by("pk").first()
    return dict(orjson.loads(row.boundary.geojson)) if row and row.boundary else None


def _bare(label: str, district: Any) -> str:
    return label.removeprefix(district.name) if district else label


def _second_opinion(address: str) -> tuple[list[Place], str]:
    """Return what 一张图 says of an address, and why it says nothing, '' where it is not connected."""
    if not is_connected():
        return [], ""
    try:
        return one_map().places_of(address), ""
    except Unavailable as fault:
        log.warning("no second opinion", extra={"fault": fault.code})
        return [], fault.message if fault.code in {"datum_wrong", "answer_outside"} else AWAY


def _their_address(spot: Spot) -> tuple[AddressSaid | None, tuple[str, ...]]:
    """Return what 一张图 knows of a position of which we know no door, and the words for where that comes from."""
    if not is_connected():
        return None, ()
    try:
        said = one_map().address_at(spot.lon, spot.lat)
    except Unavailable as fault:
        log.warning("no address of theirs", extra={"fault": fault.code})
        return None, ()
    return said, (f"这里没有登记的门牌，地址由{NAME}给出。",) if said.address else ()


def _apart(ours: Candidate, theirs: Place) -> float:
    return metres_between(ours.lon, ours.lat, theirs.lon, theirs.lat)


def _ours(one: Candidate, theirs: Sequence[Place]) -> Option:
    """Return one of our candidates with how far it may be off, what speaks against it, and how far theirs is from it."""
    notes = [f"误差约 {one.uncertainty_m:.0f} 米", *(penalty.reason for penalty in one.penalties)]
    if theirs:
        apart = min(_apart(one, each) for each in theirs)
        notes.append(f"与{NAME}相差 {apart:.0f} 米" if apart <= SURE_M else f"{NAME}的位置在 {apart:.0f} 米外，请核对")
    return Option(Spot(one.lon, one.lat, Placed.ADDRESS, one.uncertainty_m), one.label, "；".join(notes))


def _theirs(one: Place) -> Option:
    note = f"{NAME}给出；误差约 {one.uncertainty_m:.0f} 米"
    return Option(Spot(one.lon, one.lat, Placed.ONE_MAP, one.uncertainty_m), one.label, note)
