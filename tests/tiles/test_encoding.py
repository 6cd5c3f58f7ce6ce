"""Points written as a vector tile, read by somebody else's reader."""

from __future__ import annotations

from typing import Any

import mapbox_vector_tile
from hypothesis import given
from hypothesis import strategies as st

from tiles.encoding import encode_points

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.one_of(WORDS, st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
POINTS = st.lists(
    st.tuples(st.integers(-64, 4160), st.integers(-64, 4160), st.dictionaries(WORDS, VALUES, max_size=4)),
    min_size=1,
    max_size=20,
)


@given(points=POINTS)
def test_what_is_written_is_read(points: list[tuple[int, int, dict[str, Any]]]) -> None:
    read = mapbox_vector_tile.decode(encode_points("图层", points), default_options={"y_coord_down": True})["图层"]
    assert (read["version"], read["extent"]) == (2, 4096)
    found = [(*one["geometry"]["coordinates"], one["properties"]) for one in read["features"]]
    assert found == points
    for (_, _, said), (_, _, told) in zip(found, points, strict=True):
        assert [type(value) for value in said.values()] == [type(value) for value in told.values()]


def test_tiles_one_after_the_other_are_one_of_several_layers_and_none_is_nothing() -> None:
    both = encode_points("a", [(1, 2, {"n": None})]) + encode_points("b", [(3, 4, {"n": 5})])
    read = mapbox_vector_tile.decode(both, default_options={"y_coord_down": True})
    assert {name: one["features"][0]["properties"] for name, one in read.items()} == {"a": {}, "b": {"n": 5}}
    assert encode_points("a", []) == b""
