"""Reads of where services for elders are applied for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from geo.scope import Scope
from services.access.queries import check_city_duty
from services.facilities.kinds import GROUPS, kinds_of_group
from services.modules.careservice.models import OutsideEntry

GROUP: Final = "eldercare"
DUTY: Final = "settings.write"
MOST_CHANGES: Final = 30


@dataclass(frozen=True, slots=True)
class Set:
    """The outside entry of a kind ('' all) as staff see it: its name, its address, the revision, who set it and when."""

    kind: str
    name: str
    url: str
    revision: int
    by: str = ""
    at: dt.datetime | None = None


def outside_entry(kind: str) -> str:
    """Return the address of 养老服务一件事 for a kind of place, that of all kinds where it has none; '' where there is none."""
    known = dict(OutsideEntry.objects.filter(kind__in=(kind, "")).values_list("kind", "url"))
    return known.get(kind) or known.get("") or ""


def kinds_set() -> dict[str, str]:
    """Return the kinds that an entry may be set for, with their names; '' for all of them."""
    return {"": f"全部{GROUPS[GROUP]}"} | {kind.key: kind.name for kind in kinds_of_group(GROUP)}


def outside_entries(*, scope: Scope) -> list[Set]:
    """Return the entry of every kind, set or not. Needs ``settings.write`` over the city."""
    check_city_duty(scope, DUTY)
    rows = {row.kind: row for row in OutsideEntry.objects.all()}
    return [
        Set(kind, name, row.url, row.revision, row.changed_by, row.changed_at) if row else Set(kind, name, "", 0)
        for kind, name in kinds_set().items()
        for row in [rows.get(kind)]
    ]


def entry_changes(*, scope: Scope) -> list[Set]:
    """Return what was set, newest first, what stands now among it. Needs ``settings.write`` over the city."""
    check_city_duty(scope, DUTY)
    names = kinds_set()
    found = []
    for row in OutsideEntry.objects.filter(kind__in=names):
        held = (row, *row.events.order_by("-pgh_id")[:MOST_CHANGES])
        found += [Set(one.kind, names[one.kind], one.url, one.revision, one.changed_by, one.changed_at) for one in held]
    return sorted(found, key=lambda one: str(one.at), reverse=True)[:MOST_CHANGES]
