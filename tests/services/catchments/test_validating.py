"""Registers asked of editions: read without names, run as a job, filtered, exported, run again; on the tiny city."""

from __future__ import annotations

import csv
import uuid
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from django.db import connection
from python_calamine import CalamineWorkbook

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.jobs.actions import run_job
from geo.jobs.models import Job, JobState
from geo.jobs.progress import Progress
from geo.scope import Scope
from services.catchments.entries import entry_point
from services.catchments.models import CatchmentEdition
from services.catchments.validating import jobs
from services.catchments.validating.actions import (
    delete_register,
    go_on,
    start_validation,
    stop_validation,
    take_register,
)
from services.catchments.validating.exporting import write_verdicts
from services.catchments.validating.models import Register, RegisterRow, Validation, Verdict
from services.catchments.validating.queries import (
    Wanted,
    changed_between,
    counts_of,
    earlier_run,
    facets,
    progress_of,
    registers_for,
    shown,
    validation_seen,
    verdicts,
)
from services.catchments.validating.reading import read_register
from services.crypto.house import house_keys
from services.crypto.keystore import make_keystore
from services.crypto.rotation import drop_key, rotate_keys
from services.crypto.sealing import key_of
from tests.services.catchments.districts import STAFF, edition, kindergartens, names, rule, street_of
from tests.services.catchments.registrations import address_of
from tests.services.catchments.test_answering import bare, doors_of_huangpu

__all__ = ["bare"]
ELSEWHERE = Scope(paths=("310000.310110.",), duties=STAFF.duties, actor="other")
HEAD = ["登记编号", "幼儿姓名", "街道", "居委会", "小区", "户籍地址", "居住地址", "监护人手机"]


