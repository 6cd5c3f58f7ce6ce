"""One edition asked: the order of its steps, doubt that is kept, and every answer held against a reading of all rows one by one."""

from __future__ import annotations

import shapely
from hypothesis import given
from hypothesis import strategies as st

from services.catchments.book import Area, Book, Goal, Home, Line, Site
from services.catchments.doors import Door, Rule, Span, Stretch
from services.catchments.entries import MODES, Mode

STEPS: tuple[Mode, ...] = ("override", "address", "community", "committee", "area", "nearest", "open")
ROAD = "武夷路"
SQUARES = [shapely.box(x, 0, x + 100, 100) for x in (0, 100, 200)]


def site(number: int) -> Goal:
    return ("site", number)


def by_door(line: int, to: int, *, mode: Mode = "address", low: int = 1, high: int = 9) -> Line:
    return Line(line, mode, site(to), rule=Rule(str(to), (Stretch(ROAD, Span(low, high)),)))


BOOK = Book(
    STEPS,
    [
        by_door(1, 10, mode="override", low=3, high=3),
        by_door(2, 20),
        Line(3, "community", site(30), street=1, committee=11, community="春光坊"),
        Line(4, "committee", site(40), street=1, committee=11),
        Line(5, "committee", site(41), street=1),
        Line(6, "open", ("choice", "public"), street=1),
    ],
    [Area(7, "甲片区", 50, SQUARES[0]), Area(8, "乙片区", 51, SQUARES[1])],
    [Site(60, 2, (0.0, 0.0)), Site(61, 2, (500.0, 0.0))],
)


def test_the_sharpest_step_that_finds_something_decides() -> None:
    everywhere = Home(Door(ROAD, None, 3), 1, 11, "春光坊", (50.0, 50.0))
    assert BOOK.match(everywhere).goals == (site(10),)
    assert BOOK.match(Home(Door(ROAD, None, 4), 1, 11, "春光坊", (50.0, 50.0))).goals == (site(20),)
    assert BOOK.match(Home(Door(ROAD, None, 40), 1, 11, "春光坊", (50.0, 50.0))).goals == (site(30),)
    assert BOOK.match(Home(Door(ROAD, None, 40), 1, 11, "", (50.0, 50.0))).goals == (site(40),)
    assert BOOK.match(Home(Door(ROAD, None, 40), 1, 12, "", (50.0, 50.0))).goals == (site(41),)
    assert BOOK.match(Home(Door(ROAD, None, 40), 2, 21, "", (150.0, 50.0))).goals == (site(51),)
    assert BOOK.match(Home(Door(ROAD, None, 40), 2, 21, "", (450.0, 500.0))).goals == (site(61),)
    nowhere = BOOK.match(Home(Door("和田路", None, 1), 3, 31, "", (900.0, 900.0)))
    assert (nowhere.found, nowhere.decided, len(nowhere.path)) == ("none", None, len(STEPS))


def test_a_step_without_the_road_is_told_by_its_name() -> None:
    book = Book(("override", "address"), [by_door(1, 10, mode="override", low=3, high=3), by_door(2, 20)])
    elsewhere = book.match(Home(Door("和田路", None, 1)))
    assert [taken.said for taken in elsewhere.path] == [
        ("“单列地址”的规则没有写到“和田路”。",),
        ("“详细地址及单双号”的规则没有写到“和田路”。",),
    ]


def test_what_may_still_apply_is_told_instead_of_a_sure_answer() -> None:
    road_only = BOOK.match(Home(Door(ROAD), 1, 11, "春光坊", (50.0, 50.0)))
    assert road_only.found == "unclear"
    assert (road_only.goals, set(road_only.possible)) == ((site(30),), {site(10), site(20)})
    no_community = BOOK.match(Home(Door(ROAD, None, 40), 1, 11, None, (50.0, 50.0)))
    assert (no_community.found, no_community.goals, no_community.possible) == ("unclear", (site(40),), (site(30),))
    no_committee = BOOK.match(Home(Door(ROAD, None, 40), 1, None, "", (50.0, 50.0)))
    assert (no_committee.found, no_committee.possible) == ("unclear", (site(40),))


