"""Heat by region: the figures of districts and streets, those of persons decided on over the whole city."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from django.utils import timezone

from geo.errors import BadInput
from geo.scope import Scope
from layers.disclosure import K, tellable_below
from layers.facts.counting import Choices, Period, Tally, count_by_region, first_and_last
from layers.facts.regions import above, standing
from layers.facts.residents import residents
from layers.facts.spec import FactSpec
from layers.heat.keeping import kept, key_of
from layers.heat.periods import check_tellable

LEVELS: Final = ("district", "street")
Figures = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class RegionHeat:
    """The figures of all regions of a level that may be seen, by path: ``None`` where nothing may be told or is known.

    0 is told only where rows were counted elsewhere, of what counts one by one: who registered no beds may have some, and a
    period without any row was not recorded. ``hidden`` says whether any figure may not be told.
    """

    level: str
    values: Figures
    hidden: bool = False


def span_of(spec: FactSpec, *, scope: Scope) -> Period | None:
    """Return the days of the first and the last row; of what is about persons those of anybody's, for it is told by the month."""
    if not spec.moment:
        return None
    seen = replace(scope, paths=("",)) if spec.heads else scope
    return kept(("span", *key_of(spec, scope=seen)), lambda: first_and_last(spec, scope=seen))


def region_heat(
    spec: FactSpec, *, scope: Scope, level: str, period: Period | None = None, choices: Choices | None = None
) -> RegionHeat:
    """Return the figures of the regions a scope keeps, or of all where everyone may see them. Raises ``BadInput``."""
    if level not in LEVELS:
        raise BadInput(
            "level_invalid", "区划级别可选区（district）、街镇（street）。", parameter="level", known=list(LEVELS)
        )
    narrowed = dict(choices or {})
    if spec.over is not None:
        upper = region_heat(replace(spec, over=None), scope=scope, level=level, period=period, choices=narrowed)
        when = period if spec.over.moment else None
        return quotient(upper, region_heat(spec.over, scope=scope, level=level, period=when), spec.times)
    check_tellable(spec, period, narrowed, today=timezone.localdate())
    if spec.worked_out:
        return RegionHeat(level, _worked_out(spec, scope, level, period, narrowed))
    if not spec.heads:
        key = ("regions", level, *key_of(spec, scope=scope, period=period, choices=narrowed))
        found = kept(key, lambda: _as_counted(spec, scope, level, period, narrowed))
    elif spec.cell:
        raise BadInput("persons_by_cell", f"“{spec.title}”涉及人，只按网格公布，不再按区划。", parameter="level")
    else:
        city = replace(scope, paths=("",))
        key = ("regions of persons", *key_of(spec, scope=city, period=period))
        found = kept(key, lambda: _decided(spec, city, period))[level]
    without = 0.0 if found and (spec.heads or spec.weight == "1") else None
    seen = regions_seen(spec, level, scope=scope)
    hidden = any(found[path] is None for path in seen if path in found)
    return RegionHeat(level, {path: found.get(path, without) for path in seen}, hidden)


def regions_seen(spec: FactSpec, level: str, *, scope: Scope) -> list[str]:
    """Return the paths of the regions of a level whose figures of a fact a scope may see."""
    every = (path for path in np.unique(standing().paths).tolist() if path and above(path, level) == path)
    return [path for path in every if spec.public or scope.covers_path(path)]


def quotient(upper: RegionHeat, lower: RegionHeat, times: float) -> RegionHeat:
    """Return figures divided by others, ``None`` where either is not told or there is nothing to divide by."""
    divided = {
        path: None if value is None or not lower.values.get(path) else times * value / (lower.values[path] or 1.0)
        for path, value in upper.values.items()
    }
    return replace(upper, values=divided, hidden=upper.hidden or lower.hidden)


def worked_out(spec: FactSpec, level: str, *, scope: Scope) -> Figures:
    """Return what the owner of a fact works out of the regions of a level, by path; those nothing is known of are left out."""
    assert spec.worked_out is not None
    make = spec.worked_out
    return kept(("worked out", level, *key_of(spec, scope=scope)), lambda: dict(make(level, scope)))


def rates_of(heat: RegionHeat, spec: FactSpec) -> RegionHeat:
    """Return figures per 1,000 residents of the ages of a fact; ``None`` also where no residents are published."""
    found = residents(heat.level, ages=spec.per)
    persons = found.by_path if found else {}
    rated = {
        path: None if value is None or not persons.get(path) else 1000 * value / persons[path]
        for path, value in heat.values.items()
    }
    return replace(heat, values=rated)


def change_of_regions(now: RegionHeat, then: RegionHeat) -> RegionHeat:
    """Return by how much regions changed, ``None`` where either figure is not told."""
    changed: Figures = {}
    for path, value in now.values.items():
        before = then.values.get(path)
        changed[path] = None if value is None or before is None else value - before
    return replace(now, values=changed, hidden=now.hidden or then.hidden)


def _worked_out(spec: FactSpec, scope: Scope, level: str, period: Period | None, choices: Choices) -> Figures:
    if period is not None or any(choices.values()):
        raise BadInput("fact_without_time", f"“{spec.title}”只有现状，没有时段和条件。", parameter="from")
    found = worked_out(spec, level, scope=scope)
    return {path: found.get(path) for path in regions_seen(spec, level, scope=scope)}


def _as_counted(spec: FactSpec, scope: Scope, level: str, period: Period | None, choices: Choices) -> Figures:
    seen = replace(scope, paths=("",)) if spec.public else scope
    found = count_by_region(spec, scope=seen, level=level, period=period, choices=choices)
    return {path: tally.value for path, tally in found.items()}


def _decided(spec: FactSpec, city: Scope, period: Period | None, least: int = K) -> dict[str, Figures]:
    """Return what is told of persons by level: decided from the city down, rows that lie in no smaller region among them."""
    made: dict[str, Figures] = {}
    upper = count_by_region(spec, scope=city, level="city", period=period)
    places, level_above = sorted(upper), "city"
    heads = np.array([upper[path].heads for path in places], dtype=np.int64)
    told = tellable_below(heads, np.arange(len(places)), np.ones(len(places), dtype=np.bool_), least=least)
    for level in LEVELS:
        lower = count_by_region(spec, scope=city, level=level, period=period)
        paths, rest = sorted(lower), _rest(upper, lower, level_above)
        heads = np.array([*(lower[path].heads for path in paths), *rest.values()], dtype=np.int64)
        holders = [*(above(path, level_above) for path in paths), *rest]
        parents = np.array([places.index(path) for path in holders], dtype=np.int64)
        told = tellable_below(heads, parents, told, least=least)[: len(paths)]
        made[level] = {path: lower[path].value if may else None for path, may in zip(paths, told.tolist(), strict=True)}
        upper, places, level_above = lower, paths, level
    return made


def _rest(upper: dict[str, Tally], lower: dict[str, Tally], level_above: str) -> dict[str, int]:
    """Return by larger region how many heads rows have that lie in none of its smaller ones, where there are such rows."""
    rows: dict[str, int] = defaultdict(int)
    heads: dict[str, int] = defaultdict(int)
    for path, tally in lower.items():
        rows[above(path, level_above)] += tally.rows
        heads[above(path, level_above)] += tally.heads or 0
    return {path: max(0, (tally.heads or 0) - heads[path]) for path, tally in upper.items() if tally.rows > rows[path]}
