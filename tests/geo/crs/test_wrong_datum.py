"""Points in the wrong datum: recognised by a constant offset from known places, never guessed from noise."""

import csv
import gzip
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.crs import (
    SHANGHAI,
    Coordinates,
    DatumVerdict,
    ShapeFault,
    System,
    convert,
    detect_datum,
    detect_datum_by_network,
)

DATA = Path(os.environ.get("QUANTU_DATA", Path(__file__).parents[4] / "shared" / "data"))
DEGREES = [System.WGS84, System.GCJ02, System.BD09]


def places(count=60, seed=11):
    rng = np.random.default_rng(seed)
    return Coordinates(rng.uniform(121.2, 121.8, count), rng.uniform(30.9, 31.5, count), System.CGCS2000)


def blurred(points, metres, seed=12):
    """The same places as another source has them: moved by so many metres at random."""
    rng = np.random.default_rng(seed)
    plane = convert(points, System.SH2000)
    return convert(
        Coordinates(
            plane.x + rng.normal(0, metres, len(points)), plane.y + rng.normal(0, metres, len(points)), System.SH2000
        ),
        System.CGCS2000,
    )


def declared(points, system):
    return Coordinates(points.x, points.y, system)


@pytest.mark.parametrize("truth", DEGREES)
@pytest.mark.parametrize("told", DEGREES)
def test_namesakes_reveal_the_datum_a_file_is_really_in(truth, told):
    references = places()
    points = declared(convert(blurred(references, 30), truth), told)
    finding = detect_datum(points, references)
    assert finding.likely is told if truth is told else finding.likely is truth
    assert finding.verdict is (DatumVerdict.AS_DECLARED if truth is told else DatumVerdict.OTHER_DATUM)
    assert finding.as_declared is not None
    if told is System.WGS84 and truth is not told:
        size = 476 if truth is System.GCJ02 else 1124
        assert finding.as_declared.offset_m == pytest.approx(size, abs=25)
        assert f"{finding.as_declared.offset_m:.0f} 米" in finding.sentence
        assert {"gcj02": "GCJ-02", "bd09": "BD-09"}[truth] in finding.sentence


@settings(max_examples=60, deadline=None)
@given(
    truth=st.sampled_from(DEGREES),
    seed=st.integers(0, 10_000),
    count=st.integers(12, 80),
    blur=st.floats(0, 50),
    wrong=st.floats(0, 0.3),
)
def test_a_third_of_false_namesakes_does_not_mislead(truth, seed, count, blur, wrong):
    references = places(count, seed)
    points = blurred(references, blur, seed)
    false = np.arange(count) < int(wrong * count)
    stray = places(count, seed + 1)
    mixed = Coordinates(np.where(false, stray.x, points.x), np.where(false, stray.y, points.y), System.CGCS2000)
    finding = detect_datum(declared(convert(mixed, truth), System.WGS84), references)
    assert finding.likely in (truth, None)
    if wrong < 0.15:
        assert finding.likely is truth


@pytest.mark.parametrize("system", [System.GCJ02, System.BD09])
def test_a_correction_made_twice_is_told_from_one_not_made(system):
    references = places()
    good = blurred(references, 20)
    overdone = declared(convert(declared(good, system), System.WGS84), System.WGS84)
    finding = detect_datum(overdone, references)
    assert finding.verdict is DatumVerdict.CORRECTED_TWICE
    assert finding.likely is None
    assert "多做了一次" in finding.sentence


def test_shifted_degrees_that_somebody_projected_are_recognised_on_the_plane():
    references = places()
    shifted = convert(blurred(references, 20), System.GCJ02)
    plane = convert(declared(shifted, System.CGCS2000), System.SH2000)
    finding = detect_datum(plane, references)
    assert finding.likely is System.GCJ02


