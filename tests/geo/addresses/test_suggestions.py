"""What the search box offers, apart from where it was found."""

from __future__ import annotations

from geo.addresses.suggesting.ranking import SAME_M, Suggestion, best

METRE = 1 / 111_000


def stop(id_: int, metres_north: float, *, where: str = "公交站 · 杨浦区五角场街道") -> Suggestion:
    return Suggestion("facility", id_, "国权路四平路", where, 121.5, 31.29 + metres_north * METRE, 10.0, 1)


def test_what_reads_the_same_and_stands_together_is_offered_once():
    found = [stop(1, 0), stop(2, SAME_M * 0.9), stop(3, SAME_M * 1.2), stop(4, 10, where="公交站 · 虹口区")]
    assert [one.id for one in best(found, None, 10)] == [1, 3, 4]


def test_the_nearest_of_those_that_read_the_same_is_the_one_offered_and_the_others_leave_their_places_free():
    found = [stop(1, SAME_M * 0.9), stop(2, 0), *(stop(at, 1_000.0 * at) for at in range(3, 6))]
    here = (121.5, 31.29 - 1_000 * METRE)
    assert [one.id for one in best(found, here, 3)] == [2, 3, 4]
