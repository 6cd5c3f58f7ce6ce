"""Guessing where an unknown number of a road is, and how far wrong the guess may be."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from geo.addresses.lookups import metres_between
from geo.addresses.numbering import PACE_M, Guess, Known, guess_number

DEGREE_M = 95_100.0
"""Metres in a degree of longitude at the latitude of the test's roads."""


def at(number: float, *, east: float = 0.0, north: float = 0.0) -> tuple[float, float]:
    """Return the place of a number on a straight road that runs east, moved by some metres."""
    return 121.4 + (number * PACE_M + east) / DEGREE_M, 31.2 + north / 111_195


def known(
    number: int, *, east: float = 0.0, north: float = 0.0, uncertainty_m: float = 20.0, lane: bool = False
) -> Known:
    return Known(number, *at(number, east=east, north=north), uncertainty_m, lane)


def wrong_m(guess: Guess, number: float) -> float:
    return metres_between(guess.lon, guess.lat, *at(number))


def test_between_its_neighbours_a_number_stands_where_its_share_of_the_way_is():
    for number in (14, 76, 150, 196):
        (guess,) = guess_number(number, [known(10), known(200)], [], lane=False)
        assert wrong_m(guess, number) < 30.0
        assert wrong_m(guess, number) < guess.radius_m
        assert (guess.below, guess.above, guess.share) == (10, 200, 1.0)


def test_a_guess_is_surer_the_nearer_its_neighbours_are_the_surer_they_are_and_for_a_door():
    def radius(gap: int, uncertainty_m: float, lane: bool) -> float:
        beside = [known(100 + step, uncertainty_m=uncertainty_m, lane=lane) for step in (-gap, gap)]
        (guess,) = guess_number(100, beside, [], lane=lane)
        return guess.radius_m

    assert radius(4, 20.0, False) < 100.0
    assert radius(4, 20.0, False) < radius(40, 20.0, False) < radius(300, 20.0, False)
    assert radius(4, 20.0, False) < radius(4, 250.0, False) < radius(4, 250.0, True)


def test_the_same_number_of_a_lane_tells_where_the_door_is():
    (guess,) = guess_number(100, [known(100, lane=True), known(300, lane=True)], [], lane=False)
    assert wrong_m(guess, 100) < 60.0
    assert (guess.below, guess.above) == (100, 100)


def test_beyond_the_last_number_the_radius_grows_and_holds_the_place():
    radii = []
    for number in (62, 100, 300, 900):
        (guess,) = guess_number(number, [known(10), known(36), known(60)], [], lane=False)
        assert wrong_m(guess, number) <= guess.radius_m
        assert (guess.below, guess.above) == (60, None)
        radii.append(guess.radius_m)
    assert radii == sorted(radii)


def test_the_run_of_a_road_says_where_a_number_is_beyond_the_only_one_known():
    run = [at(number) for number in range(0, 700, 60)]
    (blind,) = guess_number(500, [known(20)], [], lane=True)
    (seen,) = guess_number(500, [known(20)], run, lane=True)
    assert seen.radius_m < 0.85 * blind.radius_m
    assert wrong_m(seen, 500) <= seen.radius_m


def test_a_road_without_a_number_is_counted_from_either_end():
    run = [at(number) for number in range(0, 400, 40)]
    (guess,) = guess_number(380, [], run, lane=True)
    assert (guess.below, guess.above) == (None, None)
    # nobody knows at which end it begins
    assert guess.radius_m >= max(wrong_m(guess, 380), wrong_m(guess, 0))


def test_a_number_that_fits_no_road_counts_little():
    good = [known(number, lane=True, uncertainty_m=250.0) for number in (20, 60, 140, 180, 220)]
    bad = known(96, north=1_200.0, lane=True, uncertainty_m=250.0)
    (guess,) = guess_number(100, [*good, bad], [], lane=True)
    assert wrong_m(guess, 100) < 250.0


def test_two_roads_of_one_name_are_two_guesses_and_the_likelier_comes_first():
    here = [known(number) for number in (90, 96, 104, 110)]
    there = [known(number, north=20_000.0) for number in (500, 600)]
    first, second = guess_number(100, [*there, *here], [], lane=False)
    assert wrong_m(first, 100) < first.radius_m < 200.0
    assert first.share > 0.8 > 0.2 > second.share
    assert math.isclose(first.share + second.share, 1.0)


def test_nothing_known_is_no_guess():
    assert guess_number(100, [], [], lane=True) == []


@pytest.mark.parametrize("number", [0, 1, 10**6])
def test_any_number_has_a_finite_answer(number: int):
    for rows, run in (([known(4)], []), ([], [at(1)]), ([], [at(1), at(1)]), ([known(4), known(4)], [at(4)])):
        for guess in guess_number(number, rows, run, lane=False):
            assert np.isfinite([guess.lon, guess.lat, guess.radius_m]).all()


def test_the_order_of_what_is_known_changes_nothing():
    rows = [known(number, east=7.0 * (number % 5), lane=True, uncertainty_m=100.0) for number in range(3, 400, 31)]
    run = [at(number, north=9.0) for number in range(0, 500, 50)]
    (straight,) = guess_number(200, rows, run, lane=True)
    (mixed,) = guess_number(200, rows[::-1], run[::-1], lane=True)
    assert metres_between(straight.lon, straight.lat, mixed.lon, mixed.lat) < 1.0
    assert math.isclose(straight.radius_m, mixed.radius_m, rel_tol=0.02)


def test_nine_of_ten_lie_within_the_radius_when_points_stray_as_they_say():
    chance, held, asked = random.Random(5), 0, 400
    for _ in range(asked):
        rows = [
            known(
                number,
                east=chance.gauss(0, 250 / 2.15),
                north=chance.gauss(0, 250 / 2.15),
                uncertainty_m=250.0,
                lane=True,
            )
            for number in chance.sample(range(1, 900), 7)
        ]
        truth = rows.pop(chance.randrange(7))
        guess = guess_number(truth.number, rows, [], lane=True)[0]
        held += metres_between(guess.lon, guess.lat, truth.lon, truth.lat) <= guess.radius_m
    assert held / asked >= 0.88