def test_another_constant_offset_is_reported_but_not_named():
    references = places()
    plane = convert(references, System.SH2000)
    moved = convert(Coordinates(plane.x + 300.0, plane.y, System.SH2000), System.CGCS2000)
    finding = detect_datum(moved, references)
    assert finding.verdict is DatumVerdict.UNKNOWN_OFFSET
    assert finding.likely is None
    assert "向东偏 300 米" in finding.sentence


@pytest.mark.parametrize("count", [0, 1, 4])
def test_too_few_pairs_decide_nothing(count):
    finding = detect_datum(places(count), places(count))
    assert finding.verdict is DatumVerdict.UNDECIDED
    assert f"只有 {count} 对" in finding.sentence
    assert finding.as_declared is None


def test_pairs_that_have_nothing_in_common_decide_nothing():
    finding = detect_datum(places(20, 1), places(20, 2))
    assert finding.verdict is DatumVerdict.UNDECIDED


def test_bad_rows_are_left_out():
    references = places(30)
    x = convert(references, System.GCJ02).x.copy()
    y = convert(references, System.GCJ02).y.copy()
    x[0], y[1], x[2], y[2] = np.nan, 500.0, 2.3, 48.8
    finding = detect_datum(Coordinates(x, y, System.WGS84), references)
    assert finding.count == 27
    assert finding.likely is System.GCJ02


def test_sets_of_different_length_are_refused():
    with pytest.raises(ShapeFault):
        detect_datum(places(5), places(6))


def street_lines():
    return np.cumsum(np.random.default_rng(13).uniform(180.0, 420.0, 30)) - 4_000.0


def street_grid():
    """Vertices every 20 m along streets some 300 m apart, irregularly, as a city has them."""
    along, lines = np.arange(-3_000.0, 3_000.0, 20.0), street_lines()
    east = np.concatenate([np.repeat(lines, along.size), np.tile(along, lines.size)])
    north = np.concatenate([np.tile(along, lines.size), np.repeat(lines, along.size)])
    return Coordinates(east, north, System.SH2000)


@pytest.mark.parametrize("truth", DEGREES)
def test_points_that_hug_the_streets_reveal_their_datum(truth):
    streets = street_grid()
    rng = np.random.default_rng(14)
    picked = rng.choice(len(streets), 200)
    doors = Coordinates(
        streets.x[picked] + rng.normal(0, 8, 200), streets.y[picked] + rng.normal(0, 8, 200), System.SH2000
    )
    finding = detect_datum_by_network(declared(convert(doors, truth), System.WGS84), streets)
    assert finding.likely is truth
    assert 150 <= finding.count <= 200  # near the edge of the streets a wrong reading leaves them


def test_points_that_hug_nothing_decide_nothing_by_streets():
    rng = np.random.default_rng(15)
    fields = Coordinates(rng.uniform(-2_500, 2_500, 300), rng.uniform(-2_500, 2_500, 300), System.SH2000)
    finding = detect_datum_by_network(declared(convert(fields, System.WGS84), System.BD09), street_grid())
    assert finding.verdict in (DatumVerdict.UNDECIDED, DatumVerdict.AS_DECLARED)
    few = Coordinates(fields.x[:10], fields.y[:10], System.SH2000)
    assert detect_datum_by_network(few, street_grid()).verdict is DatumVerdict.UNDECIDED


@pytest.mark.parametrize("told", DEGREES)
@pytest.mark.parametrize("truth", DEGREES)
def test_points_that_keep_away_from_streets_are_never_taken_for_another_datum(truth, told):
    # estates: their middles lie as far from the streets as can be, so every wrong reading brings them nearer
    lines = street_lines()[3:22]
    between = (lines[1:] + lines[:-1]) / 2
    middles = Coordinates(np.repeat(between, between.size), np.tile(between, between.size), System.SH2000)
    finding = detect_datum_by_network(declared(convert(middles, truth), told), street_grid())
    assert finding.verdict is DatumVerdict.UNDECIDED


