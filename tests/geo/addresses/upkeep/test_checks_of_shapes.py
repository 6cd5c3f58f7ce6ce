"""Gaps, overlaps, missing numbers and doors out of order, against the plainest way to find them."""

from __future__ import annotations

from itertools import combinations
from random import Random

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.addresses.models import FindingKind
from geo.addresses.upkeep.audit.boundaries import Area, beyond, check_committees, overlaps
from geo.addresses.upkeep.audit.findings import Tolerances, faults_in
from geo.addresses.upkeep.audit.numbering import (
    Door,
    Row,
    _in_order,
    can_tell,
    check_gaps,
    check_order,
    missing,
    rows_of,
)
from geo.crs import SHANGHAI
from geo.geometry import to_plane

EAST, NORTH = SHANGHAI.plane.forward(np.array([121.47]), np.array([31.22]))
X0, Y0 = float(EAST[0]), float(NORTH[0])
STRICT = Tolerances(area_m2=1.0, width_m=0.01)


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(X0 + west, Y0 + south, X0 + east, Y0 + north)


def area(key: str, *sides: float) -> Area:
    return Area(key, f"甲{key}", box(*sides), 7)


class TestBoundaries:
    #   0      100     200
    #   +---A---+---B---+   B begins 10 m early, C leaves a strip of 20 m at the top
    #   +-------C-------+
    STREET = area("street", 0, 0, 200, 200)
    COMMITTEES = (area("A", 0, 100, 100, 180), area("B", 90, 100, 200, 180), area("C", 0, 0, 200, 100))

    def test_gaps_and_overlaps_have_their_square_metres_and_their_place(self) -> None:
        found = {each.kind: each for each in check_committees(self.STREET, self.COMMITTEES, SHANGHAI, Tolerances())}
        gap, overlap = found[FindingKind.COMMITTEE_GAP], found[FindingKind.COMMITTEE_OVERLAP]
        assert (gap.measure, overlap.measure, len(found)) == (4000.0, 800.0, 2)
        assert gap.message == "甲street有 4,000 平方米不属于任何居委。"
        assert [each["key"] for each in overlap.subjects["areas"]] == ["A", "B"]
        for each, place in ((gap, box(0, 180, 200, 200)), (overlap, box(90, 100, 100, 180))):
            assert to_plane(shapely.Point(each.lon, each.lat), SHANGHAI).within(place)

    def test_what_lies_outside_the_street_is_told(self) -> None:
        outside = area("D", 150, 0, 230, 100)
        found = list(check_committees(self.STREET, [outside], SHANGHAI, Tolerances()))
        assert [(each.kind, each.measure) for each in found] == [
            ("committee_gap", 35_000 - 3_000 + 0.0),
            ("committee_beyond", 3000.0),
        ] or [each.kind for each in found] == ["committee_gap", "committee_beyond"]
        assert found[-1].measure == 3000.0

    def test_a_street_without_committees_is_not_a_gap(self) -> None:
        assert list(check_committees(self.STREET, [], SHANGHAI, Tolerances())) == []

    @pytest.mark.parametrize(
        ("wide", "high", "told"), [(0.9, 200, False), (1.1, 200, True), (9, 9, False), (10.1, 10.1, True)]
    )
    def test_slivers_and_specks_are_the_grain_of_drawing(self, wide: float, high: float, told: bool) -> None:
        assert bool(faults_in(box(0, 0, wide, high), Tolerances())) is told

    def test_communities_beyond_their_committee(self) -> None:
        homes = [area("in", 10, 10, 50, 50), area("out", 80, 10, 120, 50)]
        found = list(beyond(homes, [area("A", 0, 0, 100, 100)] * 2, SHANGHAI, Tolerances()))
        assert [(each.subjects["areas"][0]["key"], each.measure) for each in found] == [("out", 800.0)]
        assert "（50%）" in found[0].message

    @pytest.mark.parametrize("seed", range(12))
    def test_random_boxes_against_a_grid_of_square_metres(self, seed: int) -> None:
        random = Random(seed)
        sides = [sorted(random.sample(range(0, 60), 2)) + sorted(random.sample(range(0, 60), 2)) for _ in range(6)]
        boxes = [area(str(at), x1, y1, x2, y2) for at, (x1, x2, y1, y2) in enumerate(sides)]
        taken = np.zeros((6, 60, 60), dtype=bool)
        for at, (x1, x2, y1, y2) in enumerate(sides):
            taken[at, x1:x2, y1:y2] = True
        found = list(check_committees(area("street", 0, 0, 60, 60), boxes, SHANGHAI, STRICT))
        gap = sum(each.measure for each in found if each.kind == FindingKind.COMMITTEE_GAP)
        assert gap == pytest.approx(float((~taken.any(axis=0)).sum()), abs=1)
        shared = {
            (str(a), str(b)): float((taken[a] & taken[b]).sum())
            for a, b in combinations(range(6), 2)
            if (taken[a] & taken[b]).any()
        }
        told = {
            tuple(one["key"] for one in each.subjects["areas"]): each.measure
            for each in overlaps(boxes, FindingKind.COMMITTEE_OVERLAP, SHANGHAI, STRICT)
        }
        assert told == pytest.approx(shared, abs=0.2)


