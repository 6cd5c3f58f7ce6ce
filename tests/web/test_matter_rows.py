"""The rows of the catalogue about matters and what stands behind their cases, each proven through the pages its people use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from services.access.models import AuditEntry
from services.integrations.progress.simulator import Simulator
from services.kernel.documents.models import Attachment
from services.kernel.forms.models import FormVersion, Submission
from services.kernel.messages.actions import keep_phone
from services.kernel.messages.delivering import deliver_due
from services.kernel.messages.models import Message
from services.kernel.rules.models import RuleVersion
from services.kernel.rules.queries import sheet_kept
from services.kernel.workflow.feedback import deliver_feedback
from services.kernel.workflow.models import (
    Case,
    CatalogueEntry,
    Feedback,
    MatterTemplate,
    PoolMember,
    ReviewSetting,
    Task,
)
from tests.services.kernel.messages.conftest import simulator
from tests.services.kernel.workflow.conftest import DISTRICT, MONDAY, World, clock, code_of, world
from tests.web.test_case_rows import set_step
from tests.web.test_cases import ANSWERS, apply, begin, client, do, hand_in, text
from tests.web.test_flows import PAGE

__all__ = ["clock", "simulator", "world"]
SECRET = "a-secret-for-tests"


@pytest.fixture
def one_stop(settings: Any) -> Iterator[Simulator]:
    """Connect the house to a source of cases over HTTP."""
    cache.clear()
    with Simulator(app="quantu", secret=SECRET) as running:
        settings.PROGRESS = {"one_stop": {"url": running.url, "app": "quantu", "secret": SECRET}}
        settings.INSIDE_HOSTS, settings.PROGRESS_TIMEOUT_S = ["127.0.0.1"], 10
        yield running


def set_route(world: World, route: str, **more: Any) -> None:
    form = {
        "region": code_of(DISTRICT),
        "route": route,
        "category": "社区服务",
        "source": ["online", "window", "one_stop"],
    }
    assert client(world.qu).post(f"{PAGE}/set", form | more).status_code == 302


def write_rules(world: World, key: str, *lines: dict[str, str]) -> None:
    """Write and publish a table of the city on the page; cells by the key of their column."""
    page = client(world.shi)
    at = page.post(f"/desk/rules/{key}/draft", {"region": "310000"})["Location"]
    draft = RuleVersion.objects.get(rule_set=key)
    for number, line in enumerate(lines):
        page.post(at, {"seen": str(draft.revision), "act": f"row-add:{number}"})
        draft.refresh_from_db()
        sheet = sheet_kept(draft)
        cells = {f"t{at}": line.get(column, "-") for at, column in enumerate(sheet.asks)}
        cells |= {f"g{at}": line.get(column, "") for at, column in enumerate(sheet.gives)}
        row = {"line": sheet.lines[number].key, "note": "", "seen": str(draft.revision)} | cells
        assert page.post(at, row | {"act": "check"}).status_code == 302
        draft.refresh_from_db()
    form = {"act": "publish", "seen": draft.revision, "from_day": "2026-05-11", "reason": "审核", "accept": "1"}
    assert page.post(at, form).status_code == 302


@pytest.mark.covers("ELD-GOV-07", via="services.kernel.workflow.reviewing:review_case")
def test_rules_of_the_smart_review_are_set_for_all_and_for_each_matter(world: World) -> None:
    # truth, for applications of every matter; eligibility, for this one
    write_rules(world, "review.truth", {"age": "> 30", "verdict": "check", "reason": "请核对本人证件"})
    write_rules(
        world, "review.eligible.service_point", {"area": "> 1000", "verdict": "check", "reason": "面积大，请核对"}
    )
    # the fields that are checked, the matters that it depends on, and those that exclude it
    asked = {"region": code_of(DISTRICT), "kinds": ["truth", "complete", "eligible"], "fields": ["point_note", "SQ-FC-001"],
             "excludes": ["service_point"], "on_fail": "mark"}  # fmt: skip
    assert "已保存" in text(client(world.qu).post(f"{PAGE}/review", asked, follow=True))
    page = text(client(world.qu).get(f"{PAGE}?region={code_of(DISTRICT)}"))
    assert 'value="SQ-FC-001" checked' in page

    case = apply(world, area="1200")
    assert (case.state, case.review) == ("open", "fail")  # marked for the clerk, never refused
    shown = text(client(world.wang).get(f"/desk/cases/{case.uid}")).split('id="review"')[1].split("</section>")[0]
    for said in ("“补充说明”没有提供", "没有提供", "面积大，请核对", "没有在办件", "规则第 1 版第 1 行", "怎么得出的"):
        assert said in shown
    assert "请核对本人证件（规则第 1 版第 1 行）" in shown  # truth, of whoever applies for whatever
    assert case.number in text(client(world.wang).get("/desk/ledgers/cases?f.review=fail"))
    # who has one running may not have another at once; what was written once is there
    again = apply(world, title="另一个点", area="60", note="楼下是幼儿园")
    shown = text(client(world.wang).get(f"/desk/cases/{again.uid}"))
    assert f"有在办件 {case.number}" in shown
    assert "“补充说明”已提供" in shown
    assert "面积大" not in shown
    # the same case is found again by the identity number where nobody has an account
    window = apply(world, by=world.wang, title="代办的点", at="window", source="window")
    assert "有在办件" in text(client(world.wang).get(f"/desk/cases/{window.uid}"))
    # a region that sets nothing makes all reviews; one that sets only completeness makes only that
    client(world.qu).post(
        f"{PAGE}/review",
        {"region": code_of(DISTRICT), "kinds": ["complete"], "fields": ["point_note"], "on_fail": "mark"},
    )
    calm = apply(world, title="第四个点", area="3000", note="有")
    assert calm.review == "pass"
    assert ReviewSetting.objects.get().kinds == ["complete"]
    # what this matter depends on: another one that must have been approved before
    depends = {"region": code_of(DISTRICT), "kinds": ["eligible"], "requires": ["adviser_site_new"], "on_fail": "mark"}
    client(world.qu).post(f"{PAGE}/review", depends)
    early = apply(world, title="第五个点", area="60")
    assert early.review == "fail"
    assert "还没有通过" in text(client(world.wang).get(f"/desk/cases/{early.uid}"))
    Case.objects.filter(pk=case.pk).update(matter="adviser_site_new", state="approved", closed_at=timezone.now())
    later = apply(world, title="第六个点", area="60")
    assert later.review == "pass"
    shown = text(client(world.wang).get(f"/desk/cases/{later.uid}"))
    assert f"找到 {case.number}" in shown


def test_what_is_incomplete_goes_back_by_itself_where_that_is_set(world: World) -> None:
    form = {"region": code_of(DISTRICT), "kinds": ["complete"], "fields": ["point_note"], "on_fail": "supplement"}
    client(world.qu).post(f"{PAGE}/review", form)
    case = apply(world)
    assert case.state == "supplement"
    mine = text(client(world.zhang).get(f"/my/cases/{case.uid}"))
    assert "“补充说明”没有提供" in mine
    row = Submission.objects.get(pk=case.submission)
    answer = hand_in(client(world.zhang), f"/forms/fill/{row.pk}", point_note="补上")
    assert answer.status_code == 200
    case.refresh_from_db()
    assert (case.state, case.review) == ("open", "pass")
    assert case.reviews.count() == 2


@pytest.mark.covers("ELD-GOV-08", via="services.kernel.workflow.feedback:deliver_feedback")
def test_a_case_of_one_stop_is_reviewed_and_its_progress_and_result_fed_back(world: World, one_stop: Simulator) -> None:
    case = apply(world, by=world.wang, at="window", source="one_stop", source_number="YWTB-0001")
    page = text(client(world.wang).get(f"/desk/cases/{case.uid}"))
    for said in ("YWTB-0001", "复兴东路 1 号", "138****0000", "材料和文书", "意见"):
        assert said in page  # what was applied for and its papers, with the identity in part
    assert "310101199001010012" not in page
    do(world.wang, case, "decide", outcome="refuse", opinion="不在规划内")
    assert case.state == "refused"
    deliver_feedback()
    told = one_stop.journal.of(case.number)
    assert [(each.state.value, each.source_number) for each in told] == [
        ("accepted", "YWTB-0001"), ("handling", "YWTB-0001"), ("refused", "YWTB-0001"),
    ]  # fmt: skip
    assert told[1].opinion == "不在规划内"
    page = text(client(world.wang).get(f"/desk/cases/{case.uid}"))
    assert page.count("已反馈") == 3
    # a case of the net is nobody else's business
    apply(world)
    assert Feedback.objects.exclude(case=case).count() == 0


@pytest.mark.covers("ELD-GOV-11", via="services.kernel.workflow.sending_back:send_back")
def test_a_notice_of_what_is_to_be_mended_goes_out_by_every_channel(
    world: World, one_stop: Simulator, simulator: Any
) -> None:
    keep_phone(user=world.zhang, phone="13812345678")
    online = apply(world)
    asked = {"item": ["area", "SQ-FC-001"], "items": "平面图原件", "opinion": "面积与合同不符"}
    do(world.wang, online, "ask_supplement", **asked)  # type: ignore[arg-type]
    assert online.needed["items"] == ["面积（平方米）", "房屋租赁合同或产权证明", "平面图原件"]
    # who applied by themselves: in the app, by short message, and on paper
    message = Message.objects.get(recipient=world.zhang, body__contains="需要补正")
    for said in ("面积（平方米）", "房屋租赁合同", "平面图原件", "面积与合同不符"):
        assert said in message.body
    deliver_due()
    (sms,) = simulator.journal.texts("13812345678")
    assert "平面图原件" in sms
    assert "面积与合同不符" in sms
    notice = Attachment.objects.get(owner_kind="cases", owner_id=str(online.uid))
    assert notice.name.startswith("材料补正通知书")
    sheet = client(world.zhang).get(f"/files/{notice.pk}/content")
    assert b"".join(sheet.streaming_content if sheet.streaming else [sheet.content])[:5] == b"%PDF-"
    # of the window and of 一网通办: the clerk who took it in is told, and the source is
    window = apply(world, by=world.li, title="转来的点", at="window", source="one_stop", source_number="YWTB-2")
    do(world.wang, window, "ask_supplement", item="area", opinion="面积不清")
    clerk = Message.objects.get(recipient=world.li, body__contains="请打印补正通知书")
    assert window.number in clerk.body
    deliver_feedback()
    last = one_stop.journal.of(window.number)[-1]
    assert (last.state.value, last.needed, last.opinion) == ("supplement", ["面积（平方米）"], "面积不清")


def test_only_what_was_ticked_may_be_changed_and_what_was_handed_in_stays_readable(world: World) -> None:
    case = apply(world)
    do(world.wang, case, "ask_supplement", item="area", opinion="面积不对")
    due = Task.objects.get(case=case).due_at
    row = Submission.objects.get(pk=case.submission)
    assert row.asked[0] == "area"
    assert "去补正" in text(client(world.zhang).get(f"/my/cases/{case.uid}"))
    page = client(world.zhang)
    answer = hand_in(page, f"/forms/fill/{row.pk}", area="300", point_address="别处 2 号")
    assert "已提交，办件编号" in text(answer)
    case.refresh_from_db()
    assert (case.state, case.facts["area"]) == ("open", 300)
    assert Task.objects.get(case=case).due_at == due
    shown = text(client(world.wang).get(f"/desk/cases/{case.uid}?round=1"))
    now, before = shown.split('id="rounds"')
    assert "300" in now
    assert "别处 2 号" not in shown
    assert "<dd>50" in before
    # once more is refused by name, and a double click on the last page leads to the case
    assert page.post(f"/forms/fill/{row.pk}/preview", {"seen": "1"})["Location"] == f"/forms/fill/{row.pk}"
    assert page.get(f"/forms/fill/{row.pk}")["Location"] == f"/my/cases/{case.uid}"
    assert Case.objects.count() == 1
    assert case.events.filter(act="supplement").count() == 1
    do(world.wang, case, "decide", outcome="approve")
    assert Task.objects.filter(case=case, step="site", state="open").exists()  # 300 square metres: somebody goes there


def test_what_came_to_the_window_closes_the_form_as_it_was_handed_in(world: World) -> None:
    case = apply(world)
    do(world.wang, case, "ask_supplement", item="area", opinion="面积不对")
    row = Submission.objects.get(pk=case.submission)
    client(world.zhang).post(f"/forms/fill/{row.pk}", ANSWERS | {"area": "999", "seen": row.version, "act": "save"})
    do(world.wang, case, "supplement", opinion="带来了平面图，面积 50 平方米无误")
    row.refresh_from_db()
    assert (case.state, row.state, row.answers["area"]) == ("open", "submitted", "50")
    assert client(world.zhang).get(f"/forms/fill/{row.pk}").status_code == 302


@pytest.mark.covers("ELD-GOV-15", via="services.kernel.workflow.setting_aside:delete_case")
def test_clerks_follow_their_cases_and_take_back_return_and_delete(world: World) -> None:
    wrong = apply(world, by=world.wang, title="登记错了", at="window", source="window")
    mine = apply(world, title="跟踪的点")
    do(world.wang, mine, "claim")
    inbox = text(client(world.wang).get("/desk/cases?box=mine"))
    assert "登记错了" in inbox
    assert "跟踪的点" in inbox
    # taken back while nobody opened it, and sent back by the next
    do(world.wang, mine, "decide", outcome="approve", opinion="好")
    do(world.wang, mine, "take_back")
    assert mine.step_names == "街镇审核"
    do(world.wang, mine, "decide", outcome="approve", opinion="好")
    do(world.qu, mine, "return", step="street", opinion="回街镇")
    assert mine.step_names == "街镇审核"
    # deleted with a reason: gone from every list, kept, written down, and brought back
    assert do(world.wang, wrong, "delete", opinion="").status_code == 400
    assert do(world.li, wrong, "delete", opinion="不是我登记的").status_code == 403
    do(world.wang, wrong, "delete", opinion="同一件登记了两次")
    assert wrong.state == "deleted"
    for path in ("/desk/cases", "/desk/cases?box=mine", "/desk/ledgers/cases"):
        assert "登记错了" not in text(client(world.wang).get(path))
    assert client(world.li).get(f"/desk/cases/{wrong.uid}").status_code == 404
    entry = AuditEntry.objects.get(act="case_deleted")
    assert (entry.actor, entry.detail["reason"]) == ("wang", "同一件登记了两次")
    assert "登记错了" in text(client(world.wang).get("/desk/cases?box=deleted"))
    do(world.wang, wrong, "restore", opinion="没有重复")
    assert (wrong.state, wrong.step_names) == ("open", "街镇审核")
    assert "登记错了" in text(client(world.wang).get("/desk/cases"))
    # what people applied for by themselves, and what was decided, is not deleted
    assert do(world.wang, mine, "delete", opinion="x").status_code in (403, 409)
    do(world.wang, wrong, "decide", outcome="approve")
    assert do(world.wang, wrong, "delete", opinion="x").status_code == 409


TEMPLATE = {
    "seen": "0", "code": "310119-FW-001", "name": "社区服务点登记", "matter": "service_point", "kind": "confirm",
    "authority": "街道办事处", "audience": "body", "basis": "《社区服务规定》", "conditions": "有固定场地", "legal_days": "30",
    "promise_days": "15", "fee": "", "phone": "021-12345", "active": "1", "note": "新建",
}  # fmt: skip


@pytest.mark.covers("ELD-GOV-24", via="services.kernel.workflow.cataloguing:save_template")
def test_templates_of_matters_are_kept_by_the_city_in_versions(world: World) -> None:
    new = "/desk/matters/templates/new"
    assert client(world.qu).post(new, TEMPLATE).status_code == 403
    assert "已保存第 1 版" in text(client(world.shi).post(new, TEMPLATE, follow=True))
    at = "/desk/matters/templates/310119-FW-001"
    page = text(client(world.qu).get(at))  # districts read it
    for said in ("行政确认", "街道办事处", "有固定场地", "《社区服务规定》", 'value="15"', "不收费"):
        assert said in page
    changed = TEMPLATE | {"seen": "1", "promise_days": "10", "note": "缩短时限"}
    assert "已保存第 2 版" in text(client(world.shi).post(at, changed, follow=True))
    page = text(client(world.shi).get(at))
    assert 'value="10"' in page.split("以前的版本")[0]
    assert "<dd>15</dd>" in page.split("以前的版本")[1]
    assert client(world.shi).post(at, changed).status_code == 409  # somebody was faster
    assert client(world.shi).post(at, TEMPLATE | {"seen": "2", "promise_days": "31"}).status_code == 400
    assert MatterTemplate.objects.get().version == 2
    # one ledger, found and exported; residents read what it says
    assert "310119-FW-001" in text(client(world.shi).get("/desk/ledgers/matter-templates?f.kind=confirm"))
    mine = text(client(world.zhang).get("/my/cases"))
    assert "有固定场地" in mine
    assert "承诺 10 个工作日办结" in mine


@pytest.mark.covers("ELD-GOV-25", via="services.kernel.workflow.cataloguing:set_entry")
def test_the_catalogue_is_kept_and_what_it_takes_off_is_not_taken_in(world: World) -> None:
    client(world.shi).post("/desk/matters/templates/new", TEMPLATE)
    at = "/desk/matters/catalogue"
    line = {"region": "310000", "code": "310119-FW-001", "heading": "社区服务", "position": "3", "offered": "1"}
    assert "目录已更新" in text(client(world.shi).post(at, line, follow=True))
    page = text(client(world.qu).get(f"{at}?region={code_of(DISTRICT)}"))
    assert "社区服务点登记" in page
    assert "沿用上级" in page
    # a district takes it off for itself: nobody may apply there, and the others may
    own = line | {"region": code_of(DISTRICT), "offered": "", "heading": "停办事项"}
    assert "停办" in text(client(world.qu).post(at, own, follow=True))
    refused = begin(client(world.zhang))
    assert refused.status_code == 409
    assert "目录里已停办" in text(refused)
    assert client(world.qu).post(at, line).status_code == 403  # the city's lines are the city's
    client(world.qu).post(at, own | {"act": "drop"})
    assert begin(client(world.zhang)).status_code == 302
    # taken off by the city it disappears for residents
    client(world.shi).post(at, line | {"offered": ""})
    assert "社区服务点登记" not in text(client(world.zhang).get("/my/cases")).split('id="offered"')[1]
    assert CatalogueEntry.objects.get().version == 2
    assert '<span class="tag bad">停办</span>' in text(client(world.shi).get(at))
    assert "310119-FW-001" in text(client(world.shi).get("/desk/ledgers/matter-catalogue"))


@pytest.mark.covers("ELD-GOV-28", via="services.kernel.workflow.configuring:set_step")
def test_each_step_has_its_own_screen(world: World) -> None:
    case = apply(world, area="200")
    whole = text(client(world.wang).get(f"/desk/cases/{case.uid}"))
    assert "复兴东路 1 号" in whole
    assert "负责人姓名" in whole
    assert "材料和文书" in whole
    set_step(world, interface="1", screens=["form", "opinions"], sections=["服务点"], fills=["site_area"])
    narrow = text(client(world.wang).get(f"/desk/cases/{case.uid}"))
    assert "复兴东路 1 号" in narrow
    assert "负责人姓名" not in narrow  # another section
    assert "材料和文书" not in narrow  # another screen
    assert "现场测量面积" in narrow  # what the step fills in itself
    assert "负责人姓名" in text(client(world.qu).get(f"/desk/cases/{case.uid}"))  # the district's screen is its own
    wrong = do(world.wang, case, "decide", outcome="approve", fill_site_area="很大")
    assert wrong.status_code == 400
    assert "要填数字" in text(wrong)
    do(world.wang, case, "decide", outcome="approve", fill_site_area="198.5")
    page = text(client(world.qu).get(f"/desk/cases/{case.uid}"))
    assert "198.5" in page.split('id="filled"')[1].split("</section>")[0]
    assert set_step(world, interface="1", fills=["contact_phone"]).status_code == 400


@pytest.mark.covers("ELD-GOV-35", via="services.kernel.workflow.papers:set_papers")
def test_the_papers_of_all_matters_are_configured_in_one_place(world: World) -> None:
    at = "/desk/matters/papers"
    page = text(client(world.qu).get(f"{at}?region={code_of(DISTRICT)}"))
    assert "社区服务点登记" in page
    assert "房屋租赁合同或产权证明" in page
    form = {"region": code_of(DISTRICT), "matter": "service_point", "entry": "all", "paper-SQ-FC-001": "must",
            "paper-SF-NONE": ""}  # fmt: skip
    assert "已保存" in text(client(world.qu).post(at, form, follow=True))
    version = FormVersion.objects.get(
        form="service-point", region__versions__code=code_of(DISTRICT), region__versions__edition__state="published"
    )
    assert version.state == "published"
    page = client(world.zhang)
    begun = begin(page)["Location"]
    fill = text(page.get(begun))
    assert "至少 1 个" in fill
    assert "场地平面图" not in fill
    refused = hand_in(page, begun)
    assert "请上传“房屋租赁合同或产权证明”" in text(refused)
    assert Case.objects.count() == 0
    assert client(world.wang).get(at).status_code == 403


@pytest.mark.covers("ELD-GOV-36", via="services.kernel.workflow.turning:advance")
def test_the_mode_decides_how_a_case_is_handled(world: World, clock: Any) -> None:
    # 即办件: taken in by a clerk it is theirs at once, due today, and over with the first decision
    set_route(world, "instant")
    case = apply(world, by=world.wang, at="window", source="window")
    task = Task.objects.get(case=case)
    assert (case.route, task.assignee) == ("instant", world.wang)
    assert "今天到期" in text(client(world.wang).get(f"/desk/cases/{case.uid}"))
    do(world.wang, case, "decide", outcome="approve")
    assert case.state == "approved"
    refused = apply(world)
    do(world.wang, refused, "decide", outcome="refuse", opinion="不符")
    assert refused.state == "refused"
    # 承诺件: no step is due later than what was promised, which stands with 补正
    set_route(world, "promise", promise="2")
    promised = apply(world)
    assert "5月13日前办结" in text(client(world.zhang).get(f"/my/cases/{promised.uid}"))
    assert "还有 2 个工作日" in text(client(world.wang).get(f"/desk/cases/{promised.uid}"))
    do(world.wang, promised, "ask_supplement", items="合同", opinion="缺")
    clock(MONDAY + dt.timedelta(days=1))
    do(world.zhang, promised, "supplement", door="my")
    assert "5月14日前办结" in text(client(world.zhang).get(f"/my/cases/{promised.uid}"))
    # 上报件: what those below come to goes up to the city, which decides
    set_route(world, "report")
    reported = apply(world)
    do(world.wang, reported, "decide", outcome="refuse", opinion="初审不符")
    assert (reported.state, reported.step_names) == ("open", "上报市级决定")
    assert reported.title in text(client(world.shi).get("/desk/cases"))
    do(world.shi, reported, "decide", outcome="approve", opinion="准予登记")
    assert reported.state == "approved"
    # 流转件: step by step
    set_route(world, "flow")
    plain = apply(world)
    do(world.wang, plain, "decide", outcome="approve")
    assert plain.step_names == "资料复核"


def members(world: World, *, act: str, follow: bool = True, who: Any = None, **more: Any) -> Any:
    return client(who or world.qu).post(
        "/desk/cases/pools", {"region": code_of(DISTRICT), "act": act} | more, follow=follow
    )


@pytest.mark.covers("ELD-GOV-38", via="services.kernel.workflow.pooling:take_in")
def test_a_district_has_its_pool_and_takes_its_handlers_in(world: World) -> None:
    page = text(client(world.qu).get("/desk/cases/pools"))
    assert "黄浦区资源池" in page
    assert f'value="{world.li.pk}"' in page
    assert "li已进资源池" in text(members(world, act="add", user=world.li.pk))
    assert PoolMember.objects.get().region_id == Case.objects.model._meta.get_field("region").related_model.objects.get(
        versions__code=code_of(DISTRICT), versions__edition__state="published"
    ).pk  # fmt: skip
    assert members(world, act="add", user=world.zhang.pk).status_code == 400  # handles nothing there
    assert members(world, act="add", user=world.other.pk).status_code == 400  # handles elsewhere
    assert client(world.wang).get("/desk/cases/pools").status_code == 403
    assert "li" in text(client(world.qu).get("/desk/ledgers/pool-members"))
    # the work of the district goes to those of its pool
    set_step(world, dispatch="rule")
    assert {Task.objects.get(case=apply(world)).assignee for _ in range(2)} == {world.li}
    set_step(world)
    case = apply(world, title="抢单的点")
    assert case.title in text(client(world.li).get("/desk/cases?pool=pool"))
    assert case.title not in text(client(world.wang).get("/desk/cases?pool=pool"))
    assert do(world.wang, case, "claim").status_code == 403


@pytest.mark.covers("ELD-GOV-39", via="services.kernel.workflow.pooling:set_member")
def test_the_district_keeps_who_handles_which_matters(world: World) -> None:
    members(world, act="add", user=world.li.pk, matters=["service_point"])
    members(world, act="add", user=world.wang.pk)
    set_step(world, dispatch="rule")
    assert {Task.objects.get(case=apply(world)).assignee for _ in range(2)} == {world.li, world.wang}
    row = PoolMember.objects.get(user=world.wang)
    assert "已保存" in text(members(world, act="set", member=row.pk, paused="1", note="借调"))
    assert Task.objects.get(case=apply(world)).assignee == world.li
    assert "暂停派单" in text(client(world.qu).get("/desk/cases/pools"))
    members(world, act="set", member=row.pk, note="回来了")
    members(world, act="out", member=PoolMember.objects.get(user=world.li).pk)
    assert Task.objects.get(case=apply(world)).assignee == world.wang
    assert members(world, act="out", member=row.pk, who=world.other).status_code in (403, 404)
    assert members(world, act="set", member=row.pk, matters=["none"]).status_code == 400
