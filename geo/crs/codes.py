"""The coordinate systems we know, their names and their numbers: the only place where SRID numbers appear."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from geo.crs.faults import UnknownSystem, UnsupportedDatum

CGCS2000: Final = 4490
WGS84: Final = 4326
WEB_MERCATOR: Final = 3857
SHANGHAI_2000: Final = 990001
"""Our own number: the plane is in no public registry."""


class System(StrEnum):
    """A coordinate system; its value is what ``crs=`` takes in the API.

    Gauss–Krüger members ``…_ZONE40`` carry the zone number in the easting (40 500 000), ``…_CM120E`` do not (500 000).
    """

    CGCS2000 = "cgcs2000"
    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"
    SH2000 = "sh2000"
    WEB_MERCATOR = "webmercator"
    GK6_ZONE13 = "epsg:4491"
    GK6_ZONE14 = "epsg:4492"
    GK6_ZONE15 = "epsg:4493"
    GK6_ZONE16 = "epsg:4494"
    GK6_ZONE17 = "epsg:4495"
    GK6_ZONE18 = "epsg:4496"
    GK6_ZONE19 = "epsg:4497"
    GK6_ZONE20 = "epsg:4498"
    GK6_ZONE21 = "epsg:4499"
    GK6_ZONE22 = "epsg:4500"
    GK6_ZONE23 = "epsg:4501"
    GK6_CM75E = "epsg:4502"
    GK6_CM81E = "epsg:4503"
    GK6_CM87E = "epsg:4504"
    GK6_CM93E = "epsg:4505"
    GK6_CM99E = "epsg:4506"
    GK6_CM105E = "epsg:4507"
    GK6_CM111E = "epsg:4508"
    GK6_CM117E = "epsg:4509"
    GK6_CM123E = "epsg:4510"
    GK6_CM129E = "epsg:4511"
    GK6_CM135E = "epsg:4512"
    GK3_ZONE25 = "epsg:4513"
    GK3_ZONE26 = "epsg:4514"
    GK3_ZONE27 = "epsg:4515"
    GK3_ZONE28 = "epsg:4516"
    GK3_ZONE29 = "epsg:4517"
    GK3_ZONE30 = "epsg:4518"
    GK3_ZONE31 = "epsg:4519"
    GK3_ZONE32 = "epsg:4520"
    GK3_ZONE33 = "epsg:4521"
    GK3_ZONE34 = "epsg:4522"
    GK3_ZONE35 = "epsg:4523"
    GK3_ZONE36 = "epsg:4524"
    GK3_ZONE37 = "epsg:4525"
    GK3_ZONE38 = "epsg:4526"
    GK3_ZONE39 = "epsg:4527"
    GK3_ZONE40 = "epsg:4528"
    GK3_ZONE41 = "epsg:4529"
    GK3_ZONE42 = "epsg:4530"
    GK3_ZONE43 = "epsg:4531"
    GK3_ZONE44 = "epsg:4532"
    GK3_ZONE45 = "epsg:4533"
    GK3_CM75E = "epsg:4534"
    GK3_CM78E = "epsg:4535"
    GK3_CM81E = "epsg:4536"
    GK3_CM84E = "epsg:4537"
    GK3_CM87E = "epsg:4538"
    GK3_CM90E = "epsg:4539"
    GK3_CM93E = "epsg:4540"
    GK3_CM96E = "epsg:4541"
    GK3_CM99E = "epsg:4542"
    GK3_CM102E = "epsg:4543"
    GK3_CM105E = "epsg:4544"
    GK3_CM108E = "epsg:4545"
    GK3_CM111E = "epsg:4546"
    GK3_CM114E = "epsg:4547"
    GK3_CM117E = "epsg:4548"
    GK3_CM120E = "epsg:4549"
    GK3_CM123E = "epsg:4550"
    GK3_CM126E = "epsg:4551"
    GK3_CM129E = "epsg:4552"
    GK3_CM132E = "epsg:4553"
    GK3_CM135E = "epsg:4554"

    @classmethod
    def parse(cls, text: str) -> System:
        """Return the system a text names, whatever its case or width.

        Raises ``UnsupportedDatum`` for Beijing-54, Xi'an-80 and the old city grid, ``UnknownSystem`` for anything else. A
        name says nothing of axis order: values are (longitude, latitude) or (easting, northing) everywhere in Quantu.
        """
        plain = _plain(text)
        for pattern, name in _REFUSED_NAMES:
            if re.search(pattern, plain):
                raise UnsupportedDatum(text, name)
        code = re.fullmatch(r"(?:epsg)?(\d{4,6})", plain)
        if code:
            return cls._by_code(int(code[1]), text)
        if plain not in _NAMES:
            raise UnknownSystem(text)
        return _NAMES[plain]

    @classmethod
    def _by_code(cls, code: int, text: str) -> System:
        for codes, name in _REFUSED_CODES:
            if code in codes:
                raise UnsupportedDatum(text, name)
        if code not in _BY_SRID:
            raise UnknownSystem(text)
        return _BY_SRID[code]

    @property
    def srid(self) -> int | None:
        """Return the number PostGIS knows the system by; None for GCJ-02 and BD-09, which no database knows."""
        return _SRIDS.get(self)

    @property
    def is_geographic(self) -> bool:
        """Say whether x and y are degrees of longitude and latitude."""
        return self in _GEOGRAPHIC

    @property
    def label(self) -> str:
        """Return the Chinese name shown to users."""
        return _TITLES.get(self) or _zone_title(self)


@dataclass(frozen=True, slots=True)
class Zone:
    """A Gauss–Krüger zone of CGCS2000: central meridian in degrees, false easting in metres, width 3 or 6 degrees."""

    central_meridian: float
    false_easting: float
    width: int
    number: int
    prefixed: bool


@dataclass(frozen=True, slots=True)
class SpatialReference:
    """A row of PostGIS's ``spatial_ref_sys``, column by column."""

    srid: int
    auth_name: str
    auth_srid: int
    srtext: str
    proj4text: str


