"""Many features at once into a draft, out of a file or another layer: which are new, which change which, which go. One act.

They arrive by COPY in a table of their own and are matched there, so that a hundred thousand take seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from django.db import connection, transaction

from geo.crs.codes import CGCS2000
from geo.errors import BadInput, Conflict
from geo.scope import Scope
from layers.datasets.editing import MOST_FEATURES, Sent, Step, perform
from layers.datasets.models import Dataset, DatasetAct
from layers.datasets.queries import EDIT, dataset_seen
from layers.datasets.revisions import PATIENT, Tally

BY_ORIGIN: Final = "origin"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A feature on its way in: its shape (WKB, CGCS2000), its values by name, and the row it comes from."""

    shape: bytes
    properties: dict[str, Any]
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Matching:
    """Which feature an arrival is: the one with the same value of the attribute ``by``, or of the same origin; '' is always new.

    ``replace`` takes away what has not arrived. ``over`` says that values which did not arrive go, too.
    """

    by: str = ""
    replace: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True)
class Weighed:
    """What taking arrivals in would do, and how many features it would leave as they are."""

    tally: Tally
    same: int


def take_in(
    sent: Sent, *, arrivals: Sequence[Arrival], matching: Matching, said: str, act: str = "import",
    attributes: Sequence[dict[str, Any]] | None = None,
) -> DatasetAct | None:  # fmt: skip
    """Take arrivals into a draft as one act, with the ``attributes`` it has then; ``None`` when nothing changes.

    Raises ``Conflict`` when the draft changed since it was ``seen``.
    """

    def work(step: Step) -> None:
        dataset = step.dataset
        if dataset.revision != sent.seen:
            raise Conflict("dataset_changed", "核对以后图层又有改动。请看过最新的结果再写入。", newest=dataset.revision)
        _arrive(dataset, arrivals, matching)
        weighed = _weighed()
        first = step.take_numbers(weighed.tally.added)
        _write(step, first, matching)
        step.tally, step.said = weighed.tally, f"{said}：{weighed.tally.said}"
        if attributes is not None and list(attributes) != dataset.attributes:
            step.attributes = list(attributes)

    return perform(sent, act, work)


@transaction.atomic
def weigh(key: str, *, arrivals: Sequence[Arrival], matching: Matching, scope: Scope) -> Weighed:
    """Say what taking arrivals in would do, without doing it."""
    dataset = dataset_seen(key, scope=scope, duty=EDIT)
    _arrive(dataset, arrivals, matching)
    weighed = _weighed()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE arrived")
    return weighed


def _arrive(dataset: Dataset, arrivals: Sequence[Arrival], matching: Matching) -> None:
    """Fill the table ``arrived`` of this transaction: each arrival with the row it is, and the rows that have not arrived."""
    if len(arrivals) > MOST_FEATURES:
        raise BadInput("features_many", f"一个图层最多 {MOST_FEATURES:,} 个要素，请分成几个图层。")
    if matching.by not in ("", BY_ORIGIN, *(one["name"] for one in dataset.attributes)):
        raise BadInput("key_unknown", "没有用来对应的字段，请刷新页面后再选。")
    with connection.cursor() as cursor:
        cursor.execute(PATIENT)
        cursor.execute(
            "CREATE TEMPORARY TABLE arrived (n serial, geom geometry, properties jsonb, origin text, match text, row_id bigint) "
            "ON COMMIT DROP"
        )
        with cursor.copy("COPY arrived (geom, properties, origin, match) FROM STDIN") as copy:
            for one in arrivals:
                match = one.origin if matching.by == BY_ORIGIN else one.properties.get(matching.by)
                said = orjson.dumps(one.properties).decode()
                copy.write_row((_ewkb(one.shape), said, one.origin, None if match is None else _text(match)))
        # the planner knows nothing yet of what has just come, here or in the features
        cursor.execute("CREATE INDEX ON arrived (match)")
        cursor.execute("CREATE INDEX ON arrived (row_id)")
        cursor.execute("ANALYZE arrived")
        if matching.by:
            _match(dataset, matching)
        if matching.replace:
            cursor.execute(
                "INSERT INTO arrived (row_id) SELECT f.id FROM datasets_feature f WHERE f.dataset_id = %s "
                "AND f.to_revision IS NULL AND NOT EXISTS (SELECT 1 FROM arrived a WHERE a.row_id = f.id)",
                [dataset.pk],
            )


