"""The planners' door in a browser: a district's edition from nothing to publication, as docs/how-to/catchments.md and the help say."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from services.catchments.ground import Ground, ground_of
from services.catchments.models import CatchmentEdition, EditionChange, EditionState, MatchRule
from services.catchments.queries import edition_in_force
from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in
from tests.services.catchments.workbooks import write_book

SHOTS = os.environ.get("QUANTU_SHOTS", "")
YEAR = timezone.localdate().year + 2
DISTRICT = "310101"


def shot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def ground() -> Ground:
    from geo.regions.models import RegionVersion

    return ground_of(RegionVersion.objects.get(code=DISTRICT, edition__state="published").region_id)


def begin(page: Any, entry: str) -> CatchmentEdition:
    """Begin an empty draft on the page and go to it."""
    page.get_by_label("招生年份").select_option(str(YEAR))
    page.locator("#n-district").select_option(DISTRICT)
    page.locator("#n-entry").select_option(entry)
    page.get_by_role("button", name="新建草稿").click()
    page.wait_for_url("**/plan/editions/*")
    return CatchmentEdition.objects.get(year=YEAR, entry=entry, district__versions__code=DISTRICT, state="draft")


def test_a_district_goes_from_an_empty_edition_to_publication(open_page: Any, live_city: str, tmp_path: Path) -> None:
    here = ground()
    a, b = here.open_sites()[:2]
    (first, (first_name, street)), (_, (second_name, street2)) = sorted(here.committees.items())[:2]
    book = write_book(
        tmp_path / "黄浦区对口表.xlsx",
        (
            "居委",
            [
                [], ["户籍所在地", "", "对口幼儿园", "备注"], ["街道", "居委", "", ""],
                [here.streets[street].removesuffix("街道"), first_name.removesuffix("居委会"), "", ""],
                [here.streets[street2], second_name, "", ""], ["填表：学前科", "", "", ""],
            ],
            [(0, 0, 0, 3, "对口一览"), (1, 0, 1, 1, "户籍所在地"), (1, 2, 2, 2, "对口幼儿园"), (3, 2, 4, 2, a.name)],
        ),
        ("地址", [["路名", "门牌号", "单双号", "幼儿园"], ["武夷路", "1-199号", "单号", a.name], ["武夷路", "99-1号", "", b.name]], []),
    )  # fmt: skip
    desk = open_page(1440, 900)
    sign_in(desk, live_city, "guihua", "/plan")
    shot(desk, "plan-list-1440")
    assert faults_of(desk) == []
    desk.get_by_role("link", name="对口规划", exact=True).first.wait_for()
    edition = begin(desk, "local")
    shot(desk, "plan-empty-1440")

    # the workbook: read, one row mended on the page, written in one act, taken back and written again
    desk.get_by_role("link", name="导入表格").first.click()
    desk.get_by_label("Excel（.xlsx）或 CSV").set_input_files(str(book))
    desk.get_by_role("button", name="上传并核对").click()
    desk.get_by_text("要改 1 行").wait_for()
    desk.get_by_text("前大后小").wait_for()
    shot(desk, "plan-import-1440")
    assert faults_of(desk) == []
    desk.get_by_label("地址范围").fill("武夷路99号")
    desk.get_by_role("button", name="保存这一页").click()
    desk.get_by_role("button", name="写入 4 行").click()
    desk.get_by_text("导入 4 条规则").first.wait_for()
    assert edition.rules.count() == 4
    assert edition.rules.get(committee=first).target_id == a.id
    desk.get_by_role("button", name="撤销").first.click()
    desk.get_by_text("已撤销“从“黄浦区对口表.xlsx”导入 4 条规则”。").wait_for()
    assert edition.rules.count() == 0
    desk.goto(f"{live_city}/plan/editions/{edition.pk}/changes")
    shot(desk, "plan-changes-1440")
    assert faults_of(desk) == []
    desk.get_by_role("button", name=re.compile("撤销\\s*“撤销")).click()
    desk.get_by_text("已重做“从").wait_for()
    assert edition.rules.count() == 4

    # the list: find, change in place, keys, delete several
    desk.goto(f"{live_city}/plan/editions/{edition.pk}/rules?in=address")
    shot(desk, "plan-rules-1440")
    desk.get_by_role("searchbox").last.fill("武夷路99")
    desk.keyboard.press("Enter")
    desk.wait_for_url("**q=*")
    desk.locator("tbody input[type=checkbox]").first.focus()
    desk.keyboard.press("Enter")
    desk.get_by_label("地址范围").fill("武夷路99-1号")
    desk.get_by_role("button", name="保存", exact=True).click()
    desk.get_by_text("这一条还不能保存").wait_for()
    assert desk.get_by_label("地址范围").input_value() == "武夷路99-1号"
    shot(desk, "plan-edit-1440")
    assert faults_of(desk) == []
    desk.get_by_label("地址范围").fill("武夷路2-198号（双号）")
    desk.get_by_role("button", name="保存", exact=True).click()
    desk.get_by_text("已修改规则").wait_for()
    desk.goto(f"{live_city}/plan/editions/{edition.pk}/rules?in=committee")
    boxes = desk.locator("tbody input[type=checkbox]")
    boxes.first.focus()
    desk.keyboard.press("Space")
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("Space")
    desk.get_by_text("删除所选 2 条").wait_for()
    desk.keyboard.press("Delete")
    desk.get_by_text("已删除 2 条规则").wait_for()
    desk.get_by_role("button", name="撤销").first.click()
    desk.get_by_text("已撤销“删除 2 条规则”。").wait_for()

    # steps by buttons and by dragging, whom to ask
    desk.goto(f"{live_city}/plan/editions/{edition.pk}")
    desk.get_by_role("button", name="把“街道、居委”上移").click()
    desk.get_by_text("匹配顺序已保存").wait_for()
    assert CatchmentEdition.objects.get(pk=edition.pk).steps[2] == "committee"
    desk.locator(".plan-steps li", has_text="街道、居委、小区").drag_to(desk.locator(".plan-steps li").first)
    desk.get_by_text("匹配顺序已保存").wait_for()
    assert CatchmentEdition.objects.get(pk=edition.pk).steps[0] == "community"
    desk.get_by_label("咨询科室").fill("黄浦区教育局学前科")
    desk.get_by_label("咨询电话").fill("021-12345678")
    desk.locator("#about").get_by_role("button", name="保存").click()
    desk.get_by_text("政策依据和咨询电话已保存").wait_for()
    shot(desk, "plan-edition-1440")
    assert faults_of(desk) == []

    # an address tried while it is typed: the path, and the rule that decided
    desk.get_by_role("link", name="试一试").click()
    desk.get_by_label("户籍地址").type("武夷路99号")
    desk.get_by_text("由它决定").wait_for()
    assert a.name in desk.locator("#tried .outcome").inner_text()
    assert "“武夷路99号”在“武夷路1-199号（单号）”里。" in desk.locator("#tried").inner_text()
    shot(desk, "plan-try-1440")
    assert faults_of(desk) == []

    # check, another person approves, publication from today
    desk.get_by_role("link", name="检查", exact=True).click()
    shot(desk, "plan-check-1440")
    assert faults_of(desk) == []
    desk.get_by_role("button", name="再检查一遍").click()
    desk.get_by_text("可以批准了").wait_for()
    other = open_page(390, 844)
    sign_in(other, live_city, "qu", f"/plan/editions/{edition.pk}")
    shot(other, "plan-approve-390")
    assert faults_of(other) == []
    other.get_by_role("checkbox", name="我已核对").check()
    other.get_by_role("button", name="批准第 1 版").click()
    other.get_by_text("已批准").first.wait_for()
    other.get_by_label("从哪天起使用").fill(timezone.localdate().isoformat())
    other.get_by_role("button", name="发布第 1 版").click()
    other.get_by_text("已发布第 1 版").wait_for()
    shot(other, "plan-published-390")
    for name in ("rules", "check", "try", "changes"):
        other.goto(f"{live_city}/plan/editions/{edition.pk}/{name}")
        shot(other, f"plan-{name}-390")
        assert faults_of(other) == []
        assert other.evaluate("document.documentElement.scrollWidth") <= 390
    dark = open_page(1440, 900, color_scheme="dark")
    sign_in(dark, live_city, "qu", f"/plan/editions/{edition.pk}")
    for look in ("dark", "elder"):
        if look == "elder":
            dark.context.add_cookies([{"name": "elder", "value": "1", "url": live_city}])
        for path in (
            "/plan",
            *(f"/plan/editions/{edition.pk}{name}" for name in ("", "/rules?in=address", "/check", "/try")),
        ):
            dark.goto(f"{live_city}{path}")
            assert faults_of(dark) == [], (look, path)
        shot(dark, f"plan-try-{look}")
    assert edition_in_force(year=YEAR, district_id=edition.district_id, entry="local") == edition
    assert EditionChange.objects.filter(edition=edition, act="publish").count() == 1


def test_two_planners_over_one_rule_and_pages_without_script(open_page: Any, live_city: str) -> None:
    desk = open_page(1440, 900)
    sign_in(desk, live_city, "guihua", "/plan")
    edition = begin(desk, "apart")
    here = ground()
    site, other_site = here.open_sites()[:2]
    desk.goto(f"{live_city}/plan/editions/{edition.pk}/rules?add=address")
    desk.get_by_label("地址范围").fill("武夷路1号")
    desk.get_by_label("对口幼儿园").select_option(str(site.id))
    desk.get_by_role("button", name="保存", exact=True).click()
    desk.get_by_text("已添加规则").wait_for()
    rule = MatchRule.objects.get(edition=edition)
    editing = f"{live_city}/plan/editions/{edition.pk}/rules?edit={rule.same}"
    plain = desk.context.browser.new_context(java_script_enabled=False)
    mate = plain.new_page()
    sign_in(mate, live_city, "qu", f"/plan/editions/{edition.pk}/rules?edit={rule.same}")
    desk.goto(editing)
    mate.get_by_label("对口幼儿园").select_option(str(other_site.id))
    mate.get_by_role("button", name="保存", exact=True).click()
    mate.get_by_text("已修改规则").wait_for()
    desk.get_by_label("地址范围").fill("武夷路3号")
    desk.get_by_role("button", name="保存", exact=True).click()
    desk.get_by_text("qu 刚才修改规则").wait_for()
    assert desk.get_by_label("地址范围").input_value() == "武夷路3号"  # what was typed stays
    assert MatchRule.objects.get(pk=rule.pk).target_id == other_site.id
    desk.get_by_role("button", name="保存", exact=True).click()
    desk.get_by_text("已修改规则").wait_for()
    assert MatchRule.objects.get(pk=rule.pk).written == "武夷路3号"
    mate.goto(f"{live_city}/plan/editions/{edition.pk}")
    mate.get_by_role("button", name="不用“街道、居委”").click()
    mate.get_by_text("匹配顺序已保存").wait_for()
    assert "committee" not in CatchmentEdition.objects.get(pk=edition.pk).steps
    mate.goto(f"{live_city}/plan/editions/{edition.pk}/try")
    mate.get_by_label("居住地址").fill("武夷路3号")
    mate.get_by_role("button", name="看结果").click()
    mate.get_by_text("由它决定").wait_for()
    mate.goto(f"{live_city}/plan/editions/{edition.pk}")
    mate.get_by_text("放弃草稿", exact=True).click()
    mate.get_by_role("button", name="放弃第 1 版草稿").click()
    mate.get_by_text("已放弃").first.wait_for()
    plain.close()
    assert not CatchmentEdition.objects.filter(pk=edition.pk, state=EditionState.DRAFT).exists()


@pytest.mark.covers("PRE-ENR-04c", via="services.catchments.editing:faults_of")
def test_a_community_goes_to_its_kindergarten_and_its_name_fits_a_phone(
    open_page: Any, live_city: str, tmp_path: Path
) -> None:
    from geo.addresses.models import Address
    from geo.imports.models import CURRENT

    here = ground()
    site, other = here.open_sites()[:2]
    homes = Address.objects.filter(CURRENT, region__in=list(here.committees)).exclude(community=None)
    home = homes.exclude(number="").select_related("community").order_by("id")[0]
    community, committee = home.community, home.region_id or 0
    assert community is not None
    street = here.committees[committee][1]
    neighbour = homes.filter(region=committee).exclude(community=community).first()
    phone = open_page(390, 844)
    sign_in(phone, live_city, "guihua", "/plan")
    edition = begin(phone, "apart")

    # one sign too many is told while it is typed, refused when it is saved, and refused of a workbook
    phone.goto(f"{live_city}/plan/editions/{edition.pk}/rules?add=community#rule-form")
    phone.get_by_label("街镇").select_option(str(street))
    phone.get_by_label("居委", exact=True).select_option(str(committee))
    phone.get_by_label("小区", exact=True).fill("长" * 21)
    phone.get_by_text("多了 1 个字").wait_for()
    phone.get_by_label("对口幼儿园").select_option(str(other.id))
    phone.get_by_role("button", name="保存", exact=True).click()
    phone.get_by_text("小区名称有 21 个字，手机上显示不下，最多 20 个字").wait_for()
    assert faults_of(phone) == []
    shot(phone, "plan-community-390")
    assert edition.rules.count() == 0
    book = write_book(
        tmp_path / "小区.xlsx",
        ("小区", [["街道", "居委", "小区名称", "幼儿园"], *(
            [here.streets[street], here.committees[committee][0], name, site.name] for name in ("宽" * 21, community.name)
        )], []),
    )  # fmt: skip
    phone.get_by_label("小区", exact=True).fill("长" * 20)
    phone.get_by_role("button", name="保存", exact=True).click()
    phone.get_by_text("已添加规则").wait_for()
    phone.goto(f"{live_city}/plan/editions/{edition.pk}/import")
    phone.get_by_label("Excel（.xlsx）或 CSV").set_input_files(str(book))
    phone.get_by_role("button", name="上传并核对").click()
    phone.get_by_text("小区名称有 21 个字，手机上显示不下").wait_for()
    assert faults_of(phone) == []
    phone.get_by_role("button", name="这 1 行都不导入").click()
    phone.get_by_role("button", name="写入 1 行").click()
    phone.get_by_text("导入 1 条规则").first.wait_for()
    assert edition.rules.count() == 2

    # the longest name stands whole on the narrowest phone
    narrow = open_page(320, 640)
    sign_in(narrow, live_city, "qu", f"/plan/editions/{edition.pk}/rules")
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 320
    box = narrow.get_by_text("长" * 20).first.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    shot(narrow, "plan-community-320")

    # street, committee and community decide for parents; a neighbour of another community is not matched
    phone.goto(f"{live_city}/plan/editions/{edition.pk}/check")
    phone.get_by_role("button", name="再检查一遍").click()
    phone.get_by_text("可以批准了").wait_for()
    narrow.goto(f"{live_city}/plan/editions/{edition.pk}")
    narrow.get_by_role("checkbox", name="我已核对").check()
    narrow.get_by_role("button", name="批准第").click()
    narrow.get_by_label("从哪天起使用").fill(timezone.localdate().isoformat())
    narrow.get_by_role("button", name="发布第").click()
    narrow.get_by_text("已发布第").wait_for()
    asked = {"entry": "apart", "year": YEAR, "district": DISTRICT}
    answer = narrow.request.post(f"{live_city}/api/v1/match/kindergarten", data=asked | {"address": home.text}).json()
    assert (answer["outcome"], answer["reason"]) == ("one", "community")
    assert [place["name"] for place in answer["places"]] == [site.name]
    if neighbour is not None:
        answer = narrow.request.post(
            f"{live_city}/api/v1/match/kindergarten", data=asked | {"address": neighbour.text}
        ).json()
        assert [place["name"] for place in answer["places"]] == []
