"""Importing the areas of the base map: water, green, land, campuses, buildings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import shapely

from geo.basemap.models import BasemapFeature, BasemapKind
from geo.geometry import BadGeometry, geodesic_area_m2, repair
from geo.imports.importer import importer
from geo.imports.merging import SourcedImporter
from geo.imports.models import Family, Source
from geo.imports.rows import Draft, RawRow


@importer
class BasemapImporter(SourcedImporter):
    """Drawn areas; a polygon that crosses itself is mended by the rules and reported."""

    family = Family.BASEMAP
    model = BasemapFeature
    fields = ("kind", "name", "height_m", "area_m2")
    expressions: ClassVar = {"geom": "ST_Multi(d.geom)"}

    def normalise(self, row: RawRow) -> Draft:
        """See ``FamilyImporter.normalise``."""
        kind = row.choice("kind", BasemapKind.values)
        shape = row.shape_of("Polygon", "MultiPolygon")
        try:
            mended = repair(shape)
        except BadGeometry as fault:
            raise row.refuse("invalid_shape", what=fault.message[:80]) from fault
        if mended.changed:
            row.warn("shape_repaired")
        payload = {
            "kind": kind,
            "name": row.text("name", limit=120),
            "height_m": row.number_of("height_m", least=0, most=1_000),
            "area_m2": round(geodesic_area_m2(mended.geometry), 1),
        }
        return Draft(payload, mended.geometry)

    def area_condition(self, area_code: str) -> tuple[str, list[Any]]:
        """See ``SourcedImporter.area_condition``: features whose inner point lies in the region."""
        where = """EXISTS (
            SELECT 1 FROM regions_regionversion v JOIN regions_edition e ON e.id = v.edition_id
            JOIN regions_regionpart p ON p.version_id = v.id
            WHERE e.state = 'published' AND v.code = %s AND ST_Covers(p.geom, ST_PointOnSurface(t.geom)))"""
        return where, [area_code]

    def namesakes(self, names: Sequence[str], *, besides: Source) -> dict[str, list[shapely.Geometry]]:
        """See ``FamilyImporter.namesakes``: names of greens repeat too often to tell anything."""
        return {}
