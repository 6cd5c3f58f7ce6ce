"""What system the positions of a file are in, as far as the file itself tells, and by what it was told. Nothing here decides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from geo.crs import Bbox, Coordinates, System, suggest_plane
from geo.errors import CityError
from geo.imports.readers import Reading

COLUMN: Final = "坐标系"
"""The column in which files of ours say their system in every row."""
_NAMED: Final[tuple[tuple[str, System], ...]] = (
    (r"gcj[-_ ]?0?2|火星坐标|高德|腾讯", System.GCJ02),
    (r"bd[-_ ]?0?9|百度", System.BD09),
    (r"上海\s?2000|sh[-_ ]?2000", System.SH2000),
    (r"cgcs[-_ ]?2000|国家\s?2000|大地\s?2000", System.CGCS2000),
    (r"wgs[-_ ]?84", System.WGS84),
)
_DEFINED: Final[tuple[tuple[str, System], ...]] = (
    (r"^geog\w*\[\s*\"[^\"]*(china[_ ]geodetic[_ ]coordinate[_ ]system[_ ]2000|cgcs[_ ]?2000)", System.CGCS2000),
    (r"^geog\w*\[\s*\"[^\"]*(wgs[_ ]?(19)?84)", System.WGS84),
    (r"^geog\w*\[\s*\"gcj", System.GCJ02),
    (r"^geog\w*\[\s*\"bd-?09", System.BD09),
    (r"^proj\w*\[\s*\"[^\"]*(上海|shanghai[_ ]?)2000", System.SH2000),
)
_CODE: Final = re.compile(r"(?i)(?:^|:)(?:epsg:+|crs:)?(?:[\d.]*:)?(\d{4,6}|crs84)$")
_DEFINITION: Final = re.compile(r"(?i)(?:geog|proj)\w*\[\s*\"([^\"]*)\"")
_OURS: Final = r"china[_ ]geodetic[_ ]coordinate[_ ]system[_ ]2000|cgcs[_ ]?2000|china[_ ]2000"
"""Of a plane over this datum that has no number the positions themselves say which it is."""
_BY_RULE: Final = {"kml": "KML 按规定是 WGS-84", "geojson": "GeoJSON 按规定是 WGS-84"}


@dataclass(frozen=True, slots=True)
class Guess:
    """The system a file seems to be in, ``None`` where nothing tells, and by what it was told, in Chinese."""

    system: System | None
    why: str


def guess_system(reading: Reading, *, name: str, format: str, area: Bbox) -> Guess:
    """Return what a file called ``name`` says of its system: in a column, in its name, in its head, by its numbers, by rule.

    ``area`` is the box of the city, in which planes are tried. A reading in any system will do: only its records, its first
    positions as written and its own words are looked at.
    """
    for found in (_by_column(reading.records), _by_name(name), _by_head(reading.said), _by_numbers(reading, area)):
        if found is not None:
            return found
    if format in _BY_RULE:
        return Guess(System.WGS84, _BY_RULE[format])
    return Guess(None, "文件里没有写坐标系")


def _by_column(records: Any) -> Guess | None:
    rows: list[Mapping[str, Any]] = list(records[:1])
    said = str(rows[0].get(COLUMN) or "").strip() if rows else ""
    found = next((system for system in System if said and said in (system.label, system.value)), None)
    found = found or _named(said)
    return Guess(found, f"“{COLUMN}”一列写着 {said[:30]}") if found else None


def _by_name(name: str) -> Guess | None:
    found = _named(name)
    return Guess(found, "文件名里写着坐标系") if found else None


def _named(text: str) -> System | None:
    return next((system for pattern, system in _NAMED if re.search(pattern, text, re.IGNORECASE)), None)


def _by_head(said: str) -> Guess | None:
    code = _CODE.search(said.strip())
    try:
        found = System.parse(code[1]) if code else None
    except CityError:
        found = None
    plain = said.strip().lower()
    found = found or next((system for pattern, system in _DEFINED if re.search(pattern, plain)), None)
    if found is None and (code or (_DEFINITION.match(plain) and not re.search(_OURS, plain))):
        named = _DEFINITION.match(said.strip())
        called = named[1] if named else said.strip()
        return Guess(None, f"文件自己写明的坐标系“{called[:60]}”这里不能换算：请先转换成 CGCS2000 再上传，除非它写错了")
    return Guess(found, "文件自己写明的坐标系") if found else None


def _by_numbers(reading: Reading, area: Bbox) -> Guess | None:
    """Return a plane where the numbers are too large for degrees and fall into the city on it."""
    places = np.array(reading.corners, dtype=np.float64).reshape(-1, 2)
    if len(places) == 0 or np.median(np.abs(places).max(axis=1)) <= 360:
        return None
    told = Coordinates(places[:, 0], places[:, 1], System.SH2000)
    planes = suggest_plane(told, area) or suggest_plane(told, area, among=(System.WEB_MERCATOR,))
    return Guess(planes[0], "数字是平面坐标，按这个坐标系落在本市") if planes else None
