"""The rows of a layer as features: pages of them by key, one, how many, and all of them as one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import DataError, InternalError, OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from geo.crs.codes import CGCS2000
from geo.errors import BadInput, NotFound, Unavailable
from geo.scope import Scope
from layers.spec import Attribute, LayerSpec

TIMEOUT_MS: Final = 10_000
Box = tuple[float, float, float, float]
"""West, south, east, north in degrees of CGCS2000."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A condition over ``t``: constant SQL made by code, values only as parameters."""

    where: str = "TRUE"
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __and__(self, other: Narrowing) -> Narrowing:
        """Return both conditions together; they must not use one name for two values."""
        shared = self.parameters.keys() & other.parameters.keys()
        if any(self.parameters[name] != other.parameters[name] for name in shared):
            raise ValueError(f"two conditions give {sorted(shared)} different values")
        return Narrowing(f"({self.where}) AND ({other.where})", {**self.parameters, **other.parameters})


@dataclass(frozen=True, slots=True)
class Row:
    """One feature: its id, its properties by name, its shape as WKB (x before y) in the system that was asked for."""

    id: int
    properties: dict[str, Any]
    geometry: bytes | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows in the order of their ids, and the id to go on ``after``; none when there is nothing more."""

    rows: list[Row]
    next: int | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows; not ``exact`` when counting was given up and the planner's estimate stands in."""

    number: int
    exact: bool


