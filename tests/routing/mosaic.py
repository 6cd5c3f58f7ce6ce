"""Reads the real road mosaic of ``QUANTU_DATA`` as ``RoadEdges``, for tests and benchmarks."""

from __future__ import annotations

import csv
import gzip
import io
import os
from pathlib import Path

import numpy as np

from routing.edges import RoadEdges, highway_codes

DATA = Path(os.environ.get("QUANTU_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data"))
EDGES = DATA / "osm-roads" / "shanghai_roads_mosaic_edges.csv.gz"
PBF = DATA / "osm-roads" / "shanghai_roads_mosaic.osm.pbf"

NOT_ON_FOOT = {"motorway", "motorway_link", "trunk", "trunk_link"}
NOT_BY_BICYCLE = NOT_ON_FOOT | {"steps"}
NOT_BY_CAR = {"footway", "pedestrian", "path", "steps", "cycleway"}
YES = {"yes", "designated", "permissive"}


def _allowed(row: dict[str, str], key: str, forbidden: set[str]) -> bool:
    if row["access"] in {"no", "private"} and row[key] not in YES:
        return False
    if row[key] in YES:
        return True
    return row[key] not in {"no", "private"} and row["highway"] not in forbidden


def read_edges(limit_box: tuple[float, float, float, float] | None = None) -> RoadEdges:
    """Return the mosaic, or the roads that begin inside (west, south, east, north)."""
    rows: list[dict[str, str]] = []
    lines: list[np.ndarray] = []
    with gzip.open(EDGES) as packed:
        for row in csv.DictReader(io.TextIOWrapper(packed, encoding="utf-8")):
            line = np.array([pair.split() for pair in row["geometry_lonlat"].split(";")], dtype=float)
            if limit_box is not None:
                west, south, east, north = limit_box
                if not (west <= line[0, 0] <= east and south <= line[0, 1] <= north):
                    continue
            rows.append(row)
            lines.append(line)
    points = np.concatenate(lines)
    none = np.zeros(len(rows), dtype=bool)
    return RoadEdges(
        ext_id=np.array([int(row["edge_id"]) for row in rows], dtype=np.int64),
        from_node=np.array([int(row["u"]) for row in rows], dtype=np.int64),
        to_node=np.array([int(row["v"]) for row in rows], dtype=np.int64),
        highway=highway_codes(row["highway"] for row in rows),
        oneway=np.array([int(row["oneway"] or 0) for row in rows], dtype=np.int8),
        foot=np.array([_allowed(row, "foot", NOT_ON_FOOT) for row in rows]),
        bicycle=np.array([_allowed(row, "bicycle", NOT_BY_BICYCLE) for row in rows]),
        car=np.array([row["access"] not in {"no", "private"} and row["highway"] not in NOT_BY_CAR for row in rows]),
        bridge=np.array([row["bridge"] not in {"", "no"} for row in rows]),
        tunnel=np.array([row["tunnel"] not in {"", "no"} for row in rows]),
        steps=np.array([row["highway"] == "steps" for row in rows]),
        ferry=none,
        kerb=none,
        duration_s=np.full(len(rows), np.nan),
        offsets=np.concatenate(([0], np.cumsum([len(line) for line in lines]))).astype(np.int64),
        lon=points[:, 0].copy(),
        lat=points[:, 1].copy(),
    )
