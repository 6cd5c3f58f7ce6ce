"""The JSON shapes of facilities: how a place is written in a coordinate system. Used by the API and by pages that embed data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from geo.addresses.gazetteer import NamedRegion, Published
from geo.addresses.positions import written
from geo.crs import System
from services.facilities.places import Place
from services.facilities.queries import Detail

DEMO_NOTE = "演示数据：地点、名称和数字都是虚构的，请勿用于实际出行。"


def region_shape(region: NamedRegion | None) -> dict[str, str] | None:
    """Return a region as JSON."""
    if region is None:
        return None
    return {"code": region.code, "level": region.level, "name": region.name, "full_name": region.full_name}


def place_shape(place: Place, point: tuple[float, float]) -> dict[str, Any]:
    """Return a place as JSON, its point as written in the asked system."""
    return {
        "id": place.id,
        "name": place.name,
        "kind": place.kind,
        "kind_name": place.kind_name,
        "group": place.group,
        "lon": point[0],
        "lat": point[1],
        "address": place.address,
        "phone": place.phone,
        "status": place.status,
        "region": region_shape(place.region),
        "open_now": place.opening.open,
        "open_text": place.opening.text,
        "places": place.places,
        "vacancies": place.vacancies.count,
        "vacancies_as_of": place.vacancies.as_of.isoformat() if place.vacancies.as_of else None,
        "vacancies_fresh": place.vacancies.fresh,
        "vacancies_text": place.vacancies.text,
        "attributes": dict(place.attributes),
        "as_of": place.as_of.isoformat() if place.as_of else None,
    }


def places_shape(places: Sequence[Place], to: System, extras: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """Return places as JSON in a system; ``extras`` runs along them and adds members such as minutes and metres."""
    points = written([place.lon for place in places], [place.lat for place in places], to)
    shapes = [place_shape(place, point) for place, point in zip(places, points, strict=True)]
    for shape, extra in zip(shapes, extras, strict=False):
        shape.update(extra)
    return shapes


def detail_shape(detail: Detail, to: System) -> dict[str, Any]:
    """Return all that is shown of one facility as JSON."""
    place = detail.place
    (shape,) = places_shape([place], to)
    return shape | {
        "organisation": detail.organisation,
        "source": detail.source,
        "uncertainty_m": place.uncertainty_m,
        "hours": dict(place.hours),
        "hours_as_of": place.hours_as_of.isoformat() if place.hours_as_of else None,
        "week": [{"days": days, "hours": hours} for days, hours in detail.week],
        "said": [{"label": label, "text": text} for label, text in detail.said],
        "status_changes": [
            {"status": change.status, "effective_on": change.effective_on.isoformat(), "reason": change.reason}
            for change in detail.statuses
        ],
    }


def stated(published: Published, to: System) -> dict[str, Any]:
    """Return what stands beside every answer: its coordinate system, and whether anything invented is shown."""
    said: dict[str, Any] = {"crs": str(to), "demo": published.demo}
    if published.demo:
        said["note"] = DEMO_NOTE
    return said


def whole_metres(metres: float) -> int:
    """Return metres as whole ones."""
    return round(metres)
