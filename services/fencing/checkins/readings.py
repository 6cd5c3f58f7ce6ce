"""The position that a telephone or a platform sent, read by the letter and brought into our own system."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Final

from geo.crs import Coordinate, System, convert
from geo.errors import BadInput, CityError
from services.fencing.checkins.hints import Reading

DATUMS: Final = (System.WGS84, System.GCJ02, System.CGCS2000)
"""The systems a telephone may answer in; which one it was is said beside the position, never guessed."""
WORST_M: Final = 100_000.0
LONGEST_SOURCE: Final = 20


def read_reading(said: Mapping[str, str]) -> Reading | None:
    """Return the position in what was sent, None where there is none.

    ``lon``, ``lat``, ``crs``, ``accuracy`` (metres) belong together; ``altitude``, ``speed``, ``source``, ``mock`` (``1``),
    ``fixed_ms`` and ``sent_ms`` (the telephone's clock, milliseconds since 1970) may be missing. Raises ``BadInput``.
    """
    if not said.get("lon") and not said.get("lat"):
        return None
    lon, lat, accuracy = (_number(said, name) for name in ("lon", "lat", "accuracy"))
    system = next((each for each in DATUMS if each.value == said.get("crs")), None)
    if lon is None or lat is None or accuracy is None or system is None:
        raise _odd()
    if not (-180 <= lon <= 180 and -90 <= lat <= 90 and 0 <= accuracy <= WORST_M):
        raise _odd()
    given = Coordinate(lon, lat, system)
    try:
        found = convert(given, System.CGCS2000)
    except CityError:
        found = Coordinate(
            lon, lat, System.CGCS2000
        )  # beyond the country no datum is shifted, and it is told as outside
    return Reading(
        found.x, found.y, accuracy, given,
        source=said.get("source", "")[:LONGEST_SOURCE],
        altitude=_number(said, "altitude"), speed=_number(said, "speed"), mocked=said.get("mock") == "1",
        fixed_at=moment_of_ms(said.get("fixed_ms", "")), sent_at=moment_of_ms(said.get("sent_ms", "")),
    )  # fmt: skip


def moment_of_ms(text: str) -> dt.datetime | None:
    """Return a moment of the telephone's clock, None for none or one beyond reason."""
    if not (text.isascii() and text.isdigit() and len(text) <= 14):
        return None
    moment = dt.datetime.fromtimestamp(int(text) / 1000, tz=dt.UTC)
    return moment if 2000 < moment.year < 2200 else None


def _number(said: Mapping[str, str], name: str) -> float | None:
    text = said.get(name, "")
    if not text:
        return None
    try:
        value = float(text[:40])
    except ValueError:
        raise _odd() from None
    if not math.isfinite(value):
        raise _odd()
    return value


def _odd() -> BadInput:
    return BadInput("position_odd", "手机给的位置读不懂，请刷新页面再试一次。", field="position")
