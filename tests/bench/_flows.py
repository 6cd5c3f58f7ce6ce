"""The workflow's part of the ``cases`` benchmark, over the scratch database; run as ``python -m tests.bench._flows PART``."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")

import django

django.setup()

import numpy as np  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from geo.regions.models import Region, RegionVersion  # noqa: E402
from geo.scope import Scope  # noqa: E402
from services.access.actions import declare_roles, grant_role  # noqa: E402
from services.access.demo import make_demo_accounts  # noqa: E402
from services.access.models import User  # noqa: E402
from services.access.queries import Caller, scope_of  # noqa: E402
from services.kernel.workflow.actions import decide, open_case, return_to  # noqa: E402
from services.kernel.workflow.choosing import flow_for  # noqa: E402
from services.kernel.workflow.handlers import handler_of  # noqa: E402
from services.kernel.workflow.models import Case, Task, TaskState  # noqa: E402
from services.kernel.workflow.queries import Asked, counts, inbox  # noqa: E402

OPEN_TASKS = 100_000
ROUNDS = 40
MATTER = "service_point"


def flow() -> list[dict[str, Any]]:
    """Fill the inbox, then ask it and act in it as people do."""
    make_demo_accounts()
    declare_roles()
    street = RegionVersion.objects.get(name="老西门街道", level="street", edition__state="published")
    clerk = User.objects.get(username="jiezhen")
    district = User.objects.get(username="qu")
    _fill(street)
    whole = User.objects.create(username="bench-flows")
    grant_role(user=whole, role="street_clerk", granted_by="bench", region=Region.objects.get(versions__code="310000"))
    found = [
        _line("inbox of a city-wide clerk: counts and first page", _timed(lambda: _ask(whole))),
        _line("inbox of a street's clerk: counts and first page", _timed(lambda: _ask(clerk))),
    ]
    client = Client(headers={"host": "localhost"})
    client.force_login(whole, backend="django.contrib.auth.backends.ModelBackend")
    found.append(_line("the whole inbox page", _timed(lambda: _page(client))))
    return [*found, *_acts(street.code, clerk, district)]


def _fill(street: RegionVersion) -> None:
    """Write 100,000 open tasks with their cases over the streets of the city, a tenth of them in one street's pool."""
    chance, now = random.Random(4), timezone.now()
    regions = list(
        RegionVersion.objects.filter(level="street", edition__state="published").values_list("region_id", flat=True)
    )
    version = flow_for(MATTER, street.region_id)
    cases = [
        Case(
            number=f"BENCH-{at:06d}", matter=MATTER, duty="cases.view", category="社区服务", source="online",
            title=f"服务点{at}", flow=version, region_id=street.region_id if at % 10 == 0 else chance.choice(regions),
            opened_by="bench",
        )
        for at in range(OPEN_TASKS)
    ]  # fmt: skip
    Case.objects.bulk_create(cases, batch_size=5_000)
    Task.objects.bulk_create(
        [
            Task(
                case=case, matter=MATTER, step="street", name="街镇审核", level="street", duty="cases.street",
                region_id=case.region_id, state=TaskState.OPEN,
                due_at=now + dt.timedelta(minutes=chance.randrange(20_000)),
            )
            for case in cases
        ],
        batch_size=5_000,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE kernel_workflow_task; ANALYZE kernel_workflow_case")


def _ask(user: User) -> None:
    handler = handler_of(user)
    counts(handler, _scope(user))
    rows = list(inbox(Asked(), handler)[:50])
    if len(rows) != 50:
        raise RuntimeError(f"the inbox holds {len(rows)}")


def _page(client: Client) -> None:
    answer = client.get("/desk/cases")
    if answer.status_code != 200:
        raise RuntimeError(f"the inbox answers {answer.status_code}")


def _scope(user: User) -> Scope:
    return scope_of(Caller(user))


def _acts(code: str, clerk: User, district: User) -> list[dict[str, Any]]:
    """Walk cases through their flow with a return in the middle: each act is timed by itself, each case has a history."""
    applicant = User.objects.get(username="jumin")
    opened: list[float] = []
    decided: list[float] = []
    returned: list[float] = []
    for at in range(ROUNDS):
        began = time.perf_counter()
        case = open_case(
            matter=MATTER, region=code, title=f"量时{at}", user=applicant, scope=_scope(applicant), key=str(uuid4()), facts={"area": 50}
        )  # fmt: skip
        opened.append(time.perf_counter() - began)

        def act(do: Callable[..., Case], user: User, case: Case = case, **more: Any) -> float:
            version, scope = Case.objects.values_list("version", flat=True).get(pk=case.pk), _scope(user)
            began = time.perf_counter()
            do(uid=case.uid, user=user, scope=scope, key=str(uuid4()), version=version, **more)
            return time.perf_counter() - began

        decided.append(act(decide, clerk, outcome="approve", opinion="同意"))
        decided.append(act(decide, district, outcome="approve", opinion="齐全"))
        for _ in range(5):
            returned.append(act(return_to, district, step="street", opinion="再看"))
            decided.append(act(decide, clerk, outcome="approve", opinion="已看"))
            decided.append(act(decide, district, outcome="approve", opinion="齐全"))
        decided.append(act(decide, district, outcome="approve", opinion="同意"))
    return [
        _line("a case opened", opened),
        _line("a step decided, cases with up to 18 acts of history", decided),
        _line("a case sent back", returned),
    ]


def _timed(ask: Callable[[], None]) -> list[float]:
    found = []
    for _ in range(ROUNDS + 5):
        began = time.perf_counter()
        ask()
        found.append(time.perf_counter() - began)
    return found[5:]


def _line(asked: str, seconds: list[float]) -> dict[str, Any]:
    return {
        "asked": asked,
        "ours_ms": 1000 * float(np.percentile(seconds, 95)),
        "note": f"median {1000 * float(np.median(seconds)):.0f} ms, {len(seconds)} times",
    }


if __name__ == "__main__":
    print(json.dumps({"flow": flow}[sys.argv[1]]()))
