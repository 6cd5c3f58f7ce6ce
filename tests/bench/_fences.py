"""The parts of the ``fences`` benchmark that need Django over the scratch database; run as ``python -m tests.bench._fences PART``.

Each part prints one JSON value on its last line.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")

import django

django.setup()

from django.contrib.gis.geos import GEOSGeometry  # noqa: E402
from django.utils import timezone  # noqa: E402
from shapely.geometry import MultiPolygon  # noqa: E402

from geo.crs import SHANGHAI  # noqa: E402
from geo.crs.codes import CGCS2000  # noqa: E402
from geo.fences.models import Fence, FenceEdition  # noqa: E402
from geo.fences.purposes import ShapeKind  # noqa: E402
from geo.geometry import from_plane  # noqa: E402
from geo.regions.models import RegionVersion  # noqa: E402
from tests.bench.fences import served_fences  # noqa: E402


def publish() -> int:
    """Publish the fences that are asked for; return how many."""
    district = RegionVersion.objects.filter(edition__state="published", level="district").order_by("code")[0]
    edition = FenceEdition.objects.create(
        purpose="service",
        district=district.region,
        number=1,
        state="published",
        from_moment=timezone.now() - dt.timedelta(days=1),
        made_by="bench",
        changed_by="bench",
    )
    shapes = from_plane(served_fences(), SHANGHAI)
    fences = [
        Fence(
            edition=edition,
            name=f"围栏{number}",
            kind=ShapeKind.POLYGON,
            owner=f"服务站{number}",
            geom=GEOSGeometry(memoryview(MultiPolygon([shape]).wkb), srid=CGCS2000),
        )
        for number, shape in enumerate(shapes)
    ]
    return len(Fence.objects.bulk_create(fences))


if __name__ == "__main__":
    print(json.dumps({"publish": publish}[sys.argv[1]]()))
