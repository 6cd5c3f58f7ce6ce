"""A way in steps: roads put together, turns told by their side, and nothing lost on the way."""

from __future__ import annotations

import numpy as np
import pytest

from routing.directions import Leg, route
from routing.guidance import Step, steps_of, wind
from routing.snap import snap
from routing.travellers import TRAVELLERS
from tests.routing.drawing import graph_of
from tests.routing.test_isochrones import town

NAMES = {1: "复兴中路", 2: "思南路", 3: "皋兰路"}


def legs(*corners: tuple[float, float], roads: tuple[int, ...]) -> list[Leg]:
    """Return a leg from each corner to the next."""
    points = np.array(corners, dtype=float)
    pairs = zip(points[:-1], points[1:], roads, strict=True)
    return [Leg(road, float(np.hypot(*(b - a))), np.stack((a, b))) for (a, b, road) in pairs]


def said(steps: tuple[Step, ...]) -> list[tuple[str, int]]:
    return [(step.said, round(step.metres)) for step in steps]


def test_turns_are_told_by_their_side_and_roads_by_their_name() -> None:
    way = legs((0, 0), (100, 0), (200, 0), (200, 80), (100, 80), (100, 200), roads=(1, 1, 2, 3, 2))
    assert said(steps_of(way, NAMES)) == [
        ("沿复兴中路向东", 200), ("左转进入思南路", 80), ("左转进入皋兰路", 100), ("右转进入思南路", 120),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("degrees", "words"),
    [(0, "直行"), (20, "直行"), (40, "向右前方"), (90, "右转"), (130, "右转"), (170, "掉头"), (-40, "向左前方"), (-90, "左转"), (-160, "掉头")],
)  # fmt: skip
def test_how_far_one_turns_is_said_in_words(degrees: float, words: str) -> None:
    turned = np.radians(90 - degrees)  # one walks north, then turns clockwise
    end = (100 * np.cos(turned), 100 + 100 * np.sin(turned))
    assert steps_of(legs((0, 0), (0, 100), end, roads=(1, 2)), NAMES)[1].said == f"{words}进入思南路"


def test_what_has_no_name_goes_on_straight_and_turns_without_one() -> None:
    way = legs((0, 0), (0, 60), (2, 120), (90, 120), roads=(8, 9, 7))
    assert said(steps_of(way, {})) == [("向北", 120), ("右转", 88)]


def test_the_middle_of_a_crossing_is_no_step() -> None:
    way = legs((0, 0), (0, 6), (0, 100), (0, 108), (90, 108), roads=(8, 1, 9, 2))
    assert said(steps_of(way, NAMES)) == [("沿复兴中路向北", 108), ("右转进入思南路", 90)]
    assert steps_of([], NAMES) == ()


def test_winds_are_eight() -> None:
    assert [wind(each) for each in (0, 44, 91, 135, 180, 225, 270, 315, 359)] == [
        "北", "东北", "东", "东南", "南", "西南", "西", "西北", "北",
    ]  # fmt: skip


def test_steps_of_a_real_way_add_up_and_follow_its_line(tmp_path) -> None:
    traveller = TRAVELLERS["walk"]
    graph = graph_of(town(21, side=20), tmp_path)
    rng = np.random.default_rng(5)
    names = {road: f"第{road % 7}路" for road in range(5000) if road % 3}
    start = snap(graph, 1100, 1200, traveller)
    several = 0
    for x, y in rng.uniform(100, 2200, (30, 2)):
        target = snap(graph, x, y, traveller)
        way = route(graph, start, target)
        steps = steps_of(way.legs, names)
        assert sum(step.metres for step in steps) == pytest.approx(way.metres - start.metres - target.metres, abs=0.05)
        line = np.concatenate([step.coords for step in steps])
        moved = np.any(np.abs(np.diff(line, axis=0)) > 1e-3, axis=1)
        np.testing.assert_allclose(line[np.concatenate(([True], moved))], way.coords[1:-1], atol=0.01)
        assert all(one.road != other.road or not one.road for one, other in zip(steps, steps[1:], strict=False))
        several += len(steps) > 3
    assert several > 10
