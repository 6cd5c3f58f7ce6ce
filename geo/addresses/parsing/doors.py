"""What a number with or without a sign means for the address so far: a door, a range, a list, a room, several run together."""

from __future__ import annotations

import re
from typing import Final

from geo.addresses.parsing.collection import LANE, Collection
from geo.addresses.parsing.numbers import FLOORS, GAP, elements_of, ends_of, halves, parity_of, split_run, suffix_of
from geo.addresses.parsing.parts import LEVELS
from geo.addresses.parsing.writing import name_of, number_of

NUMBER: Final = LEVELS["number"]
BASES: Final = frozenset(("road", "estate", "village", "hamlet", "place", "committee", "zone"))
_FLOOR: Final = LEVELS["floor"]
_ROOM: Final = LEVELS["room"]
_BEFORE_NUMBER: Final = frozenset(
    LEVELS[kind] for kind in ("road", "estate", "block", "lane", "sub_lane", "village", "hamlet")
)
_ABOVE_ROOM: Final = frozenset(("number", "building", "unit", "floor"))
_LARGEST_SUFFIX: Final = 20
"""A second number that is smaller than the first is what hangs on it up to here (45-2号), else a range written backwards."""


def read_number(kind: str, atom: re.Match[str], found: Collection) -> None:
    """Add what an atom of ``numbers.ATOM`` of this kind says, to the address so far or to the next."""
    if kind == "part":
        if atom[0] != GAP:
            found.ignore("punctuation", *atom.span())
        found.parted = True
        return
    if kind == "dots":
        found.ignore("punctuation", *atom.span())
        return
    num = atom["num"]
    if num is None:
        _word(atom[0], *atom.span(), found)
    elif num.isalnum() and (num.isascii() or not num[0].isdigit()):
        _single(kind, num, atom, found)
    else:
        _several(kind, atom, found)
    found.parted = False


def _word(word: str, start: int, end: int, found: Collection) -> None:
    floor = FLOORS.get(word)
    if floor is None:
        found.put("room", word, start, end)
    else:
        found.put("floor", floor, start, end)


def _single(kind: str, num: str, atom: re.Match[str], found: Collection) -> None:
    """Read one number without dashes or commas."""
    start, end = atom.span()
    if kind == "bare":
        _bare(number_of(num), start, end, found)
    elif kind == "number":
        _house(number_of(num), "", atom, start, end, found)
    elif kind in ("unit", "room") and atom["sign"][0] == "号" and found.values.keys().isdisjoint(_ABOVE_ROOM):
        # 3号门, 33号房 and 5号铺 of a lane or a road are its numbers 3, 33 and 5.
        found.put("number", number_of(num), start, end)
    elif kind == "lane" and found.last == LANE and not found.parted and found.values.get("lane") != number_of(num):
        # 100弄20弄 is a lane within a lane.
        found.put("sub_lane", number_of(num), start, end)
    elif kind == "floor" and num.isalpha() and num.isascii():
        # A楼 is a building, B1层 a floor.
        found.put("building", number_of(num), start, end)
    elif kind == "floor" and len(num) > 2 and num.isdecimal():
        _run_together(num, start, end, found)
    else:
        found.put(kind, _said(kind, number_of(num), atom), start, end)


def _house(value: str, upto: str, atom: re.Match[str], start: int, end: int, found: Collection) -> None:
    """Read a house number with what hangs on it."""
    values = found.values
    if not upto and found.last >= _FLOOR and "number" in values and "room" not in values and not found.parted:
        # 3楼12号 is a room of that floor.
        found.put("room", value, start, end)
        return
    suffix, parity = suffix_of(atom), parity_of(atom)
    if not suffix and start and found.body[start - 1] == "临":
        suffix, start = "临", start - 1
    if upto:
        value, upto, suffix = _range(value, upto, suffix, found)
    if "number" in values:
        if (values["number"], values.get("upto", ""), values.get("suffix", "")) == (value, upto, suffix):
            found.repeat(start, end, NUMBER)
            return
        found.next_address(NUMBER)
    _put_house(value, upto, suffix, parity, (start, _hung(atom, start, end), end), found)


def _hung(atom: re.Match[str], start: int, end: int) -> int:
    """Return where what hangs on a house number begins, such as 甲 of 5号甲; ``end`` when nothing stands behind 号."""
    behind = atom.start("tail") if atom["tail"] else atom.start("parity") if atom["parity"] else end
    return behind if atom["house"] and start < behind and end == atom.end() else end


def _put_house(value: str, upto: str, suffix: str, parity: str, span: tuple[int, int, int], found: Collection) -> None:
    start, hung, end = span
    found.put("number", value, start, hung)
    if upto:
        found.attach("upto", upto, end, end)
    if suffix:
        found.attach("suffix", suffix, hung, end)
        hung = end
    if parity:
        found.attach("parity", parity, hung, end)


def _range(low: str, high: str, suffix: str, found: Collection) -> tuple[str, str, str]:
    """Return number, upto and suffix of 4-77 (a range), 45-2 (what hangs on 45) and 120-100 (a range backwards)."""
    if not (low.isdecimal() and high.isdecimal()):
        return low, "", suffix or f"-{high}"
    if int(low) < int(high):
        return low, high, suffix
    if int(high) <= _LARGEST_SUFFIX or low == high:
        found.note("range_or_suffix")
        if low != high:
            found.instead("range_backwards", number=high, upto=low, suffix="")
        return low, "", suffix or f"-{high}"
    found.note("range_backwards")
    found.instead("range_or_suffix", number=low, suffix=f"-{high}", upto="")
    return high, low, suffix


