"""The city's figures of elders by region, taken over from its thematic library: all of a day together, or nothing."""

from __future__ import annotations

from typing import Final

from django.db import transaction

from geo.errors import CityError
from geo.regions.models import EditionState, RegionVersion
from services.integrations.elder_library.client import Day, is_connected, library
from services.modules.advisers.models import ElderFigures, LibraryPull

_NONE: Final = "专题库的数据里没有一个能对应的街镇或居村。"
_OLDER: Final = "专题库给出的是 {given} 的数据，早于现有的 {kept}。"


def pull_if_connected() -> str:
    """Pull the newest figures where a library is configured; return what came of it, '' where none is."""
    return pull_figures().state if is_connected() else ""


def pull_figures() -> LibraryPull:
    """Ask the library for its newest day, put it in place of what was kept, and return what came of it.

    A fault of theirs or of the way leaves the last good figures as they are, and says so in the pull that is returned.
    """
    try:
        return _take_over(library().newest_day())
    except CityError as fault:
        return _refused(fault.message)


@transaction.atomic
def _take_over(day: Day) -> LibraryPull:
    codes = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, level__in=("street", "committee"))
    regions = dict(codes.values_list("code", "region_id"))
    known = [(regions[each.region_code], each) for each in day.figures if each.region_code in regions]
    kept = ElderFigures.objects.select_for_update().order_by("-as_of").values_list("as_of", flat=True).first()
    if not known:
        return _refused(_NONE, day)
    if kept is not None and day.as_of < kept:
        return _refused(_OLDER.format(given=day.as_of, kept=kept), day)
    ElderFigures.objects.all().delete()
    ElderFigures.objects.bulk_create(
        [
            ElderFigures(region_id=pk, as_of=day.as_of, over_60=one.over_60, over_80=one.over_80, alone=one.alone)
            for pk, one in known
        ],
        batch_size=2_000,
        update_conflicts=True,  # two who pull at once bring the same
        unique_fields=["region"],
        update_fields=["as_of", "over_60", "over_80", "alone"],
    )
    return LibraryPull.objects.create(
        state="taken", as_of=day.as_of, regions=len(known), strange=len(day.figures) - len(known)
    )


def _refused(fault: str, day: Day | None = None) -> LibraryPull:
    return LibraryPull.objects.create(state="refused", as_of=day.as_of if day else None, fault=fault[:300])
