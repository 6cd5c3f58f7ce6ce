"""When people may be disturbed: quiet hours by the clock of the city, and the first moment after them. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which nothing is sent, from ``begin`` (included) to ``end`` (not), over midnight or not; equal ones are none."""

    begin: dt.time
    end: dt.time

    def covers(self, clock: dt.time) -> bool:
        """Say whether a time of day lies in the quiet hours."""
        if self.begin <= self.end:
            return self.begin <= clock < self.end
        return clock >= self.begin or clock < self.end


def first_allowed(moment: dt.datetime, quiet: Quiet, zone: ZoneInfo) -> dt.datetime:
    """Return the moment itself when it is allowed, else the end of the quiet hours it lies in."""
    local = moment.astimezone(zone)
    if not quiet.covers(local.time()):
        return moment
    day = local.date() if local.time() < quiet.end else local.date() + dt.timedelta(days=1)
    return dt.datetime.combine(day, quiet.end, zone).astimezone(moment.tzinfo)


def next_morning(moment: dt.datetime, quiet: Quiet, zone: ZoneInfo) -> dt.datetime:
    """Return the first allowed moment of the next day."""
    tomorrow = moment.astimezone(zone).date() + dt.timedelta(days=1)
    midnight = dt.datetime.combine(tomorrow, dt.time(), zone).astimezone(moment.tzinfo)
    return first_allowed(midnight, quiet, zone)
