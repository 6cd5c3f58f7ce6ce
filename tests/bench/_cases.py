"""The parts of the ``cases`` benchmark that need Django over the scratch database; run as ``python -m tests.bench._cases PART``."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")

import django

django.setup()

import numpy as np  # noqa: E402
from django.core.paginator import Paginator  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import QueryDict  # noqa: E402
from django.test import Client  # noqa: E402

from geo.crs.codes import CGCS2000  # noqa: E402
from geo.names import grams  # noqa: E402
from geo.scope import Scope  # noqa: E402
from services.access.demo import make_demo_accounts  # noqa: E402
from services.access.models import User  # noqa: E402
from services.facilities.ledgers import LEDGERS  # noqa: E402
from services.facilities.models import Facility  # noqa: E402
from services.kernel.ledger.asking import read_asked  # noqa: E402
from services.kernel.ledger.queries import ROWS, count_rows, page_of, rows_asked  # noqa: E402

MILLION = 1_000_000
ROUNDS = 40
FIRST = "云松晨星瑞安和平新康乐春华秋实长宁静安福禄吉祥如意"
LAST = ("托育园", "幼儿园", "养老院", "长者食堂", "日间照护中心", "卫生服务站", "公园", "菜市场")
(SPEC,) = LEDGERS
CITY = Scope(paths=("310000.",), duties=frozenset({"facilities.view"}), actor="bench")


def ledger() -> list[dict[str, Any]]:
    """Fill the ledger, and ask it in the ways that people do."""
    chance = random.Random(4)
    rows = _add_a_million(chance)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT code FROM regions_regionversion v JOIN regions_edition e ON e.id = v.edition_id AND e.state = 'published'"
            " WHERE v.level = 'district' AND EXISTS (SELECT 1 FROM facilities_facility f JOIN regions_regionversion w"
            " ON w.region_id = f.region_id AND w.edition_id = e.id WHERE w.path LIKE v.path || '%%')"
        )
        districts = [code for (code,) in cursor.fetchall()]

    def word(size: int) -> str:
        name = "".join(chance.choices(FIRST, k=2)) + chance.choice(LAST)
        at = chance.randrange(len(name) - size + 1)
        return name[at : at + size]

    ways: list[tuple[str, Callable[[], str]]] = [
        ("a district and two characters", lambda: f"region={chance.choice(districts)}&q={word(2)}"),
        ("a district and one character", lambda: f"region={chance.choice(districts)}&q={word(1)}"),
        ("a district, three characters, a kind, by name downwards",
         lambda: f"region={chance.choice(districts)}&q={word(3)}&f.kind_id=park&f.kind_id=nursery&sort=-name"),
        ("the whole city and four characters", lambda: f"q={word(4)}"),
    ]  # fmt: skip
    found = []
    for asked, make in ways:
        ours, peer = [], []
        for at in range(ROUNDS + 5):
            query = make()
            question = read_asked(QueryDict(query), SPEC)
            began = time.perf_counter()
            page_of(SPEC, question, scope=CITY)
            count_rows(SPEC, question, scope=CITY)
            ours.append(time.perf_counter() - began)
            if at < 8:
                peer.append(_as_usual(question))
        found.append(_line(rows, asked, ours[5:], peer[5:], "list and count"))
    make_demo_accounts()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username="shi"), backend="django.contrib.auth.backends.ModelBackend")
    whole = []
    for _ in range(ROUNDS + 5):
        query = ways[0][1]()
        began = time.perf_counter()
        answer = client.get(f"/desk/ledgers/facilities?{query}")
        whole.append(time.perf_counter() - began)
        if answer.status_code != 200:
            raise RuntimeError(f"{query}: {answer.status_code}")
    found.append(_line(rows, "the whole page, a district and two characters", whole[5:], [], "HTML"))
    return found


def _as_usual(question: Any) -> float:
    """Return the seconds that the usual list page takes: all rows counted, text by LIKE, the page cut by offset."""
    rows = rows_asked(SPEC, read_asked(QueryDict(""), SPEC), scope=CITY)
    if question.regions:
        same = read_asked(QueryDict("&".join(f"region={code}" for code in question.regions)), SPEC)
        rows = rows_asked(SPEC, same, scope=CITY)
    began = time.perf_counter()
    pages = Paginator(rows.filter(name__icontains=question.text).order_by("name", "pk"), ROWS)
    list(pages.page(1).object_list.values_list("pk", "name", "address_text"))
    return time.perf_counter() - began


def _line(rows: int, asked: str, ours: list[float], peer: list[float], note: str) -> dict[str, Any]:
    return {
        "rows": rows,
        "asked": asked,
        "ours_ms": 1000 * float(np.percentile(ours, 95)),
        "peer_ms": 1000 * float(np.percentile(peer, 95)) if peer else None,
        "note": f"{note}; median {1000 * float(np.median(ours)):.0f} ms",
    }


def _add_a_million(chance: random.Random) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'facilities_facility'")
        made = [(name, text) for name, text in cursor.fetchall() if "UNIQUE" not in text]
        for name, _ in made:
            cursor.execute(f'DROP INDEX "{name}"')
        cursor.execute("SELECT min(source_id) FROM facilities_facility")
        (source,) = cursor.fetchone()
        cursor.execute("SELECT array_agg(DISTINCT region_id) FROM addresses_address WHERE region_id IS NOT NULL")
        (regions,) = cursor.fetchone()
        names = ["".join(chance.choices(FIRST, k=2)) + last for last in LAST for _ in range(400)]
        pieces = {name: "{" + ",".join(grams(name)) + "}" for name in names}
        columns = (
            "source_id, ext_id, kind_id, name, geom, point_source, uncertainty_m, cell, address_text, phone, status,"
            " attributes, hours, vacancies_source, grams, region_id, updated_at"
        )
        with cursor.copy(f"COPY facilities_facility ({columns}) FROM STDIN") as copy:
            for at in range(MILLION):
                name = names[chance.randrange(len(names))]
                point = f"SRID={CGCS2000};POINT({121 + chance.random() * 0.9} {30.8 + chance.random() * 0.9})"
                copy.write_row(
                    (source, f"bench-{at}", chance.choice(("nursery", "canteen", "park", "care_home")), name, point, "source",
                     20, 0, "某路1号", "", "open", "{}", "{}", "", pieces[name], chance.choice(regions), "2026-01-01T00:00Z")
                )  # fmt: skip
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for _, definition in made:
            cursor.execute(definition)
        cursor.execute("ANALYZE facilities_facility")
    return Facility.objects.filter(retired_at=None).count()


if __name__ == "__main__":
    print(json.dumps({"ledger": ledger}[sys.argv[1]]()))
