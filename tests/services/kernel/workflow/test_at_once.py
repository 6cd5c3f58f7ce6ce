"""Two people, or two clicks, at the very same moment: the case is locked, one act counts, and the other is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.db import connection

from geo.errors import CityError
from services.kernel.workflow.actions import decide, open_case
from services.kernel.workflow.dispatching import claim
from services.kernel.workflow.models import Case, CaseEvent, Task
from tests.services.kernel.workflow.conftest import STREET, World, code_of, scope


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do acts in threads that start together, and return what each returned or was refused with."""
    ready, found = threading.Barrier(len(acts)), [None] * len(acts)

    def run(at: int, act: Callable[[], Any]) -> None:
        try:
            ready.wait()
            found[at] = act()
        except CityError as fault:
            found[at] = fault  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_at_the_very_same_moment(live_city: str) -> None:
    world = World()
    scopes = {user.pk: scope(user) for user in (world.wang, world.li, world.zhang)}
    key = str(uuid4())
    given: dict[str, Any] = {"matter": "service_point", "region": code_of(STREET), "title": "同时", "user": world.zhang}

    def apply() -> Case:
        return open_case(scope=scopes[world.zhang.pk], key=key, **given)

    # a double click opens one case; the second click gets it, or is told to wait
    found = at_once(apply, apply, apply)
    assert Case.objects.count() == 1
    case = Case.objects.get()
    assert all(each.code == "case_opening" if isinstance(each, CityError) else each.pk == case.pk for each in found)
    assert apply().pk == case.pk
    # two grab the same task: one has it
    at = {"uid": case.uid, "version": case.version}
    found = at_once(
        *(lambda user=user: claim(user=user, scope=scopes[user.pk], key=str(uuid4()), **at) for user in (world.wang, world.li))
    )  # fmt: skip
    refused = [each for each in found if isinstance(each, CityError)]
    assert [each.code for each in refused] == ["case_changed"]
    holder = Task.objects.get().assignee
    assert holder is not None
    # the same click sent four times decides once
    case.refresh_from_db()
    click = {"uid": case.uid, "version": case.version, "outcome": "approve", "opinion": "好", "key": str(uuid4())}
    found = at_once(*[lambda: decide(user=holder, scope=scopes[holder.pk], **click)] * 4)
    assert {each.pk for each in found} == {case.pk}
    assert CaseEvent.objects.filter(case=case, act="decide").count() == 1
    assert list(Task.objects.filter(case=case, state="open").values_list("step", flat=True)) == ["papers"]
