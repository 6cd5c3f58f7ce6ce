"""From parts to text: the canonical address, its short form, and the normal form that equal addresses share."""

from __future__ import annotations

from typing import Final

from geo.addresses.parsing.parts import Parts

LONGEST: Final = 200
"""Characters of the longest normal form; a field beyond them is hardly one address."""


def normal_form(parts: Parts) -> str:
    """Return the form that equal addresses share, from the road down; a lane's own form is the beginning of its doors' forms.

    Regions are left out: they are renamed and merged, and most people leave them out too. An address without a road begins
    with its village and group, its estate or its place.
    """
    form = parts.base
    if parts.lane:
        form += f"{parts.lane}弄"
    if parts.sub_lane:
        form += f"{parts.sub_lane}支弄"
    if parts.number:
        form += f"{parts.number}号{_apart(parts)}"
    if parts.building:
        form += f"{parts.building}幢"
    if parts.unit:
        form += f"{parts.unit}单元"
    if parts.floor:
        form += f"{parts.floor}层"
    if parts.room:
        form += f"{parts.room}室"
    return form[:LONGEST]


def short_text(parts: Parts) -> str:
    """Return the address as people write it: without regions, with ranges and sides, the floor left out before a room."""
    return f"{_base(parts)}{_doors(parts, floor=not parts.room)}"


def full_text(parts: Parts, *, city: str = "上海市") -> str:
    """Return the canonical text: city, district, street, then everything the parts hold; reading it gives the same parts."""
    above = "".join((parts.city or city, parts.district, parts.street, parts.zone, parts.committee))
    return f"{above}{_base(parts)}{_doors(parts, floor=True)}"


def _base(parts: Parts) -> str:
    group = f"{parts.group}组" if parts.group else ""
    village = f"{parts.village}{parts.hamlet}{group}"
    beside = f"{parts.along}{parts.road}{parts.section}{village}"
    estate = f"{parts.estate}{parts.block}"
    if parts.road and parts.estate and (parts.lane or parts.number):
        return beside
    return f"{beside}{estate}{'' if parts.road else parts.place}"


def _apart(parts: Parts) -> str:
    """Return what hangs on the number, kept apart from digits that follow: 1号之2,101室 is not 1号之2101室."""
    below = parts.building or parts.unit or parts.floor or parts.room
    return f"{parts.suffix}," if parts.suffix and parts.suffix[-1].isascii() and below else parts.suffix


def _doors(parts: Parts, *, floor: bool) -> str:
    lane = f"{parts.lane}-{parts.lane_upto}弄" if parts.lane_upto else f"{parts.lane}弄" if parts.lane else ""
    sub_lane = f"{parts.sub_lane}支弄" if parts.sub_lane else ""
    upto = f"-{parts.upto}" if parts.upto else ""
    side = {"odd": "单", "even": "双"}.get(parts.parity, "")
    # A side alone is written 单号; beside a suffix it follows.
    number = f"{parts.number}{upto}{side if not parts.suffix else ''}号{_apart(parts)}" if parts.number else ""
    building = f"{parts.building}幢" if parts.building else ""
    unit = f"{parts.unit}单元" if parts.unit else ""
    level = f"{parts.floor}层" if parts.floor and floor else ""
    room = f"{parts.room}室" if parts.room else ""
    estate = f"{parts.estate}{parts.block}" if parts.road and parts.estate and (parts.lane or parts.number) else ""
    place = parts.place if parts.road else ""
    return f"{lane}{sub_lane}{number}{building}{unit}{level}{room}{estate}{place}"
