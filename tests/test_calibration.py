"""The picture of calibration that the bench of addresses draws."""

from __future__ import annotations

import random
from xml.etree import ElementTree

from tests.bench._calibration import Group, grouped, plot

SVG = "{http://www.w3.org/2000/svg}"


def test_groups_are_of_one_size_from_narrow_to_wide_and_hold_every_answer():
    chance = random.Random(3)
    answers = [(chance.uniform(50, 2_000), chance.uniform(0, 2_000)) for _ in range(1_003)]
    groups = grouped(answers)
    assert sum(group.answers for group in groups) == len(answers)
    assert {group.answers for group in groups} <= {100, 101}
    assert [group.radius_m for group in groups] == sorted(group.radius_m for group in groups)
    inside = sum(wrong <= radius for radius, wrong in answers)
    assert round(sum(group.inside * group.answers for group in groups)) == inside


def test_a_group_says_how_many_of_its_places_lie_inside():
    assert grouped([(100.0, 50.0), (100.0, 150.0), (300.0, 10.0), (300.0, 20.0)], 2) == [
        Group(2, 100.0, 0.5),
        Group(2, 300.0, 1.0),
    ]
    assert grouped([]) == []


def test_columns_are_as_high_as_the_shares_and_say_them():
    drawing = ElementTree.fromstring(plot([Group(10, 100.0, 0.5), Group(10, 300.0, 1.0)], "a < b"))
    columns = [float(rect.get("height", "0")) for rect in drawing.findall(f"{SVG}rect")[1:]]
    assert columns[1] == 2 * columns[0]
    said = [text.text for text in drawing.findall(f"{SVG}text")]
    assert {"a < b", "50", "100", "300"} <= set(said)
