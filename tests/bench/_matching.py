"""The measures of the ``matching`` benchmark; run as ``python -m tests.bench._matching measure`` over a scratch city.

It prints one JSON value on its last line. Rates are by the processor's time of one core, so that others on the machine do not count.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import statistics
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")

import django

django.setup()

import numpy as np  # noqa: E402
import shapely  # noqa: E402
from django.db import connection  # noqa: E402

from geo.addresses.gazetteer import names_of, published_now  # noqa: E402
from geo.addresses.models import Address  # noqa: E402
from geo.addresses.parsing import parse  # noqa: E402
from geo.jobs.actions import run_job  # noqa: E402
from geo.jobs.models import JobState  # noqa: E402
from geo.regions.models import Level  # noqa: E402
from geo.scope import Scope  # noqa: E402
from routing.actions import rebuild_graph  # noqa: E402
from routing.directions import NoRoute, route  # noqa: E402
from routing.snap import snap  # noqa: E402
from services.catchments import books  # noqa: E402
from services.catchments.answering import Asked, answer, decide_many  # noqa: E402
from services.catchments.areas.district import district_of  # noqa: E402
from services.catchments.book import Area, Book, Home  # noqa: E402
from services.catchments.books import book_of, kept_of  # noqa: E402
from services.catchments.fairness.actions import start_fairness  # noqa: E402
from services.catchments.fairness.asking import sites_of  # noqa: E402
from services.catchments.fairness.measuring import FARTHEST_S  # noqa: E402
from services.catchments.fairness.walking import WALK, seconds_from  # noqa: E402
from services.catchments.matching import door_of  # noqa: E402
from services.catchments.models import CatchmentEdition  # noqa: E402
from services.catchments.validating.actions import start_validation, take_register  # noqa: E402
from services.catchments.validating.models import Register, Validation  # noqa: E402
from services.facilities.ground import current_graph  # noqa: E402

SEED: Final = 2026
SINGLE, BULK, REGISTRATIONS, BRUTE = 400, 20_000, int(os.environ.get("QUANTU_BENCH_REGISTRATIONS", "120000")), 400
AREAS, POINTS = 200, 20_000
WALKED: Final = 100
PUBLIC: Final = Scope.public()


def measure() -> dict[str, Any]:
    """Return every figure of the benchmark."""
    edition = _edition()
    doors = _doors(edition)
    return {
        "doors": len(doors), "rules": edition.rules.count(), **_building(edition), **_single(edition, doors),
        **_bulk(edition, doors), **_peer(edition, doors), **_areas(), **_validation(edition, doors),
        **_fairness(edition),
    }  # fmt: skip


def _edition() -> CatchmentEdition:
    """Return the published edition with most rules of addresses."""
    found = CatchmentEdition.objects.filter(state="published", steps__contains=["address"])
    return max(found, key=lambda one: (one.rules.filter(mode="address").count(), str(one.pk)))


def _doors(edition: CatchmentEdition) -> list[tuple[str, str, str]]:
    """Return the doors on record of the edition's district: address, street and committee."""
    names = names_of(published_now())
    district = names.regions[edition.district_id]
    found = []
    rows = Address.objects.filter(retired_at=None).exclude(number="").order_by("id")
    for text, region_id in rows.values_list("text", "region_id").iterator():
        region = names.region(region_id)
        if region and region.path.startswith(district.path):
            street, committee = names.above(region, Level.STREET), names.above(region, Level.COMMITTEE)
            found.append((text, street.name if street else "", committee.name if committee else ""))
    random.Random(SEED).shuffle(found)
    return found


def _building(edition: CatchmentEdition) -> dict[str, float]:
    kept_of(edition)  # what a process learns once: names, projections
    books._books.clear()
    books._reading.cache_clear()
    began = time.process_time()
    kept_of(edition)
    return {"build_ms": 1000 * (time.process_time() - began)}


def _single(edition: CatchmentEdition, doors: Sequence[tuple[str, str, str]]) -> dict[str, float]:
    """Ask one after another, as the API does: read, looked up in PostGIS, matched, told with rules and kindergartens."""
    seconds = []
    for text, _, _ in doors[: SINGLE + 20]:
        began = time.perf_counter()
        answer(text, entry=edition.entry, year=edition.year, scope=PUBLIC)
        seconds.append(time.perf_counter() - began)
    kept = sorted(seconds[20:])
    return {"p50_ms": 1000 * statistics.median(kept), "p95_ms": 1000 * kept[int(0.95 * len(kept))]}


