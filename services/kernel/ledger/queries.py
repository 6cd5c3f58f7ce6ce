"""Reads of ledgers: the rows that a scope sees, page by page, one whole row, and rows for the map."""

from __future__ import annotations

import base64
import binascii
import datetime
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.apps import apps
from django.contrib.gis.db.models import Extent
from django.contrib.gis.geos import GEOSGeometry, Point, Polygon
from django.db import connection
from django.db.models import F, Model, Q, QuerySet
from django.utils.encoding import force_str
from django.utils.module_loading import import_string

from geo.addresses.gazetteer import names_of, published_now
from geo.crs.codes import CGCS2000
from geo.errors import BadInput, NotFound
from geo.names import query_grams
from geo.regions.models import EditionState, RegionVersion
from geo.regions.queries import current_city, region_by_code
from geo.scope import Scope
from services.access.models import User
from services.kernel.ledger.asking import Asked, conditions
from services.kernel.ledger.cells import Cell, cell
from services.kernel.ledger.models import SavedView
from services.kernel.ledger.registry import may_open
from services.kernel.spec import Column, LedgerSpec

ROWS: Final = 50
MOST_ROWS: Final = 200
COUNTED: Final = 2_000
"""Rows are counted up to here; beyond, the planner's estimate is said: a million take longer to count than to list."""
MOST_PINS: Final = 2_000
CELLS_ACROSS: Final = 24
"""Into how many columns the map is cut where rows are drawn together."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list: its key, what it is called, its region, the wanted columns, and its point where that was asked for."""

    pk: int
    name: str
    region: str
    cells: tuple[Cell, ...]
    point: Point | None = None

    @property
    def filled(self) -> tuple[Cell, ...]:
        """Return the columns that say something."""
        return tuple(each for each in self.cells if each.text)

    @property
    def blank(self) -> tuple[Cell, ...]:
        """Return the columns that say nothing."""
        return tuple(each for each in self.cells if not each.text)


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows and where the next ones begin; ``None`` when there are no more."""

    rows: Sequence[Row]
    next: str | None


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows there are: exactly, or ``about`` how many when they are more than were counted."""

    count: int
    about: int = 0

    def __str__(self) -> str:
        return f"约 {self.about:,}" if self.about else f"{self.count:,}"


@dataclass(frozen=True, slots=True)
class Record:
    """One row in full: every column, its place and its outline in CGCS2000."""

    row: Row
    point: Point | None
    outline: GEOSGeometry | None
    instance: Model


@dataclass(frozen=True, slots=True)
class Pin:
    """One row on the map, or ``count`` of them around their middle (then without name and key), in CGCS2000 degrees."""

    lon: float
    lat: float
    count: int
    pk: int | None = None
    name: str = ""


def model_of(spec: LedgerSpec) -> type[Model]:
    """Return the model of a ledger."""
    return apps.get_model(spec.model)


def visible(spec: LedgerSpec, *, scope: Scope, covered: Collection[int] | None = None) -> QuerySet[Any]:
    """Return the rows of a ledger that a scope sees; none without its duty.

    Who sees the whole city also sees the rows that lie in no region. ``covered`` are the ids of the regions under the scope's
    paths, for who asks many ledgers and has read them once.
    """
    rows = model_of(spec)._default_manager.order_by()
    if not may_open(spec, scope):
        return rows.none()
    rows = rows.filter(**spec.where)
    if spec.row_duty and not scope.holds("*"):
        rows = rows.filter(**{f"{spec.row_duty}__in": scope.duties})
    if not (spec.region or spec.organisation or spec.subject) or sees_all(scope):
        return rows
    mine = Q(pk__in=[])
    if spec.region and scope.paths:
        mine |= _lying_in(spec, _regions_below(scope.paths) if covered is None else covered)
    if spec.organisation and scope.organisations:
        mine |= Q(**{f"{spec.organisation}__in": scope.organisations})
    if spec.subject and scope.persons:
        mine |= Q(**{f"{spec.subject}__in": scope.persons})
    return rows.filter(mine)


