"""What a batch of positions says, row by row: read strictly, put into metres of the city's plane, refused with a reason."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from geo.crs import Coordinates, LocalGrid, System, convert, inside
from geo.fences.evaluate.positions import Position

SUBJECT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
OF_A_PERSON: Final = re.compile(r"1[3-9]\d{9}|\d{17}[\dXx]")
"""Numbers of telephones and of identity cards."""
BOOT: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
FIELDS: Final = frozenset({"subject", "seq", "boot", "time", "lon", "lat", "accuracy"})
LARGEST: Final = 2**53
UNREADABLE, NAMED, OLD = "unreadable", "subject_named", "old"
SAID: Final[Mapping[str, str]] = {
    UNREADABLE: "这一行读不懂",
    NAMED: "subject 像是手机号或身份证号，请换成平台自己的编号",
    OLD: "早于可以补报的时间",
}


@dataclass(frozen=True, slots=True)
class Reported:
    """A position as it was reported, of a subject by the platform's own id."""

    subject: str
    position: Position


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a row is no position."""

    code: str


Row = Reported | Unread


def read_rows(
    items: Sequence[Any], *, crs: System, plane: LocalGrid, received_ms: int, oldest: dt.timedelta
) -> list[Row]:
    """Return of each row its position in metres, NaN outside the city, or why it is none; the order is kept."""
    plain = [_plain(item) for item in items]
    x, y = _metres([each for each in plain if isinstance(each, _Plain)], crs, plane)
    places = iter(zip(x.tolist(), y.tolist(), strict=True))
    floor = received_ms - round(oldest.total_seconds() * 1000)
    rows: list[Row] = []
    for each in plain:
        if isinstance(each, str):
            rows.append(Unread(each))
            continue
        east, north = next(places)
        if each.time_ms < floor:
            rows.append(Unread(OLD))
            continue
        at = Position(each.time_ms, east, north, each.accuracy, each.sequence, received_ms)
        rows.append(Reported(each.subject, at))
    return rows


@dataclass(frozen=True, slots=True)
class _Plain:
    subject: str
    time_ms: int
    x: float
    y: float
    accuracy: float | None
    sequence: int | None


def _plain(item: Any) -> _Plain | str:
    """Return what a row says, or the code of what is wrong with it."""
    if not isinstance(item, dict) or not item.keys() <= FIELDS:
        return UNREADABLE
    subject, time_ms = item.get("subject"), _time(item.get("time"))
    if not isinstance(subject, str) or not SUBJECT.fullmatch(subject):
        return UNREADABLE
    if OF_A_PERSON.fullmatch(subject):
        return NAMED
    lon, lat, accuracy = (_number(item.get(name)) for name in ("lon", "lat", "accuracy"))
    sequence = _sequence(item.get("seq"), item.get("boot"))
    given = item.get("accuracy") is not None
    if time_ms is None or lon is None or lat is None or sequence is False or (given and (accuracy or 0.0) <= 0.0):
        return UNREADABLE
    return _Plain(subject, time_ms, lon, lat, accuracy, sequence)


def _number(given: Any) -> float | None:
    if isinstance(given, bool) or not isinstance(given, (int, float)) or abs(given) > LARGEST:
        return None
    return float(given) if math.isfinite(given) else None


def _time(given: Any) -> int | None:
    """Return milliseconds since 1970 of a whole number of them or of an ISO text with a zone."""
    if isinstance(given, int) and not isinstance(given, bool):
        return given if 0 <= given < LARGEST else None
    if not isinstance(given, str) or len(given) > 40:
        return None
    try:
        moment = dt.datetime.fromisoformat(given)
        return None if moment.tzinfo is None else round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _sequence(seq: Any, boot: Any) -> int | None | bool:
    """Return the number of a position; ``False`` for one that is none.

    A device that numbers anew after each start says at which (``boot``): numbers of different starts are different ones.
    """
    if seq is None:
        return None if boot is None else False
    if isinstance(seq, bool) or not isinstance(seq, int) or not 0 <= seq < LARGEST:
        return False
    if boot is None:
        return seq
    if not isinstance(boot, str) or not BOOT.fullmatch(boot):
        return False
    digest = hashlib.blake2b(f"{boot}\n{seq}".encode(), digest_size=8).digest()
    return LARGEST + int.from_bytes(digest) // 4


def _metres(
    plain: Sequence[_Plain], crs: System, plane: LocalGrid
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    x, y = np.full(len(plain), np.nan), np.full(len(plain), np.nan)
    given = Coordinates(np.array([each.x for each in plain]), np.array([each.y for each in plain]), crs)
    rows = np.flatnonzero(inside(given))
    if rows.size:
        degrees = convert(Coordinates(given.x[rows], given.y[rows], crs), System.CGCS2000)
        x[rows], y[rows] = plane.project(degrees.x, degrees.y)
    return x, y
