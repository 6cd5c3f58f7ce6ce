"""The line of a platform's events as a queue: what a programme has not said to be done comes again, what it has does not."""

from __future__ import annotations

import pytest

from tests.services.fencing.following.platforms import Platform, edition, platform, rows_of
from tests.services.fencing.following.test_intake import drive, start
from tests.services.fencing.sets import square

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def truck() -> Platform:
    """Return a platform with four events: two vehicles that came and went."""
    edition({"广场": square(0, 0)})
    own = platform()
    assert own.follow().status == 200
    for name in ("truck-1", "truck-2"):
        own.report(rows_of(name, drive(start())))
    assert [each["number"] for each in own.events()] == [1, 2, 3, 4]
    return own


def taken(own: Platform, reader: str, limit: int = 2) -> list[int]:
    answer = own.call("GET", "events", f"limit={limit}&reader={reader}")
    assert answer.status == 200, answer
    return [each["number"] for each in answer.said["events"]]


def done(own: Platform, reader: str, number: int) -> int:
    answer = own.call("POST", "events/read", said={"reader": reader, "number": number})
    assert answer.status == 200, answer
    return int(answer.said["number"])


def test_what_was_not_said_to_be_done_comes_again(truck: Platform) -> None:
    assert taken(truck, "dispatch") == taken(truck, "dispatch") == [1, 2]  # it died before it was done
    assert done(truck, "dispatch", 2) == 2
    assert taken(truck, "dispatch") == [3, 4]
    assert done(truck, "dispatch", 1) == 2  # an answer that was lost, and the call comes late
    assert taken(truck, "dispatch") == [3, 4]
    assert done(truck, "dispatch", 4) == 4
    assert taken(truck, "dispatch") == []
    # Another programme reads for itself, and so does whoever keeps the number.
    assert taken(truck, "billing") == [1, 2]
    assert [each["number"] for each in truck.events(after=3)] == [4]


def test_nobody_reads_or_moves_the_queue_of_another_platform(truck: Platform) -> None:
    other = platform("另一个平台")
    done(truck, "dispatch", 3)
    assert taken(other, "dispatch") == []
    assert other.call("POST", "events/read", said={"reader": "dispatch", "number": 1}).said["code"] == "event_ahead"
    assert taken(truck, "dispatch") == [4]


def test_a_number_ahead_a_name_that_is_none_and_one_reader_too_many_are_refused(truck: Platform) -> None:
    ahead = truck.call("POST", "events/read", said={"reader": "dispatch", "number": 5})
    assert (ahead.status, ahead.said["code"], ahead.said["last"]) == (400, "event_ahead", 4)
    assert truck.call("GET", "events", "reader=a%20b").status == 400
    both = truck.call("GET", "events", "after=1&reader=dispatch")
    assert (both.status, both.said["code"]) == (400, "after_or_reader")
    for number in range(20):
        done(truck, f"r{number}", 1)
    many = truck.call("POST", "events/read", said={"reader": "r20", "number": 1})
    assert (many.status, many.said["code"]) == (429, "readers_many")
    assert done(truck, "r19", 2) == 2
