"""How boundaries and population come in: a regions source makes a new edition, a census makes rows of population."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Final

import shapely
from django.db import connection
from django.db.models import QuerySet
from shapely.geometry.base import BaseGeometry

from geo.errors import BadInput
from geo.geometry import BadGeometry, repair
from geo.imports.importer import Act, Counts, FamilyImporter, importer
from geo.imports.models import DraftRow, Family, Provenance, Source
from geo.imports.purging import RETIRED_INVENTED, Purged, purge_rows
from geo.imports.rows import Draft, RawRow
from geo.regions.actions import create_edition, load_regions, publish_edition
from geo.regions.checks import check_regions
from geo.regions.fitting import fit_parents, parent_code_of, with_city
from geo.regions.models import (
    Edition,
    EditionState,
    PendingAssignment,
    Population,
    Region,
    RegionCode,
    RegionPart,
    RegionSuccession,
    RegionVersion,
)
from geo.regions.queries import current_city, published_edition, records_of
from geo.regions.records import LEVELS, RegionRecord

OLDEST: Final = 150
"""The last age of an age group without an upper end, so that a total is ages 0 to 150."""

_BY_DIGITS: Final = {6: "district", 9: "street", 12: "committee"}


@importer
class RegionsImporter(FamilyImporter):
    """Publishes boundaries as one new edition; the edition before stays answerable.

    A source of the whole city replaces the edition; one of an area replaces what lies under that area's code. The city is
    joined from its districts when no row brings it, and a parent drawn by another hand than its children is fitted to them.
    """

    family = Family.REGIONS
    fields = ("code", "level", "name", "parent_code")

    def normalise(self, row: RawRow) -> Draft:
        """Return the draft of a region: statistical code, level (from the code's length when not said), name, parent, area."""
        code = row.text("code", limit=20, required=True)
        if len(code) == 12 and code.endswith("000000"):
            code = code[:6]
        level = row.choice("level", LEVELS, default=_BY_DIGITS.get(len(code), ""))
        if level not in LEVELS:
            raise row.refuse("unknown_value", "level", code)
        try:
            mended = repair(row.shape_of("Polygon", "MultiPolygon"))
        except BadGeometry as fault:
            raise row.refuse("invalid_shape") from fault
        if mended.changed:
            row.warn("shape_repaired")
        payload = {
            "code": code,
            "level": level,
            "name": row.text("name", limit=100, required=True),
            "parent_code": row.text("parent_code", limit=20) or parent_code_of(code, level, current_city()),
        }
        return Draft(payload, mended.geometry)

    def prepare(self, act: Act) -> None:
        """Refuse the drafts that no edition could hold, and then those that lost their parent by it."""
        refused = True
        while refused:
            refused = False
            drafts = list(DraftRow.objects.filter(run=act.run).defer("geom").order_by("pk"))
            faults = self._faults(act.source, drafts)
            for draft in drafts:
                if draft.ext_id in faults:
                    act.refuse(draft, *faults[draft.ext_id])
                    refused = True

    def _faults(self, source: Source, drafts: Sequence[DraftRow]) -> dict[str, tuple[str, str]]:
        """Return by row why it cannot be in an edition: a code twice, a parent that is not there or not above it."""
        levels = {draft.payload["code"]: draft.payload["level"] for draft in reversed(drafts)}
        known = levels | {current_city().code: "city"}
        if source.area_code:
            known = {record.code: record.level for record in _around(source, set(levels))} | known
        first: dict[str, str] = {}
        faults = {}
        for draft in drafts:
            code, level, parent = (draft.payload[name] for name in ("code", "level", "parent_code"))
            if first.setdefault(code, draft.ext_id) != draft.ext_id:
                faults[draft.ext_id] = ("duplicate_id", "code")
            elif level != "city" and (parent not in known or LEVELS.index(known[parent]) >= LEVELS.index(level)):
                faults[draft.ext_id] = ("unknown_parent", "parent_code")
        return faults

    def publish(self, act: Act) -> Counts:
        """Make a draft edition of the drafts, check it, publish it; nothing happens when it would equal the published one."""
        drafts = DraftRow.objects.filter(run=act.run)
        records = self._records(act.source, drafts)
        found = check_regions(records, current_city())
        for finding in found:
            if finding.severity == "warning":
                act.warn(finding.code)
        act.run.report = {**act.run.report, "findings": [_told(each) for each in found[:_FINDINGS_KEPT]]}
        final = fit_parents(records)
        old = _own_edition(act.source)
        counts = _compare(records_of(old) if old else [], final)
        if old and not (counts.added or counts.changed or counts.removed):
            return counts
        title = f"{act.source.title} {act.at:%Y-%m-%d}"[:100]
        edition = create_edition(name=title, source=act.source, effective_on=act.source.as_of)
        load_regions(edition=edition, records=final)
        publish_edition(edition=edition)
        with connection.cursor() as cursor:
            # what follows in this transaction asks these tables, and must not be planned by what they were before
            cursor.execute(f"ANALYZE {RegionVersion._meta.db_table}, {RegionPart._meta.db_table}")
        return counts

    def current_rows(self, source: Source) -> int:
        """See ``FamilyImporter.current_rows``."""
        edition = _own_edition(source)
        return edition.versions.count() if edition else 0

    def missing_rows(self, act: Act) -> int:
        """See ``FamilyImporter.missing_rows``: the city itself is never missing, it is joined from its districts."""
        edition = _own_edition(act.source)
        if edition is None:
            return 0
        codes = {record.code for record in self._records(act.source, DraftRow.objects.filter(run=act.run))}
        return edition.versions.exclude(code__in=codes).count()

    def retire_invented(self, *, area_code: str, at: datetime.datetime) -> int:
        """Return how many invented regions the new edition has superseded; publishing it was their retirement."""
        superseded = RegionVersion.objects.filter(
            edition__state=EditionState.SUPERSEDED,
            edition__source__provenance=Provenance.INVENTED,
            edition__source__retired_at=None,
        )
        return superseded.count() if published_edition() else 0

    def purge_invented(self) -> Purged:
        """See ``FamilyImporter.purge_invented``: whole editions, counted by their regions, then what only they knew."""
        dead = Edition.objects.filter(
            state=EditionState.SUPERSEDED, source__provenance=Provenance.INVENTED, source__retired_at__isnull=False
        )
        editions = list(dead.values_list("pk", flat=True))
        if not editions:
            return Purged()
        versions = RegionVersion.objects.filter(edition__in=editions)
        regions = list(versions.values_list("region_id", flat=True).distinct())
        gone = purge_rows(RegionVersion, "t.edition_id = ANY(%s)", [editions], owns=(RegionPart,))
        purge_rows(Edition, "t.id = ANY(%s)", [editions], owns=(RegionSuccession, PendingAssignment))
        purge_rows(Region, "t.id = ANY(%s)", [regions], owns=(RegionCode,))
        return gone

    def areas(self, names: Sequence[str]) -> Mapping[str, BaseGeometry]:
        """Return the published shapes of real regions by name, namesakes joined."""
        rows = RegionVersion.objects.filter(
            edition__state=EditionState.PUBLISHED, edition__source__provenance=Provenance.REAL, name__in=list(names)
        ).values_list("name", "geom")
        shapes: dict[str, list[BaseGeometry]] = {}
        for name, geom in rows:
            shapes.setdefault(name, []).append(shapely.from_wkb(bytes(geom.wkb)))
        return {name: shapely.union_all(each) for name, each in shapes.items()}

    def kinds(self, payload: Mapping[str, Any]) -> str:
        """Count regions by level."""
        return str(payload["level"])

    def _records(self, source: Source, drafts: QuerySet[DraftRow]) -> list[RegionRecord]:
        rows = list(drafts.order_by("pk").values_list("payload", "geom"))
        new = [
            RegionRecord(
                payload["code"],
                payload["level"],
                payload["name"],
                payload["parent_code"],
                shapely.from_wkb(bytes(geom.wkb)),
            )
            for payload, geom in rows
            if geom is not None
        ]
        kept = _around(source, {record.code for record in new}) if source.area_code else []
        return with_city([*kept, *new], current_city())


_FINDINGS_KEPT: Final = 50


def _told(finding: Any) -> dict[str, Any]:
    return {"code": finding.code, "message": finding.message, "at": finding.at, "area_m2": finding.area_m2}


def _own_edition(source: Source) -> Edition | None:
    edition = published_edition()
    return edition if edition and edition.source_id == source.pk else None


def _around(source: Source, replaced: set[str]) -> list[RegionRecord]:
    """Return the published regions that a source of one area leaves as they are."""
    edition = published_edition()
    if edition is None or edition.source.provenance != source.provenance:
        raise BadInput("regions_area_alone", "只含部分区域的区划，须先发布全市区划再导入。")
    under = set(edition.versions.filter(path__contains=f"{source.area_code}.").values_list("code", flat=True))
    dropped = (under - {source.area_code}) | replaced
    return [record for record in records_of(edition) if record.code not in dropped]


def _compare(old: Sequence[RegionRecord], new: Sequence[RegionRecord]) -> Counts:
    before = {record.code: record for record in old}
    added = sum(record.code not in before for record in new)
    changed = sum(record.code in before and _differs(before[record.code], record) for record in new)
    removed = len(before.keys() - {record.code for record in new})
    return Counts(added, changed, len(new) - added - changed, removed)


def _differs(old: RegionRecord, new: RegionRecord) -> bool:
    if (old.level, old.name, old.parent_code) != (new.level, new.name, new.parent_code):
        return True
    # the order of rings and vertices says nothing; neither does the last bit of a degree
    return bool(shapely.symmetric_difference(old.polygon, repair(new.polygon).geometry).area > 1e-12)


@importer
class PopulationImporter(FamilyImporter):
    """Publishes residents by region, year, age and sex; a total is ages 0 to 150 of both sexes."""

    family = Family.POPULATION
    fields = ("region_code", "year", "age_from", "age_to", "sex", "persons")

    def normalise(self, row: RawRow) -> Draft:
        """Return the draft of one figure; ages default to all, sex to both (``a``)."""
        persons = row.integer("persons", most=100_000_000)
        year = row.integer("year", least=1949, most=2100)
        if persons is None or year is None:
            raise row.refuse("missing_value", "persons" if persons is None else "year")
        age_from = row.integer("age_from", most=OLDEST) or 0
        age_to = row.integer("age_to", most=OLDEST)
        if age_to is not None and age_to < age_from:
            raise row.refuse("out_of_range", "age_to", f"{age_from}–{age_to}")
        payload = {
            "region_code": row.text("region_code", limit=20, required=True),
            "year": year,
            "age_from": age_from,
            "age_to": OLDEST if age_to is None else age_to,
            "sex": row.choice("sex", ("f", "m", "a"), default="a"),
            "persons": persons,
        }
        return Draft(payload)

    def prepare(self, act: Act) -> None:
        """Refuse figures of regions that no published edition knows."""
        act.refuse(list(DraftRow.objects.raw(_STRANGE, [act.run.pk])), "unknown_region", "region_code")

    def publish(self, act: Act) -> Counts:
        """Merge the figures by region, year, ages and sex."""
        before = self.current_rows(act.source)
        with connection.cursor() as cursor:
            cursor.execute(_RETIRE_POPULATION, [act.at, act.source.pk, act.run.pk])
            gone = cursor.rowcount
            cursor.execute(_MERGE_POPULATION, [act.source.pk, act.run.pk])
            added, changed = cursor.fetchone()
            if added or changed:
                # the next question in this transaction is otherwise planned for an empty table, at thousandfold cost
                cursor.execute(f"ANALYZE {Population._meta.db_table}")
        return Counts(added, changed, max(before - gone - changed, 0), gone)

    def current_rows(self, source: Source) -> int:
        """See ``FamilyImporter.current_rows``."""
        return Population.objects.filter(source=source, retired_at=None).count()

    def missing_rows(self, act: Act) -> int:
        """See ``FamilyImporter.missing_rows``."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) {_MISSING_POPULATION}", [act.source.pk, act.run.pk])
            return int(cursor.fetchone()[0])

    def purge_invented(self) -> Purged:
        """See ``FamilyImporter.purge_invented``."""
        return purge_rows(Population, RETIRED_INVENTED)

    def retire_invented(self, *, area_code: str, at: datetime.datetime) -> int:
        """See ``FamilyImporter.retire_invented``; an area holds the regions whose path ever led through its code."""
        rows = Population.objects.filter(source__provenance=Provenance.INVENTED, retired_at=None)
        if area_code:
            rows = rows.filter(region__in=RegionVersion.objects.filter(path__contains=f"{area_code}.").values("region"))
        return rows.update(retired_at=at)


_REGION_OF_DRAFT: Final = f"""
    JOIN {RegionVersion._meta.db_table} v ON v.code = d.payload->>'region_code'
    JOIN {Edition._meta.db_table} e ON e.id = v.edition_id AND e.state = 'published'"""

_STRANGE: Final = f"""
    SELECT d.* FROM imports_draftrow d WHERE d.run_id = %s AND NOT EXISTS (
        SELECT 1 FROM {RegionVersion._meta.db_table} v
        JOIN {Edition._meta.db_table} e ON e.id = v.edition_id AND e.state = 'published'
        WHERE v.code = d.payload->>'region_code') ORDER BY d.id"""

_SAME_FIGURE: Final = """p.region_id = v.region_id AND p.year = (d.payload->>'year')::int
    AND p.age_from = (d.payload->>'age_from')::int AND p.age_to = (d.payload->>'age_to')::int
    AND p.sex = d.payload->>'sex'"""

_MISSING_POPULATION: Final = f"""
    FROM {Population._meta.db_table} p WHERE p.source_id = %s AND p.retired_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM imports_draftrow d {_REGION_OF_DRAFT} WHERE d.run_id = %s AND {_SAME_FIGURE})"""

_RETIRE_POPULATION: Final = f"""
    UPDATE {Population._meta.db_table} p SET retired_at = %s WHERE {_MISSING_POPULATION.split("WHERE", 1)[1]}"""

_MERGE_POPULATION: Final = f"""
    WITH merged AS (
        INSERT INTO {Population._meta.db_table} AS t (region_id, source_id, year, age_from, age_to, sex, persons)
        SELECT v.region_id, %s, (d.payload->>'year')::int, (d.payload->>'age_from')::int,
            (d.payload->>'age_to')::int, d.payload->>'sex', (d.payload->>'persons')::int
        FROM imports_draftrow d {_REGION_OF_DRAFT} WHERE d.run_id = %s
        ON CONFLICT (region_id, source_id, year, age_from, age_to, sex) DO UPDATE
            SET persons = excluded.persons, retired_at = NULL
            WHERE t.retired_at IS NOT NULL OR t.persons <> excluded.persons
        RETURNING xmax::text = '0' AS added
    )
    SELECT count(*) FILTER (WHERE added), count(*) FILTER (WHERE NOT added) FROM merged"""
