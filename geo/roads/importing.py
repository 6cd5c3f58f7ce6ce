"""How roads come in: OpenStreetMap extracts, line files without nodes, and tables that are noded already."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import orjson
import shapely
from django.db import connection
from shapely.geometry.base import BaseGeometry

from geo.crs import Coordinates
from geo.imports.drafting import DraftedRow
from geo.imports.drafts import write_drafts
from geo.imports.importer import Act, follows, importer
from geo.imports.merging import SourcedImporter
from geo.imports.models import DraftRow, Family
from geo.imports.rows import Draft, RawRow
from geo.regions.queries import current_city
from geo.roads.actions import ask_for_graph, rebuild_names
from geo.roads.models import Closure, RoadSegment
from geo.roads.noding import Noded, node_lines, node_numbers
from geo.roads.queries import points_along_roads
from geo.roads.tags import Way, way_of

ATTRIBUTES: Final = (
    *("name", "highway", "oneway", "foot", "bicycle", "car", "bridge", "tunnel", "steps", "ferry", "kerb"),
    *("duration_s",),
)


@importer
class RoadsImporter(SourcedImporter):
    """Publishes road segments. Rows carry the tags of OpenStreetMap under their own names, or the columns of the table.

    Rows with ``from_node`` and ``to_node`` are taken as they are cut. A source without nodes, or of several overlapping
    files, is cut afresh where its lines share points; of several files that hold a way (``osm_id``) the newest wins.
    """

    family = Family.ROADS
    model = RoadSegment
    fields = ("from_node", "to_node", *ATTRIBUTES)
    derived = ("length_m",)
    owns = (Closure,)

    def normalise(self, row: RawRow) -> Draft:
        """Return the draft of a segment or a line; roads not in use, planned or under construction are refused."""
        line = row.shape_of("LineString", "MultiLineString")
        merged = shapely.line_merge(line) if line.geom_type == "MultiLineString" else line
        if merged.geom_type != "LineString" or shapely.get_num_coordinates(merged) < 2 or merged.length == 0:
            raise row.refuse("wrong_shape")
        way = way_of(dict(row.fields))
        if way is None:
            raise row.refuse("not_used", "highway", row.text("highway", limit=1000)[:40])
        payload = {**_attributes(row, way), **_nodes(row, merged)}
        if row.value("osm_id") is not None:
            payload["way"] = row.text("osm_id", limit=40)
            payload["snapshot"] = row.text("x_snapshot", limit=40)
        return Draft(payload, merged)

    def prepare(self, act: Act) -> None:
        """Keep the newest of ways that several files hold, and node what came without nodes."""
        with connection.cursor() as cursor:
            cursor.execute(_OLDER_COPIES, {"run": act.run.pk})
        drafts = DraftRow.objects.filter(run=act.run)
        parts = drafts.values("part").distinct().count()
        if parts > 1 or drafts.filter(payload__unnoded=True).exists():
            self._node(act)
        with connection.cursor() as cursor:
            cursor.execute(_SHARE_DURATION, {"run": act.run.pk})

    def settle(self, act: Act) -> None:
        """See ``FamilyImporter.settle``: the search must never name a road that is no longer there."""
        rebuild_names()

    def column_expressions(self) -> dict[str, str]:
        """See ``SourcedImporter.column_expressions``: lengths are measured on the city's plane, in the database."""
        srid = current_city().plane.srid
        return {**super().column_expressions(), "length_m": f"ST_Length(ST_Transform(d.geom, {srid}))"}

    def area_condition(self, area_code: str) -> tuple[str, list[Any]]:
        """See ``SourcedImporter.area_condition``: a road lies where its middle lies."""
        return _IN_AREA, [area_code]

    def network(self, *, provenance: str) -> Coordinates:
        """See ``FamilyImporter.network``."""
        return points_along_roads(provenance=provenance)

    def kinds(self, payload: Any) -> str:
        """Count roads by class."""
        return str(payload["highway"])

    def _node(self, act: Act) -> None:
        """Put noded pieces in the place of the drafts of a source."""
        with connection.cursor() as cursor:
            cursor.execute(_DRAFTED, [act.run.pk])
            # Django hands jsonb over as text
            rows = [(*row[:3], orjson.loads(row[3]), row[4]) for row in cursor.fetchall()]
        lines = np.array(shapely.from_wkb([bytes(row[4]) for row in rows]), dtype=object)
        noded = node_lines(lines)
        act.warn("roads_nodes_derived", len(rows))
        act.warn("roads_crossing", noded.crossings)
        DraftRow.objects.filter(run=act.run).delete()
        write_drafts(act.run, _pieces(rows, noded), cells=False)


