"""The table of catchments: areas of kindergartens, drawn as all areas are."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import shapely
from django.http import HttpRequest

from geo.addresses.gazetteer import published_now
from geo.fences.topology import Drawn
from geo.imports.models import CURRENT, Family
from geo.scope import Scope
from services.catchments.areas.actions import CATCHMENT_AREAS
from services.catchments.areas.queries import before_of, district_for
from services.catchments.editing import may_edit
from services.catchments.ground import KINDERGARTEN
from services.catchments.models import CatchmentEdition
from services.catchments.queries import edition_seen
from services.facilities.models import Facility, FacilityStatus
from web.doors.common.typed import number_typed
from web.doors.plan.area_parts import areas_drawn, figures, state_of
from web.doors.plan.drawing import DrawingTable, routes
from web.doors.plan.drawing_parts import lines_drawn


def _seen(edition_id: UUID, scope: Scope) -> CatchmentEdition:
    return edition_seen(edition_id, scope=scope)


def _may_edit(edition: CatchmentEdition, scope: Scope) -> bool:
    return may_edit(edition, scope=scope)


def _state(edition: CatchmentEdition, scope: Scope, chosen: str) -> dict[str, Any]:
    return state_of(edition, scope=scope, chosen=chosen)


def _figures(edition: CatchmentEdition, same: str, drawn: Drawn) -> dict[str, Any]:
    before = before_of(edition)
    return {"before": before, "compared": figures(edition, before, same, drawn)}


def _about(request: HttpRequest) -> dict[str, Any]:
    return {"target": number_typed(request, "target")}


def _before(request: HttpRequest, edition: CatchmentEdition) -> dict[str, Any]:
    before = before_of(edition)
    return areas_drawn(before) if before else lines_drawn([])


def _sites(request: HttpRequest, edition: CatchmentEdition) -> dict[str, Any]:
    district = district_for(edition)
    inside = [region.id for region in district.names.regions.values() if region.path.startswith(district.path)]
    rows = Facility.objects.filter(
        CURRENT, kind=KINDERGARTEN, region__in=inside, source__in=published_now().ids(Family.FACILITIES)
    ).exclude(status=FacilityStatus.CLOSED)
    found = [(name, shapely.Point(geom.x, geom.y)) for name, geom in rows.order_by("id").values_list("name", "geom")]
    return lines_drawn(found)


CATCHMENT_TABLE: Final = DrawingTable(
    name="plan-areas", base="plan/editions/<uuid:edition_id>", page="plan-map", areas=CATCHMENT_AREAS, seen=_seen,
    may_edit=_may_edit, state=_state, figures=_figures, about=_about, drawn=areas_drawn,
    parts={"bar": "plan/map_bar.html", "areas": "plan/table_areas.html", "checks": "plan/map_checks.html"},
    layers={"before": _before, "sites": _sites},
)  # fmt: skip
ROUTES = routes(CATCHMENT_TABLE)
