"""A row as a file gave it, read through the names of its declaration, and the draft an importer makes of it."""

from __future__ import annotations

import datetime
import math
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from geo.imports.faults import RowRefused

BLANKS: Final = frozenset(
    {"", "暂无数据", "暂无", "无数据", "未知", "不详", "null", "none", "nan", "n/a", "-", "--", "—"}
)
YES: Final = frozenset({"1", "1.0", "true", "t", "yes", "y", "是", "有"})
NO: Final = frozenset({"0", "0.0", "false", "f", "no", "n", "否", "无"})
_NUMBER = re.compile(r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?")
_DATES = (
    re.compile(r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ].*)?$"),
    re.compile(r"^(\d{4})(\d{2})(\d{2})$"),
)


@dataclass(slots=True)
class RawRow:
    """One row of a file under the declaration's field names; positions are already CGCS2000 longitude and latitude.

    ``number`` counts data rows from 1, as a person counts them below the header. The reading methods treat blanks and words
    such as 暂无数据 as absent and raise ``RowRefused`` with the column's own name.
    """

    part: str
    number: int
    ext_id: str
    fields: Mapping[str, Any]
    columns: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
    lon: float | None = None
    lat: float | None = None
    shape: BaseGeometry | None = None
    warnings: list[str] = field(default_factory=list)

    def refuse(self, code: str, name: str = "", what: str = "") -> RowRefused:
        """Return the refusal to raise, naming the column as the file calls it."""
        return RowRefused(code, self.columns.get(name, name), what)

    def value(self, name: str) -> Any:
        """Return the value as read, or None when it is absent or blank."""
        value = self.fields.get(name)
        if isinstance(value, str):
            return None if value.strip().lower() in BLANKS else value
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return value

    def text(self, name: str, *, limit: int = 300, required: bool = False) -> str:
        """Return stripped text in Unicode's composed form, '' when absent; refuses text longer than ``limit``."""
        value = self.value(name)
        if value is None:
            if required:
                raise self.refuse("missing_value", name)
            return ""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        text = unicodedata.normalize("NFC", str(value)).replace("\x00", "").strip()
        if len(text) > limit:
            raise self.refuse("too_long", name, f"{len(text)} 字，最多 {limit} 字")
        return text

    def choice(self, name: str, allowed: Collection[str], *, default: str | None = None) -> str:
        """Return a value that must be one of ``allowed``; absent gives ``default`` or is refused."""
        text = self.text(name)
        if not text and default is not None:
            return default
        if not text:
            raise self.refuse("missing_value", name)
        if text not in allowed:
            raise self.refuse("unknown_value", name, text[:40])
        return text

    def number_of(self, name: str, *, least: float = -1e15, most: float = 1e15) -> float | None:
        """Return the first number of the value ('523户' is 523), None when absent; refuses words and values out of range."""
        value = self.value(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            found = _NUMBER.search(unicodedata.normalize("NFKC", str(value)))
            if found is None:
                raise self.refuse("not_a_number", name, str(value)[:40])
            value = float(found[0].replace(",", ""))
        if not least <= value <= most:
            raise self.refuse("out_of_range", name, f"{value:g}")
        return float(value)

    def integer(self, name: str, *, least: int = 0, most: int = 2_000_000_000) -> int | None:
        """Return a whole number, None when absent."""
        value = self.number_of(name, least=least, most=most)
        return None if value is None else round(value)

    def flag(self, name: str) -> bool | None:
        """Return yes or no, None when absent."""
        value = self.value(name)
        if value is None or isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word in YES:
            return True
        if word in NO:
            return False
        raise self.refuse("not_a_flag", name, word[:40])

    def date(self, name: str) -> datetime.date | None:
        """Return a day written as 2024-09-01, 2024/9/1, 2024年9月1日 or 20240901, None when absent."""
        value = self.value(name)
        if value is None or isinstance(value, datetime.date):
            return value.date() if isinstance(value, datetime.datetime) else value
        text = unicodedata.normalize("NFKC", str(value)).strip()
        for form in _DATES:
            found = form.match(text)
            if found:
                try:
                    return datetime.date(int(found[1]), int(found[2]), int(found[3]))
                except ValueError:
                    break
        raise self.refuse("not_a_date", name, text[:40])

    def point(self) -> Point | None:
        """Return the row's point in CGCS2000 degrees, None when the row has none."""
        if self.lon is None or self.lat is None:
            return self.shape if isinstance(self.shape, Point) else None
        return Point(self.lon, self.lat)

    def shape_of(self, *types: str) -> BaseGeometry:
        """Return the row's shape, which must be of one of the named types (``"Polygon"``, ``"MultiPolygon"``…)."""
        if self.shape is None or self.shape.is_empty:
            raise self.refuse("empty_shape")
        if self.shape.geom_type not in types:
            raise self.refuse("wrong_shape", what=self.shape.geom_type)
        return self.shape

    def warn(self, code: str) -> None:
        """Note something worth saying (a code of ``reasons.WARNINGS``) about a row that is taken."""
        self.warnings.append(code)


@dataclass(frozen=True, slots=True)
class Draft:
    """A normalised row: JSON-ready ``payload`` under the importer's field names, and a geometry in CGCS2000 or None."""

    payload: dict[str, Any]
    geom: BaseGeometry | None = None