def _zones() -> dict[System, Zone]:
    zones = {}
    for member in System:
        parts = re.fullmatch(r"GK([36])_(ZONE|CM)(\d+)E?", member.name)
        if not parts:
            continue
        width, prefixed, figure = int(parts[1]), parts[2] == "ZONE", int(parts[3])
        # Zones of 3 degrees are centred on 3n, those of 6 degrees on 6n - 3, counted from Greenwich.
        shift = 0 if width == 3 else 3
        number = figure if prefixed else (figure + shift) // width
        easting = number * 1_000_000.0 + 500_000.0 if prefixed else 500_000.0
        zones[member] = Zone(float(number * width - shift), easting, width, number, prefixed)
    return zones


def _plain(text: str) -> str:
    return re.sub(r"[\s:_\-/·.]+", "", unicodedata.normalize("NFKC", text)).lower()


def _zone_title(system: System) -> str:
    zone = ZONES[system]
    return f"CGCS2000 {zone.width} 度带高斯投影，中央经线 {zone.central_meridian:.0f}°E" + (
        f"（横坐标含带号 {zone.number}）" if zone.prefixed else ""
    )


ZONES: Final = _zones()

_GEOGRAPHIC = frozenset({System.CGCS2000, System.WGS84, System.GCJ02, System.BD09})

_SRIDS: dict[System, int] = {
    System.CGCS2000: CGCS2000,
    System.WGS84: WGS84,
    System.WEB_MERCATOR: WEB_MERCATOR,
    System.SH2000: SHANGHAI_2000,
    **{system: int(system.removeprefix("epsg:")) for system in ZONES},
}
_BY_SRID = {srid: system for system, srid in _SRIDS.items()}

_TITLES = {
    System.CGCS2000: "CGCS2000 经纬度",
    System.WGS84: "WGS-84 经纬度",
    System.GCJ02: "GCJ-02 经纬度（高德、腾讯）",
    System.BD09: "BD-09 经纬度（百度）",
    System.SH2000: "上海2000 平面坐标",
    System.WEB_MERCATOR: "Web 墨卡托",
}

_NAMES: dict[str, System] = {
    **{str(system): system for system in _TITLES},
    **{
        alias: system
        for system, aliases in {
            System.CGCS2000: ("国家2000", "大地2000", "2000国家大地坐标系", "国家大地2000"),
            System.WGS84: ("crs84", "ogccrs84"),
            System.GCJ02: ("gcj", "火星坐标", "高德", "腾讯"),
            System.BD09: ("bd09ll", "百度"),
            System.SH2000: ("上海2000", "上海2000坐标系", "shanghai2000"),
        }.items()
        for alias in aliases
    },
}

_REFUSED_NAMES = (
    (r"北京(19)?54|beijing(19)?54|^bj54|新北京", "北京54"),
    (r"西安(19)?80|xi'?an(19)?80|国家80", "西安80"),
    (r"上海城市坐标|上海平面坐标|老上海坐标|上海54", "老上海城市平面"),
)
_REFUSED_CODES: tuple[tuple[frozenset[int], str], ...] = (
    (frozenset({4214, *range(2401, 2443), *range(21413, 21424), *range(21453, 21464)}), "北京54"),
    (frozenset({4555, *range(4568, 4590), *range(4652, 4657), *range(4766, 4801), 4812, 4822}), "新北京54"),
    (frozenset({4610, *range(2327, 2391)}), "西安80"),
)
