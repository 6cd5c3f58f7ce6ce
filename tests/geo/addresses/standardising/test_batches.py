"""Uploaded lists: every row once and in order, counts that add up, stop and go on, nobody else's, gone after their days."""

from __future__ import annotations

import csv
import datetime
import io
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from geo.addresses.standardising import actions
from geo.addresses.standardising.actions import (
    KEPT_DAYS,
    MOST_KEPT,
    MOST_OPEN,
    begin_batch,
    cancel_batch,
    delete_batch,
    purge_lists,
    resume_batch,
    upload_list,
)
from geo.addresses.standardising.api import rows_shape
from geo.addresses.standardising.export import csv_text
from geo.addresses.standardising.models import Batch, BatchRow
from geo.addresses.standardising.outcomes import Item, Status
from geo.addresses.standardising.packing import pack, unpack
from geo.addresses.standardising.queries import (
    all_answers,
    answers_of,
    batch_of,
    batches_visible,
    file_of,
    header_of,
    lists_folder,
    state_of,
    tally_of,
)
from geo.addresses.standardising.report import EDGES_M, Tally
from geo.addresses.standardising.standard import standardise
from geo.addresses.standardising.tables import Columns
from geo.crs import System
from geo.errors import BadInput, CityError, Conflict, Forbidden, NotFound, TooMany, Unauthenticated
from geo.jobs.actions import run_job
from geo.jobs.models import Job, JobState
from geo.scope import Scope
from tests.geo.addresses.standardising.conftest import CLERK, messy_lines

pytestmark = pytest.mark.usefixtures("city")
OTHER = Scope(actor="other")
WATCHER = Scope(paths=("310000.",), actor="watcher", duties=frozenset({"jobs.view"}))
Upload = Callable[..., Batch]


def begun(batch: Batch, chunk: int = 200) -> Batch:
    batch = begin_batch(batch_id=batch.pk, scope=CLERK)
    assert batch.job
    batch.job.params["chunk"] = chunk
    batch.job.save()
    return batch


