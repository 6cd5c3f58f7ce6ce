"""Logs enter their trees whatever the order of commits, and whoever changes, removes, inserts, reorders or replaces is named."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from hypothesis import given
from hypothesis import strategies as st

from services.access.actions import record_audit
from services.access.models import AuditAct, AuditEntry
from services.crypto.chain import canonical, chain_logs, chained_tables
from services.crypto.chain_checks import check_logs
from services.crypto.merkle import Peaks, leaf_digest
from services.crypto.models import ChainedLog, LogEntry, LogHead

NOW = dt.timedelta(0)


@pytest.fixture(autouse=True)
def heads(tmp_path: Path, settings: Any) -> Path:
    settings.LOG_HEADS = tmp_path / "heads"
    return settings.LOG_HEADS


def written(count: int) -> list[AuditEntry]:
    return [record_audit(act=AuditAct.SIGN_IN, actor=f"user{number}", detail={"n": number}) for number in range(count)]


def codes() -> list[str]:
    return [finding.code for finding in check_logs()[1]]


def sql(text: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


@pytest.mark.django_db
class TestChaining:
    def test_rows_enter_once_and_in_order_and_the_head_is_signed(self) -> None:
        rows = written(5)
        assert (chain_logs(lag=NOW), chain_logs(lag=NOW)) == (5, 0)
        more = written(3)
        assert chain_logs(lag=NOW) == 3
        entries = LogEntry.objects.filter(log="audit").order_by("position")
        assert [entry.row for entry in entries] == [row.pk for row in rows + more]
        heads = LogHead.objects.filter(log="audit").order_by("number")
        assert [head.size for head in heads] == [5, 8]
        leaves = [bytes(entry.leaf) for entry in entries]
        assert [bytes(head.root) for head in heads] == [
            Peaks().with_leaves(leaves[:5]).root,
            Peaks().with_leaves(leaves).root,
        ]
        assert check_logs() == (8, [])

    def test_what_was_seen_a_moment_ago_waits(self) -> None:
        written(2)
        assert chain_logs() == 0
        ChainedLog.objects.update(candidate_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        assert chain_logs() == 2

    def test_an_empty_log_is_in_order(self) -> None:
        assert chain_logs(lag=NOW) == 0
        assert check_logs() == (0, [])

    def test_a_signing_key_that_is_gone_loses_no_row(self, settings: Any, tmp_path: Path) -> None:
        from geo.errors import Unavailable

        written(2)
        settings.SIGNING_KEYS, settings.SIGNING_KEYS_MADE_HERE = tmp_path / "absent", False
        with pytest.raises(Unavailable), transaction.atomic():
            chain_logs(lag=NOW)
        assert not LogEntry.objects.exists()
        settings.SIGNING_KEYS_MADE_HERE = True
        assert chain_logs(lag=NOW) == 2

    def test_every_log_is_declared_once(self) -> None:
        keys = [table.key for table in chained_tables()]
        assert len(keys) == len(set(keys))
        assert {"audit", "case_events"} <= set(keys)


CASES: list[tuple[str, Callable[[list[int]], None], str]] = [
    ("changed", lambda pk: sql("UPDATE access_auditentry SET actor = 'nobody' WHERE id = %s", pk[2]), "row_changed"),
    (
        "moment",
        lambda pk: sql("UPDATE access_auditentry SET at = at - interval '1 hour' WHERE id = %s", pk[2]),
        "row_changed",
    ),
    ("removed", lambda pk: sql("DELETE FROM access_auditentry WHERE id = %s", pk[2]), "row_removed"),
    (
        "inserted",
        lambda pk: sql(
            "INSERT INTO access_auditentry (id, at, act, actor, path, detail, request_id) VALUES (%s, now(), 'sign_in', 'x', '', '{}', '')",
            pk[0] - 1,
        ),
        "row_inserted",
    ),
    (
        "exchanged",
        lambda pk: (
            sql("UPDATE access_auditentry SET id = -id WHERE id IN (%s, %s)", pk[1], pk[3])
            or sql("UPDATE access_auditentry SET id = %s WHERE id = -%s", pk[1], pk[3])
            or sql("UPDATE access_auditentry SET id = %s WHERE id = -%s", pk[3], pk[1])
        ),
        "row_changed",
    ),
    (
        "reordered",
        lambda pk: (
            sql("UPDATE crypto_logentry SET position = 1000 WHERE row = %s", pk[1])
            or sql("UPDATE crypto_logentry SET position = 1 WHERE row = %s", pk[2])
            or sql("UPDATE crypto_logentry SET position = 2 WHERE row = %s", pk[1])
        ),
        "log_order",
    ),
    ("cut", lambda pk: sql("DELETE FROM crypto_logentry WHERE row = %s", pk[4]), "row_inserted"),
    ("head", lambda pk: sql("UPDATE crypto_loghead SET root = sha256('x') WHERE log_id = 'audit'"), "head_forged"),
    ("backdated", lambda pk: sql("UPDATE crypto_loghead SET at = at - interval '1 day'"), "head_forged"),
    ("headless", lambda pk: sql("DELETE FROM crypto_loghead WHERE log_id = 'audit'"), "head_missing"),
    ("state", lambda pk: sql("UPDATE crypto_chainedlog SET size = 4 WHERE key = 'audit'"), "log_state"),
]


@pytest.mark.django_db
class TestTampering:
    @pytest.mark.parametrize(("tamper", "code"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
    def test_it_is_found_and_named(self, tamper: Callable[[list[int]], None], code: str) -> None:
        rows = written(5)
        chain_logs(lag=NOW)
        tamper([row.pk for row in rows])
        found = {finding.code: finding for finding in check_logs()[1]}
        assert code in found
        if code in {"row_changed", "row_removed"}:
            assert found[code].row in {rows[1].pk, rows[2].pk, rows[3].pk}
            assert str(found[code].row) in found[code].text

    def test_a_row_and_its_entry_changed_together_betray_the_root(self) -> None:
        rows = written(3)
        chain_logs(lag=NOW)
        written(3)
        chain_logs(lag=NOW)
        table = next(table for table in chained_tables() if table.key == "audit")
        AuditEntry.objects.filter(pk=rows[1].pk).update(actor="nobody")
        ((_, leaf),) = table.leaves(AuditEntry.objects.filter(pk=rows[1].pk))
        LogEntry.objects.filter(row=rows[1].pk).update(leaf=leaf)
        everything = [bytes(leaf) for leaf in LogEntry.objects.order_by("position").values_list("leaf", flat=True)]
        ChainedLog.objects.filter(key="audit").update(peaks=list(Peaks().with_leaves(everything).roots))
        found = check_logs()[1]
        assert [finding.code for finding in found] == ["log_rewritten", "log_rewritten"]
        assert "第 1 到 3 条" in found[0].text

    @pytest.mark.django_db(transaction=True)
    def test_a_log_cut_whole_is_betrayed_by_what_is_remembered_outside(self, heads: Path) -> None:
        written(3)
        chain_logs(lag=NOW)
        rows = written(2)
        chain_logs(lag=NOW)
        assert codes() == []
        AuditEntry.objects.filter(pk__in=[row.pk for row in rows]).delete()
        LogEntry.objects.filter(row__in=[row.pk for row in rows]).delete()
        LogHead.objects.filter(log="audit", size=5).delete()
        leaves = [bytes(leaf) for leaf in LogEntry.objects.order_by("position").values_list("leaf", flat=True)]
        ChainedLog.objects.filter(key="audit").update(
            size=3, peaks=list(Peaks().with_leaves(leaves).roots), done=rows[0].pk - 1
        )
        assert codes() == ["log_cut"]
        LogHead.objects.all().delete()
        LogEntry.objects.all().delete()
        ChainedLog.objects.all().delete()
        assert codes() == ["log_cut"]


@pytest.mark.django_db(transaction=True)
def test_rows_committed_out_of_order_all_enter() -> None:
    """A writer that took a low id and commits late is waited for; nothing is passed over."""
    low_is_taken, may_commit = threading.Event(), threading.Event()

    def slow_writer() -> None:
        with transaction.atomic():
            record_audit(act=AuditAct.SIGN_IN, actor="slow")
            low_is_taken.set()
            may_commit.wait(30)
        connections.close_all()

    thread = threading.Thread(target=slow_writer)
    thread.start()
    assert low_is_taken.wait(30)
    written(3)
    assert chain_logs(lag=NOW) == 0  # the slow one's row is not to be seen yet, and comes before
    may_commit.set()
    thread.join()
    assert chain_logs(lag=NOW) == 4
    assert AuditEntry.objects.get(actor="slow").pk == LogEntry.objects.get(log="audit", position=0).row
    assert codes() == []


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_does_the_work() -> None:
    written(50)
    together, counts = threading.Barrier(4), []

    def work() -> None:
        together.wait()
        counts.append(chain_logs(lag=NOW))
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    chain_logs(lag=NOW)
    assert LogEntry.objects.count() == 50
    assert codes() == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_a_value_is_written_in_one_way(value: Any) -> None:
    import json

    again = json.loads(json.dumps(value))
    assert canonical(value) == canonical(again)
    assert leaf_digest(canonical(value)) != leaf_digest(canonical([value]))


def test_moments_are_written_in_utc() -> None:
    utc = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
    assert canonical(utc) == canonical(utc.astimezone(dt.timezone(dt.timedelta(hours=8))))
    assert canonical(utc) != canonical(utc + dt.timedelta(microseconds=1))