def door(number: int, east: float = 0.0, north: float = 0.0, **changes: object) -> Door:
    said = {"id": number, "label": f"甲路{number}号", "lon": 121.47, "lat": 31.22, "uncertainty_m": 5.0, "region_id": 7}
    return Door(number=number, east=X0 + east, north=Y0 + north, **{**said, **changes})  # type: ignore[arg-type]


def numbers(*known: int) -> tuple[Door, ...]:
    return tuple(door(number) for number in known)


class TestMissingNumbers:
    @pytest.mark.parametrize(
        ("known", "lane", "told"),
        [
            ((1, 3, 5, 9), False, {"单号": [(7, 7, 1)]}),
            ((1, 2, 3, 4, 9), False, {"单号": [(5, 7, 2)]}),
            ((2, 4, 6, 12, 14, 3), False, {"双号": [(8, 10, 2)]}),
            ((1, 2, 3, 5, 6), True, {"": [(4, 4, 1)]}),
            ((1, 3, 5, 9), True, {"单号": [(7, 7, 1)]}),
            ((5,), False, {}),
        ],
    )
    def test_runs_between_known_ones(
        self, known: tuple[int, ...], lane: bool, told: dict[str, list[tuple[int, int, int]]]
    ) -> None:
        found = {
            row.side: [(one.number + row.step, other.number - row.step, count) for one, other, count in missing(row)]
            for row in rows_of("甲路", numbers(*known), lane=lane)
        }
        assert {side: runs for side, runs in found.items() if runs} == told

    @given(st.sets(st.integers(1, 60), min_size=1), st.booleans())
    @settings(max_examples=200, deadline=None)
    def test_the_runs_are_exactly_the_numbers_nobody_has(self, known: set[int], lane: bool) -> None:
        for row in rows_of("甲路", numbers(*known), lane=lane):
            have = {each.number for each in row.doors}
            told = {n for one, other, _ in missing(row) for n in range(one.number + row.step, other.number, row.step)}
            assert told == set(range(min(have), max(have), row.step)) - have
            assert sum(count for *_, count in missing(row)) == len(told)

    def test_the_sentence_names_the_run_and_its_neighbours(self) -> None:
        (row,) = rows_of("甲路", numbers(1, 3, 5, 15, 17, 19, 25), lane=False)
        first, second = check_gaps(row)
        assert first.message == "甲路缺 7–13 号（单号）共 4 个，在 5 号与 15 号之间。"
        assert (second.measure, second.message) == (2.0, "甲路缺 21–23 号（单号）共 2 个，在 19 号与 25 号之间。")

    def test_a_side_of_which_little_is_known_is_not_judged(self) -> None:
        (sparse,) = rows_of("甲路", numbers(1, 101, 201, 301, 401), lane=False)
        (few,) = rows_of("甲路", numbers(1, 3, 5), lane=False)
        (enough,) = rows_of("甲路", numbers(1, 3, 5, 11, 13), lane=False)
        assert [can_tell(row, Tolerances()) for row in (sparse, few, enough)] == [False, False, True]


LINE = shapely.multilinestrings([[(X0, Y0), (X0 + 500, Y0)], [(X0 + 500, Y0), (X0 + 1000, Y0 + 20)]])


def side(places: list[float]) -> Row:
    return Row("甲路", "单号", 2, tuple(door(2 * at + 1, east, 12.0) for at, east in enumerate(places)))


class TestOrder:
    @pytest.mark.parametrize("line", [LINE, None])
    @pytest.mark.parametrize(
        ("places", "blamed"),
        [
            ([0, 30, 60, 90, 120, 150], {}),
            ([150, 120, 90, 60, 30, 0], {}),
            ([0, 30, 30, 30, 60, 90], {}),
            ([0, 30, 140, 60, 90, 120], {5: 80}),  # 5号 stands beyond 7号: in order it would be between 30 and 60
            ([0, 30, 60, 90, 400, 150, 180], {9: 250}),
            ([0, 30, 60, 52, 90, 120], {}),  # 8 m is within the radii
            ([60, 30, 0, 90, 120, 150, 180], {1: 60, 3: 30}),
        ],
    )
    def test_the_fewest_doors_are_blamed(
        self, places: list[float], blamed: dict[int, float], line: shapely.MultiLineString | None
    ) -> None:
        found = check_order(side(places), line, Tolerances())
        assert found is not None
        assert {each.subjects["number"]: each.measure for each in found} == pytest.approx(blamed, abs=1)

    def test_doors_far_from_any_line_are_not_judged(self) -> None:
        corner = [(0, 0), (0, 100), (0, 200), (100, 200), (200, 200), (200, 100), (200, 0)]
        row = Row("甲路", "单号", 2, tuple(door(2 * at + 1, *point) for at, point in enumerate(corner)))
        assert check_order(row, None, Tolerances()) is None
        around = shapely.multilinestrings([[(X0 + x, Y0 + y) for x, y in corner]])
        assert check_order(row, around, Tolerances()) == []

    @given(st.lists(st.integers(0, 12), min_size=1, max_size=9))
    @settings(max_examples=200, deadline=None)
    def test_the_run_that_is_kept_is_a_longest_one(self, values: list[int]) -> None:
        along = np.array(values, dtype=float)
        kept = along[_in_order(along)]
        assert (np.diff(kept) >= 0).all() or (np.diff(kept) <= 0).all()
        longest = max(
            len(some)
            for size in range(1, len(values) + 1)
            for some in combinations(values, size)
            if list(some) in (sorted(some), sorted(some, reverse=True))
        )
        assert len(kept) == longest
