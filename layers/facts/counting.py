"""Figures of facts by H3 cell and by region, as they are: what may be told of them is decided by who tells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from django.utils import timezone

from geo.answering import once
from geo.errors import BadInput
from geo.grids.cells import parent_masks
from geo.scope import Scope
from layers.facts.regions import Standing, above, standing
from layers.facts.spec import FactSpec
from layers.reading import read_rows
from layers.tiling import edition_of_rows

RESOLUTIONS: Final = range(7, 11)
Choices = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days of the city, both included."""

    first: dt.date
    last: dt.date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise BadInput("period_invalid", "起止日期要先后分明。", parameter="from")

    @property
    def since(self) -> dt.datetime:
        """Return the first moment."""
        return timezone.make_aware(dt.datetime.combine(self.first, dt.time()))

    @property
    def until(self) -> dt.datetime:
        """Return the first moment after it."""
        return timezone.make_aware(dt.datetime.combine(self.last + dt.timedelta(days=1), dt.time()))


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cells in the order of their indexes: the sum of weights, the rows, the persons they are about at most (or none)."""

    cells: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    rows: npt.NDArray[np.int64]
    heads: npt.NDArray[np.int64] | None


@dataclass(frozen=True, slots=True)
class Tally:
    """The sum of weights of a region, its rows, and the persons they are about at most: None for what is about nobody."""

    value: float
    rows: int
    heads: int | None


def edition_of_fact(spec: FactSpec) -> str:
    """Return a text that changes whenever figures of a fact do."""
    own = once(("fact edition", spec.key), lambda: edition_of_rows(spec.families, spec.touched))
    return own if spec.over is None else f"{own}/{edition_of_fact(spec.over)}"


def first_and_last(spec: FactSpec, *, scope: Scope) -> Period | None:
    """Return the days of the first and the last row a scope may see; none for a standing fact and for one without rows."""
    if not spec.moment:
        return None
    where, parameters = _seen(spec, scope)
    found = read_rows(f"SELECT min({spec.moment}), max({spec.moment}) FROM {spec.table} t WHERE {where}", parameters)
    first, last = found[0]
    return Period(timezone.localdate(first), timezone.localdate(last)) if first else None


def count_by_cell(
    spec: FactSpec, *, scope: Scope, resolution: int, period: Period | None = None, choices: Choices | None = None
) -> Cells:
    """Count a fact by the H3 cells of a resolution of 7 to 10, over everything a scope may see. Raises ``BadInput``."""
    if not spec.cell:
        raise BadInput("fact_without_position", f"“{spec.title}”没有具体位置，只能按区划统计。", parameter="fact")
    if resolution not in RESOLUTIONS:
        raise BadInput("resolution_invalid", "网格级别可选 7、8、9、10。", parameter="resolution")
    where, parameters = _narrowed(spec, scope, period, choices)
    keep, put = parent_masks(resolution)
    statement = f"""SELECT ({spec.cell}) & %(keep)s | %(put)s AS cell, coalesce(sum({spec.weight}), 0)::float8, count(*),
        {spec.heads or "NULL"} FROM {spec.table} t WHERE ({spec.cell}) IS NOT NULL AND {where} GROUP BY 1 ORDER BY 1"""
    found = read_rows(statement, parameters | {"keep": keep, "put": put})
    columns = list(zip(*found, strict=True)) or [(), (), (), ()]
    return Cells(
        np.array(columns[0], dtype=np.int64),
        np.array(columns[1], dtype=np.float64),
        np.array(columns[2], dtype=np.int64),
        np.array(columns[3], dtype=np.int64) if spec.heads else None,
    )


def count_by_region(
    spec: FactSpec,
    *,
    scope: Scope,
    level: str,
    within: str = "",
    period: Period | None = None,
    choices: Choices | None = None,
) -> dict[str, Tally]:
    """Count a fact by the regions of a level, by their paths, as they are today; those under the path ``within`` only.

    Regions without a row are left out; rows that lie in a larger region only are not of this level. Raises ``BadInput``.
    """
    where, parameters = _narrowed(spec, scope, period, choices)
    table, arrays = _standing_table(_counted_for(spec, scope), level, within)
    joined = f"FROM {spec.table} t JOIN {table} ON s.id = {spec.region} WHERE {where}"
    parameters |= arrays
    values = read_rows(
        f"SELECT s.path, coalesce(sum(({spec.weight}) * s.share), 0)::float8, count(*) FILTER (WHERE s.main) {joined} GROUP BY 1",
        parameters,
    )
    heads: dict[str, int] = {}
    if spec.heads:
        heads = dict(read_rows(f"SELECT s.path, {spec.heads} {joined} AND s.main GROUP BY 1", parameters))
    return {path: Tally(value, rows, heads.get(path, 0) if spec.heads else None) for path, value, rows in values}


def count_by_month(
    spec: FactSpec, *, scope: Scope, level: str, within: str = "", period: Period
) -> dict[dt.date, dict[str, Tally]]:
    """Count a fact by the months of a period, each named by its first day, and by the regions of a level as they are today.

    Months and regions without a row are left out. Raises ``BadInput`` for a fact without time.
    """
    if not spec.moment:
        raise BadInput("fact_without_time", f"“{spec.title}”只有现状，没有时段。", parameter="from")
    where, parameters = _narrowed(spec, scope, period, None)
    table, arrays = _standing_table(_counted_for(spec, scope), level, within)
    month = f"date_trunc('month', ({spec.moment}) AT TIME ZONE %(zone)s)::date"
    joined = f"FROM {spec.table} t JOIN {table} ON s.id = {spec.region} WHERE {where}"
    parameters |= arrays | {"zone": timezone.get_current_timezone_name()}
    rows = read_rows(
        f"""SELECT {month}, s.path, coalesce(sum(({spec.weight}) * s.share), 0)::float8, count(*) FILTER (WHERE s.main)
            {joined} GROUP BY 1, 2""",
        parameters,
    )
    heads: dict[tuple[dt.date, str], int] = {}
    if spec.heads:
        counted = read_rows(f"SELECT {month}, s.path, {spec.heads} {joined} AND s.main GROUP BY 1, 2", parameters)
        heads = {(first, path): persons for first, path, persons in counted}
    found: dict[dt.date, dict[str, Tally]] = {}
    for first, path, value, count in rows:
        tally = Tally(value, count, heads.get((first, path), 0) if spec.heads else None)
        found.setdefault(first, {})[path] = tally
    return found


def _standing_table(standing: Standing, level: str, within: str) -> tuple[str, dict[str, Any]]:
    """Return regions as a table ``s`` of ids, paths of a level, shares and mains, with its parameters."""
    paths = np.array([above(str(path), level) for path in standing.paths], dtype=np.str_)
    chosen = (paths != "") & np.char.startswith(paths, within)
    arrays = {
        "standing_ids": standing.ids[chosen].tolist(),
        "standing_paths": paths[chosen].tolist(),
        "standing_shares": standing.shares[chosen].tolist(),
        "standing_main": standing.main[chosen].tolist(),
    }
    table = """unnest(%(standing_ids)s::bigint[], %(standing_paths)s::text[], %(standing_shares)s::float8[],
        %(standing_main)s::boolean[]) AS s(id, path, share, main)"""
    return table, arrays


def _narrowed(
    spec: FactSpec, scope: Scope, period: Period | None, choices: Choices | None
) -> tuple[str, dict[str, Any]]:
    if spec.worked_out:
        raise BadInput("fact_worked_out", f"“{spec.title}”不是逐条数出来的，只能按区划看。", parameter="fact")
    where, parameters = _seen(spec, scope)
    if period is not None:
        if not spec.moment:
            raise BadInput("fact_without_time", f"“{spec.title}”只有现状，没有时段。", parameter="from")
        where += f" AND {spec.moment} >= %(since)s AND {spec.moment} < %(until)s"
        parameters |= {"since": period.since, "until": period.until}
    declared = {choice.name: choice for choice in spec.choices}
    for name, words in (choices or {}).items():
        if name not in declared:
            raise BadInput("parameter_unknown", f"“{spec.title}”没有条件 {name}。", known=sorted(declared))
        if words:
            where += f" AND ({declared[name].condition})"
            parameters[name] = list(words)
    return where, parameters


def _counted_for(spec: FactSpec, scope: Scope) -> Standing:
    """Return the regions whose rows count for a scope: of public facts all."""
    return standing() if spec.public else standing().seen_by(scope)


def _seen(spec: FactSpec, scope: Scope) -> tuple[str, dict[str, Any]]:
    """Return the condition that a row counts for a scope: public facts do for all, others lie in its regions."""
    if spec.public or "" in scope.paths:
        return "TRUE", {}
    seen = _counted_for(spec, scope)
    return f"{spec.region} = ANY(%(seen_regions)s)", {"seen_regions": seen.ids[seen.main].tolist()}
