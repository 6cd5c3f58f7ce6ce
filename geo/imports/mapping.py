"""From a record as the file gave it to a row under the declaration's field names: columns, words, lookups, rules, position."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
from shapely.geometry.base import BaseGeometry

from geo.crs import City, Coordinates, System, convert, inside
from geo.imports.faults import RowRefused, SourceRefused
from geo.imports.readers import Reading
from geo.imports.rows import BLANKS, RawRow
from geo.imports.spec import Lookup, PartSpec, Rule

LONGEST_ID: Final = 120
_FIELD: Final = re.compile(r"\{([\w.]+)\}")
LookupTable = Mapping[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Positions:
    """Where the records of a file lie in CGCS2000; ``faults`` gives by index why one has no usable position.

    ``declared`` are the coordinates as the file has them, of the records that have any, for the batch detectors.
    """

    lon: npt.NDArray[np.float64]
    lat: npt.NDArray[np.float64]
    faults: Mapping[int, str]
    declared: Coordinates


def check_columns(part: PartSpec, reading: Reading, name: str) -> None:
    """Raise ``SourceRefused("column_missing")`` naming the columns that the declaration speaks of and the file lacks."""
    if part.format == "osm_roads":
        return
    missing = sorted(part.required_columns() - set(reading.columns))
    if missing:
        raise SourceRefused("column_missing", f"{name} 缺少：{'、'.join(missing)}", columns=missing)


def positions_of(part: PartSpec, reading: Reading, city: City, *, must_lie_in: bool) -> Positions:
    """Read, convert and check the positions of a table; a blank position is no fault, it is simply NaN."""
    count = len(reading.records)
    x, y = np.full(count, np.nan), np.full(count, np.nan)
    faults: dict[int, str] = {}
    for at, record in enumerate(reading.records):
        try:
            x[at], y[at] = _figure(record.get(part.x)), _figure(record.get(part.y))
        except ValueError:
            faults[at] = "bad_position"
    given = np.isfinite(x) & np.isfinite(y)
    for at in _indices(np.isfinite(x) ^ np.isfinite(y)):
        faults[at] = "bad_position"
    declared = Coordinates(x[given], y[given], part.datum)
    held = np.zeros(count, dtype=bool)
    held[given] = inside(declared)
    lon, lat = np.full(count, np.nan), np.full(count, np.nan)
    stored = convert(Coordinates(x[held], y[held], part.datum), System.CGCS2000)
    lon[held], lat[held] = stored.x, stored.y
    for at in _indices(given & ~held):
        turned = city.bbox.holds(y[at : at + 1], x[at : at + 1])[0] and part.datum.is_geographic
        faults[at] = "axes_swapped" if turned else "outside_system"
    if must_lie_in:
        for at in _indices(held & ~city.bbox.holds(lon, lat)):
            turned = part.datum.is_geographic and city.bbox.holds(lat[at : at + 1], lon[at : at + 1])[0]
            faults[at] = "axes_swapped" if turned else "outside_city"
    return Positions(lon, lat, faults, declared)


def lookup_table(lookup: Lookup, records: Sequence[Mapping[str, Any]]) -> LookupTable:
    """Return matched values → taken value; values that lead to two different answers are left out: never guess."""
    table: dict[tuple[str, ...], str] = {}
    doubtful = set()
    for record in records:
        key = tuple(str(record.get(column, "")).strip() for column in lookup.match)
        value = str(record.get(lookup.take, "")).strip()
        if table.setdefault(key, value) != value:
            doubtful.add(key)
    return {key: value for key, value in table.items() if key not in doubtful and value}


class RowMaker:
    """Makes rows of one part of a source. ``lookups`` are the tables of its declared lookups, in their order."""

    def __init__(self, part: PartSpec, name: str, lookups: Sequence[LookupTable]) -> None:
        """Prepare the declaration once for all rows."""
        self.part = part
        self.name = name
        self.lookups = lookups

    def make(
        self, number: int, record: Mapping[str, Any], lon: float, lat: float, shape: BaseGeometry | None
    ) -> RawRow:
        """Return the row of a record; raises ``RowRefused`` where a declared word or rule says so."""
        row = RawRow(
            part=self.name,
            number=number,
            ext_id=self._ext_id(record),
            fields=self._fields(record),
            columns=self.part.columns,
            raw=record,
            lon=None if np.isnan(lon) else lon,
            lat=None if np.isnan(lat) else lat,
            shape=shape,
        )
        self._complete(row)
        return row

    def _ext_id(self, record: Mapping[str, Any]) -> str:
        if self.part.ext_id:
            text = "/".join(str(record.get(column, "")).strip() for column in self.part.ext_id)
            if not text.replace("/", ""):
                raise RowRefused("missing_value", "、".join(self.part.ext_id))
        else:
            text = hashlib.sha256(orjson.dumps(record, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()[:20]
        whole = self.part.prefix + text
        if len(whole) <= LONGEST_ID:
            return whole
        return whole[:99] + "~" + hashlib.sha256(whole.encode()).hexdigest()[:20]

    def _fields(self, record: Mapping[str, Any]) -> dict[str, Any]:
        columns = self.part.columns
        found = {name: record.get(column) for name, column in columns.items()} if columns else dict(record)
        return {**found, **self.part.constants}

    def _complete(self, row: RawRow) -> None:
        fields: dict[str, Any] = dict(row.fields)
        for name, values in self.part.values.items():
            fields[name] = _mapped(row, name, fields.get(name), values.map, values.otherwise)
        for name, template in self.part.templates.items():
            fields[name] = _filled(template, fields)
        for rule in self.part.rules:
            _apply(rule, fields, row)
        for lookup, table in zip(self.part.lookups, self.lookups, strict=True):
            key = tuple(str(fields.get(name) or "").strip() for name in lookup.match.values())
            if key not in table:
                raise row.refuse(lookup.missing, lookup.field, "、".join(key)[:60])
            fields[lookup.field] = table[key]
        row.fields = fields


def _indices(mask: npt.NDArray[np.bool_]) -> list[int]:
    return [int(at) for at in np.flatnonzero(mask)]


def _figure(value: Any) -> float:
    """Return a coordinate; NaN when absent. Degrees and minutes, or words, raise ``ValueError``."""
    if value is None or (isinstance(value, str) and value.strip().lower() in BLANKS):
        return float("nan")
    figure = float(value)
    if not np.isfinite(figure):
        raise ValueError("not finite")
    return figure


def _mapped(row: RawRow, name: str, value: Any, words: Mapping[str, Any], otherwise: Any) -> Any:
    key = "" if value is None else str(value).strip()
    if key in words:
        return words[key]
    if not key or otherwise == "keep":
        return value
    if otherwise == "blank":
        return None
    if isinstance(otherwise, str) and otherwise.startswith("refuse:"):
        raise row.refuse(otherwise.removeprefix("refuse:"), name, key[:40])
    return otherwise


def _filled(template: str, fields: Mapping[str, Any]) -> str:
    """Return the template with its {fields} filled, '' when one of them is blank. Not ``str.format``: that reaches attributes."""
    said = {name: str(fields.get(name) or "").strip() for name in _FIELD.findall(template)}
    return _FIELD.sub(lambda found: said[found[1]], template) if all(said.values()) else ""


def _apply(rule: Rule, fields: dict[str, Any], row: RawRow) -> None:
    text = str(fields.get(rule.field) or "").strip()
    met = (rule.blank and not text) or any(word in text for word in rule.contains)
    if not met or any(fields.get(name) != value for name, value in rule.when.items()):
        return
    if rule.refuse:
        raise row.refuse(rule.refuse, rule.field, text[:40])
    fields.update(rule.set)
