"""Approval from the planner's page through the manager's inbox and back: returned with reasons, mended, agreed to, published."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from geo.fences.areas import Act
from geo.fences.models import FenceEdition
from services.access.demo import make_demo_accounts
from services.access.models import User
from services.access.queries import Caller, scope_of
from services.fencing.actions import FENCES
from services.kernel.workflow.models import Case
from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in
from tests.services.fencing.sets import draft, square

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def edition(live_city: str) -> FenceEdition:
    """Return a draft with one fence, drawn by the planner."""
    make_demo_accounts()
    FenceEdition.objects.exclude(state="published").delete()
    planner = scope_of(Caller(User.objects.get(username="guihua")))
    found = draft("alert", planner)
    found.areas.all().delete()
    FENCES.add(Act(found.pk, found.revision, uuid.uuid4(), planner), name="南门", about={}, shape=square(0, 0))
    return found


def change(edition: FenceEdition, name: str) -> None:
    edition.refresh_from_db()
    planner = scope_of(Caller(User.objects.get(username="guihua")))
    FENCES.add(
        Act(edition.pk, edition.revision, uuid.uuid4(), planner), name=name, about={}, shape=square(200, 0)
    )  # fmt: skip


def hand_in(page: Any) -> str:
    """Check and hand in on the page of the draft; return the number of its case."""
    page.get_by_role("button", name="检查").click()
    page.get_by_role("button", name=re.compile("送审第")).click()
    page.get_by_text("已送审，办件编号").wait_for()
    return str(page.get_by_role("link", name=re.compile("^WL-")).first.inner_text())


def test_a_planner_hands_in_and_a_manager_returns_it_then_agrees(
    edition: FenceEdition, open_page: Any, live_city: str
) -> None:
    page = open_page(390, 844)
    page.set_default_timeout(60_000)
    here = f"/plan/fences/{edition.pk}"
    sign_in(page, live_city, "guihua", here)
    number = hand_in(page)
    page.get_by_role("heading", name="等批准").wait_for()
    assert faults_of(page) == []

    # the manager finds it in the inbox, looks at the drawing, and gives it back with the reason
    desk = open_page(1440, 900)
    desk.set_default_timeout(60_000)
    sign_in(desk, live_city, "qu", "/desk/cases")
    desk.get_by_role("link", name=re.compile("告警区域第")).first.click()
    desk.get_by_text("新增 1 个（南门）").wait_for()
    desk.get_by_text(number).first.wait_for()
    desk.get_by_role("link", name="打开提交的内容").click()
    desk.wait_for_url(f"**{here}")
    desk.get_by_role("link", name=number).click()
    desk.get_by_role("radio", name=re.compile("退回修改")).check()
    desk.get_by_label("意见", exact=True).first.fill("北门也要画")
    desk.locator("#do").get_by_role("button", name="提交").click()
    desk.get_by_text("已办理，意见已记入轨迹。").wait_for()
    assert faults_of(desk) == []

    # the planner is told, mends it, and hands it in again
    page.goto(f"{live_city}/desk/messages")
    page.get_by_text(re.compile("告警区域第.+区里批准退回修改")).first.wait_for()
    page.goto(f"{live_city}{here}")
    page.get_by_text("北门也要画").first.wait_for()
    change(edition, "北门")
    page.reload()
    second = hand_in(page)
    assert second != number
    case = Case.objects.get(number=second)
    assert case.facts["changes"].startswith("新增 2 个")

    # it changes once more while the manager looks: what the manager did not see is not approved
    desk.goto(f"{live_city}{here}")
    desk.get_by_role("radio", name="同意").check()
    change(edition, "东门")
    desk.get_by_role("button", name="提交").click()
    desk.get_by_role("alert").get_by_text(re.compile("刷新")).wait_for()
    edition.refresh_from_db()
    assert edition.state == "draft"
    page.reload()
    page.get_by_text("送审以后草稿又改过：画了围栏“东门”").first.wait_for()
    third = hand_in(page)

    # agreed to in the inbox, published from Monday on the page of the draft
    desk.goto(f"{live_city}/desk/cases?q={third}")
    desk.get_by_role("link", name=re.compile("告警区域第")).first.click()
    desk.get_by_role("radio", name="同意").check()
    desk.locator("#do").get_by_role("button", name="提交").click()
    desk.get_by_text("已通过").first.wait_for()
    desk.goto(f"{live_city}{here}")
    desk.get_by_role("button", name=re.compile("发布第")).click()
    desk.get_by_text(re.compile("已发布第 .+ 00:00 起使用")).wait_for()
    edition.refresh_from_db()
    assert (edition.state, edition.approved_by, edition.published_by) == ("published", "qu", "qu")
    assert faults_of(desk) == []
    assert faults_of(page) == []
