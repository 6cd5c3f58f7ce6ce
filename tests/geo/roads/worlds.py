"""Small OpenStreetMap files written by osmium, and imports of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import osmium
import shapely

from geo.imports.actions import draft_source, publish_runs
from geo.imports.models import Provenance, Source
from geo.imports.report import RunReport
from geo.imports.spec import manifest_of
from geo.roads.models import RoadSegment

Way = tuple[int, Sequence[int], Mapping[str, str]]
WEST, SOUTH, STEP = 121.47, 31.23, 0.001


def at(x: float, y: float) -> tuple[float, float]:
    """Return (longitude, latitude) of a place on a grid of 0.001°."""
    return round(WEST + x * STEP, 7), round(SOUTH + y * STEP, 7)


def write_pbf(path: Path, nodes: Mapping[int, tuple[float, float]], ways: Sequence[Way]) -> Path:
    """Write nodes (grid places by id) and ways (id, nodes, tags) as OpenStreetMap PBF."""
    path.unlink(missing_ok=True)
    with osmium.SimpleWriter(str(path)) as writer:
        for node, place in sorted(nodes.items()):
            writer.add_node(osmium.osm.mutable.Node(id=node, location=at(*place)))
        for way, refs, tags in sorted(ways, key=lambda each: each[0]):
            writer.add_way(osmium.osm.mutable.Way(id=way, nodes=list(refs), tags=dict(tags)))
    return path


def write_lines(path: Path, lines: Sequence[tuple[Mapping[str, Any], Sequence[tuple[float, float]]]]) -> Path:
    """Write lines (properties, grid places) as GeoJSON."""
    features = [
        {
            "type": "Feature",
            "properties": dict(properties),
            "geometry": {"type": "LineString", "coordinates": [at(*place) for place in places]},
        }
        for properties, places in lines
    ]
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False), encoding="utf-8"
    )
    return path


def import_roads(
    folder: Path, *files: str, commit: bool = True, allow_removal: bool = False, **source: Any
) -> RunReport:
    """Import road files of one source; PBF rows are known by way and segment, GeoJSON rows by their ``id``."""
    parts = [
        {"file": file, "ext_id": ["osm_id", "segment"] if file.endswith(".pbf") else ["id"], "prefix": prefix}
        for file, prefix in zip(files, ["", "b:", "c:"], strict=False)
    ]
    declared = {"key": "roads", "title": "测试道路", "family": "roads", "datum": "wgs84", "parts": parts, **source}
    [spec] = manifest_of({"source": [declared]}).sources
    run = draft_source(spec=spec, files=[folder / file for file in files])
    [report] = publish_runs(runs=[run], commit=commit, allow_removal=allow_removal)
    return report


def segments() -> dict[str, RoadSegment]:
    """Return the current segments by their id in the source."""
    return {each.ext_id: each for each in RoadSegment.objects.filter(retired_at=None)}


def segment(source: Source, ext_id: str, line: shapely.LineString, **attributes: Any) -> RoadSegment:
    """Return a segment written straight into the database."""
    from django.contrib.gis.geos import GEOSGeometry

    from geo.crs.codes import CGCS2000

    return RoadSegment.objects.create(
        source=source,
        ext_id=ext_id,
        geom=GEOSGeometry(line.wkb.hex(), srid=CGCS2000),
        length_m=attributes.pop("length_m", 100.0),
        from_node=attributes.pop("from_node", 1),
        to_node=attributes.pop("to_node", 2),
        highway=attributes.pop("highway", "residential"),
        **attributes,
    )


def published_source(key: str = "streets", provenance: str = Provenance.REAL) -> Source:
    """Return a published source of roads."""
    from django.utils import timezone

    return Source.objects.create(key=key, title=key, family="roads", provenance=provenance, published_at=timezone.now())