def _attributes(row: RawRow, way: Way) -> dict[str, Any]:
    name = row.text("name", limit=1000) or row.text("name:zh", limit=1000)
    return {
        "name": name[:120],
        **{field: getattr(way, field) for field in ATTRIBUTES if field != "name"},
    }


def _nodes(row: RawRow, line: BaseGeometry) -> dict[str, Any]:
    from_node, to_node = row.value("from_node"), row.value("to_node")
    if from_node is not None and to_node is not None:
        try:
            return {"from_node": int(from_node), "to_node": int(to_node)}
        except (TypeError, ValueError) as fault:
            raise row.refuse("not_a_number", "from_node") from fault
    ends = shapely.get_coordinates(line)[[0, -1]]
    first, last = node_numbers(ends[:, 0], ends[:, 1]).tolist()
    return {"from_node": first, "to_node": last, "unnoded": True}


def _pieces(rows: list[tuple[Any, ...]], noded: Noded) -> list[DraftedRow]:
    pieces = []
    columns = (noded.line, noded.piece, noded.from_node, noded.to_node, noded.shapes)
    for line, piece, first, last, shape in zip(*columns, strict=True):
        part, number, ext_id, payload, _ = rows[line]
        cut = {**payload, "from_node": int(first), "to_node": int(last)}
        pieces.append(DraftedRow(part, number, f"{ext_id[:112]}#{piece}", cut, shape))
    return pieces


@follows(Family.ROADS, Family.BASEMAP)
def roads_published(families: frozenset[str]) -> None:
    """After roads, or the water that cuts the ground between them, were published: the graph."""
    ask_for_graph()


def drafted_segment(
    *, part: str, number: int, ext_id: str, line: BaseGeometry, from_node: int, to_node: int, attributes: dict[str, Any]
) -> DraftedRow:
    """Return the draft of a segment of a table that is noded already; ``attributes`` are ``ATTRIBUTES`` by name.

    Absent attributes are those of an ordinary two-way street.
    """
    plain: dict[str, Any] = {
        **{"name": "", "highway": "residential", "oneway": 0, "foot": True, "bicycle": True, "car": True},
        **dict.fromkeys(("bridge", "tunnel", "steps", "ferry", "kerb"), False),
        "duration_s": None,
    }
    unknown = set(attributes) - set(plain)
    if unknown:
        raise ValueError(f"not attributes of a segment: {sorted(unknown)}")
    payload = {**plain, **attributes, "from_node": int(from_node), "to_node": int(to_node)}
    return DraftedRow(part, number, ext_id, payload, line)


_OLDER_COPIES: Final = """
    WITH best AS (
        SELECT DISTINCT ON (payload->>'way') payload->>'way' AS way, part
        FROM imports_draftrow WHERE run_id = %(run)s AND payload ? 'way'
        ORDER BY payload->>'way', payload->>'snapshot' DESC, id
    )
    DELETE FROM imports_draftrow d USING best
    WHERE d.run_id = %(run)s AND d.payload->>'way' = best.way AND d.part <> best.part"""

_SHARE_DURATION: Final = """
    WITH ferries AS (
        SELECT id, payload, ST_Length(geom) / nullif(sum(ST_Length(geom)) OVER (PARTITION BY payload->>'way'), 0) AS share
        FROM imports_draftrow
        WHERE run_id = %(run)s AND payload ? 'way' AND payload->>'duration_s' IS NOT NULL
    )
    UPDATE imports_draftrow d
    SET payload = d.payload || jsonb_build_object(
        'duration_s', round(((f.payload->>'duration_s')::numeric * f.share::numeric), 1))
    FROM ferries f WHERE f.id = d.id AND f.share < 0.999"""

_DRAFTED: Final = """
    SELECT part, row, ext_id, payload - 'unnoded', ST_AsBinary(geom)
    FROM imports_draftrow WHERE run_id = %s ORDER BY id"""

_IN_AREA: Final = """EXISTS (
    SELECT 1 FROM regions_regionpart p
    JOIN regions_regionversion v ON v.id = p.version_id
    JOIN regions_edition e ON e.id = v.edition_id AND e.state = 'published'
    WHERE v.code = %s AND ST_Covers(p.geom, ST_LineInterpolatePoint(t.geom, 0.5)))"""