def rows_asked(
    spec: LedgerSpec, asked: Asked, *, scope: Scope, covered: Collection[int] | None = None
) -> QuerySet[Any]:
    """Return the visible rows that a question asks for, in no order; ``covered`` as in ``visible``.

    Raises ``BadInput`` and ``NotFound`` for a region.
    """
    rows = visible(spec, scope=scope, covered=covered).filter(conditions(asked, spec))
    if asked.ids:
        rows = rows.filter(pk__in=asked.ids)
    if asked.area:
        drawn = Polygon([*asked.area, asked.area[0]])
        drawn.srid = CGCS2000
        rows = rows.filter(**{f"{spec.point}__coveredby": drawn})
    if asked.regions and spec.region:
        paths = [region_by_code(code, scope=scope).path for code in asked.regions]
        rows = rows.filter(_lying_in(spec, _regions_below(paths)))
    return rows.filter(_holding(spec, asked.text)) if asked.text else rows


def sees_all(scope: Scope) -> bool:
    """Say whether a scope sees the whole city, and with it the rows that lie in no region."""
    return scope.covers_path(f"{current_city().code}.")


def _regions_below(paths: Collection[str]) -> list[int]:
    """Return the ids of the published regions under some paths, as a list: joined, a planner that knows nothing of paths errs."""
    under = Q(pk__in=[])
    for path in paths:
        under |= Q(path__startswith=path)
    versions = RegionVersion.objects.filter(under, edition__state=EditionState.PUBLISHED)
    return list(versions.values_list("region_id", flat=True))


def _lying_in(spec: LedgerSpec, regions: Collection[int]) -> Q:
    return Q(**{f"{spec.region}_id__in": regions})


def page_of(spec: LedgerSpec, asked: Asked, *, scope: Scope, limit: int = ROWS) -> Page:
    """Return one page of the rows asked for, with the wanted columns. Raises ``BadInput``, ``NotFound``."""
    if not 1 <= limit <= MOST_ROWS:
        raise BadInput("limit_invalid", f"每页行数要在 1 到 {MOST_ROWS} 之间。", parameter="limit")
    order = _Order.of(spec, asked)
    rows = order.applied(rows_asked(spec, asked, scope=scope))
    if asked.after:
        rows = rows.filter(order.following(asked.after))
    columns = columns_shown(spec, asked)
    wanted = [order.key, *_wanted(spec, columns)]
    found = list(rows.values_list("pk", *wanted)[: limit + 1])
    made = _rows(spec, columns, [(pk, *rest) for pk, _, *rest in found[:limit]])
    last = order.mark(found[limit - 1][1], found[limit - 1][0]) if len(found) > limit else None
    return Page(made, last)


def rows_of(spec: LedgerSpec, asked: Asked, *, scope: Scope, columns: Sequence[Column]) -> Iterator[Row]:
    """Yield all rows asked for in their order with their points, read from the database piece by piece."""
    rows = _Order.of(spec, asked).applied(rows_asked(spec, asked, scope=scope))
    called, points = _caller(spec), [spec.point] if spec.point else []
    for record in rows.values_list("pk", *_wanted(spec, columns), *points).iterator(chunk_size=2_000):
        values, point = (record[:-1], record[-1]) if points else (record, None)
        yield replace(called(columns, values), point=point)


def count_rows(spec: LedgerSpec, asked: Asked, *, scope: Scope) -> Total:
    """Return how many rows are asked for: counted up to ``COUNTED``, estimated beyond."""
    rows = rows_asked(spec, asked, scope=scope)
    found = rows.values("pk")[: COUNTED + 1].count()
    if found <= COUNTED:
        return Total(found)
    plan = json.loads(rows.values("pk").explain(format="json"))
    return Total(COUNTED, max(COUNTED, _rounded(int(plan[0]["Plan"]["Plan Rows"]))))


def _rounded(number: int) -> int:
    """Return a number with its first two figures, as an estimate is said."""
    size = max(0, len(str(number)) - 2)
    return round(number, -size)


def columns_shown(spec: LedgerSpec, asked: Asked) -> tuple[Column, ...]:
    """Return the columns of the list: those that were chosen, in the ledger's order, or those shown to begin with."""
    return tuple(column for column in spec.columns if (column.key in asked.columns if asked.columns else column.shown))