def _match(dataset: Dataset, matching: Matching) -> None:
    """Find the row each arrival is, and let it say what that says besides. Raises ``Conflict`` where that is not one row."""
    column = "f.origin" if matching.by == BY_ORIGIN else f"f.properties->>'{matching.by}'"
    called = "来源" if matching.by == BY_ORIGIN else next(
        one["title"] for one in dataset.attributes if one["name"] == matching.by
    )  # fmt: skip
    with connection.cursor() as cursor:
        for where, table, said in (
            ("文件", "SELECT match FROM arrived WHERE match IS NOT NULL", "请先改成各不相同的。"),
            (
                "图层",
                f"SELECT {column} AS match FROM datasets_feature f JOIN arrived a ON a.match = {column} "
                "WHERE f.dataset_id = %(dataset)s AND f.to_revision IS NULL",
                "请换一个字段来对应，或先改图层。",
            ),
        ):
            cursor.execute(
                f"SELECT match FROM ({table}) AS keys GROUP BY match HAVING count(*) > 1 LIMIT 4",
                {"dataset": dataset.pk},
            )
            twice = [str(row[0])[:30] for row in cursor.fetchall()]
            if twice:
                raise Conflict(
                    "key_twice", f"{where}里有几个要素的“{called}”相同（{'、'.join(twice)}），对应不起来。{said}"
                )
        said = "a.properties" if matching.over else "f.properties || a.properties"
        cursor.execute(
            f"UPDATE arrived a SET row_id = f.id, properties = {said} "
            f"FROM datasets_feature f WHERE f.dataset_id = %(dataset)s AND f.to_revision IS NULL AND {column} = a.match",
            {"dataset": dataset.pk},
        )
        # what arrives as it is there does nothing
        cursor.execute(
            "UPDATE arrived a SET geom = NULL FROM datasets_feature f WHERE f.id = a.row_id "
            "AND f.properties = a.properties AND ST_AsBinary(f.geom) = ST_AsBinary(a.geom)"
        )


def _weighed() -> Weighed:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE row_id IS NULL), count(*) FILTER (WHERE row_id IS NOT NULL AND geom IS NOT NULL), "
            "count(*) FILTER (WHERE row_id IS NOT NULL AND properties IS NULL), "
            "count(*) FILTER (WHERE properties IS NOT NULL AND geom IS NULL) FROM arrived"
        )
        added, changed, gone, same = cursor.fetchone()
    return Weighed(Tally(added, changed, gone), same)


def _write(step: Step, first: int, matching: Matching) -> None:
    given = {"dataset": step.dataset.pk, "at": step.revision, "first": first}
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE ended ON COMMIT DROP AS SELECT f.id, f.number FROM datasets_feature f JOIN arrived a "
            "ON a.row_id = f.id WHERE a.geom IS NOT NULL OR a.properties IS NULL"
        )
        cursor.execute("CREATE INDEX ON ended (id)")
        cursor.execute("ANALYZE ended")
        cursor.execute("UPDATE datasets_feature f SET to_revision = %(at)s FROM ended WHERE f.id = ended.id", given)
        cursor.execute(
            "INSERT INTO datasets_feature (dataset_id, number, from_revision, geom, properties, origin) "
            "SELECT %(dataset)s, "
            "coalesce(e.number, %(first)s - 1 + row_number() OVER (PARTITION BY a.row_id IS NULL ORDER BY a.n)), "
            "%(at)s, a.geom, a.properties, a.origin "
            "FROM arrived a LEFT JOIN ended e ON e.id = a.row_id WHERE a.geom IS NOT NULL",
            given,
        )
        cursor.execute("DROP TABLE arrived, ended")


def _ewkb(shape: bytes) -> str:
    """Return little-endian WKB with the system it is in, as hexadecimal."""
    kind = int.from_bytes(shape[1:5], "little") | 0x20000000
    return (b"\x01" + kind.to_bytes(4, "little") + CGCS2000.to_bytes(4, "little") + shape[5:]).hex()


def _text(value: Any) -> str:
    """Return a value as ``->>`` of a column of JSON does."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