def test_a_position_that_is_not_sharp_enough_near_a_border_is_not_sure() -> None:
    book = Book(("area",), [], [Area(7, "甲片区", 50, SQUARES[0]), Area(8, "乙片区", 51, SQUARES[1])])
    assert book.match(Home(point=(95.0, 50.0))).found == "one"
    near = book.match(Home(point=(95.0, 50.0), reach_m=20.0))
    assert (near.found, near.goals, set(near.possible)) == ("unclear", (site(50),), {site(50), site(51)})
    assert "只准到 20 米" in near.path[-1].said[-1]
    assert book.match(Home(point=(50.0, 50.0), reach_m=20.0)).found == "one"


NUMBERS = st.integers(1, 4)
REGIONS = st.none() | st.integers(1, 2)
GOALS = st.integers(1, 3).map(site) | st.sampled_from([("choice", "public"), ("choice", "private")])


@st.composite
def lines(draw: st.DrawFn) -> list[Line]:
    """Draw rows of every mode over two streets, two committees and one road."""
    found = []
    for at in range(draw(st.integers(0, 8))):
        mode = draw(st.sampled_from(["override", "address", "community", "committee", "open"]))
        low = draw(NUMBERS)
        rule = Rule(str(at), (Stretch(ROAD, Span(low, draw(st.integers(low, 5)))),)) if mode in STEPS[:2] else None
        named = draw(st.sampled_from(["春光坊", "和平里"])) if mode == "community" else ""
        street = None if rule else draw(st.integers(1, 2)) if mode == "committee" else draw(REGIONS)
        found.append(Line(at, mode, draw(GOALS), street, None if rule else draw(REGIONS), named, rule))
    return found


@st.composite
def homes(draw: st.DrawFn) -> Home:
    """Draw a home of which some things are not known."""
    door = draw(st.none() | st.builds(Door, st.just(ROAD), st.none(), st.none() | NUMBERS))
    return Home(door, draw(REGIONS), draw(REGIONS), draw(st.sampled_from([None, "", "春光坊", "和平里"])))


def possible_homes(home: Home) -> list[Home]:
    """Return every full home that the known things leave open."""
    doors = [home.door] if home.door is None or home.door.number else [Door(ROAD, None, at) for at in range(1, 7)]
    return [
        Home(door, street, committee, community)
        for door in doors
        for street in ([home.street] if home.street else [1, 2, 3])
        for committee in ([home.committee] if home.committee else [1, 2, 3])
        for community in ([home.community] if home.community is not None else ["", "春光坊", "和平里"])
    ]


def plainly(steps: list[Mode], rows: list[Line], home: Home) -> set[Goal]:
    """Return the goals of a home of which everything is known, by reading all rows step by step."""
    for mode in steps:
        held = [row for row in rows if row.mode == mode and _holds(row, home)]
        if mode == "committee" and any(row.committee for row in held):
            held = [row for row in held if row.committee]
        if held:
            return {row.goal for row in held}
    return set()


def _holds(row: Line, home: Home) -> bool:
    if row.rule:
        span = row.rule.covers[0].span
        return home.door is not None and home.door.number in range(span.low, (span.high or 0) + 1)
    if row.mode == "community" and row.community != home.community:
        return False
    return row.street in (None, home.street) and row.committee in (None, home.committee)


@given(st.permutations(STEPS), lines(), homes())
def test_a_sure_answer_holds_whatever_the_unknown_turns_out_to_be(
    steps: list[Mode], rows: list[Line], home: Home
) -> None:
    match = Book(steps, rows).match(home)
    every = [plainly(steps, rows, each) for each in possible_homes(home)]
    if match.found in ("one", "several", "none"):
        assert all(goals == set(match.goals) for goals in every)
    assert all(goals <= {*match.goals, *match.possible} for goals in every)


def test_every_mode_has_a_word_and_a_step() -> None:
    assert set(STEPS) == set(MODES)