def record_of(spec: LedgerSpec, pk: int, *, scope: Scope) -> Record:
    """Return one row in full; raises ``NotFound`` alike for one that is not there and one that is not for the scope."""
    rows = visible(spec, scope=scope).filter(pk=pk)
    values = rows.values_list("pk", *_wanted(spec, spec.columns)).first()
    instance = rows.first()
    if values is None or instance is None:
        raise _unknown()
    return Record(
        row=_caller(spec)(spec.columns, values),
        point=_reached(instance, spec.point) if spec.point else None,
        outline=_reached(instance, spec.outline) if spec.outline else None,
        instance=instance,
    )


def values_of(spec: LedgerSpec, pk: int, keys: Sequence[str], *, scope: Scope) -> dict[str, Any]:
    """Return what stands in one row under some keys; raises ``NotFound`` as ``record_of`` does."""
    values = visible(spec, scope=scope).filter(pk=pk).values(*keys).first()
    if values is None:
        raise _unknown()
    return dict(values)


def _unknown() -> NotFound:
    return NotFound("record_unknown", "没有找到这一条，它可能已经停用，或者不在您的管辖范围内。")


def _reached(instance: Model, key: str) -> Any:
    """Return a value of a row, or of one behind its relations (``site__geom``)."""
    found: Any = instance
    for name in key.split("__"):
        found = getattr(found, name, None)
    return found


def pins_in(spec: LedgerSpec, asked: Asked, box: tuple[float, float, float, float], *, scope: Scope) -> list[Pin]:
    """Return the rows asked for in a box: each, or drawn together where they are many.

    ``box`` is west, south, east, north in CGCS2000 degrees. Raises ``NotFound`` for a ledger without places.
    """
    if not spec.point:
        raise NotFound("ledger_without_map", "这份台账没有位置，不能在地图上看。")
    rows = rows_asked(spec, asked, scope=scope)
    frame = Polygon.from_bbox(box)
    frame.srid = CGCS2000
    rows = rows.filter(**{f"{spec.point}__bboverlaps": frame})
    found = list(rows.order_by("pk").values_list("pk", spec.name, spec.point)[: MOST_PINS + 1])
    if len(found) <= MOST_PINS:
        return [Pin(point.x, point.y, 1, pk, force_str(name)) for pk, name, point in found]
    return _together(rows, spec.point, (box[2] - box[0]) / CELLS_ACROSS)


def extent_of(spec: LedgerSpec, asked: Asked, *, scope: Scope) -> tuple[float, float, float, float] | None:
    """Return the box that holds the first ``COUNTED`` rows asked for; ``None`` where none has a place."""
    if not spec.point:
        return None
    few = rows_asked(spec, asked, scope=scope).order_by("pk").values("pk")[:COUNTED]
    box: tuple[float, float, float, float] | None = (
        model_of(spec)._default_manager.filter(pk__in=few).aggregate(box=Extent(spec.point))["box"]
    )
    return box


def regions_for(scope: Scope) -> list[RegionVersion]:
    """Return the districts and streets that a scope may choose among, in the order of their codes."""
    versions = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, level__in=("district", "street"))
    if "" not in scope.paths:
        under = Q(pk__in=[])
        for path in scope.paths:
            under |= Q(path__startswith=path)
        versions = versions.filter(under)
    return list(versions.only("code", "level", "name", "path").order_by("path"))


def views_of(user: User) -> list[SavedView]:
    """Return the views that somebody keeps, ledger by ledger."""
    return list(SavedView.objects.filter(user=user))


def _holding(spec: LedgerSpec, text: str) -> Q:
    """Return the condition that a row holds a text: by its search pieces, or by its key when a number was typed."""
    if spec.finds:
        found: Q = import_string(spec.finds.replace(":", "."))(text)
        return found
    held = Q(pk__in=[])
    if spec.grams:
        pieces = query_grams(text)
        held |= Q(**{f"{spec.grams}__contains": pieces}) if pieces else held
    for key in spec.searched:
        held |= Q(**{f"{key}__icontains": text})
    if text.isascii() and text.isdecimal() and len(text) < 19:
        held |= Q(pk=int(text))
    return held


