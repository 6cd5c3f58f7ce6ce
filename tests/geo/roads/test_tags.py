"""What OpenStreetMap's tags mean for travellers."""

import pytest

from geo.roads.tags import seconds_of, way_of


@pytest.mark.parametrize(
    ("tags", "foot", "bicycle", "car"),
    [
        ({"highway": "residential"}, True, True, True),
        ({"highway": "motorway"}, False, False, True),
        ({"highway": "trunk"}, False, False, True),
        ({"highway": "trunk", "sidewalk": "both"}, True, False, True),
        ({"highway": "trunk", "foot": "yes", "bicycle": "yes"}, True, True, True),
        ({"highway": "footway"}, True, False, False),
        ({"highway": "footway", "bicycle": "designated"}, True, True, False),
        ({"highway": "path"}, True, True, False),
        ({"highway": "cycleway"}, True, True, False),
        ({"highway": "cycleway", "foot": "no"}, False, True, False),
        ({"highway": "pedestrian"}, True, False, False),
        ({"highway": "steps"}, True, False, False),
        ({"highway": "steps", "access": "yes"}, True, False, False),
        ({"highway": "service", "access": "private"}, False, False, False),
        ({"highway": "service", "access": "private", "foot": "yes"}, True, False, False),
        ({"highway": "service", "access": "no", "vehicle": "yes"}, False, True, True),
        ({"highway": "residential", "motor_vehicle": "no"}, True, True, False),
        ({"highway": "residential", "vehicle": "no", "bicycle": "yes"}, True, True, False),
        ({"highway": "primary", "bicycle": "no"}, True, False, True),
        ({"highway": "primary", "bicycle": "use_sidepath"}, True, False, True),
        ({"highway": "busway"}, True, True, False),
        ({"highway": "service", "access": "delivery"}, False, False, False),
        ({"highway": "residential", "access": "destination"}, True, True, True),
        ({"route": "ferry"}, True, True, False),
        ({"route": "ferry", "motor_vehicle": "yes"}, True, True, True),
        ({"route": "ferry", "bicycle": "no"}, True, False, False),
    ],
)
def test_who_may_use_a_way(tags: dict[str, str], foot: bool, bicycle: bool, car: bool) -> None:
    way = way_of(tags)
    assert way is not None
    assert (way.foot, way.bicycle, way.car) == (foot, bicycle, car)


@pytest.mark.parametrize(
    ("tags", "oneway"),
    [
        ({"highway": "residential"}, 0),
        ({"highway": "residential", "oneway": "yes"}, 1),
        ({"highway": "residential", "oneway": 1}, 1),
        ({"highway": "residential", "oneway": 1.0}, 1),
        ({"highway": "residential", "oneway": True}, 1),
        ({"highway": "residential", "oneway": "-1"}, -1),
        ({"highway": "residential", "oneway": -1}, -1),
        ({"highway": "residential", "oneway": "reverse"}, -1),
        ({"highway": "residential", "oneway": "no", "junction": "roundabout"}, 0),
        ({"highway": "tertiary", "junction": "roundabout"}, 1),
        ({"highway": "tertiary", "junction": "circular"}, 1),
        ({"highway": "motorway"}, 1),
        ({"highway": "motorway_link", "oneway": "no"}, 0),
        ({"highway": "primary", "oneway": "reversible"}, 0),
    ],
)
def test_in_which_direction_vehicles_go(tags: dict[str, object], oneway: int) -> None:
    way = way_of(tags)
    assert way is not None
    assert way.oneway == oneway


@pytest.mark.parametrize(
    ("tags", "attribute", "expected"),
    [
        ({"highway": "primary", "bridge": "viaduct"}, "bridge", True),
        ({"highway": "primary", "bridge": "no"}, "bridge", False),
        ({"highway": "primary", "tunnel": "yes"}, "tunnel", True),
        ({"highway": "service", "tunnel": "building_passage"}, "tunnel", False),
        ({"highway": "steps"}, "steps", True),
        ({"route": "ferry"}, "ferry", True),
        ({"route": "ferry"}, "highway", "ferry"),
        ({"route": "ferry", "duration": "00:12"}, "duration_s", 720.0),
        ({"highway": "primary", "duration": "00:12"}, "duration_s", None),
        ({"highway": "footway", "kerb": "raised"}, "kerb", True),
        ({"highway": "footway", "kerb": "lowered"}, "kerb", False),
        ({"highway": "road"}, "highway", "unclassified"),
        ({"highway": "corridor"}, "highway", "footway"),
    ],
)
def test_what_a_way_is(tags: dict[str, str], attribute: str, expected: object) -> None:
    assert getattr(way_of(tags), attribute) == expected


@pytest.mark.parametrize("highway", ["construction", "proposed", "platform", "rest_area", "razed", "", "墙"])
def test_what_is_no_road_in_use_is_left_out(highway: str) -> None:
    assert way_of({"highway": highway}) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15", 900.0), ("00:15", 900.0), ("1:05", 3900.0), ("0:15:30", 930.0), ("PT15M", 900.0), ("PT1H30M", 5400.0)]
    + [(text, None) for text in ("", "soon", "PT", "0", "00:00", "-5")],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds
