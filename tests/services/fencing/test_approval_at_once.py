"""Two people at the very same moment: a draft handed in twice, and changed while it is agreed to; nothing is approved unseen."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from geo.errors import CityError
from geo.fences.areas import Act
from geo.fences.models import FenceEdition
from services.fencing.actions import FENCES, check_draft
from services.fencing.approval import case_of, submit_draft
from services.kernel.workflow.actions import decide
from services.kernel.workflow.models import Case
from tests.services.fencing.sets import draft, square
from tests.services.kernel.workflow.conftest import CITY, DISTRICT, person, scope
from tests.services.kernel.workflow.test_at_once import at_once


@pytest.mark.timeout(300)
def test_what_is_approved_was_seen(live_city: str) -> None:
    planner, manager = person("guihua", "planner", CITY), person("quzhang", "district_manager", DISTRICT)
    scopes = {user.pk: scope(user) for user in (planner, manager)}
    FenceEdition.objects.exclude(state="published").delete()
    own = draft("alert", scopes[planner.pk])
    own.areas.all().delete()
    FENCES.add(Act(own.pk, own.revision, uuid.uuid4(), scopes[planner.pk]), name="甲", about={}, shape=square(0, 0))
    for turn in range(6):
        check_draft(edition_id=own.pk, scope=scopes[planner.pk])
        own.refresh_from_db()

        def submit(seen: int = own.revision) -> Case:
            return submit_draft(
                edition_id=own.pk, seen=seen, accept=True, user=planner, scope=scopes[planner.pk], key=uuid.uuid4()
            )

        found = at_once(submit, submit, submit)
        assert len([each for each in found if isinstance(each, Case)]) == 1
        assert {each.code for each in found if isinstance(each, CityError)} <= {"edition_submitted", "edition_changed"}
        case = case_of(own)
        assert case is not None
        own.refresh_from_db()
        handed_in = own.revision

        def agree(case: Case = case) -> Case:
            return decide(
                uid=case.uid, outcome="approve", opinion="", user=manager, scope=scopes[manager.pk],
                key=str(uuid.uuid4()), version=case.version,
            )  # fmt: skip

        def change(turn: int = turn, handed_in: int = handed_in) -> Any:
            sent = Act(own.pk, handed_in, uuid.uuid4(), scopes[planner.pk])
            return FENCES.add(sent, name=f"乙{turn}", about={}, shape=square(200 + 3 * turn, 0))

        at_once(agree, change)
        case.refresh_from_db()
        own.refresh_from_db()
        approved = own.changes.filter(act="approve", revision__gt=handed_in).first()
        if case.state == "approved":
            assert approved is not None
            assert approved.revision == handed_in + 1  # nothing came between
        else:
            assert case.state in ("withdrawn", "open")
            assert approved is None
        if own.state != "draft":  # the change was told that somebody approved meanwhile, or came first and was taken
            assert own.state == "approved"
            sent = Act(own.pk, own.revision, uuid.uuid4(), scopes[planner.pk])
            FENCES.add(sent, name=f"丙{turn}", about={}, shape=square(400, 3 * turn))
            own.refresh_from_db()
            assert own.state == "draft"
