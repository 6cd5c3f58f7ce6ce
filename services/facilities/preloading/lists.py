"""Lists that people open first (列表预热): read into the memory of every web process before they ask, measured, told to managers.

A process asks itself for each list when it opens and when what they show has changed (``web.warming``). It keeps for itself under
which mark it last answered each, and tells Redis how it stands; one that is gone is forgotten within two minutes.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from geo.addresses.gazetteer import published_now
from geo.scope import Scope
from services.access.queries import check_city_duty
from services.facilities.actions import edition_key
from services.facilities.preloading.hits import Hits, hits_of_lists, note_list, store
from services.facilities.preloading.queries import DUTY

GONE_AFTER: Final = dt.timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class OpenedList:
    """A list that is warmed: its page, the word of ``kinds=`` it shows (``usual``: meant without), near a place or not."""

    key: str
    title: str
    path: str
    kinds: str = ""
    usual: str = ""
    near: bool = False

    def query(self, lon: float, lat: float) -> dict[str, str]:
        """Return the parameters that ask for it, near a point (CGCS2000 degrees) if it is of what is near."""
        asked = {"kinds": self.kinds} if self.kinds else {}
        return asked | ({"lon": f"{lon:.6f}", "lat": f"{lat:.6f}"} if self.near else {})


LISTS: Final = (
    OpenedList("childcare", "托育机构列表", "/places", "childcare"),
    OpenedList("preschool", "幼儿园列表", "/places", "preschool"),
    OpenedList("eldercare", "养老机构列表", "/places", "eldercare"),
    OpenedList("near-childcare", "身边的托育机构", "/", "childcare", usual="childcare", near=True),
    OpenedList("near-eldercare", "身边的养老机构", "/elder", "eldercare", usual="eldercare", near=True),
    OpenedList("catalogue", "空间资源目录", "/layers"),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of the first answer of a list that was not in memory, and of the next one."""

    first_ms: float
    again_ms: float


@dataclass(frozen=True, slots=True)
class ListStanding:
    """How a list stands: web processes that tell of it, those that have it as it is now, what it took there, what visitors met.

    ``first_ms`` and ``again_ms`` are medians over the processes, ``None`` where nothing was measured.
    """

    opened: OpenedList
    processes: int
    ready: int
    at: dt.datetime | None
    first_ms: float | None
    again_ms: float | None
    hits: Hits

    @property
    def fresh(self) -> bool:
        """Say whether every web process has it as it is shown now."""
        return 0 < self.processes == self.ready


_held: Final[dict[str, str]] = {}
_measured: Final[dict[str, Measured]] = {}


def list_of(path: str, asked: Mapping[str, str]) -> OpenedList | None:
    """Return which list a page is, whatever else narrows it; ``None`` for any other page."""
    return next(
        (
            one
            for one in LISTS
            if one.path == path
            and asked.get("kinds", one.usual) == one.kinds
            and (not one.near or {"lon", "lat"} <= asked.keys())
        ),
        None,
    )


def mark_now() -> str:
    """Return a text that changes whenever a place is edited or anything is published."""
    return f"{connection.settings_dict['NAME']} {published_now().key} {cache.get(edition_key())}"


def is_ready(key: str, mark: str) -> bool:
    """Say whether this process has answered a list under a mark."""
    return _held.get(key) == mark


def all_ready(mark: str) -> bool:
    """Say whether this process has answered every list under a mark."""
    return all(is_ready(one.key, mark) for one in LISTS)


def note_answer(key: str, mark: str, *, seconds: float, own: bool) -> None:
    """Note that a list was answered; what visitors waited is counted, by list only, not what we ask ourselves (``own``)."""
    if not own:
        note_list(key, ready=is_ready(key, mark), seconds=seconds)
    _held[key] = mark


def note_measured(key: str, measured: Measured) -> None:
    """Note how long a list took that was not in memory, and how long once it was."""
    _measured[key] = measured


def forget() -> None:
    """Forget what this process has answered and measured, as one that opens."""
    _held.clear()
    _measured.clear()


def tell() -> None:
    """Tell how the lists of this process stand."""
    told = {
        "at": timezone.now().isoformat(),
        "held": dict(_held),
        "ms": {key: [one.first_ms, one.again_ms] for key, one in _measured.items()},
    }
    store().set(_name(f"{socket.gethostname()} {os.getpid()}"), orjson.dumps(told), ex=GONE_AFTER)


def list_standings(*, scope: Scope) -> list[ListStanding]:
    """Return how every list stands. Needs ``settings.write`` over the city."""
    check_city_duty(scope, DUTY)
    told = [orjson.loads(text) for text in _told()]
    mark, hits = mark_now(), hits_of_lists()
    return [_standing(one, told, mark, hits.get(one.key, Hits())) for one in LISTS]


def _standing(opened: OpenedList, told: Sequence[Mapping[str, Any]], mark: str, hits: Hits) -> ListStanding:
    taken = [each["ms"][opened.key] for each in told if opened.key in each["ms"]]
    return ListStanding(
        opened=opened,
        processes=len(told),
        ready=sum(each["held"].get(opened.key) == mark for each in told),
        at=max((dt.datetime.fromisoformat(each["at"]) for each in told if opened.key in each["held"]), default=None),
        first_ms=statistics.median(first for first, _ in taken) if taken else None,
        again_ms=statistics.median(again for _, again in taken) if taken else None,
        hits=hits,
    )


def _told() -> list[str]:
    names = list(store().scan_iter(match=_name("*")))
    return [str(text) for text in (store().mget(names) if names else []) if text]


def _name(process: str) -> str:
    return str(cache.make_key(f"lists of {connection.settings_dict['NAME']} {process}"))