def seen_by(layer: LayerSpec, scope: Scope) -> Narrowing:
    """Return the condition that a row of a layer is visible to a scope."""
    if layer.public or "" in scope.paths:
        return Narrowing()
    patterns = [path.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%" for path in scope.paths]
    return Narrowing(f"{layer.path} LIKE ANY(%(scope_paths)s)", {"scope_paths": patterns})


def within_box(box: Box) -> Narrowing:
    """Return the condition that a row meets a box."""
    west, south, east, north = box
    return Narrowing(
        f"ST_Intersects(t.geom, ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, {CGCS2000}))",
        {"west": west, "south": south, "east": east, "north": north},
    )


def read_page(
    layer: LayerSpec,
    *,
    scope: Scope,
    limit: int,
    after: int | None = None,
    box: Box | None = None,
    narrowing: Narrowing | None = None,
    srid: int = CGCS2000,
    attributes: Sequence[Attribute] | None = None,
) -> Page:
    """Return at most ``limit`` rows with ids above ``after``; slow conditions are ``Unavailable``."""
    condition = _condition(layer, scope, box, narrowing)
    if after is not None:
        condition &= Narrowing("t.id > %(after)s", {"after": after})
    chosen = layer.attributes if attributes is None else tuple(attributes)
    statement = f"{_select(layer, chosen, srid)} WHERE {condition.where} ORDER BY t.id LIMIT %(limit)s"
    found = read_rows(statement, {**layer.parameters, **condition.parameters, "limit": limit + 1})
    rows = [_row(one, chosen) for one in found[:limit]]
    return Page(rows, rows[-1].id if len(found) > limit else None)


def read_one(layer: LayerSpec, pk: int, *, scope: Scope, srid: int = CGCS2000) -> Row:
    """Return one row. Raises ``NotFound``, also for a row out of this scope."""
    condition = seen_by(layer, scope) & Narrowing("t.id = %(pk)s", {"pk": pk})
    statement = f"{_select(layer, layer.attributes, srid)} WHERE {condition.where}"
    found = read_rows(statement, {**layer.parameters, **condition.parameters})
    if not found:
        raise NotFound("feature_unknown", "图层里没有这个要素，它可能已被删除。")
    return _row(found[0], layer.attributes)


def count_rows(
    layer: LayerSpec,
    *,
    scope: Scope,
    box: Box | None = None,
    narrowing: Narrowing | None = None,
    exact_up_to: int = 10_000,
) -> Count:
    """Count the rows, exactly up to a number; beyond it the planner's estimate is told, never less than that number."""
    inner, parameters = _counted(layer, scope, box, narrowing)
    statement = f"SELECT count(*) FROM ({inner} LIMIT {exact_up_to + 1}) AS counted"
    counted = read_rows(statement, parameters)[0][0]
    if counted <= exact_up_to:
        return Count(counted, exact=True)
    return Count(max(counted, _estimate(inner, parameters)), exact=False)


def count_if_cheap(
    layer: LayerSpec, *, scope: Scope, narrowing: Narrowing | None = None, most: int = 10_000, patience_ms: int = 50
) -> int | None:
    """Return how many rows there are, where counting them is likely to cost little; ``None`` where it is not or did not."""
    inner, parameters = _counted(layer, scope, None, narrowing)
    if _estimate(inner, parameters) > most:
        return None
    try:
        return int(read_rows(f"SELECT count(*) FROM ({inner}) AS counted", parameters, patience_ms=patience_ms)[0][0])
    except Unavailable:
        return None


def _counted(
    layer: LayerSpec, scope: Scope, box: Box | None, narrowing: Narrowing | None
) -> tuple[str, dict[str, Any]]:
    condition = _condition(layer, scope, box, narrowing)
    return f"SELECT 1 FROM {layer.table} t WHERE {condition.where}", {**layer.parameters, **condition.parameters}


def _estimate(inner: str, parameters: Mapping[str, Any]) -> int:
    plan = read_rows(f"EXPLAIN (FORMAT JSON) {inner}", parameters)[0][0]
    return int(plan[0]["Plan"]["Plan Rows"])


def stream_rows(
    layer: LayerSpec,
    *,
    scope: Scope,
    box: Box | None = None,
    narrowing: Narrowing | None = None,
    srid: int = CGCS2000,
    attributes: Sequence[Attribute] | None = None,
    batch: int = 5_000,
) -> Iterator[list[Row]]:
    """Yield all rows in the order of their ids, ``batch`` at a time, as they were when the first was read."""
    condition = _condition(layer, scope, box, narrowing)
    chosen = layer.attributes if attributes is None else tuple(attributes)
    statement = f"{_select(layer, chosen, srid)} WHERE {condition.where} ORDER BY t.id"
    connection.ensure_connection()
    with transaction.atomic(), connection.connection.cursor(name="layer_rows") as cursor:
        cursor.execute(statement, {**layer.parameters, **condition.parameters})
        while found := cursor.fetchmany(batch):
            yield [_row(one, chosen) for one in found]


def _condition(layer: LayerSpec, scope: Scope, box: Box | None, narrowing: Narrowing | None) -> Narrowing:
    condition = seen_by(layer, scope)
    if box is not None:
        condition &= within_box(box)
    return condition & narrowing if narrowing is not None else condition


def _select(layer: LayerSpec, attributes: Sequence[Attribute], srid: int) -> str:
    shape = "t.geom" if srid == CGCS2000 else f"ST_Transform(t.geom, {int(srid)})"
    columns = "".join(f", {one.sql}" for one in attributes)
    return f"SELECT t.id, ST_AsBinary({shape}){columns} FROM {layer.table} t"


def _row(found: Sequence[Any], attributes: Sequence[Attribute]) -> Row:
    pk, shape, *values = found
    properties = {one.name: value for one, value in zip(attributes, values, strict=True)}
    return Row(pk, properties, bytes(shape) if shape is not None else None)


def read_rows(statement: str, parameters: Mapping[str, Any], *, patience_ms: int = TIMEOUT_MS) -> list[tuple[Any, ...]]:
    """Return what a reading statement finds; one too slow is ``Unavailable``, one whose numbers overflow ``BadInput``."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {int(patience_ms)}")
            cursor.execute(statement, parameters)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise Unavailable(
                "layer_slow", "这样查要太久，已经停下。请缩小范围或减少条件再试。", retry_after=5
            ) from error
        raise
    except (DataError, InternalError) as error:
        raise BadInput(
            "filter_failed", "这个条件算不出来，例如数字太大或图形无法比较。请改小数字或换一种条件。"
        ) from error
