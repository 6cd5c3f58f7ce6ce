"""The grammar of [市][区][街镇] 路 弄 支弄 号 幢 单元 层 室, helped by the names of regions and roads that are known.

Which part of a run of Chinese characters is the road cannot be told by its look alone (四川北路 is no province, 浦东南路 no
district), so the longest known road name that ends the run wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from geo.addresses.parsing.writing import NUMERALS, clean, number_of

_HAN: Final = r"\u4e00-\u9fff"
_NUMBER: Final = rf"(?:\d+|[{NUMERALS}]+)"
_ROAD_ENDING: Final = r"(?:大道|公路|马路|路|街|道|弄|巷|径|里|线)"
_ROAD: Final = re.compile(
    rf"(?P<road>[{_HAN}][{_HAN}A-Za-z]{{0,24}}?{_ROAD_ENDING})(?=(?:{_NUMBER})(?:弄|支弄|号|-\d|[甲乙丙丁]号|[A-Za-z]号|之)|\d|$)"
)
_ANY_ROAD: Final = re.compile(rf"[{_HAN}][{_HAN}A-Za-z]{{0,14}}?(?:大道|公路|路|街)")
_DOORS: Final = re.compile(
    rf"""
    (?:(?P<lane>{_NUMBER})弄)?
    (?:(?P<sub_lane>{_NUMBER})(?:支弄|弄))?
    (?:
        (?P<number>{_NUMBER})
        (?:-(?P<upto>\d+)(?=号|$))?
        (?:(?P<before>[甲乙丙丁A-Za-z])(?=号))?
        (?:号(?!楼)|$|(?=[之]))
        (?P<suffix>之{_NUMBER}|[甲乙丙丁](?!{_ROAD_ENDING})|-\d+)?
    )?
    (?:(?P<building>{_NUMBER}|[A-Za-z]\d*)(?:幢|号楼|栋|座|号楼))?
    (?:(?P<unit>{_NUMBER}|[A-Za-z甲乙丙丁])(?:单元|门))?
    (?:(?P<floor>-?{_NUMBER})(?:层|楼))?
    (?:(?P<room>\d+[A-Za-z]?)(?:室|(?=$)))?
    """,
    re.VERBOSE,
)
_VILLAGE: Final = re.compile(rf"(?P<village>[{_HAN}]{{1,10}}?村)(?P<group>{_NUMBER})(?:组|队)(?P<number>{_NUMBER})号")
_BRACKETS: Final = re.compile(r"[(\[【（<《].*?[)\]】）>》]|[(\[【（<《].*$")
_CITY: Final = re.compile(r"^(?:中国)?上海市")
_ABOVE_ROAD: Final = re.compile(r".*[镇乡村]")


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one address; what is not said is ``""``. ``place`` is a name that is no road: a community, a village, a site.

    ``district`` and ``street`` are names as the gazetteer knows them; ``upto`` ends a range of numbers such as 4-77号.
    """

    text: str = ""
    district: str = ""
    street: str = ""
    road: str = ""
    lane: str = ""
    sub_lane: str = ""
    number: str = ""
    suffix: str = ""
    upto: str = ""
    building: str = ""
    unit: str = ""
    floor: str = ""
    room: str = ""
    place: str = ""
    known_road: bool = False

    @property
    def is_empty(self) -> bool:
        """Say whether nothing was understood."""
        return not (self.district or self.street or self.road or self.place)


@dataclass(frozen=True)
class Gazetteer:
    """Names that are known: ``districts`` and ``streets`` from what people write to the name of today, and ``roads``."""

    districts: Mapping[str, str] = field(default_factory=dict)
    streets: Mapping[str, str] = field(default_factory=dict)
    roads: frozenset[str] = frozenset()

    @cached_property
    def longest_road(self) -> int:
        """Return the length of the longest road name."""
        return max((len(name) for name in self.roads), default=0)

    def known_ending(self, run: str) -> str:
        """Return the longest known road name that ``run`` ends with, or ``""``."""
        for length in range(min(len(run), self.longest_road), 1, -1):
            if run[-length:] in self.roads:
                return run[-length:]
        return ""

    def known_beginning(self, run: str) -> str:
        """Return the longest known road name that ``run`` begins with, or ``""``."""
        for length in range(min(len(run), self.longest_road), 1, -1):
            if run[:length] in self.roads:
                return run[:length]
        return ""


FORMER_DISTRICTS: Final = {
    "闸北区": "静安区",
    "卢湾区": "黄浦区",
    "南市区": "黄浦区",
    "南汇区": "浦东新区",
    "崇明县": "崇明区",
}
"""Districts merged or renamed since 2000, still written by many."""

NO_NAMES: Final = Gazetteer()


def parse(text: str, gazetteer: Gazetteer = NO_NAMES) -> Parts:
    """Return the parts of one address. Never raises: what cannot be read is left in ``place``."""
    body = _BRACKETS.sub("", clean(text))
    district, street, body = _strip_regions(body, gazetteer)
    parts = _read(body, gazetteer)
    if not district and parts.road:
        district, place = _strip_short_district(parts.place, gazetteer)
        parts = replace(parts, place=place)
    return replace(parts, text=text, district=district, street=street)


