"""What regions set, versions side by side, and running cases moved to a new version with those that could not."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any

import pytest

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.jobs.actions import run_job
from services.kernel.workflow import configuring
from services.kernel.workflow.choosing import flow_for, runnable_of
from services.kernel.workflow.diagrams.comparing import compared
from services.kernel.workflow.diagrams.drawing import draw
from services.kernel.workflow.diagrams.graph import graph_of
from services.kernel.workflow.models import Case, FlowVersion, Task
from services.kernel.workflow.moving import start_moving
from services.kernel.workflow.spec import Flow, Step
from services.modules.example.workflows import SERVICE_POINT
from tests.services.kernel.workflow.conftest import DISTRICT, OTHER, World, code_of, region_named, scope

DECLARED = {"days": 5, "remind": 1, "dispatch": "grab", "mode": "one", "post": "", "notices": ["arrived"]}


def changed(**steps: Step | None) -> str:
    """Return the diagram of the reference matter with some of its plain steps changed, or left out."""
    parts = []
    for part in SERVICE_POINT.flow.parts:
        if not isinstance(part, Step):
            parts.append(part)
        elif steps.get(part.key, part) is not None:
            parts.append(steps.get(part.key) or part)
    return draw(graph_of(Flow(tuple(parts))))


def set_step(world: World, who: Any, region: str, **more: Any) -> None:
    configuring.set_step(
        matter="service_point", region=code_of(region), step="street", scope=scope(who), **(DECLARED | more)
    )


def test_the_nearest_region_decides_deadlines_posts_and_dispatch(world: World) -> None:
    set_step(world, world.shi, "", days=10)
    case = world.open()
    assert Task.objects.get(case=case).due_at.date() == dt.date(2026, 5, 25)  # type: ignore[union-attr]
    set_step(world, world.qu, DISTRICT, days=2, dispatch="rule", post="street_clerk")
    case = world.open()
    task = Task.objects.get(case=case)
    assert task.due_at is not None
    assert (task.due_at.date(), task.post) == (dt.date(2026, 5, 13), "street_clerk")
    assert task.assignee in {world.wang, world.li}  # given out by load
    configuring.unset_step(matter="service_point", region=code_of(DISTRICT), step="street", scope=scope(world.qu))
    assert Task.objects.get(case=world.open()).due_at.date() == dt.date(2026, 5, 25)  # type: ignore[union-attr]


def test_work_is_shared_out_evenly(world: World) -> None:
    set_step(world, world.qu, DISTRICT, dispatch="rule")
    whose = [Task.objects.get(case=world.open()).assignee for _ in range(6)]
    assert sorted(user.username for user in whose if user) == ["li"] * 3 + ["wang"] * 3


def test_several_share_in_a_step(world: World) -> None:
    set_step(world, world.qu, DISTRICT, mode="all")
    case = world.open()
    assert Task.objects.filter(case=case).count() == 2
    world.decide(case, world.wang)
    assert set(world.waiting(case)) == {"street"}
    world.decide(case, world.li)
    assert set(world.waiting(case)) == {"papers"}
    set_step(world, world.qu, DISTRICT, mode="any")
    case = world.open()
    world.decide(case, world.li)
    assert set(world.waiting(case)) == {"papers"}
    assert Task.objects.filter(case=case, assignee=world.wang, state="dropped").count() == 1


@pytest.mark.parametrize(
    "wrong",
    [{"days": -1}, {"days": 400}, {"days": 3, "remind": 3}, {"dispatch": "x"}, {"mode": "x"}, {"post": "planner"}],
)
def test_settings_that_cannot_be_meant(world: World, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        set_step(world, world.qu, DISTRICT, **wrong)


def test_settings_are_for_those_of_the_region(world: World) -> None:
    with pytest.raises(Forbidden):
        set_step(world, world.wang, DISTRICT)
    with pytest.raises(Forbidden):
        set_step(world, world.qu, OTHER)
    with pytest.raises(NotFound):
        configuring.set_step(
            matter="service_point", region=code_of(DISTRICT), step="none", scope=scope(world.qu), **DECLARED
        )  # type: ignore[arg-type]
    sources = {"matter": "service_point", "region": code_of(DISTRICT), "route": "instant", "category": "为老服务"}
    configuring.set_matter(sources=["window"], scope=scope(world.qu), **sources)  # type: ignore[arg-type]
    with pytest.raises(BadInput) as closed:
        world.open()
    assert closed.value.code == "source_closed"
    case = world.open(user=world.wang, source="window")
    assert (case.route, case.category) == ("instant", "为老服务")
    for wrong in ({"sources": []}, {"sources": ["window"], "route": "x"}, {"sources": ["window"], "category": " "}):
        with pytest.raises(BadInput):
            configuring.set_matter(scope=scope(world.qu), **(sources | wrong))  # type: ignore[arg-type]


def save(world: World, xml: str, seen: int = 0) -> FlowVersion:
    return configuring.save_flow(
        matter="service_point", region=code_of(DISTRICT), xml=xml, note="", seen=seen, scope=scope(world.qu)
    )


def test_a_district_draws_its_own_flow(world: World) -> None:
    old = world.open()
    street = next(step for step in SERVICE_POINT.flow.steps() if step.key == "street")
    draft = save(world, changed(street=replace(street, name="街镇初审", days=3), city=None))
    assert flow_for("service_point", region_named(DISTRICT).pk) == old.flow  # a draft changes nothing
    with pytest.raises(Conflict):
        save(world, changed(), seen=0)
    configuring.publish_flow(version_id=draft.pk, scope=scope(world.qu))
    new = world.open(area=600)
    assert new.flow == draft
    assert Task.objects.get(case=new).name == "街镇初审"
    old.refresh_from_db()
    assert old.flow != draft
    pairs = {pair.key: pair for pair in compared(runnable_of(old.flow).graph, runnable_of(draft).graph)}
    assert (pairs["city"].fate, pairs["street"].fate, pairs["papers"].fate) == ("removed", "changed", "same")
    assert {(each.label, each.before, each.after) for each in pairs["street"].changes} >= {
        ("名称", "街镇审核", "街镇初审"), ("时限", "5 个工作日", "3 个工作日")
    }  # fmt: skip
    assert any(each.label == "去向" for each in pairs["district"].changes)


def test_what_the_engine_cannot_run_is_never_kept(world: World) -> None:
    for xml in (
        "<x/>",
        changed().replace('quantu:duty="cases.street"', 'quantu:duty="everything"'),
        re.sub(r"<bpmn:userTask (id=\"city\")", r"<bpmn:scriptTask \1", changed()),
        changed().replace("area &gt;= 500", "__import__('os').system('x')"),
    ):
        with pytest.raises(BadInput) as refused:
            save(world, xml)
        assert refused.value.detail["findings"]
    assert not FlowVersion.objects.filter(made_by="quzhang").exists()


def test_running_cases_are_moved_with_a_report(world: World) -> None:
    version = flow_for("service_point", region_named("").pk)
    waiting, decided, ended = world.open(), world.open(), world.open()
    world.decide(decided, world.wang)
    world.decide(decided, world.qu)  # waits for the district
    far = world.open(area=600)
    world.decide(far, world.wang)
    world.decide(far, world.qu)
    site = {"wang": world.wang, "li": world.li}[world.waiting(far)["site"]]
    world.decide(far, site)
    world.decide(far, world.qu)  # waits for the city
    world.act("terminate", ended, world.qu, reason="重复")
    held = world.open()
    world.act("suspend", held, world.wang, reason="等")
    # the new version of the city has no filing by the city any more
    draft = configuring.save_flow(
        matter="service_point",
        region=code_of(""),
        xml=changed(city=None),
        note="不再备案",
        seen=version.number,
        scope=scope(world.shi),
    )
    with pytest.raises(Conflict):
        start_moving(version_id=draft.pk, scope=scope(world.shi))
    configuring.publish_flow(version_id=draft.pk, scope=scope(world.shi))
    before = {task.pk: task.due_at for task in Task.objects.filter(state="open")}
    job = run_job(job_id=start_moving(version_id=draft.pk, scope=scope(world.shi)).pk)
    assert (job.state, job.result["moved"], job.result["refused_count"]) == ("done", 2, 2)
    reasons = {line["number"]: line["reason"] for line in job.result["refused"]}
    assert "市备案" in reasons[far.number]
    assert "挂起" in reasons[held.number]
    assert {case.pk for case in Case.objects.filter(flow=draft)} == {waiting.pk, decided.pk}
    assert {task.pk: task.due_at for task in Task.objects.filter(state="open")} == before  # nobody's task was touched
    decided.refresh_from_db()
    assert decided.events.filter(act="move").count() == 1
    world.decide(decided, world.qu)
    assert decided.state == "approved"
    again = run_job(job_id=start_moving(version_id=draft.pk, scope=scope(world.shi)).pk)
    assert again.result["moved"] == 0


def test_a_draft_is_deleted_and_a_used_version_is_kept(world: World) -> None:
    case = world.open()
    draft = save(world, changed(city=None))
    with pytest.raises(NotFound):
        configuring.drop_draft(version_id=case.flow_id, scope=scope(world.qu))  # the city's
    with pytest.raises(Conflict):
        configuring.drop_draft(version_id=case.flow_id, scope=scope(world.shi))
    configuring.drop_draft(version_id=draft.pk, scope=scope(world.qu))
    assert not FlowVersion.objects.filter(pk=draft.pk).exists()
