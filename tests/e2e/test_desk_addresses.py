"""The desk of addresses: a clerk finds, corrects, merges, splits and undoes; conflicts and findings are worked through."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import faults_of, wait_for_map, wait_until_drawn
from tests.e2e.test_desk import sign_in

STREET = "310000.310101.310101002."
"""南京东路街道: the tiny city has doors there."""


@pytest.fixture
def clerk(live_city: str) -> str:
    """Return the name of a clerk of one street."""
    from geo.regions.models import RegionVersion
    from services.access.actions import grant_role
    from services.access.demo import DEMO_PASSWORD, make_demo_accounts
    from services.access.models import User

    make_demo_accounts()
    user, made = User.objects.get_or_create(username="nandong")
    if made:
        user.set_password(DEMO_PASSWORD)
        user.save()
        region = RegionVersion.objects.get(path=STREET, edition__state="published").region
        grant_role(user=user, role="street_clerk", region=region, granted_by="test")
    return "nandong"


def doors(count: int = 6, skip: int = 0) -> list[Any]:
    from geo.addresses.models import Address
    from geo.regions.models import RegionVersion

    regions = RegionVersion.objects.filter(path__startswith=STREET, edition__state="published").values("region_id")
    rows = Address.objects.filter(retired_at=None, lane="", suffix="", building="", region__in=regions).exclude(
        number=""
    )
    return list(rows.order_by("road", "normal", "pk")[skip : skip + count])


def geocoded(page: Any, live_city: str, text: str) -> str:
    answer = page.request.get(f"{live_city}/api/v1/geocode", params={"q": text}).json()
    return str(answer["candidates"][0]["label"]) if answer["candidates"] else ""


def fits(page: Any, width: int) -> bool:
    return int(page.evaluate("document.documentElement.scrollWidth")) <= width


def test_a_clerk_corrects_an_address_and_takes_it_back(open_page: Any, live_city: str, clerk: str) -> None:
    page = open_page(1440, 900)
    (door,) = doors(1)
    called = door.normal
    sign_in(page, live_city, clerk, "/account")
    page.get_by_role("link", name="去办理").click()
    page.get_by_role("navigation", name="办理").get_by_role("link", name="门牌地址").click()
    page.get_by_label("名称、地址或编号").fill(called)
    page.get_by_label("名称、地址或编号").press("Enter")
    page.get_by_role("link", name=called, exact=True).click()
    page.get_by_role("link", name="去维护").click()
    wait_until_drawn(page)
    assert faults_of(page) == []
    # typed as one line, it is read at once beside the field
    page.get_by_label("或者整条重写").press_sequentially(f"{door.road}{door.number}号甲")
    page.locator("#parsed strong", has_text=f"{called}甲").wait_for()
    # the pin is dragged, and the numbers follow
    before = page.locator("#lon").input_value()
    box = page.locator(".spot-pin").bounding_box()
    page.mouse.move(box["x"] + 14, box["y"] + 14)
    page.mouse.down()
    page.mouse.move(box["x"] + 18, box["y"] + 16, steps=5)
    page.mouse.up()
    page.wait_for_function(f"() => document.getElementById('lon').value !== '{before}'")
    moved = float(page.locator("#lon").input_value())
    page.get_by_label("为什么改").fill("现场核实")
    page.get_by_role("button", name="保存更正").click()
    page.get_by_text("已更正，马上生效").wait_for()
    assert page.locator("h1").inner_text() == f"{called}甲"
    assert geocoded(page, live_city, f"{called}甲") == f"黄浦区{called}甲"
    door.refresh_from_db()
    assert door.geom.x == pytest.approx(moved, abs=1e-7)
    history = page.locator("#history li").first
    assert "更正" in history.inner_text()
    assert "nandong" in history.inner_text()
    assert "现场核实" in history.inner_text()
    assert "附号" in history.inner_text()
    assert faults_of(page) == []
    history.get_by_role("button", name="撤销").click()
    page.get_by_text("已撤销，恢复成改动以前的样子").wait_for()
    assert page.locator("h1").inner_text() == called
    assert "已撤销" in page.locator("#history li").nth(1).inner_text()


def test_without_script_the_numbers_do(open_page: Any, live_city: str, clerk: str) -> None:
    page = open_page(390, 844, java_script_enabled=False)
    (door,) = doors(1, skip=1)
    sign_in(page, live_city, clerk, f"/desk/addresses/{door.pk}")
    assert not page.locator("#map").is_visible()
    page.get_by_label("或者整条重写").fill(f"{door.normal}乙")
    page.get_by_role("button", name="看看读成什么").click()
    assert "乙" in page.locator("#parsed strong").inner_text()
    page.get_by_label("纬度").first.fill(f"{door.geom.y + 0.00001:.7f}")
    page.get_by_label("为什么改").fill("现场核实")
    page.get_by_role("button", name="保存更正").click()
    assert page.locator("h1").inner_text() == f"{door.normal}乙"
    door.refresh_from_db()
    assert door.point_source == "survey"


def test_merging_splitting_an_alias_and_retiring(open_page: Any, live_city: str, clerk: str) -> None:
    page = open_page(1440, 900)
    stays, goes, split, named, gone = doors(5, skip=2)
    sign_in(page, live_city, clerk, f"/desk/addresses/{stays.pk}")
    page.get_by_text("合并：把别的地址并入这一个").click()
    page.get_by_label("要并入的地址的编号").fill(str(goes.pk))
    page.get_by_label("为什么合并").fill("两处是同一个门")
    page.get_by_role("button", name=f"并入“{stays.normal}”").click()
    page.get_by_text("已并入 1 个地址").wait_for()
    assert geocoded(page, live_city, goes.normal) == f"黄浦区{stays.normal}"
    page.goto(f"{live_city}/desk/addresses/{goes.pk}")
    assert page.get_by_role("link", name=stays.normal, exact=True).is_visible()
    assert faults_of(page) == []

    page.goto(f"{live_city}/desk/addresses/{split.pk}")
    page.get_by_text("拆分：一个地址其实是几个门牌").click()
    page.get_by_label("第 1 个地址").fill(f"{split.normal}甲")
    page.get_by_label("第 2 个地址").fill(f"{split.normal}乙")
    page.get_by_label("为什么拆分").fill("两个门")
    assert faults_of(page) == []
    page.get_by_role("button", name="拆分", exact=True).click()
    page.get_by_text("已拆成 2 个地址").wait_for()
    assert page.get_by_role("link", name=f"{split.normal}甲").is_visible()

    page.goto(f"{live_city}/desk/addresses/{named.pk}")
    page.get_by_text("添加别名：别的写法").click()
    page.get_by_label("别名", exact=True).fill("从前的路88号")
    page.get_by_label("种类").select_option("old_name")
    page.get_by_label("用到哪天").fill("1990-12-31")
    page.get_by_label("依据").fill("地名志")
    page.get_by_role("button", name="添加别名").click()
    page.get_by_text("已添加别名").wait_for()
    assert geocoded(page, live_city, "从前的路88号") == f"黄浦区{named.normal}"

    page.goto(f"{live_city}/desk/addresses/{gone.pk}")
    page.get_by_text("停用：已经拆除").click()
    page.get_by_label("为什么停用").fill("已拆除")
    page.get_by_role("button", name=f"停用“{gone.normal}”").click()
    page.get_by_text("已停用，地图和搜索里不再出现").wait_for()
    assert page.locator(".tag", has_text="已停用").is_visible()


def test_an_address_is_added_where_the_map_is_clicked(open_page: Any, live_city: str, clerk: str) -> None:
    page = open_page(1440, 900)
    (near,) = doors(1)
    sign_in(page, live_city, clerk, "/account")
    page.goto(f"{live_city}/desk/addresses/new?text=崭新路5号&lon={near.geom.x}&lat={near.geom.y}")
    wait_for_map(page)
    assert faults_of(page) == []
    box = page.locator("#map").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2 + 6, box["y"] + box["height"] / 2 + 4)
    page.wait_for_function(f"() => document.getElementById('lon').value !== '{near.geom.x}'")
    page.get_by_label("为什么补录").fill("新开的门")
    page.get_by_role("button", name="补录", exact=True).click()
    page.get_by_text("已补录。").wait_for()
    assert geocoded(page, live_city, "崭新路5号") == "黄浦区崭新路5号"
    # the same once more is refused, and what was typed stays
    page.goto(f"{live_city}/desk/addresses/new?text=崭新路5号&lon={near.geom.x}&lat={near.geom.y}")
    page.get_by_label("为什么补录").fill("又一次")
    page.get_by_role("button", name="补录", exact=True).click()
    page.get_by_text("同一个区里已经有“崭新路5号”").wait_for()
    assert page.get_by_label("为什么补录").input_value() == "又一次"


def test_two_clerks_are_told_of_each_other_and_unsaved_words_are_not_lost(
    open_page: Any, live_city: str, clerk: str
) -> None:
    from geo.addresses.upkeep.actions import correct_address
    from geo.scope import Scope

    page = open_page(1440, 900)
    (door,) = doors(1, skip=7)
    sign_in(page, live_city, clerk, f"/desk/addresses/{door.pk}")
    other = Scope(paths=("310000.",), duties=frozenset({"addresses.edit"}), actor="wang")
    correct_address(address_id=door.pk, changes={"suffix": "丙"}, scope=other, reason="核实")
    page.get_by_label("附号").fill("甲")
    page.get_by_label("为什么改").fill("现场核实")
    # leaving now is asked about
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    with page.expect_event("dialog"):
        page.get_by_role("link", name="冲突待审").click()
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="保存更正").click()
    notice = page.get_by_role("alert")
    notice.wait_for()
    assert "wang" in notice.inner_text()
    assert "附号由“（空）”改为“丙”" in notice.inner_text()
    assert page.get_by_label("附号").input_value() == "甲"
    assert page.get_by_label("为什么改").input_value() == "现场核实"


def test_a_clerk_sees_the_own_street_only(open_page: Any, live_city: str, clerk: str) -> None:
    from geo.addresses.models import Address
    from geo.regions.models import RegionVersion

    ours = RegionVersion.objects.filter(path__startswith=STREET, edition__state="published").values("region_id")
    foreign = Address.objects.filter(retired_at=None).exclude(region__in=ours).order_by("pk").first()
    assert foreign
    page = open_page(390, 844)
    sign_in(page, live_city, clerk, f"/desk/ledgers/addresses?q={foreign.pk}")
    assert "没有符合这些条件的门牌地址" in page.locator("main").inner_text()
    page.goto(f"{live_city}/desk/addresses/{foreign.pk}")
    assert "不在您的管辖范围内，只能查看" in page.locator("main").inner_text()
    assert page.get_by_role("button", name="保存更正").count() == 0
    page.goto(f"{live_city}/desk/addresses")
    page.locator("summary", has_text="区划").click()
    assert page.locator('.menu-option:has([name="region"])').all_inner_texts() == ["南京东路街道"]


@pytest.mark.parametrize("username", ["jigou", "guihua", "jumin"])
def test_nobody_else_comes_to_the_desk(page: Any, live_city: str, clerk: str, username: str) -> None:
    sign_in(page, live_city, username, "/desk")
    assert page.get_by_role("link", name="门牌地址").count() == 0
    for path in ("", "/new", "/conflicts", "/audit", "/audit.csv", f"/{doors(1)[0].pk}"):
        assert page.goto(f"{live_city}/desk/addresses{path}").status == 403


def test_conflicts_are_decided_on_the_page(open_page: Any, live_city: str, clerk: str) -> None:
    from geo.addresses import jobs
    from geo.addresses.models import Address, AddressConflict
    from geo.jobs.actions import run_job
    from geo.jobs.models import Job

    one, other = doors(2, skip=9)
    Address.objects.filter(pk=other.pk).update(normal=one.normal, number=one.number, road=one.road)
    run_job(job_id=Job.objects.create(kind=jobs.CONFLICTS).pk)
    page = open_page(1440, 900)
    sign_in(page, live_city, clerk, "/desk/addresses/conflicts")
    assert faults_of(page) == []
    card = page.locator("article", has_text=one.normal)
    card.get_by_role("radio").first.check()
    card.get_by_label("依据").fill("现场核实")
    card.get_by_role("button", name="裁定").click()
    page.get_by_text("已裁定：").wait_for()
    conflict = AddressConflict.objects.get(title__startswith=one.normal)
    assert (conflict.state, conflict.decisions[0]["actor"]) == ("decided", "nandong")
    page.get_by_role("link", name="已裁定").click()
    assert "nandong" in page.locator("article").first.inner_text()
    assert faults_of(page) == []


def test_findings_are_shown_on_the_map_and_taken_away_as_a_table(open_page: Any, live_city: str, clerk: str) -> None:
    from geo.addresses import jobs
    from geo.addresses.models import Address
    from geo.jobs.actions import run_job
    from geo.jobs.models import Job

    (door,) = doors(1, skip=12)
    Address.objects.filter(pk=door.pk).update(region=Address.objects.filter(lane="").exclude(
        region=door.region_id).order_by("pk").first().region_id)  # fmt: skip
    page = open_page(1440, 900)
    sign_in(page, live_city, "qu", "/desk/addresses/audit")
    assert "还没有检查过" in page.locator("main").inner_text()
    run_job(job_id=Job.objects.create(kind=jobs.AUDIT, params={"path": "310000."}, actor="shi").pk)
    page.reload()
    wait_until_drawn(page)
    assert faults_of(page) == []
    link = page.locator("[data-spot]").first
    link.click()
    page.locator(".spot-dot.lit").wait_for()
    with page.expect_download() as started:
        page.get_by_role("link", name="下载 CSV").click()
    lines = started.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "种类,说明,数值,单位,经度,纬度,地址编号,区划或小区"
    said = page.get_by_role("status").first.inner_text()
    assert len(lines) - 1 == int(said.split()[0])


@pytest.mark.parametrize(("width", "look"), [(390, "light"), (390, "dark"), (1440, "dark")])
def test_every_page_of_the_desk_is_for_everybody(
    open_page: Any, live_city: str, clerk: str, width: int, look: str
) -> None:
    page = open_page(width, 844, color_scheme=look)
    (door,) = doors(1, skip=3)
    sign_in(page, live_city, clerk, "/account")
    for path in ("", "/new", f"/{door.pk}", "/conflicts", "/conflicts?state=decided", "/audit"):
        page.goto(f"{live_city}/desk/addresses{path}")
        assert faults_of(page) == [], path
        assert fits(page, width), path
