"""Is the declared datum true? Drafts are measured against what is published: namesakes, the districts they name, and roads.

A file in the wrong datum shows as one constant offset; it is reported and refused, never repaired.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from django.db import connection
from shapely import from_wkb
from shapely.geometry.base import BaseGeometry

from geo.crs import Coordinates, DatumVerdict, System, convert, detect_datum, detect_datum_by_network
from geo.imports.importer import Act, FamilyImporter, importers
from geo.imports.models import Family, Provenance
from geo.imports.queries import edition_of

MOST_COMPARED: Final = 4_000
COMMONEST: Final = 4
"""A name that more places than this carry says nothing about where one of them is."""
FAR_DEG: Final = 0.03
"""No datum mistake moves a point further than this, some 3 km."""
TIGHT_M: Final = 200.0
FEWEST_PAIRS: Final = 20
FEWEST_STATED: Final = 100
CLEAR_SHARE: Final = 0.05
TRUSTED_SHARE: Final = 0.9
READINGS: Final = (System.WGS84, System.GCJ02, System.BD09)


@dataclass(frozen=True, slots=True)
class DatumEvidence:
    """What a detector saw: whether it is sure that the datum is wrong, and the sentence for the report."""

    wrong: bool
    sentence: str


def judge_datum(act: Act, importer: FamilyImporter) -> list[DatumEvidence]:
    """Return the evidence on the declared datum of a run from every detector that has enough to go by.

    Only what is real is judged: invented rows are made in CGCS2000, and real ones do not lie along invented roads.
    """
    if act.source.provenance != Provenance.REAL:
        return []
    declared = System.parse(act.source.datum)
    names, places, stated = _drafted(act, importer)
    if not places.size:
        return []
    found = [
        _by_namesakes(act, importer, names, places, declared),
        _by_district(names, places, stated, declared),
        _by_roads(places, declared) if importer.needs_point else None,
    ]
    return [evidence for evidence in found if evidence]


def _drafted(act: Act, importer: FamilyImporter) -> tuple[list[str], npt.NDArray[np.object_], list[str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT coalesce(payload->>'name', ''), coalesce(payload->>'stated_district', ''), ST_AsBinary(geom)
               FROM imports_draftrow WHERE run_id = %s AND geom IS NOT NULL
               AND (%s OR payload->>'name' <> '' OR payload->>'stated_district' <> '') ORDER BY md5(ext_id) LIMIT %s""",
            [act.run.pk, importer.needs_point, MOST_COMPARED],
        )
        rows = cursor.fetchall()
    shapes = np.array([from_wkb(bytes(wkb)) for _, _, wkb in rows], dtype=object)
    return [row[0] for row in rows], shapes, [row[1] for row in rows]


def _by_namesakes(
    act: Act, importer: FamilyImporter, names: Sequence[str], shapes: npt.NDArray[np.object_], declared: System
) -> DatumEvidence | None:
    known = importer.namesakes([name for name in dict.fromkeys(names) if name], besides=act.source)
    known = {name: places for name, places in known.items() if len(places) <= COMMONEST}
    pairs = [_pair(shape, known[name]) for name, shape in zip(names, shapes, strict=True) if name in known]
    near = np.array([pair for pair in pairs if pair], dtype=np.float64)
    if len(near) < FEWEST_PAIRS:
        return None
    here = convert(Coordinates(near[:, 0], near[:, 1], System.CGCS2000), declared)
    finding = detect_datum(here, Coordinates(near[:, 2], near[:, 3], System.CGCS2000))
    measured = finding.as_declared
    tight = measured is not None and measured.spread_m <= TIGHT_M
    wrong = finding.verdict in (DatumVerdict.OTHER_DATUM, DatumVerdict.CORRECTED_TWICE) and tight
    return DatumEvidence(wrong, finding.sentence)


def _pair(shape: BaseGeometry, namesakes: Sequence[BaseGeometry]) -> tuple[float, float, float, float] | None:
    """Return (lon, lat) of a draft and of its nearest namesake, None when none is within reach of a datum mistake."""
    here = shapely.centroid(shape)
    spots = [shapely.centroid(place) for place in namesakes]
    nearest = min(spots, key=lambda spot: shapely.distance(here, spot))
    if shapely.distance(here, nearest) > FAR_DEG:
        return None
    return here.x, here.y, nearest.x, nearest.y


def _by_roads(shapes: npt.NDArray[np.object_], declared: System) -> DatumEvidence | None:
    """Judge by the roads that stops, stations and doors hug; of places that keep away from roads nothing is said."""
    roads = importers().get(Family.ROADS)
    if roads is None:
        return None
    points = Coordinates(shapely.get_x(shapes), shapely.get_y(shapes), System.CGCS2000)
    network = _network(edition_of([Family.ROADS]), roads)
    finding = detect_datum_by_network(convert(points, declared), network)
    if finding.verdict is DatumVerdict.UNDECIDED:
        return None
    return DatumEvidence(finding.verdict is not DatumVerdict.AS_DECLARED, finding.sentence)


@lru_cache(maxsize=1)
def _network(edition: str, roads: FamilyImporter) -> Coordinates:
    """Return the real roads of an edition: all sources of an act are measured against the same."""
    return roads.network(provenance=Provenance.REAL)


def _by_district(
    names: Sequence[str], shapes: npt.NDArray[np.object_], stated: Sequence[str], declared: System
) -> DatumEvidence | None:
    regions = importers().get(Family.REGIONS)
    areas = regions.areas(sorted({district for district in stated if district})) if regions else {}
    usable = [at for at, district in enumerate(stated) if district in areas]
    if len(usable) < FEWEST_STATED:
        return None
    spots = shapely.centroid(shapes[usable])
    raw = convert(Coordinates(shapely.get_x(spots), shapely.get_y(spots), System.CGCS2000), declared)
    districts = [stated[at] for at in usable]
    shares = {reading: _share_inside(Coordinates(raw.x, raw.y, reading), districts, areas) for reading in READINGS}
    reading = declared if declared in shares else System.WGS84
    if not declared.is_geographic:
        return None
    best = max(shares, key=lambda each: shares[each])
    wrong = best is not reading and shares[best] >= TRUSTED_SHARE and shares[best] - shares[reading] >= CLEAR_SHARE
    told = "、".join(f"按 {each.label} 为 {share:.1%}" for each, share in shares.items())
    return DatumEvidence(wrong, f"{len(usable)} 行写明了所在的区，落在该区内的比例：{told}。")


def _share_inside(points: Coordinates, districts: Sequence[str], areas: Mapping[str, BaseGeometry]) -> float:
    there = convert(points, System.CGCS2000)
    members: dict[str, list[int]] = defaultdict(list)
    for at, district in enumerate(districts):
        members[district].append(at)
    inside = sum(
        int(shapely.contains_xy(areas[district], there.x[rows], there.y[rows]).sum())
        for district, rows in members.items()
    )
    return inside / len(districts)
