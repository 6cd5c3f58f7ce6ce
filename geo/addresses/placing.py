"""The one place where points get their region: every family of located rows is placed here, imported ones inside their act."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import orjson
import shapely
from django.contrib.gis.geos import Point
from django.db import connection

from geo.addresses.gazetteer import Names, Published, names_of, published_now
from geo.addresses.geocode import LONGEST, MOST_TEXTS, Candidate, geocode, geocode_many
from geo.addresses.models import Address, PointSource
from geo.addresses.parsing import Gazetteer, roads_of
from geo.crs.codes import CGCS2000
from geo.errors import BadInput
from geo.grids.cells import cell_at
from geo.imports.drafts import set_points
from geo.imports.importer import IMPORT_ORDER, Act
from geo.imports.merging import PLACES
from geo.imports.models import CURRENT, DraftRow, Family
from geo.regions.models import RegionVersion
from geo.regions.queries import assign_regions, published_edition
from geo.roads.models import RoadName
from geo.scope import Scope

MOST_UNCERTAIN_M: Final = 1_000.0
SHARP: Final[Mapping[str, str]] = {
    "door": PointSource.ADDRESS,
    "lane": PointSource.ADDRESS,
    "interpolated": PointSource.ROAD,
    "community": PointSource.COMMUNITY,
}
"""The levels of an answer that are a place, and what the point is then said to come from."""

_OTHER_DISTRICT = """
    SELECT count(*) FROM imports_draftrow d JOIN import_places p ON p.draft = d.id
    JOIN regions_edition e ON e.state = 'published'
    JOIN regions_regionversion v ON v.edition_id = e.id AND v.region_id = p.region
    JOIN regions_regionversion o ON o.edition_id = e.id AND o.level = 'district' AND o.code = split_part(v.path, '.', 2)
    WHERE d.run_id = %s AND d.payload->>'stated_district' <> '' AND o.name <> d.payload->>'stated_district'"""

_IN_AREA = """EXISTS (
    SELECT 1 FROM regions_regionversion v JOIN regions_edition e ON e.id = v.edition_id
    WHERE e.state = 'published' AND v.region_id = t.region_id AND v.path LIKE %s)"""


def place_rows(act: Act) -> None:
    """Note for every draft with a point the finest region of the published edition that covers it; none where none does."""
    with connection.cursor() as cursor:
        cursor.execute(PLACES)
        cursor.execute("DELETE FROM import_places")
        if published_edition() is None:
            return
        cursor.execute(
            "SELECT id, ST_X(geom), ST_Y(geom) FROM imports_draftrow WHERE run_id = %s AND geom IS NOT NULL",
            [act.run.pk],
        )
        rows = cursor.fetchall()
        if not rows:
            return
        ids, lon, lat = (np.array(column) for column in zip(*rows, strict=True))
        regions = assign_regions(lon.astype(float), lat.astype(float))
        with cursor.copy("COPY import_places (draft, region) FROM STDIN") as copy:
            for draft, region in zip(ids.tolist(), regions.tolist(), strict=True):
                copy.write_row((draft, region or None))
        cursor.execute(_OTHER_DISTRICT, [act.run.pk])
        act.warn("district_differs", cursor.fetchone()[0])


def locate_rows(act: Act) -> None:
    """Find a point by the written address for every draft without one; where no single one is found the row is refused.

    Several equally good candidates are no answer, and neither is a whole road or district: a point is never guessed.
    """
    drafts = list(DraftRow.objects.filter(run=act.run, geom__isnull=True).order_by("pk"))
    if not drafts:
        return
    ground = sources_before(act)
    names = names_before(ground)
    found: dict[int, tuple[shapely.Point, dict[str, Any]]] = {}
    for begin in range(0, len(drafts), MOST_TEXTS):
        batch = drafts[begin : begin + MOST_TEXTS]
        answers = geocode_many([_written(draft) for draft in batch], scope=act.scope, published=ground, names=names)
        for draft, candidates in zip(batch, answers, strict=True):
            sure = single_place(candidates)
            if sure is not None:
                said = {"point_source": SHARP[sure.level], "uncertainty_m": float(round(sure.uncertainty_m))}
                # means come out in another last digit when the rows are read in another order
                found[draft.pk] = (shapely.Point(round(sure.lon, 7), round(sure.lat, 7)), said)
    set_points(found)
    act.warn("geocoded", len(found))
    act.refuse([draft for draft in drafts if draft.pk not in found], "no_position", "address_text")


def sources_before(act: Act) -> Published:
    """Return what is published of the sources that come before this one, by family and then by age.

    A position found by address must not lean on rows that come after it, or on its own: importing twice would then change it.
    """
    now, own = published_now(), IMPORT_ORDER.index(Family(act.source.family))
    before = {
        family: ids if at < own else tuple(pk for pk in ids if pk < act.source.pk)
        for family, ids in now.families.items()
        if (at := IMPORT_ORDER.index(Family(family))) <= own
    }
    kept = {pk for ids in before.values() for pk in ids}
    return replace(now, families=before, sources={pk: title for pk, title in now.sources.items() if pk in kept})


def names_before(ground: Published) -> Names:
    """Return the names of the published regions, of the roads, and of the roads that the addresses of those sources stand on."""
    names = names_of(published_now())
    roads = set(RoadName.objects.filter(mapped=True).values_list("name", flat=True))
    addresses = Address.objects.filter(CURRENT, source__in=ground.ids(Family.ADDRESSES)).exclude(road="")
    lived_on = addresses.order_by().values_list("road", flat=True).distinct()
    known = names.gazetteer
    return replace(names, gazetteer=Gazetteer(known.districts, known.streets, roads_of([*roads, *lived_on])))


def _written(draft: DraftRow) -> str:
    """Return the address to look for, with the district that the row states; '' when it has none."""
    text = str(draft.payload.get("address_text") or draft.payload.get("text") or "")[:LONGEST]
    district = str(draft.payload.get("stated_district") or "")
    return text if not text or district in text else f"{district}{text}"[:LONGEST]


def single_place(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the one place among the candidates of an address, or none where several are as good or none is sharp."""
    sharp = [each for each in candidates if each.level in SHARP and each.uncertainty_m <= MOST_UNCERTAIN_M]
    best = [each for each in sharp if each.level == sharp[0].level]
    return best[0] if len(best) == 1 else None


