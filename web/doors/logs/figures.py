"""Figures of the log centre on the desk: bars and a table of the same counts, each leading to the lines behind it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from geo.errors import BadInput
from services.access.queries import check_duty, scope_for
from services.kernel.logs.queries import VIEW
from services.kernel.logs.statistics import BY, Group, figures_of
from web.api.errors import status_of
from web.doors.common.typed import typed
from web.doors.logs.lines import asked_of, choices_of, frame_of, said_of, shown_lines

FIELDS = {"act": "act", "app": "app", "region": "region", "actor": "actor", "outcome": "outcome"}
WIDTH, HEIGHT, GAP = 720, 160, 2


@never_cache
@login_required
@require_safe
def figures_page(request: HttpRequest) -> HttpResponse:
    """Show the figures of the lines that fit, a week unless other days are asked for."""
    scope = scope_for(request)
    check_duty(scope, VIEW)
    by, said, fault, figures = typed(request, "by", "act"), said_of(request), None, None
    try:
        figures = figures_of(asked_of(request), by, scope=scope)
    except BadInput as wrong:
        fault = wrong
    groups = figures.groups if figures else []
    context = {
        **frame_of(scope, "figures"), **choices_of(scope), "asked": said, "by": by, "ways": BY.items(), "fault": fault,
        "figures": figures, "rows": [(each, _lines_of(each, by, said), round(100 * each.share, 1)) for each in groups],
        "columns": _columns(groups) if by == "time" else [], "width": WIDTH, "height": HEIGHT,
        "slowest": shown_lines(figures.slowest) if figures else [],
    }  # fmt: skip
    return render(request, "desk/log_figures.html", context, status=status_of(fault) if fault else 200)


def _lines_of(group: Group, by: str, said: dict[str, str]) -> str:
    """Return where the lines behind a bar are found, '' where no question asks for just them."""
    asked = {key: value for key, value in said.items() if value}
    if by == "time":
        assert group.since
        assert group.until
        asked |= {
            name: f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"
            for name, moment in (("since", group.since), ("until", group.until))
        }
    elif group.key:
        asked[FIELDS[by]] = group.key
    else:
        return ""
    return f"{reverse('desk-logs')}?{urlencode(asked)}"


def _columns(groups: list[Group]) -> list[dict[str, object]]:
    """Return the columns of a chart over time: where each stands, how high it is, and how much of it failed."""
    step = WIDTH / max(len(groups), 1)
    return [
        {
            "x": round(at * step, 2), "width": round(max(step - GAP, 1), 2), "height": round(HEIGHT * each.share, 2),
            "y": round(HEIGHT * (1 - each.share), 2), "wrong": round(HEIGHT * each.share * each.wrong / max(each.count, 1), 2),
            "wrong_y": round(HEIGHT - HEIGHT * each.share * each.wrong / max(each.count, 1), 2),
            "label": f"{each.label}：{each.count} 条，失败 {each.wrong} 条",
        }
        for at, each in enumerate(groups)
    ]  # fmt: skip
