"""What is drawn of heat: classes with their words, cells of a box as the library outlines them, coarser where they are many."""

from __future__ import annotations

import json

import h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.heat import drawing
from layers.heat.cells import CellHeat
from layers.heat.classes import change_classes, classes_of, said
from layers.heat.drawing import cells_within, features, fitting

HERE = (31.22, 121.47)


def disk(resolution: int, rings: int) -> CellHeat:
    """Return the cells around a point, each with a figure of its own."""
    cells = np.sort(
        np.array(
            [h3.str_to_int(each) for each in h3.grid_disk(h3.latlng_to_cell(*HERE, resolution), rings)], dtype=np.int64
        )
    )
    return CellHeat(resolution, cells, np.arange(1, len(cells) + 1, dtype=np.float64))


@given(st.lists(st.one_of(st.integers(0, 60), st.floats(0, 900)), min_size=1, max_size=60))
def test_every_figure_is_in_one_class_and_greater_ones_in_no_paler(values: list[float]) -> None:
    figures = np.sort(np.array(values, dtype=np.float64))
    classes = classes_of(figures)
    steps = classes.of(figures)
    assert set(steps.tolist()) == {step for step, _ in classes.words}
    assert np.all(np.diff(steps) >= 0)
    assert steps.min() >= 1
    assert steps.max() <= 5


@given(st.lists(st.integers(-50, 50), max_size=60))
def test_change_is_classed_by_its_size_on_both_sides(values: list[int]) -> None:
    figures = np.array(values, dtype=np.float64)
    classes = change_classes(figures)
    steps = classes.of(figures)
    assert set(steps.tolist()) <= {step for step, _ in classes.words}
    assert np.array_equal(np.sign(figures), np.sign(steps - 4))
    assert np.array_equal(classes.of(-figures), 8 - steps)


def test_words_of_classes_are_what_they_hold() -> None:
    assert classes_of(np.array([3.0, 3.0])).words == ((3, "3"),)
    assert [words for _, words in classes_of(np.arange(1.0, 11.0)).words] == ["1–2", "3–4", "5–6", "7–8", "9–10"]
    assert classes_of(np.array([])).words == ()
    assert [words for _, words in change_classes(np.array([-9.0, 1.0, 4.0])).words] == [
        "减 9 及以上", "减 4 到 9", "减不到 4", "没有变化", "增不到 4", "增 4 到 9", "增 9 及以上"
    ]  # fmt: skip
    assert [said(value) for value in (1234.0, 2.25, 0.031)] == ["1,234", "2.2", "0.031"]


def test_cells_of_a_box_are_those_that_reach_into_it() -> None:
    heat = disk(9, 12)
    box = (121.465, 31.215, 121.475, 31.225)
    inside = cells_within(heat, box)
    for cell, found in zip(heat.cells.tolist(), inside.tolist(), strict=True):
        lat, lon = zip(*h3.cell_to_boundary(h3.int_to_str(cell)), strict=True)
        reaches = min(lon) < box[2] and max(lon) > box[0] and min(lat) < box[3] and max(lat) > box[1]
        assert found or not reaches
    assert 0 < inside.sum() < len(inside)


@pytest.mark.parametrize("shape", ["polygon", "point"])
def test_features_are_outlined_as_the_library_does(shape: drawing.Shape) -> None:
    heat = disk(8, 2)
    inside = cells_within(heat, (121.0, 31.0, 122.0, 32.0))
    classes = classes_of(heat.values)
    found = json.loads(features(heat, inside, classes, shape))["features"]
    assert len(found) == 19
    for one, cell, value, step in zip(found, heat.cells.tolist(), heat.values, classes.of(heat.values), strict=True):
        name = one["properties"]["cell"]
        assert h3.str_to_int(name) == cell
        assert (one["properties"]["value"], one["properties"]["class"]) == (value, step)
        ring = [one["geometry"]["coordinates"]] if shape == "point" else one["geometry"]["coordinates"][0][:-1]
        expected = [h3.cell_to_latlng(name)] if shape == "point" else h3.cell_to_boundary(name)
        assert np.allclose(ring, [(lon, lat) for lat, lon in expected], atol=6e-6)


def test_of_too_many_cells_the_coarser_ones_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "MOST", 100)
    asked = []

    def make(resolution: int) -> CellHeat:
        asked.append(resolution)
        return disk(resolution, 12 if resolution > 8 else 4)

    wide, near = (121.0, 31.0, 122.0, 32.0), (121.469, 31.219, 121.471, 31.221)
    heat, inside = fitting(make, wide, 10)
    assert (heat.resolution, int(inside.sum()), asked) == (8, 61, [10, 9, 8])
    assert fitting(make, near, 10)[0].resolution == 10
