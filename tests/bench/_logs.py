"""The parts of the benchmark of the log centre that run on a database of their own."""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from web.environment import load_file

LINES: Final = 1_000_000
ROUNDS: Final = 15

WRITE: Final = """
INSERT INTO access_auditentry (at, act, actor, path, detail, request_id, address)
SELECT now() - (n %% 50) * interval '1 day' - (n %% 86400) * interval '1 second',
  (ARRAY['sign_in', 'sign_out', 'ledger_exported', 'account_changed', 'file_opened', 'phone_revealed', 'refused'])[1 + n %% 7],
  'clerk' || n %% 900, '/desk/cases', jsonb_build_object('account', '经办人' || n %% 5000), to_hex(n), ('10.0.' || n %% 200 || '.7')::inet
FROM generate_series(1, %s) AS n
"""


def collect() -> list[dict[str, Any]]:
    """Write a million audit entries, collect them, and spread them over the regions."""
    from django.db import connection, transaction

    from services.kernel.logs.collecting import collect_logs
    from services.kernel.logs.models import LogLine

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(WRITE, [LINES])
    begun = time.perf_counter()
    collect_logs(lag=dt.timedelta(0))
    collect_logs(lag=dt.timedelta(0))
    took, lines = time.perf_counter() - begun, LogLine.objects.count()
    regions = _regions()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_logs_logline SET region_id = (%s::bigint[])[1 + id %% %s]", [regions, len(regions)]
        )
        cursor.execute("VACUUM ANALYZE kernel_logs_logline")
        cursor.execute(
            "SELECT pg_size_pretty(sum(pg_total_relation_size(relid))) FROM pg_partition_tree('kernel_logs_logline')"
        )
        size = cursor.fetchone()[0]
    sys.stderr.write(f"  {lines:,} lines collected in {took:.0f} s, {size}\n")
    note = f"{took:.0f} s; {size} with indexes"
    return [{"asked": f"{lines:,} lines collected", "ours": lines / took, "unit": "lines/s", "note": note}]


def search() -> list[dict[str, Any]]:
    """Ask in every way; figures are the 95th percentile of rounds, in milliseconds."""
    from geo.scope import Scope
    from services.kernel.logs.models import LogLine
    from services.kernel.logs.queries import Asked, find_lines
    from services.kernel.logs.statistics import figures_of

    lines = LogLine.objects.count()
    scope = Scope.system("the benchmark of the log centre")
    district = _district()
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=60)
    third = find_lines(Asked(since=since), scope=scope).older
    asked: dict[str, Callable[[], object]] = {
        "newest page": lambda: find_lines(Asked(since=since), scope=scope),
        "a later page": lambda: find_lines(Asked(since=since), scope=scope, older=third),
        "a text most lines hold": lambda: find_lines(Asked(text="经办人", since=since), scope=scope),
        "a text of 200 lines": lambda: find_lines(Asked(text="经办人4711", since=since), scope=scope),
        "a text no line holds": lambda: find_lines(Asked(text="查无此人", since=since), scope=scope),
        "a person": lambda: find_lines(Asked(actor="clerk77", since=since), scope=scope),
        "an object": lambda: find_lines(Asked(object_kind="account", object_id="经办人42"), scope=scope),
        "an act and an outcome": lambda: find_lines(
            Asked(act="audit.refused", outcome="refused", since=since), scope=scope
        ),
        "a request": lambda: find_lines(Asked(request="beef"), scope=scope),
        "a district's scope": lambda: find_lines(Asked(since=since), scope=district),
        "a district's scope and a text": lambda: find_lines(Asked(text="登录", since=since), scope=district),
        "one day": lambda: find_lines(
            Asked(since=since + dt.timedelta(days=30), until=since + dt.timedelta(days=31)), scope=scope
        ),
    }
    found: list[dict[str, Any]] = []
    for name, ask in asked.items():
        found.append({"asked": f"{lines:,} lines: {name}, p95", "ours": _p95(ask), "unit": "ms", "note": "bar 300"})
    sys.stderr.write(f"  searched: {[round(each['ours']) for each in found]}\n")
    week = dt.datetime.now(dt.UTC) - dt.timedelta(days=7)
    for by in ("act", "actor", "region", "time"):
        figures = _p95(lambda by=by: figures_of(Asked(since=week), by, scope=scope), 5)  # type: ignore[misc]
        found.append({"asked": f"a week's figures by {by}, p95", "ours": figures, "unit": "ms", "note": "no bar"})
    return found


def _p95(ask: Callable[[], object], rounds: int = ROUNDS) -> float:
    ask()
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        ask()
        times.append((time.perf_counter() - begun) * 1000)
    return float(np.percentile(times, 95))


def _regions() -> list[int]:
    from geo.regions.models import RegionVersion

    return list(RegionVersion.objects.filter(edition__state="published").values_list("region_id", flat=True))


def _district() -> Any:
    from geo.regions.models import RegionVersion
    from geo.scope import Scope

    district = RegionVersion.objects.filter(edition__state="published", level="district").order_by("code")[0]
    return Scope(paths=(district.path,), duties=frozenset({"logs.view"}), actor="district")


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")
    load_file()
    django.setup()
    print(json.dumps({"collect": collect, "search": search}[sys.argv[1]]()))
