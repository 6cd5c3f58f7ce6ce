"""怎么申请服务: from the page of a place to the nearest window and adviser, which are the nearest indeed."""

from __future__ import annotations

import re

from django.contrib.gis.db.models.functions import Distance
from django.contrib.gis.geos import Point

from services.facilities.models import Facility
from tests.services.modules.finder.conftest import Family, said


def test_a_place_leads_to_the_nearest_who_take_applications(family: Family, home: Facility) -> None:
    page = said(family.device.get(f"/places/{home.pk}?theme=elder"))
    assert f'href="/places/{home.pk}/apply"' in page
    shown = said(family.device.get(f"/places/{home.pk}/apply"))
    for kind in ("affairs_centre", "adviser_site"):
        rows = Facility.objects.filter(kind=kind, status="open", retired_at=None)
        point = Point(home.geom.x, home.geom.y, srid=home.geom.srid)
        nearest = rows.annotate(away=Distance("geom", point)).order_by("away").first()
        assert nearest is not None
        assert f'href="/places/{nearest.pk}?' in shown
        assert re.search(rf'href="/elder\?[^"]*kinds={kind}', shown)
    number = re.sub(r"\D", "", home.phone)
    assert f"tel:{number or 12345}" in shown
    assert family.device.get("/places/99999999/apply").status_code == 404
