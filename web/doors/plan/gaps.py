"""服务盲区 at ``/plan/gaps``: who walks how far to the nearest place of a kind; map, table and file are one answer."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.contrib.gis.geos import MultiPolygon
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from geo.addresses.gazetteer import published_now
from geo.crs import System
from geo.errors import BadInput, CityError, Conflict, NotFound
from geo.geometry import feature, feature_collection
from geo.regions.models import Level, RegionVersion
from geo.scope import Scope
from services.access.queries import check_duty, scope_for
from services.facilities.kinds import GROUPS, all_kinds
from services.facilities.models import Facility
from services.facilities.queries import visible
from services.fencing.isochrones import LONGEST_PLACE, spot_of
from services.gaps import actions, queries
from services.gaps.duties import VIEW
from services.gaps.exporting import HIDDEN, UNKNOWN, write_board
from services.gaps.measuring import MINUTES
from services.gaps.queries import AGES, CLASSES_MIN, CLASSES_PERCENT, SORTS, Board, Line, Question
from web.api.errors import status_of
from web.doors.common.desk_map import map_context
from web.doors.common.job_states import STATES
from web.doors.common.taken import taken
from web.doors.common.typed import typed
from web.doors.plan.drawing import told_to_scripts

A_PAGE: Final = 40
MOST_PLACES: Final = 4_000
SHOWS: Final = {"time": "每一块走几分钟", "share": "各区划的覆盖率"}
LEVEL_NAMES: Final = {Level.DISTRICT: "区", Level.STREET: "街镇", Level.COMMITTEE: "居委"}
NO_WALK: Final = 1e9
_ASKED: Final = ("kind", "ages", "minutes", "level", "region", "sort", "show")


@never_cache
@login_required
@require_safe
def gaps_page(request: HttpRequest) -> HttpResponse:
    """Show where a kind of service is missing; before anything was measured, how to begin."""
    scope = scope_for(request)
    check_duty(scope, VIEW)
    context: dict[str, Any] = _progress()
    if request.headers.get("X-Fragment") == "progress":
        return render(request, "plan/gaps_progress.html", context)
    fault: CityError | None = None
    question = _question(request, scope)
    context |= _choices(question, scope) | {"show": _show(request)}
    try:
        board = queries.board(question, scope=scope)
        context |= _told(request, board) | map_context()
        context |= _tried(request, question, scope)
    except NotFound:
        context["unmeasured"] = True
    except BadInput as refused:
        fault = refused
    context |= {"fault": fault, "asked": _asked(request)}
    return render(request, "plan/gaps.html", context, status=status_of(fault) if fault else 200)


def _question(request: HttpRequest, scope: Scope) -> Question:
    minutes = typed(request, "minutes") or "15"
    return queries.question_of(
        kind=typed(request, "kind"), ages=typed(request, "ages"), minutes=int(minutes) if minutes.isdecimal() else 0,
        level=typed(request, "level"), region=typed(request, "region"), sort=typed(request, "sort"), scope=scope,
    )  # fmt: skip


def _asked(request: HttpRequest) -> dict[str, str]:
    return {name: typed(request, name) for name in _ASKED if typed(request, name)}


def _show(request: HttpRequest) -> str:
    return "share" if typed(request, "show") == "share" else "time"


def _progress() -> dict[str, Any]:
    """Return how far measuring is, and how the last run ended."""
    job = queries.measuring_now() or queries.last_measured()
    if job is None:
        return {"job": None, "open": False}
    tag, icon, label = STATES[job.state]
    return {
        "job": job, "open": job.state in ("queued", "running"), "tag": tag, "icon": icon, "label": label,
        "percent": round(100 * job.progress), "error": (job.error or {}).get("message", ""),
    }  # fmt: skip


def _choices(question: Question, scope: Scope) -> dict[str, Any]:
    kinds = all_kinds()
    groups = [(name, [each for each in kinds if each.group == key]) for key, name in GROUPS.items()]
    levels = queries.levels_of(question.region)
    return {
        "question": question, "whom": AGES[question.ages][2], "groups": [(name, own) for name, own in groups if own],
        "ages": [(key, words) for key, (_, _, words) in AGES.items()], "minutes": MINUTES, "sorts": SORTS.items(),
        "regions": queries.regions_offered(scope), "levels": [(each, LEVEL_NAMES[Level(each)]) for each in levels],
        "level_name": LEVEL_NAMES[Level(question.level)], "whole": scope.whole_city, "shows": SHOWS.items(),
        "longest_place": LONGEST_PLACE,
    }  # fmt: skip


def _told(request: HttpRequest, board: Board) -> dict[str, Any]:
    page = Paginator([_row(line, board) for line in board.lines], A_PAGE).get_page(request.GET.get("page"))
    return {
        "board": board, "page": page, "total": _row(board.total, board), "legend": _legend(_show(request)),
        "map_url": reverse("gaps-map"), "table_url": reverse("gaps-table"),
    }  # fmt: skip


def _row(line: Line, board: Board) -> dict[str, Any]:
    """Return a line as the table tells it: figures, or the word for why there is none."""
    minutes, none = board.question.minutes, HIDDEN if line.hidden else UNKNOWN
    region, around = line.region, board.question.region
    return {
        "name": region.full_name.removeprefix(around.full_name if around else "") or region.name if region else "",
        "line": line, "none": none, "covered": line.covered(minutes), "percent": line.percent(minutes), "gap": line.gap(minutes),
        "minutes": None if line.minutes is None else f"{line.minutes:.0f}", "unknown": UNKNOWN,
        "code": region.code if region and region.level in (Level.DISTRICT, Level.STREET) else "",
    }  # fmt: skip


def _legend(show: str) -> list[tuple[str, str]]:
    """Return the classes of a map: the name of the fill and the words."""
    if show == "share":
        ends = (0, *CLASSES_PERCENT, 100)
        return [
            (f"quantity-{at}", f"{low}–{high}%") for at, (low, high) in enumerate(zip(ends, ends[1:], strict=False), 1)
        ]
    words = [f"{CLASSES_MIN[0]} 分钟以内"]
    words += [f"{low}–{high} 分钟" for low, high in zip(CLASSES_MIN, CLASSES_MIN[1:], strict=False)]
    return [(f"gap-{at}", word) for at, word in enumerate([*words, f"{CLASSES_MIN[-1]} 分钟以上或走不到"], 1)]


def _tried(request: HttpRequest, question: Question, scope: Scope) -> dict[str, Any]:
    """Return what one more place at the spot of the address would do, or nothing where none is asked for."""
    words = {name: typed(request, name).strip() for name in ("place", "lon", "lat")}
    if not any(words.values()):
        return {}
    name, lon, lat = spot_of(words, scope)
    tried = queries.what_if(question, lon, lat, scope=scope)
    return {"tried": tried, "tried_name": name, "rest": tried.after.gap(question.minutes), "place": words["place"]}


@never_cache
@login_required
@require_safe
@told_to_scripts
def gaps_map(request: HttpRequest) -> HttpResponse:
    """Return what the map draws: cells by minutes or regions by their share, and the open places of the kind."""
    scope = scope_for(request)
    question = _question(request, scope)
    places = _places(question)
    if _show(request) == "share":
        return JsonResponse({"regions": feature_collection(_regions(question, scope)), "places": places})
    return JsonResponse({"cells": _cells(question, scope), "places": places})


def _cells(question: Question, scope: Scope) -> dict[str, Any]:
    """Return outlines of cells, their minutes (null where no place is reached) and classes, side by side: they are thousands."""
    cells, minutes = queries.cells_of(question, scope=scope)
    away = [round(each, 1) if each < NO_WALK else None for each in minutes.tolist()]
    return {
        "outlines": [queries.outline_of(cell) for cell in cells.tolist()],
        "minutes": away,
        "classes": [queries.class_of(each, CLASSES_MIN) + 1 for each in minutes.tolist()],
    }


def _regions(question: Question, scope: Scope) -> list[dict[str, Any]]:
    board = queries.board(question, scope=scope)
    shapes = queries.shapes_of(board.lines)
    found = []
    for line in board.lines:
        if line.region is None or line.region.id not in shapes:
            continue
        percent = line.percent(question.minutes)
        step = f"quantity-{queries.class_of(percent, CLASSES_PERCENT) + 1}" if percent is not None else "none"
        words = f"{percent}%" if percent is not None else HIDDEN if line.hidden else "没有人口数"
        told = {"class": step, "said": f"{line.region.name}：{words}", "code": line.region.code}
        found.append(feature(shapes[line.region.id], told, System.CGCS2000))
    return found


def _places(question: Question) -> dict[str, Any]:
    """Return the open places of the kind, public as they are, in the region asked for or beside it."""
    rows = Facility.objects.filter(visible(Scope.public(), published_now()), kind=question.kind.key).order_by("pk")
    box = _extent(question)
    if box is not None:
        rows = rows.filter(geom__intersects=box.envelope)
    found = [
        {
            "type": "Feature", "geometry": {"type": "Point", "coordinates": [round(row.geom.x, 6), round(row.geom.y, 6)]},
            "properties": {"name": row.name, "href": reverse("place", args=[row.pk])},
        }
        for row in rows.only("name", "geom")[:MOST_PLACES]
    ]  # fmt: skip
    return {"type": "FeatureCollection", "features": found}


def _extent(question: Question) -> MultiPolygon | None:
    if question.region is None:
        return None
    rows = RegionVersion.objects.filter(edition__state="published", region=question.region.id)
    return rows.values_list("geom", flat=True).first()


@login_required
@require_POST
def gaps_act(request: HttpRequest) -> HttpResponse:
    """Have measured what is missing or stale, or stop what is being measured."""
    scope = scope_for(request)
    try:
        if typed(request, "act") == "stop":
            actions.stop_measuring(scope=scope)
            said.success(request, "正在停下，算好的类别会保留。一小时内不会自己再算，要算请点“现在就算”。")
        else:
            actions.start_measuring(scope=scope)
    except Conflict as fault:
        said.warning(request, fault.message)
    return redirect("gaps")


@never_cache
@login_required
@require_safe
def gaps_table(request: HttpRequest) -> HttpResponse:
    """Answer the table as a file; what was taken goes to the audit log."""
    scope = scope_for(request)
    board = queries.board(_question(request, scope), scope=scope)
    ending = typed(request, "format", "xlsx")
    body, form, rows = write_board(board, ending)
    kind, where = board.question.kind, board.question.region.name if board.question.region else "全部"
    name = f"服务盲区-{kind.name}-{where}"
    return taken(request, body, name, ledger="gaps", format=form.ending, rows=rows, kind=kind.key)


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain to planners how gaps are found, and what the figures mean."""
    return render(request, "help/gaps.html")


ROUTES = [
    path("plan/gaps", gaps_page, name="gaps"),
    path("plan/gaps/map.json", gaps_map, name="gaps-map"),
    path("plan/gaps/act", gaps_act, name="gaps-act"),
    path("plan/gaps/table", gaps_table, name="gaps-table"),
    path("help/gaps", help_page, name="help-gaps"),
]
