"""The rows of the catalogue about cases, each proven through the pages that its people use."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from services.kernel.messages.models import Message
from services.kernel.workflow.cards import light_cards
from services.kernel.workflow.models import MatterSetting, Task
from tests.services.kernel.workflow.conftest import DISTRICT, MONDAY, STREET, World, clock, code_of, world
from tests.web.test_cases import apply, client, do, text
from tests.web.test_flows import PAGE, upload

__all__ = ["clock", "world"]


def set_step(world: World, step: str = "street", **more: Any) -> Any:
    form = {
        "region": code_of(DISTRICT),
        "days": "5",
        "remind": "1",
        "dispatch": "grab",
        "mode": "one",
        "post": "",
        "notice": ["arrived"],
    }
    return client(world.qu).post(f"{PAGE}/steps/{step}", form | more, follow=True)


@pytest.mark.covers("ELD-GOV-14", via="services.kernel.workflow.queries:inbox")
def test_what_waits_is_found(world: World) -> None:
    first, second = apply(world, title="甲点"), apply(world, title="乙点")
    do(world.wang, first, "decide", outcome="approve", opinion="好")
    page = client(world.wang)
    waiting = text(page.get("/desk/cases"))
    assert "乙点" in waiting
    assert "甲点" not in waiting
    assert "乙点" in text(page.get(f"/desk/cases?q={second.number}&matter=service_point&sort=new&pool=pool"))
    assert "没有符合这些条件的办件" in text(page.get("/desk/cases?q=丙点"))
    assert "甲点" in text(client(world.qu).get("/desk/cases"))


@pytest.mark.covers("ELD-GOV-16", "ELD-GOV-17", via="services.kernel.workflow.queries:case_seen")
def test_progress_and_the_trail_of_a_case(world: World) -> None:
    case = apply(world)
    do(world.wang, case, "claim")
    page = text(client(world.qu).get(f"/desk/cases/{case.uid}"))
    now = page.split('id="now"')[1].split("</section>")[0]
    assert "街镇审核" in now
    assert "wang" in now
    assert "还有 5 个工作日" in now
    do(world.wang, case, "decide", outcome="approve", opinion="材料齐全")
    do(world.qu, case, "return", step="street", opinion="地址不对")
    trail = text(client(world.qu).get(f"/desk/cases/{case.uid}")).split('id="trail"')[1].split("</section>")[0]
    told = [
        trail.index(said) for said in ("退回到“街镇审核”", "街镇审核：通过", "wang签收", "网上申请：社区服务点登记")
    ]
    assert told == sorted(told)  # each act a line, the newest first
    assert "材料齐全" in trail
    assert "2026年5月11日 10:00" in trail
    mine = text(client(world.zhang).get(f"/my/cases/{case.uid}"))
    assert "正在“街镇审核”" in mine


@pytest.mark.covers("ELD-GOV-09", via="services.kernel.workflow.actions:decide")
def test_reviews_in_turn_by_a_flow_of_ones_own_with_deputies_and_handing_on(world: World) -> None:
    # the district draws its own flow and publishes it
    from services.kernel.workflow.models import FlowVersion
    from tests.services.kernel.workflow.test_settings import changed

    upload(world, changed().replace("街镇审核", "街镇初审"))
    draft = FlowVersion.objects.get(made_by="quzhang")
    client(world.qu).post(f"/desk/flows/{draft.pk}/publish")
    case = apply(world, area="600")
    assert case.flow == draft
    # handed on to a colleague, who delegated: the deputy decides in their name
    do(world.wang, case, "claim")
    do(world.wang, case, "transfer", to=str(world.li.pk), opinion="片区不同")
    form = {"to": str(world.wang.pk), "matter": "service_point", "from_day": "2026-05-11", "to_day": "2026-05-12"}
    client(world.li).post("/desk/cases/deputies", form)
    do(world.wang, case, "decide", outcome="approve", opinion="初审同意")
    assert "（代li）" in text(client(world.qu).get(f"/desk/cases/{case.uid}"))
    # review, decision by the district, and by the city after it
    site = Task.objects.get(case=case, step="site", state="open").assignee
    assert site is not None
    do(site, case, "decide", outcome="approve", opinion="现场合格")
    do(world.qu, case, "decide", outcome="approve", opinion="复审同意")
    do(world.qu, case, "decide", outcome="approve", opinion="决定同意")
    assert case.step_names == "市备案"
    do(world.shi, case, "decide", outcome="approve")
    assert case.state == "approved"


@pytest.mark.covers("ELD-GOV-10", via="services.kernel.workflow.turning:begin")
def test_put_aside_extended_and_ended_early(world: World) -> None:
    case = apply(world)
    do(world.wang, case, "suspend", opinion="等规划意见")
    assert case.state == "suspended"
    page = text(client(world.wang).get(f"/desk/cases/{case.uid}"))
    assert "计时已停" in page
    do(world.wang, case, "resume", opinion="意见已到")
    before = Task.objects.get(case=case).due_at
    do(world.wang, case, "extend", days="3", opinion="申请人外出")
    after = Task.objects.get(case=case).due_at
    assert before is not None
    assert after is not None
    assert (after - before).days == 3
    do(world.wang, case, "terminate", opinion="重复申请")
    assert case.state == "terminated"
    assert "重复申请" in text(client(world.zhang).get(f"/my/cases/{case.uid}"))


@pytest.mark.covers("ELD-GOV-12", "ELD-GOV-13", via="services.kernel.workflow.supplementing:supplement")
def test_papers_are_mended_at_the_window_and_online(world: World) -> None:
    window = apply(world, by=world.wang, title="窗口件", at="window", source="window")
    online = apply(world)
    for case in (window, online):
        do(world.wang, case, "ask_supplement", items="租赁合同", opinion="缺合同")
        assert case.state == "supplement"
        # the handler enters what was brought: of a case of the window, and of one from the net whose originals were wrong
        do(world.wang, case, "supplement", opinion="窗口核对原件并换下")
        assert case.state == "open"
        assert "窗口核对原件并换下" in text(client(world.wang).get(f"/desk/cases/{case.uid}"))
    do(world.wang, online, "ask_supplement", items="平面图", opinion="图不清")
    assert "平面图" in text(client(world.zhang).get(f"/my/cases/{online.uid}"))
    do(world.zhang, online, "supplement", door="my", opinion="已重传")
    assert online.state == "open"


@pytest.mark.covers("ELD-GOV-29", "ELD-GOV-30", "ELD-GOV-31", via="services.kernel.workflow.configuring:set_step")
def test_each_step_has_its_mode_its_deadlines_and_its_post(world: World) -> None:
    set_step(world, mode="all", days="2", remind="1", post="street_clerk")
    case = apply(world)
    tasks = list(Task.objects.filter(case=case))
    assert {task.assignee for task in tasks} == {world.wang, world.li}  # both share in it
    assert {task.post for task in tasks} == {"street_clerk"}
    assert "还有 2 个工作日" in text(client(world.wang).get(f"/desk/cases/{case.uid}"))
    import datetime as dt

    assert light_cards(now=MONDAY + dt.timedelta(days=1, hours=1)) == 2  # yellow one working day before the last
    assert "黄牌" in text(client(world.wang).get("/desk/cases"))
    do(world.wang, case, "decide", outcome="approve")
    assert case.step_names == "街镇审核"
    do(world.li, case, "decide", outcome="approve")
    assert case.step_names == "资料复核"
    assert set_step(world, post="planner").status_code == 400


@pytest.mark.covers("ELD-GOV-32", via="services.kernel.workflow.configuring:set_step")
def test_messages_of_a_step_are_switched(world: World) -> None:
    set_step(world, notice=["due"])
    apply(world)
    assert not Message.objects.filter(recipient=world.wang).exists()
    set_step(world, notice=["arrived", "due"])
    case = apply(world)
    message = Message.objects.get(recipient=world.wang)
    assert case.number in message.body
    assert message.link == f"/desk/cases/{case.uid}"
    assert case.title in text(client(world.wang).get("/desk/messages"))


@pytest.mark.covers("ELD-GOV-37", "ELD-BPL-08", via="services.kernel.workflow.configuring:set_matter")
def test_sources_and_classes_of_cases_are_kept(world: World) -> None:
    form = {"region": code_of(DISTRICT), "route": "instant", "category": "为老服务", "source": ["window", "one_stop"]}
    assert "已保存" in text(client(world.qu).post(f"{PAGE}/set", form, follow=True))
    assert MatterSetting.objects.get().sources == ["window", "one_stop"]
    closed = client(world.zhang).post(
        "/my/cases/new/service_point", {"title": "甲", "region": code_of(STREET), "key": str(uuid4())}
    )
    assert "不接受网上申请" in text(closed)
    case = apply(world, by=world.wang, title="乙", at="window", source="one_stop")
    page = text(client(world.wang).get(f"/desk/cases/{case.uid}"))
    assert "为老服务，即办件" in page
    assert "一网通办" in page
    assert case.title in text(client(world.wang).get("/desk/ledgers/cases?f.route=instant&f.category=为老"))
    assert case.number not in text(client(world.wang).get("/desk/ledgers/cases?f.route=flow"))


@pytest.mark.covers("ELD-GOV-40", "ELD-GOV-43", via="services.kernel.workflow.configuring:set_step")
def test_work_is_given_out_by_rule_once_that_is_set(world: World) -> None:
    case = apply(world)
    assert Task.objects.get(case=case).assignee is None
    assert "按规则派单" in text(set_step(world, dispatch="rule"))
    cases = [apply(world) for _ in range(4)]
    whose = [Task.objects.get(case=each).assignee for each in cases]
    assert sorted(user.username for user in whose if user) == ["li", "li", "wang", "wang"]
    set_step(world, dispatch="hand")
    assert Task.objects.get(case=apply(world)).assignee is None


@pytest.mark.covers("ELD-GOV-41", via="services.kernel.workflow.dispatching:claim")
def test_work_is_grabbed_from_the_pool(world: World) -> None:
    case = apply(world)
    assert case.title in text(client(world.wang).get("/desk/cases?pool=pool"))
    assert "签收" in text(do(world.wang, case, "claim"))
    assert case.title in text(client(world.wang).get("/desk/cases?pool=own"))
    assert case.title not in text(client(world.li).get("/desk/cases"))
    assert do(world.li, case, "claim").status_code == 403


@pytest.mark.covers("ELD-GOV-42", "ELD-GOV-44", "ELD-GOV-45", via="services.kernel.workflow.dispatching:assign")
def test_dispatchers_step_in_and_find_it_in_their_log(world: World, clock: Any) -> None:
    import datetime as dt

    lonely, slow, urged = apply(world, title="没人办"), apply(world, title="办得慢"), apply(world, title="被催办")
    do(world.wang, slow, "claim")
    do(world.wang, urged, "claim")
    clock(MONDAY + dt.timedelta(days=4))
    do(world.qu, urged, "urge", opinion="群众来电")
    page = client(world.qu)
    assert lonely.title in text(page.get("/desk/cases/pool?view=unassigned"))
    assert slow.title in text(page.get("/desk/cases/pool?view=long"))
    shown = text(page.get("/desk/cases/pool?view=urged"))
    assert urged.title in shown
    assert slow.title not in shown
    for case in (lonely, slow, urged):
        task = Task.objects.get(case=case, state="open")
        page.post(
            "/desk/cases/bulk",
            {"act": "assign", "id": [task.pk], "to": world.li.pk, "key": str(uuid4()), "from": "pool"},
        )
        assert Task.objects.get(pk=task.pk).assignee == world.li
    log = text(page.get("/desk/cases/pool/log"))
    assert log.count("派给li") == 3
    assert "wang签收" in log
    assert "群众来电" in log
    found = text(page.get(f"/desk/cases/pool/log?act=assign&q={slow.number}"))
    assert found.count("派给li") == 1
    assert "签收" not in found.split("<tbody>")[1]


@pytest.mark.covers("ELD-BPL-09", "ELD-BPL-12", via="services.kernel.ledger.queries:visible")
def test_every_case_is_a_row_found_by_words_class_and_state(world: World) -> None:
    done, running = apply(world, title="办结的点"), apply(world, title="在办的点")
    do(world.wang, done, "decide", outcome="refuse", opinion="不符合")
    page = client(world.wang)
    record = text(page.get(f"/desk/ledgers/cases/{done.pk}"))
    for said in (done.number, "未通过", "社区服务", "流转件", "2026-05-11"):
        assert said in record
    for query, hit, miss in (
        ("q=办结的", done, running), ("f.state=open", running, done), ("f.state=refused&f.category=社区服务", done, running),
        (f"q={running.number}", running, done),
    ):  # fmt: skip
        shown = text(page.get(f"/desk/ledgers/cases?{query}"))
        assert hit.number in shown
        assert miss.number not in shown


@pytest.mark.covers("ELD-GOV-27", via="services.kernel.workflow.configuring:publish_flow")
def test_a_drawn_flow_is_deployed_and_runs(world: World) -> None:
    from services.kernel.workflow.models import FlowVersion
    from tests.services.kernel.workflow.test_settings import changed

    assert "已存为第 1 版草稿" in text(upload(world, changed(district=None)))
    draft = FlowVersion.objects.get(made_by="quzhang")
    assert "现在起用它" in text(client(world.qu).post(f"/desk/flows/{draft.pk}/publish", follow=True))
    case = apply(world)
    do(world.wang, case, "decide", outcome="approve")
    do(world.qu, case, "decide", outcome="approve")
    assert case.state == "approved"  # the engine ran what was drawn: no approval by the district any more
