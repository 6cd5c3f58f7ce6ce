"""Which regions a point may lie in when it is only known to some metres."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from django.db import connection

from geo.crs.codes import CGCS2000
from geo.regions.models import EditionState, RegionVersion

METRES_OF_A_DEGREE: Final = 111_320.0


def regions_reached(
    points: Sequence[tuple[float, float, float]], *, levels: Sequence[str]
) -> list[dict[str, frozenset[int]]]:
    """Return for each (lon, lat in CGCS2000 degrees, metres) the ids of the published regions of each level within reach.

    East and west a little more is reached than asked for: what is far is left out, what is near never is.
    """
    if not points:
        return []
    degrees = [metres / (METRES_OF_A_DEGREE * math.cos(math.radians(lat))) for _, lat, metres in points]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT w.at, p.version_id
               FROM unnest(%s::float8[], %s::float8[], %s::float8[]) WITH ORDINALITY AS w(lon, lat, reach, at)
               JOIN regions_regionpart p ON ST_DWithin(p.geom, ST_SetSRID(ST_Point(w.lon, w.lat), %s), w.reach)""",
            [[lon for lon, _, _ in points], [lat for _, lat, _ in points], degrees, CGCS2000],
        )
        near = cursor.fetchall()
    versions = RegionVersion.objects.filter(
        pk__in={version for _, version in near}, edition__state=EditionState.PUBLISHED, level__in=levels
    )
    regions = {pk: (level, region) for pk, level, region in versions.values_list("pk", "level", "region_id")}
    found: list[dict[str, set[int]]] = [defaultdict(set) for _ in points]
    for at, version in near:
        if version in regions:
            level, region = regions[version]
            found[at - 1][level].add(region)
    return [{level: frozenset(ids.get(level, ())) for level in levels} for ids in found]
