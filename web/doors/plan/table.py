"""The planner's table: the areas of an edition on a map, and areas as a file."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from geo.errors import BadInput, CityError, TooLarge
from geo.fences.areas import Act
from geo.fences.files.reading import ENDINGS, SYSTEMS
from geo.fences.files.writing import FORMATS
from services.access.queries import scope_for
from services.catchments.areas.actions import CATCHMENT_AREAS
from services.catchments.areas.files import export_areas, read_areas
from services.catchments.areas.queries import district_for
from services.catchments.models import CatchmentEdition
from services.catchments.queries import EDIT, edition_seen, versions_beside
from services.crypto.identifiers import new_id
from web.doors.common.desk_map import map_context
from web.doors.common.drawing_files import taken_away, uploaded
from web.doors.common.typed import key_typed, number_typed, typed
from web.doors.plan.areas import CATCHMENT_TABLE
from web.doors.plan.drawing_parts import VersionStep, versions_line

TOOLS: Final = (
    ("choose", "选择", "mouse-pointer-2", "V"),
    ("draw", "画区", "pentagon", "P"),
    ("edit", "改边", "spline", "E"),
    ("split", "切分", "scissors", "C"),
    ("part", "加块", "squares-unite", "A"),
    ("hole", "挖去", "squares-subtract", "H"),
    ("merge", "合并", "combine", "M"),
    ("snap", "吸附", "magnet", "S"),
    ("measure", "量距", "ruler", "R"),
    ("overlay", "叠图", "layers", "L"),
)
LAYERS: Final = (
    ("before", "现行边界", True),
    ("streets", "街镇界", True),
    ("committees", "居委界", False),
    ("doors", "门牌", False),
    ("communities", "小区范围", False),
    ("sites", "幼儿园", True),
)


@never_cache
@login_required
@require_safe
def map_page(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Show the areas of an edition on the map, what is wrong with them, and what they change."""
    return _page(request, edition_id)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def area_file(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Return the areas as a file; on POST take areas out of a file into the draft, or say row by row why not."""
    scope = scope_for(request)
    if request.method == "GET":
        edition = edition_seen(edition_id, scope=scope)
        return taken_away(
            export_areas(edition, format=typed(request, "format", "geojson"), crs=typed(request, "crs", "wgs84"))
        )
    edition = edition_seen(edition_id, scope=scope, duty=EDIT)
    try:
        with uploaded(request) as (source, name):
            arriving, faults = read_areas(source, name=name, datum=typed(request, "datum"), edition=edition)
        if faults:
            return _page(request, edition_id, faults=faults)
        sent = Act(edition_id, number_typed(request, "seen"), key_typed(request), scope)
        CATCHMENT_AREAS.take_in(sent, arriving=arriving, replace=bool(typed(request, "replace")))
    except (BadInput, TooLarge) as fault:
        return _page(request, edition_id, faults=[fault.message])
    except CityError as fault:
        messages.error(request, fault.message)
        return redirect("plan-map", edition_id=edition_id)
    messages.success(request, f"导入了 {len(arriving)} 个片区。导错了可以点“撤销”。")
    return redirect("plan-map", edition_id=edition_id)


def _page(request: HttpRequest, edition_id: UUID, faults: list[str] | None = None) -> HttpResponse:
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope)
    boundary = district_for(edition).boundary
    context = CATCHMENT_TABLE.context(edition, scope, typed(request, "area")) | {
        "versions": _versions(edition), "tools": TOOLS, "layers": LAYERS, "key": new_id(), "file_faults": faults or [],
        "systems": [(system.value, system.label) for system in SYSTEMS], "formats": FORMATS, "endings": ENDINGS,
        "edition_page": f"/plan/editions/{edition.pk}",
        "box": ",".join(f"{each:.6f}" for each in boundary.bounds) if boundary is not None else "",
    } | map_context()  # fmt: skip
    return render(request, "plan/map.html", context, status=400 if faults else 200)


def _versions(edition: CatchmentEdition) -> list[VersionStep]:
    rows = list(versions_beside(edition))
    return versions_line(rows, edition, begins="from_day", now=timezone.localdate(), said="%Y年%-m月%-d日")


ROUTES = [
    path("plan/editions/<uuid:edition_id>/map", map_page, name="plan-map"),
    path("plan/editions/<uuid:edition_id>/areas/file", area_file, name="plan-areas-file"),
]
