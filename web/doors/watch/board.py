"""The map of supervisors at ``/watch``: regions down to streets and places, what stands against them, and where to act on it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from geo.errors import CityError
from geo.scope import Scope
from services.access.queries import check_duty, scope_for
from services.kernel.watching.duties import WATCH
from services.kernel.watching.queries import Board, Told, board_of, open_query, told_of
from services.kernel.watching.registry import theme_of, themes
from services.kernel.watching.spec import Theme
from services.kernel.watching.tables import write_table
from web.doors.common.desk_map import map_context
from web.doors.common.taken import taken
from web.doors.common.typed import typed
from web.doors.watch.board_parts import (
    LEVEL_WORDS,
    LISTED,
    SHAPES,
    State,
    answer_of,
    card_of,
    chosen,
    code_of,
    figure_of,
    heads_of,
    ranked,
    state_of,
    table_of,
)


@never_cache
@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the first map."""
    check_duty(scope_for(request), WATCH)
    return redirect("watch-board", next(iter(themes())))


@never_cache
@login_required
@require_safe
def board_page(request: HttpRequest, theme: str) -> HttpResponse:
    """Show the map of a region with its numbers, and one place beside it when asked for."""
    scope, found = scope_for(request), theme_of(theme)
    board = board_of(found, typed(request, "region"), scope=scope)
    state = state_of(request, board)
    context = {
        "theme": found,
        "board": board,
        "state": state,
        "public_url": reverse(found.public),
        "crumbs": [(each.name, state.url(region=each.code, place="")) for each in board.above],
        "cards": [card_of(board, state, each) for each in board.tallies],
        "all_url": state.url(of="", sort=""),
        "total": sum(each.count for each in board.tallies),
        "open_figure": f"{reverse('desk-ledger', args=[found.places])}?{open_query(found, code_of(board))}",
        "ranked": ranked(board, state),
        "heads": heads_of(board, state),
        "lines": table_of(board, state),
        "chosen": next((each.indicator for each in board.tallies if each.indicator.key == state.of), None),
        "outside": any(each.count for each in board.outside),
        "answer": answer_of(board, state),
        "levels": [(level, SHAPES[level], LEVEL_WORDS[level]) for level in SHAPES],
        "here": state.url(place=""),
        "export": urlencode([(name, value) for name, value in (("region", state.region), ("of", state.of)) if value]),
        **_side(request, board, state, scope),
        **map_context(),
    }
    return render(request, "watch/board.html", context)


def _side(request: HttpRequest, board: Board, state: State, scope: Scope) -> dict[str, Any]:
    """Return what stands beside the map: the open place, or the places that come first."""
    waiting = [each for each in board.waiting if chosen(each.tallies, state.of)]
    listed = [(each, SHAPES[each.level], state.url(place=str(each.pk))) for each in waiting[:LISTED]]
    context: dict[str, Any] = {"waiting": listed, "more": max(0, len(waiting) - LISTED) if not board.whole_city else 0}
    if not state.place:
        return context
    try:
        place, told = told_of(board.theme, int(state.place), scope=scope)
    except CityError as fault:
        return context | {"place_fault": fault.message}
    return context | {
        "place": place,
        "place_shape": SHAPES.get(place.level, ""),
        "told": [_told(board.theme, each, scope) | {"first": at == 0} for at, each in enumerate(told)],
        "keep_url": reverse("desk-ledger-record", args=[board.theme.places, place.pk]),
        "place_url": reverse("place", args=[place.pk]),
    }


def _told(theme: Theme, told: Told, scope: Scope) -> dict[str, Any]:
    """Return an indicator of a place: its rows, each leading to where it is acted on, and what may be done with all of them."""
    spec, indicator = told.tally.ledger, told.tally.indicator
    may_keep = bool(spec.page) and scope.holds(spec.page_duty or spec.duty)
    rows = [
        (
            " · ".join(_said(each) for each in row.cells if each.column.key in indicator.tells and each.text),
            reverse(spec.page, args=[row.pk]) if may_keep else reverse("desk-ledger-record", args=[spec.key, row.pk]),
        )
        for row in told.rows
    ]
    query = urlencode([("id", pk) for pk in told.tally.ids])
    of_place = indicator.place == "pk"
    return {
        "figure": figure_of(theme, told.tally, by_row=True),
        "indicator": indicator,
        "shape": SHAPES[indicator.level],
        "rows": rows,
        "more": told.tally.count - len(rows),
        "acts": [(act, f"{reverse(act.page)}?{query}") for act in spec.acts if of_place and scope.holds(act.duty)],
    }


def _said(each: Any) -> str:
    unit = f" {each.column.unit}" if each.column.unit else ""
    return f"{each.column.label} {each.text}{unit}" if each.column.kind != "text" else f"“{each.text}”"


@never_cache
@login_required
@require_safe
def export(request: HttpRequest, theme: str) -> HttpResponse:
    """Answer the table of a board as a file; what was taken goes to the audit log."""
    found = theme_of(theme)
    board = board_of(found, typed(request, "region"), scope=scope_for(request))
    body, form, rows = write_table(board, typed(request, "format", "xlsx"))
    name = f"{found.title}-{board.region.name if board.region else '我的辖区'}"
    ledger = f"watch-{found.key}"
    return taken(request, body, name, ledger=ledger, format=form.ending, rows=rows, region=code_of(board))


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain to supervisors what the map shows, and how to act on it."""
    return render(request, "help/watch.html")


ROUTES = [
    path("watch", home, name="watch"),
    path("watch/<slug:theme>", board_page, name="watch-board"),
    path("watch/<slug:theme>/table", export, name="watch-table"),
    path("help/watch", help_page, name="help-watch"),
]
