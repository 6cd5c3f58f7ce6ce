"""What people state of an address in a form or a request: read, checked, and turned into columns, a point and a reason."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any, Final

from geo.addresses.columns import LONGEST, PARTS, columns_of, normal_of
from geo.addresses.gazetteer import names_of, published_now
from geo.addresses.parsing import clean, parse
from geo.errors import BadInput
from geo.regions.queries import current_city

LONGEST_TEXT: Final = 200
LONGEST_REASON: Final = 300
USUAL_UNCERTAINTY_M: Final = 10.0
"""The radius of a point that somebody put on the map by hand, unless they say otherwise."""
SIGNS: Final[Mapping[str, str]] = {
    **{"lane": "弄", "sub_lane": "支弄", "number": "号", "building": "幢", "unit": "单元", "floor": "层", "room": "室"},
}
"""What people write behind a part though the form asks for the figure alone."""
STATED: Final = frozenset((*PARTS, "text", "lon", "lat", "uncertainty_m", "community_id"))


def reason_of(text: str) -> str:
    """Return why something is done; raises ``BadInput`` when nobody says."""
    reason = text.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise BadInput(
            "reason_missing", f"请写明原因，最多 {LONGEST_REASON} 个字，例如“现场核实门牌为 12 号”。", field="reason"
        )
    return reason


def check_names(stated: Mapping[str, Any], known: frozenset[str] = STATED) -> None:
    """Raise ``BadInput`` when something is stated that an address does not have."""
    unknown = sorted(set(stated) - known)
    if unknown:
        raise BadInput("field_unknown", f"地址没有这些项目：{'、'.join(unknown)[:120]}。", fields=unknown)


def columns_stated(stated: Mapping[str, Any], before: Mapping[str, str] | None = None) -> dict[str, str] | None:
    """Return the columns, text and normal form that are stated, or ``None`` when nothing is stated of them.

    Either as ``text``, which the grammar reads, or as single parts laid over what was ``before``. Raises ``BadInput``.
    """
    parts = {name: stated[name] for name in PARTS if name in stated}
    if parts:
        columns = {**{name: (before or {}).get(name, "") for name in PARTS}, **_clean(parts)}
        if not columns["road"] or not (columns["lane"] or columns["number"] or columns["building"]):
            raise BadInput("address_unclear", "至少要有路名（或村、小区名），以及弄、号、幢中的一项。", field="road")
        normal = normal_of(columns)
        return {**columns, "normal": normal, "text": str(stated.get("text") or "").strip()[:300] or normal}
    if stated.get("text") is None:
        return None
    return columns_of_text(str(stated["text"]))


def columns_of_text(text: str) -> dict[str, str]:
    """Return the columns, text and normal form of a written address; raises ``BadInput`` when it names no door or lane."""
    text = text.strip()
    if not text or len(text) > LONGEST_TEXT:
        raise BadInput("address_empty", f"请写一个地址，最多 {LONGEST_TEXT} 个字，例如“艾家弄86号”。", field="text")
    columns = columns_of(parse(text, names_of(published_now()).gazetteer))
    if columns is None:
        raise BadInput("address_unclear", f"“{text[:40]}”读不出门牌，请写明路名和弄、号。", field="text")
    return {**columns, "text": text}


def point_stated(stated: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the point (lon, lat in CGCS2000 degrees) that is stated, or ``None``; raises ``BadInput`` off the map."""
    lon, lat = stated.get("lon"), stated.get("lat")
    if lon is None and lat is None:
        return None
    if lon is None or lat is None or not (_is_number(lon) and _is_number(lat)):
        raise BadInput("position_incomplete", "经度和纬度要一起填，写成数字。", field="lon")
    box = current_city().bbox
    if not (box.west <= lon <= box.east and box.south <= lat <= box.north):
        raise BadInput("off_map", "这个位置不在本市范围内，请核对经度和纬度。", field="lon")
    return round(float(lon), 8), round(float(lat), 8)


def uncertainty_stated(stated: Mapping[str, Any], usual: float = USUAL_UNCERTAINTY_M) -> float:
    """Return the radius in metres that holds the true point nine times in ten, as stated; raises ``BadInput``."""
    value = stated.get("uncertainty_m")
    if value is None:
        return usual
    if not _is_number(value) or not 0.1 <= float(value) <= 50_000:
        raise BadInput("uncertainty_invalid", "误差半径要在 0.1 到 50,000 米之间。", field="uncertainty_m")
    return float(value)


def days_stated(from_day: str | dt.date | None, to_day: str | dt.date | None) -> tuple[str | None, str | None]:
    """Return the days of an alias as ISO text; raises ``BadInput`` for no day, or an end before the beginning."""
    first, last = _day(from_day, "from_day"), _day(to_day, "to_day")
    if first and last and first > last:
        raise BadInput("days_reversed", "启用日期晚于停用日期，请核对。", field="from_day")
    return (first.isoformat() if first else None, last.isoformat() if last else None)


def _day(value: str | dt.date | None, field: str) -> dt.date | None:
    if value is None or value == "":
        return None
    try:
        return value if isinstance(value, dt.date) else dt.date.fromisoformat(value)
    except ValueError:
        raise BadInput("day_invalid", "日期要写成 2024-09-01 这样。", field=field) from None


def _clean(parts: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for name, value in parts.items():
        text = "".join(clean(str(value if value is not None else "")).split())
        text = text.removesuffix(SIGNS.get(name, "")) or text
        if len(text) > LONGEST[name]:
            raise BadInput("text_too_long", f"“{text[:20]}…”太长，最多 {LONGEST[name]} 个字。", field=name)
        found[name] = text
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
