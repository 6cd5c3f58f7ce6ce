"""The open facilities of some kinds as columns in memory: what a list is narrowed, counted and sorted by.

Every process keeps the tables it was asked for. A change of a facility is read with the next question, by its event; whatever
moves rows about (a publication, a new or renamed facility) lets the table be read anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import orjson
from django.db import connection
from numpy.typing import NDArray

from geo.addresses.gazetteer import Published
from geo.imports.models import Family
from services.facilities.filters import FEES
from services.facilities.kinds import every_kind
from services.facilities.models import FacilityStatus

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_COLUMNS: Final = """
    SELECT id, kind_id, name, ST_X(geom), ST_Y(geom), coalesce(region_id, 0), attributes::text, hours::text, vacancies,
           extract(epoch FROM vacancies_as_of)::float8, as_of - DATE '1970-01-01'
    FROM facilities_facility
    WHERE retired_at IS NULL AND status = %s AND source_id = ANY(%s) AND kind_id = ANY(%s)"""
_MARKS: Final = """
    SELECT (SELECT max(id) FROM facilities_facility), coalesce((SELECT max(pgh_id) FROM facilities_facilityevent), 0)"""
_KEPT: Final = 12
_OVERLAP: Final = 200
"""Events commit out of order: so many before the last one seen are looked at again."""

Raw = tuple[int, str, str, float, float, int, str, str, int | None, float | None, int | None]


@dataclass(frozen=True)
class Table:
    """Facilities in the order of their names, one value each in every column; what is unknown is ``nan``.

    ``lon`` and ``lat`` are CGCS2000 degrees; ``vacancies_at`` seconds and ``as_of`` days since 1970.
    """

    rows: Sequence[Raw]

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def ids(self) -> Ints:
        """Ids of the facilities."""
        return np.array([row[0] for row in self.rows], dtype=np.int64)

    def of_kind(self, kind: str) -> Bools:
        """Return which facilities are of a kind, by its key."""
        return self.keep(("kind", kind), lambda: np.array([row[1] == kind for row in self.rows], dtype=bool))

    @cached_property
    def lon(self) -> Floats:
        """Longitudes."""
        return np.array([row[3] for row in self.rows], dtype=float)

    @cached_property
    def lat(self) -> Floats:
        """Latitudes."""
        return np.array([row[4] for row in self.rows], dtype=float)

    @cached_property
    def regions(self) -> Ints:
        """Ids of the regions the facilities are filed under, 0 for none."""
        return np.array([row[5] for row in self.rows], dtype=np.int64)

    @cached_property
    def vacancies(self) -> Floats:
        """Vacancies as last reported, however long ago."""
        return _figures(row[8] for row in self.rows)

    @cached_property
    def vacancies_at(self) -> Floats:
        """When the vacancies were reported."""
        return _figures(row[9] for row in self.rows)

    @cached_property
    def as_of(self) -> Floats:
        """The day the facts are known of."""
        return _figures(row[10] for row in self.rows)

    @cached_property
    def said(self) -> list[Mapping[str, Any]]:
        """What each facility says of itself."""
        read: dict[str, Mapping[str, Any]] = {}
        return [read[row[6]] if row[6] in read else read.setdefault(row[6], orjson.loads(row[6])) for row in self.rows]

    @cached_property
    def weeks(self) -> tuple[list[Mapping[str, Any]], Ints]:
        """The different opening hours there are, and which of them each facility keeps."""
        numbers: dict[str, int] = {}
        which = np.array([numbers.setdefault(row[7], len(numbers)) for row in self.rows], dtype=np.int64)
        return [orjson.loads(text) for text in numbers], which

    @cached_property
    def fees(self) -> Floats:
        """What a month costs at least, in yuan."""
        low, high = (self.figures(key) for key in FEES)
        return np.where(np.isnan(low), high, low)

    def figures(self, key: str) -> Floats:
        """Return an attribute that is a number."""
        return self.keep(("figures", key), lambda: _figures(said.get(key) for said in self.said))

    def having(self, key: str, value: str | bool) -> Bools:
        """Return which facilities say a value of an attribute."""
        return self.keep(
            ("having", key, value), lambda: np.array([said.get(key) == value for said in self.said], dtype=bool)
        )

    def values(self, key: str) -> list[str]:
        """Return the different texts an attribute holds, in order."""

        def make() -> NDArray[np.object_]:
            return np.array(
                sorted({said[key] for said in self.said if isinstance(said.get(key), str) and said[key]}), object
            )

        found: list[str] = self.keep(("values", key), make).tolist()
        return found

    def by_week(self, holds: Callable[[Mapping[str, Any]], float | bool]) -> Floats:
        """Return what a rule says of every facility's hours; asked once for each different week."""
        weeks, which = self.weeks
        return np.array([float(holds(week)) for week in weeks] or [0.0])[which]

    def keep(self, key: Hashable, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Return a column made once for the life of the table."""
        kept: dict[Hashable, NDArray[Any]] = self.__dict__.setdefault("columns", {})
        if key not in kept:
            kept[key] = make()
        return kept[key]


def _figures(values: Iterable[Any]) -> Floats:
    return np.array(
        [float(value) if isinstance(value, int | float) and value is not True else np.nan for value in values],
        dtype=float,
    )


def table_of(rows: Iterable[Raw]) -> Table:
    """Return rows as a table, ordered by name and then by id."""
    return Table(sorted(rows, key=lambda row: (row[2], row[0])))


@dataclass(frozen=True, slots=True)
class _Kept:
    newest: int | None
    event: int
    edition: Any
    table: Table


_lock: Final = threading.Lock()
_tables: dict[tuple[Any, ...], _Kept] = {}


def kept_table(published: Published, kinds: Sequence[str], edition: Any = None) -> Table:
    """Return the open facilities of some kinds that are on the map now, which everybody may see.

    ``edition`` is any mark that changes when somebody has edited facilities; a small query says whether rows changed.
    """
    wanted = tuple(sorted(kinds or (kind.key for kind in every_kind())))
    key = (connection.settings_dict["NAME"], published.key, wanted)
    newest, event = _marks()
    kept = _tables.get(key)
    if kept is not None and (kept.newest, kept.event, kept.edition) == (newest, event, edition):
        return kept.table
    with _lock:
        kept = _tables.pop(key, None)
        table = _patched(kept, published, wanted) if kept is not None and kept.newest == newest else None
        if table is None:
            table = table_of(_read(published, wanted))
        _tables[key] = _Kept(newest, event, edition, table)
        while len(_tables) > _KEPT:
            del _tables[next(iter(_tables))]
    return table


def _patched(kept: _Kept, published: Published, kinds: Sequence[str]) -> Table | None:
    """Return a table with the rows that changed lately; ``None`` when a row came, went or was renamed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT pgh_obj_id FROM facilities_facilityevent WHERE pgh_id > %s LIMIT 2001",
            [kept.event - _OVERLAP],
        )
        changed = {row[0] for row in cursor.fetchall()}
    if len(changed) > 2000:
        return None
    fresh = {row[0]: row for row in _read(published, kinds, sorted(changed))}
    places = {row[0]: at for at, row in enumerate(kept.table.rows) if row[0] in changed}
    if fresh.keys() != places.keys() or any(kept.table.rows[at][2] != fresh[one][2] for one, at in places.items()):
        return None
    rows = list(kept.table.rows)
    for one, at in places.items():
        rows[at] = fresh[one]
    return Table(rows)


def _read(published: Published, kinds: Sequence[str], ids: Sequence[int] | None = None) -> list[Raw]:
    if ids is not None and not ids:
        return []
    given: list[Any] = [FacilityStatus.OPEN.value, list(published.ids(Family.FACILITIES)), list(kinds)]
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS + (" AND id = ANY(%s)" if ids else ""), given + ([list(ids)] if ids else []))
        rows: list[Raw] = cursor.fetchall()
    return rows


def _marks() -> tuple[int | None, int]:
    """Return the newest facility and the last change of one."""
    with connection.cursor() as cursor:
        cursor.execute(_MARKS)
        newest, event = cursor.fetchone()
    return newest, event
