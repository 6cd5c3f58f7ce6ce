"""Addresses of the tiny city with the answer they must get, taken from what the districts of the generator wrote, not from matching."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from fixtures.city import InventedCity, generate
from fixtures.city.catchments import CatchmentRule, InventedEdition, editions_of

DISTRICT = "310101"


class Truth(NamedTuple):
    """An address and the names of the kindergartens its rules name."""

    address: str
    names: tuple[str, ...] = ()


@cache
def city() -> InventedCity:
    """Return the tiny city."""
    return generate("tiny")


@cache
def edition(year: int = 2027, entry: str = "local") -> InventedEdition:
    """Return the published edition of the first district."""
    return next(
        one
        for one in editions_of(city())
        if (one.district, one.year, one.entry, one.number) == (DISTRICT, year, entry, 1)
    )


def one() -> Truth:
    """Return a door of a lane whose whole road goes to one kindergarten."""
    rule = next(rule for rule in _address_rules() if rule.written.endswith("全路") and _lanes(_road(rule)))
    road = _road(rule)
    return Truth(f"黄浦区{road}{_lanes(road)[0]}弄1号", (_name(rule),))


def several() -> Truth:
    """Return a door of a lane that two kindergartens share."""
    shared = [rule for rule in _address_rules() if rule.note == "两所对口，由区里统筹"]
    text = shared[0].written
    names = tuple(_name(rule) for rule in shared if rule.written == text)
    return Truth(f"黄浦区{text.removesuffix('全弄')}1号", names)


def none() -> Truth:
    """Return a door of a lane that its road leaves out and no other rule names."""
    for rule in _address_rules():
        for lane in re.findall(r"(\d+)弄", rule.written.partition("，除")[2]):
            place = f"{_road(rule)}{lane}弄"
            if not any(other.written.startswith(place) for other in _address_rules()):
                return Truth(f"黄浦区{place}1号")
    raise AssertionError("no lane is left out: the test would prove nothing")


def unclear() -> Truth:
    """Return a lane without a number, of which one half goes elsewhere than the other."""
    halves = [rule for rule in _address_rules() if rule.note == "弄内分两所"]
    lane = halves[0].written[: halves[0].written.index("弄") + 1]
    return Truth(f"黄浦区{lane}", tuple(_name(rule) for rule in halves if rule.written.startswith(lane)))


UNKNOWN = Truth("没有这条路8号")


def _address_rules() -> list[CatchmentRule]:
    return [rule for rule in edition().rules if rule.mode == "address"]


def _road(rule: CatchmentRule) -> str:
    found = re.match(r"\D+?路", rule.written)
    assert found is not None
    return found[0]


def _lanes(road: str) -> list[str]:
    table = city().addresses
    single = {rule.written.partition("弄")[0] for rule in edition().rules if rule.mode == "override"}
    return [
        table.lane[k]
        for k in range(len(table))
        if table.road[k] == road and table.lane[k] and table.committee_code[k].startswith(DISTRICT)
        and f"{road}{table.lane[k]}" not in single
    ]  # fmt: skip


def _name(rule: CatchmentRule) -> str:
    return next(record.name for record in city().facilities if record.ext_id == rule.target)
