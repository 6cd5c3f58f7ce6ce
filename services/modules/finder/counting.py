"""Counting what the finder is used for: by street, filter and hour, never by person.

Requests add to a hash in Redis; beat moves it to the table every minute. A batch is set apart under a name of its own before
it is written, and its name is written with it: whoever is killed in between, nothing is lost and nothing counts twice.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import redis
import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, Sum
from django.utils import timezone

from geo.addresses.gazetteer import names_of, published_now
from geo.errors import BadInput
from geo.regions.models import Level
from geo.regions.queries import assign_regions, within
from geo.scope import Scope
from layers.disclosure import tellable
from layers.facts.counting import Period
from layers.facts.registry import fact
from layers.heat.periods import block_at
from layers.heat.regional import region_heat
from services.access.queries import check_duty, holds_citywide
from services.modules.finder.models import Act, UseBatch, UseCount

DUTY: Final = "facilities.view"
FACT: Final = "finder_uses"
KEPT_BATCHES: Final = dt.timedelta(days=2)
LONGEST_SPAN: Final = dt.timedelta(days=366)
AT_ONCE: Final = 1000
By = Literal["district", "street", "filter", "hour", "day", "act"]

_log = structlog.get_logger(__name__)


@functools.cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=0.5, decode_responses=True)


def _key() -> str:
    return f"finder:uses:{connection.settings_dict['NAME']}"


def count_use(act: Act, *, region_id: int | None, filters: Iterable[str] = (), now: dt.datetime | None = None) -> None:
    """Count one act in a region, and the filters it was narrowed by. A counter that cannot be reached stops nobody."""
    hour = int((now or timezone.now()).timestamp()) // 3600
    fields = [f"{hour}|{act}|{region_id or 0}|{part}" for part in ("", *dict.fromkeys(filters))]
    try:
        with _client(settings.REDIS_URL).pipeline(transaction=True) as pipe:
            for field in fields:
                pipe.hincrby(_key(), field, 1)
            pipe.execute()
    except redis.RedisError as error:
        _log.warning("use_not_counted", act=str(act), reason=type(error).__name__)


def flush_counts() -> int:
    """Move what was counted to the table, with what somebody killed before left behind; return how many cells were written."""
    client = _client(settings.REDIS_URL)
    # Renamed, it grows no more; whoever is killed from here on leaves it to be found by its name.
    with contextlib.suppress(redis.ResponseError):  # nothing was counted, or another worker was faster
        client.rename(_key(), f"{_key()}:batch:{uuid.uuid4().hex}")
    names = sorted(str(name) for name in client.scan_iter(f"{_key()}:batch:*"))
    written = sum(_write(client, name) for name in names)
    UseBatch.objects.filter(written_at__lt=timezone.now() - KEPT_BATCHES).delete()
    return written


def _write(client: redis.Redis, name: str) -> int:
    """Write one batch with its name, and only then forget it."""
    cells = client.hgetall(name)
    batch = name.rsplit(":", 1)[1]
    with transaction.atomic():
        _, new = UseBatch.objects.get_or_create(name=batch)
        if new:
            rows = [_row(str(field), int(count)) for field, count in cells.items()]
            _add(rows)
    client.delete(name)
    return len(cells) if new else 0


Cell = tuple[dt.datetime, str, int | None, str, int]


def _row(field: str, count: int) -> Cell:
    hour, act, region, part = field.split("|", 3)
    return dt.datetime.fromtimestamp(int(hour) * 3600, tz=dt.UTC), act, int(region) or None, part[:40], count


def _add(cells: list[Cell]) -> None:
    # Always in one order: two batches at once must not wait for each other.
    ordered = sorted(cells, key=lambda cell: (cell[0], cell[1], cell[2] or 0, cell[3]))
    with connection.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO finder_usecount (hour, act, region_id, filter, count) VALUES (%s, %s, %s, %s, %s)
               ON CONFLICT (hour, act, region_id, filter) DO UPDATE SET count = finder_usecount.count + EXCLUDED.count""",
            ordered,
        )


def street_at(lon: float, lat: float) -> int | None:
    """Return the id of the street that holds a point (CGCS2000 degrees); the point itself is kept nowhere."""
    region = names_of(published_now()).region(int(assign_regions([lon], [lat])[0]))
    return street_of(region.id if region else None)


def street_of(region_id: int | None) -> int | None:
    """Return the id of the street a region lies in, else of its district, else nothing."""
    names = names_of(published_now())
    region = names.region(region_id)
    if region is None:
        return None
    above = names.above(region, Level.STREET) or names.above(region, Level.DISTRICT)
    return above.id if above else None


