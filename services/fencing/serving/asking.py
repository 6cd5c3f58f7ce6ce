"""What is asked: positions and addresses as columns, in their order, with what is wrong with each; purposes and moments.

No position and no address is kept.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from django.utils import timezone

from geo.addresses.geocode import LONGEST, Penalty
from geo.errors import BadInput, TooLarge
from geo.fences.purposes import PURPOSES, purpose_of
from geo.scope import Scope
from services.access.queries import check_duty
from services.fencing.queries import VIEW

MOST: Final = 10_000
MOST_ADDRESSES: Final = 1_000
"""Addresses are looked up in the database, positions are not."""
LONGEST_ID: Final = 100
FARTHEST: Final = 1e12
YEARS: Final = (2000, 2100)
ITEM_SAID: Final = "每项写 {lon, lat}、[经度, 纬度]、{address} 或一个地址。"
_MOMENT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(?:(Z)|([+\- ])(\d{2}:\d{2}))?)?"
)
Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Asked:
    """Positions in the asker's own system, NaN where there is none; of the other rows the address, or what is wrong."""

    x: Floats
    y: Floats
    ids: list[str | None]
    addresses: dict[int, str] = field(default_factory=dict)
    faults: dict[int, Penalty] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)


def asked_items(items: Any) -> Asked:
    """Read a list of positions and addresses. Raises ``BadInput`` where it is none, ``TooLarge`` where it is too long."""
    if not isinstance(items, list) or not items:
        raise BadInput("items_invalid", f"items 要是一个列表。{ITEM_SAID}", parameter="items")
    _check_count(len(items))
    columns = _plain_columns(items)
    if columns is not None:
        return Asked(*columns, [_id(item.get("id")) for item in items])
    asked = Asked(np.full(len(items), np.nan), np.full(len(items), np.nan), [None] * len(items))
    for row, item in enumerate(items):
        _take(asked, row, item)
    if len(asked.addresses) > MOST_ADDRESSES:
        said = f"一次最多 {MOST_ADDRESSES:,} 个地址，收到 {len(asked.addresses):,} 个。请分批提交。"
        raise TooLarge("addresses_too_many", said, most=MOST_ADDRESSES)
    return asked


def asked_columns(lon: Any, lat: Any, ids: Any = None) -> Asked:
    """Read positions by column. Raises ``BadInput`` for columns of different lengths, ``TooLarge`` for long ones."""
    columns = [lon, lat] if ids is None else [lon, lat, ids]
    if not all(isinstance(column, list) and column for column in columns):
        raise BadInput("columns_invalid", "lon、lat（和 id）要是列表，里面至少有一个。", parameter="lon")
    _check_count(max(len(column) for column in columns))
    if len({len(column) for column in columns}) > 1:
        said = f"lon、lat（和 id）要一样长，收到 {'、'.join(str(len(column)) for column in columns)} 个。"
        raise BadInput("columns_invalid", said, parameter="lat")
    names = [_id(own) for own in (ids or [None] * len(lon))]
    numbers = _numbers(lon, lat)
    if numbers is not None:
        return Asked(*numbers, names)
    asked = Asked(np.full(len(lon), np.nan), np.full(len(lon), np.nan), names)
    for row, pair in enumerate(zip(lon, lat, strict=True)):
        _take_position(asked, row, *pair)
    return asked


def purposes_asked(given: str, scope: Scope) -> tuple[str, ...]:
    """Read keys of purposes joined by commas; none of them: whatever one may ask.

    Raises ``BadInput`` for one that is none, ``Forbidden`` for one that is not public to who does not hold the duty.
    """
    words = tuple(dict.fromkeys(word.strip() for word in given.split(",") if word.strip()))
    for word in words:
        purpose = purpose_of(word)
        if purpose is None:
            said = f"没有“{word[:20]}”这个用途，可选：{'、'.join(f'{one.key} {one.name}' for one in PURPOSES)}。"
            raise BadInput("purpose_unknown", said, parameter="purpose", known=[one.key for one in PURPOSES])
        if not purpose.public:
            check_duty(scope, VIEW)
    return words


def moment_asked(text: str) -> dt.datetime:
    """Read a moment, ISO 8601; without an offset on the city's clocks, now for ''. Raises ``BadInput``."""
    if not text:
        return timezone.now()
    found = _MOMENT.fullmatch(text.strip())
    try:
        if not found:
            raise ValueError("no moment")
        day, clock, zulu, sign, offset = found.groups()
        written = f"{day}T{clock or '00:00'}" + (
            "+00:00" if zulu else f"{sign.replace(' ', '+')}{offset}" if sign else ""
        )
        moment = dt.datetime.fromisoformat(written)
        if not YEARS[0] <= moment.year < YEARS[1]:
            raise ValueError("no moment of this city")
        return moment if moment.tzinfo else timezone.make_aware(moment)
    except ValueError:
        said = "at 要写成 2026-12-01 或 2026-12-01T08:00:00+08:00 这样的时刻；不写时区按北京时间。"
        raise BadInput("moment_invalid", said, parameter="at") from None


def _check_count(count: int) -> None:
    if count > MOST:
        raise TooLarge("items_too_many", f"一次最多 {MOST:,} 个位置，收到 {count:,} 个。请分批提交。", most=MOST)


def _plain_columns(items: list[Any]) -> tuple[Floats, Floats] | None:
    """Return the columns of items that all are ``{lon, lat}`` in numbers, ``None`` where any is not."""
    try:
        return _numbers([item["lon"] for item in items], [item["lat"] for item in items])
    except (KeyError, TypeError):
        return None


def _numbers(x: list[Any], y: list[Any]) -> tuple[Floats, Floats] | None:
    if not {*map(type, x), *map(type, y)} <= {int, float}:
        return None
    xs, ys = np.array(x, dtype=np.float64), np.array(y, dtype=np.float64)
    return (xs, ys) if max(np.abs(xs).max(), np.abs(ys).max()) < FARTHEST else None


def _take(asked: Asked, row: int, item: Any) -> None:
    if isinstance(item, str):
        _take_address(asked, row, item)
    elif isinstance(item, list) and len(item) == 2:
        _take_position(asked, row, *item)
    elif isinstance(item, Mapping):
        asked.ids[row] = _id(item.get("id"))
        if "lon" in item or "lat" in item or "address" not in item:
            _take_position(asked, row, item.get("lon"), item.get("lat"))
        else:
            _take_address(asked, row, item["address"])
    else:
        asked.faults[row] = Penalty("item_invalid", ITEM_SAID)


def _take_position(asked: Asked, row: int, x: Any, y: Any) -> None:
    if _is_number(x) and _is_number(y):
        asked.x[row], asked.y[row] = x, y
    else:
        asked.faults[row] = Penalty("coordinates_invalid", "lon 和 lat 要是两个数字；要查地址请写 address。")


def _take_address(asked: Asked, row: int, text: Any) -> None:
    if isinstance(text, str) and text.strip() and len(text) <= LONGEST:
        asked.addresses[row] = text
    else:
        asked.faults[row] = Penalty("address_invalid", f"地址要是文字，1 到 {LONGEST} 个字。")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < FARTHEST


def _id(own: Any) -> str | None:
    return None if own is None else str(own)[:LONGEST_ID]
