"""The rules that count for a platform at this moment: what it follows, over the fences that count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final
from uuid import UUID

import numpy as np

from geo.addresses.gazetteer import names_of, published_now
from geo.fences.evaluate.index import Booleans
from geo.fences.evaluate.positions import Limits
from geo.fences.evaluate.tracking import FenceRule, RuleBook
from geo.scope import Scope
from services.access.clients.models import ApiClient
from services.access.clients.queries import region_paths
from services.fencing.following.models import Following
from services.fencing.live import LiveFence, LiveFences, live_fences
from services.fencing.queries import VIEW

LIMITS: Final = Limits(most_waiting=600)
KEPT: Final = 32


@dataclass(frozen=True, eq=False)
class Followed:
    """What a platform follows now: its rules, the fences they are about, and its followings by purpose and district."""

    book: RuleBook
    live: LiveFences
    fences: Mapping[str, LiveFence]
    followings: Mapping[tuple[str, int], Following]


_lock = Lock()
_followed: dict[tuple[Any, ...], Followed] = {}


def followed_by(client: ApiClient) -> Followed:
    """Return what a platform follows now. A district that is no longer on its white list is not followed, nor is any fence
    whose purpose it may not see there. Built anew when an edition begins or a following changes.
    """
    live = live_fences()
    paths = tuple(sorted(region_paths(client).values()))
    rows = list(Following.objects.filter(client=client).order_by("pk"))
    key = (client.pk, live.editions, paths, tuple((row.pk, row.revision) for row in rows))
    with _lock:
        known = _followed.pop(key) if key in _followed else None
        found = _followed[key] = known or _build(live, paths, rows)  # the last asked stands last
        while len(_followed) > KEPT:
            del _followed[next(iter(_followed))]
    return found


def scope_of_paths(paths: tuple[str, ...]) -> Scope:
    """Return what a platform may see of fences: those of the regions of its white list."""
    return Scope(paths=paths, duties=frozenset({VIEW}), actor="system")


def _build(live: LiveFences, paths: tuple[str, ...], rows: list[Following]) -> Followed:
    followings = {(row.purpose, row.district_id): row for row in rows}
    open_ = live.rows_for(scope=scope_of_paths(paths)) & _within(live, paths)
    rules, fences = [], {}
    for fence, seen in zip(live.fences, open_.tolist(), strict=True):
        row = followings.get((fence.purpose, fence.district_id))
        if seen and row is not None and (not row.fences or fence.same in row.fences):
            rules.append(_rule(row, fence.same))
            fences[str(fence.same)] = fence
    return Followed(RuleBook.build(live.index, rules, LIMITS), live, fences, followings)


def _within(live: LiveFences, paths: tuple[str, ...]) -> Booleans:
    """Say of each fence whether its district lies under one of the paths, public or not."""
    scope = scope_of_paths(paths)
    names = names_of(published_now())
    districts = {fence.district_id for fence in live.fences}
    covered = {pk for pk in districts if (region := names.region(pk)) is not None and scope.covers_path(region.path)}
    return np.fromiter((fence.district_id in covered for fence in live.fences), dtype=bool, count=len(live.fences))


def _rule(row: Following, same: UUID) -> FenceRule:
    return FenceRule(
        str(same), enter=row.enter, exit=row.exit, cross=row.cross, dwell_s=row.dwell_s, approach_m=row.approach_m
    )
