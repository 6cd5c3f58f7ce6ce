"""A district proves its rules before the season: a register run, filtered, exported; rules mended; run again; at both widths.

The register is the district's own workbook, or what families handed in here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from geo.addresses.models import Address
from services.access.models import AuditEntry, User
from services.catchments.ground import ground_of
from services.catchments.models import CatchmentEdition
from services.catchments.validating.models import RegisterRow, Validation
from services.facilities.models import Facility
from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in
from tests.services.catchments.districts import HUANGPU, edition, names, region, rule, street_of
from tests.services.catchments.registrations import PHONE, address_of, begun, coming_year, handed_in, identity, where

SHOTS = os.environ.get("QUANTU_SHOTS", "")
HEAD = ["登记编号", "幼儿姓名", "街道", "居委", "户籍地址"]


def shot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def register(path: Path) -> list[list[str]]:
    """Write the registrations of a year: doors of the district with street and committee, and two that nobody can place."""
    own, path_of, rows = names(), region(HUANGPU).path, []
    doors = Address.objects.filter(retired_at=None).exclude(number="").order_by("id")
    here = [door for door in doors if own.regions[door.region_id or 0].path.startswith(path_of)]
    for at, door in enumerate(here[::9], start=1):
        street, committee = street_of(door.region_id), own.region(door.region_id)
        assert street is not None
        assert committee is not None
        rows.append([f"D{at:04}", "某幼儿", street.name, committee.name, door.text])
    rows += [["D9001", "某幼儿", "", "", "黄浦区没有这条路5号"], ["D9002", "某幼儿", "", "", "！！！"]]
    with xlsxwriter.Workbook(str(path)) as out:
        sheet = out.add_worksheet("登记")
        for number, row in enumerate([["2027 年幼儿信息登记"], HEAD, *rows]):
            sheet.write_row(number, 0, row)
    return rows


def finished(page: Any) -> Validation:
    """Wait for the run on the page and return it."""
    page.wait_for_url("**/plan/validations/*")
    page.locator("#validation-progress[data-state=done]").wait_for(timeout=90_000)
    return Validation.objects.get(pk=page.url.rsplit("/", 1)[1])


def unmatched_of(run: Validation) -> int:
    return int(run.verdicts.filter(outcome__in=["none", "unclear", "unknown"]).count())


@pytest.mark.usefixtures("worker")
@pytest.mark.covers("PRE-ENR-05", via="services.catchments.validating.actions:start_validation")
def test_a_district_proves_its_rules_on_its_register_and_mends_them(
    open_page: Any, live_city: str, tmp_path: Path
) -> None:
    rows = register(tmp_path / "登记名册.xlsx")
    # what the district has configured for the year: its draft, in the modes of its policy
    draft = CatchmentEdition.objects.get(district=region(HUANGPU).id, entry="local", state="draft")
    page = open_page(1440, 900)
    sign_in(page, live_city, "guihua", f"/plan/editions/{draft.pk}")
    page.get_by_role("link", name="验证分析").click()
    page.get_by_text("还没有核对过").wait_for()
    assert faults_of(page) == []
    page.get_by_label("登记名册（Excel").set_input_files(str(tmp_path / "登记名册.xlsx"))
    page.get_by_role("button", name="上传并核对").click()
    first = finished(page)
    page.get_by_text("没有收下：幼儿姓名").wait_for()
    assert first.verdicts.count() == RegisterRow.objects.filter(register=first.register).count() == len(rows)
    assert not RegisterRow.objects.filter(own__contains="某幼儿").exists()
    assert unmatched_of(first) > 2
    assert f"没有对上 {unmatched_of(first):,}" in page.get_by_role("navigation", name="结果").inner_text()
    shot(page, "validation-run-1440")
    assert faults_of(page) == []

    # filtered by outcome, reason and street: street, committee and address of the register stand beside the answer
    page.get_by_role("navigation", name="结果").get_by_role("link", name="没有对上").click()
    page.get_by_label("原因").select_option("no_rule")
    page.get_by_role("button", name="筛选").click()
    page.wait_for_url("**reason=no_rule**")
    lost = first.verdicts.filter(reason="no_rule").select_related("row").order_by("number")
    assert page.locator("#rows tbody tr").count() == min(50, lost.count())
    one = lost[0].row
    line = page.locator("#rows tbody tr").first.inner_text()
    assert all(
        word in line for word in (address_of(one), one.own, one.street, one.committee, "没有一条规则或片区写到这里")
    )
    page.get_by_label("街镇").select_option(str(lost[0].street_id))
    page.get_by_role("button", name="筛选").click()
    page.wait_for_url(f"**street={lost[0].street_id}**")
    assert page.locator("#rows tbody tr").count() == min(50, lost.filter(street=lost[0].street_id).count())

    # what could not be matched, as a workbook; who took it is audited
    with page.expect_download() as begun:
        page.get_by_role("link", name="导出没有对上的").click()
    book = CalamineWorkbook.from_path(str(begun.value.path())).get_sheet_by_index(0).to_python()
    assert book[0][:7] == ["行号", "登记编号", "街镇", "居委", "小区", "地址", "结果"]
    assert len(book) - 1 == unmatched_of(first)
    assert {"D9001", "D9002"} <= {row[1] for row in book}
    exported = AuditEntry.objects.filter(act="ledger_exported").order_by("-pk").first()
    assert exported is not None
    assert (exported.actor, exported.detail["rows"]) == ("guihua", unmatched_of(first))

    # the modes are mended by what was found: street and committee are tried too, with a rule for the first that was lost
    ground = ground_of(draft.district_id)
    site = ground.open_sites()[0]
    street = next(key for key, name in ground.streets.items() if name == one.street)
    committee = next(key for key in ground.committees_named(one.committee, street))
    page.goto(f"{live_city}/plan/editions/{draft.pk}")
    page.get_by_role("button", name="街道、居委", exact=True).click()
    page.get_by_text("匹配顺序已保存").wait_for()
    page.goto(f"{live_city}/plan/editions/{draft.pk}/rules?add=committee")
    page.locator("#rule-form #street").select_option(str(street))
    page.locator("#rule-form #committee").select_option(str(committee))
    page.locator("#rule-form #target").select_option(str(site.id))
    page.get_by_role("button", name="保存", exact=True).click()
    page.get_by_text("已添加规则").wait_for()

    # run again: what changed, and fewer are lost
    page.get_by_role("link", name="验证分析").click()
    page.get_by_text("后来又改过").wait_for()
    page.get_by_role("button", name="再核对").click()
    second = finished(page)
    assert second.pk != first.pk
    assert unmatched_of(second) < unmatched_of(first)
    assert second.verdicts.get(row=one).sites == [site.id]
    assert second.verdicts.get(row=one).reason == "committee"
    found = second.verdicts.filter(sites=[site.id], reason="committee").count()
    changed = page.locator("#changes").inner_text()
    assert "没有对口园" in changed
    assert site.name in changed
    assert str(found) in changed
    shot(page, "validation-changes-1440")
    assert faults_of(page) == []

    phone = open_page(390, 844, color_scheme="dark")
    sign_in(phone, live_city, "guihua", f"/plan/editions/{draft.pk}/validation")
    shot(phone, "validation-390")
    assert faults_of(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.goto(f"{live_city}/plan/validations/{second.pk}?outcome=unmatched")
    shot(phone, "validation-run-390")
    assert faults_of(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.locator("#rows tbody tr").count() == min(50, unmatched_of(second))


def doors_here() -> list[Address]:
    """Return the doors of the district with a committee, one of each road first."""
    own, path = names(), region(HUANGPU).path
    doors = Address.objects.filter(retired_at=None).exclude(number="").order_by("id")
    here = [
        door for door in doors if own.regions[door.region_id or 0].path.startswith(path) and street_of(door.region_id)
    ]
    first = {door.road: door for door in reversed(here)}
    return [*first.values(), *(door for door in here if first[door.road] != door)]


@pytest.mark.usefixtures("worker")
@pytest.mark.covers("PRE-ENR-05", via="services.catchments.validating.taking:lines_from_forms")
def test_a_district_proves_its_rules_on_what_families_handed_in(
    open_page: Any, live_city: str, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    doors, sites = doors_here(), ground_of(region(HUANGPU).id).open_sites()
    draft = edition(published=False, year=coming_year(), entry="apart", number=9, steps=["address"])
    rule(draft, "address", Facility.objects.get(pk=sites[0].id), written=f"{doors[0].road}全路")
    place = f"/plan/editions/{draft.pk}/validation"
    page = open_page(1440, 900)
    sign_in(page, live_city, "qu", place)
    page.get_by_text("还没有家长提交这个入口的登记").wait_for()
    assert page.get_by_role("button", name="取来核对").count() == 0
    assert faults_of(page) == []

    # five families hand in; one child twice, one form stays a draft, one child is registered where it lives
    family = User.objects.get(username="jumin")
    apart = [where(door) | {"same_address": False, "home_address": door.text} for door in doors[:5]]
    rows = [handed_in(family, tmp_path, at, said) for at, said in enumerate(apart)]
    again = handed_in(family, tmp_path, 0, apart[0])
    handed_in(family, tmp_path, 7, where(doors[5]))
    begun(family)
    expected = {row.number: door for row, door in zip([again, *rows[1:]], doors, strict=False)}

    page.goto(f"{live_city}{place}")
    page.get_by_text("提交了 6 份这个入口的登记").wait_for()
    shot(page, "validation-forms-1440")
    assert faults_of(page) == []
    page.get_by_role("button", name="取来核对").click()
    first = finished(page)
    page.get_by_role("heading", name="幼儿信息登记（截至").wait_for()
    assert {row.own: address_of(row) for row in first.register.rows.all()} == {
        number: door.text for number, door in expected.items()
    }
    taken = AuditEntry.objects.filter(act="answer_revealed").order_by("-pk").first()
    assert taken is not None
    assert (taken.actor, taken.detail["submissions"]) == ("qu", 5)

    # street, committee and address of each stand beside the answer; what could not be matched is filtered and exported
    page.get_by_role("navigation", name="结果").get_by_role("link", name="没有对上").click()
    lost = first.verdicts.filter(outcome="none").select_related("row").order_by("number")
    assert 0 < lost.count() == unmatched_of(first) < 5
    assert page.locator("#rows tbody tr").count() == lost.count()
    one = lost[0].row
    line = page.locator("#rows tbody tr").first.inner_text()
    assert all(
        word in line for word in (address_of(one), one.own, one.street, one.committee, "没有一条规则或片区写到这里")
    )
    shot(page, "validation-forms-run-1440")
    assert faults_of(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="导出没有对上的").click()
    book = CalamineWorkbook.from_path(str(download.value.path())).get_sheet_by_index(0).to_python()
    assert [row[1] for row in book[1:]] == [each.row.own for each in lost]
    cells = " ".join(str(cell) for row in book for cell in row)
    assert not any(word in cells for word in ("王建国", "幼儿", PHONE, identity(0)))

    # the mode is changed by what was found, and the same register run again: what changed, and fewer are lost
    street = next(version for version in ground_of(draft.district_id).streets.items() if version[1] == one.street)[0]
    committee = ground_of(draft.district_id).committees_named(one.committee, street)[0]
    page.goto(f"{live_city}/plan/editions/{draft.pk}")
    page.get_by_role("button", name="街道、居委", exact=True).click()
    page.get_by_text("匹配顺序已保存").wait_for()
    page.goto(f"{live_city}/plan/editions/{draft.pk}/rules?add=committee")
    page.locator("#rule-form #street").select_option(str(street))
    page.locator("#rule-form #committee").select_option(str(committee))
    page.locator("#rule-form #target").select_option(str(sites[1].id))
    page.get_by_role("button", name="保存", exact=True).click()
    page.get_by_text("已添加规则").wait_for()
    page.goto(f"{live_city}{place}")
    page.get_by_text("后来又改过").wait_for()
    page.get_by_role("button", name="再核对").click()
    second = finished(page)
    assert second.register_id == first.register_id
    assert unmatched_of(second) < unmatched_of(first)
    assert second.verdicts.get(row=one).sites == [sites[1].id]
    assert sites[1].name in page.locator("#changes").inner_text()

    # taken again it is another register; who may not read the forms is told whom to ask
    handed_in(family, tmp_path, 8, apart[1])
    page.goto(f"{live_city}{place}")
    page.get_by_role("button", name="取来核对").click()
    assert finished(page).register.row_count == 6
    assert first.register.rows.count() == 5
    phone = open_page(390, 844, color_scheme="dark")
    sign_in(phone, live_city, "qu", place)
    shot(phone, "validation-forms-390")
    assert faults_of(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.context.close()
    planner = open_page(390, 844)
    sign_in(planner, live_city, "guihua", place)
    planner.get_by_text("请区级管理员来取").wait_for()
    assert planner.get_by_role("button", name="取来核对").count() == 0
    assert faults_of(planner) == []
