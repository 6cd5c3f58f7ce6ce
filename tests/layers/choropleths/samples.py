"""A city with something to compare: nurseries and homes for elders in every street, reports and uses over months."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

from django.utils import timezone

from geo.grids.cells import cell_at
from geo.regions.models import RegionVersion
from layers.choropleths.spec import month_before
from services.facilities.models import Facility
from services.modules.finder.models import PlaceReport, UseCount


def this_month() -> dt.date:
    return timezone.localdate().replace(day=1)


def last_month() -> dt.date:
    return month_before(this_month())


def noon(month: dt.date, day: int = 1) -> dt.datetime:
    return timezone.make_aware(dt.datetime(month.year, month.month, day, 12))


def versions(level: str, under: str = "") -> list[RegionVersion]:
    found = RegionVersion.objects.filter(edition__state="published", level=level, path__startswith=under)
    return list(found.order_by("code"))


def copy_places() -> None:
    """Put copies of a nursery and a home for elders into committees of every district but the first two, ever more of them."""
    models = [
        Facility.objects.filter(kind__group=group, status="open", places__gt=0).order_by("pk")[0]
        for group in ("childcare", "eldercare")
    ]
    copies = []
    for at, district in enumerate(versions("district")[2:]):
        committees = versions("committee", district.path)
        for number in range(3 + at * at % 23):
            home, model = committees[(number * 7) % len(committees)], models[number % 2]
            place = Facility.objects.get(pk=model.pk)
            place.pk, place.region_id, place.geom = None, home.region_id, home.label
            place.cell, place.name = cell_at(home.label.x, home.label.y), f"{home.name}{model.name[-4:]}{number}"
            place.ext_id, place.places = f"copy-{district.code}-{number}", 20 + number * 3
            copies.append(place)
    Facility.objects.bulk_create(copies)


def report_places(*counts: int) -> None:
    """Report places of each district: so many times in this month, in the one before, and so on."""
    places = {each.region_id: each for each in Facility.objects.filter(status="open").order_by("pk")}
    for back, count in enumerate(counts):
        month = month_before(this_month(), back)
        for number, place in enumerate(list(places.values())[:count]):
            report = PlaceReport.objects.create(
                mark=uuid4(), facility=place, region_id=place.region_id, what="phone", due_on=month, text=f"{number}"
            )
            PlaceReport.objects.filter(pk=report.pk).update(created_at=noon(month))


def use_finder(month: dt.date, counts: dict[int, int]) -> None:
    """Count uses of the finder by the id of a region in a month."""
    UseCount.objects.bulk_create(
        UseCount(hour=noon(month, 2), act="search", region_id=region, filter="", count=count)
        for region, count in counts.items()
    )


def fill_city() -> None:
    """Fill the city with all of it."""
    copy_places()
    report_places(9, 14, 12, 20, 22, 18, 25, 24, 30, 28, 31, 33, 40)
    for back in range(1, 6):
        streets = versions("street")
        use_finder(
            month_before(this_month(), back),
            {
                street.region_id: (at * 37 + back * 11) % 90
                for at, street in enumerate(streets)
                if (at * 37 + back * 11) % 90
            },
        )
