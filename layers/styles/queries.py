"""Reads of styles: what holds for a layer, what held before, and the values of a layer that classes are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from geo.scope import Scope
from layers.reading import read_rows, seen_by
from layers.spec import Attribute, LayerSpec
from layers.styles.classing import Spread
from layers.styles.legend import Legend, legend_of
from layers.styles.models import StyleVersion
from layers.styles.spec import NUMERIC, Style, StyleFaulty, read_style, usual_style

DUTY: Final = "layers.edit"
TILES: Final = 1_000
"""Beyond so many distinct values, values stand for a thousandth of the rows each."""
MOST_CATEGORIES: Final = 60


@dataclass(frozen=True, slots=True)
class Held:
    """The style that holds for a layer and its version; no version (``number`` 0) is the usual one.

    A style the layer outgrew (an attribute is gone) is not drawn: the usual one is, and ``outgrown`` says why.
    """

    style: Style
    number: int = 0
    version: StyleVersion | None = None
    outgrown: str = ""


def style_held(layer: LayerSpec) -> Held:
    """Return how a layer is drawn now. Everybody who sees the layer may know it."""
    version = StyleVersion.objects.filter(layer=layer.key).first()
    if version is None:
        return Held(usual_style(layer))
    if not version.data:
        return Held(usual_style(layer), version.number, version)
    try:
        return Held(read_style(version.data, layer), version.number, version)
    except StyleFaulty as faulty:
        return Held(usual_style(layer), version.number, version, str(faulty))


def style_for(layer: LayerSpec) -> Style:
    """Return the style a layer is drawn in."""
    return style_held(layer).style


def versions_of(layer: LayerSpec, *, scope: Scope) -> list[StyleVersion]:
    """Return the versions of a layer's style for those who may set it, newest first."""
    return list(StyleVersion.objects.filter(layer=layer.key)) if may_style(layer, scope) else []


def may_style(layer: LayerSpec, scope: Scope) -> bool:
    """Say whether a scope may set how a layer is drawn: over the region whose staff keep it, else over the whole city."""
    return scope.holds(DUTY) and (scope.covers_path(layer.home) if layer.home else scope.whole_city)


def legend_counted(layer: LayerSpec, style: Style, *, scope: Scope) -> Legend:
    """Return the legend of a style with how many features of a scope each symbol stands for."""
    attribute = layer.attribute(style.attribute)
    if style.kind == "single" or attribute is None:
        return legend_of(layer, style)
    if style.kind == "categories":
        return legend_of(layer, style, counts=counts_of(layer, attribute, scope=scope))
    return legend_of(layer, style, spread_of(layer, attribute, scope=scope))


def spread_of(layer: LayerSpec, attribute: Attribute, *, scope: Scope) -> Spread:
    """Return the values of a numeric attribute with their counts, in one pass of the database whatever the layer's size.

    Up to a thousand distinct values are told as they are; of more, each thousandth of the rows is told by its least value.
    Raises ``ValueError`` for an attribute that is no number.
    """
    if attribute.kind not in NUMERIC:
        raise ValueError(f"{attribute.name} is no number")
    seen = seen_by(layer, scope)
    statement = f"""
        WITH counted AS (
          SELECT value, count(*) AS rows
          FROM (SELECT ({attribute.sql})::float8 AS value FROM {layer.table} t WHERE {seen.where}) v GROUP BY value
        ), running AS (
          SELECT value, rows, sum(rows) OVER (ORDER BY value) - rows AS below, sum(rows) OVER () AS every,
                 count(*) OVER () AS kinds
          FROM counted WHERE value IS NOT NULL AND value NOT IN ('NaN', 'Infinity', '-Infinity')
        )
        SELECT min(value), sum(rows), max(value), max(kinds) FROM running
        GROUP BY CASE WHEN kinds <= {TILES} THEN value ELSE floor(below * {TILES}::float8 / every) END
        UNION ALL SELECT NULL, coalesce(sum(rows), 0), NULL, 0 FROM counted
          WHERE value IS NULL OR value IN ('NaN', 'Infinity', '-Infinity')
        ORDER BY 1 NULLS LAST"""
    *told, (_, missing, _, _) = read_rows(statement, {**layer.parameters, **seen.parameters})
    if not told:
        return Spread((), (), int(missing))
    return Spread(
        values=tuple(float(least) for least, _, _, _ in told),
        counts=tuple(int(rows) for _, rows, _, _ in told),
        missing=int(missing),
        greatest=float(told[-1][2]),
        exact=told[0][3] <= TILES,
    )


def counts_of(layer: LayerSpec, attribute: Attribute, *, scope: Scope) -> dict[Any, int]:
    """Return how often the most frequent values of an attribute are there, ``None`` for no value; the rest is under ``...``."""
    seen = seen_by(layer, scope)
    statement = f"""
        SELECT value, count(*) FROM (SELECT {attribute.sql} AS value FROM {layer.table} t WHERE {seen.where}) v
        GROUP BY value ORDER BY value IS NULL DESC, count(*) DESC, value"""
    found: dict[Any, int] = {}
    for value, rows in read_rows(statement, {**layer.parameters, **seen.parameters}):
        said = None if value == "" or (isinstance(value, float) and math.isnan(value)) else value
        key = said if said is None or said in found or len(found) <= MOST_CATEGORIES else ...
        found[key] = found.get(key, 0) + int(rows)
    return found
