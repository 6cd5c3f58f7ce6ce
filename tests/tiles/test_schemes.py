"""Tiles and the ground they name."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from geo.errors import NotFound
from tiles.schemes import (
    CGCS2000_QUAD,
    SCHEMES,
    WEB_MERCATOR_QUAD,
    WORLD_M,
    Scheme,
    Tile,
    TileOutOfRange,
    definition,
    scheme,
    tile_at,
)

THEIRS = Transformer.from_crs(4490, 3857, always_xy=True)
schemes = st.sampled_from(list(SCHEMES.values()))
lons = st.floats(-179.9, 179.9)
lats = st.floats(-85.0, 85.0)


@given(lons, lats, st.integers(1, 20), schemes)
def test_a_point_lies_in_the_tile_it_is_given(lon: float, lat: float, z: int, of: Scheme) -> None:
    west, south, east, north = tile_at(lon, lat, z, of).bounds
    assert west - 1e-9 <= lon <= east + 1e-9
    assert south - 1e-9 <= lat <= north + 1e-9


@given(lons, lats, st.integers(2, 20), schemes)
def test_a_tile_lies_in_its_parent(lon: float, lat: float, z: int, of: Scheme) -> None:
    assert tile_at(lon, lat, z, of).above(1) == tile_at(lon, lat, z - 1, of)


@given(lons, lats)
def test_the_plane_of_a_scheme_is_that_of_the_library(lon: float, lat: float) -> None:
    theirs = THEIRS.transform(lon, lat)
    assert WEB_MERCATOR_QUAD.project(lon, lat) == pytest.approx(theirs, abs=1e-3)
    assert WEB_MERCATOR_QUAD.degrees(*theirs) == pytest.approx((lon, lat), abs=1e-8)


def test_the_whole_world_is_one_tile_or_two() -> None:
    assert Tile(0, 0, 0).extent == (-WORLD_M, -WORLD_M, WORLD_M, WORLD_M)
    assert math.isclose(Tile(0, 0, 0).pixel * 2, 156543.033928, rel_tol=1e-9)
    assert [CGCS2000_QUAD.tile(1, x, 0).bounds for x in (0, 1)] == [(-180, -90, 0, 90), (0, -90, 180, 90)]


@pytest.mark.parametrize(
    ("of", "z", "x", "y", "bounds"),
    [
        # 天地图 vec_c, TILEMATRIX 12: the tile under the People's Square
        (CGCS2000_QUAD, 12, 3430, 668, (121.46484375, 31.201171875, 121.552734375, 31.2890625)),
        (WEB_MERCATOR_QUAD, 12, 3430, 1673, (121.46484375, 31.203404950, 121.552734375, 31.278550858)),
        (WEB_MERCATOR_QUAD, 1, 1, 0, (0, 0, 180, 85.0511287798)),
    ],
)
def test_known_tiles_lie_where_others_say(of: Scheme, z: int, x: int, y: int, bounds: tuple[float, ...]) -> None:
    assert of.tile(z, x, y).bounds == pytest.approx(bounds, abs=1e-8)


def test_a_margin_ends_where_the_world_does() -> None:
    assert CGCS2000_QUAD.tile(1, 1, 0).with_margin(0.25) == (-45, -90, 180, 90)
    west, south, east, north = Tile(2, 1, 1).with_margin(0.5)
    assert (west, east) == (-135, 45)
    assert (south, north) == pytest.approx((-40.97989807, 79.17133464))


@pytest.mark.parametrize(
    ("of", "z", "x", "y"),
    [
        *(
            (WEB_MERCATOR_QUAD, *one)
            for one in [(-1, 0, 0), (23, 0, 0), (1, 2, 0), (1, 0, 2), (0, -1, 0), (3, 0, 10**9)]
        ),
        *((CGCS2000_QUAD, *one) for one in [(0, 0, 0), (1, 0, 1), (1, 2, 0), (2, 0, 2), (23, 0, 0)]),
    ],
)
def test_a_tile_that_does_not_exist_is_refused(of: Scheme, z: int, x: int, y: int) -> None:
    with pytest.raises(TileOutOfRange):
        of.tile(z, x, y)


def test_an_unknown_scheme_is_told_which_there_are() -> None:
    assert scheme("CGCS2000Quad") is CGCS2000_QUAD
    with pytest.raises(NotFound):
        scheme("GlobalMapTiles")


def test_the_definitions_are_those_of_the_standard() -> None:
    mercator, ours = definition(WEB_MERCATOR_QUAD), definition(CGCS2000_QUAD)
    top = mercator["tileMatrices"][0]
    assert mercator["uri"].endswith("/OGC/1.0/WebMercatorQuad")
    assert top["scaleDenominator"] == pytest.approx(559082264.0287178)
    assert (top["cellSize"], top["pointOfOrigin"]) == (pytest.approx(156543.03392804097), [-WORLD_M, WORLD_M])
    assert (ours["crs"], ours["orderedAxes"]) == ("http://www.opengis.net/def/crs/EPSG/0/4490", ["Lat", "Lon"])
    first = ours["tileMatrices"][0]  # as WorldCRS84Quad's zoom 0, under the number 天地图 gives it
    assert (first["id"], first["matrixWidth"], first["matrixHeight"]) == ("1", 2, 1)
    assert (first["cellSize"], first["pointOfOrigin"]) == (0.703125, [90.0, -180.0])
    assert first["scaleDenominator"] == pytest.approx(279541132.0143589)
    assert [one["matrixWidth"] // one["matrixHeight"] for one in ours["tileMatrices"]] == [2] * 22
