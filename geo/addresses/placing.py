"""The one place where imported points get their region: every family of located rows is placed here, inside its act."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
from django.db import connection

from geo.imports.importer import Act
from geo.imports.merging import PLACES
from geo.imports.models import DraftRow
from geo.regions.queries import assign_regions, published_edition

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
            "SELECT id, ST_X(geom), ST_Y(geom) FROM imports_draftrow WHERE run_id = %s AND geom IS NOT NULL", [act.run.pk]
        )
        rows = cursor.fetchall()
        if not rows:
            return
        ids, lon, lat = (np.array(column) for column in zip(*rows, strict=True))
        regions = assign_regions(lon.astype(float), lat.astype(float))
        with cursor.copy("COPY import_places (draft, region) FROM STDIN") as copy:
            for draft, region in zip(ids.tolist(), regions.tolist(), strict=True):
                copy.write_row((draft, region or None))


def locate_rows(act: Act) -> None:
    """Find a point by the written address for every draft without one; where none can be found the row is refused."""
    for draft in DraftRow.objects.filter(run=act.run, geom__isnull=True):
        act.refuse(draft, "no_position", "address_text")


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
