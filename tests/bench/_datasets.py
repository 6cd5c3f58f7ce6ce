"""The parts of the ``datasets`` benchmark that need Django over the scratch database; run as ``python -m tests.bench._datasets PART``."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")

import django

django.setup()

import numpy as np  # noqa: E402
import orjson  # noqa: E402
import shapely  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from geo.crs.codes import CGCS2000  # noqa: E402
from geo.scope import Scope  # noqa: E402
from layers.datasets.actions import create_dataset, publish  # noqa: E402
from layers.datasets.arriving import Arrival, Matching, take_in  # noqa: E402
from layers.datasets.attributes import DatasetAttribute  # noqa: E402
from layers.datasets.editing import Sent, redo, undo  # noqa: E402
from layers.datasets.models import Dataset, DatasetAct  # noqa: E402
from layers.datasets.queries import steps  # noqa: E402
from layers.datasets.revisions import held_now  # noqa: E402

FEATURES: Final = 100_000
ROUNDS: Final = 3
SCOPE: Final = Scope(paths=("310000.",), duties=frozenset({"layers.view", "layers.edit"}), actor="bench")
ATTRIBUTES: Final = (
    DatasetAttribute("bianhao", "编号", "text"),
    DatasetAttribute("leixing", "类型", "text"),
    DatasetAttribute("shuliang", "数量", "whole"),
)


def arrivals(turn: int) -> list[Arrival]:
    """Return the features of an act; with another turn they have the same numbers and other figures."""
    chance = np.random.default_rng(7)
    points = shapely.to_wkb(shapely.points(121.2 + chance.random(FEATURES) * 0.6, 30.9 + chance.random(FEATURES) * 0.6))
    return [
        Arrival(shape, {"bianhao": f"C{at}", "leixing": "路灯" if at % 2 else "长椅", "shuliang": at % 90 + turn})
        for at, shape in enumerate(points)
    ]


def acts() -> list[dict[str, Any]]:
    """Do every act in rounds, each on a dataset and a table of its own, and the same at the peer."""
    ours: dict[str, list[float]] = {}
    peer: dict[str, list[float]] = {}
    first, second = arrivals(0), arrivals(1)
    for number in range(ROUNDS):
        for name, work in _ours(number, first, second).items():
            ours.setdefault(name, []).append(_took(work))
        for name, work in _peer(f"plain_{number}", first, second).items():
            peer.setdefault(name, []).append(_took(work))
        sys.stderr.write(f"  round {number + 1} of {ROUNDS}\n")
    return [
        {
            "asked": name,
            "ours_ms": statistics.median(times),
            "peer_ms": statistics.median(peer[name]),
            "note": f"median of {ROUNDS}; peer: {PEERS[name]}",
        }
        for name, times in ours.items()
    ]


PEERS: Final = {
    "taken in as one act": "COPY",
    "taken back": "DELETE",
    "done again": "INSERT … SELECT",
    "all changed, matched by an attribute": "COPY aside, UPDATE … FROM",
    "that taken back": "UPDATE … FROM",
    "published": "CREATE TABLE … AS, its indexes",
}


def _ours(number: int, first: list[Arrival], second: list[Arrival]) -> dict[str, Callable[[], object]]:
    dataset = create_dataset(
        title=f"设施{number}", geometry="point", region="310101", key=uuid4(), attributes=ATTRIBUTES, scope=SCOPE
    )

    def sent() -> Sent:
        return Sent(dataset.key, Dataset.objects.get(pk=dataset.pk).revision, uuid4(), SCOPE)

    def last(done: int) -> int:
        act = steps(Dataset.objects.get(pk=dataset.pk))[done]
        if act is None:
            raise RuntimeError("there is no act to take back or to do again")
        return act.pk

    def must_hold(work: Callable[[], DatasetAct | None], count: int) -> Callable[[], object]:
        def done() -> None:
            if work() is None:
                raise RuntimeError("the act changed nothing")
            _HOLDING.append((dataset.pk, count))

        return done

    return {
        "taken in as one act": must_hold(
            lambda: take_in(sent(), arrivals=first, matching=Matching(), said="导入"), FEATURES
        ),
        "taken back": must_hold(lambda: undo(sent(), act_id=last(0)), 0),
        "done again": must_hold(lambda: redo(sent(), act_id=last(1)), FEATURES),
        "all changed, matched by an attribute": must_hold(
            lambda: take_in(sent(), arrivals=second, matching=Matching(by="bianhao"), said="导入"), FEATURES
        ),
        "that taken back": must_hold(lambda: undo(sent(), act_id=last(0)), FEATURES),
        "published": lambda: publish(sent(), note="第一版"),
    }


_HOLDING: list[tuple[int, int]] = []
"""Which dataset must hold how many features after the act that was just timed."""


def _peer(table: str, first: list[Arrival], second: list[Arrival]) -> dict[str, Callable[[], object]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {table} (id bigserial PRIMARY KEY, number int, geom geometry(Point, {CGCS2000}), properties jsonb);"
            f"CREATE INDEX ON {table} USING gist (geom); CREATE INDEX ON {table} (number); "
            f"CREATE TABLE {table}_kept (number int, geom geometry, properties jsonb);"
            f"CREATE TABLE {table}_came (number int, geom geometry, properties jsonb)"
        )

    def copy(into: str, rows: list[Arrival]) -> None:
        shapes = shapely.set_srid(shapely.from_wkb([one.shape for one in rows]), CGCS2000)
        texts = shapely.to_wkb(shapes, hex=True, include_srid=True)
        with connection.cursor() as cursor, cursor.copy(f"COPY {into} (number, geom, properties) FROM STDIN") as way:
            for at, (text, one) in enumerate(zip(texts, rows, strict=True)):
                way.write_row((at, text, orjson.dumps(one.properties).decode()))

    def execute(*statements: str) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    copy(f"{table}_kept", first)
    execute(f"ANALYZE {table}_kept")

    def change() -> None:
        copy(f"{table}_came", second)
        execute(
            f"ANALYZE {table}_came",
            f"UPDATE {table} t SET geom = c.geom, properties = c.properties FROM {table}_came c WHERE c.number = t.number",
        )

    return {
        "taken in as one act": lambda: copy(table, first),
        "taken back": lambda: execute(f"DELETE FROM {table}"),
        "done again": lambda: execute(f"INSERT INTO {table} (number, geom, properties) SELECT * FROM {table}_kept"),
        "all changed, matched by an attribute": change,
        "that taken back": lambda: execute(
            f"UPDATE {table} t SET geom = k.geom, properties = k.properties FROM {table}_kept k WHERE k.number = t.number"
        ),
        "published": lambda: execute(
            f"CREATE TABLE {table}_version AS SELECT * FROM {table}",
            f"CREATE INDEX ON {table}_version USING gist (geom)",
            f"CREATE INDEX ON {table}_version (number)",
        ),
    }


def _took(work: Callable[[], object]) -> float:
    """Return the milliseconds of one act until it is committed, and see that the dataset holds what it should."""
    began = time.perf_counter()
    with transaction.atomic():
        work()
    took = 1000 * (time.perf_counter() - began)
    while _HOLDING:
        dataset, count = _HOLDING.pop()
        if held_now(Dataset.objects.get(pk=dataset)).count() != count:
            raise RuntimeError(f"the dataset does not hold {count} features")
    return took


if __name__ == "__main__":
    print(json.dumps({"acts": acts}[sys.argv[1]]()))
