"""Reading a pasted point: decimal degrees, degrees–minutes–seconds, or plane metres, as people in China write them.

The text gives the numbers; the declared system says what they mean. Nothing is guessed: a doubtful text is refused with
the reason.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from geo.crs.codes import System
from geo.crs.coordinates import Coordinate, Coordinates
from geo.crs.faults import BadPoint
from geo.crs.transform import inside

AxisOrder: TypeAlias = Literal["east_first", "north_first"]
"""``east_first``: longitude or easting stands first, as in GIS. ``north_first``: latitude, or the surveyors' X, does."""

MAX_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row that is no usable point: its number counted from 1, its text, a stable code and a Chinese sentence."""

    row: int
    text: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ParsedPoints:
    """The readable points of a text, the row number (from 1) of each, and the faults of the other rows."""

    coordinates: Coordinates
    rows: tuple[int, ...]
    faults: tuple[RowFault, ...]


def parse_point(text: str, system: System, order: AxisOrder = "east_first") -> Coordinate:
    """Return the point a text gives in the declared system.

    Labels and hemisphere letters (``N``, ``北纬``, ``东坐标``) overrule the order; a bare ``X``/``Y`` follows it: X is the first
    axis. Raises ``BadPoint`` with a code such as ``point_many_numbers``, ``point_swapped``, ``point_outside``.
    """
    coordinate = _read(text, system, order)
    if not _holds(coordinate):
        raise _outside(coordinate)
    return coordinate


def parse_points(lines: Iterable[str], system: System, order: AxisOrder = "east_first") -> ParsedPoints:
    """Return the points of many lines, one point a line, and a fault for every other line that is not blank."""
    read: list[tuple[int, str, Coordinate]] = []
    faults: list[RowFault] = []
    for row, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            read.append((row, text, _read(text, system, order)))
        except BadPoint as fault:
            faults.append(RowFault(row, text.strip()[:MAX_LENGTH], fault.code, fault.message))
    found = Coordinates(np.array([c.x for *_, c in read]), np.array([c.y for *_, c in read]), system)
    held = inside(found)
    for (row, text, coordinate), good in zip(read, held, strict=True):
        if not good:
            reason = _outside(coordinate)
            faults.append(RowFault(row, text.strip()[:MAX_LENGTH], reason.code, reason.message))
    kept = tuple(row for (row, *_), good in zip(read, held, strict=True) if good)
    return ParsedPoints(
        Coordinates(found.x[held], found.y[held], system), kept, tuple(sorted(faults, key=lambda fault: fault.row))
    )


def looks_like_point(text: str) -> bool:
    """Say whether a text is meant as a pair of numbers rather than as an address or a name."""
    plain = _normalise(text[:MAX_LENGTH])
    pattern = _pattern(plain)
    return plain.startswith("GEO:") or (
        len(pattern.findall(plain)) >= 2 and not _SEPARATORS.sub("", pattern.sub(" ", plain.removeprefix("POINT")))
    )


# Typed with Chinese input methods, word processors and survey software; NFKC alone would tear ″ and º apart.
_CHARACTERS: Final = str.maketrans(
    {
        **dict.fromkeys("′’‘´ʹ＇", "'"),
        **dict.fromkeys("″”“ʺ＂〞", '"'),
        **dict.fromkeys("º˚℃∘", "°"),
        **dict.fromkeys("−–－", "-"),
        **dict.fromkeys("、；;|", ","),
    }
)
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"
_LABEL = (
    r"LONGITUDE|LATITUDE|EASTING|NORTHING|LONG|LON|LNG|LAT|EAST|NORTH|[NSEWXY]"
    r"|东经|西经|北纬|南纬|经度|纬度|东坐标|北坐标|横坐标|纵坐标|东|北"
)
_ANGLE = (
    rf"(?P<first>{_NUMBER})(?!\d)"
    rf"(?:\s*(?:°|度)(?:\s*(?P<minutes>\d+(?:\.\d*)?)\s*(?:'(?!')|分)(?:\s*(?P<seconds>\d+(?:\.\d*)?)\s*(?:\"|''|秒))?)?"
    r"|\s*(?:米|M)(?![A-Z]))?"
)
# "E121 N31" and "121E 31N" differ only in where the letters begin, so a text is read in one of two ways
_PREFIXED: Final = re.compile(
    rf"(?P<label>{_LABEL})\s*[:=]?\s*{_ANGLE}(?:\s*(?P<hemisphere>[NSEW])(?![A-Z]|\s*[:=]?\s*[\d.+-]))?"
)
_SUFFIXED: Final = re.compile(rf"(?P<label>){_ANGLE}(?:\s*(?P<hemisphere>[NSEW])(?![A-Z]))?")
_SEPARATORS: Final = re.compile(r"[\s,()\[\]]+")

Axis: TypeAlias = Literal["x", "y", "first", "second"]
_AXES: Final[dict[str, Axis]] = {
    **dict.fromkeys(("LONGITUDE", "LONG", "LON", "LNG", "EASTING", "EAST", "E", "W"), "x"),
    **dict.fromkeys(("东经", "西经", "经度", "东坐标", "横坐标", "东"), "x"),
    **dict.fromkeys(("LATITUDE", "LAT", "NORTHING", "NORTH", "N", "S"), "y"),
    **dict.fromkeys(("北纬", "南纬", "纬度", "北坐标", "纵坐标", "北"), "y"),
    "X": "first",
    "Y": "second",
}
_NEGATIVE: Final = frozenset({"W", "S", "西经", "南纬"})


@dataclass(frozen=True, slots=True)
class _Value:
    number: float
    axis: Axis | None
    angular: bool


def _normalise(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text.translate(_CHARACTERS)).translate(_CHARACTERS).upper().strip()
    # a full stop of the Chinese keyboard between digits is a decimal point
    return re.sub(r"(?<=\d)。(?=\d)", ".", plain)


def _pattern(plain: str) -> re.Pattern[str]:
    return _PREFIXED if re.match(rf"[\s(\[]*(?:{_LABEL})", plain) else _SUFFIXED


def _read(text: str, system: System, order: AxisOrder) -> Coordinate:
    if not text.strip():
        raise BadPoint("point_empty", "这一行是空的，请填写一对坐标。")
    if len(text) > MAX_LENGTH:
        raise BadPoint("point_too_long", f"这一行超过 {MAX_LENGTH} 个字符，不像一个坐标，请每行只写一个点。")
    plain = _normalise(text)
    if plain.startswith("GEO:"):
        return _read_geo_uri(plain, system)
    plain = re.sub(r"^POINT\s*(?=\()", "", plain)
    values = _values(plain, system)
    x, y = _assign(values, order)
    if system.is_geographic and abs(y) > 90 and abs(x) <= 90:
        raise BadPoint("point_swapped", "纬度超过 90 度，经纬度很可能写反了：请先写经度，再写纬度，或改选坐标顺序。")
    if not system.is_geographic and (_like_degrees(x, y) or _like_degrees(y, x)):
        raise BadPoint("point_degrees", f"这两个数像经纬度，而“{system.label}”以米为单位，请核对所选的坐标系。")
    return Coordinate(x, y, system)


def _like_degrees(lon: float, lat: float) -> bool:
    # as metres this is a spot of 3 by 3 metres, so nothing real is lost by refusing it
    return 120.0 <= lon <= 123.0 and 30.0 <= lat <= 33.0


def _read_geo_uri(plain: str, system: System) -> Coordinate:
    """Read RFC 5870, which is latitude first and WGS 84 by definition."""
    parts = re.match(rf"GEO:({_NUMBER}),({_NUMBER})(?=[,?]|$)", plain)
    if not parts:
        raise BadPoint("point_text", "geo: 链接不完整，应为“geo:纬度,经度”。")
    if system not in (System.WGS84, System.CGCS2000):
        raise BadPoint("point_geo_uri", "geo: 链接规定使用 WGS-84，请把坐标系选为 WGS-84。")
    return Coordinate(float(parts[2]), float(parts[1]), system)


def _values(plain: str, system: System) -> list[_Value]:
    found: list[_Value] = []
    pattern, at = _pattern(plain), 0
    while at < len(plain):
        gap = _SEPARATORS.match(plain, at)
        if gap:
            at = gap.end()
            continue
        match = pattern.match(plain, at)
        if not match:
            rest = plain[at : at + 12]
            raise BadPoint("point_text", f"无法识别“{rest}”，一行只写一对坐标，例如 121.4737, 31.2304。", at=at)
        found.append(_value(match))
        at = match.end()
    if len(found) < 2:
        raise BadPoint("point_one_number", "只有一个数，缺少另一个坐标，请同时写出经度和纬度（或横、纵坐标）。")
    if len(found) > 2:
        raise BadPoint(
            "point_many_numbers",
            f"有 {len(found)} 个数，应当只有两个。请去掉高程、序号和千位分隔符；度分秒请写成 121°28′25″。",
        )
    if any(value.angular for value in found) and not system.is_geographic:
        raise BadPoint("point_degrees", f"“{system.label}”以米为单位，不能写度分秒，请改选经纬度坐标系。")
    return found


def _value(match: re.Match[str]) -> _Value:
    number, minutes, seconds = float(match["first"]), match["minutes"], match["seconds"]
    if minutes is not None:
        part = float(minutes) + float(seconds or 0) / 60
        if float(minutes) >= 60 or float(seconds or 0) >= 60:
            raise BadPoint("point_sexagesimal", "分和秒都应小于 60，请核对度分秒。")
        if not number.is_integer() or (seconds is not None and not float(minutes).is_integer()):
            raise BadPoint("point_sexagesimal", "度分秒中只有最后一项可以带小数，请核对。")
        number += -part / 60 if match["first"].startswith("-") else part / 60
    angular = minutes is not None or "°" in match[0] or "度" in match[0].removeprefix(match["label"] or "")
    return _Value(_signed(number, match), _marked_axis(match), angular)


def _signed(number: float, match: re.Match[str]) -> float:
    if not {match["label"], match["hemisphere"]} & _NEGATIVE:
        return number
    if number < 0:
        raise BadPoint("point_axes", "负号与“南、西”不能同时出现，请只留一个。")
    return -number


def _marked_axis(match: re.Match[str]) -> Axis | None:
    axes = {_AXES[mark] for mark in (match["label"], match["hemisphere"]) if mark}
    if len(axes) > 1:
        raise BadPoint("point_axes", "同一个数前后的方向标记互相矛盾，请核对。")
    return axes.pop() if axes else None


def _assign(values: list[_Value], order: AxisOrder) -> tuple[float, float]:
    first, second = ("y", "x") if order == "north_first" else ("x", "y")
    meaning = {"x": "x", "y": "y", "first": first, "second": second, None: None}
    one, two = (meaning[value.axis] for value in values)
    if one is not None and one == two:
        raise BadPoint("point_axes", "两个数标的是同一个方向，请检查经度和纬度（或横、纵坐标）。")
    if one is None:
        one = first if two is None else {"x": "y", "y": "x"}[two]
    numbers = values[0].number, values[1].number
    return numbers if one == "x" else (numbers[1], numbers[0])


def _holds(coordinate: Coordinate) -> bool:
    return bool(inside(Coordinates(np.array([coordinate.x]), np.array([coordinate.y]), coordinate.system))[0])


def _outside(coordinate: Coordinate) -> BadPoint:
    label = coordinate.system.label
    if _holds(Coordinate(coordinate.y, coordinate.x, coordinate.system)):
        return BadPoint("point_swapped", f"按“{label}”这一点在适用范围之外，对调后则在范围内：两个坐标很可能写反了。")
    return BadPoint("point_outside", f"这一点不在“{label}”的适用范围内，请检查坐标系和数字。")
