"""Importing the base map: kinds, areas, and polygons that cross themselves."""

import json

import pytest

from geo.basemap.models import BasemapFeature
from geo.imports.actions import draft_source, publish_runs
from geo.imports.models import Refusal
from geo.imports.spec import manifest_of

pytestmark = pytest.mark.django_db


def bring(folder, features):
    data = [
        {
            "type": "Feature",
            "properties": {"id": n, "kind": kind, "name": "甲"},
            "geometry": {"type": shape, "coordinates": c},
        }
        for n, (kind, shape, c) in enumerate(features, 1)
    ]
    path = folder / "green.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": data}))
    entry = {"key": "green", "family": "basemap", "file": "green.geojson", "datum": "wgs84", "ext_id": ["id"]}
    run = draft_source(spec=manifest_of({"source": [entry]}).sources[0], files=[path])
    return publish_runs(runs=[run])[0]


def square(west=121.4, south=31.2, side=0.01):
    return [[[west, south], [west + side, south], [west + side, south + side], [west, south + side], [west, south]]]


BOW_TIE = [[[121.4, 31.2], [121.41, 31.21], [121.41, 31.2], [121.4, 31.21], [121.4, 31.2]]]


def test_an_area_is_stored_with_its_size(tmp_path):
    assert bring(tmp_path, [("water", "Polygon", square())]).rows_accepted == 1
    found = BasemapFeature.objects.get()
    # a hundredth of a degree is 1,109 m north and 953 m east here
    assert found.area_m2 == pytest.approx(1109 * 953, rel=0.01)
    assert (found.kind, found.name, found.geom.geom_type) == ("water", "甲", "MultiPolygon")


def test_an_outline_that_crosses_itself_is_mended_and_said(tmp_path):
    report = bring(tmp_path, [("green", "Polygon", BOW_TIE)])
    assert (report.rows_accepted, report.warnings) == (1, {"shape_repaired": 1})
    assert BasemapFeature.objects.get().geom.valid


def test_what_is_no_area_is_refused(tmp_path):
    line = ("river", "LineString", [[121.4, 31.2], [121.5, 31.2]])
    flat = ("green", "Polygon", [[[121.4, 31.2], [121.5, 31.2], [121.4, 31.2], [121.4, 31.2]]])
    far = ("green", "Polygon", square(west=116.0, south=39.0))
    turned = ("green", "Polygon", [[[y, x] for x, y in square()[0]]])
    report = bring(tmp_path, [("green", "Polygon", square()), line, flat, far, turned, ("lava", "Polygon", square())])
    found = dict(Refusal.objects.filter(run_id=report.run).values_list("row", "code"))
    assert found == {2: "wrong_shape", 3: "invalid_shape", 4: "outside_city", 5: "outside_system", 6: "unknown_value"}