def _wanted(spec: LedgerSpec, columns: Sequence[Column]) -> list[str]:
    region = [f"{spec.region}_id"] if spec.region else []
    return [spec.name, *region, *(column.key for column in columns)]


def _rows(spec: LedgerSpec, columns: Sequence[Column], records: Sequence[tuple[Any, ...]]) -> list[Row]:
    called = _caller(spec)
    return [called(columns, record) for record in records]


def _caller(spec: LedgerSpec) -> Callable[[Sequence[Column], tuple[Any, ...]], Row]:
    """Return what makes a row of a record (pk, name, region where there is one, columns)."""
    names = names_of(published_now()) if spec.region else None
    named = spec.column(spec.name)

    def made(columns: Sequence[Column], record: tuple[Any, ...]) -> Row:
        pk, name, *rest = record
        region = ""
        if names is not None:
            found = names.region(rest[0])
            region, rest = (found.full_name if found else ""), rest[1:]
        title = cell(named, name).text if named else str(name)
        return Row(pk, title, region, tuple(cell(each, value) for each, value in zip(columns, rest, strict=True)))

    return made


@dataclass(frozen=True, slots=True)
class _Order:
    """The order of a list: by one column, then by key, so that the next page begins exactly after the last row of this one."""

    key: str
    descending: bool
    blanks: bool
    """Whether a row may have nothing in the column."""

    @classmethod
    def of(cls, spec: LedgerSpec, asked: Asked) -> _Order:
        sort = asked.sort or spec.order
        key = sort.removeprefix("-")
        blanks = key != "pk" and ("__" in key or bool(model_of(spec)._meta.get_field(key).null))
        return cls(key, sort.startswith("-"), blanks)

    def applied(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return rows in this order; the blank ones last, said only where there can be any, for an index knows no such order."""
        by_key = F("pk").desc() if self.descending else F("pk").asc()
        if self.key == "pk":
            return rows.order_by(by_key)
        last = True if self.blanks else None
        value = F(self.key)
        return rows.order_by(value.desc(nulls_last=last) if self.descending else value.asc(nulls_last=last), by_key)

    def mark(self, value: Any, pk: int) -> str:
        """Return the mark after a row."""
        if isinstance(value, datetime.date):
            value = value.isoformat()
        body = json.dumps([self.key, self.descending, value, pk], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")

    def following(self, mark: str) -> Q:
        """Return the condition that a row comes after a mark. Raises ``BadInput`` when it was not written for this order."""
        try:
            key, descending, value, pk = json.loads(base64.urlsafe_b64decode(mark.encode() + b"=" * (-len(mark) % 4)))
            if (key, descending) != (self.key, self.descending) or type(pk) is not int or not 0 <= pk < 2**63:
                raise ValueError("a mark of another list")
            if not isinstance(value, str | int | float | bool | None) or value != value:
                raise ValueError("no value of a column")
        except (ValueError, binascii.Error, TypeError, RecursionError):
            raise BadInput("cursor_invalid", "翻页标记无效，请回到第一页重新查询。", parameter="after") from None
        beyond = "lt" if self.descending else "gt"
        later = Q(**{f"pk__{beyond}": pk})
        if self.key == "pk":
            return later
        if value is None:
            return Q(**{f"{self.key}__isnull": True}) & later
        after = Q(**{f"{self.key}__{beyond}": value}) | (Q(**{self.key: value}) & later)
        return after | Q(**{f"{self.key}__isnull": True}) if self.blanks else after


def _together(rows: QuerySet[Any], point: str, size: float) -> list[Pin]:
    """Return rows drawn together by squares of a size in degrees, each at the middle of its rows."""
    inner, params = rows.values_list(point).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH places AS MATERIALIZED (SELECT ST_X(g::geometry) AS x, ST_Y(g::geometry) AS y FROM ({inner}) AS t(g))
                SELECT avg(x), avg(y), count(*)::int FROM places
                GROUP BY floor(x / %s), floor(y / %s) ORDER BY 3 DESC""",
            [*params, size, size],
        )
        return [Pin(lon, lat, count) for lon, lat, count in cursor.fetchall()]
