"""Importing communities and standard addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Final

import shapely

from geo.addresses.columns import LONGEST, PARTS, columns_of, normal_of
from geo.addresses.lookups import roads_of_addresses
from geo.addresses.models import Address, AddressAlias, Community, PointSource
from geo.addresses.parsing import parse
from geo.addresses.placing import (
    add_to_payloads,
    locate_rows,
    names_before,
    place_rows,
    rows_in_area,
    sources_before,
)
from geo.addresses.upkeep.aliases import ALIAS, MERGED, RETIRED, SPLIT, make_all_aliases
from geo.addresses.upkeep.replay import doors_known_now
from geo.geometry import BadGeometry, repair
from geo.imports.importer import Act, importer
from geo.imports.merging import SourcedImporter
from geo.imports.models import Correction, DraftRow, Family
from geo.imports.rows import Draft, RawRow
from geo.names import grams
from geo.roads.actions import name_unmapped_roads

COMMUNITY_KINDS: Final = ("residential", "nonresidential")
YEARS: Final = (1840, 2100)
_SEVERAL: Final = re.compile(r"\s*[、,，;；|]\s*")


def located(row: RawRow) -> dict[str, Any]:
    """Return what a row says of its point: where it comes from, and the radius in metres that holds it nine times in ten."""
    return {
        "point_source": row.choice("point_source", PointSource.values, default=PointSource.SOURCE),
        "uncertainty_m": row.number_of("uncertainty_m", least=0.1, most=50_000) or 20.0,
    }


class LocatedImporter(SourcedImporter):
    """What importers of rows with a point, a region and a cell share."""

    needs_point: ClassVar[bool] = True
    cells: ClassVar[bool] = True

    def prepare(self, act: Act) -> None:
        """Find the points that are missing, then the regions of all."""
        locate_rows(act)
        place_rows(act)

    def area_condition(self, area_code: str) -> tuple[str, list[Any]]:
        """See ``SourcedImporter.area_condition``."""
        return rows_in_area(area_code)


@importer
class CommunityImporter(LocatedImporter):
    """Communities: a point, perhaps a boundary, the address they are known by."""

    family = Family.COMMUNITIES
    model = Community
    fields = (
        *("name", "kind", "aliases", "address_text", "boundary", "households", "built_year"),
        *("grams", "point_source", "uncertainty_m"),
    )
    expressions: ClassVar = {"boundary": "ST_Multi((d.payload->>'boundary')::geometry)"}
    derived = ("grams",)

    def normalise(self, row: RawRow) -> Draft:
        """See ``FamilyImporter.normalise``."""
        payload = {
            "name": row.text("name", limit=120, required=True),
            "kind": row.choice("kind", COMMUNITY_KINDS, default="residential"),
            "aliases": [name for name in _SEVERAL.split(row.text("aliases")) if name],
            "address_text": row.text("address_text"),
            "households": row.integer("households", most=200_000),
            "built_year": _year(row),
            "boundary": _boundary(row),
            **located(row),
        }
        point = row.point()
        if point is None and row.shape is not None:
            point = shapely.point_on_surface(row.shape)
        return Draft(payload, point)

    def derive(self, payload: dict[str, Any]) -> dict[str, Any]:
        """See ``FamilyImporter.derive``."""
        found = dict.fromkeys(piece for name in (payload["name"], *payload["aliases"]) for piece in grams(name))
        return {**payload, "grams": list(found)}


@importer
class AddressImporter(LocatedImporter):
    """Standard addresses, given in parts or as one line of text that the grammar reads."""

    family = Family.ADDRESSES
    model = Address
    fields = (*PARTS, "text", "normal", "point_source", "uncertainty_m")
    correctable = ("community_source", "community_ext_id")
    grows = True
    leaving = (MERGED, SPLIT, RETIRED)
    beside = (ALIAS,)
    owns = (AddressAlias,)
    expressions: ClassVar = {
        "community_id": """(SELECT c.id FROM addresses_community c
            WHERE c.source_id = (SELECT s.id FROM imports_source s WHERE s.key = d.payload->>'community_source')
            AND c.ext_id = d.payload->>'community_ext_id' AND c.retired_at IS NULL)"""
    }

    def normalise(self, row: RawRow) -> Draft:
        """See ``FamilyImporter.normalise``. The text is read into parts later, with the names of the published roads."""
        parts = {name: row.text(name, limit=LONGEST[name]) for name in PARTS}
        text = row.text("text")
        if not text and not parts["road"]:
            raise row.refuse("missing_value", "text")
        payload = {
            **{name: value for name, value in parts.items() if value},
            "text": text,
            "community_ext_id": row.text("community_ext_id"),
            "community_source": row.text("community_source"),
            **located(row),
        }
        return Draft(payload, row.point())

    def derive(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Write the normal form of an address given in parts."""
        if not payload.get("road"):
            return payload
        normal = normal_of(payload)
        return {**payload, "normal": normal, "text": payload["text"] or normal}

    def read(self, act: Act) -> None:
        """See ``FamilyImporter.read``: texts are read into parts, so that corrections of single parts lie over all of them."""
        texts = DraftRow.objects.filter(run=act.run).exclude(payload__has_key="normal")
        if not texts.exists():
            return
        gazetteer = names_before(sources_before(act)).gazetteer
        read: dict[int, dict[str, Any]] = {}
        for draft in texts.iterator():
            columns = columns_of(parse(draft.payload["text"], gazetteer))
            if columns is not None:
                read[draft.pk] = columns
        add_to_payloads(read)

    def caught_up(self, act: Act, added: Sequence[Correction]) -> frozenset[str]:
        """See ``FamilyImporter.caught_up``."""
        return doors_known_now(act, added, leaving=self.leaving)

    def prepare(self, act: Act) -> None:
        """Refuse what could not be read, then find points and regions."""
        unread = DraftRow.objects.filter(run=act.run).exclude(payload__has_key="normal")
        act.refuse(list(unread), "no_address", "text")
        super().prepare(act)

    def settle(self, act: Act) -> None:
        """See ``FamilyImporter.settle``: a road that only addresses know can be searched for too; aliases are made again."""
        name_unmapped_roads(roads_of_addresses())
        act.warn("correction_lost", sum(1 for lost in make_all_aliases() if lost.source_id == act.source.pk))

    def kinds(self, payload: Any) -> str:
        """See ``FamilyImporter.kinds``."""
        return "门牌"


def _year(row: RawRow) -> int | None:
    year = row.integer("built_year", least=-(10**12), most=10**12)
    if year is None or YEARS[0] <= year <= YEARS[1]:
        return year
    row.warn("value_ignored")
    return None


def _boundary(row: RawRow) -> str | None:
    if row.shape is None or row.shape.geom_type == "Point":
        return None
    shape = row.shape_of("Polygon", "MultiPolygon")
    try:
        mended = repair(shape)
    except BadGeometry as fault:
        raise row.refuse("invalid_shape", what=fault.message[:80]) from fault
    if mended.changed:
        row.warn("shape_repaired")
    return shape_hex(mended.geometry)


def shape_hex(shape: shapely.Geometry) -> str:
    """Return a geometry as the hexadecimal EWKB that PostGIS reads."""
    from geo.crs.codes import CGCS2000

    return str(shapely.to_wkb(shapely.set_srid(shape, CGCS2000), hex=True, include_srid=True))
