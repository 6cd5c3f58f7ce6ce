"""Rows of features by revision: what held when, going back to it, what differs between two. Statements over sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.db.models import Q, QuerySet

from layers.datasets.models import Dataset, Feature

PATIENT: Final = "SET LOCAL statement_timeout = 120000"
"""For statements over a hundred thousand rows, until the transaction ends."""
_SAME: Final = "ST_AsBinary(a.geom) = ST_AsBinary(b.geom) AND a.properties = b.properties AND a.origin = b.origin"
# a row of what held at %(at)s
_HELD: Final = (
    "{0}.dataset_id = %(dataset)s AND {0}.from_revision <= %({1})s "
    "AND ({0}.to_revision IS NULL OR {0}.to_revision > %({1})s)"
)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many features an act adds, changes and takes away."""

    added: int = 0
    changed: int = 0
    gone: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.gone)

    @property
    def said(self) -> str:
        """Return it in words."""
        parts = (("新增", self.added), ("修改", self.changed), ("删除", self.gone))
        return "、".join(f"{word} {count:,} 个" for word, count in parts if count) or "没有改动"


def held_at(dataset: Dataset, revision: int) -> QuerySet[Feature]:
    """Return the features a dataset held at a revision."""
    begun = Feature.objects.filter(dataset=dataset, from_revision__lte=revision)
    return begun.filter(Q(to_revision__isnull=True) | Q(to_revision__gt=revision))


def held_now(dataset: Dataset) -> QuerySet[Feature]:
    """Return the features of the draft."""
    return Feature.objects.filter(dataset=dataset, to_revision__isnull=True)


def restore(dataset: Dataset, *, target: int, at: int) -> Tally:
    """Let a dataset hold at revision ``at``, the next one, what it held at ``target``. Only what differs is written."""
    given = {"dataset": dataset.pk, "target": target, "at": at}
    with connection.cursor() as cursor:
        cursor.execute(PATIENT)
        cursor.execute(f"CREATE TEMPORARY TABLE back ON COMMIT DROP AS {_DIFFERING}", given)
        cursor.execute("ANALYZE back")
        cursor.execute("UPDATE datasets_feature f SET to_revision = %(at)s FROM back WHERE f.id = back.now_id", given)
        cursor.execute(
            "INSERT INTO datasets_feature (dataset_id, number, from_revision, geom, properties, origin) "
            "SELECT f.dataset_id, f.number, %(at)s, f.geom, f.properties, f.origin "
            "FROM datasets_feature f JOIN back ON f.id = back.then_id",
            given,
        )
        cursor.execute(
            "SELECT count(*) FILTER (WHERE now_id IS NULL), count(*) FILTER (WHERE now_id IS NOT NULL AND then_id IS NOT NULL), "
            "count(*) FILTER (WHERE then_id IS NULL) FROM back"
        )
        tally = Tally(*cursor.fetchone())
        cursor.execute("DROP TABLE back")
    return tally


# now: rows of the draft that began after the target; then: rows of the target that have ended
_DIFFERING: Final = f"""
SELECT b.id AS now_id, a.id AS then_id
FROM (SELECT * FROM datasets_feature
      WHERE dataset_id = %(dataset)s AND from_revision <= %(target)s AND to_revision > %(target)s) a
FULL JOIN (SELECT * FROM datasets_feature
           WHERE dataset_id = %(dataset)s AND to_revision IS NULL AND from_revision > %(target)s) b
  ON a.number = b.number
WHERE a.id IS NULL OR b.id IS NULL OR NOT ({_SAME})"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One feature that differs between two revisions: the ids of its rows then and now, ``None`` where it was not there."""

    number: int
    before: int | None
    after: int | None

    @property
    def kind(self) -> str:
        """Say whether it was added, changed or is gone."""
        return "added" if self.before is None else "gone" if self.after is None else "changed"


_COMPARED: Final = f"""
FROM (SELECT * FROM datasets_feature a WHERE {_HELD.format("a", "one")} AND a.to_revision <= %(two)s) a
FULL JOIN (SELECT * FROM datasets_feature b WHERE {_HELD.format("b", "two")} AND b.from_revision > %(one)s) b
  ON a.number = b.number
WHERE (a.id IS NULL OR b.id IS NULL OR NOT ({_SAME}))"""


def differences(dataset: Dataset, *, before: int, after: int, limit: int, offset: int = 0) -> list[Difference]:
    """Return what differs between two revisions, the earlier ``before``, by number."""
    found = _run(
        f"SELECT coalesce(a.number, b.number), a.id, b.id {_COMPARED} ORDER BY 1 LIMIT %(limit)s OFFSET %(offset)s",
        {"dataset": dataset.pk, "one": before, "two": after, "limit": limit, "offset": offset},
    )
    return [Difference(*row) for row in found]


def tally_between(dataset: Dataset, *, before: int, after: int) -> Tally:
    """Return how many features differ between two revisions."""
    counted = (
        "SELECT count(*) FILTER (WHERE a.id IS NULL), count(*) FILTER (WHERE a.id IS NOT NULL AND b.id IS NOT NULL), "
        "count(*) FILTER (WHERE b.id IS NULL)"
    )
    return Tally(*_run(f"{counted} {_COMPARED}", {"dataset": dataset.pk, "one": before, "two": after})[0])


def _run(statement: str, given: dict[str, Any]) -> Sequence[Sequence[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return list(cursor.fetchall())
