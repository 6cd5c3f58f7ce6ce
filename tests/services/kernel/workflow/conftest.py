"""People with posts in the tiny city, and one act after another on a case of the reference matter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from geo.regions.models import Region
from geo.scope import Scope
from services.access.actions import declare_roles, grant_role
from services.access.models import User
from services.access.queries import Caller, scope_of
from services.kernel.workflow import actions, dispatching, setting_aside, supplementing
from services.kernel.workflow.models import Case, Task

STREET, DISTRICT, CITY, OTHER = "老西门街道", "黄浦区", "", "杨浦区"
MONDAY = dt.datetime(2026, 5, 11, 10, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))


def region_named(name: str) -> Region:
    published = Region.objects.filter(versions__edition__state="published")
    return published.get(versions__name=name) if name else published.get(versions__code="310000")


def code_of(name: str) -> str:
    return str(region_named(name).versions.get(edition__state="published").code)


def person(username: str, role: str = "", region: str = STREET) -> User:
    declare_roles()
    user, made = User.objects.get_or_create(username=username, defaults={"display_name": username})
    if made and role:
        grant_role(user=user, role=role, granted_by="test", region=region_named(region), from_day=dt.date(2026, 1, 1))
    return user


def scope(user: User) -> Scope:
    return scope_of(Caller(user))


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    """Let it be a Monday morning; the returned function moves the clock, which then stands."""
    import time_machine

    with time_machine.travel(MONDAY, tick=False) as travel:
        yield travel.move_to


class World:
    """Staff of a street, its district and the city, somebody who applies, and the acts they do."""

    def __init__(self) -> None:
        self.wang = person("wang", "street_clerk")
        self.li = person("li", "street_clerk")
        self.qu = person("quzhang", "district_manager", DISTRICT)
        self.shi = person("shizhang", "city_manager", CITY)
        self.other = person("tashan", "street_clerk", "定海路街道") if Region.objects.filter(
            versions__name="定海路街道", versions__edition__state="published"
        ).exists() else person("tashan", "district_manager", OTHER)  # fmt: skip
        self.zhang = person("zhang")

    def open(self, *, area: int = 50, **more: Any) -> Case:
        user = more.pop("user", self.zhang)
        wanted: dict[str, Any] = {
            "matter": "service_point", "region": code_of(STREET), "title": "小南门服务点", "facts": {"area": area},
            "user": user, "scope": scope(user), "key": str(uuid4()),
        }  # fmt: skip
        return actions.open_case(**(wanted | more))

    def act(self, name: str, case: Case, user: User, **more: Any) -> Case:
        """Do an act as somebody who looks at the case as it is now."""
        case.refresh_from_db()
        homes = (actions, dispatching, supplementing, setting_aside)
        act = next(getattr(home, name) for home in homes if hasattr(home, name))
        given: dict[str, Any] = {"key": str(uuid4()), "version": case.version, "scope": scope(user)} | more
        done = act(uid=case.uid, user=user, **given)
        case.refresh_from_db()
        return done  # type: ignore[no-any-return]

    def decide(self, case: Case, user: User, outcome: str = "approve", opinion: str = "同意", **more: Any) -> Case:
        return self.act("decide", case, user, outcome=outcome, opinion=opinion, **more)

    def waiting(self, case: Case) -> dict[str, str]:
        """Return the open steps with whose they are, '' for a pool."""
        tasks = Task.objects.filter(case=case, state__in=("open", "held")).select_related("assignee").order_by("pk")
        return {task.step: task.assignee.username if task.assignee else "" for task in tasks}


@pytest.fixture
def world(city: None) -> World:
    return World()
