"""Guessing where an unknown number of a known road is, and how far wrong the guess may be."""

from __future__ import annotations

import random

from geo.addresses.geocode import BEYOND_LAST, DOOR_M, LANE_M, Candidate, _doubted, _guess
from geo.addresses.lookups import Numbered, metres_between

METRES_PER_NUMBER = 2.2
DEGREE_M = 95_300.0


def door(number: int, *, astray: tuple[float, float] = (0.0, 0.0), uncertainty_m: float = 20.0) -> Numbered:
    """Return a number of a straight road that runs east; ``astray`` is in metres east and north."""
    east, north = number * METRES_PER_NUMBER + astray[0], astray[1]
    return Numbered(121.4 + east / DEGREE_M, 31.2 + north / 111_000, 1, 1, number, uncertainty_m)


def metres_wrong(number: int, known: list[Numbered], astray_m: float = DOOR_M) -> tuple[float, float]:
    guess, truth = _guess(number, known, astray_m), door(number)
    assert guess is not None
    return metres_between(guess.lon, guess.lat, truth.lon, truth.lat), guess.radius_m


def test_between_two_neighbours_a_number_stands_where_its_share_of_the_way_is():
    for number in (12, 77, 150, 198):
        wrong, radius = metres_wrong(number, [door(10), door(200)])
        assert wrong < 1.0 < radius


def test_a_guess_is_surer_the_nearer_its_neighbours_are_and_never_surer_than_they():
    near, far = ([door(100 - gap), door(100 + gap)] for gap in (10, 300))
    assert metres_wrong(100, near)[1] < metres_wrong(100, far)[1]
    vague = [door(90, uncertainty_m=250.0), door(110, uncertainty_m=250.0)]
    assert metres_wrong(100, vague)[1] > 250.0
    assert metres_wrong(100, near, LANE_M)[1] > LANE_M


def test_beyond_the_last_number_the_radius_grows_until_nothing_is_said():
    known = [door(10), door(60)]
    radii = []
    for number in (62, 100, 300, 60 + BEYOND_LAST):
        wrong, radius = metres_wrong(number, known)
        assert wrong <= radius
        radii.append(radius)
    assert radii == sorted(radii)
    assert _guess(60 + BEYOND_LAST + 1, known, DOOR_M) is None


def test_two_roads_of_one_name_make_no_road_between_them():
    assert _guess(100, [door(90), door(110, astray=(9_000.0, 0.0))], DOOR_M) is None
    assert _guess(120, [door(90), door(110, astray=(9_000.0, 0.0))], DOOR_M) is None


def test_nine_of_ten_lie_within_the_radius_when_points_stray_as_they_say():
    chance, held, asked = random.Random(5), 0, 0
    for _ in range(400):
        astray = [(chance.gauss(0, 250 / 2.15), chance.gauss(0, 250 / 2.15)) for _ in range(7)]
        numbers = sorted(chance.sample(range(1, 900), 7))
        known = [door(n, astray=a, uncertainty_m=250.0) for n, a in zip(numbers, astray, strict=True)]
        left_out = known.pop(chance.randrange(7))
        guess = _guess(left_out.number, known, LANE_M)
        if guess is not None:
            asked += 1
            held += metres_between(guess.lon, guess.lat, left_out.lon, left_out.lat) <= guess.radius_m
    assert asked > 300
    assert held / asked >= 0.9


def test_a_guess_on_one_of_several_roads_of_a_name_says_so_and_covers_them_all():
    found = [Candidate("中山路", "road", 121.4 + at, 31.2, 300.0, None, "") for at in (0.0, 0.05)]
    for one in _doubted(found):
        assert [penalty.code for penalty in one.penalties] == ["several_roads"]
        assert all(
            metres_between(one.lon, one.lat, other.lon, other.lat) + 300 <= one.uncertainty_m + 1 for other in found
        )
    alone = found[:1]
    assert _doubted(alone) == alone
