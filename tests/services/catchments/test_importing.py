"""Workbooks as districts use them: heads of several rows, merged cells, names written short, rows mended, written, taken back."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import pytest

from geo.errors import BadInput, Conflict, NotFound
from geo.regions.models import RegionVersion
from services.catchments.changes import rule_told, undo
from services.catchments.editing import RuleSaid, ground_for, said_by
from services.catchments.importing.actions import (
    Mended,
    discard_import,
    leave_out_faulty,
    mend_rows,
    take_workbook,
    write_import,
)
from services.catchments.importing.columns import field_of, head_of
from services.catchments.importing.exporting import write_rules
from services.catchments.importing.judging import names_in
from services.catchments.importing.queries import import_seen, rows_to_mend, tally_of
from services.catchments.models import CatchmentEdition, EditionChange, RuleImport
from tests.services.catchments.test_editing import add, committee_rule, draft, ground, seen_of, who
from tests.services.catchments.workbooks import write_book


def said_in(edition: CatchmentEdition) -> list[RuleSaid]:
    return [said_by(rule_told(rule)) for rule in edition.rules.order_by("line")]


def write(taken: RuleImport, *, replace: bool = False) -> EditionChange | None:
    return write_import(
        import_id=taken.pk, replace=replace, seen=seen_of(taken.edition), key=uuid.uuid4(), scope=who()
    )  # fmt: skip


@pytest.mark.parametrize(
    ("word", "field"),
    [
        ("所属街道（镇）", "street"), ("街道/镇", "street"), ("居(村)委会名称", "committee"), ("居委会*", "committee"),
        ("小区名称（20字以内）", "community"), ("对口地址范围", "written"), ("门牌地址", "written"), ("对口幼儿园名称", "target"),
        ("园所1", "target"), ("幼儿园二", "target"), ("单双号", "side"), ("路名", "road"), ("备注", "note"), ("序号", ""),
        ("武宁幼儿园", ""), ("长寿路街道", ""),
    ],
)  # fmt: skip
def test_columns_are_known_by_the_words_districts_use(word: str, field: str) -> None:
    assert field_of(word) == field


def test_a_head_of_three_rows_under_a_title_is_found() -> None:
    rows = [
        ["2026年招生对口表"] * 4,
        [],
        ["区域", "区域", "园所", "其他"],
        ["街道", "居委", "", ""],
        ["甲街道", "乙居委", "丙园", ""],
    ]
    head = head_of(rows)
    assert head is not None
    assert (head.first, dict(head.columns)) == (4, {"street": (0,), "committee": (1,), "target": (2,)})
    assert head_of([["序号", "姓名"], ["1", "张三"]]) is None


def test_a_cell_lists_kindergartens_and_campuses() -> None:
    assert names_in("甲幼儿园、乙幼儿园；丙幼儿园") == ["甲幼儿园", "乙幼儿园", "丙幼儿园"]
    assert names_in("和平幼儿园（东园、西园）") == ["和平幼儿园（东园）", "和平幼儿园（西园）"]
    assert names_in("和平幼儿园（东园）") == ["和平幼儿园（东园）"]


def test_the_workbooks_of_districts_become_rules_with_nothing_lost(city: None, tmp_path: Path) -> None:
    edition, here = draft(), ground()
    (one, (first, street)), (two, (second, street2)) = sorted(here.committees.items())[:2]
    a, b = here.open_sites()[:2]
    short = here.streets[street].removesuffix("街道").removesuffix("镇")
    book = write_book(
        tmp_path / "对口表.xlsx",
        (
            "居委对口",
            [
                [], [], ["序号", "", "", "", ""], ["", "街道", "居委", "", ""],
                [1, "", first.removesuffix("居委会"), "", "共建"], [2, here.streets[street2], second, f"{a.name}、{b.name}", ""],
                ["填表人：教育局学前科", "", "", "", ""],
            ],
            [(0, 0, 0, 4, "对口幼儿园一览表"), (2, 1, 2, 2, "户籍所在地"), (2, 3, 3, 3, "对口幼儿园"), (2, 4, 3, 4, "备注"),
             (6, 0, 6, 4, "注：以户口簿为准")],
        ),
        (
            "地址",
            [["路名", "门牌号", "单双号", "幼儿园"], ["武夷路", "１－１９９号", "单号", b.name], ["", "405弄全弄，除5号外", "", ""],
             ["武夷路", "99-1号", "", b.name], ["路名", "门牌号", "单双号", "幼儿园"]],
            [],
        ),
        ("说明", [["请各街道于三月底前核对"]], []),
    )  # fmt: skip
    taken = take_workbook(edition_id=edition.pk, source=book, name="对口表.xlsx", scope=who())
    sheets = {sheet["name"]: sheet for sheet in taken.sheets}
    assert sheets["居委对口"]["columns"] == ["街镇", "居委", "对口幼儿园", "备注"]
    assert [text for _, text in sheets["居委对口"]["passed"]] == ["注：以户口簿为准"]
    assert sheets["说明"]["columns"] == []
    assert sheets["说明"]["passed"] == [[1, "请各街道于三月底前核对"]]
    faulty = {(row.sheet, row.row): row for row in rows_to_mend(taken)}
    assert set(faulty) == {("居委对口", 5), ("地址", 3), ("地址", 4)}
    assert "没有写幼儿园" in faulty["居委对口", 5].faults["target"]
    assert "没有写幼儿园" in faulty["地址", 3].faults["target"]
    with pytest.raises(Conflict) as unready:
        write(taken)
    assert unready.value.detail["faulty"] == 3
    assert edition.rules.count() == 0  # nothing is half written
    fixed = faulty["居委对口", 5]
    mended = {fixed.number: Mended({**fixed.cells, "street": short, "target": a.name}, False, fixed.revision)}
    assert mend_rows(import_id=taken.pk, mended=mended, scope=who()) == 0
    with pytest.raises(Conflict) as stale:
        mend_rows(import_id=taken.pk, mended=mended, scope=who())
    assert stale.value.code == "row_changed"
    bad = faulty["地址", 4]
    assert "前大后小" in bad.faults["written"]
    mend_rows(
        import_id=taken.pk,
        mended={bad.number: Mended({**bad.cells, "written": "武夷路99号"}, False, bad.revision)},
        scope=who(),
    )
    leave_out_faulty(import_id=taken.pk, scope=who())
    assert (tally_of(taken).ready, tally_of(taken).left_out) == (4, 1)
    change = write(taken)
    assert change is not None
    assert said_in(edition) == [
        RuleSaid("committee", street, one, target=a.id, note="共建"),
        RuleSaid("committee", street2, two, target=a.id),
        RuleSaid("committee", street2, two, target=b.id),
        RuleSaid("address", written="武夷路１－１９９号（单号）", target=b.id),
        RuleSaid("address", written="武夷路99号", target=b.id),
    ]
    with pytest.raises(Conflict) as again:
        write(taken)
    assert again.value.code == "import_written"
    undo(change_id=change.pk, edition_id=edition.pk, key=uuid.uuid4(), scope=who())
    assert edition.rules.count() == 0


def test_merged_cells_hold_for_all_their_rows_wherever_the_table_begins(city: None, tmp_path: Path) -> None:
    edition, here = draft(), ground()
    site = here.open_sites()[0]
    roads = ["甲路1号", "乙路2号", "丙路3号"]
    book = write_book(
        tmp_path / "a.xlsx",
        (
            "Sheet1",
            [[], [], [], ["", "幼儿园", "地址"], *(["", "", road] for road in roads)],
            [(4, 1, 6, 1, site.name)],
        ),
    )
    taken = take_workbook(edition_id=edition.pk, source=book, name="a.xlsx", scope=who())
    write(taken)
    assert said_in(edition) == [RuleSaid("address", written=road, target=site.id) for road in roads]


def test_an_export_imports_again_unchanged_and_replacing_keeps_what_stays(city: None, tmp_path: Path) -> None:
    edition, here = draft(), ground()
    a, b = here.open_sites()[:2]
    said = committee_rule()
    kept = [
        add(edition, said), add(edition, RuleSaid("community", said.street, said.committee, "梧桐苑（二期）", target=a.id)),
        add(edition, RuleSaid("address", written="武夷路1-199号（单号），除5号外", target=b.id, note="沿街")),
        add(edition, RuleSaid("open", said.street, target=b.id)), add(edition, RuleSaid("override", written="甲路1号", target=a.id)),
    ]  # fmt: skip
    path = tmp_path / "out.xlsx"
    assert write_rules(path, edition) == 5
    before, revision = said_in(edition), seen_of(edition)
    for replace in (True, False):
        taken = take_workbook(edition_id=edition.pk, source=path, name="out.xlsx", scope=who())
        assert (tally_of(taken).ready, tally_of(taken).faulty) == (5, 0)
        assert write(taken, replace=replace) is None
    assert (said_in(edition), seen_of(edition)) == (before, revision)
    book = write_book(
        tmp_path / "b.xlsx",
        ("地址", [["地址", "幼儿园"], ["武夷路1-199号（单号），除5号外", b.name], ["乙路2号", a.name]], []),
    )
    taken = take_workbook(edition_id=edition.pk, source=book, name="b.xlsx", scope=who())
    first = RuleImport.objects.get(pk=taken.pk).rows.get(number=1)
    mend_rows(
        import_id=taken.pk, mended={1: Mended({**first.cells, "note": "沿街"}, False, 1)}, scope=who()
    )  # fmt: skip
    change = write(taken, replace=True)
    assert change is not None
    assert change.said == "从“b.xlsx”导入 1 条规则，替换原来的 4 条"
    assert edition.rules.get(written__startswith="武夷路").same == kept[2].same
    undo(change_id=change.pk, edition_id=edition.pk, key=uuid.uuid4(), scope=who())
    assert {rule.same for rule in edition.rules.all()} == {rule.same for rule in kept}


def test_an_open_list_and_text_tables_are_read_too(city: None, tmp_path: Path) -> None:
    edition, here = draft("elsewhere"), ground()
    site = here.open_sites()[0]
    text = tmp_path / "开放.csv"
    text.write_bytes(f"可选园所,备注\n公办园,全区\n民办园,\n{site.name},\n".encode("gb18030"))
    taken = take_workbook(edition_id=edition.pk, source=text, name="开放.csv", scope=who())
    write(taken)
    assert [(rule.choice, rule.target) for rule in said_in(edition)] == [
        ("public", None),
        ("private", None),
        ("", site.id),
    ]
    book = write_book(
        tmp_path / "c.xlsx", ("居委", [["匹配方式", "居委", "幼儿园"], ["街道、居委", "不存在", site.name]], [])
    )
    taken = take_workbook(edition_id=edition.pk, source=book, name="c.xlsx", scope=who())
    assert set(rows_to_mend(taken)[0].faults) == {"committee"}


def test_bad_files_are_refused_with_what_to_do(city: None, tmp_path: Path) -> None:
    edition = draft()
    broken = tmp_path / "x.xlsx"
    broken.write_bytes(b"PK\x03\x04 not a workbook")
    with pytest.raises(BadInput) as unreadable:
        take_workbook(edition_id=edition.pk, source=broken, name="x.xlsx", scope=who())
    assert unreadable.value.code == "file_unreadable"
    headless = write_book(tmp_path / "y.xlsx", ("表", [["姓名", "电话"], ["张三", "1"]], []))
    with pytest.raises(BadInput) as unknown:
        take_workbook(edition_id=edition.pk, source=headless, name="y.xlsx", scope=who())
    assert "幼儿园" in unknown.value.message
    assert RuleImport.objects.count() == 0


def test_an_import_belongs_to_its_district(city: None, tmp_path: Path) -> None:
    edition = draft()
    site = ground().open_sites()[0]
    book = write_book(tmp_path / "a.xlsx", ("a", [["地址", "幼儿园"], ["甲路1号", site.name]], []))
    taken = take_workbook(edition_id=edition.pk, source=book, name="a.xlsx", scope=who())
    others = RegionVersion.objects.filter(level="district", edition__state="published")
    stranger = who("zhao", path=others.exclude(region=edition.district_id)[0].path)
    with pytest.raises(NotFound):
        import_seen(taken.pk, scope=stranger)
    with pytest.raises(NotFound):
        discard_import(import_id=taken.pk, scope=stranger)
    discard_import(import_id=taken.pk, scope=who())
    assert RuleImport.objects.count() == 0


def test_twenty_thousand_rows_are_taken_written_and_undone_within_seconds(city: None, tmp_path: Path) -> None:
    edition = draft()
    sites = ground_for(edition).open_sites()
    rows = [
        [f"第{at // 40}测试路{at % 40 * 10 + 1}-{at % 40 * 10 + 9}号（单号）", sites[at % 2].name]
        for at in range(20_000)
    ]
    names = "甲乙丙丁戊己庚辛壬癸"
    for row in rows:  # names of roads hold no figures
        row[0] = "".join(
            names[int(sign)] if sign.isdigit() and at < row[0].index("测") else sign for at, sign in enumerate(row[0])
        )
    book = write_book(tmp_path / "big.xlsx", ("地址", [["地址", "幼儿园"], *rows], []))
    begun = time.perf_counter()
    taken = take_workbook(edition_id=edition.pk, source=book, name="big.xlsx", scope=who())
    read = time.perf_counter()
    change = write(taken)
    written = time.perf_counter()
    assert change is not None
    assert edition.rules.count() == 20_000
    undo(change_id=change.pk, edition_id=edition.pk, key=uuid.uuid4(), scope=who())
    assert edition.rules.count() == 0
    undone = time.perf_counter()
    took = read - begun, written - read, undone - written
    assert max(took) < 30, took
