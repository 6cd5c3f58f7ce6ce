"""Who is shown which notice, and who may write it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.scope import Scope
from services.access.models import Organisation
from services.kernel.messages.notices.actions import (
    Written,
    change_notice,
    publish_notice,
    withdraw_notice,
    write_notice,
)
from services.kernel.messages.notices.models import Notice
from services.kernel.messages.notices.queries import notice_shown, notices_for, notices_kept, public_notices
from tests.services.kernel.messages.conftest import region, scope

pytestmark = pytest.mark.usefixtures("city")
CITY = scope("notices.edit")
DISTRICT = scope("notices.edit", path="310000.310101.", actor="qu")


def written(code: str = "310101", **changes: Any) -> Written:
    return Written(**{"title": "停电通知", "body": "明天停电。", "region": code, **changes})


def published(code: str = "310101", at: dt.datetime | None = None, **changes: Any) -> Notice:
    notice = write_notice(written=written(code, **changes), scope=CITY)
    return publish_notice(notice_id=notice.pk, version=1, at=at, scope=CITY)


@pytest.mark.parametrize(
    ("code", "path", "shown"),
    [
        ("310000", "310000.310101.", True),  # the city's reaches all below
        ("310101", "310000.310101.310101002.", True),
        ("310101", "310000.310101.", True),
        ("310101", "310000.", True),  # those above answer for it
        ("310101", "310000.310110.", False),
        ("310110", "310000.310101.310101002.", False),
    ],
)
def test_regions(code: str, path: str, shown: bool) -> None:
    published(code)
    assert notices_for(scope=scope(path=path), roles=["street_clerk"]).exists() == shown


def test_roles_and_the_public() -> None:
    notice = published(roles=("street_clerk",))
    reader = scope(path="310000.310101.")
    assert list(notices_for(scope=reader, roles=["street_clerk", "planner"])) == [notice]
    assert list(notices_for(scope=reader, roles=["planner"])) == []
    assert list(notices_for(scope=reader, roles=[])) == []
    assert list(public_notices()) == []
    with pytest.raises(NotFound):
        notice_shown(notice.pk, scope=Scope.public(), roles=())
    open_to_all = published("310110", public=True)
    assert list(public_notices()) == [open_to_all]
    assert notice_shown(open_to_all.pk, scope=Scope.public(), roles=()) == open_to_all


def test_an_institution_is_shown_what_its_place_is_shown() -> None:
    notice = published("310101")
    here = Organisation.objects.create(name="黄浦一家", region=region("310101"))
    there = Organisation.objects.create(name="杨浦一家", region=region("310110"))
    for organisation, shown in ((here, [notice]), (there, [])):
        reader = Scope(organisations=frozenset({organisation.pk}), actor="jigou")
        assert list(notices_for(scope=reader, roles=["institution_head"])) == shown


def test_from_a_moment_to_a_moment(time_machine_at: Any) -> None:
    now = timezone.now()
    published(at=now + dt.timedelta(hours=1), until=now + dt.timedelta(hours=2), public=True)
    for minutes, shown in ((0, False), (61, True), (119, True), (121, False)):
        time_machine_at(now + dt.timedelta(minutes=minutes))
        assert public_notices().exists() == shown, minutes


def test_withdrawn_and_published_again() -> None:
    notice = published(public=True)
    withdrawn = withdraw_notice(notice_id=notice.pk, version=2, scope=CITY)
    assert not public_notices().exists()
    with pytest.raises(Conflict):
        withdraw_notice(notice_id=notice.pk, version=3, scope=CITY)
    again = publish_notice(notice_id=notice.pk, version=withdrawn.version, scope=CITY)
    assert public_notices().exists()
    with pytest.raises(Conflict):
        publish_notice(notice_id=notice.pk, version=again.version, scope=CITY)


def test_two_who_edit_one_notice() -> None:
    notice = write_notice(written=written(), scope=CITY)
    change_notice(notice_id=notice.pk, written=written(title="第一位"), version=1, scope=CITY)
    with pytest.raises(Conflict) as late:
        change_notice(notice_id=notice.pk, written=written(title="第二位"), version=1, scope=CITY)
    assert late.value.code == "notice_changed"
    notice.refresh_from_db()
    assert notice.title == "第一位"
    assert [event.title for event in notice.events.all()] == ["停电通知"]


def test_only_for_ones_own_regions() -> None:
    theirs = write_notice(written=written("310110"), scope=CITY)
    assert list(notices_kept(scope=DISTRICT)) == []
    with pytest.raises(Forbidden):
        write_notice(written=written("310110"), scope=DISTRICT)
    with pytest.raises(NotFound):
        publish_notice(notice_id=theirs.pk, version=1, scope=DISTRICT)
    own = write_notice(written=written(), scope=DISTRICT)
    with pytest.raises(Forbidden):
        change_notice(notice_id=own.pk, written=written("310000"), version=1, scope=DISTRICT)
    with pytest.raises(Forbidden):
        write_notice(written=written(), scope=scope(path="310000.310101."))


@pytest.mark.parametrize("changes", [{"title": " "}, {"body": ""}, {"title": "字" * 81}, {"roles": ("nobody",)}])
def test_what_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        write_notice(written=written(**changes), scope=CITY)