def _bulk(edition: CatchmentEdition, doors: Sequence[tuple[str, str, str]]) -> dict[str, float]:
    """Parse and match bare rows; then ``decide_many`` whole, with street and committee given, and with nothing given."""
    rows, book = [doors[at % len(doors)] for at in range(BULK)], book_of(edition)
    gazetteer = names_of(published_now()).gazetteer
    began = time.process_time()
    for text, _, _ in rows:
        parse(text, gazetteer)
    parsed = BULK / (time.process_time() - began)
    began = time.process_time()
    found = sum(1 for text, _, _ in rows if book.match(Home(door_of(parse(text, gazetteer)))).goals)
    bare = BULK / (time.process_time() - began)
    code = names_of(published_now()).regions[edition.district_id].code
    rates = {}
    for key, given in (("given", True), ("looked_up", False)):
        asked = [
            Asked(text, code, street if given else "", committee if given else "")
            for text, street, committee in rows[:10_000]
        ]
        began, wall = time.process_time(), time.perf_counter()
        decide_many(asked, entry=edition.entry, year=edition.year, scope=PUBLIC)
        rates[f"{key}_rate"] = len(asked) / (time.process_time() - began)
        rates[f"{key}_wall_s"] = time.perf_counter() - wall
    return {
        "parse_rate": parsed,
        "bulk_rate": bare,
        "bulk_found": found / BULK,
        **rates,
    }


_NUMBER: Final = re.compile(r"([\u4e00-\u9fff]{1,14}?(?:公路|大道|路|街))(?:(\d+)弄)?(?:(\d+)号)?")


def _peer(edition: CatchmentEdition, doors: Sequence[tuple[str, str, str]]) -> dict[str, float]:
    """Read the same rows by one regular expression and go through every rule, as a script over a table does; and compare."""
    book = book_of(edition)
    gazetteer = names_of(published_now()).gazetteer
    rules = [line.rule for line in book._by_rule.values() if line.rule]
    texts = [text for text, _, _ in doors[:BRUTE]]
    began = time.process_time()
    plain = [_by_script(text, rules) for text in texts]
    rate = len(texts) / (time.process_time() - began)
    equal = right = 0
    for text, said in zip(texts, plain, strict=True):
        door = door_of(parse(text, gazetteer))
        taken = next((one for one in book.match(Home(door)).path if one.mode == "address"), None)
        slow = {rule.target for rule in rules if door and _by_rule_mode(book, rule) == "address" and rule.holds(door)}
        fast = {str(goal[1]) for goal in taken.goals} if taken else slow
        equal += slow == fast
        right += slow == said
    return {"peer_rate": rate, "equal": equal / len(texts), "peer_right": right / len(texts)}


def _by_script(text: str, rules: Sequence[Any]) -> set[str]:
    found = _NUMBER.search(text.split("区", 1)[-1])
    road, number = (found[1], int(found[2] or found[3] or 0)) if found else ("", 0)
    return {
        rule.target for rule in rules for one in rule.covers if one.road == road and one.span.holds(number)
    }  # fmt: skip


def _by_rule_mode(book: Book, rule: Any) -> str:
    return book._by_rule[id(rule)].mode


