"""Points that are short of advisers: thresholds of the nearest region, one alert that clears itself, told once."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from services.facilities.actions import change_status
from services.kernel.messages.models import Message
from services.kernel.rules.actions import take_back
from services.kernel.rules.models import RuleVersion
from services.modules.advisers.models import Adviser, Post, StaffingAlert
from services.modules.advisers.staffing import facts_of, judge_all, judge_site
from tests.services.modules.advisers.conftest import DISTRICT, World, code_of, publish, scope


def told(user: Any) -> list[str]:
    return list(Message.objects.filter(recipient=user).order_by("visible_from", "pk").values_list("title", flat=True))


def test_an_alert_opens_once_stays_current_and_clears_itself(world: World) -> None:
    first, second = world.adviser("周明"), world.adviser("陈静")
    assert judge_site(site_id=world.site.pk) is None, "nobody has asked for a number"
    world.threshold(2)
    assert judge_site(site_id=world.site.pk) is None
    Adviser.objects.filter(pk=first.pk).update(post=Post.LEFT)
    judge_site(site_id=world.site.pk)
    judge_site(site_id=world.site.pk)
    assert world.alerts() == [("open", 1, 2)]
    Adviser.objects.filter(pk=second.pk).update(post=Post.AWAY)
    judge_site(site_id=world.site.pk)
    assert world.alerts() == [("open", 0, 2)]
    Adviser.objects.filter(pk__in=[first.pk, second.pk]).update(post=Post.IN_POST)
    assert judge_site(site_id=world.site.pk) is None
    assert world.alerts() == [("cleared", 2, 2)]
    assert StaffingAlert.objects.get(site=world.site).cleared_because == "人员已恢复"
    name = world.site.name
    for keeper in (world.clerk, world.district):
        assert told(keeper) == [f"人员不足：{name}", f"预警解除：{name}"]
    assert told(world.other) == told(world.city) == [], "other districts are not told, nor the city of every point"


def test_the_nearest_region_decides_and_facts_of_the_point_count(world: World) -> None:
    world.adviser()
    world.threshold(1)
    publish(DISTRICT, [{"level": '"街镇"', "open_days": "> 10000", "least": "9"}, {"street": '"外滩街道"', "least": "3"}],
            scope(world.district))  # fmt: skip
    alert = judge_site(site_id=world.site.pk)
    assert alert is not None
    assert (alert.present, alert.least) == (1, 3)
    take_back(key="advisers.staffing", region=code_of(DISTRICT), from_day=timezone.localdate(), reason="试行结束",
              scope=scope(world.district))  # fmt: skip
    judge_site(site_id=world.site.pk)
    assert world.alerts() == [("cleared", 1, 3)], "the city asks for one, and one is there"
    opened = timezone.localdate() - dt.timedelta(days=40)
    world.site.attributes = {"adviser_level": "street", "opened_on": opened.isoformat()}
    assert facts_of(world.site) == {"level": "street", "district": "黄浦区", "street": "外滩街道", "open_days": 40}


def test_a_closed_point_needs_nobody(world: World) -> None:
    world.threshold(1)
    assert judge_site(site_id=world.site.pk) is not None
    change_status(facility_id=world.site.pk, status="suspended", scope=scope(world.clerk), reason="装修")
    assert world.alerts() == [("cleared", 0, 1)]
    assert StaffingAlert.objects.get(site=world.site).cleared_because == "顾问点已停用"
    change_status(facility_id=world.site.pk, status="open", scope=scope(world.clerk), reason="装修好了")
    assert world.alerts() == [("cleared", 0, 1), ("open", 0, 1)]


def test_the_day_ends_posts_begins_others_and_minds_new_thresholds(world: World) -> None:
    today = timezone.localdate()
    leaving = world.adviser("周明", to_day=today - dt.timedelta(days=1))
    coming = world.adviser("陈静", from_day=today, post=Post.COMING)
    away = world.adviser("吴霞", post=Post.AWAY)
    world.threshold(2)
    judge_all()
    assert {each.name: each.post for each in (leaving, coming, away) if not each.refresh_from_db()} == {
        "周明": "left", "陈静": "in_post", "吴霞": "away",
    }  # fmt: skip
    assert world.alerts() == [("open", 1, 2)]
    assert leaving.events.get().pgh_context.metadata["actor"] == "system"
    world.threshold(1)
    judge_all()
    assert world.alerts() == [("cleared", 1, 2)]
    assert StaffingAlert.objects.get(site=world.site).cleared_because == "人数要求降低"


def test_rules_that_cannot_run_change_nothing(world: World) -> None:
    world.threshold(1)
    judge_site(site_id=world.site.pk)
    publish("", [{"level": '"市级"', "least": "0"}], scope(world.city))
    newest = RuleVersion.objects.filter(rule_set="advisers.staffing").order_by("number").last()
    assert newest is not None
    newest.sheet = {
        **newest.sheet,
        "gives": ["least"],
        "lines": [{"key": "a", "tests": ["not(open_days"], "results": ["1"]}],
    }
    newest.save()
    judge_site(site_id=world.site.pk)
    assert world.alerts() == [("open", 0, 1)]


def test_two_who_leave_at_once_make_one_alert(live_city: str) -> None:
    world = World()
    people = [world.adviser("周明"), world.adviser("陈静")]
    world.threshold(2)
    both = threading.Barrier(2, timeout=20)
    faults: list[BaseException] = []

    def leave(pk: int) -> None:
        try:
            with transaction.atomic():
                Adviser.objects.filter(pk=pk).update(post=Post.LEFT)
                both.wait()
                judge_site(site_id=world.site.pk)
        except BaseException as fault:  # told to the test's own thread
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=leave, args=[each.pk]) for each in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert faults == []
    assert world.alerts() == [("open", 0, 2)], "the later one sees both gone"
    assert told(world.clerk) == [f"人员不足：{world.site.name}"]


@pytest.mark.parametrize("least", ["0", ""])
def test_no_threshold_no_alert(world: World, least: str) -> None:
    publish("", [{"level": '"市级"', "least": "5"}] + ([{"least": "0"}] if least else []), scope(world.city))
    judge_site(site_id=world.site.pk)
    assert world.alerts() == []
