"""What people do with a case: each act with what it changes, who may not, and what a second click does."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest
from django.db import ProgrammingError, transaction

from geo.errors import BadInput, CityError, Conflict, Forbidden, NotFound
from services.kernel.messages.models import Delivery, Message
from services.kernel.workflow import actions, dispatching, setting_aside
from services.kernel.workflow.cards import light_cards
from services.kernel.workflow.handlers import handler_of
from services.kernel.workflow.models import Case, CaseEvent, Task
from services.kernel.workflow.queries import Asked, case_seen, inbox
from services.kernel.workflow.transitions import ENDED, TABLE, Act, State, Who, check_act
from tests.services.kernel.workflow.conftest import OTHER, STREET, World, code_of, person, scope


def acts(case: Case) -> list[str]:
    return [event.act for event in case.events.all()]


def test_a_small_case_goes_from_street_to_district(world: World) -> None:
    case = world.open()
    assert world.waiting(case) == {"street": ""}
    world.decide(case, world.wang)
    assert world.waiting(case) == {"papers": ""}  # 50 square metres: nobody goes there
    world.decide(case, world.qu)
    assert world.waiting(case) == {"district": ""}
    world.decide(case, world.qu)
    assert (case.state, world.waiting(case)) == (State.APPROVED, {})
    assert case.closed_at is not None
    assert acts(case) == ["open", "decide", "decide", "decide"]
    told = set(Message.objects.filter(recipient=world.zhang).values_list("event", flat=True))
    assert told == {"workflow.case_decided", "workflow.case_ended"}


def test_a_big_case_is_looked_at_side_by_side_and_filed_by_the_city(world: World) -> None:
    case = world.open(area=600)
    world.decide(case, world.wang)
    # by rule: who has less to do; wang took the review, so li goes there
    waiting = world.waiting(case)
    assert set(waiting) == {"site", "papers"}
    assert waiting["site"] in {"wang", "li"}
    site = world.wang if waiting["site"] == "wang" else world.li
    world.decide(case, world.qu)
    assert set(world.waiting(case)) == {"site"}
    world.decide(case, site)
    world.decide(case, world.qu)
    assert world.waiting(case) == {"city": ""}
    world.decide(case, world.shi)
    assert case.state == State.APPROVED


def test_a_refusal_of_one_side_counts_when_the_other_is_done(world: World) -> None:
    case = world.open(area=200)
    world.decide(case, world.wang)
    site = {"wang": world.wang, "li": world.li}[world.waiting(case)["site"]]
    world.decide(case, site, "refuse", "场地不符")
    assert case.state == State.OPEN
    world.decide(case, world.qu)
    assert case.state == State.REFUSED


def test_returned_to_an_earlier_step_all_opinions_stay(world: World) -> None:
    case = world.open(area=200)
    world.decide(case, world.wang, opinion="街镇同意")
    site = {"wang": world.wang, "li": world.li}[world.waiting(case)["site"]]
    world.decide(case, site, opinion="现场合格")
    world.decide(case, world.qu, opinion="资料齐全")
    world.act("return_to", case, world.qu, step="street", opinion="门牌写错了")
    assert world.waiting(case) == {"street": "wang"}  # who reviewed it gets it again
    opinions = [event.opinion for event in case.events.all() if event.opinion]
    assert opinions == ["街镇同意", "现场合格", "资料齐全", "门牌写错了"]
    world.decide(case, world.wang, opinion="已改正")
    assert world.waiting(case) == {"site": site.username, "papers": ""} or set(world.waiting(case)) == {
        "site",
        "papers",
    }
    with pytest.raises(BadInput):
        world.act("return_to", case, world.qu, step="district", opinion="还没办过")
    with pytest.raises(BadInput):
        world.act("return_to", case, world.qu, step="street", opinion=" ")


def test_a_decision_is_taken_back_until_the_next_opens_it(world: World) -> None:
    case = world.open()
    world.decide(case, world.wang, "refuse", "点错了")
    assert case.state == State.REFUSED
    with pytest.raises(Conflict):
        world.act("take_back", case, world.wang)
    case = world.open()
    world.decide(case, world.wang)
    with pytest.raises(Forbidden):
        world.act("take_back", case, world.li)
    world.act("take_back", case, world.wang)
    assert world.waiting(case) == {"street": "wang"}
    assert case.passed == []
    world.decide(case, world.wang)
    dispatching.see(case=case, user=world.qu)
    with pytest.raises(Forbidden) as refused:
        world.act("take_back", case, world.wang)
    assert "打开之前" in refused.value.message


def test_an_application_is_withdrawn_until_somebody_opened_it(world: World) -> None:
    case = world.open()
    world.act("withdraw", case, world.zhang, reason="不办了")
    assert (case.state, world.waiting(case)) == (State.WITHDRAWN, {})
    case = world.open()
    dispatching.see(case=case, user=world.wang)
    with pytest.raises(Conflict) as refused:
        world.act("withdraw", case, world.zhang, reason="")
    assert refused.value.code == "case_seen"
    with pytest.raises(Forbidden):
        world.act("withdraw", case, world.wang, reason="")


def test_papers_are_asked_for_and_the_clock_stands(world: World, clock: Any) -> None:
    case = world.open()
    due = Task.objects.get(case=case).due_at
    world.act("ask_supplement", case, world.wang, note="身份证不清", items=["身份证正面", " "])
    assert (case.state, case.needed["items"]) == (State.SUPPLEMENT, ["身份证正面"])
    notice = Message.objects.get(recipient=world.zhang, event="workflow.case_supplement")
    assert "身份证正面" in notice.body
    assert "补正期间不计入办理时限" in notice.body
    with pytest.raises(Conflict):
        world.decide(case, world.wang)
    clock(dt.datetime(2026, 5, 14, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=8))))  # three working days later
    world.act("supplement", case, world.zhang, note="重新拍了")
    task = Task.objects.get(case=case)
    assert (case.state, task.state) == (State.OPEN, "open")
    assert task.due_at is not None
    assert due is not None
    assert task.due_at.date() == dt.date(2026, 5, 21)  # 18 May and three working days, to its end
    assert due.date() == dt.date(2026, 5, 18)
    # at the window somebody else brings the papers: the handler says so
    world.act("ask_supplement", case, world.wang, note="还缺图纸", items=["图纸"])
    with pytest.raises(BadInput):
        world.act("supplement", case, world.wang, note="")
    world.act("supplement", case, world.wang, note="窗口收到图纸原件")
    assert case.state == State.OPEN


def test_suspended_extended_terminated(world: World, clock: Any) -> None:
    case = world.open()
    world.act("suspend", case, world.wang, reason="等规划意见")
    with pytest.raises(Conflict):
        world.act("suspend", case, world.wang, reason="再挂一次")
    light_cards(now=dt.datetime(2026, 7, 1, tzinfo=dt.UTC))
    assert Case.objects.get().lit == ""  # no card while the clock stands
    clock(dt.datetime(2026, 5, 18, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=8))))
    world.act("resume", case, world.wang)
    due = Task.objects.get(case=case).due_at
    assert due is not None
    assert due.date() == dt.date(2026, 5, 25)
    world.act("extend", case, world.wang, days=2, reason="申请人外出")
    due = Task.objects.get(case=case).due_at
    assert due is not None
    assert due.date() == dt.date(2026, 5, 27)
    for days in (0, 61):
        with pytest.raises(BadInput):
            world.act("extend", case, world.wang, days=days, reason="x")
    world.act("terminate", case, world.qu, reason="重复申请")  # a dispatcher may
    assert (case.state, world.waiting(case)) == (State.TERMINATED, {})


def test_grabbing_releasing_handing_on_and_asking_another(world: World) -> None:
    case = world.open()
    world.act("claim", case, world.wang)
    assert world.waiting(case) == {"street": "wang"}
    with pytest.raises(Forbidden):
        world.act("claim", case, world.li)
    world.act("release", case, world.wang, reason="")
    world.act("claim", case, world.li)
    world.act("transfer", case, world.li, to=world.wang.pk, reason="出差")
    assert world.waiting(case) == {"street": "wang"}
    with pytest.raises(BadInput):
        world.act("transfer", case, world.wang, to=world.other.pk, reason="别的街道")
    world.act("add_reviewer", case, world.wang, to=world.li.pk, reason="请一起看")
    world.decide(case, world.wang)
    assert world.waiting(case) == {"street": "li"}  # the step waits for both
    world.decide(case, world.li, "refuse", "不符合")
    assert case.state == State.REFUSED  # the last declared outcome of those chosen counts


def test_a_dispatcher_assigns_by_hand_and_urges(world: World, clock: Any) -> None:
    case = world.open()
    with pytest.raises(Forbidden):
        world.act("assign", case, world.wang, to=world.li.pk)
    world.act("assign", case, world.qu, to=world.li.pk)
    assert world.waiting(case) == {"street": "li"}
    world.act("urge", case, world.qu, note="今天要办结")
    assert Message.objects.filter(recipient=world.li, event="workflow.task_urged").count() == 1
    with pytest.raises(Conflict):
        world.act("urge", case, world.qu, note="再催")
    assert Task.objects.get(case=case).urged == 1
    assert dispatching.redistribute(from_user=world.li.pk, user=world.qu, scope=scope(world.qu)) == 1
    assert world.waiting(case) == {"street": "wang"}
    with pytest.raises(Forbidden):
        dispatching.redistribute(from_user=world.wang.pk, user=world.li, scope=scope(world.li))


def test_a_deputy_acts_in_the_name_of_who_delegated(world: World, clock: Any) -> None:
    case = world.open()
    world.act("claim", case, world.wang)
    day = dt.date(2026, 5, 11)
    row = dispatching.delegate(
        to=world.li.pk, matter="service_point", from_day=day, to_day=day + dt.timedelta(days=3), user=world.wang
    )
    world.decide(case, world.li, opinion="代王办理")
    event = case.events.get(act="decide")
    assert (event.actor, event.behalf_of) == (world.li, world.wang)
    again = world.open()
    world.act("claim", again, world.wang)
    dispatching.end_delegation(delegation_id=row.pk, user=world.wang)
    with pytest.raises(Forbidden):
        world.decide(again, world.li)
    with pytest.raises(BadInput):
        dispatching.delegate(to=world.other.pk, matter="", from_day=day, to_day=day, user=world.wang)
    with pytest.raises(BadInput):
        dispatching.delegate(
            to=world.li.pk, matter="", from_day=day, to_day=day - dt.timedelta(days=1), user=world.wang
        )


def test_cards_come_by_working_days(world: World) -> None:
    case = world.open()  # Monday 11 May, five working days: to the end of Monday the 18th, yellow from Friday the 15th
    world.act("claim", case, world.wang)
    zone = dt.timezone(dt.timedelta(hours=8))
    assert light_cards(now=dt.datetime(2026, 5, 14, 23, 59, tzinfo=zone)) == 0
    assert light_cards(now=dt.datetime(2026, 5, 15, 0, 1, tzinfo=zone)) == 1
    assert light_cards(now=dt.datetime(2026, 5, 15, 0, 2, tzinfo=zone)) == 0
    case.refresh_from_db()
    assert case.lit == "yellow"
    assert light_cards(now=dt.datetime(2026, 5, 19, 0, 0, 1, tzinfo=zone)) == 1
    case.refresh_from_db()
    assert case.lit == "red"
    told = Message.objects.filter(recipient=world.wang, event="workflow.task_card")
    assert {row.title.split("：")[0] for row in told} == {"黄牌", "红牌"}
    assert acts(case).count("card") == 2
    world.decide(case, world.wang)
    assert case.lit == ""


def test_a_double_click_a_replay_and_a_stale_page_do_nothing_twice(world: World) -> None:
    key = str(uuid4())
    case = world.open(key=key)
    assert world.open(key=key).pk == case.pk
    assert Case.objects.count() == 1
    key, version = str(uuid4()), case.version
    for _ in range(2):
        done = actions.decide(
            uid=case.uid,
            outcome="approve",
            user=world.wang,
            scope=scope(world.wang),
            key=key,
            version=version,
            opinion="好",
        )
        assert done.pk == case.pk
    assert acts(case) == ["open", "decide"]
    with pytest.raises(Conflict) as stale:
        actions.decide(
            uid=case.uid, outcome="approve", user=world.qu, scope=scope(world.qu), key=str(uuid4()), version=version
        )
    assert stale.value.code == "case_changed"
    with pytest.raises(Conflict) as reused:
        setting_aside.suspend(
            uid=case.uid, reason="x", user=world.wang, scope=scope(world.wang), key=key, version=version
        )
    assert reused.value.code == "key_reused"
    with pytest.raises(BadInput):
        actions.decide(uid=case.uid, outcome="approve", user=world.qu, scope=scope(world.qu), key="", version=version)


def test_people_of_elsewhere_find_nothing(world: World) -> None:
    case = world.open()
    for user in (world.other, person("stranger")):
        with pytest.raises(NotFound):
            case_seen(case.uid, user=user, scope=scope(user))
        with pytest.raises(NotFound):
            world.decide(case, user)
        assert list(inbox(Asked(), handler_of(user))) == []
    with pytest.raises(NotFound):
        case_seen(case.uid, user=world.wang, scope=scope(world.wang), as_applicant=True)
    assert case_seen(case.uid, user=world.zhang, scope=scope(world.zhang), as_applicant=True).acts >= {Act.WITHDRAW}
    assert [task.case for task in inbox(Asked(), handler_of(world.wang))] == [case]
    assert list(inbox(Asked(), handler_of(world.qu))) == []  # the street's step is not the district's
    with pytest.raises(Forbidden):
        world.open(user=world.wang, source="window", region=code_of(OTHER))
    with pytest.raises(BadInput):
        world.open(facts={"secret": 1})


def test_the_timeline_is_never_changed(world: World) -> None:
    case = world.open()
    event = CaseEvent.objects.get(case=case)
    with pytest.raises(ProgrammingError), transaction.atomic():
        CaseEvent.objects.filter(pk=event.pk).update(what="改了")
    with pytest.raises(ProgrammingError), transaction.atomic():
        event.delete()
    event.what = "改了"
    with pytest.raises(ValueError, match="never changed"):
        event.save()


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("act", list(Act))
def test_what_is_not_in_the_table_is_refused_by_name(state: State, act: Act) -> None:
    for who in Who:
        if who in TABLE.get((state, act), ()):
            check_act(state, act, {who})
            assert state not in ENDED
        else:
            with pytest.raises(CityError) as refused:
                check_act(state, act, {who})
            assert refused.value.code in {"act_not_now", "act_not_yours"}


def test_short_messages_go_only_to_those_who_left_a_number(world: World) -> None:
    case = world.open()
    world.act("ask_supplement", case, world.wang, note="缺", items=["图"])
    assert Delivery.objects.count() == 0
    assert STREET  # the street of the case