def rows_in_area(area_code: str) -> tuple[str, list[Any]]:
    """Return SQL over a located table ``t`` that holds for rows in the region of a code, with its parameters."""
    return _IN_AREA, [f"%{area_code}.%"]


def add_to_payloads(additions: dict[int, dict[str, Any]]) -> None:
    """Put more values into the payloads of drafts, by draft id."""
    if not additions:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE imports_draftrow d SET payload = d.payload || v.more::jsonb
               FROM unnest(%s::bigint[], %s::text[]) v(id, more) WHERE d.id = v.id""",
            [list(additions), [orjson.dumps(more).decode() for more in additions.values()]],
        )


def located(text: str, *, scope: Scope, inside: RegionVersion | None = None) -> dict[str, Any]:
    """Return the values of a ``Located`` row that stands at a written address.

    With ``inside``, an address that has no single place there stands at the label of that region, and says so. Without it such an
    address raises ``BadInput``: a point is never guessed.
    """
    found = single_place(geocode(text, scope=scope)) if text.strip() else None
    region = int(assign_regions(np.array([found.lon]), np.array([found.lat]))[0]) if found else 0
    if found is not None and (inside is None or _lies_in(region, inside)):
        point, source, within_m = Point(found.lon, found.lat, srid=CGCS2000), SHARP[found.level], found.uncertainty_m
    elif inside is not None:
        region, point, source = inside.region_id, inside.label, str(PointSource.REGION)
        within_m = math.sqrt(inside.area_m2)  # nearly twice the radius of a round region of that area
    else:
        raise BadInput("no_position", f"没有找到“{text[:60]}”的确切位置，请写到门牌，例如“黄浦区淮海中路45号”。")
    return {
        "geom": point,
        "point_source": source,
        "uncertainty_m": float(round(within_m)),
        "region_id": region or None,
        "cell": cell_at(point.x, point.y),
    }


def _lies_in(region: int, outer: RegionVersion) -> bool:
    """Say whether a region lies in a published one, or is it."""
    return RegionVersion.objects.filter(
        edition=outer.edition_id, region_id=region, path__startswith=outer.path
    ).exists()
