"""Heat of any declared fact at ``/watch/heat``: cells or regions on a map, periods one after the other, two of them compared."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.contrib.gis.db.models import Extent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from geo.errors import BadInput, NotFound
from geo.regions.models import RegionVersion
from geo.scope import Scope
from layers.disclosure import K
from layers.facts.counting import Period
from layers.facts.registry import fact, visible_facts
from layers.facts.residents import residents
from layers.facts.spec import FactSpec
from layers.heat.periods import STEPS, Step, block_at, blocks, steps_of
from layers.heat.regional import regions_seen, span_of
from services.access.queries import check_duty, scope_for
from services.facilities.kinds import all_kinds
from services.kernel.watching.duties import WATCH
from services.kernel.watching.tables import write_lines
from web.doors.common.desk_map import map_context
from web.doors.common.taken import taken
from web.doors.common.typed import typed
from web.doors.watch.heat_parts import (
    Answer,
    Question,
    about_fact,
    answer_to,
    by_words,
    cell_width,
    period_words,
    title_of,
)

FIRST: Final = {"elder": "elder_places", "childcare": "childcare"}
"""What the heat map begins with when one comes from a map of supervisors."""
DRAWN: Final = {"grid": "网格", "smooth": "平滑"}


class State:
    """What the address of the page says: what is asked, how it is drawn, and what may be chosen instead."""

    def __init__(self, request: HttpRequest, spec: FactSpec, scope: Scope) -> None:
        """Read the address. Raises ``BadInput`` for what cannot be meant."""
        about = about_fact(spec)
        self.spec = spec
        self.ways = [by for by in about["by"] if by.isdigit() or regions_seen(spec, by, scope=scope)]
        self.by = typed(request, "by") or self._first_way(scope)
        self.steps = [(step, STEPS[step]) for step in steps_of(spec)]
        self.step = _step(spec, typed(request, "step"))
        self.blocks: list[Period] = []
        if self.step:
            self.blocks = blocks(spec, self.step, span_of(spec, scope=scope), today=timezone.localdate())
        self.period = self._block(typed(request, "at")) or (self.blocks[-1] if self.blocks else None)
        self.then = self._block(typed(request, "with"))
        self.draw = "smooth" if typed(request, "draw") == "smooth" and self.by.isdigit() and not self.then else "grid"
        self.per = typed(request, "per") == "1000" and not self.by.isdigit()
        self.kinds = (
            [word for word in typed(request, "kinds").split(",") if word] if "kinds" in about["choices"] else []
        )
        choices = {"kinds": self.kinds} if self.kinds else {}
        self.question = Question(spec, scope, self.by, self.period, self.then, self.per, choices)

    def _first_way(self, scope: Scope) -> str:
        if self.spec.cell and "8" in self.ways:
            return "8"
        districts = [by for by in ("district", "street") if by in self.ways]
        several = len(regions_seen(self.spec, "district", scope=scope)) > 1
        if not districts:
            raise NotFound("no_regions", "您的辖区里没有可以统计的区划，请找上级管理员核对您的辖区。")
        return districts[0] if several else districts[-1]

    def _block(self, text: str) -> Period | None:
        if not text or not self.step:
            return None
        try:
            day = dt.date.fromisoformat(text)
        except ValueError:
            raise BadInput("period_invalid", "日期要写成 2026-09-01 的样子。", parameter="at") from None
        if not 2000 < day.year < 2200:
            raise BadInput("period_invalid", "日期要在 2001 年到 2199 年之间。", parameter="at")
        return block_at(self.step, day)

    @property
    def asked(self) -> dict[str, str]:
        """Return what the address says, by parameter."""
        said = {
            "by": self.by, "step": self.step or "", "draw": "smooth" if self.draw == "smooth" else "",
            "at": self.period.first.isoformat() if self.period and self.step else "",
            "with": self.then.first.isoformat() if self.then else "",
            "per": "1000" if self.per else "", "kinds": ",".join(self.kinds),
        }  # fmt: skip
        return {name: value for name, value in said.items() if value}

    def url(self, **changes: str) -> str:
        """Return the address of the page with some parts changed."""
        parts = {name: value for name, value in (self.asked | changes).items() if value}
        return f"{reverse('heat-map', args=[self.spec.key])}?{urlencode(parts)}"

    @property
    def api(self) -> str:
        """Return the address of the figures that the map draws, without a box."""
        parts = {"by": self.by, "per": "1000" if self.per else "", "kinds": ",".join(self.kinds)}
        for names, period in ((("from", "to"), self.period), (("compare_from", "compare_to"), self.then)):
            if period:
                parts |= {names[0]: period.first.isoformat(), names[1]: period.last.isoformat()}
        parts["shape"] = "point" if self.draw == "smooth" else "polygon"
        query = urlencode([(name, value) for name, value in parts.items() if value])
        return f"{reverse('api:read_heat', args=[self.spec.key])}?{query}"


def _step(spec: FactSpec, said: str) -> Step | None:
    """Return the step that was asked for, the longest where none was; none of a standing fact. Raises ``BadInput``."""
    known = steps_of(spec)
    found = next((step for step in known if step == (said or known[-1])), None)
    if known and found is None:
        raise BadInput("step_unknown", "时段可选按日、按周、按月；涉及人的只按月。", parameter="step")
    return found


@never_cache
@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the first fact, or to the one that fits where one comes from."""
    scope = scope_for(request)
    check_duty(scope, WATCH)
    found = [spec.key for spec in visible_facts(scope=scope)]
    wanted = FIRST.get(typed(request, "theme"), "")
    return redirect("heat-map", wanted if wanted in found else found[0])