def book(path: Path, rows: list[list[str]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as out:
        sheet = out.add_worksheet("登记")
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write_string(at, column, cell)
    return path


def registrations() -> list[list[str]]:
    """Return 40 doors of one street, then rows that can be matched by nothing."""
    rows = []
    regions = names()
    for at, door in enumerate(doors_of_huangpu()[:40], start=1):
        street, committee = street_of(door.region_id), regions.region(door.region_id)
        assert street is not None
        assert committee is not None
        rows.append([f"D{at:03}", "张三", street.name, committee.name, "", door.text, "静安区某路1号", "13800138000"])
    rows.append(["D901", "李四", "", "", "", "黄浦区没有这条路5号", "", ""])
    rows.append(["D902", "王五", "", "", "", "！！！", "", ""])
    return rows


@pytest.fixture
def draft(bare: None) -> CatchmentEdition:
    """Return a draft with a rule for half of the roads."""
    own, sites = edition(published=False, steps=["address", "committee"]), kindergartens()
    roads = sorted({door.road for door in doors_of_huangpu()[:40]})
    for road in roads[: max(1, len(roads) // 2)]:
        rule(own, "address", sites[0], written=f"{road}全路")
    return own


def taken(draft: CatchmentEdition, tmp_path: Path, key: uuid.UUID | None = None) -> Register:
    source = book(tmp_path / "册.xlsx", [["2026 年登记名册"] * 3, HEAD, *registrations()])
    return take_register(edition_id=draft.pk, source=source, name="黄浦登记", key=key or uuid.uuid4(), scope=STAFF)


def run(draft: CatchmentEdition, register: Register) -> Validation:
    begun = start_validation(edition_id=draft.pk, register_id=register.pk, key=uuid.uuid4(), scope=STAFF)
    assert begun.job is not None
    done = run_job(job_id=begun.job)
    assert done.state == JobState.DONE, done.error
    begun.refresh_from_db()
    return begun


def test_a_register_keeps_where_children_live_and_nothing_that_names_them(draft: Any, tmp_path: Path) -> None:
    key = uuid.uuid4()
    register = taken(draft, tmp_path, key)
    assert taken(draft, tmp_path, key) == register
    assert (register.row_count, register.rows.count(), Register.objects.count()) == (42, 42, 1)
    assert register.columns == ["登记编号", "街镇", "居委", "小区", "地址"]
    assert register.dropped == ["幼儿姓名", "监护人手机"]
    first = register.rows.get(number=3)
    assert (first.own, address_of(first)) == ("D001", registrations()[0][5])
    kept = " ".join(str(cell) for row in RegisterRow.objects.values_list() for cell in row)
    assert "张三" not in kept
    assert "13800138000" not in kept
    assert not any(row[5] in kept for row in registrations() if row[5])
    apart = entry_point("apart")
    assert apart is not None
    source = book(tmp_path / "二.xlsx", [HEAD, *registrations()])
    assert read_register(source, apart).lines[0].address == "静安区某路1号"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([["甲", "乙"], ["1", "2"]], "heads_unknown"),
        ([["登记编号", "地址"]], "register_empty"),
        ([["编号", "地址"], ["310101202001011234", "文庙路1号"]], "own_is_identity"),
        ([["编号", "地址"], ["13800138000", "文庙路1号"]], "own_is_identity"),
    ],
)
def test_a_register_that_cannot_be_used_says_why_and_nothing_is_kept(
    draft: Any, tmp_path: Path, rows: list[list[str]], code: str
) -> None:
    source = book(tmp_path / "坏.xlsx", rows)
    with pytest.raises(BadInput) as fault:
        take_register(edition_id=draft.pk, source=source, name="坏", key=uuid.uuid4(), scope=STAFF)
    assert fault.value.code == code
    assert Register.objects.count() == 0


def test_a_run_tells_every_row_and_a_second_one_what_the_mended_rules_changed(draft: Any, tmp_path: Path) -> None:
    register = taken(draft, tmp_path)
    first = run(draft, register)
    counts = counts_of(first)
    assert sum(counts.values()) == first.verdicts.count() == 42
    assert counts["one"] > 0
    assert counts["none"] > 0
    assert first.counts["unknown"] == {"not_found": 1, "unread": 1}
    unmatched = list(shown(first, verdicts(first, Wanted(outcome="unmatched"))))
    assert len(unmatched) == 42 - counts["one"]
    assert [row.own for row in unmatched[-2:]] == ["D901", "D902"]
    assert all(row.reason and row.said for row in unmatched)
    streets, sites = facets(first)
    assert sum(count for _, _, count in streets) == 42
    assert sites == [(kindergartens()[0].pk, kindergartens()[0].name, counts["one"])]
    known = next(pk for pk, _, _ in streets if pk)
    here = verdicts(first, Wanted(street=known)).count() + verdicts(first, Wanted(street=-1)).count()
    assert here >= 42 - sum(count for pk, _, count in streets if pk not in (known, 0))
    assert verdicts(first, Wanted(site=kindergartens()[0].pk)).count() == counts["one"]
    assert [row.row.own for row in verdicts(first, Wanted(reason="unread"))] == ["D902"]
    assert [row.row.own for row in verdicts(first, Wanted(text="D901"))] == ["D901"]
    assert [row.row.own for row in verdicts(first, Wanted(text="没有这条路5"))] == ["D901"]
    assert verdicts(first, Wanted(text="黄浦区", outcome="one")).count() == counts["one"]

    for road in {door.road for door in doors_of_huangpu()[:40]}:
        rule(draft, "address", kindergartens()[1], written=f"{road}全路") if not draft.rules.filter(
            written=f"{road}全路"
        ).exists() else None
    CatchmentEdition.objects.filter(pk=draft.pk).update(revision=2)
    second = run(draft, register)
    assert counts_of(second)["one"] == 40
    assert earlier_run(second) == first
    changes = changed_between(first, second)
    assert [(one.before, one.after, one.after_places, one.count) for one in changes] == [
        ("没有对口园", "有一所对口园", kindergartens()[1].name, 40 - counts["one"])
    ]


def sheets(path: Path, **pages: list[list[str]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as out:
        for name, rows in pages.items():
            page = out.add_worksheet(name)
            for at, row in enumerate(rows):
                page.write_row(at, 0, row)
            if name == "码表":
                page.hide()
        out.add_chartsheet("图")
    return path


def test_every_sheet_with_a_head_is_read_and_the_others_are_told(draft: Any, tmp_path: Path) -> None:
    rows = registrations()
    other = ["报名编号", "户籍地址", "幼儿姓名", "居委"]
    second = [[row[0].replace("D", "E"), row[5], row[1], row[3]] for row in rows[:2]]
    source = sheets(
        tmp_path / "册.xlsx",
        说明=[["本表由各园填写"], ["有疑问请致电"]],
        老西门=[["2026 年登记"], HEAD, *rows[:3]],
        小东门=[["小东门街道登记"], [], [], other, [], *second],
        对照=[["街道", "居委"], [rows[0][2], rows[0][3]]],
        码表=[["地址"], ["不读的路1号"]],
    )
    register = take_register(edition_id=draft.pk, source=source, name="册", key=uuid.uuid4(), scope=STAFF)
    assert register.row_count == 5
    assert register.sheets == [("说明", 0, 0), ("老西门", 2, 3), ("小东门", 7, 2), ("对照", 14, 0), ("码表", 16, 0)]
    assert register.columns == ["登记编号", "街镇", "居委", "小区", "地址"]
    assert register.dropped == ["幼儿姓名", "监护人手机"]
    done = run(draft, register)
    lines = list(shown(done, verdicts(done, Wanted())))
    assert [(line.sheet, line.number, line.own) for line in lines] == [
        ("老西门", 3, "D001"), ("老西门", 4, "D002"), ("老西门", 5, "D003"), ("小东门", 6, "E001"), ("小东门", 7, "E002"),
    ]  # fmt: skip
    assert [line.address for line in lines[3:]] == [row[5] for row in rows[:2]]
    write_verdicts(tmp_path / "out.csv", done, Wanted(), "csv")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [(row["工作表"], row["行号"]) for row in csv.DictReader(file)][2:4] == [("老西门", "5"), ("小东门", "6")]
    assert write_verdicts(tmp_path / "out.xlsx", done, Wanted(), "xlsx") == 5
    book_rows = CalamineWorkbook.from_path(str(tmp_path / "out.xlsx")).get_sheet_by_index(0).to_python()
    assert book_rows[4][:3] == ["小东门", "6", "E001"]

    source = sheets(
        tmp_path / "坏.xlsx", 一=[["编号", "地址"], ["1", "文庙路1号"]], 二=[["编号", "地址"], ["13800138000", "x"]]
    )
    with pytest.raises(BadInput, match="“二”第 2 行"):
        take_register(edition_id=draft.pk, source=source, name="坏", key=uuid.uuid4(), scope=STAFF)


def test_addresses_are_kept_sealed_by_a_key_of_the_register_that_a_rotation_seals_anew(
    draft: Any, tmp_path: Path, settings: Any
) -> None:
    settings.KEYSTORE = tmp_path / "keystore"
    make_keystore(settings.KEYSTORE)
    register = taken(draft, tmp_path)
    done = run(draft, register)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(r.address || v.said, ' ') FROM catchments_validating_registerrow r"
                       " JOIN catchments_validating_verdict v ON v.row_id = r.id")  # fmt: skip
        stored = cursor.fetchone()[0]
    assert not any(word in stored for word in ("黄浦", "路", "弄", "号"))
    before = [(row.address, row.said) for row in shown(done, verdicts(done, Wanted()))]
    assert all(address or said for address, said in before)

    first, second = register.rows.order_by("number")[:2]
    RegisterRow.objects.filter(pk=first.pk).update(address=second.address)
    with pytest.raises(Conflict) as moved:
        address_of(RegisterRow.objects.get(pk=first.pk))
    assert moved.value.code == "seal_broken"
    RegisterRow.objects.filter(pk=first.pk).update(address=first.address)

    old = key_of(register.sealed_key)
    _, job = rotate_keys(actor="shi")
    assert run_job(job_id=job.pk).state == JobState.DONE
    done = Validation.objects.get(pk=done.pk)
    assert key_of(done.register.sealed_key) not in ("", old)
    drop_key(key_id=old)
    assert old not in {note.id for note in house_keys().notes()}
    assert [(row.address, row.said) for row in shown(done, verdicts(done, Wanted()))] == before

    # of a register from before, the address stays as it was kept
    Register.objects.filter(pk=register.pk).update(sealed_key="")
    RegisterRow.objects.filter(pk=first.pk).update(address="文庙路1号")
    assert address_of(RegisterRow.objects.get(pk=first.pk)) == "文庙路1号"


def test_unmatched_rows_are_exported_as_text_and_workbook(draft: Any, tmp_path: Path) -> None:
    done = run(draft, taken(draft, tmp_path))
    wanted = Wanted(outcome="unmatched")
    count = write_verdicts(tmp_path / "out.csv", done, wanted, "csv")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count == verdicts(done, wanted).count()
    assert rows[-1]["登记编号"] == "D902"
    assert rows[-1]["原因"] == "没有读懂地址"
    assert write_verdicts(tmp_path / "out.xlsx", done, wanted, "xlsx") == count


def test_a_run_is_begun_once_stopped_and_gone_on_with_where_it_was(
    draft: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register, key = taken(draft, tmp_path), uuid.uuid4()
    begun = start_validation(edition_id=draft.pk, register_id=register.pk, key=key, scope=STAFF)
    assert start_validation(edition_id=draft.pk, register_id=register.pk, key=key, scope=STAFF) == begun
    assert start_validation(edition_id=draft.pk, register_id=register.pk, key=uuid.uuid4(), scope=STAFF) == begun
    with pytest.raises(Conflict):
        go_on(validation_id=begun.pk, scope=STAFF)
    with pytest.raises(Conflict):
        delete_register(register_id=register.pk, scope=STAFF)
    monkeypatch.setattr(jobs, "AT_ONCE", 10)
    real = Progress.step

    def asked_to_stop(self: Progress, share: float, message: str = "") -> None:
        if share > 0.4:
            Job.objects.filter(pk=self.job.pk).update(cancel_requested=True)
        self._reported = 0.0
        real(self, share, message)

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "step", asked_to_stop)
        assert begun.job is not None
        assert run_job(job_id=begun.job).state == JobState.CANCELLED
    assert Verdict.objects.filter(validation=begun).count() == 20
    assert progress_of(begun).state == JobState.CANCELLED
    again = go_on(validation_id=begun.pk, scope=STAFF)
    assert again.job is not None
    assert run_job(job_id=again.job).state == JobState.DONE
    again.refresh_from_db()
    assert (again.verdicts.count(), again.done_at is not None) == (42, True)
    with pytest.raises(Conflict):
        stop_validation(validation_id=again.pk, scope=STAFF)
    delete_register(register_id=register.pk, scope=STAFF)
    assert (RegisterRow.objects.count(), Verdict.objects.count(), Validation.objects.count()) == (0, 0, 0)


def test_others_see_neither_registers_nor_runs(draft: Any, tmp_path: Path) -> None:
    register = taken(draft, tmp_path)
    begun = start_validation(edition_id=draft.pk, register_id=register.pk, key=uuid.uuid4(), scope=STAFF)
    assert list(registers_for(draft, scope=STAFF)) == [register]
    assert list(registers_for(draft, scope=ELSEWHERE)) == []
    with pytest.raises(NotFound):
        validation_seen(begun.pk, scope=ELSEWHERE)
    with pytest.raises(NotFound):
        delete_register(register_id=register.pk, scope=ELSEWHERE)
    with pytest.raises(Forbidden):
        validation_seen(begun.pk, scope=Scope(paths=("310000.",)))
    other = edition(district="310110", published=False)
    with pytest.raises(NotFound):
        start_validation(edition_id=other.pk, register_id=register.pk, key=uuid.uuid4(), scope=STAFF)
