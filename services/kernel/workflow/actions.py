"""Writes of cases on their way: open, decide, return, take back. ``supplementing`` and ``setting_aside`` have the others.

Each act names its ``key`` (made by the page: the same again does nothing) and the ``version`` of the case that was seen. It runs
under a lock of the case, is judged by the table of ``transitions``, and leaves one line in the timeline.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.regions.queries import region_by_code
from geo.scope import Scope
from services.access.models import Organisation, User
from services.access.queries import check_duty
from services.facilities.models import Facility
from services.kernel.workflow import message_events as told
from services.kernel.workflow.catalogue import is_offered
from services.kernel.workflow.choosing import (
    calendar,
    city_zone,
    flow_for,
    matter_as_set,
    runnable_of,
    source_name,
    sources_of,
)
from services.kernel.workflow.clock import due_after
from services.kernel.workflow.engine import Decision
from services.kernel.workflow.filling import fill_in
from services.kernel.workflow.handlers import handler_of, last_decision, running_about
from services.kernel.workflow.models import Case, MatterSetting, Task, TaskState
from services.kernel.workflow.registry import matter_named
from services.kernel.workflow.reviewing import review_case
from services.kernel.workflow.spec import REPORT, MatterSpec, Outcome, Step
from services.kernel.workflow.telling import tell_applicant
from services.kernel.workflow.transitions import Act, State
from services.kernel.workflow.turning import (
    Turn,
    act,
    advance,
    begin,
    checked_key,
    decision,
    decisions_of,
    end_case,
    light_anew,
    standing_of,
    step_named,
    was_done,
    worded,
)

LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
LONGEST_SOURCE_NUMBER: Final = 64


@act
def open_case(
    *,
    matter: str,
    region: str,
    title: str,
    user: User,
    scope: Scope,
    key: str,
    source: str = "online",
    facts: Mapping[str, Any] | None = None,
    organisation_id: int | None = None,
    facility_id: int | None = None,
    applicant: User | None = None,
    submission: UUID | None = None,
    source_number: str = "",
    subject: UUID | None = None,
) -> Case:
    """Open a case of a matter in a region (by code), and return it; the same key again returns the case it opened.

    Who applies by themselves is the applicant; staff of the region who hold the matter's ``opens`` may open one for ``applicant``
    (or for nobody with an account) at the window. ``source_number`` is its number where it came from. The smart review looks at
    it at once. ``subject`` is what a matter with a page of its own is about; its owner opens the case, and one runs at most.
    Raises ``NotFound``, ``Forbidden``, ``BadInput``, ``Conflict``.
    """
    checked_key(key)
    if was_done(key, Act.OPEN, user):
        return Case.objects.get(events__key=key)
    spec = matter_named(matter)
    place = region_by_code(region, scope=Scope.public())
    by_staff = source != "online"
    check_opener(spec, place.path, scope, by_staff)
    as_set = matter_as_set(spec, place.region_id)
    check_offered(spec, place.region_id, place.name)
    check_source(spec, source, as_set, place.name)
    version = flow_for(matter, place.region_id)
    known = _known_facts(spec, facts or {})
    _check_belongings(organisation_id, facility_id, scope, by_staff, about=bool(spec.about))
    _check_subject(spec, subject)
    case = Case(
        matter=matter, duty=spec.duty, category=as_set.category, route=as_set.route, source=source, flow=version,
        title=worded(title, needed=True, what="名称")[:120], region_id=place.region_id, organisation_id=organisation_id,
        facility_id=facility_id, applicant=applicant if by_staff else user, submission=submission, facts=known,
        begun=known, opened_by=user.username, opened_at=timezone.now(), number=_number(spec),
        source_number=source_number.strip()[:LONGEST_SOURCE_NUMBER], subject=subject,
    )  # fmt: skip
    if case.route == "promise":
        case.promised_at = due_after(case.opened_at, as_set.promise or spec.promise, calendar(), city_zone())
    case.save(force_insert=True)
    turn = Turn(case, Act.OPEN, key, handler_of(user), case.opened_at, scope=scope)
    try:
        with transaction.atomic():
            turn.note(f"{source_name(matter, source)}：{spec.title}", open_to_applicant=True, source=source)
    except IntegrityError:
        # somebody pressed twice at the very same moment: the first one opened it
        raise Conflict("case_opening", "正在提交，请稍候，不要重复提交。") from None
    advance(turn, [])
    review_case(turn)
    return case


def check_offered(spec: MatterSpec, region_id: int, place: str) -> None:
    """Raise ``Conflict`` where the catalogue of a region has taken a matter off."""
    if not is_offered(spec.key, region_id):
        raise Conflict("matter_shut", f"“{spec.title}”在{place}的事项目录里已停办，暂时不受理。")


def check_source(spec: MatterSpec, source: str, as_set: MatterSetting, place: str) -> None:
    """Raise ``BadInput`` where a region takes no applications for a matter from a source."""
    if source not in {each.key for each in sources_of(spec)} or source not in as_set.sources:
        raise BadInput("source_closed", f"“{spec.title}”在{place}不接受{source_name(spec.key, source)}。")


def check_opener(spec: MatterSpec, path: str, scope: Scope, by_staff: bool) -> None:
    """Raise ``Forbidden`` for one who may not open a case of a matter in a region, by themselves or at the window."""
    if not by_staff:
        if not spec.applicants:
            raise Forbidden("not_for_applicants", f"“{spec.title}”由经办人员在窗口受理，不能自己在网上申请。")
        return
    if not spec.opens:
        raise Forbidden("not_at_window", f"“{spec.title}”不在窗口受理。")
    check_duty(scope, spec.opens)
    if not scope.covers_path(path):
        raise Forbidden("region_outside_scope", "这个地方不在您的管辖范围内，不能受理那里的申请。")


def _check_belongings(
    organisation_id: int | None, facility_id: int | None, scope: Scope, by_staff: bool, *, about: bool
) -> None:
    """Let people apply for their own organisation only; staff may name any that exists.

    A place that the matter is ``about`` is one they apply at, not for: it may be any that is listed.
    """
    if organisation_id is not None:
        known = Organisation.objects.filter(pk=organisation_id, active=True).exists()
        if not known or not (by_staff or organisation_id in scope.organisations):
            raise NotFound("organisation_unknown", "没有找到这家机构，或者您不能替它申请。")
    if facility_id is not None:
        place = Facility.objects.filter(pk=facility_id, retired_at=None).first()
        if place is None or not (by_staff or about or place.organisation_id in scope.organisations):
            raise NotFound("facility_unknown", "没有找到这个服务设施，或者您不能替它申请。")


def _check_subject(spec: MatterSpec, subject: UUID | None) -> None:
    if bool(spec.page) != (subject is not None):
        raise BadInput("subject_needed", f"“{spec.title}”在它自己的页面上提交，不能从这里办理。")
    if subject is not None and running_about(spec.key, subject).exists():
        raise Conflict("subject_submitted", "已经提交过了，正在办理。请刷新页面看进展。")


def _known_facts(spec: MatterSpec, facts: Mapping[str, Any]) -> dict[str, Any]:
    strange = set(facts) - {fact.key for fact in spec.facts}
    if strange:
        raise BadInput("fact_unknown", f"“{spec.title}”里没有“{sorted(strange)[0][:40]}”这一项。")
    return {key: value for key, value in facts.items() if value not in (None, "")}


def _number(spec: MatterSpec) -> str:
    chance = "".join(secrets.choice(LETTERS) for _ in range(8))
    return f"{spec.prefix}-{timezone.localdate():%Y%m%d}-{chance[:4]}{chance[4:]}"


@act
def decide(
    *,
    uid: UUID | str,
    outcome: str,
    user: User,
    scope: Scope,
    key: str,
    version: int,
    opinion: str = "",
    task_id: int | None = None,
    filled: Mapping[str, Any] | None = None,
) -> Case:
    """Decide the caller's task with one of its outcomes, and let the flow go on when all who share in the step have decided.

    ``filled`` are the answers to what the step's handler fills in. Raises ``BadInput`` for an unknown outcome, a missing opinion
    or wrong answers, and what ``begin`` raises.
    """
    turn = begin(uid, Act.DECIDE, user=user, scope=scope, key=key, version=version, task_id=task_id)
    if turn.replayed:
        return turn.case
    task, case = turn.own_task(), turn.case
    step = step_named(runnable_of(case.flow), task.step)
    chosen = step.outcome(outcome)
    if chosen is None:
        raise BadInput("outcome_unknown", "请选择办理结果。")
    text = worded(opinion, needed=chosen.opinion, what=f"“{chosen.label}”的意见")
    fill_in(turn, task, turn.as_set(step)[0], filled or {})
    finish(turn, task, chosen, text)
    settled = _settled(case, task, step)
    turn.note(
        f"{task.name}：{chosen.label}", opinion=text, open_to_applicant=True, task=task.pk, outcome=outcome,
        completes=bool(settled),
    )  # fmt: skip
    if settled is None:
        case.save()
        return case
    if "decided" in task.notices:
        tell_applicant(told.CASE_DECIDED, case, f"{key}:decided", 环节=task.name, 结果=settled.label)
    if task.step == REPORT.key:
        end_case(turn, State(settled.to or State.APPROVED))
        return case
    decisions = [*decisions_of(case), decision(case, task.step, settled.key)]
    if case.route == "instant" and (result := _at_once(case, decisions, step, settled)):
        case.passed = [each.written() for each in decisions]
        end_case(turn, State(result))
        return case
    advance(turn, decisions)
    return case


def _at_once(case: Case, decisions: list[Decision], step: Step, settled: Outcome) -> str:
    """Return with what a 即办件 ends: its first step decides; '' for an outcome that is neither good nor an end."""
    return State.APPROVED if settled == step.outcomes[0] else standing_of(case, decisions).result


def finish(turn: Turn, task: Task, outcome: Outcome, opinion: str) -> None:
    """Write down how somebody decided their task."""
    task.behalf_of = turn.giver
    if task.assignee_id is None:
        task.assignee = turn.giver or turn.user
    task.state, task.outcome, task.outcome_name, task.opinion = TaskState.DONE, outcome.key, outcome.label, opinion
    task.decided_by, task.decided_at, task.next_at = turn.user, turn.now, None
    task.seen_at = task.seen_at or turn.now
    task.save()


def _settled(case: Case, task: Task, step: Step) -> Outcome | None:
    """Return the outcome of a step when all who share in it decided, the last declared of those chosen; None while some have not.

    Where anyone may decide for all, the others' tasks end with the first decision; reviewers asked for are waited for all the
    same.
    """
    shared = case.tasks.filter(step=task.step, pass_no=task.pass_no)
    if task.mode == "any":
        left = shared.filter(added_by=None, state__in=(TaskState.OPEN, TaskState.HELD))
        left.update(state=TaskState.DROPPED, next_at=None)
    known = list(shared.values_list("state", "outcome"))
    if any(state in (TaskState.OPEN, TaskState.HELD) for state, _ in known):
        return None
    done = [outcome for state, outcome in known if state == TaskState.DONE]
    keys = [each.key for each in step.outcomes]
    worst = max((keys.index(each) for each in done if each in keys), default=0)
    return step.outcomes[worst]


@act
def return_to(
    *,
    uid: UUID | str,
    step: str,
    opinion: str,
    user: User,
    scope: Scope,
    key: str,
    version: int,
    task_id: int | None = None,
) -> Case:
    """Send a case back to an earlier step, which its handler of then gets again; what followed from it is done anew.

    All opinions stay in the timeline. Raises ``BadInput`` for a step that was not done, or without an opinion.
    """
    turn = begin(uid, Act.RETURN, user=user, scope=scope, key=key, version=version, task_id=task_id)
    if turn.replayed:
        return turn.case
    task, case = turn.own_task(), turn.case
    if step not in steps_to_return_to(case):
        raise BadInput("step_not_done", "只能退回到已经办过的环节，请重新选择。")
    text = worded(opinion, needed=True, what="退回的理由")
    before = {each.step: each.decided_by for each in _done(case) if each.decided_by and each.decided_by.is_active}
    name = runnable_of(case.flow).step(step).name
    finish(turn, task, Outcome("return", "退回"), text)
    turn.note(f"{task.name}：退回到“{name}”", opinion=text, open_to_applicant=True, task=task.pk, to=step)
    log = decisions_of(case)
    last = max(at for at, each in enumerate(log) if each.step == step)
    advance(turn, [each for at, each in enumerate(log) if at != last], again={k: v for k, v in before.items() if v})
    return case


def _done(case: Case) -> list[Task]:
    return list(
        case.tasks.filter(state=TaskState.DONE).exclude(outcome="return").select_related("decided_by").order_by("pk")
    )


def steps_to_return_to(case: Case) -> dict[str, str]:
    """Return the steps a case may be sent back to, by key with their names, in the order they were decided."""
    flow = runnable_of(case.flow)
    return {each["step"]: flow.step(each["step"]).name for each in case.passed}


@act
def take_back(*, uid: UUID | str, user: User, scope: Scope, key: str, version: int) -> Case:
    """Take the caller's own last decision back, while nobody has opened what came of it."""
    turn = begin(uid, Act.TAKE_BACK, user=user, scope=scope, key=key, version=version)
    if turn.replayed:
        return turn.case
    case = turn.case
    decided = last_decision(case, user, turn.tasks)
    if decided is None:
        raise Conflict("case_seen", "下一环节已经打开这个办件，不能再撤回了。需要的话请联系对方退回。")
    completed = case.events.filter(act=Act.DECIDE, detail__task=decided.pk, detail__completes=True).exists()
    decided.state = TaskState.DROPPED
    decided.save(update_fields=["state"])
    turn.task = Task.objects.create(
        case=case, matter=case.matter, step=decided.step, name=decided.name, level=decided.level, mode=decided.mode,
        pass_no=decided.pass_no, duty=decided.duty, post=decided.post, region_id=decided.region_id,
        organisation_id=decided.organisation_id, assignee_id=decided.assignee_id, added_by_id=decided.added_by_id,
        opened_at=turn.now, seen_at=turn.now, remind=decided.remind, due_at=decided.due_at, notices=decided.notices,
    )  # fmt: skip
    light_anew(turn.task, turn)
    turn.note(f"{decided.name}：撤回办理", open_to_applicant=True, task=turn.task.pk)
    log = decisions_of(case)
    advance(turn, log[:-1] if completed else log)
    return case
