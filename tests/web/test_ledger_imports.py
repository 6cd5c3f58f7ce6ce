"""Spreadsheets into ledgers through the pages: upload, columns, check, mending in place, writing, twice, by whom."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from python_calamine import CalamineWorkbook

from geo.imports.models import Correction, DraftRow, Refusal, Source
from geo.jobs.actions import run_job
from services.access.models import AuditEntry
from services.facilities.models import CapacityReport, Facility, StatusChange
from services.kernel.ledger.importing.queries import tally_of, version_of
from services.kernel.ledger.models import ImportedRow, LedgerImport
from tests.services.kernel.ledger.importing.sheets import clerk, csv_of, good_rows, xlsx

pytestmark = pytest.mark.usefixtures("city")
UPLOAD = "/desk/ledgers/facilities/import"
STREET, OTHER = "310000.310101.310101002.", "310000.310101.310101013."
BAD = {
    "没有名称": {"名称*": ""},
    "床位数不是数字": {"床位数": "二十"},
    "类型不在选项里": {"类型*": "养鸡场"},
    "地址找不到": {"地址*": "没有这条路99999号"},
    "余位多于名额": {"余位": 41},
    "日期不对": {"资料日期": "去年秋天"},
    "名额有小数": {"名额": "12.5"},
    "数字是一段": {"床位数": "20-30"},
    "将来的日期": {"资料日期": "2199-01-01"},
    "区不对": {"区": "崇明区", "地址*": ""},
}


@pytest.fixture
def manager() -> Client:
    return signed_in("shi1", "310000.", "city_manager")


def signed_in(name: str, path: str, role: str = "street_clerk") -> Client:
    client = Client()
    client.force_login(clerk(name, path, role), backend="django.contrib.auth.backends.ModelBackend")
    return client


def upload(client: Client, data: bytes, name: str = "名单.xlsx", *, datum: str = "", key: str = "facilities") -> Any:
    file = SimpleUploadedFile(name, data)
    return client.post(f"/desk/ledgers/{key}/import", {"file": file, "datum": datum}, follow=True)


def work() -> LedgerImport:
    """Do what a worker would for the newest import, and return it."""
    one = LedgerImport.objects.select_related("job", "run").latest("created_at")
    assert one.job
    job = run_job(job_id=one.job.pk)
    assert job.state == "done", job.error
    return LedgerImport.objects.select_related("job", "run").get(pk=one.pk)


def taken(client: Client, rows: list[dict[str, Any]], **options: Any) -> LedgerImport:
    """Upload rows and check them."""
    answer = upload(client, xlsx(rows), **options)
    assert answer.status_code == 200, answer.content.decode()[-2000:]
    return work()


def page_of(client: Client, one: LedgerImport) -> str:
    answer = client.get(f"/desk/imports/{one.pk}")
    assert answer.status_code == 200
    return str(answer.content.decode())


def save(client: Client, one: LedgerImport, number: int, version: str | None = None, **more: Any) -> Any:
    """Save one row as its form does; ``more`` are its cells and buttons."""
    refusal = Refusal.objects.filter(run=one.run_id, row=number).first()
    known = version_of(refusal) if refusal else "gone"
    form = {"version": known if version is None else version, **more}
    return client.post(f"/desk/imports/{one.pk}/rows/{number}", form, headers={"X-Fragment": "row"})


def written(client: Client, one: LedgerImport) -> LedgerImport:
    client.post(f"/desk/imports/{one.pk}/write")
    return work()


def assert_whole(one: LedgerImport) -> None:
    """Every row that was read is in exactly one place."""
    tally = tally_of(one)
    assert tally.read == tally.drafts + tally.refused + tally.left_out + tally.done
    numbers = [
        *DraftRow.objects.filter(run=one.run_id).values_list("row", flat=True),
        *Refusal.objects.filter(run=one.run_id).values_list("row", flat=True),
        *ImportedRow.objects.filter(imported=one).values_list("number", flat=True),
    ]
    assert len(set(numbers)) == len(numbers) == tally.read


def messy(count: int) -> list[dict[str, Any]]:
    """Return that many good rows and twenty bad ones among them."""
    rows = good_rows(count)
    for at, change in enumerate([*BAD.values(), *BAD.values()]):
        bad = {**rows[at], "名称*": f"要改的第{at}家", **change}
        rows.insert(37 + at * (count // 20), bad)
    return rows


def test_a_clerk_imports_4980_rows_mends_20_and_nothing_is_doubled(manager: Client) -> None:
    rows, before = messy(4_960), Facility.objects.count()
    assert len(rows) == 4_980
    one = taken(manager, rows)
    said = page_of(manager, one)
    assert "4,980 行已读" in said
    assert "4,960 行通过" in said
    assert "20 行要改" in said
    assert Facility.objects.count() == before, "checking writes nothing"
    assert_whole(one)
    codes = set(Refusal.objects.filter(run=one.run_id).values_list("code", flat=True))
    assert codes == {
        "missing_value", "not_a_number", "unknown_value", "no_position", "capacity_contradiction", "not_a_date",
        "not_whole", "in_future",
    }  # fmt: skip
    beds = next(
        each for each in Refusal.objects.filter(run=one.run_id) if each.raw["cells"]["attributes__beds"] == "二十"
    )
    place = re.search(rf'id="row-{beds.row}".*?</li>', said, re.DOTALL)
    assert place
    assert "H 列" in place[0]
    assert "这一栏应当是数字。（二十）" in place[0]

    written(manager, one)
    assert Facility.objects.count() == before + 4_960
    doors = good_rows(40)
    for refusal in list(Refusal.objects.filter(run=one.run_id)):
        good = doors[refusal.row % 40]
        keys = {"name": "名称*", "kind_id": "类型*", "district": "区", "address_text": "地址*", "places": "名额"}
        keys |= {"vacancies": "余位", "attributes__beds": "床位数", "as_of": "资料日期"}
        cells = {f"cell.{key}": str(good[head]) for key, head in keys.items()} | {"cell.name": f"改好{refusal.row}"}
        answer = save(manager, one, refusal.row, **cells)
        assert (answer.status_code, "改好了" in answer.content.decode()) == (200, True), answer.content.decode()
    assert_whole(one)
    assert "20 行待写入" in page_of(manager, one)
    one = written(manager, one)
    assert Facility.objects.count() == before + 4_980
    assert_whole(one)
    assert "4,980 行已写入" in page_of(manager, one)
    # the very same rows in another file: the ledger has them all
    again = taken(manager, good_rows(4_960)[:300], name="另一份.xlsx")
    assert tally_of(again).waiting == {"added": 0, "changed": 0, "unchanged": 300}
    written(manager, again)
    assert Facility.objects.count() == before + 4_980
    entry = AuditEntry.objects.filter(act="sheet_written").latest("at")
    assert entry.detail["rows"] == 300
    assert entry.actor == "shi1"


def test_the_same_file_leads_to_its_import(manager: Client) -> None:
    data = xlsx(good_rows(3))
    upload(manager, data)
    one = LedgerImport.objects.get()
    answer = upload(manager, data, "换了名字.xlsx")
    assert answer.redirect_chain[-1][0] == f"/desk/imports/{one.pk}"
    assert "这个文件已经上传过" in answer.content.decode()
    assert LedgerImport.objects.count() == 1
    run_job(job_id=LedgerImport.objects.get().job.pk)  # type: ignore[union-attr]
    manager.post(f"/desk/imports/{one.pk}/discard")
    upload(manager, data)
    assert LedgerImport.objects.count() == 2, "what was given up may be brought again"


def test_a_header_anywhere_close_names_and_columns_by_hand(manager: Client) -> None:
    rows = good_rows(4)
    renamed = {"名称*": "机构名称", "类型*": "设施类型", "区": "区", "地址*": "详细地址", "电话": "联系电话"}
    own = [{**{new: row[old] for old, new in renamed.items()}, "备注": "无", "床": 7} for row in rows]
    answer = upload(manager, xlsx(own, above=["某街道养老机构一览", ""]))
    said = answer.content.decode()
    assert "这些列不认得，不会导入：备注、床" in said
    one = LedgerImport.objects.get()
    assert one.job is None, "names that are only close are shown first"
    columns = {
        field: at
        for at, field in enumerate(["name", "kind_id", "district", "address_text", "phone", "", "attributes__beds"])
    }
    chosen = {f"column.{field}": at for field, at in columns.items() if field}
    manager.post(f"/desk/imports/{one.pk}/begin", {"header": 2, **chosen})
    one = work()
    assert tally_of(one).waiting["added"] == 4
    assert DraftRow.objects.filter(run=one.run_id).order_by("row").first().row == 4  # type: ignore[union-attr]
    one = written(manager, one)
    assert Facility.objects.filter(name__startswith="导入日间", attributes__beds=7).count() == 4


@pytest.mark.parametrize(
    ("rows", "datum", "said"),
    [
        ([{"名称": "甲", "电话": "1"}], "", "表里缺少必需的列：“类型”、“地址”"),
        ([{"名称": "甲", "类型": "药店", "地址": "乙", "经度": 121.4, "纬度": 31.2}], "", "坐标系不能猜"),
    ],
)
def test_a_file_that_cannot_be_meant_says_what_to_do(manager: Client, rows: Any, datum: str, said: str) -> None:
    upload(manager, xlsx(rows), datum=datum)
    one = LedgerImport.objects.get()
    columns = {f"column.{key}": at for key, at in one.sheet["header"]["columns"].items()}
    answer = manager.post(f"/desk/imports/{one.pk}/begin", {"header": 0, "datum": datum, **columns})
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert LedgerImport.objects.get().job is None


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("空.csv", b"", "请先选一个文件"),
        ("旧.xls", b"\xd0\xcf\x11\xe0" + bytes(600), "旧版 Excel"),
        ("坏.xlsx", b"PK\x03\x04broken", "读不出来"),
        ("图.csv", b"\x00\x01\x02\xff" * 40, "文件的文字编码读不懂"),
        ("零.csv", b"\x00\x01\x02" * 40, "这不是文本文件"),
        ("大.csv", b"a" * 20_000_001, "文件超过 20 MB"),
        ("长.csv", "名称,类型,地址\n".encode() + b"a,b,c\n" * 60_030, "一次最多 60,000 行"),
    ],
)
def test_files_that_are_none_are_refused_in_words(manager: Client, name: str, data: bytes, said: str) -> None:
    answer = upload(manager, data, name)
    assert answer.status_code in (400, 413)
    assert said in answer.content.decode()
    assert not LedgerImport.objects.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_in_every_encoding_of_the_office(manager: Client, encoding: str) -> None:
    upload(manager, csv_of(good_rows(5), encoding), "名单.csv")
    one = work()
    assert tally_of(one).waiting["added"] == 5


def test_formulas_stay_text_both_ways(manager: Client) -> None:
    rows = good_rows(2)
    rows[0]["名称*"] = '=HYPERLINK("http://x.example","点我")'
    rows[1] |= {"名称*": "+1+1", "床位数": "二十"}
    one = written(manager, taken(manager, rows))
    assert Facility.objects.filter(name='=HYPERLINK("http://x.example","点我")').count() == 1
    book = manager.get(f"/desk/imports/{one.pk}/refused.xlsx")
    data = b"".join(book.streaming_content)  # type: ignore[attr-defined]
    cells = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert "+1+1" in cells[1]
    import zipfile

    sheet = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet


def test_rows_mended_in_a_spreadsheet_come_back(manager: Client) -> None:
    rows = good_rows(6)
    for at in (1, 3, 4):
        rows[at]["床位数"] = "二十"
    one = taken(manager, rows)
    data = b"".join(manager.get(f"/desk/imports/{one.pk}/refused.xlsx").streaming_content)  # type: ignore[attr-defined]
    table = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    heads = [str(cell) for cell in table[0]]
    assert heads[:2] == ["行号", "要改的原因"]
    assert [row[0] for row in table[1:]] == [3.0, 5.0, 6.0]
    assert table[1][1] == "床位数：这一栏应当是数字。（二十）"
    back = [dict(zip(heads, row, strict=True)) for row in table[1:]]
    back[0]["床位数"], back[1]["床位数"] = 20, "三十"
    file = SimpleUploadedFile("改好.xlsx", xlsx(back, heads))
    answer = manager.post(f"/desk/imports/{one.pk}/mend", {"file": file}, follow=True)
    assert "改好 1 行，还有 1 行要改；1 行没有变化" in answer.content.decode()
    assert_whole(one)
    assert set(Refusal.objects.filter(run=one.run_id).values_list("row", flat=True)) == {5, 6}


def test_duplicates_inside_a_file_are_refused_with_the_other_row(manager: Client) -> None:
    rows = good_rows(3)
    rows.append({**rows[1], "电话": "021-1"})
    one = taken(manager, rows)
    (refusal,) = Refusal.objects.filter(run=one.run_id)
    assert (refusal.row, refusal.code) == (5, "duplicate_row")
    assert "第 3 行" in refusal.message
    # under another name it is another place; under the name of row 2 it is again a twin
    named = rows[0]["名称*"]
    assert save(manager, one, 5, **{"cell.name": named, "cell.address_text": rows[0]["地址*"]}).status_code == 409
    assert save(manager, one, 5, **{"cell.name": "又一家"}).status_code == 200
    assert_whole(one)


def test_two_clerks_on_one_row_and_stale_forms(manager: Client) -> None:
    rows = good_rows(2)
    rows[1]["床位数"] = "二十"
    one = taken(manager, rows)
    stale = version_of(Refusal.objects.get(run=one.run_id))
    colleague = signed_in("shi2", "310000.", "city_manager")
    still = save(colleague, one, 3, **{"cell.attributes__beds": "廿"})
    assert (still.status_code, "还有要改的地方" in still.content.decode()) == (409, True)
    answer = save(manager, one, 3, version=stale, **{"cell.attributes__beds": "20"})
    assert answer.status_code == 409
    assert "刚刚被别人改过" in answer.content.decode()
    assert 'value="20"' in answer.content.decode(), "what was typed is not lost"
    assert save(colleague, one, 3, **{"cell.attributes__beds": "21"}).status_code == 200
    answer = save(manager, one, 3, version=stale, **{"cell.attributes__beds": "22"})
    assert answer.status_code == 409
    assert "已经改好、写入或留下不导入了" in answer.content.decode()
    written(manager, one)
    assert Facility.objects.get(name=rows[1]["名称*"]).attributes["beds"] == 21
    assert_whole(one)


def test_a_row_is_left_out_and_taken_back(manager: Client) -> None:
    rows = good_rows(2)
    rows[1]["床位数"] = "二十"
    one = taken(manager, rows)
    assert save(manager, one, 3, leave="1").status_code == 200
    assert_whole(one)
    said = page_of(manager, one)
    assert "1 行不导入" in said
    assert "0 行要改" in said
    assert save(manager, one, 3, leave="1").status_code == 409
    assert save(manager, one, 3, back="1").status_code == 200
    assert "1 行要改" in page_of(manager, one)
    assert Refusal.objects.get(run=one.run_id).code == "not_a_number"
    assert save(manager, one, 3, back="1").status_code == 409


def test_writing_twice_and_replayed_requests_write_once(manager: Client) -> None:
    before = Facility.objects.count()
    one = taken(manager, good_rows(5))
    first = manager.post(f"/desk/imports/{one.pk}/write", follow=True)
    second = manager.post(f"/desk/imports/{one.pk}/write", follow=True)
    assert first.status_code == 200
    assert "正在写入，不用再点" in second.content.decode()
    one = work()
    assert one.job
    assert run_job(job_id=one.job.pk).state == "done"
    third = manager.post(f"/desk/imports/{one.pk}/write", follow=True)
    assert "已经写好了，没有重复写入" in third.content.decode()
    assert Facility.objects.count() == before + 5
    assert ImportedRow.objects.filter(imported=one).count() == 5


def test_changes_are_corrections_with_history_and_blank_cells_leave_what_was_said(manager: Client) -> None:
    care = Facility.objects.filter(kind="care_home", retired_at=None, status="open").order_by("pk").first()
    assert care
    phone, address = care.phone, care.address_text
    rows = [{"编号": care.pk, "名称": care.name + "新", "床位数": 321, "名额": 400, "余位": 9, "状态": "暂停服务"}]
    one = taken(manager, rows)
    assert tally_of(one).waiting["changed"] == 1
    one = written(manager, one)
    care.refresh_from_db()
    assert (care.phone, care.address_text) == (phone, address)
    assert (care.status, care.attributes["beds"], care.places, care.vacancies) == ("suspended", 321, 400, 9)
    kept = Correction.objects.filter(source=care.source, ext_id=care.ext_id, cleared_at=None)
    assert {each.field for each in kept} == {"name", "status", "attributes.beds"}
    assert {each.actor for each in kept} == {"shi1"}
    assert StatusChange.objects.filter(facility=care, status="suspended", actor="shi1").exists()
    assert CapacityReport.objects.filter(facility=care, vacancies=9, actor="shi1").exists()
    assert care.events.count() == 1  # type: ignore[attr-defined]
    again = taken(manager, [*rows, {"编号": care.pk, "电话": "1"}], name="又一次.xlsx")
    assert tally_of(again).waiting == {"added": 0, "changed": 0, "unchanged": 1}
    assert Refusal.objects.get(run=again.run_id).code == "duplicate_row"
    link = f"/desk/ledgers/facilities/{care.pk}"
    assert link in page_of(manager, one)
    assert manager.get(link).status_code == 200


def test_positions_move_only_when_given_and_in_the_chosen_system(manager: Client) -> None:
    from geo.crs import Coordinate, System, convert

    care = Facility.objects.filter(kind="care_home", retired_at=None).order_by("pk").first()
    assert care
    there = Coordinate(care.geom.x + 0.0004, care.geom.y, System.CGCS2000)
    gcj = convert(there, System.GCJ02)
    rows = [{"编号": care.pk, "经度": gcj.x, "纬度": gcj.y}, {"编号": care.pk + 10**9, "经度": gcj.y, "纬度": gcj.x}]
    one = taken(manager, rows, datum="gcj02")
    assert {each.code for each in Refusal.objects.filter(run=one.run_id)} == {"axes_swapped"}
    written(manager, one)
    care.refresh_from_db()
    assert care.geom.x == pytest.approx(there.x, abs=1e-6)
    assert care.point_source == "survey"
    assert Correction.objects.get(source=care.source, ext_id=care.ext_id).field == "position"


def test_what_the_desk_adds_stays_invented_beside_an_invented_city(manager: Client) -> None:
    rows = Facility.objects.filter(retired_at=None).count()
    written(manager, taken(manager, good_rows(2)))
    source = Source.objects.get(key="desk-facilities-demo")
    assert (source.provenance, source.published_at is not None) == ("invented", True)
    assert Facility.objects.filter(retired_at=None).count() == rows + 2, "nothing is retired by it"
    assert Source.objects.get(key="ledger-facilities").published_at is None


def test_a_clerk_of_one_street_brings_that_street_only() -> None:
    client = signed_in("jie1", STREET)
    mine, elsewhere = good_rows(2, STREET, "本街"), good_rows(2, OTHER, "外街")
    other = Facility.objects.filter(kind="pharmacy", retired_at=None).exclude(region__in=_regions(STREET)).first()
    assert other
    one = taken(client, [*mine, *elsewhere, {"编号": other.pk, "电话": "1"}])
    found = dict(Refusal.objects.filter(run=one.run_id).values_list("row", "code"))
    assert found == {4: "outside_scope", 5: "outside_scope", 6: "outside_scope"}
    assert tally_of(one).waiting["added"] == 2

    stranger, superior = signed_in("jie2", OTHER), signed_in("qu1", "310000.310101.", "district_manager")
    for act in ("", "/refused.xlsx"):
        assert stranger.get(f"/desk/imports/{one.pk}{act}").status_code == 404
    for act in ("/write", "/discard", "/rows/4", "/begin", "/stop", "/mend"):
        assert stranger.post(f"/desk/imports/{one.pk}{act}").status_code == 404, act
    assert str(one.pk) not in stranger.get("/desk/imports").content.decode()
    assert superior.get(f"/desk/imports/{one.pk}").status_code == 200
    assert str(one.pk) in superior.get("/desk/imports").content.decode()
    # the superior may have it written, and is the one whose scope counts then
    written(superior, one)
    assert LedgerImport.objects.get().written_by == "qu1"


def _regions(path: str) -> Any:
    from geo.regions.models import RegionVersion

    return RegionVersion.objects.filter(edition__state="published", path__startswith=path).values("region_id")


@pytest.mark.parametrize("role", ["resident", "institution_head", "planner"])
def test_without_the_duty_there_is_no_import(role: str) -> None:
    client = signed_in("x1", STREET, role)
    assert client.get(UPLOAD).status_code in (403, 404)
    assert client.get(f"{UPLOAD}/template.xlsx").status_code in (403, 404)
    assert Client().get(UPLOAD).status_code == 302


def test_a_right_taken_away_before_the_writing_counts(manager: Client) -> None:
    before = Facility.objects.count()
    one = taken(manager, good_rows(2))
    manager.post(f"/desk/imports/{one.pk}/write")
    from services.access.models import Grant

    Grant.objects.filter(user__username="shi1").delete()
    job = run_job(job_id=LedgerImport.objects.get().job.pk)  # type: ignore[union-attr]
    assert (job.state, job.error["code"]) == ("failed", "duty_missing")
    assert Facility.objects.count() == before


def test_what_changed_between_check_and_writing_goes_back_to_be_mended(manager: Client) -> None:
    care = Facility.objects.filter(kind="care_home", retired_at=None).order_by("pk").first()
    assert care
    one = taken(manager, [{"编号": care.pk, "电话": "021-9"}, *[{"编号": ""} | row for row in good_rows(1)]])
    from django.utils import timezone

    Facility.objects.filter(pk=care.pk).update(retired_at=timezone.now())
    one = written(manager, one)
    assert_whole(one)
    (refusal,) = Refusal.objects.filter(run=one.run_id)
    assert (refusal.code, refusal.late) == ("unknown_record", True)
    assert "写入前台账有了变化" in page_of(manager, one)


def test_the_template_comes_back_as_it_went(manager: Client, tmp_path: Any) -> None:
    data = b"".join(manager.get(f"{UPLOAD}/template.xlsx").streaming_content)  # type: ignore[attr-defined]
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    assert book.sheet_names == ["服务设施", "选项", "说明"]
    table = book.get_sheet_by_index(0).to_python()
    assert table[0][:4] == ["编号", "名称*", "类型*", "区"]
    assert any(row[0] == "床位数" and "养老" in str(row[3]) for row in book.get_sheet_by_index(2).to_python())
    upload(manager, data)
    one = work()
    assert one.sheet["header"]["exact"]
    # the example row is an address that does not exist: it is never taken in by oversight
    assert Refusal.objects.get(run=one.run_id).code == "no_position"


PAGES: list[Callable[[LedgerImport], str]] = [
    lambda one: UPLOAD,
    lambda one: "/desk/imports",
    lambda one: f"/desk/imports/{one.pk}",
    lambda one: "/help/imports",
]


@pytest.mark.parametrize("at", range(len(PAGES)))
def test_pages_answer_in_every_state(manager: Client, at: int) -> None:
    rows = good_rows(3)
    rows[1]["床位数"] = "二十"
    upload(manager, xlsx(rows))
    assert manager.get(PAGES[at](LedgerImport.objects.get())).status_code == 200
    one = work()
    assert manager.get(PAGES[at](one)).status_code == 200
    one = written(manager, one)
    assert manager.get(PAGES[at](one)).status_code == 200
    manager.post(f"/desk/imports/{one.pk}/discard")
    assert manager.get(PAGES[at](one)).status_code == 200
