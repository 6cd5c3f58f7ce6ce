"""Converting many points and addresses to one coordinate system, row by row: a bad row is named and the others are answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from geo.addresses.geocode import LONGEST, Candidate, Penalty, geocode_many
from geo.crs import Coordinates, System, convert, inside
from geo.errors import BadInput, TooLarge
from geo.scope import Scope

MOST_ITEMS: Final = 10_000
DECIMALS: Final = {True: 9, False: 4}
"""Of degrees and of metres: a tenth of a millimetre, so that rounding adds nothing."""


@dataclass(slots=True)
class Converted:
    """One item converted: its number from 1, the caller's own id, the point in the asked system, or the reason why not."""

    row: int
    id: str | None
    x: float | None = None
    y: float | None = None
    candidate: Candidate | None = None
    error: Penalty | None = None


def convert_items(items: Sequence[Any], source: System, to: System, *, scope: Scope) -> list[Converted]:
    """Return each item converted from ``source`` to ``to``: ``{"x", "y"}`` in ``source``, or ``{"address"}`` looked up first.

    Raises ``BadInput`` when there is none, ``TooLarge`` beyond 10,000; a fault of one item is in its ``error``.
    """
    if not items:
        raise BadInput("items_empty", "items 里没有内容。每项写 {x, y} 或 {address}。", parameter="items")
    if len(items) > MOST_ITEMS:
        raise TooLarge(
            "items_too_many", f"一次最多 {MOST_ITEMS} 项，收到 {len(items)} 项，请分批提交。", most=MOST_ITEMS
        )
    rows = [_started(number, item) for number, item in enumerate(items, start=1)]
    points = [(row, item) for row, item in zip(rows, items, strict=True) if row.error is None and not _address(item)]
    written = [(row, item) for row, item in zip(rows, items, strict=True) if row.error is None and _address(item)]
    _convert_points(points, source, to)
    _convert_addresses(written, to, scope)
    return rows


def _started(number: int, item: Any) -> Converted:
    if not isinstance(item, Mapping):
        return Converted(number, None, error=Penalty("item_invalid", "这一项要写成 {x, y} 或 {address}。"))
    given = item.get("id")
    row = Converted(number, None if given is None else str(given)[:100])
    if _address(item):
        if not isinstance(item["address"], str) or len(item["address"]) > LONGEST:
            row.error = Penalty("address_invalid", f"地址要是文字，最多 {LONGEST} 个字。")
    elif not (_is_number(item.get("x")) and _is_number(item.get("y"))):
        row.error = Penalty("coordinates_invalid", "x 和 y 要是两个数字；要查地址请写 address。")
    return row


def _address(item: Any) -> bool:
    return isinstance(item, Mapping) and item.get("address") not in (None, "")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12


def _convert_points(points: list[tuple[Converted, Any]], source: System, to: System) -> None:
    if not points:
        return
    x = np.array([item["x"] for _, item in points], dtype=np.float64)
    y = np.array([item["y"] for _, item in points], dtype=np.float64)
    good = inside(Coordinates(x, y, source), to)
    swapped = ~good & inside(Coordinates(y, x, source), to)
    moved = _rounded(convert(Coordinates(x[good], y[good], source), to))
    for at, (row, _) in enumerate(points):
        if good[at]:
            row.x, row.y = next(moved)
        elif swapped[at]:
            row.error = Penalty("axes_swapped", "两个坐标好像写反了：x 是经度或东坐标，y 是纬度或北坐标。")
        else:
            row.error = Penalty("outside_system", f"这个点不在{source.label}或{to.label}的适用范围内，请核对坐标系。")


def _convert_addresses(written: list[tuple[Converted, Any]], to: System, scope: Scope) -> None:
    if not written:
        return
    answers = geocode_many([item["address"] for _, item in written], scope=scope)
    found = [(row, candidates[0]) for (row, _), candidates in zip(written, answers, strict=True) if candidates]
    for (row, _), candidates in zip(written, answers, strict=True):
        if not candidates:
            row.error = Penalty("address_unknown", "没有找到这个地址，请核对路名和门牌，或补上所在的区。")
    if found:
        lon = np.array([candidate.lon for _, candidate in found])
        lat = np.array([candidate.lat for _, candidate in found])
        points = _rounded(convert(Coordinates(lon, lat, System.CGCS2000), to))
        for row, candidate in found:
            row.candidate = candidate
            row.x, row.y = next(points)


def _rounded(points: Coordinates) -> Any:
    decimals = DECIMALS[points.system.is_geographic]
    return iter(zip(points.x.round(decimals).tolist(), points.y.round(decimals).tolist(), strict=True))
