"""Choropleths of supervisors at ``/watch/areas``: a fact by region in colours, ranked, drilled down to the rows of its ledger."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from geo.errors import NotFound
from geo.imports.queries import attribution
from geo.regions.records import LEVEL_NAMES, LEVELS
from geo.scope import Scope
from layers.choropleths.findings import finding, leading, trend_finding
from layers.choropleths.queries import Board, board_of, months_of, summary_of
from layers.choropleths.spec import Measure
from layers.facts.registry import fact, visible_facts
from layers.styles.classing import METHODS
from services.access.queries import check_duty, scope_for
from services.facilities.queries import city_now
from services.kernel.watching.duties import WATCH
from services.kernel.watching.registry import themes
from services.kernel.watching.tables import write_lines
from web.doors.common.taken import taken
from web.doors.common.typed import typed
from web.doors.watch.choropleths_shown import (
    MEASURES,
    State,
    ages_said,
    asked_of,
    cards_of,
    crumbs_of,
    here,
    legend_of,
    lines_of,
    map_of,
    rows_of_board,
    said,
    shown_of,
    state_of,
    trends_of,
    unit_of,
)


@never_cache
@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the first fact, in the region of the address."""
    scope = scope_for(request)
    check_duty(scope, WATCH)
    found = visible_facts(scope=scope)
    if not found:
        raise NotFound("fact_unknown", "还没有能看的统计。")
    return redirect(state_of(request, found[0].key).url())


@never_cache
@login_required
@require_safe
def areas_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show a fact by the regions right below one."""
    scope, state, board = _board(request, key)
    spec, measure = board.spec, board.asked.measure
    lines = lines_of(board, state)
    rows = rows_of_board(board, scope=scope)
    drawn = map_of(board, lines, rows.located if rows else ())
    above = (*board.above, board.place) if board.chosen else board.above
    summaries = [summary_of(each, here(board), above, scope=scope) for each in visible_facts(scope=scope)]
    context: dict[str, Any] = {
        "board": board,
        "spec": spec,
        "state": state,
        "here": here(board),
        "crumbs": crumbs_of(board, state),
        "as_of": city_now(),
        "cards": cards_of(summaries, state),
        "meanings": [each.spec for each in summaries],
        "measures": _measures(board, state),
        "measure_words": _measure_words(board),
        "unit": unit_of(spec, measure),
        "level_name": LEVEL_NAMES.get(board.level, ""),
        "lines": lines,
        "leading": leading(shown_of(board)),
        "finding": finding(shown_of(board)),
        "legend": legend_of(board),
        "map": drawn,
        "scale_at": drawn and (drawn.whole.height - 14, 8 + drawn.whole.scale[0] / 2, drawn.whole.height - 18),
        "table_url": f"{state.url('watch-areas-table')}{'' if '?' in state.url() else '?'}",
        "month_words": [(each.words, said(each.figure, ratio=not spec.additive)) for each in board.months],
        "rows": rows,
        "page": spec.page.format(region="" if board.place.level == LEVELS[0] else board.place.code),
        "trends": trends_of(board.months, ratio=not spec.additive),
        "trend_title": trend_finding(board.months, spec.unit, ratio=not spec.additive),
        "methods": METHODS.items(),
        "attribution": attribution(),
        "themes": themes().values(),
        **_menus(board, state, scope),
    }
    return render(request, "watch/areas.html", context)


def _board(request: HttpRequest, key: str) -> tuple[Scope, State, Board]:
    scope = scope_for(request)
    check_duty(scope, WATCH)
    spec = fact(key, scope=scope)
    state = state_of(request, spec.key)
    return scope, state, board_of(spec, asked_of(request, state), state.region, scope=scope)


def _menus(board: Board, state: State, scope: Scope) -> dict[str, Any]:
    """Return what the bar at the top chooses from: regions beside this one, facts, months."""
    regions = [(each.name, state.url(region=each.code), each == board.place) for each in board.siblings]
    facts = [
        (each.title, state.url(fact=each.key, measure="", month="", breaks="", method=""), each is board.spec)
        for each in visible_facts(scope=scope)
    ]
    months = [
        (f"{each.year}年{each.month}月", state.url(month=f"{each:%Y-%m}"), each == board.asked.month)
        for each in months_of(board.spec, scope=scope)
    ]
    return {"regions": regions, "facts": facts, "months": months}


def _measures(board: Board, state: State) -> list[tuple[str, str, bool]]:
    return [
        (words, state.url(measure=str(measure), breaks="", method=""), measure is board.asked.measure)
        for measure, words in MEASURES.items()
        if (measure is not Measure.CHANGE or board.spec.moment)
        and (board.spec.additive or measure in (Measure.VALUE, Measure.CHANGE))
    ]


def _measure_words(board: Board) -> str:
    """Return what is told of each region, with its unit and period."""
    spec, month = board.spec, board.asked.month
    of = {
        Measure.RATE: f"{ages_said(spec)}的{spec.title}",
        Measure.SHARE: f"{spec.title}占{board.place.name}的比例",
        Measure.CHANGE: f"{spec.title}较上月增减",
    }.get(board.asked.measure, spec.title)
    when = f"{month.year}年{month.month}月" if month else "现状"
    year = f"，{board.residents_year} 年居民数" if board.residents_year else ""
    return f"{of}（{unit_of(spec, board.asked.measure)}）· {when}{year}"


@never_cache
@login_required
@require_safe
def export(request: HttpRequest, key: str) -> HttpResponse:
    """Answer the ranking as a file; what was taken goes to the audit log."""
    _scope, _state, board = _board(request, key)
    spec, measure = board.spec, board.asked.measure
    heads = ["名次", "区划代码", "区划", f"{spec.title}（{unit_of(spec, measure)}）"]
    lines: list[list[str | int | float]] = [
        [
            each.rank or "", each.place.code, each.place.name,
            said(each.figure, measure) if each.figure.value is None else each.figure.value,
            *([said(each.change) if each.change.value is None else each.change.value] if spec.moment else []),
        ]
        for each in board.areas
    ]  # fmt: skip
    if spec.moment:
        heads.append(f"较上月（{spec.unit}）")
    body, form = write_lines(spec.title, heads, lines, typed(request, "format", "xlsx"))
    month = f"{board.asked.month:%Y-%m}" if board.asked.month else ""
    name = "-".join(each for each in (spec.title, board.place.name, month) if each)
    return taken(
        request, body, name, ledger=f"areas-{spec.key}", format=form.ending, rows=len(lines), region=board.place.code,
        measure=str(measure), month=month,
    )  # fmt: skip


ROUTES = [
    path("watch/areas", home, name="watch-areas-home"),
    path("watch/areas/<slug:key>", areas_page, name="watch-areas"),
    path("watch/areas/<slug:key>/table", export, name="watch-areas-table"),
]