@dataclass(frozen=True, slots=True)
class Use:
    """One figure: what it is of, in words too, and how often; ``None`` when it is too small to tell."""

    key: str
    label: str
    count: int | None


def uses(
    *,
    scope: Scope,
    since: dt.datetime,
    until: dt.datetime,
    by: By,
    act: str = "",
    filter_key: str = "",
) -> list[Use]:
    """Return how often the finder was used from ``since`` to before ``until`` in the scope's regions, the most used first.

    ``act`` (one of ``Act``) and ``filter_key`` narrow it; without a filter acts are counted, by ``"filter"`` filters are. Figures
    of fewer than ``layers.disclosure.K`` are withheld, and with them as many of the next smallest that no sum gives them away.
    By place they are those of the heat of uses: one month that is over, of all acts, decided on once for the whole city. Who
    sees a part of the city only is told of one such month too, and of all acts, so that no difference of two answers tells of
    fewer. Needs ``facilities.view``. Raises ``BadInput`` and ``Forbidden``.
    """
    check_duty(scope, DUTY)
    if not since < until <= since + LONGEST_SPAN:
        raise BadInput("span_invalid", "起止时间要先后分明，一次最多看一年。", parameter="since")
    if act and act not in Act.values:
        raise BadInput("act_unknown", f"行为可选：{'、'.join(Act.values)}。", parameter="act")
    if by in ("district", "street") or not holds_citywide(scope, DUTY):
        _check_month(since, until, narrowed=bool(act or filter_key))
    if by in ("district", "street"):
        return _by_place(by, timezone.localdate(since), scope)
    # What names no region is told to those of the whole city.
    seen = Q() if holds_citywide(scope, DUTY) else within(scope)
    rows = UseCount.objects.filter(seen, hour__gte=since, hour__lt=until)
    rows = rows.filter(act=act) if act else rows.exclude(act=Act.VISIT) if by == "filter" else rows
    rows = rows.exclude(filter="") if by == "filter" and not filter_key else rows.filter(filter=filter_key)
    column = "hour" if by == "day" else by
    totals: dict[tuple[str, str], int] = {}
    for value, count in rows.values_list(column).annotate(sum=Sum("count")).values_list(column, "sum"):
        key = _named(by, value)
        totals[key] = totals.get(key, 0) + count
    return _told(totals)


def _by_place(level: str, first: dt.date, scope: Scope) -> list[Use]:
    month = block_at("month", first)
    if not UseCount.objects.filter(hour__gte=month.since, hour__lt=month.until, filter="").exists():
        return []
    names = names_of(published_now())
    found = region_heat(fact(FACT, scope=scope), scope=scope, level=level, period=month)
    named = ((names.by_code[path.rstrip(".").rpartition(".")[2]], value) for path, value in found.values.items())
    told = [Use(region.code, region.full_name, None if value is None else round(value)) for region, value in named]
    return sorted((one for one in told if one.count != 0), key=lambda one: (-(one.count or 0), one.key))


def _named(by: By, value: object) -> tuple[str, str]:
    """Return the key and the words of one value."""
    if isinstance(value, dt.datetime):
        local = timezone.localtime(value)
        return (f"{local:%Y-%m-%d}",) * 2 if by == "day" else (f"{local:%Y-%m-%dT%H:00}", f"{local:%Y-%m-%d %H 时}")
    text = str(value)
    return text, str(dict(Act.choices).get(text, text)) if by == "act" else text


def _check_month(since: dt.datetime, until: dt.datetime, *, narrowed: bool) -> None:
    """Raise ``BadInput`` for anything but one whole month of the city's calendar that is over, of all acts."""
    month = Period(timezone.localdate(since), timezone.localdate(until - dt.timedelta(microseconds=1)))
    whole = (since, until) == (month.since, month.until) and month == block_at("month", month.first)
    if not whole or until > timezone.now():
        said = "分地方的次数按月公布，当月的下月 1 日起可看，一次看一个月。请选一个整月。"
        raise BadInput("uses_by_month", said, parameter="since")
    if narrowed:
        said = "分地方的次数只看全部行为，不能再按行为或查询条件分。要看分行为的，请看全市的。"
        raise BadInput("uses_narrowed", said, parameter="act")


def _told(totals: dict[tuple[str, str], int]) -> list[Use]:
    """Return the figures without those too small to tell and those that would give them away."""
    order = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    counts = np.array([count for _, count in order], dtype=np.int64).reshape(-1, 1)
    told = tellable(counts, np.zeros(len(order), dtype=np.int64))
    return [Use(key[0], key[1], count if shown else None) for (key, count), shown in zip(order, told, strict=True)]
