"""圈选 at ``/plan/select``: marked ground asked for what lies in it; list, counts, map and file are one answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import shapely
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from shapely.geometry.base import BaseGeometry

from geo.crs import System
from geo.errors import BadInput, CityError, Forbidden
from geo.fences.files.reading import ENDINGS, SYSTEMS
from geo.geometry import from_plane, geojson, parse_geojson
from geo.regions.queries import current_city, versions_of
from geo.scope import Scope
from services.access.queries import check_duty, scope_for
from services.facilities.kinds import GROUPS, kind_of, kinds_named
from services.fencing.isochrones import LONGEST_PLACE, MODES
from services.fencing.selecting.api import file_of
from services.fencing.selecting.counting import SELECT, Selected, select
from services.fencing.selecting.grounds import Marked, Reached, fences_named, ground_of, shape_of_file
from services.fencing.selecting.tables import ENDINGS as TABLES
from web.api.errors import status_of
from web.doors.common.desk_map import map_context
from web.doors.common.drawing_files import uploaded
from web.doors.common.typed import number_typed, typed

LISTED: Final = 60
DRAWN: Final = 5_000
THINNED_M: Final = 3.0
"""How far the border may move on the map of the answer."""
MOST_SHAPE: Final = 600_000
"""Characters of a shape that go with the form."""
_WORDS: Final = re.compile(r"[、,，;；\n]+")


@dataclass(frozen=True, slots=True)
class _Form:
    """What was filled in, to be shown again; ``shape`` is GeoJSON (CGCS2000), drawn or out of a file."""

    districts: tuple[str, ...] = ()
    regions: str = ""
    fences: str = ""
    shape: str = ""
    place: str = ""
    mode: str = "walk"
    minutes: int = 15
    kinds: tuple[str, ...] = ()
    datum: str = ""


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def select_page(request: HttpRequest) -> HttpResponse:
    """Ask for ground; on POST say what lies in it, or give it as a file."""
    scope = scope_for(request)
    check_duty(scope, SELECT)
    form = _read(request) if request.method == "POST" else _Form()
    selected, fault = None, None
    if request.method == "POST":
        try:
            form = _with_file(request, form)
            selected = select(ground_of(_marked(form, scope), scope=scope), kinds=kinds_named(form.kinds), scope=scope)
            if typed(request, "format") in TABLES:
                return file_of(request, selected, typed(request, "format"), System.CGCS2000)
        except Forbidden:
            raise
        except CityError as refused:
            fault = refused
    context = {
        "form": form,
        "fault": fault,
        "districts": versions_of(scope=scope).filter(level="district").order_by("code"),
        "groups": GROUPS.items(),
        "modes": MODES,
        "systems": [(str(system), system.label) for system in SYSTEMS],
        "endings": ENDINGS,
        "longest_place": LONGEST_PLACE,
        **(_answer(selected) if selected else {}),
        **map_context(),
    }
    return render(request, "plan/select.html", context, status=status_of(fault) if fault else 200)


def _read(request: HttpRequest) -> _Form:
    return _Form(
        districts=tuple(request.POST.getlist("district")[:100]),
        regions=typed(request, "regions")[:2000],
        fences=typed(request, "fences")[:4000],
        shape=typed(request, "shape"),
        place=typed(request, "place")[:LONGEST_PLACE].strip(),
        mode=typed(request, "mode", "walk"),
        minutes=number_typed(request, "minutes"),
        kinds=tuple(request.POST.getlist("kind")[:100]),
        datum=typed(request, "datum"),
    )


def _with_file(request: HttpRequest, form: _Form) -> _Form:
    """Return the form with the shape of the file that came with it, which takes the place of one drawn before."""
    if not request.FILES:
        return form
    with uploaded(request) as (source, name):
        shape = shape_of_file(source, name=name, datum=form.datum)
    written = _written(shape)
    if len(written) > MOST_SHAPE:
        raise BadInput("shape_too_fine", "图形太细，请先减少顶点，或把它导入成围栏再按围栏圈选。")
    return _Form(**{name: getattr(form, name) for name in form.__slots__} | {"shape": written})


def _marked(form: _Form, scope: Scope) -> Marked:
    words = [word.strip() for word in _WORDS.split(form.regions) if word.strip()]
    return Marked(
        regions=[*form.districts, *words],
        fences=fences_named([word.strip() for word in _WORDS.split(form.fences) if word.strip()], scope=scope),
        shapes=[parse_geojson(form.shape, System.CGCS2000)] if form.shape else [],
        reaches=[Reached(form.mode, form.minutes, place=form.place)] if form.place else [],
    )


def _answer(selected: Selected) -> dict[str, Any]:
    shown = selected.facilities[:LISTED]
    rows = [
        {
            "row": row,
            "kind": kind_of(row["kind_id"]).name,
            "region": region.full_name if (region := selected.names.region(row["region_id"])) else "",
        }
        for row in shown
    ]
    return {
        "selected": selected,
        "total": len(selected.facilities),
        "rows": rows,
        "listed": LISTED,
        "area_km2": selected.area_m2 / 1e6,
        "island": {
            "outline": geojson(
                from_plane(shapely.simplify(selected.outline, THINNED_M), current_city()), System.CGCS2000
            ),
            "places": [
                [round(row["geom"].x, 6), round(row["geom"].y, 6), row["name"]] for row in selected.facilities[:DRAWN]
            ],
        },
    }


def _written(shape: BaseGeometry) -> str:
    return str(shapely.to_geojson(shapely.transform(shape, lambda points: points.round(7))))


ROUTES = [path("plan/select", select_page, name="plan-select")]
