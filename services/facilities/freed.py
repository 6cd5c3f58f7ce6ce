"""Places that were full and have vacancies again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import groupby, islice

from services.facilities.models import CapacityReport
from services.facilities.vacancies import STALE_AFTER


def newly_free(ids: Sequence[int], *, now: dt.datetime) -> dict[int, tuple[int, dt.datetime]]:
    """Return how many vacancies there are, and since which report, of those places whose report before that said none.

    Only reports of the last thirty days count (``now`` is aware): older ones say nothing of today.
    """
    rows = CapacityReport.objects.filter(facility__in=ids, vacancies__isnull=False).order_by(
        "facility", "-as_of", "-id"
    )
    found = {}
    for place, reports in groupby(rows.values_list("facility_id", "vacancies", "as_of"), key=lambda row: row[0]):
        newest, *before = islice(reports, 2)
        if newest[1] and before and before[0][1] == 0 and now - newest[2] <= STALE_AFTER:
            found[place] = (newest[1], newest[2])
    return found
