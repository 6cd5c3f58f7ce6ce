"""Reads a folded text from left to right, names and numbers in turn, and decides what each name is to the address so far."""

from __future__ import annotations

import re
from typing import Final

from geo.addresses.parsing.collection import LANE, Collection, Opening
from geo.addresses.parsing.doors import BASES, NUMBER, read_number
from geo.addresses.parsing.knowledge import Gazetteer
from geo.addresses.parsing.names import read_names
from geo.addresses.parsing.numbers import ATOM, kind_of
from geo.addresses.parsing.parts import LEVELS, Token
from geo.addresses.parsing.runs import Piece, Run
from geo.addresses.parsing.writing import name_of

_REGIONS: Final = frozenset(("city", "district", "street", "zone", "committee", "section", "block"))
_NOT_NUMBERS: Final = frozenset(("part", "dots"))
_DEEP: Final = frozenset(("building", "unit", "floor", "room", "group", "block", "bare"))
"""Numbers that say more of a house whose number is known; a name before them does not begin another address."""
_WEAK: Final = frozenset(("unit", "floor", "building", "block"))
_ABOVE: Final = frozenset(("city", "district", "street"))
_MOST_KEPT: Final = 10_000
_ROAD: Final = LEVELS["road"]
_ABOVE_ROAD: Final = LEVELS["along"]


def assemble(text: str, body: str, gazetteer: Gazetteer) -> Collection:
    """Return everything that a folded text says; places are those of the body."""
    found = Collection(text, body)
    start = 0
    for atom in ATOM.finditer(body):
        kind = kind_of(atom)
        if kind == "name" or _in_name(kind, atom, start, found):
            continue
        if atom.start() > start:
            before = "" if kind in _NOT_NUMBERS else kind
            if start == 0 and before and gazetteer.roads:
                _open(atom.start(), before, found, gazetteer)
            else:
                _names(start, atom.start(), before, found, gazetteer)
        read_number(kind, atom, found)
        start = atom.end()
    if start < len(body):
        _names(start, len(body), "", found, gazetteer)
    found.close()
    return found


def _in_name(kind: str, atom: re.Match[str], start: int, found: Collection) -> bool:
    """Say whether a number is part of a name: 1933老场坊, 五号沟, 三门路, M50."""
    if kind in _NOT_NUMBERS or (atom.start() > start and kind != "bare" and kind not in _WEAK):
        return False
    num = atom["num"] or "1"
    following = found.body[atom.end() : atom.end() + 1]
    if atom.start() == start:
        return found.last < 0 and following.isalpha() and (kind != "number" or not num.isdecimal())
    if kind == "bare":
        before = found.body[atom.start() - 1]
        return before.isascii() and before.isalpha()
    # A numeral with a weak sign counts only after a name that is complete: 三门, 二楼, 一座.
    return not num[0].isascii() and kind in _WEAK and found.last < LANE and following.isalpha() and following != "近"


def _open(end: int, before: str, found: Collection, gazetteer: Gazetteer) -> None:
    """Read the names that a text begins with; those of a known road once, for a list holds every road many times.

    Only names of regions and known roads are kept, nothing else of what people write.
    """
    key = found.body[:end], before
    known = gazetteer.openings.get(key)
    if known is not None:
        found.begin(known)
        return
    _names(0, end, before, found, gazetteer)
    opening = found.opening()
    if opening is not None and _is_public(opening, gazetteer):
        if len(gazetteer.openings) >= _MOST_KEPT:
            gazetteer.openings.clear()
        gazetteer.openings[key] = opening


def _is_public(opening: Opening, gazetteer: Gazetteer) -> bool:
    """Say whether an opening is nothing but regions and a road that the gazetteer knows."""
    tokens = opening.tokens
    return (
        bool(tokens) and tokens[-1].value in gazetteer.roads and _ABOVE.issuperset(token.kind for token in tokens[:-1])
    )


def _names(start: int, end: int, before: str, found: Collection, gazetteer: Gazetteer) -> None:
    names = read_names(found.body[start:end], before, gazetteer, fresh=found.last < 0)
    for piece in names.ignored:
        found.ignore(piece.kind, start + piece.start, start + piece.end)
    for note in names.notes:
        found.note(note)
    last = len(names.pieces) - 1
    for index, piece in enumerate(names.pieces):
        _name(piece, start, before if index == last else "", names, found)
    for why, said in names.instead:
        found.instead(why, **{kind: name_of(value) for kind, value in said.items()})
    if before and found.values.keys().isdisjoint(BASES):
        found.note("no_base")