def agree(one: Any, other: Any, within: float = 1e-5) -> bool:
    """Say whether two shapes of rows are the same to a metre: a guess between neighbours is fitted, and fits are made in company."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            agree(one[key], other[key], 2.0 if key == "uncertainty_m" else 1e-5) for key in one
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(agree, one, other))
    return abs(one - other) <= within if isinstance(one, float) else bool(one == other)


def run(batch: Batch) -> Batch:
    assert batch.job
    run_job(job_id=batch.job.pk)
    return batch_of(batch_id=batch.pk, scope=CLERK)


class TestTheWork:
    def test_every_row_comes_back_once_in_order_as_if_asked_alone(self, uploaded: Upload) -> None:
        lines = messy_lines(900)
        batch = run(begun(uploaded(lines)))
        assert (state_of(batch), batch.rows) == ("done", 900)
        found = list(all_answers(batch))
        assert [row.row for _, row in found] == list(range(2, 902))
        assert [cells[0] for cells, _ in found] == [str(number) for number in range(1, 901)]
        texts = [cells[1] if len(cells) > 1 else "" for cells, _ in found]
        alone = standardise([Item(text) for text in texts], scope=CLERK, first_row=2)
        shapes = rows_shape([row for _, row in found], System.CGCS2000), rows_shape(alone, System.CGCS2000)
        for shape, expected in zip(*shapes, strict=True):
            assert agree(shape, expected), (shape, expected)

    def test_the_report_counts_what_the_rows_say(self, uploaded: Upload) -> None:
        batch = run(begun(uploaded(messy_lines(600))))
        tally = tally_of(batch)
        rows = [row for _, row in all_answers(batch)]
        assert tally.statuses == Counter(str(row.status) for row in rows)
        assert tally.reasons == Counter(reason.code for row in rows for reason in row.reasons)
        assert tally.levels == Counter(row.spot.level for row in rows if row.spot)
        assert (tally.rows, sum(count for _, count in tally.spread())) == (600, sum(bool(row.spot) for row in rows))
        radii = sorted(row.spot.uncertainty_m for row in rows if row.spot)
        median = tally.radius_m(0.5)
        assert median
        assert sum(radius <= median for radius in radii) >= len(radii) / 2
        assert median == EDGES_M[0] or sum(r <= EDGES_M[EDGES_M.index(median) - 1] for r in radii) < len(radii) / 2
        assert batch.report == tally.to_json()
        assert tally.slowest["last"] >= tally.slowest["first"]
        assert batch.job
        assert "户" not in str(batch.job.cursor) + str(batch.job.result)
        assert not any(row.standard and row.standard in str(batch.job.cursor) for row in rows)

    def test_the_result_has_the_callers_columns_and_ours(self, uploaded: Upload) -> None:
        batch = run(begun(uploaded(messy_lines(50))))
        text = "".join(csv_text(header_of(batch), all_answers(batch), System.SH2000))
        table = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
        assert len(table) == 50
        assert [row["备注"] for row in table] == [f"第{number}" for number in range(1, 51)]
        assert {row["状态"] for row in table} <= {status.label for status in Status}
        assert "13800138000" not in "".join(value for row in table for key, value in row.items() if key != "户籍地址")

    def test_blank_rows_and_ragged_rows_are_rows(self, uploaded: Upload) -> None:
        batch = run(begun(uploaded(["地址,备注", "无此名路5号,甲", "", ",乙", "无此名路7号,丙,丁,戊"])))
        rows = [(cells, row.status) for cells, row in all_answers(batch)]
        assert rows == [
            (["无此名路5号", "甲"], Status.PARSED), ([], Status.UNUSABLE), (["", "乙"], Status.UNUSABLE),
            (["无此名路7号", "丙", "丁", "戊"], Status.PARSED),
        ]  # fmt: skip
        assert batch.rows == 4

    def test_a_title_above_the_names_of_columns_is_no_row(self, uploaded: Upload) -> None:
        batch = run(begun(uploaded(["2026年名单", "", "序号,地址", "1,无此名路5号", "2,无此名路7号"])))
        assert (batch.rows, header_of(batch)) == (2, ["序号", "地址"])
        assert [(cells, row.row, row.written) for cells, row in all_answers(batch)] == [
            (["1", "无此名路5号"], 4, "无此名路5号"), (["2", "无此名路7号"], 5, "无此名路7号"),
        ]  # fmt: skip

    def test_columns_can_be_chosen(self, uploaded: Upload) -> None:
        batch = uploaded(["无此名路5号,无此名街7号", "无此名路6号,无此名街8号"])
        batch = begin_batch(batch_id=batch.pk, scope=CLERK, columns=Columns(1))
        batch = run(batch)
        assert [row.written for row in answers_of(batch)] == ["无此名街7号", "无此名街8号"]
        wrong = uploaded(["甲,乙"])
        for columns in (Columns(2), Columns(0, 5), Columns(None), Columns(0, header=1), Columns(0, header=-1)):
            with pytest.raises(BadInput):
                begin_batch(batch_id=wrong.pk, scope=CLERK, columns=columns)

    def test_pages_of_one_status(self, uploaded: Upload) -> None:
        batch = run(begun(uploaded(messy_lines(400))))
        matched = [row.row for _, row in all_answers(batch) if row.status == Status.MATCHED]
        first = answers_of(batch, status="matched", limit=10)
        second = answers_of(batch, status="matched", after=first[-1].row, limit=10)
        assert [row.row for row in (*first, *second)] == matched[:20]


class TestStopAndGoOn:
    def test_what_was_done_stays_and_the_rest_follows(self, uploaded: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
        batch = begun(uploaded(messy_lines(700)))
        assert batch.job
        chunks = []
        write = actions.write_rows

        def stopping(**given: object) -> None:
            chunks.append(given)
            if len(chunks) == 3:
                cancel_batch(batch_id=batch.pk, scope=CLERK)
            write(**given)  # type: ignore[arg-type]

        monkeypatch.setattr("geo.addresses.standardising.jobs.write_rows", stopping)
        stopped = run(batch)
        monkeypatch.undo()
        assert state_of(stopped) == "cancelled"
        done = tally_of(stopped).rows
        assert 0 < done < 700
        assert len(list(all_answers(stopped))) == done
        again = run(resume_batch(batch_id=batch.pk, scope=CLERK))
        assert (state_of(again), tally_of(again).rows) == ("done", 700)
        assert [row.row for row in answers_of(again)] == list(range(2, 702))
        with pytest.raises(Conflict):
            resume_batch(batch_id=batch.pk, scope=CLERK)

    def test_a_worker_that_was_thought_dead_writes_nothing_more(
        self, uploaded: Upload, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batch = begun(uploaded(messy_lines(600)))
        assert batch.job
        job_id, write, seen = batch.job.pk, actions.write_rows, []

        def taken_over(**given: object) -> None:
            seen.append(given)
            if len(seen) == 2:
                Job.objects.filter(pk=job_id).update(attempts=2)
            write(**given)  # type: ignore[arg-type]

        monkeypatch.setattr("geo.addresses.standardising.jobs.write_rows", taken_over)
        run_job(job_id=job_id)
        assert BatchRow.objects.filter(batch=batch).count() == 200

    def test_a_list_deleted_at_work_is_gone(self, uploaded: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
        batch = begun(uploaded(messy_lines(600)))
        path, write = file_of(batch), actions.write_rows

        def deleting(**given: object) -> None:
            write(**given)  # type: ignore[arg-type]
            delete_batch(batch_id=batch.pk, scope=CLERK)

        monkeypatch.setattr("geo.addresses.standardising.jobs.write_rows", deleting)
        assert batch.job
        job = run_job(job_id=batch.job.pk)
        assert job.state == JobState.CANCELLED
        assert not path.exists()
        assert not BatchRow.objects.filter(batch_id=batch.pk).exists()


class TestWhose:
    def test_nobody_but_the_uploader_sees_the_rows(self, uploaded: Upload) -> None:
        batch = begun(uploaded(["无此名路5号"]))
        assert list(batches_visible(scope=CLERK)) == [batch]
        assert list(batches_visible(scope=OTHER)) == []
        assert list(batches_visible(scope=WATCHER)) == [batch]
        for act in (cancel_batch, delete_batch, resume_batch, begin_batch):
            with pytest.raises(NotFound):
                act(batch_id=batch.pk, scope=OTHER)
        with pytest.raises(Forbidden):
            resume_batch(batch_id=batch.pk, scope=WATCHER)
        with pytest.raises(Unauthenticated):
            batches_visible(scope=Scope.public())

    def test_one_caller_keeps_and_runs_so_many(self, uploaded: Upload) -> None:
        for _ in range(MOST_OPEN):
            begun(uploaded(["无此名路5号"]))
        waiting = uploaded(["无此名路5号"])
        with pytest.raises(TooMany):
            begin_batch(batch_id=waiting.pk, scope=CLERK)
        for _ in range(MOST_KEPT - MOST_OPEN - 1):
            uploaded(["无此名路5号"])
        with pytest.raises(TooMany):
            uploaded(["无此名路5号"])
        assert uploaded(["无此名路5号"], OTHER)

    def test_beginning_twice_is_refused(self, uploaded: Upload) -> None:
        batch = begun(uploaded(["无此名路5号"]))
        with pytest.raises(Conflict):
            begin_batch(batch_id=batch.pk, scope=CLERK)


class TestItsDays:
    def test_a_list_goes_with_its_rows_and_its_file(self, uploaded: Upload) -> None:
        batch, young = run(begun(uploaded(["无此名路5号"]))), uploaded(["无此名路7号"])
        assert (batch.expires_at - batch.created_at).days in (KEPT_DAYS - 1, KEPT_DAYS)
        Batch.objects.filter(pk=batch.pk).update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
        assert purge_lists() == 1
        assert list(Batch.objects.all()) == [young]
        assert not BatchRow.objects.filter(batch_id=batch.pk).exists()
        assert not file_of(batch).exists()
        assert file_of(young).exists()

    def test_files_without_a_list_go_when_they_are_old(self, uploaded: Upload) -> None:
        uploaded(["无此名路5号"])
        stray = lists_folder() / "stray.jsonl"
        stray.write_text("[]\n")
        purge_lists()
        assert stray.exists()
        purge_lists(now=timezone.now() + datetime.timedelta(hours=2))
        assert not stray.exists()

    def test_a_file_that_cannot_be_used_leaves_nothing(self, tmp_path) -> None:
        source = tmp_path / "a.xlsx"
        source.write_bytes(b"PK\x03\x04rest")
        before = set(lists_folder().glob("*"))
        with pytest.raises(CityError):
            upload_list(source=source, name="a.xlsx", scope=CLERK)
        assert set(lists_folder().glob("*")) == before
        assert not Batch.objects.exists()

    def test_names_of_files_are_made_plain(self, uploaded: Upload) -> None:
        assert uploaded(["无此名路5号"], name="名单.csv").name == "名单.csv"
        assert actions._plain_name("C:\\Users\\张\\名单\r\n.xlsx") == "名单.xlsx"
        assert actions._plain_name("/etc/") == "etc"
        assert actions._plain_name("\n") == "名单"


def test_packing_loses_nothing() -> None:
    rows = standardise(
        [Item(text) for text in ("", "无此名路5号；无此名街7号", "黄浦区", "云杉路5号😀13800138000")], scope=CLERK
    )  # fmt: skip
    for row in rows:
        back = unpack(row.row, str(row.status), pack(row))
        assert back.said == row.said
        assert back == type(row)(**{name: getattr(back if name == "parts" else row, name) for name in row.__slots__})


def test_an_empty_tally_has_no_median() -> None:
    assert Tally().radius_m(0.5) is None
    assert Tally.from_json({}).rows == 0
