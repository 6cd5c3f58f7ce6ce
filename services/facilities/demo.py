"""The place of the demo institution: what its head meets first is one to confirm, not an empty page."""

from __future__ import annotations

import pghistory
from django.db import transaction
from django.db.models import F

from geo.imports.models import CURRENT, Provenance
from geo.regions.models import EditionState, RegionVersion
from services.access.demo import GRANTED_BY
from services.access.models import Organisation
from services.facilities.models import Facility, FacilityStatus


@transaction.atomic
def give_demo_places() -> list[Facility]:
    """Give each demo institution that runs no place an invented nursery of its region, and return what was given.

    The nursery whose vacancies were confirmed longest ago: there is something to confirm. What staff gave it stays.
    """
    with pghistory.context(actor=GRANTED_BY):
        return [place for one in _without_place() for place in _nursery_for(one)]


def _without_place() -> list[Organisation]:
    held = Organisation.objects.select_for_update().filter(pk__in=_demo_ids()).order_by("pk")
    return [one for one in held if not Facility.objects.filter(CURRENT, organisation=one).exists()]


def _demo_ids() -> list[int]:
    rows = Organisation.objects.filter(grants__granted_by=GRANTED_BY, grants__role="institution_head")
    return list(rows.distinct().values_list("pk", flat=True))


def _nursery_for(organisation: Organisation) -> list[Facility]:
    published = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED)
    path = published.filter(region=organisation.region_id).values_list("path", flat=True).first()
    free = Facility.objects.filter(
        CURRENT,
        kind="nursery",
        status=FacilityStatus.OPEN,
        organisation=None,
        vacancies__gt=0,
        source__provenance=Provenance.INVENTED,
        source__published_at__isnull=False,
        source__retired_at=None,
        region__in=published.filter(path__startswith=path or "-").values("region"),
    ).order_by(F("vacancies_as_of").asc(nulls_first=True), "pk")
    place = free.select_for_update(of=("self",)).first()
    if place is None:
        return []
    place.organisation = organisation
    place.save(update_fields=["organisation"])
    return [place]