def test_where_the_network_has_gaps_points_do_not_count():
    streets = street_grid()
    rng = np.random.default_rng(17)
    picked = rng.integers(0, len(streets.x), 300)
    doors = Coordinates(
        streets.x[picked] + rng.normal(0, 8, 300), streets.y[picked] + rng.normal(0, 8, 300), System.SH2000
    )
    west = streets.x < -1_000
    finding = detect_datum_by_network(
        declared(convert(doors, System.GCJ02), System.WGS84),
        Coordinates(streets.x[west], streets.y[west], System.SH2000),
    )
    assert finding.count < 60
    assert finding.verdict in (DatumVerdict.UNDECIDED, DatumVerdict.OTHER_DATUM)
    assert finding.likely in (None, System.GCJ02)


def by_name(rows, name, lon, lat):
    found = defaultdict(list)
    for row in rows:
        found[row[name].removesuffix("站")].append((float(row[lon]), float(row[lat])))
    return {key: np.mean(value, axis=0) for key, value in found.items()}


@pytest.mark.data
def test_real_metro_stations_in_gcj_are_recognised_by_their_namesakes():
    if not (DATA / "transit").is_dir():
        pytest.skip("no real data here")
    with (DATA / "transit" / "shanghai_metro_stations_gcj02_2025.csv").open(encoding="utf-8") as lines:
        mars = by_name(csv.DictReader(lines), "name", "lon", "lat")
    with (DATA / "transit" / "shanghai_metro_network_osm_2026.csv").open(encoding="utf-8") as lines:
        earth = by_name(csv.DictReader(lines), "station", "lng", "lat")
    names = sorted(mars.keys() & earth.keys())
    assert len(names) > 200
    points, references = (np.array([table[name] for name in names]).T for table in (mars, earth))
    told = Coordinates(*points, System.WGS84)
    truth = Coordinates(*references, System.WGS84)
    finding = detect_datum(told, truth)
    assert finding.likely is System.GCJ02
    assert finding.as_declared is not None
    assert finding.as_declared.offset_m == pytest.approx(476, abs=15)
    assert detect_datum(declared(told, System.GCJ02), truth).verdict is DatumVerdict.AS_DECLARED


@pytest.mark.data
def test_real_bus_stops_are_placed_by_the_real_roads():
    if not (DATA / "osm-roads").is_dir():
        pytest.skip("no real data here")
    centre = (121.44, 121.50, 31.20, 31.26)

    def read(path):
        with gzip.open(DATA / path, "rt", encoding="utf-8") as lines:
            rows = [(float(row["lon"]), float(row["lat"])) for row in csv.DictReader(lines)]
        x, y = np.array(rows).T
        held = (x > centre[0]) & (x < centre[1]) & (y > centre[2]) & (y < centre[3])
        return Coordinates(x[held], y[held], System.WGS84)

    stops = read("osm-poi/shanghai_osm_bus_stops_2026-05.csv.gz")
    with gzip.open(DATA / "osm-roads" / "shanghai_roads_mosaic_edges.csv.gz", "rt", encoding="utf-8") as lines:
        chains = [row["geometry_lonlat"] for row in csv.DictReader(lines)]
    x, y = densified(chains, centre)
    roads = Coordinates(x, y, System.WGS84)
    assert detect_datum_by_network(stops, roads).verdict is DatumVerdict.AS_DECLARED
    shifted = declared(convert(stops, System.BD09), System.WGS84)
    assert detect_datum_by_network(shifted, roads).likely in (System.BD09, None)
    assert SHANGHAI.bbox.holds_all(x, y)


def densified(chains, box):
    """Points some 15 m apart along the roads of a box."""
    found = []
    for chain in chains:
        line = np.array([pair.split() for pair in chain.split(";")], dtype=float)
        if not (box[0] < line[0, 0] < box[1] and box[2] < line[0, 1] < box[3]):
            continue
        steps = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
        at = np.arange(0.0, steps[-1], 0.00015)
        found.append(np.column_stack([np.interp(at, steps, line[:, 0]), np.interp(at, steps, line[:, 1])]))
    return np.concatenate(found).T