def _bare(value: str, start: int, end: int, found: Collection) -> None:
    """Read a number without a sign by where it stands: after a road or lane a house, after a house a room."""
    values = found.values
    if found.last in _BEFORE_NUMBER and not values.keys().isdisjoint(BASES):
        if values.get("number") == value:
            found.repeat(start, end, NUMBER)
            return
        if "number" in values:
            found.next_address(NUMBER)
        found.note("sign_missing")
        found.put("number", value, start, end)
    elif values.keys().isdisjoint(_ABOVE_ROOM):
        _unread(start, end, found)
    elif values.get("room") == value or (values.get("number") == value and found.last == NUMBER):
        found.repeat(start, end, found.last)
    elif "room" not in values or (found.parted and found.last == _ROOM):
        if "floor" not in values:
            found.note("sign_missing")
        found.put("room", value, start, end)
    else:
        _unread(start, end, found)


def _unread(start: int, end: int, found: Collection) -> None:
    found.ignore("unread", start, end)
    found.note("unread")


def _run_together(num: str, start: int, end: int, found: Collection) -> None:
    """Read 3401层 after 34号 as floor 01, and 040412层 as 04 twice and floor 12: fields that were joined without signs."""
    floor, at = split_run(num, start, found.body, end)
    rest = num[: at - start]
    found.note("run_together")
    values = found.values
    if rest and number_of(rest) in (values.get("number"), values.get("building")):
        found.repeat(start, at, found.last)
    elif half := halves(rest):
        middle = start + len(half)
        found.put("building", number_of(half), start, middle)
        found.put("unit", number_of(half), middle, at)
    elif rest:
        _bare(number_of(rest), start, at, found)
    found.put("floor", number_of(floor), at, end)


def _several(kind: str, atom: re.Match[str], found: Collection) -> None:
    """Read ranges and lists: 4-77号, 12、14号, 101-105室, 5-601, 3-2-401室."""
    at = atom.start("num")
    listed = elements_of(atom["num"])
    for index, element in enumerate(listed):
        end = at + len(element)
        last = index == len(listed) - 1
        begin, finish = (at if index else atom.start()), (atom.end() if last else end)
        _element(kind, ends_of(element), atom, begin, finish, found)
        if not last:
            found.ignore("punctuation", end, end + 1)
            found.parted = True
        at = end + 1


def _element(kind: str, ends: list[str], atom: re.Match[str], start: int, end: int, found: Collection) -> None:
    if kind == "bare" and len(ends) == 1:
        _bare(ends[0], start, end, found)
    elif kind in ("bare", "room") and len(ends) > 1:
        _joined(kind, ends, start, end, found)
    elif kind == "number":
        _house(ends[0], ends[-1] if len(ends) > 1 else "", atom, start, end, found)
    elif kind == "lane" and len(ends) > 1:
        _lanes(ends[0], ends[-1], start, end, found)
    else:
        found.put(kind, _said(kind, "-".join(ends), atom), start, end)


def _said(kind: str, number: str, atom: re.Match[str]) -> str:
    """Return the value of a number: 100甲 of a lane, and for a part of an estate its name, 三街坊 or A区."""
    return name_of(f"{number}{atom['sign']}") if kind == "block" else f"{number}{atom['lettered'] or ''}"


def _lanes(low: str, high: str, start: int, end: int, found: Collection) -> None:
    if low.isdecimal() and high.isdecimal() and int(low) > int(high):
        found.note("range_backwards")
        low, high = high, low
    found.put("lane", low, start, end)
    found.attach("lane_upto", high, end, end)


def _joined(kind: str, ends: list[str], start: int, end: int, found: Collection) -> None:
    """Read 5-601 as number and room, 5-2-401 as number, unit and room, 101-105室 as rooms, and 4-77 without a sign as a range."""
    kinds = _joined_kinds(kind, ends, found)
    if kinds == ("room",):
        if all(number.isdecimal() for number in ends) and len(ends[0]) == len(ends[-1]) and ends[0] > ends[-1]:
            found.note("range_backwards")
            ends = ends[::-1]
        found.put("room", "-".join(ends), start, end)
    elif kinds == ("number",):
        value, upto, suffix = _range(ends[0], ends[-1], "", found)
        found.note("sign_missing")
        if "number" in found.values:
            found.next_address(NUMBER)
        _put_house(value, upto, suffix, "", (start, end, end), found)
    else:
        found.note("range_or_room")
        at = start
        for index, (name, value) in enumerate(zip(kinds, ends, strict=False)):
            finish = end if index == len(kinds) - 1 else _after_dash(at, found.body)
            found.put(name, value, at, finish)
            at = finish


def _after_dash(at: int, body: str) -> int:
    at = body.index("-", at)
    while body[at] == "-":
        at += 1
    return at


def _joined_kinds(kind: str, ends: list[str], found: Collection) -> tuple[str, ...]:
    """Return what the numbers that dashes join stand for."""
    values = found.values
    numbered = "number" in values or "building" in values
    if len(ends) >= 3:
        return ("building", "unit", "room") if "number" in values else ("number", "unit", "room")
    first, second = ends[0], ends[1]
    if kind == "room" and len(first) == len(second) > 1:
        return ("room",)
    if numbered:
        return ("unit", "room") if len(first) <= 2 < len(second) else ("room",)
    roomy = len(second) >= 3 and len(first) < len(second) and ("lane" in values or not _is_range(first, second))
    return ("number", "room") if kind == "room" or roomy else ("number",)


def _is_range(first: str, second: str) -> bool:
    """Say whether 12-350 on a road looks like a range of numbers rather than a room: its last two digits are no room's."""
    if not (first.isdecimal() and second.isdecimal()):
        return False
    return len(second) == 3 and not 1 <= int(second[-2:]) <= 12
