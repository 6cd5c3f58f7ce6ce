"""Business modules at the desk: what each of them has for whom."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from services.access.demo import make_demo_accounts
from services.access.models import User


@pytest.fixture(autouse=True)
def people(city: None) -> None:
    make_demo_accounts()


def page(account: str, path: str) -> tuple[int, str]:
    client = Client()
    client.force_login(User.objects.get(username=account), backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(path)
    return answer.status_code, answer.content.decode()


def test_the_desk_names_the_modules_in_which_there_is_something_to_do() -> None:
    _, clerk = page("jiezhen", "/desk")
    assert '<a class="card desk-card" href="/desk/modules/example">' in clerk
    assert "事项、台账" in clerk
    assert clerk.count('href="/desk/ledgers/service_points"') == 0  # it stands with its module
    assert 'href="/desk/ledgers/facilities"' in clerk
    _, resident = page("jumin", "/desk")
    assert "/desk/modules/" not in resident


def test_a_module_shows_its_matters_and_ledgers_in_one_place() -> None:
    status, shown = page("jiezhen", "/desk/modules/example")
    assert status == 200
    assert 'href="/desk/cases?matter=service_point"' in shown
    assert 'href="/my/cases/new/service_point?at=window"' in shown
    assert 'href="/desk/ledgers/service_points"' in shown
    assert page("jiezhen", "/desk/cases?matter=service_point")[0] == 200
    assert page("jiezhen", "/my/cases/new/service_point?at=window")[0] == 200


def test_the_navigation_marks_the_module_on_the_pages_of_its_ledgers() -> None:
    _, shown = page("jiezhen", "/desk/ledgers/service_points")
    assert (
        shown.count('<a href="/desk/modules/example" aria-current="page">') == 2
    )  # at the side, and in the menu of phones


def test_who_may_not_take_in_applications_is_offered_no_window() -> None:
    _, shown = page("qu", "/desk/modules/example")
    assert "看办件" in shown
    assert "at=window" not in shown


def test_there_is_nothing_in_it_for_others() -> None:
    status, said = page("jumin", "/desk/modules/example")
    assert status == 403
    assert "还没有可以办理的内容" in said
    assert page("jiezhen", "/desk/modules/nothing")[0] == 404


def test_what_waits_is_counted_once_for_both_menus() -> None:
    with CaptureQueriesContext(connection) as asked:
        _, shown = page("jiezhen", "/desk/ledgers/facilities")
    assert shown.count('class="desk-nav"') == 2
    views = [query["sql"] for query in asked.captured_queries if 'FROM "kernel_ledger_savedview"' in query["sql"]]
    waits = [query["sql"] for query in asked.captured_queries if 'FROM "kernel_workflow_poolmember"' in query["sql"]]
    assert len(views) == 2, "once for the menus, once for the list"
    assert len(waits) == 1
