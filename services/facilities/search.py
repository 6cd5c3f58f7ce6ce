"""The one search box: facilities, communities, roads, addresses and regions that a text may mean, in one ranked list."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection

from geo.addresses.gazetteer import Names, Published
from geo.addresses.suggesting.named import Named, NameList, list_of
from geo.addresses.suggesting.ranking import MINOR_STEPS, Suggestion
from geo.addresses.suggestions import Listed, kept_list, mark_of, newest_of, stream, suggest, where_of
from geo.errors import BadInput
from geo.imports.models import Family
from geo.scope import Scope
from services.facilities.kinds import kind_of
from services.facilities.models import Facility, FacilityStatus

MOST: Final = 30
USUAL_STEPS: Final = 2.5
STEPS: Final = {
    "metro_station": 0.5,
    "hospital": 1.0,
    "park": 1.5,
    "library": 1.5,
    "bus_stop": MINOR_STEPS,
    "waste_point": MINOR_STEPS,
}
"""How little a kind matters among equally good names, see ``geo.addresses.suggesting.ranking``; other kinds: ``USUAL_STEPS``."""


def search(q: str, *, scope: Scope, near: tuple[float, float] | None = None, limit: int = 10) -> list[Suggestion]:
    """Return what a text may mean, best first; ``near`` (lon, lat in CGCS2000) prefers what is close.

    ``what`` of a suggestion is facility, community, road, address or region; ``where`` of a facility begins with its kind. Only
    open facilities are offered, which everybody may see. Raises ``BadInput`` beyond 200 characters or for a limit that cannot be
    meant; nothing to search for gives nothing.
    """
    if not 1 <= limit <= MOST:
        raise BadInput("limit_invalid", f"条数要在 1 到 {MOST} 之间。", parameter="limit")
    return suggest(q, scope=scope, near=near, limit=limit, more=[_facilities])


def _facilities(published: Published, names: Names) -> Listed:
    def where(region_id: int, tag: str) -> str:
        return " · ".join(filter(None, [kind_of(tag).name, where_of(names.region(region_id), names)]))

    return kept_list("facility", _mark(published), lambda: _read(published)), where


def _read(published: Published) -> NameList:
    rows = stream(_OPEN, [FacilityStatus.OPEN, list(published.ids(Family.FACILITIES))])
    return list_of("facility", map(_named, rows))


def _named(row: tuple[Any, ...]) -> Named:
    facility_id, name, kind, address, lon, lat, uncertainty_m, region_id = row
    held = address.removeprefix("上海市")
    return Named(facility_id, name, lon, lat, uncertainty_m, region_id, STEPS.get(kind, USUAL_STEPS), (), held, kind)


_OPEN: Final = """
    SELECT id, name, kind_id, address_text, ST_X(geom), ST_Y(geom), uncertainty_m, coalesce(region_id, 0)
    FROM facilities_facility WHERE retired_at IS NULL AND status = %s AND source_id = ANY(%s)"""

_read_at: dict[str, tuple[int, int]] = {}
"""By mark without edits: the last edit of any facility when the list was read, and the last one known not to touch it."""


def _mark(published: Published) -> str:
    """Return the mark of the facilities' names: an edit changes it when it touches what the list holds, a vacancy does not."""
    mark = mark_of(published, Family.FACILITIES, Family.REGIONS, newest=newest_of(Facility))
    last = _one("SELECT coalesce(max(pgh_id), 0) FROM facilities_facilityevent")
    read, checked = _read_at.get(mark, (last, last))
    if last < checked or (last > checked and _one(_TOUCHED, [checked])):
        read = last
    if len(_read_at) > 8:
        _read_at.clear()
    _read_at[mark] = (read, last)
    return f"{mark}{read}"


# The event holds the row as it was before the edit.
_TOUCHED: Final = """
    SELECT EXISTS (
        SELECT FROM facilities_facilityevent e LEFT JOIN facilities_facility f ON f.id = e.pgh_obj_id
        WHERE e.pgh_id > %s AND (e.name, e.kind_id, e.status, e.address_text, e.region_id, e.source_id, e.retired_at, e.geom)
            IS DISTINCT FROM (f.name, f.kind_id, f.status, f.address_text, f.region_id, f.source_id, f.retired_at, f.geom)
    )"""


def _one(sql: str, parameters: list[Any] | None = None) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
    return row[0] if row else None