def _areas() -> dict[str, float]:
    """Ask points of two hundred areas: the book beside all areas one by one, and whether they agree."""
    chance = random.Random(SEED)
    cells = [shapely.box(x * 500, y * 500, x * 500 + 500, y * 500 + 500) for x in range(20) for y in range(AREAS // 20)]
    areas = [Area(at, str(at), at, cell) for at, cell in enumerate(cells)]
    for area in areas:
        shapely.prepare(area.shape)
    book = Book(("area",), [], areas)
    homes = [Home(point=(chance.uniform(0, 10_000), chance.uniform(0, 5_000))) for _ in range(POINTS)]
    began = time.process_time()
    ours = [book.match(home).goals for home in homes]
    rate = POINTS / (time.process_time() - began)
    some = homes[:2_000]
    began = time.process_time()
    theirs = [
        tuple(("site", area.site) for area in areas if area.shape.covers(shapely.Point(home.point))) for home in some
    ]
    return {
        "area_rate": rate, "area_peer": len(some) / (time.process_time() - began),
        "area_equal": sum(a == b for a, b in zip(ours, theirs, strict=False)) / len(some),
    }  # fmt: skip


def _validation(edition: CatchmentEdition, doors: Sequence[tuple[str, str, str]]) -> dict[str, float]:
    """Take in a register of a year and run it as the job does: read, looked up where needed, matched, results kept."""
    import tempfile
    from pathlib import Path

    scope = Scope(paths=("",), duties=frozenset({"*"}), actor="bench")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "register.csv"
        with source.open("w", encoding="utf-8") as file:
            file.write("登记编号,街道,居委,户籍地址,居住地址\n")
            for at in range(REGISTRATIONS):
                text, street, committee = doors[at % len(doors)]
                file.write(f"D{at:06},{street},{committee},{text},{text}\n")
        began = time.perf_counter()
        register: Register = take_register(
            edition_id=edition.pk, source=source, name="bench", key=uuid.uuid4(), scope=scope
        )
        taken = time.perf_counter() - began
    run = start_validation(edition_id=edition.pk, register_id=register.pk, key=uuid.uuid4(), scope=scope)
    assert run.job is not None
    began, own = time.perf_counter(), time.process_time()
    done = run_job(job_id=run.job)
    assert done.state == JobState.DONE, done.error
    wall, cpu = time.perf_counter() - began, time.process_time() - own
    run.refresh_from_db()
    outcomes: dict[str, int] = defaultdict(int)
    for outcome, reasons in run.counts.items():
        outcomes[outcome] += sum(reasons.values())
    assert sum(outcomes.values()) == REGISTRATIONS
    return {"register_s": taken, "validation_s": wall, "validation_cpu_s": cpu, "registrations": REGISTRATIONS,
            "matched": outcomes["one"] / REGISTRATIONS}  # fmt: skip


def _fairness(edition: CatchmentEdition) -> dict[str, float]:
    """Measure an edition with the children just validated as the job does; then some doors by a search of their own each."""
    rebuild_graph()
    scope = Scope(paths=("",), duties=frozenset({"*"}), actor="bench")
    children = Validation.objects.latest("made_at")
    run = start_fairness(edition_id=edition.pk, validation_id=children.pk, grades=1, key=uuid.uuid4(), scope=scope)
    assert run.job is not None
    began, own = time.perf_counter(), time.process_time()
    done = run_job(job_id=run.job)
    assert done.state == JobState.DONE, done.error
    wall, cpu = time.perf_counter() - began, time.process_time() - own
    published = published_now()
    district = district_of(edition.district_id, published)
    sites = sites_of(edition, kept_of(edition, published), district, published)
    some = random.Random(SEED).sample(range(len(district.homes)), min(WALKED, len(district.homes)))
    ours = [away[some] for _, away in seconds_from(current_graph(), district.doors, sites, lambda share: None)]
    began = time.process_time()
    theirs = [[_walk(district.doors[at], site.point) for at in some] for site in sites.by_id.values()]
    each = (time.process_time() - began) / len(some)
    gap = np.abs(np.minimum(np.array(ours), FARTHEST_S) - np.minimum(np.array(theirs), FARTHEST_S))
    return {
        "fairness_s": wall, "fairness_cpu_s": cpu, "fairness_doors": len(district.homes), "fairness_sites": len(sites.by_id),
        "fairness_peer_s": each * len(district.homes), "fairness_equal": float((gap <= 1).mean()),
    }  # fmt: skip


def _walk(door: Any, site: tuple[float, float]) -> float:
    graph = current_graph()
    ends = [snap(graph, float(x), float(y), WALK) for x, y in (door, site)]
    if not all(end.found for end in ends):
        return math.inf
    try:
        return route(graph, ends[0], ends[1]).seconds
    except NoRoute:
        return math.inf


if __name__ == "__main__":
    connection.ensure_connection()
    print(json.dumps({"measure": measure}[sys.argv[1]]()))
