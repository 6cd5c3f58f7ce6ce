"""A draft handed in as a case, on the tiny city with real accounts: what was seen is approved, by another, and once."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from typing import NamedTuple

import pytest
import shapely
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.fences.areas import Act
from geo.fences.models import FenceEdition
from geo.scope import Scope
from services.access.models import AuditAct, AuditEntry, User
from services.fencing.actions import FENCES, check_draft, discard_draft, publish_edition, withdraw_edition
from services.fencing.approval import case_of, recall_draft, submit_draft
from services.fencing.queries import edition_at, edition_seen, editions_seen
from services.kernel.messages.models import Message
from services.kernel.workflow.actions import decide, open_case
from services.kernel.workflow.handlers import handler_of
from services.kernel.workflow.models import Case, Delegation
from services.kernel.workflow.queries import Asked, case_seen, inbox
from services.kernel.workflow.registry import matter_named
from services.kernel.workflow.setting_aside import delete_case, terminate
from services.kernel.workflow.spec import check_matter
from tests.services.fencing.sets import district, draft, drawn, square
from tests.services.kernel.workflow.conftest import CITY, DISTRICT, OTHER, person, scope

pytestmark = pytest.mark.usefixtures("city")


class Desk(NamedTuple):
    """A planner of the city with a checked draft, a manager of its district, one of the city, one of elsewhere."""

    planner: User
    manager: User
    city: User
    elsewhere: User
    draft: FenceEdition

    @property
    def edition(self) -> FenceEdition:
        return edition_seen(self.draft.pk, scope=scope(self.city))

    def check(self) -> None:
        check_draft(edition_id=self.draft.pk, scope=scope(self.planner))

    def submit(self, user: User | None = None, *, key: uuid.UUID | None = None, accept: bool = True) -> Case:
        who, key = user or self.planner, key or uuid.uuid4()
        seen = self.edition.revision
        return submit_draft(edition_id=self.draft.pk, seen=seen, accept=accept, user=who, scope=scope(who), key=key)

    def decide(self, case: Case, user: User, outcome: str = "approve", opinion: str = "看过了", key: str = "") -> Case:
        case.refresh_from_db()
        return decide(
            uid=case.uid, outcome=outcome, opinion=opinion, user=user, scope=scope(user), key=key or str(uuid.uuid4()),
            version=case.version,
        )  # fmt: skip

    def change(self, user: User, name: str) -> None:
        sent = Act(self.draft.pk, self.edition.revision, uuid.uuid4(), scope(user))
        FENCES.add(sent, name=name, about={}, shape=square(300, 0))


@pytest.fixture
def desk() -> Desk:
    people = (
        person("guihua", "planner", CITY), person("quzhang", "district_manager", DISTRICT),
        person("shizhang", "city_manager", CITY), person("tashan", "district_manager", OTHER),
    )  # fmt: skip
    own = draft("alert", scope(people[0]))
    FENCES.add(Act(own.pk, 1, uuid.uuid4(), scope(people[0])), name="甲", about={}, shape=square(0, 0))
    found = Desk(*people, own)
    found.check()
    return found


def waits_for(user: User) -> list[Case]:
    return [task.case for task in inbox(Asked(), handler_of(user))]


def test_it_is_handed_in_returned_mended_agreed_to_and_published(desk: Desk) -> None:
    case = desk.submit()
    assert (case.matter, case.subject, case.state) == ("fence_approval", desk.draft.pk, "open")
    assert case.facts == {
        "purpose": "告警区域", "edition": "第 1 版", "fences": 1, "changes": "新增 1 个（甲）", "revision": desk.edition.revision,
    }  # fmt: skip
    assert desk.edition.waiting
    assert [row.waiting for row in editions_seen(scope=scope(desk.manager))] == [True]
    assert waits_for(desk.manager) == waits_for(desk.city) == [case]
    assert waits_for(desk.planner) == waits_for(desk.elsewhere) == []
    task = case.tasks.get()
    assert task.due_at is not None
    assert task.due_at - timezone.now() <= dt.timedelta(days=9)

    with pytest.raises(BadInput):
        desk.decide(case, desk.manager, "return", opinion="")
    desk.decide(case, desk.manager, "return", opinion="北边要到河")
    edition = desk.edition
    assert (edition.state, edition.waiting) == ("draft", False)
    assert edition.changes.order_by("-revision").first().said == "退回修改：北边要到河"
    told = Message.objects.filter(recipient=desk.planner)
    assert {each.link for each in told} == {f"/plan/fences/{desk.draft.pk}"}

    desk.change(desk.planner, "乙")
    with pytest.raises(Conflict) as caught:
        desk.submit()
    assert caught.value.code == "edition_unchecked"
    desk.check()
    again = desk.submit()
    assert again.pk != case.pk
    assert again.facts["changes"] == "新增 2 个（乙、甲）"
    desk.decide(again, desk.manager)
    edition = desk.edition
    assert (edition.state, edition.approved_by) == ("approved", "quzhang")
    assert AuditEntry.objects.filter(act=AuditAct.FENCES_APPROVED, actor="quzhang").count() == 1
    monday = timezone.now() + dt.timedelta(days=3)
    publish_edition(
        edition_id=edition.pk, seen=edition.revision, from_moment=monday, scope=scope(desk.manager)
    )  # fmt: skip
    assert edition_at(purpose="alert", district_id=district(), at=monday) == edition
    withdraw_edition(edition_id=edition.pk, scope=scope(desk.manager))
    assert desk.edition.state == "approved"


def test_a_draft_that_changes_calls_its_case_off(desk: Desk) -> None:
    case = desk.submit()
    desk.change(desk.city, "乙")
    case.refresh_from_db()
    assert (case.state, case.tasks.filter(state="open").count()) == ("withdrawn", 0)
    last = case.events.order_by("-id").first()
    assert last is not None
    assert (last.actor, last.opinion) == (desk.city, "送审以后草稿又改过：画了围栏“乙”。检查以后请再送审。")
    with pytest.raises(Conflict):
        desk.decide(case, desk.manager)
    assert desk.edition.state == "draft"
    desk.check()
    second = desk.submit()
    assert case_of(desk.edition) == second
    assert waits_for(desk.manager) == [second]


def test_what_was_not_seen_is_not_approved(desk: Desk) -> None:
    """Where the case could not be called off in time its decision meets the changed draft."""
    case = desk.submit()
    FenceEdition.objects.filter(pk=desk.draft.pk).update(revision=desk.edition.revision + 1, changed_by="guihua")
    with pytest.raises(Conflict) as caught:
        desk.decide(case, desk.manager)
    assert caught.value.code == "edition_changed"
    case.refresh_from_db()
    assert (case.state, desk.edition.state) == ("open", "checked")
    desk.check()
    second = desk.submit()
    case.refresh_from_db()
    assert (case.state, second.state) == ("withdrawn", "open")


def test_two_persons_look(desk: Desk) -> None:
    desk.change(desk.manager, "乙")
    desk.check()
    case = desk.submit()
    with pytest.raises(Conflict, match="另一位"):
        desk.decide(case, desk.manager)
    Delegation.objects.create(
        giver=desk.manager, taker=desk.planner, from_day=timezone.localdate(), to_day=timezone.localdate()
    )
    with pytest.raises(Conflict, match="代办"):
        desk.decide(case, desk.planner)
    assert (desk.edition.state, case.events.filter(act="decide").count()) == ("checked", 0)
    desk.decide(case, desk.city)
    assert desk.edition.approved_by == "shizhang"


def test_a_deputy_approves_in_the_place_of_another(desk: Desk) -> None:
    case = desk.submit()
    deputy = person("daiban", "street_clerk")
    Delegation.objects.create(
        giver=desk.manager, taker=deputy, from_day=timezone.localdate(), to_day=timezone.localdate()
    )
    desk.decide(case, deputy)
    assert (desk.edition.state, desk.edition.approved_by) == ("approved", "daiban")


def test_the_same_click_counts_once_and_another_is_told(desk: Desk) -> None:
    key = uuid.uuid4()
    case = desk.submit(key=key)
    assert desk.submit(key=key) == case
    with pytest.raises(Conflict) as caught:
        desk.submit()
    assert caught.value.code == "edition_submitted"
    click = str(uuid.uuid4())
    desk.decide(case, desk.manager, key=click)
    assert desk.decide(case, desk.manager, key=click).state == "approved"
    assert AuditEntry.objects.filter(act=AuditAct.FENCES_APPROVED).count() == 1
    with pytest.raises(Conflict):
        desk.decide(case, desk.city, "return", "晚了")
    assert desk.edition.state == "approved"


def test_it_is_taken_back_thrown_away_terminated(desk: Desk) -> None:
    case = desk.submit()
    recall_draft(edition_id=desk.draft.pk, scope=scope(desk.planner))
    case.refresh_from_db()
    assert (case.state, desk.edition.state) == ("withdrawn", "checked")
    with pytest.raises(Conflict):
        recall_draft(edition_id=desk.draft.pk, scope=scope(desk.planner))
    second = desk.submit()
    at = {"uid": second.uid, "scope": scope(desk.manager), "user": desk.manager, "version": second.version}
    with pytest.raises((Conflict, Forbidden)):
        delete_case(reason="点错了", key=str(uuid.uuid4()), **at)
    terminate(reason="先不办", key=str(uuid.uuid4()), **at)
    assert desk.edition.state == "draft"
    desk.check()
    third = desk.submit()
    discard_draft(edition_id=desk.draft.pk, seen=desk.edition.revision, scope=scope(desk.planner))
    third.refresh_from_db()
    assert (third.state, waits_for(desk.manager)) == ("withdrawn", [])


def test_staff_of_the_whole_city_see_cases_that_ended(desk: Desk) -> None:
    case = desk.submit()
    desk.decide(case, desk.manager)
    assert case_seen(case.uid, user=desk.city, scope=scope(desk.city)).case == case
    with pytest.raises(NotFound):
        case_seen(case.uid, user=desk.elsewhere, scope=scope(desk.elsewhere))


def test_who_may_not_draw_or_approve_is_refused(desk: Desk) -> None:
    looker = Scope(paths=("310000.",), duties=frozenset({"fences.view"}), actor="kan")
    with pytest.raises(Forbidden):
        submit_draft(
            edition_id=desk.draft.pk, seen=desk.edition.revision, accept=True, user=desk.planner, scope=looker,
            key=uuid.uuid4(),
        )  # fmt: skip
    case = desk.submit()
    with pytest.raises((Forbidden, Conflict)):
        desk.decide(case, desk.planner)
    assert desk.edition.state == "checked"


def test_warnings_are_read_before_it_is_handed_in(desk: Desk) -> None:
    waste = draft("waste", scope(desk.planner))
    drawn(waste, "一", shapely.union(square(0, 0), square(200, 0, 1.5, 1.5)))  # with a sliver
    _, found = check_draft(edition_id=waste.pk, scope=scope(desk.planner))
    warned = [each.message for each in found if each.level == "warning"]
    assert warned
    assert not [each for each in found if each.level == "error"]
    waste.refresh_from_db()
    at = {"edition_id": waste.pk, "seen": waste.revision, "user": desk.planner, "scope": scope(desk.planner)}
    with pytest.raises(BadInput, match="我已核对"):
        submit_draft(accept=False, key=uuid.uuid4(), **at)
    assert case_of(waste) is None
    case = submit_draft(accept=True, key=uuid.uuid4(), **at)
    assert case.facts["warnings"].startswith(warned[0])


def test_the_kernel_takes_a_thing_from_its_own_page_only(desk: Desk) -> None:
    given = {
        "region": "310101",
        "title": "围栏",
        "user": desk.planner,
        "scope": scope(desk.planner),
        "source": "fences",
    }
    with pytest.raises(BadInput, match="自己的页面"):
        open_case(matter="fence_approval", key=str(uuid.uuid4()), **given)
    case = desk.submit()
    with pytest.raises(Conflict, match="已经提交过"):
        open_case(matter="fence_approval", key=str(uuid.uuid4()), subject=case.subject, **given)
    with pytest.raises(BadInput, match="自己的页面"):
        open_case(
            matter="service_point", key=str(uuid.uuid4()), subject=uuid.uuid4(), **(given | {"source": "online"})
        )  # fmt: skip
    with pytest.raises(ValueError, match="page of its own"):
        check_matter(replace(matter_named("fence_approval"), page="/plan/fences"))
