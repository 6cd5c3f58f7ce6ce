"""The table of fences: drawn by hand, or made as circles, corridors along roads and whole regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from geo.addresses.land import land_of
from geo.crs import System
from geo.fences.areas import Act, shape_of
from geo.fences.drafts import EditionState
from geo.fences.models import Fence, FenceChange, FenceEdition
from geo.fences.topology import Drawn, measure
from geo.geometry import feature, feature_collection
from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.access.queries import scope_for
from services.crypto.identifiers import new_id
from services.fencing.actions import FENCES
from services.fencing.isochrones import MODES
from services.fencing.queries import (
    EDIT,
    before_of,
    edition_seen,
    fences_of,
    flaws_in,
    purpose_for,
    table_of,
    undo_and_redo,
    versions_beside,
)
from web.doors.common.desk_map import map_context
from web.doors.common.typed import typed
from web.doors.fences.making import about_made, made, make, remake
from web.doors.plan import drawing_parts
from web.doors.plan.drawing import DrawingTable, routes
from web.doors.plan.drawing_parts import Compared, colours_of, lines_drawn, versions_line

TOOLS: Final = (
    ("choose", "选择", "mouse-pointer-2", "V"),
    ("draw", "画面", "pentagon", "P"),
    ("circle", "画圆", "circle", "O"),
    ("corridor", "走廊", "route", "L"),
    ("isochrone", "等时圈", "timer", "T"),
    ("edit", "改边", "spline", "E"),
    ("split", "切分", "scissors", "C"),
    ("part", "加块", "squares-unite", "A"),
    ("hole", "挖去", "squares-subtract", "H"),
    ("merge", "合并", "combine", "M"),
    ("snap", "吸附", "magnet", "S"),
    ("measure", "量距", "ruler", "R"),
)
LAYERS: Final = (
    ("before", "现行围栏", True),
    ("streets", "街镇界", True),
    ("committees", "居委界", False),
    ("doors", "门牌", False),
    ("communities", "小区范围", False),
)
DAYS: Final = (
    ("mon", "周一"),
    ("tue", "周二"),
    ("wed", "周三"),
    ("thu", "周四"),
    ("fri", "周五"),
    ("sat", "周六"),
    ("sun", "周日"),
)


@dataclass(frozen=True, slots=True)
class FenceLine:
    """A fence as the list shows it; ``doors`` is the figure beside its name."""

    same: str
    name: str
    doors: int | None
    colour: int
    errors: int
    chosen: bool
    fence: Fence


def _seen(edition_id: UUID, scope: Scope) -> FenceEdition:
    return edition_seen(edition_id, scope=scope)


def _may_edit(edition: FenceEdition, scope: Scope) -> bool:
    return edition.state != EditionState.PUBLISHED and scope.holds(EDIT)


def _state(edition: FenceEdition, scope: Scope, chosen: str) -> dict[str, Any]:
    flaws, table = flaws_in(edition), table_of(edition)
    colours = colours_of(table)
    wrong = [flaw for flaw in flaws if flaw.level == "error"]
    known = len(table.ground.doors) > 0
    lines = [
        FenceLine(
            key := str(fence.same), fence.name, len(table.doors_in(table.areas[key].shape)) if known else None, colours[key],
            sum(key in (flaw.area, flaw.other) for flaw in wrong), key == chosen, fence,
        )
        for fence in fences_of(edition)
    ]  # fmt: skip
    area = next((line for line in lines if line.chosen), None)
    every = drawing_parts.state_of(
        edition, table, flaws, area.same if area else "",
        steps=undo_and_redo(edition, actor=scope.actor), may_edit=_may_edit(edition, scope),
    )  # fmt: skip
    return every | _words(edition) | {
        "lines": lines, "area": area, "about": _about_shown(area.fence) if area else None,
        **_figures(edition, area.same if area else "", None),
    }  # fmt: skip


def _words(edition: FenceEdition) -> dict[str, Any]:
    return {"purpose": purpose_for(edition), "edition_page": reverse("fences-edition", args=[edition.pk]), "days": DAYS}


def _about_shown(fence: Fence) -> dict[str, Any]:
    """Return what the panel says of a fence: how it was made, and its hours by day as they are typed."""
    spans = [(day, word, "，".join("-".join(span) for span in fence.hours.get(day, ()))) for day, word in DAYS]
    return about_made(fence) | {"hours": spans}


def _figures(edition: FenceEdition, same: str, drawn: Drawn | None) -> dict[str, Any]:
    """Return how large a fence is and how many doors it holds, now and in what counts at present."""
    before = before_of(edition)
    now = drawn or table_of(edition).areas.get(same)
    if now is None:
        return {"before": before, "compared": []}
    was = table_of(before).areas.get(same) if before else None
    old = (round(was.shape.area), len(table_of(before).doors_in(was.shape))) if was and before else (None, None)
    new = (round(now.shape.area), len(table_of(edition).doors_in(now.shape)) if now.shape.is_valid else None)
    pairs = zip(("面积（平方米）", "门牌（个）"), old, new, strict=True)
    return {"before": before, "compared": [Compared(*row) for row in pairs]}


def _about(request: HttpRequest) -> dict[str, Any]:
    typed_hours = {day: spans for day, _ in DAYS if (spans := _spans(typed(request, f"hours_{day}")))}
    return {
        "owner": typed(request, "owner"), "from_day": typed(request, "from_day"), "to_day": typed(request, "to_day"),
        "hours": typed_hours,
    }  # fmt: skip


def _spans(text: str) -> list[list[str]]:
    """Return the spans of a day as they are typed: 08:00-17:30，19:00-21:00."""
    parts = (
        text.replace("，", ",").replace("、", ",").replace("：", ":").replace("—", "-").replace("至", "-").split(",")
    )
    return [[clock.strip() for clock in part.split("-")] for part in parts if part.strip()]


def _make(sent: Act, request: HttpRequest, edition: FenceEdition) -> FenceChange | None:
    return make(sent, request, _about(request))


def _drawn(edition: FenceEdition) -> dict[str, Any]:
    table = table_of(edition)
    colours, known = colours_of(table), len(table.ground.doors) > 0
    return feature_collection(
        [
            feature(
                shape_of(fence),
                {
                    "same": str(fence.same), "name": fence.name, "colour": colours[str(fence.same)],
                    "size": measure(table.areas[str(fence.same)].shape.area),
                    "doors": len(table.doors_in(table.areas[str(fence.same)].shape)) if known else None,
                },
                System.CGCS2000,
            )
            for fence in fences_of(edition)
        ]
    )  # fmt: skip


def _before(request: HttpRequest, edition: FenceEdition) -> dict[str, Any]:
    before = before_of(edition)
    return _drawn(before) if before else lines_drawn([])


FENCE_TABLE: Final = DrawingTable(
    name="fences-areas", base="plan/fences/<uuid:edition_id>", page="fences-map", areas=FENCES, seen=_seen,
    may_edit=_may_edit, state=_state, figures=_figures, about=_about, drawn=_drawn,
    parts={"bar": "plan/fence_bar.html", "areas": "plan/table_areas.html", "checks": "plan/fence_checks.html"},
    layers={"before": _before}, acts={"make": _make, "remake": remake},
)  # fmt: skip


@never_cache
@login_required
@require_safe
def map_page(request: HttpRequest, edition_id: UUID) -> HttpResponse:
    """Show the fences of an edition on the map, what is wrong with them, and what is said of the chosen one."""
    scope = scope_for(request)
    edition = edition_seen(edition_id, scope=scope)
    land = land_of(edition.district_id)
    versions = list(versions_beside(edition))
    streets = RegionVersion.objects.filter(edition__state="published", level="street", path__startswith=land.path)
    context = FENCE_TABLE.context(edition, scope, typed(request, "area")) | {
        "versions": versions_line(versions, edition, begins="from_moment", now=timezone.now(), said="%Y-%m-%d %H:%M"),
        "tools": TOOLS, "layers": LAYERS, "modes": MODES, "key": new_id(),
        "streets": list(streets.order_by("code").values("code", "name")),
        "box": ",".join(f"{each:.6f}" for each in land.boundary.bounds) if land.boundary is not None else "",
    } | map_context()  # fmt: skip
    return render(request, "plan/fence_map.html", context)


ROUTES = [
    path("plan/fences/<uuid:edition_id>/map", map_page, name="fences-map"),
    path("plan/fences/<uuid:edition_id>/areas/made", made, name="fences-made"),
    *routes(FENCE_TABLE),
]