def split_addresses(text: str) -> list[str]:
    """Return the several addresses of one field; a part that is only a number belongs to the road before it."""
    found: list[str] = []
    road = ""
    for piece in re.split(r"[;；、,，/]|(?<=号)(?:和|及)", text):
        piece = piece.strip()
        if not piece:
            continue
        if re.match(rf"{_NUMBER}(?:弄|号|支弄)", clean(piece)) and road:
            piece = road + piece
        match = _ROAD.search(clean(piece))
        road = clean(piece)[: match.end()] if match else road
        found.append(piece)
    return found


def _strip_regions(body: str, gazetteer: Gazetteer) -> tuple[str, str, str]:
    """Take city, district and street off the front, in this order, any of them missing."""
    body = _CITY.sub("", body)
    districts = {**gazetteer.districts, **FORMER_DISTRICTS}
    district, rest = _strip_name(body.removeprefix("上海"), districts, gazetteer)
    body = rest if district else body
    street, body = _strip_name(body, gazetteer.streets, gazetteer)
    return district, street, body


def _strip_name(body: str, names: Mapping[str, str], gazetteer: Gazetteer) -> tuple[str, str]:
    for length in range(min(len(body), 12), 1, -1):
        written = body[:length]
        # A road such as 镇宁路 or 新区大道 may begin with the letters of a region.
        if written in names and not gazetteer.known_beginning(body)[length:]:
            return names[written], body[length:]
    return "", body


def _strip_short_district(lead: str, gazetteer: Gazetteer) -> tuple[str, str]:
    """Return the district named at the front of what stands before a road, with or without its 区, and the rest."""
    for written, name in gazetteer.districts.items():
        short = written.removesuffix("新区").removesuffix("区")
        for form in (written, short):
            if len(form) >= 2 and lead.startswith(form):
                return name, lead[len(form) :]
    return "", lead


def _read(body: str, gazetteer: Gazetteer) -> Parts:
    village = _VILLAGE.search(body)
    if village and not _ROAD.search(body):
        return Parts(
            road=f"{body[: village.start()]}{village['village']}{number_of(village['group'])}组",
            number=number_of(village["number"]),
        )
    match = _road_match(body, gazetteer)
    if match is None:
        return _without_road(body, gazetteer)
    start, road, known = match
    lead, rest = body[:start], body[start + len(road) :]
    return _doors(Parts(road=road, known_road=known, place=lead), rest)


def _road_match(body: str, gazetteer: Gazetteer) -> tuple[int, str, bool] | None:
    """Return where the road begins, its name, and whether it is known. The first known one wins, else the first that looks so."""
    first: tuple[int, str, bool] | None = None
    for match in _ROAD.finditer(body):
        run = match["road"]
        known = gazetteer.known_ending(run)
        if known:
            return match.end() - len(known), known, True
        above = _ABOVE_ROAD.match(run[:-3])
        shift = above.end() if above else 0
        first = first or (match.start() + shift, run[shift:], False)
    for match in _ANY_ROAD.finditer(body):
        known = gazetteer.known_ending(match[0])
        if known:
            return match.end() - len(known), known, True
    beginning = gazetteer.known_beginning(body)
    return first or ((0, beginning, True) if beginning else None)


def _without_road(body: str, gazetteer: Gazetteer) -> Parts:
    """Read 国定小区12号601室: a place, perhaps with doors of its own."""
    match = re.match(rf"(?P<place>[{_HAN}A-Za-z·]+?(?:\d+村)?)(?=\d|$)", body)
    if not match:
        return Parts(place=body)
    return _doors(Parts(place=match["place"]), body[match.end() :])


def _doors(parts: Parts, rest: str) -> Parts:
    match = _DOORS.match(rest)
    if match is None:
        return replace(parts, place=parts.place or rest)
    said = {key: number_of(value) for key, value in match.groupdict(default="").items()}
    number, upto, suffix = said["number"], said["upto"], said["suffix"]
    if upto and int(upto) <= int(number):
        # 45-2号 is a door beside number 45; 4-77号 is a range.
        suffix, upto = f"-{upto}", ""
    suffix = suffix or said["before"].upper()
    if suffix.startswith("之"):
        suffix = "之" + number_of(suffix[1:])
    tail = rest[match.end() :].lstrip(",，、-/ ")
    place = parts.place or _tail_place(tail)
    return replace(
        parts,
        lane=said["lane"],
        sub_lane=said["sub_lane"],
        number=number,
        suffix=suffix,
        upto=upto,
        building=said["building"].upper(),
        unit=said["unit"].upper(),
        floor=said["floor"],
        room=said["room"].upper(),
        place=place,
    )


def _tail_place(tail: str) -> str:
    """Return the name that follows the doors, such as the building's or the community's."""
    match = re.match(rf"[{_HAN}A-Za-z·]{{2,30}}", tail)
    return match[0] if match else ""


def roads_of(names: Iterable[str]) -> frozenset[str]:
    """Return road names in the form ``parse`` compares: cleaned, two characters at least."""
    return frozenset(name for name in (clean(name) for name in names) if len(name) >= 2)
