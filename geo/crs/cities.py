"""City profiles: what the rest of Quantu must know of a city before it can measure there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from geo.crs.coordinates import Bbox
from geo.crs.planes import SHANGHAI_2000, SHENGZHOU_PLANE, LocalGrid


@dataclass(frozen=True, slots=True)
class City:
    """A city: its official code, its box in CGCS2000 degrees, the plane its metres are measured on, its clock and calendar."""

    key: str
    name: str
    code: str
    bbox: Bbox
    plane: LocalGrid
    timezone: str
    calendar: str


SHANGHAI: Final = City(
    key="shanghai",
    name="上海市",
    code="310000",
    bbox=Bbox(120.83, 30.65, 122.25, 31.90),
    plane=SHANGHAI_2000,
    timezone="Asia/Shanghai",
    calendar="china",
)
SHENGZHOU: Final = City(
    key="shengzhou",
    name="嵊州市",
    code="330683",
    bbox=Bbox(120.45, 29.32, 121.12, 29.84),
    plane=SHENGZHOU_PLANE,
    timezone="Asia/Shanghai",
    calendar="china",
)
CITIES: Final[dict[str, City]] = {city.key: city for city in (SHANGHAI, SHENGZHOU)}