def _name(piece: Piece, offset: int, before: str, names: Run, found: Collection) -> None:
    kind, value = piece.kind, piece.value
    start, end = offset + piece.start, offset + piece.end
    if kind == "road":
        _road(name_of(value), start, end, before, "crossing" in names.notes, found)
    elif kind == "city":
        _city(value, start, end, names, found)
    elif kind in _REGIONS:
        if kind == "district" and found.last >= _ROAD and found.values.get(kind, value) != value:
            found.next_address(0)
        found.settle(kind, name_of(value) if kind == "block" else value, start, end)
        if kind in ("district", "street"):
            _doubt_district(names.gazetteer, found)
    else:
        _estate(kind, name_of(value), start, end, before, found)


def _doubt_district(gazetteer: Gazetteer, found: Collection) -> None:
    """Note a street that is not in the district that was written."""
    district = found.values.get("district")
    above = gazetteer.district_of.get(found.values.get("street", ""), district)
    if district and above != district:
        found.note("district_other")


def _city(value: str, start: int, end: int, names: Run, found: Collection) -> None:
    """Add a city; Shanghai itself is understood, and a province and its city are said together.

    Behind an address 上海 begins another only after a break or before another road: else it is said again, or opens the name
    of a company.
    """
    if found.last >= _ROAD and (value or found.parted or _names_another_road(names, found)):
        found.next_address(0)
    if found.tokens and any(token.kind == "city" and token.value == (value or "上海市") for token in found.tokens):
        found.ignore("repeated", start, end)
        return
    if value:
        found.values["city"] = found.values.get("city", "") + value
        found.last = max(found.last, LEVELS["city"])
    found.tokens.append(Token("city", found.body[start:end], value or "上海市", start, end))


def _names_another_road(names: Run, found: Collection) -> bool:
    road = found.values.get("road")
    return any(piece.kind == "road" and name_of(piece.value) != road for piece in names.pieces)


def _road(value: str, start: int, end: int, before: str, crossing: bool, found: Collection) -> None:
    road = found.values.get("road")
    if road == value:
        found.repeat(start, end, _ROAD)
    elif road is None:
        _new_road(value, start, end, before, found)
    elif before and len(value) > 2 and road.endswith(value):
        # 绿洲兰嵩路360弄…兰嵩路360弄: the repetition tells where the name of the road begins.
        _shorten_road(value, found)
        found.repeat(start, end, _ROAD)
    elif found.last < LANE and (crossing or not (before or found.parted)):
        found.settle("crossing", value, start, end)
    elif found.last < LANE and not found.parted:
        _demote_road(found)
        _new_road(value, start, end, before, found)
    else:
        _new_road(value, start, end, before, found)


def _new_road(value: str, start: int, end: int, before: str, found: Collection) -> None:
    """Add a road: of this address, of the next when this one has doors already, or one that is only mentioned behind them."""
    if ("road" in found.values or found.last >= LANE) and (before or found.parted):
        found.next_address(_ABOVE_ROAD)
    if "road" in found.values:
        found.settle("along", value, start, end)
    else:
        found.put("road", value, start, end)
    if before:
        found.last = _ROAD


def _shorten_road(value: str, found: Collection) -> None:
    for index, token in enumerate(found.tokens):
        if token.kind == "road" and token.end - token.start == len(token.value):
            cut = token.end - len(value)
            lead = Token("place", found.body[token.start : cut], found.body[token.start : cut], token.start, cut)
            found.tokens[index : index + 1] = [lead, Token("road", found.body[cut : token.end], value, cut, token.end)]
            found.values.setdefault("place", lead.value)
            found.values["road"] = value
            return


def _demote_road(found: Collection) -> None:
    """Make the road so far one that is only named beside: the numbers belong to what comes next."""
    road = found.values.pop("road")
    found.values.setdefault("along", road)
    found.tokens = [token._replace(kind="along") if token.kind == "road" else token for token in found.tokens]


def _estate(kind: str, value: str, start: int, end: int, before: str, found: Collection) -> None:
    """Add a village, an estate or a place: what numbers belong to, or a name beside the road."""
    values = found.values
    if values.get(kind) == value:
        found.repeat(start, end, LEVELS[kind] if before and found.last < LANE else found.last)
        return
    owns = bool(before) and before not in _DEEP
    numbered = "number" in values or "building" in values
    if found.last >= NUMBER and ((owns and numbered) or (found.parted and before)):
        found.next_address(_ABOVE_ROAD)
    elif found.last < LANE and before and "road" in values and kind in ("estate", "village"):
        _demote_road(found)
    depth = found.last
    found.settle("place" if kind in found.values else kind, value, start, end)
    if depth >= LANE:
        found.last = depth
