"""Invented streets small enough to ask of every door, and rules over them as plain sets of doors. No code of the house decides here."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from services.catchments.doors import EVERY_ANNEX, Door, Span, Stretch

ROADS = ("和田路", "中山北一路", "武夷路")
ANNEXES = ("", "甲", "附1", "丁")
HIGHEST = 14
LANES = range(1, HIGHEST + 1)
NUMBERS = range(1, HIGHEST + 1)
EVERY_DOOR = frozenset(
    {Door(road, None, number, annex) for road in ROADS for number in NUMBERS for annex in ANNEXES}
    | {Door(road, lane, number, annex) for road in ROADS for lane in LANES for number in NUMBERS for annex in ANNEXES}
)


@dataclass(frozen=True)
class Said:
    """One piece of a rule: what is written, the stretch it means, and the doors it names among all there are."""

    text: str
    stretch: Stretch
    doors: frozenset[Door]


def right(number: int | None, span: Span) -> bool:
    """Say by plain arithmetic whether a number is in a range and on its side of the road."""
    numbers = range(span.low, (span.high or HIGHEST) + 1)
    side = {"": (0, 1), "odd": (1,), "even": (0,)}[span.parity]
    return number in [each for each in numbers if each % 2 in side]


def doors_of(stretch: Stretch) -> frozenset[Door]:
    """Return the doors of a stretch, looked through one by one."""
    found = set()
    for door in EVERY_DOOR:
        annexed = stretch.annex == EVERY_ANNEX or door.annex == stretch.annex
        if door.road != stretch.road:
            continue
        if stretch.lane is not None:
            meant = door.lane == stretch.lane and right(door.number, stretch.span) and annexed
        elif door.lane is not None:
            meant = stretch.counts != "number" and right(door.lane, stretch.span)
        else:
            meant = stretch.counts != "lane" and right(door.number, stretch.span) and annexed
        if meant:
            found.add(door)
    return frozenset(found)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """Draw a range that holds a number at least."""
    low = draw(st.integers(1, 9))
    high = draw(st.none() | st.integers(low, 10))
    if low == high:
        return Span(low, high)
    span = Span(low, high, draw(st.sampled_from(["", "odd", "even"])))
    first = range(low, (high or low + 1) + 1)
    return span if any(map(span.holds, first)) else Span(low, high)


@st.composite
def stretches(draw: st.DrawFn) -> Said:
    """Draw a stretch that can be written."""
    road, lane = draw(st.sampled_from(ROADS)), draw(st.none() | st.integers(1, 6))
    if draw(st.integers(0, 5)) == 0:
        number = draw(st.integers(1, 10))
        stretch = Stretch(road, Span(number, number), "number", lane, draw(st.sampled_from(["甲", "附1"])))
    else:
        counts = "number" if lane is not None else draw(st.sampled_from(["both", "number", "lane"]))
        stretch = Stretch(road, draw(spans()), counts, lane, draw(st.sampled_from([EVERY_ANNEX, EVERY_ANNEX, ""])))
    return Said(stretch.said, stretch, doors_of(stretch))


@dataclass(frozen=True)
class SaidRule:
    """A rule as a district may write it, and the doors it names."""

    text: str
    covers: tuple[Stretch, ...]
    excepts: tuple[Stretch, ...]
    doors: frozenset[Door]


@st.composite
def rules(draw: st.DrawFn) -> SaidRule:
    """Draw a rule of up to four stretches and two exceptions, with the signs that districts mix."""
    covers = draw(st.lists(stretches(), min_size=1, max_size=4))
    excepts = draw(st.lists(stretches(), max_size=2))
    between = st.sampled_from(["、", "，", "；", "。", "\n", ", "])
    text = covers[0].text
    for one in covers[1:]:
        text += draw(between) + one.text
    for one in excepts:
        text += draw(between) + f"除{one.text.replace('（', '').replace('）', '')}外"
    doors = frozenset().union(*(one.doors for one in covers)) - frozenset().union(*(one.doors for one in excepts))
    if draw(st.booleans()):
        text = text.replace("-", draw(st.sampled_from(["—", "～", "至", "－"])))
    return SaidRule(text, tuple(one.stretch for one in covers), tuple(one.stretch for one in excepts), doors)
