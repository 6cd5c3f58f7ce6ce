"""Messages at the desk, with a real gateway, a real worker and a browser: bell, short messages, texts, notices, knowledge."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as house
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from geo.kept import open_file
from services.access.models import AuditEntry, Organisation, User
from services.facilities.actions import change_status
from services.facilities.models import Facility
from services.integrations.sms.simulator import Simulator
from services.kernel.messages.message_events import ENROLMENT_REGISTERED, FACILITY_STATUS
from services.kernel.messages.models import Delivery, SendingRule
from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in
from tests.services.kernel.messages.conftest import APP, SECRET, region, scope

PARENT, HEAD = "13800000011", "13800000022"


@pytest.fixture
def gateway(live_city: str, settings: Any) -> Iterator[Simulator]:
    """Connect the house to a gateway that posts its receipts to the live server; nothing is quiet, whatever the hour."""
    cache.clear()
    SendingRule.objects.update_or_create(
        region=region("310000"), defaults={"quiet_from": dt.time(0), "quiet_to": dt.time(0), "changed_by": "test"}
    )
    with Simulator(app=APP, secret=SECRET, callback=f"{live_city}/api/v1/messages/receipts") as running:
        settings.SMS_URL, settings.SMS_APP, settings.SMS_SECRET = running.url, APP, SECRET
        settings.SMS_TIMEOUT_S, settings.INSIDE_HOSTS = 5, ["127.0.0.1"]
        yield running


def until(holds: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
    return found


def on_its_way(since: dt.datetime) -> bool:
    """Say whether a message made since a moment is not at its end yet.

    Those of the tests before are not asked about: their gateway ends with them, and what it had not receipted by then is 已发送
    for good. That is what a busy machine showed as a message that never came.
    """
    return Delivery.objects.filter(made_at__gte=since, state__in=("waiting", "sending", "sent")).exists()


def write_sms(page: Any, *, phone: str, child: str, at: str = "") -> None:
    for name, value in (("儿童", child), ("幼儿园", "瑞金一路幼儿园"), ("报名编号", "HP001"), ("验证时间", "5月16日")):
        page.get_by_label(name, exact=True).fill(value)
    page.get_by_label("手机号", exact=True).fill(phone)
    if at:
        page.get_by_label("定时发送（不填就是现在）").fill(at)
    page.get_by_role("button", name="登记发送").click()
    page.wait_for_url("**/desk/sms")


@pytest.fixture
def head(live_city: str) -> tuple[User, Facility]:
    """Return the head of an institution with a place of its own."""
    from services.access.demo import make_demo_accounts

    make_demo_accounts()
    user = User.objects.get(username="jigou")
    organisation = Organisation.objects.get(grants__user=user)
    place = Facility.objects.filter(retired_at=None, status="open", region__isnull=False).order_by("pk").first()
    assert place is not None
    Facility.objects.filter(pk=place.pk).update(organisation=organisation)
    place.refresh_from_db()
    return user, place


@pytest.mark.covers("PRE-ENR-09a", via="services.kernel.messages.delivering:deliver_due")
def test_short_messages_go_through_the_gateway_at_the_moment_that_was_set(
    open_page: Any, live_city: str, gateway: Simulator, worker: None
) -> None:
    from services.kernel.messages.tasks import deliver

    page = open_page(1440, 900)
    sign_in(page, live_city, "qu", "/desk/sms")
    page.get_by_role("link", name="发短信").click()
    page.get_by_label("模板", exact=True).select_option(ENROLMENT_REGISTERED)
    page.get_by_role("button", name="用这个模板").click()
    page.wait_for_url("**/desk/sms/new?**")
    assert faults_of(page) == []

    # One at once: the gateway has it, and its receipt comes back.
    write_sms(page, phone=PARENT, child="王小明")
    until(lambda: gateway.journal.texts(PARENT))
    assert gateway.journal.texts(PARENT) == [
        "家长您好，王小明已报名瑞金一路幼儿园，报名编号HP001。请于5月16日带材料到园验证。"
    ]
    until(lambda: Delivery.objects.filter(state="delivered").exists())

    # One for later: the worker leaves it alone until its moment, and sends it then.
    later = timezone.localtime() + dt.timedelta(hours=3)
    page.goto(f"{live_city}/desk/sms/new?event={ENROLMENT_REGISTERED}")
    write_sms(page, phone=PARENT, child="李小红", at=f"{later:%Y-%m-%dT%H:%M}")
    waiting = Delivery.objects.get(state="waiting")
    assert f"{timezone.localtime(waiting.due_at):%Y-%m-%dT%H:%M}" == f"{later:%Y-%m-%dT%H:%M}"
    deliver.delay()
    time.sleep(1)
    assert len(gateway.journal.texts(PARENT)) == 1
    Delivery.objects.filter(pk=waiting.pk).update(next_at=timezone.now())
    deliver.delay()
    until(lambda: len(gateway.journal.texts(PARENT)) == 2)
    assert "李小红" in gateway.journal.texts(PARENT)[1]


@pytest.mark.covers("PRE-ENR-09b", via="services.kernel.messages.choosing:text_for")
def test_districts_write_their_texts_by_entry_and_the_city_sees_and_manages_them(
    open_page: Any, live_city: str, gateway: Simulator, worker: None
) -> None:
    district = open_page(1440, 900)
    sign_in(district, live_city, "qu", "/desk/message-settings")
    district.locator(f'a[href$="{ENROLMENT_REGISTERED}/sms?region=310101&entry=permit"]').click()
    district.get_by_label("正文").fill("黄浦区：{儿童}的居住证报名已收到，编号{报名编号}。")
    district.get_by_role("button", name="预览").click()
    assert "黄浦区：王小明的居住证报名已收到，编号HP20260001。" in district.locator("main").inner_text()
    assert "按 1 条计费" in district.locator("main").inner_text()
    district.get_by_label("正文").fill("{不存在}")
    district.get_by_role("button", name="保存为新版本").click()
    assert "没有这些字段：不存在" in district.get_by_role("alert").inner_text()
    district.get_by_label("正文").fill("黄浦区：{儿童}的居住证报名已收到，编号{报名编号}。")
    district.get_by_role("button", name="保存为新版本").click()
    district.get_by_text("已保存为第 1 版").wait_for()
    assert faults_of(district) == []
    # another district's texts are not theirs to write
    answer = district.goto(f"{live_city}/desk/message-settings/{ENROLMENT_REGISTERED}/sms?region=310110")
    assert answer.status == 403

    # A parent who registered through that entry gets the district's text, through another entry the general one.
    for entry in ("permit", "local"):
        district.goto(f"{live_city}/desk/sms/new?event={ENROLMENT_REGISTERED}&region=310101&entry={entry}")
        write_sms(district, phone=PARENT, child="王小明")
    until(lambda: len(gateway.journal.texts(PARENT)) == 2)
    assert sorted(text[:3] for text in gateway.journal.texts(PARENT)) == ["家长您", "黄浦区"]

    # The city sees what the district wrote, changes it, and the change is used.
    city = open_page(1440, 900)
    sign_in(city, live_city, "shi", "/desk/message-settings")
    row = city.get_by_role("row").filter(has_text="居住证报名已收到")
    assert "黄浦区" in row.inner_text()
    row.get_by_role("link").click()
    assert "第 1 版" in city.locator("main").inner_text()
    city.get_by_label("正文").fill("市级统一：{儿童}报名成功。")
    city.get_by_role("button", name="保存为新版本").click()
    city.get_by_text("已保存为第 2 版").wait_for()
    city.goto(f"{live_city}/desk/sms/new?event={ENROLMENT_REGISTERED}&region=310101&entry=permit")
    write_sms(city, phone=PARENT, child="王小明")
    until(lambda: "市级统一：王小明报名成功。" in gateway.journal.texts(PARENT))


@pytest.mark.covers("ELD-BPL-17", via="services.kernel.messages.actions:send_message")
def test_a_change_of_state_tells_those_concerned_by_the_triggers_that_were_set(
    open_page: Any, live_city: str, gateway: Simulator, head: tuple[User, Facility]
) -> None:
    user, place = head
    city = open_page(1440, 900)
    sign_in(city, live_city, "shi", "/desk/message-settings")
    card = city.locator("section").filter(has=city.get_by_role("heading", name="机构状态变化"))
    card.get_by_label("已关闭").uncheck()
    card.get_by_role("button", name="保存触发设置").click()
    city.get_by_text("已保存“机构状态变化”的触发设置。").wait_for()

    for status, reason in (("暂停服务", "设备检修"), ("已关闭", "")):  # of the second nobody is to be told
        city.goto(f"{live_city}/desk/ledgers/facilities/{place.pk}")
        city.get_by_role("link", name="去维护").click()
        city.get_by_role("navigation", name=f"维护{place.name}").get_by_role("link", name="状态").click()
        city.get_by_role("heading", name="改变状态").wait_for()
        assert faults_of(city) == []
        city.get_by_role("radio", name=status).check()
        city.get_by_label("原因").fill(reason)
        city.get_by_role("button", name="保存").click()
        city.get_by_text(f"已改为“{status}”").wait_for()

    page = open_page(390, 844, has_touch=True)
    sign_in(page, live_city, "jigou", "/desk/messages")
    assert "1 条未读" in page.locator(".bell").inner_text()
    shown = page.locator(".message")
    assert shown.count() == 1
    assert f"{place.name}的状态改为“暂停服务”" in shown.inner_text()
    assert "设备检修" in shown.inner_text()
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="查看详情").click()
    page.wait_for_url(f"**/places/{place.pk}")
    page.goto(f"{live_city}/desk/messages")
    assert page.locator(".bell-count").count() == 0
    assert page.locator(".message.unread").count() == 0
    # nobody else was told
    other = open_page(390, 844)
    sign_in(other, live_city, "jiezhen", "/desk/messages")
    assert "还没有消息" in other.locator("main").inner_text()


@pytest.mark.covers("ELD-BPL-19", via="services.integrations.sms.client:gateway")
def test_business_reaches_those_served_and_those_at_work_through_the_gateway(
    open_page: Any, live_city: str, gateway: Simulator, worker: None, head: tuple[User, Facility]
) -> None:
    user, place = head
    begun = timezone.now()
    # The one at work leaves a number; the city has status changes told by short message too.
    page = open_page(390, 844, has_touch=True)
    sign_in(page, live_city, "jigou", "/desk/messages")
    page.get_by_label("手机号").fill(HEAD)
    page.get_by_role("button", name="保存").click()
    page.get_by_text("短信发到 138****0022").wait_for()
    city = open_page(1440, 900)
    sign_in(city, live_city, "shi", "/desk/message-settings")
    card = city.locator("section").filter(has=city.get_by_role("heading", name="机构状态变化"))
    card.get_by_label("短信").check()
    for trigger in ("已关闭", "筹备中"):
        card.get_by_label(trigger).check()
    card.get_by_role("button", name="保存触发设置").click()
    city.get_by_text("触发设置。").wait_for()

    before = Facility.objects.get(pk=place.pk).status
    change_status(
        facility_id=place.pk, status="preparing" if before != "preparing" else "closed", scope=scope("facilities.edit")
    )
    until(lambda: gateway.journal.texts(HEAD))
    assert place.name in gateway.journal.texts(HEAD)[0]

    # The one served is written to by the clerk of the business.
    city.goto(f"{live_city}/desk/sms/new?event={ENROLMENT_REGISTERED}&region=310101")
    write_sms(city, phone=PARENT, child="张小宝")
    until(lambda: any("张小宝" in text for text in gateway.journal.texts(PARENT)))

    # What became of both stands in the list, numbers hidden; a whole number is shown to those who may, and written down.
    until(lambda: not on_its_way(begun))
    ended = Delivery.objects.filter(made_at__gte=begun).order_by("made_at")
    assert [(one.event, one.state) for one in ended] == [
        (FACILITY_STATUS, "delivered"),
        (ENROLMENT_REGISTERED, "delivered"),
    ]
    city.goto(f"{live_city}/desk/sms?event={FACILITY_STATUS}")
    assert faults_of(city) == []
    first = city.locator("tbody tr").first
    assert "138****0022" in first.inner_text()
    assert "已送达" in first.inner_text()
    assert HEAD not in city.content()
    first.get_by_role("link").click()
    assert "回执：已送达" in city.locator(".timeline").inner_text()
    city.get_by_role("button", name="查看完整号码").click()
    city.get_by_text(HEAD).wait_for()
    assert AuditEntry.objects.filter(act="phone_revealed", actor="shi").exists()
    city.goto(f"{live_city}/desk/sms")
    city.get_by_label("按完整手机号查").fill(PARENT)
    city.get_by_role("button", name="查这个号码").click()
    city.get_by_role("heading", name="按号码查短信").wait_for()
    assert PARENT not in city.url
    assert city.locator("tbody tr").count() >= 1


@pytest.mark.covers("ELD-BPL-18", via="services.kernel.messages.notices.actions:publish_notice")
def test_a_notice_is_written_changed_and_published(open_page: Any, live_city: str) -> None:
    page = open_page(1440, 900)
    sign_in(page, live_city, "shi", "/desk/notices")
    page.get_by_role("link", name="写公告").click()
    page.get_by_label("标题").fill("系统升级通知")
    page.get_by_label("正文").fill("# 时间\n周六 **20:00** 起停机。\n- 请提前保存\n<script>alert(1)</script>")
    page.get_by_label("对公众公开，不登录也能在“通知公告”里看到").check()
    assert faults_of(page) == []
    page.get_by_role("button", name="存为草稿").click()
    page.get_by_text("已存为草稿").wait_for()
    assert "系统升级通知" not in Client().get("/notices").content.decode()

    page.get_by_role("link", name="编辑").click()
    page.get_by_label("标题").fill("系统升级通知（更正）")
    page.get_by_role("button", name="保存修改").click()
    page.get_by_role("button", name="发布").click()
    page.get_by_text("已发布。").wait_for()
    assert faults_of(page) == []

    anyone = open_page(390, 844, has_touch=True)
    anyone.goto(f"{live_city}/notices")
    anyone.get_by_role("link", name="系统升级通知（更正）").click()
    assert anyone.locator(".rich strong").inner_text() == "20:00"
    assert "<script>alert(1)</script>" in anyone.locator(".rich").inner_text()
    assert faults_of(anyone) == []
    clerk = open_page(390, 844)
    sign_in(clerk, live_city, "jiezhen", "/desk/notices")
    assert clerk.get_by_role("link", name="系统升级通知（更正）").is_visible()
    assert faults_of(clerk) == []

    page.get_by_role("link", name="编辑").click()
    page.get_by_label("正文").fill("改到周日。")
    page.get_by_role("button", name="保存修改").click()
    page.get_by_text("已保存修改。").wait_for()
    assert "改到周日" in Client().get(anyone.url.removeprefix(live_city)).content.decode()
    page.get_by_role("button", name="撤回").click()
    page.get_by_text("已撤回，读者不再看到").wait_for()
    assert "系统升级通知" not in Client().get("/notices").content.decode()


@pytest.fixture
def manual(tmp_path: Path) -> Path:
    path = tmp_path / "养老服务补贴申请指南.txt"
    path.write_text("申请人年满六十周岁，向街道社区事务受理中心提出。评估等级二级以上可享受服务券。", encoding="utf-8")
    return path


def plain(path: Path) -> bytes:
    with open_file(path) as content:
        return content.read()


def add_knowledge(page: Any, live_city: str, title: str, body: str, file: Path | None = None) -> None:
    page.goto(f"{live_city}/desk/knowledge")
    page.get_by_role("link", name="新增知识").click()
    page.get_by_label("标题").fill(title)
    page.get_by_label("分类").select_option("process")
    page.get_by_label("正文").fill(body)
    if file:
        page.get_by_label("文件").set_input_files(str(file))
    page.get_by_role("button", name="保存").click()
    page.get_by_text("已保存。").wait_for()


@pytest.mark.covers("ELD-BPL-20", via="services.kernel.messages.knowledge.files:keep_file")
def test_a_file_of_knowledge_is_made_and_kept_on_the_server(
    open_page: Any, live_city: str, manual: Path, tmp_path: Path
) -> None:
    page = open_page(1440, 900)
    sign_in(page, live_city, "jiezhen", "/desk/knowledge")
    page.get_by_role("link", name="新增知识").click()
    page.get_by_role("heading", name="新增知识").wait_for()
    assert faults_of(page) == []
    add_knowledge(page, live_city, "补贴申请", "", manual)
    assert manual.name in page.locator("main").inner_text()
    kept = [
        path for path in (Path(house.MEDIA_ROOT) / "knowledge").rglob("*.txt") if plain(path) == manual.read_bytes()
    ]
    assert kept
    assert manual.read_bytes() not in kept[0].read_bytes()  # it lies sealed
    with page.expect_download() as got:
        page.get_by_role("link", name="下载").click()
    assert got.value.suggested_filename == manual.name
    assert Path(got.value.path()).read_bytes() == manual.read_bytes()

    # what is not what its name says is refused, and what was typed is still there
    false = tmp_path / "不是.pdf"
    false.write_bytes(b"<html>")
    page.goto(f"{live_city}/desk/knowledge/new")
    page.get_by_label("标题").fill("假文件")
    page.get_by_label("文件").set_input_files(str(false))
    page.get_by_role("button", name="保存").click()
    assert "文件内容不是 pdf" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("标题").input_value() == "假文件"


@pytest.mark.covers("ELD-BPL-21", via="services.kernel.messages.knowledge.queries:knowledge_pages")
def test_knowledge_is_listed_found_added_changed_seen_and_deleted(open_page: Any, live_city: str, manual: Path) -> None:
    page = open_page(390, 844, has_touch=True)
    sign_in(page, live_city, "jiezhen", "/desk/knowledge")
    add_knowledge(page, live_city, "长者食堂办证流程", "先备案，再核查。", manual)
    page.goto(f"{live_city}/desk/knowledge?category=process")
    page.get_by_role("link", name="长者食堂办证流程").click()
    assert "先备案，再核查。" in page.locator("article").inner_text()
    assert faults_of(page) == []
    page.get_by_role("link", name="编辑").click()
    page.get_by_label("标题").fill("长者食堂开办流程")
    page.get_by_role("button", name="保存").click()
    page.get_by_text("已保存。").wait_for()
    page.goto(f"{live_city}/desk/knowledge?q=开办")
    assert page.locator(".message").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("link", name="长者食堂开办流程").click()
    page.get_by_role("button", name="删除").click()
    page.get_by_text("已删除“长者食堂开办流程”").wait_for()
    page.goto(f"{live_city}/desk/knowledge?q=开办")
    assert "没有找到" in page.locator("main").inner_text()
    page.goto(f"{live_city}/desk/knowledge?show=deleted")
    page.get_by_role("link", name="长者食堂开办流程").click()
    page.get_by_role("button", name="恢复").click()
    page.get_by_text("已恢复").wait_for()
    page.goto(f"{live_city}/desk/knowledge?q=开办")
    assert page.locator(".message").count() == 1


@pytest.mark.covers("ELD-BPL-22", via="services.kernel.messages.knowledge.words:as_query")
def test_files_are_found_by_the_words_that_were_typed(open_page: Any, live_city: str, manual: Path) -> None:
    page = open_page(1440, 900)
    sign_in(page, live_city, "jiezhen", "/desk/knowledge")
    add_knowledge(page, live_city, "补贴怎么领", "见附件。", manual)
    add_knowledge(page, live_city, "服务券使用说明", "每月发放。")
    for words, found in (
        ("服务券", ["服务券使用说明", "补贴怎么领"]),  # a title before a file's text
        ("社区事务受理中心", ["补贴怎么领"]),
        ("六十周岁 评估", ["补贴怎么领"]),
        ("申请指南", ["补贴怎么领"]),
        ("周岁六十", []),
        ("不存在的词", []),
    ):
        page.goto(f"{live_city}/desk/knowledge")
        page.get_by_label("关键词").fill(words)
        page.get_by_role("button", name="检索").click()
        page.wait_for_url("**/desk/knowledge?q=**")
        titles = [title.strip() for title in page.locator(".message h2").all_inner_texts()]
        assert [title for title in titles if title in ("补贴怎么领", "服务券使用说明")] == found, words
        if found:
            assert page.locator("mark").count() > 0
    page.goto(f"{live_city}/desk/knowledge?q=受理中心")
    assert page.locator("mark").first.inner_text() == "受理中心"
    assert faults_of(page) == []


PAGES = ("/desk/messages", "/desk/sms", "/desk/sms/new", "/desk/message-settings", f"/desk/message-settings/{ENROLMENT_REGISTERED}/sms",
         "/desk/notices", "/desk/notices/new", "/desk/knowledge", "/desk/knowledge/new", "/notices")  # fmt: skip


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_all_pages_are_for_everybody(open_page: Any, live_city: str, dark: bool) -> None:
    page = open_page(390, 844, color_scheme="dark" if dark else "light", has_touch=True)
    sign_in(page, live_city, "shi", "/desk/messages")
    found = {}
    for path in PAGES:
        page.goto(f"{live_city}{path}")
        wide = page.evaluate("document.documentElement.scrollWidth")
        if faults := [*faults_of(page), *([f"{wide} px wide"] if wide > 390 else [])]:
            found[path] = faults
    assert found == {}


def test_notices_in_the_large_form(open_page: Any, live_city: str) -> None:
    page = open_page(390, 844)
    page.context.add_cookies([{"name": "elder", "value": "1", "url": live_city}])
    page.goto(f"{live_city}/notices")
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