@never_cache
@login_required
@require_safe
def heat_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show the heat of a fact."""
    scope = scope_for(request)
    check_duty(scope, WATCH)
    spec = fact(key, scope=scope)
    state = State(request, spec, scope)
    waits = bool(spec.moment) and state.period is None
    answer = None if waits else answer_to(state.question)
    context = {
        "spec": spec,
        "state": state,
        "answer": answer,
        "title": title_of(state.question, answer) if answer else "还没有可以公布的数字",
        "said": _said(state),
        "now": _period_said(state),
        "facts": visible_facts(scope=scope),
        "ways": [(by, by_words(by)) for by in state.ways],
        "draws": DRAWN.items(),
        "kinds": _kinds(spec) if about_fact(spec)["choices"] else [],
        "periods": [(each.first.isoformat(), period_words(each)) for each in reversed(state.blocks)],
        "turns": _turns(state),
        "least": K,
        "people": residents(state.by, ages=spec.per) if state.per else None,
        "export": urlencode(state.asked),
        "map": _drawn(state, answer),
        **map_context(),
    }
    return render(request, "watch/heat.html", context)


def _said(state: State) -> str:
    parts = [by_words(state.by)]
    if state.period:
        parts.insert(0, _period_said(state))
    if state.per:
        parts.append("每千名居民")
    return " · ".join(parts)


def _period_said(state: State) -> str:
    if state.period is None:
        return ""
    return period_words(state.period) + (f"比{period_words(state.then)}" if state.then else "")


def _kinds(spec: FactSpec) -> list[tuple[str, str]]:
    """Return the kinds a fact may be narrowed to: those its ledger is asked for, or all."""
    asked = {value for name, value in spec.asked if name == "f.kind_id"}
    return [(kind.key, kind.name) for kind in all_kinds() if not asked or kind.key in asked]


def _turns(state: State) -> list[tuple[str, str, str]]:
    """Return the addresses of the period before and the one after: words, icon, address."""
    if state.period is None or state.period not in state.blocks:
        return []
    at = state.blocks.index(state.period)
    near = (("前一段", "chevron-left", at - 1), ("后一段", "chevron-right", at + 1))
    return [
        (words, icon, state.url(at=state.blocks[to].first.isoformat()) if 0 <= to < len(state.blocks) else "")
        for words, icon, to in near
    ]


def _drawn(state: State, answer: Answer | None) -> dict[str, Any]:
    """Return what the script needs: where the figures are, how they are drawn, the periods to go through."""
    return {
        "api": state.api if answer else "",
        "draw": state.draw if state.by.isdigit() else "regions",
        "metres": cell_width(state.by) if state.by.isdigit() else 0,
        "unit": state.question.unit,
        "names": {line.key: line.name for line in answer.lines} if answer and not state.by.isdigit() else {},
        "periods": [[state.url(at=each.first.isoformat()), period_words(each)] for each in state.blocks],
        "at": state.blocks.index(state.period) if state.period in state.blocks else -1,
        "box": _box(state) if not state.question.gridded else answer.box if answer else None,
        "none": "不公布" if state.spec.heads else "没有数字",
        "most": max((abs(line.value) for line in answer.lines if line.value), default=1) if answer else 1,
    }


def _box(state: State) -> list[float] | None:
    """Return west, south, east and north of the regions that are shown, where they are not the whole city."""
    scope = state.question.scope
    if state.spec.public or "" in scope.paths:
        return None
    inside = regions_seen(state.spec, state.by, scope=scope)
    found = RegionVersion.objects.filter(edition__state="published", path__in=inside).aggregate(box=Extent("geom"))
    return list(found["box"]) if found["box"] else None


@never_cache
@login_required
@require_safe
def export(request: HttpRequest, key: str) -> HttpResponse:
    """Answer the table of the page as a file; what was taken goes to the audit log."""
    scope = scope_for(request)
    check_duty(scope, WATCH)
    spec = fact(key, scope=scope)
    state = State(request, spec, scope)
    if spec.moment and state.period is None:
        raise NotFound("no_figures", "还没有可以公布的数字，没有表格可以导出。")
    answer = answer_to(state.question)
    figure = f"{'变化' if state.then else spec.title}（{state.question.unit}）"
    where = "网格（H3）" if state.question.gridded else "区划代码"
    lines = [[line.key, line.name, "—" if line.value is None else line.value] for line in answer.lines]
    body, form = write_lines(spec.title, [where, "位置", figure], lines, typed(request, "format", "xlsx"))
    name = f"{spec.title}-{_said(state).replace(' · ', '-')}"
    ledger = f"heat-{spec.key}"
    return taken(request, body, name, ledger=ledger, format=form.ending, rows=len(lines), **state.asked)


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain to supervisors what the heat map shows and what it does not tell."""
    return render(request, "help/heat.html", {"least": K})
