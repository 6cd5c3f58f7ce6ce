"""What the next import makes of the doors that people added: a door that the source brings by itself now is not added again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection

from geo.imports.importer import Act
from geo.imports.models import Correction

SAME_DOOR_M: Final = 300.0
"""Two rows of one source with one normal form closer than this are one door; further apart the name is used twice."""

_KNOWN: Final = """
    SELECT DISTINCT w.ext_id
    FROM unnest(%s::text[], %s::text[], %s::float8[], %s::float8[]) AS w(ext_id, normal, lon, lat)
    JOIN imports_draftrow d ON d.run_id = %s AND d.payload->>'normal' = w.normal AND d.ext_id <> w.ext_id
    WHERE (d.geom IS NULL
           OR ST_Distance(d.geom::geography, ST_SetSRID(ST_Point(w.lon, w.lat), ST_SRID(d.geom))::geography) <= %s)
      AND NOT EXISTS (SELECT 1 FROM imports_correction c
                      WHERE c.source_id = %s AND c.ext_id = d.ext_id AND c.cleared_at IS NULL AND c.field = ANY(%s))"""


def doors_known_now(act: Act, added: Sequence[Correction], *, leaving: Sequence[str]) -> frozenset[str]:
    """Return the ext_ids of added doors that the drafts of the run hold too: same normal form, within ``SAME_DOOR_M``.

    Rows that people took out of the source (a split address) do not count.
    """
    brought: list[Any] = [each.new_value for each in added]
    params = [
        [each.ext_id for each in added],
        [said["payload"]["normal"] for said in brought],
        [said["position"][0] for said in brought],
        [said["position"][1] for said in brought],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [*params, act.run.pk, SAME_DOOR_M, act.source.pk, list(leaving)])
        return frozenset(ext_id for (ext_id,) in cursor.fetchall())
